"""The step of K-means with two centers on a run of rows: the side of a hyperplane where each lies, and the sums of the sides."""

import numpy as np

from .jit import part
from .row_vectors import EIGHT, add_two_sums, project_eight

__all__ = ["TILE", "add_sides"]

TILE = 64  # rows that are gone through twice while they are in the nearest cache


@part
def add_sides(
    rows,  # (n, d)  in
    start,  # int  in
    end,  # int  in: rows start..end-1
    weight,  # (b, n) or (1, 1)  in
    buffer,  # int  in: weight[buffer] is that of the rows
    normals,  # (g, d) float64  in
    which,  # int  in: the hyperplane is normals[which], offset
    offset,  # float  in
    side,  # (>= end - origin,) uint8  in, out: 1 on the right
    origin,  # int  in: the row whose side is the first
    shares,  # (TILE, 2) float64  out: scratch
    values,  # (TILE,) float64  out: scratch
    sums,  # (>= 2 place + 2, d) float64  in, out: left, right
    weights,  # (>= place + 1, 2) float64  in, out: left, right
    numbers,  # (>= place + 1, 3) int64  in, out: rows left, right, and on another side than before
    place,  # int  in: where to add in the last three
):
    """Find the side of each row, and add rows, weights and numbers up by side."""
    for first in range(start, end, TILE):
        count = min(TILE, end - first)
        for i in range(0, count, EIGHT):
            project_eight(rows, first + i, end - 1, normals, which, values, i)
        n_right, n_changed = np.uint32(0), np.uint32(0)
        for i in range(count):
            at = np.uint64(first - origin) + np.uint64(i)  # without a sign: LLVM makes vectors of it
            right = np.uint8(values[i] > offset)
            n_changed += right ^ side[at]
            n_right += right
            side[at] = right
            shares[i, 0], shares[i, 1] = 1.0 - right, np.float64(right)
        if weight.size > 1:
            for i in range(count):
                for c in range(2):
                    shares[i, c] *= weight[buffer, first + i]
                    weights[place, c] += shares[i, c]
        else:
            weights[place, 0] += count - n_right
            weights[place, 1] += n_right
        numbers[place, 0] += count - n_right
        numbers[place, 1] += n_right
        numbers[place, 2] += n_changed
        add_two_sums(rows, first, count, shares, 0, sums, 2 * place)
