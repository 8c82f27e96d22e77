"""Ward's linkage by rounds: every two clusters that are each other's nearest merge, all of them at once.

This is allowed because Ward's dissimilarity is reducible (Bruynooghe 1977): where a and b are each other's nearest, no third
cluster is nearer to their union than to the nearer one of them. So the merges of a round disturb each other no more than if
they had been made one by one, and a cluster whose nearest one did not merge keeps it. Only centers and weights are stored.
"""

import numpy as np

from .blocks import run_kernel
from .jit import kernel
from .live_tree import find_nearest, merge_slots, plant

__all__ = ["ward_merges"]

_SPARSE = 0.6  # build the tree again when fewer of its slots are taken
_PER_CALL = 1 << 16
_FEW = 1 << 20  # rows times rows times features that NumPy compares in 15 ms, where compiling would take two seconds


def ward_merges(centers: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the merges as (lower row, higher row, squared height), in no order.

    Parameters
    ----------
    centers : (n, d) float64 array
        Of magnitude about 1.
    weight : (n,) float64 array
        Above 0.
    """
    n = len(centers)
    if n * n * centers.shape[1] <= _FEW:
        return _few_merges(centers.copy(), weight.copy())
    left, right, height2 = np.empty(n - 1, np.int64), np.empty(n - 1, np.int64), np.empty(n - 1)
    nearest, distance2 = np.full(n, n), np.full(n, np.inf)
    names, slot = np.arange(n), np.empty(n, np.int64)
    live, todo = plant(centers, weight, names, slot), names.copy()
    merged_in, alive = np.full(n + 1, -1), np.ones(n, bool)
    done, turn = 0, 0
    while done < n - 1:
        find_nearest(live, True, todo, nearest, distance2)
        run_kernel(_share, todo, nearest, distance2)
        for start in range(0, len(names), _PER_CALL):
            done = run_kernel(
                _merge_round, live, names[start : start + _PER_CALL], turn, nearest, distance2, merged_in, alive, left,
                right, height2, done,
            )  # fmt: skip
        names = names[alive[names]]
        todo = names[(merged_in[names] == turn) | (merged_in[nearest[names]] == turn)]
        if len(names) < _SPARSE * len(live.name):
            at = slot[names]
            live = plant(live.centers[at], live.weight[at], names, slot)
        turn += 1
    return left, right, height2


def _few_merges(centers, weight):
    """Do the same for few rows without a kernel: the same operations in the same order, and so the same bits."""
    n, merges = len(centers), []
    nearest, distance2 = np.full(n, n), np.full(n, np.inf)
    names = todo = np.arange(n)
    while len(names) > 1:
        _nearest_of_few(centers, weight, names, todo, nearest, distance2)
        other = nearest[todo]
        if (
            (distance2[todo] < distance2[other]) | ((distance2[todo] == distance2[other]) & (todo < nearest[other]))
        ).any():
            _share.py_func(todo, nearest, distance2)
        i = names[(names < nearest[names]) & (nearest[nearest[names]] == names)]
        j = nearest[i]
        merges.append((i, j, distance2[i]))
        s, t = weight[i][:, None], weight[j][:, None]
        one, other = centers[i], centers[j]
        centers[i] = np.where(one == other, one, (s * one + t * other) / (s + t))
        weight[i] += weight[j]
        merged = np.zeros(n, bool)
        merged[i] = merged[j] = True
        names = np.delete(names, np.searchsorted(names, j))
        todo = names[merged[names] | merged[nearest[names]]]
    return tuple(np.concatenate(parts) for parts in zip(*merges, strict=True))


def _nearest_of_few(centers, weight, names, todo, nearest, distance2):
    """Write the nearest other cluster of each one in ``todo``, and its dissimilarity; ties to the lowest name."""
    values = np.zeros((len(todo), len(names)))
    for column in centers.T:
        gap = column[todo][:, None] - column[names]
        gap *= gap
        values += gap
    s, t = weight[todo][:, None], weight[names]
    values *= 2.0 * (s * t / (s + t))
    lines, own = np.arange(len(todo)), np.searchsorted(names, todo)
    values[lines, own] = np.inf
    found = values.argmin(1)
    found[found == own] = 1  # all are infinitely far from the first one
    nearest[todo], distance2[todo] = names[found], values[lines, found]


@kernel
def _share(todo, nearest, distance2):
    """Tell each cluster that was found as the nearest one, should it be nearer than what that one has found itself.

    By the theorem it never is; by rounding it may be, in the last bit, and then two clusters must not wait for each other.
    """
    for i in todo:
        j = nearest[i]
        if distance2[i] < distance2[j] or (distance2[i] == distance2[j] and i < nearest[j]):
            nearest[j], distance2[j] = i, distance2[i]


@kernel
def _merge_round(
    live,  # LiveTree  in/out
    names,  # (m,) int64  in
    turn,  # int  in
    nearest,  # (n,) int64  in
    distance2,  # (n,)  in
    merged_in,  # (n + 1,) int64  in/out: the round in which a cluster last merged
    alive,  # (n,) bool  in/out
    left,  # (n - 1,) int64  out
    right,  # (n - 1,) int64  out
    height2,  # (n - 1,)  out
    done,  # int  in: merges so far
):
    for i in names:
        j = nearest[i]
        if i < j and nearest[j] == i and merged_in[i] != turn:
            left[done], right[done], height2[done] = i, j, distance2[i]
            done += 1
            merge_slots(live, False, i, j)
            merged_in[i], merged_in[j] = turn, turn
            alive[j] = False
    return done
