"""The spanning tree of rows by mutual reachability where the rows lie in parts, none of which need be seen with all others.

Edges have one strict order: squared weight, squared distance, lower row, higher row. The tree of all rows is then the tree of the
edges that are left when each part's tree, and each tree of two parts, is taken: the same edges as of all rows at once. Values are
squared and scaled as all rows would be; rows of a part are in the order of their numbers.
"""

from bisect import insort
from typing import Any, NamedTuple

import numpy as np

from .engine import engine_of

__all__ = [
    "PartEdges", "finished_tree", "joined_trees", "nearest_of_part", "nearest_of_queries", "part_index", "part_scale", "settled_pairs",
    "squared_gaps", "tree_of_part", "tree_of_two",
]  # fmt: skip


class PartEdges(NamedTuple):
    """Edges in their strict order."""

    left: np.ndarray  # (m,) int64, the lower row
    right: np.ndarray  # (m,) int64, the higher row
    weight2: np.ndarray  # (m,) float, in the dtype of the rows: squared mutual reachability
    gap2: np.ndarray  # (m,) float: squared distance


def part_scale(largest: float, dtype: Any) -> float:
    """Return what rows are divided by before their distances are squared: a power of two, 1 for ordinary values.

    Parameters
    ----------
    largest : float
        Greatest absolute value of all rows.
    dtype : dtype
        Of the rows.

    Returns
    -------
    float
    """
    return _engine().part_scale(largest, np.dtype(dtype))


def part_index(X: np.ndarray) -> Any:
    """Prepare one part.

    Parameters
    ----------
    X : (m, d) float array
        Divided by `part_scale`.

    Returns
    -------
    index
    """
    return _engine().part_index(X)


def nearest_of_part(index: Any, k: int, keep: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest rows of a part for each of its rows.

    Parameters
    ----------
    index : index
        From `part_index`.
    k : int
        How many, the row itself included; more than there are is allowed.
    keep : int
        How many neighbours are told; at most k, and at most the rows.

    Returns
    -------
    distance2 : (m, k) float array
        Squared, ascending; infinite where there are no more rows.
    near : (m, keep) int array
        For `tree_of_part` on an index of the same rows.
    """
    return _engine().nearest_of_part(index, k, keep)


def nearest_of_queries(index: Any, queries: np.ndarray, k: int) -> np.ndarray:
    """Find the nearest rows of a part for rows of others.

    Returns
    -------
    (q, k) float array
        Squared distances, ascending; infinite where there are no more rows.
    """
    return _engine().nearest_of_queries(index, queries, k)


def squared_gaps(X: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the squared distance of each row to a box; never more than the computed one to a row in it.

    Parameters
    ----------
    X : (m, d) float array
    low, high : (d,) arrays of the same dtype
        Least and greatest values of the rows in the box.

    Returns
    -------
    (m,) float array

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.spanning_parts import squared_gaps
    >>> squared_gaps(np.array([[0.0, 0.0], [3.0, 5.0]]), np.array([0.0, 1.0]), np.array([1.0, 2.0]))
    array([ 1., 13.])
    """
    total = np.zeros(len(X), X.dtype)
    for f in range(X.shape[1]):
        gap = np.maximum(low[f] - X[:, f], X[:, f] - high[f])
        np.maximum(gap, 0, out=gap)
        total += gap * gap
    return total


def tree_of_part(index: Any, core2: np.ndarray, near: np.ndarray | None = None) -> PartEdges:
    """Build the tree of one part.

    Parameters
    ----------
    index : index
    core2 : (m,) float array
        Squared core distances of its rows among all rows.
    near : (m, keep) int array, optional
        From `nearest_of_part`: answers for the first round.

    Returns
    -------
    PartEdges
        m - 1 edges.
    """
    return PartEdges(*_engine().tree_of_part(index, core2, near))


def tree_of_two(X: np.ndarray, core2: np.ndarray, away2: np.ndarray, trees: PartEdges) -> PartEdges:
    """Build what the tree of two parts has and the trees of the parts have not.

    Parameters
    ----------
    X : (m, d) float array
        Rows of both in the order of their numbers.
    core2 : (m,) float array
    away2 : (m,) float array
        What the edges of a row to rows of the other part weigh at least.
    trees : PartEdges
        Of the first part in their order, then of the second, by their rows in ``X``.

    Returns
    -------
    PartEdges
        All edges of the common tree between the parts, and maybe some within them.

    Notes
    -----
    Edges of the parts' trees that are certain to be of the common tree are contracted first, so that what remains to be searched is near
    the border of the two.
    """
    return PartEdges(*_engine().tree_of_two(X, core2, away2, trees))


def joined_trees(edges: list[PartEdges], n: int) -> PartEdges:
    """Build the tree, or the trees, of all edges by Kruskal's algorithm.

    Parameters
    ----------
    edges : list of PartEdges
        Each in its strict order.
    n : int
        Number of rows.

    Returns
    -------
    PartEdges

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.spanning_parts import PartEdges, joined_trees
    >>> one = PartEdges(np.array([0]), np.array([1]), np.array([4.0]), np.array([1.0]))
    >>> two = PartEdges(np.array([1, 0]), np.array([2, 2]), np.array([4.0, 4.0]), np.array([0.0, 2.0]))
    >>> joined_trees([one, two], 3).right.tolist()
    [2, 1]
    """
    engine, waiting = _engine(), sorted(edges, key=lambda one: len(one.left), reverse=True)
    del edges  # each goes when it is merged
    while len(waiting) > 1:  # two short ones at a time
        one, other = waiting.pop(), waiting.pop()
        insort(waiting, PartEdges(*engine.merged(one, other)), key=lambda one: -len(one.left))
        del one, other
    left, right, weight2, gap2 = waiting.pop()
    chosen = engine.grown(left, right, n)
    return PartEdges(left[chosen], right[chosen], weight2[chosen], gap2[chosen])


def settled_pairs(tree: PartEdges, part_of: np.ndarray, pairs: np.ndarray, least2: np.ndarray) -> np.ndarray:
    """Tell which pairs of parts can add nothing to the tree.

    Parameters
    ----------
    tree : PartEdges
    part_of : (n,) int array
        Part of each row; parts 0 ... hold rows.
    pairs : (p, 2) int64 array
        In ascending order of ``least2``.
    least2 : (p,) float array
        What edges between the two weigh at least.

    Returns
    -------
    (p,) bool array
        Whether lighter edges of the tree join all rows of both parts.
    """
    return _engine().settled(tree.left, tree.right, tree.weight2, np.asarray(part_of, np.int64), pairs, least2)


def finished_tree(tree: PartEdges, core2: np.ndarray, scale: float) -> tuple[tuple, np.ndarray]:
    """Return the tree as `coterie.primitives.spanning_tree.mutual_reachability_tree` does.

    Parameters
    ----------
    tree : PartEdges
        n - 1 edges.
    core2 : (n,) float array
    scale : float
        From `part_scale`.

    Returns
    -------
    edges : tuple of arrays
        left, right, weights: float64 lengths, in the order of (weight, left, right).
    core_distances : (n,) float64 array
    """
    return _engine().in_lengths(tree.left, tree.right, tree.weight2, core2, scale)


def _engine() -> Any:
    return engine_of(np.empty(0), "spanning_parts")
