"""A balanced k-d tree without pointers: rows in tree order, boxes in heap order, leaves laid out for the SIMD tile.

Node 0 is the root and node i has the children 2i + 1 and 2i + 2; every leaf lies at the same depth and holds n / 2^depth rows,
one more or less. A node is split at the median row of the widest side of its box; the tree depends on the rows and their
order alone. Building costs O(n d log n) time and one copy of the rows in tree order plus one in the leaves' panels.
"""

from typing import NamedTuple

import numpy as np

from .blocks import run_blocks
from .jit import kernel, part
from .neighbors_tile import end_of, larger
from .tile import GROUP, pack_panel

__all__ = ["KDTree", "box_distance2", "boxes_distance2", "build_kdtree", "node_distance2"]

_ROWS_PER_BLOCK = 8192
_FEW_ROWS = 32_768  # NumPy builds the tree in some milliseconds: five kernels less to compile


class KDTree(NamedTuple):
    """Rows in tree order and the boxes over them; see the module's text."""

    X: np.ndarray  # (n, d) rows in tree order
    order: np.ndarray  # (n,) int64: row of the input at each place
    bounds: np.ndarray  # (nodes + 1, 2) int64: first place and end of each node
    low: np.ndarray  # (nodes, d) lower corner of each box
    high: np.ndarray  # (nodes, d) upper corner
    panels: np.ndarray  # (leaves, d, w) the rows of each leaf, for squared_distances
    depth: int  # leaves are the nodes 2^depth - 1 ... 2^(depth + 1) - 2

    @property
    def first_leaf(self) -> int:
        """Return the number of the first leaf's node; leaf i is node first_leaf + i."""
        return (1 << self.depth) - 1


def build_kdtree(X: np.ndarray, leaf_size: int = GROUP) -> KDTree:
    """Build the tree over the rows of ``X``.

    Parameters
    ----------
    X : (n, d) float array, n >= 1
        C-contiguous, float32 or float64, finite.
    leaf_size : int, default=32
        Most rows in a leaf; a multiple of 32.
    """
    n, d = X.shape
    depth = 0
    while -(-n // (1 << depth)) > leaf_size:
        depth += 1
    n_nodes = (1 << (depth + 1)) - 1
    order = np.arange(n)
    bounds = np.zeros((n_nodes, 2), np.int64)
    bounds[0, 1] = n
    if n <= _FEW_ROWS:
        return _build_small(X, order, bounds, depth, leaf_size)
    low, high = np.empty((n_nodes, d), X.dtype), np.empty((n_nodes, d), X.dtype)
    for level in range(depth):
        nodes = 1 << level
        per_block = max(1, _ROWS_PER_BLOCK * nodes // max(n, 1))
        run_blocks(_split_nodes, -(-nodes // per_block), nodes - 1, nodes, per_block, X, order, bounds)
    leaves = 1 << depth
    rows = np.empty_like(X)
    panels = np.empty((leaves, d, leaf_size), X.dtype)
    per_block = max(1, _ROWS_PER_BLOCK * leaves // max(n, 1))
    run_blocks(
        _fill_leaves, -(-leaves // per_block), leaves - 1, leaves, per_block, X, order, bounds, rows, low, high, panels
    )
    _join_boxes(leaves - 1, low, high)
    return KDTree(rows, order, bounds, low, high, panels, depth)


def _build_small(X: np.ndarray, order: np.ndarray, bounds: np.ndarray, depth: int, leaf_size: int) -> KDTree:
    """Build a tree level by level: halve the rows of all nodes at once, each at the median of its widest feature."""
    n, d = X.shape
    rows = X[order]
    for level in range(depth):
        nodes = slice((1 << level) - 1, (2 << level) - 1)
        start, end = bounds[nodes].T
        with np.errstate(over="ignore", invalid="ignore"):
            widest = (np.maximum.reduceat(rows, start) - np.minimum.reduceat(rows, start)).argmax(axis=1)
        # Nodes hold one row more or less: a place that is missing is last.
        least = n >> level
        places = start[:, None] + np.arange(least + 1)
        values = rows.ravel()[np.minimum(places, n - 1) * d + widest[:, None]]
        values[end - start == least, least] = np.inf
        halves = np.argpartition(values, sorted({least // 2, (least + 1) // 2}), axis=1)
        turned = (start[:, None] + halves)[halves < (end - start)[:, None]]
        order, rows = order[turned], rows[turned]
        below = bounds[2 * nodes.start + 1 : 2 * nodes.stop + 1].reshape(-1, 4)
        below[:] = np.stack([start, (start + end) // 2, (start + end) // 2, end], axis=1)
    leaves = 1 << depth
    start, end = bounds[leaves - 1 :].T
    places = start[:, None] + np.arange(leaf_size)
    panels = rows[np.minimum(places, n - 1)]
    panels[places >= end[:, None]] = np.inf
    low, high = np.empty((len(bounds), d), X.dtype), np.empty((len(bounds), d), X.dtype)
    low[leaves - 1 :], high[leaves - 1 :] = np.minimum.reduceat(rows, start), np.maximum.reduceat(rows, start)
    for level in range(depth - 1, -1, -1):
        first, last = (1 << level) - 1, (2 << level) - 1
        for box, join in ((low, np.minimum), (high, np.maximum)):
            below = box[2 * first + 1 : 2 * last + 1]
            join(below[::2], below[1::2], out=box[first:last])
    return KDTree(rows, order, bounds, low, high, np.ascontiguousarray(panels.transpose(0, 2, 1)), depth)


@part
def node_distance2(
    low,  # (nodes, d)  in
    high,  # (nodes, d)  in
    a,  # int  in
    b,  # int  in
):
    """Return the least squared distance between points of the boxes of two nodes: 0 where they touch."""
    # Not by boxes_distance2: the search for neighbours takes a third longer when the same boxes are passed twice.
    total = low.dtype.type(0)
    for f in range(low.shape[1]):
        gap = larger(low[a, f] - high[b, f], low[b, f] - high[a, f])
        if gap > 0:
            total += gap * gap
    return total


@part
def boxes_distance2(
    low,  # (nodes, d)  in
    high,  # (nodes, d)  in
    a,  # int  in
    other_low,  # (other_nodes, d)  in: of another tree, or other boxes of the same nodes
    other_high,  # (other_nodes, d)  in
    b,  # int  in
):
    """Return the least squared distance between points of box ``a`` and points of the other box ``b``."""
    total = low.dtype.type(0)
    for f in range(low.shape[1]):
        gap = larger(low[a, f] - other_high[b, f], other_low[b, f] - high[a, f])
        if gap > 0:
            total += gap * gap
    return total


@part
def box_distance2(
    X,  # (n, d)  in
    row,  # int  in
    low,  # (nodes, d)  in
    high,  # (nodes, d)  in
    node,  # int  in
):
    """Return the least squared distance from ``X[row]`` to the box of a node: 0 inside.

    Rounding is monotone, feature by feature, so the value never exceeds the computed distance to a row inside.
    """
    total = low.dtype.type(0)
    for f in range(low.shape[1]):
        gap = larger(low[node, f] - X[row, f], X[row, f] - high[node, f])
        if gap > 0:
            total += gap * gap
    return total


@kernel
def _split_nodes(block, first, nodes, per_block, X, order, bounds):
    for node in range(first + block * per_block, first + end_of(block, per_block, nodes)):
        start, end = bounds[node, 0], bounds[node, 1]
        middle = (start + end) // 2
        _select(X, order, start, end, middle, _widest(X, order, start, end))
        bounds[2 * node + 1, 0], bounds[2 * node + 1, 1] = start, middle
        bounds[2 * node + 2, 0], bounds[2 * node + 2, 1] = middle, end


@part
def _widest(X, order, start, end):
    """Return the feature with the widest range over order[start:end]; ties: the lowest."""
    widest, most = 0, -1.0
    for f in range(X.shape[1]):
        low, high = X[order[start], f], X[order[start], f]
        for i in range(start + 1, end):
            value = X[order[i], f]
            low = value if value < low else low
            high = value if value > high else high
        if high - low > most:
            widest, most = f, np.float64(high - low)
    return widest


@part
def _select(X, order, start, end, middle, feature):
    """Reorder order[start:end] so that no row before ``middle`` has a greater value than one after it (quickselect)."""
    values = np.empty(end - start, X.dtype)
    for i in range(end - start):
        values[i] = X[order[start + i], feature]
    low, high, target = 0, end - start - 1, middle - start
    while low < high:
        # The median of three as pivot: sorted rows are common.
        a, b, c = values[low], values[(low + high) // 2], values[high]
        pivot = max(min(a, b), min(max(a, b), c))
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while pivot < values[j]:
                j -= 1
            if i <= j:
                value, row = values[i], order[start + i]
                values[i], order[start + i] = values[j], order[start + j]
                values[j], order[start + j] = value, row
                i += 1
                j -= 1
        if target <= j:
            high = j
        elif target >= i:
            low = i
        else:
            return


@kernel
def _fill_leaves(block, first_leaf, leaves, per_block, X, order, bounds, rows, low, high, panels):
    for leaf in range(block * per_block, end_of(block, per_block, leaves)):
        node = first_leaf + leaf
        start, end = bounds[node, 0], bounds[node, 1]
        for f in range(X.shape[1]):
            low[node, f], high[node, f] = np.inf, -np.inf
        for place in range(start, end):
            for f in range(X.shape[1]):
                value = X[order[place], f]
                rows[place, f] = value
                low[node, f] = value if value < low[node, f] else low[node, f]
                high[node, f] = value if value > high[node, f] else high[node, f]
        pack_panel(rows, start, end, panels[leaf])


@kernel
def _join_boxes(first_leaf, low, high):
    for node in range(first_leaf - 1, -1, -1):
        for f in range(low.shape[1]):
            a, b = low[2 * node + 1, f], low[2 * node + 2, f]
            low[node, f] = a if a < b else b
            high[node, f] = larger(high[2 * node + 1, f], high[2 * node + 2, f])
