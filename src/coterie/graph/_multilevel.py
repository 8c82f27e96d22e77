"""Multilevel partitioning: coarsen, cut the small graph, and refine on the way back.

A *level* is a graph with whole weights of its links and nodes; a *limit* the greatest weight of a part. Parts of the coarsest
level come from cutting in two again and again; several starts run side by side, and each best partition is coarsened once more,
links that it cuts left alone, so that it can only improve (V-cycles). Cost: a start about 20 passes over the links.
"""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import Graph
from ..primitives.coarsen import contract, size_capped_clusters
from ..primitives.compiled import run_blocks
from ..primitives.flow import cut_between
from ..primitives.kway import grown_halves, refine_parts
from ._balance import balanced, without_empty

__all__ = ["Level", "coarsened", "improved", "multilevel_partition", "part_limit", "project", "whole_level"]

_MOST_WEIGHT = 2**50  # whole weights up to here are taken as they are; others are scaled to about it
_SLOWEST = 0.95  # coarsening that keeps more of the nodes than this has come to its end
_NODES_PER_PART, _NODES_HALVED = 30, 100
_CORE = 5000  # partitions are searched for on so many nodes at most; on more they are only refined
_MANY_LINKS = 1 << 20
_MANY_PARTS, _MANY_PARTS_IN_PAIRS = 1 << 15, 1 << 10
_TRIES = 8
_PATIENCE = 20
_MOST_LINKS_TWICE = (
    1 << 23
)  # of uneven graphs a second round on more links costs 30% of all time and saves 4% of the cut
_STILL = 4  # where the first saved a quarter of what is left, as of planted groups, there is a second


class Level(NamedTuple):
    """A graph whose links and nodes have whole weights."""

    graph: Graph  # int64 indptr, int32 indices, int64 weights; no node linked to itself
    node_weights: np.ndarray  # (n,) int64

    @property
    def n(self) -> int:
        """Return how many nodes there are."""
        return len(self.node_weights)


def multilevel_partition(level: Level, k: int, limit: int, seed: int) -> np.ndarray:
    """Cut a graph into k parts so that the weight of links between them is small.

    Parameters
    ----------
    level : Level
    k : int
        At least 2.
    limit : int
        Greatest weight of a part.
    seed : int

    Returns
    -------
    (n,) int32 array
        No part is empty, and none heavier than the limit or, where that is more and no better was found, than the mean and the
        heaviest node together.
    """
    limits = np.full(k, limit, np.int64)
    fewest = max(_CORE, 100 * k)
    steps, core = coarsened(level, fewest, seed) if level.n > 4 * fewest else ([], level)
    starts, finest = _starts(level, core), int(level.node_weights.max())
    found: list[Any] = [None] * starts

    def start(i: int) -> None:
        labels = _start(core, k, limits, seed + 7919 * i, finest)
        found[i] = (*_badness(core, labels, _limits_at(core, limits, finest)), i, labels)

    run_blocks(start, starts)
    labels, *others = [entry[-1] for entry in sorted(found)]
    for i, other in enumerate(others or [labels]):
        labels = improved(core, labels, limits, seed + 15_485_863 * (i + 1), _common(labels, other, k), finest)
    return _kept(level, _back(steps, labels, limits, seed, finest), limits, seed)


def _common(labels: np.ndarray, other: np.ndarray, k: int) -> np.ndarray:
    """Return numbers that nodes share where they are together in both partitions."""
    both = labels.astype(np.int64) * k + other
    return (both if k < _MANY_PARTS else np.unique(both, return_inverse=True)[1]).astype(np.int32)


def _kept(level: Level, labels: np.ndarray, limits: np.ndarray, seed: int) -> np.ndarray:
    """Return a partition without parts that are empty or too heavy."""
    fitting = balanced(level.graph, level.node_weights, labels, limits)
    if fitting is not labels:
        _refine(level, limits, fitting, seed, int(level.node_weights.max()))
    return without_empty(level.graph, fitting, len(limits), level.node_weights)


def _starts(level: Level, core: Level) -> int:
    """Return how many starts there are time for: more where the core is small beside the graph."""
    links, all_links = (len(part.graph.indices) for part in (core, level))
    return 4 if 4 * links <= all_links else 2 if links < _MANY_LINKS else 1


def _start(level: Level, k: int, limits: np.ndarray, seed: int, finest: int) -> np.ndarray:
    steps, coarse = coarsened(level, _coarsest(k), seed)
    labels = np.zeros(coarse.n, np.int32)
    _halve(coarse, k, int(limits[0]), seed, labels, np.arange(coarse.n), 0)
    _refine(coarse, limits, labels, seed, finest)
    return _back(steps, labels, limits, seed, finest)


def improved(
    level: Level,
    labels: np.ndarray,
    limits: np.ndarray,
    seed: int,
    within: np.ndarray | None = None,
    finest: int | None = None,
) -> np.ndarray:
    """Return a partition that cuts no more: coarsened within its parts, then refined level by level.

    Parameters
    ----------
    level : Level
    labels : (n,) int32 array
    limits : (k,) int64 array
    seed : int
    within : (n,) int32 array, optional
        A finer partition: nodes that it parts are not united, and so what two partitions agree on can be kept.
    finest : int, optional
        Weight of the heaviest node of the graph that ``level`` is a coarse form of. Default: ``level`` is the graph itself.
    """
    finest = int(level.node_weights.max()) if finest is None else finest
    steps, coarse = coarsened(level, _coarsest(len(limits)), seed, labels if within is None else within)
    for _, clusters in steps:
        labels = _on_clusters(labels, clusters)
    labels = labels.copy()
    _refine(coarse, limits, labels, seed, finest)
    return _back(steps, labels, limits, seed, finest)


def _coarsest(k: int) -> int:
    return max(60, k * (_NODES_HALVED if k == 2 else _NODES_PER_PART))


def _refine(
    level: Level, limits: np.ndarray, labels: np.ndarray, seed: int, finest: int, *, thorough: bool = True
) -> None:
    graph, node_weights = level
    limits = _limits_at(level, limits, finest)
    if not thorough:
        refine_parts(graph, node_weights, limits, labels, seed, rounds=3, patience=_PATIENCE)
        return
    few = (
        level.n <= 4 * _CORE and len(graph.indices) <= _MANY_LINKS
    )  # what is left to find on a large level is small and local
    rounds = 8 if few else 2 if len(graph.indices) <= _MOST_LINKS_TWICE else 1
    saved = refine_parts(graph, node_weights, limits, labels, seed, rounds=rounds, patience=_PATIENCE)
    while rounds == 1 and _STILL * saved > cut_weight(level, labels):
        saved = refine_parts(graph, node_weights, limits, labels, seed, rounds=1, patience=_PATIENCE)
    if len(limits) <= _MANY_PARTS_IN_PAIRS:
        cut_between(graph, node_weights, limits, labels, seed, rounds=2 if few else 1)


def _limits_at(level: Level, limits: np.ndarray, finest: int) -> np.ndarray:
    """Return the limits for a coarse level: its nodes are heavy, and those of the finest, at most ``finest``, can make up for it."""
    share = np.ceil(limits / max(1, limits.sum()) * level.node_weights.sum()).astype(np.int64)
    return np.maximum(limits, share + int(level.node_weights.max(initial=0)) - finest)


def coarsened(
    level: Level, fewest: int, seed: int, within: np.ndarray | None = None
) -> tuple[list[tuple[Level, np.ndarray]], Level]:
    """Return the levels, finest first, each with the clusters that the next is made of, and the coarsest level.

    Parameters
    ----------
    level : Level
    fewest : int
        Stop at so many nodes; no node of a coarser level is heavier than 1.5 times the mean there.
    seed : int
    within : (n,) int32 array, optional
        A partition whose cut links shall stay.
    """
    cap = max(1, int(1.5 * level.node_weights.sum() / fewest))
    steps: list[tuple[Level, np.ndarray]] = []
    while level.n > fewest:
        few = max(fewest, level.n // 2)
        clusters, count = size_capped_clusters(
            level.graph, level.node_weights, cap, seed + len(steps), fewest=few, within=within
        )
        if count > _SLOWEST * level.n:
            break
        steps.append((level, clusters))
        within = None if within is None else _on_clusters(within, clusters)
        level = Level(*contract(level.graph, level.node_weights, clusters, count))
    return steps, level


def project(steps: list[tuple[Level, np.ndarray]], labels: np.ndarray) -> np.ndarray:
    """Return the labels of the finest level's nodes."""
    for _, clusters in reversed(steps):
        labels = labels[clusters]
    return labels


def _back(
    steps: list[tuple[Level, np.ndarray]],
    labels: np.ndarray,
    limits: np.ndarray,
    seed: int,
    finest: int,
    *,
    thorough: bool = True,
) -> np.ndarray:
    for level, clusters in reversed(steps):
        labels = labels[clusters]
        _refine(level, limits, labels, seed, finest, thorough=thorough)
    return labels


def _halve(level: Level, k: int, limit: int, seed: int, labels: np.ndarray, nodes: np.ndarray, first: int) -> None:
    """Number the nodes' parts from ``first`` in ``labels``, by cutting in two until each part is one."""
    waiting = [(level, k, seed, nodes, first)]
    while waiting:
        level, k, seed, nodes, first = waiting.pop()
        if k == 1 or level.n == 0:
            labels[nodes] = first
            continue
        total, low = int(level.node_weights.sum()), (k + 1) // 2
        # The room is shared out over the cuts that follow: the same share at each.
        spare = max(1.0, limit * k / max(1, total)) ** (1.0 / (k - 1).bit_length())
        limits = np.array([int(spare * total * part / k) for part in (low, k - low)], np.int64)
        halves = _bisection(level, limits, total * low // k, seed)
        for side, parts in ((0, low), (1, k - low)):
            chosen = np.flatnonzero(halves == side)
            half = _induced(level, chosen) if parts > 1 else level
            waiting.append((half, parts, 2 * seed + 1 + side, nodes[chosen], first + side * low))


def _bisection(level: Level, limits: np.ndarray, target: int, seed: int) -> np.ndarray:
    steps, coarse = coarsened(level, 80, seed)
    finest = int(level.node_weights.max())
    halves = grown_halves(coarse.graph, coarse.node_weights, _limits_at(coarse, limits, finest), target, _TRIES, seed)
    return _back(steps, halves, limits, seed, finest, thorough=False)


def _induced(level: Level, nodes: np.ndarray) -> Level:
    """Return the graph of some nodes and the links among them."""
    (indptr, indices, weights), node_weights = level
    number = np.full(level.n, -1, np.int32)
    number[nodes] = np.arange(len(nodes), dtype=np.int32)
    sources = np.repeat(number, np.diff(indptr))
    kept = (sources >= 0) & (number[indices] >= 0)
    starts = np.zeros(len(nodes) + 1, np.int64)
    np.cumsum(np.bincount(sources[kept], minlength=len(nodes)), out=starts[1:])
    return Level(Graph(starts, number[indices[kept]], weights[kept]), node_weights[nodes])


def _on_clusters(labels: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    coarse = np.empty(int(clusters.max()) + 1, labels.dtype)
    coarse[clusters] = labels
    return coarse


def cut_weight(level: Level, labels: np.ndarray) -> int:
    """Return the whole weight of the links between parts."""
    indptr, indices, weights = level.graph
    return int(weights[np.repeat(labels, np.diff(indptr)) != labels[indices]].sum()) // 2


def _badness(level: Level, labels: np.ndarray, limits: np.ndarray) -> tuple[int, int]:
    """Return by how much parts are too heavy, and the cut."""
    loads = np.bincount(labels, level.node_weights, minlength=len(limits)).astype(np.int64)
    return int(np.maximum(loads - limits, 0).sum()), cut_weight(level, labels)


def part_limit(node_weights: np.ndarray, k: int, imbalance: float) -> int:
    """Return the greatest weight of a part: (1 + imbalance) times the mean, rounded up, rounded down."""
    total = int(node_weights.sum())
    return total if imbalance >= 1 else int((1 + imbalance) * -(-total // k) * (1 + 1e-15))


def whole_level(graph: Graph, node_weights: np.ndarray | None) -> Level:
    """Return the level of a graph: whole weights as they are, others scaled by a power of two and rounded."""
    indptr, indices, weights = graph
    sources = np.repeat(np.arange(graph.n_nodes, dtype=np.int32), np.diff(indptr))
    other = sources != indices
    if not other.all():
        indptr = np.concatenate([[0], np.cumsum(np.bincount(sources[other], minlength=graph.n_nodes))])
        indices, weights = indices[other], weights[other]
    nodes = np.ones(graph.n_nodes, np.int64) if node_weights is None else _whole(node_weights)
    return Level(Graph(indptr, indices.astype(np.int32), _whole(weights)), nodes)


def _whole(values: np.ndarray) -> np.ndarray:
    values = values.astype(np.float64)
    largest = float(values.max(initial=0.0))
    if largest == 0:
        return np.zeros(len(values), np.int64)
    total = float((values / largest).sum())  # of values up to 1e300 the sum may overflow
    if largest * total < _MOST_WEIGHT and np.array_equal(values, np.floor(values)):
        return values.astype(np.int64)
    return np.rint(np.ldexp(values / largest, int(np.log2(_MOST_WEIGHT / total)))).astype(np.int64)
