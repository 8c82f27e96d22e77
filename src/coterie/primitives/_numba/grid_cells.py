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
from .blocks import run_blocks
from .grid import sort_into_cells
from .jit import kernel

__all__ = [
    "Tables",
    "cell_counts",
    "cell_lookup",
    "cells_of",
    "column_range",
    "columns_of",
    "each_block",
    "n_blocks",
    "new_keys",
]

_VALUES = 65_536  # numbers of a block of rows
_TABLE_CELLS = 1 << 24  # more are sorted rather than counted in a table
_TABLE_SHARE = 32  # and so are few rows in many cells
_TABLE_BYTES = 1 << 29  # all private tables together
_LATE = 2**31 - 1


def column_range(X):
    """Least and greatest values; see ``primitives.grid_cells.column_range``."""
    found = []

    def look(rows, block):
        columns = columns_of(X[rows])
        found.append((columns.min(axis=1), columns.max(axis=1)))

    each_block(X, look)
    return np.min([low for low, _ in found], axis=0), np.max([high for _, high in found], axis=0)


def new_keys(X, grid):
    """Make room for keys; see ``primitives.grid_cells.new_keys``."""
    return np.empty(len(X), np.int64) if _fits_table(grid.size, len(X)) else None


def cell_counts(X, grid, keys=None):
    """Count rows by cell; see ``primitives.grid_cells.cell_counts``."""
    size = grid.size
    if not _fits_table(size, len(X)):
        return _count_by_sorting(X, grid)
    keys_of = _keys_of(grid)
    tables = Tables(lambda: np.zeros((size + 1, 2), np.int32), 8 * size)

    def count(rows, block):
        some = keys_of(columns_of(X[rows]), None if keys is None else keys[rows])
        with tables.one() as mine:
            _tally(some, rows.start, mine)

    each_block(X, count)
    total = tables.used[0]
    for table in tables.used[1:]:
        _merge(total, table)
    cells = np.flatnonzero(total[:-1, 0])
    coords = np.stack(np.unravel_index(cells, tuple(grid.n_cells)), axis=1).astype(np.int32)
    picked = total[cells].astype(np.int64)
    return coords, picked[:, 0], _LATE - picked[:, 1], total[-1, 0]


def cell_lookup(X, grid, coords, values, shift, keys=None):
    """Look up the value of each row's cell; see ``primitives.grid_cells.cell_lookup``."""
    out = np.empty(len(X), np.int64) if keys is None else keys
    find = cells_of(X, grid, coords, values, shift, keys)
    each_block(X, lambda rows, block: out.__setitem__(rows, find(rows)))
    return out


def cells_of(X, grid, coords, values, shift, keys=None) -> Callable:
    """Return a function of a slice of the rows that gives the value of each one's cell; see ``primitives.grid_cells.cell_lookup``."""
    size = int(np.prod([int(m - 1 >> shift) + 1 for m in grid.n_cells], dtype=object))
    if not _fits_table(size, len(X)):
        coords, values = np.ascontiguousarray(coords, np.int32), np.ascontiguousarray(values, np.int64)
        return lambda rows: _searched(places_of(columns_of(X[rows]), grid, shift), coords, values)
    # A small table stays in the cache.
    narrow = values.max(initial=-1) < 2**31
    table = np.full(size + 1, -1, np.int32 if narrow else np.int64)
    table[coords.astype(np.int64) @ _strides(grid, shift)] = values
    if keys is None:
        keys_of = _keys_of(grid, shift)
        return lambda rows: np.take(table, keys_of(columns_of(X[rows])), mode="clip")
    if shift:
        wide = table[:-1].reshape([int(m - 1 >> shift) + 1 for m in grid.n_cells])
        table = np.append(wide[np.ix_(*(np.arange(m) >> shift for m in grid.n_cells))], table.dtype.type(-1))
    return lambda rows: np.take(table, keys[rows], mode="clip")


def _fits_table(size, n):
    return size <= _TABLE_CELLS and size <= _TABLE_SHARE * n


def each_block(X: np.ndarray, work: Callable[[slice, int], Any]) -> None:
    """Call ``work(rows, block)`` for slices of the rows, on as many threads as allowed."""
    n, size = len(X), _rows_of_block(X)
    run_blocks(lambda block: work(slice(block * size, min(n, (block + 1) * size)), block), -(-n // size))


def n_blocks(X: np.ndarray) -> int:
    """Return into how many blocks `each_block` divides the rows."""
    return -(-len(X) // _rows_of_block(X))


def _rows_of_block(X):
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


def _keys_of(grid, shift=0):
    """Return a function of a block of rows by column that gives their row-major cell numbers; outside: one past the last."""
    how, strides = steps(grid), _strides(grid, shift)
    outside = int(strides[0] * ((grid.n_cells[0] - 1 >> shift) + 1))

    def keys_of(columns, keys=None):
        keys = np.empty(columns.shape[1], np.int64) if keys is None else keys
        _keys(
            columns,
            grid.low,
            grid.high,
            *how,
            grid.axes,
            grid.n_cells,
            strides,
            np.int64(shift),
            outside,
            keys,
        )
        return keys

    return keys_of


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
        keys, largest, keys_of = np.empty(len(X), np.int64), grid.size, _keys_of(grid)
        each_block(X, lambda rows, block: keys.__setitem__(rows, keys_of(columns_of(X[rows]))))
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
def _keys(
    columns,  # (d, b) float64  in
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
):
    keys[:] = 0
    for a in range(len(axes)):
        f, last, stride = axes[a], n_cells[a] - 1, strides[a]
        column, scale_f, start_f, per_a = columns[f], scale[f], start[f], per[a]
        for i in range(len(keys)):
            place = np.int64((column[i] * scale_f - start_f) * per_a)
            keys[i] += (min(max(place, 0), last) >> shift) * stride
    for f in range(len(low)):
        column, low_f, high_f = columns[f], low[f], high[f]
        for i in range(len(keys)):
            keys[i] = outside if column[i] < low_f or column[i] > high_f else keys[i]


@kernel
def _tally(
    keys,  # (b,) int64  in
    start,  # int  in: number of the first of these rows
    table,  # (cells + 1, 2) int32  in/out: rows, and how early the first one comes
):
    for i in range(len(keys)):
        cell = np.uint64(keys[i])
        table[cell, 0] += np.int32(1)
        table[cell, 1] = max(table[cell, 1], np.int32(_LATE - (start + i)))


@kernel
def _merge(
    total,  # (cells + 1, 2) int32  in/out
    table,  # (cells + 1, 2) int32  in
):
    for cell in range(len(total)):
        total[cell, 0] += table[cell, 0]
        total[cell, 1] = max(total[cell, 1], table[cell, 1])


def _searched(places, coords, values):
    out = np.empty(len(places), np.int64)
    _search(places, coords, values, out)
    return out


@kernel
def _search(
    places,  # (b, a) int32  in
    coords,  # (c, a) int32  in: row-major order
    values,  # (c,) int64  in
    out,  # (b,) int64  out
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
        out[i] = -1
        if below < coords.shape[0]:
            f = 0
            while f < n_axes and coords[below, f] == places[i, f]:
                f += 1
            if f == n_axes:
                out[i] = values[below]
