"""Graphs in blocks that one machine cannot hold: nodes are grouped until the graph of groups fits, and labels made better afterwards.

Groups form as communities do: a node goes where the weight of its links exceeds most what its degree and the group's would make of it
by chance, but no group grows beyond a bound. Nodes decide in parts, by a hash of their numbers, each part in one pass over the blocks
that brings here what its nodes have to do with each group. Sums are exact, ties stay or go to the lowest group: the order of
blocks and the number of workers change nothing. When the groups are clustered, single nodes move once more in the same way.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..errors import ResourceError
from ..primitives.components import number_sets
from ..primitives.edges import EdgeBlocks, inner_weight, links_of_nodes, n_group_links, node_degrees, room
from ..primitives.edges import n_parts as parts_that_fit

__all__ = ["LEAST_GAIN", "Goal", "degree_goal", "grouped_nodes", "moved_nodes", "worth_of"]

_GROWTH = 16  # mean nodes that a group of the first level may have, and how many times more on each further level
_MOST_LEVELS = 8
_SWEEPS = 2  # of a level
_LAST_SWEEPS = 4
_LEAST_PARTS = 8  # nodes that decide at the same time do not see each other move
_SHRINKS = 0.95  # a level that leaves more groups than that is the last
_BYTES_PER_NODE = 100
LEAST_GAIN = 3e-4  # as a share of the weight of all edges: what gains no more is not worth another reading of them


class Goal(NamedTuple):
    """What moves make large: weight within the labels - resolution / 2 * sum of the squares of their sizes; none above a load."""

    sizes: np.ndarray  # (n,) float64
    resolution: float
    loads: np.ndarray  # (n,) float64
    most_load: float


def grouped_nodes(
    edges: EdgeBlocks, goal: Goal, fits: Callable[[int, int], bool], within: np.ndarray | None = None
) -> np.ndarray:
    """Group nodes until the graph of groups fits.

    Parameters
    ----------
    edges : EdgeBlocks
    goal : Goal
        Of all levels; ``most_load`` is the bound of the last.
    fits : callable
        ``fits(links, groups)`` says whether a graph of so many does.
    within : (n_nodes,) int64 array, optional
        Only nodes with the same label may be grouped.

    Returns
    -------
    (n_nodes,) int64 array
        Groups, numbered by first appearance.

    Raises
    ------
    ResourceError
        If groups stay too many.
    """
    if _BYTES_PER_NODE * edges.n_nodes > room(edges):
        raise ResourceError(
            f"groups of {edges.n_nodes:,} nodes take {_BYTES_PER_NODE * edges.n_nodes / 2**30:.1f} GiB here, but "
            f"{room(edges) / 2**30:.1f} GiB are free; take a machine with more memory for this process"
        )
    groups, n_groups = np.arange(edges.n_nodes), edges.n_nodes
    n_links, mean = edges.n_links, float(goal.loads.mean())
    for number in range(_MOST_LEVELS):
        heaviest = min(mean * float(_GROWTH) ** (number + 1), goal.most_load)
        sizes, loads = (np.bincount(groups, values, n_groups) for values in (goal.sizes, goal.loads))
        level = Goal(sizes, goal.resolution, loads, heaviest)
        labels, homes = np.arange(n_groups), np.zeros(n_groups, np.int64)
        if within is not None:
            homes[groups] = within
        for _ in range(_SWEEPS):
            _sweep(edges, groups, labels, level, homes)
        before, groups = n_groups, number_sets(labels[groups])
        n_groups, n_links = int(groups.max()) + 1, n_group_links(edges, groups)
        if fits(n_links, n_groups):
            return groups
        if n_groups > _SHRINKS * before and heaviest >= min(goal.most_load, float(loads.sum())):
            break
    raise ResourceError(
        f"{n_groups:,} groups of nodes with about {n_links:,} links are still too large for the {room(edges) / 2**30:.2f} GiB that are "
        "free here; take a machine with more memory for this process"
    )


def moved_nodes(edges: EdgeBlocks, labels: np.ndarray, goal: Goal, keep_all: bool = False) -> tuple[np.ndarray, float]:
    """Move single nodes for as long as that makes labels better.

    Parameters
    ----------
    edges : EdgeBlocks
    labels : (n_nodes,) int64 array
    goal : Goal
    keep_all : bool, default=False
        Whether no label may lose all its nodes.

    Returns
    -------
    labels : (n_nodes,) int64 array
        No worse than before.
    inner : float
        Weight of the edges within labels, each once.
    """
    nodes, n_labels = np.arange(edges.n_nodes), int(labels.max()) + 1
    inner = inner_weight(edges, labels)
    for _ in range(_LAST_SWEEPS):
        moved = labels.copy()
        _sweep(edges, nodes, moved, goal)
        if keep_all and np.bincount(moved, minlength=n_labels).min() == 0:
            break
        now = inner_weight(edges, moved)
        gain = worth_of(now, moved, goal) - worth_of(inner, labels, goal)
        if gain > 0:
            labels, inner = moved, now
        if gain <= LEAST_GAIN * edges.total:
            break
    return labels, inner


def worth_of(inner: float, labels: np.ndarray, goal: Goal) -> float:
    """Return what a goal makes large, by the weight within the labels."""
    return inner - goal.resolution / 2 * float((np.bincount(labels, goal.sizes) ** 2).sum())


def _sweep(
    edges: EdgeBlocks, groups: np.ndarray, labels: np.ndarray, goal: Goal, homes: np.ndarray | None = None
) -> None:
    """Let every group of nodes choose a label once, of one in the same home; written into ``labels``."""
    n_parts = max(_LEAST_PARTS, parts_that_fit(edges))
    for part in range(n_parts):
        found = links_of_nodes(edges, groups, labels, part, n_parts)
        if homes is not None:
            at_home = homes[found[0]] == homes[found[1]]
            found = found[0][at_home], found[1][at_home], found[2][at_home]
        if len(found[0]):
            movers, targets = _moves(*found, labels, goal)
            labels[movers] = targets


def _moves(
    nodes: np.ndarray, names: np.ndarray, weights: np.ndarray, labels: np.ndarray, goal: Goal
) -> tuple[np.ndarray, np.ndarray]:
    """Return which nodes move, and to which labels; the lists say what nodes have to do with labels, in the order of both."""
    held, load = (np.bincount(labels, values, len(labels)) for values in (goal.sizes, goal.loads))
    own = labels[nodes] == names
    sizes = goal.sizes[nodes]
    gains = weights - goal.resolution * sizes * (held[names] - np.where(own, sizes, 0))
    gains[~own & (load[names] + goal.loads[nodes] > goal.most_load)] = -np.inf
    first = np.flatnonzero(np.concatenate([[True], nodes[1:] != nodes[:-1]]))
    each = np.diff(np.append(first, len(nodes)))
    best = np.maximum.reduceat(gains, first)
    at_best = np.where(gains == np.repeat(best, each), np.arange(len(nodes)), len(nodes))
    chosen = np.minimum.reduceat(at_best, first)
    mine = nodes[first]
    stay = -goal.resolution * goal.sizes[mine] * (held[labels[mine]] - goal.sizes[mine])
    stay[np.repeat(np.arange(len(first)), each)[own]] = gains[own]
    moves = np.flatnonzero(best > stay)
    movers, targets, advantage = mine[moves], names[chosen[moves]], (best - stay)[moves]
    return _with_room(movers, targets, advantage, load, goal)


def _with_room(
    movers: np.ndarray, targets: np.ndarray, advantage: np.ndarray, load: np.ndarray, goal: Goal
) -> tuple[np.ndarray, np.ndarray]:
    """Of those that move to the same label, let those in first that gain most, the lowest where they gain the same."""
    if not np.isfinite(goal.most_load) or not len(movers):
        return movers, targets
    order = np.lexsort((movers, -advantage, targets))
    movers, targets = movers[order], targets[order]
    come = np.cumsum(goal.loads[movers])
    first = np.flatnonzero(np.concatenate([[True], targets[1:] != targets[:-1]]))
    before = (come - goal.loads[movers])[first]
    come -= np.repeat(before, np.diff(np.append(first, len(movers))))
    let_in = load[targets] + come <= goal.most_load
    return movers[let_in], targets[let_in]


def degree_goal(edges: EdgeBlocks, resolution: float, loads: np.ndarray, most_load: float) -> Goal:
    """Return the goal of modularity."""
    degrees = node_degrees(edges)
    total = float(degrees.sum())
    return Goal(degrees, resolution / total if total else 0.0, loads, most_load)
