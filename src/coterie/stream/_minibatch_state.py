"""The state of mini-batch K-means: centers with their weights, and rows that wait for their batch to fill.

`absorb` cuts what comes into batches of a fixed size and keeps the rest, so that it does not matter how the rows were cut into chunks.
"""

import warnings
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
from sklearn.exceptions import ConvergenceWarning

from ..arrays import is_tensor, to_numpy
from ..partition.kmeans import KMeans
from ..primitives.assign import center_sums
from ..primitives.batch_step import batch_steps, rows_at
from ..primitives.conditioning import condition

__all__ = [
    "MOST_TOGETHER",
    "MiniBatchState",
    "Settings",
    "absorb",
    "finalize",
    "merge",
    "partial",
    "start",
    "step",
    "steps",
]

MOST_TOGETHER = 64  # batches that are gone through in one call


class Settings(NamedTuple):
    """What the steps need to know; the same for every part of one stream."""

    n_clusters: int
    batch_size: int
    init_size: int  # rows of the first sample, a multiple of batch_size
    init: Any  # as KMeans takes it
    n_init: Any
    reassignment_ratio: float
    seed: int


class MiniBatchState(NamedTuple):
    """Centers so far, and what waits. Coordinates are those of the rows shifted and then divided by the scale."""

    centers: Any = None  # (k, d) float64; None until the first sample is full
    mass: Any = None  # (k,) float64: weight of the rows that a center is the mean of
    shift: Any = None  # (d,) float64
    scale: float = 1.0
    waiting: Any = None  # (m, d) rows as they came, fewer than a batch
    weights: Any = None  # (m,) float64
    n_steps: int = 0


def partial(X: Any, settings: Settings, sample_weight: np.ndarray | None = None) -> MiniBatchState:
    """Return the state after the rows of one block."""
    return absorb(MiniBatchState(), X, settings, sample_weight)


def absorb(
    state: MiniBatchState, X: Any, settings: Settings, sample_weight: np.ndarray | None = None
) -> MiniBatchState:
    """Return the state after more rows, the same however the rows are cut into blocks.

    Parameters
    ----------
    state : MiniBatchState
    X : (n, d) float array of any engine, or CSR array
    settings : Settings
    sample_weight : (n,) float64 array, optional

    Returns
    -------
    MiniBatchState
        Holds copies, not views of ``X``.
    """
    n, at = X.shape[0], 0
    weights = np.ones(n) if sample_weight is None else sample_weight
    while True:
        wanted = settings.init_size if state.centers is None else settings.batch_size
        n_waiting = 0 if state.waiting is None else state.waiting.shape[0]
        if n - at < wanted - n_waiting:
            waiting, waiting_weights = _joined(state, X[at:], weights[at:])
            return state._replace(waiting=waiting, weights=waiting_weights)
        if state.centers is not None and n_waiting == 0:
            together = min(MOST_TOGETHER, (n - at) // wanted)
            rows = np.arange(at, at + together * wanted)
            state, _ = steps(state, X, np.split(rows, together), settings, weights[rows], measured=False)
            at += len(rows)
            continue
        end = at + wanted - n_waiting
        batch, batch_weights = _joined(state, X[at:end], weights[at:end])
        state = state._replace(waiting=None, weights=None)
        if state.centers is None:
            state = start(batch, settings, batch_weights)
        else:
            state, _ = steps(state, batch, [np.arange(wanted)], settings, batch_weights, measured=False)
        at = end


def merge(a: MiniBatchState, b: MiniBatchState, settings: Settings) -> MiniBatchState:
    """Return a state for the rows of both: the 2k weighted centers are clustered to k, and what waits is absorbed.

    Parameters
    ----------
    a, b : MiniBatchState
        Of streams with the same settings.
    settings : Settings

    Returns
    -------
    MiniBatchState
        Deterministic, but not what one stream over all rows would have given: K-means has no exact merge.
    """
    if a.centers is None or b.centers is None:
        first, second = (b, a) if a.centers is None else (a, b)
        return first if second.waiting is None else absorb(first, second.waiting, settings, second.weights)
    theirs = b.centers * (b.scale / a.scale) + (b.shift - a.shift) / a.scale
    centers, mass = np.concatenate([a.centers, theirs]), np.concatenate([a.mass, b.mass])
    begin = a.centers if a.mass.sum() >= b.mass.sum() else theirs
    model = _kmeans(settings._replace(init=begin, n_init=1), 300).fit(centers, sample_weight=mass)
    sums, total = center_sums(centers, model.labels_, settings.n_clusters, mass)
    merged = a._replace(
        centers=np.where(total[:, None] > 0, sums / np.where(total > 0, total, 1.0)[:, None], model.cluster_centers_),
        mass=total,
        n_steps=a.n_steps + b.n_steps,
    )
    return merged if b.waiting is None else absorb(merged, b.waiting, settings, b.weights)


def finalize(state: MiniBatchState, settings: Settings) -> MiniBatchState:
    """Return the state after what waits has been counted as one smaller batch; ``state`` itself can go on."""
    if state.waiting is None or state.waiting.shape[0] == 0:
        return state
    rest, weights = state.waiting, state.weights
    if state.centers is None:
        return start(rest, settings, weights)
    return step(state._replace(waiting=None, weights=None), rest, np.arange(rest.shape[0]), settings, weights)[0]


def start(X: Any, settings: Settings, sample_weight: np.ndarray) -> MiniBatchState:
    """Cluster the first sample by K-means and take its centers and their weights as the start."""
    model = _kmeans(settings, 30)
    with warnings.catch_warnings():
        # That there are few distinct rows so far says little about the stream.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, sample_weight=sample_weight if sample_weight.any() else None)
    if scipy.sparse.issparse(X):
        largest = np.abs(X.data).max(initial=0.0)
        rows, shift = X, np.zeros(X.shape[1])
        scale = condition(np.full((1, 1), float(largest)), np.zeros(1), None).scale if largest > 0 else 1.0
        rows = X / X.dtype.type(scale)
    else:
        rows, shift, scale = condition(X)
    sums, mass = (to_numpy(part) for part in center_sums(rows, model.labels_, settings.n_clusters, sample_weight))
    found = to_numpy(model.cluster_centers_).astype(np.float64) / scale - shift / scale
    centers = np.where(mass[:, None] > 0, sums / np.where(mass > 0, mass, 1.0)[:, None], found)
    return MiniBatchState(centers, mass, shift, scale)


def step(
    state: MiniBatchState, X: Any, rows: np.ndarray, settings: Settings, sample_weight: np.ndarray | None
) -> tuple[MiniBatchState, float]:
    """Move the centers by one batch: `steps` of it alone."""
    state, inertia = steps(state, X, [rows], settings, sample_weight)
    return state, inertia[0]


def steps(
    state: MiniBatchState,
    X: Any,
    batches: list[np.ndarray],
    settings: Settings,
    sample_weight: np.ndarray | None,
    measured: bool = True,
) -> tuple[MiniBatchState, list[float]]:
    """Move every center to the mean of all rows that it has ever been the nearest center of, batch after batch.

    Parameters
    ----------
    state : MiniBatchState
    X : (n, d) float array of any engine, or CSR array
    batches : list of (b,) int64 arrays
        The rows of each batch.
    settings : Settings
    sample_weight : (m,) float64 array, optional
        Of the rows of all batches, one batch after another.
    measured : bool, default=True
        Whether the inertia is wanted; else it may be NaN.

    Returns
    -------
    MiniBatchState
    list of float
        Inertia of each batch before its step.
    """
    rows, starts = np.concatenate(batches), np.r_[0, np.cumsum([len(batch) for batch in batches])]
    inertia: list[float] = []
    while len(inertia) < len(batches):
        found = batch_steps(
            X, rows, starts[len(inertia) :], state.centers, state.mass, state.shift, state.scale, sample_weight,
            settings.reassignment_ratio, measured,
        )  # fmt: skip
        inertia += found.inertia.tolist()
        weak = found.mass < settings.reassignment_ratio * found.mass.max()
        n_steps = state.n_steps + len(found.inertia)
        if weak.any():
            random = np.random.default_rng([settings.seed, n_steps - 1])
            _move_weak(found.centers, found.mass, weak, state, X, batches[len(inertia) - 1], random)
        state = state._replace(centers=found.centers, mass=found.mass, n_steps=n_steps)
    return state, inertia


def _kmeans(settings: Settings, max_iter: int) -> KMeans:
    return KMeans(
        settings.n_clusters, init=settings.init, n_init=settings.n_init, max_iter=max_iter, random_state=settings.seed
    )


def _move_weak(centers, mass, weak, state, X, rows, random):
    """Put centers that hold almost nothing on random rows of the batch, with the least weight of the others."""
    weak = np.flatnonzero(weak)[: max(1, len(rows) // 2)]
    picked = rows[random.choice(len(rows), len(weak), replace=False)]
    values = X[picked].toarray() if scipy.sparse.issparse(X) else to_numpy(rows_at(X, picked))
    centers[weak] = values / state.scale - state.shift / state.scale
    others = np.delete(mass, weak)
    mass[weak] = others.min() if len(others) else 0.0


def _joined(state: MiniBatchState, X: Any, weights: np.ndarray) -> tuple[Any, np.ndarray]:
    """Return what waits and the new rows as one block, a copy where it is kept."""
    if state.waiting is None:
        return (X.clone() if is_tensor(X) else X.copy()), weights.copy()
    both = [state.waiting, X]
    if is_tensor(X):
        import sys

        rows = sys.modules["torch"].cat(both)
    else:
        rows = scipy.sparse.vstack(both, "csr") if scipy.sparse.issparse(X) else np.concatenate(both)
    return rows, np.concatenate([state.weights, weights])
