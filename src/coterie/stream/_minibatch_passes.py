"""Mini-batch K-means on rows that are all there: passes over them, one batch after another."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import scipy.sparse

from ..arrays import to_numpy
from ..primitives.batch_step import fetch, rows_at, weights_at
from ..primitives.blocks import is_block_rows, room_for
from ..primitives.conditioning import condition
from ._minibatch_state import MOST_TOGETHER, MiniBatchState, Settings, start, steps

__all__ = ["minibatch_kmeans", "sweep"]


def minibatch_kmeans(
    X: Any,
    settings: Settings,
    *,
    sample_weight: np.ndarray | None = None,
    max_iter: int = 100,
    max_no_improvement: int | None = 10,
    tol: float = 0.0,
) -> tuple[MiniBatchState, int]:
    """Move centers by one batch after another, until they do not get better.

    Parameters
    ----------
    X : (n, d) float array of any engine, or CSR array
        As given; a memory-mapped file is read batch by batch. Or rows in blocks, which stay where they are.
    settings : Settings
    sample_weight : (n,) float64 array, optional
    max_iter : int, default=100
        Most passes over the rows.
    max_no_improvement : int or None, default=10
        Stop after so many batches without a better smoothed inertia; None: never.
    tol : float, default=0
        Stop when the centers' squared moves add up to no more than this share of the mean variance of the columns.

    Returns
    -------
    state : MiniBatchState
    n_iter : int
        Passes begun.
    """
    n = X.shape[0]
    per_pass = -(-n // settings.batch_size)
    n_first = min(per_pass, -(-settings.init_size // (n // per_pass)))
    batches: Iterator = (
        rows for epoch in range(max_iter) for rows in sweep(n, settings.batch_size, settings.seed, epoch)
    )
    if is_block_rows(X):
        batches = _fetched(X, batches, settings.batch_size)
    first = np.concatenate(list(islice(batches, n_first)))
    sample, weights = rows_at(X, first), weights_at(X, first, sample_weight)
    state = start(sample, settings, np.ones(len(first)) if weights is None else weights)
    if n_first == per_pass:
        return state, 1
    variance = _mean_variance(sample, state) if tol > 0 else 0.0
    smoothed, least, since = None, np.inf, 0
    share = min(1.0, 2.0 * settings.batch_size / (n + 1))
    # Never more batches than must be seen before it may stop: so none is made in vain.
    while group := list(islice(batches, _most_before_a_stop(max_no_improvement, since, tol))):
        weights = weights_at(X, np.concatenate(group), sample_weight)
        moved, inertias = steps(state, X, group, settings, weights, measured=max_no_improvement is not None)
        shift2 = float(((moved.centers - state.centers) ** 2).sum()) if tol > 0 else np.inf
        state = moved
        for inertia, weight in zip(inertias, _batch_weights(group, weights), strict=True):
            inertia /= weight
            smoothed = inertia if smoothed is None else smoothed * (1 - share) + inertia * share
            since = 0 if smoothed < least else since + 1
            least = min(least, smoothed)
        if (max_no_improvement is not None and since >= max_no_improvement) or shift2 <= tol * variance:
            break
    return state, -(-(n_first + state.n_steps) // per_pass)


def _fetched(X: Any, batches: Iterator[np.ndarray], batch_size: int) -> Iterator[np.ndarray]:
    """Yield the batches; the rows of many are made ready in one pass over the blocks."""
    together = max(1, min(MOST_TOGETHER, room_for(X, batch_size * X.shape[1] * X.dtype.itemsize)))
    while group := list(islice(batches, together)):
        fetch(X, np.concatenate(group))
        yield from group


def _most_before_a_stop(max_no_improvement: int | None, since: int, tol: float) -> int:
    if tol > 0:
        return 1
    return MOST_TOGETHER if max_no_improvement is None else min(MOST_TOGETHER, max(1, max_no_improvement - since))


def _batch_weights(group: list[np.ndarray], weights: np.ndarray | None) -> list[float]:
    sizes = [len(rows) for rows in group]
    if weights is None:
        return [float(size) for size in sizes]
    return [max(float(part.sum()), np.finfo(float).tiny) for part in np.split(weights, np.cumsum(sizes)[:-1])]


def sweep(n: int, batch_size: int, seed: int, epoch: int) -> Iterator[np.ndarray]:
    """Yield the rows of each batch of one pass: every row once, each batch from all over the data.

    The rows are divided into ``batch_size`` runs; a batch takes one row of each, beginning at a random place of the run. So batches
    are small images of the data even where the data are sorted, and memory is read forwards.
    """
    n_batches = -(-n // batch_size)
    n_runs = -(-n // n_batches)
    first = np.arange(n_runs) * n_batches
    rows = first + np.random.default_rng([seed, epoch]).integers(n_batches, size=n_runs)
    end = first + n_batches
    for _ in range(n_batches):
        yield rows[: n_runs - (rows[-1] >= n)].copy()  # the last run may be a shorter one
        rows += 1
        np.subtract(rows, n_batches, out=rows, where=rows == end)


def _mean_variance(X: Any, state: MiniBatchState) -> float:
    """Return the mean over features of the variance of some rows, in the coordinates of the centers."""
    if scipy.sparse.issparse(X):
        rows = X / X.dtype.type(state.scale)
        mean = np.asarray(rows.mean(axis=0)).ravel()
        return float((np.asarray(rows.multiply(rows).mean(axis=0)).ravel() - mean**2).mean())
    return float(to_numpy(condition(X, state.shift, state.scale).rows).astype(np.float64).var(axis=0).mean())
