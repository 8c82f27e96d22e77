"""What the partitions around means share: centers from sums, a new place for empty ones, rows on the host."""

from typing import Any

import numpy as np
import scipy.sparse

from ..arrays import normalize_rows, to_numpy
from ..primitives.assign import center_sums, nearest_center

__all__ = ["centers_of", "fill_empty", "mean_variance", "rows_of"]


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
    labels, distances2 = (to_numpy(part) for part in nearest_center(X, centers))
    row_weight = np.ones(len(labels)) if sample_weight is None else np.asarray(sample_weight)
    distances2 = np.where(row_weight > 0, distances2, -1.0)
    farthest = np.lexsort((np.arange(len(labels)), -distances2))[: len(empty)]
    for cluster, row in zip(empty, farthest, strict=True):
        if distances2[row] <= 0:
            break
        moved = row_weight[row] * rows_of(X, [row])[0]
        sums[labels[row]] -= moved
        weights[labels[row]] -= row_weight[row]
        sums[cluster], weights[cluster] = moved, row_weight[row]


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
