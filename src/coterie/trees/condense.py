"""Condensing a hierarchy: only splits into groups of at least ``min_cluster_size`` rows make new clusters.

Campello, Moulavi and Sander (2013), section 3: going down from the root, at each height the cluster either splits into two or
more groups that are large enough, which become clusters of their own; or keeps just one such group, and then *is* that group,
having lost the rows of the small ones; or has none left, and ends. A row leaves its cluster at the height where its group
becomes too small, or is split off as a cluster. lambda = 1 / height is the density at which that happens.

Merges of equal height are one node here, however many parts it has: their order, which depends on the order of the rows, must
change nothing. The stability of a cluster,

    S(C) = sum over its rows x of (lambda_x - lambda_birth(C)),

is added up height by height for the same reason. Rows that stay together down to height 0 have an infinite lambda_x: they are
counted in a number of their own, which weighs more than any finite sum.
"""

from typing import NamedTuple

import numpy as np

# Compiled without an engine of its own; `_numba` does the compiling.
from ..primitives.compiled import kernel, part, run_kernel

__all__ = ["Condensed", "CondensedTree", "condense", "condensed_tree"]

_MERGES_A_CALL = 1 << 20
# Heights this much smaller than the root's count as 0, so that no sum of lambdas can overflow.
_NOTHING = 2.0**-960


class CondensedTree(NamedTuple):
    """The condensed tree as flat arrays: one line for each row, then one for each cluster but the root.

    Clusters are numbered from n, the number of rows; n is the root.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import HDBSCAN
    >>> tree = HDBSCAN(min_cluster_size=2).fit(np.array([[0.0], [1.0], [7.0], [9.0]])).condensed_tree_
    >>> tree.child.tolist(), tree.parent.tolist(), tree.size.tolist()
    ([0, 1, 2, 3, 5, 6], [5, 5, 6, 6, 4, 4], [1, 1, 1, 1, 2, 2])
    """

    parent: np.ndarray  # (lines,) int64: the cluster that is left
    child: np.ndarray  # (lines,) int64: the row that leaves, or the cluster that is born
    lambda_: np.ndarray  # (lines,) float64: 1 / height; infinite at height 0
    size: np.ndarray  # (lines,) int64: 1, or the rows of the cluster


class Condensed(NamedTuple):
    """The clusters of a condensed tree, a parent always before its children; cluster 0 is the root."""

    row_cluster: np.ndarray  # (n,) int64: the cluster that each row leaves
    row_height: np.ndarray  # (n,) float64: the height at which it does
    parent: np.ndarray  # (c,) int64: -1 for the root
    birth: np.ndarray  # (c,) float64: height; infinite for the root
    size: np.ndarray  # (c,) int64: rows at birth
    death: np.ndarray  # (c,) float64: least height above 0 at which rows leave; infinite where there is none
    stability: np.ndarray  # (c,) float64: its finite part, in units of 1 / unit
    infinite: np.ndarray  # (c,) int64: how many rows have an infinite lambda
    unit: float  # the height, a power of two, by which heights were divided


def condense(linkage: np.ndarray, min_cluster_size: int) -> Condensed:
    """Condense a single-linkage hierarchy.

    Parameters
    ----------
    linkage : (n - 1, 4) float64 array
        As `single_linkage` gives it.
    min_cluster_size : int
        At least 2.

    Returns
    -------
    Condensed

    Notes
    -----
    O(n) time and memory, without recursion: one pass up and one down the merges.

    References
    ----------
    Campello, Moulavi, Sander: Density-based clustering based on hierarchical density estimates, PAKDD 2013,
    doi:10.1007/978-3-642-37456-2_14.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.trees.condense import condense
    >>> from coterie.trees.linkage import single_linkage
    >>> linkage = single_linkage(np.array([0, 2, 1]), np.array([1, 3, 2]), np.array([1.0, 2.0, 6.0]))
    >>> condense(linkage, 2).birth.tolist()
    [inf, 6.0, 6.0]
    """
    n = len(linkage) + 1
    most = 2 * (n // min_cluster_size) + 1
    rows = (np.zeros(n, np.int64), np.full(n, np.inf))
    clusters: tuple[np.ndarray, ...] = (
        np.full(most, -1), np.full(most, np.inf), np.full(most, n), np.full(most, np.inf), np.zeros(most),
        np.zeros(most, np.int64),
    )  # fmt: skip
    unit = _unit(linkage)
    if n > 1:
        large, owner, fallen = np.empty(n - 1, np.int32), np.zeros(n - 1, np.int64), np.full(n - 1, -1.0)
        pending, count = (np.zeros(most), np.zeros(most, np.int64)), np.ones(1, np.int64)
        for start in range(0, n - 1, _MERGES_A_CALL):
            run_kernel(_count_large, start, min(n - 1, start + _MERGES_A_CALL), linkage, min_cluster_size, large)
        for end in range(n - 1, 0, -_MERGES_A_CALL):
            run_kernel(
                _descend, max(0, end - _MERGES_A_CALL), end, linkage, min_cluster_size, unit, large, owner, fallen, *rows,
                *clusters, *pending, count,
            )  # fmt: skip
        _settle_all(clusters[1], clusters[3], clusters[4], clusters[5], *pending, unit)
        clusters = tuple(values[: count[0]] for values in clusters)
    else:
        clusters = tuple(values[:1] for values in clusters)
    parent, birth, size, death, stability, infinite = clusters
    return Condensed(*rows, parent, birth, size, death, stability, infinite, unit)


def condensed_tree(condensed: Condensed) -> CondensedTree:
    """Lay out the condensed tree for readers.

    Parameters
    ----------
    condensed : Condensed

    Returns
    -------
    CondensedTree

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.trees.condense import condense, condensed_tree
    >>> condensed_tree(condense(np.array([[0.0, 1.0, 0.5, 2.0]]), 2)).lambda_.tolist()
    [2.0, 2.0]
    """
    n, c = len(condensed.row_cluster), len(condensed.parent)
    heights = np.concatenate([condensed.row_height, condensed.birth[1:]])
    with np.errstate(divide="ignore", over="ignore"):
        lambdas = 1.0 / heights
    return CondensedTree(
        np.concatenate([condensed.row_cluster, condensed.parent[1:]]) + n,
        np.concatenate([np.arange(n), np.arange(n + 1, n + c)]),
        lambdas,
        np.concatenate([np.ones(n, np.int64), condensed.size[1:]]),
    )


def _unit(linkage: np.ndarray) -> float:
    top = float(linkage[-1, 2]) if len(linkage) else 0.0
    return 2.0 ** min(1023, max(-1021, int(np.frexp(top)[1]))) if top > 0 else 1.0


@kernel
def _count_large(start, end, linkage, min_cluster_size, large):
    """Count the parts of each node that are large enough; merges of equal height below it belong to the node."""
    n = len(linkage) + 1
    for i in range(start, end):
        large[i] = 0
        for side in range(2):
            child = int(linkage[i, side]) - n
            if child < 0:
                continue
            if linkage[child, 2] == linkage[i, 2]:
                large[i] += large[child]
            elif linkage[child, 3] >= min_cluster_size:
                large[i] += 1


@kernel
def _descend(
    start,  # int  in
    end,  # int  in: merges of this call, the last one first
    linkage,  # (n - 1, 4)  in
    min_cluster_size,  # int  in
    unit,  # float  in
    large,  # (n - 1,) int32  in/out: large parts; below the top of a node, those of the whole node
    owner,  # (n - 1,) int64  in/out: cluster that holds the merge
    fallen,  # (n - 1,)  in/out: height at which its rows left the cluster, negative while they have not
    row_cluster,  # (n,) int64  out
    row_height,  # (n,)  out
    parent,  # (c,) int64  out: see Condensed, as are the next five
    birth,  # (c,)  out
    size,  # (c,) int64  out
    death,  # (c,)  in/out
    stability,  # (c,)  in/out
    infinite,  # (c,) int64  in/out
    pending_height,  # (c,)  in/out: the height at which rows are leaving
    pending,  # (c,) int64  in/out: how many of them so far
    count,  # (1,) int64  in/out: clusters so far
):
    n = len(linkage) + 1
    for i in range(end - 1, start - 1, -1):
        cluster, height, gone = owner[i], linkage[i, 2], fallen[i]
        for side in range(2):
            child = int(linkage[i, side])
            rows = linkage[child - n, 3] if child >= n else 1.0
            if gone < 0 and child >= n and linkage[child - n, 2] == height:
                owner[child - n], large[child - n] = cluster, large[i]
                continue
            leaves = gone if gone >= 0 else height
            if gone < 0 and rows >= min_cluster_size:
                if large[i] < 2:
                    owner[child - n] = cluster
                    continue
                new = count[0]
                count[0] += 1
                parent[new], birth[new], size[new] = cluster, height, int(rows)
                owner[child - n] = new
            elif child >= n:
                owner[child - n], fallen[child - n] = cluster, leaves
            else:
                row_cluster[child], row_height[child] = cluster, leaves
            if gone < 0:
                if pending_height[cluster] != height:
                    _settle(cluster, birth, death, stability, infinite, pending_height, pending, unit)
                    pending_height[cluster] = height
                pending[cluster] += int(rows)


@part
def _settle(cluster, birth, death, stability, infinite, pending_height, pending, unit):
    """Add the rows that left a cluster at one height to its stability."""
    if pending[cluster] == 0:
        return
    height = pending_height[cluster] / unit
    if height <= _NOTHING:
        infinite[cluster] += pending[cluster]
    else:
        death[cluster] = pending_height[cluster]
        stability[cluster] += pending[cluster] * (1.0 / height - 1.0 / (birth[cluster] / unit))
    pending[cluster] = 0


def _settle_all(birth, death, stability, infinite, pending_height, pending, unit):
    """Do the same for the rows that left each cluster last."""
    heights = pending_height / unit
    last = pending > 0
    infinite[last & (heights <= _NOTHING)] += pending[last & (heights <= _NOTHING)]
    last &= heights > _NOTHING
    death[last] = pending_height[last]
    stability[last] += pending[last] * (1.0 / heights[last] - 1.0 / (birth[last] / unit))
