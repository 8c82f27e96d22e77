"""Statistics by cell on the CPU: each thread adds to its own table of whole numbers."""

import numpy as np

from ..grid_cells import steps
from ..grid_sums import BINS, UNIT, bin_steps
from .blocks import run_kernel
from .grid_cells import Tables, cells_of, columns_of, each_block
from .jit import kernel, part

__all__ = ["cell_moments", "cell_sums", "sum_groups"]

_WORDS = 4 + BINS // 2  # two bins share a word: a call counts fewer than 2^31 rows
_LOW = np.uint64(2**24 - 1)
_LOW_WORD = np.uint64(2**32 - 1)


def cell_sums(X, grid, coords, attributes):
    """Add up attributes by cell; see ``primitives.grid_sums.cell_sums``."""
    c, m = len(coords), len(attributes)
    how = steps(grid)
    bins, last = bin_steps(grid, attributes)
    find = cells_of(grid, coords, np.arange(c) * m, 0, len(X))
    tables = Tables(lambda: _new_table(c, m, _WORDS), 8 * c * m * (_WORDS + 2))

    def add(rows, block):
        places = np.empty(rows.stop - rows.start, np.int64)
        find(X[rows], places)
        q, upper, in_bin = np.empty((3, len(places)), np.uint64)
        columns = columns_of(X[rows])
        with tables.one() as (words, extremes):
            for j, f in enumerate(attributes):
                _measure(columns[f], how.scale[f], how.start[f], bins[j], last[j], q, upper, in_bin)
                _add(places, columns[f], q, upper, in_bin, words.ravel(), extremes.ravel())
                places += places >= 0

    each_block(X, add)
    words, extremes = tables.used[0]
    for other_words, other_extremes in tables.used[1:]:
        _merge(words, extremes, other_words, other_extremes)
    counted = np.stack([words[:, :, 4:] & _LOW_WORD, words[:, :, 4:] >> np.uint64(32)], axis=3).reshape(c, m, BINS)
    return np.ascontiguousarray(words[:, :, :4]), extremes, counted.astype(np.int64)


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


@kernel
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
    places,  # (b,) int64  in: place of each row's words, or negative
    column,  # (b,) float64  in
    q,  # (b,) uint64  in
    upper,  # (b,) uint64  in
    bins,  # (b,) uint64  in
    words,  # (c * m * 8,) uint64  in/out
    extremes,  # (c * m * 2,)  in/out
):
    one = np.uint64(1)
    for i in range(len(places)):
        if places[i] < 0:
            continue
        at, x = np.uint64(places[i]) * np.uint64(_WORDS), column[i]
        before = words[at]
        words[at] = before + q[i]
        words[at + one] += np.uint64(words[at] < before)
        before = words[at + np.uint64(2)]
        after = before + q[i] * q[i]
        words[at + np.uint64(2)] = after
        words[at + np.uint64(3)] += upper[i] + np.uint64(after < before)
        words[at + np.uint64(4) + (bins[i] >> one)] += one << ((bins[i] & one) << np.uint64(5))
        at = np.uint64(places[i]) * np.uint64(2)
        if x < extremes[at]:
            extremes[at] = x
        if x > extremes[at + one]:
            extremes[at + one] = x


@kernel
def _merge(
    words,  # (c, m, 8) uint64  in/out
    extremes,  # (c, m, 2)  in/out
    other_words,  # (c, m, 8) uint64  in
    other_extremes,  # (c, m, 2)  in
):
    for cell in range(words.shape[0]):
        for j in range(words.shape[1]):
            _add_wide(words, cell, j, 0, other_words[cell, j, 0], other_words[cell, j, 1])
            _add_wide(words, cell, j, 2, other_words[cell, j, 2], other_words[cell, j, 3])
            for b in range(4, words.shape[2]):
                words[cell, j, b] += other_words[cell, j, b]
            extremes[cell, j, 0] = min(extremes[cell, j, 0], other_extremes[cell, j, 0])
            extremes[cell, j, 1] = max(extremes[cell, j, 1], other_extremes[cell, j, 1])


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
