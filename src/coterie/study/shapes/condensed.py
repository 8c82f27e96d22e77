"""The condensed tree of HDBSCAN: which groups split off at which distance, and how they lose their rows."""

from typing import Any

import numpy as np

from ...arrays import to_numpy
from ._common import short

__all__ = ["condensed_tree"]

MOST_CLUSTERS = 60
MOST_STEPS = 24


def condensed_tree(estimator: Any, labels: np.ndarray, X: np.ndarray | None = None) -> dict[str, Any] | None:
    """Describe the largest clusters of a condensed tree, those that became groups first.

    Parameters
    ----------
    estimator : estimator
        Fitted; with ``condensed_tree_``.
    labels : (n,) int array
        Final labels, noise -1.
    X : ignored

    Returns
    -------
    dict or None
        ``clusters``, a parent before its children: ``parent`` (its place, None for the root), ``birth`` (the distance at which it
        split off; None for the root), ``rows`` then, ``steps`` (distances, falling, and the rows that still hold together just
        below each) and ``group``, set where the cluster is a group. ``left_out`` is how many further clusters there are.

    Notes
    -----
    Distances are the inverse of the paper's lambda.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import HDBSCAN
    >>> model = HDBSCAN(min_cluster_size=2).fit(np.array([[0.0], [1.0], [7.0], [9.0]]))
    >>> [(one["parent"], one["birth"], one["rows"], one["group"]) for one in condensed_tree(model, model.labels_)["clusters"]]
    [(None, None, 4, None), (0, 6.0, 2, 0), (0, 6.0, 2, 1)]
    """
    tree = getattr(estimator, "condensed_tree_", None)
    if tree is None:
        return None
    parent, child, lambdas, size = (np.asarray(to_numpy(part)) for part in tree)
    n = len(labels)
    if not len(parent) or int(parent.min()) != n:
        return None  # the tree is that of a sample of the rows
    clusters = n + np.arange(int(child.max(initial=0)) - n + 1 if (child >= n).any() else 1)
    above, birth, rows = np.full(len(clusters), -1), np.full(len(clusters), np.inf), np.full(len(clusters), n)
    born = child >= n
    with np.errstate(divide="ignore"):
        heights = 1.0 / lambdas
    above[child[born] - n], birth[child[born] - n], rows[child[born] - n] = parent[born] - n, heights[born], size[born]
    group = _groups(above, parent[~born] - n, labels[child[~born]])
    shown = _shown(above, rows, group)
    place = np.full(len(clusters) + 1, -1)
    place[shown] = np.arange(len(shown))
    order = np.lexsort((-heights, parent))
    bounds = np.searchsorted(parent[order], np.append(clusters, clusters[-1] + 1))
    return {
        "left_out": len(clusters) - len(shown),
        "clusters": [
            {
                "parent": None if above[i] < 0 else int(place[above[i]]),
                "birth": short([birth[i]])[0],
                "rows": int(rows[i]),
                "steps": _steps(
                    heights[order[bounds[i] : bounds[i + 1]]], size[order[bounds[i] : bounds[i + 1]]], int(rows[i])
                ),
                "group": int(group[i]) if group[i] >= 0 and (above[i] < 0 or group[above[i]] < 0) else None,
            }
            for i in shown.tolist()
        ],
    }


def _groups(above: np.ndarray, owner: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the group that all rows of a cluster, and of those below it, are in; -1 where they are in several, or one is in none."""
    k, several = len(above), -1
    low, high = np.full(k, np.iinfo(np.int64).max), np.full(k, -1)
    np.minimum.at(low, owner, labels)
    np.maximum.at(high, owner, labels)
    for i in range(k - 1, 0, -1):  # a parent comes before its children
        low[above[i]], high[above[i]] = min(low[above[i]], low[i]), max(high[above[i]], high[i])
    return np.where(low == high, low, several)


def _shown(above: np.ndarray, rows: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return the clusters that are shown, in their order: some that are groups, the largest others, and all above these."""
    is_group = (group >= 0) & np.append(True, group[above[1:]] < 0)
    order = np.lexsort((np.arange(len(rows)), -rows, ~is_group))
    keep = np.zeros(len(rows), dtype=bool)
    for i in order[:MOST_CLUSTERS].tolist():
        while i >= 0 and not keep[i]:
            keep[i] = True
            i = int(above[i])
    return np.flatnonzero(keep)


def _steps(heights: np.ndarray, sizes: np.ndarray, rows: int) -> dict[str, list]:
    if not len(heights):
        return {"distance": [], "left": []}
    left = rows - np.cumsum(sizes)
    ends = np.flatnonzero(np.append(heights[1:] != heights[:-1], True))
    ends = ends[np.unique(np.linspace(0, len(ends) - 1, MOST_STEPS).round().astype(np.int64))]
    return {"distance": short(heights[ends]), "left": left[ends].tolist()}
