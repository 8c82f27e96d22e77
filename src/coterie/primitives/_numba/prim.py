"""Prim's algorithm on the leaves of a k-d tree, for few rows: every row that joins offers its edges to all rows outside.

The tree is that of `boruvka`, edge by edge, since the order of the edges is strict. O(n^2) distances at the rate of the tile, and
a third of the code to compile: up to some thousand rows both take a few milliseconds.
"""

import numpy as np

from .blocks import run_kernel
from .jit import kernel, part
from .kdtree import KDTree
from .neighbors_tile import larger, low_bit, near_distances

__all__ = ["MOST_ROWS", "prim"]

MOST_ROWS = 4096  # where Boruvka's algorithm is as fast


def prim(tree: KDTree, core2: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the edges of the spanning tree as rows of the input, lower row first, with squared weights, unsorted."""
    n, leaves, wide = len(tree.X), len(tree.panels), tree.panels.shape[2]
    starts = np.append(tree.bounds[tree.first_leaf : tree.first_leaf + leaves, 0], n)
    left, right, weight2 = np.empty(n - 1, np.int64), np.empty(n - 1, np.int64), np.empty(n - 1, core2.dtype)
    reach2, gap2 = np.full(n, np.inf, core2.dtype), np.full(n, np.inf, core2.dtype)
    run_kernel(
        _grow, tree.X, tree.order, starts, tree.panels, core2, reach2, gap2, np.full(n, -1), np.ones(n, bool),
        np.full(leaves, np.inf, core2.dtype), starts[:-1].copy(), np.empty(wide, core2.dtype), left, right, weight2,
    )  # fmt: skip
    return left, right, weight2


@kernel
def _grow(
    X,  # (n, d)  in: tree order, like all that follows
    order,  # (n,) int64  in: row numbers
    starts,  # (leaves + 1,) int64  in
    panels,  # (leaves, d, w)  in
    core2,  # (n,)  in
    reach2,  # (n,)  in/out: least mutual reachability to a row inside
    gap2,  # (n,)  in/out: its distance
    nearest,  # (n,) int64  in/out: the row inside
    outside,  # (n,) bool  in/out
    worst,  # (leaves,)  in/out: largest reachability of a row outside
    first,  # (leaves,) int64  in/out: the row outside whose edge comes first, -1 where none is left
    gaps,  # (w,)  scratch
    left,  # (n - 1,) int64  out
    right,  # (n - 1,) int64  out
    weight2,  # (n - 1,)  out
):
    """Let the row outside whose edge comes first join, until all have."""
    joined, count = np.int64(0), 0
    _leave(outside, joined, starts, order, nearest, reach2, gap2, worst, first)
    while count < len(left):
        best = np.int64(-1)
        for leaf in range(len(panels)):
            if first[leaf] < 0:
                continue
            start = starts[leaf]
            # No edge is shorter than its distance, nor than the core distance of the row that has joined.
            if core2[joined] <= worst[leaf]:
                near = near_distances(X, joined, panels, leaf, worst[leaf], gaps)
                near &= (1 << (starts[leaf + 1] - start)) - 1
                changed = False
                while near:
                    j = low_bit(near)
                    near &= near - 1
                    row = start + j
                    value = larger(larger(core2[joined], core2[row]), gaps[j])
                    if outside[row] and (
                        value < reach2[row]
                        or (
                            value == reach2[row]
                            and (gaps[j] < gap2[row] or (gaps[j] == gap2[row] and order[joined] < order[nearest[row]]))
                        )
                    ):
                        reach2[row], gap2[row], nearest[row], changed = value, gaps[j], joined, True
                if changed:
                    _summarize(leaf, outside, starts, order, nearest, reach2, gap2, worst, first)
            if best < 0 or _before(first[leaf], best, order, nearest, reach2, gap2):
                best = first[leaf]
        one, other = order[nearest[best]], order[best]
        left[count], right[count] = (one, other) if one < other else (other, one)
        weight2[count] = reach2[best]
        joined = best
        count += 1
        _leave(outside, joined, starts, order, nearest, reach2, gap2, worst, first)


@part
def _leave(outside, row, starts, order, nearest, reach2, gap2, worst, first):
    """Take a row from those outside."""
    outside[row] = False
    low, high = 0, len(first)
    while high - low > 1:
        middle = (low + high) // 2
        if starts[middle] <= row:
            low = middle
        else:
            high = middle
    _summarize(low, outside, starts, order, nearest, reach2, gap2, worst, first)


@part
def _summarize(leaf, outside, starts, order, nearest, reach2, gap2, worst, first):
    """Note which row of a leaf comes first, and up to where an offer may be of use to one."""
    first[leaf], worst[leaf] = -1, -1.0
    for row in range(starts[leaf], starts[leaf + 1]):
        if outside[row]:
            worst[leaf] = larger(worst[leaf], reach2[row])
            if first[leaf] < 0 or _before(row, first[leaf], order, nearest, reach2, gap2):
                first[leaf] = row


@part
def _before(a, b, order, nearest, reach2, gap2):
    """Say whether the edge of one row comes before that of another by (reachability, distance, lower row, higher row)."""
    if reach2[a] != reach2[b]:
        return reach2[a] < reach2[b]
    if gap2[a] != gap2[b] or nearest[a] < 0:
        return gap2[a] < gap2[b]
    one, other, third, fourth = order[a], order[nearest[a]], order[b], order[nearest[b]]
    if other < one:
        one, other = other, one
    if fourth < third:
        third, fourth = fourth, third
    return one < third or (one == third and other < fourth)
