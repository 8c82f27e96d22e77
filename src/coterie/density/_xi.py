"""Clusters as dents in a reachability plot: steep down at one side, steep up at the other (Ankerst et al. 1999, figure 19).

Position i is steep down when the plot falls there by a share of at least xi, steep up when it rises so. A steep area goes on as
long as the plot does not turn, with at most ``min_samples`` positions in a row that are not steep. A down area and an up area
are the two ends of a cluster if everything between lies lower than both by the share xi. O(n) time, and one test for each pair of
ends that are not yet ruled out.

The kernels are of the CPU engine (`primitives._numba`).
"""

import numpy as np

from ..primitives.compiled import kernel, run_kernel
from ..primitives.reachability import Reachability

__all__ = ["flat_labels", "largest_inside", "xi_clusters", "xi_intervals"]

_FEW_ROWS = 3000  # Python walks them in some milliseconds; compiling takes longer


def xi_clusters(
    walk: Reachability, xi: float, min_samples: int, min_cluster_size: int, *, predecessor_correction: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Extract the clusters whose reachability falls and rises steeply.

    Parameters
    ----------
    walk : Reachability
        From `coterie.primitives.reachability.reachability_order`.
    xi : float
        Least share by which the plot falls or rises at the sides, 0 <= xi < 1.
    min_samples, min_cluster_size : int
        Longest stretch in a side that is not steep; least size.
    predecessor_correction : bool
        Whether rows at a cluster's end that were not reached from inside it are cut off.

    Returns
    -------
    labels : (n,) int64 array
        Of the innermost clusters, by row; noise -1.
    hierarchy : (m, 2) int64 array
        First and last position of each cluster in ``walk.ordering``, inner ones before outer ones.
    """
    order, n = walk.ordering, len(walk.ordering)
    position = np.empty(n + 1, np.int64)
    position[order], position[-1] = np.arange(n), -1
    hierarchy = xi_intervals(
        walk.reachability[order], position[walk.predecessor[order]], xi, min_samples, min_cluster_size,
        predecessor_correction=predecessor_correction,
    )  # fmt: skip
    labels = np.empty(n, np.int64)
    labels[order] = flat_labels(hierarchy, n)
    return labels, hierarchy


def xi_intervals(
    plot: np.ndarray,
    predecessor: np.ndarray,
    xi: float,
    min_samples: int,
    min_cluster_size: int,
    *,
    predecessor_correction: bool = True,
) -> np.ndarray:
    """Find the nested clusters of a reachability plot.

    Parameters
    ----------
    plot : (n,) float64 array
        Reachabilities in the order of the visit.
    predecessor : (n,) int64 array
        Position, in that order, from which each was reached; -1 for none.
    xi : float
        Least share by which the plot falls or rises at a steep position, 0 <= xi < 1.
    min_samples : int
        Most positions in a row that a steep area may contain without being steep there.
    min_cluster_size : int
        Smaller ones are left out.
    predecessor_correction : bool
        Whether rows at the end of a cluster that were not reached from inside it are cut off.

    Returns
    -------
    (m, 2) int64 array
        First and last position of each; of nested ones the inner before the outer.
    """
    plot = np.append(plot, np.inf)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = plot[:-1] / plot[1:]
    run = run_kernel
    if len(ratio) <= _FEW_ROWS:

        def run(function, *arguments):
            return function.py_func(*arguments)

    areas = np.empty((len(ratio), 3), np.int64)
    steep = (ratio <= 1.0 - xi, ratio >= 1.0 / (1.0 - xi))
    areas = areas[: run(_steep_areas, *steep, ratio < 1, ratio > 1, min_samples, areas)]
    ends, inside = np.empty((len(areas), 2), np.int64), np.empty(len(areas))
    found = np.empty((2 * len(areas) + 16, 2), np.int64)
    sizes = (np.float64(1.0 - xi), int(min_cluster_size), bool(predecessor_correction))
    while True:
        count = run(_clusters, areas, plot, predecessor, *sizes, ends, inside, found)
        if count <= len(found):
            return found[:count].copy()
        found = np.empty((count, 2), np.int64)


@kernel
def _steep_areas(
    steep_up,  # (n,) bool  in
    steep_down,  # (n,) bool  in
    up,  # (n,) bool  in
    down,  # (n,) bool  in
    most_flat,  # int  in: so many positions in a row need not be steep
    areas,  # (n, 3) int64  out: first and last position, and 1 for down or 0 for up
):
    """List the steep areas from left to right and return how many there are."""
    n, count, position = len(up), 0, 0
    while position < n:
        if not (steep_up[position] or steep_down[position]):
            position += 1
            continue
        falls, last, flat, at = steep_down[position], position, 0, position
        while at < n:
            if steep_down[at] if falls else steep_up[at]:
                flat, last = 0, at
            elif up[at] if falls else down[at]:
                break
            else:
                flat += 1
                if flat > most_flat:
                    break
            at += 1
        areas[count, 0], areas[count, 1], areas[count, 2] = position, last, 1 if falls else 0
        count += 1
        position = last + 1
    return count


@kernel
def _clusters(
    areas,  # (a, 3) int64  in
    plot,  # (n + 1,) float64  in: infinite at the end
    predecessor,  # (n,) int64  in: positions
    rest,  # float  in: 1 - xi
    least,  # int  in: rows of a cluster
    corrects,  # bool  in
    ends,  # (a, 2) int64  scratch: down areas that may begin a cluster
    inside,  # (a,) float64  scratch: largest reachability between each of them and here
    found,  # (m, 2) int64  out: first and last position of clusters, as far as there is room
):
    """Pair the down areas with the up areas behind them; return how many clusters there are."""
    count, open_areas, position, between = 0, 0, 0, 0.0
    for area in range(len(areas)):
        first, last = areas[area, 0], areas[area, 1]
        for at in range(position, first + 1):
            between = plot[at] if plot[at] > between else between
        kept = 0
        for d in range(open_areas):
            if between < np.inf and between <= plot[ends[d, 0]] * rest:
                ends[kept, 0], ends[kept, 1] = ends[d, 0], ends[d, 1]
                inside[kept] = between if between > inside[d] else inside[d]
                kept += 1
        open_areas = kept
        position = last + 1
        between = plot[position]
        if areas[area, 2]:
            ends[open_areas, 0], ends[open_areas, 1], inside[open_areas] = first, last, 0.0
            open_areas += 1
            continue
        for d in range(open_areas - 1, -1, -1):
            start, end, left, right = ends[d, 0], last, plot[ends[d, 0]], plot[last + 1]
            if right * rest < inside[d]:
                continue
            # The cluster begins, or ends, where the plot is as high as at its other end (definition 11, criterion 4).
            if left * rest >= right:
                while plot[start + 1] > right and start < ends[d, 1]:
                    start += 1
            elif right * rest >= left:
                while plot[end - 1] > left and end > first:
                    end -= 1
            if corrects:
                while start < end and not (plot[start] > plot[end] or start <= predecessor[end] < end):
                    end -= 1
                if start >= end:
                    continue
            if end - start + 1 >= least and start <= ends[d, 1] and end >= first:
                if count < len(found):
                    found[count, 0], found[count, 1] = start, end
                count += 1
    return count


def flat_labels(intervals: np.ndarray, n: int) -> np.ndarray:
    """Number, by position, the clusters that contain no smaller one; all else is noise.

    Parameters
    ----------
    intervals : (m, 2) int64 array
        From `xi_intervals`.
    n : int

    Returns
    -------
    (n,) int64 array
        -1 for noise.
    """
    labels, label, furthest = np.full(n, -1), 0, -1
    for start, end in intervals.tolist():
        # What has been labelled lies to the left, save where two clusters of the same up area differ in their ends.
        if furthest < start or not (furthest <= end or (labels[start : end + 1] >= 0).any()):
            labels[start : end + 1] = label
            label += 1
            furthest = max(furthest, end)
    return labels


def largest_inside(walk: Reachability, labels: np.ndarray) -> np.ndarray:
    """Return for each cluster the largest reachability of its rows but the first in the order."""
    rows = walk.ordering[labels[walk.ordering] >= 0]
    _, first = np.unique(labels[rows], return_index=True)
    largest = np.zeros(len(first))
    inside = np.delete(rows, first)
    np.maximum.at(largest, labels[inside], walk.reachability[inside])
    return largest
