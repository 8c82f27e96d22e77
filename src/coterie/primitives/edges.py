"""Graphs whose edges lie in blocks: what is known of them after one look, the links themselves, and what nodes have to do with groups.

All sums are of whole multiples of one unit, so that they are the same bits for any order of blocks and any number of workers.
"""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import Graph
from .blocks import block_rows
from .engine import engine_of

__all__ = ["EdgeBlocks", "edge_blocks", "group_graph", "inner_weight", "links_of_nodes", "n_group_links", "n_parts", "node_degrees", "room", "whole_graph"]  # fmt: skip


class EdgeBlocks(NamedTuple):
    """Undirected edges in blocks of two or three columns, looked at once."""

    rows: Any  # BlockRows: source, target and perhaps weight
    n_nodes: int
    sizes: np.ndarray  # (blocks,) int64: links that differ in each block
    n_links: int  # links that differ, of all blocks; estimated to a few per cent, and not too low, where there are many
    unit: float  # weights are whole multiples of it, or as far as sums of groups go rounded to such
    exact: bool  # whether they were before; then sums of weights are exact in any order
    total: float  # weight of all edges
    dtype: np.dtype  # of the weights: float32 or float64


def edge_blocks(X: Any, n_nodes: int | None = None) -> EdgeBlocks:
    """Look at edges in blocks once.

    Parameters
    ----------
    X : Dask array (m, 2) or (m, 3), Dask frame, or RowFiles
        Two node numbers from 0, and perhaps a weight; each an undirected edge.
    n_nodes : int, optional
        By default one more than the largest number.

    Returns
    -------
    EdgeBlocks

    Raises
    ------
    InputError
        If there are more or fewer columns, or a node number or a weight is unfit, as for `coterie.graphs.from_edges`.
    ResourceError
        If the largest number asks for very many more nodes than the edges have ends, as identifiers do.
    ClusterError
        If the workers are lost.
    """
    rows = block_rows(X)
    return _engine(rows).edge_blocks(rows, n_nodes, _weight_type(X))


def room(edges: EdgeBlocks) -> float:
    """Return how many bytes this process may take."""
    return _engine(edges.rows).room()


def whole_graph(edges: EdgeBlocks) -> Graph:
    """Return the graph of all edges, the same to the last bit as `coterie.graphs.from_edges` makes of them.

    Parameters
    ----------
    edges : EdgeBlocks

    Returns
    -------
    Graph
        Where weights are whole multiples of one unit, it is the same for any order of blocks.
    """
    return _engine(edges.rows).whole_graph(edges)


def group_graph(edges: EdgeBlocks, groups: np.ndarray, n_groups: int) -> Graph:
    """Return the graph whose nodes are groups of nodes; links within a group are on its diagonal, in both directions.

    Parameters
    ----------
    edges : EdgeBlocks
    groups : (n_nodes,) int array
        The group of each node, numbered from 0.
    n_groups : int

    Returns
    -------
    Graph
    """
    return _engine(edges.rows).group_graph(edges, groups, n_groups)


def n_group_links(edges: EdgeBlocks, groups: np.ndarray) -> int:
    """Return how many pairs of groups are linked, as `EdgeBlocks.n_links` counts."""
    return _engine(edges.rows).n_group_links(edges, groups)


def n_parts(edges: EdgeBlocks) -> int:
    """Return into how many parts nodes must be divided for `links_of_nodes`, so that there is room for what it gives."""
    return _engine(edges.rows).n_parts(edges)


def node_degrees(edges: EdgeBlocks) -> np.ndarray:
    """Return the weight of the links of each node, those to itself twice: (n_nodes,) float64."""
    return _engine(edges.rows).node_degrees(edges)


def inner_weight(edges: EdgeBlocks, labels: np.ndarray) -> float:
    """Return the weight of the edges whose ends have the same label, each counted once."""
    return _engine(edges.rows).inner_weight(edges, labels)


def links_of_nodes(
    edges: EdgeBlocks, groups: np.ndarray, labels: np.ndarray, part: int, n_parts: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what groups of nodes have to do with labels, for one part of the groups.

    Parameters
    ----------
    edges : EdgeBlocks
    groups : (n_nodes,) int array
        The group of each node.
    labels : (groups,) int array
        The label of each group.
    part, n_parts : int
        Groups are divided by a hash of their numbers.

    Returns
    -------
    groups, labels : (p,) int64 arrays
        Pairs, ascending.
    weights : (p,) float64 array
        Of the links from the group to other groups of that label.
    """
    return _engine(edges.rows).links_of_nodes(edges, groups, labels, part, n_parts)


def _engine(rows: Any) -> Any:
    return engine_of(rows, "edges")


def _weight_type(X: Any) -> np.dtype:
    """Return the type of the weights: of the third column, of which a frame keeps its own; float64 where there is none."""
    single = len(X.columns) == 3 and X.dtypes.iloc[2] == np.float32 if hasattr(X, "columns") else X.dtype == np.float32
    return np.dtype(np.float32 if single and X.shape[1] == 3 else np.float64)
