"""Shifting and scaling rows on tensors."""

import math

import numpy as np
import torch

from ._tiles import row_sum, slices

__all__ = ["condition"]


def condition(X: torch.Tensor, shift: np.ndarray | None, scale: float | None) -> tuple[torch.Tensor, np.ndarray, float]:
    """See `coterie.primitives.conditioning.condition`."""
    if shift is None or scale is None:
        shift, scale = _find(X)
    moved = torch.as_tensor(shift / scale, dtype=torch.float64, device=X.device)
    rows = torch.empty_like(X)
    for part in slices(X):
        rows[part] = (X[part].double() / scale - moved).to(X.dtype)
    return rows, shift, scale


def _find(X: torch.Tensor) -> tuple[np.ndarray, float]:
    least, greatest = torch.aminmax(X, dim=0)
    low, high = least.double().cpu().numpy(), greatest.double().cpu().numpy()
    first = power_of_two(max(-low.min(), high.max()))
    total = torch.zeros(X.shape[1], dtype=torch.float64, device=X.device)
    for part in slices(X):
        total += row_sum(X[part].double() / first)
    mean = total.cpu().numpy() / len(X)
    spread = max((mean - low / first).max(), (high / first - mean).max())
    return mean * first, max(first * min(1.0, power_of_two(float(spread))), 2.0**-1021)  # finite reciprocal


def power_of_two(value: float) -> float:
    """Return the power of two just above ``value``, 1 for 0; never one whose reciprocal overflows."""
    return 2.0 ** min(1022, max(-1021, math.frexp(value)[1])) if value > 0 else 1.0
