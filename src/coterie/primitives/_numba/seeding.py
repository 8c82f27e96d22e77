"""k-means++ on few rows, in one call: rows side by side in panels that stay in the cache from center to center."""

import numpy as np

from .blocks import run_kernel
from .jit import kernel, part
from .tile import GROUP, squared_distances

__all__ = ["seed_few"]


def seed_few(X, order, weight, aim, aims):
    """See `coterie.primitives.seeding.seed_few`."""
    n, d = X.shape
    n_panels = -(-n // GROUP)
    rows = np.zeros((n_panels * GROUP, d), X.dtype)
    rows[:n] = X[order]
    panels = np.ascontiguousarray(rows.reshape(n_panels, GROUP, d).transpose(0, 2, 1))
    return order[run_kernel(_seed, rows, panels, weight[order], aim, aims)]


@kernel
def _seed(
    rows,  # (>= n, d)  in: in the order of drawing
    panels,  # (p, d, GROUP)  in: the same side by side
    weight,  # (n,) float64  in
    aim,  # float  in
    aims,  # (k - 1, t) float64  in
):
    n, t = len(weight), aims.shape[1]
    chosen, places = np.empty(len(aims) + 1, np.int64), np.empty(t, np.int64)
    closest, running, closer, totals = np.empty(n), np.empty(n), np.empty((t, n)), np.empty((t, GROUP))
    for i in range(n):
        closest[i] = np.inf
    for c in range(len(chosen)):
        total = 0.0
        for i in range(n):
            total += weight[i] * closest[i] if c > 0 else weight[i]
            running[i] = total
        n_trials = 1 if c == 0 else t
        for j in range(n_trials):
            share = aim if c == 0 else aims[c - 1, j]
            places[j] = min(_count_up_to(running, share * total) if total > 0 else int(share * n), n - 1)
        _weigh(rows, panels, weight, places, n_trials, closest, closer, totals)
        best, least = 0, np.inf
        for j in range(n_trials):
            potential = 0.0
            for lane in range(GROUP):
                potential += totals[j, lane]
            if potential < least:
                best, least = j, potential
        chosen[c] = places[best]
        for i in range(n):
            closest[i] = closer[best, i]
    return chosen


@part
def _count_up_to(ascending, value):
    """Return how many numbers are at most ``value``."""
    low, high = 0, len(ascending)
    while low < high:
        middle = (low + high) >> 1
        if ascending[middle] <= value:
            low = middle + 1
        else:
            high = middle
    return low


@part
def _weigh(rows, panels, weight, places, n_trials, closest, closer, totals):
    """Set what the distances to the nearest center would be with each candidate, and their weighted sum lane by lane."""
    out = np.empty(GROUP, rows.dtype)
    for j in range(n_trials):
        for lane in range(GROUP):
            totals[j, lane] = 0.0
    for panel in range(len(panels)):
        first = panel * GROUP
        near, weights = closest[first : first + GROUP], weight[first : first + GROUP]
        for j in range(n_trials):
            squared_distances(rows, places[j], panels, panel, out)
            nearer, total = closer[j, first : first + GROUP], totals[j]
            for lane in range(len(near)):
                distance2, least = np.float64(out[lane]), near[lane]
                least = distance2 if distance2 < least else least
                nearer[lane] = least
                total[lane] += weights[lane] * least
