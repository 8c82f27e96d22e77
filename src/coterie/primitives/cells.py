"""Rows by the cell of a regular grid: only occupied cells exist, so memory is O(n) in any number of dimensions."""

from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from .engine import engine_of

__all__ = ["Cells", "cells"]


class Cells(NamedTuple):
    """The occupied cells of a grid in row-major order, and the rows by cell."""

    keys: Any  # (c,) int64 ascending; numbers of the cells in the whole grid where its size is given and below 2^62
    starts: Any  # (c + 1,) int64: rows of cell i are order[starts[i]:starts[i + 1]]
    order: Any  # (n,) int64: ascending within a cell
    counts: Any  # (c,) int64: rows of each cell
    coords: Any  # (c, d) int64: place of each cell along each dimension


def cells(X: Any, low: Any, width: Any, n_cells: Any = None) -> Cells:
    """Sort rows into the cells of a regular grid.

    Parameters
    ----------
    X : (n, d) float array, n >= 1
        Finite rows.
    low : float or (d,) array
        Where the cell with coordinate 0 begins.
    width : float or (d,) array
        Side of a cell, above 0.
    n_cells : int or (d,) array, optional
        Cells along each dimension: rows outside go to the first or last cell, so the upper edge belongs to the last. By
        default the grid has no end.

    Returns
    -------
    Cells
        ``coords`` and ``counts`` of blocks of rows can be merged: equal coordinates are the same cell in every block.

    Raises
    ------
    InputError
        If a width is not above 0, or so small that a coordinate is no exact number.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.cells import cells
    >>> found = cells(np.array([[0.1], [2.5], [0.9]]), 0.0, 1.0)
    >>> found.coords.ravel(), found.counts
    (array([0, 2]), array([2, 1]))
    """
    d = X.shape[1]
    low, width = (np.broadcast_to(np.asarray(value, np.float64), (d,)) for value in (low, width))
    if not (width > 0).all():
        raise InputError(f"the width of a cell must be above 0, got {width.min()!r}")
    if n_cells is not None:
        n_cells = np.broadcast_to(np.asarray(n_cells, np.int64), (d,))
        if (n_cells < 1).any():
            raise InputError(f"a grid needs at least one cell along each dimension, got {n_cells.min()}")
    return engine_of(X, "cells").cells(X, low, width, n_cells)
