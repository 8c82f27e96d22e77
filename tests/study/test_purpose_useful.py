"""Useful groups: few, of a good size, told apart by a few questions, and honest about what they are."""

import numpy as np
import pytest
from sklearn.datasets import load_iris, load_wine, make_blobs

from coterie.metrics import adjusted_rand_score
from coterie.study import study, useful
from coterie.study.purpose import FEWEST, FLOOR, MOST


@pytest.fixture(scope="module")
def cloud():
    return study(np.random.default_rng(0).uniform(size=(600, 2)), purpose="useful")


def test_one_cloud_is_cut_and_said_to_be_cut(cloud):
    assert cloud.record["structure"]["verdict"] == "none"
    assert FEWEST <= len(cloud.record["clusters"]) <= MOST
    assert "The groups are cuts through a continuum: useful, not natural." in cloud.record["purpose"]["answer"]
    assert not cloud.warnings


def test_quarters_of_a_square_are_told_apart_by_few_questions(cloud):
    assert len(cloud.record["clusters"]) == 4
    assert cloud.record["purpose"]["figures"]["told_apart"] > 0.9
    assert all(cluster["rule"] for cluster in cloud.record["clusters"])


def test_every_row_is_in_a_group_of_sufficient_population():
    rng = np.random.default_rng(1)
    X = np.vstack([rng.normal(size=(400, 3)), rng.normal(14, 1, (8, 3)), rng.uniform(-30, 30, (5, 3))])
    result = study(X, purpose="useful")
    sizes = np.bincount(result.labels)
    assert result.labels.min() == 0
    assert sizes.min() >= FLOOR * len(X)
    assert result.record["population"]["noise_rows"] == 0


@pytest.mark.parametrize(("data", "least"), [(load_wine(), 0.85), (load_iris(), 0.55)], ids=["wine", "iris"])
def test_known_classes_are_useful_groups(data, least):
    result = study(data.data, purpose="useful")
    assert len(result.record["clusters"]) == 3
    assert adjusted_rand_score(data.target, result.labels) > least
    assert any("natural groups" in sentence for sentence in result.record["purpose"]["answer"])


def test_the_number_and_the_least_share_that_are_asked_for_win():
    X = np.random.default_rng(0).normal(size=(300, 2))
    assert len(study(X, purpose="useful", n_clusters=12).record["clusters"]) == 12
    result = study(X, purpose="useful", min_share=0.3)
    assert len(result.record["clusters"]) <= 3
    assert np.bincount(result.labels).min() >= 90


def test_another_method_that_is_asked_for_keeps_the_floor():
    X = make_blobs([200, 200, 200, 6], 2, centers=[[0, 0], [9, 0], [0, 9], [30, 30]], random_state=0)[0]
    result = study(X, purpose="useful", method="AgglomerativeClustering")
    assert np.bincount(result.labels).min() >= FLOOR * len(X)
    assert result.labels.min() == 0


def test_groups_that_no_question_tells_apart_score_near_chance():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(400, 2))
    assert useful.told_apart(X, rng.integers(0, 4, 400), 0) < 0.4
    assert useful.told_apart(X, (X[:, 0] > 0.5).astype(int), 0) > 0.97
