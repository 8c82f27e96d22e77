"""Which method and how many groups: several candidates on a sample, judged alike, losers with their reasons.

Within a method, K-means candidates are ordered by their silhouette and must come back when rows are left out; density
candidates by DBCV. Between the two, both finalists are measured by DBCV: it asks whether groups are further from each other
than they are sparse inside, and a K-means cut through the middle of a dense shape fails it, while compact groups pass. The
density method must win clearly, for it pays with rows that belong nowhere.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..metrics.density import dbcv_score
from ..metrics.external import adjusted_rand_score
from ..metrics.internal import silhouette_score
from .estimators import build
from .radius import dbscan_defaults
from .structure import blurred, few_valued, measured

__all__ = ["Candidate", "Choice", "candidates_for", "choose", "no_choice", "refitter", "scaled"]

SILHOUETTE_ROWS = 1_500
DENSITY_ROWS = 1_000
STABILITY_ROWS = 3_000
MOST_CLUSTERS = 12
# When the best number of groups is at the upper end, these are tried too.
FURTHER = (14, 16, 18, 20, 23, 26, 30, 35, 40, 50)
# Below this agreement between refits a number of groups is an accident of the rows.
STABLE = 0.7
STABLE_DENSE = 0.6
# Two groupings that agree this well where both group are one answer; the one that leaves no row out gives it.
SAME = 0.9
# The density method must beat K-means by this much DBCV, with at most this share of the rows left out.
DENSITY_LEAD = 0.1
LEAST_DBCV = 0.1
MOST_NOISE = 0.35
# One group with nearly all the rows is a cloud with crumbs, not a grouping.
GIANT = 0.95


class Candidate(NamedTuple):
    """One method with its parameters, what it gave on the sample, and how it was judged.

    ``validity`` is the silhouette for K-means and DBCV for the density methods; ``stability`` the agreement of two refits on
    overlapping parts, None where it could not matter; ``score`` orders candidates within their method.
    """

    method: str
    params: dict[str, Any]
    labels: np.ndarray
    n_clusters: int
    noise_share: float
    stability: float | None
    validity: float
    score: float


class Choice(NamedTuple):
    """The winner's place among the candidates, why it won, and the record of all."""

    winner: int
    why: str
    candidates: list[Candidate]
    record: list[dict[str, Any]]


def candidates_for(
    X: np.ndarray, n: int, *, method: str = "auto", n_clusters: int | None = None, params: dict[str, Any] | None = None
) -> list[tuple[str, dict[str, Any]]]:
    """List what is tried on ``n`` of the rows of ``X``; what the user fixed stays fixed."""
    params = params or {}
    if method == "DBSCAN":
        return [("DBSCAN", scaled("DBSCAN", dbscan_defaults(X, params), len(X), n))]
    if method == "HDBSCAN" and params:
        return [("HDBSCAN", params)]
    most = max(min(MOST_CLUSTERS, n // 8), 2)
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
    if method == "DBSCAN" and "min_samples" in params:
        return params | {"min_samples": max(round(params["min_samples"] * n_to / n_from), 2)}
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
    """Judge every candidate on the rows of ``X`` and pick the best.

    Parameters
    ----------
    X : (r, m) float64 array
        The sample.
    candidates : list of (method, params)
        From `candidates_for`.
    seed : int, default=0
    on_progress : callable, optional
        Told (done, total, text) before each candidate.

    Returns
    -------
    Choice
    """
    # Levels of a category are gaps by nature; blurred, they count only where several columns agree.
    Z = measured(blurred(X, np.random.default_rng(seed)), few_valued(X))
    judged: list[Candidate] = []
    for i, (method, params) in enumerate(candidates):
        if on_progress:
            on_progress(i, len(candidates), candidate_text(method, params))
        judged.append(_judge(X, Z, method, params, seed))
    compact = [i for i, c in enumerate(judged) if c.method == "KMeans"]
    if (
        len(compact) > 2
        and judged[max(compact, key=lambda i: judged[i].score)].params["n_clusters"] >= MOST_CLUSTERS - 1
    ):
        extra = judged[compact[0]].params
        more = [_judge(X, Z, "KMeans", extra | {"n_clusters": k}, seed) for k in FURTHER if k <= len(X) // 8]
        compact += range(len(judged), len(judged) + len(more))
        judged += more
    dense = _density_finalist(X, judged, seed)
    best = _compact_finalist(judged, compact)
    winner, why = _between(Z, judged, best, dense)
    return Choice(winner, why, judged, [_record(c, judged[winner], i == winner) for i, c in enumerate(judged)])


def candidate_text(method: str, params: dict[str, Any]) -> str:
    """Write a candidate for people: ``KMeans, n_clusters 4``."""
    return ", ".join([method, *(f"{name} {value}" for name, value in params.items())])


def _judge(X, Z, method, params, seed) -> Candidate:
    labels = np.asarray(build(method, params, seed).fit_predict(X), dtype=np.int64)
    k = int(labels.max(initial=-1)) + 1
    noise = float((labels < 0).mean())
    if k < 2:
        return Candidate(method, params, labels, k, noise, None, 0.0, 0.0)
    if method == "KMeans":
        validity = _silhouette(Z, labels)
        stability = _stability(X, method, params, seed)
        return Candidate(method, params, labels, k, noise, stability, validity, validity * min(stability / STABLE, 1.0))
    validity = _dbcv(Z, labels)
    return Candidate(method, params, labels, k, noise, None, validity, validity)


def _silhouette(X: np.ndarray, labels: np.ndarray) -> float:
    rows = _spread(len(X), SILHOUETTE_ROWS)
    try:
        return silhouette_score(X[rows], labels[rows])
    except ValueError:
        return 0.0


def _dbcv(X: np.ndarray, labels: np.ndarray) -> float:
    rows = _spread(len(X), DENSITY_ROWS)
    try:
        return dbcv_score(X[rows], labels[rows])
    except ValueError:
        return -1.0


def _spread(n: int, size: int) -> np.ndarray:
    """Return at most ``size`` row numbers, drawn without a pattern that the order of the rows could share."""
    return np.arange(n) if n <= size else np.sort(np.random.default_rng(n).choice(n, size, replace=False))


def _stability(X, method, params, seed) -> float:
    """Return the mean agreement, on shared rows, of fits on two pairs of overlapping parts."""
    rng = np.random.default_rng(seed)
    n = len(X)
    size = max(min(int(0.7 * n), STABILITY_ROWS), 2)
    scores = []
    for _ in range(2):
        pool = rng.choice(n, min(n, round(size / 0.7)), replace=False)
        a, b = (np.sort(rng.choice(pool, size, replace=False)) for _ in range(2))
        _, in_a, in_b = np.intersect1d(a, b, assume_unique=True, return_indices=True)
        smaller = scaled(method, params, n, size)
        first, second = (np.asarray(build(method, smaller, seed).fit_predict(X[rows])) for rows in (a, b))
        scores.append(adjusted_rand_score(first[in_a], second[in_b]))
    return float(np.mean(scores))


def _compact_finalist(judged: list[Candidate], compact: list[int]) -> int | None:
    return max(compact, key=lambda i: judged[i].score) if compact else None


def _density_finalist(X: np.ndarray, judged: list[Candidate], seed: int) -> int | None:
    """Return the best density candidate that leaves most rows in more than one real group, its stability filled in."""
    fit = [
        i for i, c in enumerate(judged) if c.method != "KMeans" and c.n_clusters >= 2 and c.noise_share <= MOST_NOISE
    ]
    fit = [i for i in fit if np.bincount(judged[i].labels + 1)[1:].max() < GIANT * (judged[i].labels >= 0).sum()]
    if not fit:
        return None
    seen: list[np.ndarray] = []
    for i in sorted(fit, key=lambda i: -judged[i].score):
        c = judged[i]
        if any(np.array_equal(c.labels, labels) for labels in seen):
            continue
        seen.append(c.labels)
        stability = _stability(X, c.method, c.params, seed)
        judged[i] = c._replace(stability=stability)
        if stability >= STABLE_DENSE:
            return i
    return max(fit, key=lambda i: judged[i].score)


def _between(Z, judged, best, dense) -> tuple[int, str]:
    if best is None:
        if dense is None:
            dense = max(range(len(judged)), key=lambda i: (judged[i].n_clusters >= 2, judged[i].score))
        return dense, f"It is the method asked for; {_found(judged[dense])}."
    c = judged[best]
    if dense is None:
        others = any(line.method != "KMeans" for line in judged)
        return best, _compact_why(c, judged) + (
            " The density method found no grouping that covers most rows." if others else ""
        )
    d = judged[dense]
    inside = d.labels >= 0
    if adjusted_rand_score(c.labels[inside], d.labels[inside]) >= SAME:
        return best, _compact_why(c, judged) + " The density method finds the same groups."
    compact_dbcv = _dbcv(Z, c.labels)
    stable = d.stability is not None and d.stability >= STABLE_DENSE
    if stable and d.validity >= max(compact_dbcv + DENSITY_LEAD, LEAST_DBCV):
        return dense, (
            f"Its {d.n_clusters} groups follow the dense regions (DBCV {d.validity:.2f}); the best K-means, with "
            f"{c.n_clusters}, cuts through them (DBCV {compact_dbcv:.2f})."
        )
    return best, _compact_why(c, judged)


def _compact_why(c: Candidate, judged: list[Candidate]) -> str:
    if sum(line.method == "KMeans" for line in judged) == 1:
        return f"It has the number of groups asked for; {_found(c)}."
    return (
        f"{c.n_clusters} compact groups are the best separated (silhouette {c.validity:.2f}) of those that come back when "
        f"rows are left out (agreement {c.stability:.2f})."
    )


def _found(c: Candidate) -> str:
    return f"it found {c.n_clusters} group{'s' if c.n_clusters != 1 else ''} on the sample"


def _record(candidate: Candidate, winner: Candidate, chosen: bool) -> dict[str, Any]:
    return {
        "method": candidate.method,
        "params": candidate.params,
        "n_clusters": candidate.n_clusters,
        "noise_share": candidate.noise_share,
        "stability": candidate.stability,
        "validity": candidate.validity,
        "score": candidate.score,
        "chosen": chosen,
        "reason": "Chosen." if chosen else _reason(candidate, winner),
    }


def _reason(c: Candidate, winner: Candidate) -> str:
    if c.n_clusters < 2:
        return "It found no more than one group."
    if c.noise_share > MOST_NOISE:
        return f"It left {c.noise_share:.0%} of the rows in no group."
    if c.stability is not None and c.stability < STABLE:
        return f"Its groups change when rows are left out (agreement {c.stability:.2f})."
    sizes = np.bincount(c.labels + 1)[1:]
    if c.method != "KMeans" and sizes.max() >= GIANT * sizes.sum():
        return "Nearly all rows fell into one group."
    if c.method == winner.method:
        return f"Its groups are less well separated ({c.validity:.2f} against {winner.validity:.2f})."
    if c.method == "KMeans":
        return "It cuts through dense regions that belong together."
    return "It separates the rows no more clearly than compact groups do, and leaves some out."


def no_choice(X: np.ndarray, tried: list[tuple[str, dict[str, Any]]]) -> Choice:
    """Return the choice when there is nothing to choose by: one group."""
    method, params = tried[0]
    alone = Candidate(method, params, np.zeros(len(X), dtype=np.int64), 1, 0.0, None, 0.0, 0.0)
    return Choice(0, "There is nothing to choose by.", [alone], [_record(alone, alone, True)])


def refitter(X: np.ndarray, candidate: Candidate, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that fits the candidate on some rows of ``X`` and labels these."""

    def refit(rows: np.ndarray) -> np.ndarray:
        params = scaled(candidate.method, candidate.params, len(X), len(rows))
        return np.asarray(build(candidate.method, params, seed).fit_predict(X[rows]))

    return refit
