"""The top of a hierarchy: its last merges, and the parts of the rows that they join."""

from typing import Any

import numpy as np

from ...arrays import to_numpy
from ...trees.cuts import cut_into
from ._common import main_groups, own_count, short

__all__ = ["dendrogram"]

MOST_MERGES = 50
MOST_NEEDED = 200
# What the height of a merge is, by the method.
HEIGHTS = {
    "AgglomerativeClustering": "distance between the parts that merge",
    "Genie": "distance between the parts that merge",
    "DIANA": "greatest distance within the part",
    "BisectingKMeans": "squared differences within the part",
    "PDDP": "squared differences within the part",
}


def dendrogram(estimator: Any, labels: np.ndarray, X: np.ndarray | None = None) -> dict[str, Any] | None:
    """Describe the last merges of a hierarchy, as many as parted the groups, and some 50 in any case.

    Parameters
    ----------
    estimator : estimator
        Fitted; with ``linkage_matrix_``, or a ``tree_`` of divisions.
    labels : (n,) int array
        Final labels, noise -1.
    X : ignored

    Returns
    -------
    dict or None
        ``leaves`` (parts of the rows, from left to right: ``rows``, the ``group`` of most of them and the ``share`` that is in it) and
        ``merges`` from the lowest to the highest (``left`` and ``right``: a leaf by its place, or a merge, counted on after the
        leaves; ``height``; ``group`` where all that is below is in one group). ``cut`` is the height below which groups were left
        together, None where there is none; ``height`` says what heights are; ``all_merges`` how many there are.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import AgglomerativeClustering
    >>> model = AgglomerativeClustering(2, linkage="single").fit(np.array([[0.0], [1.0], [9.0]]))
    >>> shape = dendrogram(model, model.labels_)
    >>> [leaf["rows"] for leaf in shape["leaves"]], [merge["height"] for merge in shape["merges"]], shape["cut"]
    ([1, 1, 1], [1.0, 8.0], 4.5)
    """
    found = _top_of(estimator, labels)
    if found is None or not len(found[0]):
        return None
    linkage, part, cut, whole = found
    m = len(linkage)
    sizes = np.bincount(part, minlength=m + 1)
    group, inside = main_groups(part, m + 1, labels)
    share = inside / np.maximum(sizes, 1)
    children = linkage[:, :2].astype(np.int64)
    pure = [int(group[leaf]) if share[leaf] == 1 else None for leaf in range(m + 1)]
    first = group.tolist()
    for i, (a, b) in enumerate(children.tolist()):
        pure.append(pure[a] if pure[a] == pure[b] else None)
        # Parts stand in the order of their groups, as far as a tree can.
        first.append(min(first[a], first[b]))
        if (first[b], b) < (first[a], a):
            children[i] = b, a
    order = _from_left_to_right(children)
    place = np.append(np.argsort(order), m + 1 + np.arange(m))
    heights = short(linkage[:, 2])
    return {
        "height": HEIGHTS.get(type(estimator).__name__, "height"),
        "cut": cut,
        "all_merges": whole,
        "leaves": [
            {"rows": int(sizes[i]), "group": int(group[i]), "share": short([share[i]])[0]} for i in order.tolist()
        ],
        "merges": [
            {"left": int(place[a]), "right": int(place[b]), "height": height, "group": pure[m + 1 + i]}
            for i, ((a, b), height) in enumerate(zip(children.tolist(), heights, strict=True))
        ],
    }


def _top_of(estimator: Any, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, float | None, int] | None:
    """Return the last merges over parts numbered from 0, the part of each row, the height of the cut, and the number of all merges."""
    own = np.asarray(to_numpy(estimator.labels_)) if hasattr(estimator, "labels_") else labels
    needed = min(own_count(own) - 1, MOST_NEEDED)
    if hasattr(estimator, "linkage_matrix_"):
        linkage = np.asarray(estimator.linkage_matrix_)
        m = min(len(linkage), max(MOST_MERGES, needed))
        return *_last_merges(linkage, m), _cut(linkage[:, 2], own_count(own)), len(linkage)
    if hasattr(estimator, "tree_") and hasattr(estimator.tree_, "linkage") and own_count(own) <= MOST_NEEDED:
        return estimator.tree_.linkage(), own, None, own_count(own) - 1
    return None


def _last_merges(linkage: np.ndarray, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the last ``m`` merges over the m + 1 parts that they join, and the part of each row."""
    n = len(linkage) + 1
    part = cut_into(linkage, m + 1)
    top = linkage[n - 1 - m :].copy()
    number: dict[int, int] = {}
    for node in np.sort(top[:, :2].astype(np.int64).ravel()):
        row = int(node)
        while row >= n:  # a row that the node holds tells which part it is
            row = int(linkage[row - n, 0])
        number[int(node)] = m + 1 + int(node) - (2 * n - 1 - m) if node >= 2 * n - 1 - m else int(part[row])
    top[:, :2] = np.vectorize(number.__getitem__)(top[:, :2].astype(np.int64))
    return top, part


def _cut(heights: np.ndarray, k: int) -> float | None:
    n = len(heights) + 1
    if not 1 < k <= n or (np.diff(heights) < 0).any():
        return None
    below = heights[n - k - 1] if k < n else 0.0
    return short([(below + heights[n - k]) / 2])[0]


def _from_left_to_right(children: np.ndarray) -> np.ndarray:
    m = len(children)
    order, stack = [], [2 * m]
    while stack:
        node = stack.pop()
        if node <= m:
            order.append(node)
        else:
            stack += [int(children[node - m - 1, 1]), int(children[node - m - 1, 0])]
    return np.array(order)
