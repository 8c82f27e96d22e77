"""How much links which class to which: the sums of a graph's weights by the classes of their ends.

Stored entries are added up as they stand. In an undirected graph every link between two classes is so counted once for each
of its directions, and the diagonal holds twice the weight inside a class. Nodes labelled -1, and their links, are left out.
Cost: one pass over the stored links; memory k^2.
"""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import Graph, to_numpy
from ..errors import InputError, ResourceError
from .engine import engine_of
from .memory import free_bytes

__all__ = ["BlockCounts", "BlockSpread", "block_counts", "block_spread", "merge_block_counts"]


class BlockCounts(NamedTuple):
    """Sums over the links from class r to class s, on the host."""

    weights: np.ndarray  # (k, k) float64: sum of the weights
    links: np.ndarray  # (k, k) int64: how many entries are stored
    sizes: np.ndarray  # (k,) int64: nodes of each class


class BlockSpread(NamedTuple):
    """How unevenly the nodes of class r link to class s, on the host; x is what one node links to the class."""

    squares: np.ndarray  # (k, k) float64: sum of x^2
    products: np.ndarray  # (k, k) float64: sum of x times the node's total
    totals2: np.ndarray  # (k,) float64: sum of the squared totals
    weights2: float  # sum of the squared weights


def block_counts(graph: Graph, labels: Any, n_blocks: int | None = None) -> BlockCounts:
    """Add up the links between classes.

    Parameters
    ----------
    graph : Graph
        Any engine, directed or not.
    labels : (n,) int array or tensor
        Class of each node from 0; -1 for none.
    n_blocks : int, optional
        How many classes there are; by default one more than the largest label.

    Returns
    -------
    BlockCounts
        The same bits on any number of threads.

    Raises
    ------
    ResourceError
        If the k^2 sums need more memory than is free.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.graphs import from_edges
    >>> from coterie.primitives.block_counts import block_counts
    >>> block_counts(from_edges([[0, 1], [1, 2]]), np.array([0, 0, 1])).weights
    array([[2., 1.],
           [1., 0.]])
    """
    labels, k = _checked(graph, labels, n_blocks)
    found = engine_of(graph.indptr, "block_counts").block_counts(graph, labels, k)
    return BlockCounts(*map(to_numpy, found))


def merge_block_counts(a: BlockCounts, b: BlockCounts) -> BlockCounts:
    """Return the sums over two sets of links between the same labelled nodes."""
    if not np.array_equal(a.sizes, b.sizes):
        raise InputError("only sums over links between the same labelled nodes can be merged")
    return BlockCounts(a.weights + b.weights, a.links + b.links, a.sizes)


def block_spread(graph: Graph, labels: Any, n_blocks: int | None = None) -> BlockSpread:
    """Add up the squares of what each node links to each class.

    Parameters
    ----------
    graph : Graph
        Any engine; weights whose squares can be added up.
    labels : (n,) int array or tensor
        Class of each node from 0; -1 for none.
    n_blocks : int, optional
        By default one more than the largest label.

    Returns
    -------
    BlockSpread
        A node's total is what it links to all labelled nodes.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.graphs import from_edges
    >>> from coterie.primitives.block_counts import block_spread
    >>> block_spread(from_edges([[0, 1], [1, 2]]), np.array([0, 0, 1])).totals2
    array([5., 1.])
    """
    labels, k = _checked(graph, labels, n_blocks)
    squares, products, totals2, weights2 = engine_of(graph.indptr, "block_counts").block_spread(graph, labels, k)
    return BlockSpread(to_numpy(squares), to_numpy(products), to_numpy(totals2), float(weights2))


def _checked(graph: Graph, labels: Any, n_blocks: int | None) -> tuple[Any, int]:
    if len(labels) != graph.n_nodes:
        raise InputError(f"labels must have one entry for each of the {graph.n_nodes} nodes, got {len(labels)}")
    largest = int(labels.max()) if len(labels) else -1
    k = largest + 1 if n_blocks is None else n_blocks
    if largest >= k or int(labels.min()) < -1:
        raise InputError(f"labels must be whole numbers from 0 to {k - 1}, or -1 for nodes of no class")
    needed, free = 48 * k * k, free_bytes()
    if needed > free:
        raise ResourceError(
            f"the sums between {k} classes need {needed / 2**30:.2f} GiB, but {free / 2**30:.2f} GiB are free; use fewer classes"
        )
    return labels, k
