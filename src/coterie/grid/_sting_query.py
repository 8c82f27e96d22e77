"""Questions to STING's hierarchy: regions where attributes lie in given ranges, and the statistics of a box."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.special import ndtri

from ..errors import InputError
from ..primitives.grid_components import cell_components
from ..primitives.grid_sums import CellSums, sum_groups
from ._sting_cells import DISTRIBUTIONS, Cell, Level, level_of, merged_kinds, share_below

__all__ = ["Answer", "QueryMixin"]


class Answer(NamedTuple):
    """The relevant bottom cells of a query, in row-major order."""

    coords: np.ndarray  # (r, a) int32: place along each axis
    regions: np.ndarray  # (r,) int64: number of the region; the cells of one touch
    n: np.ndarray  # (r,) int64: rows
    low: np.ndarray  # (r, a): low corner
    high: np.ndarray  # (r, a): high corner
    shares: np.ndarray  # (r, conditions): estimated share of the rows that meet each condition
    visited: tuple[int, ...]  # cells looked at on each level, from the root


class QueryMixin:
    """What can be asked of a fitted STING."""

    if TYPE_CHECKING:
        confidence: float
        min_points_: float
        n_features_in_: int
        box_: np.ndarray
        n_cells_: np.ndarray
        _axes: np.ndarray
        _attributes: np.ndarray
        _columns: Any
        _grid: Any
        _state: Any
        _touching: Any

        @property
        def levels_(self) -> tuple[Level, ...]: ...

    def query(
        self,
        ranges: Mapping[Any, tuple] | None = None,
        *,
        share: float = 0.5,
        density: float | None = None,
        region: tuple[Any, Any] | None = None,
        confidence: float | None = None,
        connectivity: str | None = None,
        pruning: str = "safe",
    ) -> Answer:
        """Find the regions of cells where attributes lie in given ranges.

        Parameters
        ----------
        ranges : mapping, optional
            For each attribute asked for (number or name of its column), a pair (low, high), closed; None is an open end. All must
            be met.
        share : float, default=0.5
            Least share of a cell's rows within each range.
        density : float, optional
            Least number of rows per unit of area (volume) of a bottom cell; by default ``min_points_`` in one cell.
        region : (low, high), optional
            Only bottom cells whose center lies in this box of the axes.
        confidence : float, optional
            By default that of the estimator. A cell is relevant if the upper end of the interval of its share reaches ``share``.
        connectivity : {"face", "full"}, optional
            By default that of the clusters.
        pruning : {"safe", "paper"}, default="safe"
            When not to look below a cell: "safe" when fewer of its rows than one relevant bottom cell needs can meet the ranges;
            "paper" when its own share does not suffice, which overlooks a small hot spot in a large cold cell.

        Returns
        -------
        Answer

        Raises
        ------
        InputError
            If a column is no attribute, or a range is empty.
        """
        conditions = [(self._attribute(column), *_range(bounds)) for column, bounds in (ranges or {}).items()]
        if pruning not in ("safe", "paper"):
            raise InputError(f"pruning must be 'safe' or 'paper', got {pruning!r}")
        levels = self.levels_
        z = float(ndtri(0.5 + (self.confidence if confidence is None else confidence) / 2))
        least = self.min_points_ if density is None else density * float(np.prod(self._widths()[self._widths() > 0]))
        wanted = self._centers_within(region)
        cells, visited = np.arange(len(levels[0].n)), []
        for number, level in enumerate(levels):
            visited.append(len(cells))
            bottom = number == len(levels) - 1
            here = level.rows(cells)
            uppers = [_share(here, *condition, z)[1] for condition in conditions]
            if bottom or pruning == "paper":
                relevant = np.logical_and.reduce([upper >= share for upper in uppers], axis=0, initial=True)
            else:
                relevant = np.logical_and.reduce(
                    [_may_hold(upper, here.n, share, least) for upper in uppers], initial=True
                )
            relevant = relevant & (here.n >= (least if bottom or pruning == "safe" else 1))
            relevant &= _touches(here.coords, len(levels) - 1 - number, wanted)
            cells = cells[relevant]
            if not bottom:
                cells = _children(cells, len(level.n), levels[number + 1])
        found = levels[-1].rows(cells)
        full = self._touching() if connectivity is None else connectivity == "full"
        low, high = self._corners(found.coords)
        shares = [_share(found, *condition, z)[0] for condition in conditions]
        return Answer(
            found.coords, cell_components(found.coords, full=full), found.n, low, high,
            np.stack(shares, axis=1) if shares else np.empty((len(cells), 0)), tuple(visited),
        )  # fmt: skip

    def region(self, low: Any, high: Any) -> Cell:
        """Return the statistics of the rows of a box of the axes, to the accuracy of a bottom cell.

        Parameters
        ----------
        low, high : (a,) array, or float
            Corners; -inf and inf are open ends. Bottom cells belong whose center lies between.

        Returns
        -------
        Cell
            Mean and deviation are not numbers where no row lies. The distribution is that of the merged cells.
        """
        first, last = self._centers_within((low, high))
        bottom = self.levels_[-1]
        inside = np.flatnonzero(((bottom.coords >= first) & (bottom.coords <= last)).all(axis=1))
        m = bottom.mean.shape[1]
        if len(inside) == 0:
            nothing = np.full(m, np.nan)
            return Cell(0, nothing, nothing, nothing, nothing, np.full(m, "none"))
        return self._merged(inside)

    def _merged(self, cells: np.ndarray) -> Cell:
        """Return the statistics of some bottom cells together, from their exact sums."""
        below = self.levels_[-1].rows(cells)
        member = np.zeros(len(cells), np.int64)
        sums = sum_groups(CellSums(*(part[cells] for part in self._state().sums)), member, 1)
        level = level_of(below.coords[:1], below.n.sum()[None], sums, self._grid(), self._attributes)
        return level._replace(kind=merged_kinds(below, level, member)).only()

    def _attribute(self, column: Any) -> int:
        """Return the place of a column among the attributes."""
        number = int(self._columns([column], "ranges", self.n_features_in_)[0])
        found = np.flatnonzero(self._attributes == number)
        if len(found) == 0:
            raise InputError(f"column {column!r} is no attribute; name it in attributes= and fit again")
        return int(found[0])

    def _widths(self) -> np.ndarray:
        """Return the sides of a bottom cell."""
        low, high = self.box_[:, self._axes]
        return high / self.n_cells_ - low / self.n_cells_

    def _corners(self, coords: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low = self.box_[0, self._axes] + coords * self._widths()
        return low, low + self._widths()

    def _centers_within(self, region: tuple[Any, Any] | None) -> tuple[np.ndarray, np.ndarray]:
        """Return the least and the greatest coordinates of cells whose center lies in the box."""
        n_axes = len(self._axes)
        if region is None:
            return np.zeros(n_axes, np.int64), self.n_cells_ - 1
        low, high = (np.broadcast_to(np.asarray(corner, np.float64), n_axes) for corner in region)
        if np.isnan(low).any() or np.isnan(high).any():
            raise InputError("the corners of a region must be numbers; -inf and inf are open ends")
        first, last = np.zeros(n_axes, np.int64), np.zeros(n_axes, np.int64)
        for a in range(n_axes):
            below, above = self._corners(np.arange(self.n_cells_[a])[:, None] * np.eye(n_axes, dtype=np.int64)[a])
            centers = below[:, a] / 2 + above[:, a] / 2
            first[a] = np.searchsorted(centers, low[a], side="left")
            last[a] = np.searchsorted(centers, high[a], side="right") - 1
        return first, last


def _range(bounds: tuple) -> tuple[float, float]:
    low, high = bounds
    low, high = -np.inf if low is None else float(low), np.inf if high is None else float(high)
    if not low <= high:
        raise InputError(f"a range must be (low, high) with low <= high, got {bounds!r}")
    return low, high


def _touches(coords: np.ndarray, shift: int, wanted: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Say which cells of a level hold wanted bottom cells."""
    first, last = wanted
    within = (coords >= first >> shift) & (coords <= last >> shift)
    return np.logical_and.reduce(within, axis=1) & bool((first <= last).all())


def _may_hold(upper: np.ndarray, n: np.ndarray, share: float, least: float) -> np.ndarray:
    """Say which cells may hold as many fitting rows as one relevant bottom cell needs."""
    return upper * n >= share * max(least, 1.0)


def _share(level: Level, j: int, low: float, high: float, z: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the estimated share of each cell's rows within the range, and the upper end of its interval."""
    estimate, upper = _bounds(level, j, low, high)
    for kind in range(1, len(DISTRIBUTIONS)):
        cells = np.flatnonzero(level.kind[:, j] == kind)
        some = level.rows(cells)
        p = np.clip(share_below(kind, high, some, j) - share_below(kind, low, some, j), 0, 1)
        estimate[cells], upper[cells] = p, p + z * np.sqrt(p * (1 - p) / some.n)
    inside = (level.min[:, j] >= low) & (level.max[:, j] <= high)
    outside = (level.max[:, j] < low) | (level.min[:, j] > high)
    certain = inside | outside
    return np.where(certain, inside, estimate), np.where(certain, inside, np.minimum(upper, 1.0))


def _bounds(level: Level, j: int, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the middle and the upper one of the bounds that hold for any distribution: Cantelli's and Markov's inequality."""
    below = _tail(level.mean[:, j] - low, level.std[:, j], level.max[:, j] - level.mean[:, j])
    above = _tail(high - level.mean[:, j], level.std[:, j], level.mean[:, j] - level.min[:, j])
    left = _tail(low - level.mean[:, j], level.std[:, j], level.mean[:, j] - level.min[:, j])
    right = _tail(level.mean[:, j] - high, level.std[:, j], level.max[:, j] - level.mean[:, j])
    upper = np.minimum(left, right)
    lower = np.clip(1 - below - above, 0, upper)
    return (lower + upper) / 2, upper


def _tail(distance: np.ndarray, std: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Bound the share of values at least ``distance`` from the mean on one side; ``room`` is how far the other side reaches."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        cantelli = 1 / (1 + (distance / std) ** 2)
        markov = room / (room + distance)
    return np.where(distance > 0, np.minimum(np.nan_to_num(cantelli, nan=0.0), np.nan_to_num(markov, nan=0.0)), 1.0)


def _children(parents: np.ndarray, n_parents: int, level: Level) -> np.ndarray:
    """Return the cells of a level whose parents were kept."""
    kept = np.zeros(n_parents, bool)
    kept[parents] = True
    return np.flatnonzero(kept[level.parent])
