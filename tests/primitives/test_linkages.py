"""Merging and splitting on both engines, against SciPy and against each other."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist, squareform

from coterie.arrays import Graph
from coterie.primitives.divisive import splinter_splits
from coterie.primitives.linkages import center_linkage, forest, graph_linkage, matrix_linkage
from coterie.trees.linkage import linkage_matrix

random = np.random.default_rng(0)
ROWS = {
    "cloud": random.normal(size=(150, 3)),
    "two rows": np.array([[0.0, 1], [2, 2]]),
    "one column": random.normal(size=(60, 1)),
    "twenty columns": random.normal(size=(90, 20)),
    "far from the origin": random.normal(size=(80, 2)) + 1e7,
    "a chain": 1.2 ** np.arange(150)[:, None],  # each round has one pair
}
every_rows = pytest.mark.parametrize("name", ROWS)


def matrix_of(X, on):
    """Return the distances as the engine takes them."""
    D = squareform(pdist(X))
    moved = on(D)
    return D[np.tril_indices(len(D), -1)] if isinstance(moved, np.ndarray) else moved


@every_rows
@pytest.mark.parametrize("how", ["ward", "centroid", "median"])
def test_merges_by_centers_are_those_of_scipy(on, name, how):
    X = ROWS[name]
    merges, theirs = center_linkage(on(X), how), linkage(X, how)
    np.testing.assert_allclose(merges.heights, theirs[:, 2], rtol=1e-7 if "far" in name else 1e-10)
    assert (merges.left < merges.right).all()


@every_rows
@pytest.mark.parametrize("how", ["complete", "average", "weighted"])
def test_merges_by_a_matrix_are_those_of_scipy(on, name, how):
    X = ROWS[name]
    merges, theirs = matrix_linkage(matrix_of(X, on), how), linkage(pdist(X), how)
    np.testing.assert_allclose(linkage_matrix(*merges), theirs, rtol=1e-10)


@pytest.mark.parametrize("how", ["ward", "centroid", "median"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_both_engines_merge_the_same_rows(how, dtype):
    torch = pytest.importorskip("torch", reason="the second engine is PyTorch's")
    lattice = np.stack(np.meshgrid(np.arange(8.0), np.arange(8.0)), -1).reshape(-1, 2).astype(dtype)
    for X in (lattice, ROWS["cloud"].astype(dtype), np.repeat(ROWS["one column"].astype(dtype), 3, axis=0)):
        ours, theirs = center_linkage(X, how), center_linkage(torch.from_numpy(X), how)
        np.testing.assert_array_equal(theirs.left, ours.left)
        np.testing.assert_array_equal(theirs.right, ours.right)
        np.testing.assert_allclose(theirs.heights, ours.heights, rtol=1e-12)


@pytest.mark.parametrize("how", ["complete", "average", "weighted"])
def test_both_engines_merge_the_same_rows_of_a_matrix_with_ties(on, how):
    # All distances are 1 or 2, and means of equal ones are exact.
    D = np.where(np.arange(12)[:, None] // 4 == np.arange(12) // 4, 1.0, 2.0)
    np.fill_diagonal(D, 0.0)
    moved = on(D)
    merges = matrix_linkage(D[np.tril_indices(12, -1)] if isinstance(moved, np.ndarray) else moved, how)
    assert merges.heights.tolist() == [1.0] * 9 + [2.0] * 2
    assert list(zip(merges.left.tolist(), merges.right.tolist(), strict=True)) == [
        (0, 1), (0, 2), (0, 3), (4, 5), (4, 6), (4, 7), (8, 9), (8, 10), (8, 11), (0, 4), (0, 8)
    ]  # fmt: skip


@pytest.mark.parametrize("how", ["ward", "centroid"])
def test_a_whole_weight_is_as_many_rows(on, how):
    X = ROWS["cloud"][:60]
    weight = np.random.default_rng(1).integers(1, 5, size=60)
    weighted, repeated = (
        center_linkage(on(X), how, weight.astype(float)),
        center_linkage(on(np.repeat(X, weight, 0)), how),
    )
    above = repeated.heights[repeated.heights > 0]
    np.testing.assert_allclose(weighted.heights, above, rtol=1e-10)


@pytest.mark.parametrize("how", ["ward", "centroid", "median"])
def test_weights_far_apart_are_heard_along_a_graph_too(how):
    X, weight = ROWS["cloud"][:50], 10.0 ** np.random.default_rng(2).integers(-3, 4, size=50)
    all_pairs = np.flatnonzero(~np.eye(50, dtype=bool)) % 50
    graph = Graph(np.arange(0, 50 * 49 + 1, 49), all_pairs, np.ones(50 * 49))
    along, components = graph_linkage(graph, how, X=X, sample_weight=weight)
    free = center_linkage(X, how, weight)
    assert components == 1
    np.testing.assert_allclose(np.sort(along.heights), np.sort(free.heights), rtol=1e-10)


def test_a_graph_and_its_distances_are_not_changed():
    graph = Graph(np.array([0, 1, 3, 4]), np.array([1, 0, 2, 1]), np.ones(4))
    distances = np.array([2.0, 2.0, 3.0, 3.0])
    graph_linkage(graph, "average", distances=distances)
    assert (graph.indices.tolist(), distances.tolist()) == ([1, 0, 2, 1], [2.0, 2.0, 3.0, 3.0])


def test_a_star_with_many_rays_ends():
    n = 3000
    indptr = np.concatenate([[0], n - 1 + np.arange(n)])
    graph = Graph(indptr, np.concatenate([np.arange(1, n), np.zeros(n - 1, np.int64)]), np.ones(2 * (n - 1)))
    merges, components = graph_linkage(graph, "ward", X=np.random.default_rng(0).normal(size=(n, 2)))
    assert (len(merges.left), components) == (n - 1, 1)


def test_the_forest_takes_the_first_edge_that_joins():
    assert forest(5, np.array([3, 1, 3, 0]), np.array([4, 3, 1, 1])).tolist() == [True, True, False, True]


def test_splits_of_both_engines_are_the_same(on):
    D = squareform(pdist(ROWS["cloud"]))
    for given, expected in zip(splinter_splits(on(D)), splinter_splits(D), strict=True):
        np.testing.assert_array_equal(given, expected)


def test_splits_of_more_rows_than_a_block_agree_with_distances_of_whole_numbers():
    X = np.random.default_rng(4).integers(-50, 50, size=(700, 2)).astype(float)
    D = np.abs(X[:, None] - X[None]).sum(axis=2)
    double, single = splinter_splits(D), splinter_splits(D.astype(np.float32))
    np.testing.assert_array_equal(double.heights, single.heights)
    assert double.heights[-1] == D.max()


@pytest.mark.parametrize("seed", range(8))
def test_few_rows_without_kernels_merge_as_many_rows_do_to_the_bit(seed, monkeypatch):
    random = np.random.default_rng(seed)
    n, d = int(random.integers(2, 200)), int(random.integers(1, 5))
    rows = random.standard_normal((n, d)) if seed % 2 else random.integers(0, 4, (n, d)).astype(float)
    weight = random.integers(1, 4, n).astype(float)
    found = center_linkage(rows, "ward", weight)
    monkeypatch.setattr("coterie.primitives._numba.ward._FEW", 0)
    for one, other in zip(found, center_linkage(rows, "ward", weight), strict=True):
        np.testing.assert_array_equal(one, other)
