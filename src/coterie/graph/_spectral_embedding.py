"""Coordinates of nodes from eigenvectors, clusters in them, and coordinates of new nodes from their links."""

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from ..arrays import Graph, like_input, to_numpy
from ..primitives.components import connected_components, number_sets
from ..primitives.eigenvectors import Eigenpairs, smallest_eigenpairs
from ..primitives.laplacian import row_sums, scaled_weights
from ._assignment import cluster_qr, kmeans_labels
from ._pieces import crumbs_and_pieces, packed, shares_of

__all__ = ["OBJECTIVES", "Spectral", "extended", "spectral"]

OBJECTIVES = {"normalized_cut": "normalised", "ratio_cut": "unnormalised", "modularity": "modularity"}


class Spectral(NamedTuple):
    """Clusters of nodes and the coordinates that they were found in, on the host."""

    labels: np.ndarray  # (n,) int64, by first appearance
    embedding: np.ndarray  # (n, k) float64
    eigenvalues: np.ndarray  # (k,) float64
    centers: np.ndarray  # (found, k) float64: mean of each cluster's coordinates
    mean: np.ndarray  # (k,) float64: of all coordinates, weighted by the degrees
    converged: bool


def spectral(
    graph: Graph, n_clusters: int, objective: str, assign_labels: str, n_init: int, random: Any, tol: float, like: Any
) -> Spectral:
    """Cluster the nodes of a graph by the eigenvectors that relax an objective.

    Parameters
    ----------
    graph : Graph
        Host arrays, undirected.
    n_clusters : int
        At most the number of nodes.
    objective : {"normalized_cut", "ratio_cut", "modularity"}
    assign_labels : {"kmeans", "cluster_qr"}
    n_init : int
        Starts of K-means.
    random : RandomState
    tol : float
        Of the eigenpairs.
    like : array
        Its engine computes.
    """
    n = graph.n_nodes
    component = connected_components(graph)
    if objective == "modularity":
        pieces, for_crumbs = [0], 0
        crumbs: list[int] = []
        component = np.zeros(n, np.int64)
    else:
        pieces, crumbs, for_crumbs = crumbs_and_pieces(component, n_clusters)
    nodes = [np.flatnonzero(component == piece) for piece in pieces]
    graphs = [_part(graph, members) for members in nodes]
    shares, pairs = _eigenpairs(graphs, n_clusters - for_crumbs, objective, tol, like)
    labels, embedding = np.full(n, -1), np.zeros((n, n_clusters))
    values: list[float] = []
    degrees = row_sums(graph.indptr, scaled_weights(graph.weights)[0])
    for members, share, found in zip(nodes, shares, pairs, strict=True):
        Y, U = _coordinates(degrees[members], found, share, objective)
        used = len(values)
        labels[members] = used + _groups(Y, U, share, assign_labels, n_init, random)
        embedding[members, used : used + share] = to_numpy(Y)
        values += (-found.values[:share] if objective == "modularity" else found.values[:share]).tolist()
    if crumbs:
        _place_crumbs(labels, embedding, component, crumbs, len(values), for_crumbs)
        values += [0.0] * for_crumbs
    labels = number_sets(_filled(labels, embedding, n_clusters))
    order = np.argsort(values if objective != "modularity" else [-value for value in values], kind="stable")
    embedding = np.ascontiguousarray(embedding[:, order])
    mean = (degrees @ embedding) / max(float(degrees.sum()), 1e-300)
    converged = all(found.converged for found in pairs)
    return Spectral(labels, embedding, np.array(values)[order], _means(embedding, labels), mean, converged)


def extended(
    links: csr_array, embedding: np.ndarray, values: np.ndarray, mean: np.ndarray, objective: str
) -> np.ndarray:
    """Return coordinates of new nodes by their links to those of the fit: Nystroem's formula.

    Parameters
    ----------
    links : (m, n) csr_array
        Weights of the links.
    embedding : (n, k) float64 array
    values : (k,) float64 array
        Eigenvalues.
    mean : (k,) float64 array
        Of the coordinates, weighted by the degrees.
    objective : str

    Returns
    -------
    (m, k) float64 array
        What the equation of the eigenvectors says of a node from its neighbours: for the normalised cut
        ``sum_j w_j f_j / (1 - value) / sum_j w_j``. Zeros where there are no links.
    """
    sums, own = links @ embedding, links.sum(axis=1)[:, None]
    if objective == "modularity":
        values = np.where(values > 1e-9 * max(float(np.abs(values).max()), 1e-300), values, np.inf)
        return (sums - own * mean) / values
    if objective == "ratio_cut":
        below = np.maximum(own - values, 0.1 * own)
    else:
        # Vectors of values about 1 say nothing of a node by its neighbours.
        left = 1 - values
        below = own * np.where(np.abs(left) > 1e-3, left, 1.0)
    return np.divide(sums, below, out=np.zeros_like(sums), where=below != 0)


def _part(graph: Graph, members: np.ndarray) -> Graph:
    """Return the graph of some nodes, ascending, that no link leaves."""
    if len(members) == graph.n_nodes:
        return graph
    lengths, number = np.diff(graph.indptr), np.zeros(graph.n_nodes, np.int64)
    number[members] = np.arange(len(members))
    indptr = np.concatenate([[0], np.cumsum(lengths[members])])
    if indptr[-1] == len(graph.indices):
        return Graph(indptr, number[graph.indices], graph.weights)
    chosen = np.zeros(graph.n_nodes, bool)
    chosen[members] = True
    links = np.repeat(chosen, lengths)
    return Graph(indptr, number[graph.indices[links]], graph.weights[links])


def _eigenpairs(
    graphs: list[Graph], n_clusters: int, objective: str, tol: float, like: Any
) -> tuple[list[int], list[Eigenpairs]]:
    """Return how many clusters each piece gets, and its eigenpairs."""
    most = n_clusters - len(graphs) + 1
    kind = OBJECTIVES[objective]
    pairs = []
    for graph in graphs:
        placed = Graph(*(like_input(part, like) for part in graph))
        k, connected = min(most, graph.n_nodes), objective != "modularity"
        pairs.append(smallest_eigenpairs(placed, k, kind=kind, tol=tol, together=True, connected=connected))
    if len(graphs) == 1:
        return [n_clusters], pairs
    return shares_of([found.values[1:] for found in pairs], n_clusters), pairs


def _coordinates(degrees: np.ndarray, found: Eigenpairs, share: int, objective: str) -> tuple[Any, Any]:
    """Return the coordinates of the nodes of a piece, and the orthonormal vectors that they come from."""
    U = found.vectors[:, :share]
    if objective == "normalized_cut":
        largest = float(degrees.max())
        relative = degrees / largest if largest > 0 else np.ones(len(degrees))
        # A lone node has no degree; it is all of its piece.
        root = np.sqrt(np.maximum(np.where(relative > 0, relative, 1.0), 1e-280))
        Y = U / like_input(root, U)[:, None]
        return Y / ((Y * Y).sum(0) ** 0.5), U
    if objective == "modularity":
        weight = np.sqrt(np.maximum(-found.values[:share], 0.0))
        return U * like_input(weight / max(float(weight.max()), 1e-300), U), U
    return U, U


def _groups(Y: Any, U: Any, share: int, assign_labels: str, n_init: int, random: Any) -> np.ndarray:
    n = Y.shape[0]
    if share == 1 or n == share:
        return np.zeros(n, np.int64) if share == 1 else np.arange(n)
    picked = cluster_qr(U)
    return picked if assign_labels == "cluster_qr" else kmeans_labels(Y, picked, share, n_init, random)


def _place_crumbs(
    labels: np.ndarray, embedding: np.ndarray, component: np.ndarray, crumbs: list[int], used: int, own: int
) -> None:
    """Put the nodes of crumbs into clusters of their own, or into the smallest; they lie where their cluster does."""
    sizes = np.bincount(component)[crumbs]
    if own:
        place = used + packed(sizes, np.zeros(own, np.int64))
        embedding_of = np.eye(embedding.shape[1])
    else:
        loads = np.bincount(labels[labels >= 0])
        place = packed(sizes, loads)
        embedding_of = _means(embedding, labels)
    cluster = np.full(int(component.max()) + 1, -1)
    cluster[crumbs] = place
    members = np.flatnonzero(cluster[component] >= 0)
    labels[members] = cluster[component[members]]
    embedding[members] = embedding_of[labels[members]]


def _filled(labels: np.ndarray, embedding: np.ndarray, n_clusters: int) -> np.ndarray:
    """Return labels of as many clusters as asked for: nodes of equal coordinates may have left some empty.

    An empty cluster gets the node of the largest one that is furthest from its mean, the last of equals.
    """
    size = np.bincount(labels, minlength=n_clusters)
    for empty in np.flatnonzero(size == 0):
        members = np.flatnonzero(labels == size.argmax())
        away = ((embedding[members] - embedding[members].mean(axis=0)) ** 2).sum(axis=1)
        node = members[len(members) - 1 - int(away[::-1].argmax())]
        size[labels[node]] -= 1
        labels[node], size[empty] = empty, 1
    return labels


def _means(embedding: np.ndarray, labels: np.ndarray) -> np.ndarray:
    rows = np.flatnonzero(labels >= 0)
    count = np.bincount(labels[rows]).astype(float)
    sums = np.column_stack([np.bincount(labels[rows], column[rows]) for column in embedding.T])
    return sums / np.maximum(count, 1.0)[:, None]
