"""Have rows come that are like none before? A row is far when few rows of then in its group are as far from all others.

How far a row is: the distance to the fifth nearest row of then, for a row of then without itself. That needs no model of the groups, and
is alike for rows that the fit has seen and rows that it has not. Far is what one row in a hundred of then exceeds in its own group, so
that a wide group which grew is not mistaken for something new. Of m rows of now the number beyond the r-th largest of n rows of then is
beta-binomial when nothing changed: how many are too many is known without any assumption on the distances.
"""

from typing import NamedTuple

import numpy as np

from ..primitives.neighbors import k_nearest

__all__ = ["MOST_ROWS", "Far", "far_rows"]

NEIGHBORS = 5
USUAL_SHARE = 0.01
DRAWS = 9_999
# Rows of each sample that are looked at: enough to see one row in a thousand, few enough for many columns.
MOST_ROWS = 10_000
# Groups with fewer rows of then are looked at together, each in its own unit, or "one in a hundred" would be the farthest of a few.
_FEWEST_ROWS = 50


class Far(NamedTuple):
    """Which rows are far: of then and of now; the share of now that would be, had nothing changed; and the chance of so many."""

    then: np.ndarray  # (n_then,) bool
    now: np.ndarray  # (n_now,) bool
    usual_share: float
    p_value: float


def far_rows(X_then: np.ndarray, then: np.ndarray, X_now: np.ndarray, now: np.ndarray, *, seed: int = 0) -> Far | None:
    """Find the rows of now that are unlike the rows of then.

    Parameters
    ----------
    X_then, X_now : (n, m) float64 arrays
        Prepared rows of the two samples.
    then, now : (n,) int arrays
        Their groups, -1 for none.
    seed : int, default=0
        Draws how many rows chance would put beyond.

    Returns
    -------
    Far or None
        None where there are too few rows of then, or they differ too little, for "far" to mean anything.
    """
    if len(X_then) < _FEWEST_ROWS:
        return None
    own = k_nearest(X_then, NEIGHBORS + 1)[0][:, -1]
    of_new = k_nearest(X_then, NEIGHBORS, queries=X_now)[0][:, -1]
    if not own.any():
        return None
    k = int(max(then.max(initial=-1), now.max(initial=-1))) + 1
    unit = _units(own, then, k)
    own, of_new = own / unit[then], of_new / unit[now]
    stratum = _strata(then, k)
    far_then, far_now = np.zeros(len(own), bool), np.zeros(len(of_new), bool)
    sizes = []
    for i in np.unique(stratum):
        old, new = np.flatnonzero(stratum[then] == i), np.flatnonzero(stratum[now] == i)
        allowed = max(round(USUAL_SHARE * len(old)), 1)
        limit = np.partition(own[old], len(old) - allowed)[len(old) - allowed]
        far_then[old], far_now[new] = own[old] >= limit, of_new[new] > limit
        sizes.append((allowed, len(old), len(new)))
    r, n, m = np.array(sizes).T
    return Far(far_then, far_now, float((r / (n + 1) * m).sum() / m.sum()), _p_value(r, n, m, int(far_now.sum()), seed))


def _units(own: np.ndarray, groups: np.ndarray, k: int) -> np.ndarray:
    """Return the median distance of each of k groups, last that of all rows, which also serves where a group has none."""
    overall = float(np.median(own)) or float(own.mean())
    medians = [float(np.median(own[groups == i])) if (groups == i).any() else 0.0 for i in range(k)]
    return np.array([*(median if median > 0 else overall for median in medians), overall])


def _strata(then: np.ndarray, k: int) -> np.ndarray:
    """Return which groups are looked at together: (k + 1,) numbers, last that of the rows of no group."""
    rows = np.bincount(np.where(then < 0, k, then), minlength=k + 1)
    small = rows < _FEWEST_ROWS
    together = k if rows[small].sum() >= _FEWEST_ROWS else int(np.argmax(rows))
    return np.where(small, together, np.arange(k + 1))


def _p_value(r: np.ndarray, n: np.ndarray, m: np.ndarray, found: int, seed: int) -> float:
    """Return the chance that in all ``found`` rows of now or more lie beyond the r-th largest of then in their stratum."""
    rng = np.random.default_rng(seed)
    drawn = rng.binomial(m, rng.beta(r, n - r + 1, (DRAWS, len(r)))).sum(axis=1)
    return float((1 + (drawn >= found).sum()) / (DRAWS + 1))
