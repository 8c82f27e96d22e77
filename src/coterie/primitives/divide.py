"""Dividing groups of rows by hyperplanes: many groups at once, each a run of successive rows that is reordered as it is divided.

A *span* (start, end, side) is a group: rows start ... end - 1 of one of the two buffers of the state, 0 or 1. Dividing it writes
its rows to the other buffer, first those on the left, then those on the right, so that its parts are spans again. A row x lies
on the right of the hyperplane (normal, offset) where ``x . normal > offset``; on it, left.
"""

from typing import Any, NamedTuple

import numpy as np

from .engine import engine_of

__all__ = [
    "DivideStep",
    "Parts",
    "descend",
    "divide_apply",
    "divide_labels",
    "divide_start",
    "divide_step",
    "sample_rows",
    "scatter_matrices",
    "scatter_products",
    "two_means",
]


class DivideStep(NamedTuple):
    """What lies on the two sides of the hyperplanes of g groups, left then right."""

    sums: np.ndarray  # (g, 2, d) float64: weighted sum of the rows
    weights: np.ndarray  # (g, 2) float64: their weight
    counts: np.ndarray  # (g, 2) int64: their number
    changed: np.ndarray  # (g,) int64: rows on another side than in the step before


class Parts(NamedTuple):
    """What the parts of g groups are like, left then right."""

    inertia: np.ndarray  # (g, 2) float64: weighted sum of squared distances to the given centers
    farthest: (
        np.ndarray
    )  # (g, 2, d) float64: the row of weight above 0 that is farthest from its center; ties: the first


def divide_start(X: Any, order: np.ndarray, sample_weight: np.ndarray | None = None) -> Any:
    """Lay rows out in the given order, and return the state that the other functions take.

    Parameters
    ----------
    X : (n, d) float array or CSR array
        Conditioned; dense rows may be overwritten.
    order : (n,) int64 array
        Sums are added in this order: with `coterie.primitives.row_keys.row_keys` they do not depend on how rows were shuffled.
    sample_weight : (n,) float64 array, optional

    Returns
    -------
    object
        All rows are the span (0, n, 0).
    """
    return engine_of(X, "divide").divide_start(X, order, sample_weight)


def divide_step(state: Any, spans: np.ndarray, normals: np.ndarray, offsets: np.ndarray) -> DivideStep:
    """Find the side of every row of some groups, and add the rows up by side.

    Parameters
    ----------
    state : object
        Remembers the sides.
    spans : (g, 3) int64 array
        Groups that do not overlap.
    normals : (g, d) float64 array
    offsets : (g,) float64 array

    Returns
    -------
    DivideStep
        On the host; added in an order that depends on the group alone.
    """
    return DivideStep(*engine_of(state.X, "divide").divide_step(state, spans, normals, offsets))


def divide_apply(state: Any, spans: np.ndarray, centers: np.ndarray, *, move: bool = True) -> Parts:
    """Reorder some groups by the sides of the last step, and measure the parts.

    Parameters
    ----------
    state : object
    spans : (g, 3) int64 array
    centers : (g, 2, d) float64 array
    move : bool, default=True
        False measures only.

    Returns
    -------
    Parts
        On the host. The parts of span (start, end, side) lie in buffer ``1 - side``.
    """
    return Parts(*engine_of(state.X, "divide").divide_apply(state, spans, centers, move))


def divide_labels(state: Any, spans: np.ndarray, names: np.ndarray) -> Any:
    """Give each row the name of its group.

    Parameters
    ----------
    state : object
    spans : (g, 3) int64 array
        Groups that hold every row once.
    names : (g,) int64 array

    Returns
    -------
    (n,) int64 array
        In the order of the input.
    """
    return engine_of(state.X, "divide").divide_labels(state, spans, names)


def sample_rows(state: Any, spans: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return evenly spaced rows of some groups, all of a group that has no more than ``most``.

    Parameters
    ----------
    state : object
    spans : (g, 3) int64 array
    most : int

    Returns
    -------
    rows : (m, d) float64 array
        On the host, group by group.
    weights : (m,) float64 array
    bounds : (g + 1,) int64 array
        Where each group's rows begin, and where the last ends.
    """
    return engine_of(state.X, "divide").sample_rows(state, spans, most)


def two_means(
    rows: np.ndarray,
    weights: np.ndarray,
    bounds: np.ndarray,
    draws: np.ndarray | None = None,
    *,
    centers: np.ndarray | None = None,
    spread: bool = True,
    max_iter: int = 300,
    tol: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Find two centers in each of some small groups of rows by K-means from several starts, and keep the best.

    Parameters
    ----------
    rows : (m, d) float64 array
        On the host: groups are small, and each is gone through in sequence.
    weights : (m,) float64 array
    bounds : (g + 1,) int64 array
    draws : (g, s, 3) float64 array, optional
        Uniform random numbers below 1, three for each of s starts.
    centers : (g, 2, d) float64 array, optional
        Start from these; without them from ``draws``.
    spread : bool, default=True
        Draw the second center by k-means++; else any row that differs from the first.
    max_iter : int
    tol : float
        Stop when the centers' squared moves add up to this or less.

    Returns
    -------
    centers : (g, 2, d) float64 array
        Equal to each other where all rows of a group are equal.
    inertia : (g,) float64 array

    Notes
    -----
    O(m d s) a step.
    """
    return engine_of(rows, "two_means").two_means(rows, weights, bounds, draws, centers, spread, max_iter, tol)


def scatter_matrices(state: Any, spans: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Form the scatter matrix of each of some groups of dense rows.

    Parameters
    ----------
    state : object
    spans : (g, 3) int64 array
    means : (g, d) float64 array

    Returns
    -------
    (g, d, d) float64 array
        ``sum_i w_i (x_i - mean) (x_i - mean)^T``, on the host; added in an order that depends on the group alone.

    Notes
    -----
    O(m d^2) for m rows.
    """
    return engine_of(state.X, "divide").scatter_matrices(state, spans, means)


def scatter_products(state: Any, spans: np.ndarray, means: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Multiply the scatter matrix of each of some groups by a vector, without forming it.

    Parameters
    ----------
    state : object
    spans : (g, 3) int64 array
    means : (g, d) float64 array
    directions : (g, d) float64 array

    Returns
    -------
    (g, d) float64 array
        ``sum_i w_i (x_i - mean) ((x_i - mean) . direction)``, on the host. Sparse rows are never centred.
    """
    return engine_of(state.X, "divide").scatter_products(state, spans, means, directions)


def descend(X: Any, left: np.ndarray, right: np.ndarray, normals: np.ndarray, offsets: np.ndarray) -> Any:
    """Follow rows down a tree of hyperplanes.

    Parameters
    ----------
    X : (n, d) float array or CSR array
        In the coordinates of the fit.
    left, right : (m,) int64 array
        Children of each node, greater than its own number; -1 at a leaf. Node 0 is the root.
    normals : (m, d) float64 array
    offsets : (m,) float64 array

    Returns
    -------
    (n,) int64 array
        The leaf that each row reaches: the one that holds it where the row took part in the divisions.
    """
    return engine_of(X, "divide").descend(X, left, right, normals, offsets)
