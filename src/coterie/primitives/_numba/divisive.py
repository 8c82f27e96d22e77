"""DIANA's splits on the CPU.

Two things are kept instead of computed for every cluster anew: for each row the sum of its distances to its cluster, from which
the distances to rows that break away are taken off; and the furthest rows of each row, from which the diameter follows: a row
that has left never comes back, so the list is only read on, and filled again when it is used up.
"""

import numpy as np

from .blocks import run_blocks, run_kernel
from .jit import kernel, part

__all__ = ["splinter_splits"]

_FURTHEST = 16
_ROWS_PER_BLOCK = 64
_DISTANCES_PER_CALL = 50_000_000
_ROUNDING = 1e-12  # of the diameter: a smaller gain is none


def splinter_splits(distances: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the splits in no order: lowest row of what stays and of what leaves, lower first, diameter, and number of rows."""
    n = len(distances)
    left, right = np.empty(n - 1, np.int64), np.empty(n - 1, np.int64)
    height, size = np.empty(n - 1), np.empty(n - 1, np.int64)
    inside, towards, twin = np.empty(n), np.zeros(n), np.empty(n, np.int64)
    order, cluster = np.arange(n), np.zeros(n, np.int64)
    far, at = np.empty((n, _FURTHEST), np.int64), np.zeros(n, np.int64)
    run_blocks(_look_at, -(-n // _ROWS_PER_BLOCK), _ROWS_PER_BLOCK, distances, order, cluster, inside, twin, far)
    stack, counts = np.empty((n + 1, 3), np.int64), np.array([1, 0, 1])
    stack[0] = 0, n, 0
    while counts[0]:
        run_kernel(
            _split, distances, order, cluster, inside, towards, twin, far, at, stack, counts, left, right, height, size,
        )  # fmt: skip
    return left, right, height, size


@kernel
def _look_at(block, per_block, distances, order, cluster, inside, twin, far):
    n = len(distances)
    for i in range(block * per_block, n if n < (block + 1) * per_block else (block + 1) * per_block):
        total, first = 0.0, i
        for j in range(n - 1, -1, -1):
            if distances[i, j] == 0:
                first = j
        for j in range(n):
            total += distances[i, j]
        inside[i], twin[i] = total, first
        _find_furthest(distances, order, cluster, 0, n, i, far)


@part
def _find_furthest(distances, order, cluster, start, end, i, far):
    """List the furthest rows of a row in its cluster, the first of equally far ones first."""
    length = 0
    for place in range(start, end):
        j = order[place]
        d = distances[i, j]
        if length == far.shape[1] and d <= distances[i, far[i, length - 1]]:
            continue
        t = length if length < far.shape[1] else length - 1
        while t > 0 and distances[i, far[i, t - 1]] < d:
            far[i, t] = far[i, t - 1]
            t -= 1
        far[i, t] = j
        if length < far.shape[1]:
            length += 1
    for t in range(length, far.shape[1]):
        far[i, t] = i


@kernel
def _split(
    distances,  # (n, n)  in
    order,  # (n,) int64  in/out: rows, those of a cluster side by side, ascending
    cluster,  # (n,) int64  in/out: of each row
    inside,  # (n,)  in/out: sum of the distances of each row to its cluster
    towards,  # (n,)  scratch: sum of the distances to the rows that break away
    twin,  # (n,) int64  in: the lowest row at distance 0 of each row
    far,  # (n, t) int64  in/out: furthest rows of each row
    at,  # (n,) int64  in/out: how many of them have been used up
    stack,  # (n + 1, 3) int64  in/out: first place, end and number of the clusters to split
    counts,  # (3,) int64  in/out: clusters on the stack, splits so far, numbers given to clusters
    left,  # (n - 1,) int64  out
    right,  # (n - 1,) int64  out
    height,  # (n - 1,)  out
    size,  # (n - 1,) int64  out
):
    work = 0
    while counts[0] > 0 and work < _DISTANCES_PER_CALL:
        counts[0] -= 1
        start, end, number = stack[counts[0], 0], stack[counts[0], 1], stack[counts[0], 2]
        if end - start == 1:
            continue
        diameter = _diameter(distances, order, cluster, start, end, far, at)
        if diameter == 0.0:
            for place in range(start + 1, end):
                i = counts[1]
                left[i], right[i], height[i], size[i] = order[start], order[place], 0.0, 1
                counts[1] += 1
            continue
        gone = _splinter(distances, order, cluster, inside, towards, twin, start, end, number, counts[2], diameter)
        middle = _part(order, cluster, inside, towards, start, end, number)
        i, one, other = counts[1], order[start], order[middle]
        left[i], right[i] = (one, other) if one < other else (other, one)
        height[i], size[i] = diameter, end - start
        stack[counts[0], 0], stack[counts[0], 1], stack[counts[0], 2] = start, middle, number
        stack[counts[0] + 1, 0], stack[counts[0] + 1, 1], stack[counts[0] + 1, 2] = middle, end, counts[2]
        work += (gone + 2) * (end - start)
        counts[0] += 2
        counts[1] += 1
        counts[2] += 1


@part
def _diameter(distances, order, cluster, start, end, far, at):
    """Return the greatest distance between two rows of a cluster."""
    diameter = 0.0
    for place in range(start, end):
        i = order[place]
        while at[i] < far.shape[1] and cluster[far[i, at[i]]] != cluster[i]:
            at[i] += 1
        if at[i] == far.shape[1]:
            _find_furthest(distances, order, cluster, start, end, i, far)
            at[i] = 0
        if distances[i, far[i, at[i]]] > diameter:
            diameter = np.float64(distances[i, far[i, at[i]]])
    return diameter


@part
def _splinter(distances, order, cluster, inside, towards, twin, start, end, number, new, diameter):
    """Give the rows that break away the number ``new``; return how many they are."""
    stay = end - start
    mover, most = order[start], -1.0
    for place in range(start, end):
        i = order[place]
        towards[i] = 0.0
        if inside[i] > most:
            mover, most = i, inside[i]
    gone = 0
    while True:
        for place in range(start, end):
            x = order[place]
            if cluster[x] != number or twin[x] != twin[mover] or stay == 1:
                continue
            cluster[x] = new
            stay -= 1
            gone += 1
            for other in range(start, end):
                j = order[other]
                d = distances[x, j]
                inside[j] -= d
                towards[j] += d
        if stay == 1:
            return gone
        most = _ROUNDING * diameter
        found = False
        for place in range(start, end):
            i = order[place]
            if cluster[i] == number:
                gain = inside[i] / (stay - 1) - towards[i] / gone
                if gain > most:
                    mover, most, found = i, gain, True
        if not found:
            return gone


@part
def _part(order, cluster, inside, towards, start, end, number):
    """Put the rows that stay before those that have left, each in order; return where the latter begin."""
    for place in range(start, end):
        if cluster[order[place]] != number:
            inside[order[place]] = towards[order[place]]
    middle = start
    for place in range(start, end):
        i = order[place]
        if cluster[i] == number:
            order[middle] = i
            middle += 1
        else:
            towards[place - middle + start] = i
    for t in range(end - middle):
        order[middle + t] = np.int64(towards[start + t])
    return middle
