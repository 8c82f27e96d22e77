"""Rows summed up by the cells they lie in: what CLIQUE must know of rows it cannot keep."""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import to_numpy
from ..primitives.bitsets import first_containing
from ..primitives.intervals import OUTSIDE, interval_codes
from ._clique_clusters import UnitIndex

__all__ = ["CellCounts", "codes_of", "finalize", "merge", "partial", "varying"]


class CellCounts(NamedTuple):
    """The occupied cells of the grid, in row-major order; blocks of rows are summed up apart and merged."""

    codes: np.ndarray  # (c, m) uint16: place of each cell along each feature that varies
    counts: np.ndarray  # (m,) int64: rows
    first: np.ndarray  # (m,) int64: number of the first of them
    n: int  # rows in all, those outside the grid included


def partial(block: Any, edges: np.ndarray) -> CellCounts:
    """Count a block of rows by cell.

    Parameters
    ----------
    block : (n, d) float array or tensor
    edges : (d, m + 1) float64 array
        Of the intervals; see `coterie.primitives.intervals.interval_edges`.

    Returns
    -------
    CellCounts
    """
    return _cells_of(to_numpy(codes_of(block, edges)).astype(np.uint16))


def merge(a: CellCounts, b: CellCounts) -> CellCounts:
    """Return the sum of two blocks; the rows of ``b`` come after those of ``a``. Associative and exact."""
    codes, index, number = _distinct(np.concatenate([a.codes, b.codes], axis=1), inverse=True)
    counts = np.bincount(number, np.concatenate([a.counts, b.counts]), codes.shape[1]).astype(np.int64)
    first = np.concatenate([a.first, b.first + a.n])[index]  # of equal cells the first: that of ``a``
    return CellCounts(codes, counts, first, a.n + b.n)


def finalize(state: CellCounts, index: UnitIndex) -> tuple[np.ndarray, np.ndarray]:
    """Number the clusters that are the first of some rows.

    Parameters
    ----------
    state : CellCounts
        All rows.
    index : UnitIndex
        Of all clusters.

    Returns
    -------
    clusters, labels : int arrays
        Numbers of the clusters, and their labels: by first appearance in the rows.
    """
    unit = first_containing(index.sets(state.codes), index.members)
    inside = unit >= 0
    cluster, first = index.cluster[unit[inside]], state.first[inside]
    order = np.argsort(first, kind="stable")
    found, place = np.unique(cluster[order], return_index=True)
    return found[np.argsort(place)], np.arange(len(found))


def varying(edges: np.ndarray) -> np.ndarray:
    """Return the features that vary, by the edges of their intervals."""
    return np.flatnonzero(edges[:, 0] < edges[:, -1])


def codes_of(rows: Any, edges: np.ndarray) -> Any:
    """Return the intervals of the rows in the features that vary, (c, n)."""
    columns = varying(edges)
    return interval_codes(rows, columns, edges[columns])


def _cells_of(codes: np.ndarray) -> CellCounts:
    rows = np.flatnonzero((codes != OUTSIDE).all(axis=0))
    found, first, counts = _distinct(codes[:, rows])
    return CellCounts(found, counts, rows[first], codes.shape[1])


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
