"""Communities of a graph: moving nodes, refining, merging them to a smaller graph. One objective serves modularity and CPM.

With inside_c the weight of the links within community c, each counted in both directions, and size_c the sum of the sizes of
its nodes, a partition is as good as

    sum over c of  inside_c - resolution * size_c^2.

Sizes that are degrees and a resolution of gamma / (sum of degrees) make it the modularity times the sum of degrees; any other
sizes, 1 for instance, make it twice the constant Potts model (CPM) but for a term that no move changes.
"""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import Graph
from ..errors import ResourceError
from .engine import engine_of
from .memory import free_bytes

__all__ = [
    "CommunityGraph",
    "Room",
    "community_graph",
    "connected_parts",
    "joined_nodes",
    "merged_graph",
    "moved_nodes",
    "partition_sums",
    "room_like",
    "sorted_graph",
    "well_connected_parts",
]


_BYTES_A_LINK, _BYTES_A_NODE = (
    40,
    120,
)  # at the peak: the compact and the sorted links, the merged ones and room for them


class CommunityGraph(NamedTuple):
    """A graph as these steps read it: both directions of every link, none from a node to itself."""

    indptr: Any  # (n + 1,) int64
    indices: Any  # (m,) int32, or int64 tensor
    weights: Any  # (m,) int32 where all are whole numbers, as their sum then is; else float64; (1,) where all are equal
    sizes: Any  # (n,) float64
    inner: float  # weight within the nodes, both directions
    unit: float  # what a weight of 1 in here is in the weights that were given: the weight that all have, or a power of two near their mean

    @property
    def n_nodes(self) -> int:
        """Return how many nodes there are."""
        return len(self.indptr) - 1


def community_graph(graph: Graph, sizes: Any = None) -> CommunityGraph:
    """Prepare an undirected graph for the steps of this module.

    Parameters
    ----------
    graph : Graph
        Every link in the rows of both its ends; not modified.
    sizes : (n,) float64 array, optional
        What each node counts; by default its degree.

    Returns
    -------
    CommunityGraph
        Cost: a few passes over the links, and for each 4 bytes, unless nodes are numbered in 4 bytes already: then that memory is
        shared. Where weights differ, 4 bytes more, or 8 where they are not whole numbers.

    Raises
    ------
    ResourceError
        If the steps of this module would need more memory than is free; nothing is allocated then.

    Examples
    --------
    >>> from coterie.graphs import from_edges
    >>> from coterie.primitives.communities import community_graph
    >>> community_graph(from_edges([[0, 1], [1, 1]])).sizes
    array([1., 3.])
    """
    needed = _BYTES_A_LINK * len(graph.indices) + _BYTES_A_NODE * graph.n_nodes
    if needed > free_bytes():
        raise ResourceError(
            f"communities of {graph.n_nodes} nodes and {len(graph.indices)} stored links need about {needed / 2**30:.1f} GiB, "
            f"but {free_bytes() / 2**30:.1f} GiB are free; drop light links, or divide the graph into components first"
        )
    return engine_of(graph.indptr, "communities").community_graph(graph, sizes)


class Room(NamedTuple):
    """Memory for the links of a graph."""

    indices: np.ndarray
    weights: np.ndarray


def room_like(graph: CommunityGraph, spare: list[np.ndarray] | None = None) -> Room | None:
    """Return memory for the links of any graph that is made of this one.

    Parameters
    ----------
    graph : CommunityGraph
    spare : list of int32 arrays, optional
        Memory that nobody needs any longer; what is large enough is taken out of the list and used. New memory costs more than
        the work that is done there, since the system fills it with zeros, page by page when a page is first written to.

    Returns
    -------
    Room or None
        None for tensors, whose library keeps memory itself.
    """
    return engine_of(graph.indptr, "communities").room_like(graph, spare)


def sorted_graph(graph: CommunityGraph, labels: Any, room: Room | None = None) -> tuple[CommunityGraph, Any]:
    """Number the nodes anew, community by community, so that what is read together lies together.

    Parameters
    ----------
    graph : CommunityGraph
    labels : (n,) int32 array, or int64 tensor
        Numbers below n.
    room : Room, optional
        Memory for the links, as for `merged_graph`.

    Returns
    -------
    graph : CommunityGraph
        The same links.
    order : (n,) array
        The former number of each node.
    """
    return engine_of(graph.indptr, "communities").sorted_graph(graph, labels, room)


def joined_nodes(graph: CommunityGraph, resolution: float, seed: int) -> Any:
    """Join single nodes to communities, but leave off where that becomes slow: a beginning, not yet good.

    Where all links weigh about the same, little tells a node which neighbour to join, and many rounds hardly change the number
    of communities. Merged to nodes of a smaller graph, they see farther.

    Parameters
    ----------
    graph : CommunityGraph
    resolution : float
    seed : int

    Returns
    -------
    (n,) int32 array, or int64 tensor
        Numbers below n.
    """
    return engine_of(graph.indptr, "communities").joined_nodes(graph, float(resolution), int(seed))


def moved_nodes(graph: CommunityGraph, labels: Any, resolution: float, seed: int) -> Any:
    """Move single nodes to the communities of their neighbours for as long as that makes the partition better.

    Parameters
    ----------
    graph : CommunityGraph
    labels : (n,) int32 array, or int64 tensor
        The partition to begin with: numbers below n. Not modified.
    resolution : float
        Of the objective above.
    seed : int
        Decides in which order nodes are looked at; the number of threads does not matter.

    Returns
    -------
    (n,) array
        Of the same kind, numbers below n. A node is looked at again when a neighbour has moved away from it, until none waits;
        where nothing moves in a further call, no node alone can better the objective. Cost: a few passes over the links.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.graphs import from_edges
    >>> from coterie.primitives.communities import community_graph, moved_nodes
    >>> two_triangles = community_graph(from_edges([[0, 1], [0, 2], [1, 2], [3, 4], [3, 5], [4, 5], [2, 3]]))
    >>> labels = moved_nodes(two_triangles, np.arange(6, dtype=np.int32), 1 / 14, 0)
    >>> bool(labels[0] == labels[1] == labels[2] != labels[3])
    True
    """
    return engine_of(graph.indptr, "communities").moved_nodes(graph, labels, float(resolution), int(seed))


def well_connected_parts(graph: CommunityGraph, labels: Any, resolution: float, seed: int) -> Any:
    """Divide each community into parts that are well connected: the refinement of Traag, Waltman and van Eck (2019).

    Within each community the nodes begin alone. A node that is well connected to the rest of its community, and still alone,
    joins the well connected part of it that makes the partition best, if that is better than to stay alone. Of parts whose
    gains differ by less than a hundredth of a mean link, one is drawn (the paper's theta, 0.01).

    Parameters
    ----------
    graph : CommunityGraph
    labels : (n,) int32 array, or int64 tensor
        Numbers below n.
    resolution : float
    seed : int
        Decides the order of the nodes within a community.

    Returns
    -------
    (n,) array
        Of the same kind: 0, 1, ... by the lowest node. Every part is connected and lies in one community.
    """
    return engine_of(graph.indptr, "communities").well_connected_parts(graph, labels, float(resolution), int(seed))


def connected_parts(graph: CommunityGraph, labels: Any) -> Any:
    """Divide each community into its connected components; that makes no partition worse.

    Parameters
    ----------
    graph : CommunityGraph
    labels : (n,) int32 array, or int64 tensor
        Numbers below n.

    Returns
    -------
    (n,) array
        Of the same kind: 0, 1, ... by the lowest node.
    """
    return engine_of(graph.indptr, "communities").connected_parts(graph, labels)


def merged_graph(graph: CommunityGraph, labels: Any, room: Room | None = None) -> CommunityGraph:
    """Return the graph whose nodes are the communities.

    Parameters
    ----------
    graph : CommunityGraph
    labels : (n,) int32 array, or int64 tensor
        0, 1, ... k - 1, none of them without a node.
    room : Room, optional
        Memory for the links, of `room_like`; not that of ``graph``. The next graph that is given the same writes over this one.

    Returns
    -------
    CommunityGraph
        Of k nodes; columns in no particular order, but the same whatever the number of threads. Where hardly any links join
        the same two communities, such links are not added up: a column may then be there several times.
    """
    return engine_of(graph.indptr, "communities").merged_graph(graph, labels, room)


def partition_sums(graph: CommunityGraph, labels: Any) -> tuple[float, np.ndarray]:
    """Return what every measure of a partition is made of.

    Parameters
    ----------
    graph : CommunityGraph
    labels : (n,) int32 array, or int64 tensor
        0, 1, ... k - 1.

    Returns
    -------
    inside : float
        Weight of the links within communities, both directions, in the graph's own unit.
    sizes : (k,) float64 array
        Of the communities.
    """
    return engine_of(graph.indptr, "communities").partition_sums(graph, labels)
