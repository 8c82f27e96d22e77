"""Noise of a fitted HDBSCAN that joins the cluster it is connected to first.

Along the spanning tree, shortest edges first, a noise row takes the label at the other end of the first edge that leads to a
cluster, unless that edge is much longer than the distance at which the cluster was born: such a row is far out and stays
noise. O(n log n) time.
"""

import numpy as np

from .hdbscan import HDBSCAN

__all__ = ["fill_noise", "filled"]

# Rows further out than this many times the distance at which the cluster was born are outliers, not its edge.
REACH = 2.0


def filled(labels: np.ndarray, tree, births: np.ndarray, *, reach: float = REACH) -> tuple[np.ndarray, np.ndarray]:
    """Give the labels after noise has joined the cluster it is connected to first.

    Parameters
    ----------
    labels : (n,) int array
        Noise -1.
    tree : SpanningTree
        ``left``, ``right``, ``weights``, ascending.
    births : (k,) float array
        Distance at which each cluster was born.
    reach : float, default=2
        Longest edge over which a row joins, in births of the cluster.

    Returns
    -------
    labels : (n,) int64 array
    births : (k,) float64 array
        Raised to the longest edge over which rows joined.
    """
    labels, births = np.array(labels, dtype=np.int64), np.array(births, dtype=np.float64)
    limit = reach * births
    left, right, weights = (np.asarray(part) for part in tree)
    touching = (labels[left] < 0) | (labels[right] < 0)
    owner: dict[int, list[int]] = {}
    for a, b, weight in zip(left[touching].tolist(), right[touching].tolist(), weights[touching].tolist(), strict=True):
        at_a, at_b = labels[a], labels[b]
        if at_a >= 0 and at_b >= 0:
            continue
        if at_a < 0 and at_b < 0:
            _join(owner, a, b)
            continue
        noise, label = (a, at_b) if at_a < 0 else (b, at_a)
        if weight <= limit[label]:
            labels[owner.get(noise, [noise])] = label
            births[label] = max(births[label], weight)
    return labels, births


def _join(owner: dict[int, list[int]], a: int, b: int) -> None:
    first, second = owner.get(a, [a]), owner.get(b, [b])
    if len(first) < len(second):
        first, second = second, first
    first.extend(second)
    owner.setdefault(a, first)
    for row in [*second, first[0]]:
        owner[row] = first


def fill_noise(model: HDBSCAN, X: np.ndarray, *, reach: float = REACH) -> int:
    """Let the noise of ``model``, fitted on ``X``, join its clusters, so that ``predict`` does the same to new rows.

    Parameters
    ----------
    model : HDBSCAN
        Changed: ``labels_``, ``probabilities_`` and how far ``predict`` reaches.
    X : (n, d) float array
        The rows it was fitted on.
    reach : float, default=2

    Returns
    -------
    int
        Rows that joined.
    """
    before = np.asarray(model.labels_)
    if not len(model._births) or (before >= 0).all():
        return 0
    model.labels_, model._births = filled(before, model.minimum_spanning_tree_, model._births, reach=reach)
    joined = np.flatnonzero((before < 0) & (model.labels_ >= 0))
    if len(joined):
        strengths = np.array(model.probabilities_)
        strengths[joined] = model.membership(X[joined])[1]
        model.probabilities_ = strengths
    return len(joined)
