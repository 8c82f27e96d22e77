"""Which rows may lie within a radius of some others, by cells: what they leave out need not enter an index.

The cells that hold a row, and those next to them, are marked in a table by a hash of their places. Two cells may share a mark: then a row
too many is said to be near, never one too few.
"""

import itertools
from typing import NamedTuple

import numpy as np

__all__ = ["NearCells", "apart_from", "may_be_near", "near_cells"]

_MOST_MARKS = 1 << 22
_MOST_COLUMNS = 4  # a cell has 3^columns - 1 next to it
_FARTHEST = 2.0**40  # cells along a column
_SPARSE = 4  # places of the table for each mark
_NOTHING = np.empty(0, np.int32)
_WIDER = 1.001  # a cell than the radius: so much that no rounding counts
# Odd, without a pattern (the golden ratio, and hash constants of Steele and Vigna): the hash of a neighbour is that of the cell plus a constant.
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xD1342543DE82EF95, 0xAF251AF3B0F025B5, 0xF1357AEA2E62A9C5], np.uint64)


class NearCells(NamedTuple):
    """Marked cells; of the columns, those along which rows spread over most cells."""

    columns: np.ndarray  # (k,) int64
    low: np.ndarray  # (k,) float64
    per_unit: np.ndarray  # (k,) float64: cells in a unit of length
    last_place: np.ndarray  # (k,) float64
    shift: np.uint64  # of a key, which leaves its place in the table
    least: np.ndarray | None  # (marks,) int32: the first of the sets of rows there; None where sets do not matter
    last: np.ndarray  # (marks,) int32: the last, -1 where there is none


def near_cells(rows: np.ndarray, reach: float, sets: np.ndarray | None = None) -> NearCells | None:
    """Note where some rows lie.

    Parameters
    ----------
    rows : (m, d) float array
        Finite.
    reach : float
        The radius, and a little more where rounding may let that pass for it.
    sets : (m,) int array, optional
        The set that each row belongs to, 0 or more.

    Returns
    -------
    NearCells or None
        None where there are no rows.
    """
    if not len(rows):
        return None
    low = np.array([column.min() for column in rows.T], np.float64)
    with np.errstate(over="ignore", divide="ignore"):
        width = np.array([column.max() for column in rows.T], np.float64) - low
        per_unit = np.minimum(np.float64(1.0) / (_WIDER * reach), np.finfo(np.float64).max / 2)
        per_unit = np.where(width > 0, np.minimum(per_unit, _FARTHEST / width), per_unit)
    spread = np.where(np.isfinite(width), width * per_unit, -1.0)
    columns = np.sort(np.argsort(-spread, kind="stable")[: min(_MOST_COLUMNS, int((spread >= 0).sum()))])
    low, width, per_unit = low[columns], width[columns], per_unit[columns]
    steps = list(itertools.product((-1, 0, 1), repeat=len(columns)))
    while True:
        cells = NearCells(columns, low, per_unit, np.floor(width * per_unit), np.uint64(0), None, _NOTHING)
        keys, order, starts = _distinct(_keys(cells, rows)[0])
        if len(keys) * len(steps) <= _MOST_MARKS or not cells.last_place.any():
            break
        per_unit = per_unit / 2
    bits = (min(_MOST_MARKS, _SPARSE * len(keys) * len(steps)) - 1).bit_length()
    cells = cells._replace(shift=np.uint64(64 - bits), last=np.full(1 << bits, -1, np.int32))
    if sets is not None:
        of_keys = sets[order].astype(np.int32)
        first, last = np.minimum.reduceat(of_keys, starts), np.maximum.reduceat(of_keys, starts)
        cells = cells._replace(least=np.full(1 << bits, np.iinfo(np.int32).max, np.int32))
    for step in steps:
        at = _places(
            cells, keys + (np.array(step, np.int64).astype(np.uint64) * _FACTORS[: len(step)]).sum(dtype=np.uint64)
        )
        if cells.least is None:
            cells.last[at] = 0
        else:
            np.minimum.at(cells.least, at, first)
            np.maximum.at(cells.last, at, last)
    return cells


def may_be_near(cells: NearCells | None, rows: np.ndarray) -> np.ndarray:
    """Return which rows may be within the radius of one of those that were noted: (m,) bool; all others are not."""
    if cells is None:
        return np.zeros(len(rows), bool)
    keys, inside = _keys(cells, rows)
    return inside & (cells.last[_places(cells, keys)] >= 0)


def apart_from(cells: NearCells | None, rows: np.ndarray, sets: np.ndarray) -> np.ndarray:
    """Return which rows may be within the radius of a row of another set: (m,) bool; all others are not."""
    if cells is None or cells.least is None:
        return np.zeros(len(rows), bool)
    keys, inside = _keys(cells, rows)
    at = _places(cells, keys)
    last = cells.last[at]
    return inside & (last >= 0) & ((cells.least[at] != sets) | (last != sets))


def _keys(cells: NearCells, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the key of the cell of each row, and which rows lie in a cell that can be marked."""
    keys, inside = np.zeros(len(rows), np.uint64), np.ones(len(rows), bool)
    for f, low, per_unit, most, factor in zip(
        cells.columns, cells.low, cells.per_unit, cells.last_place + 1.0, _FACTORS, strict=False
    ):
        with np.errstate(over="ignore"):
            place = (rows[:, f] - low) * per_unit  # float64, as low is
        np.floor(place, out=place)
        inside &= (place >= -1.0) & (place <= most)
        np.clip(place, -1.0, most, out=place)
        keys += place.astype(np.int64).astype(np.uint64) * factor
    return keys, inside


def _places(cells: NearCells, keys: np.ndarray) -> np.ndarray:
    return (keys >> cells.shift).astype(np.int64)


def _distinct(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return keys, once each, the order that sorts all, and where each begins in that."""
    order = np.argsort(keys)
    ascending = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], ascending[1:] != ascending[:-1]]))
    return ascending[starts], order, starts
