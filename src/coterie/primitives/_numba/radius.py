"""Radius neighbours on the CPU: a grid in few dimensions, a k-d tree in the others, and the same answers from both."""

from typing import NamedTuple

import numpy as np

from ...errors import InputError
from .blocks import run_blocks, run_kernel
from .components import number_sets
from .jit import kernel
from .kdtree import KDTree, build_kdtree
from .radius_grid import (
    REACH,
    Grid,
    build_grid,
    cell_blocks,
    count_grid,
    join_grid,
    nearest_grid,
    roots_grid,
    sort_mask,
    sort_queries,
    weigh_grid,
)
from .radius_nearest import nearest_tree, rows_tree
from .radius_tree import (
    count_tree,
    flag_leaves,
    flag_nodes,
    join_leaves,
    join_level,
)
from .tile import GROUP
from .union_find import find

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


class RadiusIndex(NamedTuple):
    """Rows made ready for questions about one radius."""

    X: np.ndarray  # (n, d) rows as given
    radius: float
    scale: float  # a power of two: grid and tree hold X / scale
    limit2: float  # squared radius in that scale, in the type of X
    grid: Grid | None  # one of the two is there
    tree: KDTree | None


def radius_index(X, radius):
    """Build the index; see ``primitives.radius.radius_index``."""
    scale = _scale(X, radius)
    rows = X if scale == 1.0 else X / X.dtype.type(scale)
    grid = build_grid(rows, radius / scale)
    tree = build_kdtree(rows) if grid is None else None
    return RadiusIndex(X, radius, scale, _limit2(X.dtype, radius, scale), grid, tree)


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
    counts = np.zeros(len(index.X), np.int64 if sample_weight is None else np.float64)
    count = _count_grid if index.grid is not None else _count_tree
    if sample_weight is None:
        count(index, (), len(index.X) + 1 if enough is None else int(np.ceil(enough)), counts)
    else:
        # A negative weight may take away again what was enough.
        never = enough is None or sample_weight.min() < 0
        count(index, (sample_weight,), np.inf if never else float(enough), counts)
    return counts


def _count_grid(index, weights, enough, counts):
    X, columns, cells, _, _, lines = _of_grid(index.grid)
    run_blocks(
        weigh_grid if weights else count_grid, *cell_blocks(index.grid.cells), X, columns, *cells, lines, index.limit2,
        *weights, enough, counts,
    )  # fmt: skip


def _count_tree(index, weights, enough, counts):
    tree = index.tree
    of_places = weights[0][tree.order] if weights else np.empty(0)
    found = np.zeros_like(counts)
    run_blocks(
        count_tree, *_leaf_blocks(tree, index.X.size), *_of_tree(tree), index.limit2, of_places, float(enough), found
    )
    counts[tree.order] = found


def radius_components(index, mask):
    """Join; see ``primitives.radius.radius_components``."""
    mask = np.ascontiguousarray(mask)
    return _components_grid(index, mask) if index.grid is not None else _components_tree(index, mask)


def _components_grid(index, mask):
    X, columns, (keys, starts, order), *boxes_and_lines = _of_grid(index.grid)
    blocks, per_block = cell_blocks(index.grid.cells)
    places, any_row = sort_mask(index.grid, mask)
    parent = np.arange(len(keys))
    geometry = (X, columns, keys, starts, *boxes_and_lines, index.limit2)
    for reach in range(1, REACH + 1):
        run_blocks(join_grid, blocks, per_block, reach, *geometry, places, any_row, parent)
    roots = np.empty(len(X), np.int64)
    run_blocks(roots_grid, blocks, per_block, starts, order, places, parent, roots)
    return number_sets(roots)


def _components_tree(index, mask):
    tree = index.tree
    masks, states, one = _masks(tree, mask)
    parent = np.arange(len(index.X))
    blocks, per_block = _leaf_blocks(tree, index.X.size)
    geometry = (*_of_tree(tree), index.limit2, masks)
    run_blocks(join_leaves, blocks, per_block, *geometry, parent)
    for level in range(tree.depth - 1, -1, -1):
        run_blocks(flag_leaves, blocks, per_block, tree.bounds, tree.depth, masks, parent, states, one)
        for inner in range(tree.depth - 1, level, -1):
            run_kernel(flag_nodes, (1 << inner) - 1, (2 << inner) - 1, parent, states, one)
        run_blocks(join_level, blocks, per_block, level, *geometry, states, one, parent)
    return number_roots(parent, tree.order, mask)


def nearest_within(index, queries, mask):
    """Find; see ``primitives.radius.nearest_within``."""
    queries = np.ascontiguousarray(queries, dtype=index.X.dtype)
    if index.scale != 1.0:
        queries = queries / index.X.dtype.type(index.scale)
    indices = np.full(len(queries), -1)
    distances2 = np.full(len(queries), np.inf, index.X.dtype)
    if len(queries):
        nearest = _nearest_grid if index.grid is not None else _nearest_tree
        nearest(index, queries, np.ascontiguousarray(mask), indices, distances2)
    with np.errstate(over="ignore", under="ignore"):
        return indices, distances2 if index.scale == 1.0 else distances2 * index.scale * index.scale


def _nearest_grid(index, queries, mask, indices, distances2):
    grid = index.grid
    X, columns, cells, _, _, lines = _of_grid(grid)
    asked = sort_queries(grid, queries)
    blocks, per_block = cell_blocks(asked)
    places, _ = sort_mask(grid, mask)
    run_blocks(
        nearest_grid, blocks, per_block, queries, *asked, X, columns, *cells, lines, index.limit2, places, indices,
        distances2,
    )  # fmt: skip


def _nearest_tree(index, queries, mask, indices, distances2):
    masks, states, _ = _masks(index.tree, mask)
    # The queries get a tree of their own: those of a leaf walk together.
    asked = build_kdtree(queries)
    blocks, per_block = _leaf_blocks(asked, index.X.size)
    X, *geometry = _of_tree(index.tree)
    run_blocks(
        nearest_tree, blocks, per_block, asked.X, asked.order, asked.bounds, asked.low, asked.high, asked.depth, X,
        index.tree.order, *geometry, index.limit2, masks, states, indices, distances2,
    )  # fmt: skip


def radius_edges(index, indptr):
    """Return the neighbours of each row, ascending, and their distances, for row starts known from the counts."""
    rows = index.X if index.scale == 1.0 else index.X / index.X.dtype.type(index.scale)
    tree = build_kdtree(rows) if index.tree is None else index.tree
    indices = np.empty(indptr[-1], np.int64)
    distances2 = np.empty(indptr[-1], index.X.dtype)
    per_block = max(1, min(1024, _PAIR_FEATURES // max(1, 4 * index.X.size)))
    X, *geometry = _of_tree(tree)
    run_blocks(
        rows_tree,
        -(-len(X) // per_block),
        per_block,
        X,
        tree.order,
        *geometry,
        index.limit2,
        indptr,
        indices,
        distances2,
    )
    return indices, np.sqrt(distances2) * index.X.dtype.type(index.scale)


def _of_grid(grid):
    return grid.X, grid.columns, tuple(grid.cells), grid.low, grid.high, grid.lines


def _of_tree(tree):
    return tree.X, tree.bounds, tree.low, tree.high, tree.panels, tree.depth


def _leaf_blocks(tree, size):
    """Return how many blocks of leaves there are and how many leaves one has: by the data alone."""
    leaves = 1 << tree.depth
    per_block = max(1, min(_PAIR_FEATURES // max(1, size) // GROUP, -(-leaves // 256)))
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
        start, end = bounds[leaves - 1 + leaf, 0], bounds[leaves - 1 + leaf, 1]
        for place in range(start, end):
            if mask[order[place]]:
                masks[leaf] |= 1 << (place - start)
        states[leaves - 1 + leaf] = masks[leaf] != 0
    for node in range(leaves - 2, -1, -1):
        states[node] = states[2 * node + 1] | states[2 * node + 2]


def number_roots(parent, order, mask):
    """Return the sets of the rows in the mask, numbered by first row; place i of ``parent`` is row ``order[i]``."""
    n = len(order)
    roots = np.empty(n, np.int64)
    run_kernel(_roots_of_rows, parent, order, mask, roots)
    return number_sets(roots)


@kernel
def _roots_of_rows(parent, order, mask, roots):
    for place in range(len(order)):
        row = order[place]
        roots[row] = find(parent, place) if mask[row] else -1
