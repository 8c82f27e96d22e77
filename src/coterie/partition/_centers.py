"""What the partitions around means share: centers from sums, a new place for empty ones, rows on the host."""

from typing import Any

import numpy as np
import scipy.sparse

from ..arrays import normalize_rows, to_numpy
from ..primitives.assign import center_sums, farthest_rows, lloyd_step, nearest_center

__all__ = ["centers_of", "fill_empty", "iterate", "mean_variance", "rows_of"]


def iterate(
    state: Any,
    X: Any,
    centers: np.ndarray,
    *,
    sample_weight: Any = None,
    max_iter: int = 300,
    tol: float = 0.0,
    spherical: bool = False,
) -> tuple[np.ndarray, int]:
    """Run Lloyd's iteration from the given centers.

    Parameters
    ----------
    state : object
        From `coterie.primitives.assign.lloyd_start`, of the same rows and weights.
    X, centers, sample_weight, max_iter, tol, spherical
        As for `coterie.partition.kmeans.kmeans`; ``X`` may also be rows in blocks, which have their weights.

    Returns
    -------
    centers : (k, d) float64 array
    n_iter : int
    """
    for n_iter in range(1, max_iter + 1):  # noqa: B007 - returned
        step = lloyd_step(state, centers)
        sums, weights = to_numpy(step.sums), to_numpy(step.weights)
        empty = np.flatnonzero(to_numpy(step.counts) == 0)
        if len(empty):
            fill_empty(X, centers, sample_weight, empty, sums, weights)
        moved = centers_of(sums, weights, centers, spherical)
        shift2 = float(((moved - centers) ** 2).sum())
        centers = moved
        if step.n_changed == 0 or shift2 <= tol:
            break
    return centers, n_iter


def centers_of(sums: np.ndarray, weights: np.ndarray, centers: np.ndarray, spherical: bool) -> np.ndarray:
    """Return the mean of each cluster, or its direction; a cluster without weight keeps its center."""
    held = weights > 0
    if spherical:
        held &= np.einsum("kf,kf->k", sums, sums) > 0
        return np.where(held[:, None], normalize_rows(sums), centers)
    return np.where(held[:, None], sums / np.where(held, weights, 1.0)[:, None], centers)


def fill_empty(
    X: Any, centers: np.ndarray, sample_weight: Any, empty: np.ndarray, sums: np.ndarray, weights: np.ndarray
) -> None:
    """Give each empty center the row farthest from its own center, as if the row had moved; ties: the lowest row."""
    found = farthest_rows(X, centers, len(empty), sample_weight)
    for cluster, distance2, label, weight, row in zip(empty, *found, strict=False):
        if distance2 <= 0:
            break
        sums[label] -= weight * row
        weights[label] -= weight
        sums[cluster], weights[cluster] = weight * row, weight


def mean_variance(X: Any, sample_weight: Any) -> float:
    """Return the mean over features of the variance of the rows."""
    sums, weights = (to_numpy(part) for part in center_sums(X, np.zeros(X.shape[0], np.int32), 1, sample_weight))
    _, distances2 = nearest_center(X, sums / weights[:, None])
    total = to_numpy(distances2).sum() if sample_weight is None else sample_weight @ to_numpy(distances2)
    return float(total / (weights[0] * X.shape[1]))


def rows_of(X: Any, rows: Any) -> np.ndarray:
    """Return some rows as dense float64 on the host."""
    picked = X[rows]
    return np.asarray(picked.toarray() if scipy.sparse.issparse(picked) else to_numpy(picked), np.float64)
