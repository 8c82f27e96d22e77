"""The walk of OPTICS on the CPU: a heap of the rows that are reached, and a k-d tree for the neighbours of the row at hand.

The spanning tree bounds the search. Merging its edges from the shortest on, and keeping the rows of each component in a line,
puts all rows in one line in which the longest edge on the tree's path between two rows is the largest gap between their places.
The gaps of any stretch are looked up in a table of maxima over 2^j gaps. A node of the k-d tree is passed over when the row lies
further from its box than the largest gap to any of the node's rows.
"""

import numpy as np

from .blocks import run_kernel
from .jit import kernel, part
from .kdtree import KDTree
from .neighbors import build_index
from .neighbors_tile import box_gap2, larger, low_bit, near_distances
from .union_find import find

__all__ = ["walk"]

_STACK = 128  # more than any depth of a balanced tree
_STEPS = 2000  # rows visited in one call: where all are equal, each looks at all
_EDGES_A_CALL = 2_000_000
_SLACK = 1e-9  # relative: far above rounding errors, and too little to let many more rows in


def walk(X, core, edges, max_eps, decimals):
    """Return ordering, reachability and predecessor; see ``primitives.reachability.reachability_order``.

    Parameters
    ----------
    X : (n, d) float64 array
    core : (n,) float64 array
        Rounded; infinite where beyond ``max_eps``.
    edges : left, right (n - 1,) int64, weights (n - 1,) float64
        Spanning tree by mutual reachability, ascending.
    max_eps : float
    decimals : int or None
    """
    index = build_index(X)
    tree, scale, n = index.tree, index.scale, len(X)
    factor = 0.0 if decimals is None else 10.0**decimals
    place, table = _line(edges, n, 0.0 if decimals is None else 1.0 / factor, scale)
    place = place[tree.order]
    spans = np.stack([_over_nodes(tree, place, np.minimum), _over_nodes(tree, place, np.maximum)], axis=1)
    reach, found = np.full(n, np.inf), np.full(n, -1)
    ordering, state = np.empty(n, np.int64), np.zeros(3, np.int64)
    at_row = np.argsort(tree.order)
    lengths = np.diff(tree.bounds[: len(tree.low)], axis=1)[:, 0]
    open_rows = (np.int64(1) << lengths[tree.first_leaf :]) - 1
    heap, heap_place = np.empty(n, np.int64), np.full(n, -1)
    core = core[tree.order]
    limit = max_eps / scale
    with np.errstate(over="ignore"):
        limit2 = limit * limit
    while state[2] < n:
        run_kernel(
            _visit, _STEPS, tree.first_leaf, tree.X, tree.order, tree.bounds, tree.low, tree.high, tree.panels, core,
            place, spans, table, limit2, scale, factor, at_row, lengths, open_rows, heap, heap_place, reach, found,
            ordering, state,
        )  # fmt: skip
    predecessor = np.where(found >= 0, tree.order[found], -1)
    return ordering, reach[at_row], predecessor[at_row]


def _over_nodes(tree: KDTree, values, least):
    """Return the least, or greatest, of the values below each node."""
    first, leaves = tree.first_leaf, len(tree.panels)
    found = np.empty(len(tree.low), values.dtype)
    found[first:] = least.reduceat(values, tree.bounds[first : first + leaves, 0])
    while first:
        above = (first - 1) // 2
        found[above:first] = least(found[first : 2 * first + 1 : 2], found[first + 1 : 2 * first + 1 : 2])
        first = above
    return found


def _line(edges, n, unit, scale):
    """Return the place of each row in the line, and the table of the squared largest gaps, in the scale of the tree."""
    left, right, weights = edges
    parent, last, behind, gap = np.arange(n), np.arange(n), np.full(n, -1), np.zeros(n)
    for start in range(0, n - 1, _EDGES_A_CALL):
        run_kernel(_line_up, start, min(n - 1, start + _EDGES_A_CALL), left, right, weights, parent, last, behind, gap)
    place, gaps = np.empty(n, np.int64), np.empty(n)
    run_kernel(_walk_along, behind, gap, place, gaps)
    # Two units: the gap and what is compared with it were both rounded.
    bound = (gaps[: n - 1] + 2.0 * unit) / scale * (1.0 + _SLACK)
    table = [bound * bound]
    while len(table[-1]) > 1 << (len(table) - 1):
        step = 1 << (len(table) - 1)
        before = table[-1]
        table.append(np.maximum(before[:-step], before[step:]))
    whole = np.zeros((len(table), max(1, n - 1)))
    for level, values in enumerate(table):
        whole[level, : len(values)] = values
    return place, whole


@kernel
def _line_up(
    start,  # int  in
    end,  # int  in: edges start..end-1 are merged in this call
    left,  # (n - 1,) int64  in
    right,  # (n - 1,) int64  in
    weights,  # (n - 1,) float64  in: ascending
    parent,  # (n,) int64  in/out: the first row of a component is its root
    last,  # (n,) int64  in/out: at a root, the last row of its line
    behind,  # (n,) int64  in/out: the next row of the line, -1 at its end
    gap,  # (n,) float64  in/out: the edge that put it there
):
    """Put the rows of the components that an edge joins in one line; row 0 stays in front of its own."""
    for edge in range(start, end):
        a, b = find(parent, left[edge]), find(parent, right[edge])
        if b < a:
            a, b = b, a
        parent[b] = a
        behind[last[a]], gap[last[a]] = b, weights[edge]
        last[a] = last[b]


@kernel
def _walk_along(behind, gap, place, gaps):
    """Number the rows along the line that begins at row 0."""
    row = np.int64(0)
    for at in range(len(behind)):
        place[row], gaps[at] = at, gap[row]
        row = behind[row]


@kernel
def _visit(
    steps,  # int  in: at most so many rows are visited
    first_leaf,  # int  in
    X,  # (n, d)  in: tree order, like all that follows
    order,  # (n,) int64  in: row numbers
    bounds,  # (nodes, 2) int64  in
    low,  # (nodes, d)  in
    high,  # (nodes, d)  in
    panels,  # (leaves, d, w)  in
    core,  # (n,)  in: rounded core distances
    place,  # (n,) int64  in: in the line
    spans,  # (nodes, 2) int64  in: first and last place in the line of the rows of each node
    table,  # (levels, n - 1)  in: squared largest of 2^level gaps
    limit2,  # float  in: squared largest radius
    scale,  # float  in: distances of the tree times scale are distances
    factor,  # float  in: distances are rounded to whole numbers of 1 / factor; 0: not at all
    at_row,  # (n,) int64  in: place in the tree of each row
    left,  # (nodes,) int64  in/out: rows of each node that have not been visited
    open_rows,  # (leaves,) int64  in/out: which ones, as bits
    heap,  # (n,) int64  in/out: rows that are reached
    heap_place,  # (n,) int64  in/out: where they are in the heap; -1 elsewhere
    reach,  # (n,)  in/out
    found,  # (n,) int64  in/out: from where each was reached
    ordering,  # (n,) int64  in/out: row numbers
    state,  # (3,) int64  in/out: rows in the heap, the lowest row that may be left, rows visited
):
    """Visit rows: the one that is reached most easily, else the lowest that is left."""
    stack, gaps = np.empty(_STACK, np.int64), np.empty(panels.shape[2], X.dtype)
    while steps > 0 and state[2] < len(X):
        steps -= 1
        row = _next(heap, heap_place, reach, order, at_row, open_rows, bounds, first_leaf, state)
        ordering[state[2]] = order[row]
        state[2] += 1
        _close(row, bounds, first_leaf, left, open_rows)
        if core[row] == np.inf:
            continue
        stack[0], top = 0, 1
        while top:
            top -= 1
            node = stack[top]
            if left[node] == 0:
                continue
            limit = _largest_gap(place[row], spans[node, 0], spans[node, 1], table)
            limit = limit if limit < limit2 else limit2
            if box_gap2(X, row, low, high, node) > limit:
                continue
            if node < first_leaf:
                stack[top], stack[top + 1] = 2 * node + 1, 2 * node + 2
                top += 2
                continue
            near = near_distances(X, row, panels, node - first_leaf, limit, gaps) & open_rows[node - first_leaf]
            while near:
                j = low_bit(near)
                near &= near - 1
                other = bounds[node, 0] + j
                offered = larger(core[row], np.sqrt(gaps[j]) * scale)
                if factor > 0.0:
                    offered = np.rint(offered * factor) / factor
                if offered < reach[other]:
                    reach[other], found[other] = offered, row
                    if heap_place[other] < 0:
                        heap_place[other] = state[0]
                        state[0] += 1
                    _rise(heap, heap_place, reach, order, other)


@part
def _largest_gap(place, first, last, table):
    """Return the largest gap in the line between a row and any of a stretch of rows."""
    first = place if place < first else first
    last = place if place > last else last
    count, level = last - first, 0
    if count == 0:
        return 0.0
    while (2 << level) <= count:
        level += 1
    return larger(table[level, first], table[level, last - (1 << level)])


@part
def _next(heap, heap_place, reach, order, at_row, open_rows, bounds, first_leaf, state):
    """Take the row that is reached most easily from the heap, or else the lowest row that has not been visited."""
    if state[0] > 0:
        row = heap[0]
        state[0] -= 1
        heap_place[row] = -1
        if state[0] > 0:
            _sink(heap, heap_place, reach, order, heap[state[0]], state[0])
        return row
    while True:
        row = at_row[state[1]]
        leaf = _leaf_of(row, bounds, first_leaf)
        if open_rows[leaf - first_leaf] >> (row - bounds[leaf, 0]) & 1:
            return row
        state[1] += 1


@part
def _leaf_of(row, bounds, first_leaf):
    node = 0
    while node < first_leaf:
        node = 2 * node + 1
        if row >= bounds[node, 1]:
            node += 1
    return node


@part
def _close(row, bounds, first_leaf, left, open_rows):
    """Note that a row has been visited."""
    node = _leaf_of(row, bounds, first_leaf)
    open_rows[node - first_leaf] &= ~(1 << (row - bounds[node, 0]))
    left[node] -= 1
    while node > 0:
        node = (node - 1) // 2
        left[node] -= 1


@part
def _first(reach, order, a, b):
    return reach[a] < reach[b] or (reach[a] == reach[b] and order[a] < order[b])


@part
def _rise(heap, heap_place, reach, order, row):
    """Move a row towards the top of the heap, as far as it may."""
    at = heap_place[row]
    while at > 0:
        above = heap[(at - 1) // 2]
        if not _first(reach, order, row, above):
            break
        heap[at], heap_place[above] = above, at
        at = (at - 1) // 2
    heap[at], heap_place[row] = row, at


@part
def _sink(heap, heap_place, reach, order, row, size):
    """Put a row at the top of the heap and move it down, as far as it must."""
    at, below = 0, 1
    while below < size:
        if below + 1 < size and _first(reach, order, heap[below + 1], heap[below]):
            below += 1
        if not _first(reach, order, heap[below], row):
            break
        heap[at] = heap[below]
        heap_place[heap[at]] = at
        at, below = below, 2 * below + 1
    heap[at], heap_place[row] = row, at
