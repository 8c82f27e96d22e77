"""The k nearest rows on a k-d tree, exactly, ties by row number.

All rows of a leaf are answered together: the walk starts at the leaf itself and climbs, so that the first rows met are near
ones and everything later is measured against a small bound. A node is passed over when even its nearest corner is further
than the k-th neighbour so far, or as far and all its rows come later in the input. Distances stay squared until the end.
"""

from typing import NamedTuple

import numpy as np

from .blocks import run_blocks
from .jit import kernel, part
from .kdtree import KDTree, boxes_distance2, build_kdtree
from .neighbors_tile import STEP, box_gap2, end_of, fill, insert_sorted, larger, low_bit, near_boxes, near_distances

__all__ = [
    "Index",
    "build_index",
    "k_nearest",
    "nearest_in_index",
    "nearest_reachable",
    "node_minimum",
    "push_children",
    "safe_scale",
]

_LEAVES_PER_BLOCK = 16
_ROWS_PER_BLOCK = 512
_STACK = 128  # more than any depth of a balanced tree
_SAFE = {np.dtype(np.float64): 400, np.dtype(np.float32): 40}


class Index(NamedTuple):
    """A k-d tree over rows that were scaled into the safe range, and the lowest row number below each node."""

    tree: KDTree
    rows: np.ndarray  # (nodes,) int64
    scale: float  # the tree holds X / scale


def safe_scale(X: np.ndarray) -> float:
    """Return the power of two to divide by so that squares neither overflow nor vanish: 1 for all ordinary data."""
    largest = max(float(X.max()), -float(X.min())) if X.size else 0.0
    exponent = int(np.frexp(largest)[1])
    if largest == 0.0 or abs(exponent) < _SAFE[X.dtype]:
        return 1.0
    return 2.0 ** max(-1021, exponent) if exponent < 1024 else 2.0**1023


def build_index(X: np.ndarray) -> Index:
    """Build the tree; ``X`` is copied into tree order and not kept."""
    scale = safe_scale(X)
    tree = build_kdtree(X if scale == 1.0 else X / X.dtype.type(scale))
    return Index(tree, node_minimum(tree, tree.order), scale)


def node_minimum(tree: KDTree, values: np.ndarray) -> np.ndarray:
    """Return the least value below each node, for one value per row in tree order."""
    first = tree.first_leaf
    least = np.empty(len(tree.bounds), values.dtype)
    leaves = len(tree.panels)
    least[first : first + leaves] = np.minimum.reduceat(values, tree.bounds[first : first + leaves, 0])
    while first:
        above = (first - 1) // 2
        below = least[first : 2 * first + 1]
        least[above:first] = np.minimum(below[::2], below[1::2])
        first = above
    return least


def k_nearest(
    X: np.ndarray, k: int, queries: np.ndarray | None = None, index: Index | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return distances and row numbers of the k nearest rows; see the front."""
    index = build_index(X) if index is None else index
    if queries is None:
        distance2, near = nearest_in_index(index, k, k, k)
        row = index.tree.order[near]
        back = np.argsort(index.tree.order)
        return _lengths(distance2[back], index.scale), row[back]
    distance2, near = _nearest_of_queries(index, _scaled_queries(index, queries), k)
    return _lengths(distance2, index.scale), index.tree.order[near]


def _lengths(distance2: np.ndarray, scale: float) -> np.ndarray:
    lengths = np.sqrt(distance2, out=distance2)
    if scale != 1.0:
        np.minimum(lengths, np.finfo(lengths.dtype).max / max(scale, 1.0), out=lengths)
        lengths *= lengths.dtype.type(scale)
    return lengths


def nearest_in_index(index: Index, k: int, width: int, keep: int) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each row in tree order, the last ``width`` squared distances of its k and its first ``keep`` neighbours.

    Neighbours are places in the tree; the row itself comes first.
    """
    return _search(index, index.tree, True, k, width, keep)


def _search(index: Index, asked: KDTree, own: bool, k: int, width: int, keep: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what `nearest_in_index` does, for the rows of any tree; ``own`` where it is the index's."""
    tree = index.tree
    n, leaves = len(asked.X), len(asked.panels)
    distance2 = np.empty((n, width), tree.X.dtype)
    near = np.empty((n, keep), np.int32 if len(tree.X) < 2**31 else np.int64)
    # The scratch of one call is 32 lists; blocks are small enough for Ctrl-C even where pruning fades.
    run_blocks(
        _nearest_block, -(-leaves // _LEAVES_PER_BLOCK), _LEAVES_PER_BLOCK, k, np.int64(own), asked.first_leaf, asked.X,
        asked.bounds, asked.low, asked.high, asked.panels, tree.first_leaf, tree.order, tree.bounds, tree.low, tree.high,
        tree.panels, index.rows, distance2, near,
    )  # fmt: skip
    return distance2, near


@kernel
def _nearest_block(
    block,  # int  in
    per_block,  # int  in: leaves of a block
    k,  # int  in
    own,  # int  in: 1 where the rows that ask are those of the tree: each is its own first neighbour
    asked_leaf,  # int  in: first leaf of the tree of the rows that ask
    asked,  # (m, d)  in: those rows, in the order of their tree
    asked_bounds,  # (nodes + 1, 2) int64  in
    asked_low,  # (nodes, d)  in
    asked_high,  # (nodes, d)  in
    asked_panels,  # (leaves, d, w)  in
    first_leaf,  # int  in
    order,  # (n,) int64  in
    bounds,  # (nodes + 1, 2) int64  in
    low,  # (nodes, d)  in
    high,  # (nodes, d)  in
    panels,  # (leaves, d, w)  in
    rows,  # (nodes,) int64  in: lowest row number below each node
    distance2,  # (m, width)  out
    near,  # (m, keep) int  out
):
    width, keep, wide = distance2.shape[1], near.shape[1], panels.shape[2]
    found = k - own
    lists = np.empty((wide, 1 + (found + STEP - 1) // STEP * STEP), asked.dtype)
    places, gaps, limits = np.empty(lists.shape, np.int64), np.empty(wide, asked.dtype), np.empty(wide, asked.dtype)
    stack, reach = np.empty(_STACK, np.int64), np.empty(_STACK, asked.dtype)
    for leaf in range(block * per_block, end_of(block, per_block, len(asked_panels))):
        home = asked_leaf + leaf
        start, end = asked_bounds[home, 0], asked_bounds[home, 1]
        fill(limits, np.inf)
        for i in range(wide):
            _clear(lists, places, i)
        bound, latest = asked.dtype.type(np.inf), len(order)
        stack[0], reach[0], top = 0, 0.0, 1 if found else 0
        while top:
            top -= 1
            node = stack[top]
            if reach[top] > bound or (reach[top] == bound and rows[node] > latest):
                continue
            if node < first_leaf:
                top = push_children(stack, reach, top, asked_low, asked_high, home, low, high, rows, node)
                continue
            asking = near_boxes(asked_panels, leaf, low, high, node, limits) & ((1 << (end - start)) - 1)
            if asking:
                _offer(
                    asking, asked, order, panels, node - first_leaf, bounds[node, 0], bounds[node, 1], start, own, found,
                    lists, places, limits, gaps,
                )  # fmt: skip
                bound, latest = _furthest(lists, places, order, end - start, found)
        for i in range(end - start):
            lists[i, 0], places[i, 0] = 0.0, start + i
            for t in range(width):
                distance2[start + i, t] = lists[i, k - own + 1 - width + t]
            for t in range(keep):
                near[start + i, t] = places[i, t + 1 - own]


@part
def _furthest(lists, places, order, count, last):
    """Return the largest (distance, row number) at the end of the lists: what lies beyond concerns no row."""
    bound, latest = lists[0, last], np.int64(-1)
    for i in range(1, count):
        bound = larger(bound, lists[i, last])
    for i in range(count):
        if lists[i, last] == bound:
            row = order[places[i, last]] if places[i, last] >= 0 else len(order)
            latest = row if row > latest else latest
    return bound, latest


@part
def _clear(lists, places, i):
    """Empty a list: minus infinity, then nothing at infinite distances."""
    lists[i, 0] = -np.inf
    for t in range(1, lists.shape[1]):
        lists[i, t], places[i, t] = np.inf, -1


@part
def push_children(stack, reach, top, asked_low, asked_high, home, low, high, rows, node):
    """Put the children of a node on the stack, last the nearer one, or the one with the lower row where both are as near."""
    nearer, further = 2 * node + 1, 2 * node + 2
    a = boxes_distance2(asked_low, asked_high, home, low, high, nearer)
    b = boxes_distance2(asked_low, asked_high, home, low, high, further)
    if b < a or (b == a and rows[further] < rows[nearer]):
        nearer, further, a, b = further, nearer, b, a
    stack[top], reach[top] = further, b
    stack[top + 1], reach[top + 1] = nearer, a
    return top + 2


@part
def _offer(
    asking,  # int  in: bit i says that row start + i may have neighbours in the leaf
    X,  # (m, d)  in: the rows that ask
    order,  # (n,) int64  in
    panels,  # (leaves, d, w)  in
    panel,  # int  in: the leaf that is offered
    first,  # int  in
    stop,  # int  in: its places
    start,  # int  in: the first row that asks
    own,  # int  in: 1 where a row must not be offered to itself
    last,  # int  in: how many entries of a list count
    lists,  # (w, 1 + s)  in/out
    places,  # (w, 1 + s) int64  in/out
    limits,  # (w,)  in/out: the last distance of each list
    gaps,  # (w,)  scratch
):
    """Offer the rows of a leaf to the lists of the rows of another."""
    filled = (1 << (stop - first)) - 1
    while asking:
        i = low_bit(asking)
        asking &= asking - 1
        near = near_distances(X, start + i, panels, panel, limits[i], gaps) & filled
        if own and first <= start + i < stop:
            near &= ~(1 << (start + i - first))
        while near:
            j = low_bit(near)
            near &= near - 1
            if gaps[j] <= lists[i, last]:
                _insert(lists, places, order, i, last, gaps[j], first + j)
        limits[i] = lists[i, last]


@part
def _insert(
    lists,  # (m, 1 + s)  in/out: minus infinity, then ascending distances
    places,  # (m, 1 + s) int64  in/out
    order,  # (n,) int64  in
    i,  # int  in: whose list
    last,  # int  in: the entry that counts as the last
    value,  # float  in: at most the last distance
    place,  # int  in
):
    """Put a neighbour where it belongs by (distance, row number), if it belongs there."""
    if value == lists[i, last] and places[i, last] >= 0 and order[places[i, last]] < order[place]:
        return
    if insert_sorted(lists, places, i, value, place):
        at = 1
        while places[i, at] != place:
            at += 1
        while at + 1 < lists.shape[1] and lists[i, at + 1] == value and order[places[i, at + 1]] < order[place]:
            places[i, at], places[i, at + 1] = places[i, at + 1], place
            at += 1


# --- rows that are not in the tree -----------------------------------------------------------------------------------


def _scaled_queries(index: Index, queries: np.ndarray) -> np.ndarray:
    rows = np.ascontiguousarray(queries, dtype=index.tree.X.dtype)
    if index.scale == 1.0:
        return rows
    with np.errstate(over="ignore"):
        return rows / rows.dtype.type(index.scale)


def _nearest_of_queries(index: Index, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return squared distances and places of the k nearest of rows in the scale of the tree."""
    if not len(rows):
        return np.empty((0, k), rows.dtype), np.empty((0, k), np.int32)
    asked = build_kdtree(rows)
    back = np.argsort(asked.order)
    distance2, near = _search(index, asked, False, k, k, k)
    return distance2[back], near[back]


@part
def _push_for_row(stack, reach, top, queries, query, low, high, rows, node):
    """Put the children of a node on the stack, last the nearer one, or the one with the lower row where both are as near."""
    nearer, further = 2 * node + 1, 2 * node + 2
    a, b = box_gap2(queries, query, low, high, nearer), box_gap2(queries, query, low, high, further)
    if b < a or (b == a and rows[further] < rows[nearer]):
        nearer, further, a, b = further, nearer, b, a
    stack[top], reach[top] = further, b
    stack[top + 1], reach[top + 1] = nearer, a
    return top + 2


def nearest_reachable(
    X: np.ndarray, core_distances: np.ndarray, queries: np.ndarray, k: int, index: Index | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the row nearest to each query by mutual reachability, and that distance; see the front."""
    index = build_index(X) if index is None else index
    tree = index.tree
    rows = _scaled_queries(index, queries)
    core = core_distances[tree.order]
    near2, near = _nearest_of_queries(index, rows, k)
    # A query that lies on a row of the index is that row: it must not be counted twice, and has its core distance.
    own = _lengths(near2[:, max(k - 2, 0)].copy() if k > 1 else np.zeros_like(near2[:, 0]), index.scale)
    own = np.where(near2[:, 0] == 0, core_distances[tree.order[near[:, 0]]], own.astype(np.float64))
    # Nothing is nearer than the own core distance: the first neighbour that reaches no further is the answer.
    lengths = np.sqrt(near2, dtype=np.float64) * index.scale
    enough = np.maximum(lengths, core[near]) <= own[:, None]
    found = tree.order[near[np.arange(len(rows)), enough.argmax(axis=1)]]
    rest = np.flatnonzero(~enough.any(axis=1))
    if not len(rest):
        return found, own
    rest_found, reach = np.empty(len(rest), np.int64), np.empty(len(rest))
    run_blocks(
        _reach_block, -(-len(rest) // _ROWS_PER_BLOCK), _ROWS_PER_BLOCK, rows[rest], own[rest], index.scale,
        tree.first_leaf, tree.order, tree.bounds, tree.low, tree.high, tree.panels, index.rows, core,
        node_minimum(tree, core), rest_found, reach,
    )  # fmt: skip
    found[rest], own[rest] = rest_found, reach
    return found, own


@kernel
def _reach_block(
    block,  # int  in
    per_block,  # int  in
    queries,  # (m, d)  in
    own,  # (m,) float64  in: core distances of the queries
    scale,  # float  in: distances of the tree times scale are distances
    first_leaf,  # int  in
    order,  # (n,) int64  in
    bounds,  # (nodes + 1, 2) int64  in
    low,  # (nodes, d)  in
    high,  # (nodes, d)  in
    panels,  # (leaves, d, w)  in
    rows,  # (nodes,) int64  in
    core,  # (n,) float64  in: tree order
    node_core,  # (nodes,) float64  in: least core distance below each node
    found,  # (m,) int64  out: row number
    reachability,  # (m,) float64  out
):
    gaps = np.empty(panels.shape[2], queries.dtype)
    stack, reach = np.empty(_STACK, np.int64), np.empty(_STACK, queries.dtype)
    for query in range(block * per_block, end_of(block, per_block, len(queries))):
        best, best_gap, best_row = np.inf, queries.dtype.type(np.inf), np.int64(-1)
        stack[0], reach[0], top = 0, 0.0, 1
        while top:
            top -= 1
            node, gap = stack[top], reach[top]
            least = larger(larger(own[query], node_core[node]), np.sqrt(np.float64(gap)) * scale)
            if best_row >= 0 and (
                least > best or (least == best and (gap > best_gap or (gap == best_gap and rows[node] > best_row)))
            ):
                continue
            if node < first_leaf:
                top = _push_for_row(stack, reach, top, queries, query, low, high, rows, node)
                continue
            near_distances(queries, query, panels, node - first_leaf, queries.dtype.type(np.inf), gaps)
            for j in range(bounds[node, 1] - bounds[node, 0]):
                place, gap = bounds[node, 0] + j, gaps[j]
                value = larger(larger(own[query], core[place]), np.sqrt(np.float64(gap)) * scale)
                if (
                    best_row < 0
                    or value < best
                    or (value == best and (gap < best_gap or (gap == best_gap and order[place] < best_row)))
                ):
                    best, best_gap, best_row = value, gap, order[place]
        found[query], reachability[query] = best_row, best
