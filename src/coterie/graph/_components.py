"""Connected components of anything that stands for a graph, in memory or in blocks."""

from typing import Any

from ..arrays import like_input
from ..graphs import as_graph
from ..primitives import components
from ..primitives.blocks import in_blocks
from ..primitives.edges import edge_blocks

__all__ = ["connected_components"]


def connected_components(graph: Any, n_nodes: int | None = None) -> Any:
    """Name the connected component of each node; links join their ends whichever way they point.

    Parameters
    ----------
    graph : graph
        Whatever `coterie.graphs.as_graph` takes; or edges in blocks of two or three columns: a Dask array or frame, or
        `coterie.tables.RowFiles`.
    n_nodes : int, optional
        How many nodes an array of edges, or edges in blocks, have; by default one more than the largest number.

    Returns
    -------
    (n_nodes,) int64 array
        Numbered from 0 by the first node of each component; a tensor where the graph is one. Cost: near linear in the edges. Edges
        in blocks are read three times; each block leaves a spanning forest of at most n_nodes - 1 edges, and these are joined, first
        on the workers: the components are those of the graph in memory.

    Raises
    ------
    InputError
        If it is no graph.
    ResourceError
        If there is no room for forests of so many nodes.

    Examples
    --------
    >>> from coterie.graph import connected_components
    >>> connected_components([[0, 4], [2, 1], [4, 5]])
    array([0, 1, 1, 2, 0, 0])
    """
    if in_blocks(graph):
        return components.connected_components(edge_blocks(graph, n_nodes))
    found = as_graph(graph, n_nodes)
    labels = components.connected_components(found)
    return like_input(labels, found.indptr)
