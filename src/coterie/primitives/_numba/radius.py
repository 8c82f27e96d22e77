"""Radius neighbours on the CPU: a grid in few dimensions, a k-d tree in the others, and the same answers from both."""

from typing import NamedTuple

import numpy as np

from ...errors import InputError
from .blocks import run_blocks, run_kernel
from .jit import kernel
from .kdtree import KDTree, build_kdtree
from .radius_tree import (
    count_tree,
    flag_leaves,
    flag_nodes,
    join_leaves,
    join_level,
    nearest_tree,
    rows_tree,
)
from .tile import GROUP
from .union_find import find, number_by_first

__all__ = [
    "RadiusIndex",
    "nearest_within",
    "number_roots",
    "radius_components",
    "radius_counts",
    "radius_edges",
    "radius_index",
]

_PAIR_FEATURES = 2_000_000_000  # about 0.1 s of distances in the worst case
_CHUNK = 1 << 20


class RadiusIndex(NamedTuple):
    """Rows made ready for questions about one radius."""

    X: np.ndarray  # (n, d) rows as given
    radius: float
    scale: float  # a power of two: the tree holds X / scale
    limit2: float  # squared radius in the tree's scale, in the type of X
    tree: KDTree


def radius_index(X, radius):
    """Build the index; see ``primitives.radius.radius_index``."""
    scale = _scale(X, radius)
    rows = X if scale == 1.0 else X / X.dtype.type(scale)
    return RadiusIndex(X, radius, scale, _limit2(X.dtype, radius, scale), build_kdtree(rows))


def _scale(X, radius):
    """Return a power of two that makes the squared radius safe: 1 unless it would overflow or lose digits."""
    info = np.finfo(X.dtype)
    exponent, safe = int(np.frexp(radius)[1]), int(0.4 * info.maxexp)
    if abs(exponent) <= safe or radius == 0:
        return 1.0
    # A tiny radius is lifted only as far as its square needs, since the rows grow with it.
    wanted = exponent if exponent > 0 else exponent + safe
    scale = 2.0 ** max(info.minexp, min(info.maxexp - 2, wanted))
    largest = max(float(X.max()), -float(X.min()))
    if largest / float(info.max) >= scale or radius / scale < 0.25 * 2.0**-safe:
        raise InputError(
            f"a radius of {radius!r} cannot be told from 0 beside {X.dtype} values of {largest:.3g}; use a larger one"
        )
    return scale


def _limit2(dtype, radius, scale):
    # Finite, so that the padding of a leaf is never near: distances beyond the type's range are not within any radius.
    info = np.finfo(dtype)
    limit = dtype.type(min(radius / scale, float(info.max)))
    with np.errstate(over="ignore"):
        return min(limit * limit, info.max)


def radius_counts(index, *, sample_weight=None, enough=None):
    """Count; see ``primitives.radius.radius_counts``."""
    tree = index.tree
    weights = np.empty(0) if sample_weight is None else sample_weight[tree.order]
    stop = np.inf if enough is None or (len(weights) and weights.min() < 0) else float(enough)
    found = np.zeros(len(index.X))
    blocks, per_block = _leaf_blocks(index)
    run_blocks(
        count_tree, blocks, per_block, tree.X, tree.bounds, tree.low, tree.high, tree.panels, tree.depth, index.limit2,
        weights, stop, found,
    )  # fmt: skip
    counts = np.empty(len(index.X), np.int64 if sample_weight is None else np.float64)
    counts[tree.order] = found
    return counts


def radius_components(index, mask):
    """Join; see ``primitives.radius.radius_components``."""
    tree = index.tree
    masks, states, one = _masks(tree, mask)
    parent = np.arange(len(index.X))
    blocks, per_block = _leaf_blocks(index)
    geometry = (tree.X, tree.bounds, tree.low, tree.high, tree.panels, tree.depth, index.limit2, masks)
    run_blocks(join_leaves, blocks, per_block, *geometry, parent)
    for level in range(tree.depth - 1, -1, -1):
        run_blocks(flag_leaves, blocks, per_block, tree.bounds, tree.depth, masks, parent, states, one)
        for inner in range(tree.depth - 1, level, -1):
            run_kernel(flag_nodes, (1 << inner) - 1, (2 << inner) - 1, parent, states, one)
        run_blocks(join_level, blocks, per_block, level, *geometry, states, one, parent)
    return number_roots(parent, tree.order, mask)


def nearest_within(index, queries, mask):
    """Find; see ``primitives.radius.nearest_within``."""
    tree = index.tree
    masks, states, _ = _masks(tree, mask)
    queries = np.ascontiguousarray(queries, dtype=index.X.dtype)
    if index.scale != 1.0:
        queries = queries / index.X.dtype.type(index.scale)
    indices = np.empty(len(queries), np.int64)
    distances2 = np.empty(len(queries), index.X.dtype)
    per_block = max(32, min(2048, _PAIR_FEATURES // max(1, 4 * index.X.size)))
    run_blocks(
        nearest_tree, -(-len(queries) // per_block), per_block, queries, tree.X, tree.order, tree.bounds, tree.low,
        tree.high, tree.panels, tree.depth, index.limit2, masks, states, indices, distances2,
    )  # fmt: skip
    with np.errstate(over="ignore", under="ignore"):
        return indices, distances2 if index.scale == 1.0 else distances2 * index.scale * index.scale


def radius_edges(index, indptr):
    """Return the neighbours of each row, ascending, and their squared distances, for row starts known from the counts."""
    tree = index.tree
    indices = np.empty(indptr[-1], np.int64)
    distances2 = np.empty(indptr[-1], index.X.dtype)
    per_block = max(1, min(1024, _PAIR_FEATURES // max(1, 4 * index.X.size)))
    run_blocks(
        rows_tree, -(-len(index.X) // per_block), per_block, tree.X, tree.order, tree.bounds, tree.low, tree.high,
        tree.panels, tree.depth, index.limit2, indptr, indices, distances2,
    )  # fmt: skip
    return indices, np.sqrt(distances2) * index.scale


def _leaf_blocks(index):
    """Return how many blocks of leaves there are and how many leaves one has: by the data alone."""
    leaves = 1 << index.tree.depth
    per_block = max(1, min(_PAIR_FEATURES // max(1, index.X.size) // GROUP, -(-leaves // 256)))
    return -(-leaves // per_block), per_block


def _masks(tree, mask):
    """Return the mask as bits of each leaf, and for each node a first state: 0 where no row of the mask is below."""
    leaves = 1 << tree.depth
    masks = np.zeros(leaves, np.int64)
    states = np.zeros(2 * leaves - 1, np.uint8)
    run_kernel(_fill_masks, np.ascontiguousarray(mask), tree.order, tree.bounds, leaves, masks, states)
    return masks, states, np.zeros(2 * leaves - 1, np.int64)


@kernel
def _fill_masks(mask, order, bounds, leaves, masks, states):
    for leaf in range(leaves):
        start, end = bounds[leaves - 1 + leaf]
        for place in range(start, end):
            if mask[order[place]]:
                masks[leaf] |= 1 << (place - start)
        states[leaves - 1 + leaf] = masks[leaf] != 0
    for node in range(leaves - 2, -1, -1):
        states[node] = states[2 * node + 1] | states[2 * node + 2]


def number_roots(parent, order, mask):
    """Return the sets of the rows in the mask, numbered by first row; place i of ``parent`` is row ``order[i]``."""
    n = len(order)
    roots, labels = np.empty(n, np.int64), np.empty(n, np.int64)
    run_kernel(_roots_of_rows, parent, order, mask, roots)
    names, used = np.full(n, -1, np.int64), np.zeros(1, np.int64)
    for start in range(0, n, _CHUNK):
        run_kernel(number_by_first, start, min(n, start + _CHUNK), roots, names, used, labels)
    return labels


@kernel
def _roots_of_rows(parent, order, mask, roots):
    for place in range(len(order)):
        row = order[place]
        roots[row] = find(parent, place) if mask[row] else -1
