"""Sums as whole numbers: those of blocks add up to the same bits in any order.

A sum is written as ``high`` and ``low``, whole multiples of a coarse unit and of a fine one. What is added up row by row on the CPU
comes in such parts (`coterie.primitives._numba.lloyd_sums`); what another engine has added up for a block, in an order that depends on
the block alone, is rounded to them once. Both stay below 2^63 for up to 2^40 rows.
"""

from collections.abc import Sequence
from math import fsum, ldexp
from typing import Any, NamedTuple

import numpy as np

from ...arrays import to_numpy

__all__ = ["ExactSum", "Units", "added", "exact", "units_of"]


class Units(NamedTuple):
    """What whole numbers count."""

    high: float
    low: float


class ExactSum(NamedTuple):
    """Sums of values in the same units."""

    high: np.ndarray  # int64
    low: np.ndarray  # int64

    def __add__(self, other: "ExactSum") -> "ExactSum":  # type: ignore[override]
        """Add the sums of two blocks; nothing is rounded."""
        return ExactSum(self.high + other.high, self.low + other.low)

    def value(self, units: Units) -> np.ndarray:
        """Return the sums as float64."""
        return self.high * units.high + self.low * units.low


def units_of(coarse: float, fine: float) -> Units:
    """Return the units of a grid: the numbers that are added and subtracted to round are 1.5 * 2^52 of them."""
    return Units(ldexp(coarse / 1.5, -52), ldexp(fine / 1.5, -52))


def exact(sums: Any, units: Units) -> ExactSum:
    """Write the sums of one block, which depend on the block alone, as whole numbers."""
    values = np.asarray(to_numpy(sums), np.float64)
    high = np.rint(values / units.high)
    return ExactSum(high.astype(np.int64), np.rint((values - high * units.high) / units.low).astype(np.int64))


def added(parts: Sequence) -> np.ndarray:
    """Return the sums of small arrays of float64, rounded once: the same bits in any order."""
    values = np.asarray(parts, np.float64)
    return np.array([fsum(column) for column in values.reshape(len(values), -1).T]).reshape(values.shape[1:])
