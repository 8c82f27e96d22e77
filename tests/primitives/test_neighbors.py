"""Nearest rows against sorting all distances, on ties and duplicates, and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.neighbors import NearestNeighbors

from coterie.errors import InputError
from coterie.primitives.engine import threads
from coterie.primitives.neighbors import k_nearest, nearest_reachable
from primitives.oracles import squared_distances

LATTICES = arrays(
    np.float64, st.tuples(st.integers(1, 70), st.integers(1, 4)), elements=st.sampled_from([0.0, 1.0, 2.0, -1.5])
)


def sorted_neighbors(X, k, queries=None):
    distance2 = squared_distances(X if queries is None else queries, X)
    keys = distance2.copy()
    if queries is None:
        np.fill_diagonal(keys, -1)
    near = np.argsort(keys, axis=1, kind="stable")[:, :k]
    return np.sqrt(np.take_along_axis(distance2, near, axis=1)), near


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "d", "k"), [(1, 3, 1), (33, 1, 33), (500, 2, 7), (300, 5, 40), (200, 30, 9)])
def test_neighbors_are_those_of_sorting_all_distances(n, d, k, dtype):
    X = np.random.default_rng(n).normal(size=(n, d)).astype(dtype)
    distances, indices = k_nearest(X, k)
    wanted, near = sorted_neighbors(X, k)
    assert distances.dtype == dtype
    np.testing.assert_array_equal(indices, near)
    np.testing.assert_array_equal(distances, wanted)


@settings(max_examples=100, deadline=None)
@given(LATTICES, st.data())
def test_ties_go_to_the_lowest_row(X, data):
    k = data.draw(st.integers(1, len(X)))
    for queries in (None, X[: len(X) // 2 + 1] + 0.5, X):
        distances, indices = k_nearest(X, k, queries=queries)
        wanted, near = sorted_neighbors(X, k, queries)
        np.testing.assert_array_equal(indices, near)
        np.testing.assert_array_equal(distances, wanted)


@pytest.mark.parametrize("d", [2, 8, 20])
def test_neighbors_are_those_of_scikit_learn(d):
    X = np.random.default_rng(d).normal(size=(3000, d))
    distances, indices = k_nearest(X, 10)
    wanted, near = NearestNeighbors(n_neighbors=10, algorithm="ball_tree").fit(X).kneighbors(X)
    np.testing.assert_array_equal(indices, near)
    np.testing.assert_allclose(distances, wanted, rtol=1e-12)


def test_a_row_is_its_own_first_neighbor_among_duplicates():
    distances, indices = k_nearest(np.zeros((5000, 2)), 3)
    assert not distances.any()
    np.testing.assert_array_equal(indices[:, 0], np.arange(5000))
    np.testing.assert_array_equal(indices[2:, 1:], np.tile([0, 1], (4998, 1)))


@pytest.mark.parametrize("factor", [2.0**-900, 2.0**-300, 2.0**500, 2.0**900])
def test_the_magnitude_of_the_rows_does_not_matter(factor):
    X = np.random.default_rng(0).normal(size=(300, 3))
    distances, indices = k_nearest(X, 5)
    scaled, near = k_nearest(X * factor, 5)
    np.testing.assert_array_equal(near, indices)
    np.testing.assert_allclose(scaled / factor, distances, rtol=1e-14)


@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_the_number_of_threads_changes_nothing(n_threads):
    X = np.random.default_rng(1).normal(size=(5000, 3))
    wanted = k_nearest(X, 6)
    with threads(n_threads):
        found = k_nearest(X, 6)
    np.testing.assert_array_equal(found[0], wanted[0])
    np.testing.assert_array_equal(found[1], wanted[1])


@pytest.mark.parametrize("k", [0, 6])
def test_more_neighbors_than_rows_or_none_are_refused(k):
    with pytest.raises(InputError, match="between 1 and"):
        k_nearest(np.zeros((5, 2)), k)


@pytest.mark.parametrize("lattice", [False, True])
@pytest.mark.parametrize("k", [1, 2, 5])
def test_the_nearest_by_reachability_is_that_of_all_pairs(on, k, lattice):
    random = np.random.default_rng(k)
    X = random.integers(0, 5, size=(90, 2)).astype(float) if lattice else random.normal(size=(90, 2))
    queries = np.r_[X[:30], X[:30] + 0.5, random.normal(size=(30, 2))]
    core = sorted_neighbors(X, k)[0][:, -1]
    distances = np.sqrt(squared_distances(queries, X))
    own = np.sort(distances, axis=1)[:, max(k - 2, 0)] if k > 1 else np.zeros(len(queries))
    own = np.where(distances.min(axis=1) == 0, core[distances.argmin(axis=1)], own)
    reach = np.maximum(np.maximum(distances, core), own[:, None])
    wanted = [min(zip(r, d, range(90), strict=True))[2] for r, d in zip(reach, distances, strict=True)]
    found, values = nearest_reachable(on(X), on(core), on(queries), k)
    np.testing.assert_array_equal(np.asarray(found), wanted)
    np.testing.assert_allclose(np.asarray(values), reach.min(axis=1), rtol=1e-14)
