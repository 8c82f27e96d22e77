"""From dense units to clusters: joined by faces, ordered, described; and the way back from a row to its cluster."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..primitives.bitsets import RowSets, row_sets
from ._clique_regions import cover, describe_boxes
from ._clique_units import Items, Level, touching

__all__ = ["SubspaceCluster", "UnitIndex", "check_clusters", "cluster_units", "everything"]


class SubspaceCluster(NamedTuple):
    """Connected dense units of one subspace."""

    dimensions: np.ndarray  # (k,) int64: numbers of the features, ascending
    units: np.ndarray  # (u, k) int64: interval of each unit in each of them
    rows: int  # how many lie in it
    description: str  # boxes joined by "or", conditions by "and", ends rounded to a hundredth of an interval
    boxes: np.ndarray  # (b, k, 2) float64: lowest and highest value of each box, exactly
    label: int  # in labels_; -1 where all its rows have a cluster before this one


class UnitIndex(NamedTuple):
    """All units of some clusters, in the order of the clusters, as members of sets of rows."""

    columns: np.ndarray  # (s,) int64: feature of each set, among those that vary
    intervals: np.ndarray  # (s,) int64
    members: np.ndarray  # (u, k) int32: sets of each unit, -1 after the last
    cluster: np.ndarray  # (u,) int64: which of the clusters

    @classmethod
    def of(cls, clusters: Sequence[SubspaceCluster], columns: np.ndarray) -> "UnitIndex":
        """Index clusters; ``columns`` are the features that vary, ascending."""
        width = max([1, *(len(cluster.dimensions) for cluster in clusters)])
        parts, owners = [np.empty((0, width, 2), np.int64)], [np.empty(0, np.int64)]
        for number, cluster in enumerate(clusters):
            part = np.full((len(cluster.units), width, 2), -1)
            part[:, : len(cluster.dimensions), 0] = np.searchsorted(columns, cluster.dimensions)
            part[:, : len(cluster.dimensions), 1] = cluster.units
            parts.append(part)
            owners.append(np.full(len(part), number))
        pairs = np.concatenate(parts)
        sets, member = np.unique(pairs.reshape(-1, 2), axis=0, return_inverse=True)
        padding = int(len(sets) > 0 and sets[0, 0] < 0)  # the pair (-1, -1) comes first
        members = (member.ravel() - padding).astype(np.int32).reshape(pairs.shape[:2])
        return cls(sets[padding:, 0], sets[padding:, 1], members, np.concatenate(owners))

    def sets(self, codes: Any) -> RowSets:
        """Return the sets of the rows with these codes."""
        return row_sets(codes, self.columns, self.intervals)


def cluster_units(
    items: Items, levels: Sequence[Level], columns: np.ndarray, edges: np.ndarray, names: Sequence[str]
) -> list[SubspaceCluster]:
    """Join dense units to clusters.

    Parameters
    ----------
    items, levels
        What `coterie.grid.clique.clique` found.
    columns : (c,) int64 array
        The feature that each column of the items is.
    edges : (d, m + 1) float64 array
    names : sequence of d str

    Returns
    -------
    list of SubspaceCluster
        Most features first, then most rows, then by features, then by units.
    """
    clusters = []
    for level in levels:
        component = touching(level, items)
        order = np.argsort(component, kind="stable")
        ends = np.cumsum(np.bincount(component))
        for own in np.split(order, ends[:-1]) if len(ends) else []:
            units = level.units[own]
            dimensions = columns[items.columns[units[0]]]
            rows = int(level.weights[own].sum())
            clusters.append(_described(dimensions, items.intervals[units], rows, edges, names))
    # Components are numbered by their first unit, and units are in order: a stable sort leaves the last tie to them.
    return sorted(clusters, key=lambda cluster: (-len(cluster.dimensions), -cluster.rows, *cluster.dimensions.tolist()))


def _described(
    dimensions: np.ndarray, units: np.ndarray, rows: int, edges: np.ndarray, names: Sequence[str]
) -> SubspaceCluster:
    places = cover(units)
    low = edges[dimensions, places[:, :, 0]]
    high = edges[dimensions, places[:, :, 1] + 1]
    boxes = np.stack([low, high], axis=2)
    closed = places[:, :, 1] == edges.shape[1] - 2
    with np.errstate(over="ignore"):
        widths = (edges[dimensions, -1] - edges[dimensions, 0]) / (edges.shape[1] - 1)
    text = describe_boxes(boxes, [names[j] for j in dimensions], closed, widths)
    return SubspaceCluster(dimensions, units, int(rows), text, boxes, -1)


def everything(rows: int) -> SubspaceCluster:
    """Return the cluster of all rows, for rows that do not differ."""
    return SubspaceCluster(
        np.empty(0, np.int64), np.empty((1, 0), np.int64), int(rows), "every row", np.empty((1, 0, 2)), -1
    )


def check_clusters(clusters: Any, edges: Any, n_intervals: int, n_features: int) -> None:
    """Raise ValueError unless clusters that came from a file can be looked up in the grid."""
    if edges.shape != (n_features, n_intervals + 1) or not np.isfinite(edges).all() or (np.diff(edges) < 0).any():
        raise ValueError("the edges of its intervals are not those of a grid")
    varying = edges[:, 0] < edges[:, -1]
    for cluster in clusters:
        dimensions, units = cluster.dimensions, cluster.units
        good = (
            dimensions.ndim == 1
            and units.ndim == 2
            and units.shape[1] == len(dimensions)
            and dimensions.dtype.kind == units.dtype.kind == "i"
            and bool(((dimensions >= 0) & (dimensions < n_features)).all())
            and bool((np.diff(dimensions) > 0).all() and varying[dimensions].all())
            and bool(((units >= 0) & (units < n_intervals)).all())
            and isinstance(cluster.label, int)
        )
        if not good:
            raise ValueError("a cluster is not one of its grid")
