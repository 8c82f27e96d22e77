"""How rare a score is among normal rows: conformal p-values, and what they allow to promise.

Scores of history are taken where the row itself was not looked at: in turn, each twentieth of the rows is scored by a summary of the
others; where there are very many rows, some are set aside. A new row that is exchangeable with those of history then has a p-value
of at most a in at most a share a of all cases, whatever the distribution (Vovk, Gammerman & Shafer 2005). With n rows the least
p-value is 1 / (n + 1): a false-alarm rate below that cannot be promised.
"""

import math
from typing import Any

import numpy as np

from ._history import Plan, learn, scores_of

__all__ = [
    "alarm_limits",
    "beyond_tail",
    "held_out_scores",
    "least_rate",
    "normal_scores",
    "p_values",
    "rows_judged",
    "rows_needed",
    "threshold",
]

_FOLDS = 20
_MOST_FOLDED = 10_000  # rows; of more, a part is set aside
_MOST_ASIDE = 50_000
_SHARE_ASIDE = 0.3
_EQUAL = 1e-9
_MOSTLY = 0.9  # share of different scores below which many are tied
_FEWEST = 100  # rows from which a tail can be measured
_AS_MANY = 3.0  # times the rows of which none is expected beyond the tail: short histories measure it badly
_TAILS = ((0.5, 0.75), (0.75, 0.9))  # quantiles between which the tail of ordinary rows is measured; the longer counts


def held_out_scores(rows: np.ndarray, plan: Plan, order: str, random: np.random.RandomState) -> tuple[Any, np.ndarray]:
    """Return scores of rows of history that the summary which scored them had not seen.

    Parameters
    ----------
    rows : (n, d) float64 array
    plan : Plan
    order : {"none", "time"}
        "time": the last three tenths are scored by a summary of what came before, for the future may differ from the past.
    random : RandomState

    Returns
    -------
    learnt : tuple or None
        What `learn` gave, where that summary scored them all and is the final one.
    scores : (m,) float64 array
    """
    n = len(rows)
    if order == "time" or n > _MOST_FOLDED:
        aside = rows_judged(n, order)
        places = np.arange(n) if order == "time" else random.permutation(n)
        learnt = learn(rows[np.sort(places[:-aside])], plan, random)
        return learnt, scores_of(learnt[0], rows[np.sort(places[-aside:])], plan)
    fold = random.permutation(n) % min(_FOLDS, n)
    scores = np.empty(n)
    for i in range(min(_FOLDS, n)):
        history, _ = learn(rows[fold != i], plan, random)
        scores[fold == i] = scores_of(history, rows[fold == i], plan)
    return None, scores


def rows_judged(n_rows: int, order: str) -> int:
    """Return how many rows of so long a history are scored by a summary that had not seen them."""
    if order != "time" and n_rows <= _MOST_FOLDED:
        return n_rows
    return min(max(1, int(_SHARE_ASIDE * n_rows)), _MOST_ASIDE)


def normal_scores(held_out: np.ndarray, bad: float | None) -> np.ndarray:
    """Return the scores that count as those of normal rows, ascending.

    Parameters
    ----------
    held_out : (m,) float64 array
    bad : float or None
        Share of the rows that are not normal: the most remote. None takes those beyond the tail of the others, see `beyond_tail`.
    """
    if bad is None:
        return np.sort(held_out[~beyond_tail(held_out)])
    return np.sort(held_out)[: max(1, len(held_out) - round(bad * len(held_out)))]


def beyond_tail(scores: np.ndarray) -> np.ndarray:
    """Say which scores are so large that, by the tail of the ordinary ones, not one of three times as many is expected.

    The tail is that of a power law, measured up to the ninth decile: what is not normal may be up to a tenth. It is measured in two parts,
    for where many rows are equal, all of one part may be of one distance.
    """
    if len(scores) < _FEWEST:
        return np.zeros(len(scores), bool)
    logs = np.log(scores)
    length = max(
        float(np.subtract(*np.quantile(logs, [high, low]))) / math.log((1 - low) / (1 - high)) for low, high in _TAILS
    )
    if length < _EQUAL:
        return np.zeros(len(scores), bool)
    start = _TAILS[-1][0]
    return logs > np.quantile(logs, start) + length * math.log(max(1.0, _AS_MANY * (1 - start) * len(scores)))


def p_values(scores: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """Return the share of normal rows that are as remote as each score, the row itself counted among them.

    Parameters
    ----------
    scores : (n,) float64 array
        Remoteness: the larger, the less normal.
    held_out : (m,) float64 array
        Ascending.

    Returns
    -------
    (n,) float64 array
        From 1 / (m + 1) to 1.
    """
    m = len(held_out)
    return (1 + m - np.searchsorted(held_out, scores, side="left")) / (m + 1)


def rows_needed(fpr: float) -> int:
    """Return the fewest held-out scores with which a false-alarm rate can be promised."""
    return max(1, math.ceil(1 / fpr - 1e-9) - 1)


def least_rate(n_held_out: int) -> float:
    """Return the lowest false-alarm rate that so many held-out scores allow, rounded up to two figures."""
    rate = 1 / (n_held_out + 1)
    size = 10.0 ** (math.floor(math.log10(rate)) - 1)
    return float(f"{math.ceil(rate / size - 1e-9) * size:.2g}")


def threshold(held_out: np.ndarray, fpr: float) -> float:
    """Return the remoteness above which a row is an alarm: where the p-value is at most ``fpr``, or the least there is."""
    allowed = max(1, math.floor(fpr * (len(held_out) + 1) + 1e-9))
    return float(held_out[len(held_out) - allowed])


def alarm_limits(n_rows: int, held_out: np.ndarray, fpr: float, level: float) -> tuple[int, int]:
    """Return how few and how many alarms are expected among rows like those of history, with chance 1 - ``level``.

    The number of alarms is beta-binomial: the threshold itself was found from a finite number of rows. Where many held-out scores are
    equal, all of those at the threshold may be no alarms, and any number may be too small: the lower limit is then 0.

    Parameters
    ----------
    n_rows : int
    held_out : (m,) float64 array
        Ascending.
    fpr, level : float
    """
    from scipy.stats import betabinom

    m = len(held_out)
    beyond = m - int(np.searchsorted(held_out, threshold(held_out, fpr), side="right"))
    law = betabinom(n_rows, beyond + 1, m - beyond)
    tied = len(np.unique(held_out)) < _MOSTLY * m
    return 0 if tied else int(law.ppf(level / 2)), int(law.ppf(1 - level / 2))
