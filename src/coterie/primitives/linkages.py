"""Bottom-up merging of rows: by centers, by a matrix of distances, or along the edges of a graph."""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import Graph, to_numpy
from .engine import engine_of

__all__ = [
    "CENTER_LINKAGES",
    "MATRIX_LINKAGES",
    "Merges",
    "center_linkage",
    "forest",
    "graph_linkage",
    "matrix_linkage",
]

CENTER_LINKAGES = ("ward", "centroid", "median")
"""Linkages that need nothing of a cluster but its center and weight."""

MATRIX_LINKAGES = ("complete", "average", "weighted")
"""Linkages that are computed from a matrix of distances."""


class Merges(NamedTuple):
    """Merges of clusters, each named by its lowest row.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.linkages import center_linkage
    >>> merges = center_linkage(np.array([[0.0], [5.0], [1.0]]), "centroid")
    >>> merges.left.tolist(), merges.right.tolist(), merges.heights.tolist()
    ([0, 0], [2, 1], [1.0, 4.5])
    """

    left: np.ndarray  # (m,) int64: lowest row of the one cluster
    right: np.ndarray  # (m,) int64: lowest row of the other one, above ``left``
    heights: np.ndarray  # (m,) float64


def center_linkage(X: Any, linkage: str, sample_weight: np.ndarray | None = None) -> Merges:
    """Merge rows by Ward's, centroid or median linkage, exactly.

    Parameters
    ----------
    X : (n, d) float array
        Any engine, finite. Computed on in float64.
    linkage : {"ward", "centroid", "median"}
        The height of a merge is the distance of the two centers; for Ward times ``sqrt(2 s t / (s + t))`` with s and t the
        weights of the clusters, which is the square root of twice the growth of the sum of squares.
    sample_weight : (n,) float64 array, optional
        Weights above 0 of the rows; by default 1.

    Returns
    -------
    Merges
        n - 1 merges; Ward's in order of (height, left, right), the others in the order in which they are made, where heights
        may fall. Of equally near pairs the one with the lowest rows merges first.

    Notes
    -----
    O(n d) memory. About O(n d log n) time in few dimensions, up to O(n^2 d) in many. Ward: all reciprocal nearest neighbours
    merge at once. Centroid and median merge one pair after the other, on the host.

    References
    ----------
    Bruynooghe: Methodes nouvelles en classification automatique de donnees taxinomiques nombreuses, 1977.
    Muellner: Modern hierarchical, agglomerative clustering algorithms, 2011, arXiv:1109.2378.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.linkages import center_linkage
    >>> center_linkage(np.array([[0.0], [5.0], [1.0]]), "ward").heights.round(3).tolist()
    [1.0, 5.196]
    """
    if linkage != "ward":
        X = to_numpy(X)
    weight = np.ones(len(X)) if sample_weight is None else sample_weight
    left, right, heights = engine_of(X, "linkages").center_linkage(X, linkage, weight)
    return _in_order(left, right, heights) if linkage == "ward" else Merges(left, right, heights)


def matrix_linkage(distances: Any, linkage: str) -> Merges:
    """Merge rows by complete, average or weighted linkage, exactly.

    Parameters
    ----------
    distances : (n (n - 1) / 2,) float array, or (n, n) float tensor
        On the CPU engine packed: the distance of rows i > j at place ``i (i - 1) / 2 + j``. Destroyed.
    linkage : {"complete", "average", "weighted"}

    Returns
    -------
    Merges
        n - 1 merges in order of (height, left, right). Of equally near pairs the one with the lowest rows merges first.

    Notes
    -----
    O(n^2) time, no memory beside the matrix. On the CPU engine all reciprocal nearest neighbours merge at once while they are
    many, then along the nearest-neighbour chain; with PyTorch always the former. Updates are computed in float64 and kept in the dtype of the matrix.

    References
    ----------
    Murtagh: A survey of recent advances in hierarchical clustering algorithms, The Computer Journal 26, 1983,
    doi:10.1093/comjnl/26.4.354.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.linkages import matrix_linkage
    >>> matrix_linkage(np.array([5.0, 1.0, 4.0]), "average").heights.tolist()
    [1.0, 4.5]
    """
    return _in_order(*engine_of(distances, "linkages").matrix_linkage(distances, linkage))


def packed_distances(X: Any) -> Any:
    """Return the Euclidean distances of rows as `matrix_linkage` takes them.

    Parameters
    ----------
    X : (n, d) float array
        Any engine, finite, of a magnitude whose squares neither overflow nor vanish.

    Returns
    -------
    (n (n - 1) / 2,) array, or (n, n) tensor
        In the dtype of ``X``.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.linkages import packed_distances
    >>> packed_distances(np.array([[0.0], [5.0], [1.0]])).tolist()
    [5.0, 1.0, 4.0]
    """
    return engine_of(X, "linkages").packed_distances(X)


def graph_linkage(
    graph: Graph, linkage: str, *, X: Any = None, distances: np.ndarray | None = None,
    sample_weight: np.ndarray | None = None,
) -> tuple[Merges, int]:  # fmt: skip
    """Merge only clusters that an edge of a graph joins; on the host.

    Parameters
    ----------
    graph : Graph
        Every edge at both its ends, none from a row to itself. Its weights are not looked at.
    linkage : {"ward", "centroid", "median", "complete", "average"}
        By centers as in `center_linkage`; complete and average linkage take the largest and the mean of the distances along
        the edges that join two clusters.
    X : (n, d) float array
        Rows, for linkages by centers.
    distances : (m,) float64 array
        Of the ends of each edge, for linkages along edges.
    sample_weight : (n,) float64 array, optional
        As in `center_linkage`.

    Returns
    -------
    merges : Merges
        In the order in which they are made, as many as the graph allows; then, for linkages by centers, the components that
        are left merge as if all of them were joined, at heights that never fall.
    n_components : int
        How many components there were.

    Notes
    -----
    About O(m log m) time and O(m + n d) memory for graphs of small degree. Where one cluster takes in its neighbours one by
    one (a star), its edges are looked at each time.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import Graph
    >>> from coterie.primitives.linkages import graph_linkage
    >>> path = Graph(np.array([0, 1, 3, 4]), np.array([1, 0, 2, 1]), np.ones(4))
    >>> graph_linkage(path, "average", distances=np.array([2.0, 2.0, 3.0, 3.0]))[0].heights.tolist()
    [2.0, 3.0]
    """
    weight = np.ones(graph.n_nodes) if sample_weight is None else sample_weight
    rows = None if X is None else to_numpy(X)
    *merges, n_components = engine_of(weight, "linkages").graph_linkage(graph, linkage, rows, distances, weight)
    return Merges(*merges), n_components


def forest(n: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Say which edges, taken in their order, join two parts that were apart.

    Parameters
    ----------
    n : int
        Number of rows.
    left, right : (m,) int64 array
        Ends of the edges.

    Returns
    -------
    (m,) bool array

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.linkages import forest
    >>> forest(3, np.array([0, 0, 1]), np.array([1, 1, 2])).tolist()
    [True, False, True]
    """
    return engine_of(left, "linkages").forest(n, left, right)


def _in_order(left: np.ndarray, right: np.ndarray, heights: np.ndarray) -> Merges:
    order = np.lexsort((right, left, heights))
    return Merges(left[order], right[order], heights[order])
