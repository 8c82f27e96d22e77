"""Groups keep their numbers: known answers, and refits of planted groups."""

import numpy as np
import pytest

from coterie.errors import InputError
from coterie.study.identity import keep_identity, migration


def test_renamed_groups_get_their_old_numbers_back():
    found = keep_identity([0, 0, 1, 1, 2, -1], [2, 2, 0, 0, 1, -1])
    assert found.labels.tolist() == [0, 0, 1, 1, 2, -1]
    assert (found.kept, found.fresh, found.retired) == ((0, 1, 2), (), ())


def test_a_new_group_gets_a_number_never_used():
    found = keep_identity([0] * 4 + [1] * 4 + [-1] * 4, [1] * 4 + [0] * 4 + [2] * 4)
    assert found.numbers == {0: 1, 1: 0, 2: 2}
    assert found.fresh == (2,)


def test_a_retired_number_is_never_given_again():
    found = keep_identity([0] * 4 + [-1] * 4, [0] * 4 + [1] * 4, retired=[1, 5])
    assert found.numbers == {0: 0, 1: 6}
    assert found.retired == (1, 5)


def test_a_group_that_merged_into_a_larger_one_is_retired():
    found = keep_identity([0] * 9 + [1] * 4, [0] * 13)
    assert (found.kept, found.retired) == ((0,), (1,))


def test_a_group_without_rows_in_the_batch_is_retired():
    assert keep_identity([0, 0], [0, 0], known=[0, 3]).retired == (3,)


def test_the_larger_part_of_a_split_keeps_the_number():
    found = keep_identity([0] * 10, [0] * 4 + [1] * 6)
    assert found.numbers == {0: 1, 1: 0}


def test_no_groups_at_all():
    found = keep_identity([-1, -1], [-1, -1])
    assert found.labels.tolist() == [-1, -1]
    assert found.numbers == {}


def test_a_number_cannot_be_retired_and_in_use():
    with pytest.raises(InputError, match="number 1 is retired"):
        keep_identity([0, 1], [0, 1], retired=[1])


def test_numbers_survive_a_chain_of_refits():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 4, 400)
    second = keep_identity(first, np.array([3, 1, 0, 2])[first])
    third = keep_identity(second.labels, np.where(second.labels == 2, -1, second.labels), known=range(4))
    fourth = keep_identity(
        third.labels, np.where(first == 2, 0, 1 + third.labels), known=(0, 1, 3), retired=third.retired
    )
    assert third.retired == (2,)
    assert fourth.fresh == (4,)
    assert (fourth.labels[first != 2] == first[first != 2]).all()


def test_migration_counts_every_row_once():
    rng = np.random.default_rng(0)
    old, new = rng.integers(-1, 3, 200), rng.integers(-1, 3, 200)
    lines = migration(old, new)
    assert sum(line["rows"] for line in lines) == 200
    assert [line["from"] for line in lines] == sorted((line["from"] for line in lines), key=lambda i: (i < 0, i))
    assert sum(line["share"] for line in lines if line["from"] == 1) == pytest.approx(1)
