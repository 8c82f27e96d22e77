"""History summed up: representatives of normal rows and how much of history each stands for.

Rows that are far from all others are left out of the summary where the history may not be clean, and it is made again without them.
"""

import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ...partition.kmeans import KMeans
from ...partition.kmedoids import KMedoids
from ._measure import remoteness
from ._metrics import distances2, whitening
from ._scaling import Scaling, fit_scaling, scaled

__all__ = ["History", "Plan", "learn", "scores_of"]

MOST_ROWS = 100_000  # from which history is summed up; more change the summary little
_MOST_MEDOID_ROWS = 3_000
_STEPS = 30
_FAR = 2.5  # robust deviations beyond which a row of an unknown history is left out (Leys et al. 2013)
_SHIELD = 0.1  # share of history below which a group of rows cannot keep its own from being left out
_QUARTILE = 0.6745  # upper quartile of the standard normal distribution
_EQUAL = 1e-9
_BLOCK_VALUES = 1 << 20


class Plan(NamedTuple):
    """What was asked for, with every "auto" decided."""

    metric: Any
    n_clusters: int
    shares: tuple[float, ...]
    scale: str
    leave_out: float | None  # share of the rows; None finds it
    stretch: np.ndarray | None = None  # (d,) what spreads are multiplied with
    as_coded: np.ndarray | None = None  # (d,) features that keep the scale they have


class History(NamedTuple):
    """A history summed up."""

    scaling: Scaling
    representatives: np.ndarray  # (k, d) in scaled units
    weights: np.ndarray  # (k,) shares, summing to 1
    whiten: np.ndarray | None  # (k, d, d)


def learn(rows: np.ndarray, plan: Plan, random: np.random.RandomState) -> tuple[History, float]:
    """Sum up history.

    Parameters
    ----------
    rows : (n, d) float64 array
        Where there are very many, some are drawn to stand for all.
    plan : Plan
    random : RandomState

    Returns
    -------
    history : History
    left_out : float
        Share of the rows that it does not stand on.
    """
    if len(rows) > MOST_ROWS:
        rows = rows[np.sort(random.permutation(len(rows))[:MOST_ROWS])]
    history = _summed_up(rows, plan, random)
    if plan.leave_out == 0:
        return history, 0.0
    strict = plan._replace(shares=(max(_SHIELD, plan.shares[0]),))
    far = _far(scores_of(history, rows, strict), plan.leave_out)
    return (_summed_up(rows[~far], plan, random) if far.any() else history), float(far.mean())


def scores_of(history: History, rows: np.ndarray, plan: Plan) -> np.ndarray:
    """Return the remoteness of each row, (n,), block by block."""
    found = np.empty(len(rows))
    step = max(1, _BLOCK_VALUES // len(history.weights))
    for start in range(0, len(rows), step):
        block = scaled(rows[start : start + step], history.scaling)
        apart = distances2(block, history.representatives, history.whiten, plan.metric)
        found[start : start + step] = remoteness(apart, history.weights, plan.shares)
    return found


def _summed_up(rows: np.ndarray, plan: Plan, random: np.random.RandomState) -> History:
    scaling = fit_scaling(rows, plan.scale)
    if plan.stretch is not None:
        scaling = scaling._replace(spread=scaling.spread * plan.stretch)
    if plan.as_coded is not None:
        center, spread = np.where(plan.as_coded, 0.0, scaling.center), np.where(plan.as_coded, 1.0, scaling.spread)
        scaling = scaling._replace(center=center, spread=spread)
    rows = scaled(rows, scaling)
    k = min(plan.n_clusters, len(rows))
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ConvergenceWarning
        )  # fewer distinct rows than representatives are no fault here
        centers, labels = _representatives(rows, k, plan.metric, random)
    counts = np.bincount(labels, minlength=len(centers))
    whiten = whitening(rows, labels, centers)[counts > 0] if plan.metric == "mahalanobis" else None
    return History(scaling, centers[counts > 0], counts[counts > 0] / len(labels), whiten)


def _representatives(rows: np.ndarray, k: int, metric: Any, random: np.random.RandomState) -> tuple:
    """Return k rows or means that stand for all, and which of them stands for each of the rows that were looked at."""
    seed = int(random.randint(2**31 - 1))
    if not callable(metric) and metric != "gower":
        found = KMeans(k, max_iter=_STEPS, random_state=seed).fit(rows)
        return found.cluster_centers_, found.labels_
    some = rows[random.permutation(len(rows))[:_MOST_MEDOID_ROWS]]
    if callable(metric):
        distances2(some[:2], some[:2], None, metric)  # refuses what is no distance, in our words
    name = metric if callable(metric) else "manhattan"
    medoids = KMedoids(k, metric=name, init="random", max_iter=_STEPS, random_state=seed).fit(some)
    return some[medoids.medoid_indices_], medoids.labels_


def _far(scores: np.ndarray, share: float | None) -> np.ndarray:
    """Say which rows to leave out: the share that is farthest, or whatever lies far beyond what the nearer half suggests."""
    if share is not None:
        far = np.zeros(len(scores), bool)
        far[np.argsort(-scores, kind="stable")[: round(share * len(scores))]] = True
        return far
    logs = np.log(scores)
    middle, upper = np.quantile(logs, [0.5, 0.75])
    if upper - middle < _EQUAL:
        return np.zeros(len(scores), bool)
    return logs > middle + _FAR * (upper - middle) / _QUARTILE
