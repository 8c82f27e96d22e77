"""Projections of rows on tensors."""

import numpy as np
import torch

__all__ = ["row_keys"]


def row_keys(X: torch.Tensor, weights: np.ndarray) -> torch.Tensor:
    """See `coterie.primitives.row_keys.row_keys`; added feature by feature, so with the bits of the CPU engine."""
    keys = torch.zeros(len(X), dtype=torch.float64, device=X.device)
    for feature, weight in zip(X.T, weights.tolist(), strict=True):
        keys += feature.double() * weight
    return keys
