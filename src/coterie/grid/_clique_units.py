"""Dense units of CLIQUE, level by level: which combinations of intervals can be dense, which are kept, which touch.

A *unit* is a cell of some of the features, written as the numbers of its *items*; an item is one dense interval of one feature.
All steps look at units only, never at rows.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..errors import ResourceError

__all__ = ["Items", "Level", "candidates", "first_level", "kept_subspaces", "touching", "well_covered"]

_SEED = 20
_PAIRS = 1 << 22  # numbers at a time in the search for the shortest code


class Items(NamedTuple):
    """The dense intervals, ordered by feature and place."""

    columns: np.ndarray  # (s,) int64
    intervals: np.ndarray  # (s,) int64
    following: np.ndarray  # (s,) int64: item of the next interval of the same feature, -1 none


class Level(NamedTuple):
    """The dense units of one number of features, in order of their items, and how to find one."""

    units: np.ndarray  # (u, k) int32 items, ascending in a unit
    weights: np.ndarray  # (u,) rows
    keys: np.ndarray  # (s,) uint64 of the items: a unit is known by the sum of those of its items
    sums: np.ndarray  # (u,) uint64, no two equal
    order: np.ndarray  # (u,) int64: the units by sum

    @classmethod
    def of(cls, units: np.ndarray, weights: np.ndarray, n_items: int) -> "Level":
        """Index units that are already in order."""
        for seed in range(_SEED, 2**31):
            keys = np.random.default_rng(seed).integers(0, 2**64, n_items, dtype=np.uint64)
            sums = _add_up(keys, units)
            order = np.argsort(sums)
            if not (np.diff(sums[order]) == 0).any():
                return cls(units, weights, keys, sums, order)
        raise AssertionError("no keys tell the units apart")

    def keep(self, which: np.ndarray) -> "Level":
        """Return the level with some of its units only."""
        return Level.of(self.units[which], self.weights[which], len(self.keys))

    def find(self, units: np.ndarray, sums: np.ndarray) -> np.ndarray:
        """Return the number of each of the given units, with the sums of their keys, in this level, or -1."""
        if not len(self.units):
            return np.full(len(units), -1)
        place = np.searchsorted(self.sums, sums, sorter=self.order)
        found = self.order[np.minimum(place, len(self.order) - 1)]
        # Equal sums are no proof: the units themselves are compared.
        likely = np.flatnonzero(self.sums[found] == sums)
        same = likely[(self.units[found[likely]] == units[likely]).all(axis=1)]
        number = np.full(len(units), -1)
        number[same] = found[same]
        return number


def _add_up(keys: np.ndarray, units: np.ndarray) -> np.ndarray:
    sums = np.zeros(len(units), np.uint64)
    for column in units.T:
        sums += keys[column]
    return sums


def first_level(weights: np.ndarray, dense: np.ndarray) -> tuple[Items, Level]:
    """Make items of the dense intervals, and the units of one item each.

    Parameters
    ----------
    weights : (d, m) array
        Rows in each interval of each feature.
    dense : (d, m) bool array
    """
    columns, intervals = np.nonzero(dense)
    following = np.full(len(columns), -1)
    next_to = (columns[1:] == columns[:-1]) & (intervals[1:] == intervals[:-1] + 1)
    following[:-1][next_to] = np.flatnonzero(next_to) + 1
    units = np.arange(len(columns), dtype=np.int32)[:, None]
    return Items(columns, intervals, following), Level.of(units, weights[dense], len(columns))


def candidates(level: Level, items: Items, most: int) -> np.ndarray:
    """Join dense units that share all but their last item; keep those of which every face is dense (apriori).

    Parameters
    ----------
    level : Level
        Of k features.
    items : Items
    most : int
        More pairs than this are refused.

    Returns
    -------
    (c, k + 1) int32 array
        In order.

    Raises
    ------
    ResourceError
    """
    units, u = level.units, len(level.units)
    k = units.shape[1]
    if u == 0:
        return np.empty((0, k + 1), np.int32)
    new_group = np.r_[True, (units[1:, :-1] != units[:-1, :-1]).any(axis=1)]
    new_column = new_group | np.r_[True, np.diff(items.columns[units[:, -1]]) != 0]
    # A unit is joined with those behind it in its group whose last item is of another feature.
    start, end = _next(new_column), _next(new_group)
    pairs = end - start
    total = int(pairs.sum())
    if total > most:
        raise ResourceError(
            f"level {k + 1} has up to {total:,} candidate units of {k + 1} features, more than max_candidates={most:,}; raise "
            f"density_threshold, lower n_intervals, or stop at max_dim={k}"
        )
    first = np.repeat(np.arange(u), pairs)
    second = np.arange(total) - np.repeat(np.cumsum(pairs) - pairs, pairs) + np.repeat(start, pairs)
    joined = np.column_stack([units[first], units[second, -1:]])
    for j in range(k - 1):  # without one of the last two items it is one of the pair
        face = np.delete(joined, j, axis=1)
        joined = joined[level.find(face, _add_up(level.keys, face)) >= 0]
    return np.ascontiguousarray(joined)


def _next(begins: np.ndarray) -> np.ndarray:
    """Return for each place where the next run begins."""
    places = np.r_[np.flatnonzero(begins), len(begins)]
    return places[np.searchsorted(places, np.arange(len(begins)), side="right")]


def kept_subspaces(level: Level, items: Items) -> np.ndarray:
    """Say which units lie in subspaces that cover many rows (pruning by minimum description length)."""
    if not len(level.units):
        return np.empty(0, bool)
    subspaces, number = np.unique(items.columns[level.units], axis=0, return_inverse=True)
    coverage = np.bincount(number.ravel(), level.weights, len(subspaces))
    return (coverage >= well_covered(coverage))[number.ravel()]


def well_covered(coverage: np.ndarray) -> float:
    """Return the least coverage that is kept.

    The coverages, in descending order, are cut in two; each part is coded by its mean, rounded up, and by the distances from
    it. The first of the shortest codes is taken (Agrawal et al. 1998, section 3.2). The second part may be empty, and subspaces
    of equal coverage stay together, so that the order of the features does not matter.

    Parameters
    ----------
    coverage : (s,) array, s >= 1

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> well_covered(np.array([98.0, 100.0, 7.0, 101.0, 5.0]))
    98.0
    >>> well_covered(np.array([7.0, 7.0, 7.0]))
    7.0
    """
    values, times = np.unique(-np.asarray(coverage, np.float64), return_counts=True)
    values = -values
    sums, counts = np.cumsum(values * times), np.cumsum(times)
    upper = np.ceil(sums / counts)
    lower = np.ceil((sums[-1] - sums[:-1]) / (counts[-1] - counts[:-1]))
    length = _bits(upper)
    length[:-1] += _bits(lower)
    each = max(1, _PAIRS // len(values))
    for begin in range(0, len(values), each):
        cut = np.arange(begin, min(len(values), begin + each))
        mean = np.where(np.arange(len(values)) <= cut[:, None], upper[cut, None], np.append(lower, 0)[cut, None])
        length[cut] += _bits(np.abs(values - mean)) @ times
    return float(values[np.argmin(length)])


def _bits(number: np.ndarray) -> np.ndarray:
    return np.log2(np.maximum(number, 1.0))


def touching(level: Level, items: Items) -> np.ndarray:
    """Name the component of each unit: units of one subspace that share a face belong together.

    Returns
    -------
    (u,) int64 array
        Numbered by the first unit of each.
    """
    u, k = level.units.shape
    ends = [np.empty((0, 2), np.int64)]
    for j in range(k):
        beside = items.following[level.units[:, j]]
        rows = np.flatnonzero(beside >= 0)
        moved = level.units[rows].copy()
        moved[:, j] = beside[rows]
        sums = level.sums[rows] - level.keys[level.units[rows, j]] + level.keys[beside[rows]]
        found = level.find(moved, sums)
        ends.append(np.column_stack([rows, found])[found >= 0])
    a, b = np.concatenate(ends).T
    graph = coo_array((np.ones(len(a), bool), (a, b)), shape=(u, u))
    sets = connected_components(graph, directed=False)[1]
    _, first, number = np.unique(sets, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[number.ravel()]
