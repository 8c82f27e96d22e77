"""First halves of a small graph: grown from single nodes, refined, the best of many."""

from typing import Any

from ..arrays import Graph
from .engine import engine_of

__all__ = ["grown_halves"]


def grown_halves(graph: Graph, node_weights: Any, limits: Any, target: int, tries: int, seed: int) -> Any:
    """Cut a graph in two.

    Each try starts with a random node and takes in the node with the most links inside beside those outside, until the first
    half is as heavy as it should be; `coterie.primitives.kway.refine_parts` says how it is refined.

    Parameters
    ----------
    graph : Graph
        Undirected, with int32 indices and int64 weights, no node linked to itself. Cost: tries times its links.
    node_weights : (n,) int64 array
    limits : (2,) int64 array
        Greatest weight of each half; where no try keeps them, the one that fails them least is returned.
    target : int
        Weight that the first half should have.
    tries : int
    seed : int

    Returns
    -------
    (n,) int32 array
        0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import Graph
    >>> from coterie.primitives.bisect import grown_halves
    >>> path = Graph(np.array([0, 1, 3, 5, 6]), np.array([1, 0, 2, 1, 3, 2], np.int32), np.ones(6, np.int64))
    >>> halves = grown_halves(path, np.ones(4, np.int64), np.array([2, 2]), 2, 5, seed=0)
    >>> bool(halves[0] == halves[1] != halves[2])
    True
    """
    return engine_of(graph.indices, "bisect").grown_halves(graph, node_weights, limits, target, tries, seed)
