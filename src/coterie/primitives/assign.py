"""Which center is nearest, and what the rows of each center add up to: the two steps of K-means and of every prediction."""

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse

from ..arrays import to_numpy
from ..errors import UnsupportedError
from .engine import engine_name, engine_of

__all__ = [
    "LloydStep",
    "center_labels",
    "center_sums",
    "center_totals",
    "check_half",
    "closer_distances",
    "farthest_rows",
    "lloyd_end",
    "lloyd_start",
    "lloyd_step",
    "nearest_center",
    "seeding_step",
]


class LloydStep(NamedTuple):
    """What one step of Lloyd's iteration found."""

    sums: Any  # (k, d) float64: weighted sum of the rows of each center
    weights: Any  # (k,) float64: their weight
    counts: Any  # (k,) int64: their number
    n_changed: int  # rows whose nearest center is another one than before; all of them where that is not known


def nearest_center(X: Any, centers: Any) -> tuple[Any, Any]:
    """Find the nearest center of each row.

    Parameters
    ----------
    X : (n, d) float array or CSR array
        Dense rows as `coterie.primitives.conditioning.condition` leaves them: distances are compared as
        ``|c|^2 - 2 x.c``, which cancels far from the origin.
    centers : (k, d) float64 array
        In the same coordinates.

    Returns
    -------
    labels : (n,) int32 array
        Ties go to the lowest index.
    distances2 : (n,) float64 array
        Squared distance to that center, from differences in float64.

    Notes
    -----
    O(n d k) time, O(n) memory.
    """
    return engine_of(X, "assign").nearest_center(X, centers)


def center_sums(X: Any, labels: Any, n_centers: int, sample_weight: Any = None) -> tuple[Any, Any]:
    """Add up the rows of each center.

    Parameters
    ----------
    X : (n, d) float array or CSR array
    labels : (n,) int array
        0 ... n_centers - 1; rows with a negative label are left out.
    n_centers : int
    sample_weight : (n,) float64 array, optional

    Returns
    -------
    sums : (k, d) float64 array
    weights : (k,) float64 array
        Summed in an order that depends on the rows alone, never on threads.
    """
    return engine_of(X, "assign").center_sums(X, labels, n_centers, sample_weight)


def center_totals(X: Any, centers: Any) -> tuple[float, Any, Any]:
    """Add up what rows in blocks are to their nearest centers.

    Parameters
    ----------
    X : rows in blocks
        From `coterie.primitives.blocks.block_rows`, with their weights.
    centers : (k, d) float64 array

    Returns
    -------
    cost : float
        Weighted sum of the squared distances.
    weights : (k,) float64 array
        Weight of the rows of each center.
    counts : (k,) int64 array
        Their number.
    """
    return engine_of(X, "assign").center_totals(X, centers)


def center_labels(X: Any, centers: Any) -> tuple[float, Any, Any, Any]:
    """Add up what rows in blocks are to their nearest centers, and leave each row's center where the row lies.

    Parameters
    ----------
    X : rows in blocks
    centers : (k, d) float64 array

    Returns
    -------
    cost, weights, counts
        As `center_totals` returns them.
    labels : (n,) int64 Dask array
    """
    return engine_of(X, "assign").center_labels(X, centers)


def closer_distances(X: Any, centers: Any, closest: Any = None) -> Any:
    """Take centers into account in the squared distance of each row to the nearest of some.

    Parameters
    ----------
    X : (n, d) float array
        Dense.
    centers : (t, d) float array
        In the type of ``X``.
    closest : (n,) float64 array, optional
        Squared distance to the nearest center so far; None before the first.

    Returns
    -------
    (n,) float64 array
        From differences in the type of ``X``: the same bits however the centers are divided into calls.
    """
    return engine_of(X, "assign").closer_distances(X, centers, closest)


def farthest_rows(X: Any, centers: Any, n: int, sample_weight: Any = None) -> tuple[Any, Any, Any, Any]:
    """Find the rows that are farthest from their nearest center.

    Parameters
    ----------
    X : (m, d) float array or CSR array, or rows in blocks
    centers : (k, d) float64 array
    n : int
        How many, at most.
    sample_weight : (m,) float64 array, optional
        Rows of weight zero are left out; rows in blocks have theirs already.

    Returns
    -------
    distances2 : (n,) float64 array
        Descending, -1 where there are no more rows; ties: the lowest row, or of blocks the row of the lowest values.
    labels : (n,) int array
    weights : (n,) float64 array
    rows : (n, d) float64 array
        All of them on the host.
    """
    if engine_name(X) == "dask":
        return engine_of(X, "assign").farthest_rows(X, centers, n)
    labels, distances2 = (to_numpy(part) for part in nearest_center(X, centers))
    weight = np.ones(len(labels)) if sample_weight is None else to_numpy(sample_weight)
    distances2 = np.where(weight > 0, distances2, -1.0)
    farthest = np.lexsort((np.arange(len(labels)), -distances2))[:n]
    picked = X[farthest]
    rows = np.asarray(picked.toarray() if scipy.sparse.issparse(picked) else to_numpy(picked), np.float64)
    return distances2[farthest], labels[farthest], weight[farthest], rows


def lloyd_start(X: Any, sample_weight: Any = None, *, skip: bool = True, half: bool = False) -> Any:
    """Return the state that `lloyd_step` carries from step to step; it belongs to the engine and may keep a copy of ``X``.

    Parameters
    ----------
    X : (n, d) float array or CSR array
        Conditioned, as for `nearest_center`.
    sample_weight : (n,) float64 array, optional
    skip : bool, default=True
        Allow the engine to skip what cannot have changed.
    half : bool, default=False
        Let the steps find nearest centers from products in half precision, by flash-kmeans on CUDA; `lloyd_end` is exact.

    Raises
    ------
    UnsupportedError, MissingExtraError
        For ``half``, as `check_half`.
    """
    if not half:
        return engine_of(X, "assign").lloyd_start(X, sample_weight, skip)
    check_half(X)
    return engine_of(X, "assign").lloyd_start(X, sample_weight, skip, half)


def check_half(X: Any) -> None:
    """Refuse rows for which `lloyd_start` cannot do with half precision.

    Parameters
    ----------
    X : (n, d) float array of any engine, or CSR array

    Raises
    ------
    UnsupportedError
        If the rows do not lie on one GPU of CUDA.
    MissingExtraError
        If flash-kmeans is not installed.
    """
    if not getattr(X, "is_cuda", False):
        raise UnsupportedError(
            "algorithm='flash' needs all rows on one GPU of CUDA; pass device='cuda' or a tensor there, or take algorithm='auto'"
        )
    engine_of(X, "_flash_assign").kernel()


def lloyd_step(state: Any, centers: Any) -> LloydStep:
    """Assign every row to its nearest center and add the rows up.

    The composition of `nearest_center` and `center_sums`, with the same labels; engines may skip what the last step
    has settled.

    Parameters
    ----------
    state : object
        From `lloyd_start`; changed in place.
    centers : (k, d) float64 array
        As many as in the step before.

    Returns
    -------
    LloydStep
    """
    return engine_of(state.X, "assign").lloyd_step(state, centers)


def lloyd_end(state: Any, centers: Any) -> tuple[Any, Any]:
    """Find the nearest center of each row after the last step: `nearest_center`, with what the steps have made of the rows.

    Parameters
    ----------
    state : object
        From `lloyd_start`, after at least one step; not to be used again.
    centers : (k, d) float64 array
        As many as in the steps.

    Returns
    -------
    labels : (n,) int32 array
    distances2 : (n,) float64 array
        The same bits as `nearest_center`, in the order in which the rows came.
    """
    return engine_of(state.X, "assign").lloyd_end(state, centers)


def seeding_step(X: Any, candidates: Any, closest: Any, sample_weight: Any = None) -> tuple[Any, Any]:
    """Weigh candidates for the next center of k-means++.

    Parameters
    ----------
    X : (n, d) float array or CSR array
    candidates : (t,) int64 array
        Rows that may become the next center.
    closest : (n,) float64 array, or None
        Squared distance to the nearest center so far; None before the first.
    sample_weight : (n,) float64 array, optional

    Returns
    -------
    potentials : (t,) float64 array
        Weighted sum of the squared distances to the nearest center, were the candidate taken.
    closest : (n,) float64 array
        The distances were the best candidate taken: least potential, ties to the first.
    """
    return engine_of(X, "assign").seeding_step(X, candidates, closest, sample_weight)
