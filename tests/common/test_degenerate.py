"""Degenerate, huge, tiny and shifted data through every line of the catalog: an answer by a stated rule, or one clear error.

Three promises for each kind of data: no crash and no hang, the same labels twice, and no warning of NumPy's (overflow,
division by zero), only our own with words.
"""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from common.cases import (
    NAMES,
    accepts,
    blobs,
    every_algorithm,
    make,
    needs_k,
    quietly,
    same_partition,
    scaled,
    settings,
)

random = np.random.default_rng(7)
REFUSED = None
ANY = "any"

# kind -> data and, where the data leave no choice, the group of every row (as k-means with the right k, and density
# methods with enough rows, must give them). REFUSED: every algorithm raises ValueError or TypeError.
DEGENERATE = {
    "two rows": (np.array([[0.0, 0], [1, 1]]), ANY),
    "two equal rows": (np.ones((2, 2)), ANY),
    "three rows": (np.array([[0.0, 0], [5, 5], [9, 0]]), ANY),
    "one column": (np.r_[random.normal(size=40), random.normal(9, size=40)][:, None], ANY),
    "one column of whole numbers": (np.repeat([0, 9], 20)[:, None], np.repeat([0, 1], 20)),
    "all rows equal": (np.full((30, 3), 2.5), ANY),
    "all zero": (np.zeros((30, 2)), ANY),
    "all rows equal but one": (np.r_[np.zeros((30, 2)), np.ones((1, 2))], ANY),
    "two values many times": (np.repeat([[0.0, 0], [9, 9]], 25, axis=0), np.repeat([0, 1], 25)),
    "four values many times": (np.repeat(9 * np.eye(4), 15, axis=0), ANY),
    "two values in turns": (np.tile([[0.0, 0], [9, 9]], (25, 1)), np.tile([0, 1], 25)),
    "one constant column": (
        np.c_[np.repeat([0.0, 9], 20) + random.normal(0, 0.1, 40), np.full(40, 3)],
        np.repeat([0, 1], 20),
    ),
    "all columns constant but one": (np.c_[np.ones((40, 5)), np.repeat([0.0, 9], 20)], np.repeat([0, 1], 20)),
    "truth values": (random.random((50, 3)) > 0.5, ANY),
    "small whole numbers": (random.integers(0, 255, (50, 2)).astype(np.uint8), ANY),
    "whole numbers": (random.integers(-9, 9, (50, 2)), ANY),
    "half precision": (random.normal(size=(50, 2)).astype(np.float16), ANY),
    "extended precision": (random.normal(size=(50, 2)).astype(np.longdouble), ANY),
    "zeros of both signs": (np.repeat([[0.0, -0.0], [-0.0, 0.0]], 20, axis=0), ANY),
    "denormals": (np.repeat([[5e-324, 0], [1e-310, 0]], 20, axis=0), ANY),
    "a grid": (np.stack(np.meshgrid(np.arange(8.0), np.arange(8.0)), -1).reshape(-1, 2), ANY),
    "a line": (np.linspace(0, 1, 60)[:, None] * [1.0, 2, 3], ANY),
    "a circle": (np.c_[np.cos(np.arange(60) / 30 * np.pi), np.sin(np.arange(60) / 30 * np.pi)], ANY),
    "all distances equal": (np.eye(30), ANY),
    "more columns than rows": (random.normal(size=(8, 200)), ANY),
    "very many columns": (random.normal(size=(30, 2000)), ANY),
    "one row far away": (np.r_[random.normal(size=(60, 2)), [[1e12, 1e12]]], ANY),
    "one row very far away": (np.r_[random.normal(size=(60, 2)), [[1e300, -1e300]]], ANY),
    "opposite ends of the float range": (np.repeat([[-1.7e308, 0], [1.7e308, 0]], 20, axis=0), ANY),
    "huge and tiny columns": (random.normal(size=(50, 2)) * [1e200, 1e-200], ANY),
    "a small spread far from zero": (1e15 + np.repeat([[0.0, 0], [1024, 1024]], 20, axis=0), ANY),
    "neighbours in the last bit": (np.repeat(np.nextafter(1.0, [1.0, 2.0])[:, None], 20, axis=0), ANY),
    "powers of ten": (10.0 ** np.arange(-20, 20)[:, None], ANY),
    "one row in each of many places": (1000.0 * np.arange(50)[:, None], ANY),
    "only duplicates of rare values": (np.repeat(random.normal(size=(10, 2)), 5, axis=0), ANY),
    "a read-only view": (np.broadcast_to(np.arange(20.0)[:, None], (20, 4)), ANY),
    "no rows": (np.empty((0, 3)), REFUSED),
    "no columns": (np.empty((5, 0)), REFUSED),
    "an empty list": ([], REFUSED),
    "one number": (3.0, REFUSED),
    "one dimension": (np.arange(5.0), REFUSED),
    "three dimensions": (np.zeros((3, 3, 3)), REFUSED),
    "words": (np.array([["a", "b"], ["c", "d"]]), REFUSED),
    "complex numbers": (np.ones((5, 2)) * 1j, REFUSED),
    "rows of different length": ([[1.0, 2.0], [3.0]], REFUSED),
    "nothing": (None, REFUSED),
    "a column of NaN": (np.c_[np.arange(9.0), np.full(9, np.nan)], REFUSED),
    "only NaN": (np.full((9, 2), np.nan), REFUSED),
    "only inf": (np.full((9, 2), np.inf), REFUSED),
    "times": (np.zeros((5, 2), dtype="datetime64[s]"), REFUSED),
}
KIND = pytest.mark.parametrize("kind", DEGENERATE)
ANSWERED = pytest.mark.parametrize("kind", [kind for kind, (_, groups) in DEGENERATE.items() if groups is not REFUSED])
WEIGHTED = [name for name in NAMES if accepts(name, "sample_weight")]
NEEDS_K = [name for name in NAMES if needs_k(name)]


def build(name, kind):
    return make(name, **settings(name).few), DEGENERATE[kind][0]


def test_there_are_at_least_forty_kinds():
    assert len(DEGENERATE) >= 40


@every_algorithm
@KIND
def test_degenerate_data_give_labels_or_one_clear_error(name, kind):
    estimator, X = build(name, kind)
    if DEGENERATE[kind][1] is REFUSED:
        with pytest.raises((ValueError, TypeError)) as raised:
            estimator.fit(X)
        assert len(str(raised.value)) > 15
        assert not hasattr(estimator, "labels_")
        return
    labels, warned = quietly(estimator.fit_predict, X)
    assert labels.shape == (len(X),)
    assert set(labels.tolist()) <= set(range(-1, len(X)))
    assert not [str(w.message) for w in warned if issubclass(w.category, RuntimeWarning)]
    assert all(len(str(w.message)) > 15 for w in warned)


@every_algorithm
@ANSWERED
def test_degenerate_data_give_the_same_labels_twice_and_from_predict(name, kind):
    estimator, X = build(name, kind)
    labels = quietly(estimator.fit_predict, X)[0]
    np.testing.assert_array_equal(quietly(build(name, kind)[0].fit_predict, X)[0], labels)
    np.testing.assert_array_equal(quietly(estimator.predict, X)[0], labels)


@every_algorithm
@pytest.mark.parametrize("kind", [kind for kind, (_, groups) in DEGENERATE.items() if isinstance(groups, np.ndarray)])
def test_data_that_leave_no_choice_are_split_where_they_must(name, kind):
    estimator, X = build(name, kind)
    assert same_partition(quietly(estimator.fit_predict, X)[0], DEGENERATE[kind][1])


@every_algorithm
def test_one_row_is_answered_or_refused_in_words(name):
    estimator = make(name, **({"n_clusters": 1} if needs_k(name) else {}))
    try:
        labels = quietly(estimator.fit_predict, np.array([[1.0, 2.0]]))[0]
    except ValueError as error:
        assert "1" in str(error)
        return
    assert labels.tolist() in ([0], [-1])


@pytest.mark.parametrize("name", NEEDS_K)
def test_fewer_rows_than_clusters_are_refused_with_both_numbers(name):
    with pytest.raises(ValueError, match=r"(?s)(3.*8|8.*3)"):
        make(name, n_clusters=8).fit(np.eye(3))


@pytest.mark.parametrize("name", NEEDS_K)
def test_as_many_clusters_as_rows_are_a_cluster_each(name):
    estimator, warned = quietly(make(name, n_clusters=5).fit, 10 * np.eye(5))
    assert sorted(estimator.labels_.tolist()) == [0, 1, 2, 3, 4]
    assert getattr(estimator, "inertia_", 0.0) == 0.0
    assert not warned


@pytest.mark.parametrize("name", NEEDS_K)
def test_one_cluster_holds_all_rows(name):
    estimator = make(name, n_clusters=1).fit(blobs())
    assert set(estimator.labels_.tolist()) == {0}


@pytest.mark.parametrize("name", WEIGHTED)
def test_weights_of_zero_are_answered_or_refused_in_words(name):
    try:
        labels = quietly(make(name).fit_predict, blobs(), sample_weight=np.zeros(len(blobs())))[0]
    except ValueError as error:
        assert "weight" in str(error)
        return
    assert labels.shape == (len(blobs()),)


@pytest.mark.parametrize("name", WEIGHTED)
def test_a_row_without_weight_does_not_move_the_others(name):
    X = np.r_[blobs(), [[3.0, 3.0, 30.0]]]
    weight = np.r_[np.ones(len(blobs())), 0.0]
    labels = make(name).fit_predict(X, sample_weight=weight)
    assert same_partition(labels[:-1], make(name).fit_predict(blobs()))


@every_algorithm
@pytest.mark.parametrize(
    ("exponent", "dtype"),
    [(e, np.float64) for e in (-300, -150, -30, 0, 30, 150, 300)] + [(e, np.float32) for e in (-30, -18, 0, 18, 30)],
)
def test_the_unit_of_the_data_does_not_change_the_partition(name, exponent, dtype):
    X = (blobs() * 10.0**exponent).astype(dtype)
    estimator, warned = quietly(scaled(make(name), 10.0**exponent).fit, X)
    assert same_partition(estimator.labels_, make(name).fit(blobs()).labels_)
    np.testing.assert_array_equal(quietly(estimator.predict, X)[0], estimator.labels_)
    assert not [str(w.message) for w in warned]


@every_algorithm
@pytest.mark.parametrize("offset", [0.0, 1e2, 1e3, 1e4, 1e5])
@pytest.mark.parametrize("d", [2, 8, 40])
def test_single_precision_far_from_zero_agrees_with_double(name, offset, d):
    # The standard deviation of the data is about 3: the offset reaches more than 1e4 of it, and of one group 1e5.
    X = (blobs(d=d, spread=1.0 if d == 2 else 0.35) + offset).astype(np.float32)
    wide = settings(name).wide.get(d, {})
    single = make(name, **wide).fit(X).labels_
    double = make(name, **wide).fit(X.astype(np.float64)).labels_
    assert len(set(double.tolist())) > 1
    assert adjusted_rand_score(single, double) >= 0.999


@every_algorithm
@pytest.mark.parametrize("offset", [1e6, 1e7])
def test_double_precision_far_from_zero_finds_the_groups(name, offset):
    assert same_partition(make(name).fit(blobs() + offset).labels_, make(name).fit(blobs()).labels_)
