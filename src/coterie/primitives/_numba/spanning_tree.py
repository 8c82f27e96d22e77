"""Spanning trees on the CPU: neighbours, Boruvka, and the edges in order."""

import numpy as np

from .blocks import run_kernel
from .boruvka import boruvka
from .jit import kernel
from .neighbors import build_index, nearest_in_index

__all__ = ["mutual_reachability_tree", "spanning_tree"]

_KEPT = 16  # neighbours remembered for the first round; more cost memory and answer few rows more


def spanning_tree(X: np.ndarray, core_distances: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return left, right, weights; see the front."""
    index = build_index(X)
    tree = index.tree
    n = len(X)
    if n == 1:
        return _no_edges()
    if core_distances is None:
        core2 = np.zeros(n, X.dtype)
        near = nearest_in_index(index, 2, 1, 2)[1] if n > 1 else None
        edges = boruvka(tree, index.rows, core2, near)
    else:
        core = core_distances.astype(np.float64)[tree.order] / index.scale
        edges = boruvka(tree, index.rows, (core * core).astype(X.dtype))
    return _in_order(*edges, index.scale, n)


def mutual_reachability_tree(
    X: np.ndarray, min_samples: int
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    """Return (left, right, weights) and the core distances in the order of the rows; see the front."""
    index = build_index(X)
    tree = index.tree
    n = len(X)
    core2, near = nearest_in_index(index, min_samples, 1, min(min_samples, _KEPT))
    core2 = core2[:, 0]
    core_distances = np.empty(n)
    core_distances[tree.order] = _weights(core2, index.scale)
    if n == 1:
        return _no_edges(), core_distances
    edges = boruvka(tree, index.rows, np.ascontiguousarray(core2), near)
    return _in_order(*edges, index.scale, n), core_distances


def _no_edges() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)


def _weights(weight2: np.ndarray, scale: float) -> np.ndarray:
    weights = np.sqrt(weight2, dtype=np.float64)
    if scale != 1.0:
        np.minimum(weights, np.finfo(np.float64).max / scale if scale > 1 else np.inf, out=weights)
        weights *= scale
    return weights


def _in_order(left, right, weight2, scale, n):
    """Sort the edges by (weight, left, right)."""
    weights = _weights(weight2, scale)
    order = np.argsort(weights)
    run_kernel(_order_ties, weights, left, right, n, order)
    return left[order], right[order], weights[order]


@kernel
def _order_ties(weights, left, right, n, order):
    """Put edges of equal weight in the order of their rows."""
    start = 0
    while start < len(order):
        end = start + 1
        while end < len(order) and weights[order[end]] == weights[order[start]]:
            end += 1
        if end - start > 1:
            run = order[start:end].copy()
            keys = left[run] * n + right[run]
            order[start:end] = run[np.argsort(keys)]
        start = end
