"""Which group is which of another clustering: known answers, all matchings tried, properties."""

import itertools

import numpy as np
import pytest

from coterie.errors import InputError
from coterie.study.matching import SAME_GROUP, matched_groups


def labellings(table):
    """Return two labellings whose table of counts is this; the first row and column are noise."""
    i, j = np.indices(np.shape(table)).reshape(2, -1)
    counts = np.ravel(table)
    return np.repeat(i - 1, counts), np.repeat(j - 1, counts)


def shared(table, pairs):
    return sum(int(table[i + 1, j + 1]) for i, j in pairs.items())


def most_shared(table, least):
    """Return the most rows that pairs can share, by trying every matching."""
    union = table.sum(axis=1, keepdims=True) + table.sum(axis=0) - table
    worth = np.where(table >= least * union, table, 0)[1:, 1:]
    worth = worth if len(worth) <= worth.shape[1] else worth.T
    rows = np.arange(len(worth))
    return max(
        int(worth[rows, list(chosen)].sum()) for chosen in itertools.permutations(range(worth.shape[1]), len(worth))
    )


def test_renamed_groups_find_each_other():
    assert matched_groups([0, 0, 1, 2, 2], [7, 7, 3, 5, 5]) == {0: 7, 1: 3, 2: 5}


def test_the_larger_part_of_a_split_is_the_group():
    assert matched_groups([4] * 10, [0] * 4 + [1] * 6) == {4: 1}


def test_the_larger_of_two_that_merged_is_the_group():
    assert matched_groups([0] * 4 + [1] * 6, [9] * 10) == {1: 9}


def test_one_row_of_a_vanished_group_does_not_make_the_newcomer_that_group():
    old, new = labellings([[0, 0, 400], [0, 100, 0], [0, 10, 1]])
    assert matched_groups(old, new) == {0: 0}


def test_with_no_least_one_shared_row_makes_a_pair():
    old, new = labellings([[0, 0, 400], [0, 100, 0], [0, 10, 1]])
    assert matched_groups(old, new, least=0) == {0: 0, 1: 1}


def test_noise_is_nobodys_partner():
    assert matched_groups([-1, -1, 0], [0, 0, -1], least=0) == {}


def test_among_equals_the_lowest_go_together():
    old, new = labellings(np.full((4, 4), 4))
    assert matched_groups(old, new, least=0) == {0: 0, 1: 1, 2: 2}


def test_a_tie_between_halves_goes_to_the_lowest():
    assert matched_groups([3] * 10, [1, 2] * 5) == {3: 1}


def test_one_row_more_decides_against_the_order():
    old = np.zeros(200_001, dtype=np.int64)
    assert matched_groups(old, np.r_[np.zeros(100_000), np.ones(100_001)].astype(np.int64)) == {0: 1}


def test_no_rows_no_pairs():
    assert matched_groups([], []) == {}


def test_labellings_of_different_length_are_refused():
    with pytest.raises(InputError, match="equal length"):
        matched_groups([0, 1], [0])


@pytest.mark.parametrize("least", [0.0, SAME_GROUP])
@pytest.mark.parametrize("seed", range(20))
def test_no_matching_shares_more_rows(seed, least):
    rng = np.random.default_rng(seed)
    shape = rng.integers(2, 6, 2)
    table = rng.integers(0, 30, shape) * rng.integers(0, 2, shape)
    assert shared(table, matched_groups(*labellings(table), least=least)) == most_shared(table, least)
