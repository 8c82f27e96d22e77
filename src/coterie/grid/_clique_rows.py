"""What CLIQUE asks of rows: how many lie in an interval, in a unit, and in which cluster first.

Rows come as codes, feature by feature, in blocks; a callable begins a pass over them. A grid of few cells is counted once, and
its cells, with their weights, are the rows from then on.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ..arrays import is_tensor, like_input, to_numpy
from ..primitives.bitsets import first_containing, intersection_sizes, row_sets
from ..primitives.intervals import cell_numbers, cell_weights
from ._clique_clusters import UnitIndex
from ._clique_units import Items

__all__ = [
    "Blocks",
    "first_cluster",
    "full_units",
    "in_memory",
    "interval_weights",
    "unit_sizes",
]

Blocks = Callable[[], Iterable[tuple[Any, Any]]]
"""``blocks()`` begins a pass and gives (codes, weight or None) of one block after the other."""

_TABLE_CELLS = 1 << 22
_BLOCK_ROWS = 1 << 20


def in_memory(codes: Any, n_intervals: int) -> Blocks:
    """Return the passes over rows in memory: their cells where the grid has few, else the rows in blocks."""
    c, n = codes.shape
    if _is_table(c, n_intervals):
        numbers = cell_numbers(codes, n_intervals)
        found = cell_weights(numbers, n_intervals**c)
        cells = np.flatnonzero(found)
        return lambda: [(_places(cells, c, n_intervals), found[cells].astype(np.float64))]

    def blocks() -> Iterator[tuple[Any, Any]]:
        for start in range(0, n, _BLOCK_ROWS):
            yield codes[:, start : start + _BLOCK_ROWS], None

    return blocks


def interval_weights(blocks: Blocks, n_intervals: int) -> np.ndarray:
    """Return how many rows lie in each interval of each feature: (c, n_intervals)."""
    found: Any = 0
    for codes, weight in blocks():
        each = [cell_weights(cell_numbers(code[None], n_intervals), n_intervals, weight) for code in codes]
        found = found + np.array(each).reshape(len(codes), n_intervals)
    return found


def unit_sizes(blocks: Blocks, items: Items, members: np.ndarray) -> np.ndarray:
    """Return how many rows lie in each unit."""
    if not len(members):
        return np.zeros(0)
    # Intervals that are in no candidate need no set of their rows.
    used = np.unique(members)
    number = np.zeros(len(items.columns), np.int32)
    number[used] = np.arange(len(used))
    members = number[members]
    sizes = None
    for codes, weight in blocks():
        sets = row_sets(codes, items.columns[used], items.intervals[used])
        sizes = intersection_sizes(sets, members, weight, sizes)
    return np.zeros(len(members)) if sizes is None else sizes


def full_units(blocks: Blocks, items: Items, n_intervals: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the occupied cells of all features whose every interval is dense, as units in order, and their rows."""
    c = int(items.columns.max(initial=-1)) + 1
    number = np.full((c, n_intervals + 1), -1, np.int32)
    number[items.columns, items.intervals] = np.arange(len(items.columns))
    units, sizes = np.empty((0, c), np.int32), np.empty(0)
    for codes, weight in blocks():
        places = np.minimum(to_numpy(codes), n_intervals).astype(np.int64)
        if len(places) > c:  # a feature without a dense interval
            continue
        rows = np.stack([number[j, place] for j, place in enumerate(places)], axis=1)
        dense = (rows >= 0).all(axis=1)
        rows, add = rows[dense], np.ones(int(dense.sum())) if weight is None else np.asarray(weight)[dense]
        units, group = np.unique(np.concatenate([units, rows]), axis=0, return_inverse=True)
        sizes = np.bincount(group.ravel(), np.concatenate([sizes, add]), len(units)).astype(np.float64)
    return units, sizes


def first_cluster(codes: Any, index: UnitIndex, n_intervals: int) -> Any:
    """Return the first cluster of the index that holds each row, or -1: (n,) int64, of the engine of ``codes``."""
    c, n = codes.shape
    cluster = np.append(index.cluster, -1)  # units of no cluster are numbered -1
    if _is_table(c, n_intervals):
        numbers = cell_numbers(codes, n_intervals)
        cells = np.flatnonzero(cell_weights(numbers, n_intervals**c))
        table = np.full(n_intervals**c + 1, -1)
        table[cells] = cluster[first_containing(index.sets(_places(cells, c, n_intervals)), index.members)]
        return like_input(table, codes)[_as_index(numbers)]
    found = like_input(np.full(n, -1), codes)
    for start in range(0, n, _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        first = first_containing(index.sets(codes[:, rows]), index.members)
        found[rows] = like_input(cluster, codes)[_as_index(first)]
    return found


def _is_table(c: int, n_intervals: int) -> bool:
    return n_intervals**c <= _TABLE_CELLS


def _places(cells: np.ndarray, c: int, n_intervals: int) -> np.ndarray:
    """Return cells by their row-major numbers as codes (c, m)."""
    codes = np.empty((c, len(cells)), np.uint16)
    for j in range(c - 1, -1, -1):
        cells, codes[j] = np.divmod(cells, n_intervals)
    return codes


def _as_index(numbers: Any) -> Any:
    return numbers.long() if is_tensor(numbers) else numbers
