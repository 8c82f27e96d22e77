"""Does the clustering come back when the rows change? Refits on overlapping random parts of the data.

Two random parts that share rows are clustered apart, and the shared rows compared: the adjusted Rand index for the whole,
the Jaccard similarity with its best match for each cluster (Hennig 2007). The cost is that of the refits.
"""

from typing import Any

import numpy as np

from ..errors import InputError
from .external import adjusted_rand_score, contingency_table

__all__ = ["jaccard_by_cluster", "stability"]


def stability(clusterer: Any, X, *, n_resamples: int = 10, sample_share: float = 0.7, random_state: int = 0) -> float:
    """Give the mean agreement of clusterings of overlapping random parts of the rows.

    Parameters
    ----------
    clusterer : estimator
        Anything with ``fit_predict``; it is cloned, not changed.
    X : (n, d) array-like
        Rows.
    n_resamples : int, default=10
        Pairs of refits.
    sample_share : float, default=0.7
        Share of the rows in each part; two parts share about half of all rows.
    random_state : int, default=0
        Draws the parts.

    Returns
    -------
    float
        Mean adjusted Rand index on the shared rows: 1 always the same, 0 no better than chance. Noise is a group.

    Raises
    ------
    InputError
        If there are too few rows for two parts to share any.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.cluster import KMeans
    >>> X = np.r_[np.zeros((20, 1)), np.ones((20, 1))] + np.linspace(0, 0.1, 40)[:, None]
    >>> stability(KMeans(2, n_init=1, random_state=0), X)
    1.0
    """
    from sklearn.base import clone

    X = np.asarray(X)
    n = len(X)
    size = round(sample_share * n)
    if size < 2 or 2 * size <= n:
        raise InputError(f"stability needs parts that overlap: {n} rows with sample_share={sample_share} leave none")
    rng = np.random.default_rng(random_state)
    scores = []
    for _ in range(n_resamples):
        a, b = (np.sort(rng.choice(n, size, replace=False)) for _ in range(2))
        _shared, in_a, in_b = np.intersect1d(a, b, assume_unique=True, return_indices=True)
        first = np.asarray(clone(clusterer).fit_predict(X[a]))[in_a]
        second = np.asarray(clone(clusterer).fit_predict(X[b]))[in_b]
        scores.append(adjusted_rand_score(first, second))
    return float(np.mean(scores))


def jaccard_by_cluster(labels, others) -> tuple[np.ndarray, np.ndarray]:
    """Give, for each cluster of one labelling, the Jaccard similarity with its best match in another.

    Parameters
    ----------
    labels, others : (n,) array-like of int
        Two labellings of the same rows; noise (-1) is nobody's match.

    Returns
    -------
    names : (k,) int array
        The clusters of ``labels``, ascending, without noise.
    similarity : (k,) float64 array
        0 to 1.
    """
    table, rows, columns = contingency_table(labels, others)
    sizes, other_sizes = table.sum(axis=1), table.sum(axis=0)
    union = sizes[:, None] + other_sizes[None] - table
    similarity = np.where(columns[None] != -1, table / np.maximum(union, 1), 0.0)
    kept = rows != -1
    return rows[kept], similarity.max(axis=1, initial=0.0)[kept]
