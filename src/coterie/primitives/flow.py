"""Minimum cuts between two parts of a graph at a time, through the nodes near their border."""

from typing import Any

from ..arrays import Graph
from .engine import engine_of

__all__ = ["cut_between"]


def cut_between(
    graph: Graph,
    node_weights: Any,
    limits: Any,
    labels: Any,
    seed: int,
    *,
    rounds: int = 2,
    widest: int = 4,
    most_nodes: int = 1 << 14,
) -> int:
    """Replace the border of two parts by the cheapest one that runs near it, for every pair of parts.

    Parameters
    ----------
    graph : Graph
        Undirected, with int32 indices and int64 weights, no node linked to itself.
    node_weights : (n,) int64 array
    limits : (k,) int64 array
        Greatest weight of each part; parts above it are left alone, and none gets there.
    labels : (n,) int32 array
        Changed in place.
    seed : int
        Decides the order of the pairs.
    rounds : int
        At most; fewer if one changes nothing.
    widest : int
        Nodes are collected on each side up to so many times what the other part has room for; where the cheapest border then
        has no room, half as many.
    most_nodes : int
        Most nodes collected.

    Returns
    -------
    int
        By how much less is cut.

    References
    ----------
    Sanders, Schulz (2011). Engineering multilevel graph partitioning algorithms. ESA, 469-480. doi:10.1007/978-3-642-23719-5_40

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import Graph
    >>> from coterie.primitives.flow import cut_between
    >>> links = Graph(np.array([0, 1, 3, 5, 6]), np.array([1, 0, 2, 1, 3, 2], np.int32), np.array([1, 1, 9, 9, 1, 1]))
    >>> labels = np.array([0, 0, 1, 1], np.int32)
    >>> cut_between(links, np.ones(4, np.int64), np.array([3, 3]), labels, seed=0)
    8
    """
    return engine_of(graph.indices, "flow").cut_between(
        graph, node_weights, limits, labels, seed, rounds, widest, most_nodes
    )
