"""Lloyd's step in few dimensions: rows in small boxes of a k-d tree, each box beside the few centers near it.

A center is nearest to some row of a box only if its least distance from the box does not exceed the greatest distance of any
other center from it. Candidates are sought twice: for boxes of about 1,000 rows among all centers, then for their leaves
among those. In two dimensions about ten of 1,000 centers are left, whatever the step before found.

Kanungo, T., et al. (2002). An efficient k-means clustering algorithm: analysis and implementation. IEEE TPAMI, 24(7), 881-892.
https://doi.org/10.1109/TPAMI.2002.1017616
"""

import numpy as np

from .blocks import run_blocks
from .jit import kernel
from .kdtree import build_kdtree
from .lloyd_sums import move_row
from .tile import ROWS, nearest_of_eight, pack_centers

__all__ = ["Boxes", "reassign_in_boxes"]

_LEAF_ROWS = 64
_LEVELS_BETWEEN = 4


class Boxes:
    """The tree over the rows and the nodes that are searched first."""

    def __init__(self, X):
        self.tree = build_kdtree(X, _LEAF_ROWS)
        self.top_depth = max(0, self.tree.depth - _LEVELS_BETWEEN)


def reassign_in_boxes(boxes, weight, centers, labels, slots, tally):
    """Look at every leaf beside the centers near it; arguments as `lloyd` keeps them, rows in the order of the tree."""
    tree = boxes.tree
    packed, norms = pack_centers(centers, tree.X.dtype)
    corners = max(float(np.abs(tree.low[0]).max()), float(np.abs(tree.high[0]).max()), float(np.abs(centers).max()))
    margin = 16.0 * (centers.shape[1] + 2) * np.finfo(tree.X.dtype).eps * centers.shape[1] * corners**2
    n_blocks = len(tally)
    run_blocks(
        _reassign_boxes, n_blocks, n_blocks, tree.X, tree.bounds, tree.low, tree.high, tree.depth, boxes.top_depth,
        weight, np.ascontiguousarray(centers.T), packed, norms, margin, labels, *slots, tally,
    )  # fmt: skip


@kernel
def _reassign_boxes(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in: in the order of the tree
    bounds,  # (nodes, 2)  in
    low,  # (nodes, d)  in
    high,  # (nodes, d)  in
    depth,  # int  in
    top_depth,  # int  in
    weight,  # (n,) or (1,)  in
    columns,  # (d, k) float64  in: the centers
    packed,  # (packs, d, lanes)  in
    norms,  # (packs, lanes)  in
    margin,  # float  in: rounding of a squared distance
    labels,  # (n,) int32  in, out
    sums,  # (n_blocks, places, d)  out: what this block adds, where touched
    weights,  # (n_blocks, places)  out
    counts,  # (n_blocks, places)  out
    touched,  # (n_blocks, places)  out: false before
    tally,  # (n_blocks, 2)  out: rows changed, rows looked at
):
    d, k = columns.shape
    near, nearest = np.empty(k, np.int64), np.empty(k, np.int64)
    near_columns = np.empty((d, k))
    gaps, reaches = np.empty(k), np.empty(k)
    few, few_norms = np.empty_like(packed), np.empty_like(norms)
    values, indices = np.empty(ROWS, X.dtype), np.empty(ROWS, np.int32)
    n_changed, n_listed = 0, 0
    tops, span = 1 << top_depth, 1 << (depth - top_depth)
    for top in range(tops * block // n_blocks, tops * (block + 1) // n_blocks):
        n_near = _candidates(low, high, tops - 1 + top, columns, k, margin, gaps, reaches, near)
        for f in range(d):
            for j in range(n_near):
                near_columns[f, j] = columns[f, near[j]]
        for leaf in range((1 << depth) - 1 + top * span, (1 << depth) - 1 + (top + 1) * span):
            start, end = bounds[leaf, 0], bounds[leaf, 1]
            m = _candidates(low, high, leaf, near_columns, n_near, margin, gaps, reaches, nearest)
            for j in range(m):
                nearest[j] = near[nearest[j]]
            packs = _pack_few(nearest, m, packed, norms, few, few_norms) if m > 1 else 0
            n_listed += end - start if m > 1 else 0
            for first in range(start, end, ROWS):
                if m > 1:
                    nearest_of_eight(X, first, few[:packs], few_norms[:packs], values, indices)
                for i in range(first, min(first + ROWS, end)):
                    old, new = labels[i], np.int32(nearest[indices[i - first]] if m > 1 else nearest[0])
                    if new != old:
                        move_row(block, X, i, weight, old, new, sums, weights, counts, touched)
                        labels[i] = new
                        n_changed += 1
    tally[block, 0], tally[block, 1] = n_changed, n_listed


@kernel
def _candidates(low, high, node, columns, m, margin, gaps, reaches, chosen):
    """List which of the first m centers may be nearest to a row of a node's box, and return how many they are."""
    for j in range(m):
        gaps[j], reaches[j] = 0.0, 0.0
    for f in range(len(columns)):
        bottom, top = np.float64(low[node, f]), np.float64(high[node, f])
        for j in range(m):
            below, above = bottom - columns[f, j], columns[f, j] - top
            farther = below if below > above else above
            gap = farther if farther > 0.0 else 0.0
            reach = -above if below > above else -below  # to the corner on the other side
            gaps[j] += gap * gap
            reaches[j] += reach * reach
    limit = np.inf
    for j in range(m):
        limit = reaches[j] if reaches[j] < limit else limit
    limit += margin
    n_chosen = 0
    for j in range(m):
        chosen[n_chosen] = j
        n_chosen += gaps[j] <= limit
        if n_chosen == len(chosen):
            break
    return n_chosen


@kernel
def _pack_few(chosen, n_chosen, packed, norms, few, few_norms):
    """Lay some centers side by side, in their order, and return in how many packs."""
    lanes, d = packed.shape[2], packed.shape[1]
    shift = 4 if lanes == 16 else 3
    packs = (n_chosen + lanes - 1) >> shift
    for c in range(packs * lanes):
        to_pack, to_lane = c >> shift, c & (lanes - 1)
        if c < n_chosen:
            pack, lane = chosen[c] >> shift, chosen[c] & (lanes - 1)
            few_norms[to_pack, to_lane] = norms[pack, lane]
            for f in range(d):
                few[to_pack, f, to_lane] = packed[pack, f, lane]
        else:
            few_norms[to_pack, to_lane] = np.inf
            for f in range(d):
                few[to_pack, f, to_lane] = 0.0
    return packs
