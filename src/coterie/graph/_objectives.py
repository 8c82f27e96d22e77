"""Ratio, normalised and min-max cut: what a partition is worth, and the search for one that is worth least.

With cut_i the weight that leaves part i: *ratio cut* is the sum of cut_i / |V_i|, *normalised cut* that of cut_i / vol_i (vol_i the
sum of the degrees), *min-max cut* that of cut_i / W_i (W_i the weight inside, both directions counted); a part without cut
counts 0. Up to 20 nodes the least value is found exactly, above by `least_cut`.
"""

import heapq
from typing import Any

import numpy as np

from ..arrays import Graph
from ..primitives.components import connected_components, number_sets
from ..primitives.objective_moves import cut_problem
from ..primitives.part_sums import part_sums as sums_by_part
from ._balance import mean_load
from ._exact_cut import MOST_NODES, exact_cut
from ._objective_search import least_cut

__all__ = ["objective_cut", "objective_value", "packed_components", "part_sums", "size_limit"]


def objective_cut(
    graph: Graph,
    n_clusters: int,
    objective: str,
    imbalance: float = 1.0,
    *,
    node_weights: Any = None,
    seed: int = 0,
    starts: Any = (),
) -> np.ndarray:
    """Find parts for which an objective is as small as can be found; never fewer than asked for.

    Parameters
    ----------
    graph : Graph
        Undirected, of NumPy arrays.
    n_clusters : int
        At most the number of nodes.
    objective : {"ratio_cut", "normalized_cut", "min_max_cut"}
    imbalance : float, default=1
        By how much of the mean, rounded up, a part may exceed it; 1 is no bound.
    node_weights : (n,) array, optional
        At least 0: what a node counts in ratio cut and in the balance.
    seed : int
    starts : sequence of (n,) int arrays
        Partitions to improve, beside those that the search finds.

    Returns
    -------
    (n,) int64 array
        Numbered by first appearance.
    """
    n = graph.n_nodes
    if n_clusters == 1:
        return np.zeros(n, np.int64)
    if n_clusters == n:
        return np.arange(n)
    most = size_limit(node_weights, n, n_clusters, imbalance)
    packed = packed_components(graph, n_clusters, node_weights, most)
    if packed is not None:
        return packed
    if n <= MOST_NODES:
        labels = exact_cut(graph, n_clusters, objective, node_weights=node_weights, most=most)
    else:
        problem = cut_problem(graph, objective, node_weights, most)
        labels = least_cut(problem, n_clusters, seed, [np.asarray(start) for start in starts])
    return number_sets(labels.astype(np.int64))


def objective_value(graph: Graph, labels: Any, objective: str, node_weights: Any = None) -> float:
    """Return what a partition is worth.

    Parameters
    ----------
    graph : Graph
        Undirected.
    labels : (n,) int array
        Part of each node, from 0.
    objective : {"edge_cut", "ratio_cut", "normalized_cut", "min_max_cut"}
    node_weights : (n,) array, optional
        For ratio cut; by default 1.

    Returns
    -------
    float
        Infinity where a part has a cut and nothing to divide it by.
    """
    cut, size, volume, inside = part_sums(graph, labels, node_weights)
    if objective == "edge_cut":
        return float(cut.sum()) / 2
    below = {"ratio_cut": size, "normalized_cut": volume, "min_max_cut": inside}[objective]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return float(np.where(cut > 0, cut / below, 0.0).sum())


def part_sums(graph: Graph, labels: Any, node_weights: Any = None) -> tuple[np.ndarray, ...]:
    """Return cut, size, volume and inside of each part, (k,) float64 arrays."""
    labels = np.asarray(labels)
    k = int(labels.max()) + 1
    inside, cut, _ = sums_by_part(graph, labels, k)
    return cut, np.bincount(labels, node_weights, k).astype(np.float64), cut + inside, inside


def packed_components(graph: Graph, k: int, node_weights: Any, most: float) -> np.ndarray | None:
    """Return a partition that cuts nothing, as even as the largest component first makes it; None where that breaks the bound.

    Returns
    -------
    (n,) int64 array or None
        Numbered by first appearance.
    """
    component = connected_components(graph)
    sizes = np.bincount(component, node_weights)
    if len(sizes) < k:
        return None
    loads = [(0.0, part) for part in range(k)]
    part_of = np.empty(len(sizes), np.int64)
    for i, c in enumerate(np.argsort(-sizes, kind="stable").tolist()):
        if i < k:  # no part stays empty, even where sizes are 0
            load, part = loads[i] = (float(sizes[c]), i)
            if i == k - 1:
                heapq.heapify(loads)
        else:
            load, part = loads[0]
            load += float(sizes[c])
            heapq.heapreplace(loads, (load, part))
        if load > most:
            return None
        part_of[c] = part
    return number_sets(part_of[component])


def size_limit(node_weights: Any, n: int, k: int, imbalance: float) -> float:
    """Return the greatest weight that a part may have: never less than that of a node, and infinity for no bound."""
    if imbalance >= 1:
        return np.inf
    if node_weights is None:
        return float(np.floor((1 + imbalance) * -(-n // k) * (1 + 1e-12)))
    weights = np.asarray(node_weights, np.float64)
    return max((1 + imbalance) * mean_load(weights, k) * (1 + 1e-12), float(weights.max()))
