"""Is the matrix of a graph symmetric? One pass over the links, without turning the matrix round."""

from typing import Any

from ..arrays import Graph
from .engine import engine_of

__all__ = ["is_symmetric"]


def is_symmetric(graph: Graph) -> bool:
    """Say whether each link leads both ways with the same weight.

    Parameters
    ----------
    graph : Graph
        Any engine; no link listed twice.

    Returns
    -------
    bool

    Notes
    -----
    On the CPU, the links and the links turned round are compared as sets by the sums of a 64-bit hash of row, column and
    weight. A matrix that is not symmetric passes with a probability near 2^-64. O(m) time, no memory; the same answer on any
    number of threads, since whole numbers that wrap around add up to the same in any order.

    Examples
    --------
    >>> from coterie.graphs import from_edges
    >>> from coterie.primitives.symmetry import is_symmetric
    >>> is_symmetric(from_edges([[0, 1]])), is_symmetric(from_edges([[0, 1]], directed=True))
    (True, False)
    """
    engine: Any = engine_of(graph.indptr, "symmetry")
    return bool(engine.is_symmetric(graph))
