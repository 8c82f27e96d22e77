"""The result of a clustering as one frozen value: labels, and what came with them.

A *label* is 0, 1, ... for a cluster and -1 for noise. A *label map* is an integer array that gives, for each old label, the
new one; noise always stays noise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

__all__ = ["Clustering", "map_by_appearance", "map_by_size", "number_by_size", "relabel"]


@dataclass(frozen=True, eq=False)
class Clustering:
    """Labels of n rows with whatever else the algorithm found.

    Parameters
    ----------
    labels : (n,) int array
        Cluster of each row, -1 for noise.
    strengths : (n,) float array, optional
        How firmly each row belongs to its cluster, 0 to 1; 0 for noise.
    centers : (k, d) float array, optional
        A point per cluster, in the order of the labels.
    tree : object, optional
        A hierarchy, as flat arrays.
    params : mapping, default={}
        The parameters that led here.
    seed : int, optional
        Of the random numbers used.
    versions : mapping, default={}
        Version by library.

    Raises
    ------
    ValueError
        If lengths disagree or a label is below -1.

    Examples
    --------
    >>> found = Clustering([1, 0, 0, -1])
    >>> found.n_clusters, found.sizes.tolist(), found.noise_share
    (2, [2, 1], 0.25)
    >>> found.by_appearance().labels.tolist()
    [0, 1, 1, -1]
    """

    labels: np.ndarray
    strengths: np.ndarray | None = None
    centers: np.ndarray | None = None
    tree: Any = None
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        labels = _frozen(self.labels)
        if labels.ndim != 1 or (len(labels) and labels.dtype.kind not in "iu"):
            raise ValueError(f"labels must be a list of whole numbers, got shape {labels.shape} of {labels.dtype}")
        labels = _frozen(labels.astype(np.int64))
        if np.any(labels < -1):
            raise ValueError(f"labels must be at least -1 (noise), got {labels.min()}")
        object.__setattr__(self, "labels", labels)
        for name, length in (("strengths", len(labels)), ("centers", None)):
            value = getattr(self, name)
            if value is None:
                continue
            value = _frozen(value)
            if length is not None and value.shape != (length,):
                raise ValueError(f"{name} must have one value for each of the {length} rows, got shape {value.shape}")
            object.__setattr__(self, name, value)
        if self.centers is not None and (self.centers.ndim != 2 or len(self.centers) < self.n_clusters):
            raise ValueError(
                f"centers must have a row for each of {self.n_clusters} clusters, got {self.centers.shape}"
            )

    @property
    def n_clusters(self) -> int:
        """One more than the largest label: clusters without rows count."""
        return int(self.labels.max(initial=-1)) + 1

    @property
    def sizes(self) -> np.ndarray:
        """(n_clusters,) int64: rows of each cluster."""
        return np.bincount(self.labels[self.labels >= 0], minlength=self.n_clusters).astype(np.int64)

    @property
    def noise_share(self) -> float:
        """Share of the rows that belong to no cluster, 0 to 1."""
        return float(np.mean(self.labels < 0)) if len(self.labels) else 0.0

    def rows_of(self, label: int) -> np.ndarray:
        """Return the row numbers of one cluster (or of the noise, -1), ascending."""
        return np.flatnonzero(self.labels == label)

    def by_size(self) -> "Clustering":
        """Return the same clustering with 0 for the largest cluster; ties keep their order."""
        return self._mapped(map_by_size(self.labels))

    def by_appearance(self) -> "Clustering":
        """Return the same clustering with labels in the order in which their first rows come."""
        return self._mapped(map_by_appearance(self.labels))

    def _mapped(self, label_map: np.ndarray) -> "Clustering":
        centers = None
        if self.centers is not None:
            order = np.full(len(self.centers), len(self.centers), np.int64)
            order[: len(label_map)] = label_map
            centers = self.centers[np.argsort(order, kind="stable")]
        return replace(self, labels=relabel(self.labels, label_map), centers=centers)


def map_by_size(labels: np.ndarray) -> np.ndarray:
    """Return the label map that numbers clusters by decreasing size; ties keep their order.

    Parameters
    ----------
    labels : (n,) int array
        -1 for noise.

    Returns
    -------
    (k,) int64 array
        New label of each old one. Labels without rows come last.
    """
    labels = np.asarray(labels)
    return number_by_size(np.bincount(labels[labels >= 0]))


def number_by_size(sizes: np.ndarray) -> np.ndarray:
    """Return the label map that numbers clusters of these sizes, (k,), by decreasing size; ties keep their order."""
    return _map_by(-np.asarray(sizes))


def map_by_appearance(labels: np.ndarray) -> np.ndarray:
    """Return the label map that numbers clusters in the order in which their first rows come.

    Takes and returns the same as `map_by_size`.
    """
    found, rows = np.unique(labels, return_index=True)
    first = np.full(int(found.max(initial=-1)) + 1, np.size(labels), np.int64)
    first[found[found >= 0]] = rows[found >= 0]
    return _map_by(first)


def relabel(labels: np.ndarray, label_map: np.ndarray) -> np.ndarray:
    """Apply a label map; noise stays noise.

    Parameters
    ----------
    labels : (n,) int array
        Below ``len(label_map)``; -1 for noise.
    label_map : (k,) int array
        New label of each old one; -1 turns a cluster into noise.

    Returns
    -------
    (n,) int64 array
    """
    # Index -1 reads the last item, which is why noise needs no case of its own.
    return np.append(np.asarray(label_map, np.int64), -1)[np.asarray(labels)]


def _map_by(rank: np.ndarray) -> np.ndarray:
    """Number the labels by ascending rank; ties keep their order."""
    result = np.empty(len(rank), np.int64)
    result[np.argsort(rank, kind="stable")] = np.arange(len(rank))
    return result


def _frozen(values: Any) -> np.ndarray:
    array = np.array(values)
    array.flags.writeable = False
    return array
