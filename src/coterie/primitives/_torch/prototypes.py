"""Nearest prototypes of mixed rows on tensors."""

import numpy as np
import torch

from ._tiles import distances2, tile_bytes

__all__ = ["nearest_prototype"]


def nearest_prototype(
    X: torch.Tensor, codes: torch.Tensor, means: np.ndarray, modes: np.ndarray, gamma: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """See `coterie.primitives.prototypes.nearest_prototype`."""
    centers = torch.as_tensor(means, dtype=X.dtype, device=X.device)
    wanted = torch.as_tensor(modes, dtype=codes.dtype, device=X.device)
    labels = torch.empty(len(X), dtype=torch.int64, device=X.device)
    costs = torch.empty(len(X), dtype=torch.float64, device=X.device)
    rows = max(1, tile_bytes(X.device) // (8 * len(centers) * (1 + codes.shape[1])))
    for start in range(0, len(X), rows):
        part = slice(start, start + rows)
        unlike = ((codes[part, None] != wanted) | (codes[part, None] < 0)).sum(2)
        costs[part], labels[part] = (distances2(X[part], centers).double() + gamma * unlike).min(1)
    return labels, costs
