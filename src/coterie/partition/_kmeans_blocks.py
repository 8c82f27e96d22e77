"""K-means of rows in blocks: starts by k-means||, Lloyd's iteration with a pass over the blocks for each step."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from ..arrays import normalize_rows
from ..errors import UnsupportedError
from ..primitives.assign import center_labels, center_totals, lloyd_start, lloyd_step
from ..primitives.seeding import draw_far_rows
from ._centers import iterate
from ._seeding import canonical_order, given_centers, kmeans_plusplus

__all__ = ["BlockRun", "best_of_blocks", "kmeans_of_blocks", "kmeans_parallel", "refuse_for_blocks"]

_ROUNDS = 5
_OVERSAMPLING = 2  # rows drawn in a round, times the number of clusters


class BlockRun(NamedTuple):
    """What one start ended with."""

    inertia: float
    centers: np.ndarray  # (k, d) float64
    counts: np.ndarray  # (k,) int64: rows of each
    n_iter: int
    labels: Any  # (n,) int64 Dask array, or None


def kmeans_parallel(X: Any, n_clusters: int, rng: np.random.RandomState) -> np.ndarray:
    """Choose starting centers from few passes over rows in blocks: draw too many, weigh them, and cluster those.

    Parameters
    ----------
    X : rows in blocks
        With their weights; conditioned.
    n_clusters : int
    rng : RandomState

    Returns
    -------
    (k, d) float64 array

    Notes
    -----
    Seven passes; 10 k rows are drawn, each standing for the weight of the rows nearest to it. They are clustered on the client, by
    k-means++ and Lloyd's iteration with these weights.

    References
    ----------
    Bahmani, B., Moseley, B., Vattani, A., Kumar, R., & Vassilvitskii, S. (2012). Scalable k-means++. PVLDB, 5(7), 622-633.
    https://doi.org/10.14778/2180912.2180915
    """
    seed = int(rng.randint(2**31))
    drawn: tuple[np.ndarray, ...] = ()
    for n in (1, *[_OVERSAMPLING * n_clusters] * _ROUNDS):
        found = draw_far_rows(X, n, seed, drawn)
        if len(found) == 0:  # every other row lies on one that is drawn
            break
        drawn += (found,)
    candidates = np.concatenate(drawn)
    weights = center_totals(X, candidates)[1]
    candidates, weights = candidates[weights > 0], weights[weights > 0]
    chosen = kmeans_plusplus(candidates, n_clusters, rng, canonical_order(candidates), weights)
    state = lloyd_start(candidates, weights)
    return iterate(state, candidates, candidates[chosen], sample_weight=weights)[0]


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


def best_of_blocks(model: Any, X: Any, shift: np.ndarray, scale: float, n_starts: int) -> BlockRun:
    """Run as many starts as the parameters of a `KMeans` ask for and return the one that ends with the least inertia."""
    rng = check_random_state(model.random_state)
    how = {
        "max_iter": model.max_iter,
        "tol": model.tol,
        "spherical": model.metric == "cosine",
        "skip": model.algorithm == "auto",
    }
    runs = (kmeans_of_blocks(X, _start(model, X, shift, scale, rng), **how) for _ in range(n_starts))
    return min(runs, key=lambda run: run.inertia)


def _start(model: Any, X: Any, shift: np.ndarray, scale: float, rng: np.random.RandomState) -> np.ndarray:
    """Return the starting centers that the parameters of a `KMeans` ask for, in the coordinates of ``X``."""
    if isinstance(model.init, str):
        if model.init == "k-means++":
            return kmeans_parallel(X, model.n_clusters, rng)
        found = draw_far_rows(X, model.n_clusters, int(rng.randint(2**31)), ())
        return np.concatenate([found] * -(-model.n_clusters // len(found)))[: model.n_clusters]
    init = given_centers(model.init, X, (model.n_clusters, X.shape[1]), rng)
    return normalize_rows(init) if model.metric == "cosine" else init / scale - shift / scale


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
