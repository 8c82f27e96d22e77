"""Whether other candidates agree with the answer, and whether there is more than one answer."""

import numpy as np
import pytest

from coterie.study import study
from coterie.study.candidate import Candidate, Choice
from coterie.study.consensus import consensus
from coterie.study.finalists import between


def candidate(method, labels, *, score=0.5, stability=0.95):
    labels = np.asarray(labels)
    return Candidate(
        method,
        {"n_clusters": int(labels.max()) + 1},
        labels,
        int(labels.max()) + 1,
        float((labels < 0).mean()),
        stability,
        score,
        score,
    )


def choice(*candidates, rival=None):
    return Choice(0, "", list(candidates), [], rival)


TWO, FOUR, CROSSED = np.repeat([0, 0, 1, 1], 20), np.repeat([0, 1, 2, 3], 20), np.tile([0, 1], 40)


def test_a_group_is_found_by_those_that_have_most_of_it():
    nearly = TWO.copy()
    nearly[:3] = 1
    found = consensus(choice(candidate("KMeans", TWO), candidate("KMeans", nearly), candidate("HDBSCAN", FOUR)), TWO, 2)
    assert found.compared == 2
    assert found.found.tolist() == [1, 1]


def test_what_changes_leaves_rows_out_or_is_far_behind_has_no_say():
    unsure, far = candidate("KMeans", CROSSED, stability=0.5), candidate("KMeans", CROSSED, score=0.3)
    sparse = candidate("HDBSCAN", np.where(np.arange(80) < 50, -1, TWO))
    assert consensus(choice(candidate("KMeans", TWO), unsure, far, sparse), TWO, 2).compared == 0


def test_another_grouping_that_scores_the_same_is_another_answer():
    found = consensus(choice(candidate("KMeans", TWO), candidate("KMeans", FOUR, score=0.495)), TWO, 2)
    assert [one.n_clusters for one in found.answers] == [4]
    assert "4 groups are as good an answer as the 2 shown" in found.warning(2)["text"]
    assert "ask for 4 groups" in found.warning(2)["remedy"]


@pytest.mark.parametrize(
    "other",
    [
        candidate("KMeans", 1 - TWO, score=0.495),  # the same groups under other numbers
        candidate("KMeans", FOUR, score=0.47),  # less well separated
        candidate("KMeans", FOUR, score=0.495, stability=0.8),  # less sure
        candidate("HDBSCAN", FOUR, score=0.495),  # its score means something else
    ],
)
def test_what_is_the_same_worse_or_of_another_kind_is_no_other_answer(other):
    found = consensus(choice(candidate("KMeans", TWO), other), TWO, 2)
    assert found.answers == []
    assert found.warning(2) is None


def test_rows_that_no_group_takes_are_in_none():
    labels = np.full(80, -1)
    assert consensus(choice(candidate("KMeans", TWO)), labels, 0).found.tolist() == []


def line(gap):
    random = np.random.default_rng(0)
    return (np.array([0, gap, 5, 5 + gap])[np.arange(800) % 4] + 0.1 * random.standard_normal(800))[:, None]


def test_two_pairs_of_groups_are_two_groups_or_four():
    found = study(line(0.8))
    answers = {len(found.record["clusters"]), *(one["n_clusters"] for one in found.record["consensus"]["answers"])}
    assert answers == {2, 4}
    assert any("as good an answer" in warning["text"] for warning in found.warnings)


def test_four_groups_well_apart_are_one_answer():
    found = study(line(1.6))
    assert len(found.record["clusters"]) == 4
    assert found.record["consensus"]["answers"] == []
    assert found.warnings == []
    # Each group is found by nearly all that were compared.
    assert min(found.record["consensus"]["found_by"]) >= 0.7 * found.record["consensus"]["compared"] > 0


def test_crescents_have_no_second_answer():
    """K-means cuts them, stably; that is no answer."""
    from sklearn.datasets import make_moons

    found = study(make_moons(500, noise=0.05, random_state=0)[0])
    assert len(found.record["clusters"]) == 2
    assert found.record["consensus"]["answers"] == []


def test_the_finalists_that_agree_are_one_answer():
    Z = line(1.6)
    labels = np.arange(800) % 4
    decided = between(
        Z, [candidate("KMeans", labels), candidate("HDBSCAN", 3 - labels)], 0, 1, levels=False, n_columns=1
    )
    assert (decided.winner, decided.rival) == (0, None)
    assert "finds the same groups" in decided.why
