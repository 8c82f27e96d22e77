"""Spanning trees against Prim on all pairs, edge by edge, ties included; and against SciPy and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist, squareform

from coterie.primitives.engine import threads
from coterie.primitives.neighbors import k_nearest
from coterie.primitives.spanning_tree import mutual_reachability_tree, spanning_tree, spanning_tree_of_distances
from primitives.oracles import squared_distances
from trees.slow import dense_edges, kruskal

LATTICES = arrays(
    np.float64, st.tuples(st.integers(1, 90), st.integers(1, 4)), elements=st.sampled_from([0.0, 1.0, 2.0, 5.0])
)


def prim(X, core=None):
    distances = np.sqrt(squared_distances(X, X).astype(float))
    return spanning_tree_of_distances(distances.__getitem__, len(X), core)


def assert_same_tree(one, other):
    np.testing.assert_array_equal(one.left, other.left)
    np.testing.assert_array_equal(one.right, other.right)
    np.testing.assert_array_equal(one.weights, other.weights)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("lattice", [False, True])
def test_prim_gives_the_tree_of_sorting_all_edges(seed, lattice):
    random = np.random.default_rng(seed)
    X = random.integers(0, 3, size=(25, 2)).astype(float) if lattice else random.normal(size=(25, 2))
    distances = squareform(pdist(X))
    core = np.sort(distances, axis=1)[:, seed % 4]
    tree = spanning_tree_of_distances(distances.__getitem__, 25, core)
    assert list(zip(tree.weights, tree.left, tree.right, strict=True)) == kruskal(25, dense_edges(distances, core))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("n", "d", "k"), [(2, 1, 1), (40, 2, 3), (700, 2, 5), (400, 4, 20), (300, 12, 30), (150, 40, 4)]
)
def test_the_tree_is_prims_edge_by_edge(n, d, k, dtype):
    X = np.random.default_rng(n + d).normal(size=(n, d)).astype(dtype)
    assert_same_tree(spanning_tree(X), prim(X))
    tree, core = mutual_reachability_tree(X, min(k, n))
    assert_same_tree(tree, prim(X, core))


@settings(max_examples=150, deadline=None)
@given(LATTICES, st.data())
def test_ties_and_duplicates_give_prims_tree_too(X, data):
    k = data.draw(st.integers(1, len(X)))
    assert_same_tree(spanning_tree(X), prim(X))
    tree, core = mutual_reachability_tree(X, k)
    np.testing.assert_array_equal(core, k_nearest(X, k)[0][:, -1])
    assert_same_tree(tree, prim(X, core))


@pytest.mark.parametrize("k", [2, 25])
def test_separate_blobs_give_prims_tree(k):
    # Few large components: rows at the far side must be kept from searching without losing an edge.
    random = np.random.default_rng(k)
    X = np.r_[tuple(random.normal(center, 1.0, size=(200, 5)) for center in (0, 12, 12.5, 30, 70))]
    tree, core = mutual_reachability_tree(X, k)
    assert_same_tree(tree, prim(X, core))


@pytest.mark.parametrize("seed", range(3))
def test_the_tree_from_given_core_distances_is_the_same(on, seed):
    X = np.random.default_rng(seed).normal(size=(400, 3))
    tree, core = mutual_reachability_tree(on(X), 5)
    given_core = spanning_tree(on(X), core)
    # Core distances are rounded roots there, squared again: a last bit.
    np.testing.assert_allclose(np.asarray(given_core.weights), np.asarray(tree.weights), rtol=1e-14)


def test_weights_are_scipys_single_linkage_heights():
    X = np.random.default_rng(0).normal(size=(500, 3))
    np.testing.assert_allclose(spanning_tree(X).weights, linkage(X, "single")[:, 2], rtol=1e-12)


@pytest.mark.parametrize("n_threads", [1, 2, 4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_number_of_threads_changes_no_bit(n_threads, dtype):
    X = np.random.default_rng(1).normal(size=(20000, 3)).round(2).astype(dtype)
    with threads(n_threads):
        one = mutual_reachability_tree(X, 6)[0]
    with threads(3):
        other = mutual_reachability_tree(X, 6)[0]
    assert_same_tree(one, other)


@pytest.mark.parametrize("n", [1, 2, 40_000])
def test_equal_rows_are_joined_to_the_first(n):
    tree, core = mutual_reachability_tree(np.full((n, 3), 0.1), min(n, 5))
    assert not core.any()
    np.testing.assert_array_equal(tree.left, np.zeros(n - 1))
    np.testing.assert_array_equal(tree.right, np.arange(1, n))


def test_a_lattice_of_equal_distances_has_unit_edges():
    X = np.stack(np.meshgrid(np.arange(150.0), np.arange(150.0)), -1).reshape(-1, 2)
    tree = spanning_tree(X)
    assert (tree.weights == 1.0).all()
    assert (np.diff(tree.left * len(X) + tree.right) > 0).all()


def test_rows_on_a_line_are_joined_in_their_order():
    place = np.random.default_rng(2).permutation(3000).astype(float)
    tree = spanning_tree(np.c_[place, 2 * place, -place])
    np.testing.assert_array_equal(np.abs(place[tree.left] - place[tree.right]), np.ones(2999))


@pytest.mark.parametrize("factor", [2.0**-900, 2.0**-300, 2.0**500, 2.0**900])
def test_the_magnitude_of_the_rows_does_not_matter(factor):
    X = np.random.default_rng(3).normal(size=(300, 2))
    one, other = mutual_reachability_tree(X, 4)[0], mutual_reachability_tree(X * factor, 4)[0]
    np.testing.assert_array_equal(one.left, other.left)
    np.testing.assert_allclose(other.weights / factor, one.weights, rtol=1e-14)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("min_samples", [1, 2, 7, 20])
def test_boruvkas_edges_are_prims_bit_by_bit(seed, min_samples, monkeypatch):
    random = np.random.default_rng(seed)
    n, d = int(random.integers(25, 400)), int(random.integers(1, 5))
    X = random.normal(size=(n, d)).round(seed % 3) + 30.0 * (random.random((n, 1)) < 0.3)
    expected, core = mutual_reachability_tree(X, min_samples)
    euclidean, given = spanning_tree(X), spanning_tree(X, core)
    monkeypatch.setattr("coterie.primitives._numba.spanning_tree.MOST_ROWS", 0)
    for edges, wanted in zip(
        (mutual_reachability_tree(X, min_samples)[0], spanning_tree(X), spanning_tree(X, core)),
        (expected, euclidean, given),
        strict=True,
    ):
        for values, right in zip(edges, wanted, strict=True):
            np.testing.assert_array_equal(values, right)
