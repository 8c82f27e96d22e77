"""The steps of every search for medoids: distances to them, and what adding or exchanging one would bring.

A *medoid* is a row that stands for the rows nearer to it than to any other medoid. The *loss* is the weighted sum of their
distances. Each step costs O(n) distances for one candidate, whatever the number of medoids: with the two nearest medoids of every row at
hand, one pass tells what the candidate would change in place of each of them.
"""

from typing import Any

import numpy as np

from .engine import engine_of

__all__ = [
    "MEASURES",
    "add_medoid",
    "clear_medoids",
    "distance_sums",
    "distances_between",
    "gains",
    "matrix_search",
    "medoid_search",
    "nearest_of",
    "replace_medoid",
    "swap_changes",
]

MEASURES = ("euclidean", "sqeuclidean", "manhattan")


def medoid_search(X: Any, measure: str = "euclidean", sample_weight: Any = None, *, stored: bool = False) -> Any:
    """Return the state of a search among rows: the medoids, none at first, and the two nearest of each row.

    Distances are computed from the rows each time they are needed: O(n d) memory. ``stored`` keeps them, with the same results.

    Parameters
    ----------
    X : (n, d) float array
        Any engine, finite, of a magnitude whose squares neither overflow nor vanish. The order of the rows decides ties.
    measure : {"euclidean", "sqeuclidean", "manhattan"}, default="euclidean"
    sample_weight : (n,) float64 array, optional
        Positive.
    stored : bool, default=False
        Compute the (n, n) matrix first, of the dtype of ``X``: worth its memory where there are many features.

    Returns
    -------
    object
        Belongs to the engine. ``n``, ``medoid_rows`` ((k,) int64 array on the host: rows of ``X``) and ``loss`` (float: weighted
        sum of the distances to the nearest medoid) may be read.
    """
    return engine_of(X, "medoids").medoid_search(X, measure, sample_weight, stored)


def matrix_search(matrix: Any, sample_weight: Any = None) -> Any:
    """Return the same for distances that are given.

    Parameters
    ----------
    matrix : (n, n) float array
        Symmetric, not negative, C-contiguous; used where it lies.
    sample_weight : (n,) float64 array, optional
        Positive.
    """
    return engine_of(matrix, "medoids").matrix_search(matrix, sample_weight)


def clear_medoids(search: Any) -> None:
    """Take all medoids away."""
    engine_of(search.rows, "medoids").clear_medoids(search)


def distance_sums(search: Any, candidates: Any = None) -> Any:
    """Return the weighted sum of the distances from each candidate, by default each row, to all rows.

    Returns
    -------
    (m,) float64 host array
    """
    candidates = np.arange(search.n) if candidates is None else candidates
    return engine_of(search.rows, "medoids").distance_sums(search, candidates)


def gains(search: Any, candidates: Any) -> Any:
    """Return by how much each candidate, taken as one more medoid, would lower the loss.

    Parameters
    ----------
    search : object
        With one medoid or more.
    candidates : (m,) int64 array
        Rows.

    Returns
    -------
    (m,) float64 host array
        Never rises when medoids are added, not even by rounding.
    """
    return engine_of(search.rows, "medoids").gains(search, candidates)


def add_medoid(search: Any, row: int) -> None:
    """Make a row one more medoid, the last one, in O(n) distances."""
    engine_of(search.rows, "medoids").add_medoid(search, int(row))


def replace_medoid(search: Any, slot: int, row: int) -> None:
    """Put a row in the place of the medoid number ``slot``: O(n) distances, and k for each row that loses one of its two."""
    engine_of(search.rows, "medoids").replace_medoid(search, int(slot), int(row))


def swap_changes(search: Any, candidates: Any) -> Any:
    """Return what the loss would change by, were each candidate put in the place of each medoid.

    Parameters
    ----------
    search : object
        With one medoid or more.
    candidates : (m,) int64 array
        Rows that are no medoids.

    Returns
    -------
    (m, k) float64 host array
        Negative where the swap lowers the loss.

    Notes
    -----
    O(n) distances for each candidate (Schubert & Rousseeuw 2021), fewer where rows that cannot matter are told by their
    place.
    """
    if len(search.medoid_rows) == 1:
        return (distance_sums(search, candidates) - search.loss)[:, None]
    return engine_of(search.rows, "medoids").swap_changes(search, candidates)


def distances_between(X: Any, Y: Any, measure: str = "euclidean") -> Any:
    """Return the (n, m) distances of every row of ``X`` to every row of ``Y``, in the dtype of ``X``."""
    return engine_of(X, "medoids").distances_between(X, Y, measure)


def nearest_of(X: Any, centers: Any, measure: str = "euclidean") -> tuple[Any, Any]:
    """Find the nearest of some centers for each row.

    Parameters
    ----------
    X : (n, d) float array
        Any engine, as for `medoid_search`.
    centers : (k, d) float array
    measure : {"euclidean", "sqeuclidean", "manhattan"}, default="euclidean"

    Returns
    -------
    labels : (n,) int64 array
        Ties go to the lowest; a row has the same bits whatever rows are beside it.
    distances : (n,) array
        To that center, in the dtype of ``X``.
    """
    return engine_of(X, "medoids").nearest_of(X, centers, measure)
