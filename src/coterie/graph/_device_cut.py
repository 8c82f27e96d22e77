"""Multilevel partitioning of tensors: the large levels are coarsened and refined where they lie, what is small on the host.

Pairs are united on the device until few enough nodes are left for the host's partitioner; on the way back, rounds of moves on the
device refine the parts, and the nodes around the cut, a small graph again, go to the host for its thorough search. A graph that is
small to begin with gets the host's partition, bit for bit. Cost on the device: sorting the links once a level, and some 50
passes over them.
"""

from typing import Any

import numpy as np

from ..arrays import Graph, like_input, to_numpy
from ..primitives.coarsen import contract, size_capped_clusters
from ..primitives.kway import refine_parts
from ._balance import balanced, without_empty
from ._multilevel import Level, improved, multilevel_partition, part_limit, whole_level

__all__ = ["device_cut"]

_HOST_NODES = 50_000  # the host partitions graphs of up to so many nodes, or 100 for each part
_BAND_NODES = 50_000  # and searches around the cut on up to so many nodes, or 100 for each part
_SEARCHES = 3  # as the cut moves, so do the nodes around it
_SLOWEST = 0.95  # coarsening that keeps more of the nodes than this has come to its end
_MOST_WEIGHT = 2**50  # weights that are not whole are scaled to about this sum
_UNIONS = 1.5  # no node of the graph for the host is heavier than this times the mean there


def device_cut(graph: Graph, k: int, imbalance: float, *, node_weights: np.ndarray | None, seed: int) -> Any:
    """Cut a graph of tensors into k parts so that the weight of links between them is small.

    Parameters
    ----------
    graph : Graph
        Undirected, of tensors.
    k : int
        At least 2, and less than there are nodes.
    imbalance : float
    node_weights : (n,) float64 array, optional
    seed : int

    Returns
    -------
    (n,) int64 tensor
        Numbers of parts.
    """
    fewest = max(_HOST_NODES, 100 * k)
    if graph.n_nodes <= fewest:
        level = whole_level(Graph(*(to_numpy(part) for part in graph)), node_weights)
        return like_input(_host_cut(level, k, part_limit(level.node_weights, k, imbalance), seed), graph.indices)
    level = _whole_tensors(graph, node_weights)
    limit = part_limit(level.node_weights, k, imbalance)
    limits = like_input(np.full(k, limit), graph.indices)
    steps, coarse = _coarsened(level, fewest, seed)
    labels = like_input(_host_cut(_on_host(coarse), k, limit, seed), graph.indices)
    for i, (finer, clusters) in enumerate(reversed(steps)):
        labels = labels[clusters.long()]
        refine_parts(finer.graph, finer.node_weights, limits, labels, seed + i)
        for again in range(_SEARCHES):
            _search_around_cut(finer, labels, limits, seed + len(steps) * again + i)
    return _kept(level, labels, limits)


def _host_cut(level: Level, k: int, limit: int, seed: int) -> np.ndarray:
    return multilevel_partition(level, k, limit, seed).astype(np.int32)


def _coarsened(level: Level, fewest: int, seed: int) -> tuple[list[tuple[Level, Any]], Level]:
    """Return the levels, finest first, each with the clusters that the next is made of, and the coarsest level."""
    cap = max(1, int(_UNIONS * int(level.node_weights.sum()) / fewest))
    steps: list[tuple[Level, Any]] = []
    while level.n > fewest:
        clusters, count = size_capped_clusters(level.graph, level.node_weights, cap, seed + len(steps), fewest=fewest)
        if count > _SLOWEST * level.n:
            break
        steps.append((level, clusters))
        level = Level(*contract(level.graph, level.node_weights, clusters, count))
    return steps, level


def _search_around_cut(level: Level, labels: Any, limits: Any, seed: int) -> None:
    """Let the host improve the partition on the nodes around the cut, where those are few; changes ``labels``."""
    clusters, count = _band(level.graph, labels, max(_BAND_NODES, 100 * len(limits)), len(limits))
    if count == 0:
        return
    band = _on_host(Level(*contract(level.graph, level.node_weights, clusters, count)))
    parts = labels.new_zeros(count)
    parts[clusters.long()] = labels
    found = improved(band, to_numpy(parts), to_numpy(limits), seed)
    labels.copy_(like_input(found, labels)[clusters.long()])


def _band(graph: Graph, labels: Any, most: int, k: int) -> tuple[Any, int]:
    """Number the nodes within some links of the cut each for itself, and the others of each part as one.

    Returns
    -------
    clusters : (n,) int32 tensor
    n_clusters : int
        0 where nothing is cut, or more nodes are at the cut than are wanted.
    """
    right = graph.indices.long()
    sizes = graph.indptr.diff()
    crossing = labels.repeat_interleave(sizes) != labels[right]
    inside, count = crossing & False, 0
    band = (labels < 0).index_fill_(0, right[crossing], True)
    while (wider := int(band.sum())) <= most and wider > count:
        inside, count = band, wider
        band = band.clone()
        band[right[inside.repeat_interleave(sizes)]] = True
    if count == 0:
        return labels, 0
    # Parts that lie in the band altogether leave a number without a node: numbers are closed up.
    rest = (~inside).new_zeros(k).index_fill_(0, labels[~inside].long(), True)
    numbers = count + rest.cumsum(0) - 1
    clusters = numbers[labels.long()].where(~inside, inside.cumsum(0) - 1)
    return clusters.to(labels.dtype), count + int(rest.sum())


def _kept(level: Level, labels: Any, limits: Any) -> Any:
    """Return a partition without parts that are empty or too heavy; those are mended on the host."""
    k = len(limits)
    loads = limits.new_zeros((2, k))
    loads[0].index_add_(0, labels.long(), level.node_weights)
    loads[1].index_add_(0, labels.long(), limits.new_ones(level.n))
    if bool((loads[0] <= limits).all()) and bool((loads[1] > 0).all()):
        return labels
    host, found = _on_host(level), to_numpy(labels)
    found = balanced(host.graph, host.node_weights, found, to_numpy(limits))
    return like_input(without_empty(host.graph, found, k, host.node_weights), labels)


def _on_host(level: Level) -> Level:
    indptr, indices, weights = (np.ascontiguousarray(to_numpy(part)) for part in level.graph)
    return Level(Graph(indptr, indices.astype(np.int32), weights), to_numpy(level.node_weights))


def _whole_tensors(graph: Graph, node_weights: np.ndarray | None) -> Level:
    """Return the level of a graph of tensors, as `whole_level` does that of one of arrays."""
    indptr, indices, weights = graph
    places = like_input(np.arange(graph.n_nodes), indices)
    left = places.repeat_interleave(indptr.diff())
    other = left != indices
    starts = indptr.new_zeros(len(indptr))
    starts[1:] = places.new_zeros(graph.n_nodes).index_add_(0, left, other.long()).cumsum(0)
    # What nodes weigh comes from the host, and there is no more than one number for each.
    given = np.ones(graph.n_nodes) if node_weights is None else node_weights.astype(np.float64)
    whole = Graph(starts, indices[other].int(), _whole(weights[other].double()))
    return Level(whole, _whole(like_input(given, indices)))


def _whole(values: Any) -> Any:
    largest = float(values.max()) if len(values) else 0.0
    if largest == 0:
        return values.long()
    shares = values / largest
    total = float(shares.sum())
    if largest * total < _MOST_WEIGHT and bool((values == values.floor()).all()):
        return values.long()
    return (shares * 2.0 ** int(np.log2(_MOST_WEIGHT / total))).round().long()
