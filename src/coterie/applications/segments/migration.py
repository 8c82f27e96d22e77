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
    counts : (k + 1, k) int64 array
        Rows are segments at the earlier day, and last who was no customer yet; columns are segments at the later day.
    silent : (k,) float64 array
        Share of each earlier segment without a purchase in between; NaN where it was empty.
    """

    days: tuple[int, int]
    counts: NDArray[np.int64]
    silent: NDArray[np.float64]


def migration(
    days: tuple[int, int],
    earlier: tuple[NDArray[np.int64], NDArray[np.int64]],
    later: tuple[NDArray[np.int64], NDArray[np.int64]],
    purchases: NDArray[np.int64],
    k: int,
) -> Migration:
    """Count the moves.

    Parameters
    ----------
    days : tuple of int
    earlier, later : tuple of (customers, labels)
        Customers ascending; all of the earlier ones are among the later ones.
    purchases : (n_earlier,) int64 array
        In between.
    k : int

    Returns
    -------
    Migration
    """
    before = np.full(len(later[0]), k)
    before[np.searchsorted(later[0], earlier[0])] = earlier[1]
    counts = np.zeros((k + 1, k), np.int64)
    np.add.at(counts, (before, later[1]), 1)
    sizes = np.bincount(earlier[1], minlength=k)
    quiet = np.bincount(earlier[1], purchases == 0, k)
    return Migration(days, counts, np.where(sizes > 0, quiet / np.maximum(sizes, 1), np.nan))
