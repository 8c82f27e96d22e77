"""Which method and how many groups: several candidates on a sample, judged alike, losers with their reasons.

Candidates that are told the number of groups (K-means, unless another method is asked for) are ordered by their silhouette
and must come back when rows are left out; of nearly equal ones the surest win, then the fewest groups. Density candidates
are ordered by how well they come back, less a price for rows that belong nowhere. The density finalist wins when it is
stable, unless its groups are convex and K-means separates compact ones better in both measures: silhouette, and DBCV with
every row in a group.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .candidate import (
    STABILITY_ROWS,
    Candidate,
    Choice,
    candidate_text,
    dbcv_of,
    labels_of,
    record_line,
    silhouette_of,
    stability_of,
)
from .dense import density_groupings, density_stability, rank
from .estimators import build, needs_k, scaled
from .finalists import between
from .radius import dbscan_defaults
from .structure import blurred, few_valued, measured
from .turned import turned

__all__ = ["candidates_for", "choose", "compact_finalist", "fill_stability", "fit", "no_choice", "refitter"]

MOST_CLUSTERS = 12
# What they find, with nothing but these set, depends on Euclidean distances alone, not on the columns that these come from.
BY_DISTANCE = {"KMeans", "HDBSCAN"}
COUNTS = {"n_clusters", "min_cluster_size", "min_samples"}
# Beyond, some numbers of groups are probed, then some between the probes beside the best, then the neighbours of the best of all.
PROBES = (16, 20, 25, 30, 40, 50, 65, 80, 100)
BETWEEN = 6
NEIGHBORS = 3
# Agreement between refits from which a number of compact groups loses nothing; below the second it is an accident of the rows.
STABLE = 0.9
ACCIDENT = 0.7
# Scores this close are equal: the groups that come back more surely win, by steps of the second; then the fewest groups.
EQUAL = 0.01
SURER = 0.03
# The density finalist may leave out at most this share of the rows.
MOST_NOISE = 0.35
OPTICS_SHARE = 0.02
# One group with nearly all the rows is a cloud with crumbs, not a grouping.
GIANT = 0.97


def candidates_for(
    X: np.ndarray, n: int, *, method: str = "auto", n_clusters: int | None = None, params: dict[str, Any] | None = None
) -> list[tuple[str, dict[str, Any]]]:
    """List what is tried on ``n`` of the rows of ``X``; what the user fixed stays fixed."""
    params = params or {}
    if method == "DBSCAN":
        return [("DBSCAN", scaled("DBSCAN", dbscan_defaults(X, params), len(X), n))]
    if method == "HDBSCAN" and params:
        return [("HDBSCAN", params)]
    if method not in ("auto", "HDBSCAN") and not needs_k(method):
        # Of very many valleys, those that hold some share of the rows are groups to tell people about.
        usual = {"min_cluster_size": max(5, round(OPTICS_SHARE * n))} if method == "OPTICS" else {}
        return [(method, usual | ({} if n_clusters is None else {"n_clusters": n_clusters}) | params)]
    most = max(min(MOST_CLUSTERS, n // 8), 2)
    found: list[tuple[str, dict[str, Any]]] = []
    if method != "HDBSCAN":
        probes = [k for k in PROBES if k <= n // 8]
        wanted = [*range(2, most + 1), *probes] if n_clusters is None else [n_clusters]
        found += [("KMeans" if method == "auto" else method, {"n_clusters": k, **params}) for k in wanted]
    if method in ("auto", "HDBSCAN") and n_clusters is None:
        sizes = sorted({min(max(5, round(n * share)), max(n, 2)) for share in (0.01, 0.025, 0.06, 0.12)})
        found += [
            ("HDBSCAN", {"min_cluster_size": size, "min_samples": neighbors})
            for neighbors in sorted({min(5, n), min(10, n)})
            for size in sizes
        ]
    return found


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
    few = few_valued(X)
    Z = measured(blurred(X, np.random.default_rng(seed)), few)
    n_columns = Z.shape[1]
    if all(method in BY_DISTANCE and params.keys() <= COUNTS for method, params in candidates):
        X, Z = turned(X), turned(Z)
    judged = _judge_all(X, Z, candidates, seed, on_progress)
    compact = [i for i, c in enumerate(judged) if needs_k(c.method)]
    if len(compact) > 1:
        fill_stability(X, judged, compact, seed)
        for closer in (_between_probes, _near):
            top = judged[compact_finalist(judged, compact)]
            more = closer(top, {judged[i].params["n_clusters"] for i in compact})
            found = [_judge(X, Z, top.method, top.params | {"n_clusters": k}, seed) for k in more if k <= len(X) // 8]
            compact += range(len(judged), len(judged) + len(found))
            judged += found
            fill_stability(X, judged, compact, seed)
    dense = _density_finalist(Z, judged)
    best = compact_finalist(judged, compact) if compact else None
    winner, why, rival = between(Z, judged, best, dense, bool(few.any()), n_columns)
    told = [record_line(c, i == winner, _reason(c, judged[winner])) for i, c in enumerate(judged)]
    return Choice(winner, why, judged, told, rival)


def _judge_all(X, Z, candidates, seed, on_progress) -> list[Candidate]:
    """Judge the candidates one by one; density ones that share their work come last and together."""
    together = [i for i, (method, params) in enumerate(candidates) if _shares_tree(method, params)]
    judged: dict[int, Candidate] = {}
    for i, (method, params) in enumerate(candidates):
        if i not in together:
            if on_progress:
                on_progress(len(judged), len(candidates), candidate_text(method, params))
            judged[i] = _judge(X, Z, method, params, seed)
    if together:
        if on_progress:
            on_progress(len(judged), len(candidates), f"HDBSCAN, {len(together)} settings")
        judged |= zip(together, _judge_dense(X, [candidates[i][1] for i in together], seed), strict=True)
    return [judged[i] for i in range(len(candidates))]


def _shares_tree(method: str, params: dict[str, Any]) -> bool:
    return method == "HDBSCAN" and set(params) == {"min_cluster_size", "min_samples"}


def _judge_dense(X, wanted, seed) -> list[Candidate]:
    from ..density.fill import filled

    found = density_groupings(X, wanted)
    stability = density_stability(X, wanted, [labels for labels, _, _ in found], seed=seed, most=STABILITY_ROWS)
    judged = []
    for params, (labels, tree, births), agreement in zip(wanted, found, stability, strict=True):
        k, noise = int(labels.max(initial=-1)) + 1, float((labels < 0).mean())
        if k < 2:
            judged.append(Candidate("HDBSCAN", params, labels, k, noise, None, 0.0, 0.0))
            continue
        whole = filled(labels, tree, births)[0]
        score = rank(float(agreement), noise, k)
        judged.append(Candidate("HDBSCAN", params, labels, k, noise, float(agreement), 0.0, score, whole))
    return judged


def _judge(X, Z, method, params, seed) -> Candidate:
    labels = labels_of(X, method, params, seed)
    k = int(labels.max(initial=-1)) + 1
    noise = float((labels < 0).mean())
    if k < 2:
        return Candidate(method, params, labels, k, noise, None, 0.0, 0.0)
    if needs_k(method):
        validity = silhouette_of(Z, labels)
        return Candidate(method, params, labels, k, noise, None, validity, validity)
    stability = stability_of(X, method, params, seed)
    return Candidate(method, params, labels, k, noise, stability, dbcv_of(Z, labels), rank(stability, noise, k), labels)


def fill_stability(X, judged: list[Candidate], compact: list[int], seed: int) -> None:
    """Measure the stability of those compact candidates that could still win; the score of the others is their silhouette."""
    top = max((judged[i].score for i in compact if judged[i].stability is not None), default=-np.inf)
    for i in sorted(compact, key=lambda i: -judged[i].validity):
        c = judged[i]
        if c.stability is None and c.n_clusters > 1 and c.validity >= top - EQUAL:
            stability = stability_of(X, c.method, c.params, seed)
            score = c.validity * min(max(stability, 0.0) / STABLE, 1.0)
            judged[i] = c._replace(stability=stability, score=score)
            top = max(top, score)


def _between_probes(best: Candidate, tried: set[int]) -> list[int]:
    """Return some numbers of groups between the probes on both sides of the best one."""
    k = best.params["n_clusters"]
    if k < PROBES[0]:
        return []
    low = max((probe for probe in PROBES if probe < k), default=MOST_CLUSTERS)
    high = min((probe for probe in PROBES if probe > k), default=k + k - low)
    return sorted({round(other) for other in np.linspace(low, high, BETWEEN + 2)} - tried)


def _near(best: Candidate, tried: set[int]) -> list[int]:
    k = best.params["n_clusters"]
    return [] if k < PROBES[0] else sorted({*range(k - NEIGHBORS, k + NEIGHBORS + 1)} - tried)


def compact_finalist(judged: list[Candidate], compact: list[int]) -> int:
    """Return the compact candidate that comes back most surely, then with the fewest groups, among the equally good ones."""
    top = max(judged[i].score for i in compact)
    equal = [i for i in compact if judged[i].score >= top - EQUAL]
    return min(equal, key=lambda i: (-round((judged[i].stability or 0.0) / SURER), judged[i].n_clusters))


def _density_finalist(Z: np.ndarray, judged: list[Candidate]) -> int | None:
    """Return the best density candidate that leaves most rows in more than one real group, its validity filled in."""
    fit = [
        i for i, c in enumerate(judged) if not needs_k(c.method) and c.n_clusters >= 2 and c.noise_share <= MOST_NOISE
    ]
    fit = [i for i in fit if not _is_giant(judged[i])]
    if not fit:
        return None
    best = max(fit, key=lambda i: judged[i].score)
    judged[best] = judged[best]._replace(validity=dbcv_of(Z, judged[best].labels))
    return best


def _is_giant(c: Candidate) -> bool:
    sizes = np.bincount(c.labels + 1)[1:] if c.whole is None else np.bincount(c.whole + 1)[1:]
    return bool(sizes.max() >= GIANT * sizes.sum())


def _reason(c: Candidate, winner: Candidate) -> str:
    if c.n_clusters < 2:
        return "It found no more than one group."
    if c.noise_share > MOST_NOISE:
        return f"It left {c.noise_share:.0%} of the rows in no group."
    if c.n_clusters >= 2 and not needs_k(c.method) and _is_giant(c):
        return "Nearly all rows fell into one group."
    if c.stability is not None and c.stability < ACCIDENT:
        return f"Its groups change when rows are left out (agreement {c.stability:.2f})."
    if needs_k(c.method) and needs_k(winner.method):
        return (
            f"Its groups are less well separated, or come back less surely ({c.score:.2f} against {winner.score:.2f})."
        )
    if c.method == winner.method:
        return f"Its groups come back less surely, or leave more rows out ({c.score:.2f} against {winner.score:.2f})."
    if needs_k(c.method):
        return "It cuts through dense regions that belong together."
    return "It separates the rows no more clearly than compact groups do."


def no_choice(X: np.ndarray, tried: list[tuple[str, dict[str, Any]]]) -> Choice:
    """Return the choice when there is nothing to choose by: one group."""
    method, params = tried[0]
    alone = Candidate(method, params, np.zeros(len(X), dtype=np.int64), 1, 0.0, None, 0.0, 0.0)
    return Choice(0, "There is nothing to choose by.", [alone], [record_line(alone, True)])


def refitter(
    X: np.ndarray, candidate: Candidate, seed: int, *, fill: bool = False
) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that fits the candidate on some rows of ``X`` and labels these, as `fit` does."""

    def refit(rows: np.ndarray) -> np.ndarray:
        params = scaled(candidate.method, candidate.params, len(X), len(rows))
        with warnings.catch_warnings(action="ignore"):
            return np.asarray(fit(X[rows], candidate.method, params, seed, fill=fill)[0].labels_)

    return refit


def fit(X: np.ndarray, method: str, params: dict[str, Any], seed: int, *, fill: bool = False) -> tuple[Any, int]:
    """Return the fitted estimator, and how many rows of noise joined a group where ``fill`` lets them (HDBSCAN)."""
    estimator = build(method, params, seed).fit(X)
    if not fill or method != "HDBSCAN":
        return estimator, 0
    from ..density.fill import fill_noise

    return estimator, fill_noise(estimator, X)
