"""What is tried, and what is measured of it on a sample: separation, agreement of refits, validity of dense groups."""

import warnings
from typing import Any, NamedTuple

import numpy as np

from ..metrics.density import dbcv_score
from ..metrics.external import adjusted_rand_score
from ..metrics.internal import silhouette_score
from .estimators import build, scaled

__all__ = [
    "STABILITY_ROWS",
    "Candidate",
    "Choice",
    "candidate_text",
    "dbcv_of",
    "labels_of",
    "record_line",
    "silhouette_of",
    "stability_of",
]

SILHOUETTE_ROWS = 1_500
DENSITY_ROWS = 1_000
STABILITY_ROWS = 3_000
# Of many groups each must keep some rows, or the fits differ by which rows they were given.
STABILITY_ROWS_A_GROUP = 60


class Candidate(NamedTuple):
    """One method with its parameters, what it gave on the sample, and how it was judged.

    ``validity`` is the silhouette where the number of groups is given and DBCV for the density methods (0 where it could not matter); ``stability`` the
    agreement of refits on parts of the rows, None where it was not measured; ``score`` orders candidates within their method.
    ``whole`` are the labels after noise has joined the groups next to it.
    """

    method: str
    params: dict[str, Any]
    labels: np.ndarray
    n_clusters: int
    noise_share: float
    stability: float | None
    validity: float
    score: float
    whole: np.ndarray | None = None


class Choice(NamedTuple):
    """The winner's place among the candidates, why it won, the record of all, and the place of one as good, if there is one."""

    winner: int
    why: str
    candidates: list[Candidate]
    record: list[dict[str, Any]]
    rival: int | None = None


def candidate_text(method: str, params: dict[str, Any]) -> str:
    """Write a candidate for people: ``KMeans, n_clusters 4``."""
    return ", ".join([method, *(f"{name} {value}" for name, value in params.items())])


def record_line(candidate: Candidate, chosen: bool, reason: str = "") -> dict[str, Any]:
    """Return what the record tells of a candidate; ``reason`` is why it lost."""
    return {
        "method": candidate.method,
        "params": candidate.params,
        "n_clusters": candidate.n_clusters,
        "noise_share": candidate.noise_share,
        "stability": candidate.stability,
        "validity": candidate.validity,
        "score": candidate.score,
        "chosen": chosen,
        "reason": "Chosen." if chosen else reason,
    }


def labels_of(X: np.ndarray, method: str, params: dict[str, Any], seed: int) -> np.ndarray:
    """Try a candidate; what it warns of shows in how it is judged."""
    with warnings.catch_warnings(action="ignore"):
        return np.asarray(build(method, params, seed).fit_predict(X), dtype=np.int64)


def silhouette_of(X: np.ndarray, labels: np.ndarray) -> float:
    """Return the silhouette of some of the rows; 0 where there is none."""
    rows = _spread(len(X), SILHOUETTE_ROWS)
    try:
        return silhouette_score(X[rows], labels[rows])
    except ValueError:
        return 0.0


def dbcv_of(X: np.ndarray, labels: np.ndarray) -> float:
    """Return the validity of dense groups of some of the rows; -1 where there is none."""
    rows = _spread(len(X), DENSITY_ROWS)
    try:
        return dbcv_score(X[rows], labels[rows])
    except ValueError:
        return -1.0


def _spread(n: int, size: int) -> np.ndarray:
    """Return at most ``size`` row numbers, drawn without a pattern that the order of the rows could share."""
    return np.arange(n) if n <= size else np.sort(np.random.default_rng(n).choice(n, size, replace=False))


def stability_of(X: np.ndarray, method: str, params: dict[str, Any], seed: int) -> float:
    """Return the mean agreement, on shared rows, of fits on two pairs of overlapping parts."""
    rng = np.random.default_rng(seed)
    n = len(X)
    most = max(STABILITY_ROWS, STABILITY_ROWS_A_GROUP * int(params.get("n_clusters") or 0))
    size = max(min(int(0.7 * n), most), 2)
    scores = []
    for _ in range(2):
        pool = rng.choice(n, min(n, round(size / 0.7)), replace=False)
        a, b = (np.sort(rng.choice(pool, size, replace=False)) for _ in range(2))
        _, in_a, in_b = np.intersect1d(a, b, assume_unique=True, return_indices=True)
        smaller = scaled(method, params, n, size)
        first, second = (labels_of(X[rows], method, smaller, seed) for rows in (a, b))
        scores.append(adjusted_rand_score(first[in_a], second[in_b]))
    return float(np.mean(scores))
