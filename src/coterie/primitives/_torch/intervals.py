"""Numbers of intervals on tensors: a binary search among the edges for each value."""

import numpy as np
import torch

from ..intervals import OUTSIDE

__all__ = ["cell_numbers", "cell_weights", "interval_codes"]


def interval_codes(X: torch.Tensor, columns: np.ndarray, edges: np.ndarray) -> torch.Tensor:
    """See `coterie.primitives.intervals.interval_codes`."""
    codes = torch.empty((len(columns), len(X)), dtype=torch.int32, device=X.device)
    for j, column in enumerate(columns.tolist()):
        values = X[:, column].double().contiguous()
        inner = torch.as_tensor(np.ascontiguousarray(edges[j, 1:-1]), device=X.device)
        codes[j] = torch.bucketize(values, inner, right=True, out_int32=True)
        codes[j][(values < float(edges[j, 0])) | (values > float(edges[j, -1]))] = OUTSIDE
    return codes


def cell_numbers(codes: torch.Tensor, n_intervals: int) -> torch.Tensor:
    """See `coterie.primitives.intervals.cell_numbers`."""
    numbers = torch.zeros(codes.shape[1], dtype=torch.int32, device=codes.device)
    for code in codes:
        numbers = numbers * n_intervals + code.clamp(max=n_intervals)
    numbers[(codes == OUTSIDE).any(0)] = n_intervals ** len(codes)
    return numbers


def cell_weights(
    numbers: torch.Tensor, n_cells: int, sample_weight: np.ndarray | torch.Tensor | None = None
) -> np.ndarray:
    """See `coterie.primitives.intervals.cell_weights`."""
    weight = None if sample_weight is None else torch.as_tensor(sample_weight, device=numbers.device)
    return torch.bincount(numbers, weight, n_cells + 1)[:n_cells].cpu().numpy()
