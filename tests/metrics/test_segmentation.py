"""Agreement of regions with those that people drew: known answers, and limits that hold for any picture."""

import numpy as np
import pytest

from coterie.errors import InputError
from coterie.metrics import segmentation_scores


def test_the_same_regions_agree_fully_whatever_their_names():
    drawn = np.array([[0, 0, 1], [2, 2, 1]])
    covering, rand, information = segmentation_scores(drawn, np.array([[7, 7, 3], [5, 5, 3]]))
    assert (covering, rand) == (1.0, 1.0)
    assert information == pytest.approx(0.0, abs=1e-12)


def test_one_region_against_halves():
    # Each half is covered by half; 2 of 6 pairs are judged alike; which half a pixel is in takes one bit.
    found = segmentation_scores(np.array([[0, 0, 1, 1]]), np.zeros((1, 4), int))
    assert found == pytest.approx((0.5, 1 / 3, 1.0))


def test_independent_halves_take_two_bits():
    down, across = np.indices((4, 4)) // 2
    found = segmentation_scores(down, across)
    assert found.covering == pytest.approx(1 / 3)  # 4 of 12 pixels
    assert found.information == pytest.approx(2.0)


def test_rand_counts_pairs_of_pixels():
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 3, (2, 4, 5))
    one, other = (x.ravel()[:, None] == x.ravel() for x in (a, b))
    upper = np.triu_indices(20, 1)
    assert segmentation_scores(a, b).rand == pytest.approx((one == other)[upper].mean())


def test_the_mean_over_several_people_is_returned():
    rng = np.random.default_rng(4)
    people = rng.integers(0, 4, (3, 6, 7))
    found = rng.integers(0, 4, (6, 7))
    single = np.mean([segmentation_scores(one, found) for one in people], axis=0)
    assert segmentation_scores(list(people), found) == pytest.approx(tuple(single))
    assert segmentation_scores(people, found) == pytest.approx(tuple(single))


def test_another_size_is_refused():
    with pytest.raises(InputError, match=r"one size, \(h, w\), got \(2, 3\) and \(3, 2\)"):
        segmentation_scores(np.zeros((2, 3), int), np.zeros((3, 2), int))


def test_no_drawn_picture_is_refused():
    with pytest.raises(InputError, match="give at least one"):
        segmentation_scores([], np.zeros((3, 2), int))
