"""Silhouettes: scores of a clustering from the data alone, for groups that are compact and apart.

The silhouette compares, for each row, its mean distance to its own cluster with that to the nearest other one (Rousseeuw
1987): exact in O(n^2 d) time and O(n d) memory, or estimated from a sample with an error bar. Noise (-1) takes no part. Arrays, frames and tensors are scored by the engine that owns them; rows in blocks, with
labels in the same blocks, where they lie.
"""

from typing import Any

import numpy as np

from ..arrays import to_numpy
from ..errors import InputError, UnsupportedError
from ..primitives.blocks import in_blocks
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
    "silhouette_estimate",
    "silhouette_samples",
    "silhouette_score",
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
