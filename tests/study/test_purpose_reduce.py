"""Representatives: as few real rows as keep most of the differences, each with its weight."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from coterie.study import reduce, study
from coterie.study.purpose import GOAL, MOST_REPRESENTATIVES


@pytest.fixture(scope="module")
def square():
    """One even cloud, reduced."""
    return study(np.random.default_rng(0).uniform(size=(800, 2)), purpose="reduce")


def _kept(X, rows):
    near = ((X[:, None] - X[rows]) ** 2).sum(axis=2).min(axis=1).sum()
    return 1 - near / ((X - X.mean(axis=0)) ** 2).sum()


def test_a_square_needs_about_ten_rows_to_keep_nine_tenths(square):
    # Cells of a square lose about 2 * 0.0802 / k (hexagons, Gersho 1979), of 2 / 12 in all: nine tenths from ten on.
    assert square.record["structure"]["verdict"] == "none"
    assert 10 <= len(square.record["clusters"]) <= 14
    assert square.record["purpose"]["figures"]["kept_left_out"] >= GOAL
    assert _kept(square.prepared.X, square.listing.rows) >= GOAL


def test_one_representative_fewer_keeps_less(square):
    k = len(square.record["clusters"])
    before = [line for line in square.record["candidates"] if line["n_clusters"] == k - 1]
    assert before
    assert all(line["validity"] < GOAL for line in before)
    assert "short of 90%" in before[0]["reason"]


def test_weights_are_the_rows_they_stand_for_and_losses_add_up(square):
    rows, told = square.listing.rows, square.record["purpose"]["representatives"]
    np.testing.assert_array_equal(square.labels[rows], np.arange(len(rows)))
    assert [line["row"] for line in told] == rows.tolist()
    assert [line["weight"] for line in told] == np.bincount(square.labels).tolist()
    assert sum(line["loss_share"] for line in told) == pytest.approx(1, abs=1e-6)  # eight figures in the record
    lost = ((square.prepared.X - square.prepared.X[rows][square.labels]) ** 2).sum(axis=1)
    np.testing.assert_allclose(
        [line["loss_share"] for line in told], np.bincount(square.labels, lost) / lost.sum(), rtol=1e-6
    )


def test_a_representative_is_the_row_nearest_to_the_middle_of_its_group(square):
    X = square.prepared.X
    for label, row in enumerate(square.listing.rows):
        members = np.flatnonzero(square.labels == label)
        far = ((X[members] - X[members].mean(axis=0)) ** 2).sum(axis=1)
        assert row == members[np.argmin(far)]


def test_medoids_stand_for_their_own_groups():
    result = study(load_iris().data, purpose="reduce", method="KMedoids", n_clusters=5)
    assert set(result.listing.rows) == set(result.estimator.medoid_indices_)
    np.testing.assert_array_equal(result.labels[result.listing.rows], np.arange(5))


def test_the_number_that_is_asked_for_wins():
    result = study(load_iris().data, purpose="reduce", n_clusters=4)
    assert len(result.listing.rows) == 4
    assert result.record["purpose"]["figures"]["goal"] is None
    assert not result.warnings


def test_more_columns_than_few_rows_can_tell_are_said_to_be_too_many():
    result = study(np.random.default_rng(0).normal(size=(500, 12)), purpose="reduce")
    assert len(result.listing.rows) == min(MOST_REPRESENTATIVES, 100)
    assert "keep less than 90%" in result.warnings[0]["text"]
    assert "Ask for more" in result.warnings[0]["remedy"]


def test_a_row_that_stands_alone_is_kept():
    X = np.random.default_rng(0).normal(size=(300, 2))
    X[7] = 60.0
    result = study(X, purpose="reduce")
    line = next(line for line in result.record["purpose"]["representatives"] if line["row"] == 7)
    assert line["weight"] == 1
    assert line["loss_share"] == 0


def test_a_few_different_rows_are_reduced_to_these():
    X = np.repeat(np.random.default_rng(0).normal(size=(6, 2)), 50, axis=0)
    result = study(X, purpose="reduce")
    assert len(result.listing.rows) <= 6
    assert result.record["purpose"]["figures"]["kept"] >= GOAL


@pytest.mark.parametrize("ends", [(1, 1), (3, 3), (12, 17), (40, 96)])
def test_the_fewest_are_found_wherever_they_are(ends):
    least, most = ends
    asked = []

    def kept(k):
        asked.append(k)
        return 0.95 if k >= least else 0.5

    numbers = [k for k in reduce.LADDER if k < most] + [most]
    assert reduce._fewest(kept, numbers) == (least if least > 2 else numbers[0])
    assert len(asked) <= len(numbers) + 6
