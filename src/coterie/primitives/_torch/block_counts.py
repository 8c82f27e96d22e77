"""Sums by the classes of both ends on tensors: links are sorted by their pair of classes, then each pair is summed in order."""

import torch

from ...arrays import Graph

__all__ = ["block_counts", "block_spread"]


def block_counts(graph: Graph, labels: torch.Tensor, k: int) -> tuple:
    """See `coterie.primitives.block_counts.block_counts`."""
    labels = torch.as_tensor(labels, device=graph.indptr.device).long()
    source, other, weights = _labelled(graph, labels)
    keys = labels[source] * k + other
    links = torch.bincount(keys, minlength=k * k).reshape(k, k)
    return (
        _sums(weights, keys, k * k).reshape(k, k),
        links,
        torch.bincount(labels[labels >= 0], minlength=k),
    )


def block_spread(graph: Graph, labels: torch.Tensor, k: int) -> tuple:
    """See `coterie.primitives.block_counts.block_spread`."""
    labels = torch.as_tensor(labels, device=graph.indptr.device).long()
    source, other, weights = _labelled(graph, labels)
    pairs, place = torch.unique(source * k + other, return_inverse=True)
    x = _sums(weights, place, len(pairs))
    nodes, keys = pairs // k, labels[pairs // k] * k + pairs % k
    total = _sums(x, nodes, graph.n_nodes)
    inside = labels >= 0
    return (
        _sums(x * x, keys, k * k).reshape(k, k),
        _sums(x * total[nodes], keys, k * k).reshape(k, k),
        _sums(total[inside] ** 2, labels[inside], k),
        (weights * weights).sum(),
    )


def _labelled(graph: Graph, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return source, class of the target and weight of the links between labelled nodes."""
    nodes = torch.arange(graph.n_nodes, device=labels.device)
    source = torch.repeat_interleave(nodes, graph.indptr.diff())
    other = labels[graph.indices]
    both = (labels[source] >= 0) & (other >= 0)
    return source[both], other[both], graph.weights[both].double()


def _sums(values: torch.Tensor, keys: torch.Tensor, n: int) -> torch.Tensor:
    """Return the sum of the values of each key; adding where it hits would depend on the order of threads."""
    if not len(values):
        return values.new_zeros(n)
    order = torch.argsort(keys, stable=True)
    return torch.segment_reduce(values[order], "sum", lengths=torch.bincount(keys, minlength=n), unsafe=True)
