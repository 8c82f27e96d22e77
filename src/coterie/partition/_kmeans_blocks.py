"""K-means of rows in blocks: Lloyd's iteration with a pass over the blocks for each step."""

from typing import Any, NamedTuple

import numpy as np

from ..errors import UnsupportedError
from ..primitives.assign import center_labels, center_totals, lloyd_start, lloyd_step
from ._centers import iterate
from ._kmeans_starts import starts_of_blocks

__all__ = ["BlockRun", "best_of_blocks", "kmeans_of_blocks", "refuse_for_blocks"]


class BlockRun(NamedTuple):
    """What one start ended with."""

    inertia: float
    centers: np.ndarray  # (k, d) float64
    counts: np.ndarray  # (k,) int64: rows of each
    n_iter: int
    labels: Any  # (n,) int64 Dask array, or None


def kmeans_of_blocks(
    X: Any, start: np.ndarray, *, max_iter: int = 300, tol: float = 0.0, spherical: bool = False, skip: bool = True
) -> BlockRun:
    """Run Lloyd's iteration on rows in blocks from given centers.

    Parameters
    ----------
    X : rows in blocks
        Conditioned, or of unit length where ``spherical``; with their weights.
    start : (k, d) float64 array
    max_iter, tol, spherical, skip
        As for `coterie.partition.kmeans.kmeans`, but ``tol`` is a share of the mean variance of the columns.

    Returns
    -------
    BlockRun
        Inertia in the coordinates of ``X``.
    """
    state = lloyd_start(X, skip=skip)
    shift2 = tol * _mean_variance(X, state) if tol > 0 else 0.0
    centers, n_iter = iterate(state, X, start, max_iter=max_iter, tol=shift2, spherical=spherical)
    if X.on_workers:  # labels then lie beside the rows; else they are computed when they are asked for
        inertia, _, counts, labels = center_labels(X, centers)
    else:
        (inertia, _, counts), labels = center_totals(X, centers), None
    return BlockRun(inertia, centers, counts, n_iter, labels)


def best_of_blocks(model: Any, X: Any, shift: np.ndarray, scale: float) -> BlockRun:
    """Run as many starts as the parameters of a `KMeans` ask for and return the one that ends with the least inertia."""
    how = {
        "max_iter": model.max_iter,
        "tol": model.tol,
        "spherical": model.metric == "cosine",
        "skip": model.algorithm == "auto",
    }
    runs = (kmeans_of_blocks(X, start, **how) for start in starts_of_blocks(model, X, shift, scale))
    return min(runs, key=lambda run: run.inertia)


def refuse_for_blocks(model: Any) -> None:
    """Refuse parameters of a `KMeans` that need all rows at once.

    Raises
    ------
    UnsupportedError
    """
    if model.min_cluster_size is not None or model.max_cluster_size is not None:
        raise UnsupportedError(
            "bounds on sizes need all rows at once; leave min_cluster_size and max_cluster_size out for rows in blocks"
        )
    if model.algorithm == "flash":
        raise UnsupportedError("algorithm='flash' needs all rows on one GPU; take algorithm='auto' for rows in blocks")
    if callable(model.init):
        raise UnsupportedError(
            "a callable init needs all rows at once; give starting centers as an array, or init='k-means++'"
        )


def _mean_variance(X: Any, state: Any) -> float:
    origin = np.zeros((1, X.shape[1]))
    step = lloyd_step(state, origin)
    weight = float(step.weights[0])
    return (center_totals(X, origin)[0] / weight - float(((step.sums[0] / weight) ** 2).sum())) / X.shape[1]
