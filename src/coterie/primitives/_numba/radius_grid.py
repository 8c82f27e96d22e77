"""Counting and joining within a radius on a grid, in one to three dimensions.

The side of a cell is a little less than radius / sqrt(d), so that all rows of a cell are neighbours: a cell with enough rows
needs no distances, and a cell's rows are always joined. Neighbours lie at most two cells away. Keys of neighbouring cells in
the last dimension are consecutive, so for each line of cells two cells away or less a pointer into the sorted keys moves
along as the cells are gone through: no table, no search. What boxes say (the rows' own, not the cells') is exact under rounding.
"""

from typing import NamedTuple

import numpy as np

from .blocks import run_blocks
from .grid import SortedCells, sort_into_cells
from .jit import kernel, part
from .neighbors_tile import end_of, larger
from .radius_nearest import precedes
from .radius_tile import bit_count, low_bit, within_span
from .tile import GROUP
from .union_find import find, union

__all__ = [
    "Grid",
    "build_grid",
    "cell_blocks",
    "count_grid",
    "join_grid",
    "nearest_grid",
    "roots_grid",
    "sort_mask",
]

# Cells, in every dimension: ceil(sqrt(3)), and one more than sqrt(1). Kernels say np.int64(REACH): a literal would be a type
# of its own, and everything called with it compiled twice.
REACH = 2
_MOST_DIMENSIONS = 3
_MOST_ROWS_IN_CELL = 1024  # above, boxes within a cell pay: the k-d tree has them
_MOST_CELLS_ALONG = 2**40
_ROWS = 32_768


class Grid(NamedTuple):
    """Rows by cell, with the cells' boxes."""

    X: np.ndarray  # (n, d) rows by cell
    columns: np.ndarray  # (d, n + 32) the same, feature by feature, infinite at the end
    cells: SortedCells
    low: np.ndarray  # (c, d) lower corner of each cell's rows
    high: np.ndarray  # (c, d) upper corner
    origin: np.ndarray  # (d,) float64
    per_unit: float  # cells in a unit of length
    extent: np.ndarray  # (d,) int64: cells along each dimension, with REACH empty ones before and behind
    strides: np.ndarray  # (d,) int64: what a step adds to the key
    lines: (
        np.ndarray
    )  # (l,) int64: what leads to the lines of cells around, in all dimensions but the last, near ones first


def build_grid(rows, limit):
    """Return the grid for a radius of ``limit``, or None where a tree serves better."""
    n, d = rows.shape
    if d > _MOST_DIMENSIONS or not limit > 0:
        return None
    # Column by column: NumPy takes ten times as long along the short axis.
    origin = np.array([rows[:, f].min() for f in range(d)], np.float64)
    with np.errstate(over="ignore"):
        width = np.array([rows[:, f].max() for f in range(d)], np.float64) - origin
    # Rounding: of a squared distance in the rows' type, and of a row's place, which grows with the number of cells.
    along = float(width.max()) / limit * np.sqrt(d)
    if not along < _MOST_CELLS_ALONG:
        return None
    shrink = 1.0 - 16.0 * float(np.finfo(rows.dtype).eps) - 8.0 * along * 2.0**-52
    per_unit = np.sqrt(d) / (limit * shrink)
    extent = np.floor(width * per_unit).astype(np.int64) + 1 + 2 * REACH
    strides = np.ones(d, np.int64)
    for f in range(d - 2, -1, -1):
        strides[f] = strides[f + 1] * extent[f + 1]
    if not float(np.prod(extent.astype(np.float64))) < 2.0**62:
        return None
    cells = _sort(rows, origin, per_unit, extent, strides)
    if np.diff(cells.starts).max() > _MOST_ROWS_IN_CELL:
        return None
    sorted_rows, columns = np.empty_like(rows), np.empty((d, n + GROUP), rows.dtype)
    columns[:, n:] = np.inf
    low, high = (np.empty((len(cells.keys), d), rows.dtype) for _ in range(2))
    blocks, per_block = cell_blocks(cells)
    run_blocks(_gather, blocks, per_block, rows, cells.order, cells.starts, sorted_rows, columns, low, high)
    return Grid(sorted_rows, columns, cells, low, high, origin, per_unit, extent, strides, _lines(strides))


def sort_queries(grid, queries):
    """Return queries by cell; those out of reach of every cell come first."""
    return _sort(queries, grid.origin, grid.per_unit, grid.extent, grid.strides)


def _sort(rows, origin, per_unit, extent, strides):
    keys = np.empty(len(rows), np.int64)
    run_blocks(_keys_of, -(-len(rows) // _ROWS), rows, origin, per_unit, extent, strides, keys)
    return sort_into_cells(keys, int(strides[0] * extent[0]))


def cell_blocks(cells):
    """Return how many blocks of cells there are and how many cells one has: by the data alone."""
    c = len(cells.keys)
    # Full cells are slow cells: a block has about 8192 rows.
    per_block = max(1, -(-c // max(128, len(cells.order) // 8192)))
    return -(-c // per_block), per_block


def _lines(strides):
    offsets = np.zeros(1, np.int64)
    for stride in strides[:-1]:
        offsets = (offsets[:, None] + stride * np.arange(-REACH, REACH + 1)).ravel()
    return offsets[np.lexsort((offsets, abs(offsets)))]


def sort_mask(grid, mask):
    """Return the mask by place, and for each cell whether any of its rows is in it."""
    places = mask[grid.cells.order]
    return places, np.logical_or.reduceat(places, grid.cells.starts[:-1])


@kernel
def _keys_of(
    block,  # int  in
    X,  # (n, d)  in
    origin,  # (d,) float64  in
    per_unit,  # float  in
    extent,  # (d,) int64  in
    strides,  # (d,) int64  in
    keys,  # (n,) int64  out; 0 for rows that are out of reach of every cell
):
    """Write the key of the cell of each row."""
    for row in range(block * _ROWS, end_of(block, np.int64(_ROWS), len(X))):
        key = 0
        for f in range(X.shape[1]):
            place = np.floor((np.float64(X[row, f]) - origin[f]) * per_unit) + REACH
            if not (place >= 0.0 and place < extent[f]):
                key = -1
                break
            key += np.int64(place) * strides[f]
        keys[row] = key if key > 0 else 0


@kernel
def _gather(block, per_block, rows, order, starts, sorted_rows, columns, low, high):
    d = rows.shape[1]
    for cell in range(block * per_block, end_of(block, per_block, len(low))):
        for f in range(d):
            low[cell, f], high[cell, f] = np.inf, -np.inf
        for place in range(starts[cell], starts[cell + 1]):
            for f in range(d):
                value = rows[order[place], f]
                sorted_rows[place, f] = columns[f, place] = value
                low[cell, f] = value if value < low[cell, f] else low[cell, f]
                high[cell, f] = value if value > high[cell, f] else high[cell, f]


@part
def _start(keys, key, lines, reach, pointers):
    """Point at the first cell of each line around the cell ``key``, and behind its last."""
    for line in range(len(lines)):
        low, high = 0, len(keys)
        while low < high:
            middle = (low + high) // 2
            if keys[middle] < key + lines[line] - reach:
                low = middle + 1
            else:
                high = middle
        pointers[line, 0] = pointers[line, 1] = low


@part
def _move(keys, key, lines, line, reach, pointers):
    """Move the pointers of a line on to the cell ``key``; return the first cell and the end."""
    first, end = pointers[line, 0], pointers[line, 1]
    while first < len(keys) and keys[first] < key + lines[line] - reach:
        first += 1
    end = end if end > first else first
    while end < len(keys) and keys[end] <= key + lines[line] + reach:
        end += 1
    pointers[line, 0], pointers[line, 1] = first, end
    return first, end


@part
def _spans(
    key,  # int  in: of a cell
    keys,  # (c,) int64  in
    starts,  # (c + 1,) int64  in
    lines,  # (l,) int64  in
    pointers,  # (l, 2) int64  in/out
    spans,  # (l, 2) int64  out: places of the rows of each line around the cell, near lines first
):
    """Find the rows around a cell, a line of cells at a time; return how many lines hold some."""
    n_spans = 0
    for line in range(len(lines)):
        first, end = _move(keys, key, lines, line, np.int64(REACH), pointers)
        if end > first:
            spans[n_spans, 0], spans[n_spans, 1] = starts[first], starts[end]
            n_spans += 1
    return n_spans


# --- counting --------------------------------------------------------------------------------------------------------


@kernel
def count_grid(
    block,  # int  in: cells block * per_block ...
    per_block,  # int  in
    X,  # (n, d)  in: rows by cell
    columns,  # (d, n + 32)  in
    keys,  # (c,) int64  in
    starts,  # (c + 1,) int64  in
    order,  # (n,) int64  in
    lines,  # (l,) int64  in
    limit2,  # number of X's type  in: squared radius
    enough,  # int  in: a row that has so many need not be counted on
    counts,  # (n,) int64  out: in the order of the input
):
    """Count the rows within the radius of each row of a block of cells."""
    pointers = np.empty((len(lines), 2), np.int64)
    _start(keys, keys[block * per_block], lines, np.int64(REACH), pointers)
    spans = np.empty((len(lines), 2), np.int64)
    for cell in range(block * per_block, end_of(block, per_block, len(keys))):
        own = starts[cell + 1] - starts[cell]
        n_spans = 0 if own >= enough else _spans(keys[cell], keys, starts, lines, pointers, spans)
        for place in range(starts[cell], starts[cell + 1]):
            # Without a call: passing arrays would cost more than the tile.
            total = own if own >= enough else 0
            for span in range(n_spans):
                at, end = spans[span, 0], spans[span, 1]
                while at < end and total < enough:
                    bits = within_span(X, place, columns, at, limit2)
                    if end - at < GROUP:
                        bits &= (1 << (end - at)) - 1
                    total += bit_count(bits)
                    at += GROUP
            counts[order[place]] = total


@kernel
def weigh_grid(
    block,  # int  in: cells block * per_block ...
    per_block,  # int  in
    X,  # (n, d)  in: rows by cell
    columns,  # (d, n + 32)  in
    keys,  # (c,) int64  in
    starts,  # (c + 1,) int64  in
    order,  # (n,) int64  in
    lines,  # (l,) int64  in
    limit2,  # number of X's type  in: squared radius
    weights,  # (n,) float64  in: in the order of the input
    enough,  # float  in: a row that has so much need not be counted on; infinite where a weight is negative
    sums,  # (n,) float64  out: in the order of the input
):
    """Add up the weights of the rows within the radius of each row of a block of cells."""
    pointers = np.empty((len(lines), 2), np.int64)
    _start(keys, keys[block * per_block], lines, np.int64(REACH), pointers)
    spans = np.empty((len(lines), 2), np.int64)
    for cell in range(block * per_block, end_of(block, per_block, len(keys))):
        n_spans = _spans(keys[cell], keys, starts, lines, pointers, spans)
        for place in range(starts[cell], starts[cell + 1]):
            total = 0.0
            for span in range(n_spans):
                at, end = spans[span, 0], spans[span, 1]
                while at < end and total < enough:
                    bits = within_span(X, place, columns, at, limit2)
                    if end - at < GROUP:
                        bits &= (1 << (end - at)) - 1
                    while bits != 0:
                        total += weights[order[at + low_bit(bits)]]
                        bits &= bits - 1
                    at += GROUP
            sums[order[place]] = total


# --- joining ---------------------------------------------------------------------------------------------------------


@kernel
def join_grid(
    block,  # int  in
    per_block,  # int  in
    reach,  # int  in: cells so far away meet; 1 first, since most others are joined through those
    X,  # (n, d)  in
    columns,  # (d, n + 32)  in
    keys,  # (c,) int64  in
    starts,  # (c + 1,) int64  in
    low,  # (c, d)  in
    high,  # (c, d)  in
    lines,  # (l,) int64  in
    limit2,  # number of X's type  in
    places,  # (n,) bool  in: which rows take part
    any_row,  # (c,) bool  in: which cells have such rows
    parent,  # (c,) int64  in/out: disjoint sets of cells
):
    """Join each cell of a block with the cells behind it that hold a row within the radius of one of its rows."""
    pointers = np.empty((len(lines), 2), np.int64)
    _start(keys, keys[block * per_block], lines, reach, pointers)
    for cell in range(block * per_block, end_of(block, per_block, len(keys))):
        if not any_row[cell]:
            continue
        root = find(parent, cell)
        for line in range(len(lines)):
            if lines[line] < 0:
                continue
            first, end = _move(keys, keys[cell], lines, line, reach, pointers)
            for other in range(first if first > cell else cell + 1, end):
                if not any_row[other] or find(parent, other) == root:
                    continue
                # Without calls, as above: the least and the greatest distance of the two boxes.
                least, greatest = X.dtype.type(0), X.dtype.type(0)
                for f in range(X.shape[1]):
                    gap = larger(low[cell, f] - high[other, f], low[other, f] - high[cell, f])
                    if gap > 0:
                        least += gap * gap
                    gap = larger(high[cell, f] - low[other, f], high[other, f] - low[cell, f])
                    greatest += gap * gap
                if least > limit2:
                    continue
                if greatest <= limit2 or _touch(cell, other, X, columns, starts, limit2, places):
                    union(parent, cell, other)
                    root = find(parent, cell)


@part
def _touch(a, b, X, columns, starts, limit2, places):
    """Say whether a row of one cell lies within the radius of a row of the other."""
    end = starts[b + 1]
    for place in range(starts[a], starts[a + 1]):
        if not places[place]:
            continue
        for at in range(starts[b], end, GROUP):
            bits = within_span(X, place, columns, at, limit2)
            if end - at < GROUP:
                bits &= (1 << (end - at)) - 1
            while bits != 0:
                if places[at + low_bit(bits)]:
                    return True
                bits &= bits - 1
    return False


@kernel
def roots_grid(
    block,  # int  in
    per_block,  # int  in
    starts,  # (c + 1,) int64  in
    order,  # (n,) int64  in
    places,  # (n,) bool  in
    parent,  # (c,) int64  in/out
    roots,  # (n,) int64  out: in the order of the input; -1 for rows that take no part
):
    """Write the root of each row's cell."""
    for cell in range(block * per_block, end_of(block, per_block, len(parent))):
        root = find(parent, cell)
        for place in range(starts[cell], starts[cell + 1]):
            roots[order[place]] = root if places[place] else -1


# --- the nearest row of a mask ---------------------------------------------------------------------------------------


@kernel
def nearest_grid(
    block,  # int  in
    per_block,  # int  in
    queries,  # (m, d)  in
    q_keys,  # (q,) int64  in: the cells that hold queries
    q_starts,  # (q + 1,) int64  in
    q_order,  # (m,) int64  in
    X,  # (n, d)  in
    columns,  # (d, n + 32)  in
    keys,  # (c,) int64  in
    starts,  # (c + 1,) int64  in
    order,  # (n,) int64  in
    lines,  # (l,) int64  in
    limit2,  # number of X's type  in
    places,  # (n,) bool  in
    indices,  # (m,) int64  out: row of the input, or -1
    distances2,  # (m,) X's type  out
):
    """Find the nearest row of the mask within the radius of each query."""
    pointers = np.empty((len(lines), 2), np.int64)
    _start(keys, q_keys[block * per_block], lines, np.int64(REACH), pointers)
    spans = np.empty((len(lines), 2), np.int64)
    for q_cell in range(block * per_block, end_of(block, per_block, len(q_keys))):
        n_spans = _spans(q_keys[q_cell], keys, starts, lines, pointers, spans)
        for asked in range(q_starts[q_cell], q_starts[q_cell + 1]):
            query = q_order[asked]
            best, place = limit2, -1
            for span in range(n_spans):
                for at in range(spans[span, 0], spans[span, 1], GROUP):
                    bits = within_span(queries, query, columns, at, best)
                    if spans[span, 1] - at < GROUP:
                        bits &= (1 << (spans[span, 1] - at)) - 1
                    while bits != 0:
                        other = at + low_bit(bits)
                        bits &= bits - 1
                        if not places[other]:
                            continue
                        gap2 = pair2(queries, query, X, other)
                        if gap2 < best or (gap2 == best and (place < 0 or precedes(X, order, other, place))):
                            best, place = gap2, other
            indices[query] = order[place] if place >= 0 else -1
            distances2[query] = best if place >= 0 else np.inf


@part
def pair2(
    A,  # (a, d)  in
    i,  # int  in
    B,  # (b, d)  in
    j,  # int  in
):
    """Return the squared distance of two rows."""
    total = A.dtype.type(0)
    for f in range(A.shape[1]):
        gap = A[i, f] - B[j, f]
        total += gap * gap
    return total
