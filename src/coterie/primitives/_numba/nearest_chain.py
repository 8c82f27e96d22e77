"""Complete, average and weighted linkage on a matrix of distances, by the nearest-neighbour chain (Murtagh 1983).

From any cluster go to its nearest one, from there to that one's nearest, and so on: the distances fall, so that the chain ends
in two clusters that are each other's nearest, which merge; the rest of the chain still holds. Equal distances: the lower name;
the order of pairs is strict, so that the chain cannot go round in a circle. The matrix is packed: row i holds its distances to
the rows before it. It shrinks in place as clusters merge.
"""

import numpy as np

from .blocks import run_blocks, run_kernel
from .distances import pack_rows
from .jit import kernel, part
from .tile import GROUP, squared_distances

__all__ = ["AVERAGE", "COMPLETE", "WEIGHTED", "chain_merges", "packed_distances", "united"]

COMPLETE, AVERAGE, WEIGHTED = 0, 1, 2
_SPARSE = 0.7  # shrink the matrix when fewer of its rows are clusters
_DISTANCES_PER_CALL = 20_000_000
_ROWS_PER_BLOCK = 128


def packed_distances(X: np.ndarray) -> np.ndarray:
    """Return the Euclidean distances as `chain_merges` takes them."""
    n = len(X)
    packed = np.empty(n * (n - 1) // 2, X.dtype)
    run_blocks(_fill, -(-n // _ROWS_PER_BLOCK), _ROWS_PER_BLOCK, np.ascontiguousarray(X), pack_rows(X), packed)
    return packed


def chain_merges(
    packed: np.ndarray, name: np.ndarray, size: np.ndarray, how: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the merges as (lower row, higher row, height), in no order.

    Parameters
    ----------
    packed : (n (n - 1) / 2,) float array
        The distance of rows i > j at ``i (i - 1) / 2 + j``; destroyed.
    name : (n,) int64 array
        The lowest row of each cluster, ascending; destroyed.
    size : (n,) float64 array
        How many rows each cluster has; destroyed.
    how : {COMPLETE, AVERAGE, WEIGHTED}
    """
    n = len(name)
    left, right, height = np.empty(n - 1, np.int64), np.empty(n - 1, np.int64), np.empty(n - 1)
    chain, moved = np.empty(n, np.int64), np.empty(n, np.int64)
    live, done, length = n, 0, 0
    while done < n - 1:
        enough = min(n - 1, n - int(_SPARSE * live))
        merges = max(enough, done + 1)
        done, length = run_kernel(
            _follow, packed, live, how, done, merges, max(4, _DISTANCES_PER_CALL // live), name, size, chain, length, left,
            right, height,
        )  # fmt: skip
        if n - done < _SPARSE * live:
            for end in range(0, live, 1024):
                run_kernel(_shrink, packed, end, min(live, end + 1024), size, moved)
            live = run_kernel(_rename, live, name, size, chain, length, moved)
    return left, right, height


@kernel
def _fill(block, per_block, X, panels, packed):
    n = len(X)
    line = np.empty(GROUP, X.dtype)
    for i in range(block * per_block, n if n < (block + 1) * per_block else (block + 1) * per_block):
        at, left = i * (i - 1) // 2, i
        for p in range((i + GROUP - 1) // GROUP):
            squared_distances(X, i, panels, p, line)
            for j in range(left if left < GROUP else GROUP):
                packed[at + j] = np.sqrt(line[j])
            at, left = at + GROUP, left - GROUP


@kernel
def _follow(
    packed,  # (>= m (m - 1) / 2,)  in/out
    live,  # int  in: m, rows of the matrix
    how,  # int  in
    done,  # int  in: merges so far
    enough,  # int  in: merges after which to return
    steps,  # int  in: scans after which to return
    name,  # (n,) int64  in: lowest row of the cluster in each row of the matrix
    size,  # (n,)  in/out: 0 where the cluster has gone
    chain,  # (n,) int64  in/out
    length,  # int  in: of the chain
    left,  # (n - 1,) int64  out
    right,  # (n - 1,) int64  out
    height,  # (n - 1,)  out
):
    first = 0
    while done < enough and steps > 0:
        steps -= 1
        if length == 0:
            while size[first] == 0:
                first += 1
            chain[0], length = first, 1
        at = chain[length - 1]
        near, distance = _nearest(packed, live, size, at)
        if length == 1 or near != chain[length - 2]:
            chain[length] = near
            length += 1
            continue
        length -= 2
        keep, gone = (at, near) if at < near else (near, at)
        left[done], right[done], height[done] = name[keep], name[gone], distance
        done += 1
        _unite(packed, live, how, size, keep, gone)
    return done, length


@part
def _nearest(packed, live, size, at):
    """Return the nearest other cluster, the lowest of equally near ones, and its distance."""
    near, best = -1, packed.dtype.type(np.inf)
    base = at * (at - 1) // 2
    for j in range(at):
        if (packed[base + j] < best or near < 0) and size[j] > 0:
            near, best = j, packed[base + j]
    place = base + at + at
    for i in range(at + 1, live):
        if (packed[place] < best or near < 0) and size[i] > 0:
            near, best = i, packed[place]
        place += i
    return near, best


@part
def _unite(packed, live, how, size, keep, gone):
    """Write the distances of a union over those of its lower part."""
    s, t = size[keep], size[gone]
    size[keep], size[gone] = s + t, 0.0
    for k in range(live):
        if size[k] == 0 or k == keep:
            continue
        place = _place(keep, k)
        one, other = np.float64(packed[place]), np.float64(packed[_place(gone, k)])
        packed[place] = united(how, s, t, one, other)


@part
def united(how, s, t, one, other):
    """Return the distance to a union of clusters of sizes s and t from the distances to these (Lance and Williams 1967)."""
    if how == COMPLETE:
        return one if one > other else other
    if one == other:
        return one  # to the last bit, so that ties remain ties
    return (s * one + t * other) / (s + t) if how == AVERAGE else 0.5 * (one + other)


@part
def _place(i, j):
    return i * (i - 1) // 2 + j if i > j else j * (j - 1) // 2 + i


@kernel
def _shrink(packed, start, end, size, moved):
    """Move the distances of rows start..end - 1 to the front; what was there has been moved already."""
    if start == 0:
        moved[0] = 0
    to = moved[start]
    for i in range(start, end):
        moved[i] = to
        if size[i] > 0:
            base, target = i * (i - 1) // 2, to * (to - 1) // 2
            for j in range(i):
                if size[j] > 0:
                    packed[target] = packed[base + j]
                    target += 1
            to += 1
    if end < len(moved):
        moved[end] = to


@kernel
def _rename(live, name, size, chain, length, moved):
    for t in range(length):
        chain[t] = moved[chain[t]]
    to = 0
    for i in range(live):
        if size[i] > 0:
            name[to], size[to] = name[i], size[i]
            to += 1
    return to
