"""What Leiden and Louvain share: the levels of one iteration, the objectives, and the estimator around them."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from ..arrays import Graph, is_tensor, like_input, to_numpy
from ..base import Interval, StrOptions
from ..errors import InputError
from ..primitives.communities import (
    CommunityGraph,
    Room,
    community_graph,
    connected_parts,
    joined_nodes,
    merged_graph,
    moved_nodes,
    partition_sums,
    room_like,
    sorted_graph,
)
from ..primitives.components import number_sets
from ..primitives.laplacian import narrowed
from ._base import GraphClusterer

__all__ = ["CommunityClusterer", "Parts", "best_partition", "improved"]

_LARGEST = (
    1e200  # of a resolution: its products with sizes stay finite, and it forbids all company as well as any larger one
)
_FEW_LINKS = 1 << 20  # both directions: ten iterations take half a second
_REST = 1 / 3  # of the links: where no more are left between communities, haste ends
_STABLE = 1e-5  # an iteration that gains a smaller share of the objective is the last

Rooms = tuple[Room | None, Room | None]
"""The graph of a level is made of that of the level before only, so two rooms serve all levels in turns."""

Parts = Callable[[CommunityGraph, Any, int], Any]
"""Divides the communities of a graph into the nodes of the next level; the last argument is a seed."""


class Partition(NamedTuple):
    """Communities, and how they came about."""

    levels: list[Any]
    """list of (n,) arrays: the nodes of each level, finest first, then the communities; each 0, 1, ... by the lowest node."""
    value: float
    """The objective."""
    inside: float
    """The weight of all links within communities, in both directions, in the graph's own unit."""
    settled: bool = False
    """Whether, in a large graph, merged nodes all stayed where they were: single nodes, which had come to rest before, would too."""


def best_partition(
    graph: CommunityGraph,
    resolution: float,
    parts_of: Parts,
    n_iterations: int | None,
    rng: Any,
    spare: list[np.ndarray] | None = None,
) -> Partition:
    """Make the partition of single nodes better until an iteration gains nothing worth another.

    Parameters
    ----------
    graph : CommunityGraph
    resolution : float
        Of the objective of `coterie.primitives.communities`.
    parts_of : callable
    n_iterations : int or None
        At most so many.
    rng : RandomState
    spare : list of int32 arrays, optional
        Memory that nobody needs any longer, for the graphs of the levels.

    Returns
    -------
    Partition
        The best that was met; its levels are of int64.
    """
    rooms = room_like(graph, spare), room_like(graph, spare)
    labels, reached = rough_partition(graph, resolution, rng, rooms)
    order = labels
    if len(graph.indices) > _FEW_LINKS:
        graph, order = sorted_graph(graph, labels, rooms[0])
        labels = labels[order]
        rooms = rooms[1], room_like(graph, spare)  # the next level is the largest: in memory that has been written to
    best, done, enough = Partition([labels], reached, 0.0), 0, None
    while n_iterations is None or done < n_iterations:
        found = improved(graph, labels, resolution, parts_of, rng, rooms, enough)
        if found is None:
            break
        if found.value > reached or not done:  # what was found in haste need not be connected
            best, labels = found, found.levels[-1]
        slack = _STABLE * found.inside
        if found.value <= reached + slack or found.settled:
            break
        reached, done = found.value, done + 1
        enough = reached + slack if len(graph.indices) > _FEW_LINKS else None
    return best._replace(levels=[_in_first_order(level, order) for level in best.levels])


def rough_partition(graph: CommunityGraph, resolution: float, rng: Any, rooms: Rooms) -> tuple[Any, float]:
    """Find where to begin: every node alone in a small graph; in a large one, nodes joined level by level, in haste.

    That ends when a third of the links is left: communities that were joined in haste up to the last would be hard to part again.

    Parameters
    ----------
    graph : CommunityGraph
    resolution : float
    rng : RandomState
    rooms : pair of Room
        Memory for the graphs of the levels, in turns.

    Returns
    -------
    labels : (n,) array
        Numbers below n.
    value : float
        The objective.
    """
    levels: list[Any] = []
    few = len(graph.indices) * (_REST if len(graph.indices) > _FEW_LINKS else 1)
    while len(graph.indices) > few:
        labels = joined_nodes(graph, resolution, _seed(rng))
        labels = _number(labels)
        n_joined = int(labels.max()) + 1
        if n_joined == graph.n_nodes:
            break
        graph = merged_graph(graph, labels, rooms[len(levels) % 2])
        levels.append(labels if not levels else labels[levels[-1]])
    value = graph.inner - resolution * float((graph.sizes**2).sum())
    return levels[-1] if levels else _each_alone(graph), value


def improved(
    graph: CommunityGraph,
    labels: Any,
    resolution: float,
    parts_of: Parts,
    rng: Any,
    rooms: Rooms,
    enough: float | None = None,
) -> Partition | None:
    """Make a partition better, level by level: move nodes, merge parts of communities to nodes, and again.

    In a large graph, where the nodes of a merged level all stay, the next has the communities as nodes: larger parts hardly move.

    Parameters
    ----------
    graph : CommunityGraph
    labels : (n,) array
        The partition to begin with.
    resolution : float
    parts_of : callable
        Which nodes become one node of the next level: `well_connected_parts` or `connected_parts`.
    rng : RandomState
        Decides in which order nodes are looked at.
    rooms : pair of Room
        Memory for the graphs of the levels, in turns.
    enough : float or None
        Give up where moving single nodes does not come above this value of the objective: then neither will parts by much.

    Returns
    -------
    Partition or None
        Every community is connected.
    """
    levels: list[Any] = []
    large = settled = len(graph.indices) > _FEW_LINKS
    while True:
        before, labels = labels, moved_nodes(graph, labels, resolution, _seed(rng))
        if enough is not None and not levels and _worth(graph, labels, resolution)[0] <= enough:
            return None
        all_stay = large and bool(levels) and bool((labels == before).all())
        settled = settled and (all_stay or not levels)
        parts = connected_parts(graph, labels) if all_stay else parts_of(graph, labels, _seed(rng))
        n_parts = int(parts.max()) + 1
        if n_parts == graph.n_nodes:
            break
        graph, labels = merged_graph(graph, parts, rooms[len(levels) % 2]), _of_parts(labels, parts, n_parts)
        levels.append(parts if not levels else parts[levels[-1]])
    whole = connected_parts(graph, labels)
    if not levels:
        levels = [whole]
    elif int(whole.max()) + 1 < graph.n_nodes:
        levels.append(whole[levels[-1]])
    settled = all_stay and settled and int(whole.max()) == int(labels.max())  # nor is a community to be divided
    return Partition(levels, *_worth(graph, whole, resolution), settled)


def _worth(graph: CommunityGraph, labels: Any, resolution: float) -> tuple[float, float]:
    """Return the objective of a partition, and the weight of all links within its communities."""
    inside, sizes = partition_sums(graph, labels)
    return inside - resolution * float((sizes**2).sum()), inside


def _each_alone(graph: CommunityGraph) -> Any:
    numbers = np.arange(graph.n_nodes, dtype=np.int64 if is_tensor(graph.indptr) else np.int32)
    return like_input(numbers, graph.indptr)


def _seed(rng: Any) -> int:
    return int(rng.randint(2**31 - 1))


def _of_parts(labels: Any, parts: Any, n_parts: int) -> Any:
    """Return the community of each part, numbered below the number of parts."""
    found = labels[:n_parts] * 0
    found[parts] = labels
    return _number(found)


def _number(labels: Any) -> Any:
    """Number communities from 0 by first appearance, as the same kind of array."""
    if is_tensor(labels):
        return number_sets(labels)
    return number_sets(labels.astype(np.int64)).astype(np.int32)


def _in_first_order(labels: Any, order: Any) -> Any:
    """Undo a sorting of nodes; return int64 labels numbered by first appearance."""
    found = labels * 0
    found[order] = labels
    return number_sets(found if is_tensor(found) else found.astype(np.int64))


class CommunityClusterer(GraphClusterer):
    """Base of the estimators that look for communities."""

    _parameter_constraints: ClassVar[dict] = {
        "resolution": [Interval(Real, 0.0, None, closed="left")],
        "objective": [StrOptions({"modularity", "cpm"})],
        "n_iterations": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"}), None],
        "random_state": ["random_state"],
        "device": [str],
    }

    def __init__(
        self,
        resolution: float = 1.0,
        *,
        objective: str = "modularity",
        n_iterations: int | str | None = "auto",
        random_state: Any = None,
        device: str = "cpu",
    ) -> None:
        self.resolution = resolution
        self.objective = objective
        self.n_iterations = n_iterations
        self.random_state = random_state
        self.device = device

    def _partition(self, *given: Any) -> Partition:
        """Find the communities; what is given are the arguments of `leiden` and `louvain`."""
        raise NotImplementedError

    def fit(self, graph: Any, y: Any = None, *, node_weights: Any = None, n_nodes: int | None = None) -> Any:
        """Find the communities.

        Parameters
        ----------
        graph : graph
            Whatever `coterie.graphs.as_graph` takes; a directed one is made undirected with a warning. Or undirected edges in blocks:
            a Dask array or frame, or `coterie.tables.RowFiles`, of two or three columns.
        y : ignored
            Present by convention.
        node_weights : (n,) array, optional
            For "cpm", the size of each node, at least 0. Default: 1. For modularity, the degrees are the sizes.
        n_nodes : int, optional
            How many nodes an array of edges has, or edges in blocks.

        Returns
        -------
        estimator
            This one.
        """
        self._validate_params()
        graph = self._looked_at(graph, n_nodes)
        if self._too_large(graph):
            from ._coarsened_fits import communities_of_groups

            return communities_of_groups(self, graph, self._node_sizes(node_weights, graph.n_nodes))
        given = self._graph_in(graph, n_nodes)
        wide, given = given, given if is_tensor(given.indices) else narrowed(given)
        weights = self._node_sizes(node_weights, given.n_nodes)
        degrees = community_graph(given)
        sizes = degrees if self.objective == "modularity" else community_graph(given, weights)
        n_iterations, rng = self._at_most(len(given.indices)), check_random_state(self.random_state)
        spare = self._keep_narrow(wide, given, degrees)
        found = self._partition(sizes, self._per_size(degrees), n_iterations, rng, spare)
        self._describe(degrees, weights, found)
        self.hierarchy_ = tuple(like_input(level, self._graph.indices) for level in found.levels)
        self.labels_ = self.hierarchy_[-1]
        self.n_clusters_ = int(found.levels[-1].max()) + 1
        self.coarsened_: int | None = None
        return self

    def _keep_narrow(self, wide: Graph, narrow: Graph, degrees: CommunityGraph) -> list[np.ndarray]:
        """Keep the fitted graph in numbers of 4 bytes where they say the same, and return the memory that this leaves."""
        if is_tensor(wide.indices) or wide.indices is not self._graph.indices:
            return []
        weights = wide.weights
        if len(degrees.weights) == 1:
            weights = np.broadcast_to(weights[:1].copy(), weights.shape)
        elif degrees.weights.dtype == np.int32 and degrees.unit == 1 and len(degrees.weights) == len(weights):
            weights = degrees.weights
        self._graph = narrow._replace(weights=weights)
        left = [part for part, kept in ((wide.indices, narrow.indices), (wide.weights, weights)) if part is not kept]
        return [half for part in left if part.dtype.itemsize == 8 for half in np.split(part.view(np.int32), 2)]

    def _at_most(self, n_stored: int) -> int | None:
        if isinstance(self.n_iterations, str):
            return 10 if n_stored <= _FEW_LINKS else 2
        return self.n_iterations

    def _node_sizes(self, node_weights: Any, n: int) -> np.ndarray:
        if node_weights is None:
            return np.ones(n)
        if self.objective == "modularity":
            raise InputError(
                "node_weights are the sizes of the nodes for objective='cpm'; modularity takes their degrees, so leave them out"
            )
        sizes = np.ascontiguousarray(to_numpy(node_weights), dtype=np.float64)
        if sizes.shape != (n,):
            raise InputError(
                f"node_weights must hold one weight for each of the {n} nodes, got shape {sizes.shape}; give one for each"
            )
        if not (np.isfinite(sizes).all() and sizes.min() >= 0):
            raise InputError(
                "node_weights contains a negative value, NaN or infinity; weights must be finite and at least 0"
            )
        return sizes

    def _per_size(self, degrees: CommunityGraph) -> float:
        """Return the resolution in the graph's own unit."""
        if self.objective == "modularity":
            total = float(degrees.sizes.sum())
            return self.resolution / total if total else 0.0
        return min(self.resolution / degrees.unit, _LARGEST) if self.resolution else 0.0

    def _describe(self, degrees: CommunityGraph, weights: np.ndarray, found: Partition) -> None:
        labels, total = to_numpy(found.levels[-1]), float(degrees.sizes.sum())
        volumes = np.bincount(labels, to_numpy(degrees.sizes))
        shares = volumes / total if total else volumes
        linked, met = (found.inside / total if total else 0.0), float((shares**2).sum())
        self.modularity_ = linked - met
        if self.objective == "modularity":
            self.quality_ = linked - self.resolution * met
        else:
            pairs = float((np.bincount(labels, weights) ** 2).sum() - (weights**2).sum()) / 2
            self.quality_ = found.inside * degrees.unit / 2 - self.resolution * pairs
