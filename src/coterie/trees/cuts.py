"""Cutting a hierarchy into clusters, by their number or by a height, and how clearly it is structured.

A hierarchy of n rows is n - 1 merges in SciPy's layout. Keeping the first n - k of them leaves k clusters; keeping all below
which everything is at most ``height`` leaves clusters that hold together at that height. Heights may fall from one merge to
the next (centroid and median linkage); what counts for a cut by height is the greatest height in a cluster.
"""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

# Compiled without an engine of its own; `_numba` does the compiling.
from ..primitives.compiled import kernel, run_kernel
from ..primitives.components import number_sets

__all__ = ["coefficient", "cut_at_height", "cut_into", "most_clusters"]


def cut_into(linkage: np.ndarray, n_clusters: int) -> np.ndarray:
    """Cut a hierarchy into so many clusters.

    Parameters
    ----------
    linkage : (n - 1, 4) float64 array
        SciPy's layout.
    n_clusters : int
        1 ... n.

    Returns
    -------
    (n,) int64 array
        Labels in order of first appearance in the rows.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.trees.cuts import cut_into
    >>> cut_into(np.array([[1.0, 2.0, 0.5, 2.0], [0.0, 3.0, 4.0, 3.0]]), 2)
    array([0, 1, 1])
    """
    kept = np.arange(len(linkage)) < len(linkage) + 1 - n_clusters
    return _labels(linkage, kept)


def cut_at_height(linkage: np.ndarray, height: float, *, strictly: bool = False) -> np.ndarray:
    """Cut a hierarchy into clusters that hold together at a height.

    Parameters
    ----------
    linkage : (n - 1, 4) float64 array
        SciPy's layout.
    height : float
        No merge inside a cluster is higher.
    strictly : bool, default=False
        Nor as high.

    Returns
    -------
    (n,) int64 array
        Labels in order of first appearance in the rows.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.trees.cuts import cut_at_height
    >>> linkage = np.array([[1.0, 2.0, 0.5, 2.0], [0.0, 3.0, 4.0, 3.0]])
    >>> cut_at_height(linkage, 4.0), cut_at_height(linkage, 4.0, strictly=True)
    (array([0, 0, 0]), array([0, 1, 1]))
    """
    greatest = np.empty(len(linkage))
    run_kernel(_greatest, linkage, greatest)
    return _labels(linkage, greatest < height if strictly else greatest <= height)


def most_clusters(linkage: np.ndarray) -> int:
    """Return into how many clusters a hierarchy can be cut without parting rows that merge at height 0, before all others.

    Parameters
    ----------
    linkage : (n - 1, 4) float64 array
        SciPy's layout.

    Returns
    -------
    int

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.trees.cuts import most_clusters
    >>> most_clusters(np.array([[1.0, 2.0, 0.0, 2.0], [0.0, 3.0, 4.0, 3.0]]))
    2
    """
    positive = np.flatnonzero(linkage[:, 2] > 0)
    return len(linkage) + 1 - (int(positive[0]) if len(positive) else len(linkage))


def coefficient(linkage: np.ndarray) -> float:
    """Say how clearly a hierarchy is structured: the mean over the rows of 1 - height of the row's first merge / greatest height.

    Parameters
    ----------
    linkage : (n - 1, 4) float64 array
        SciPy's layout.

    Returns
    -------
    float
        From 0, none, to 1. The agglomerative coefficient of a hierarchy that was built from below, the divisive one of a
        hierarchy from above. 0 for one row and where all heights are 0. It grows with the number of rows: compare data of like
        size only.

    References
    ----------
    Kaufman, Rousseeuw: Finding groups in data, 1990, chapters 5 and 6, doi:10.1002/9780470316801.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.trees.cuts import coefficient
    >>> round(coefficient(np.array([[1.0, 2.0, 0.5, 2.0], [0.0, 3.0, 4.0, 3.0]])), 3)
    0.583
    """
    top = linkage[:, 2].max(initial=0.0)
    if not top > 0:
        return 0.0
    n = len(linkage) + 1
    first = np.empty(n)
    for side in range(2):
        rows = linkage[:, side] < n
        first[linkage[rows, side].astype(np.int64)] = linkage[rows, 2] / top
    return float(1.0 - first.mean())


def _labels(linkage: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Number the rows by the trees that are left of the kept merges."""
    n = len(linkage) + 1
    parents = np.repeat(n + np.flatnonzero(kept), 2)
    children = linkage[kept, :2].astype(np.int64).ravel()
    joins = coo_array((np.ones(len(parents), bool), (children, parents)), shape=(2 * n - 1, 2 * n - 1))
    return number_sets(connected_components(joins, directed=False)[1][:n].astype(np.int64))


@kernel
def _greatest(linkage, greatest):
    n = len(linkage) + 1
    for i in range(n - 1):
        height = linkage[i, 2]
        for side in range(2):
            child = int(linkage[i, side]) - n
            if child >= 0 and greatest[child] > height:
                height = greatest[child]
        greatest[i] = height
