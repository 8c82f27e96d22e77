"""Density-based cluster validation (DBCV): a validity score for clusters of any shape.

Each cluster gets a spanning tree over mutual reachability distances. Its sparseness is the longest inner edge of that tree;
its separation from another cluster the shortest mutual reachability between their inner rows. A cluster is good when it is
further from the others than it is sparse inside (Moulavi et al. 2014). Time O(n^2 d), memory O(n d): no distance matrix.
"""

import numpy as np

from ..errors import InputError
from .internal import BLOCK_SIZE

__all__ = ["dbcv_score"]


def dbcv_score(X, labels, *, per_cluster: bool = False):
    """Give the density-based validity of a clustering, from -1 to 1.

    Parameters
    ----------
    X : (n, d) array-like of float
        Rows; Euclidean distance.
    labels : (n,) array-like of int
        Cluster of each row, noise -1. Noise lowers the score: clusters are weighted by their share of all rows.
    per_cluster : bool, default=False
        Also give the validity of each cluster.

    Returns
    -------
    score : float
    validities : (k,) float64 array
        Only with ``per_cluster``; clusters in ascending order of label.

    Raises
    ------
    InputError
        If fewer than two clusters have two rows or more.

    Notes
    -----
    A duplicate row makes the core distance 0, the limit of the paper's formula. Clusters of one row count as noise. Where
    several spanning trees are shortest, the one that grows from the first row, lowest row first, decides which rows are inner.

    References
    ----------
    Moulavi D., Jaskowiak P. A., Campello R. J. G. B., Zimek A., Sander J. (2014), Density-based clustering validation,
    SDM, doi:10.1137/1.9781611973440.96.

    Examples
    --------
    >>> import numpy as np
    >>> line = np.arange(20.0)[:, None]
    >>> score = dbcv_score(np.vstack([line, line + 100]), [0] * 20 + [1] * 20)
    >>> bool(0.9 < score < 1)
    True
    """
    X = np.asarray(X, dtype=np.float64)
    labels = np.asarray(labels)
    if X.ndim != 2 or labels.shape != (len(X),):
        raise InputError(f"X must be 2-D with one label a row, got shapes {X.shape} and {labels.shape}")
    names, sizes = np.unique(labels[labels != -1], return_counts=True)
    names, sizes = names[sizes > 1], sizes[sizes > 1]
    if len(names) < 2:
        raise InputError(f"dbcv_score needs at least 2 clusters of 2 rows or more, got {len(names)}")
    X = X - X.mean(axis=0)
    parts = [_inner(X[labels == name]) for name in names]
    sparseness = np.array([part[2] for part in parts])
    separation = np.full((len(names), len(names)), np.inf)
    for i in range(len(parts)):
        for j in range(i + 1, len(parts)):
            separation[i, j] = separation[j, i] = _least_reach(parts[i], parts[j])
    nearest = separation.min(axis=1)
    larger = np.maximum(nearest, sparseness)
    validity = np.divide(nearest - sparseness, larger, out=np.zeros(len(names)), where=larger > 0)
    score = float((sizes * validity).sum() / len(X))
    return (score, validity) if per_cluster else score


def _inner(X: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the inner rows of a cluster's tree, their core distances, and the longest edge between inner rows."""
    core = _core_distances(X)
    ends, lengths = _spanning_tree(X, core)
    degree = np.bincount(ends.ravel(), minlength=len(X))
    inner = degree > 1
    between = inner[ends].all(axis=1)
    sparse = float(lengths[between].max()) if between.any() else float(lengths.max())
    rows = np.flatnonzero(inner) if inner.any() else np.arange(len(X))
    return X[rows], core[rows], sparse


def _core_distances(X: np.ndarray) -> np.ndarray:
    # ((sum 1/d^m) / (n - 1))^(-1/m) in logarithms: d^-m overflows from about 40 columns on.
    n, m = X.shape
    core = np.empty(n)
    step = max(1, BLOCK_SIZE // n)
    for start in range(0, n, step):
        rows = np.arange(start, min(start + step, n))
        with np.errstate(divide="ignore"):
            powers = -m * np.log(_distances(X[rows], X))
        powers[np.arange(len(rows)), rows] = -np.inf
        top = powers.max(axis=1)
        finite = np.isfinite(top)
        total = np.full(len(rows), np.inf)
        total[finite] = top[finite] + np.log(np.exp(powers[finite] - top[finite, None]).sum(axis=1))
        core[rows] = np.exp(-(total - np.log(n - 1)) / m)
    return core


def _spanning_tree(X: np.ndarray, core: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n = len(X)
    best = np.full(n, np.inf)
    source = np.zeros(n, dtype=np.int64)
    outside = np.ones(n, dtype=bool)
    ends, lengths = np.empty((n - 1, 2), dtype=np.int64), np.empty(n - 1)
    at = 0
    for step in range(n - 1):
        outside[at] = False
        reach = np.maximum(np.maximum(np.sqrt(((X - X[at]) ** 2).sum(axis=1)), core), core[at])
        closer = outside & (reach < best)
        best[closer], source[closer] = reach[closer], at
        best[at] = np.inf
        at = int(np.argmin(np.where(outside, best, np.inf)))
        ends[step], lengths[step] = (source[at], at), best[at]
    return ends, lengths


def _least_reach(a: tuple, b: tuple) -> float:
    (X, core_x, _), (Y, core_y, _) = a, b
    least = np.inf
    step = max(1, BLOCK_SIZE // len(Y))
    for start in range(0, len(X), step):
        reach = _distances(X[start : start + step], Y)
        np.maximum(reach, core_x[start : start + step, None], out=reach)
        np.maximum(reach, core_y, out=reach)
        least = min(least, float(reach.min()))
    return least


def _distances(rows: np.ndarray, X: np.ndarray) -> np.ndarray:
    from scipy.spatial.distance import cdist

    return cdist(rows, X)
