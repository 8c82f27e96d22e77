"""Symmetry on tensors: the links turned round are sorted and compared with the links."""

import torch

from ...arrays import Graph

__all__ = ["is_symmetric"]


def is_symmetric(graph: Graph) -> bool:
    """See `coterie.primitives.symmetry.is_symmetric`."""
    n = graph.n_nodes
    sources = torch.repeat_interleave(torch.arange(n, device=graph.indptr.device), graph.indptr.diff())
    forward, backward = sources * n + graph.indices, graph.indices * n + sources
    order = torch.argsort(backward)
    return torch.equal(forward, backward[order]) and torch.equal(graph.weights, graph.weights[order])
