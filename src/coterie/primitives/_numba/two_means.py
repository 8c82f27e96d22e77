"""K-means with two centers in small groups of rows: one block for each group and start."""

import numpy as np

from .blocks import run_blocks
from .jit import kernel, part
from .row_vectors import add_row, distance2, project

__all__ = ["two_means"]


def two_means(rows, weights, bounds, draws, spread, max_iter, tol):
    """See `coterie.primitives.divide.two_means`."""
    groups, starts, _ = draws.shape
    centers, inertia = np.empty((2 * groups * starts, rows.shape[1])), np.empty(groups * starts)
    run_blocks(
        _two_means, groups * starts, starts, rows, weights, bounds, draws.reshape(-1, 3), spread, max_iter, float(tol),
        centers, inertia,
    )  # fmt: skip
    inertia = inertia.reshape(groups, starts)
    best = inertia.argmin(axis=1)
    return centers.reshape(groups, starts, 2, -1)[np.arange(groups), best], inertia[np.arange(groups), best]


@kernel
def _two_means(
    block,
    n_starts,  # int  in
    rows,  # (m, d) float64  in
    weights,  # (m,) float64  in
    bounds,  # (g + 1,) int64  in
    draws,  # (g n_starts, 3) float64  in
    spread,  # bool  in: k-means++
    max_iter,  # int  in
    tol,  # float  in
    centers,  # (2 g n_starts, d) float64  out: left and right of each
    inertia,  # (g n_starts,) float64  out
):
    d = rows.shape[1]
    start, end = bounds[block // n_starts], bounds[block // n_starts + 1]
    left, right = 2 * block, 2 * block + 1
    side, mass = np.zeros(end - start, np.uint8), np.empty(end - start)
    _choose(rows, weights, start, end, draws[block, 0], draws[block, 1], draws[block, 2], spread, mass, centers, left)
    sums, held, normal = np.empty((2, d)), np.empty(2), np.empty((1, d))
    for step in range(max_iter):
        offset = 0.0
        for f in range(d):
            normal[0, f] = centers[right, f] - centers[left, f]
            offset += 0.5 * (centers[right, f] + centers[left, f]) * normal[0, f]
            sums[0, f], sums[1, f] = 0.0, 0.0
        held[0], held[1] = 0.0, 0.0
        changed = 0
        for i in range(start, end):
            c = np.int64(project(rows, i, normal, 0) > offset)
            changed += c != side[i - start]
            side[i - start] = c
            held[c] += weights[i]
            add_row(rows, i, weights[i], sums, c)
        shift2 = 0.0
        for c in range(2):
            for f in range(d):
                if held[c] > 0:
                    mean = sums[c, f] / held[c]
                    gap = mean - centers[left + c, f]
                    shift2 += gap * gap
                    centers[left + c, f] = mean
        if shift2 <= tol or (changed == 0 and step > 0):
            break
    total = 0.0
    for i in range(start, end):
        total += weights[i] * distance2(rows, i, centers, left + np.int64(side[i - start]))
    inertia[block] = total


@part
def _choose(rows, weights, start, end, aim, second_aim, third_aim, spread, mass, centers, left):
    """Draw the two starting centers; the second by k-means++ from two trials, or from any rows unlike the first."""
    n_draws = 3 if spread else 2
    chosen, least = start, np.inf
    for draw in range(n_draws):
        if draw == 0:
            for i in range(start, end):
                mass[i - start] = weights[i]
        elif draw == 1:
            for i in range(start, end):
                gap2 = distance2(rows, i, centers, left)
                mass[i - start] = weights[i] * (gap2 if spread else np.float64(gap2 > 0))
        candidate = _draw(mass, aim if draw == 0 else second_aim if draw == 1 else third_aim) + start
        potential = 0.0
        if draw > 0 and spread:
            for i in range(start, end):
                potential += min(mass[i - start], weights[i] * distance2(rows, i, rows, candidate))
        if draw == 0 or potential < least:
            chosen = candidate
            least = potential if draw > 0 else np.inf
            for f in range(rows.shape[1]):
                centers[left + min(draw, 1), f] = rows[chosen, f]


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
