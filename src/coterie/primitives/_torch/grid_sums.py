"""Statistics by cell on tensors: q is cut into halves of 24 bits, so that 64 bits hold the sums of all products."""

import numpy as np
import torch

from ..grid_cells import Grid, steps
from ..grid_sums import BINS, UNIT, bin_steps
from .grid_cells import find_cells

__all__ = ["cell_sums"]

_HALF = 24
_LOW = (1 << _HALF) - 1


def cell_sums(X: torch.Tensor, grid: Grid, coords: np.ndarray, attributes: np.ndarray, keys: None = None) -> tuple:
    """See `coterie.primitives.grid_sums.cell_sums`."""
    c, m, device = len(coords), len(attributes), X.device
    place = find_cells(X, grid, coords)
    rows = (place >= 0).nonzero()[:, 0]
    place, how = place[rows], steps(grid)
    per, last = bin_steps(grid, attributes)
    sums = np.zeros((c, m, 4), np.uint64)
    extremes = torch.empty((c, m, 2), dtype=torch.float64, device=device)
    bins = torch.empty((c, m, BINS), dtype=torch.int64, device=device)
    for j, f in enumerate(attributes.tolist()):
        x = X[rows, f].double()
        t = x * float(how.scale[f]) - float(how.start[f])
        q = (t * UNIT + 0.5).long()
        sums[:, j] = _wide_sums(q, place, c)
        bounds = extremes.new_tensor([np.inf, -np.inf]).repeat(c, 1)
        extremes[:, j, 0] = bounds[:, 0].scatter_reduce(0, place, x, "amin")
        extremes[:, j, 1] = bounds[:, 1].scatter_reduce(0, place, x, "amax")
        box = (t * float(per[j])).long().clamp_(0, int(last[j])) & (BINS - 1)
        bins[:, j] = torch.bincount(place * BINS + box, minlength=c * BINS).reshape(c, BINS)
    return sums, extremes, bins


def _wide_sums(q: torch.Tensor, place: torch.Tensor, c: int) -> np.ndarray:
    """Return the sums of q and q^2 by cell as words, (c, 4) uint64."""
    a, b = q >> _HALF, q & _LOW
    words = np.zeros((c, 4), np.uint64)
    for value, shift, at in ((b, 0, 0), (a, _HALF, 0), (b * b, 0, 2), (a * b, _HALF + 1, 2), (a * a, 2 * _HALF, 2)):
        for part, more in ((value & _LOW, 0), (value >> _HALF, _HALF)):
            total = torch.zeros(c, dtype=torch.int64, device=q.device).index_add_(0, place, part)
            _add_shifted(words[:, at], words[:, at + 1], total.cpu().numpy().astype(np.uint64), shift + more)
    return words


def _add_shifted(low: np.ndarray, high: np.ndarray, value: np.ndarray, shift: int) -> None:
    """Add ``value * 2^shift`` to numbers of two words, in place."""
    if shift >= 64:
        high += value << np.uint64(shift - 64)
        return
    before = low.copy()
    low += value << np.uint64(shift)
    high += (value >> np.uint64(64 - shift) if shift else np.uint64(0)) + (low < before)
