"""The kinds of normal behaviour: a few groups of the representatives of history, each with a share worth naming."""

import numpy as np

from ...metrics import silhouette_score
from ...partition.kmeans import KMeans
from ._history import History

__all__ = ["kinds_of"]

_MOST = 6
_APART = 0.25  # mean silhouette below which groups are not told apart


def kinds_of(history: History, least_share: float) -> np.ndarray:
    """Return the kind of each representative, 0 the largest.

    Parameters
    ----------
    history : History
    least_share : float
        Kinds with less of history are joined to the nearest.

    Returns
    -------
    (k,) int64 array
    """
    points, weights = history.representatives, history.weights
    best, labels = _APART, np.zeros(len(points), np.int64)
    for k in range(2, min(_MOST, len(points) - 1) + 1):
        found = KMeans(k, n_init=5, random_state=0).fit(points, sample_weight=weights).labels_
        apart = silhouette_score(points, found) if len(np.unique(found)) > 1 else -1.0
        if apart > best:
            best, labels = apart, found
    labels = _joined(points, weights, labels.astype(np.int64), least_share)
    sizes = np.bincount(labels, weights)
    rank = np.empty(len(sizes), np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return rank[labels]


def _joined(points: np.ndarray, weights: np.ndarray, labels: np.ndarray, least: float) -> np.ndarray:
    while True:
        labels = np.unique(labels, return_inverse=True)[1]
        sizes = np.bincount(labels, weights)
        small = int(sizes.argmin())
        if len(sizes) == 1 or sizes[small] >= least:
            return labels
        means = np.array(
            [np.average(points[labels == c], axis=0, weights=weights[labels == c]) for c in range(len(sizes))]
        )
        apart = ((means - means[small]) ** 2).sum(axis=1)
        apart[small] = np.inf
        labels[labels == small] = int(apart.argmin())
