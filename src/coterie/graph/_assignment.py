"""From coordinates of nodes to clusters: K-means, or the columns that a pivoted factorisation picks."""

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..arrays import to_numpy
from ..partition.kmeans import KMeans

__all__ = ["cluster_qr", "kmeans_labels"]


def cluster_qr(U: Any) -> np.ndarray:
    """Assign each node to the axis it is nearest to, once the axes are turned to k nodes that differ most.

    Parameters
    ----------
    U : (n, k) float64 array of any engine
        Orthonormal vectors, or those times one number for each node.

    Returns
    -------
    (n,) int64 array

    References
    ----------
    Damle, A., Minden, V., Ying, L. (2019). Simple, direct and efficient multi-way spectral clustering. Information and
    Inference 8(1). doi:10.1093/imaiai/iay008
    """
    U = to_numpy(U)
    k = U.shape[1]
    # Rows lose their parts along the rows picked so far; only what they keep in length is kept.
    left, picked, directions = np.einsum("ij,ij->i", U, U), np.empty(k, np.int64), np.zeros((k, k))
    for t in range(k):
        picked[t] = int(left.argmax())
        rest = U[picked[t]].copy()
        for _ in range(2):
            rest -= (directions @ rest) @ directions
        length = np.sqrt(rest @ rest)
        if length > 0:
            directions[t] = rest / length
            left -= np.einsum("ij,j->i", U, directions[t]) ** 2
    left, _, right = np.linalg.svd(U[picked].T)
    return np.abs(np.einsum("ij,jk->ik", U, left @ right)).argmax(axis=1)


def kmeans_labels(Y: Any, start: np.ndarray, n_clusters: int, n_init: int, random: np.random.RandomState) -> np.ndarray:
    """Group coordinates by K-means: from given groups, and from drawn centers; the least inertia wins, the first of equals.

    Parameters
    ----------
    Y : (n, d) float64 array of any engine
    start : (n,) int64 array
        Groups of the first start.
    n_clusters : int
    n_init : int
        How many starts.
    random : RandomState

    Returns
    -------
    (n,) int64 array
    """
    host = to_numpy(Y)
    found, members = np.unique(start, return_inverse=True)
    runs = []
    if len(found) == n_clusters:
        count = np.bincount(members).astype(float)
        means = np.column_stack([np.bincount(members, column) for column in host.T]) / count[:, None]
        runs.append(KMeans(n_clusters, init=means, n_init=1))
    if n_init > len(runs):
        runs.append(KMeans(n_clusters, n_init=n_init - len(runs), random_state=random))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        models = [run.fit(Y) for run in runs]
    best = min(models, key=lambda model: float(model.inertia_))
    return to_numpy(best.labels_)
