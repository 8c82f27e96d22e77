"""Statistics by cell on the CPU: rows are brought near each other by cell, some at a time, then added up in the cache."""

import numpy as np

from ..grid_cells import steps
from ..grid_sums import BINS, UNIT, bin_steps
from .blocks import run_blocks, run_kernel
from .grid_cells import cells_of, columns_of, each_block, n_blocks
from .jit import kernel, part

__all__ = ["cell_moments", "cell_sums", "sum_groups"]

_SPREAD_VALUES = 1 << 21  # moved at once
_PIECE = 1024  # rows of a bucket looked at together
_BUCKET_BITS = 5
_WORDS = 4 + BINS // 2  # two bins share a word: a call counts fewer than 2^31 rows
_LOW = np.uint64(2**24 - 1)
_LOW_WORD = np.uint64(2**32 - 1)


def cell_sums(X, grid, coords, attributes):
    """Add up attributes by cell; see ``primitives.grid_sums.cell_sums``."""
    c, m = len(coords), len(attributes)
    words, extremes = _new_table(c, m, _WORDS)
    find = cells_of(grid, coords, np.arange(c), 0, len(X))
    n = max(1, min(len(X), _SPREAD_VALUES // max(1, m)))
    space = np.empty(n, np.int64), np.empty(n, np.int64), np.empty((m, n))
    for start in range(0, len(X), n):
        _add_rows(X[start : start + n], grid, find, attributes, space, words, extremes)
    # The lower half of a word comes first on every processor that Numba knows.
    counted = np.ascontiguousarray(words[:, :, 4:]).view(np.uint32).reshape(c, m, BINS)
    return np.ascontiguousarray(words[:, :, :4]), extremes, counted.astype(np.int64)


def _add_rows(X, grid, find, attributes, space, words, extremes):
    """Bring rows of neighbouring cells together, block by block; then add up cells that fit the cache, no two threads at one."""
    c = len(words)
    shift = max(0, int(c - 1).bit_length() - _BUCKET_BITS)
    n_buckets = (max(c, 1) - 1 >> shift) + 1
    ends = np.empty((n_blocks(X), n_buckets + 1), np.int64)
    places, near, moved = space

    def bring(rows, block):
        columns = columns_of(X[rows])
        find(columns, places[rows])
        _move(places[rows], columns, attributes, shift, rows.start, ends[block], near, moved)

    each_block(X, bring)
    how, (per, last) = steps(grid), bin_steps(grid, attributes)
    scale, start = how.scale[attributes], how.start[attributes]
    run_blocks(_add, n_buckets, ends, near, moved, scale, start, per, last, words.ravel(), extremes.ravel())


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
    extremes[:, :, 0], extremes[:, :, 1] = np.inf, -np.inf
    return np.zeros((c, m, words), np.uint64), extremes


@part
def _add_wide(
    words,  # (c, m, >= at + 2) uint64  in/out
    cell,  # int  in
    j,  # int  in
    at,  # int  in: the low word; the high word is the next
    low,  # uint64  in
    high,  # uint64  in
):
    before = words[cell, j, at]
    after = before + low
    words[cell, j, at] = after
    words[cell, j, at + 1] += high + np.uint64(after < before)


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
    cells,  # (n,) int64  in: by bucket
    columns,  # (m, n) float64  in: by bucket
    scale,  # (m,)  in
    start,  # (m,)  in
    per,  # (m,)  in
    last,  # (m,) int64  in
    words,  # (c * m * 8,) uint64  in/out
    extremes,  # (c * m * 2,)  in/out
):
    q, upper, bins = np.empty(_PIECE, np.uint64), np.empty(_PIECE, np.uint64), np.empty(_PIECE, np.uint64)
    one, m = np.uint64(1), np.uint64(columns.shape[0])
    first = 0
    for block in range(ends.shape[0]):
        if bucket > 0:
            first = ends[block, bucket - 1]
        for begin in range(first, ends[block, bucket], _PIECE):
            end = min(begin + _PIECE, ends[block, bucket])
            for j in range(columns.shape[0]):
                _measure(columns[j, begin:end], scale[j], start[j], per[j], last[j], q, upper, bins)
                for i in range(end - begin):
                    place, x = np.uint64(cells[begin + i]) * m + np.uint64(j), columns[j, begin + i]
                    at = place * np.uint64(_WORDS)
                    before = words[at]
                    after = before + q[i]
                    words[at] = after
                    words[at + one] += np.uint64(after < before)
                    before = words[at + np.uint64(2)]
                    after = before + q[i] * q[i]
                    words[at + np.uint64(2)] = after
                    words[at + np.uint64(3)] += upper[i] + np.uint64(after < before)
                    words[at + np.uint64(4) + (bins[i] >> one)] += one << ((bins[i] & one) << np.uint64(5))
                    at = place * np.uint64(2)
                    if x < extremes[at]:
                        extremes[at] = x
                    if x > extremes[at + one]:
                        extremes[at + one] = x
        first = ends[block, ends.shape[1] - 1]


@kernel
def _move(
    places,  # (b,) int64  in: cell of each row, or -1
    columns,  # (d, b)  in
    attributes,  # (m,) int64  in
    shift,  # int  in: cells of a bucket are equal but for so many low bits
    start,  # int  in: number of the first of these rows
    ends,  # (buckets + 1,) int64  out: where each bucket ends; the last holds rows outside
    near,  # (n,) int64  out: places by bucket
    moved,  # (m, n)  out: attributes by bucket
):
    ends[:] = 0
    last = len(ends) - 1
    for i in range(len(places)):
        ends[np.uint64(places[i] >> shift if places[i] >= 0 else last)] += 1
    total = start
    for bucket in range(len(ends)):
        ends[bucket], total = total, total + ends[bucket]
    for i in range(len(places)):
        bucket = np.uint64(places[i] >> shift if places[i] >= 0 else last)
        at = np.uint64(ends[bucket])
        ends[bucket] += 1
        near[at] = places[i]
        for j in range(len(attributes)):
            moved[j, at] = columns[attributes[j], i]


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
            _add_wide(out, group, j, 0, sums[cell, j, 0], sums[cell, j, 1])
            _add_wide(out, group, j, 2, sums[cell, j, 2], sums[cell, j, 3])
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
