"""How the rows of each cluster lie around centers: distances to the own one, and silhouettes in which centers stand for clusters."""

from typing import Any, NamedTuple

import numpy as np

from .engine import engine_of

__all__ = ["Around", "around_centers"]


class Around(NamedTuple):
    """Sums over the rows of each cluster; NumPy arrays whatever the engine."""

    distances: np.ndarray  # (k,) float64: to the own center
    squares: np.ndarray  # (k,) float64: of these distances
    silhouettes: np.ndarray  # (k,) float64: (b - a) / max(a, b), a to the own center and b to the nearest other


def around_centers(X: Any, labels: Any, centers: np.ndarray) -> Around:
    """Add up, for each cluster, what tells how well its rows lie around its center.

    Parameters
    ----------
    X : (n, d) float array, or rows in blocks
        Any engine, finite, its squares within the range of float64.
    labels : (n,) int array
        0 ... k - 1; rows with a negative label are left out. Of rows in blocks, whose labels came with them
        (`coterie.primitives.block_labels.labelled`), the names of the clusters, (k,) ascending.
    centers : (k, d) float64 array
        On the host, k at least 2.

    Returns
    -------
    Around

    Notes
    -----
    One pass: O(n k d) time, O(k d) memory. Sums are in float64, in an order that depends on the rows alone; those of blocks are
    added up rounded once.
    """
    return Around(*engine_of(X, "around_centers").around_centers(X, labels, np.ascontiguousarray(centers, np.float64)))
