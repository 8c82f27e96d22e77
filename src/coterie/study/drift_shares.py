"""Have the shares of the groups moved? The population stability index says how far, a G-test whether chance would do as much.

The index sums ``(now - then) log(now / then)`` over the groups; times the rows it is about chi-squared when nothing moved, so that a
batch too small to show a given index can be told before it is looked at.
"""

from typing import NamedTuple

import numpy as np

__all__ = ["Shares", "compare_shares", "stability_band", "stability_index", "visible_index"]

MODERATE, LARGE = 0.1, 0.2
DRAWS = 9_999
# With this many rows expected in every cell the G statistic is chi-squared far into its tail.
_MANY = 100
# Half a row more in each cell, or an empty group would make the index infinite.
_HALF = 0.5


class Shares(NamedTuple):
    """How the shares of the groups compare: the population stability index, its band, the chance of so much without a move, and what would be seen."""

    psi: float
    band: str  # small, moderate or large
    p_value: float
    visible: float  # smallest index that is found 95 times in 100


def compare_shares(then: np.ndarray, now: np.ndarray, *, level: float, seed: int = 0) -> Shares:
    """Compare two counts of rows by group.

    Parameters
    ----------
    then, now : (k,) int array
        Rows of each group, of two samples drawn apart.
    level : float
        Chance of a false alarm that is allowed, for ``visible``.
    seed : int, default=0
        Draws the tables that chance would give, where groups are small.

    Returns
    -------
    Shares

    Examples
    --------
    >>> found = compare_shares(np.array([500, 500]), np.array([500, 500]), level=0.01)
    >>> found.psi, found.band, found.p_value
    (0.0, 'small', 1.0)
    """
    seen = then + now > 0
    then, now = then[seen].astype(np.int64), now[seen].astype(np.int64)
    psi = stability_index(then, now)
    if len(then) < 2 or not then.sum() or not now.sum():
        return Shares(0.0, stability_band(0.0), 1.0, np.inf)
    return Shares(
        psi, stability_band(psi), _p_value(then, now, seed), visible_index(then.sum(), now.sum(), len(then), level)
    )


def stability_index(then: np.ndarray, now: np.ndarray) -> float:
    """Give the population stability index of two counts by group, half a row added to each."""
    p, q = ((counts + _HALF) / (counts.sum() + _HALF * len(counts)) for counts in (then, now))
    return float(((q - p) * np.log(q / p)).sum())


def stability_band(psi: float) -> str:
    """Name the size of an index as is customary: below 0.1 small, below 0.2 moderate, else large."""
    return "small" if psi < MODERATE else "moderate" if psi < LARGE else "large"


def visible_index(n_then: int, n_now: int, k: int, level: float, power: float = 0.95) -> float:
    """Give the smallest true index that the test finds with the stated power.

    Parameters
    ----------
    n_then, n_now : int
        Rows of the two samples.
    k : int
        Groups, at least two.
    level : float
        Of the test.
    power : float, default=0.95

    Returns
    -------
    float
    """
    from scipy.special import chdtri, chndtrinc

    # Index times the harmonic size is the noncentrality of the chi-squared statistic.
    needed = float(chndtrinc(chdtri(k - 1, level), k - 1, 1.0 - power))
    return needed * (1.0 / n_then + 1.0 / n_now)


def _p_value(then: np.ndarray, now: np.ndarray, seed: int) -> float:
    from scipy.special import chdtrc

    both, n = then + now, now.sum()
    found = _g_statistic(now[None], both)[0]
    if min(n, then.sum()) * both.min() >= _MANY * both.sum():
        return float(chdtrc(len(both) - 1, found))
    drawn = np.random.default_rng(seed).multivariate_hypergeometric(both, n, size=DRAWS)
    # A hair of tolerance: the same table summed in another order must count as equal.
    return float((1 + (_g_statistic(drawn, both) >= found * (1 - 1e-9) - 1e-9).sum()) / (DRAWS + 1))


def _g_statistic(now: np.ndarray, both: np.ndarray) -> np.ndarray:
    """Return G for tables given by one of their two rows, (draws, k), and the sum of the two, (k,)."""
    share = now.sum(axis=1, keepdims=True) / both.sum()
    total = np.zeros(len(now))
    for part, expected in ((now, both * share), (both - now, both * (1 - share))):
        total += 2 * (part * np.log(np.where(part > 0, part, 1) / np.where(part > 0, expected, 1))).sum(axis=1)
    return np.maximum(total, 0.0)
