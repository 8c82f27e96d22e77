"""Partitions of a graph: halves grown from single nodes, and k parts refined: less cut, and none heavier than its limit."""

from typing import Any

from ..arrays import Graph
from .engine import engine_of

__all__ = ["grown_halves", "refine_parts"]


def refine_parts(
    graph: Graph, node_weights: Any, limits: Any, labels: Any, seed: int, *, rounds: int = 3, patience: int = 30
) -> int:
    """Move nodes between parts, uphill too, and keep the best state that was seen.

    On tensors all nodes that seem to gain move at once, whatever the parts then weigh, and nodes with least to lose move back.

    Parameters
    ----------
    graph : Graph
        Undirected, with int32 indices and int64 weights, no node linked to itself.
    node_weights : (n,) int64 array
    limits : (k,) int64 array
        Greatest weight of each part, k >= 2. What the parts weigh above their limits, in sum, never grows.
    labels : (n,) int32 array
        Changed in place.
    seed : int
    rounds : int
        In each, a node moves at most once; fewer if one changes nothing. On tensors not looked at.
    patience : int
        So many moves in a row may bring nothing better. On tensors not looked at: it is 12 rounds.

    Returns
    -------
    int
        By how much less is cut (negative where that was the price of the limits).

    References
    ----------
    Fiduccia, Mattheyses (1982). A linear-time heuristic for improving network partitions. DAC, 175-181. doi:10.1145/800263.809204
    Sanders, Schulz (2011). Engineering multilevel graph partitioning algorithms. ESA, 469-480. doi:10.1007/978-3-642-23719-5_40
    Gilbert, Madduri, Boman, Rajamanickam (2024). Jet: multilevel graph partitioning on graphics processing units. SIAM J. Sci.
    Comput. 46(5), B700-B724. doi:10.1137/23M1559129

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import Graph
    >>> from coterie.primitives.kway import refine_parts
    >>> path = Graph(np.array([0, 1, 3, 5, 6]), np.array([1, 0, 2, 1, 3, 2], np.int32), np.ones(6, np.int64))
    >>> labels = np.array([0, 1, 0, 1], np.int32)
    >>> refine_parts(path, np.ones(4, np.int64), np.array([3, 3]), labels, seed=0)
    2
    """
    return engine_of(graph.indices, "kway").refine_parts(graph, node_weights, limits, labels, seed, rounds, patience)


def grown_halves(
    graph: Graph,
    node_weights: Any,
    limits: Any,
    target: int,
    tries: int,
    seed: int,
    *,
    rounds: int = 4,
    patience: int = 30,
) -> Any:
    """Cut a graph in two.

    Each try starts with a random node and takes in the node with the most links inside beside those outside, until the first
    half is as heavy as it should be; `refine_parts` says how it is refined.

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
    rounds, patience : int
        As for `refine_parts`.

    Returns
    -------
    (n,) int32 array
        0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import Graph
    >>> from coterie.primitives.kway import grown_halves
    >>> path = Graph(np.array([0, 1, 3, 5, 6]), np.array([1, 0, 2, 1, 3, 2], np.int32), np.ones(6, np.int64))
    >>> halves = grown_halves(path, np.ones(4, np.int64), np.array([2, 2]), 2, 5, seed=0)
    >>> bool(halves[0] == halves[1] != halves[2])
    True
    """
    return engine_of(graph.indices, "kway").grown_halves(
        graph, node_weights, limits, target, tries, seed, rounds, patience
    )
