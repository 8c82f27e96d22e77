"""Which method and how many groups: several candidates on a sample, judged by stability and validity, losers with reasons."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..metrics.external import adjusted_rand_score
from ..metrics.internal import silhouette_samples
from .estimators import build

__all__ = ["Candidate", "Choice", "candidates_for", "choose", "no_choice", "refitter", "scaled"]

# Noise beyond this share costs as much as it hides.
VALIDITY_ROWS = 2_000


class Candidate(NamedTuple):
    """One method with its parameters, what it gave on the sample, and how it was judged."""

    method: str
    params: dict[str, Any]
    labels: np.ndarray
    n_clusters: int
    noise_share: float
    stability: float
    validity: float
    score: float


class Choice(NamedTuple):
    """The winner's place among the candidates, why it won, and the record of all."""

    winner: int
    why: str
    candidates: list[Candidate]
    record: list[dict[str, Any]]


def candidates_for(
    n: int, *, method: str = "auto", n_clusters: int | None = None, params: dict[str, Any] | None = None
) -> list[tuple[str, dict[str, Any]]]:
    """List what is tried on ``n`` rows; what the user fixed stays fixed."""
    params = params or {}
    if method == "DBSCAN":
        return [("DBSCAN", params)]
    if method == "HDBSCAN" and params:
        return [("HDBSCAN", params)]
    most = max(min(12, n // 5), 2)
    found: list[tuple[str, dict[str, Any]]] = []
    if method in ("auto", "KMeans"):
        wanted = range(2, most + 1) if n_clusters is None else [n_clusters]
        found += [("KMeans", {"n_clusters": k, **params}) for k in wanted]
    if method in ("auto", "HDBSCAN") and n_clusters is None:
        sizes = sorted({max(5, round(n * share)) for share in (0.01, 0.025, 0.06)})
        found += [("HDBSCAN", {"min_cluster_size": size, "min_samples": min(10, size)}) for size in sizes]
    return found


def scaled(method: str, params: dict[str, Any], n_from: int, n_to: int) -> dict[str, Any]:
    """Return the parameters that mean on ``n_to`` rows what ``params`` mean on ``n_from``: sizes are shares of the rows."""
    if method != "HDBSCAN" or n_from == n_to or "min_cluster_size" not in params:
        return dict(params)
    size = max(round(params["min_cluster_size"] * n_to / n_from), 2)
    return params | {"min_cluster_size": size}


def choose(
    X: np.ndarray,
    candidates: list[tuple[str, dict[str, Any]]],
    *,
    seed: int = 0,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> Choice:
    """Judge every candidate on the rows of ``X`` and pick the best."""
    judged = []
    for i, (method, params) in enumerate(candidates):
        if on_progress:
            on_progress(i, len(candidates), f"{method} {params}")
        judged.append(_judge(X, method, params, seed))
    winner = int(np.argmax([candidate.score for candidate in judged]))
    return Choice(winner, "It scored best.", judged, [_record(c, i == winner) for i, c in enumerate(judged)])


def _judge(X, method, params, seed) -> Candidate:
    labels = np.asarray(build(method, params, seed).fit_predict(X), dtype=np.int64)
    k = int(labels.max(initial=-1)) + 1
    noise = float((labels < 0).mean())
    if k < 2:
        return Candidate(method, params, labels, k, noise, 0.0, 0.0, 0.0)
    rows = np.flatnonzero(labels >= 0)[:: max(len(X) // VALIDITY_ROWS, 1)]
    validity = float(silhouette_samples(X[rows], labels[rows]).mean())
    stability = _stability(X, method, params, seed)
    return Candidate(method, params, labels, k, noise, stability, validity, validity * (1 - noise) * stability)


def _stability(X, method, params, seed) -> float:
    rng = np.random.default_rng(seed)
    n, size = len(X), max(int(0.7 * len(X)), 2)
    scores = []
    for _ in range(2):
        a, b = (np.sort(rng.choice(n, size, replace=False)) for _ in range(2))
        _, in_a, in_b = np.intersect1d(a, b, assume_unique=True, return_indices=True)
        smaller = scaled(method, params, n, size)
        first, second = (np.asarray(build(method, smaller, seed).fit_predict(X[rows])) for rows in (a, b))
        scores.append(adjusted_rand_score(first[in_a], second[in_b]))
    return float(np.mean(scores))


def _record(candidate: Candidate, chosen: bool) -> dict[str, Any]:
    return {
        "method": candidate.method,
        "params": candidate.params,
        "n_clusters": candidate.n_clusters,
        "noise_share": candidate.noise_share,
        "stability": candidate.stability,
        "validity": candidate.validity,
        "score": candidate.score,
        "chosen": chosen,
        "reason": "best" if chosen else "scored lower",
    }


def no_choice(X: np.ndarray, tried: list[tuple[str, dict[str, Any]]]) -> Choice:
    """Return the choice when there is nothing to choose by: one group."""
    method, params = tried[0]
    alone = Candidate(method, params, np.zeros(len(X), dtype=np.int64), 1, 0.0, 1.0, 0.0, 0.0)
    return Choice(0, "There is nothing to choose by.", [alone], [_record(alone, True)])


def refitter(X: np.ndarray, candidate: Candidate, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that fits the candidate on some rows of ``X`` and labels all of them."""

    def refit(rows: np.ndarray) -> np.ndarray:
        params = scaled(candidate.method, candidate.params, len(X), len(rows))
        return np.asarray(build(candidate.method, params, seed).fit(X[rows]).predict(X))

    return refit
