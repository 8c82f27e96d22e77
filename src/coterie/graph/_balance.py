"""The promises of a partition, kept where searching for few links left them open: no part too heavy, and none empty.

Searches leave a part too heavy where nodes are heavy, or nothing is linked to it. Nodes are then moved one at a time, those
with least links inside first, to the part with room that they are linked to most, or else to the lightest. A part heavier than
the mean and the heaviest node together can always give one away, and so whole weights of 1 always fit.
"""

import heapq

import numpy as np

from ..arrays import Graph

__all__ = ["balanced", "mean_load", "without_empty"]


def mean_load(node_weights: np.ndarray, k: int) -> float:
    """Return what a part of k weighs in the mean; rounded up where all weights are whole."""
    total = float(node_weights.sum())
    return -(-total // k) if np.array_equal(node_weights, np.floor(node_weights)) else total / k


def balanced(graph: Graph, node_weights: np.ndarray, labels: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Return labels with parts no heavier than their limits, as far as this way of moving nodes gets.

    Parameters
    ----------
    graph : Graph
    node_weights : (n,) int64 array
    labels : (n,) int array
    limits : (k,) int64 array

    Returns
    -------
    (n,) int array
        The very same where there is nothing to do. No part is then heavier than its limit or, where that is more, than the
        mean and the heaviest node together.
    """
    k = len(limits)
    loads = np.bincount(labels, node_weights, minlength=k).astype(np.int64)
    if (loads <= limits).all():
        return labels
    labels = labels.copy()
    for part in np.argsort(limits - loads, kind="stable"):
        if loads[part] > limits[part]:
            _empty_out(graph, node_weights, labels, limits, loads, int(part))
    return labels


def _empty_out(
    graph: Graph, node_weights: np.ndarray, labels: np.ndarray, limits: np.ndarray, loads: np.ndarray, part: int
) -> None:
    """Move nodes out of a part until it keeps its limit."""
    lightest = [(int(load), p) for p, load in enumerate(loads) if p != part]
    heapq.heapify(lightest)
    members = np.flatnonzero((labels == part) & (node_weights > 0))
    for v in members[np.argsort(_loss(graph, labels, part, members), kind="stable")]:
        if loads[part] <= limits[part]:
            return
        weight = int(node_weights[v])
        links = _links(graph, labels, int(v), len(limits))
        links[part] = -1
        links[loads + weight > limits] = -1
        to = int(links.argmax())
        if links[to] <= 0:
            while lightest[0][0] != loads[lightest[0][1]]:
                heapq.heapreplace(lightest, (int(loads[lightest[0][1]]), lightest[0][1]))
            to = lightest[0][1]
            if loads[to] + weight > limits[to] and loads[to] + weight >= loads[part]:
                continue  # it would only be too heavy elsewhere
        labels[v] = to
        loads[part] -= weight
        loads[to] += weight


def without_empty(graph: Graph, labels: np.ndarray, k: int, node_weights: np.ndarray) -> np.ndarray:
    """Return labels that use every part: an empty one gets the node that leaves its part at least loss of links.

    Parameters
    ----------
    graph : Graph
    labels : (n,) int array
    k : int
        At most n.
    node_weights : (n,) int64 array
        Of nodes that lose as much, the heaviest goes.
    """
    counts = np.bincount(labels, minlength=k)
    if counts.all():
        return labels
    labels = labels.copy()
    crossing = np.repeat(labels, np.diff(graph.indptr)) != labels[graph.indices]
    inner = np.where(crossing, 0, graph.weights)
    loss = np.bincount(np.repeat(np.arange(len(labels)), np.diff(graph.indptr)), inner, minlength=len(labels))
    order = iter(np.lexsort((-node_weights, loss)))
    for part in np.flatnonzero(counts == 0):
        v = next(v for v in order if counts[labels[v]] > 1)
        counts[labels[v]] -= 1
        counts[part] += 1
        labels[v] = part
    return labels


def _loss(graph: Graph, labels: np.ndarray, part: int, members: np.ndarray) -> np.ndarray:
    """Return for each member the weight of its links inside less that outside."""
    starts, ends = graph.indptr[members], graph.indptr[members + 1]
    sizes = ends - starts
    at = np.repeat(starts - np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes) + np.arange(sizes.sum())
    signed = np.where(labels[graph.indices[at]] == part, graph.weights[at], -graph.weights[at])
    return np.bincount(np.repeat(np.arange(len(members)), sizes), signed, minlength=len(members))


def _links(graph: Graph, labels: np.ndarray, v: int, k: int) -> np.ndarray:
    one = slice(graph.indptr[v], graph.indptr[v + 1])
    return np.bincount(labels[graph.indices[one]], graph.weights[one], minlength=k)
