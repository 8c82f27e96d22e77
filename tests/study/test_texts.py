"""A column of free text: its themes form groups, its words tell them apart, and every later step knows it."""

import json
from importlib.resources import files

import numpy as np
import pytest

import coterie
from coterie.errors import UnsupportedError
from coterie.metrics import adjusted_rand_score
from coterie.study import study
from coterie.study.describe import describe
from coterie.study.drift import drift
from coterie.study.explaining import explain_rows
from coterie.study.export_json import groups_json
from coterie.study.export_sql import centers_sql, rules_sql
from coterie.study.values import views_of
from coterie.tables import prepare, read
from report.schemas import problems
from tables.texts_made import THEMES, made_texts

WORDS = {word for theme in THEMES for word in theme}


@pytest.fixture(scope="module")
def made():
    texts, themes = made_texts(240, strength=0.35)
    texts[5] = None
    return {"review": texts}, themes


@pytest.fixture(scope="module")
def run(made, tmp_path_factory):
    analysis = coterie.run(made[0])
    model = analysis.write(tmp_path_factory.mktemp("texts") / "out").model
    return analysis, coterie.load(model)


def test_the_themes_are_found_without_being_told_how_many(run, made):
    assert adjusted_rand_score(made[1], run[0].labels) > 0.9


def test_what_sets_a_group_apart_are_its_words(run):
    for cluster in run[0].record["clusters"]:
        first = cluster["features"][0]
        assert (first["kind"], first["column"]) == ("text", "review")
        assert first["level"] in WORDS
        assert first["here"] > first["elsewhere"] + 0.3
        assert first["text"] == (
            f"review says '{first['level']}' in {first['here']:.0%} of rows (others {first['elsewhere']:.0%})"
        )
        assert cluster["name"].startswith("Review says '")
        assert cluster["name"].count("eview") == 1


def test_shares_of_words_are_shares_of_rows(run, made):
    cluster = run[0].record["clusters"][0]
    inside = np.flatnonzero(run[0].labels == 0)
    word = cluster["features"][0]["level"]
    said = [word in (made[0]["review"][i] or "").split() for i in inside]
    assert cluster["features"][0]["here"] == pytest.approx(np.mean(said), abs=1e-6)


def test_the_profile_tells_the_words_that_a_group_says_more_often(run):
    column = run[0].record["profile"]["columns"][0]
    assert column["kind"] == "text"
    for cell, cluster in zip(column["by_cluster"], run[0].record["clusters"], strict=True):
        assert cell[0]["level"] == cluster["features"][0]["level"]


def test_the_record_keeps_its_schema(run):
    text = run[0].record["columns"][0]["text"]
    assert text["numbers"] == 2
    assert set(text["telling"][:10]) <= WORDS
    schema = json.loads((files("coterie.report") / "schema" / "run-1.json").read_text())
    assert list(problems(json.loads(json.dumps(run[0].record)), schema)) == []


def test_a_saved_model_gives_the_same_labels_and_knows_new_texts(run, made):
    analysis, model = run
    np.testing.assert_array_equal(model.predict(made[0]), analysis.labels)
    new = model.predict({"review": ["Refund my money, billing!", "The COURIER was late with the parcel"]})
    assert new[0] != new[1]


def test_a_row_is_explained_by_its_words(run):
    told = explain_rows(run[1], {"review": ["the refund of money was charged", None]})
    assert "review says 'charged' (" in told[0]["text"] or "review says 'money' (" in told[0]["text"]
    assert "none of the words that tell the groups apart" in told[1]["text"]


def test_sql_cannot_weigh_words_and_says_so(run):
    with pytest.raises(
        UnsupportedError, match="go by the words of 'review', which SQL cannot weigh; use coterie predict"
    ):
        centers_sql(run[1], table="reviews")
    says = {"column": "review", "kind": "says", "value": "refund"}
    ruled = {"id": 0, "name": "a", "rule": {"conditions": [says], "precision": 1.0, "coverage": 1.0}}
    with pytest.raises(UnsupportedError, match="asks whether 'review' says 'refund'"):
        rules_sql([ruled], run[1].prepared.codings, table="reviews")


def test_json_for_other_programs_holds_words_and_directions(run):
    found = json.loads(json.dumps(groups_json(run[1], run[0].record["clusters"])))
    text = found["columns"][0]["text"]
    assert np.shape(text["directions"]) == (len(text["terms"]), 2)
    assert found["groups"][0]["center"] == {"review": None}


def test_new_texts_are_compared_with_the_old_ones(run, made):
    alike = drift(run[1], made[0], {"review": made_texts(240, strength=0.35, seed=9)[0]}).record
    assert alike["verdict"] == "no shift"
    one_theme = [text for text, theme in zip(*made_texts(700, strength=0.35, seed=9), strict=True) if theme == 0]
    assert drift(run[1], made[0], {"review": one_theme}).record["verdict"] == "shares moved"


def test_a_rule_may_ask_for_a_word():
    rng = np.random.default_rng(0)
    texts = [
        f"{rng.choice(['please', 'kindly'])} {'refund the money' if i % 2 else 'deliver my parcel'} of order {i}"
        for i in range(120)
    ]
    rules = [cluster["rule"] for cluster in coterie.run({"note": texts}, n_clusters=2).record["clusters"]]
    assert {rule["conditions"][0]["kind"] for rule in rules} <= {"says", "does not say"}
    assert [(rule["precision"], rule["coverage"]) for rule in rules] == [(1, 1), (1, 1)]
    assert rules[0]["text"].startswith(("note says '", "note does not say '"))


def test_texts_that_blur_the_groups_of_the_numbers_only_describe_them():
    rng = np.random.default_rng(0)
    texts, _ = made_texts(240, strength=0.12, seed=3)
    group = np.arange(240) % 2
    numbers = {name: group * 6 + rng.normal(size=240) for name in ("a", "b")}
    analysis = coterie.run({"remark": texts, **numbers})
    assert adjusted_rand_score(group, analysis.labels) == 1
    columns = {column["name"]: column for column in analysis.record["columns"]}
    assert not columns["remark"]["used"]
    assert "described, but not used" in columns["remark"]["why"]


def test_more_columns_than_rules_look_at_may_stand_beside_a_text():
    rng = np.random.default_rng(0)
    texts, themes = made_texts(150, strength=0.35)
    numbers = {f"x{i}": themes * 4 + rng.normal(size=150) for i in range(104)}
    record = study({"comment": texts, **numbers}, n_clusters=3).record
    assert record["columns"][0]["used"]
    assert all(cluster["rule"] for cluster in record["clusters"])


def test_a_group_of_rows_without_a_text_is_said_to_be_that(made):
    texts, themes = made
    some = {"comment": [None if i % 7 == 0 else text for i, text in enumerate(texts["review"])]}
    absent = np.array([text is None for text in some["comment"]])
    labels = np.where(absent, 3, themes)
    table = read(some)
    prepared = prepare(table)
    told = describe(views_of(table, prepared.codings), prepared.X, labels, np.ones(len(labels)))
    assert told.clusters[3]["name"] == "Comment: missing"
    assert told.clusters[3]["sentence"] == "Set apart by comment is missing in 100% of rows (others 0%)."
    for cluster in told.clusters[:3]:
        assert cluster["features"][0]["kind"] == "text"
        assert "missing" not in cluster["sentence"]
