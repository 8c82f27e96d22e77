"""Linkage along the edges of a graph: only neighbours merge, and a union has the neighbours of both its parts.

Each cluster keeps a linked list of its edges: two lists are joined in constant time, and edges that lead to the same cluster
are put together when the list is walked. As in `centroid`, a cluster keeps the nearest neighbour that it found when it was
last looked at, which bounds its pairs with all older clusters; the least bound of all is looked at. When that neighbour has
merged, the second nearest bounds the rest: most clusters are found by others before that one is reached.
"""

import numpy as np

from .blocks import run_kernel
from .jit import kernel, part
from .live_tree import weighed
from .merge_heap import remove, settle
from .nearest_chain import COMPLETE
from .union_find import find

__all__ = ["MEAN_OF_EDGES", "MEDIAN", "WARD", "forest", "graph_merges"]

MEAN_OF_EDGES, WARD, CENTROID, MEDIAN = 1, 3, 4, 5
_EDGES_PER_CALL = 2_000_000  # about 0.1 s, so that Ctrl-C is heard


def graph_merges(
    indptr: np.ndarray, target: np.ndarray, value: np.ndarray, how: int, centers: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the merges as (lower row, higher row, height) in the order in which they were made.

    Parameters
    ----------
    indptr : (n + 1,) int64 array
    target : (m,) int64 array
        Every edge at both its ends, none from a row to itself; changed.
    value : (m,) float64 array
        Distances along the edges, or empty for linkages by centers; changed.
    how : {COMPLETE, MEAN_OF_EDGES, WARD, CENTROID, MEDIAN}
    centers : (n, d) float64 array
        Changed: in the end the centers of what is left, each at its lowest row. Empty for linkages along edges.
    weight : (n,) float64 array
        Changed likewise.
    """
    n = len(indptr) - 1
    left, right, height = np.empty(n - 1, np.int64), np.empty(n - 1, np.int64), np.empty(n - 1)
    following = np.arange(1, len(target) + 1, dtype=target.dtype)
    ends = indptr[1:] - 1
    filled = indptr[1:] > indptr[:-1]
    following[ends[filled]] = -1
    head, tail = np.where(filled, indptr[:-1], -1), np.where(filled, ends, -1)
    lists = (head, tail, following, target, value, np.ones(len(value)))
    marks = (np.full(n, -1), np.empty(n, np.int64))
    nearest, distance, second = np.full(n, -1), np.full(n, -1.0), np.full(n, -1.0)
    looked, changed = np.zeros(n, np.int64), np.full(n, -1)
    # No cluster has been looked at: the heap is in any order.
    heap, keys, place = np.arange(n), np.full(n, -1.0), np.arange(n)
    parent = np.arange(n)
    state = (how, *lists, *marks, parent, centers, weight, nearest, distance, second)
    done, searches = 0, 0
    while done < n - 1 and keys[0] < np.inf:
        done, searches = run_kernel(
            _merge, done, searches, *state, looked, changed, heap, keys, place, left, right, height
        )
    return left[:done], right[:done], height[:done]


def forest(n: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return which edges, taken in their order, join two parts that were not joined before."""
    parent, chosen = np.arange(n), np.zeros(len(left), bool)
    for start in range(0, len(left), 1 << 20):
        run_kernel(_choose, start, min(len(left), start + (1 << 20)), left, right, parent, chosen)
    return chosen


@kernel
def _choose(start, end, left, right, parent, chosen):
    for i in range(start, end):
        a, b = find(parent, left[i]), find(parent, right[i])
        if a != b:
            chosen[i] = True
            if a < b:
                parent[b] = a
            else:
                parent[a] = b


@kernel
def _merge(
    done,  # int  in: merges so far
    searches,  # int  in: searches so far
    how,  # int  in
    head,  # (n,) int64  in/out: first edge of each cluster, -1 where there is none
    tail,  # (n,) int64  in/out: last edge
    following,  # (m,) int64  in/out: the next edge, -1 at the end
    target,  # (m,) int64  in/out: a row of the cluster that the edge leads to
    value,  # (m,) or (0,)  in/out
    share,  # (m,) or (0,)  in/out: how many edges of the graph an edge stands for
    seen,  # (n,) int64  scratch
    entry,  # (n,) int64  scratch
    parent,  # (n,) int64  in/out
    centers,  # (n, d)  in/out
    weight,  # (n,)  in/out
    nearest,  # (n,) int64  in/out: n where there is none, -1 where it has merged, or no search was made
    distance,  # (n,)  in/out
    second,  # (n,)  in/out: bounds the pairs with all others that there were
    looked,  # (n,) int64  in/out: merges there were when a cluster was last looked at
    changed,  # (n,) int64  in/out: the last merge of each cluster
    heap,  # (n,) int64  in/out
    keys,  # (n,)  in/out
    place,  # (n,) int64  in/out
    left,  # (n - 1,) int64  out
    right,  # (n - 1,) int64  out
    height,  # (n - 1,)  out
):
    n = len(head)
    work = 0
    while work < _EDGES_PER_CALL:
        work += 1
        name = heap[0]
        if distance[name] == np.inf:
            break
        other = nearest[name]
        if other >= 0 and changed[other] >= looked[name]:
            nearest[name], distance[name] = -1, second[name]
            settle(heap, keys, place, n - done, nearest, name, distance[name])
            continue
        if other >= 0:
            keep, gone = (name, other) if name < other else (other, name)
            left[done], right[done], height[done] = keep, gone, distance[name]
            changed[keep], changed[gone] = done, done
            _unite(how, head, tail, following, parent, centers, weight, keep, gone)
            remove(heap, keys, place, n - done, nearest, gone)
            done += 1
            name = keep
        searches += 1
        work += _search(
            name, searches, how, head, tail, following, target, value, share, seen, entry, parent, centers, weight, nearest,
            distance, second,
        )  # fmt: skip
        looked[name] = done
        settle(heap, keys, place, n - done, nearest, name, distance[name])
        if done == n - 1:
            break
    return done, searches


@part
def _unite(how, head, tail, following, parent, centers, weight, keep, gone):
    parent[gone] = keep
    if head[keep] < 0:
        head[keep], tail[keep] = head[gone], tail[gone]
    elif head[gone] >= 0:
        following[tail[keep]] = head[gone]
        tail[keep] = tail[gone]
    s, t = weight[keep], weight[gone]
    weight[keep] = s + t
    for f in range(centers.shape[1]):
        one, other = centers[keep, f], centers[gone, f]
        if one != other:
            centers[keep, f] = 0.5 * (one + other) if how == MEDIAN else (s * one + t * other) / (s + t)


@part
def _search(
    name,  # int  in
    stamp,  # int  in: a number not used before
    how, head, tail, following, target, value, share, seen, entry, parent, centers, weight, nearest, distance, second
):  # fmt: skip
    """Put edges to the same cluster together, and find the nearest neighbour, the lowest of equally near ones.

    Returns how many edges were looked at.
    """
    along, walked = len(value) > 0, 0
    last, edge = -1, head[name]
    while edge >= 0:
        walked += 1
        other, after = find(parent, target[edge]), following[edge]
        if other != name and seen[other] != stamp:
            seen[other], entry[other], target[edge], last = stamp, edge, other, edge
        else:
            if other != name and along:
                first = entry[other]
                if how == COMPLETE:
                    value[first] = value[edge] if value[edge] > value[first] else value[first]
                else:
                    total = share[first] + share[edge]
                    if value[edge] != value[first]:  # else the mean is that value, to the last bit
                        value[first] = (share[first] * value[first] + share[edge] * value[edge]) / total
                    share[first] = total
            if last < 0:
                head[name] = after
            else:
                following[last] = after
        edge = after
    tail[name] = last
    near, best, later, edge = len(head), np.inf, np.inf, head[name]
    while edge >= 0:
        other = target[edge]
        if along:
            gap = value[edge]
        else:
            gap = 0.0
            for f in range(centers.shape[1]):
                side = centers[name, f] - centers[other, f]
                gap += side * side
            gap *= weighed(how == WARD, weight[name], weight[other])
        if gap < best or (gap == best and other < near):
            near, best, later = other, gap, best
        elif gap < later:
            later = gap
        edge = following[edge]
    nearest[name], distance[name], second[name] = near, best, later
    return walked
