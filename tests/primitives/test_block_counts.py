"""Sums between classes on both engines, against products of matrices."""

import numpy as np
import pytest

from coterie.arrays import Graph
from coterie.errors import InputError, ResourceError
from coterie.graphs import from_edges, to_scipy
from coterie.primitives import block_counts as front
from coterie.primitives.block_counts import block_counts, block_spread, merge_block_counts
from coterie.primitives.engine import threads

both_ways = pytest.mark.parametrize("directed", [False, True])


def case(n=300, m=2500, k=5, directed=False, seed=0, weights=True):
    rng = np.random.default_rng(seed)
    graph = from_edges(
        rng.integers(0, n, (m, 2)), n, weights=rng.random(m) if weights else None, directed=directed
    )  # loops included
    return graph, rng.integers(-1, k, n)


def members(labels, k):
    return (labels[:, None] == np.arange(k)).astype(float)


def moved(graph, on):
    return Graph(*(on(part) for part in graph))


@both_ways
def test_counts_are_those_of_a_product_of_matrices(on, directed):
    graph, labels = case(directed=directed)
    found = block_counts(moved(graph, on), on(labels))
    Z, A = members(labels, 5), to_scipy(graph).toarray()
    np.testing.assert_allclose(found.weights, Z.T @ A @ Z, rtol=1e-12)
    np.testing.assert_array_equal(found.links, Z.T @ (A > 0) @ Z)
    np.testing.assert_array_equal(found.sizes, Z.sum(axis=0))


@both_ways
def test_spread_is_that_of_what_each_node_links_to_each_class(on, directed):
    graph, labels = case(directed=directed)
    found = block_spread(moved(graph, on), on(labels))
    Z, A = members(labels, 5), to_scipy(graph).toarray()
    to = Z.sum(axis=1)[:, None] * (A @ Z)
    total = to.sum(axis=1)
    np.testing.assert_allclose(found.squares, Z.T @ to**2, rtol=1e-12)
    np.testing.assert_allclose(found.products, Z.T @ (to * total[:, None]), rtol=1e-12)
    np.testing.assert_allclose(found.totals2, Z.T @ total**2, rtol=1e-12)
    inside = labels >= 0
    np.testing.assert_allclose(found.weights2, (A[np.ix_(inside, inside)] ** 2).sum(), rtol=1e-12)


def test_the_diagonal_of_an_undirected_graph_holds_twice_the_weight_inside(on):
    graph = from_edges([[0, 1], [1, 2], [2, 2]], 4, weights=[3.0, 5.0, 7.0])
    found = block_counts(moved(graph, on), on(np.array([0, 0, 1, 1])))
    np.testing.assert_array_equal(found.weights, [[6.0, 5.0], [5.0, 14.0]])


def test_parts_of_the_links_add_up(on):
    whole, labels = case(weights=False)
    entries = to_scipy(whole).tocoo()
    first = np.arange(entries.nnz) % 3 == 0
    parts = [
        from_edges(np.stack([entries.row[part], entries.col[part]], axis=1), whole.n_nodes, weights=entries.data[part],
                   directed=True)
        for part in (first, ~first)
    ]  # fmt: skip
    merged = merge_block_counts(*(block_counts(moved(part, on), on(labels), 5) for part in parts))
    for one, other in zip(merged, block_counts(whole, labels, 5), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_same_bits_on_any_number_of_threads():
    graph, labels = case(n=20_000, m=300_000)
    found = []
    for n in (1, 2, 4):
        with threads(n):
            found.append((*block_counts(graph, labels), *block_spread(graph, labels)))
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_float32_weights_are_added_up_in_float64(on):
    graph, labels = case()
    single = graph._replace(weights=graph.weights.astype(np.float32))
    wanted = block_counts(graph._replace(weights=single.weights.astype(np.float64)), labels).weights
    np.testing.assert_allclose(block_counts(moved(single, on), on(labels)).weights, wanted, rtol=1e-13)


def test_no_links_and_no_classes_count_nothing(on):
    graph = from_edges(np.empty((0, 2), int), 3)
    assert block_counts(moved(graph, on), on(np.array([0, -1, 1]))).weights.tolist() == [[0, 0], [0, 0]]
    assert block_counts(moved(graph, on), on(np.full(3, -1))).weights.shape == (0, 0)


def test_labels_that_do_not_fit_are_refused():
    graph, labels = case()
    with pytest.raises(InputError, match="one entry for each of the 300 nodes"):
        block_counts(graph, labels[:-1])
    with pytest.raises(InputError, match="from 0 to 2"):
        block_counts(graph, labels, 3)


def test_too_many_classes_are_refused_before_anything_is_allocated(monkeypatch):
    graph, labels = case()
    monkeypatch.setattr(front, "free_bytes", lambda: 1000.0)
    with pytest.raises(ResourceError, match="5 classes need"):
        block_counts(graph, labels)
