"""Does the clustering come back when the rows change? Refits on overlapping random parts of the data.

Two random parts that share rows are clustered apart, and the shared rows compared: the adjusted Rand index for the whole,
the Jaccard similarity with its best match for each cluster (Hennig 2007). The cost is that of the refits.
"""

from typing import Any

import numpy as np

from ..arrays import is_tensor, to_numpy
from ..errors import InputError
from .external import adjusted_rand_score, contingency_table

__all__ = ["jaccard_by_cluster", "stability"]


def stability(
    clusterer: Any, X: Any, *, n_resamples: int = 10, sample_share: float = 0.7, random_state: int = 0
) -> float:
    """Give the mean agreement of clusterings of overlapping random parts of the rows.

    Parameters
    ----------
    clusterer : estimator
        Anything with ``fit_predict``; it is cloned, not changed.
    X : (n, d) array-like, frame or tensor
        Rows; the clusterer gets parts of it of the same kind.
    n_resamples : int, default=10
        Pairs of refits.
    sample_share : float, default=0.7
        Share of the rows in each part; two parts share about half of all rows.
    random_state : int, default=0
        Draws the parts. A clusterer's own ``random_state`` is left as it is.

    Returns
    -------
    float
        Mean adjusted Rand index on the shared rows: 1 always the same, 0 no better than chance. Noise is a group.

    Raises
    ------
    InputError
        If there are too few rows for two parts to share any, or no pair of refits is asked for.

    References
    ----------
    Ben-Hur A., Elisseeff A., Guyon I. (2002), A stability based method for discovering structure in clustered data, PSB,
    doi:10.1142/9789812799623_0002.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import KMeans
    >>> X = np.r_[np.zeros((20, 1)), np.ones((20, 1))] + np.linspace(0, 0.1, 40)[:, None]
    >>> stability(KMeans(2, random_state=0), X)
    1.0
    """
    from sklearn.base import clone

    if not hasattr(X, "shape"):
        X = np.asarray(X)
    n = X.shape[0]
    size = round(sample_share * n)
    if n_resamples < 1 or not 2 <= size <= n or 2 * size <= n:
        raise InputError(
            f"stability needs one pair of parts or more that overlap: got {n} rows, sample_share={sample_share} and "
            f"n_resamples={n_resamples}; use a share above 0.5 and at most 1"
        )
    rng = np.random.default_rng(random_state)
    scores = []
    for _ in range(n_resamples):
        a, b = (np.sort(rng.choice(n, size, replace=False)) for _ in range(2))
        _shared, in_a, in_b = np.intersect1d(a, b, assume_unique=True, return_indices=True)
        first, second = (to_numpy(clone(clusterer).fit_predict(_take(X, rows))) for rows in (a, b))
        scores.append(adjusted_rand_score(first[in_a], second[in_b]))
    return float(np.mean(scores))


def jaccard_by_cluster(labels: Any, others: Any) -> tuple[np.ndarray, np.ndarray]:
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

    References
    ----------
    Hennig C. (2007), Cluster-wise assessment of cluster stability, Computational Statistics & Data Analysis 52,
    doi:10.1016/j.csda.2006.11.025.

    Examples
    --------
    >>> jaccard_by_cluster([0, 0, 0, 1, -1], [5, 5, 6, 6, -1])[1].round(2).tolist()
    [0.67, 0.5]
    """
    table, rows, columns = contingency_table(labels, others)
    sizes, other_sizes = table.sum(axis=1), table.sum(axis=0)
    union = sizes[:, None] + other_sizes[None] - table
    similarity = np.where(columns[None] != -1, table / np.maximum(union, 1), 0.0)
    kept = rows != -1
    return rows[kept], similarity.max(axis=1, initial=0.0)[kept]


def _take(X: Any, rows: np.ndarray) -> Any:
    """Return some rows of an array, frame, sparse array or tensor."""
    from sklearn.utils import _safe_indexing

    return X[rows] if is_tensor(X) else _safe_indexing(X, rows)
