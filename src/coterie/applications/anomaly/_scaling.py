"""Columns in units that can be compared: distances from the mean in standard deviations.

Where history may hold rows that are not normal, a logarithm is put on what lies beyond four deviations, so that one wild column
does not drown the others; and the units are measured again once far rows are left out.
"""

from typing import NamedTuple

import numpy as np

from ...tables.coding import compress

__all__ = ["Scaling", "fit_scaling", "scaled"]

_NOTHING = 1e-9  # of the size of a column


class Scaling(NamedTuple):
    """How columns were brought to one unit."""

    center: np.ndarray  # (d,)
    spread: np.ndarray  # (d,)
    compressed: bool


def fit_scaling(rows: np.ndarray, kind: str) -> Scaling:
    """Find middle and spread of each column.

    Parameters
    ----------
    rows : (n, d) float64 array
    kind : {"compressed", "spread", "range", "none"}
        "compressed" and "spread" are mean and standard deviation, the first with tails compressed; "range" the least value, and the
        greatest less the least.

    Returns
    -------
    Scaling
        A column that is constant has its own size as the spread, so that a change by as much counts as one.
    """
    if kind == "none":
        return Scaling(np.zeros(rows.shape[1]), np.ones(rows.shape[1]), False)
    if kind == "range":
        center = rows.min(axis=0)
        return Scaling(center, _positive(rows.max(axis=0) - center, center), False)
    center = rows.mean(axis=0)
    return Scaling(center, _positive(rows.std(axis=0), center), kind == "compressed")


def scaled(rows: np.ndarray, scaling: Scaling) -> np.ndarray:
    """Return rows in those units, (n, d)."""
    values = (rows - scaling.center) / scaling.spread
    return compress(values) if scaling.compressed else values


def _positive(spread: np.ndarray, center: np.ndarray) -> np.ndarray:
    size = np.abs(center)
    constant = spread <= _NOTHING * size
    return np.where(constant, np.where(size > 0, size, 1.0), spread)
