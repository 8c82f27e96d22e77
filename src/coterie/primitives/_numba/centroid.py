"""Centroid and median linkage: the two nearest centers merge, one pair after the other (Muellner 2011, generic algorithm).

A union may lie nearer to a third cluster than its parts did, so pairs cannot merge at once. Each cluster keeps the nearest one
that it found when it was last looked at. Later unions have looked at it themselves, so what it keeps is a lower bound of its
pairs with all older ones, and every pair is bounded by one of its two. The least bound of all is looked at: if its cluster is
still there the two merge, else it searches again.
"""

import numpy as np

from .blocks import run_kernel
from .jit import kernel
from .live_tree import merge_slots, plant, search
from .merge_heap import remove, settle

__all__ = ["centroid_merges"]

_SPARSE = 0.6
_NUMBERS_PER_CALL = 200_000_000  # at most about 0.1 s, so that Ctrl-C is heard
_MOST_SEARCHES = 4096


def centroid_merges(centers: np.ndarray, weight: np.ndarray, middle: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the merges as (lower row, higher row, squared height), in the order in which they were made.

    Parameters
    ----------
    centers : (n, d) float64 array
        Of magnitude about 1.
    weight : (n,) float64 array
        Above 0.
    middle : bool
        Median linkage: a union's center lies half-way between the two.
    """
    n = len(centers)
    left, right, height2 = np.empty(n - 1, np.int64), np.empty(n - 1, np.int64), np.empty(n - 1)
    nearest, distance2 = np.full(n, -1), np.full(n, -1.0)
    names, slot, looked = np.arange(n), np.empty(n, np.int64), np.zeros(n, np.int64)
    live, changed = plant(centers, weight, names, slot), np.full(n, -1)
    # No cluster has been looked at: the heap is in any order.
    heap, keys, place = names.copy(), np.full(n, -1.0), names.copy()
    searches = max(1, min(_MOST_SEARCHES, _NUMBERS_PER_CALL // centers.size))
    done = 0
    while done < n - 1:
        enough = min(n - 1, n - int(_SPARSE * len(live.name)))
        done = run_kernel(
            _merge, live, middle, done, max(enough, done + 1), searches, nearest, distance2, looked, changed, heap, keys, place, left, right,
            height2,
        )  # fmt: skip
        if n - done < _SPARSE * len(live.name):
            names = np.flatnonzero(place >= 0)
            at = slot[names]
            live = plant(live.centers[at], live.weight[at], names, slot)
    return left, right, height2


@kernel
def _merge(
    live,  # LiveTree  in/out
    middle,  # bool  in
    done,  # int  in: merges so far
    enough,  # int  in: merges after which the tree shall be built again
    searches,  # int  in: after which to return
    nearest,  # (n,) int64  in/out
    distance2,  # (n,)  in/out
    looked,  # (n,) int64  in/out: merges there were when a cluster was last looked at
    changed,  # (n,) int64  in/out: the last merge of each cluster
    heap,  # (n,) int64  in/out
    keys,  # (n,)  in/out
    place,  # (n,) int64  in/out
    left,  # (n - 1,) int64  out
    right,  # (n - 1,) int64  out
    height2,  # (n - 1,)  out
):
    n = len(nearest)
    gaps, stack, reach = np.empty(32), np.empty(128, np.int64), np.empty(128)
    for _ in range(searches):
        if done >= enough:
            break
        name = heap[0]
        other = nearest[name]
        if other >= 0 and changed[other] < looked[name]:
            keep, gone = (name, other) if name < other else (other, name)
            left[done], right[done], height2[done] = keep, gone, distance2[name]
            changed[keep], changed[gone] = done, done
            merge_slots(live, middle, keep, gone)
            remove(heap, keys, place, n - done, nearest, gone)
            done += 1
            name = keep
            if done == n - 1:
                break
        search(live, False, name, gaps, stack, reach, nearest, distance2)
        looked[name] = done
        settle(heap, keys, place, n - done, nearest, name, distance2[name])
    return done
