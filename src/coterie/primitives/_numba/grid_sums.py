"""Statistics by cell on the CPU: rows are sorted by cell, some at a time, so that sums stay in registers until the next cell."""

import numpy as np

from ..grid_cells import steps
from ..grid_sums import BINS, UNIT, bin_steps
from .blocks import run_blocks, run_kernel
from .cell_tile import LANES, MOST_ROWS, add_to_cell
from .grid_cells import each_block, n_blocks, numbered_cells
from .jit import kernel, part

__all__ = ["cell_moments", "cell_sums", "sum_groups"]

_SPREAD_VALUES = 1 << 21  # moved at once
_BUCKET_BITS = 5  # more would be more places to write to than a core keeps addresses of
_LOW_WORD = np.uint64(2**32 - 1)


def cell_sums(X, grid, coords, attributes, keys=None):
    """Add up attributes by cell; see ``primitives.grid_sums.cell_sums``."""
    c, m = len(coords), len(attributes)
    # What is not set here is set by the thread that adds the first rows to it.
    sums, extremes, bins = np.empty((c, m, 4), np.uint64), np.empty((c, m, 2)), np.empty((c, m, BINS), np.int64)
    cells = numbered_cells(X, grid, coords, keys)
    n = max(1, min(len(X), _SPREAD_VALUES // max(1, m)))
    space = np.empty(n, np.int32), np.empty((n, m))
    for start in range(0, max(1, len(X)), n):
        _add_rows(X[start : start + n], start, grid, cells, attributes, space, sums, extremes, bins)
    return sums, extremes, bins


def _add_rows(X, first, grid, cells, attributes, space, sums, extremes, bins):
    """Bring rows of neighbouring cells together, block by block; then add up cells that fit the cache, no two threads at one."""
    c, m = sums.shape[:2]
    shift = max(0, int(c - 1).bit_length() - _BUCKET_BITS)
    n_buckets = (max(c, 1) - 1 >> shift) + 1
    ends = np.empty((n_blocks(X), n_buckets + 1), np.int64)
    numbers_of, table = cells
    near, moved = space
    all_columns = np.array_equal(attributes, np.arange(X.shape[1]))

    def bring(rows, block):
        numbers = numbers_of(slice(first + rows.start, first + rows.stop))
        values = X[rows] if all_columns else X[rows][:, attributes]
        values = np.ascontiguousarray(values, np.float64)
        _move(numbers, table, values, np.uint32(shift), rows.start, ends[block], near, moved)

    each_block(X, bring)
    how, (per, last) = steps(grid), bin_steps(grid, attributes)
    scales = np.stack([how.scale[attributes], how.start[attributes], per], axis=1)
    flat = sums.reshape(c * m, 4), extremes.reshape(c * m, 2), bins.reshape(c * m, BINS)
    run_blocks(_add, n_buckets, c, first == 0, ends, near, moved, np.uint32(shift), scales, last, *flat)


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
def _add(
    bucket,  # int  in
    n_cells,  # int  in: cells of all buckets
    is_first,  # bool  in: whether nothing was added before
    ends,  # (blocks, buckets + 1) int64  in: where each bucket of a block ends
    cells,  # (n,) int32  in: by bucket
    rows,  # (n, m) float64  in: by bucket
    shift,  # uint32  in: cells of a bucket are equal but for so many low bits
    scales,  # (m, 3)  in: see `add_to_cell`
    last,  # (m,) int64  in
    sums,  # (c * m, 4) uint64  in/out
    extremes,  # (c * m, 2)  in/out
    bins,  # (c * m, 8) int64  in/out
):
    until, ordered = _by_cell(bucket, ends, cells, rows, shift)
    m, base = rows.shape[1], bucket << np.int64(shift)
    begin = np.int64(0)
    for local in range(min(n_cells - base, 1 << np.int64(shift))):
        place = (base + local) * m
        if is_first:
            for j in range(place, place + m):
                sums[j] = 0
                extremes[j, 0], extremes[j, 1] = np.inf, -np.inf
                bins[j] = 0
        end = np.int64(until[local])
        while begin < end:
            stop = min(end, begin + MOST_ROWS)
            for j in range(m):
                add_to_cell(ordered, j, begin, stop, scales, last, UNIT, place + j, sums, extremes, bins)
            begin = stop


@part
def _by_cell(bucket, ends, cells, rows, shift):
    """Sort the rows of a bucket by cell; return where each of its cells ends, and the values."""
    n_cells, m = 1 << np.int64(shift), rows.shape[1]
    until = np.zeros(n_cells + 1, np.int32)
    ordered = np.empty((m, 0))
    for second in range(2):
        if second == 1:
            for cell in range(n_cells):
                until[cell + 1] += until[cell]
            ordered = np.empty((m, until[n_cells] + LANES))
        first = np.int64(0)
        for block in range(ends.shape[0]):
            if bucket > 0:
                first = ends[block, bucket - 1]
            for i in range(first, ends[block, bucket]):
                local = np.uint64(cells[i] & (n_cells - 1))
                if second == 0:
                    until[local + np.uint64(1)] += 1
                else:
                    at = np.uint64(until[local])
                    until[local] += 1
                    for j in range(m):
                        ordered[j, at] = rows[i, j]
            first = ends[block, ends.shape[1] - 1]
    return until, ordered


@kernel
def _move(
    numbers,  # (b,) int64  in: number of each row
    table,  # (t,) int32  in: cell of each number, or -1
    rows,  # (b, m) float64  in
    shift,  # uint32  in: cells of a bucket are equal but for so many low bits
    start,  # int  in: number of the first of these rows
    ends,  # (buckets + 1,) int64  out: where each bucket ends; the last holds rows outside
    near,  # (n,) int32  out: cells by bucket
    moved,  # (n, m)  out: values by bucket
):
    cells = np.empty(len(numbers), np.int32)
    ends[:] = 0
    last = np.uint32(len(ends) - 1)
    for i in range(len(numbers)):
        cells[i] = table[np.uint64(numbers[i])]
        ends[min(np.uint32(cells[i]) >> shift, last)] += 1
    total = start
    for bucket in range(len(ends)):
        ends[bucket], total = total, total + ends[bucket]
    for i in range(len(cells)):
        bucket = min(np.uint32(cells[i]) >> shift, last)
        at = np.uint64(ends[bucket])
        ends[bucket] += 1
        near[at] = cells[i]
        for j in range(rows.shape[1]):
            moved[at, j] = rows[i, j]


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
