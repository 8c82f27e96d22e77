"""Minimum spanning trees of rows: Euclidean, by mutual reachability, or of any dissimilarity given row by row."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .engine import engine_of
from .neighbors import k_nearest

__all__ = ["SpanningTree", "mutual_reachability_tree", "spanning_tree", "spanning_tree_of_distances"]


class SpanningTree(NamedTuple):
    """The edges of a minimum spanning tree, in order of (weight, left, right).

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.spanning_tree import spanning_tree
    >>> tree = spanning_tree(np.array([[0.0], [5.0], [1.0]]))
    >>> tree.left.tolist(), tree.right.tolist(), tree.weights.tolist()
    ([0, 1], [2, 2], [1.0, 4.0])
    """

    left: Any  # (n - 1,) int64, the lower row
    right: Any  # (n - 1,) int64, the higher row
    weights: Any  # (n - 1,) float64, ascending


def spanning_tree(X: Any, core_distances: Any = None) -> SpanningTree:
    """Build the minimum spanning tree of all rows, exactly.

    Parameters
    ----------
    X : (n, d) float array
        Any engine, finite.
    core_distances : (n,) float array, optional
        With it, the weight of an edge is the mutual reachability ``max(core_i, core_j, d_ij)``, else the distance ``d_ij``.

    Returns
    -------
    SpanningTree
        n - 1 edges. Edges of equal weight are chosen by distance, then by the lower row, then by the higher row: this order
        is strict, so the tree is unique, whatever the number of threads.

    Notes
    -----
    Boruvka's algorithm on a k-d tree: about O(n log n) in few dimensions, up to O(n^2 d) in many; O(n d) memory.

    References
    ----------
    March, Ram, Gray: Fast Euclidean minimum spanning tree, KDD 2010, doi:10.1145/1835804.1835882.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.spanning_tree import spanning_tree
    >>> spanning_tree(np.array([[0.0], [5.0], [1.0]]), np.array([1.0, 5.0, 1.0])).weights.tolist()
    [1.0, 5.0]
    """
    return SpanningTree(*engine_of(X, "spanning_tree").spanning_tree(X, core_distances))


def mutual_reachability_tree(X: Any, min_samples: int) -> tuple[SpanningTree, Any]:
    """Build the spanning tree by mutual reachability, and the core distances that it rests on.

    The same as ``k_nearest`` followed by ``spanning_tree``, except that an engine may do both on one index.

    Parameters
    ----------
    X : (n, d) float array
        Any engine, finite.
    min_samples : int
        A row's core distance reaches its ``min_samples``-th nearest row, itself included; 1 ... n.

    Returns
    -------
    tree : SpanningTree
    core_distances : (n,) float64 array

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.spanning_tree import mutual_reachability_tree
    >>> tree, core_distances = mutual_reachability_tree(np.array([[0.0], [5.0], [1.0]]), 2)
    >>> tree.weights.tolist(), core_distances.tolist()
    ([1.0, 4.0], [1.0, 4.0, 1.0])
    """
    engine = engine_of(X, "spanning_tree")
    if hasattr(engine, "mutual_reachability_tree"):
        edges, core_distances = engine.mutual_reachability_tree(X, int(min_samples))
        return SpanningTree(*edges), core_distances
    core_distances = k_nearest(X, min_samples)[0][:, -1]
    return spanning_tree(X, core_distances), core_distances


def spanning_tree_of_distances(
    distances_from: Callable[[int], np.ndarray], n: int, core_distances: np.ndarray | None = None
) -> SpanningTree:
    """Build the minimum spanning tree of a dissimilarity that is asked for one row at a time.

    Parameters
    ----------
    distances_from : callable
        Given a row, returns its (n,) dissimilarities to all rows; asked once for each row.
    n : int
        Number of rows.
    core_distances : (n,) float array, optional
        As in `spanning_tree`.

    Returns
    -------
    SpanningTree
        Ties are broken as in `spanning_tree`.

    Notes
    -----
    Prim's algorithm: O(n^2) time, O(n) memory.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.spanning_tree import spanning_tree_of_distances
    >>> distances = np.array([[0.0, 4.0, 1.0], [4.0, 0.0, 2.0], [1.0, 2.0, 0.0]])
    >>> spanning_tree_of_distances(distances.__getitem__, 3).weights.tolist()
    [1.0, 2.0]
    """
    outside, row = np.ones(n, bool), 0
    reach, gap = np.full(n, np.inf), np.full(n, np.inf)
    nearest = np.zeros(n, np.int64)
    ends, weights = np.empty((n - 1, 2), np.int64), np.empty(n - 1)
    rows = np.arange(n)
    for step in range(n - 1):
        outside[row] = False
        distances = np.asarray(distances_from(row), dtype=np.float64)
        value = (
            distances
            if core_distances is None
            else np.maximum(np.maximum(distances, core_distances), core_distances[row])
        )
        low, high = np.minimum(row, rows), np.maximum(row, rows)
        old_low, old_high = np.minimum(nearest, rows), np.maximum(nearest, rows)
        tied = (low < old_low) | ((low == old_low) & (high < old_high))
        better = outside & ((value < reach) | ((value == reach) & ((distances < gap) | ((distances == gap) & tied))))
        reach[better], gap[better], nearest[better] = value[better], distances[better], row
        row = _first(outside, reach, gap, nearest, rows)
        ends[step], weights[step] = (nearest[row], row), reach[row]
    left, right = ends.min(axis=1), ends.max(axis=1)
    order = np.lexsort((right, left, weights))
    return SpanningTree(left[order], right[order], weights[order])


def _first(outside, reach, gap, nearest, rows):
    """Return the row outside the tree whose edge comes first by (reach, gap, lower row, higher row)."""
    candidates = np.flatnonzero(outside)
    for key in (reach, gap):
        values = key[candidates]
        candidates = candidates[values == values.min()]
    if len(candidates) > 1:
        low, high = np.minimum(nearest[candidates], candidates), np.maximum(nearest[candidates], candidates)
        return candidates[np.lexsort((high, low))[0]]
    return candidates[0]
