"""How wide a set of rows is, how densely each row is surrounded by the others, and the trees that this density gives."""

from typing import Any

import numpy as np

from ..arrays import to_numpy

__all__ = ["densest_trees", "density_distances", "diameter"]


def diameter(X: Any) -> float:
    """Find the largest distance between two rows.

    Parameters
    ----------
    X : (n, d) float array
        Finite; a tensor is copied to the host.

    Returns
    -------
    float
        In float64; 0 for a single row.

    Notes
    -----
    Rows are taken from the outside in, and only pairs whose distances to the mean add up to more than the best found are
    looked at: a small part of n^2 in few dimensions, up to n^2 / 2 where all rows lie equally far out. O(n d) memory.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.cluster_reach import diameter
    >>> diameter(np.array([[0.0, 0.0], [3.0, 4.0], [1.0, 1.0]]))
    5.0
    """
    from ._numba import cluster_reach

    return cluster_reach.diameter(np.asarray(to_numpy(X), np.float64))


def density_distances(X: Any) -> np.ndarray:
    """Return the all-points core distance of each row: a mean of its distances to all others that the near ones rule.

    Parameters
    ----------
    X : (n, d) float array
        Finite, two rows or more; a tensor is copied to the host.

    Returns
    -------
    (n,) float64 array
        ``(sum_j d_ij^-d / (n - 1))^(-1/d)`` over the other rows, its limit 0 for rows that have a duplicate.

    Notes
    -----
    O(n^2 d) time at the rate of the SIMD tile, O(n d) memory. The powers are taken of ratios to the nearest distance, so they
    stay in range in any number of dimensions.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.cluster_reach import density_distances
    >>> density_distances(np.array([[0.0], [1.0], [3.0]])).round(3).tolist()
    [1.5, 1.333, 2.4]
    """
    from ._numba import cluster_reach

    return cluster_reach.density_distances(np.asarray(to_numpy(X), np.float64))


def densest_trees(X: Any, starts: Any, core_distances: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Build a minimum spanning tree by mutual reachability in each cluster; among equal edges the denser one is taken.

    Where core distances are means over many rows, most edges weigh as much as the core distance of one of their ends, and there
    are a great many shortest trees. This one joins each row to the densest row that it reaches.

    Parameters
    ----------
    X : (n, d) float array
        Rows cluster by cluster, finite; a tensor is copied to the host.
    starts : (k + 1,) int array
        The rows of cluster c are ``starts[c] ... starts[c + 1] - 1``, at least one.
    core_distances : (n,) float array

    Returns
    -------
    left, right : (n - k,) int64 arrays
        Rows, left < right; first the edges of the first cluster.
    weights : (n - k,) float64 array
        ``max(core_i, core_j, d_ij)``. Edges of equal weight are chosen by the lesser core distance of both ends, then by
        distance; only where these are equal too does the order of the rows decide.

    Notes
    -----
    Prim's algorithm, one cluster a thread: O(sum n_c^2 d) time, O(n d) memory.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.cluster_reach import densest_trees
    >>> densest_trees(np.array([[0.0], [1.0], [2.0]]), [0, 3], np.array([2.0, 1.0, 2.0]))[2].tolist()
    [2.0, 2.0]
    """
    from ._numba import cluster_reach

    rows, core = (np.asarray(to_numpy(values), np.float64) for values in (X, core_distances))
    return cluster_reach.densest_trees(rows, np.asarray(starts, np.int64), core)
