"""What a study asks of rows that are in memory, all of them or a sample: which method and how many groups, and how far to trust them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from . import choose as choosing
from . import judge as judging
from .candidate import Candidate, Choice
from .sensitivity import sensitivity
from .structure import examine

__all__ = ["FEWEST_ROWS", "chosen", "judged"]

# Below this many rows any grouping would be a story about single rows.
FEWEST_ROWS = 10


def chosen(
    X: np.ndarray,
    tried: list[tuple[str, dict[str, Any]]],
    seed: int,
    on_progress: Callable[[int, int, str], None] | None = None,
    *,
    choose: Callable[..., Choice] = choosing.choose,
) -> tuple[Choice, dict[str, Any]]:
    """Pick the best of some candidates, and say whether there are groups at all.

    Parameters
    ----------
    X : (r, m) float64 array
    tried : list of (method, params)
    seed : int
    on_progress : callable, optional
    choose : callable, default=choose.choose
        Picks by the purpose of the study.

    Returns
    -------
    Choice
    dict
        The ``structure`` part of the record.
    """
    if len(X) < FEWEST_ROWS or not (X[0] != X).any():
        return choosing.no_choice(X, tried), {
            "verdict": "none",
            "sentence": f"With {len(X)} rows there is too little to tell groups from chance."
            if len(X) < FEWEST_ROWS
            else "All rows are the same; there is nothing to tell groups apart by.",
            "statistic": None, "null_mean": None, "null_sd": None, "p_value": None,
        }  # fmt: skip
    with threadpool_limits(1, user_api="blas"):  # sums in one order: the same answer on any number of threads
        choice = choose(X, tried, seed=seed, on_progress=on_progress)
        return choice, examine(X, seed=seed)


def judged(
    X: np.ndarray,
    labels: np.ndarray,
    estimator: Any,
    best: Candidate,
    rows: np.ndarray,
    *,
    seed: int = 0,
    fill: bool = False,
    truth: tuple[str, np.ndarray] | None = None,
) -> dict[str, Any]:
    """Say how far to trust groups.

    Parameters
    ----------
    X : (n, m) float64 array
    labels : (n,) int array
        Final labels, noise -1.
    estimator : estimator
        That gave them.
    best : Candidate
        What is fitted again on parts of the rows.
    rows : (r,) int array
        Of these rows.
    seed : int, default=0
    fill : bool, default=False
        Whether noise may join groups.
    truth : (name, values), optional
        Known classes.

    Returns
    -------
    dict
        ``judge``, a part of the record; ``strengths`` and ``scores`` of the rows; ``stability``, ``separation`` and ``certainty``
        of the groups.
    """
    k = int(labels.max(initial=-1)) + 1
    centers = _centers(X, labels)
    silhouette, by_cluster, looked = judging.separation(X, labels, seed=seed)
    strengths = judging.row_strengths(estimator, X, labels, centers)
    scores = judging.outlier_scores(estimator, X, labels, centers)
    if k > 1:
        some = X[rows]
        refit = choosing.refitter(some, best, seed, fill=fill)
        stability, jaccard = judging.cluster_stability(refit, some, labels[rows], k, seed=seed)
        hanging = sensitivity(some, best, seed)
    else:
        stability, jaccard, hanging = 1.0, np.ones(k), []
    inside = labels >= 0
    sure = float((strengths[inside] >= judging.SURE).mean()) if inside.any() else 0.0
    size = np.maximum(np.bincount(labels[inside], minlength=k), 1)
    certainty = np.bincount(labels[inside], strengths[inside], k) / size
    found = {
        "silhouette": silhouette,
        "silhouette_rows": looked,
        "stability": stability,
        "separation": float(by_cluster.min(initial=1.0)) if k > 1 else 0.0,
        "sure_share": sure,
        "sentence": judging.sentence(k, silhouette, stability, sure),
        "sensitivity": hanging,
        "truth": None if truth is None else judging.against_truth(*truth, labels),
    }
    return {
        "judge": found, "strengths": strengths, "scores": scores, "stability": jaccard, "separation": by_cluster,
        "certainty": certainty,
    }  # fmt: skip


def _centers(X: np.ndarray, labels: np.ndarray) -> np.ndarray:
    k = int(labels.max(initial=-1)) + 1
    inside = labels >= 0
    if k == 0:
        return X.mean(axis=0, keepdims=True)
    sums = np.stack([np.bincount(labels[inside], column[inside], k) for column in X.T], axis=1)
    return sums / np.bincount(labels[inside], minlength=k)[:, None]
