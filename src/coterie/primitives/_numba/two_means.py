"""K-means with two centers in small groups of rows: one block for each group and start."""

import numpy as np

from .blocks import run_blocks
from .jit import kernel, part
from .row_vectors import copy_row, distance2
from .sides import TILE, add_sides

__all__ = ["two_means"]


def two_means(rows, weights, bounds, draws, centers, spread, max_iter, tol):
    """See `coterie.primitives.divide.two_means`."""
    groups, d = len(bounds) - 1, rows.shape[1]
    drawn = centers is None
    starts = draws.shape[1] if drawn else 1
    found = np.empty((2 * groups * starts, d)) if drawn else np.array(centers, np.float64).reshape(-1, d)
    draws, inertia = (draws.reshape(-1, 3) if drawn else np.empty((0, 3))), np.empty(groups * starts)
    run_blocks(
        _two_means, groups * starts, starts, rows, weights[None], bounds, draws, drawn, spread, max_iter, float(tol),
        found, inertia,
    )  # fmt: skip
    inertia = inertia.reshape(groups, starts)
    best = inertia.argmin(axis=1)
    return found.reshape(groups, starts, 2, d)[np.arange(groups), best], inertia[np.arange(groups), best]


@kernel
def _two_means(
    block,
    n_starts,  # int  in
    rows,  # (m, d) float64  in
    weights,  # (1, m) float64  in
    bounds,  # (g + 1,) int64  in
    draws,  # (g n_starts, 3) float64  in: where centers are drawn
    drawn,  # bool  in: draw the starting centers, else they are given
    spread,  # bool  in: k-means++
    max_iter,  # int  in
    tol,  # float  in
    centers,  # (2 g n_starts, d) float64  in, out: left and right of each
    inertia,  # (g n_starts,) float64  out
):
    d = rows.shape[1]
    start, end = bounds[block // n_starts], bounds[block // n_starts + 1]
    left, right = 2 * block, 2 * block + 1
    only = np.int64(0)  # not a constant for the compiler: one `add_sides` for all
    side = np.empty(end - start, np.uint8)
    for i in range(end - start):
        side[i] = 0
    if drawn:
        _choose(rows, weights, start, end, draws, block, spread, centers)
    sums, normal = np.empty((2, d)), np.empty((1, d))
    held, numbers = np.empty((1, 2)), np.empty((1, 3), np.int64)
    shares, values = np.empty((TILE, 2)), np.empty(TILE)
    for step in range(max_iter):
        offset = 0.0
        for f in range(d):
            normal[0, f] = centers[right, f] - centers[left, f]
            offset += 0.5 * (centers[right, f] + centers[left, f]) * normal[0, f]
            sums[0, f], sums[1, f] = 0.0, 0.0
        held[0, 0], held[0, 1] = 0.0, 0.0
        numbers[0, 0], numbers[0, 1], numbers[0, 2] = 0, 0, 0
        add_sides(
            rows, start, end, weights, only, normal, only, offset, side, start, shares, values, sums, held, numbers, only
        )  # fmt: skip
        shift2 = 0.0
        for c in range(2):
            for f in range(d):
                if held[0, c] > 0:
                    mean = sums[c, f] / held[0, c]
                    gap = mean - centers[left + c, f]
                    shift2 += gap * gap
                    centers[left + c, f] = mean
        if shift2 <= tol or (numbers[0, 2] == 0 and step > 0):
            break
    total = 0.0
    for i in range(start, end):
        total += weights[0, i] * distance2(rows, i, centers, left + np.int64(side[i - start]))
    inertia[block] = total


@part
def _choose(rows, weights, start, end, draws, block, spread, centers):
    """Draw the two starting centers; the second by k-means++ from two trials, or from any rows unlike the first."""
    n_draws, mass = 3 if spread else 2, np.empty(end - start)
    chosen, least, left = start, np.inf, 2 * block
    for draw in range(n_draws):
        if draw == 0:
            for i in range(start, end):
                mass[i - start] = weights[0, i]
        elif draw == 1:
            for i in range(start, end):
                gap2 = distance2(rows, i, centers, left)
                mass[i - start] = weights[0, i] * (gap2 if spread else np.float64(gap2 > 0))
        candidate = _draw(mass, draws[block, draw]) + start
        potential = 0.0
        if draw > 0 and spread:
            for i in range(start, end):
                potential += min(mass[i - start], weights[0, i] * distance2(rows, i, rows, candidate))
        if draw == 0 or potential < least:
            chosen = candidate
            least = potential if draw > 0 else np.inf
            copy_row(rows, chosen, centers, left + min(draw, 1))


@part
def _draw(mass, aim):
    """Draw a row with probability proportional to its mass."""
    total = 0.0
    for i in range(len(mass)):
        total += mass[i]
    before, last = 0.0, 0
    for i in range(len(mass)):
        if mass[i] > 0:
            last = i
            before += mass[i]
            if before > aim * total:
                break
    return last
