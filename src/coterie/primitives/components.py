"""Connected components of a graph, and sets numbered by first appearance."""

from typing import Any

import numpy as np

from ..arrays import Graph, is_tensor, like_input
from .edges import EdgeBlocks
from .engine import engine_of

__all__ = ["components_within", "connected_components", "number_sets"]


def connected_components(graph: Graph | EdgeBlocks) -> Any:
    """Name the component of each node; an edge joins its ends whichever way it points.

    Parameters
    ----------
    graph : Graph or EdgeBlocks
        Weights are not looked at; an edge may be stored once or in both directions.

    Returns
    -------
    (n_nodes,) int64 array
        Numbered from 0 by the first node of each component. Cost: near linear in the edges.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import Graph
    >>> from coterie.primitives.components import connected_components
    >>> connected_components(Graph(np.array([0, 0, 1, 1]), np.array([2]), np.array([1.0])))
    array([0, 1, 1])
    """
    owner = graph.rows if isinstance(graph, EdgeBlocks) else graph.indices
    return engine_of(owner, "components").connected_components(graph)


def components_within(edges: EdgeBlocks, labels: np.ndarray) -> np.ndarray:
    """Name the connected components of the graph without the edges between nodes of different labels.

    Parameters
    ----------
    edges : EdgeBlocks
    labels : (n_nodes,) int array

    Returns
    -------
    (n_nodes,) int64 array
        Numbered from 0 by the first node of each.
    """
    return engine_of(edges.rows, "components").components_within(edges, labels)


def number_sets(sets: Any) -> Any:
    """Number sets from 0 by their first appearance in the rows.

    Parameters
    ----------
    sets : (n,) int64 array or tensor
        Any number of at least 0 that the rows of one set share; negative for rows in none.

    Returns
    -------
    (n,) int64 array
        -1 for rows in no set.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.components import number_sets
    >>> number_sets(np.array([-1, 7, 2, 7]))
    array([-1,  0,  1,  0])
    """
    # One sequential pass over n numbers: not worth a second engine.
    host = sets.cpu().numpy() if is_tensor(sets) else sets
    return like_input(engine_of(host, "components").number_sets(host), sets)
