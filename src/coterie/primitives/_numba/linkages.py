"""Bottom-up merging on the CPU; see the front."""

import numpy as np

from . import nearest_chain
from .centroid import centroid_merges
from .conditioning import condition
from .graph_merges import CENTROID, MEAN_OF_EDGES, MEDIAN, WARD, forest, graph_merges
from .matrix_rounds import matrix_merges
from .nearest_chain import COMPLETE, packed_distances
from .ward import ward_merges

__all__ = ["center_linkage", "forest", "graph_linkage", "matrix_linkage", "packed_distances"]

_MATRIX = {"complete": COMPLETE, "average": nearest_chain.AVERAGE, "weighted": nearest_chain.WEIGHTED}
_GRAPH = {"complete": COMPLETE, "average": MEAN_OF_EDGES, "ward": WARD, "centroid": CENTROID, "median": MEDIAN}
_ROOM = 8.0  # rows may lie this many times their spread from zero


def center_linkage(X: np.ndarray, linkage: str, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """See `coterie.primitives.linkages.center_linkage`; Ward's merges are in no order."""
    centers, scale = _centered(X)
    left, right, height2 = _by_centers(centers, linkage, weight)
    return left, right, _lengths(height2, scale)


def _by_centers(centers: np.ndarray, linkage: str, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if len(centers) == 1:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    return ward_merges(centers, weight) if linkage == "ward" else centroid_merges(centers, weight, linkage == "median")


def _centered(X: np.ndarray) -> tuple[np.ndarray, float]:
    """Return float64 rows near zero and the scale that they were divided by.

    The shift is a multiple of a power of two, so that equal distances of whole numbers stay equal.
    """
    rows = X.astype(np.float64, copy=False)
    found = condition(rows, None, None)
    unit = min(_ROOM * found[2], 2.0**1022)
    centers, _, scale = condition(rows, np.trunc(found[1] / unit) * unit, found[2])
    return centers, scale


def _lengths(height2: np.ndarray, scale: float) -> np.ndarray:
    heights = np.sqrt(height2)
    return np.minimum(heights, np.finfo(np.float64).max / max(scale, 1.0)) * scale


def matrix_linkage(packed: np.ndarray, linkage: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """See `coterie.primitives.linkages.matrix_linkage`; the merges are in no order."""
    n = int(np.sqrt(2 * len(packed))) + 1
    return matrix_merges(packed, n, _MATRIX[linkage])


def graph_linkage(graph, linkage, X, distances, weight) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """See `coterie.primitives.linkages.graph_linkage`."""
    n = graph.n_nodes
    small = np.int32 if len(graph.indices) < 2**31 else np.int64
    indptr, target, weight = graph.indptr.astype(np.int64), graph.indices.astype(small), weight.copy()
    if X is None:
        merges = graph_merges(indptr, target, distances.copy(), _GRAPH[linkage], np.empty((n, 0)), weight)
        return *merges, n - len(merges[0])
    centers, scale = _centered(X)
    left, right, height2 = graph_merges(indptr, target, np.empty(0), _GRAPH[linkage], centers, weight)
    names = np.ones(n, bool)
    names[right] = False
    names = np.flatnonzero(names)
    one, other, above2 = _by_centers(centers[names], linkage, weight[names])
    if linkage == "ward":
        order = np.lexsort((other, one, above2))
        one, other, above2 = one[order], other[order], above2[order]
    above2 = np.maximum.accumulate(np.concatenate([[height2.max(initial=0.0)], above2]))[1:]
    return (
        np.concatenate([left, names[one]]), np.concatenate([right, names[other]]),
        _lengths(np.concatenate([height2, above2]), scale), len(names),
    )  # fmt: skip
