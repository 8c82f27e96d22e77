"""How the rows of each cluster lie around centers, on tensors."""

from typing import Any

import numpy as np
import torch

from ._tiles import slices, tile_bytes
from .assign import center_sums

__all__ = ["around_centers"]


def around_centers(X: torch.Tensor, labels: Any, centers: np.ndarray) -> np.ndarray:
    """See `coterie.primitives.around_centers.around_centers`."""
    labels = torch.as_tensor(labels, device=X.device).long()
    where = torch.as_tensor(centers, device=X.device)
    sums = torch.zeros(len(centers), 3, dtype=torch.float64, device=X.device)
    step = max(1, tile_bytes(X.device) // (8 * len(centers)))
    for part in slices(X):
        for start in range(part.start, min(part.stop, len(X)), step):
            some = slice(start, min(start + step, part.stop, len(X)))
            own = labels[some].clamp(min=0)[:, None]
            gaps = torch.cdist(X[some].double(), where, compute_mode="donot_use_mm_for_euclid_dist")
            inner = gaps.gather(1, own)[:, 0]
            outer = gaps.scatter(1, own, torch.inf).amin(1)
            larger = torch.maximum(inner, outer)
            silhouette = torch.where(larger > 0, (outer - inner) / larger, 0.0)
            sums += center_sums(torch.stack([inner, inner.square(), silhouette], 1), labels[some], len(centers))[0]
    found: np.ndarray = sums.T.contiguous().cpu().numpy()
    return found
