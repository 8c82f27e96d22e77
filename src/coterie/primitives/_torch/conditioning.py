"""Shifting and scaling rows on tensors."""

import math
from typing import Any

import numpy as np
import torch

from ._tiles import row_sum, slices
from .blocked_rows import BlockedRows

__all__ = ["condition"]


def condition(X: Any, shift: np.ndarray | None, scale: float | None) -> tuple[Any, np.ndarray, float]:
    """See `coterie.primitives.conditioning.condition`."""
    if shift is None or scale is None:
        shift, scale = _find(X)
    if isinstance(X, BlockedRows):
        return X.conditioned(shift, scale), shift, scale
    moved = torch.as_tensor(shift / scale, dtype=torch.float64, device=X.device)
    rows = torch.empty_like(X)
    for part in slices(X):
        rows[part] = (X[part].double() / scale - moved).to(X.dtype)
    return rows, shift, scale


def _find(X: Any) -> tuple[np.ndarray, float]:
    ends = [torch.stack(torch.aminmax(X[part], dim=0)).to(X.device) for part in slices(X)]
    low, high = torch.stack(ends).double().cpu().numpy().swapaxes(0, 1)
    low, high = low.min(0), high.max(0)
    first = power_of_two(max(-low.min(), high.max()))
    total = torch.zeros(X.shape[1], dtype=torch.float64, device=X.device)
    for part in slices(X):
        total += row_sum(X[part].double() / first).to(X.device)
    mean = total.cpu().numpy() / len(X)
    spread = max((mean - low / first).max(), (high / first - mean).max())
    return mean * first, max(first * min(1.0, power_of_two(float(spread))), 2.0**-1021)  # finite reciprocal


def power_of_two(value: float) -> float:
    """Return the power of two just above ``value``, 1 for 0; never one whose reciprocal overflows."""
    return 2.0 ** min(1022, max(-1021, math.frexp(value)[1])) if value > 0 else 1.0
