"""Which rows may lie within a radius of some others, by a coarse grid: what it leaves out need not enter an index."""

from typing import NamedTuple

import numpy as np

__all__ = ["NearCells", "may_be_near", "near_cells"]

_MOST_CELLS = 1 << 20
_WIDER = 1.001  # a cell than the radius: so much that no rounding counts


class NearCells(NamedTuple):
    """Cells that hold some row or touch one that does; columns that would need too many cells are left out."""

    columns: np.ndarray  # (k,) int64
    low: np.ndarray  # (k,) float64
    per_unit: np.ndarray  # (k,) float64: cells in a unit of length
    near: np.ndarray  # (cells along each column) bool


def near_cells(rows: np.ndarray, reach: float) -> NearCells:
    """Note where some rows lie.

    Parameters
    ----------
    rows : (m, d) float array
        Finite, m >= 1.
    reach : float
        The radius, and a little more where rounding may let that pass for it.

    Returns
    -------
    NearCells
    """
    low = np.array([column.min() for column in rows.T], np.float64)
    with np.errstate(over="ignore", divide="ignore"):
        width = np.array([column.max() for column in rows.T], np.float64) - low
        per_unit = np.minimum(np.float64(1.0) / (_WIDER * reach), np.finfo(np.float64).max / 2)
        per_unit = np.where(width > 0, np.minimum(per_unit, _MOST_CELLS / width), per_unit)
    extent = np.where(np.isfinite(width), np.floor(width * per_unit) + 3, 1)  # one cell more on either side
    while extent.prod() > _MOST_CELLS:
        f = int(extent.argmax())
        per_unit[f] *= 0.5
        extent[f] = np.floor(width[f] * per_unit[f]) + 3 if extent[f] > 3 else 1
    columns = np.flatnonzero(extent > 1)
    shape = extent[columns].astype(np.int64)
    cells = NearCells(columns, low[columns], per_unit[columns], np.zeros(shape, bool))
    found = cells.near.reshape(-1)
    found[_places(cells, rows)[0]] = True
    for axis in range(len(columns)):
        along = np.moveaxis(cells.near, axis, 0)
        held = along.copy()
        along[1:] |= held[:-1]
        along[:-1] |= held[1:]
    return cells


def may_be_near(cells: NearCells | None, rows: np.ndarray) -> np.ndarray:
    """Return which rows may be within the radius of one of those that were noted: (m,) bool; all others are not."""
    if cells is None:
        return np.zeros(len(rows), bool)
    places, inside = _places(cells, rows)
    return inside & cells.near.reshape(-1)[places]


def _places(cells: NearCells, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the cell of each row, and whether it has one."""
    places, inside = np.zeros(len(rows), np.int64), np.ones(len(rows), bool)
    for f, low, per_unit, n in zip(cells.columns, cells.low, cells.per_unit, cells.near.shape, strict=True):
        with np.errstate(over="ignore"):
            place = (rows[:, f] - low) * per_unit  # float64, as low is
        np.floor(place, out=place)
        inside &= (place >= -1.0) & (place <= n - 2.0)
        np.clip(place, -1.0, n - 2.0, out=place)
        places *= n
        places += place.astype(np.int64)
        places += 1
    return places, inside
