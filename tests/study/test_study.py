"""The whole study on tables with known answers."""

import json

import numpy as np
import pytest
from sklearn.datasets import make_blobs, make_moons

from coterie.catalog import CATALOG
from coterie.errors import InputError, ResourceError
from coterie.metrics import adjusted_rand_score
from coterie.study import study
from coterie.study.estimators import needs_k
from coterie.study.map import unpack
from study.same_records import but_for_the_machine


def test_three_kinds_of_customers_are_found(found, shoppers):
    result, _, _ = found
    assert adjusted_rand_score(shoppers["segment"], result.labels) > 0.95
    assert result.record["structure"]["verdict"] == "clusters"
    assert [cluster["rows"] for cluster in result.record["clusters"]] == pytest.approx([150, 100, 50], abs=2)


def test_each_step_is_reported_once_and_in_order(found):
    _, steps, progress = found
    assert [step.name for step in steps] == ["prepare", "plan", "choose", "cluster", "population", "judge", "describe"]
    assert all(step.text and step.seconds >= 0 for step in steps)
    assert progress
    assert all(done < total for done, total, _ in progress)


def test_the_record_is_plain_json_with_every_part(found):
    record = json.loads(json.dumps(found[0].record, allow_nan=False))
    assert {
        "seed", "steps", "columns", "plan", "candidates", "chosen", "structure", "population", "clusters", "profile",
        "outliers", "judge", "rows", "map", "warnings",
    } <= set(record)  # fmt: skip
    assert sum(candidate["chosen"] for candidate in record["candidates"]) == 1
    assert all(candidate["reason"] for candidate in record["candidates"])


def test_groups_are_described_in_original_units(found):
    big = found[0].record["clusters"][1]
    spend = next(feature for feature in big["features"] if feature["column"] == "spend ($)")
    assert 85 < spend["here"] < 95
    assert spend["elsewhere"] < 50
    assert spend["effect"] > 0.9
    assert "spend" in spend["text"]
    assert "customer_id" not in json.dumps(big)
    assert big["rule"] is None or (big["rule"]["precision"] >= 0.8 and big["rule"]["coverage"] >= 0.5)
    assert len({cluster["name"] for cluster in found[0].record["clusters"]}) == 3


def test_a_column_without_meaning_is_no_feature(found):
    named = {feature["column"] for cluster in found[0].record["clusters"] for feature in cluster["features"]}
    assert "newsletter" not in named
    assert "segment" not in named


def test_the_outlier_is_found_and_explained(found):
    result, _, _ = found
    assert result.outlier_scores[0] == result.outlier_scores.max() >= 0.5
    top = result.record["outliers"]["top"][0]
    assert top["row"] == 0
    assert "spend" in top["why"]
    assert "400" in top["why"]


def test_rows_mentioned_anywhere_have_their_values_in_the_record(found):
    record = found[0].record
    rows = [row for cluster in record["clusters"] for row in cluster["exemplars"] + cluster["border"]]
    rows += [line["row"] for line in record["outliers"]["top"]]
    assert {str(row) for row in rows} <= set(record["rows"]["sample"])
    assert record["rows"]["sample"]["0"]["spend ($)"] == 400


def test_exemplars_belong_to_their_group(found):
    result, _, _ = found
    for cluster in result.record["clusters"]:
        assert (result.labels[cluster["exemplars"]] == cluster["id"]).all()


def test_the_truth_is_compared_and_kept_out(found):
    truth = found[0].record["judge"]["truth"]
    assert truth["ari"] > 0.95
    assert truth["accuracy"] > 0.95
    assert np.sum(truth["table"]["counts"]) == 300
    column = next(line for line in found[0].record["columns"] if line["name"] == "segment")
    assert not column["used"]


def test_predicting_the_rows_gives_the_labels(found):
    result, _, _ = found
    own = np.asarray(result.estimator.predict(result.prepared.X))
    np.testing.assert_array_equal(np.where(own >= 0, result.label_map[np.maximum(own, 0)], -1), result.labels)


def test_the_map_unpacks_to_positions_of_the_rows(found):
    result, _, _ = found
    drawn = result.record["map"]
    np.testing.assert_array_equal(unpack(drawn["row"], "<u4"), np.arange(300))
    np.testing.assert_array_equal(unpack(drawn["label"], "<i2"), result.labels)
    assert len(unpack(drawn["x"], "<u2")) == drawn["n_shown"] == drawn["n_total"] == 300


def test_the_same_seed_gives_the_same_record(shoppers, found):
    again = study(shoppers, truth="segment", memory_limit="2GB").record
    assert json.dumps(but_for_the_machine(found[0].record)) == json.dumps(but_for_the_machine(again))


def test_moons_are_left_whole():
    X, y = make_moons(500, noise=0.05, random_state=0)
    result = study(X)
    assert result.record["chosen"]["method"] == "HDBSCAN"
    assert adjusted_rand_score(y, result.labels) > 0.95


@pytest.mark.parametrize("d", [2, 10])
@pytest.mark.parametrize("draw", ["normal", "uniform", "standard_t"])
def test_one_cloud_is_said_to_be_one(d, draw):
    rng = np.random.default_rng(1)
    X = {"normal": rng.normal, "uniform": rng.uniform, "standard_t": lambda size: rng.standard_t(3, size)}[draw](
        size=(400, d)
    )
    result = study(X)
    assert result.record["structure"]["verdict"] == "none"
    assert (result.labels == 0).all()
    assert len(result.record["clusters"]) == 1


def test_a_method_asked_for_is_run_even_without_structure():
    X = np.random.default_rng(0).normal(size=(300, 3))
    result = study(X, n_clusters=4)
    assert result.labels.max() == 3
    assert result.record["structure"]["verdict"] == "none"
    assert result.warnings


@pytest.mark.parametrize("name", [line.name for line in CATALOG])
def test_every_method_of_the_catalog_can_be_asked_for(name):
    X = make_blobs(240, 2, centers=[[0, 0], [8, 0], [0, 8]], cluster_std=0.7, random_state=4)[0]
    asked = {"n_clusters": 3} if needs_k(name) else {}
    found = study(X, method=name, **asked)
    assert found.record["chosen"]["method"] == name
    assert len(found.record["clusters"]) >= 2
    again = found.estimator.predict(found.prepared.X)
    np.testing.assert_array_equal(np.append(found.label_map, -1)[again], found.labels)


@pytest.mark.parametrize("name", [line.name for line in CATALOG if line.needs_k])
def test_every_method_that_needs_a_number_of_groups_can_have_it_chosen(name):
    X = make_blobs(150, 2, centers=[[0, 0], [8, 0], [0, 8]], cluster_std=0.7, random_state=4)[0]
    # PDDP cuts at the mean along the longest axis, here through a group.
    assert len(study(X, method=name).record["clusters"]) == (4 if name == "PDDP" else 3)


def test_dbscan_finds_its_radius():
    X, y = make_blobs(300, 2, centers=[[0, 0], [6, 0], [0, 6]], cluster_std=0.4, random_state=0)
    result = study(X, method="dbscan")
    assert result.record["chosen"]["params"]["eps"] > 0
    assert adjusted_rand_score(y, result.labels) > 0.9


@pytest.mark.parametrize("rows", [1, 3, 9])
def test_a_few_rows_are_one_group(rows):
    X = np.random.default_rng(0).normal(size=(max(rows, 2), 2))[:rows]
    result = study({"a": [*X[:, 0].tolist(), 0.5], "b": [*X[:, 1].tolist(), 2.5]} if rows == 1 else X)
    assert (result.labels == 0).all()
    assert result.record["structure"]["verdict"] == "none"
    assert "too little" in result.record["structure"]["sentence"]


def test_a_table_of_constants_is_refused_in_one_sentence():
    with pytest.raises(InputError, match="column"):
        study(np.ones((50, 2)))


@pytest.mark.parametrize("factor", [1e-150, 1e-30, 1e30, 1e150])
def test_the_scale_of_the_data_changes_nothing(factor):
    X, _ = make_blobs(200, 3, centers=3, random_state=2)
    np.testing.assert_array_equal(study(X).labels, study(X * factor).labels)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "magic"}, "method"),
        ({"n_clusters": 0}, "n_clusters"),
        ({"n_clusters": 1000}, "n_clusters"),
        ({"method": "HDBSCAN", "n_clusters": 3}, "leave n_clusters out"),
        ({"method": "KMeans", "params": {"speed": 3}}, "no parameter"),
        ({"min_share": 0.7}, "min_share"),
        ({"seed": -1}, "seed"),
        ({"truth": "class"}, "truth"),
        ({"memory_limit": "lots"}, "memory_limit"),
        ({"sample": 3}, "sample"),
    ],
)
def test_a_bad_option_is_one_clear_sentence(options, words):
    X, _ = make_blobs(60, 2, centers=3, random_state=0)
    with pytest.raises(InputError, match=words):
        study(X, **options)


def test_what_cannot_fit_is_refused_before_it_is_allocated():
    X = np.broadcast_to(np.arange(4.0), (200_000, 4))
    with pytest.raises(ResourceError, match=r"needs about .* MB, more than the limit of 1\.0 MB.*rows"):
        study(X, memory_limit="1MB")
