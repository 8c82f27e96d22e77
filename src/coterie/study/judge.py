"""How far to trust the result: separation, stability, certainty, outliers, and agreement with known classes.

Silhouettes are averaged over a stated sample, each measured against a stated sample of the rows. Stability refits the same
method on random parts of the rows and compares (Hennig 2007). Certainty is a margin: 0 on the border between two groups, 1 at
the centre of one. Outlier scores are calibrated so that 0.5 is the far fence of the group (three interquartile ranges).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import InputError
from ..metrics.external import adjusted_rand_score, contingency_table
from ..metrics.internal import silhouette_samples
from ..metrics.of_table import accuracy_of, adjusted_mutual_info_of, adjusted_rand_of, normalized_accuracy_of
from ..metrics.resampling import jaccard_by_cluster
from ..primitives.neighbors import k_nearest

__all__ = [
    "OUTLIER_THRESHOLD",
    "against_truth",
    "agreement",
    "cluster_stability",
    "fenced",
    "outlier_fences",
    "outlier_scores",
    "row_strengths",
    "sentence",
    "separation",
    "silhouette_rows",
]

SILHOUETTE_ROWS = 3_000
STABILITY_ROWS = 3_000
OUTLIER_THRESHOLD = 0.5
# A row with at least this margin is sure: its own centre is closer than 0.7 of the way to the runner-up.
SURE = 0.35
# Neighbours that are asked where neither centres nor densities say how surely a row belongs.
NEIGHBORS = 10


def separation(X: np.ndarray, labels: np.ndarray, *, seed: int = 0) -> tuple[float, np.ndarray, int]:
    """Measure silhouettes on a sample.

    Returns
    -------
    mean : float
        Over all sampled rows that belong to a group; 0 with fewer than two groups.
    by_cluster : (k,) float64 array
    rows : int
        Rows in the sample.
    """
    k = int(labels.max(initial=-1)) + 1
    inside = np.flatnonzero(labels >= 0)
    if k < 2 or len(inside) <= k:
        return 0.0, np.zeros(k), len(inside)
    rows = silhouette_rows(labels, seed=seed)
    values = silhouette_samples(X[rows], labels[rows])
    drawn = np.bincount(labels[rows], minlength=k)
    by_cluster = np.bincount(labels[rows], values, k) / np.maximum(drawn, 1)
    sizes = np.bincount(labels[inside], minlength=k)
    return float((by_cluster * sizes).sum() / sizes.sum()), by_cluster, len(rows)


def silhouette_rows(labels: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Return the rows on which silhouettes are measured: all that have a group, or so many, some of each group."""
    inside = np.flatnonzero(labels >= 0)
    if len(inside) <= SILHOUETTE_ROWS:
        return inside
    rng = np.random.default_rng(seed)
    names, sizes = np.unique(labels[inside], return_counts=True)
    least = min(30, SILHOUETTE_ROWS // len(names) + 1)
    quota = np.minimum(sizes, np.maximum(sizes * SILHOUETTE_ROWS // len(inside), least))
    parts = [rng.choice(np.flatnonzero(labels == name), q, replace=False) for name, q in zip(names, quota, strict=True)]
    return np.sort(np.concatenate(parts))


def cluster_stability(
    refit: Callable[[np.ndarray], np.ndarray],
    X: np.ndarray,
    labels: np.ndarray,
    k: int,
    *,
    seed: int = 0,
    times: int = 6,
) -> tuple[float | None, np.ndarray]:
    """Refit on random halves and see which groups come back.

    Parameters
    ----------
    refit : callable
        Takes row numbers of ``X``, fits on these rows, returns their labels.
    X : (r, m) float64 array
        The sample of rows on which stability is measured.
    labels : (r,) int array
        Their final labels.
    k : int
        Groups there are in all, also those of which the sample has no row.

    Returns
    -------
    overall : float or None
        Mean adjusted Rand index between each refit and the final labels; None where half of the rows are too few for the method.
    by_cluster : (k,) float64 array
        Mean Jaccard similarity of each group with its best match; NaN where it is not known.
    """
    rng = np.random.default_rng(seed)
    size = max(min(int(0.6 * len(X)), STABILITY_ROWS), 1)
    total, rounds, by_cluster = 0.0, np.zeros(k), np.zeros(k)
    for _ in range(times):
        rows = np.sort(rng.choice(len(X), size, replace=False))
        try:
            again = refit(rows)
        except InputError:
            return None, np.full(k, np.nan)
        total += adjusted_rand_score(labels[rows], again)
        names, similarity = jaccard_by_cluster(labels[rows], again)
        by_cluster[names] += similarity
        rounds[names] += 1
    return total / times, np.where(rounds > 0, by_cluster / np.maximum(rounds, 1), np.nan)


def row_strengths(estimator: Any, X: np.ndarray, labels: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Say how surely each row belongs, 0 to 1; noise 0.

    The margin ``(second - first) / (second + first)`` of squared distances to the two nearest centres for a method with centres;
    the method's own membership for HDBSCAN; for DBSCAN 1 for a core row and 0.5 for one on the edge; for any other, whose groups
    may have any shape, the share of the row's nearest other rows that are in its group.
    """
    n = len(labels)
    if hasattr(estimator, "cluster_centers_"):
        if len(centers) < 2:
            strengths = np.ones(n)
        else:
            strengths = np.empty(n)
            for start, first, second, own in _nearest_two(X, labels, centers):
                runner_up = np.where(own <= first, second, first)
                total = np.maximum(runner_up + own, np.finfo(float).tiny)
                strengths[start : start + len(own)] = np.clip((runner_up - own) / total, 0, 1)
    elif hasattr(estimator, "probabilities_"):
        strengths = np.asarray(estimator.probabilities_, dtype=np.float64).copy()
    elif hasattr(estimator, "core_sample_indices_"):
        strengths = np.full(n, 0.5)
        strengths[np.asarray(estimator.core_sample_indices_, dtype=np.int64)] = 1.0
    else:
        _, near = k_nearest(X, min(NEIGHBORS + 1, n))
        strengths = (labels[near[:, 1:]] == labels[:, None]).mean(axis=1) if n > 1 else np.ones(1)
    strengths[labels < 0] = 0.0
    return np.nan_to_num(np.clip(strengths, 0.0, 1.0))


def outlier_scores(estimator: Any, X: np.ndarray, labels: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Score how unusual each row is, 0 to below 1; from `OUTLIER_THRESHOLD` on it counts as an outlier.

    For HDBSCAN the raw score is GLOSH, for the others the distance to the centre of the row's group (noise: the nearest one).
    A score is then ``d / (d + fence)``, where the fence lies three interquartile ranges above the third quartile of its group.
    """
    raw = getattr(estimator, "outlier_scores_", None)
    if raw is not None:
        # GLOSH is 1 - s/r: how much sparser a row lies than the heart of its group. The fence needs the ratio's logarithm.
        raw = np.nan_to_num(np.asarray(raw, dtype=np.float64), nan=0.0)
        size = -np.log(np.maximum(1.0 - raw, 1e-9))
        return fenced(size, outlier_fences(size, np.zeros(len(labels), dtype=np.int64), 1)[0])
    own, nearest = np.empty(len(labels)), np.empty(len(labels), dtype=np.int64)
    for start in range(0, len(X), 65536):
        squares = _squares(X[start : start + 65536], centers)
        part = labels[start : start + 65536]
        nearest[start : start + 65536] = np.where(part >= 0, part, squares.argmin(axis=1))
        own[start : start + 65536] = np.sqrt(squares[np.arange(len(squares)), nearest[start : start + 65536]])
    return fenced(own, outlier_fences(own, nearest, len(centers))[nearest])


def against_truth(name: str, truth: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Compare with known classes: adjusted Rand index, adjusted mutual information, accuracy, and the table of counts."""
    known = np.array([value is not None and value == value for value in truth], dtype=bool)
    return agreement(name, *contingency_table(truth[known].astype(str), labels[known]))


def agreement(name: str, table: np.ndarray, classes: Any, clusters: Any) -> dict[str, Any]:
    """Say how well groups agree with the classes of a column, from the table of counts alone.

    Parameters
    ----------
    name : str
        Of the column.
    table : (classes, groups) int array
        Each class and each group has a row.
    classes, clusters : sequences
        Their names.

    Returns
    -------
    dict
        Part of the record.
    """
    return {
        "column": name,
        "rows": int(table.sum()),
        "ari": adjusted_rand_of(table),
        "ami": adjusted_mutual_info_of(table),
        "accuracy": accuracy_of(table),
        "normalized_accuracy": normalized_accuracy_of(table),
        "table": {
            "classes": [str(value) for value in classes],
            "clusters": [int(value) for value in clusters],
            "counts": table.tolist(),
        },
    }


def outlier_fences(size: np.ndarray, group: np.ndarray, k: int) -> np.ndarray:
    """Give the size from which a row of each of ``k`` groups counts as an outlier: three interquartile ranges above the third quartile.

    Parameters
    ----------
    size : (n,) float array
        For example distances from the middle of the group.
    group : (n,) int array
        0 to k - 1.
    k : int

    Returns
    -------
    (k,) float64 array
        Infinite for a group without rows.
    """
    fences = np.full(k, np.inf)
    for i in np.unique(group):
        low, high = np.quantile(size[group == i], [0.25, 0.75])
        fences[i] = high + 3.0 * (high - low)
    return fences


def fenced(size: np.ndarray, fence: np.ndarray) -> np.ndarray:
    """Turn sizes into scores, 0 to below 1, given the fence of each row's group, where the score is `OUTLIER_THRESHOLD`."""
    scores = size / np.maximum(size + fence, np.finfo(float).tiny)
    # More than three quarters of the group are one point: whatever is not on it stands out, but by no scale.
    return np.where(fence > 0, scores, np.where(size > 0, OUTLIER_THRESHOLD, 0.0))


def _squares(X: np.ndarray, centers: np.ndarray) -> np.ndarray:
    middle = centers.mean(axis=0)
    Z, C = X - middle, centers - middle
    squares = (Z**2).sum(axis=1)[:, None] - 2 * Z @ C.T + (C**2).sum(axis=1)
    return np.maximum(squares, 0.0)


def _nearest_two(X, labels, centers):
    for start in range(0, len(X), 65536):
        squares = _squares(X[start : start + 65536], centers)
        two = np.partition(squares, 1, axis=1)
        own = squares[np.arange(len(squares)), np.maximum(labels[start : start + 65536], 0)]
        yield start, two[:, 0], two[:, 1], own


def sentence(k: int, silhouette: float, stability: float | None, sure: float) -> str:
    """Say in plain words how far to trust ``k`` groups."""
    if k < 2:
        return "There is one group, so there is nothing to compare."
    apart = (
        "well apart" if silhouette >= 0.5 else "apart, with some overlap" if silhouette >= 0.25 else "close together"
    )
    if stability is None:
        back = "whether they come back cannot be told of so few rows"
    else:
        how = "come back" if stability >= 0.9 else "mostly come back" if stability >= 0.75 else "partly change"
        back = f"they {how} when rows are left out"
    return f"The groups are {apart}; {back}; {sure:.0%} of the grouped rows are sure of theirs."
