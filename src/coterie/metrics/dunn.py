"""Dunn's index and a relative of it that single rows do not upset: least separation over greatest width.

Dunn (1974) takes both from single pairs of rows, so one stray row decides. The generalised index 53 of Bezdek and Pal (1998)
takes mean distances to centers instead. Noise (-1) takes no part.
"""

from typing import Any

import numpy as np

from ..arrays import is_tensor, to_numpy
from ..primitives.cluster_distances import cluster_spread, distance_sums
from ..primitives.cluster_reach import diameter
from ..primitives.spanning_tree import spanning_tree
from ._inputs import as_rows, check_finite, comparable_clusters, scaled

__all__ = ["dunn_score", "generalized_dunn_score"]


def dunn_score(X: Any, labels: Any) -> float:
    """Give the least distance between rows of two clusters over the greatest within one; higher is better.

    Parameters
    ----------
    X : (n, d) array-like of float
        Rows; Euclidean distance.
    labels : (n,) array-like of int
        Cluster of each row; noise (-1) takes no part.

    Returns
    -------
    float
        0 or more; infinite when no cluster has any width. Above 1 the clusters are further apart than any is wide.

    Raises
    ------
    InputError
        If fewer than two clusters remain, every row is alone, or ``X`` is not finite.

    See Also
    --------
    generalized_dunn_score : Means instead of extremes.

    Notes
    -----
    The separation is an edge of the Euclidean spanning tree, the width a search that leaves out most pairs: far below O(n^2 d)
    in few dimensions, up to that in many; O(n d) memory.

    References
    ----------
    Dunn J. C. (1974), Well-separated clusters and optimal fuzzy partitions, Journal of Cybernetics 4,
    doi:10.1080/01969727408546059.

    Examples
    --------
    >>> dunn_score([[0.0], [1.0], [5.0], [7.0]], [0, 0, 1, 1])
    2.0
    """
    rows, codes, sizes = _prepared(X, labels)
    tree = spanning_tree(rows)
    left, right, weights = (to_numpy(part) for part in tree)
    apart = float(weights[codes[left] != codes[right]].min())
    values = to_numpy(rows)
    order, ends = np.argsort(codes, kind="stable"), np.concatenate([[0], np.cumsum(sizes)])
    width = max(diameter(values[order[ends[c] : ends[c + 1]]]) for c in range(len(sizes)))
    return apart / width if width > 0 else float("inf")


def generalized_dunn_score(X: Any, labels: Any) -> float:
    """Give the least mean distance to each other's centers over the greatest mean width; higher is better.

    Parameters
    ----------
    X : (n, d) array-like of float
        Rows; Euclidean distance.
    labels : (n,) array-like of int
        Cluster of each row; noise (-1) takes no part.

    Returns
    -------
    float
        0 or more; infinite when no cluster has any width.

    Raises
    ------
    InputError
        If fewer than two clusters remain, every row is alone, or ``X`` is not finite.

    Notes
    -----
    Index 53 of the paper: clusters A and B are ``(sum_A |x - b| + sum_B |x - a|) / (|A| + |B|)`` apart, with a and b their centers, and a
    cluster is ``2 mean |x - a|`` wide. O(n k d) time.

    References
    ----------
    Bezdek J. C., Pal N. R. (1998), Some new indexes of cluster validity, IEEE Transactions on Systems, Man, and Cybernetics B
    28, doi:10.1109/3477.678624.

    Examples
    --------
    >>> generalized_dunn_score([[0.0], [2.0], [10.0], [12.0]], [0, 0, 1, 1])
    5.0
    """
    rows, codes, sizes = _prepared(X, labels)
    spread = cluster_spread(rows, codes, len(sizes))
    centers = rows.new_tensor(spread.centers) if is_tensor(rows) else spread.centers.astype(rows.dtype)
    sums = to_numpy(distance_sums(rows, codes, len(sizes), centers))
    between = (sums + sums.T) / (sizes[:, None] + sizes)
    np.fill_diagonal(between, np.inf)
    width = float((2 * spread.distances / spread.sizes).max())
    return float(between.min()) / width if width > 0 else float("inf")


def _prepared(X: Any, labels: Any) -> tuple[Any, np.ndarray, np.ndarray]:
    """Return the rows that are not noise, in units in which no square overflows, their codes, and the clusters' sizes."""
    rows = as_rows(X)
    clusters = comparable_clusters(labels, len(rows))
    check_finite(rows)
    kept = np.flatnonzero(clusters.codes >= 0)
    return scaled(rows[kept]), clusters.codes[kept], clusters.sizes
