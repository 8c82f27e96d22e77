"""Directed or not: matrices, and the graph that leads both ways."""

import sys
import warnings
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from ..arrays import Graph, is_tensor
from .edges import from_links

__all__ = ["is_directed", "to_scipy", "undirected"]


def undirected(graph: Graph, warn_as: str | None = None) -> Graph:
    """Return the graph whose links lead both ways: the weights of the two directions are added up.

    Parameters
    ----------
    graph : Graph
    warn_as : str, optional
        Name of an estimator that needs such a graph: a directed one is then warned about.

    Returns
    -------
    Graph
        The very same where it is symmetric already.

    Examples
    --------
    >>> from coterie.graphs import from_edges, undirected
    >>> undirected(from_edges([[0, 1]], directed=True)).indices
    array([1, 0])
    """
    if not is_directed(graph):
        return graph
    if warn_as:
        _warn_directed(warn_as)
    if is_tensor(graph.indptr):
        return _both_ways(graph)
    sources = np.repeat(np.arange(graph.n_nodes), np.diff(graph.indptr))
    # An entry of the diagonal is both of its directions at once: A + A' doubles it, as it does any other link.
    return from_links(sources, graph.indices, graph.weights, graph.n_nodes, directed=False)


def is_directed(graph: Graph) -> bool:
    """Say whether the matrix of the graph is not symmetric; costs at most one transposition.

    Parameters
    ----------
    graph : Graph

    Returns
    -------
    bool

    Examples
    --------
    >>> from coterie.graphs import from_edges, is_directed
    >>> is_directed(from_edges([[0, 1]], directed=True)), is_directed(from_edges([[0, 1]]))
    (True, False)
    """
    if is_tensor(graph.indptr):
        return _tensors_differ(graph)
    n = graph.n_nodes
    if not np.array_equal(np.bincount(graph.indices, minlength=n), np.diff(graph.indptr)):
        return True
    rows = to_scipy(graph)
    other = rows.T.tocsr()
    return not (np.array_equal(rows.indices, other.indices) and np.array_equal(rows.data, other.data))


def to_scipy(graph: Graph) -> csr_array:
    """Return the adjacency matrix; it shares the memory of a graph of NumPy arrays.

    Parameters
    ----------
    graph : Graph

    Returns
    -------
    (n, n) csr_array

    Examples
    --------
    >>> from coterie.graphs import from_edges, to_scipy
    >>> to_scipy(from_edges([[0, 1]])).toarray()
    array([[0., 1.],
           [1., 0.]])
    """
    indptr, indices, weights = (part.cpu().numpy() if is_tensor(part) else part for part in graph)
    return csr_array((weights, indices, indptr), shape=graph.shape)


def _keys(graph: Graph) -> tuple[Any, Any, Any]:
    torch = sys.modules["torch"]
    n = graph.n_nodes
    sources = torch.repeat_interleave(torch.arange(n, device=graph.indptr.device), graph.indptr.diff())
    return sources, sources * n + graph.indices, graph.indices * n + sources


def _tensors_differ(graph: Graph) -> bool:
    torch = sys.modules["torch"]
    _, forward, backward = _keys(graph)
    order = torch.argsort(backward)
    return not (torch.equal(forward, backward[order]) and torch.equal(graph.weights, graph.weights[order]))


def _both_ways(graph: Graph) -> Graph:
    torch = sys.modules["torch"]
    _sources, forward, backward = _keys(graph)
    keys, where = torch.cat([forward, backward]).unique(return_inverse=True)
    weights = torch.zeros(len(keys), dtype=torch.float64 if graph.weights.device.type != "mps" else torch.float32)
    weights = weights.to(graph.weights.device)
    # Each key has one weight of either direction at most: two terms add up to the same in any order.
    for part, values in ((where[: len(forward)], graph.weights), (where[len(forward) :], graph.weights)):
        weights[part] += values.to(weights.dtype)
    n = graph.n_nodes
    counts = torch.bincount(keys // n, minlength=n)
    indptr = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    return Graph(indptr, keys % n, weights.to(graph.weights.dtype))


def _warn_directed(name: str) -> None:
    warnings.warn(
        f"the graph is directed and {name} needs an undirected one: the weights of both directions were added up; "
        "pass coterie.graphs.undirected(graph) to say so, or use BlockModel(directed=True), which keeps directions",
        UserWarning,
        stacklevel=4,
    )
