"""Sums of distances between rows and clusters, and how far the rows of each cluster spread: what validity scores rest on."""

from typing import Any, NamedTuple

import numpy as np

from .engine import engine_of

__all__ = ["Spread", "cluster_spread", "distance_sums", "mean_distances"]


class Spread(NamedTuple):
    """Centers of clusters and what their rows' distances to them add up to; NumPy arrays whatever the engine."""

    sizes: np.ndarray  # (k,) int64
    centers: np.ndarray  # (k, d) float64
    distances: np.ndarray  # (k,) float64: sum of the distances to the own center
    squares: np.ndarray  # (k,) float64: sum of the squared distances


def mean_distances(X: Any, labels: Any, n_clusters: int) -> tuple[Any, Any]:
    """Find each row's mean distance to the rest of its cluster, and to the nearest other cluster.

    Parameters
    ----------
    X : (n, d) float array
        Any engine, finite.
    labels : (n,) int array
        0 ... n_clusters - 1, each of them present.
    n_clusters : int
        At least 2.

    Returns
    -------
    inner : (n,) float64 array
        Mean distance to the other rows of the row's cluster; 0 for a row alone.
    outer : (n,) float64 array
        Least mean distance to the rows of another cluster.

    Notes
    -----
    O(n^2 d) time, half of which the CPU engine saves by using each distance twice; O(n d) memory, whatever the number of clusters.
    """
    return engine_of(X, "cluster_distances").mean_distances(X, labels, int(n_clusters))


def distance_sums(X: Any, labels: Any, n_clusters: int, queries: Any) -> Any:
    """Add up the distances of each query to the rows of each cluster.

    Parameters
    ----------
    X : (n, d) float array
        Any engine, finite.
    labels : (n,) int array
        0 ... n_clusters - 1, each of them present. Of rows in blocks, whose labels came with them
        (`coterie.primitives.block_labels.labelled`), the names of the clusters, (k,) ascending.
    n_clusters : int
    queries : (m, d) float array
        Of the dtype and engine of ``X``; of rows in blocks on the host.

    Returns
    -------
    (m, k) float64 array
        Euclidean distances, formed by differences in the dtype of ``X``, added in float64.

    Notes
    -----
    O(m n d) time, O(n d + m k) memory.
    """
    return engine_of(X, "cluster_distances").distance_sums(X, labels, int(n_clusters), queries)


def cluster_spread(X: Any, labels: Any, n_clusters: int) -> Spread:
    """Find the center of each cluster and how far its rows lie from it.

    Parameters
    ----------
    X : (n, d) float array
        Any engine, finite, its squares within the range of float64.
    labels : (n,) int array
        0 ... n_clusters - 1; rows with a negative label are left out. Of rows in blocks, whose labels came with them
        (`coterie.primitives.block_labels.labelled`), the names of the clusters, (k,) ascending, each of them present.
    n_clusters : int

    Returns
    -------
    Spread
        An empty cluster has its center at the first row.

    Notes
    -----
    Two passes: O(n d) time, O(k d) memory. All sums are in float64, in an order that depends on the rows alone.
    """
    return Spread(*engine_of(X, "cluster_distances").cluster_spread(X, labels, int(n_clusters)))
