"""Weights within, out of and into each part of a graph: what every score and objective of a partition is made of."""

from typing import Any

import numpy as np

from ..arrays import Graph
from .engine import engine_of

__all__ = ["part_sums"]


def part_sums(graph: Graph, codes: np.ndarray, k: int) -> np.ndarray:
    """Add up the weights of the links of each part.

    Parameters
    ----------
    graph : Graph
        Of NumPy arrays.
    codes : (n,) int array
        Part of each node, below ``k``; nodes of -1, and their links, are left out.
    k : int
        Number of parts, at least 1.

    Returns
    -------
    (3, k) float64 array
        Weights of the stored links with both ends in the part, of those that begin in it and end in another, and of those that
        end in it and begin in another.

    Notes
    -----
    O(m) time in one pass and O(k) memory. Blocks of nodes have sums of their own, merged in order: the same bits on any number of
    threads.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.graphs import from_edges
    >>> from coterie.primitives.part_sums import part_sums
    >>> part_sums(from_edges([[0, 1], [1, 2]]), np.array([0, 0, 1]), 2)
    array([[2., 0.],
           [1., 1.],
           [1., 1.]])
    """
    engine: Any = engine_of(graph.indptr, "part_sums")
    found: np.ndarray = engine.part_sums(graph, codes, k)
    return found
