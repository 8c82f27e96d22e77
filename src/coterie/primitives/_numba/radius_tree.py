"""Counting and joining within a radius on a k-d tree: leaves of 32 rows against leaves of 32 rows.

A pair of nodes is left out when their boxes lie further apart than the radius, and taken whole when no two points of the boxes
do. Rounding is monotone, so both decisions agree with the computed distances of the rows inside. A leaf meets the other
leaves from the near to the far: its own rows, then the sibling of each node on the way to the root. Joining goes up level
by level in the same way, and a leaf passes over any node whose rows are already in its component.
"""

import numpy as np

from .jit import kernel, part
from .kdtree import box_distance2, node_distance2
from .neighbors_tile import end_of, larger
from .radius_tile import bit_count, low_bit, within
from .union_find import find, union

__all__ = ["EMPTY", "count_tree", "flag_leaves", "flag_nodes", "join_leaves", "join_level"]

_STACK = 128  # deeper than any tree: each level adds one node
EMPTY, MIXED, UNIFORM = 0, 1, 2


@part
def farthest2(
    low,  # (nodes, d)  in
    high,  # (nodes, d)  in
    a,  # int  in
    b,  # int  in
):
    """Return the greatest squared distance between points of two boxes; no computed distance inside exceeds it."""
    total = low.dtype.type(0)
    for f in range(low.shape[1]):
        gap = larger(high[a, f] - low[b, f], high[b, f] - low[a, f])
        total += gap * gap
    return total


@kernel
def count_tree(
    block,  # int  in: leaves block * per_block ... are counted for
    per_block,  # int  in
    X,  # (n, d)  in: rows in tree order
    bounds,  # (nodes, 2)  in
    low,  # (nodes, d)  in
    high,  # (nodes, d)  in
    panels,  # (leaves, d, 32)  in
    depth,  # int  in
    limit2,  # number of X's type  in: squared radius
    weights,  # (n,) or (0,) float64  in: in tree order; none: each row counts once
    enough,  # float  in: a row that has so much need not be counted on; infinite: all are
    counts,  # (n,) float64  in: 0, out: in tree order
):
    """Add up the rows, or their weights, within the radius of each row of a block of leaves."""
    leaves = 1 << depth
    left = np.empty(panels.shape[2], np.int64)
    stack = np.empty(_STACK, np.int64)
    for leaf in range(block * per_block, end_of(block, per_block, leaves)):
        mine = leaves - 1 + leaf
        start, end = bounds[mine, 0], bounds[mine, 1]
        n_left = end - start
        for i in range(n_left):
            left[i] = start + i
        node, sibling = mine, mine
        while n_left > 0:
            n_left = _count_below(
                sibling,
                mine,
                X,
                bounds,
                low,
                high,
                panels,
                leaves,
                limit2,
                weights,
                enough,
                counts,
                left,
                n_left,
                stack,
            )
            if node == 0:
                break
            sibling = node - 1 if node % 2 == 0 else node + 1
            node = (node - 1) // 2


@part
def _count_below(
    root, mine, X, bounds, low, high, panels, leaves, limit2, weights, enough, counts, left, n_left, stack
):
    """Count the rows below a node for the rows ``left`` of a leaf; return how many of these still need more."""
    weighted = len(weights) > 0
    stack[0] = root
    top = 1
    while top > 0 and n_left > 0:
        top -= 1
        node = stack[top]
        if node_distance2(low, high, mine, node) > limit2:
            continue
        if not weighted and farthest2(low, high, mine, node) <= limit2:
            for i in range(n_left):
                counts[left[i]] += bounds[node, 1] - bounds[node, 0]
        elif node < leaves - 1:
            stack[top], stack[top + 1] = 2 * node + 2, 2 * node + 1
            top += 2
            continue
        else:
            first = bounds[node, 0]
            for i in range(n_left):
                row = left[i]
                # In more dimensions the look at the box costs as much as the tile and leaves out little.
                if X.shape[1] < 8 and box_distance2(X, row, low, high, node) > limit2:
                    continue
                bits = within(X, row, panels, node - (leaves - 1), limit2)
                if weighted:
                    while bits != 0:
                        counts[row] += weights[first + low_bit(bits)]
                        bits &= bits - 1
                else:
                    counts[row] += bit_count(bits)
        still = 0
        for i in range(n_left):
            if counts[left[i]] < enough:
                left[still] = left[i]
                still += 1
        n_left = still
    return n_left


# --- joining ---------------------------------------------------------------------------------------------------------


@kernel
def join_leaves(
    block,  # int  in
    per_block,  # int  in
    X,  # (n, d)  in
    bounds,  # (nodes, 2)  in
    low,  # (nodes, d)  in
    high,  # (nodes, d)  in
    panels,  # (leaves, d, 32)  in
    depth,  # int  in
    limit2,  # number of X's type  in
    masks,  # (leaves,) int64  in: which rows of each leaf take part
    parent,  # (n,) int64  in/out: disjoint sets of places in the tree
):
    """Join the rows within each leaf that lie within the radius of each other."""
    leaves = 1 << depth
    for leaf in range(block * per_block, end_of(block, per_block, leaves)):
        node = leaves - 1 + leaf
        start = bounds[node, 0]
        whole = farthest2(low, high, node, node) <= limit2
        mine = masks[leaf]
        while mine != 0:
            row = start + low_bit(mine)
            # Pairs are met once: the lower row joins the higher ones.
            mine &= mine - 1
            bits = mine if whole else mine & within(X, row, panels, leaf, limit2)
            _join_bits(parent, row, start, bits)
            if whole:
                break


@part
def _join_bits(parent, row, start, bits):
    while bits != 0:
        union(parent, row, start + low_bit(bits))
        bits &= bits - 1


@kernel
def flag_leaves(
    block,  # int  in
    per_block,  # int  in
    bounds,  # (nodes, 2)  in
    depth,  # int  in
    masks,  # (leaves,) int64  in
    parent,  # (n,) int64  in/out
    states,  # (nodes,) uint8  in/out: EMPTY, MIXED or UNIFORM
    one,  # (nodes,) int64  out: a row of the node that takes part
):
    """Note for each leaf whether its rows are all in one set; one that is uniform stays so."""
    leaves = 1 << depth
    for leaf in range(block * per_block, end_of(block, per_block, leaves)):
        node = leaves - 1 + leaf
        bits = masks[leaf]
        if bits == 0 or states[node] == UNIFORM:
            continue
        start = bounds[node, 0]
        one[node] = start + low_bit(bits)
        root = find(parent, one[node])
        states[node] = UNIFORM
        while bits != 0:
            if find(parent, start + low_bit(bits)) != root:
                states[node] = MIXED
                break
            bits &= bits - 1


@kernel
def flag_nodes(
    first,  # int  in: the first inner node of a level
    end,  # int  in
    parent,  # (n,) int64  in/out
    states,  # (nodes,) uint8  in/out
    one,  # (nodes,) int64  in/out
):
    """Note the same for the inner nodes of a level from their children."""
    for node in range(first, end):
        left, right = 2 * node + 1, 2 * node + 2
        if states[left] == EMPTY or states[right] == EMPTY:
            other = right if states[left] == EMPTY else left
            states[node], one[node] = states[other], one[other]
            continue
        one[node] = one[left]
        same = states[left] == UNIFORM and states[right] == UNIFORM
        same = same and find(parent, one[left]) == find(parent, one[right])
        states[node] = UNIFORM if same else MIXED


@kernel
def join_level(
    block,  # int  in
    per_block,  # int  in
    level,  # int  in: of the parent of the two nodes whose rows meet
    X,  # (n, d)  in
    bounds,  # (nodes, 2)  in
    low,  # (nodes, d)  in
    high,  # (nodes, d)  in
    panels,  # (leaves, d, 32)  in
    depth,  # int  in
    limit2,  # number of X's type  in
    masks,  # (leaves,) int64  in
    states,  # (nodes,) uint8  in
    one,  # (nodes,) int64  in
    parent,  # (n,) int64  in/out
):
    """Join the rows of each left child at a level with those of its sibling; deeper pairs have met before."""
    leaves = 1 << depth
    stack = np.empty(_STACK, np.int64)
    for leaf in range(block * per_block, end_of(block, per_block, leaves)):
        mine = leaves - 1 + leaf
        child = ((mine + 1) >> (depth - level - 1)) - 1
        if states[mine] == EMPTY or child % 2 == 0:
            continue
        stack[0] = child + 1
        top = 1
        while top > 0:
            top -= 1
            node = stack[top]
            if states[node] == EMPTY or node_distance2(low, high, mine, node) > limit2:
                continue
            uniform = states[mine] == UNIFORM and states[node] == UNIFORM
            if uniform and find(parent, one[mine]) == find(parent, one[node]):
                continue
            if uniform and farthest2(low, high, mine, node) <= limit2:
                union(parent, one[mine], one[node])
            elif node < leaves - 1:
                stack[top], stack[top + 1] = 2 * node + 2, 2 * node + 1
                top += 2
            else:
                _join_pair(mine, node, X, bounds, low, high, panels, leaves, limit2, masks, states, one, parent)


@part
def _join_pair(mine, node, X, bounds, low, high, panels, leaves, limit2, masks, states, one, parent):
    start, their_start = bounds[mine, 0], bounds[node, 0]
    theirs = masks[node - (leaves - 1)]
    bits = masks[mine - (leaves - 1)]
    they_are_one = states[node] == UNIFORM
    while bits != 0:
        row = start + low_bit(bits)
        bits &= bits - 1
        if they_are_one and find(parent, row) == find(parent, one[node]):
            if states[mine] == UNIFORM:
                return
            continue
        if box_distance2(X, row, low, high, node) > limit2:
            continue
        near = theirs & within(X, row, panels, node - (leaves - 1), limit2)
        if near != 0 and they_are_one:
            union(parent, row, one[node])
            if states[mine] == UNIFORM:
                return
        else:
            _join_bits(parent, row, their_start, near)
