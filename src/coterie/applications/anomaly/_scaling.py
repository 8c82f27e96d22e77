"""Columns in units that can be compared: what a spread is, in a history that may hold rows that are not normal.

Where nothing is known of the history, the middle is the median and the spread is that of the values without the outermost 2.5 % on
either side; beyond four spreads a logarithm is put on what lies further out, so that one wild column does not drown the others.
A history that is known to be clean needs no such care.
"""

from typing import NamedTuple

import numpy as np

from ...tables.coding import compress

__all__ = ["Scaling", "fit_scaling", "scaled"]

_OUTERMOST = (0.025, 0.975)
_NOTHING = 1e-9  # of the spread of all values


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
    kind : {"robust", "spread", "range", "none"}
        "spread" is mean and standard deviation; "range" the least value, and the greatest less the least.

    Returns
    -------
    Scaling
        A column that is constant has its own size as the spread, so that a change by as much counts as one.
    """
    n_columns = rows.shape[1]
    if kind == "none":
        return Scaling(np.zeros(n_columns), np.ones(n_columns), False)
    if kind == "range":
        center = rows.min(axis=0)
        return Scaling(center, _positive(rows.max(axis=0) - center, center), False)
    deviation = rows.std(axis=0)
    if kind == "spread":
        center = rows.mean(axis=0)
        return Scaling(center, _positive(deviation, center), False)
    center = np.median(rows, axis=0)
    inner = np.clip(rows, *np.quantile(rows, _OUTERMOST, axis=0)).std(axis=0)
    return Scaling(center, _positive(np.where(inner > _NOTHING * deviation, inner, deviation), center), True)


def scaled(rows: np.ndarray, scaling: Scaling) -> np.ndarray:
    """Return rows in those units, (n, d)."""
    values = (rows - scaling.center) / scaling.spread
    return compress(values) if scaling.compressed else values


def _positive(spread: np.ndarray, center: np.ndarray) -> np.ndarray:
    size = np.abs(center)
    constant = spread <= _NOTHING * size
    return np.where(constant, np.where(size > 0, size, 1.0), spread)
