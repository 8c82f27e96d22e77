"""Scores of a clustering against known classes.

Adjusted Rand and adjusted mutual information are scikit-learn's. The two accuracies match clusters to classes one to one:
``clustering_accuracy`` counts the rows that the best matching gets right; ``normalized_clustering_accuracy`` averages the
share got right over the classes, so that small classes count as much as large ones, and subtracts chance (Gagolewski 2024).
"""

import numpy as np

from ..errors import InputError

__all__ = [
    "adjusted_mutual_info_score",
    "adjusted_rand_score",
    "clustering_accuracy",
    "contingency_table",
    "normalized_clustering_accuracy",
]


def adjusted_rand_score(labels_true, labels_pred) -> float:
    """Give the share of row pairs on which two labellings agree, corrected for chance: 0 random, 1 equal.

    Parameters
    ----------
    labels_true, labels_pred : (n,) array-like
        Two labellings of the same rows.

    Returns
    -------
    float
    """
    table, _, _ = contingency_table(labels_true, labels_pred)
    n = int(table.sum())
    together = float((table.astype(np.float64) ** 2).sum()) - n
    a = float((table.sum(axis=1).astype(np.float64) ** 2).sum()) - n
    b = float((table.sum(axis=0).astype(np.float64) ** 2).sum()) - n
    if n < 2 or a + b == 0 or (together == a == b):
        return 1.0
    expected = a * b / (float(n) * (n - 1))
    top, bottom = together - expected, (a + b) / 2 - expected
    return float(top / bottom) if bottom else 0.0


def adjusted_mutual_info_score(labels_true, labels_pred) -> float:
    """Give the information two labellings share, corrected for chance: 0 random, 1 equal.

    Parameters
    ----------
    labels_true, labels_pred : (n,) array-like
        Two labellings of the same rows.

    Returns
    -------
    float
    """
    from sklearn.metrics import adjusted_mutual_info_score as score

    _check(labels_true, labels_pred)
    return float(score(np.asarray(labels_true), np.asarray(labels_pred)))


def contingency_table(labels_true, labels_pred) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count rows by class and cluster.

    Parameters
    ----------
    labels_true, labels_pred : (n,) array-like
        Two labellings of the same rows.

    Returns
    -------
    table : (classes, clusters) int64 array
        Rows of each class in each cluster.
    classes, clusters : arrays
        The names, ascending.
    """
    _check(labels_true, labels_pred)
    classes, i = np.unique(np.asarray(labels_true), return_inverse=True)
    clusters, j = np.unique(np.asarray(labels_pred), return_inverse=True)
    table = np.bincount(i * max(len(clusters), 1) + j, minlength=len(classes) * len(clusters))
    return table.reshape(len(classes), len(clusters)).astype(np.int64), classes, clusters


def clustering_accuracy(labels_true, labels_pred) -> float:
    """Give the share of rows that the best one-to-one matching of clusters to classes gets right.

    Parameters
    ----------
    labels_true, labels_pred : (n,) array-like
        Two labellings of the same rows; noise (-1) counts as a cluster of its own.

    Returns
    -------
    float
        0 to 1.

    Examples
    --------
    >>> clustering_accuracy(["a", "a", "b", "b"], [1, 1, 0, 1])
    0.75
    """
    from scipy.optimize import linear_sum_assignment

    table, _, _ = contingency_table(labels_true, labels_pred)
    if table.size == 0:
        return 1.0
    rows, columns = linear_sum_assignment(table, maximize=True)
    return float(table[rows, columns].sum() / table.sum())


def normalized_clustering_accuracy(labels_true, labels_pred) -> float:
    """Give the mean share of each class that the best matching gets right, above chance: 0 useless, 1 equal.

    Parameters
    ----------
    labels_true, labels_pred : (n,) array-like
        Two labellings of the same rows.

    Returns
    -------
    float
        ``(mean_i max-matching c[i, s(i)] / c[i, .] - 1/k) / (1 - 1/k)`` for k classes; 1 for a single class.

    References
    ----------
    Gagolewski M. (2024), Normalised clustering accuracy: an asymmetric external cluster validity measure, Journal of
    Classification, doi:10.1007/s00357-024-09482-2.
    """
    from scipy.optimize import linear_sum_assignment

    table, classes, _ = contingency_table(labels_true, labels_pred)
    k = len(classes)
    if k < 2:
        return 1.0
    shares = table / table.sum(axis=1, keepdims=True)
    rows, columns = linear_sum_assignment(shares, maximize=True)
    return float((shares[rows, columns].sum() / k - 1 / k) / (1 - 1 / k))


def _check(labels_true, labels_pred) -> None:
    a, b = np.shape(labels_true), np.shape(labels_pred)
    if len(a) != 1 or a != b:
        raise InputError(f"two labellings must be 1-D and of equal length, got shapes {a} and {b}")
