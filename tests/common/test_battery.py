"""What every line of the catalog promises, on small data: kinds of input, predict, determinism, invariances, weights."""

import pickle
from functools import cache

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone

from common.cases import (
    FOUR_CENTERS,
    NAMES,
    NOISY,
    accepts,
    estimator_class,
    every_algorithm,
    fitted,
    make,
    same_partition,
    scatter,
    settings,
)
from coterie.primitives.engine import threads

COLUMNS = ["height", "weight", "age"]
FRAMES = {
    "pandas": lambda X: pd.DataFrame(X, columns=COLUMNS),
    "polars": lambda X: pl.DataFrame(X, schema=COLUMNS),
    "pyarrow": lambda X: pa.table(dict(zip(COLUMNS, X.T, strict=True))),
}
WITH_TRANSFORM = [name for name in NAMES if hasattr(estimator_class(name), "transform")]
WEIGHTED = [name for name in NAMES if accepts(name, "sample_weight")]
UNORDERED = [name for name in NAMES if settings(name).unordered is not None]
WEIGHT_IS_ROWS = [name for name in WEIGHTED if settings(name).weight_is_rows and name in UNORDERED]
any_order = pytest.mark.parametrize("name", UNORDERED)


def steady(name, **parameters):
    """Build the algorithm so that no random number matters."""
    return make(name, **(dict(settings(name).unordered) | parameters))


# ---- what comes out


@every_algorithm
def test_labels_are_numbered_from_zero_without_gaps(name):
    labels = fitted(name).labels_
    found = np.unique(labels[labels != -1])
    assert labels.shape == (len(scatter()),)
    assert np.issubdtype(labels.dtype, np.integer)
    assert found.tolist() == list(range(len(found)))
    assert len(found) >= 2


@every_algorithm
def test_only_algorithms_that_say_so_give_noise(name):
    assert (-1 in fitted(name).labels_) == (name in NOISY)


@every_algorithm
def test_the_four_groups_are_found(name):
    X = scatter()
    clean = np.arange(len(X)) % 10 != 0
    truth = np.argmin(((X[:, None, :] - FOUR_CENTERS) ** 2).sum(axis=2), axis=1)
    kept = clean & (fitted(name).labels_ != -1)
    assert kept.sum() > 0.9 * clean.sum()
    assert same_partition(fitted(name).labels_[kept], truth[kept])


@every_algorithm
def test_fit_returns_the_estimator(name):
    estimator = make(name)
    assert estimator.fit(scatter()) is estimator


@every_algorithm
def test_fit_predict_gives_the_labels_of_fit(name):
    np.testing.assert_array_equal(make(name).fit_predict(scatter()), fitted(name).labels_)


@every_algorithm
def test_the_same_data_gives_the_same_bits_twice(name):
    assert_same_bits(make(name).fit(scatter()), fitted(name))


@every_algorithm
@pytest.mark.parametrize("n_threads", [2, 4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_number_of_threads_changes_no_bit(name, n_threads, dtype):
    assert_same_bits(on_threads(name, n_threads, dtype), on_threads(name, 1, dtype))


@cache
def on_threads(name, n_threads, dtype):
    # Enough rows for several blocks of a kernel.
    X = np.repeat(scatter(), settings(name).repeat, axis=0).astype(dtype)
    X += np.random.default_rng(3).standard_normal(X.shape).astype(dtype) * dtype(0.05)
    with threads(n_threads):
        return make(name, **settings(name).many).fit(X)


# ---- predict


@every_algorithm
def test_predict_on_the_training_rows_gives_their_labels(name):
    np.testing.assert_array_equal(fitted(name).predict(scatter()), fitted(name).labels_)


@every_algorithm
def test_predict_on_the_training_rows_in_another_order_gives_their_labels(name):
    order = np.random.default_rng(0).permutation(len(scatter()))
    np.testing.assert_array_equal(fitted(name).predict(scatter()[order]), fitted(name).labels_[order])


@every_algorithm
def test_predict_answers_each_row_for_itself(name):
    X = scatter() + 0.01
    alone = np.concatenate([fitted(name).predict(X[i : i + 1]) for i in range(40)])
    np.testing.assert_array_equal(alone, fitted(name).predict(X)[:40])


@every_algorithm
def test_predict_refuses_another_number_of_columns(name):
    with pytest.raises(ValueError, match=r"2 features.*3 features|3 columns|3 features"):
        fitted(name).predict(scatter()[:, :2])


# ---- what goes in


@every_algorithm
@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_gives_the_labels_of_its_numbers(name, frame):
    estimator = make(name).fit(FRAMES[frame](scatter()))
    np.testing.assert_array_equal(estimator.labels_, fitted(name).labels_)
    assert estimator.feature_names_in_.tolist() == COLUMNS
    np.testing.assert_array_equal(estimator.predict(FRAMES[frame](scatter())), estimator.labels_)


@every_algorithm
def test_an_array_has_no_feature_names(name):
    assert fitted(name).n_features_in_ == 3
    assert not hasattr(fitted(name), "feature_names_in_")


@every_algorithm
@pytest.mark.parametrize("frame", FRAMES)
def test_columns_in_another_order_are_refused(name, frame):
    estimator = make(name).fit(FRAMES[frame](scatter()))
    turned = pd.DataFrame(scatter(), columns=COLUMNS)[COLUMNS[::-1]]
    with pytest.raises(ValueError, match=r"feature names|order"):
        estimator.predict(turned)


@every_algorithm
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_the_input_is_not_written_to(name, dtype, order):
    X = np.array(scatter(), dtype=dtype, order=order)
    before = X.tobytes(order="A")
    X.setflags(write=False)
    make(name).fit(X).predict(X)
    assert X.tobytes(order="A") == before


@every_algorithm
def test_a_later_change_of_the_input_does_not_reach_the_estimator(name):
    X = scatter().copy()
    estimator = make(name).fit(X)
    X[:] = 0.0
    np.testing.assert_array_equal(estimator.predict(scatter()), fitted(name).labels_)


@every_algorithm
def test_float32_and_float64_find_the_same_groups(name):
    single = make(name).fit(scatter().astype(np.float32))
    assert same_partition(single.labels_, fitted(name).labels_)
    np.testing.assert_array_equal(single.predict(scatter().astype(np.float32)), single.labels_)


@every_algorithm
@pytest.mark.parametrize(
    "X",
    [
        pytest.param(np.asfortranarray(scatter()), id="column order"),
        pytest.param(np.repeat(scatter(), 2, axis=1)[:, ::2], id="every other column"),
        pytest.param(scatter()[::-1].copy()[::-1], id="negative stride"),
        pytest.param(scatter().astype(">f8"), id="big endian"),
        pytest.param(scatter().astype(object), id="objects"),
        pytest.param(scatter().tolist(), id="lists"),
    ],
)
def test_the_layout_of_the_array_does_not_matter(name, X):
    np.testing.assert_array_equal(make(name).fit(X).labels_, fitted(name).labels_)


@every_algorithm
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf], ids=["nan", "inf", "minus inf"])
@pytest.mark.parametrize("frame", [None, *FRAMES])
def test_an_unusable_value_is_named_with_its_place(name, value, frame):
    X = scatter().copy()
    X[17, 1] = value
    with pytest.raises(ValueError, match=r"(?i)nan|inf") as raised:
        make(name).fit(X if frame is None else FRAMES[frame](X))
    assert "17" in str(raised.value)
    if frame is not None:
        assert "weight" in str(raised.value)


@every_algorithm
def test_an_unusable_value_leaves_the_estimator_unfitted(name):
    X = scatter().copy()
    X[5, 0] = np.nan
    estimator = make(name)
    with pytest.raises(ValueError, match="NaN"):
        estimator.fit(X)
    assert not hasattr(estimator, "labels_")


# ---- set_output


@pytest.mark.parametrize("name", WITH_TRANSFORM)
@pytest.mark.parametrize(("library", "kind"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
def test_set_output_chooses_the_frame_of_transform(name, library, kind):
    estimator = make(name).set_output(transform=library).fit(FRAMES["pandas"](scatter()))
    given = estimator.transform(FRAMES["pandas"](scatter()))
    assert isinstance(given, kind)
    assert list(given.columns) == list(estimator.get_feature_names_out())
    np.testing.assert_allclose(given.to_numpy(), fitted(name).transform(scatter()), rtol=1e-12)


@every_algorithm
def test_the_name_set_output_exists_where_transform_does(name):
    assert hasattr(make(name), "transform") == hasattr(make(name), "set_output")


# ---- scikit-learn's conventions


@every_algorithm
def test_a_clone_has_the_parameters_and_nothing_else(name):
    copy = clone(fitted(name))
    assert copy.get_params() == fitted(name).get_params()
    assert not hasattr(copy, "labels_")


@every_algorithm
def test_fit_changes_no_parameter(name):
    estimator = make(name)
    before = dict(estimator.get_params())
    estimator.fit(scatter())
    assert estimator.get_params() == before


@every_algorithm
def test_fitting_again_forgets_the_first_data(name):
    estimator = make(name).fit(scatter()[:60, :2])
    assert_same_bits(estimator.fit(scatter()), fitted(name))


@every_algorithm
def test_a_pickled_estimator_predicts_as_before(name):
    again = pickle.loads(pickle.dumps(fitted(name)))
    assert_same_bits(again, fitted(name))
    np.testing.assert_array_equal(again.predict(scatter()), fitted(name).labels_)


@every_algorithm
def test_an_unknown_parameter_is_refused(name):
    with pytest.raises(TypeError, match="flavour"):
        make(name, flavour="vanilla")


@every_algorithm
def test_predict_before_fit_says_so(name):
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError, match="fit"):
        make(name).predict(scatter())


# ---- invariances


@any_order
@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_rows_does_not_change_the_partition(name, seed):
    order = np.random.default_rng(seed).permutation(len(scatter()))
    reference = steady(name).fit(scatter()).labels_
    turned = steady(name).fit(scatter()[order]).labels_
    assert same_partition(turned, reference[order])


@any_order
def test_the_order_of_the_columns_does_not_change_the_partition(name):
    turned = {"init": FOUR_CENTERS[:, ::-1]} if starts_at_centers(name) else {}
    reference = steady(name).fit(scatter()).labels_
    assert same_partition(steady(name, **turned).fit(scatter()[:, ::-1]).labels_, reference)


@any_order
def test_a_column_of_zeros_does_not_change_the_partition(name):
    wider = {"init": np.column_stack([FOUR_CENTERS, np.zeros(4)])} if starts_at_centers(name) else {}
    reference = steady(name).fit(scatter()).labels_
    X = np.column_stack([scatter(), np.zeros(len(scatter()))])
    assert same_partition(steady(name, **wider).fit(X).labels_, reference)


def starts_at_centers(name):
    return settings(name).unordered.get("init") is FOUR_CENTERS


# ---- weights


@pytest.mark.parametrize("name", WEIGHT_IS_ROWS)
@pytest.mark.parametrize("seed", range(3))
def test_a_whole_weight_is_as_many_rows(name, seed):
    weight = np.random.default_rng(seed).integers(1, 4, size=len(scatter()))
    weighted = steady(name).fit(scatter(), sample_weight=weight)
    repeated = steady(name).fit(np.repeat(scatter(), weight, axis=0))
    first = np.cumsum(weight) - weight
    assert same_partition(weighted.labels_, repeated.labels_[first])
    if hasattr(weighted, "cluster_centers_") and hasattr(weighted, "inertia_"):
        np.testing.assert_allclose(weighted.cluster_centers_, repeated.cluster_centers_, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(weighted.inertia_, repeated.inertia_, rtol=1e-12)


@pytest.mark.parametrize("name", [name for name in WEIGHTED if name in UNORDERED])
def test_equal_weights_are_no_weights(name):
    weighted = steady(name).fit(scatter(), sample_weight=np.ones(len(scatter())))
    plain = steady(name).fit(scatter())
    np.testing.assert_array_equal(weighted.labels_, plain.labels_)


@pytest.mark.parametrize("name", WEIGHTED)
@pytest.mark.parametrize(
    ("weight", "says"),
    [
        pytest.param(np.ones(7), "7", id="too few"),
        pytest.param(np.full(240, np.nan), "(?i)nan", id="nan"),
        pytest.param(np.full(240, np.inf), "(?i)inf", id="inf"),
        pytest.param(np.ones((240, 2)), "(?i)1d|dimension|one weight", id="two columns"),
    ],
)
def test_unusable_weights_are_refused(name, weight, says):
    with pytest.raises(ValueError, match=says):
        make(name).fit(scatter(), sample_weight=weight)


def assert_same_bits(one, other):
    """Every fitted array and number is equal, to the last bit."""
    for key, value in vars(one).items():
        if key.endswith("_") and not key.startswith("_") and isinstance(value, np.ndarray | float | int):
            np.testing.assert_array_equal(value, getattr(other, key), err_msg=key)
    assert one.labels_.tobytes() == other.labels_.tobytes()
