"""K-means with bounds on the number of rows of each cluster: the assignment step is the cheapest one within the bounds.

Where bounds are given, a row need not belong to its nearest center. The dual variables of the assignment, one *price* for each
cluster, still say where it belongs: to the cluster of the least ``squared distance - price``. A cluster that must grow has a
price above 0, one that must shrink has one below. A few rows, about one for each cluster, lie exactly on the border that a
price draws; which side they are on is remembered by their values.

Bradley, P. S., Bennett, K. P., & Demiriz, A. (2000). Constrained k-means clustering. Microsoft Research, MSR-TR-2000-65.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from ..arrays import to_numpy
from ..errors import InputError
from ..primitives.assign import center_sums
from ..primitives.distances import pairwise_distances
from ..primitives.row_keys import row_keys
from ..primitives.transport import assign_within
from ._centers import centers_of, rows_of

__all__ = ["BoundedRun", "kmeans_within", "refuse_beside_limits", "remember_divided", "size_limits", "within_bounds"]

_BLOCK_ROWS = 65_536
_FEW_ROWS = 1024


class BoundedRun(NamedTuple):
    """Where `kmeans_within` ended."""

    centers: np.ndarray  # (k, d) float64
    labels: np.ndarray  # (n,) int64
    distances2: np.ndarray  # (n,) float64 to the own center
    prices: np.ndarray  # (k,) float64
    divided: np.ndarray  # (m,) int64: rows that the prices alone do not settle
    n_iter: int


def size_limits(
    n: int, n_clusters: int, smallest: int | float | None, largest: int | float | None
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the least and the greatest number of rows of each cluster, or None where sizes are free.

    Parameters
    ----------
    n, n_clusters : int
    smallest, largest : int, float or None
        A number of rows, or a share of them between 0 and 1, rounded so that the share is kept; None does not bound. No
        cluster stays empty.

    Raises
    ------
    InputError
        If the bounds leave no way to place n rows.
    """
    if smallest is None and largest is None:
        return None
    low = 1 if smallest is None else smallest if smallest >= 1 else math.ceil(round(smallest * n, 6))
    high = n if largest is None else largest if largest >= 1 else math.floor(round(largest * n, 6))
    low = max(low, 1)
    if low > high:
        raise InputError(
            f"min_cluster_size={smallest} is {low} rows, above max_cluster_size={largest}, which is {high} of {n} rows"
        )
    if low * n_clusters > n:
        raise InputError(
            f"min_cluster_size={smallest} for n_clusters={n_clusters} needs {low * n_clusters} rows, got {n}; lower one of the two"
        )
    if high * n_clusters < n:
        raise InputError(
            f"max_cluster_size={largest} for n_clusters={n_clusters} holds {high * n_clusters} rows, got {n}; raise one of the two"
        )
    return np.full(n_clusters, low), np.full(n_clusters, high)


def refuse_beside_limits(sample_weight: Any, algorithm: str) -> None:
    """Refuse what cannot be together with bounds on the sizes of clusters.

    Raises
    ------
    InputError
    """
    if sample_weight is not None:
        raise InputError(
            "min_cluster_size and max_cluster_size count rows, so there can be no sample_weight beside them"
        )
    if algorithm == "flash":
        raise InputError("algorithm='flash' keeps no bounds on sizes; take algorithm='auto', or no bounds")


def kmeans_within(
    X: Any,
    centers: np.ndarray,
    limits: tuple[np.ndarray, np.ndarray],
    *,
    max_iter: int = 300,
    tol: float = 0.0,
    spherical: bool = False,
) -> BoundedRun:
    """Run Lloyd's iteration with assignments within size limits, from the given centers.

    Parameters
    ----------
    X : (n, d) float array of any engine, or CSR array
        Conditioned, or of unit length where ``spherical``.
    centers : (k, d) float64 array
    limits : (k,) int64 array, (k,) int64 array
        From `size_limits`.
    max_iter : int
    tol : float
        Stop when the centers' squared moves add up to this or less, or the total cost does not fall.
    spherical : bool

    Returns
    -------
    BoundedRun
    """
    least, prices, rows = np.inf, None, np.arange(X.shape[0])
    for n_iter in range(1, max_iter + 1):  # noqa: B007 - returned
        costs = _costs(X, centers)
        labels, prices = assign_within(costs, *limits, prices)
        total = float(costs[rows, labels].sum())
        if not total < least:
            break
        sums, weights = (to_numpy(part) for part in center_sums(X, labels, len(centers)))
        moved, least = centers_of(sums, weights, centers, spherical), total
        shift2 = float(((moved - centers) ** 2).sum())
        centers = moved
        if shift2 <= tol:
            break
    costs = _costs(X, centers)
    labels, prices = assign_within(costs, *limits, prices)
    unsettled = np.flatnonzero(np.argmin(costs - prices, axis=1) != labels)
    labels, divided = remember_divided(X, labels, unsettled)
    return BoundedRun(centers, labels, costs[rows, labels], prices, divided, n_iter)


def within_bounds(
    X: Any, centers: np.ndarray, prices: np.ndarray, rows: np.ndarray, row_labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the cluster of each row by the prices of a fit, and the squared distance to its center.

    Parameters
    ----------
    X : (n, d) array
    centers : (k, d) float64 array
    prices : (k,) float64 array
    rows : (m, d) float64 array
        Remembered: rows of ``X`` that equal them get their labels; of several equal ones, each in turn, and all that follow
        the last.
    row_labels : (m,) int64 array

    Returns
    -------
    labels : (n,) int64 array
    distances2 : (n,) float64 array
    """
    n = X.shape[0]
    labels, distances2 = np.empty(n, np.int64), np.empty(n)
    waiting: dict[bytes, list[int]] = {}
    for row, label in zip(rows[::-1] + 0.0, row_labels[::-1].tolist(), strict=True):
        waiting.setdefault(row.tobytes(), []).append(label)
    keys = to_numpy(row_keys(rows)) if len(rows) else np.empty(0)
    for start in range(0, n, _BLOCK_ROWS):
        block = X[start : start + _BLOCK_ROWS]
        costs = _costs(block, centers)
        part = slice(start, start + len(costs))
        labels[part] = np.argmin(costs - prices, axis=1)
        if len(rows):
            _repeat(block, labels[part], keys, waiting)
        distances2[part] = costs[np.arange(len(costs)), labels[part]]
    return labels, distances2


def remember_divided(X: Any, labels: np.ndarray, unsettled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """List the rows that must be remembered, and let equal ones among them have ascending labels in the order of the rows.

    Parameters
    ----------
    X : (n, d) array
    labels : (n,) int64 array
    unsettled : (u,) int64 array
        Rows that another rule would give another label.

    Returns
    -------
    labels : (n,) int64 array
        The same up to exchanges between equal rows.
    divided : (m,) int64 array
        The rows ``unsettled`` and all that equal them, ascending.
    """
    if len(unsettled) == 0:
        return labels, unsettled
    keys = to_numpy(row_keys(X))
    divided = np.flatnonzero(np.isin(keys, keys[unsettled]))
    _, value = np.unique(rows_of(X, divided) + 0.0, axis=0, return_inverse=True)
    labels = labels.copy()
    by_row = divided[np.argsort(value.ravel(), kind="stable")]
    labels[by_row] = labels[divided[np.lexsort((labels[divided], value.ravel()))]]
    return labels, divided


def _repeat(X, labels, keys, waiting):
    """Give rows that equal remembered ones the labels that wait for them."""
    concerned = np.flatnonzero(np.isin(to_numpy(row_keys(X)), keys))
    for start in range(0, len(concerned), _FEW_ROWS):
        some = concerned[start : start + _FEW_ROWS]
        for i, row in zip(some.tolist(), rows_of(X, some) + 0.0, strict=True):
            queue = waiting.get(row.tobytes())
            if queue is not None:
                labels[i] = queue.pop() if len(queue) > 1 else queue[0]


def _costs(X: Any, centers: np.ndarray) -> np.ndarray:
    return to_numpy(pairwise_distances(X, centers, squared=True)).astype(np.float64)
