"""K-means with two centers in small groups of rows: one block for each group and start."""

import numpy as np

from .blocks import run_blocks
from .jit import kernel
from .row_vectors import add_row, distance2, project

__all__ = ["two_means"]


def two_means(rows, weights, bounds, draws, spread, max_iter, tol):
    """See `coterie.primitives.divide.two_means`."""
    groups, starts, _ = draws.shape
    centers, inertia = np.empty((groups * starts, 2, rows.shape[1])), np.empty(groups * starts)
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
    centers,  # (g n_starts, 2, d) float64  out
    inertia,  # (g n_starts,) float64  out
):
    d = rows.shape[1]
    start, end = bounds[block // n_starts], bounds[block // n_starts + 1]
    own = centers[block]
    closest, side = np.empty(end - start), np.zeros(end - start, np.uint8)
    first = _draw(weights, start, end, closest, False, draws[block, 0])
    own[0] = rows[first]
    _measure(rows, start, end, own, 0, closest)
    second = _draw(weights, start, end, closest, True, draws[block, 1]) if spread else _draw_other(
        weights, start, end, closest, draws[block, 1])  # fmt: skip
    if spread:
        third = _draw(weights, start, end, closest, True, draws[block, 2])
        if _potential(rows, weights, start, end, third, closest) < _potential(
            rows, weights, start, end, second, closest
        ):
            second = third
    own[1] = rows[second]
    sums, held = np.empty((2, d)), np.empty(2)
    normal = np.empty((1, d))
    for step in range(max_iter):
        offset = 0.0
        for f in range(d):
            normal[0, f] = own[1, f] - own[0, f]
            offset += 0.5 * (own[1, f] + own[0, f]) * normal[0, f]
        sums[:], held[:] = 0.0, 0.0
        changed = 0
        for i in range(start, end):
            right = np.int64(project(rows, i, normal, 0) > offset)
            changed += right != side[i - start]
            side[i - start] = right
            held[right] += weights[i]
            add_row(rows, i, weights[i], sums, right)
        shift2 = 0.0
        for c in range(2):
            for f in range(d):
                if held[c] > 0:
                    mean = sums[c, f] / held[c]
                    shift2 += (mean - own[c, f]) ** 2
                    own[c, f] = mean
        if shift2 <= tol or (changed == 0 and step > 0):
            break
    total = 0.0
    for i in range(start, end):
        total += weights[i] * distance2(rows, i, own, np.int64(side[i - start]))
    inertia[block] = total


@kernel
def _draw(weights, start, end, closest, by_distance, aim):
    """Draw a row with probability proportional to its weight, or its weight times squared distance."""
    total = 0.0
    for i in range(start, end):
        total += weights[i] * closest[i - start] if by_distance else weights[i]
    before, last = 0.0, start
    for i in range(start, end):
        mass = weights[i] * closest[i - start] if by_distance else weights[i]
        if mass > 0:
            last = i
            before += mass
            if before > aim * total:
                break
    return last


@kernel
def _draw_other(weights, start, end, closest, aim):
    """Draw a row unlike the first with probability proportional to its weight."""
    for i in range(end - start):
        closest[i] = 1.0 if closest[i] > 0 else 0.0
    return _draw(weights, start, end, closest, True, aim)


@kernel
def _measure(rows, start, end, centers, which, closest):
    for i in range(start, end):
        closest[i - start] = distance2(rows, i, centers, which)


@kernel
def _potential(rows, weights, start, end, candidate, closest):
    total = 0.0
    for i in range(start, end):
        total += weights[i] * min(closest[i - start], distance2(rows, i, rows, candidate))
    return total
