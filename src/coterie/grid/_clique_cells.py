"""Rows summed up by the cells they lie in: what CLIQUE must know of rows it cannot keep."""

from typing import NamedTuple

import numpy as np

from ..primitives.intervals import OUTSIDE

__all__ = ["CellCounts", "cells_of", "merge"]


class CellCounts(NamedTuple):
    """The occupied cells of the grid, in row-major order; blocks of rows are summed up apart and merged."""

    codes: np.ndarray  # (c, m) uint16: place of each cell along each feature that varies
    counts: np.ndarray  # (m,) int64: rows
    first: np.ndarray  # (m,) int64: number of the first of them
    n: int  # rows in all, those outside the grid included


def cells_of(codes: np.ndarray) -> CellCounts:
    """Sum up the rows of a block.

    Parameters
    ----------
    codes : (c, n) uint16 array
        From `coterie.primitives.intervals.interval_codes`.
    """
    rows = np.flatnonzero((codes != OUTSIDE).all(axis=0))
    found, first, counts = _distinct(codes[:, rows])
    return CellCounts(found, counts, rows[first], codes.shape[1])


def merge(a: CellCounts, b: CellCounts) -> CellCounts:
    """Return the sum of two blocks; the rows of ``b`` come after those of ``a``. Associative and exact."""
    codes, index, number = _distinct(np.concatenate([a.codes, b.codes], axis=1), inverse=True)
    counts = np.bincount(number, np.concatenate([a.counts, b.counts]), codes.shape[1]).astype(np.int64)
    first = np.concatenate([a.first, b.first + a.n])[index]  # of equal cells the first: that of ``a``
    return CellCounts(codes, counts, first, a.n + b.n)


def _distinct(codes: np.ndarray, inverse: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the distinct columns, where each occurs first, and how often; or instead, which one every column is."""
    if not len(codes):
        first = np.zeros(min(1, codes.shape[1]), np.int64)
        number = np.zeros(codes.shape[1], np.int64)
        return codes[:, first], first, number if inverse else np.full(len(first), codes.shape[1])
    order = np.lexsort(codes[::-1])
    new = np.r_[True, (np.diff(codes[:, order].astype(np.int32), axis=1) != 0).any(axis=0)][: len(order)]
    starts = np.flatnonzero(new)
    if not inverse:
        return codes[:, order[starts]], order[starts], np.diff(np.r_[starts, len(order)])
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(new) - 1
    return codes[:, order[starts]], order[starts], number
