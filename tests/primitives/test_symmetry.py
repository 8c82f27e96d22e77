"""The symmetry of a graph's matrix, against the matrix itself."""

import numpy as np
import pytest

from coterie import Graph
from coterie.graphs import from_edges, to_scipy
from coterie.primitives.engine import threads
from coterie.primitives.symmetry import is_symmetric


def random_graph(seed, *, directed, n=50, m=200, dtype=np.float64):
    random = np.random.default_rng(seed)
    graph = from_edges(random.integers(0, n, (m, 2)), n, weights=random.integers(1, 4, m), directed=directed)
    return graph._replace(weights=graph.weights.astype(dtype))


def placed(graph, on):
    return Graph(*(on(part) for part in graph))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_it_is_what_the_matrix_says(on, seed, directed, dtype):
    graph = random_graph(seed, directed=directed, dtype=dtype)
    matrix = to_scipy(graph).toarray()
    assert is_symmetric(placed(graph, on)) == np.array_equal(matrix, matrix.T)


@pytest.mark.parametrize("seed", range(5))
def test_one_weight_in_the_last_bit_is_noticed(on, seed):
    graph = random_graph(seed, directed=False)
    assert is_symmetric(placed(graph, on))
    off = np.flatnonzero(graph.indices != np.repeat(np.arange(50), np.diff(graph.indptr)))
    weights = graph.weights.copy()
    weights[off[seed]] = np.nextafter(weights[off[seed]], 9)
    assert not is_symmetric(placed(graph._replace(weights=weights), on))


@pytest.mark.parametrize("n", [3, 4, 7, 100])
def test_a_ring_one_way_has_equal_sums_of_rows_and_columns_and_is_not_symmetric(on, n):
    ring = from_edges(np.c_[np.arange(n), np.roll(np.arange(n), 1)], directed=True)
    assert not is_symmetric(placed(ring, on))


def test_no_links_loops_only_and_one_node_are_symmetric(on):
    for edges, n in ((np.empty((0, 2)), 3), ([[0, 0], [2, 2]], 3), (np.empty((0, 2)), 1)):
        assert is_symmetric(placed(from_edges(edges, n, directed=True), on))


def test_many_blocks_say_the_same_on_any_number_of_threads():
    graph = random_graph(1, directed=False, n=3000, m=300_000)
    other = random_graph(1, directed=True, n=3000, m=300_000)
    for n_threads in (1, 2, 4):
        with threads(n_threads):
            assert is_symmetric(graph)
            assert not is_symmetric(other)


def test_read_only_parts_are_looked_at():
    graph = random_graph(2, directed=False)
    for part in graph:
        part.setflags(write=False)
    assert is_symmetric(graph)
