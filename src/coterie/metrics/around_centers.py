"""Scores of a clustering from its centers, for compact groups, in O(n d) or O(n k d).

Davies-Bouldin, Calinski-Harabasz, WB and Xie-Beni compare spread within clusters with spread between their centers; the simplified
silhouette compares, for each row, the distance to its own center with that to the nearest other. Noise (-1) takes no part. Arrays,
frames and tensors are scored by the engine that owns them; rows in blocks, with labels in the same blocks, where they lie.
"""

from typing import Any

import numpy as np

from ..primitives.around_centers import around_centers
from ..primitives.blocks import in_blocks
from ..primitives.cluster_distances import Spread, cluster_spread
from ._inputs import as_rows, blocks_of, check_finite, comparable_clusters, scaled

__all__ = [
    "calinski_harabasz_of",
    "calinski_harabasz_score",
    "davies_bouldin_of",
    "davies_bouldin_score",
    "simplified_silhouette_score",
    "wb_score",
    "xie_beni_score",
]


def simplified_silhouette_score(X: Any, labels: Any) -> float:
    """Give the mean silhouette in which the centers stand for the clusters, from -1 (wrong) to 1 (far apart).

    Parameters
    ----------
    X : (n, d) array-like of float, Dask array or frame, or RowFiles
        Rows; Euclidean distance.
    labels : (n,) array-like of int, or Dask array in the blocks of ``X``
        Cluster of each row; noise (-1) takes no part.

    Returns
    -------
    float
        Mean of ``(b - a) / max(a, b)``, a the distance of a row to the mean of its cluster and b that to the nearest other; 0 for a
        row alone in its cluster.

    Raises
    ------
    InputError
        If fewer than two clusters remain, every row is alone, or ``X`` is not finite.

    See Also
    --------
    silhouette_score : Compares with all rows of the clusters, in O(n^2 d).

    Notes
    -----
    O(n k d) time for k clusters. For compact groups: it is higher than the silhouette, as rows are nearer to a center than to the rows
    around it, and says nothing of groups that have no middle.

    References
    ----------
    Hruschka E. R., de Castro L. N., Campello R. J. G. B. (2004), Evolutionary algorithms for clustering gene-expression data, ICDM,
    doi:10.1109/ICDM.2004.10073.

    Examples
    --------
    >>> round(simplified_silhouette_score([[0.0], [1.0], [10.0], [11.0]], [0, 0, 1, 1]), 3)
    0.95
    """
    rows, codes, spread = _measured(X, labels)
    sums = around_centers(rows, codes, spread.centers).silhouettes
    return float(sums[spread.sizes > 1].sum() / spread.sizes.sum())


def davies_bouldin_score(X: Any, labels: Any) -> float:
    """Give the mean, over clusters, of the worst ratio of spread to distance between centers; lower is better.

    Parameters
    ----------
    X : (n, d) array-like of float, Dask array or frame, or RowFiles
        Rows.
    labels : (n,) array-like of int, or Dask array in the blocks of ``X``
        Cluster of each row; noise (-1) takes no part.

    Returns
    -------
    float
        0 or more; centers that coincide do not count as a pair (scikit-learn's convention).

    Raises
    ------
    InputError
        If fewer than two clusters remain, every row is alone, or ``X`` is not finite.

    References
    ----------
    Davies D. L., Bouldin D. W. (1979), A cluster separation measure, IEEE TPAMI 1, doi:10.1109/TPAMI.1979.4766909.

    Examples
    --------
    >>> davies_bouldin_score([[0.0], [1.0], [10.0], [11.0]], [0, 0, 1, 1])
    0.1
    """
    return davies_bouldin_of(_spread(X, labels))


def davies_bouldin_of(spread: Spread) -> float:
    """Give `davies_bouldin_score` of clusters whose spread is known."""
    mean = spread.distances / spread.sizes
    between = _between(spread.centers)
    between[between == 0] = np.inf
    return float(((mean[:, None] + mean) / between).max(axis=1).mean())


def calinski_harabasz_score(X: Any, labels: Any) -> float:
    """Give the ratio of between-cluster to within-cluster variance, each per degree of freedom; higher is better.

    Parameters
    ----------
    X : (n, d) array-like of float, Dask array or frame, or RowFiles
        Rows.
    labels : (n,) array-like of int, or Dask array in the blocks of ``X``
        Cluster of each row; noise (-1) takes no part.

    Returns
    -------
    float
        0 or more; 1 when the clusters have no spread at all (scikit-learn's convention).

    Raises
    ------
    InputError
        If fewer than two clusters remain, every row is alone, or ``X`` is not finite.

    References
    ----------
    Calinski T., Harabasz J. (1974), A dendrite method for cluster analysis, Communications in Statistics 3,
    doi:10.1080/03610927408827101.

    Examples
    --------
    >>> calinski_harabasz_score([[0.0], [1.0], [10.0], [11.0]], [0, 0, 1, 1])
    200.0
    """
    return calinski_harabasz_of(_spread(X, labels))


def calinski_harabasz_of(spread: Spread) -> float:
    """Give `calinski_harabasz_score` of clusters whose spread is known."""
    within, between = _sums_of_squares(spread)
    n, k = int(spread.sizes.sum()), len(spread.sizes)
    return 1.0 if within == 0.0 else between * (n - k) / (within * (k - 1.0))


def wb_score(X: Any, labels: Any) -> float:
    """Give k times the ratio of within-cluster to between-cluster sum of squares; lower is better.

    Parameters
    ----------
    X : (n, d) array-like of float, Dask array or frame, or RowFiles
        Rows.
    labels : (n,) array-like of int, or Dask array in the blocks of ``X``
        Cluster of each row; noise (-1) takes no part.

    Returns
    -------
    float
        0 or more; infinite when all centers coincide. Its least value over k marks the number of clusters.

    Raises
    ------
    InputError
        If fewer than two clusters remain, every row is alone, or ``X`` is not finite.

    References
    ----------
    Zhao Q., Xu M., Franti P. (2009), Sum-of-squares based cluster validity index and significance analysis, ICANNGA,
    doi:10.1007/978-3-642-04921-7_32.

    Examples
    --------
    >>> wb_score([[0.0], [1.0], [10.0], [11.0]], [0, 0, 1, 1])
    0.02
    """
    spread = _spread(X, labels)
    within, between = _sums_of_squares(spread)
    return float(len(spread.sizes) * within / between) if between > 0 else float("inf")


def xie_beni_score(X: Any, labels: Any) -> float:
    """Give the mean squared distance to the own center over the least squared distance between centers; lower is better.

    Parameters
    ----------
    X : (n, d) array-like of float, Dask array or frame, or RowFiles
        Rows.
    labels : (n,) array-like of int, or Dask array in the blocks of ``X``
        Cluster of each row; noise (-1) takes no part.

    Returns
    -------
    float
        0 or more; infinite when two centers coincide.

    Raises
    ------
    InputError
        If fewer than two clusters remain, every row is alone, or ``X`` is not finite.

    References
    ----------
    Xie X. L., Beni G. (1991), A validity measure for fuzzy clustering, IEEE TPAMI 13, doi:10.1109/34.85677.

    Examples
    --------
    >>> xie_beni_score([[0.0], [1.0], [10.0], [11.0]], [0, 0, 1, 1])
    0.0025
    """
    spread = _spread(X, labels)
    within, _ = _sums_of_squares(spread)
    between = _between(spread.centers)
    np.fill_diagonal(between, np.inf)
    least = float(between.min()) ** 2
    return within / int(spread.sizes.sum()) / least if least > 0 else float("inf")


def _spread(X: Any, labels: Any) -> Spread:
    """Check rows and labels and return centers and spread of each cluster, in units in which no square overflows."""
    return _measured(X, labels)[2]


def _measured(X: Any, labels: Any) -> tuple[Any, np.ndarray, Spread]:
    """Return checked rows, in units in which no square overflows, the cluster of each (of blocks: the names), and the spread."""
    if in_blocks(X):
        blocks, counts = blocks_of(X, labels)
        return blocks, counts.names, cluster_spread(blocks, counts.names, len(counts.names))
    rows = as_rows(X)
    clusters = comparable_clusters(labels, len(rows))
    k = len(clusters.names)
    with np.errstate(over="ignore", invalid="ignore"):
        spread = cluster_spread(rows, clusters.codes, k)
        total = float(spread.squares.sum()) + float(np.square(spread.centers).sum())
    if not 1e-200 < total < 1e200:
        check_finite(rows)
        rows = scaled(rows)
        spread = cluster_spread(rows, clusters.codes, k)
    elif clusters.sizes.sum() < len(rows):
        check_finite(rows)  # the sums have not seen the noise
    return rows, clusters.codes, spread


def _sums_of_squares(spread: Spread) -> tuple[float, float]:
    """Return the sums of squares within clusters, 0 where it is nothing but rounding, and between their centers."""
    n = int(spread.sizes.sum())
    mean = spread.sizes @ (spread.centers - spread.centers[0]) / n + spread.centers[0]
    between = float(spread.sizes @ np.square(spread.centers - mean).sum(axis=1))
    within = float(spread.squares.sum())
    rounding = n * float(np.square(4 * np.finfo(np.float64).eps * spread.centers).sum(axis=1).max())
    return (within if within > rounding else 0.0), between


def _between(centers: np.ndarray) -> np.ndarray:
    """Return the (k, k) distances between centers."""
    from scipy.spatial.distance import cdist

    return cdist(centers, centers)
