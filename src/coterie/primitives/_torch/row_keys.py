"""Projections of rows on tensors."""

from typing import Any

import numpy as np
import torch

from ._tiles import slices

__all__ = ["row_keys"]


def row_keys(X: Any, weights: np.ndarray) -> torch.Tensor:
    """See `coterie.primitives.row_keys.row_keys`; added feature by feature, so with the bits of the CPU engine."""
    keys = torch.zeros(len(X), dtype=torch.float64, device=X.device)
    for part in slices(X):
        rows = X[part]
        mine = torch.zeros(len(rows), dtype=torch.float64, device=rows.device)
        for feature, weight in zip(rows.T, weights.tolist(), strict=True):
            mine += feature.double() * weight
        keys[part] = mine.to(X.device)
    return keys
