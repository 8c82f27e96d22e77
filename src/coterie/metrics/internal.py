"""Scores of a clustering from the data alone, for compact groups.

The silhouette compares, for each row, its mean distance to its own cluster with that to the nearest other one (Rousseeuw
1987). Davies-Bouldin and Calinski-Harabasz compare spread within clusters with spread between them. The silhouette costs
O(n^2 d) time and O(n) memory (blocks of rows); the other two O(n d). Noise (-1) is left out of all three.
"""

import numpy as np

from ..errors import InputError

__all__ = ["calinski_harabasz_score", "davies_bouldin_score", "silhouette_samples", "silhouette_score"]

# Doubles in one block of distances: 16 MiB, a few times the last-level cache of a laptop.
BLOCK_SIZE = 1 << 21


def silhouette_score(X, labels, *, sample_size: int | None = None, random_state: int | None = 0) -> float:
    """Give the mean silhouette, from -1 (wrong) through 0 (overlapping) to 1 (far apart).

    Parameters
    ----------
    X : (n, d) array-like of float
        Rows; Euclidean distance.
    labels : (n,) array-like of int
        Cluster of each row; noise (-1) takes no part.
    sample_size : int or None, default=None
        Average over this many rows only, each still measured against all rows. None is exact.
    random_state : int or None, default=0
        Draws the sample.

    Returns
    -------
    float

    Raises
    ------
    InputError
        If fewer than two clusters remain, or every row is alone.

    See Also
    --------
    silhouette_samples : The value of each row.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [10.0], [11.0]])
    >>> round(silhouette_score(X, [0, 0, 1, 1]), 3)
    0.9
    """
    X, codes, _kept = _clean(X, labels)
    rows = np.arange(len(X))
    if sample_size is not None and sample_size < len(X):
        rows = np.sort(np.random.default_rng(random_state).choice(len(X), sample_size, replace=False))
    return float(_silhouettes(X, codes, rows).mean())


def silhouette_samples(X, labels, *, rows=None) -> np.ndarray:
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
        If fewer than two clusters remain.
    """
    labels = np.asarray(labels)
    wanted = np.arange(len(labels)) if rows is None else np.asarray(rows, dtype=np.int64)
    clean, codes, kept = _clean(X, labels)
    position = np.full(len(labels), -1)
    position[kept] = np.arange(len(kept))
    inside = position[wanted] >= 0
    values = np.zeros(len(wanted))
    values[inside] = _silhouettes(clean, codes, position[wanted[inside]])
    return values


def davies_bouldin_score(X, labels) -> float:
    """Give the mean, over clusters, of the worst ratio of spread to distance between centres; lower is better.

    Parameters
    ----------
    X : (n, d) array-like of float
        Rows.
    labels : (n,) array-like of int
        Cluster of each row; noise (-1) takes no part.

    Returns
    -------
    float
        0 or more.
    """
    X, codes, _ = _clean(X, labels)
    centers, _ = _centers(X, codes)
    spread = _mean_by(np.sqrt(((X - centers[codes]) ** 2).sum(axis=1)), codes)
    between = np.sqrt(np.maximum(((centers[:, None] - centers[None]) ** 2).sum(axis=2), 0.0))
    if np.allclose(spread, 0) or np.allclose(between, 0):
        return 0.0
    between[between == 0] = np.inf
    return float(((spread[:, None] + spread[None]) / between).max(axis=1).mean())


def calinski_harabasz_score(X, labels) -> float:
    """Give the ratio of between-cluster to within-cluster variance, each per degree of freedom; higher is better.

    Parameters
    ----------
    X : (n, d) array-like of float
        Rows.
    labels : (n,) array-like of int
        Cluster of each row; noise (-1) takes no part.

    Returns
    -------
    float
        0 or more; 1 when the clusters have no spread at all (scikit-learn's convention).
    """
    X, codes, _ = _clean(X, labels)
    centers, sizes = _centers(X, codes)
    within = float(((X - centers[codes]) ** 2).sum())
    between = float((sizes * ((centers - X.mean(axis=0)) ** 2).sum(axis=1)).sum())
    k = len(sizes)
    return 1.0 if within == 0.0 else between * (len(X) - k) / (within * (k - 1.0))


def _clean(X, labels) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    X = np.asarray(X)
    labels = np.asarray(labels)
    if X.ndim != 2 or labels.shape != (len(X),):
        raise InputError(f"X must be 2-D with one label a row, got shapes {X.shape} and {labels.shape}")
    kept = np.flatnonzero(labels != -1)
    names, codes = np.unique(labels[kept], return_inverse=True)
    if not 2 <= len(names) < len(kept):
        raise InputError(
            f"a validity score needs at least 2 clusters and one with more than one row, got {len(names)} clusters "
            f"over {len(kept)} rows that are not noise"
        )
    values = X[kept].astype(np.float64)
    return values - values.mean(axis=0), codes, kept


def _centers(X: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sizes = np.bincount(codes)
    sums = np.stack([np.bincount(codes, column, len(sizes)) for column in X.T], axis=1)
    return sums / sizes[:, None], sizes


def _mean_by(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    return np.bincount(codes, values) / np.bincount(codes)


def _silhouettes(X: np.ndarray, codes: np.ndarray, rows: np.ndarray) -> np.ndarray:
    # With the rows sorted by cluster, the sum of distances to each cluster is one segment sum, without a one-hot matrix.
    order = np.argsort(codes, kind="stable")
    sorted_X, sizes = X[order], np.bincount(codes)
    starts = np.r_[0, np.cumsum(sizes)[:-1]]
    norms = (sorted_X**2).sum(axis=1)
    values = np.empty(len(rows))
    step = max(1, BLOCK_SIZE // len(X))
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        sums = np.add.reduceat(_distances(X[block], sorted_X, norms), starts, axis=1)
        own = codes[block]
        at = np.arange(len(block))
        inner = sums[at, own] / np.maximum(sizes[own] - 1, 1)
        means = sums / sizes
        means[at, own] = np.inf
        outer = means.min(axis=1)
        larger = np.maximum(inner, outer)
        values[start : start + step] = np.divide(
            outer - inner, larger, out=np.zeros(len(block)), where=(sizes[own] > 1) & (larger > 0)
        )
    return values


def _distances(rows: np.ndarray, X: np.ndarray, norms: np.ndarray) -> np.ndarray:
    squares = rows @ X.T
    squares *= -2.0
    own = (rows**2).sum(axis=1)
    squares += own[:, None]
    squares += norms
    # What the subtraction leaves of an exact zero is rounding of this size; call it zero.
    squares[squares < 1e-14 * max(float(norms.max(initial=0.0)), float(own.max(initial=0.0)))] = 0.0
    return np.sqrt(squares, out=squares)
