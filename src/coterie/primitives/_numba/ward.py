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
