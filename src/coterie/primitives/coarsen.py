"""Coarsening: nodes that belong together become one, as long as it is not too heavy, and the graph of those stands for the first.

A cut of the small graph is a cut of the large one with the same weight: what a partitioner settles on few nodes it need only
improve on many. Cost: one pass over the edges for the clusters, and one for their graph.
"""

from typing import Any

from ..arrays import Graph
from .engine import engine_of

__all__ = ["contract", "size_capped_clusters"]


def size_capped_clusters(
    graph: Graph, node_weights: Any, cap: int, seed: int, *, fewest: int = 1, within: Any = None
) -> tuple[Any, int]:
    """Group nodes with the neighbours that they have most in common with.

    Nodes come in random order; one that is alone joins the cluster C with the highest w(v, C)^2 / c(C) that has room, where w
    is the weight of its links to C and c a sum of node weights (expansion*2). Nodes that stay alone join others that
    would have joined the same cluster, and isolated ones each other. On tensors the nodes decide at the same time, and clusters are
    pairs: rounds in which two that are each other's best free neighbour are united.

    Parameters
    ----------
    graph : Graph
        Undirected, with int32 indices and int64 weights; links of a node to itself are not looked at.
    node_weights : (n,) int64 array
    cap : int
        No union is heavier; a node that is heavier stays alone.
    seed : int
        Decides the order and ties.
    fewest : int
        Stop when so few clusters are left.
    within : (n,) int32 array, optional
        Only nodes with the same number may be united.

    Returns
    -------
    clusters : (n,) int32 array
        The cluster of each node, numbered from 0.
    n_clusters : int

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import Graph
    >>> from coterie.primitives.coarsen import size_capped_clusters
    >>> path = Graph(np.array([0, 1, 3, 4]), np.array([1, 0, 2, 1], np.int32), np.array([9, 9, 1, 1]))
    >>> size_capped_clusters(path, np.ones(3, np.int64), 2, seed=0, fewest=2)
    (array([0, 0, 1], dtype=int32), 2)
    """
    return engine_of(graph.indices, "coarsen").size_capped_clusters(graph, node_weights, cap, seed, fewest, within)


def contract(graph: Graph, node_weights: Any, clusters: Any, n_clusters: int) -> tuple[Graph, Any]:
    """Return the graph whose nodes are the clusters of another's, and what they weigh.

    Parameters
    ----------
    graph : Graph
        As for `size_capped_clusters`.
    node_weights : (n,) int64 array
    clusters : (n,) int32 array
    n_clusters : int

    Returns
    -------
    graph : Graph
        Links between two clusters are one, with the sum of their weights; those inside a cluster are gone. The columns of a row
        are in no order.
    node_weights : (n_clusters,) int64 array

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import Graph
    >>> from coterie.primitives.coarsen import contract
    >>> path = Graph(np.array([0, 1, 3, 4]), np.array([1, 0, 2, 1], np.int32), np.array([9, 9, 1, 1]))
    >>> coarse, weights = contract(path, np.ones(3, np.int64), np.array([0, 0, 1], np.int32), 2)
    >>> coarse.weights, weights
    (array([1, 1]), array([2, 1]))
    """
    return engine_of(graph.indices, "coarsen").contract(graph, node_weights, clusters, n_clusters)
