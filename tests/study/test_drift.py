"""A drift as a whole: the verdict, the level that holds over all questions, and what it says of odd batches."""

import numpy as np
import pytest
from scipy import stats

import coterie
from coterie.errors import InputError, UnsupportedError
from coterie.models import Model
from coterie.study.drift import drift


def batch(n, seed, shares=(0.5, 0.3, 0.2), **changes):
    """Return three planted groups in two numbers, a category and a column without meaning."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, n, p=shares)
    table = {
        "age": np.array([25.0, 45.0, 70.0])[kind] + 3 * rng.normal(size=n),
        "spend": np.exp(np.array([2.0, 5.0, 3.5])[kind] + 0.3 * rng.normal(size=n)),
        "plan": np.array(["basic", "gold", "plus"])[np.where(rng.random(n) < 0.9, kind, rng.integers(0, 3, n))].astype(
            object
        ),
        "luck": rng.random(n),
    }
    for name, change in changes.items():
        table[name] = change(table[name], kind, rng)
    return table


@pytest.fixture(scope="module")
def made():
    """Return a model and the rows it is from."""
    found = coterie.run(batch(1000, 0), method="KMeans", n_clusters=3)
    return Model(found.estimator, found.prepared, found.label_map), found.table


@pytest.fixture(scope="module")
def look(made):
    """Return a function that compares a batch with the rows of the model."""
    return lambda rows, **given: drift(*made, rows, **given).record


def test_an_unchanged_batch_is_no_shift(look):
    record = look(batch(500, 1))
    assert (record["verdict"], record["drift"], record["findings"]) == ("no shift", False, [])
    assert record["remedy"] == "Keep the model."


def test_moved_shares_are_not_called_anything_else(look):
    record = look(batch(800, 2, shares=(0.3, 0.3, 0.4)))
    assert record["findings"] == ["shares moved"]
    assert 0.15 < record["shares"]["psi"] < 0.35  # 0.24 as planted
    assert "Keep the model" in record["remedy"]


def test_a_column_that_rose_in_one_group_is_found_there(look):
    record = look(batch(800, 3, spend=lambda values, kind, rng: np.where(kind == 0, values * 1.5, values)))
    assert record["findings"][0] == "groups moved"
    assert {line["column"] for line in record["columns"]["changes"]} == {"spend"}
    (line,) = record["columns"]["changes"]
    assert line["now"] / line["then"] == pytest.approx(1.5, rel=0.15)


def test_columns_are_counted_once_whatever_the_number_of_groups(look):
    for rows, changed in ((batch(500, 1), 0), (batch(800, 3, spend=lambda v, kind, rng: v * 2), 1)):
        columns = look(rows)["columns"]
        assert (columns["columns_compared"], columns["columns_changed"], columns["texts"]) == (4, changed, [])
        assert columns["compared"] == 12  # 4 in each of 3 groups


def test_a_level_that_spread_is_told_as_shares(look):
    record = look(batch(800, 4, plan=lambda values, kind, rng: np.where(rng.random(len(kind)) < 0.2, "plus", values)))
    first = record["columns"]["changes"][0]
    assert record["findings"] == ["groups moved"]
    assert first["column"] == "plan"
    assert first["text"].startswith("plan: plus for ")
    assert first["now"] > first["then"] + 0.1


def test_values_that_go_missing_are_told_as_such(look):
    record = look(batch(800, 5, luck=lambda values, kind, rng: np.where(rng.random(len(kind)) < 0.25, np.nan, values)))
    assert record["findings"][0] == "groups moved"
    assert {line["about"] for line in record["columns"]["changes"]} == {"missing"}
    assert "luck missing for" in record["columns"]["changes"][0]["text"]


def test_a_spread_that_grew_around_the_same_middle_is_told_by_a_value(look):
    record = look(batch(2000, 6, age=lambda v, kind, rng: np.where(kind == 0, 25 + 3.0 * (v - 25), v)))
    assert "groups moved" in record["findings"]
    assert any(line["column"] == "age" for line in record["columns"]["changes"])


def test_strangers_are_a_new_kind_of_rows(look):
    table = batch(600, 7)
    table["age"][:30], table["spend"][:30] = 5.0 + np.arange(30) / 10, 4000.0 + np.arange(30)
    record = look(table)
    assert record["findings"][0] == "new kind of rows"
    assert record["far"]["rows"][:5] == [0, 1, 2, 3, 4]
    assert "age about" in record["far"]["what"]


def test_a_level_never_seen_does_not_stop_the_comparison(look):
    record = look(batch(600, 8, plan=lambda values, kind, rng: np.where(rng.random(len(kind)) < 0.15, "free", values)))
    assert "groups moved" in record["findings"]
    assert any("plan: free" in line["text"] for line in record["columns"]["changes"])


def test_a_sure_difference_that_is_too_small_to_matter_is_no_alarm(made):
    counts = {0: 500_000, 1: 300_000, 2: 200_000}
    model, _ = made
    record = drift(model, None, batch(30_000, 9, shares=(0.485, 0.315, 0.2)), counts=counts).record
    assert record["shares"]["p_value"] < 1e-4
    assert not record["drift"]


def test_a_few_rows_are_too_few_to_tell(look):
    record = look(batch(20, 10))
    assert record["verdict"] == "too few rows to tell"
    assert not record["drift"]


def test_one_row_is_no_reason_to_fail(look):
    assert look(batch(1, 11))["verdict"] == "too few rows to tell"


def test_counts_alone_answer_the_question_of_shares(made):
    model, _ = made
    record = drift(model, None, batch(600, 12, shares=(0.3, 0.3, 0.4)), counts={0: 500, 1: 300, 2: 200}).record
    assert record["findings"] == ["shares moved"]
    assert record["columns"] is None
    assert record["far"] is None


def test_the_same_seed_gives_the_same_answer(look):
    assert look(batch(300, 13), seed=3) == look(batch(300, 13), seed=3)


def test_the_order_of_rows_and_columns_does_not_move_the_shares(look):
    table = batch(400, 14)
    turned = {name: values[::-1] for name, values in reversed(table.items())}
    assert look(turned)["shares"] == look(table)["shares"]


def test_labels_are_those_of_the_model(made):
    model, _ = made
    found = drift(*made, batch(50, 15))
    assert found.labels.tolist() == model.predict(batch(50, 15)).tolist()


@pytest.mark.parametrize("method", ["KMeans", "HDBSCAN", "Genie"])
def test_unchanged_batches_raise_few_alarms_whatever_the_method(method):
    found = coterie.run(batch(600, 16), method=method, **({} if method == "HDBSCAN" else {"n_clusters": 3}))
    model = Model(found.estimator, found.prepared, found.label_map)
    alarms = [drift(model, found.table, batch(300, 100 + i), level=0.05, seed=i).drifted for i in range(30)]
    assert sum(alarms) <= stats.binom.ppf(0.995, 30, 0.05)


def test_shares_at_an_index_of_a_fifth_are_found(look):
    moved = np.array([0.5, 0.3, 0.2]) * np.exp(0.56 * np.array([-1, 0, 1]))
    found = [look(batch(500, 200 + i, shares=moved / moved.sum()))["findings"] for i in range(20)]
    assert sum("shares moved" in one for one in found) >= 19


@pytest.mark.parametrize(
    ("then", "counts", "level", "words"),
    [
        (None, None, 0.01, "rows of then"),
        (None, {0: 1}, 0.0, "level must be at least"),
        (None, {0: 1}, 1.0, "level must be at least"),
    ],
)
def test_what_cannot_be_asked_is_refused(made, then, counts, level, words):
    with pytest.raises(InputError, match=words):
        drift(made[0], then, batch(9, 0), counts=counts, level=level)


def test_a_column_that_is_not_there_is_named(made):
    table = batch(50, 0)
    del table["age"]
    with pytest.raises(InputError, match="'age'"):
        drift(*made, table)


def test_a_model_of_plain_numbers_is_refused():
    fitted = coterie.KMeans(2, random_state=0).fit(np.array([[0.0], [1.0], [5.0]]))
    with pytest.raises(UnsupportedError, match="not made from one by coterie run"):
        drift(Model(fitted), None, {"a": [1.0]}, counts={0: 1})
