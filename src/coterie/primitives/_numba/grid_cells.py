"""Counts by cell on the CPU: rows are read block by block, where they lie; tables are private to a thread and whole numbers.

Adding whole numbers has no order, so which thread counted which block changes nothing. float32 rows become float64 a block at a
time, so that one kernel serves both.
"""

import contextlib
import queue
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..engine import get_num_threads
from ..grid_cells import MOST_KEY, group_cells, steps
from .blocks import block_count, run_blocks, run_kernel
from .grid import sort_into_cells
from .jit import kernel, part

__all__ = [
    "Tables",
    "cell_counts",
    "cell_lookup",
    "column_range",
    "columns_of",
    "each_block",
    "n_blocks",
    "new_keys",
    "numbered_cells",
    "rows_of_block",
]

_VALUES = 65_536  # numbers of a block of rows
_PIECE = 512  # rows that are numbered together
_RANGE_VALUES, _RANGE_WIDTH = 1 << 18, 2048  # of a block, and of its rows laid side by side
_TABLE_CELLS = 1 << 24  # more are sorted rather than counted in a table
_TABLE_SHARE = 32  # and so are few rows in many cells
_TABLE_BYTES = 1 << 29  # all private tables together
_NO_TABLE = np.empty(0, np.int32), np.empty(0, np.int32)


def column_range(X):
    """Least and greatest values; see ``primitives.grid_cells.column_range``."""
    n = len(X)
    together = max(1, _RANGE_WIDTH // X.shape[1])
    blocks = block_count(n, _RANGE_VALUES // X.shape[1] + 1)
    found: list[Any] = [None] * blocks

    def look(block):
        rows = X[n * block // blocks : n * (block + 1) // blocks]
        found[block] = _across(np.min, rows, together), _across(np.max, rows, together)

    run_blocks(look, blocks)
    low, high = (np.stack(parts) for parts in zip(*found, strict=True))
    return low.min(axis=0).astype(np.float64), high.max(axis=0).astype(np.float64)


def _across(extreme, rows, together):
    """Reduce columns; NumPy is ten times as fast on wide rows, so many rows are laid side by side first."""
    whole = len(rows) - len(rows) % together
    parts = [rows[whole:]]
    if whole:
        parts.append(extreme(rows[:whole].reshape(-1, together * rows.shape[1]), axis=0).reshape(together, -1))
    return extreme(np.concatenate(parts), axis=0)


def new_keys(X, grid):
    """Make room for keys; see ``primitives.grid_cells.new_keys``."""
    return np.empty(len(X), np.int64) if _fits_table(grid.size, len(X)) else None


def cell_counts(X, grid, keys=None):
    """Count rows by cell; see ``primitives.grid_cells.cell_counts``."""
    size = grid.size
    if not _fits_table(size, len(X)):
        return _count_by_sorting(X, grid)
    number = _numbering(grid)
    tables = Tables(lambda: _new_table(size), 8 * size)

    def count(rows, block):
        with tables.one() as mine:
            number(X[rows], None if keys is None else keys[rows], rows.start, *mine)

    each_block(X, count)
    total, first = tables.used[0]
    for table in tables.used[1:]:
        _merge(total, first, *table)
    c = np.count_nonzero(total[:-1])
    coords, counts, firsts = np.empty((c, len(grid.n_cells)), np.int32), np.empty(c, np.int64), np.empty(c, np.int64)
    run_kernel(_list_cells, total, first, grid.n_cells, coords, counts, firsts)
    return coords, counts, firsts, total[-1]


def _new_table(size):
    """Return rows and first row of each cell and of none; the last place holds the greatest row number seen."""
    first = np.empty(size + 2, np.int32)
    first[-1] = -1
    return np.zeros(size + 1, np.int32), first


def cell_lookup(X, grid, coords, values, shift, keys=None):
    """Look up the value of each row's cell; see ``primitives.grid_cells.cell_lookup``."""
    out = np.empty(len(X), np.int64) if keys is None else keys
    numbers_of, cells = numbered_cells(X, grid, coords, keys, shift)
    values = np.append(values, -1)
    # A small table stays in the cache.
    table = values.astype(np.int32 if values.max() < 2**31 else np.int64)[cells]
    each_block(X, lambda rows, block: out.__setitem__(rows, np.take(table, numbers_of(rows), mode="clip")))
    return out


def numbered_cells(X, grid, coords, keys=None, shift=0) -> tuple[Callable, np.ndarray]:
    """Number the cells of rows.

    Parameters
    ----------
    X, grid, coords, keys, shift
        See ``primitives.grid_cells.cell_lookup``.

    Returns
    -------
    numbers_of : callable
        Gives a number for each row of a slice, (b,) int64.
    cells : (t,) int32 array
        Place in ``coords`` of the cell with each number, -1 for none.
    """
    sides = [int(m - 1 >> shift) + 1 for m in grid.n_cells]
    size = int(np.prod(sides, dtype=object))
    if not _fits_table(size, len(X)):
        known = np.ascontiguousarray(coords, np.int32)
        cells = np.append(np.arange(len(known), dtype=np.int32), np.int32(-1))
        return lambda rows: _searched(places_of(columns_of(X[rows]), grid, shift), known), cells
    cells = np.full(size + 1, -1, np.int32)
    run_kernel(_fill, np.ascontiguousarray(coords, np.int32), _strides(grid, shift), cells)
    if keys is None:
        number = _numbering(grid, shift)
        return lambda rows: number(X[rows]), cells
    if shift:
        wide = cells[:-1].reshape(sides)
        cells = np.append(wide[np.ix_(*(np.arange(m) >> shift for m in grid.n_cells))], np.int32(-1))
    return lambda rows: keys[rows], cells


def _fits_table(size, n):
    return size <= _TABLE_CELLS and size <= _TABLE_SHARE * n


def each_block(X: np.ndarray, work: Callable[[slice, int], Any]) -> None:
    """Call ``work(rows, block)`` for slices of the rows, on as many threads as allowed."""
    n, size = len(X), rows_of_block(X)
    run_blocks(lambda block: work(slice(block * size, min(n, (block + 1) * size)), block), -(-n // size))


def n_blocks(X: np.ndarray) -> int:
    """Return into how many blocks `each_block` divides the rows."""
    return -(-len(X) // rows_of_block(X))


def rows_of_block(X: np.ndarray) -> int:
    """Return how many rows a block of `each_block` has; at most 2^15."""
    return max(64, _VALUES // max(2, X.shape[1]))


def columns_of(rows: np.ndarray) -> np.ndarray:
    """Return a block of rows as (d, b) float64, so that loops run along a column."""
    return np.ascontiguousarray(rows.T, np.float64)


class Tables:
    """Private tables, each used by one thread at a time: one a thread, but all of them below `_TABLE_BYTES`."""

    def __init__(self, make: Callable[[], Any], bytes_each: int) -> None:
        self.used: list[Any] = []
        self._make = make
        self._free: queue.SimpleQueue = queue.SimpleQueue()
        for _ in range(max(1, min(get_num_threads(), _TABLE_BYTES // max(1, bytes_each)))):
            self._free.put(None)

    @contextlib.contextmanager
    def one(self) -> Iterator[Any]:
        """Lend a table, new where there is none yet."""
        mine = self._free.get()
        try:
            if mine is None:
                mine = self._make()
                self.used.append(mine)
            yield mine
        finally:
            self._free.put(mine)


def _strides(grid, shift=0):
    sides = (grid.n_cells - 1 >> shift) + 1
    return np.append(np.cumprod(sides[::-1])[::-1], 1)[1:].astype(np.int64)


def _numbering(grid, shift=0):
    """Return a function of a block of rows that gives their row-major cell numbers; outside: one past the last."""
    how, strides = steps(grid), _strides(grid, shift)
    outside = int(strides[0] * ((grid.n_cells[0] - 1 >> shift) + 1))
    fixed = grid.low, grid.high, *how, grid.axes, grid.n_cells, strides, np.int64(shift), outside

    def number(rows, keys=None, begin=0, counts=_NO_TABLE[0], first=_NO_TABLE[1]):
        keys = np.empty(len(rows), np.int64) if keys is None else keys
        _number(np.ascontiguousarray(rows, np.float64), *fixed, keys, begin, counts, first)
        return keys

    return number


def places_of(columns, grid, shift=0):
    """Return the coordinates of a block of rows by column, (b, a) int32; of rows outside the first one is -1."""
    axes, how = grid.axes, steps(grid)
    inside = ((columns >= grid.low[:, None]) & (columns <= grid.high[:, None])).all(axis=0)
    with np.errstate(invalid="ignore"):  # rows outside the box may be anywhere
        found = ((columns[axes] * how.scale[axes, None] - how.start[axes, None]) * how.per[:, None]).astype(np.int64)
    places = np.clip(found, 0, grid.n_cells[:, None] - 1) >> shift
    places[0, ~inside] = -1
    return np.ascontiguousarray(places.T, np.int32)


def _count_by_sorting(X, grid):
    if grid.size < MOST_KEY:
        keys, largest, number = np.empty(len(X), np.int64), grid.size, _numbering(grid)
        each_block(X, lambda rows, block: number(X[rows], keys[rows]))
        inside = keys < largest
    else:
        places = np.empty((len(X), len(grid.axes)), np.int32)
        each_block(X, lambda rows, block: places.__setitem__(rows, places_of(columns_of(X[rows]), grid)))
        inside, largest = places[:, 0] >= 0, len(X)
        keys = group_cells(places + 1)[1]
    rows = np.flatnonzero(inside)
    if len(rows) == 0:
        return np.empty((0, len(grid.axes)), np.int32), np.empty(0, np.int64), np.empty(0, np.int64), len(X)
    found = sort_into_cells(keys[rows], largest)
    first = rows[found.order[found.starts[:-1]]]
    return places_of(columns_of(X[first]), grid), np.diff(found.starts), first, len(X) - len(rows)


@kernel
def _number(
    rows,  # (b, d) float64  in
    low,  # (d,)  in
    high,  # (d,)  in
    scale,  # (d,)  in
    start,  # (d,)  in
    per,  # (a,)  in
    axes,  # (a,) int64  in
    n_cells,  # (a,) int64  in
    strides,  # (a,) int64  in
    shift,  # int  in
    outside,  # int  in: the number of rows in no cell
    keys,  # (b,) int64  out
    number,  # int  in: of the first of these rows
    counts,  # (cells + 1,) int32  in/out: rows of each cell; of none, nothing is counted
    first,  # (cells + 2,) int32  in/out: first row of each cell that has one; at last, the greatest row number seen
):
    # A few rows at a time go column by column, and stay in the nearest cache until they are counted.
    columns = np.empty((len(low), _PIECE))
    for begin in range(0, len(rows), _PIECE):
        size = min(_PIECE, len(rows) - begin)
        mine = keys[begin : begin + size]
        mine[:] = 0
        for f in range(len(low)):
            for i in range(size):
                columns[f, i] = rows[begin + i, f]
        for a in range(len(axes)):
            f, end, stride = axes[a], n_cells[a] - 1, strides[a]
            column, scale_f, start_f, per_a = columns[f], scale[f], start[f], per[a]
            for i in range(size):
                place = np.int64((column[i] * scale_f - start_f) * per_a)
                mine[i] += (min(max(place, 0), end) >> shift) * stride
        for f in range(len(low)):
            column, low_f, high_f = columns[f], low[f], high[f]
            for i in range(size):
                mine[i] = outside if column[i] < low_f or column[i] > high_f else mine[i]
        if len(counts) > 0:
            _count(mine, number + begin, counts, first)


@part
def _count(keys, number, counts, first):
    # Blocks come in order but for threads that overtake each other, so the first row is looked at once a cell.
    overtaken = number < first[-1]
    for i in range(len(keys)):
        cell = np.uint64(keys[i])
        if counts[cell] == 0:
            first[cell] = number + i
        elif overtaken:
            first[cell] = min(first[cell], np.int32(number + i))
        counts[cell] += np.int32(1)
    first[-1] = max(first[-1], np.int32(number + len(keys) - 1))


@kernel
def _fill(
    coords,  # (c, a) int32  in
    strides,  # (a,) int64  in
    cells,  # (t,) int32  out: place in coords by number
):
    for i in range(len(coords)):
        number = np.int64(0)
        for axis in range(len(strides)):
            number += coords[i, axis] * strides[axis]
        cells[np.uint64(number)] = i


@kernel
def _merge(
    counts,  # (cells + 1,) int32  in/out
    first,  # (cells + 2,) int32  in/out
    more,  # (cells + 1,) int32  in
    first_of_more,  # (cells + 2,) int32  in
):
    for cell in range(len(counts)):
        if counts[cell] == 0 or (more[cell] > 0 and first_of_more[cell] < first[cell]):
            first[cell] = first_of_more[cell]
        counts[cell] += more[cell]


@kernel
def _list_cells(
    counts,  # (cells + 1,) int32  in
    first,  # (cells + 2,) int32  in
    n_cells,  # (a,) int64  in
    coords,  # (c, a) int32  out
    rows,  # (c,) int64  out
    firsts,  # (c,) int64  out
):
    place, at = np.zeros(len(n_cells), np.int32), 0
    for cell in range(len(counts) - 1):
        if counts[cell] > 0:
            for axis in range(len(place)):
                coords[at, axis] = place[axis]
            rows[at], firsts[at] = counts[cell], first[cell]
            at += 1
        axis = len(place) - 1
        place[axis] += 1
        while axis > 0 and place[axis] == n_cells[axis]:
            place[axis] = 0
            axis -= 1
            place[axis] += 1


def _searched(places, coords):
    out = np.empty(len(places), np.int64)
    _search(places, coords, out)
    return out


@kernel
def _search(
    places,  # (b, a) int32  in
    coords,  # (c, a) int32  in: row-major order
    out,  # (b,) int64  out: place in coords, or c
):
    n_axes = places.shape[1]
    for i in range(places.shape[0]):
        below, above = 0, coords.shape[0]
        while below < above:
            middle = (below + above) >> 1
            f = 0
            while f < n_axes and coords[middle, f] == places[i, f]:
                f += 1
            if f < n_axes and coords[middle, f] < places[i, f]:
                below = middle + 1
            else:
                above = middle
        out[i] = coords.shape[0]
        if below < coords.shape[0]:
            f = 0
            while f < n_axes and coords[below, f] == places[i, f]:
                f += 1
            if f == n_axes:
                out[i] = below
