"""Distances from rows to the representatives of history, by each metric that is offered."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import InputError
from ...primitives.distances import pairwise_distances

__all__ = ["METRICS", "distances2", "whitening"]

METRICS = ("euclidean", "mahalanobis", "gower")
_FEWEST_PER_COLUMN = 2.0  # rows of all clusters together that each cluster's covariance borrows, for each column
_RIDGE = 1e-6


def distances2(rows: np.ndarray, representatives: np.ndarray, whiten: np.ndarray | None, metric: Any) -> np.ndarray:
    """Return the squared distance of each row to each representative.

    Parameters
    ----------
    rows : (n, d) float64 array
    representatives : (k, d) float64 array
    whiten : (k, d, d) float64 array or None
        For "mahalanobis": what the difference to each representative is multiplied with.
    metric : {"euclidean", "mahalanobis", "gower"} or callable
        A callable takes two rows and returns their distance.

    Returns
    -------
    (n, k) float64 array
    """
    if callable(metric):
        return _by_function(rows, representatives, metric)
    if metric == "mahalanobis" and whiten is not None:
        columns = [
            (((rows - center) @ factor) ** 2).sum(axis=1)
            for center, factor in zip(representatives, whiten, strict=True)
        ]
        return np.column_stack(columns)
    if metric == "gower":
        found = np.zeros((len(rows), len(representatives)))
        for mine, theirs in zip(rows.T, representatives.T, strict=True):
            found += np.abs(mine[:, None] - theirs)
        return (found / rows.shape[1]) ** 2
    return pairwise_distances(rows, representatives, squared=True)


def whitening(rows: np.ndarray, labels: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Return for each cluster the matrix that makes its spread alike in all directions.

    The covariance of each cluster is mixed with that of all clusters together, the more the fewer rows it has.

    Parameters
    ----------
    rows : (n, d) float64 array
    labels : (n,) int array
    centers : (k, d) float64 array

    Returns
    -------
    (k, d, d) float64 array
    """
    d = rows.shape[1]
    apart = rows - centers[labels]
    together = apart.T @ apart / len(rows)
    floor = _RIDGE * max(float(np.trace(together)) / d, np.finfo(float).tiny) + 1e-12
    borrowed = _FEWEST_PER_COLUMN * d
    found = np.empty((len(centers), d, d))
    for c in range(len(centers)):
        own = apart[labels == c]
        covariance = (own.T @ own + borrowed * together) / (len(own) + borrowed) + floor * np.eye(d)
        values, vectors = np.linalg.eigh(covariance)
        found[c] = vectors / np.sqrt(np.maximum(values, floor))
    return found


def _by_function(rows: np.ndarray, representatives: np.ndarray, metric: Callable) -> np.ndarray:
    found = np.array([[float(metric(row, center)) for center in representatives] for row in rows])
    found = found.reshape(len(rows), len(representatives))
    if not np.isfinite(found).all() or (found < 0).any():
        raise InputError(
            "metric= must return a finite distance, 0 or more, for every two rows; look at what it returns"
        )
    return found**2
