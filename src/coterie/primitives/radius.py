"""Neighbours within a radius, counted and joined without ever storing who they are.

The ball is closed, a row is its own neighbour, and distances are compared squared, as computed feature by feature in the
type of the rows. ``radius_index`` is built once; the questions about it take O(n) memory. Cost: about O(n log n) in few
dimensions where balls hold few rows, up to O(n^2 d) where nothing can be left out.
"""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import Graph
from ..errors import InputError, ResourceError
from .engine import engine_of
from .memory import free_bytes

__all__ = ["nearest_within", "pair_index", "radius_components", "radius_counts", "radius_graph", "radius_index"]

_log = logging.getLogger("coterie.primitives")


def radius_index(X: Any, radius: float) -> Any:
    """Prepare rows for the questions of this module about one radius.

    Parameters
    ----------
    X : (n, d) float array or tensor
        Finite rows, n >= 1.
    radius : float
        In the units of ``X``; the ball is closed.

    Returns
    -------
    index
        Opaque but for ``index.X`` and ``index.radius``; belongs to the engine of ``X``.

    Raises
    ------
    InputError
        If the radius is negative or not finite, or so small beside the rows that no number can hold both.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.radius import radius_counts, radius_index
    >>> radius_counts(radius_index(np.array([[0.0], [1.0], [3.0]]), 1.0))
    array([2, 2, 1])
    """
    if not (radius >= 0 and np.isfinite(radius)):
        raise InputError(f"the radius must be a finite number of at least 0, got {radius!r}")
    return engine_of(X, "radius").radius_index(X, float(radius))


def pair_index(X: Any, radius: float, distances: Callable[[Any], Any], *, by_coordinates: bool = True) -> Any:
    """Prepare rows for the same questions by any other measure of distance, computed a block of rows at a time.

    Parameters
    ----------
    X : (n, ...) array or sparse array
        What the rows are; ``X[rows]`` must select some.
    radius : float
        In the unit of the distances; the ball is closed.
    distances : callable
        Gives the distances of some rows (like ``X[rows]``) to all n rows: dense, or sparse, where what is not stored is far.
    by_coordinates : bool
        Whether ties of `nearest_within` go by the values of the rows; else by their numbers alone.

    Returns
    -------
    index
        For `radius_counts`, `radius_components` and `nearest_within`. Cost: n^2 distances for each question.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.radius import pair_index, radius_counts
    >>> X = np.array([[0.0], [1.0], [3.0]])
    >>> radius_counts(pair_index(X, 1.0, lambda rows: abs(rows - X.T)))
    array([2, 2, 1])
    """
    return engine_of(X, "radius_pairs").pair_index(X, float(radius), distances, by_coordinates)


def _engine(index: Any) -> Any:
    return engine_of(index.X, getattr(index, "module", "radius"))


def radius_counts(index: Any, *, sample_weight: np.ndarray | None = None, enough: float | None = None) -> Any:
    """Count the rows, or add up their weights, within the radius of each row, itself included.

    Parameters
    ----------
    index : index
        From `radius_index`.
    sample_weight : (n,) float64 array, optional
        Negative ones are allowed.
    enough : float, optional
        Counting may stop there: values of at least ``enough`` then mean "at least enough".

    Returns
    -------
    (n,) int64 array, or float64 with weights
    """
    return _engine(index).radius_counts(index, sample_weight=sample_weight, enough=enough)


def radius_components(index: Any, mask: Any) -> Any:
    """Name the components of the rows in ``mask`` when any two within the radius are joined.

    Parameters
    ----------
    index : index
        From `radius_index`.
    mask : (n,) bool array
        Rows that take part; the others join nothing.

    Returns
    -------
    (n,) int64 array
        Numbered from 0 by the first row of each component; -1 outside the mask.
    """
    return _engine(index).radius_components(index, mask)


def nearest_within(index: Any, queries: Any, mask: Any) -> tuple[Any, Any]:
    """Find the nearest row in ``mask`` within the radius of each query.

    Ties go to the row with the lexicographically smallest coordinates, then to the lowest index: the answer is the same
    place whatever the order of the rows.

    Parameters
    ----------
    index : index
        From `radius_index`.
    queries : (m, d) float array
    mask : (n,) bool array
        Rows of the index that may be found.

    Returns
    -------
    indices : (m,) int64 array
        Row of the index, -1 where there is none.
    distances2 : (m,) float array
        Squared distances; infinite where there is none.
    """
    return _engine(index).nearest_within(index, queries, mask)


def radius_graph(X: Any, radius: float, *, memory_limit: int | None = None) -> Graph:
    """Join every pair of rows no further apart than ``radius``, and store the graph.

    The size is known before it is allocated: the neighbours are counted first.

    Parameters
    ----------
    X : (n, d) float array
        Rows, on the CPU.
    radius : float
        In the units of ``X``; the ball is closed.
    memory_limit : int, optional
        Bytes the graph may take; by default what the machine has free.

    Returns
    -------
    Graph
        n rows, columns ascending; each row is its own neighbour; weights are distances.

    Raises
    ------
    ResourceError
        If the graph would take more than the limit; nothing is allocated then.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.radius import radius_graph
    >>> radius_graph(np.array([[0.0], [1.0], [3.0]]), 1.0).indices
    array([0, 1, 0, 1, 2])
    """
    index = radius_index(X, radius)
    counts = radius_counts(index)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    # Indices, squared distances and their roots at the same time.
    needed = int(indptr[-1]) * (8 + 2 * X.dtype.itemsize)
    limit = free_bytes() if memory_limit is None else memory_limit
    if needed > limit:
        raise ResourceError(
            f"the graph of radius {radius} has {int(indptr[-1])} edges and needs {needed / 2**30:.2f} GiB, but"
            f" {limit / 2**30:.2f} GiB are allowed; use a smaller radius or fewer rows"
        )
    _log.info("the radius graph has %d edges and needs %d bytes", int(indptr[-1]), needed)
    indices, weights = engine_of(X, "radius").radius_edges(index, indptr)
    return Graph(indptr, indices, weights)
