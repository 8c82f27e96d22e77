"""Gower's dissimilarity: by hand, against a plain loop, and in the methods that take distances."""

import numpy as np
import pytest

from coterie import AgglomerativeClustering, KMedoids
from coterie.errors import InputError, ResourceError
from coterie.metrics import adjusted_rand_score, gower, gower_distances

BY_HAND = {
    "age": [20.0, 40.0, None, 60.0],
    "city": ["Bern", "Basel", "Bern", None],
    "day": ["2024-01-01", "2024-01-11", "2024-01-03", "2024-01-06"],
}


def test_by_hand():
    # ages of 40 and days of 10 are the ranges
    third = 1 / 3
    expected = np.zeros((4, 4))
    expected[0, 1] = third * (0.5 + 1 + 1)
    expected[0, 2] = 0.5 * (0 + 0.2)
    expected[0, 3] = 0.5 * (1 + 0.5)
    expected[1, 2] = 0.5 * (1 + 0.8)
    expected[1, 3] = 0.5 * (0.5 + 0.5)
    expected[2, 3] = 0.3
    np.testing.assert_allclose(gower_distances(BY_HAND), expected + expected.T, atol=1e-12)


def test_weights_by_hand():
    distances = gower_distances(BY_HAND, weights={"age": 3, "city": 0})
    assert distances[0, 1] == pytest.approx((3 * 0.5 + 1) / 4)
    assert distances[0, 2] == pytest.approx(0.2)


def test_what_neither_has_is_not_compared_where_presence_counts():
    bought = {"tea": [1, 1, 0, 0], "milk": [0, 1, 0, 0], "salt": [1, 0, 0, None]}
    kinds = dict.fromkeys(bought, "presence")
    distances = gower_distances(bought, kinds=kinds)
    assert distances[0, 1] == pytest.approx(2 / 3)  # as Jaccard's
    assert distances[0, 2] == 1
    assert distances[2, 3] == 0  # neither bought anything
    assert gower_distances(bought, kinds=dict.fromkeys(bought, "category"))[0, 2] == pytest.approx(2 / 3)


def mixed(n, seed):
    rng = np.random.default_rng(seed)
    numbers = np.where(rng.random((n, 2)) < 0.2, np.nan, rng.normal(size=(n, 2)) * [1, 1000])
    return {
        "id": np.arange(n) + 0.5,
        "a": numbers[:, 0],
        "b": numbers[:, 1],
        "c": [None if u < 0.2 else f"level {int(u * 5)}" for u in rng.random(n)],
        "p": rng.integers(0, 2, n),
    }


def by_loops(X, Y, kinds, weights):
    n, m = len(X["id"]), len(Y["id"])
    out = np.zeros((n, m))
    for i in range(n):
        for j in range(m):
            above = below = 0.0
            for name in X:
                x, y = X[name][i], Y[name][j]
                if x is None or y is None or x != x or y != y:
                    continue
                w = weights.get(name, 1)
                if kinds.get(name) == "presence":
                    if x or y:
                        above, below = above + w * (x != y), below + w
                elif isinstance(x, str):
                    above, below = above + w * (x != y), below + w
                else:
                    both = np.concatenate([X[name], Y[name]])
                    above, below = above + w * abs(x - y) / (np.nanmax(both) - np.nanmin(both)), below + w
            out[i, j] = above / below
    return out


@pytest.mark.parametrize("block", [64, 4 << 20])
def test_as_a_plain_loop_does(monkeypatch, block):
    monkeypatch.setattr(gower, "_BLOCK_BYTES", block)
    X, Y = mixed(23, 0), mixed(17, 1)
    kinds, weights = {"p": "presence"}, {"a": 2.5, "c": 0.5}
    found = gower_distances(X, Y, kinds=kinds, weights=weights)
    np.testing.assert_allclose(found, by_loops(X, Y, kinds, weights), atol=1e-12)


@pytest.mark.parametrize("scale", [1e-300, 1, 1e300, 1.7e308])
def test_units_and_offsets_change_nothing(scale):
    values = np.array([-1.0, 0.25, 1.0])
    expected = [[0, 0.625, 1], [0.625, 0, 0.375], [1, 0.375, 0]]
    np.testing.assert_allclose(gower_distances({"v": values * scale}), expected, atol=1e-12)


def test_symmetric_between_0_and_1_and_0_on_the_diagonal():
    distances = gower_distances(mixed(60, 3))
    np.testing.assert_array_equal(distances, distances.T)
    np.testing.assert_array_equal(np.diag(distances), 0)
    assert distances.max() <= 1


def test_columns_are_matched_by_name_and_new_rows_measured_on_a_given_range():
    old, new = {"a": [0.0, 10.0], "c": ["x", "y"]}, {"c": ["y"], "a": [30.0]}
    np.testing.assert_allclose(gower_distances(new, old), [[1, (20 / 30) / 2]])
    np.testing.assert_allclose(gower_distances(new, old, ranges={"a": 10}), [[1, 0.5]])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_and_arrays_are_taken(library):
    frame = pytest.importorskip(library).DataFrame({name: BY_HAND[name] for name in ("age", "day")})
    expected = gower_distances({name: BY_HAND[name] for name in ("age", "day")})
    np.testing.assert_array_equal(gower_distances(frame), expected)
    np.testing.assert_allclose(gower_distances(np.array([[0.0, 1.0], [4.0, 1.0]])), [[0, 0.5], [0.5, 0]])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kinds": {"aeg": "number"}}, "no column is called 'aeg'; did you mean 'age'"),
        ({"kinds": {"age": "numeric"}}, "no kind of column is called 'numeric'; did you mean 'number'"),
        ({"kinds": {"city": "number"}}, "cannot be used as a number|should hold numbers"),
        ({"weights": {"age": -1}}, "weight of 'age' must be a number of at least 0"),
        ({"weights": {"age": float("nan")}}, "weight of 'age' must be a number of at least 0"),
        ({"ranges": {"age": 0}}, "range of 'age' must be a number above 0"),
        ({"kinds": dict.fromkeys(BY_HAND, "ignored")}, "nothing to compare"),
        ({"Y": {"age": [1]}}, "no column is called 'city'"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(given, said):
    with pytest.raises(InputError, match=said):
        gower_distances(BY_HAND, **given)


def test_rows_without_a_column_in_common_are_named():
    with pytest.raises(InputError, match="row 0 and row 1 have no column in common"):
        gower_distances({"a": [1.0, None], "b": [None, "x"]})
    with pytest.raises(InputError, match="row 0 of X and row 1 of Y have no column in common"):
        gower_distances({"a": [1.0, 2.0], "b": [None, "x"]}, {"a": [3.0, None], "b": ["x", "y"]})


def test_what_does_not_fit_is_refused_before_anything_is_allocated(monkeypatch):
    monkeypatch.setattr(gower, "free_bytes", lambda: 1e6)
    with pytest.raises(ResourceError, match="distances between 1,000 and 1,000 rows need"):
        gower_distances({"a": np.arange(1000.0)})


@pytest.fixture(scope="module")
def planted():
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1, 2], 40)
    colors = np.array(["red", "green", "blue"])
    frame = {
        "size": np.where(rng.random(120) < 0.1, np.nan, group * 4 + rng.normal(size=120)),
        "color": [str(colors[g] if rng.random() < 0.97 else rng.choice(colors)) for g in group],
    }
    return gower_distances(frame), group


@pytest.mark.parametrize(
    "model",
    [
        KMedoids(n_clusters=3, metric="precomputed"),
        AgglomerativeClustering(n_clusters=3, metric="precomputed", linkage="average"),
    ],
)
def test_methods_that_take_distances_find_planted_groups(planted, model):
    distances, group = planted
    assert adjusted_rand_score(group, model.fit_predict(distances)) > 0.8
