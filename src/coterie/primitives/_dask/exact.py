"""Sums as whole numbers: those of blocks add up to the same bits in any order.

A sum of values no greater than ``bound`` is written as ``high`` and ``low``, whole multiples of 2^-22 and of 2^-44 of the bound.
Both stay below 2^63 for any number of rows below 2^40.
"""

from typing import Any, NamedTuple

import numpy as np

from ...arrays import to_numpy

__all__ = ["ExactSum", "exact", "scalar_sum"]

_HIGH, _LOW = 2.0**22, 2.0**44


class ExactSum(NamedTuple):
    """Sums of values of one bound."""

    high: np.ndarray  # int64
    low: np.ndarray  # int64

    def __add__(self, other: "ExactSum") -> "ExactSum":  # type: ignore[override]
        """Add the sums of two blocks; nothing is rounded."""
        return ExactSum(self.high + other.high, self.low + other.low)

    def value(self, bound: float) -> np.ndarray:
        """Return the sums as float64, rounded once."""
        carried = self.low >> 22  # so that the result does not depend on how it was divided between the two
        return ((self.high + carried) / _HIGH + (self.low - (carried << 22)) / _LOW) * bound


def exact(sums: Any, bound: float) -> ExactSum:
    """Write the sums of one block, which depend on the block alone, as whole numbers."""
    values = np.asarray(to_numpy(sums), np.float64) / bound
    high = np.rint(values * _HIGH)
    low = np.rint((values - high / _HIGH) * _LOW)
    return ExactSum(high.astype(np.int64), low.astype(np.int64))


def scalar_sum(values: Any, order: Any = None) -> float:
    """Add up one number of each block, by rank, pairwise."""
    numbers = np.asarray(values, np.float64)
    return float(numbers[order].sum() if order is not None else numbers.sum())
