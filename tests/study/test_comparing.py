"""Groupings side by side: known answers, agreement with the metrics, and honest words."""

import numpy as np
import pytest

from coterie.errors import InputError
from coterie.metrics import adjusted_mutual_info_score, adjusted_rand_score, dbcv_score, silhouette_score
from coterie.study import compare_labels
from coterie.study.comparing import Grouping
from coterie.study.comparing_words import agreement_words


@pytest.fixture(scope="module")
def rings():
    """Two round groups far apart, a third beside the second."""
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(c, 0.4, (40, 2)) for c in ((0, 0), (8, 0), (8, 3))])
    return X, np.repeat([0, 1, 2], 40), np.repeat([1, 0, 0], 40)


def test_the_same_groups_under_other_numbers_agree_fully(rings):
    _, three, _ = rings
    found = compare_labels({"a": three, "b": (three + 1) % 3})
    (pair,) = found["pairs"]
    assert (pair["ari"], pair["kept_share"], pair["moves"]) == (1.0, 1.0, [])
    assert {(line["a"], line["b"]) for line in pair["matched"]} == {(0, 1), (1, 2), (2, 0)}
    assert pair["sentence"].endswith("every row is in the same group.")
    assert "which speaks for them" in found["verdict"]


def test_a_group_that_is_merged_moves_to_the_one_that_took_it(rings):
    _, three, two = rings
    (pair,) = compare_labels({"three": three, "two": two})["pairs"]
    assert pair["matched"] == [
        {"a": 0, "b": 1, "rows": 40, "jaccard": 1.0},
        {"a": 1, "b": 0, "rows": 40, "jaccard": 0.5},
    ]
    assert pair["moves"] == [{"a": 2, "b": 0, "rows": 40, "examples": [80, 81, 82]}]
    assert pair["kept_share"] == pytest.approx(2 / 3)


def test_indices_count_rows_of_no_group_as_a_group():
    rng = np.random.default_rng(1)
    a, b = rng.integers(-1, 3, 200), rng.integers(-1, 4, 200)
    (pair,) = compare_labels({"a": a, "b": b})["pairs"]
    assert pair["ari"] == pytest.approx(adjusted_rand_score(a, b), abs=1e-7)
    assert pair["ami"] == pytest.approx(adjusted_mutual_info_score(a, b), abs=1e-7)
    assert np.sum(pair["table"]["counts"]) == 200
    assert pair["table"]["a"] == [-1, 0, 1, 2]


def test_scores_are_those_of_the_metrics_on_the_same_rows(rings):
    X, three, two = rings
    found = compare_labels({"three": three, "two": two}, X)
    assert found["same_rows"] is True
    for told, labels in zip(found["groupings"], (three, two), strict=True):
        assert told["silhouette"] == pytest.approx(silhouette_score(X, labels), abs=1e-6)
        assert told["dbcv"] == pytest.approx(dbcv_score(X, labels), abs=1e-6)


def test_without_rows_the_words_warn_of_ranking(rings):
    _, three, two = rings
    given = [Grouping("three", three, silhouette=0.8), Grouping("two", two, silhouette=0.7)]
    found = compare_labels(given)
    assert [told["silhouette"] for told in found["groupings"]] == [0.8, 0.7]
    assert "do not rank by them" in found["verdict"]


def test_one_cloud_is_called_one(rings):
    X, three, two = rings
    given = [Grouping("three", three, structure="none"), Grouping("two", two, structure="none")]
    assert "ways to cut one cloud" in compare_labels(given, X)["verdict"]


def test_groups_that_do_not_come_back_are_warned_of(rings):
    X, three, two = rings
    given = [Grouping("three", three, stability=0.4), Grouping("two", two, stability=0.99)]
    verdict = compare_labels(given, X)["verdict"]
    assert "The groups of three change when rows are left out" in verdict
    assert "stability two is ahead" in verdict or "two is ahead by" in verdict


def test_of_three_the_closest_and_the_furthest_are_named(rings):
    X, three, two = rings
    chance = np.random.default_rng(0).integers(0, 2, 120)
    found = compare_labels({"three": three, "two": two, "chance": chance}, X)
    assert len(found["pairs"]) == 3
    assert "the closest, three and two" in found["verdict"]
    assert "chance disagree" in found["verdict"]


@pytest.mark.parametrize(
    ("ari", "words"), [(1.0, "almost everywhere"), (0.8, "most rows"), (0.5, "in part"), (0.0, "disagree")]
)
def test_words_follow_the_index(ari, words):
    assert words in agreement_words(ari)


def test_one_grouping_is_refused():
    with pytest.raises(InputError, match="takes two groupings or more, got 1"):
        compare_labels({"a": [0, 1]})


def test_groupings_of_other_rows_are_refused():
    with pytest.raises(InputError, match="must be of the same rows, but a has 2 and b 3"):
        compare_labels({"a": [0, 1], "b": [0, 1, 1]})


def test_nothing_but_noise_is_no_error(rings):
    X, three, _ = rings
    found = compare_labels({"none": np.full(120, -1), "three": three}, X)
    told = found["groupings"][0]
    assert (told["groups"], told["none_share"], told["silhouette"], told["dbcv"]) == ([], 1.0, None, None)
