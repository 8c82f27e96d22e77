"""Scores of a clustering from the data alone, for compact groups.

The silhouette compares, for each row, its mean distance to its own cluster with that to the nearest other one (Rousseeuw
1987): exact in O(n^2 d) time and O(n d) memory, or estimated from a sample with an error bar. The scores around centers, in
O(n d): Davies-Bouldin, Calinski-Harabasz, WB and Xie-Beni compare spread within clusters with spread between their centers.
Noise (-1) takes no part in any of them. Arrays, frames and tensors are scored by the engine that owns them; rows in blocks, with
labels in the same blocks, where they lie.
"""

from typing import Any

import numpy as np

from ..arrays import to_numpy
from ..errors import InputError, UnsupportedError
from ..primitives.blocks import in_blocks
from ..primitives.cluster_distances import Spread, cluster_spread
from ._inputs import as_rows, blocks_of, check_finite, comparable_clusters, scaled
from ._silhouettes import (
    SilhouetteEstimate,
    drawn,
    estimate,
    estimate_of_blocks,
    silhouettes,
    silhouettes_of,
    without_noise,
)

__all__ = [
    "SilhouetteEstimate",
    "calinski_harabasz_score",
    "davies_bouldin_score",
    "silhouette_estimate",
    "silhouette_samples",
    "silhouette_score",
    "spread_of",
    "wb_score",
    "xie_beni_score",
]


def silhouette_score(X: Any, labels: Any, *, sample_size: int | None = None, random_state: int | None = 0) -> float:
    """Give the mean silhouette, from -1 (wrong) through 0 (overlapping) to 1 (far apart).

    Parameters
    ----------
    X : (n, d) array-like of float, Dask array or frame, or RowFiles
        Rows; Euclidean distance.
    labels : (n,) array-like of int, or Dask array in the blocks of ``X``
        Cluster of each row; noise (-1) takes no part.
    sample_size : int or None, default=None
        Average over this many rows only, each still measured against all rows. None is exact, and not for rows in blocks.
    random_state : int or None, default=0
        Draws the sample.

    Returns
    -------
    float

    Raises
    ------
    InputError
        If fewer than two clusters remain, every row is alone, or ``X`` is not finite.
    UnsupportedError
        If ``X`` is in blocks and ``sample_size`` is not given.

    See Also
    --------
    silhouette_samples : The value of each row.
    silhouette_estimate : The sampled value with its standard error.

    Notes
    -----
    O(n^2 d) time, O(n d) memory; with a sample of m rows O(m n d) time. The same bits on any number of threads.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [10.0], [11.0]])
    >>> round(silhouette_score(X, [0, 0, 1, 1]), 3)
    0.9
    """
    if sample_size is not None:
        return silhouette_estimate(X, labels, sample_size=sample_size, random_state=random_state).value
    if in_blocks(X):
        raise UnsupportedError(
            "the silhouette of all rows takes a distance for each pair of them, too many for rows in blocks; give sample_size, e.g. "
            "sample_size=2000, whose error silhouette_estimate tells"
        )
    rows, clusters, _kept = without_noise(X, labels)
    return float(silhouettes(rows, clusters).mean())


def silhouette_estimate(
    X: Any, labels: Any, *, sample_size: int = 2000, random_state: int | None = 0
) -> SilhouetteEstimate:
    """Estimate the mean silhouette from a sample of the rows, and say how far off the estimate may be.

    Parameters
    ----------
    X : (n, d) array-like of float, Dask array or frame, or RowFiles
        Rows; Euclidean distance.
    labels : (n,) array-like of int, or Dask array in the blocks of ``X``
        Cluster of each row; noise (-1) takes no part.
    sample_size : int, default=2000
        How many rows are scored, 2 or more; all of them if there are no more. 2000 give a standard error near 0.005.
    random_state : int or None, default=0
        Draws the sample.

    Returns
    -------
    SilhouetteEstimate
        ``value`` and ``standard_error``; the true mean lies within two standard errors in 95 of 100 samples.

    Raises
    ------
    InputError
        As for `silhouette_score`, or if ``sample_size`` is less than 2.

    Notes
    -----
    m rows are drawn without replacement and each is measured against all n rows, so that its silhouette is exact. Their mean
    is unbiased; its standard error is ``s / sqrt(m) * sqrt(1 - m / n)`` with s the standard deviation within the sample.
    O(m n d) time. The sample of rows in blocks is the one that these rows in memory have: it goes by their numbers. It takes four
    passes over them.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.r_[np.linspace(0, 1, 50), np.linspace(3, 4, 50)][:, None]
    >>> value, error = silhouette_estimate(X, np.repeat([0, 1], 50), sample_size=30)
    >>> abs(value - silhouette_score(X, np.repeat([0, 1], 50))) < 3 * error
    True
    """
    if sample_size < 2:
        raise InputError(f"sample_size must be at least 2, got {sample_size}; a spread needs two rows")
    if in_blocks(X):
        return estimate_of_blocks(X, labels, sample_size, random_state)
    rows, clusters, _kept = without_noise(X, labels)
    n = len(rows)
    if sample_size >= n:
        return SilhouetteEstimate(float(silhouettes(rows, clusters).mean()), 0.0)
    return estimate(silhouettes_of(rows, clusters, drawn(n, sample_size, random_state)), n)


def silhouette_samples(X: Any, labels: Any, *, rows: Any = None) -> np.ndarray:
    """Give the silhouette of each row, or of the rows asked for.

    Parameters
    ----------
    X : (n, d) array-like of float
        Rows; Euclidean distance.
    labels : (n,) array-like of int
        Cluster of each row; noise (-1) takes no part and gets 0.
    rows : (r,) array-like of int, optional
        Row numbers to score, each against all rows; None is every row.

    Returns
    -------
    (n,) or (r,) float64 array
        From -1 to 1; 0 for a row alone in its cluster.

    Raises
    ------
    InputError
        If fewer than two clusters remain, every row is alone, or ``X`` is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> silhouette_samples(np.array([[0.0], [1.0], [10.0]]), [0, 0, 1]).round(2).tolist()
    [0.9, 0.89, 0.0]
    """
    clean, clusters, kept = without_noise(X, labels)
    if rows is None:
        values = np.zeros(len(kept))
        values[kept] = silhouettes(clean, clusters)
        return values
    wanted = np.asarray(to_numpy(rows), dtype=np.int64)
    position = np.cumsum(kept) - 1
    inside = kept[wanted]
    values = np.zeros(len(wanted))
    values[inside] = silhouettes_of(clean, clusters, position[wanted[inside]])
    return values


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
    spread = spread_of(X, labels)
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
    spread = spread_of(X, labels)
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
    spread = spread_of(X, labels)
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
    spread = spread_of(X, labels)
    within, _ = _sums_of_squares(spread)
    between = _between(spread.centers)
    np.fill_diagonal(between, np.inf)
    least = float(between.min()) ** 2
    return within / int(spread.sizes.sum()) / least if least > 0 else float("inf")


def spread_of(X: Any, labels: Any) -> Spread:
    """Check rows and labels and return centers and spread of each cluster, in units in which no square overflows."""
    if in_blocks(X):
        blocks, counts = blocks_of(X, labels)
        return cluster_spread(blocks, counts.names, len(counts.names))
    rows = as_rows(X)
    clusters = comparable_clusters(labels, len(rows))
    k = len(clusters.names)
    with np.errstate(over="ignore", invalid="ignore"):
        spread = cluster_spread(rows, clusters.codes, k)
        total = float(spread.squares.sum()) + float(np.square(spread.centers).sum())
    if not 1e-200 < total < 1e200:
        check_finite(rows)
        spread = cluster_spread(scaled(rows), clusters.codes, k)
    elif clusters.sizes.sum() < len(rows):
        check_finite(rows)  # the sums have not seen the noise
    return spread


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
