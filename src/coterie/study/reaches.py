"""How far a row is from each group, in the way in which the method at hand decides.

A method with centers measures to the nearest center of the group, one that keeps rows of its fit to the nearest of those in the
group; where a method keeps neither, the distance is that to the middle of the group, which it may not decide by.
"""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import to_numpy
from ..primitives.distances import pairwise_distances
from ..primitives.neighbors import k_nearest
from .landmarks import Landmarks

__all__ = ["Reaches", "by_centers", "kept_rows", "reaches_of"]


class Reaches(NamedTuple):
    """Distances of n rows to k groups, and the point of each group that a row is compared with."""

    distances: np.ndarray  # (n, k) float64, in prepared units: about 1 is the spread of one column
    points: np.ndarray  # (p, m) float64: centers, or the middles of the groups
    place: np.ndarray  # (n, k) int: which of these stands for the group
    measure: str  # "center", "nearest row" or "middle"
    how: str  # a sentence on how the method decides


def reaches_of(model: Any, known: Landmarks, X: np.ndarray) -> Reaches:
    """Measure how far rows are from each group.

    Parameters
    ----------
    model : Model
    known : Landmarks
        What it keeps of its groups.
    X : (n, m) float64 array
        Prepared rows.
    """
    k, name = len(known.centers), type(model.estimator).__name__
    centers = by_centers(model.estimator)
    if centers is not None:
        distances, place = _nearest_center(X, centers, model.final(np.arange(len(centers))), k)
        how = f"{name} gives a row to the group with the nearest center; the shares add up to what decides between the two groups"
        return Reaches(distances, centers, place, "center", how)
    middles = np.broadcast_to(np.arange(k), (len(X), k))
    rows, labels = kept_rows(model)
    if rows is not None:
        how = f"{name} goes by the rows near by, not by columns; the reasons compare the row with the middles of the two groups"
        return Reaches(_nearest_row(X, rows, labels, k), known.centers, middles, "nearest row", how)
    far = np.asarray(pairwise_distances(X, known.centers)).reshape(len(X), k)
    how = f"{name} does not simply take the nearest group; distances and reasons compare the row with the middles of the groups"
    return Reaches(far, known.centers, middles, "middle", how)


def by_centers(estimator: Any) -> np.ndarray | None:
    """Return the centers of a method that gives each row to the nearest by Euclidean distance, else None."""
    centers = getattr(estimator, "cluster_centers_", None)
    bounded = getattr(estimator, "_prices", None) is not None
    divided = hasattr(estimator, "tree_")
    if centers is None or bounded or divided or getattr(estimator, "metric", "euclidean") != "euclidean":
        return None
    centers = np.asarray(to_numpy(centers))
    return centers.astype(np.float64) if centers.dtype.kind == "f" else None


def kept_rows(model: Any) -> tuple[np.ndarray | None, np.ndarray]:
    """Return the rows of the fit that the model keeps, and their final labels; None where it keeps none."""
    estimator = model.estimator
    rows, labels = getattr(estimator, "_rows", None), getattr(estimator, "labels_", None)
    if rows is None and hasattr(estimator, "components_") and labels is not None:
        rows, labels = estimator.components_, np.asarray(to_numpy(labels))[to_numpy(estimator.core_sample_indices_)]
    if rows is None or labels is None or getattr(estimator, "metric", "euclidean") != "euclidean":
        return None, np.empty(0, dtype=np.int64)
    return np.asarray(to_numpy(rows), dtype=np.float64), model.final(np.asarray(to_numpy(labels)))


def _nearest_center(X: np.ndarray, centers: np.ndarray, owner: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the distance to the nearest center of each group, and which that is; infinite where a group has none."""
    far = np.asarray(pairwise_distances(X, centers))
    distances, place = np.full((len(X), k), np.inf), np.zeros((len(X), k), dtype=np.int64)
    for group in range(k):
        mine = np.flatnonzero(owner == group)
        if len(mine):
            place[:, group] = mine[far[:, mine].argmin(axis=1)]
            distances[:, group] = far[np.arange(len(X)), place[:, group]]
    return distances, place


def _nearest_row(X: np.ndarray, rows: np.ndarray, owner: np.ndarray, k: int) -> np.ndarray:
    """Give the distance to the nearest row of each group but the row itself; infinite where a group has none."""
    found = np.full((len(X), k), np.inf)
    for group in range(k):
        mine = rows[owner == group]
        count = min(len(mine), 2)
        if count:
            near = np.asarray(k_nearest(mine, count, queries=X)[0])
            found[:, group] = np.where((near[:, 0] == 0) & (count > 1), near[:, -1], near[:, 0])
    return found
