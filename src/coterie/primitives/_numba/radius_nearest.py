"""Who lies within a radius, on a k-d tree: the nearest row of a mask for each query, or all rows for a graph."""

import numpy as np

from .jit import kernel, part
from .kdtree import box_distance2, boxes_distance2
from .neighbors_tile import end_of, fill, larger
from .radius_tile import low_bit, within
from .radius_tree import EMPTY
from .tile import squared_distances

__all__ = ["nearest_tree", "precedes", "rows_tree"]

_STACK = 128  # deeper than any tree: each level adds one node


@kernel
def nearest_tree(
    block,  # int  in: leaves of the tree of queries
    per_block,  # int  in
    Q,  # (m, d)  in: queries in the order of a tree of their own, so that 32 of them walk together
    q_order,  # (m,) int64  in
    q_bounds,  # (q_nodes, 2)  in
    q_low,  # (q_nodes, d)  in
    q_high,  # (q_nodes, d)  in
    q_depth,  # int  in
    X,  # (n, d)  in
    order,  # (n,) int64  in
    bounds,  # (nodes, 2)  in
    low,  # (nodes, d)  in
    high,  # (nodes, d)  in
    panels,  # (leaves, d, 32)  in
    depth,  # int  in
    limit2,  # number of X's type  in
    masks,  # (leaves,) int64  in
    states,  # (nodes,) uint8  in: EMPTY where no row of the mask is below
    indices,  # (m,) int64  out: row of the input, or -1
    distances2,  # (m,) X's type  out
):
    """Find the nearest row of the mask within the radius of each query."""
    leaves, q_leaves = 1 << depth, 1 << q_depth
    stack, gaps = np.empty(_STACK, np.int64), np.empty(_STACK, X.dtype)
    best, place = np.empty(panels.shape[2], X.dtype), np.empty(panels.shape[2], np.int64)
    near = np.empty(panels.shape[2], X.dtype)
    for leaf in range(block * per_block, end_of(block, per_block, q_leaves)):
        mine = q_leaves - 1 + leaf
        start, end = q_bounds[mine, 0], q_bounds[mine, 1]
        fill(best, limit2)
        fill(place, -1)
        worst = limit2
        stack[0], gaps[0] = 0, boxes_distance2(q_low, q_high, mine, low, high, 0)
        top = 1 if states[0] != EMPTY and end > start else 0
        while top > 0:
            top -= 1
            node = stack[top]
            if gaps[top] > worst:
                continue
            if node < leaves - 1:
                top = _push_near(mine, q_low, q_high, node, low, high, states, worst, stack, gaps, top)
                continue
            for i in range(end - start):
                if box_distance2(Q, start + i, low, high, node) <= best[i]:
                    best[i], place[i] = _nearer(
                        Q,
                        start + i,
                        X,
                        order,
                        panels,
                        node - (leaves - 1),
                        masks,
                        bounds[node, 0],
                        best[i],
                        place[i],
                        near,
                    )
            worst = best[0]
            for i in range(1, end - start):
                worst = larger(worst, best[i])
        for i in range(end - start):
            found = place[i] >= 0
            indices[q_order[start + i]] = order[place[i]] if found else -1
            distances2[q_order[start + i]] = best[i] if found else np.inf


@part
def _nearer(Q, query, X, order, panels, leaf, masks, first, best, place, near):
    """Return the nearest so far of a query after one more leaf."""
    bits = masks[leaf] & within(Q, query, panels, leaf, best)
    if bits == 0:
        return best, place
    squared_distances(Q, query, panels, leaf, near)
    while bits != 0:
        j = low_bit(bits)
        bits &= bits - 1
        if near[j] < best or (near[j] == best and (place < 0 or precedes(X, order, first + j, place))):
            best, place = near[j], first + j
    return best, place


@part
def _push_near(mine, q_low, q_high, node, low, high, states, worst, stack, gaps, top):
    """Push the children that may hold a nearest row, the nearer on top."""
    a, b = 2 * node + 1, 2 * node + 2
    gap_a, gap_b = (
        boxes_distance2(q_low, q_high, mine, low, high, a),
        boxes_distance2(q_low, q_high, mine, low, high, b),
    )
    if gap_b < gap_a:
        a, b, gap_a, gap_b = b, a, gap_b, gap_a
    if gap_b <= worst and states[b] != EMPTY:
        stack[top], gaps[top] = b, gap_b
        top += 1
    if gap_a <= worst and states[a] != EMPTY:
        stack[top], gaps[top] = a, gap_a
        top += 1
    return top


@part
def precedes(
    X,  # (n, d)  in: rows in the order of an index
    order,  # (n,) int64  in: their row of the input
    a,  # int  in
    b,  # int  in
):
    """Say whether row a wins a tie against row b: by its coordinates, then by its row number."""
    for f in range(X.shape[1]):
        if X[a, f] != X[b, f]:
            return X[a, f] < X[b, f]
    return order[a] < order[b]


@kernel
def rows_tree(
    block,  # int  in
    per_block,  # int  in
    X,  # (n, d)  in
    order,  # (n,) int64  in
    bounds,  # (nodes, 2)  in
    low,  # (nodes, d)  in
    high,  # (nodes, d)  in
    panels,  # (leaves, d, 32)  in
    depth,  # int  in
    limit2,  # number of X's type  in
    indptr,  # (n + 1,) int64  in: by input row
    indices,  # (edges,) int64  out: ascending in each row
    distances2,  # (edges,) X's type  out
):
    """Write down the rows within the radius of each row."""
    leaves = 1 << depth
    stack = np.empty(_STACK, np.int64)
    near = np.empty(panels.shape[2], X.dtype)
    for place in range(block * per_block, end_of(block, per_block, len(X))):
        at = indptr[order[place]]
        stack[0] = 0
        top = 1
        while top > 0:
            top -= 1
            node = stack[top]
            if box_distance2(X, place, low, high, node) > limit2:
                continue
            if node < leaves - 1:
                stack[top], stack[top + 1] = 2 * node + 2, 2 * node + 1
                top += 2
                continue
            squared_distances(X, place, panels, node - (leaves - 1), near)
            for j in range(bounds[node, 1] - bounds[node, 0]):
                if near[j] <= limit2:
                    indices[at], distances2[at] = order[bounds[node, 0] + j], near[j]
                    at += 1
        start = indptr[order[place]]
        ascending = np.argsort(indices[start:at])
        indices[start:at] = indices[start:at][ascending]
        distances2[start:at] = distances2[start:at][ascending]
