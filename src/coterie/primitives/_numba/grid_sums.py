"""Statistics by cell on the CPU: rows are sorted by cell, some at a time, so that sums stay in registers until the next cell.

Rows stay where they are: block by block their numbers are sorted by buckets of cells, in a cache. Then whoever has a bucket
fetches its rows, asking for each some rows ahead, and sorts their values by cell.
"""

import numpy as np

from ...arrays import unsealed
from ..grid_cells import steps
from ..grid_sums import BINS, UNIT, bin_steps
from .blocks import run_blocks, run_kernel
from .cell_tile import LANES, MOST_ROWS, add_to_cell
from .grid_cells import Tables, each_block, n_blocks, numbered_cells, rows_of_block
from .jit import kernel, part
from .prefetch import prefetch

__all__ = ["cell_moments", "cell_sums", "sum_groups"]

_ROWS_AT_ONCE = 1 << 23  # more are sorted by bucket some at a time: 4 bytes each
_BUCKET_BITS = 6
_ROW_BITS = 15  # of a word, for the number of a row in its block; the rest is for its cell in the bucket
_ORDERED_VALUES = 1 << 17  # sorted by cell together: half of a cache of two megabytes
_AHEAD = np.int64(48)  # rows asked for before they are needed
_LOW_WORD = np.uint64(2**32 - 1)


def cell_sums(X, grid, coords, attributes, keys=None):
    """Add up attributes by cell; see ``primitives.grid_sums.cell_sums``."""
    c, m = len(coords), len(attributes)
    # What is not set here is set by the thread that adds the first rows to it.
    sums, extremes, bins = np.empty((c, m, 4), np.uint64), np.empty((c, m, 2)), np.empty((c, m, BINS), np.int64)
    flat = sums.reshape(c * m, 4), extremes.reshape(c * m, 2), bins.reshape(c * m, BINS)
    cells = numbered_cells(X, grid, coords, keys)
    room = max(rows_of_block(X), _ORDERED_VALUES // max(1, m)) + LANES
    scratch = Tables(lambda: np.empty((m, room)), 8 * m * room)
    n_parts = max(1, -(-len(X) // _ROWS_AT_ONCE))
    n = -(-len(X) // n_parts)
    for start in range(0, max(1, len(X)), max(1, n)):
        _add_rows(X[start : start + n], start, grid, cells, attributes, scratch, flat)
    return sums, extremes, bins


def _add_rows(X, first, grid, cells, attributes, scratch, totals):
    """Sort the numbers of rows by bucket, block by block; then add up buckets, no two threads at one."""
    numbers_of, table = cells
    c = len(totals[0]) // max(1, len(attributes))
    shift = min(max(0, int(c - 1).bit_length() - _BUCKET_BITS), 32 - _ROW_BITS)
    n_buckets = (max(c, 1) - 1 >> shift) + 1
    ends = np.empty((n_blocks(X), n_buckets + 1), np.int64)
    places = np.empty(len(X), np.uint32)

    def sort(rows, block):
        numbers = numbers_of(slice(first + rows.start, first + rows.stop))
        _sort(numbers, table, np.uint32(shift), rows.start, ends[block], places[rows])

    each_block(X, sort)
    how, (per, last) = steps(grid), bin_steps(grid, attributes)
    scales = np.stack([how.scale[attributes], how.start[attributes], per], axis=1)
    fixed = unsealed(X), rows_of_block(X), attributes, np.uint32(shift), scales, last

    def add(bucket):
        with scratch.one() as ordered:
            _add(bucket, c, first == 0, ends, places, *fixed, ordered, *totals)

    run_blocks(add, n_buckets)


def sum_groups(sums, extremes, bins, member, n_groups):
    """Add up cells by group; see ``primitives.grid_sums.sum_groups``."""
    out, out_extremes = np.zeros((n_groups, sums.shape[1], 4), np.uint64), np.empty((n_groups, sums.shape[1], 2))
    out_extremes[:] = np.inf, -np.inf
    out_bins = np.zeros((n_groups, *bins.shape[1:]), np.int64)
    run_kernel(_add_groups, sums, extremes, bins, member, out, out_extremes, out_bins)
    return out, out_extremes, out_bins


def cell_moments(sums, counts):
    """Mean and deviation in units of q; see ``primitives.grid_sums.cell_moments``."""
    mean, std = np.empty(sums.shape[:2]), np.empty(sums.shape[:2])
    run_kernel(_moments, sums, counts, mean, std)
    return mean, std


@part
def _add_wide(
    words,  # (w,) uint64  in/out
    at,  # int  in: the low word; the high word is the next
    low,  # uint64  in
    high,  # uint64  in
):
    before = words[at]
    after = before + low
    words[at] = after
    words[at + 1] += high + np.uint64(after < before)


@kernel
def _sort(
    numbers,  # (b,) int64  in: number of each row
    table,  # (t,) int32  in: cell of each number, or -1
    shift,  # uint32  in: cells of a bucket are equal but for so many low bits
    start,  # int  in: number of the first of these rows
    ends,  # (buckets + 1,) int64  out: where each bucket ends; the last holds rows outside
    places,  # (b,) uint32  out: by bucket, a row's cell in the bucket and its number in the block
):
    cells, counts = np.empty(len(numbers), np.uint32), np.zeros(len(ends), np.uint32)
    last, low = np.uint32(len(ends) - 1), np.uint32((1 << np.int64(shift)) - 1)
    for i in range(len(numbers)):
        cells[i] = np.uint32(table[np.uint64(numbers[i])])
        counts[min(cells[i] >> shift, last)] += np.uint32(1)
    total = np.uint32(0)
    for bucket in range(len(ends)):
        counts[bucket], total = total, total + counts[bucket]
        ends[bucket] = start + total
    for i in range(len(cells)):
        bucket = min(cells[i] >> shift, last)
        at = counts[bucket]
        counts[bucket] = at + np.uint32(1)
        places[at] = (cells[i] & low) << np.uint32(_ROW_BITS) | np.uint32(i)


@kernel
def _add(
    bucket,  # int  in
    n_cells,  # int  in: cells of all buckets
    is_first,  # bool  in: whether nothing was added before
    ends,  # (blocks, buckets + 1) int64  in: where each bucket of a block ends
    places,  # (n,) uint32  in: see `_sort`
    X,  # (n, d)  in
    rows_per_block,  # int  in
    attributes,  # (m,) int64  in
    shift,  # uint32  in: cells of a bucket are equal but for so many low bits
    scales,  # (m, 3)  in: see `add_to_cell`
    last,  # (m,) int64  in
    ordered,  # (m, >= rows_per_block + LANES) float64  scratch
    sums,  # (c * m, 4) uint64  in/out
    extremes,  # (c * m, 2)  in/out
    bins,  # (c * m, 8) int64  in/out
):
    m, base = len(attributes), bucket << np.int64(shift)
    here = min(n_cells - base, 1 << np.int64(shift))
    if is_first:
        for place in range(base * m, (base + here) * m):
            sums[place] = 0
            extremes[place, 0], extremes[place, 1] = np.inf, -np.inf
            bins[place] = 0
    until = np.empty(here + 1, np.int32)
    block = np.int64(0)
    while block < len(ends):
        beyond = _count_cells(bucket, block, ends, places, rows_per_block, ordered.shape[1] - LANES, until)
        for b in range(block, beyond):
            _fetch(bucket, b, ends, places, X, rows_per_block, attributes, until, ordered)
        block = beyond
        begin = np.int64(0)
        for local in range(here):
            end, place = np.int64(until[local]), (base + local) * m
            while begin < end:
                stop = min(end, begin + MOST_ROWS)
                for j in range(m):
                    add_to_cell(ordered, j, begin, stop, scales, last, UNIT, place + j, sums, extremes, bins)
                begin = stop


@part
def _begin_of(bucket, block, ends, rows_per_block):
    return ends[block, bucket - 1] if bucket > 0 else block * rows_per_block


@part
def _count_cells(bucket, block, ends, places, rows_per_block, room, until):
    """Find where each cell's rows begin when those of as many blocks as there is room for are sorted; return the next block."""
    until[:] = 0
    size = 0
    while block < len(ends):
        begin, end = _begin_of(bucket, block, ends, rows_per_block), ends[block, bucket]
        size += end - begin
        if size > room:
            break
        for i in range(begin, end):
            until[np.uint64(places[i] >> np.uint32(_ROW_BITS)) + np.uint64(1)] += 1
        block += 1
    for cell in range(len(until) - 1):
        until[cell + 1] += until[cell]
    return block


@part
def _fetch(bucket, block, ends, places, X, rows_per_block, attributes, until, ordered):
    """Put the values of a bucket's rows in a block where their cells' rows are; ``until`` moves on from begin to end."""
    first, end = np.uint64(block * rows_per_block), ends[block, bucket]
    low = np.uint32((1 << _ROW_BITS) - 1)
    for i in range(_begin_of(bucket, block, ends, rows_per_block), end):
        ahead = first + np.uint64(places[min(i + _AHEAD, end - 1)] & low)
        for j in range(0, len(attributes), LANES):
            prefetch(X, ahead, attributes[j])
        row = first + np.uint64(places[i] & low)
        local = np.uint64(places[i] >> np.uint32(_ROW_BITS))
        at = np.uint64(until[local])
        until[local] += 1
        for j in range(len(attributes)):
            ordered[j, at] = X[row, attributes[j]]


@kernel
def _add_groups(
    sums,  # (c, m, 4) uint64  in
    extremes,  # (c, m, 2)  in
    bins,  # (c, m, 8) int64  in
    member,  # (c,) int64  in
    out,  # (g, m, 4) uint64  in/out
    out_extremes,  # (g, m, 2)  in/out
    out_bins,  # (g, m, 8) int64  in/out
):
    for cell in range(len(member)):
        group = member[cell]
        for j in range(sums.shape[1]):
            _add_wide(out[group, j], 0, sums[cell, j, 0], sums[cell, j, 1])
            _add_wide(out[group, j], 2, sums[cell, j, 2], sums[cell, j, 3])
            out_extremes[group, j, 0] = min(out_extremes[group, j, 0], extremes[cell, j, 0])
            out_extremes[group, j, 1] = max(out_extremes[group, j, 1], extremes[cell, j, 1])
            for b in range(bins.shape[2]):
                out_bins[group, j, b] += bins[cell, j, b]


@part
def _high_of_product(
    a,  # uint64  in
    b,  # uint64  in
):
    """Return the high word of the product; the low one is ``a * b``."""
    shift = np.uint64(32)
    a0, a1, b0, b1 = a & _LOW_WORD, a >> shift, b & _LOW_WORD, b >> shift
    middle = a1 * b0 + (a0 * b0 >> shift)
    other = a0 * b1 + (middle & _LOW_WORD)
    return a1 * b1 + (middle >> shift) + (other >> shift)


@kernel
def _moments(
    sums,  # (c, m, 4) uint64  in
    counts,  # (c,) int64  in
    mean,  # (c, m)  out
    std,  # (c, m)  out
):
    # With a whole number r near the mean: sum (q - r)^2 = S2 - 2 r S1 + n r^2, all modulo 2^128, so exact.
    for cell in range(sums.shape[0]):
        n = np.uint64(counts[cell])
        for j in range(sums.shape[1]):
            s, s_high, s2, s2_high = sums[cell, j]
            r = np.uint64((np.float64(s_high) * 2.0**64 + np.float64(s)) / np.float64(n))
            rest = np.float64(np.int64(s - n * r))
            # r (2 S1 - n r) = r (S1 + rest), and the bracket fits two words.
            bracket = s + (s - n * r)
            bracket_high = s_high + np.uint64(bracket < s) - np.uint64(rest < 0)
            product_high = _high_of_product(r, bracket) + r * bracket_high
            low = s2 - r * bracket
            high = s2_high - product_high - np.uint64(s2 < r * bracket)
            m2 = np.float64(high) * 2.0**64 + np.float64(low) - rest * rest / np.float64(n)
            mean[cell, j] = np.float64(r) + rest / np.float64(n)
            std[cell, j] = np.sqrt(max(m2, 0.0) / np.float64(n))
