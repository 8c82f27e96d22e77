"""Agreement of a clustering with known classes, all from the table of counts of class and cluster.

Pairs of rows: adjusted Rand, Fowlkes-Mallows, pair F1. Information: adjusted and normalised mutual information, homogeneity,
completeness, V-measure. Matchings of clusters to classes: ``clustering_accuracy`` counts the rows that the best one-to-one
matching gets right; ``normalized_clustering_accuracy`` averages the share got right over the classes, so that small classes
count as much as large ones, and subtracts chance (Gagolewski 2024).

Noise (-1) is a label like any other here. To score what was clustered alone, leave out the rows that either labelling calls
noise, as the benchmark suites do.
"""

from typing import Any

import numpy as np

from ..errors import InputError
from ._inputs import encode
from .of_table import (
    accuracy_of,
    adjusted_mutual_info_of,
    adjusted_rand_of,
    information_of,
    normalized_accuracy_of,
    pairs_of,
)

__all__ = [
    "adjusted_mutual_info_score",
    "adjusted_rand_score",
    "clustering_accuracy",
    "completeness_score",
    "contingency_table",
    "fowlkes_mallows_score",
    "homogeneity_score",
    "normalized_clustering_accuracy",
    "normalized_mutual_info_score",
    "pair_f1_score",
    "v_measure_score",
]


def contingency_table(labels_true: Any, labels_pred: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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

    Raises
    ------
    InputError
        If the labellings differ in length or are not 1-D.

    Examples
    --------
    >>> contingency_table(["a", "a", "b"], [1, 0, 0])[0].tolist()
    [[1, 1], [1, 0]]
    """
    a, b = np.shape(labels_true), np.shape(labels_pred)
    if len(a) != 1 or a != b:
        raise InputError(f"two labellings must be 1-D and of equal length, got shapes {a} and {b}")
    classes, i, _ = encode(labels_true)
    clusters, j, _ = encode(labels_pred)
    table = np.bincount(i * max(len(clusters), 1) + j, minlength=len(classes) * len(clusters))
    return table.reshape(len(classes), len(clusters)).astype(np.int64), classes, clusters


# --- pairs of rows ---------------------------------------------------------------------------------------------------


def adjusted_rand_score(labels_true: Any, labels_pred: Any) -> float:
    """Give the share of row pairs on which two labellings agree, corrected for chance: 0 random, 1 equal.

    Parameters
    ----------
    labels_true, labels_pred : (n,) array-like
        Two labellings of the same rows; noise (-1) is a label like any other.

    Returns
    -------
    float
        1 at most; below 0 for less agreement than chance.

    References
    ----------
    Hubert L., Arabie P. (1985), Comparing partitions, Journal of Classification 2, doi:10.1007/BF01908075.

    Examples
    --------
    >>> adjusted_rand_score([0, 0, 1, 1], [1, 1, 0, 0])
    1.0
    """
    return adjusted_rand_of(contingency_table(labels_true, labels_pred)[0])


def fowlkes_mallows_score(labels_true: Any, labels_pred: Any) -> float:
    """Give the geometric mean of precision and recall over pairs of rows: 0 no pair in common, 1 equal.

    Parameters
    ----------
    labels_true, labels_pred : (n,) array-like
        Two labellings of the same rows; noise (-1) is a label like any other.

    Returns
    -------
    float
        0 to 1; 0 where a labelling has no pair.

    References
    ----------
    Fowlkes E. B., Mallows C. L. (1983), A method for comparing two hierarchical clusterings, JASA 78,
    doi:10.1080/01621459.1983.10478008.

    Examples
    --------
    >>> round(fowlkes_mallows_score([0, 0, 1, 1], [0, 0, 0, 1]), 4)
    0.4082
    """
    _n, together, a, b = pairs_of(contingency_table(labels_true, labels_pred)[0])
    return float(together / np.sqrt(a) / np.sqrt(b)) if together else 0.0


def pair_f1_score(labels_true: Any, labels_pred: Any) -> float:
    """Give the F1 measure over pairs of rows as ELKI counts them: ordered pairs, each row with itself included.

    Parameters
    ----------
    labels_true, labels_pred : (n,) array-like
        Two labellings of the same rows; noise (-1) is one ordinary cluster.

    Returns
    -------
    float
        ``2 sum n_ij^2 / (sum a_i^2 + sum b_j^2)``, above 0, 1 for equal partitions. It is comparable with figures of ELKI,
        not with those from scikit-learn's ``pair_confusion_matrix``, which leaves out a row's pair with itself.

    Examples
    --------
    >>> pair_f1_score([0, 0, 1, 1], [0, 0, 0, 1])
    0.6666666666666666
    """
    n, together, a, b = pairs_of(contingency_table(labels_true, labels_pred)[0])
    return float(2 * (together + n) / (a + b + 2 * n)) if n else 1.0


# --- information -----------------------------------------------------------------------------------------------------


def adjusted_mutual_info_score(labels_true: Any, labels_pred: Any) -> float:
    """Give the information two labellings share, corrected for chance: 0 random, 1 equal.

    Parameters
    ----------
    labels_true, labels_pred : (n,) array-like
        Two labellings of the same rows; noise (-1) is a label like any other.

    Returns
    -------
    float
        That of scikit-learn, normalised by the mean of the two entropies.

    References
    ----------
    Vinh N. X., Epps J., Bailey J. (2010), Information theoretic measures for clusterings comparison, JMLR 11, 2837-2854.

    Examples
    --------
    >>> adjusted_mutual_info_score([0, 0, 1, 1], [1, 1, 0, 0])
    1.0
    """
    return adjusted_mutual_info_of(contingency_table(labels_true, labels_pred)[0])


def normalized_mutual_info_score(labels_true: Any, labels_pred: Any) -> float:
    """Give the information two labellings share over the mean of their entropies: 0 independent, 1 equal.

    Not corrected for chance: it grows with the number of clusters. Prefer `adjusted_mutual_info_score`.

    Parameters
    ----------
    labels_true, labels_pred : (n,) array-like
        Two labellings of the same rows; noise (-1) is a label like any other.

    Returns
    -------
    float
        0 to 1.

    Examples
    --------
    >>> normalized_mutual_info_score([0, 0, 1, 1], [0, 1, 0, 1])
    0.0
    """
    shared, a, b = information_of(contingency_table(labels_true, labels_pred)[0])
    return 1.0 if a + b == 0 else shared / ((a + b) / 2)


def homogeneity_score(labels_true: Any, labels_pred: Any) -> float:
    """Give the share of the classes' entropy that the clusters explain: 1 when each cluster has rows of one class only.

    Parameters
    ----------
    labels_true, labels_pred : (n,) array-like
        Two labellings of the same rows; noise (-1) is a label like any other.

    Returns
    -------
    float
        0 to 1.

    References
    ----------
    Rosenberg A., Hirschberg J. (2007), V-measure, EMNLP, https://aclanthology.org/D07-1043.

    Examples
    --------
    >>> homogeneity_score([0, 0, 1, 1], [0, 1, 2, 3])
    1.0
    """
    shared, a, _b = information_of(contingency_table(labels_true, labels_pred)[0])
    return 1.0 if a == 0 else shared / a


def completeness_score(labels_true: Any, labels_pred: Any) -> float:
    """Give the share of the clusters' entropy that the classes explain: 1 when each class is in one cluster only.

    Parameters
    ----------
    labels_true, labels_pred : (n,) array-like
        Two labellings of the same rows; noise (-1) is a label like any other.

    Returns
    -------
    float
        0 to 1.

    Examples
    --------
    >>> completeness_score([0, 0, 1, 1], [0, 1, 2, 3])
    0.5
    """
    return homogeneity_score(labels_pred, labels_true)


def v_measure_score(labels_true: Any, labels_pred: Any) -> float:
    """Give the harmonic mean of homogeneity and completeness, which is the normalised mutual information.

    Parameters
    ----------
    labels_true, labels_pred : (n,) array-like
        Two labellings of the same rows; noise (-1) is a label like any other.

    Returns
    -------
    float
        0 to 1.

    Examples
    --------
    >>> round(v_measure_score([0, 0, 1, 1], [0, 1, 2, 3]), 4)
    0.6667
    """
    return normalized_mutual_info_score(labels_true, labels_pred)


# --- matchings of clusters to classes --------------------------------------------------------------------------------


def clustering_accuracy(labels_true: Any, labels_pred: Any) -> float:
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
    return accuracy_of(contingency_table(labels_true, labels_pred)[0])


def normalized_clustering_accuracy(labels_true: Any, labels_pred: Any) -> float:
    """Give the mean share of each class that the best matching gets right, above chance: 0 useless, 1 equal.

    Parameters
    ----------
    labels_true, labels_pred : (n,) array-like
        Two labellings of the same rows; noise (-1) is a label like any other.

    Returns
    -------
    float
        ``(mean_i max-matching c[i, s(i)] / c[i, .] - 1/k) / (1 - 1/k)`` for k classes; 1 for a single class. Classes that
        find no cluster, because there are fewer of them, count 0; with far more clusters than classes it falls below 0.

    References
    ----------
    Gagolewski M. (2024), Normalised clustering accuracy: an asymmetric external cluster validity measure, Journal of
    Classification, doi:10.1007/s00357-024-09482-2.

    Examples
    --------
    >>> normalized_clustering_accuracy([0] * 98 + [1, 1], [0] * 100)
    0.0
    """
    return normalized_accuracy_of(contingency_table(labels_true, labels_pred)[0])
