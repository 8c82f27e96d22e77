"""Statistics by cell on the CPU: rows are sorted by cell, some at a time, so that sums stay in registers until the next cell."""

import numpy as np

from ..grid_cells import steps
from ..grid_sums import BINS, UNIT, bin_steps
from .blocks import block_count, run_blocks, run_kernel
from .grid_cells import cells_of, each_block, n_blocks
from .jit import kernel, part

__all__ = ["cell_moments", "cell_sums", "sum_groups"]

_SPREAD_VALUES = 1 << 21  # moved at once
_PIECE = 512  # rows of a bucket looked at together
_MOST_PACKED = 255  # rows of which a word holds the counts of all bins; their q add up to less than 2^64
_BUCKET_BITS = 5  # more would be more places to write to than a core keeps addresses of
_WORDS = 4 + BINS // 2  # two bins share a word: a call counts fewer than 2^31 rows
_LOW = np.uint64(2**24 - 1)
_LOW_WORD = np.uint64(2**32 - 1)


def cell_sums(X, grid, coords, attributes, keys=None):
    """Add up attributes by cell; see ``primitives.grid_sums.cell_sums``."""
    c, m = len(coords), len(attributes)
    words, extremes = _new_table(c, m, _WORDS)
    find = cells_of(X, grid, coords, np.arange(c), 0, keys)
    n = max(1, min(len(X), _SPREAD_VALUES // max(1, m)))
    space = np.empty(n, np.int32), np.empty((n, m))
    for start in range(0, len(X), n):
        _add_rows(X[start : start + n], start, grid, find, attributes, space, words, extremes)
    sums, bins = np.empty((c, m, 4), np.uint64), np.empty((c, m, BINS), np.int64)
    blocks = block_count(c * m)
    run_blocks(_unpack, blocks, blocks, words.ravel(), sums.ravel(), bins.ravel())
    return sums, extremes, bins


def _add_rows(X, first, grid, find, attributes, space, words, extremes):
    """Bring rows of neighbouring cells together, block by block; then add up cells that fit the cache, no two threads at one."""
    c = len(words)
    shift = max(0, int(c - 1).bit_length() - _BUCKET_BITS)
    n_buckets = (max(c, 1) - 1 >> shift) + 1
    ends = np.empty((n_blocks(X), n_buckets + 1), np.int64)
    near, moved = space
    all_columns = np.array_equal(attributes, np.arange(X.shape[1]))

    def bring(rows, block):
        places = find(slice(first + rows.start, first + rows.stop)).astype(np.int32, copy=False)
        values = X[rows] if all_columns else X[rows][:, attributes]
        _move(places, np.ascontiguousarray(values, np.float64), np.uint32(shift), rows.start, ends[block], near, moved)

    each_block(X, bring)
    how, (per, last) = steps(grid), bin_steps(grid, attributes)
    scale, start = how.scale[attributes], how.start[attributes]
    run_blocks(
        _add, n_buckets, ends, near, moved, np.uint32(shift), scale, start, per, last, words.ravel(), extremes.ravel()
    )


def sum_groups(sums, extremes, bins, member, n_groups):
    """Add up cells by group; see ``primitives.grid_sums.sum_groups``."""
    out, out_extremes = _new_table(n_groups, sums.shape[1], 4)
    out_bins = np.zeros((n_groups, *bins.shape[1:]), np.int64)
    run_kernel(_add_groups, sums, extremes, bins, member, out, out_extremes, out_bins)
    return out, out_extremes, out_bins


def cell_moments(sums, counts):
    """Mean and deviation in units of q; see ``primitives.grid_sums.cell_moments``."""
    mean, std = np.empty(sums.shape[:2]), np.empty(sums.shape[:2])
    run_kernel(_moments, sums, counts, mean, std)
    return mean, std


def _new_table(c, m, words):
    extremes = np.empty((c, m, 2))
    extremes[:] = np.inf, -np.inf
    return np.zeros((c, m, words), np.uint64), extremes


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


@part
def _measure(
    column,  # (b,) float64  in
    scale,  # float  in
    start,  # float  in
    per,  # float  in: bins per unit of t
    last,  # int  in: the last bin
    q,  # (b,) uint64  out
    upper,  # (b,) uint64  out: high word of q^2
    bins,  # (b,) uint64  out
):
    for i in range(len(column)):
        t = column[i] * scale - start
        value = np.uint64(np.int64(t * UNIT + 0.5))
        a, b = value >> np.uint64(24), value & _LOW
        q[i] = value
        upper[i] = (a * a + ((np.uint64(2) * a * b + (b * b >> np.uint64(24))) >> np.uint64(24))) >> np.uint64(16)
        bins[i] = np.uint64(min(max(np.int64(t * per), 0), last)) & np.uint64(BINS - 1)


@kernel
def _add(
    bucket,  # int  in
    ends,  # (blocks, buckets + 1) int64  in: where each bucket of a block ends
    cells,  # (n,) int32  in: by bucket
    rows,  # (n, m) float64  in: by bucket
    shift,  # uint32  in: cells of a bucket are equal but for so many low bits
    scale,  # (m,)  in
    start,  # (m,)  in
    per,  # (m,)  in
    last,  # (m,) int64  in
    words,  # (c * m * 8,) uint64  in/out
    extremes,  # (c * m * 2,)  in/out
):
    until, ordered = _by_cell(bucket, ends, cells, rows, shift)
    q, upper, bins = np.empty(_PIECE, np.uint64), np.empty(_PIECE, np.uint64), np.empty(_PIECE, np.uint64)
    m, zero, one = rows.shape[1], np.uint64(0), np.uint64(1)
    for j in range(m):
        local = 0
        for begin in range(0, ordered.shape[1], _PIECE):
            end = min(begin + _PIECE, ordered.shape[1])
            column = ordered[j, begin:end]
            _measure(column, scale[j], start[j], per[j], last[j], q, upper, bins)
            i = begin
            while i < end:
                while until[local] <= i:
                    local += 1
                stop = min(end, until[local], i + _MOST_PACKED)
                s, s2, s2_high, packed = zero, zero, zero, zero
                least, most = np.inf, -np.inf
                for k in range(np.uint64(i - begin), np.uint64(stop - begin)):
                    s += q[k]
                    square = q[k] * q[k]
                    s2 += square
                    s2_high += upper[k] + np.uint64(s2 < square)
                    packed += one << (bins[k] << np.uint64(3))
                    x = column[k]
                    least = x if x < least else least
                    most = x if x > most else most
                place = ((bucket << np.int64(shift)) + local) * m + j
                at = place * _WORDS
                _add_wide(words, at, s, zero)
                _add_wide(words, at + 2, s2, s2_high)
                for pair in range(BINS // 2):
                    two = packed >> np.uint64(16 * pair)
                    words[at + 4 + pair] += (two & np.uint64(255)) | ((two & np.uint64(255 << 8)) << np.uint64(24))
                extremes[2 * place] = min(extremes[2 * place], least)
                extremes[2 * place + 1] = max(extremes[2 * place + 1], most)
                i = stop


@part
def _by_cell(bucket, ends, cells, rows, shift):
    """Sort the rows of a bucket by cell; return where each of its cells ends, and the values."""
    n_cells, m = 1 << np.int64(shift), rows.shape[1]
    until = np.zeros(n_cells + 1, np.int64)
    ordered = np.empty((m, 0))
    for second in range(2):
        if second == 1:
            for cell in range(n_cells):
                until[cell + 1] += until[cell]
            ordered = np.empty((m, until[n_cells]))
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
    places,  # (b,) int32  in: cell of each row, or -1
    rows,  # (b, m) float64  in
    shift,  # uint32  in: cells of a bucket are equal but for so many low bits
    start,  # int  in: number of the first of these rows
    ends,  # (buckets + 1,) int64  out: where each bucket ends; the last holds rows outside
    near,  # (n,) int32  out: places by bucket
    moved,  # (n, m)  out: values by bucket
):
    ends[:] = 0
    last = np.uint32(len(ends) - 1)
    for i in range(len(places)):
        ends[min(np.uint32(places[i]) >> shift, last)] += 1
    total = start
    for bucket in range(len(ends)):
        ends[bucket], total = total, total + ends[bucket]
    for i in range(len(places)):
        bucket = min(np.uint32(places[i]) >> shift, last)
        at = np.uint64(ends[bucket])
        ends[bucket] += 1
        near[at] = places[i]
        for j in range(rows.shape[1]):
            moved[at, j] = rows[i, j]


@kernel
def _unpack(
    block,
    n_blocks,  # int  in
    words,  # (c * m * 8,) uint64  in
    sums,  # (c * m * 4,) uint64  out
    bins,  # (c * m * 8,) int64  out
):
    n = len(sums) // 4
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        for k in range(4):
            sums[4 * i + k] = words[_WORDS * i + k]
            pair = words[_WORDS * i + 4 + k]
            bins[BINS * i + 2 * k] = np.int64(pair & _LOW_WORD)
            bins[BINS * i + 2 * k + 1] = np.int64(pair >> np.uint64(32))


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
