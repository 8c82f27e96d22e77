"""One round of Boruvka's search: the way out of its component for each row that asks.

Rows of one leaf and one component search together for their best edge to another component, by (mutual reachability, distance,
lower row, higher row), and only for one that is no worse than what the component has already. A node is passed over when it can
hold no better answer for any of them.
"""

import numpy as np

from .jit import kernel, part
from .kdtree import boxes_distance2
from .neighbors_tile import box_gap2, end_of, larger, low_bit, near_distances

__all__ = ["search"]

_STACK = 128  # more than any depth of a balanced tree


@kernel
def search(
    block,  # int  in
    per_block,  # int  in
    todo,  # (count,) int64  in: places of the rows that search, by component and place
    leaf_of,  # (n,) int64  in: node of each place
    first_leaf,  # int  in
    X,  # (n, d)  in: tree order, like all that follows
    order,  # (n,) int64  in: row numbers
    bounds,  # (nodes + 1, 2) int64  in
    low,  # (nodes, d)  in
    high,  # (nodes, d)  in
    panels,  # (leaves, d, w)  in
    core2,  # (n,)  in
    node_core,  # (nodes,)  in: least core distance below each node
    component,  # (n,) int64  in
    most_in,  # (nodes,) int64  in: the component of most rows of a node, -1 where the halves differ
    other_core,  # (nodes,)  in: least core distance of its other rows, infinite where there are none
    other_low,  # (nodes, d)  in
    other_high,  # (nodes, d)  in: their box
    found,  # (n,) int64  in/out: the neighbour, -1 where none beats the bound
    reach2,  # (n,)  in/out: its mutual reachability, or a lower bound on it
    gap2,  # (n,)  in/out: its distance, likewise
    limit,  # (n,)  in: what each component has already
    limit_gap,  # (n,)  in
):
    gaps = np.empty(panels.shape[2], X.dtype)
    stack, away = np.empty(_STACK, np.int64), np.empty(_STACK, X.dtype)
    box_low, box_high = np.empty((1, X.shape[1]), X.dtype), np.empty((1, X.shape[1]), X.dtype)
    t, end, mine = block * per_block, end_of(block, per_block, len(todo)), np.int64(-1)
    best, best_gap = X.dtype.type(0), X.dtype.type(0)
    while t < end:
        first, home = t, leaf_of[todo[t]]
        if component[todo[t]] != mine:
            mine = component[todo[t]]
            best, best_gap = limit[mine], limit_gap[mine]
        while t < end and leaf_of[todo[t]] == home and component[todo[t]] == mine:
            t += 1
        who, place = np.int64(-1), np.int64(-1)
        core, least = _box_of(todo, first, t, X, core2, reach2, box_low, box_high)
        # What other leaves have found for the component bounds the searches that follow.
        if least > best:
            continue
        stack[0], away[0], top = 0, 0.0, 1
        while top:
            top -= 1
            node = stack[top]
            # At the core distance itself only a nearer row is better.
            if away[top] > (best if core < best else best_gap) or away[top] == np.inf:
                continue
            if node < first_leaf:
                for side in range(2):
                    child = 2 * node + 2 - side
                    stack[top + side] = child
                    away[top + side] = _way_out(
                        box_low, box_high, low, high, node_core, mine, best, most_in, other_core, other_low, other_high,
                        child,
                    )  # fmt: skip
                # The nearer one is looked at first.
                if away[top] < away[top + 1]:
                    stack[top], stack[top + 1] = stack[top + 1], stack[top]
                    away[top], away[top + 1] = away[top + 1], away[top]
                top += 2
                continue
            start = bounds[node, 0]
            filled = (1 << (bounds[node, 1] - start)) - 1
            for i in range(first, t):
                row = todo[i]
                bound = best if core2[row] < best else best_gap
                if t - first > 1 and box_gap2(X, row, low, high, node) > bound:
                    continue
                near = near_distances(X, row, panels, node - first_leaf, bound, gaps) & filled
                while near:
                    j = low_bit(near)
                    near &= near - 1
                    if component[start + j] == mine:
                        continue
                    gap = gaps[j]
                    value = larger(larger(core2[row], core2[start + j]), gap)
                    if value < best or (
                        value == best
                        and (gap < best_gap or (gap == best_gap and _comes_first(order, row, start + j, who, place)))
                    ):
                        best, best_gap, who, place = value, gap, row, start + j
        # Without an answer nothing outside is nearer than the best of all: a lower bound for the rounds to come.
        for i in range(first, t):
            row = todo[i]
            if reach2[row] < best or (reach2[row] == best and gap2[row] < best_gap):
                reach2[row], gap2[row] = best, best_gap
        if who >= 0:
            found[who], reach2[who], gap2[who] = place, best, best_gap


@part
def _box_of(todo, first, end, X, core2, reach2, box_low, box_high):
    """Find the box of some rows; return their least core distance and the least of their lower bounds."""
    core, least = core2[todo[first]], reach2[todo[first]]
    for i in range(first, end):
        row = todo[i]
        core = core2[row] if core2[row] < core else core
        least = reach2[row] if reach2[row] < least else least
        for f in range(X.shape[1]):
            value = X[row, f]
            if i == first or value < box_low[0, f]:
                box_low[0, f] = value
            if i == first or value > box_high[0, f]:
                box_high[0, f] = value
    return core, least


@part
def _way_out(box_low, box_high, low, high, node_core, mine, best, most_in, other_core, other_low, other_high, node):
    """Return how far the rows of a node that lie in other components are at least; infinite where none is of use."""
    if most_in[node] != mine:
        return (
            low.dtype.type(np.inf) if node_core[node] > best else boxes_distance2(box_low, box_high, 0, low, high, node)
        )
    if other_core[node] > best or other_core[node] == np.inf:
        return low.dtype.type(np.inf)
    return boxes_distance2(box_low, box_high, 0, other_low, other_high, node)


@part
def _comes_first(order, a, b, c, d):
    """Say whether the edge a, b comes before c, d by (lower row, higher row); any does where there is none."""
    if c < 0:
        return True
    a, b, c, d = order[a], order[b], order[c], order[d]
    if b < a:
        a, b = b, a
    if d < c:
        c, d = d, c
    return a < c or (a == c and b < d)
