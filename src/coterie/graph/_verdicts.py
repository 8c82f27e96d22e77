"""From counts to verdicts: z, the chance of as much or more, and which pairs stand out when all are judged together."""

import numpy as np
from scipy.special import betainc, gammainc, gammaincc

from ._expected import Null

__all__ = ["false_discoveries", "feeds", "judge"]


def judge(
    null: Null, alpha: float, min_links: float, min_log_ratio: float, *, beyond: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return z, p-value, verdict and log2 of count over expected of each pair of classes.

    Chances are those of a Poisson variable in units of the variance over the mean, so that few links are judged as few.
    """
    count, expected, variance = null.count, null.expected, null.variance
    apart = count - expected
    certain = variance > 1e-12 * np.maximum(expected, 1e-300)
    z = np.divide(apart, np.sqrt(variance), out=np.zeros(len(count)), where=certain)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_ratio = np.log2(count / expected)
        unit = np.where(certain, variance / expected, 1.0)
        above = np.where(count > 0, gammainc(np.maximum(count / unit, 1e-12), expected / unit), 1.0)
        below = gammaincc(count / unit + 1, expected / unit)
    p_value = np.minimum(1.0, 2 * np.where(apart > 0, above, below))
    tested = certain & (np.maximum(count, expected) >= min_links * null.dispersion)
    p_value[~tested] = np.nan
    stands_out = false_discoveries(p_value, alpha) & (np.abs(log_ratio) >= min_log_ratio) & beyond
    verdict = np.where(stands_out, np.where(apart > 0, "attracts", "repels"), "neutral").astype("U8")
    return z, p_value, verdict, log_ratio


def false_discoveries(p_value: np.ndarray, alpha: float) -> np.ndarray:
    """Return which of the tests stand at a rate ``alpha`` of false ones among them, each of them at ``alpha`` itself; nan is none.

    In two stages (Benjamini, Krieger and Yekutieli): how many stand in the first one tells how many there are for which
    nothing is to be found, and only among those can anything be false.
    """
    tested = np.flatnonzero(~np.isnan(p_value))
    ordered, m, first = np.sort(p_value[tested]), len(tested), alpha / (1 + alpha)
    found = _stepped_up(ordered, first)
    if 0 < found < m:
        found = _stepped_up(ordered, first * m / (m - found))
    stands = np.zeros(len(p_value), bool)
    if found:
        stands[tested] = p_value[tested] <= min(ordered[found - 1], alpha)
    return stands


def _stepped_up(ordered: np.ndarray, rate: float) -> int:
    """Return how many of these ascending p-values stand when all are judged together (Benjamini and Hochberg)."""
    good = np.flatnonzero(ordered <= rate * np.arange(1, len(ordered) + 1) / max(1, len(ordered)))
    return int(good[-1]) + 1 if len(good) else 0


def feeds(by_size: Null, alpha: float, min_links: float, min_log_ratio: float) -> np.ndarray:
    """Return the ordered pairs whose links outnumber those of the other direction, (p,) bool: a fair coin would hardly do it.

    Both directions join the same nodes, so their densities are compared as they are; nodes that send more than they receive, or
    less, scatter the difference, as the scatter of the null by size says.
    """
    source, target = by_size.pairs
    k = int(source.max(initial=-1)) + 1
    back = target * k + source  # ordered pairs are numbered by rows
    more, less = by_size.count, by_size.count[back]
    unit = np.maximum(by_size.scale, by_size.scale[back])
    forward = (source != target) & (more > less) & (more + less >= min_links * by_size.dispersion)
    p_value = np.full(len(more), np.nan)
    a, b = more[forward] / unit[forward], less[forward] / unit[forward]
    p_value[forward] = np.minimum(1.0, 2 * betainc(np.maximum(a, 1e-12), b + 1, 0.5))
    with np.errstate(divide="ignore", invalid="ignore"):
        return false_discoveries(p_value, alpha) & (np.log2(more / less) >= min_log_ratio)
