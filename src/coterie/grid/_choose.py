"""Cells and threshold chosen from the data: what its neighbours in the list of choices agree with most.

A grid that is too coarse joins everything, one too fine leaves crumbs, and in between there is a range in which the same groups
come back whichever grid is taken. For a list of widths (each half the next) and of thresholds, the rows are labelled by cells;
a choice counts by the mean agreement (adjusted Rand index) with the next finer, coarser, stricter and laxer ones, times the
share of rows that lie in clusters. Only counts of cells are looked at, so it costs no more for many rows than for few.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..primitives.grid_cells import CellCounts, coarser, group_cells

__all__ = ["SHARES", "Choice", "finest_cells", "most_agreed", "typical_value"]

SHARES = (0.0, 0.15, 0.3, 0.45, 0.6, 0.8)
"""Thresholds, as shares of the value of the cell in which the median row lies."""

_ROWS_PER_CELL = 0.2  # of the finest grid, counted over all its cells
_MOST_CELLS = 2**16  # finer grids of millions of rows were tried: they cost more and chose the same
_SMALL_SHARE, _SMALL_ROWS = 0.02, 5  # smaller groups say nothing about structure,
_SMALL_DEVIATIONS = 2  # but many rows may be many groups: this many deviations of a count of all rows are enough

LabelCells = Callable[[CellCounts, int], list[tuple[float, np.ndarray]]]


class Choice(NamedTuple):
    """How much wider than the finest the cells are, and the threshold."""

    shift: int
    threshold: float


def finest_cells(n: int, n_axes: int) -> int:
    """Return the power of two into which each axis is divided at most."""
    each = min(max(n / _ROWS_PER_CELL, 1.0), _MOST_CELLS) ** (1 / max(n_axes, 1))
    return 2 ** max(3, int(np.ceil(np.log2(each) - 1e-9)))


def typical_value(values: np.ndarray, counts: np.ndarray) -> float:
    """Return the value of the cell in which the median row lies; ``counts`` are the rows of each cell."""
    order = np.argsort(values, kind="stable")
    rows = np.cumsum(counts[order])
    return float(values[order][np.searchsorted(rows, rows[-1] / 2)])


def most_agreed(cells: CellCounts, shifts: Sequence[int], label: LabelCells, allowed: int | None = None) -> Choice:
    """Return the choice that its neighbours agree with most.

    Parameters
    ----------
    cells : CellCounts
        The finest cells, at least one.
    shifts : sequence of int
        Widths to look at: cells 2^shift times as wide.
    label : callable
        Gives for cells of one width (and its shift) a list of (threshold, labels), the thresholds ascending; labels are (c,) int64, -1 in none.
    allowed : int, optional
        The only width to choose from; the others are there to be compared with.

    Returns
    -------
    Choice
        Where no choice gives two groups, the one whose largest group is largest, coarse ones first.
    """
    found: dict[tuple[int, int], Choice] = {}
    labelings: dict[tuple[int, int], np.ndarray] = {}
    for shift in shifts:
        member = group_cells(cells.coords >> shift)[1]
        for j, (threshold, labels) in enumerate(label(coarser(cells, shift), shift)):
            found[shift, j], labelings[shift, j] = Choice(shift, threshold), labels[member]
    trimmed = {key: _without_crumbs(labels, cells.counts) for key, labels in labelings.items()}
    worth = {
        key: _worth(key, trimmed, labelings[key], cells.counts)
        for key in sorted(found, key=lambda key: (-key[0], key[1]))
        if allowed in (None, key[0])
    }
    return found[max(worth, key=worth.__getitem__)]


def _worth(key: tuple[int, int], trimmed: dict, labels: np.ndarray, counts: np.ndarray) -> tuple[float, float]:
    """Return what a choice counts, and the rows of its largest group where it has not two."""
    steps = [(key[0] + i, key[1] + j) for i, j in ((1, 0), (-1, 0), (0, 1), (0, -1))]
    agreements = [_agreement(trimmed[key], trimmed[step], counts) for step in steps if step in trimmed]
    sizes = np.bincount(trimmed[key] + 1, weights=counts, minlength=2)[1:]
    mean = float(np.mean(agreements)) if agreements else 1.0
    largest = float(np.bincount(labels + 1, weights=counts, minlength=2)[1:].max())
    return (mean * sizes.sum() if len(sizes) > 1 else 0.0, largest)


def _without_crumbs(labels: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Number the groups that are large enough, -1 for the rest."""
    rows = np.bincount(labels + 1, weights=counts, minlength=1)
    rows[0] = 0
    n = counts.sum()
    large = rows >= max(_SMALL_ROWS, min(_SMALL_SHARE * n, _SMALL_DEVIATIONS * np.sqrt(n)))
    return np.where(large, np.cumsum(large) - 1, -1)[labels + 1]


def _agreement(a: np.ndarray, b: np.ndarray, counts: np.ndarray) -> float:
    """Return the adjusted Rand index of two labelings of cells that count as their rows; -1 is a group like others."""
    width = int(b.max(initial=-1)) + 2
    height = int(a.max(initial=-1)) + 2
    table = np.bincount((a + 1) * width + b + 1, weights=counts, minlength=width * height).reshape(height, width)
    pairs, of_a, of_b = (float((part * (part - 1)).sum()) for part in (table, table.sum(axis=1), table.sum(axis=0)))
    total = float(table.sum() * (table.sum() - 1))
    expected = of_a * of_b / total if total > 0 else 0.0
    most = (of_a + of_b) / 2
    return (pairs - expected) / (most - expected) if most != expected else 1.0
