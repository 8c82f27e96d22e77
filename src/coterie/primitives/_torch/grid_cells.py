"""Counts by cell on tensors: the same arithmetic as on the CPU, cell by cell of a table or by sorting."""

import numpy as np
import torch

from ..grid_cells import MOST_KEY, Grid, group_cells, steps

__all__ = ["cell_counts", "cell_lookup", "column_range", "find_cells", "new_keys"]

_ROWS = 1 << 22  # at once
_TABLE_CELLS = 1 << 24  # more are sorted rather than counted in a table


def column_range(X: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """See `coterie.primitives.grid_cells.column_range`."""
    return X.amin(0).double(), X.amax(0).double()


def new_keys(X: torch.Tensor, grid: Grid) -> None:
    """Return None: cells are found again each time."""


def cell_counts(X: torch.Tensor, grid: Grid, keys: None = None) -> tuple:
    """See `coterie.primitives.grid_cells.cell_counts`."""
    places = torch.cat([places_of(X[start : start + _ROWS], grid) for start in range(0, len(X), _ROWS)])
    rows = (places[:, 0] >= 0).nonzero()[:, 0]
    if grid.size <= _TABLE_CELLS:
        numbers = places[rows] @ _strides(grid, X.device)
        counts = torch.bincount(numbers, minlength=grid.size)
        cells = counts.nonzero()[:, 0]
        found = torch.from_numpy(np.stack(np.unravel_index(cells.cpu().numpy(), tuple(grid.n_cells)), axis=1))
        member = torch.full((grid.size,), -1, device=X.device).index_put_(
            (cells,), torch.arange(len(cells), device=X.device)
        )
        member, counts = member[numbers], counts[cells]
    else:
        found, member, counts = torch.unique(places[rows], dim=0, return_inverse=True, return_counts=True)
    first = torch.full((len(counts),), len(X), device=X.device).scatter_reduce_(0, member, rows, "amin")
    return found.int(), counts, first, len(X) - len(rows)


def cell_lookup(
    X: torch.Tensor, grid: Grid, coords: np.ndarray, values: np.ndarray, shift: int, keys: None = None
) -> torch.Tensor:
    """See `coterie.primitives.grid_cells.cell_lookup`."""
    with_none = torch.as_tensor(np.append(np.asarray(values, np.int64), -1), device=X.device)
    blocks = [X[start : start + _ROWS] for start in range(0, len(X), _ROWS)]
    return torch.cat([with_none[find_cells(block, grid, coords, shift)] for block in blocks])


def find_cells(X: torch.Tensor, grid: Grid, coords: np.ndarray, shift: int = 0) -> torch.Tensor:
    """Return the place of each row's cell in ``coords``, -1 for none."""
    places = places_of(X, grid, shift)
    inside = places[:, 0] >= 0
    found = torch.full((len(X),), -1, device=X.device)
    if len(coords) == 0:
        return found
    if grid.size < MOST_KEY:
        strides = _strides(grid, X.device, shift)
        known = torch.as_tensor(coords.astype(np.int64), device=X.device) @ strides
        keys = places @ strides
        at = torch.searchsorted(known, keys).clamp_(max=len(known) - 1)
        return torch.where(inside & (known[at] == keys), at, found)
    # More cells than an integer can count: the host sorts them.
    both = np.concatenate([coords, np.where(inside[:, None].cpu(), places.cpu(), 0)])
    distinct, member = group_cells(both)
    place = np.full(len(distinct), -1)
    place[member[: len(coords)]] = np.arange(len(coords))
    return torch.where(inside, torch.as_tensor(place[member[len(coords) :]], device=X.device), found)


def places_of(X: torch.Tensor, grid: Grid, shift: int = 0) -> torch.Tensor:
    """Return the coordinates of rows, (n, a) int64; of rows outside the first one is -1."""
    scale, start, per = (torch.as_tensor(part, device=X.device) for part in steps(grid))
    low, high, axes, n_cells = (torch.as_tensor(part, device=X.device) for part in grid)
    rows = X.double()
    inside = ((rows >= low) & (rows <= high)).all(dim=1)
    places = ((rows * scale - start)[:, axes] * per).long().clamp_(min=0).minimum(n_cells - 1) >> shift
    places[:, 0] = places[:, 0].where(inside, places.new_full((), -1))
    return places


def _strides(grid: Grid, device: torch.device, shift: int = 0) -> torch.Tensor:
    sides = (grid.n_cells - 1 >> shift) + 1
    return torch.as_tensor(np.append(np.cumprod(sides[::-1])[::-1], 1)[1:].astype(np.int64), device=device)
