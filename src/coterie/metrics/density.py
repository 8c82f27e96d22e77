"""Density-based cluster validation (DBCV): a validity score for clusters of any shape.

Each cluster gets a spanning tree over mutual reachability distances. Its sparseness is the longest inner edge of that tree;
its separation from another cluster the shortest mutual reachability between their inner rows. A cluster is good when it is
further from the others than it is sparse inside (Moulavi et al. 2014). The separations come from one more tree, over the inner
rows of all clusters: its lightest edge that leaves a cluster is that cluster's. What costs most are the core distance of the
paper, a sum over all pairs of a cluster, and the clusters' trees: O(sum n_c^2 d) time, O(n d) memory.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from ..arrays import to_numpy
from ..errors import InputError
from ..primitives.cluster_reach import densest_trees, density_distances
from ..primitives.spanning_tree import spanning_tree
from ._inputs import as_rows, check_finite, clusters_of, scaled

__all__ = ["dbcv_score"]


def dbcv_score(X: Any, labels: Any, *, per_cluster: bool = False) -> Any:
    """Give the density-based validity of a clustering, from -1 to 1.

    Parameters
    ----------
    X : (n, d) array-like of float
        Rows; Euclidean distance. A tensor is scored on the host.
    labels : (n,) array-like of int
        Cluster of each row, noise -1. Noise lowers the score: clusters are weighted by their share of all rows.
    per_cluster : bool, default=False
        Also give the validity of each cluster.

    Returns
    -------
    score : float
    validities : (k,) float64 array
        Only with ``per_cluster``; clusters of two rows or more in ascending order of label.

    Raises
    ------
    InputError
        If fewer than two clusters have two rows or more, or ``X`` is not finite.

    Notes
    -----
    A duplicate row makes the core distance 0, the limit of the paper's formula. Clusters of one row count as noise.

    The paper leaves open which shortest spanning tree is meant, and there are many: most edges weigh as much as the core distance
    of one of their ends. Implementations that grow the tree from the first row give another score when the rows are shuffled
    (0.23 to 0.41 for three blobs of 40 rows). Here each row is joined to the densest row it reaches, so the order of the rows
    does not matter; the score lies at the upper end of what shuffling gives.

    References
    ----------
    Moulavi D., Jaskowiak P. A., Campello R. J. G. B., Zimek A., Sander J. (2014), Density-based clustering validation,
    SDM, doi:10.1137/1.9781611973440.96.

    Examples
    --------
    >>> import numpy as np
    >>> line = np.arange(20.0)[:, None]
    >>> score = dbcv_score(np.vstack([line, line + 100]), [0] * 20 + [1] * 20)
    >>> bool(0.9 < score < 1)
    True
    """
    rows = np.asarray(to_numpy(as_rows(X)), np.float64)
    check_finite(rows)
    clusters = clusters_of(labels, len(rows))
    kept = np.flatnonzero(clusters.sizes > 1)
    if len(kept) < 2:
        raise InputError(f"dbcv_score needs at least 2 clusters of 2 rows or more, got {len(kept)}")
    # The rows of clusters that count, cluster by cluster.
    order = np.argsort(clusters.codes, kind="stable")
    members = order[np.isin(clusters.codes[order], kept)]
    starts = np.concatenate([[0], np.cumsum(clusters.sizes[kept])])
    rows = np.ascontiguousarray(scaled(rows)[members])
    core = np.concatenate([density_distances(rows[a:b]) for a, b in pairwise(starts)])
    inner, sparseness = _inner(rows, starts, core)
    separation = _separation(rows, np.repeat(np.arange(len(kept)), clusters.sizes[kept]), core, inner)
    larger = np.maximum(separation, sparseness)
    validity = np.divide(separation - sparseness, larger, out=np.zeros(len(kept)), where=larger > 0)
    score = float((clusters.sizes[kept] * validity).sum() / len(clusters.codes))
    return (score, validity) if per_cluster else score


def _inner(X: np.ndarray, starts: np.ndarray, core: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows are inner ones of their cluster's tree, and its longest edge between inner rows, else its longest."""
    left, right, weights = densest_trees(X, starts, core)
    inner = np.bincount(np.concatenate([left, right]), minlength=len(X)) > 1
    between = inner[left] & inner[right]
    sparseness = np.empty(len(starts) - 1)
    for c, (a, b) in enumerate(pairwise(starts)):
        edges = slice(a - c, b - c - 1)
        inside = between[edges]
        sparseness[c] = (weights[edges][inside] if inside.any() else weights[edges]).max()
        if not inner[a:b].any():
            inner[a:b] = True
    return inner, sparseness


def _separation(X: np.ndarray, cluster: np.ndarray, core: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """Return each cluster's least mutual reachability from its inner rows to those of another one."""
    # Whichever way the rows are split in two, a shortest tree holds a shortest edge between both sides.
    tree = spanning_tree(X[inner], core[inner])
    cluster = cluster[inner]
    a, b = cluster[tree.left], cluster[tree.right]
    least = np.full(int(cluster[-1]) + 1, np.inf)
    for side in (a, b):
        np.minimum.at(least, side[a != b], tree.weights[a != b])
    return least
