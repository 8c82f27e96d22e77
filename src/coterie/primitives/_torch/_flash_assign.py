"""The nearest center of each row by the kernel of flash-kmeans, from products in half precision.

For the steps of K-means before the last, where it is asked for: a row about as far from two centers may be given to the
wrong one. Imported on first use only, since it needs flash-kmeans, Triton and CUDA.
"""

from typing import Any

import torch

from ...errors import MissingExtraError

__all__ = ["HalfRows", "kernel"]

_LARGEST = 2.0**14  # half precision ends at 65,504; rows with larger values are cut off for the steps


class HalfRows:
    """Rows in half precision, made once for all steps.

    Parameters
    ----------
    X : (n, d) float32 or float64 tensor
        On CUDA; conditioned, so no value is far from 1.
    """

    def __init__(self, X: torch.Tensor):
        self._kernel = kernel()
        rows = X.clamp(-_LARGEST, _LARGEST).half()
        self._rows = rows[None]
        self._norms = torch.linalg.vector_norm(rows, dim=1, dtype=torch.float32).square()[None]

    def nearest_labels(self, part: slice, centers: torch.Tensor) -> torch.Tensor:
        """Return the (m,) int32 index of the nearest of (k, d) centers for the rows of a part."""
        halves = centers.clamp(-_LARGEST, _LARGEST).half()[None].contiguous()
        return self._kernel(self._rows[:, part], halves, self._norms[:, part])[0]


def kernel() -> Any:
    """Return the kernel of flash-kmeans, or raise if it is not installed."""
    try:
        from flash_kmeans.assign_euclid_triton import euclid_assign_triton
    except ImportError as error:
        raise MissingExtraError(
            f"algorithm='flash' needs flash-kmeans ({error}); pip install flash-kmeans, or take algorithm='auto'"
        ) from None
    return euclid_assign_triton
