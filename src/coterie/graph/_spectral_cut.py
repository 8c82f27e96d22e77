"""Cuts by the relaxation: eigenvectors of the Laplacian, rounded to parts, then refined by moves of nodes.

Were labels allowed to be any numbers, the best ratio cut would be the eigenvectors of the smallest eigenvalues of D - A, and the
best normalised cut those of D^-1/2 (D - A) D^-1/2. Two parts are read off the second vector by trying every threshold, which no
worse than Cheeger's bound can be; more parts by the nodes that span the vectors best (pivoted QR), and by k-means. Both
are refined, and the better is returned. Components come first: their vectors are exact, one for each.
"""

from typing import Any

import numpy as np
from scipy.linalg import qr, svd

from ..arrays import Graph
from ..partition.kmeans import KMeans
from ..primitives.components import number_sets
from ..primitives.eigenvectors import smallest_eigenpairs
from ..primitives.objective_moves import CutProblem, cut_problem
from ._multilevel import improved, part_limit, whole_level
from ._objective_search import least_cut
from ._objectives import packed_components, size_limit

__all__ = ["best_threshold", "leading_nodes", "spectral_cut"]

_TOLERANCE = 1e-3  # finer vectors give no better parts once they are refined


def spectral_cut(
    graph: Graph,
    n_clusters: int,
    objective: str,
    imbalance: float = 1.0,
    *,
    node_weights: Any = None,
    seed: int = 0,
) -> np.ndarray:
    """Find parts from eigenvectors.

    Parameters
    ----------
    graph : Graph
        Undirected, of NumPy arrays.
    n_clusters : int
        At most the number of nodes.
    objective : {"edge_cut", "ratio_cut", "normalized_cut", "min_max_cut"}
    imbalance : float, default=1
        By how much of the mean, rounded up, a part may exceed it; 1 is no bound.
    node_weights : (n,) array, optional
    seed : int

    Returns
    -------
    (n,) int64 array
        Numbered by first appearance.

    References
    ----------
    Shi, Malik (2000). Normalized cuts and image segmentation. IEEE PAMI 22(8), 888-905. doi:10.1109/34.868688
    Damle, Minden, Ying (2019). Simple, direct and efficient multi-way spectral clustering. Information and Inference 8(1), 181-203.
    doi:10.1093/imaiai/iay008
    """
    n, k = graph.n_nodes, n_clusters
    if k == 1:
        return np.zeros(n, np.int64)
    if k == n:
        return np.arange(n)
    most = size_limit(node_weights, n, k, imbalance)
    packed = packed_components(graph, k, node_weights, most)
    if packed is not None:
        return packed
    problem = cut_problem(graph, "ratio_cut" if objective == "edge_cut" else objective, node_weights, most)
    rows = _embedding(graph, k, objective)
    starts = [best_threshold(problem, rows[:, 1])] if k == 2 else [leading_nodes(rows), _means(rows, k, seed)]
    labels = least_cut(problem, k, seed, starts, only_starts=True)
    if objective == "edge_cut":
        # Least ratio cut within the bound is a start that the search for edge cut can keep to.
        labels = _refined_edge_cut(graph, labels, k, imbalance, node_weights, seed)
    return number_sets(labels.astype(np.int64))


def _embedding(graph: Graph, k: int, objective: str) -> np.ndarray:
    """Return k coordinates of each node."""
    normalised = objective in ("normalized_cut", "min_max_cut")
    exponent = int(np.frexp(graph.weights.max())[1]) if len(graph.weights) else 0
    graph = graph._replace(
        weights=np.ldexp(graph.weights.astype(np.float64), -exponent)
    )  # no power of two is out of range
    kind = "normalised" if normalised else "unnormalised"
    rows = smallest_eigenpairs(graph, k, kind=kind, tol=_TOLERANCE).vectors
    if normalised:
        degrees = np.bincount(np.repeat(np.arange(graph.n_nodes), np.diff(graph.indptr)), graph.weights, graph.n_nodes)
        rows = rows / np.sqrt(np.where(degrees > 0, degrees, 1.0))[:, None]
    return rows


def best_threshold(problem: CutProblem, coordinate: np.ndarray) -> np.ndarray:
    """Return the best two parts among those that a threshold on one coordinate gives.

    Parameters
    ----------
    problem : CutProblem
    coordinate : (n,) array

    Returns
    -------
    (n,) int32 array
        0 below the threshold, 1 above. Where no threshold keeps the bound on sizes, the one that exceeds it least.
    """
    n = len(coordinate)
    order = np.argsort(coordinate, kind="stable")
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    rows = np.repeat(np.arange(n), np.diff(problem.indptr))
    # A link crosses all thresholds from the place of its lower end to that before its upper end.
    ahead = place[rows] < place[problem.indices]
    cut = np.bincount(place[rows[ahead]], problem.weights[ahead], n)
    cut = np.cumsum(cut - np.bincount(place[problem.indices[ahead]], problem.weights[ahead], n))[:-1]
    mass, size = np.cumsum(problem.nodes[order, 1:], axis=0).T
    value = np.zeros(n - 1)
    for below, held in ((mass[:-1], size[:-1]), (mass[-1] - mass[:-1], size[-1] - size[:-1])):
        rest = below - problem.inner * cut
        value += np.where(cut > 0, np.divide(cut, rest, out=np.full(n - 1, 1e9), where=rest * 1e9 > cut), 0.0)
        value += np.where(held > problem.most, 1e9 * held / problem.most, 0.0)
    return (place > value.argmin()).astype(np.int32)


def leading_nodes(rows: np.ndarray) -> np.ndarray:
    """Return the part of each row: the axis it lies on once the k rows that span the space best are turned to the axes."""
    _, _, pivots = qr(rows.T, mode="economic", pivoting=True)
    left, _, right = svd(rows[pivots[: rows.shape[1]]].T, full_matrices=False)
    return abs(rows @ (left @ right)).argmax(axis=1).astype(np.int32)


def _means(rows: np.ndarray, k: int, seed: int) -> np.ndarray:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = rows / np.where(length > 0, length, 1.0)
    if len(np.unique(rows, axis=0)) <= k:
        return leading_nodes(rows)
    return KMeans(k, n_init=4, random_state=seed).fit(rows).labels_.astype(np.int32)


def _refined_edge_cut(
    graph: Graph, labels: np.ndarray, k: int, imbalance: float, node_weights: Any, seed: int
) -> np.ndarray:
    """Return a partition of no greater edge cut within the bound, without empty parts."""
    level = whole_level(graph, node_weights)
    limits = np.full(k, part_limit(level.node_weights, k, imbalance), np.int64)
    found = improved(level, labels, limits, seed)
    return found if len(np.unique(found)) == k else labels
