"""Numbers of intervals on the CPU: one multiplication a value, then a comparison with the edges themselves."""

import numpy as np

from ..intervals import OUTSIDE
from .blocks import run_blocks
from .jit import kernel

__all__ = ["cell_numbers", "cell_weights", "interval_codes"]

_ROWS = 65_536
_BLOCK = 1 << 20


def interval_codes(X, columns, edges):
    """See `coterie.primitives.intervals.interval_codes`."""
    n, m = len(X), edges.shape[1] - 1
    codes = np.empty((len(columns), n), np.uint16)
    with np.errstate(over="ignore"):
        extent = np.ldexp(edges[:, -1], -2) - np.ldexp(edges[:, 0], -2)
        factor = np.ldexp(1.0, np.clip(-2 - np.frexp(extent)[1], -1021, 1021))
    low = edges[:, 0] * factor
    with np.errstate(divide="ignore"):
        per_interval = m / (edges[:, -1] * factor - low)
    per_interval[~np.isfinite(per_interval)] = 0.0
    run_blocks(_codes, -(-n // _ROWS), X, columns, edges, factor, low, per_interval, codes)
    return codes


def cell_numbers(codes, n_intervals):
    """See `coterie.primitives.intervals.cell_numbers`."""
    c, n = codes.shape
    numbers = np.empty(n, np.int32)
    for start in range(0, n, _BLOCK):
        rows = slice(start, start + _BLOCK)
        number, outside = np.zeros(len(numbers[rows]), np.int32), np.zeros(len(numbers[rows]), bool)
        for code in codes[:, rows]:
            number *= n_intervals
            number += np.minimum(code, n_intervals)
            outside |= code == OUTSIDE
        number[outside] = n_intervals**c
        numbers[rows] = number
    return numbers


def cell_weights(numbers, n_cells, sample_weight=None):
    """See `coterie.primitives.intervals.cell_weights`."""
    found = np.zeros(n_cells + 1, np.int64 if sample_weight is None else np.float64)
    for start in range(0, len(numbers), _BLOCK):
        rows = slice(start, start + _BLOCK)
        weight = None if sample_weight is None else sample_weight[rows]
        found += np.bincount(numbers[rows], weight, n_cells + 1)
    return found[:-1]


@kernel
def _codes(
    block,
    X,  # (n, d)  in
    columns,  # (c,) int64  in
    edges,  # (c, m + 1)  in
    factor,  # (c,)  in: power of two by which a feature becomes of width about 1
    low,  # (c,)  in: first edge, times factor
    per_interval,  # (c,)  in: intervals per width, after the factor
    codes,  # (c, n) uint16  out
):
    m = edges.shape[1] - 1
    for i in range(block * _ROWS, min(len(X), (block + 1) * _ROWS)):
        for j in range(len(columns)):
            value = np.float64(X[i, columns[j]])
            if not (edges[j, 0] <= value <= edges[j, m]):
                codes[j, i] = OUTSIDE
                continue
            place = min(np.int64((value * factor[j] - low[j]) * per_interval[j]), m - 1)
            # Rounding may miss by one; the edges decide, as they are what a description shows.
            while place > 0 and value < edges[j, place]:
                place -= 1
            while place < m - 1 and value >= edges[j, place + 1]:
                place += 1
            codes[j, i] = place
