"""Who moved where: the segments of customers at one day, and at a later day, by the same rules."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Migration", "migration"]


class Migration(NamedTuple):
    """Counts of customers by segment at both days.

    Attributes
    ----------
    days : tuple of int
        Earlier and later, days since 1970.
    counts : (k + 1, k) or (k + 1, k + 1) int64 array
        Rows are segments at the earlier day, and last who was no customer then; columns are segments at the later day, and last, of
        subscribers, who had left.
    lost : (k,) float64 array
        Share of each earlier segment that left, or, of those who can come and go, made no purchase in between; NaN where it was empty.
    """

    days: tuple[int, int]
    counts: NDArray[np.int64]
    lost: NDArray[np.float64]


def migration(
    days: tuple[int, int],
    earlier: tuple[NDArray[np.int64], NDArray[np.int64]],
    later: tuple[NDArray[np.int64], NDArray[np.int64]],
    lost: NDArray[np.bool_],
    shape: tuple[int, int],
) -> Migration:
    """Count the moves.

    Parameters
    ----------
    days : tuple of int
    earlier, later : tuple of (customers, labels)
        Customers ascending. Earlier ones who are none later, since all that they bought was returned, count in neither.
    lost : (n_earlier,) bool array
    shape : tuple of int
        k, and how many labels there are later: k, or k + 1 where the last means that a customer had left.

    Returns
    -------
    Migration
    """
    k = shape[0]
    still = np.isin(earlier[0], later[0])
    earlier, lost = (earlier[0][still], earlier[1][still]), lost[still]
    before = np.full(len(later[0]), k)
    before[np.searchsorted(later[0], earlier[0])] = earlier[1]
    counts = np.zeros((k + 1, shape[1]), np.int64)
    np.add.at(counts, (before, later[1]), 1)
    sizes = np.bincount(earlier[1], minlength=k)
    gone = np.bincount(earlier[1], lost, k)
    return Migration(days, counts, np.where(sizes > 0, gone / np.maximum(sizes, 1), np.nan))
