"""Has any column changed in any group? Every column of every group is compared, and all are judged together.

Numbers are compared by the largest gap between their cumulative shares (Kolmogorov-Smirnov), levels by chi-squared; "missing" is a
level. The smallest p-value of all is then judged by what it is when the rows of each group change sides at random (Westfall and Young
1993): that keeps the rate of false alarms whatever the number of columns, their ties and their dependence. A comparison that chance
often beats ends early (Besag and Clifford 1991).
"""

from typing import NamedTuple

import numpy as np

__all__ = ["DRAWS", "Change", "Values", "compare_columns"]

DRAWS = 999
_ENOUGH = 20  # draws that beat the rows; more would only sharpen a p-value that is large anyway
_FEWEST = 5  # rows of a group on either side; below that nothing could be told
_RARE = 5.0  # expected rows below which a level is counted with the other rare ones


class Values(NamedTuple):
    """One column of both samples: numbers with NaN where one is missing, or codes of levels with -1, and then ``levels`` above 0."""

    values: np.ndarray  # (n,) float64 or int64
    levels: int = 0


class Change(NamedTuple):
    """One column of one group."""

    column: int
    group: int
    about: str  # "values", or "missing" for the share of numbers that are missing
    effect: (
        float  # the largest difference in share: of rows up to some value, or of rows with some of the levels; 0 to 1
    )
    p_value: float  # judged together with all others


def compare_columns(
    columns: list[Values], groups: np.ndarray, now: np.ndarray, *, draws: int = DRAWS, seed: int = 0
) -> list[Change]:
    """Compare the rows of now with those of then, group by group.

    Parameters
    ----------
    columns : list of Values
    groups : (n,) int array
        Group of each row, of either sample; rows of no group (-1) are left out.
    now : (n,) bool array
        Which rows are of the new sample.
    draws : int, default=999
        How often rows change sides at most; the smallest p-value is one in one more.
    seed : int, default=0
        Lets the rows change sides.

    Returns
    -------
    list of Change
        All that was compared, the surest first. The least ``p_value`` is that of the question as a whole.

    References
    ----------
    Westfall P. H., Young S. S. (1993), Resampling-based multiple testing, Wiley.
    Besag J., Clifford P. (1991), Sequential Monte Carlo p-values, Biometrika 78, doi:10.1093/biomet/78.2.301.
    """
    kept, ids, starts = _by_group(groups, now)
    now = now[kept]
    if not len(ids):
        return []
    compared = [part for j, column in enumerate(columns) for part in _comparisons(j, column, kept, starts)]
    found = [part.look(now) for part in compared]
    observed = np.concatenate([p for _, p in found]) if found else np.empty(0)
    if not observed.size:
        return []
    judged = _judged(compared, observed, now, starts, draws, seed)
    effects = np.concatenate([effect for effect, _ in found])
    names = [(part.column, int(ids[g]), part.about) for part in compared for g in range(len(ids))]
    changes = [Change(*name, float(e), float(p)) for name, e, p in zip(names, effects, judged, strict=True)]
    return [changes[i] for i in np.lexsort((-effects, observed, judged))]


def _by_group(groups: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the rows of the groups that can be compared, group after group; these groups; and where each begins."""
    ids = np.unique(groups[groups >= 0])
    ids = np.array(
        [i for i in ids if min(now[groups == i].sum(), (~now)[groups == i].sum()) >= _FEWEST], dtype=np.int64
    )
    kept = np.flatnonzero(np.isin(groups, ids))
    kept = kept[np.argsort(groups[kept], kind="stable")]
    return kept, ids, np.searchsorted(groups[kept], ids)


def _judged(
    compared: list, observed: np.ndarray, now: np.ndarray, starts: np.ndarray, draws: int, seed: int
) -> np.ndarray:
    """Return for each p-value how often chance has one as small anywhere."""
    rng = np.random.default_rng(seed)
    ends = np.append(starts[1:], len(now))
    drawn, smallest = now.copy(), np.empty(draws)
    done = beaten = 0
    while done < draws and beaten < _ENOUGH:
        for start, end in zip(starts, ends, strict=True):
            rng.shuffle(drawn[start:end])
        smallest[done] = min(float(part.look(drawn)[1].min()) for part in compared)
        beaten += int(smallest[done] <= observed.min())
        done += 1
    times = (smallest[:done, None] <= observed).sum(axis=0)
    return times / done if beaten == _ENOUGH else (1 + times) / (done + 1)


def _comparisons(j: int, column: Values, kept: np.ndarray, starts: np.ndarray) -> list:
    values = column.values[kept]
    if column.levels:
        codes = np.where(values < 0, column.levels, values)  # missing is a level of its own
        return [_Levels(j, "values", codes, column.levels + 1, starts)]
    missing = np.isnan(values)
    parts: list = [_Numbers(j, values, starts)]
    return [*parts, _Levels(j, "missing", missing.astype(np.int64), 2, starts)] if missing.any() else parts


class _Numbers:
    """The cumulative shares of a number in each group, ready to be compared for any choice of sides."""

    about = "values"

    def __init__(self, column: int, values: np.ndarray, starts: np.ndarray):
        self.column = column
        group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(values))))
        known = np.flatnonzero(~np.isnan(values))
        self._order = known[np.lexsort((values[known], group[known]))]
        group, ordered = group[self._order], values[self._order]
        # Shares are compared only after the last of equal values.
        last = (
            np.append((group[1:] != group[:-1]) | (ordered[1:] != ordered[:-1]), True)
            if len(ordered)
            else np.empty(0, bool)
        )
        self._steps = np.flatnonzero(last)
        self._group = group[self._steps]
        self._begin = np.searchsorted(group, np.arange(len(starts)))
        self._size = np.diff(np.append(self._begin, len(group)))
        self._first = np.searchsorted(self._group, np.arange(len(starts)))
        self._place = self._steps + 1 - self._begin[self._group]

    def look(self, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        from scipy.special import kolmogorov

        gap, n_now = np.zeros(len(self._size)), np.zeros(len(self._size))
        if len(self._order):
            total = np.concatenate([[0], np.cumsum(now[self._order])])
            n_now = (total[self._begin + self._size] - total[self._begin]).astype(np.float64)
            n_then = self._size - n_now
            up_to = total[self._steps + 1] - total[self._begin][self._group]
            here, there = np.maximum(n_now, 1)[self._group], np.maximum(n_then, 1)[self._group]
            filled = self._size > 0
            gap[filled] = np.maximum.reduceat(np.abs(up_to / here - (self._place - up_to) / there), self._first[filled])
        both = (n_now > 0) & (n_now < self._size)
        gap = np.where(both, gap, 0.0)
        return gap, kolmogorov(np.sqrt(n_now * (self._size - n_now) / np.maximum(self._size, 1)) * gap)


class _Levels:
    """The counts of levels in each group, rare ones together, ready to be compared for any choice of sides."""

    def __init__(self, column: int, about: str, codes: np.ndarray, levels: int, starts: np.ndarray):
        self.column, self.about = column, about
        sizes = np.diff(np.append(starts, len(codes)))
        group = np.repeat(np.arange(len(starts)), sizes)
        counts = np.bincount(group * levels + codes, minlength=len(starts) * levels).reshape(len(starts), levels)
        # Twice the rare count, since either side may have half of the rows or fewer.
        rare = counts < 2 * _RARE
        # Cells in order of the groups: its frequent levels, then one for all its rare ones.
        used = np.column_stack([~rare, (rare & (counts > 0)).any(axis=1)])
        number = (np.cumsum(used) - 1).reshape(used.shape)
        cell = np.where(rare, number[:, -1:], number[:, :-1])
        self._cell = cell[group, codes]
        self._total = np.bincount(self._cell, minlength=int(used.sum()))
        self._group = np.repeat(np.arange(len(starts)), used.sum(axis=1))
        self._first = np.searchsorted(self._group, np.arange(len(starts)))
        self._freedom = used.sum(axis=1) - 1
        self._size = sizes

    def look(self, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        from scipy.special import chdtrc

        counts = np.bincount(self._cell[now], minlength=len(self._total)).astype(np.float64)
        n_now = np.add.reduceat(counts, self._first)
        share = (n_now / self._size)[self._group]
        expected = self._total * share
        excess = counts - expected
        statistic = np.add.reduceat(excess**2 / (expected * (1 - share)), self._first)
        effect = np.add.reduceat(np.abs(excess), self._first) / 2 * self._size / (n_now * (self._size - n_now))
        return effect, np.where(self._freedom > 0, chdtrc(np.maximum(self._freedom, 1), statistic), 1.0)
