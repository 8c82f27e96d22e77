"""Statistics by the cell of a grid, as whole numbers: the same bits whatever the chunks, the threads and the order of merging.

A value is taken as ``q``, its distance from the low end of the box in units of 2^-48 of the box (rounded: some 1e-15 of the
column's range). Sums of q and of q^2 are kept in 128 bits, so nothing is ever rounded or cancels; mean and deviation are
derived at the end.
"""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import to_numpy
from .engine import engine_of
from .grid_cells import Grid, Steps, steps

__all__ = ["BINS", "UNIT", "CellSums", "bin_steps", "cell_moments", "cell_sums", "merge_sums", "sum_groups"]

BINS = 8
"""Bins of the histogram of each cell and attribute: the cell's own extent along an axis, the box for other columns."""

UNIT = 2.0**48
"""Steps of q in one unit of ``t`` (see `Steps`)."""


class CellSums(NamedTuple):
    """What STING keeps of each cell and attribute; whole numbers, except for the extremes."""

    sums: np.ndarray  # (c, m, 4) uint64: sum of q (low and high word), sum of q^2 (low and high word)
    extremes: np.ndarray  # (c, m, 2) float64: least and greatest value
    bins: np.ndarray  # (c, m, BINS) int64: rows of each bin


def bin_steps(grid: Grid, attributes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each attribute, bins per unit of ``t`` and the number of the last bin; bins count on from cell to cell."""
    how: Steps = steps(grid)
    length = grid.high * how.scale - how.start
    n_bins = np.full(len(grid.low), BINS)
    n_bins[grid.axes] = BINS * grid.n_cells
    per = np.divide(n_bins, length, out=np.zeros(len(length)), where=length > 0)
    return per[attributes], (n_bins - 1)[attributes]


def cell_sums(
    X: Any, grid: Grid, coords: np.ndarray, attributes: np.ndarray, *, keys: np.ndarray | None = None
) -> CellSums:
    """Add up the attributes of the rows of each cell.

    Parameters
    ----------
    X : (n, d) float array
        Any engine, finite.
    grid : Grid
        Rows outside its box are left out.
    coords : (c, a) int array
        The occupied cells, from `cell_counts`.
    attributes : (m,) int64 array
        Columns.
    keys : (n,) int64 array, optional
        As `cell_counts` filled it with the same rows and grid.

    Returns
    -------
    CellSums
        On the host.
    """
    sums, extremes, bins = engine_of(X, "grid_sums").cell_sums(X, grid, coords, attributes, keys)
    extremes = to_numpy(extremes)
    extremes += 0.0  # a zero has no sign
    return CellSums(to_numpy(sums), extremes, to_numpy(bins))


def merge_sums(a: CellSums, b: CellSums, member: np.ndarray, n_cells: int) -> CellSums:
    """Return the sums of two blocks of rows; ``member`` gives the new place of each cell of ``a``, then of ``b``."""
    both = CellSums(*(np.concatenate(parts) for parts in zip(a, b, strict=True)))
    return sum_groups(both, member, n_cells)


def sum_groups(found: CellSums, member: np.ndarray, n_groups: int) -> CellSums:
    """Add up cells: cell i goes to group ``member[i]``; bins are added as they are."""
    return CellSums(*engine_of(found.sums, "grid_sums").sum_groups(*found, member, n_groups))


def cell_moments(
    found: CellSums, counts: np.ndarray, grid: Grid, attributes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and population standard deviation of each cell and attribute.

    Parameters
    ----------
    found : CellSums
    counts : (c,) int64 array
        Rows of each cell, at least 1.
    grid : Grid
    attributes : (m,) int64 array

    Returns
    -------
    mean, std : (c, m) float64 array
        In the units of the columns; the mean lies between the extremes, the deviation of equal values is 0.
    """
    mean, std = engine_of(found.sums, "grid_sums").cell_moments(found.sums, counts)
    how = steps(grid)
    scale = np.where(how.scale > 0, how.scale, 1.0)[attributes]
    constant = how.scale[attributes] == 0
    mean = np.where(constant, grid.low[attributes], (mean / UNIT + how.start[attributes]) / scale)
    return np.clip(mean, found.extremes[:, :, 0], found.extremes[:, :, 1]), std / UNIT / scale
