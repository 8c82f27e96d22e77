"""Shifting and scaling rows on the CPU."""

import numpy as np

from .blocks import block_count, free_blocks, run_blocks
from .jit import kernel

__all__ = ["condition", "power_of_two", "summarize"]


def condition(X, shift, scale):
    """See `coterie.primitives.conditioning.condition`."""
    if shift is None or scale is None:
        total, low, high = summarize(X)
        first = power_of_two(max(-low.min(), high.max()))
        total = total / first if trusted(total, first) else summarize(X, 1 / first)[0]
        shift, scale = coordinates(total / len(X), low, high, first)
    n_blocks = free_blocks(len(X))
    rows = np.empty_like(X)
    run_blocks(_move, n_blocks, n_blocks, X, shift / scale, 1 / scale, rows)
    return rows, shift, scale


def summarize(X, factor=1.0):
    """Return the sum, times the factor, the least and the greatest value of each column, (d,) float64 each."""
    n_blocks = block_count(len(X))
    partial = np.empty((n_blocks, 3, X.shape[1]))
    run_blocks(_summarize, n_blocks, n_blocks, X, factor, partial)
    return partial[:, 0].sum(0), partial[:, 1].min(0), partial[:, 2].max(0)


def trusted(total, first):
    """Return whether sums of rows of magnitude ``first`` have neither overflowed nor vanished."""
    return bool(np.isfinite(total).all()) and first >= 1e-100


def coordinates(mean, low, high, first):
    """Return shift and scale for rows of this range; ``mean`` is in units of ``first``, the power of two above them."""
    spread = max((mean - low / first).max(), (high / first - mean).max())
    return mean * first, max(first * min(1.0, power_of_two(spread)), 2.0**-1021)  # its reciprocal must be finite


def power_of_two(value: float) -> float:
    """Return the power of two just above ``value``, 1 for 0; never one whose reciprocal overflows."""
    if not value > 0:
        return 1.0
    return 2.0 ** min(1022, max(-1021, int(np.frexp(value)[1])))


@kernel
def _summarize(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in
    factor,  # float  in: a power of two, applied before summing
    partial,  # (n_blocks, 3, d)  out: sum, least and greatest of each feature
):
    n, d = X.shape
    total, low, high = (
        np.zeros(d),
        np.full(d, np.inf),
        np.full(d, -np.inf),
    )  # of its own: so the loop below is vectorised
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        for f in range(d):
            value = np.float64(X[i, f])
            total[f] += value * factor
            low[f] = value if value < low[f] else low[f]
            high[f] = value if value > high[f] else high[f]
    for f in range(d):
        partial[block, 0, f], partial[block, 1, f], partial[block, 2, f] = total[f], low[f], high[f]


@kernel
def _move(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in
    shift,  # (d,) float64  in: already divided by the scale
    factor,  # float  in: one over the scale
    rows,  # (n, d)  out
):
    n, d = X.shape
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        for f in range(d):
            rows[i, f] = np.float64(X[i, f]) * factor - shift[f]
