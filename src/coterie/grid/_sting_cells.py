"""Statistics of STING's cells: what kind of distribution a cell holds, and how parents follow from children."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import chdtri, ndtr

from ..errors import InputError
from ..primitives.grid_cells import Grid
from ..primitives.grid_sums import BINS, CellSums, cell_moments

__all__ = ["DISTRIBUTIONS", "Cell", "Level", "fitted_kinds", "level_of", "merge_cells", "merged_kinds", "share_below"]

DISTRIBUTIONS = ("none", "normal", "uniform", "exponential")
"""Names of the kinds of distribution by their number."""

_LEAST_ROWS = 50  # fewer are not tested
_LEAST_EXPECTED = 5.0  # rows of a bin, or it is joined with the next
_SIGNIFICANCE = 0.05
_FITTED = 2  # numbers that each kind takes from the cell


class Cell(NamedTuple):
    """Statistics of one cell; each but ``n`` is a number, or an array with an entry for each attribute."""

    n: int  # rows
    mean: Any
    std: Any  # of the population
    min: Any
    max: Any
    dist: Any  # "normal", "uniform", "exponential" or "none"

    def __getitem__(self, key: Any) -> Any:
        """Return a part by its place or by its name."""
        return getattr(self, key) if isinstance(key, str) else tuple.__getitem__(self, key)


class Level(NamedTuple):
    """Statistics of the occupied cells of one level, in row-major order."""

    coords: np.ndarray  # (c, a) int32: place along each axis
    n: np.ndarray  # (c,) int64: rows
    mean: np.ndarray  # (c, m)
    std: np.ndarray  # (c, m)
    min: np.ndarray  # (c, m)
    max: np.ndarray  # (c, m)
    kind: np.ndarray  # (c, m) int8: index of DISTRIBUTIONS
    parent: np.ndarray  # (c,) int64: place of the parent on the level above; 0 for the root

    @property
    def dist(self) -> np.ndarray:
        """Return the names of the distributions, (c, m) str."""
        return np.array(DISTRIBUTIONS)[self.kind]

    def rows(self, cells: np.ndarray) -> "Level":
        """Return some of the cells."""
        return Level(*(part[cells] for part in self))

    def only(self) -> Cell:
        """Return the first cell by itself."""
        return Cell(int(self.n[0]), self.mean[0], self.std[0], self.min[0], self.max[0], self.dist[0])


def level_of(coords: np.ndarray, n: np.ndarray, sums: CellSums, grid: Grid, attributes: np.ndarray) -> Level:
    """Return a level of cells from their sums; kinds of distribution and parents are yet to be found."""
    mean, std = cell_moments(sums, n, grid, attributes)
    low, high = sums.extremes[:, :, 0], sums.extremes[:, :, 1]
    return Level(coords, n, mean, std, low, high, np.zeros(mean.shape, np.int8), np.zeros(len(n), np.int64))


def merge_cells(
    cells: Sequence[Any],
    *,
    threshold: float = 0.05,
    mean_tolerance: float = 0.05,
    std_tolerance: float = 0.25,
) -> Cell:
    """Return the statistics of a parent cell from those of its children, as STING defines them.

    Parameters
    ----------
    cells : sequence of Cell, mapping or tuple
        Children: n, mean, std, min, max, dist, by these names or in this order; names of distributions in any case. Each but n
        is a number, or one for each attribute. Children without rows count for nothing.
    threshold : float, default=0.05
        The parent has the distribution of most rows, unless more than this share of them contradicts.
    mean_tolerance : float, default=0.05
        Means agree that differ by no more than this share of the parent's.
    std_tolerance : float, default=0.25
        Deviations agree that differ by no more than this share of the parent's.

    Returns
    -------
    Cell
        Mean and deviation are merged by differences from the mean, so nothing cancels.

    Raises
    ------
    InputError
        If no child has rows, or a distribution has an unknown name.

    Examples
    --------
    >>> from coterie.grid import merge_cells
    >>> children = [
    ...     (100, 20.1, 2.3, 4.5, 36, "normal"), (50, 19.7, 2.2, 5.5, 34, "normal"),
    ...     (60, 21.0, 2.4, 3.8, 37, "normal"), (10, 20.5, 2.1, 7.0, 40, "none"),
    ... ]
    >>> parent = merge_cells(children)
    >>> parent.n, round(parent.mean, 2), round(parent.std, 2), parent.min, parent.max, parent.dist
    (220, 20.27, 2.35, 3.8, 40.0, 'normal')
    """
    children = [_cell(cell) for cell in cells]
    children = [cell for cell in children if cell.n > 0]
    if not children:
        raise InputError("merge_cells needs at least one cell that holds rows")
    n = np.array([cell.n for cell in children])
    mean, std, low, high = (
        np.array([np.atleast_1d(np.asarray(cell[i], np.float64)) for cell in children]) for i in range(1, 5)
    )
    kind = np.array([[_number(name) for name in np.atleast_1d(cell.dist).tolist()] for cell in children], np.int8)
    weight = n[:, None] / n.sum()
    merged_mean = (weight * mean).sum(axis=0)
    merged_std = np.sqrt((weight * (std**2 + (mean - merged_mean) ** 2)).sum(axis=0))
    merged = Level(
        np.zeros((1, 0)), n.sum()[None], merged_mean[None], merged_std[None],
        low.min(axis=0)[None], high.max(axis=0)[None], np.zeros((1, kind.shape[1]), np.int8), np.zeros(1, np.int64),
    )  # fmt: skip
    member = np.zeros(len(n), np.int64)
    below = Level(np.zeros((len(n), 0)), n, mean, std, low, high, np.broadcast_to(kind, mean.shape), member)
    names = np.array(DISTRIBUTIONS)[merged_kinds(below, merged, member, threshold, mean_tolerance, std_tolerance)[0]]
    parent = merged.only()._replace(dist=names)
    if np.ndim(children[0].mean) == 0:
        return Cell(parent.n, *[part[0].item() for part in parent[1:]])
    return parent


def merged_kinds(
    children: Level,
    parents: Level,
    member: np.ndarray,
    threshold: float = 0.05,
    mean_tolerance: float = 0.05,
    std_tolerance: float = 0.25,
) -> np.ndarray:
    """Return the kind of distribution of each parent and attribute, (p, m) int8; ``member`` is the parent of each child.

    The kind of most rows, unless the rows that contradict are too many: all of them where a child's mean or deviation does not
    agree with the parent's, else those of children of another kind.
    """
    n_parents, n_attributes = parents.mean.shape
    kinds = np.zeros((n_parents, n_attributes), np.int8)
    for j in range(n_attributes):
        held = np.zeros((n_parents, len(DISTRIBUTIONS)), np.int64)
        np.add.at(held, (member, children.kind[:, j]), children.n)
        most = held.argmax(axis=1)
        mean, std = parents.mean[member, j], parents.std[member, j]
        rounding = 1e-12 * np.maximum(np.abs(parents.min[member, j]), np.abs(parents.max[member, j]))
        agrees = (np.abs(children.mean[:, j] - mean) <= mean_tolerance * np.abs(mean) + rounding) & (
            np.abs(children.std[:, j] - std) <= std_tolerance * std + rounding
        )
        other = children.kind[:, j] != most[member]
        against = np.bincount(member, weights=np.where(agrees, other * children.n, np.inf), minlength=n_parents)
        kinds[:, j] = np.where(against > threshold * parents.n, 0, most)
    return kinds


def share_below(kind: int, x: Any, level: Level, j: int) -> np.ndarray:
    """Return the share of each cell's values of attribute ``j`` below ``x``, were they distributed as ``kind`` says."""
    mean, std, low, high = level.mean[:, j], level.std[:, j], level.min[:, j], level.max[:, j]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if kind == DISTRIBUTIONS.index("normal"):
            share = ndtr((x - mean) / std)
        elif kind == DISTRIBUTIONS.index("uniform"):
            share = (x - low) / (high - low)
        else:
            share = -np.expm1(-(x - low) / (mean - low))
    return np.clip(share, 0, 1)


def fitted_kinds(level: Level, bins: np.ndarray, low_edges: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Return the kind of distribution that fits each cell and attribute best, none where all are rejected.

    Parameters
    ----------
    level : Level
        Its kinds are not looked at.
    bins : (c, m, BINS) int64 array
        Rows of each bin.
    low_edges, widths : (c, m) float64 array
        Where the first bin begins, and how wide each is.

    Returns
    -------
    (c, m) int8 array
        By a chi-square test at 5% for each kind; cells of fewer than 50 rows, or of equal ones, have none.
    """
    kinds = np.zeros(level.mean.shape, np.int8)
    for j in range(level.mean.shape[1]):
        cells = np.flatnonzero((level.n >= _LEAST_ROWS) & (level.std[:, j] > 0))
        some = level.rows(cells)
        best = np.zeros(len(cells))
        edges = low_edges[cells, j][:, None] + widths[cells, j][:, None] * np.arange(1, BINS)
        for kind in range(1, len(DISTRIBUTIONS)):
            shares = np.stack([share_below(kind, edge, some, j) for edge in edges.T], axis=1)
            shares = np.diff(shares, axis=1, prepend=0.0, append=1.0)
            fit = _fit(bins[cells, j], shares * some.n[:, None])
            kinds[cells[fit > best], j] = kind
            best = np.maximum(best, fit)
    return kinds


def _fit(observed: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return how far below the limit of the test the statistic stays, 0 where it exceeds it; bins of few rows are joined."""
    total, n_bins = np.zeros(len(observed)), np.zeros(len(observed), np.int64)
    o, e = np.zeros(len(observed)), np.zeros(len(observed))
    left = expected.sum(axis=1)
    for b in range(observed.shape[1]):
        o, e, left = o + observed[:, b], e + expected[:, b], left - expected[:, b]
        full = (e >= _LEAST_EXPECTED) & ((left >= _LEAST_EXPECTED) | (b == observed.shape[1] - 1))
        total += np.where(full, (o - e) ** 2 / np.where(full, e, 1.0), 0.0)
        n_bins += full
        o, e = np.where(full, 0.0, o), np.where(full, 0.0, e)
    freedom = n_bins - 1 - _FITTED
    limit = chdtri(np.maximum(freedom, 1), _SIGNIFICANCE)
    return np.where((freedom >= 1) & (total <= limit), 1 + limit - total, 0.0) / limit


def _cell(cell: Any) -> Cell:
    if isinstance(cell, Mapping):
        return Cell(*(cell[name] for name in Cell._fields))
    return cell if isinstance(cell, Cell) else Cell(*cell)


def _number(name: str) -> int:
    if str(name).lower() not in DISTRIBUTIONS:
        raise InputError(f"a distribution is one of {', '.join(DISTRIBUTIONS)}, got {name!r}")
    return DISTRIBUTIONS.index(str(name).lower())
