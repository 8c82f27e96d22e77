"""Spanning trees on the CPU: neighbours, Boruvka, and the edges in order."""

import numpy as np

from .boruvka import boruvka
from .neighbors import build_index, nearest_in_index
from .prim import MOST_ROWS, prim

__all__ = ["mutual_reachability_tree", "spanning_tree"]

_KEPT = 16  # neighbours remembered for the first round; more cost memory and answer few rows more


def spanning_tree(X: np.ndarray, core_distances: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return left, right, weights; see the front."""
    index = build_index(X)
    tree = index.tree
    n = len(X)
    if n == 1:
        return _no_edges()
    near2, near = nearest_in_index(index, 2, 2, 2) if n > MOST_ROWS else (None, None)
    core2 = np.zeros(n, X.dtype)
    if core_distances is not None:
        core = core_distances.astype(np.float64)[tree.order] / index.scale
        core2 = (core * core).astype(X.dtype)
    return _in_order(*_edges(tree, core2, near, near2), index.scale)


def _edges(tree, core2, near, near2):
    """Return the edges by the algorithm that suits the number of rows; the tree is the same."""
    return prim(tree, core2) if len(core2) <= MOST_ROWS else boruvka(tree, core2, near, near2)


def mutual_reachability_tree(
    X: np.ndarray, min_samples: int
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    """Return (left, right, weights) and the core distances in the order of the rows; see the front."""
    index = build_index(X)
    tree = index.tree
    n = len(X)
    # Two at least, for the first round.
    k = min(max(min_samples, 2), n)
    kept = min(k, _KEPT)
    near2, near = nearest_in_index(index, k, k if k <= _KEPT else 1, kept)
    core2 = np.ascontiguousarray(near2[:, -1]) if min_samples > 1 else np.zeros(n, X.dtype)
    core_distances = np.empty(n)
    core_distances[tree.order] = _weights(core2, index.scale)
    if n == 1:
        return _no_edges(), core_distances
    if k > _KEPT:
        near2 = _squared(tree.X, near)
    return _in_order(*_edges(tree, core2, near, near2), index.scale), core_distances


def _squared(X, near):
    """Return the squared distances to the neighbours of each row, added feature by feature as the searches do."""
    total = np.zeros(near.shape, X.dtype)
    for f in range(X.shape[1]):
        gap = X[:, f, None] - X[near, f]
        total += gap * gap
    return total


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
    n = len(weights) + 1
    order = np.argsort(weights)
    if n**3 >= 2**63:
        order = np.lexsort((right, left, weights))
    else:
        # And then the ties, by a number that tells all three; faster than sorting by three keys.
        sorted_weights = weights[order]
        rank = np.cumsum(np.concatenate([[0], sorted_weights[1:] != sorted_weights[:-1]]))
        order = order[np.argsort((rank * n + left[order]) * n + right[order])]
    return left[order], right[order], weights[order]
