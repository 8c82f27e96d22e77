"""Spanning trees on the CPU: neighbours, Boruvka, and the edges in order."""

import numpy as np

from .blocks import run_kernel
from .boruvka import boruvka
from .jit import kernel
from .neighbors import build_index, nearest_in_index
from .prim import MOST_ROWS, prim

__all__ = ["mutual_reachability_tree", "spanning_tree"]

_FEW = 64  # ties of one weight that are sorted by insertion
_KEPT = 16  # neighbours remembered for the first round; more cost memory and answer few rows more


def spanning_tree(X: np.ndarray, core_distances: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return left, right, weights; see the front."""
    index = build_index(X)
    tree = index.tree
    n = len(X)
    if n == 1:
        return _no_edges()
    near, core2 = None, np.zeros(n, X.dtype)
    if core_distances is not None:
        core = core_distances.astype(np.float64)[tree.order] / index.scale
        core2 = (core * core).astype(X.dtype)
    elif n > MOST_ROWS:
        near = nearest_in_index(index, 2, 1, 2)[1]
    return _in_order(*_edges(index, core2, near), index.scale)


def _edges(index, core2, near):
    """Return the edges by the algorithm that suits the number of rows; the tree is the same."""
    return prim(index.tree, core2) if len(core2) <= MOST_ROWS else boruvka(index.tree, index.rows, core2, near)


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
    edges = _edges(index, np.ascontiguousarray(core2), near)
    return _in_order(*edges, index.scale), core_distances


def _no_edges() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)


def _weights(weight2: np.ndarray, scale: float) -> np.ndarray:
    weights = np.sqrt(weight2, dtype=np.float64)
    if scale != 1.0:
        np.minimum(weights, np.finfo(np.float64).max / scale if scale > 1 else np.inf, out=weights)
        weights *= scale
    return weights


def _in_order(left, right, weight2, scale):
    """Sort the edges by (weight, left, right)."""
    weights = _weights(weight2, scale)
    order = np.argsort(weights)  # and then the ties, which is faster than sorting by three keys
    if len(order) < MOST_ROWS or not run_kernel(_order_ties, weights, left, right, order):
        order = np.lexsort((right, left, weights))
    return left[order], right[order], weights[order]


@kernel
def _order_ties(weights, left, right, order):
    """Put edges of equal weight in the order of their rows; say whether there were few of each weight."""
    start = 0
    for i in range(1, len(order)):
        edge = order[i]
        if weights[edge] != weights[order[start]]:
            start = i
            continue
        if i - start > _FEW:
            return False
        at = i
        while at > start and (
            left[order[at - 1]] > left[edge]
            or (left[order[at - 1]] == left[edge] and right[order[at - 1]] > right[edge])
        ):
            order[at] = order[at - 1]
            at -= 1
        order[at] = edge
    return True
