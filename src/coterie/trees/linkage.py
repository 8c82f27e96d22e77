"""From merges of rows, such as the edges of a spanning tree, to a hierarchy in SciPy's layout.

Taking the edges of a spanning tree from the shortest to the longest, each merges the two groups that it joins: single linkage
(Gower and Ross 1969). Any other linkage is a list of edges too: each merge joins a row of the one group to one of the other.
Groups are found by union-find with path halving: O(n) memory, almost O(n) time, no recursion.
"""

import numpy as np

# Compiled without an engine of its own; `_numba` does the compiling.
from ..primitives.compiled import find, kernel, run_kernel

__all__ = ["linkage_matrix", "single_linkage"]

_EDGES_A_CALL = 1 << 20  # about 0.1 s, so that Ctrl-C is heard


def single_linkage(left: np.ndarray, right: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Merge the rows along the edges of a spanning tree.

    Parameters
    ----------
    left, right : (n - 1,) int64 array
        Rows that each edge joins.
    weights : (n - 1,) float64 array
        Ascending.

    Returns
    -------
    (n - 1, 4) float64 array
        SciPy's layout: the two nodes merged, the lower one first, the height, the number of rows; the merge in line i makes
        node n + i.

    Notes
    -----
    Below 2^53 nodes a float64 holds every node number exactly.

    References
    ----------
    Gower, Ross: Minimum spanning trees and single linkage cluster analysis, Applied Statistics 18, 1969.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.trees.linkage import single_linkage
    >>> single_linkage(np.array([0, 1]), np.array([2, 2]), np.array([1.0, 4.0])).tolist()
    [[0.0, 2.0, 1.0, 2.0], [1.0, 3.0, 4.0, 3.0]]
    """
    return linkage_matrix(left, right, weights)


def linkage_matrix(left: np.ndarray, right: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Lay out merges of clusters, each of them named by any of its rows, as SciPy does.

    Parameters
    ----------
    left, right : (n - 1,) int64 array
        A row of each of the two clusters that a merge joins.
    heights : (n - 1,) float64 array
        Of the merges, in the order in which they are to be made.

    Returns
    -------
    (n - 1, 4) float64 array
        As from `single_linkage`.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.trees.linkage import linkage_matrix
    >>> linkage_matrix(np.array([1, 0]), np.array([2, 2]), np.array([1.0, 4.0])).tolist()
    [[1.0, 2.0, 1.0, 2.0], [0.0, 3.0, 4.0, 3.0]]
    """
    n = len(heights) + 1
    linkage = np.empty((n - 1, 4))
    linkage[:, 2] = heights
    parent, node = np.arange(n), np.arange(n)
    for start in range(0, n - 1, _EDGES_A_CALL):
        run_kernel(_merge, start, min(n - 1, start + _EDGES_A_CALL), left, right, parent, node, linkage)
    return linkage


@kernel
def _merge(
    start,  # int  in
    end,  # int  in: edges of this call
    left,  # (n - 1,) int64  in
    right,  # (n - 1,) int64  in
    parent,  # (n,) int64  in/out: union-find over the rows
    node,  # (n,) int64  in/out: the node that a group's root stands for
    linkage,  # (n - 1, 4)  out
):
    n = len(parent)
    for i in range(start, end):
        a, b = find(parent, left[i]), find(parent, right[i])
        one, other = node[a], node[b]
        rows_a = linkage[one - n, 3] if one >= n else 1.0
        rows_b = linkage[other - n, 3] if other >= n else 1.0
        # The smaller group joins the larger one: paths stay short whatever the order of the edges.
        if rows_a < rows_b:
            a, b = b, a
        parent[b] = a
        node[a] = n + i
        linkage[i, 0], linkage[i, 1] = (one, other) if one < other else (other, one)
        linkage[i, 3] = rows_a + rows_b
