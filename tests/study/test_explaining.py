"""Why rows are in their groups: known answers, agreement with what the run told, and every method that a run can save."""

import numpy as np
import pytest

import coterie
from coterie.catalog import CATALOG
from coterie.errors import InputError
from coterie.study import explain_rows
from coterie.study.estimators import parameters

COLUMNS = ("age", "spend ($)", "plan")


@pytest.fixture(scope="module")
def shop():
    """Three kinds of customers; the one of row 0 spends far too much."""
    rng = np.random.default_rng(0)
    kind = np.repeat([0, 1, 2], [90, 60, 30])
    frame = {
        "age": rng.normal(np.array([25, 50, 75])[kind], 3).round(1),
        "spend ($)": rng.normal(np.array([20, 90, 50])[kind], 5).round(2),
        "plan": np.array(["basic", "gold", "basic"])[kind].tolist(),
    }
    frame["spend ($)"][0] = 300.0
    return frame


def _saved(frame, folder, **options):
    analysis = coterie.run(frame, **options)
    analysis.save_model(folder / "model.coterie")
    return analysis, coterie.load(folder / "model.coterie")


@pytest.fixture(scope="module")
def by_means(shop, tmp_path_factory):
    return _saved(shop, tmp_path_factory.mktemp("means"), method="KMeans", n_clusters=3)


@pytest.fixture(scope="module")
def by_density(shop, tmp_path_factory):
    return _saved(shop, tmp_path_factory.mktemp("density"), method="HDBSCAN", params={"min_cluster_size": 10})


def _new(**values):
    return {name: [values.get(name)] for name in COLUMNS}


def test_the_column_that_parts_two_groups_is_the_reason(tmp_path):
    rng = np.random.default_rng(1)
    frame = {"age": np.repeat([20.0, 60.0], 40) + rng.normal(0, 2, 80), "height": rng.normal(170, 9, 80)}
    _, model = _saved(frame, tmp_path, method="KMeans", n_clusters=2)
    (row,) = explain_rows(model, {"age": [58.0], "height": [168.0]})
    assert [reason["column"] for reason in row["reasons"]] == ["age"]
    assert row["reasons"][0]["share"] > 0.95
    assert "age is 58 (here usually 5" in row["text"]


def test_groups_are_those_that_the_model_predicts(by_means, shop):
    analysis, model = by_means
    told = explain_rows(model, shop)
    assert [row["group"] for row in told] == analysis.labels.tolist()
    assert [row["row"] for row in told] == list(range(180))


def test_the_runner_up_is_the_second_nearest_center(by_means, shop):
    analysis, model = by_means
    far = np.sort(analysis.estimator.transform(analysis.prepared.X), axis=1)
    told = explain_rows(model, shop)
    np.testing.assert_allclose([row["runner_up"]["own_distance"] for row in told], far[:, 0], rtol=1e-6)
    np.testing.assert_allclose([row["runner_up"]["distance"] for row in told], far[:, 1], rtol=1e-6)


def test_the_shares_of_all_columns_add_up_to_the_lead_over_the_runner_up(by_means, shop):
    _, model = by_means
    rows = [row for row in explain_rows(model, shop) if row["reasons"]]
    # Three columns: all that reach a twentieth are listed, and what speaks for the group is 1 by definition.
    pro = np.array([sum(reason["share"] for reason in row["reasons"]) for row in rows])
    assert np.all((pro > 0.89) & (pro < 1 + 1e-6))


@pytest.mark.parametrize("which", ["by_means", "by_density"])
def test_found_anew_strengths_are_those_of_the_run(which, shop, request):
    analysis, model = request.getfixturevalue(which)
    told = explain_rows(model, shop)
    inside = analysis.labels >= 0
    anew = np.array([row["strength"] for row, kept in zip(told, inside, strict=True) if kept], dtype=float)
    np.testing.assert_allclose(anew, analysis.strengths[inside], atol=1e-6)


def test_found_anew_outlier_scores_are_those_of_the_run(by_means, shop):
    analysis, model = by_means
    anew = [row["outlier"]["score"] for row in explain_rows(model, shop)]
    np.testing.assert_allclose(anew, analysis.outlier_scores, atol=1e-6)


def test_an_outlier_says_in_which_column_it_is_one(by_means, shop):
    _, model = by_means
    (row,) = explain_rows(model, shop, rows=[0])
    assert row["outlier"]["is_outlier"]
    assert row["outlier"]["why"].startswith("spend ($) is $300 (usually")


def test_a_row_of_no_group_names_the_nearest_one_and_no_strength(by_density, shop):
    analysis, model = by_density
    assert analysis.labels[0] == -1
    (row,) = explain_rows(model, shop, rows=[0])
    assert row["group"] == -1
    assert row["nearest"] >= 0
    assert (row["name"], row["strength"], row["reasons"]) == (None, None, [])
    assert row["text"].startswith("In no group; the nearest is group")


def test_labels_and_strengths_of_the_run_are_told_as_given(by_means, shop):
    _, model = by_means
    strengths, scores = np.full(180, 0.2), np.full(180, 0.7)
    given = {"labels": np.full(180, 2), "strengths": strengths, "outlier_scores": scores}
    (row,) = explain_rows(model, shop, rows=[5], **given)
    assert (row["group"], row["strength"], row["outlier"]["score"]) == (2, 0.2, 0.7)
    assert row["sure"].startswith("rather unsure (0.20 of 1")
    assert "lies nearer than that of group 2" in row["beside"]


def test_a_missing_value_says_what_it_counts_as(by_means):
    _, model = by_means
    (row,) = explain_rows(model, _new(age=24.0, plan="basic"))
    texts = [reason["text"] for reason in row["reasons"] + row["against"]]
    assert any(text.startswith("spend ($) is missing, counted as $") for text in texts)


def test_a_level_that_the_run_did_not_have_is_told_by_its_name(by_means):
    _, model = by_means
    (row,) = explain_rows(model, _new(age=300.0, plan="platinum", **{"spend ($)": 90.0}))
    assert row["outlier"]["is_outlier"]
    assert "plan is platinum (0.0% of its group)" in row["outlier"]["why"]


def test_a_single_group_has_no_runner_up(shop, tmp_path):
    _, model = _saved(shop, tmp_path, method="KMeans", n_clusters=1)
    (row,) = explain_rows(model, shop, rows=[3])
    assert row["runner_up"] is None
    assert row["text"] == "In group 0 (all rows), the only group."


def test_a_row_that_is_not_there_is_refused(by_means, shop):
    with pytest.raises(InputError, match="row 180 is not there: the 180 rows are numbered 0 to 179"):
        explain_rows(by_means[1], shop, rows=[180])


def test_a_model_that_no_run_saved_is_refused(tmp_path):
    fitted = coterie.KMeans(2, random_state=0).fit(np.array([[0.0], [1.0], [9.0]]))
    model = coterie.load(coterie.save(fitted, tmp_path / "own.coterie"))
    with pytest.raises(InputError, match="was not saved by a run of a table"):
        explain_rows(model, np.array([[1.0]]))


@pytest.mark.parametrize(
    "change",
    [
        lambda kept: {"centers": kept["centers"][:, :1]},
        lambda kept: {"fences": kept["fences"][:1]},
        lambda kept: {"usual": [{"name": "age"}]},
        lambda kept: {"usual": kept["usual"][:1]},
    ],
    ids=["centers", "fences", "half a column", "columns"],
)
def test_what_a_model_keeps_of_its_groups_must_fit_its_columns(by_means, shop, change):
    _, model = by_means
    kept = model.card["groups"]
    damaged = change(kept)
    other = type(model)(model.estimator, model.prepared, model.label_map, {**model.card, "groups": kept | damaged})
    with pytest.raises(InputError, match="damaged"):
        explain_rows(other, shop, rows=[0])


METHODS = [line.name for line in CATALOG if line.family != "deep" and line.name != "LocalOutlierFactor"]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_of_a_run_is_explained(method, shop, tmp_path):
    given = {"n_clusters": 3} if "n_clusters" in parameters(method) else {}
    try:
        analysis, model = _saved(shop, tmp_path, method=method, **given)
    except coterie.errors.CoterieError as error:
        pytest.skip(f"no run of a table: {error}")
    told = explain_rows(model, shop, rows=range(0, 180, 20))
    assert [row["group"] for row in told] == np.asarray(model.predict(shop))[::20].tolist()
    assert all(row["how"].startswith(method) for row in told)
    assert all(row["strength"] is not None or "not known" in row["sure"] or row["group"] < 0 for row in told)
    assert len(analysis.record["clusters"]) == len(model.card["groups"]["fences"])
