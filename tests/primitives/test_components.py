"""Connected components against SciPy's, and sets numbered by first appearance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components as by_scipy

from coterie import Graph
from coterie.primitives.components import connected_components, number_sets
from coterie.primitives.engine import threads


def random_graph(seed, n, edges):
    random = np.random.default_rng(seed)
    rows, columns = random.integers(0, n, size=(2, edges))
    matrix = csr_array((np.ones(edges), (rows, columns)), shape=(n, n))
    return matrix, Graph(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**20), n=st.integers(1, 200), share=st.floats(0, 2))
def test_components_are_those_of_scipy(seed, n, share):
    matrix, graph = random_graph(seed, n, int(share * n))
    expected = number_sets(by_scipy(matrix, directed=False)[1].astype(np.int64))
    np.testing.assert_array_equal(connected_components(graph), expected)


@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_threads_that_join_the_same_sets_lose_no_edge(n_threads):
    # Several blocks of edges, all of them in one long path in random order.
    n = 1_500_000
    path = np.random.default_rng(0).permutation(n)
    ends = np.full(n, -1)
    ends[path[:-1]] = path[1:]
    indptr = np.concatenate([[0], np.cumsum(ends >= 0)])
    graph = Graph(indptr, ends[ends >= 0], np.ones(n - 1))
    with threads(n_threads):
        assert not connected_components(graph).any()


def test_a_graph_without_edges_has_a_component_for_each_node():
    empty = np.empty(0)
    assert connected_components(Graph(np.zeros(4, np.int64), empty.astype(np.int64), empty)).tolist() == [0, 1, 2]


def test_sets_are_numbered_by_first_appearance(on):
    numbered = number_sets(on(np.array([9, -1, 3, 9, 0, -1])))
    assert type(numbered) is type(on(np.zeros(1)))
    assert numbered.tolist() == [0, -1, 1, 0, 2, -1]
