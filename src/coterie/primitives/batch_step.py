"""Nearest centers of rows as they are given: of the batches of mini-batch K-means, and of all rows in the end."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from .blocks import is_block_rows
from .engine import engine_of

__all__ = [
    "BatchStep",
    "BatchSteps",
    "batch_step",
    "batch_steps",
    "fetch",
    "nearest_as_given",
    "rows_at",
    "steps_one_by_one",
    "weights_at",
]


class BatchStep(NamedTuple):
    """What the rows of a batch add up to, on the host."""

    sums: np.ndarray  # (k, d) float64: weighted sum of the rows nearest to each center
    weights: np.ndarray  # (k,) float64: their weight
    inertia: float  # weighted sum of the squared distances to the nearest center


class BatchSteps(NamedTuple):
    """Where some batches have moved the centers, on the host."""

    centers: np.ndarray  # (k, d) float64
    mass: np.ndarray  # (k,) float64: weight of the rows that each is the mean of
    inertia: np.ndarray  # (m,) float64: of each batch that was made, before its step


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


def batch_steps(
    X: Any,
    rows: np.ndarray,
    starts: np.ndarray,
    centers: np.ndarray,
    mass: np.ndarray,
    shift: np.ndarray,
    scale: float,
    sample_weight: np.ndarray | None = None,
    least_share: float = 0.0,
    measured: bool = True,
) -> BatchSteps:
    """Move every center to the mean of all rows that it has ever been the nearest of, one batch after another.

    The composition of `batch_step` and the weighted mean, up to rounding; an engine may go through small batches in one call.

    Parameters
    ----------
    X : (n, d) float array or CSR array
        Any engine; as given, not conditioned.
    rows : (m,) int64 array
        Those of the first batch, then those of the second, and so on; on the host.
    starts : (g + 1,) int64 array
        Where each batch starts in ``rows``; the last is their number.
    centers : (k, d) float64 array
        Shifted and scaled.
    mass : (k,) float64 array
        Weight of the rows that each center is the mean of so far.
    shift, scale
        As for `batch_step`.
    sample_weight : (m,) float64 array, optional
        Of ``rows``, in their order; on the host.
    least_share : float, default=0
        Go no further after a batch that leaves a center with less than this share of the greatest mass.
    measured : bool, default=True
        Whether the inertia is wanted: without, a sixth of the time is saved where an engine can do so.

    Returns
    -------
    BatchSteps
        Of as many batches as were made, at least one; the inertia may be NaN where it is not wanted. A batch gives the same bits however many come with it.

    Notes
    -----
    O(m d k) time.
    """
    engine = engine_of(X, "batch_step")
    return BatchSteps(
        *engine.batch_steps(X, rows, starts, centers, mass, shift, scale, sample_weight, least_share, measured)
    )


def steps_one_by_one(
    step: Callable,
    X: Any,
    rows: np.ndarray,
    starts: np.ndarray,
    centers: np.ndarray,
    mass: np.ndarray,
    shift: np.ndarray,
    scale: float,
    sample_weight: np.ndarray | None,
    least_share: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what `batch_steps` does, with an engine's `batch_step` for each batch: what is done where nothing is faster."""
    inertia = []
    for start, end in pairwise(starts):
        weight = None if sample_weight is None else sample_weight[start:end]
        sums, weights, total = step(X, rows[start:end], centers, shift, scale, weight)
        inertia.append(total)
        heavier = mass + weights
        held = heavier > 0
        moved = (centers * mass[:, None] + sums) / np.where(held, heavier, 1.0)[:, None]
        centers, mass = np.where(held[:, None], moved, centers), heavier
        if (mass < least_share * mass.max()).any():
            break
    return centers, mass, np.array(inertia)


def fetch(X: Any, rows: np.ndarray) -> None:
    """Make ready some rows that will be asked for soon, in one pass over rows in blocks that no worker keeps.

    Parameters
    ----------
    X : (n, d) float array or CSR array, or rows in blocks
    rows : (m,) int64 array
        As for `rows_at`; what was made ready before the last time is let go.
    """
    if is_block_rows(X):
        engine_of(X, "batch_step").fetch(X, rows)


def rows_at(X: Any, rows: np.ndarray) -> Any:
    """Return some rows.

    Parameters
    ----------
    X : (n, d) float array or CSR array, or rows in blocks
    rows : (m,) int64 array
        Their numbers, in any order; rows in blocks are numbered block after block in the order of their contents.

    Returns
    -------
    (m, d) float array
        As given, of the engine of ``X``; of rows in blocks on the host.
    """
    return engine_of(X, "batch_step").rows_at(X, rows) if is_block_rows(X) else X[rows]


def weights_at(X: Any, rows: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray | None:
    """Return the weights of some rows: `rows_at` for weights, which rows in blocks have already.

    Parameters
    ----------
    X : (n, d) float array or CSR array, or rows in blocks
    rows : (m,) int64 array
    sample_weight : (n,) float64 array, optional

    Returns
    -------
    (m,) float64 array, or None
        None where every row counts once.
    """
    if is_block_rows(X):
        return engine_of(X, "batch_step").weights_at(X, rows)
    return None if sample_weight is None else sample_weight[rows]


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
