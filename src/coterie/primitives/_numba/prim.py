"""Prim's algorithm on the leaves of a k-d tree, for few rows: every row that joins offers its edges to all rows outside.

The tree is that of `boruvka`, edge by edge, since the order of the edges is strict. O(n^2) distances at the rate of the tile, and
a third of the code to compile: up to some thousand rows both take a few milliseconds.
"""

import numpy as np

from .blocks import run_kernel
from .jit import kernel, part
from .kdtree import KDTree
from .neighbors_tile import larger, low_bit, near_each

__all__ = ["MOST_ROWS", "prim"]

MOST_ROWS = 4096  # where Boruvka's algorithm is as fast


def prim(tree: KDTree, core2: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the edges of the spanning tree as rows of the input, lower row first, with squared weights, unsorted."""
    n, leaves, wide = len(tree.X), len(tree.panels), tree.panels.shape[2]
    starts, ends = tree.bounds[tree.first_leaf : tree.first_leaf + leaves].T
    left, right, weight2 = np.empty(n - 1, np.int64), np.empty(n - 1, np.int64), np.empty(n - 1, core2.dtype)
    reach2 = np.full((leaves, wide), np.inf, core2.dtype)
    # No distance is less: rows that are missing, or have joined, are never near.
    reach2[np.arange(wide) >= (ends - starts)[:, None]] = -1.0
    run_kernel(
        _grow, tree.X, tree.order, np.ascontiguousarray(starts), tree.panels, core2, reach2,
        np.full(n, np.inf, core2.dtype), np.full(n, -1),
        np.full(leaves, np.inf, core2.dtype), np.array(starts), np.empty(wide, core2.dtype), left, right, weight2,
    )  # fmt: skip
    return left, right, weight2


@kernel
def _grow(
    X,  # (n, d)  in: tree order, like all that follows
    order,  # (n,) int64  in: row numbers
    starts,  # (leaves,) int64  in
    panels,  # (leaves, d, w)  in
    core2,  # (n,)  in
    reach2,  # (leaves, w)  in/out: least mutual reachability to a row inside; -1 for rows that have joined
    gap2,  # (n,)  in/out: its distance
    nearest,  # (n,) int64  in/out: the row inside
    worst,  # (leaves,)  in/out: largest reachability of a row outside
    first,  # (leaves,) int64  in/out: the row outside whose edge comes first, -1 where none is left
    gaps,  # (w,)  scratch
    left,  # (n - 1,) int64  out
    right,  # (n - 1,) int64  out
    weight2,  # (n - 1,)  out
):
    """Let the row outside whose edge comes first join, until all have."""
    joined, count = np.int64(0), 0
    reach2[0, 0] = -1.0
    _summarize(np.int64(0), starts, order, nearest, reach2, gap2, worst, first)
    while count < len(left):
        best, least = np.int64(-1), np.int64(-1)
        for leaf in range(len(panels)):
            if first[leaf] < 0:
                continue
            # No edge is shorter than its distance, nor than the core distance of the row that has joined.
            if core2[joined] <= worst[leaf]:
                near = near_each(X, joined, panels, leaf, reach2, gaps)
                changed = False
                while near:
                    j = low_bit(near)
                    near &= near - 1
                    row, gap = starts[leaf] + j, gaps[j]
                    value = larger(larger(core2[joined], core2[row]), gap)
                    if value < reach2[leaf, j] or (
                        value == reach2[leaf, j]
                        and (gap < gap2[row] or (gap == gap2[row] and order[joined] < order[nearest[row]]))
                    ):
                        reach2[leaf, j], gap2[row], nearest[row], changed = value, gap, joined, True
                if changed:
                    _summarize(leaf, starts, order, nearest, reach2, gap2, worst, first)
            if best < 0 or _before(first[leaf], leaf, best, least, starts, order, nearest, reach2, gap2):
                best, least = first[leaf], leaf
        one, other = order[nearest[best]], order[best]
        left[count], right[count] = (one, other) if one < other else (other, one)
        weight2[count] = reach2[least, best - starts[least]]
        reach2[least, best - starts[least]] = -1.0
        joined = best
        count += 1
        _summarize(least, starts, order, nearest, reach2, gap2, worst, first)


@part
def _summarize(leaf, starts, order, nearest, reach2, gap2, worst, first):
    """Note which row of a leaf comes first, and up to where an offer may be of use to one."""
    first[leaf], worst[leaf] = -1, -1.0
    for j in range(reach2.shape[1]):
        if reach2[leaf, j] >= 0.0:
            worst[leaf] = larger(worst[leaf], reach2[leaf, j])
            row = starts[leaf] + j
            if first[leaf] < 0 or _before(row, leaf, first[leaf], leaf, starts, order, nearest, reach2, gap2):
                first[leaf] = row


@part
def _before(a, leaf_of_a, b, leaf_of_b, starts, order, nearest, reach2, gap2):
    """Say whether the edge of one row comes before that of another by (reachability, distance, lower row, higher row)."""
    one, other = reach2[leaf_of_a, a - starts[leaf_of_a]], reach2[leaf_of_b, b - starts[leaf_of_b]]
    if one != other:
        return one < other
    if gap2[a] != gap2[b] or nearest[a] < 0:
        return gap2[a] < gap2[b]
    low, high, other_low, other_high = order[a], order[nearest[a]], order[b], order[nearest[b]]
    if high < low:
        low, high = high, low
    if other_high < other_low:
        other_low, other_high = other_high, other_low
    return low < other_low or (low == other_low and high < other_high)
