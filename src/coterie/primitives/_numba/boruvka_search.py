"""One round of Boruvka's search: the way out of its component for each row that asks, all rows of a leaf together.

A row asks for its best neighbour in another component by (mutual reachability, distance, row number), and only for one that is
no worse than what its component has already. The walk starts at the row's own leaf and climbs; a node is passed over when none
of the rows that ask can find a better answer in it.
"""

import numpy as np

from .jit import kernel, part
from .kdtree import boxes_distance2, node_distance2
from .neighbors import push_children
from .neighbors_tile import end_of, fill, larger, low_bit, near_boxes, near_distances

__all__ = ["search"]

_STACK = 128  # more than any depth of a balanced tree
_TABLE = 256


@kernel
def search(
    block,  # int  in
    per_block,  # int  in
    todo,  # (count,) int  in: places of the rows that search
    leaf_of,  # (n,) int  in: node of each place
    first_leaf,  # int  in
    X,  # (n, d)  in: tree order, like all that follows
    order,  # (n,) int64  in: row numbers
    bounds,  # (nodes + 1, 2) int64  in
    low,  # (nodes, d)  in
    high,  # (nodes, d)  in
    panels,  # (leaves, d, w)  in
    rows,  # (nodes,) int64  in: lowest row number below each node
    core2,  # (n,)  in
    node_core,  # (nodes,)  in: least core distance below each node
    component,  # (n,) int  in
    most_in,  # (nodes,) int  in: the component of most rows of a node, -1 where the halves differ
    other_core,  # (nodes,)  in: least core distance of its other rows, infinite where there are none
    other_low,  # (nodes, d)  in
    other_high,  # (nodes, d)  in: their box
    found,  # (n,) int  in/out: the neighbour, -1 where none beats the bound
    reach2,  # (n,)  in/out: its mutual reachability, or a lower bound on it
    gap2,  # (n,)  in/out: its distance, likewise
    limit,  # (n,)  in: what each component has already
    limit_gap,  # (n,)  in
):
    wide = panels.shape[2]
    gaps, limits = np.empty(wide, X.dtype), np.empty(wide, X.dtype)
    best, best_gap = np.empty(wide, X.dtype), np.empty(wide, X.dtype)
    best_row, best_place = np.empty(wide, np.int64), np.empty(wide, np.int64)
    stack, away = np.empty(_STACK, np.int64), np.empty(_STACK, X.dtype)
    # What this block has found for a component bounds the searches that follow in it.
    known, known_reach, known_gap = np.empty(_TABLE, np.int64), np.empty(_TABLE, X.dtype), np.empty(_TABLE, X.dtype)
    fill(known, -1)
    t, end = block * per_block, end_of(block, per_block, len(todo))
    while t < end:
        # The rows of one leaf search together.
        home, first = np.int64(leaf_of[todo[t]]), t
        while t < end and leaf_of[todo[t]] == home:
            t += 1
        start, mine = bounds[home, 0], component[todo[first]]
        asked, pure = _ask(
            first, t, todo, start, core2, component, reach2, gap2, limit, limit_gap, known, known_reach, known_gap, limits,
            best, best_gap, best_row, best_place,
        )  # fmt: skip
        if asked == 0:
            continue
        bound, latest, most = _widest(asked, limits, best, best_row)
        climbing = home
        stack[0], away[0], top = home, 0.0, 1
        while True:
            while top:
                top -= 1
                node = stack[top]
                if away[top] > bound or (away[top] == bound and rows[node] > latest) or node_core[node] > most:
                    continue
                ours = pure and most_in[node] == mine
                if ours and (
                    other_core[node] == np.inf
                    or other_core[node] > most
                    or boxes_distance2(low, high, home, other_low, other_high, node) > bound
                ):
                    continue
                if node < first_leaf:
                    top = push_children(stack, away, top, low, high, home, low, high, rows, node)
                    continue
                if ours:
                    asking = near_boxes(panels, home - first_leaf, other_low, other_high, node, limits) & asked
                else:
                    asking = near_boxes(panels, home - first_leaf, low, high, node, limits) & asked
                changed = False
                while asking:
                    i = low_bit(asking)
                    asking &= asking - 1
                    row = start + i
                    if node_core[node] <= best[i] and (
                        most_in[node] != component[row] or (other_core[node] < np.inf and other_core[node] <= best[i])
                    ):
                        changed |= _look(
                            X, order, bounds, panels, node, first_leaf, core2, component, row, i, limits, gaps, best,
                            best_gap, best_row, best_place,
                        )  # fmt: skip
                if changed:
                    if pure:
                        _share(asked, start, core2, len(X), limits, best, best_gap, best_row, best_place)
                    bound, latest, most = _widest(asked, limits, best, best_row)
            if climbing == 0:
                break
            sibling = climbing + 1 if climbing & 1 else climbing - 1
            stack[0], away[0], top = sibling, node_distance2(low, high, home, sibling), 1
            climbing = (climbing - 1) // 2
        _answer(asked, start, component, best, best_gap, best_place, found, reach2, gap2, known, known_reach, known_gap)


@part
def _ask(
    first,  # int  in: the rows of a leaf among those that search
    last,  # int  in
    todo,  # (count,) int  in
    start,  # int  in: of the leaf
    core2,  # (n,)  in
    component,  # (n,) int  in
    reach2,  # (n,)  in
    gap2,  # (n,)  in
    limit,  # (n,)  in
    limit_gap,  # (n,)  in
    known,  # (table,) int64  in: components that the block has found something for
    known_reach,  # (table,)  in
    known_gap,  # (table,)  in
    limits,  # (w,)  out: distance up to which an answer may lie, -1 for rows that do not ask
    best,  # (w,)  out: what an answer must beat
    best_gap,  # (w,)  out
    best_row,  # (w,) int64  out
    best_place,  # (w,) int64  out
):
    """Return the bits of the rows that can still find something, and whether they are of one component."""
    asked, pure, mine = 0, True, component[todo[first]]
    fill(limits, -1)
    for t in range(first, last):
        row = todo[t]
        i, c = row - start, component[row]
        slot = c % _TABLE
        best[i], best_gap[i], best_row[i], best_place[i] = limit[c], limit_gap[c], len(component), -1
        if known[slot] == c and (
            known_reach[slot] < best[i] or (known_reach[slot] == best[i] and known_gap[slot] < best_gap[i])
        ):
            best[i], best_gap[i] = known_reach[slot], known_gap[slot]
        if reach2[row] < best[i] or (reach2[row] == best[i] and gap2[row] <= best_gap[i]):
            asked |= 1 << i
            pure = pure and c == mine
            limits[i] = best[i] if core2[row] < best[i] else best_gap[i]
    return asked, pure


@part
def _answer(
    asked,  # int  in: bits of the rows that asked
    start,  # int  in: of their leaf
    component,  # (n,) int  in
    best,  # (w,)  in
    best_gap,  # (w,)  in
    best_place,  # (w,) int64  in
    found,  # (n,) int  out
    reach2,  # (n,)  out
    gap2,  # (n,)  out
    known,  # (table,) int64  in/out
    known_reach,  # (table,)  in/out
    known_gap,  # (table,)  in/out
):
    """Write down what each row has found, and the best of it for its component."""
    while asked:
        i = low_bit(asked)
        asked &= asked - 1
        row, c = start + i, component[start + i]
        # Without an answer nothing outside is nearer than the bound: a lower bound for the rounds to come.
        found[row], reach2[row], gap2[row] = best_place[i], best[i], best_gap[i]
        if best_place[i] >= 0:
            slot = c % _TABLE
            if (
                known[slot] != c
                or best[i] < known_reach[slot]
                or (best[i] == known_reach[slot] and best_gap[i] < known_gap[slot])
            ):
                known[slot], known_reach[slot], known_gap[slot] = c, best[i], best_gap[i]


@part
def _look(
    X,  # (n, d)  in
    order,  # (n,) int64  in
    bounds,  # (nodes + 1, 2) int64  in
    panels,  # (leaves, d, w)  in
    node,  # int  in: a leaf
    first_leaf,  # int  in
    core2,  # (n,)  in
    component,  # (n,) int  in
    row,  # int  in: who asks
    i,  # int  in: its place in the arrays that follow
    limits,  # (w,)  in/out: distance up to which an answer may lie
    gaps,  # (w,)  scratch
    best,  # (w,)  in/out: mutual reachability of the answer, or a bound on it
    best_gap,  # (w,)  in/out: its distance
    best_row,  # (w,) int64  in/out: its row, n without an answer
    best_place,  # (w,) int64  in/out: its place, -1 without an answer
):
    """Look for a better answer in a leaf; say whether there was one."""
    start, changed, mine, core = bounds[node, 0], False, component[row], core2[row]
    near = near_distances(X, row, panels, node - first_leaf, limits[i], gaps) & ((1 << (bounds[node, 1] - start)) - 1)
    while near:
        j = low_bit(near)
        near &= near - 1
        gap, place = gaps[j], start + j
        if component[place] == mine:
            continue
        value = larger(larger(core, core2[place]), gap)
        if value < best[i] or (
            value == best[i] and (gap < best_gap[i] or (gap == best_gap[i] and order[place] < best_row[i]))
        ):
            best[i], best_gap[i], best_row[i], best_place[i] = value, gap, order[place], place
            changed = True
    # At the core distance itself only a nearer row is better.
    limits[i] = best[i] if core < best[i] else best_gap[i]
    return changed


@part
def _share(asked, start, core2, n, limits, best, best_gap, best_row, best_place):
    """Let the best answer of a component bound all its rows: a worse one is of no use in this round."""
    first = low_bit(asked)
    rest = asked & (asked - 1)
    while rest:
        i = low_bit(rest)
        rest &= rest - 1
        if best[i] < best[first] or (best[i] == best[first] and best_gap[i] < best_gap[first]):
            first = i
    while asked:
        i = low_bit(asked)
        asked &= asked - 1
        if best[i] > best[first] or best_gap[i] > best_gap[first]:
            best[i], best_gap[i], best_row[i], best_place[i] = best[first], best_gap[first], n, -1
            limits[i] = best[i] if core2[start + i] < best[i] else best_gap[i]


@part
def _widest(asked, limits, best, best_row):
    """Return the largest limit, the highest row that a distance equal to it must beat, and the largest reachability."""
    bound, latest, most = limits[low_bit(asked)], np.int64(-1), best[low_bit(asked)]
    while asked:
        i = low_bit(asked)
        asked &= asked - 1
        most = larger(most, best[i])
        if limits[i] > bound:
            bound, latest = limits[i], best_row[i]
        elif limits[i] == bound:
            latest = larger(latest, best_row[i])
    return bound, latest, most
