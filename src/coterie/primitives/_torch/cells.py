"""Cells of a regular grid on tensors: coordinates feature by feature, then one stable sort of the keys."""

import numpy as np
import torch

from ...errors import InputError
from ..cells import Cells

__all__ = ["cells"]

_EXACT = 2.0**53  # a cell's coordinate is computed in float64
_MOST_KEY = 2**62


def cells(X: torch.Tensor, low: np.ndarray, width: np.ndarray, n_cells: np.ndarray | None = None) -> Cells:
    """See `coterie.primitives.cells.cells`."""
    keys, largest = torch.zeros(len(X), dtype=torch.int64, device=X.device), 0
    for f in range(X.shape[1]):
        place = _coordinates(X, f, low, width, n_cells)
        first = 0 if n_cells is not None else int(place.min())
        extent = int(n_cells[f]) if n_cells is not None else int(place.max()) - first + 1
        if (largest + 1) * extent >= _MOST_KEY:
            # The rank of what came before says as much, and is below n.
            keys = torch.unique(keys, return_inverse=True)[1]
            largest = int(keys.max())
            if (largest + 1) * extent >= _MOST_KEY:
                place, first = torch.unique(place, return_inverse=True)[1], 0
                extent = int(place.max()) + 1
        keys = keys * extent + (place - first)
        largest = (largest + 1) * extent - 1
    keys, order = torch.sort(keys, stable=True)
    keys, counts = torch.unique_consecutive(keys, return_counts=True)
    starts = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    some = X[order[starts[:-1]]]
    coords = torch.stack([_coordinates(some, f, low, width, n_cells) for f in range(X.shape[1])], 1)
    return Cells(keys, starts, order, counts, coords)


def _coordinates(
    X: torch.Tensor, f: int, low: np.ndarray, width: np.ndarray, n_cells: np.ndarray | None
) -> torch.Tensor:
    # Divided by a tensor: division by a number may become multiplication by its reciprocal, which rounds differently.
    side = torch.tensor(float(width[f]), dtype=torch.float64, device=X.device)
    place = ((X[:, f].double() - float(low[f])) / side).floor_()
    if n_cells is not None:
        return place.clamp_(0, int(n_cells[f]) - 1).long()
    if not bool((place.abs() < _EXACT).all()):
        raise InputError(
            f"cells of width {width[f]!r} are too small for values as large as {float(X[:, f].abs().max()):.3g}"
        )
    return place.long()
