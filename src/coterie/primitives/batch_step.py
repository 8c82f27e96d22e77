"""Nearest centers of rows as they are given: of one batch of mini-batch K-means, and of all rows in the end."""

from typing import Any, NamedTuple

import numpy as np

from .engine import engine_of

__all__ = ["BatchStep", "batch_step", "nearest_as_given", "take_batches"]


class BatchStep(NamedTuple):
    """What the rows of a batch add up to, on the host."""

    sums: np.ndarray  # (k, d) float64: weighted sum of the rows nearest to each center
    weights: np.ndarray  # (k,) float64: their weight
    inertia: float  # weighted sum of the squared distances to the nearest center


def batch_step(
    X: Any, rows: Any, centers: np.ndarray, shift: np.ndarray, scale: float, sample_weight: Any = None
) -> BatchStep:
    """Shift and scale some rows, and add them up by their nearest center.

    The composition of `condition`, `nearest_center` and `center_sums` on ``X[rows]``, without copies of it where the
    engine can do so.

    Parameters
    ----------
    X : (n, d) float array or CSR array
        Any engine; as given, not conditioned.
    rows : (b,) int64 array
        On the host.
    centers : (k, d) float64 array
        In the coordinates of the result.
    shift : (d,) float64 array
        Taken from the rows; zeros for sparse rows.
    scale : float
        A power of two that the rows are divided by afterwards.
    sample_weight : (b,) float64 array, optional
        On the host.

    Returns
    -------
    BatchStep
        In the shifted and scaled coordinates. Ties go to the lowest center; the order of the sums depends on the batch alone.

    Notes
    -----
    O(b d k) time.
    """
    return BatchStep(*engine_of(X, "batch_step").batch_step(X, rows, centers, shift, scale, sample_weight))


def nearest_as_given(X: Any, centers: np.ndarray, shift: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest center of each row.

    The composition of `condition` and `nearest_center`, with the same bits, without a copy of ``X`` where the engine can
    do so.

    Parameters
    ----------
    X : (n, d) float array
        Any engine; as given, not conditioned.
    centers : (k, d) float64 array
        Shifted and scaled.
    shift : (d,) float64 array
    scale : float
        A power of two.

    Returns
    -------
    labels : (n,) int array
        On the host, as the next one. Ties go to the lowest center.
    distances2 : (n,) float64 array
        In the coordinates of the centers.

    Notes
    -----
    O(n d k) time.
    """
    return engine_of(X, "batch_step").nearest_as_given(X, centers, shift, scale)


def take_batches(X: Any, rows: np.ndarray) -> Any:
    """Copy the rows of several batches at once: ``X[rows]``, in the order in which memory is read forwards.

    Parameters
    ----------
    X : (n, d) float array
        Any engine.
    rows : (g, b) int64 array
        On the host; the rows of a column lie near each other.

    Returns
    -------
    (g, b, d) array
        Of the engine of ``X``.
    """
    return engine_of(X, "batch_step").take_batches(X, rows)
