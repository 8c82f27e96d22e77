"""Distances between all rows of two sets on tensors."""

from typing import Any

import torch

from ._tiles import distances2, root, tile_bytes

__all__ = ["pairwise_distances"]


def pairwise_distances(X: torch.Tensor, Y: Any, squared: bool) -> torch.Tensor:
    """See `coterie.primitives.distances.pairwise_distances`."""
    Y = torch.as_tensor(Y, dtype=X.dtype, device=X.device)
    out = X.new_empty(len(X), len(Y))
    rows = max(1, tile_bytes(X.device) // (8 * max(1, len(Y))))
    for start in range(0, len(X), rows):
        out[start : start + rows] = distances2(X[start : start + rows], Y)
    return out if squared else root(out)
