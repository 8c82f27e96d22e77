"""Cells of a regular grid on the CPU: coordinates feature by feature, then one radix sort of the keys."""

import numpy as np

from ...errors import InputError
from ..cells import Cells
from .grid import sort_into_cells

__all__ = ["cells"]

_EXACT = 2.0**53  # a cell's coordinate is computed in float64


def cells(X, low, width, n_cells=None):
    """Sort rows into cells; see ``primitives.cells.cells``."""
    keys, largest = np.zeros(len(X), np.int64), 0
    for f in range(X.shape[1]):
        place = _coordinates(X[:, f], low[f], width[f], None if n_cells is None else n_cells[f])
        first = 0 if n_cells is not None else int(place.min())
        extent = int(n_cells[f]) if n_cells is not None else int(place.max()) - first + 1
        if (largest + 1) * extent >= 2**62:
            # The rank of what came before says as much, and is below n.
            keys = np.unique(keys, return_inverse=True)[1].astype(np.int64)
            largest = int(keys.max())
            if (largest + 1) * extent >= 2**62:
                place, first = np.unique(place, return_inverse=True)[1].astype(np.int64), 0
                extent = int(place.max()) + 1
        keys *= extent
        keys += place - first
        largest = (largest + 1) * extent - 1
    found = sort_into_cells(keys, largest)
    some = X[found.order[found.starts[:-1]]]
    coords = np.empty(some.shape, np.int64)
    for f in range(X.shape[1]):
        coords[:, f] = _coordinates(some[:, f], low[f], width[f], None if n_cells is None else n_cells[f])
    return Cells(found.keys, found.starts, found.order, np.diff(found.starts), coords)


def _coordinates(values, low, width, n_cells):
    with np.errstate(over="ignore"):
        place = np.floor((values.astype(np.float64) - low) / width)
    if n_cells is not None:
        return np.clip(place, 0, n_cells - 1).astype(np.int64)
    if not (np.abs(place) < _EXACT).all():
        raise InputError(f"cells of width {width!r} are too small for values as large as {np.abs(values).max():.3g}")
    return place.astype(np.int64)
