"""Connected components on tensors: every component joins the lowest one it touches, until nothing changes."""

from typing import Any

import torch

__all__ = ["connected_components", "follow", "number_by_first"]


def connected_components(graph: Any) -> torch.Tensor:
    """See `coterie.primitives.components.connected_components`."""
    n = len(graph.indptr) - 1
    places = torch.arange(n, device=graph.indices.device)
    indptr = torch.as_tensor(graph.indptr, device=places.device)
    left = torch.repeat_interleave(places, indptr.diff())
    right = graph.indices.long()
    label = places
    while True:
        parent = places.clone()
        parent.scatter_reduce_(0, label[left], label[right], "amin")
        parent.scatter_reduce_(0, label[right], label[left], "amin")
        joined = follow(parent)[label]
        if torch.equal(joined, label):
            return number_by_first(label, n)
        label = joined


def follow(parent: torch.Tensor) -> torch.Tensor:
    """Replace each entry of a forest of parents by its root; roots are their own parents."""
    while True:
        above = parent[parent]
        if torch.equal(above, parent):
            return parent
        parent = above


def number_by_first(label: torch.Tensor, none: int) -> torch.Tensor:
    """Number components that are named by their first row from 0 upwards; the label ``none`` becomes -1."""
    roots = label == torch.arange(len(label), device=label.device)
    numbers = torch.cat([roots.cumsum(0) - 1, label.new_full((1,), -1)])
    return numbers[label.clamp(max=len(label))] if none == len(label) else numbers[label]
