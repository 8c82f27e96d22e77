"""Nearest centers of very many rows, a block at a time: nothing of the size of the rows is copied."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.sparse import issparse

from ..primitives.assign import nearest_center
from ..primitives.batch_step import nearest_as_given
from ..primitives.conditioning import condition

__all__ = ["blocks", "conditioned", "nearest"]

_MOST_ROWS, _MOST_NUMBERS = 1 << 16, 1 << 21


def blocks(X: Any) -> Iterator[slice]:
    """Divide rows into blocks of some ten megabytes at most, as dense float64."""
    n, d = X.shape
    rows = max(1, min(_MOST_ROWS, _MOST_NUMBERS // d))
    return (slice(first, first + rows) for first in range(0, n, rows))


def conditioned(rows: Any, shift: np.ndarray, scale: float) -> Any:
    """Return rows in the coordinates of the centers; sparse rows stay sparse where nothing is to be shifted."""
    if issparse(rows) and not shift.any():
        return rows / rows.dtype.type(scale)
    return condition(rows.toarray() if issparse(rows) else rows, shift, scale).rows


def nearest(rows: Any, centers: np.ndarray, shift: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest center of each row, ties to the lowest.

    Parameters
    ----------
    rows : (n, d) float array of any engine, or CSR array
        As given; may be memory-mapped.
    centers : (k, d) float64 array
        Shifted and scaled.
    shift : (d,) float64 array
    scale : float

    Returns
    -------
    labels : (n,) int64 array
        On the host, as the next one.
    distances2 : (n,) float64 array
        In the coordinates of the centers.
    """
    if isinstance(rows, np.ndarray):
        return nearest_as_given(rows, centers, shift, scale)  # which copies nothing
    labels, distances2 = np.empty(rows.shape[0], np.int64), np.empty(rows.shape[0])
    for block in blocks(rows):
        some = rows[block]
        found = (
            nearest_center(conditioned(some, shift, scale), centers)
            if issparse(some)
            else nearest_as_given(some, centers, shift, scale)
        )
        labels[block], distances2[block] = found
    return labels, distances2
