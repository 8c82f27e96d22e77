"""The steps of the medoid searches, on every engine, against their plain definition."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from coterie.arrays import to_numpy
from coterie.primitives.engine import threads
from coterie.primitives.medoids import (
    MEASURES,
    add_medoid,
    clear_medoids,
    distance_sums,
    distances_between,
    gains,
    matrix_search,
    medoid_search,
    nearest_of,
    replace_medoid,
    swap_changes,
)

NAME = {"euclidean": "euclidean", "sqeuclidean": "sqeuclidean", "manhattan": "cityblock"}


def normal(n, d):
    return np.random.default_rng([n, d]).standard_normal((n, d))


DATA = {
    "two rows": normal(2, 3),
    "one column": normal(45, 1),
    "plane": normal(150, 2),
    "more rows than 32 panels hold": normal(1100, 2),
    "a lattice": np.stack(np.meshgrid(np.arange(8.0), np.arange(9.0)), -1).reshape(-1, 2),
    "far from the origin": np.round(normal(90, 3), 2) + 2.0**20,
    "many columns": normal(70, 40),
    "whole panels": normal(64, 5),
}
every_data = pytest.mark.parametrize("name", DATA)
every_measure = pytest.mark.parametrize("measure", MEASURES)
every_dtype = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
stored_or_not = pytest.mark.parametrize("stored", [False, True], ids=["on the fly", "stored"])


def problem(name, measure, dtype=np.float64):
    """Return rows, all distances, weights, three medoids and one candidate that is none."""
    X = DATA[name].astype(dtype)
    random = np.random.default_rng(len(X))
    rows = random.permutation(len(X))
    return X, cdist(X.astype(np.float64), X.astype(np.float64), NAME[measure]), random.uniform(1, 3, len(X)), rows


def close(dtype, D):
    return {"rtol": 1e-4 if dtype == np.float32 else 1e-11, "atol": (1e-4 if dtype == np.float32 else 1e-11) * D.max()}


def with_medoids(on, X, measure, weight, medoids, stored=False):
    search = medoid_search(on(X), measure, weight, stored=stored)
    for row in medoids:
        add_medoid(search, row)
    return search


@every_data
@every_measure
@every_dtype
@stored_or_not
def test_sums_of_distances(on, name, measure, dtype, stored):
    X, D, weight, rows = problem(name, measure, dtype)
    search = medoid_search(on(X), measure, weight, stored=stored)
    np.testing.assert_allclose(distance_sums(search), D @ weight, **close(dtype, D * len(X)))
    np.testing.assert_array_equal(distance_sums(search, rows[:2]), distance_sums(search)[rows[:2]])


@every_data
@every_measure
@every_dtype
@stored_or_not
def test_gains_of_one_more_medoid(on, name, measure, dtype, stored):
    X, D, weight, rows = problem(name, measure, dtype)
    search = with_medoids(on, X, measure, weight, rows[:1], stored)
    expected = weight @ np.maximum(D[:, rows[:1]] - D, 0)
    np.testing.assert_allclose(gains(search, np.arange(len(X))), expected, **close(dtype, D * len(X)))
    np.testing.assert_allclose(search.loss, weight @ D[:, rows[0]], rtol=1e-5)


@every_data
@every_measure
@every_dtype
@stored_or_not
def test_changes_of_every_exchange(on, name, measure, dtype, stored):
    X, D, weight, rows = problem(name, measure, dtype)
    k = min(5, len(X) - 1)
    search = with_medoids(on, X, measure, weight, rows[:k], stored)
    candidates = rows[k : k + 40]
    loss = weight @ D[:, rows[:k]].min(1)
    changes = np.array(
        [[weight @ D[:, np.append(np.delete(rows[:k], m), x)].min(1) - loss for m in range(k)] for x in candidates]
    )
    np.testing.assert_allclose(swap_changes(search, candidates), changes, **close(dtype, D * len(X)))


@pytest.mark.parametrize("name", ["plane", "a lattice", "more rows than 32 panels hold", "many columns"])
@every_measure
@stored_or_not
def test_exchanges_one_after_the_other_leave_what_a_new_start_would(on, name, measure, stored):
    X, D, weight, rows = problem(name, measure)
    medoids = list(rows[:6])
    search = with_medoids(on, X, measure, weight, medoids, stored)
    for step in range(25):
        medoids[step * 5 % 6] = rows[6 + step]
        replace_medoid(search, step * 5 % 6, rows[6 + step])
    assert search.medoid_rows.tolist() == medoids
    assert search.loss == pytest.approx(weight @ D[:, medoids].min(1), rel=1e-12)
    fresh = with_medoids(on, X, measure, weight, medoids, stored)
    np.testing.assert_allclose(
        swap_changes(search, rows[-30:]), swap_changes(fresh, rows[-30:]), **close(np.float64, D)
    )


def test_a_given_matrix_is_the_distances(on):
    X, D, weight, rows = problem("plane", "euclidean")
    search = matrix_search(on(D), weight)
    for row in rows[:4]:
        add_medoid(search, row)
    other = with_medoids(on, X, "euclidean", weight, rows[:4])
    assert search.loss == pytest.approx(other.loss, rel=1e-13)
    np.testing.assert_allclose(swap_changes(search, rows[4:]), swap_changes(other, rows[4:]), atol=1e-10)
    np.testing.assert_allclose(gains(search, rows[4:]), gains(other, rows[4:]), atol=1e-10)


def test_all_medoids_can_be_taken_away(on):
    X, D, _, rows = problem("plane", "euclidean")
    search = with_medoids(on, X, "euclidean", None, rows[:5])
    clear_medoids(search)
    add_medoid(search, rows[7])
    assert search.medoid_rows.tolist() == [rows[7]]
    assert search.loss == pytest.approx(D[:, rows[7]].sum(), rel=1e-12)


def test_a_single_medoid_can_be_exchanged(on):
    X, D, weight, rows = problem("plane", "euclidean")
    search = with_medoids(on, X, "euclidean", weight, rows[:1])
    expected = D[rows[1:]] @ weight - D[rows[0]] @ weight
    np.testing.assert_allclose(swap_changes(search, rows[1:])[:, 0], expected, rtol=1e-9)
    replace_medoid(search, 0, rows[3])
    assert search.loss == pytest.approx(D[rows[3]] @ weight, rel=1e-12)


@every_dtype
def test_gains_never_rise_when_medoids_are_added(on, dtype):
    X, _, weight, rows = problem("a lattice", "euclidean", dtype)
    search = medoid_search(on(X), "euclidean", weight)
    before = np.full(len(X), np.inf)
    for row in rows[:20]:
        add_medoid(search, row)
        now = gains(search, np.arange(len(X)))
        assert (now <= before).all()
        before = now


@every_data
@every_measure
@every_dtype
def test_distances_and_the_nearest(on, name, measure, dtype):
    X, D, _, rows = problem(name, measure, dtype)
    centers = X[rows[:40]]
    given = to_numpy(distances_between(on(X), on(centers), measure))
    assert given.dtype == dtype
    np.testing.assert_allclose(given, D[:, rows[:40]], **close(dtype, D))
    labels, nearest = nearest_of(on(X), on(centers), measure)
    np.testing.assert_allclose(to_numpy(nearest), D[:, rows[:40]].min(1), **close(dtype, D))
    np.testing.assert_array_equal(to_numpy(labels), given.argmin(1))


def test_of_equally_near_ones_the_first_is_nearest(on):
    X, centers = np.array([[0.0], [1.0], [2.0]]), np.array([[2.0], [0.0], [0.0]])
    assert to_numpy(nearest_of(on(X), on(centers))[0]).tolist() == [1, 0, 0]


@every_measure
@every_dtype
def test_a_kernel_and_the_short_way_around_it_give_the_same_bits(measure, dtype, monkeypatch):
    from coterie.primitives._numba import medoids

    X = (1e3 + normal(300, 7)).astype(dtype)
    short = distances_between(X, X[:50], measure)
    monkeypatch.setattr(medoids, "_FEW", 0)
    np.testing.assert_array_equal(distances_between(X, X[:50], measure), short)


@every_measure
@stored_or_not
def test_engines_and_threads_give_the_same_numbers(measure, stored):
    torch = pytest.importorskip("torch")
    X, D, weight, rows = problem("more rows than 32 panels hold", measure)
    found = {}
    for n_threads in (1, 2, 4):
        with threads(n_threads):
            search = with_medoids(np.asarray, X, measure, weight, rows[:8], stored)
            found[n_threads] = np.append(swap_changes(search, rows[8:]), search.loss)
    np.testing.assert_array_equal(found[1], found[2])
    np.testing.assert_array_equal(found[1], found[4])
    search = with_medoids(torch.from_numpy, X, measure, weight, rows[:8], stored)
    np.testing.assert_allclose(
        np.append(swap_changes(search, rows[8:]), search.loss), found[1], atol=1e-9 * D.sum() / len(D)
    )


def test_storing_the_distances_changes_no_bit():
    X, _, weight, rows = problem("many columns", "euclidean")
    found = [
        swap_changes(with_medoids(np.asarray, X, "euclidean", weight, rows[:6], stored), rows[6:])
        for stored in (False, True)
    ]
    np.testing.assert_array_equal(*found)
