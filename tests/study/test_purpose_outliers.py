"""Unusual rows first: planted ones are found, single clouds have none, and reasons name the column."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.metrics import roc_auc_score

from coterie.study import study, unusual
from coterie.study.judge import OUTLIER_THRESHOLD
from coterie.study.purpose import MOST_UNUSUAL


@pytest.fixture(scope="module")
def planted():
    """Three groups of different density; the last eleven rows are far from all, the first of these the furthest."""
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(c, s, (250, 3)) for c, s in ((0, 0.3), (8, 0.8), (-8, 1.4))])
    angle = rng.normal(size=(11, 3))
    far = angle / np.linalg.norm(angle, axis=1, keepdims=True) * np.linspace(60, 26, 11)[:, None]
    return study(dict(zip("abc", np.vstack([X, far]).T, strict=True)), purpose="outliers")


def test_planted_rows_are_the_unusual_ones(planted):
    rows = planted.listing.rows.tolist()
    assert set(rows[:11]) == set(range(750, 761))
    assert len(rows) <= 16
    assert len(planted.record["clusters"]) == 3


def test_they_are_ranked_by_score_with_a_reason(planted):
    scores = planted.listing.columns["score"]
    assert list(scores) == sorted(scores, reverse=True)
    assert planted.listing.rows[0] == 750
    np.testing.assert_array_equal(planted.outlier_scores[planted.listing.rows], scores)
    assert min(scores) >= OUTLIER_THRESHOLD
    assert all(" is " in why and "usually" in why for why in planted.listing.columns["reason"][:11])


def test_the_record_tells_how_many_and_the_first_ten(planted):
    told = planted.record["outliers"]
    assert told["rows"] == len(planted.listing.rows)
    assert [line["row"] for line in told["top"]] == planted.listing.rows[:10].tolist()
    assert planted.record["purpose"]["headline"] == f"{told['rows']} unusual rows"


def test_a_small_group_is_not_merged_but_unusual_as_a_whole():
    X = make_blobs([300, 300, 12], 2, centers=[[0, 0], [10, 0], [3.5, 4]], cluster_std=[0.8, 0.8, 0.1], random_state=0)[
        0
    ]
    result = study(X, purpose="outliers")
    small = {row for row in range(612) if np.linalg.norm(X[row] - [3.5, 4]) < 0.6}
    assert small <= set(result.listing.rows.tolist())
    assert (result.labels[list(small)] == -1).all()
    assert result.record["purpose"]["figures"]["small_groups"] == 1
    assert "1 small group is unusual as a whole." in result.record["purpose"]["answer"]
    reasons = dict(zip(result.listing.rows.tolist(), result.listing.columns["reason"], strict=True))
    assert all(reasons[row].startswith("In a small group of 12 rows.") for row in small)


@pytest.mark.parametrize("d", [2, 6])
@pytest.mark.parametrize("draw", ["normal", "uniform"])
def test_a_single_cloud_has_next_to_no_unusual_rows(d, draw):
    X = getattr(np.random.default_rng(4), draw)(size=(500, d))
    result = study(X, purpose="outliers")
    assert len(result.listing.rows) <= 5
    assert len(result.record["clusters"]) == 1
    assert result.record["chosen"]["method"] == "KMeans"


def test_no_more_than_a_tenth_is_ever_named():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(0, 0.1, (300, 2)), rng.uniform(-60, 60, (90, 2))])
    result = study(X, purpose="outliers", method="KMeans", n_clusters=1)
    assert len(result.listing.rows) == int(MOST_UNUSUAL * len(X))
    figures = result.record["purpose"]["figures"]
    assert figures["beyond_fence"] > len(result.listing.rows)
    assert figures["threshold"] > OUTLIER_THRESHOLD
    assert "More than 10% of the rows" in result.warnings[-1]["text"]


def test_distances_to_a_sample_are_about_those_to_all(monkeypatch):
    X = np.random.default_rng(0).normal(size=(4000, 3))
    exact = unusual._far_from_neighbors(X, 0)
    monkeypatch.setattr(unusual, "REFERENCE_ROWS", 1000)
    monkeypatch.setattr(unusual, "NEIGHBORS", 5)
    assert np.corrcoef(exact, unusual._far_from_neighbors(X, 0))[0, 1] > 0.95


def test_the_distance_is_that_to_the_twentieth_other_row():
    X = np.random.default_rng(0).normal(size=(200, 3))
    apart = np.sort(np.linalg.norm(X[:, None] - X, axis=2), axis=1)
    np.testing.assert_allclose(unusual._far_from_neighbors(X, 0), apart[:, 20], rtol=1e-9)  # rounding of sums


@pytest.mark.parametrize(
    ("name", "least"), [("42_WBC", 0.95), ("38_thyroid", 0.9), ("31_satimage-2", 0.95), ("6_cardio", 0.6)]
)
def test_known_anomalies_come_first(shared_data, name, least):
    with np.load(shared_data / "anomaly" / f"{name}.npz", allow_pickle=False) as held:
        X, y = held["X"], held["y"]
    rows = np.random.default_rng(0).permutation(len(X))[:2000]
    X, y = X[rows], y[rows]
    assert roc_auc_score(y, study(X, purpose="outliers").outlier_scores) > least
