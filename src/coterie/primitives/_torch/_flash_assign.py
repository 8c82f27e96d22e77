"""The nearest center of each row by the kernel of flash-kmeans, from products in half precision.

For the steps of K-means before the last, where it is asked for: a row about as far from two centers may be given to the
wrong one. Imported on first use only, since it needs flash-kmeans, Triton and CUDA.
"""

import torch

from ...errors import MissingExtraError, UnsupportedError

__all__ = ["HalfRows"]

_LARGEST = 2.0**14  # rows of such values keep their squares and products within half precision's sums in float32


class HalfRows:
    """Rows in half precision, made once for all steps.

    Parameters
    ----------
    X : (n, d) float32 or float64 tensor
        On CUDA; conditioned, so no value is far from 1.
    """

    def __init__(self, X: torch.Tensor):
        self._kernel = _kernel_for(X)
        rows = X.clamp(-_LARGEST, _LARGEST).half()
        self._rows = rows[None]
        self._norms = torch.linalg.vector_norm(rows, dim=1, dtype=torch.float32).square()[None]

    def nearest_labels(self, part: slice, centers: torch.Tensor) -> torch.Tensor:
        """Return the (m,) int32 index of the nearest of (k, d) centers for the rows of a part."""
        halves = centers.clamp(-_LARGEST, _LARGEST).half()[None].contiguous()
        return self._kernel(self._rows[:, part], halves, self._norms[:, part])[0]


def _kernel_for(X):
    if not getattr(X, "is_cuda", False):
        raise UnsupportedError(
            "algorithm='flash' needs all rows on one GPU of CUDA; pass device='cuda' or a tensor there, or take algorithm='auto'"
        )
    try:
        from flash_kmeans.assign_euclid_triton import euclid_assign_triton
    except ImportError as error:
        raise MissingExtraError(
            f"algorithm='flash' needs flash-kmeans ({error}); pip install flash-kmeans, or take algorithm='auto'"
        ) from None
    return euclid_assign_triton
