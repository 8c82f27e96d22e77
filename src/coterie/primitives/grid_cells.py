"""Counts by the cell of a grid that fills a box: the state of every grid method, exact and mergeable.

A `Grid` fixes the box and how often each axis is divided; then counts are whole numbers, and those of any blocks of rows, in any
order of merging, add up to those of all rows. Cells are half-open, but the upper edge of the box belongs to the last one.
"""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import to_numpy
from .engine import engine_of

__all__ = [
    "CellCounts",
    "Grid",
    "Steps",
    "cell_counts",
    "cell_lookup",
    "coarser",
    "column_range",
    "group_cells",
    "merge_counts",
    "new_keys",
    "steps",
]

MOST_KEY = 2**62
_TABLE_SHARE = 4


class Grid(NamedTuple):
    """A box over all columns, and into how many cells each axis is divided."""

    low: np.ndarray  # (d,) float64
    high: np.ndarray  # (d,) float64, not below low
    axes: np.ndarray  # (a,) int64: the columns that place a row
    n_cells: np.ndarray  # (a,) int64: cells along each axis; 1 where the box has no extent

    @property
    def size(self) -> int:
        """Return how many cells there are, as an exact integer."""
        return int(np.prod([int(m) for m in self.n_cells], dtype=object))


class Steps(NamedTuple):
    """What kernels compute with: ``t = x * scale - start`` lies in [0, 1], and the cell is the whole part of ``t * per``."""

    scale: np.ndarray  # (d,) float64: powers of two
    start: np.ndarray  # (d,) float64
    per: np.ndarray  # (a,) float64: cells per unit of t


class CellCounts(NamedTuple):
    """The occupied cells of a grid by ascending coordinates, with their rows counted."""

    coords: np.ndarray  # (c, a) int32: place along each axis, in row-major order
    counts: np.ndarray  # (c,) int64: rows, at least 1
    first: np.ndarray  # (c,) int64: number of the first row
    n_rows: int  # rows seen
    n_outside: int  # rows of those outside the box, in no cell


def steps(grid: Grid) -> Steps:
    """Return the numbers that place a row, such that no range of doubles overflows."""
    extent = grid.high / 2 - grid.low / 2
    scale = np.ldexp(1.0, np.clip(-1 - np.frexp(extent)[1], -1074, 1023))
    scale = np.where(extent > 0, scale, 0.0)
    start = grid.low * scale
    length = (grid.high * scale - start)[grid.axes]
    return Steps(scale, start, np.divide(grid.n_cells, length, out=np.zeros(len(length)), where=length > 0))


def column_range(X: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the greatest value of each column.

    Parameters
    ----------
    X : (n, d) float array, n >= 1
        Any engine, finite.

    Returns
    -------
    low, high : (d,) float64 array
        NumPy arrays whatever the engine; a zero has no sign.
    """
    low, high = (to_numpy(part) for part in engine_of(X, "grid_cells").column_range(X))
    return low + 0.0, high + 0.0


def new_keys(X: Any, grid: Grid) -> np.ndarray | None:
    """Return room for the number of each row's cell, or None where the engine of ``X`` does not number the cells of this grid.

    `cell_counts` fills it; whoever gets it afterwards need not find the rows' cells again.
    """
    return engine_of(X, "grid_cells").new_keys(X, grid)


def cell_counts(X: Any, grid: Grid, *, keys: np.ndarray | None = None) -> CellCounts:
    """Count the rows of each occupied cell.

    Parameters
    ----------
    X : (n, d) float array
        Any engine, finite. Nothing of it is copied on the CPU but a block at a time.
    grid : Grid
    keys : (n,) int64 array, optional
        From `new_keys`; gets the number of each row's cell.

    Returns
    -------
    CellCounts
        On the host. Cost: O(n) where a table of all cells is small beside ``X``, else a sort.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.grid_cells import Grid, cell_counts
    >>> grid = Grid(np.zeros(1), np.full(1, 3.0), np.arange(1), np.array([3]))
    >>> found = cell_counts(np.array([[2.0], [0.5], [3.0], [9.0]]), grid)
    >>> found.coords.ravel(), found.counts, found.first, found.n_outside
    (array([0, 2], dtype=int32), array([1, 2]), array([1, 0]), 1)
    """
    found = engine_of(X, "grid_cells").cell_counts(X, grid, keys)
    coords, counts, first, n_outside = (to_numpy(part) for part in found)
    return CellCounts(coords, counts, first, X.shape[0], int(n_outside))


def cell_lookup(
    X: Any, grid: Grid, coords: np.ndarray, values: np.ndarray, *, shift: int = 0, keys: np.ndarray | None = None
) -> Any:
    """Give each row the value of its cell.

    Parameters
    ----------
    X : (n, d) float array
        Any engine, finite.
    grid : Grid
    coords : (c, a) int array
        Cells that have a value, in row-major order.
    values : (c,) int64 array
        At least 0.
    shift : int, default=0
        ``coords`` are those of the grid's cells without their lowest ``shift`` bits: cells of a coarser level.
    keys : (n,) int64 array, optional
        As `cell_counts` filled it with the same rows and grid; it becomes the result.

    Returns
    -------
    (n,) int64 array
        Of the engine of ``X``; -1 outside the box and in all other cells.
    """
    return engine_of(X, "grid_cells").cell_lookup(X, grid, coords, values, shift, keys)


def merge_counts(a: CellCounts, b: CellCounts) -> CellCounts:
    """Return the counts of the rows of ``a`` followed by those of ``b``; both of the same grid."""
    coords, member = group_cells(np.concatenate([a.coords, b.coords]))
    counts, first = np.zeros(len(coords), np.int64), np.full(len(coords), np.iinfo(np.int64).max)
    np.add.at(counts, member, np.concatenate([a.counts, b.counts]))
    np.minimum.at(first, member, np.concatenate([a.first, b.first + a.n_rows]))
    return CellCounts(coords, counts, first, a.n_rows + b.n_rows, a.n_outside + b.n_outside)


def coarser(found: CellCounts, shift: int) -> CellCounts:
    """Return the counts of the grid whose cells are 2^shift times as wide, aligned at the low corner."""
    coords, member = group_cells(found.coords >> shift)
    counts, first = np.zeros(len(coords), np.int64), np.full(len(coords), np.iinfo(np.int64).max)
    np.add.at(counts, member, found.counts)
    np.minimum.at(first, member, found.first)
    return found._replace(coords=coords, counts=counts, first=first)


def group_cells(coords: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct cells in row-major order, and for each given one its place among them.

    Parameters
    ----------
    coords : (m, a) int array
        At least 0.

    Returns
    -------
    distinct : (c, a) int array
    member : (m,) int64 array
    """
    extents = [int(extent) + 1 for extent in coords.max(axis=0, initial=0)]
    size = int(np.prod(extents, dtype=object))
    if size < MOST_KEY:
        keys = np.zeros(len(coords), np.int64)
        for column, extent in zip(coords.T, extents, strict=True):
            keys *= extent
            keys += column
        if size <= _TABLE_SHARE * len(coords):  # a table of all numbers takes less time than a sort
            row = np.full(size, -1)
            row[keys] = np.arange(len(coords))
            numbers = np.flatnonzero(row >= 0)
            distinct = coords[row[numbers]]
            row[numbers] = np.arange(len(numbers))
            return distinct, row[keys]
    else:
        # Big-endian bytes are compared as the numbers are.
        keys = np.ascontiguousarray(coords, ">i4").view(f"V{4 * coords.shape[1]}")[:, 0]
    _, rows, member = np.unique(keys, return_index=True, return_inverse=True)
    return coords[rows], member.astype(np.int64)
