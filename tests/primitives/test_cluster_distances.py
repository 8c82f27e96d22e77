"""Sums of distances to clusters, spreads, diameters and density trees, each against full matrices."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist

from coterie.arrays import to_numpy
from coterie.primitives.cluster_distances import cluster_spread, distance_sums, mean_distances
from coterie.primitives.cluster_reach import densest_trees, density_distances, diameter
from coterie.primitives.engine import threads

# rows, columns, clusters: one full panel, several strips of one cluster, many tiny clusters, more columns than lanes
SHAPES = [(16, 1, 2), (333, 2, 3), (400, 3, 90), (2500, 5, 2), (300, 40, 4)]
TOLERANCE = {"float32": 1e-6, "float64": 1e-13}


def rows_and_labels(n, d, k, dtype="float64", offset=0.0):
    rng = np.random.default_rng([n, d, k])
    labels = rng.permutation(np.concatenate([np.arange(k), rng.integers(0, k, n - k)]))
    return (rng.normal(size=(n, d)) + 3 * rng.normal(size=(k, d))[labels] + offset).astype(dtype), labels


def sums_by_matrix(X, labels, k, queries):
    distances = cdist(queries.astype(np.float64), X.astype(np.float64))
    return np.stack([distances[:, labels == c].sum(axis=1) for c in range(k)], axis=1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_mean_distances_equal_those_of_the_full_matrix(shape, dtype, on):
    X, labels = rows_and_labels(*shape, dtype)
    k, sizes = shape[2], np.bincount(labels)
    sums = sums_by_matrix(X, labels, k, X)
    at = np.arange(len(X))
    means = sums / sizes
    means[at, labels] = np.inf
    inner, outer = (to_numpy(part) for part in mean_distances(on(X), labels, k))
    expected = sums[at, labels] / np.maximum(sizes[labels] - 1, 1)
    np.testing.assert_allclose(inner, expected, rtol=TOLERANCE[dtype], atol=1e-300)
    np.testing.assert_allclose(outer, means.min(axis=1), rtol=TOLERANCE[dtype])


@pytest.mark.parametrize(("n", "k"), [(4400, 2), (300, 40)], ids=["several strips", "many clusters"])
def test_work_may_be_cut_into_batches_of_any_size(n, k, monkeypatch):
    X, labels = rows_and_labels(n, 1, k)
    whole = mean_distances(X, labels, k)
    monkeypatch.setattr("coterie.primitives._numba.cluster_distances._TILES", 3)
    for part, again in zip(whole, mean_distances(X, labels, k), strict=True):
        np.testing.assert_array_equal(part, again)
    monkeypatch.setattr("coterie.primitives._numba.cluster_distances._SLOT", 8192)  # what one tile needs at most
    for part, again in zip(whole, mean_distances(X, labels, k), strict=True):
        np.testing.assert_array_equal(part, again)
    # On a line the distances to a cluster follow from sorted rows.
    mine = np.sort(X[labels == 0, 0])
    below = np.searchsorted(mine, X[:, 0])
    sums = np.concatenate([[0.0], np.cumsum(mine)])
    to_first = X[:, 0] * (2 * below - len(mine)) + sums[-1] - 2 * sums[below]
    others = labels == 1
    assert (whole[1][others] <= to_first[others] / len(mine) * (1 + 1e-12)).all()
    np.testing.assert_allclose(whole[0][labels == 0], to_first[labels == 0] / (len(mine) - 1), rtol=1e-10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_sums_of_new_rows_equal_those_of_the_full_matrix(shape, dtype, on):
    X, labels = rows_and_labels(*shape, dtype)
    queries = X[::7] + X.dtype.type(0.25)
    found = to_numpy(distance_sums(on(X), labels, shape[2], on(queries)))
    np.testing.assert_allclose(found, sums_by_matrix(X, labels, shape[2], queries), rtol=TOLERANCE[dtype])


@pytest.mark.parametrize("unit", [2.0**-100, 2.0**100])
def test_a_power_of_two_scales_float32_sums_exactly(unit, on):
    X, labels = rows_and_labels(200, 3, 3, "float32")
    plain = [to_numpy(part) for part in mean_distances(on(X), labels, 3)]
    scaled = [to_numpy(part) for part in mean_distances(on(X * np.float32(unit)), labels, 3)]
    np.testing.assert_array_equal(np.stack(scaled), np.stack(plain) * unit)


def test_steps_of_one_keep_their_distance_far_from_the_origin(on):
    # Integers below 2^24 are exact in float32, and so are their differences, but not their squares.
    X = np.concatenate([np.arange(6.0), np.arange(6.0) + 2**23])[:, None].astype(np.float32)
    inner, _ = mean_distances(on(X), np.repeat([0, 1], 6), 2)
    assert to_numpy(inner).tolist() == [3.0, 2.2, 1.8, 1.8, 2.2, 3.0] * 2


def test_rows_that_are_denormal_in_float32_keep_their_distances(on):
    X = np.array([[0.0], [1.0], [3.0], [8.0]], np.float32) * np.float32(2.0**-149)
    inner, outer = mean_distances(on(X), np.array([0, 0, 1, 1]), 2)
    assert (to_numpy(inner) * 2.0**149).tolist() == pytest.approx([1, 1, 5, 5])
    assert (to_numpy(outer) * 2.0**149).tolist() == pytest.approx([5.5, 4.5, 2.5, 7.5])


@pytest.mark.parametrize("unit", [1.0, 3e-9, 7e-140, 1e300])
def test_a_single_distance_is_right_to_two_units_in_the_last_place(unit, on):
    """The root is of our own making: numbers of all sizes, beside the greatest one that sets the scale."""
    rng = np.random.default_rng(5)
    far = np.concatenate([[0.0, 1.0], rng.uniform(0.5, 2, 400) * 2.0 ** rng.integers(-60, 1, 400)])[:, None] * unit
    found = to_numpy(distance_sums(on(far), np.arange(len(far)), len(far), on(np.zeros((1, 1)))))[0]
    np.testing.assert_allclose(found, far[:, 0], rtol=2 * np.finfo(float).eps)
    assert found[0] == 0.0


def test_threads_do_not_change_a_bit():
    X, labels = rows_and_labels(3000, 4, 5, "float32")

    def all_of_it(n):
        with threads(n):
            return [*mean_distances(X, labels, 5), distance_sums(X, labels, 5, X[:100]), *cluster_spread(X, labels, 5)]

    one = all_of_it(1)
    for n in (2, 4):
        for part, again in zip(one, all_of_it(n), strict=True):
            np.testing.assert_array_equal(part, again)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_spread_equals_means_and_distances_to_them(dtype, offset, on):
    X, labels = rows_and_labels(500, 3, 4, dtype, offset)
    labels = np.where(np.arange(500) % 9 == 0, -1, labels)
    sizes, centers, distances, squares = cluster_spread(on(X), labels, 4)
    wide = X.astype(np.float64)
    for c in range(4):
        mine = wide[labels == c]
        gaps = np.linalg.norm(mine - mine.mean(axis=0), axis=1)
        assert sizes[c] == len(mine)
        np.testing.assert_allclose(centers[c], mine.mean(axis=0), rtol=1e-13)
        np.testing.assert_allclose([distances[c], squares[c]], [gaps.sum(), (gaps**2).sum()], rtol=1e-9)


@pytest.mark.parametrize("d", [1, 2, 3, 20])
def test_diameter_is_the_largest_of_all_distances(d):
    X = np.random.default_rng(d).standard_t(3, size=(400, d))
    assert diameter(X) == pytest.approx(pdist(X).max(), rel=1e-15)


@pytest.mark.parametrize("X", [np.ones((1, 2)), np.ones((50, 2))], ids=["one row", "equal rows"])
def test_rows_in_one_place_have_no_diameter(X):
    assert diameter(X) == 0.0


def test_rows_on_a_circle_are_as_wide_as_the_circle():
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    assert diameter(1e200 * np.stack([np.cos(angle), np.sin(angle)], axis=1)) == pytest.approx(2e200, rel=1e-15)


@pytest.mark.parametrize("d", [1, 2, 3, 7, 200])
def test_density_distances_are_the_formula_of_the_paper(d):
    X = np.random.default_rng(d).normal(size=(70, d)) * 3
    gaps = cdist(X, X)
    np.fill_diagonal(gaps, np.inf)
    nearest = gaps.min(axis=1, keepdims=True)
    expected = nearest[:, 0] * (((nearest / gaps) ** d).sum(axis=1) / 69) ** (-1 / d)
    np.testing.assert_allclose(density_distances(X), expected, rtol=1e-12)


def test_a_duplicate_has_density_distance_zero():
    assert density_distances(np.array([[0.0, 0], [3, 4], [0, 0]]))[[0, 2]].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("seed", range(5))
def test_densest_trees_are_those_that_sorting_all_edges_gives(seed):
    rng = np.random.default_rng(seed)
    sizes = [1, 40, 2, 90]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    X = rng.normal(size=(sum(sizes), 2))
    core = rng.uniform(0.2, 1.5, len(X)).round(1)  # rounding makes ties
    left, right, weights = densest_trees(X, starts, core)
    found = {(int(a), int(b)): w for a, b, w in zip(left, right, weights, strict=True)}
    expected = {}
    for a, b in pairwise(starts):
        parent = {i: i for i in range(a, b)}

        def root(i, parent=parent):
            while parent[i] != i:
                i = parent[i]
            return i

        edges = []
        for i in range(a, b):
            for j in range(i + 1, b):
                gap = np.linalg.norm(X[i] - X[j])
                edges.append((max(gap, core[i], core[j]), min(core[i], core[j]), gap, i, j))
        for weight, _, _, i, j in sorted(edges):
            if root(i) != root(j):
                parent[root(i)] = root(j)
                expected[i, j] = weight
    assert found == pytest.approx(expected, rel=1e-14)
