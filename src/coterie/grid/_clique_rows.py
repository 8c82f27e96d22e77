"""What CLIQUE asks of rows: how many lie in an interval, in a unit, and in which cluster first.

Rows come as codes, feature by feature, in blocks; a callable begins a pass over them. A grid of few cells is counted once, and
its cells, with their weights, are the rows from then on.
"""

from collections.abc import Callable, Iterator
from functools import partial, reduce
from typing import Any

import numpy as np

from ..arrays import is_tensor, like_input, to_numpy
from ..errors import ResourceError
from ..primitives.bitsets import first_containing, intersection_sizes, row_sets
from ..primitives.blocks import fold_blocks, is_block_rows, room_for, says
from ..primitives.grid_cells import group_cells
from ..primitives.intervals import cell_numbers, cell_weights
from ._clique_clusters import UnitIndex
from ._clique_units import Items

__all__ = [
    "Blocks",
    "first_cluster",
    "full_units",
    "interval_weights",
    "numbered_clusters",
    "passes_over",
    "unit_sizes",
]

Blocks = Any
"""Rows in blocks as codes; or a callable that begins a pass and gives (codes, weight or None) of one block after the other."""

_TABLE_CELLS = 1 << 22
_BLOCK_ROWS = 1 << 20
_LATEST = np.iinfo(np.int64).max


def passes_over(codes: Any, n_intervals: int) -> Blocks:
    """Return the passes over rows: their cells where the grid has few, else the rows in blocks."""
    c, n = codes.shape
    if _is_table(c, n_intervals):
        rows = codes if is_block_rows(codes) else lambda: [(codes, None)]
        cells, weights = _summed(rows, _occupied, _merged_cells, n_intervals)
        return lambda: [(_places(cells, c, n_intervals), weights.astype(np.float64))]
    if is_block_rows(codes):
        return codes

    def blocks() -> Iterator[tuple[Any, Any]]:
        for start in range(0, n, _BLOCK_ROWS):
            yield codes[:, start : start + _BLOCK_ROWS], None

    return blocks


def interval_weights(blocks: Blocks, n_intervals: int) -> np.ndarray:
    """Return how many rows lie in each interval of each feature: (c, n_intervals)."""
    return _summed(blocks, _interval_weights, np.add, n_intervals)


def unit_sizes(blocks: Blocks, items: Items, members: np.ndarray) -> np.ndarray:
    """Return how many rows lie in each unit."""
    if not len(members):
        return np.zeros(0)
    # Intervals that are in no candidate need no set of their rows.
    used = np.unique(members)
    number = np.zeros(len(items.columns), np.int32)
    number[used] = np.arange(len(used))
    return _summed(blocks, _unit_sizes, np.add, items.columns[used], items.intervals[used], number[members])


def full_units(blocks: Blocks, items: Items, n_intervals: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the occupied cells of all features whose every interval is dense, as units in order, and their rows.

    Raises
    ------
    ResourceError
        If there are more of them than a worker has room for, with rows in blocks.
    """
    c = int(items.columns.max(initial=-1)) + 1
    number = np.full((c, n_intervals + 1), -1, np.int32)
    number[items.columns, items.intervals] = np.arange(len(items.columns))
    most = room_for(blocks, 4 * c + 8) if is_block_rows(blocks) else None
    return _summed(blocks, _full_units, partial(_merged_units, most), number)


def numbered_clusters(codes: Any, index: UnitIndex, n_intervals: int, n_clusters: int) -> tuple[np.ndarray, np.ndarray]:
    """Number the clusters that are the first of some rows in blocks, by the first of these rows.

    Returns
    -------
    clusters, labels : int64 arrays
        Numbers of the clusters, and their labels.
    """
    first = fold_blocks(codes, _first_rows, np.minimum, index, n_intervals, n_clusters)
    found = np.argsort(first, kind="stable")[: np.count_nonzero(first < _LATEST)]
    return found, np.arange(len(found))


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


def _summed(blocks: Blocks, function: Callable, merge: Callable, *arguments: Any) -> Any:
    """Merge ``function(codes, weight, *arguments)`` of all blocks."""
    if is_block_rows(blocks):
        return fold_blocks(blocks, _of_block, merge, function, *arguments)
    return reduce(merge, (function(codes, weight, *arguments) for codes, weight in blocks()))


@says("counting units, level {}")
def _of_block(block: Any, function: Callable, *arguments: Any) -> Any:
    return function(_codes_of(block), None, *arguments)


def _codes_of(block: Any) -> Any:
    codes = block.rows
    return codes if is_tensor(codes) else codes.astype(np.uint16, copy=False)


def _interval_weights(codes: Any, weight: Any, n_intervals: int) -> np.ndarray:
    each = [cell_weights(cell_numbers(code[None], n_intervals), n_intervals, weight) for code in codes]
    return np.array(each).reshape(len(codes), n_intervals)


def _unit_sizes(codes: Any, weight: Any, columns: np.ndarray, intervals: np.ndarray, members: np.ndarray) -> np.ndarray:
    sizes = None
    for start in range(0, codes.shape[1], _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        sets = row_sets(codes[:, rows], columns, intervals)
        sizes = intersection_sizes(sets, members, None if weight is None else weight[rows], sizes)
    return np.zeros(len(members), np.int64) if sizes is None else sizes


def _occupied(codes: Any, weight: None, n_intervals: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the cells that hold rows, and how many."""
    counts = cell_weights(cell_numbers(codes, n_intervals), n_intervals ** codes.shape[0])
    cells = np.flatnonzero(counts)
    return cells, counts[cells]


def _merged_cells(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    cells, member = group_cells(np.concatenate([a[0], b[0]])[:, None])
    counts = np.zeros(len(cells), np.int64)
    np.add.at(counts, member, np.concatenate([a[1], b[1]]))
    return cells[:, 0], counts


def _full_units(codes: Any, weight: Any, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    places = np.minimum(to_numpy(codes), number.shape[1] - 1).astype(np.int64)
    if len(places) > len(number):  # a feature without a dense interval
        return np.empty((0, len(number)), np.int32), np.empty(0)
    rows = np.stack([number[j, place] for j, place in enumerate(places)], axis=1)
    dense = (rows >= 0).all(axis=1)
    add = np.ones(int(dense.sum())) if weight is None else np.asarray(weight, np.float64)[dense]
    return _distinct_units(rows[dense], add)


def _merged_units(most: int | None, a: tuple, b: tuple) -> tuple[np.ndarray, np.ndarray]:
    units, sizes = _distinct_units(np.concatenate([a[0], b[0]]), np.concatenate([a[1], b[1]]))
    if most is not None and len(units) > most:
        raise ResourceError(
            f"{len(units):,} cells of dense intervals are occupied already and a worker has room for {most:,}; lower n_intervals, raise "
            "density_threshold, or give workers more memory"
        )
    return units, sizes


def _distinct_units(units: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    distinct, group = np.unique(units, axis=0, return_inverse=True)
    return distinct, np.bincount(group.ravel(), weights, len(distinct)).astype(np.float64)


@says("clusters of the rows")
def _first_rows(block: Any, index: UnitIndex, n_intervals: int, n_clusters: int) -> np.ndarray:
    """Return for each cluster the number of the first row that it is the first cluster of."""
    cluster = to_numpy(first_cluster(_codes_of(block), index, n_intervals))
    rows = np.flatnonzero(cluster >= 0)
    first = np.full(n_clusters, _LATEST)
    np.minimum.at(first, cluster[rows], rows + block.start)
    return first
