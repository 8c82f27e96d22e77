"""The groups of rows in files as all rows tell of them: sizes, profiles, small groups, how they lie around their centers, classes.

Labels lie beside the rows in blocks; each of these takes one pass, or none.
"""

from typing import Any, NamedTuple

import numpy as np

from ..errors import ResourceError
from ..metrics.around_centers import calinski_harabasz_of, davies_bouldin_of
from ..primitives.around_centers import around_centers
from ..primitives.block_labels import class_counts, labelled
from ..primitives.blocks import room_for, rows_as_they_are
from ..primitives.cluster_distances import Spread
from ..primitives.column_profiles import (
    Profiles,
    column_profiles,
    distinct,
    frequent,
    joined,
    layout_of,
    quantiles,
    weighted_values,
)
from ..primitives.workers import at_work
from ..tables.known_classes import class_files, refuse_many
from .blocks_labels import Progress, labels_here, renumber
from .describe import Seen
from .judge import agreement
from .population import settle_counts
from .population_blocks import relabelled
from .values import View

__all__ = ["People", "around", "classes", "people_of", "profile_of", "seen_columns"]

_LEAST_ROOM = 16 * 2**20  # bytes that profiles may take however little there is for rows


class People(NamedTuple):
    """The groups of all rows, k of them; what is per group and column ends with the line of those that belong to none."""

    labels: np.ndarray  # (n,) final
    beside: Any  # the same, as they go beside the rows in blocks
    label_map: np.ndarray  # final label of each of the estimator's
    sizes: np.ndarray  # (k,)
    noise: int
    record: dict[str, Any]  # what became of small groups
    profiles: Profiles | None  # of the columns used, in original units; None where there was no room


def people_of(given: Any, estimator: Any, min_share: float | None, on_progress: Progress, diary: Any) -> People:
    """Bring the labels here, profile the groups in one pass, and deal with small ones.

    Parameters
    ----------
    given : Given
        The prepared rows.
    estimator : estimator
        Fitted to ``given.X``.
    min_share : float, optional
        As for `coterie.study.study`.
    on_progress : callable, optional
    diary : Diary

    Returns
    -------
    People

    Raises
    ------
    ResourceError
        If ``min_share`` is given, and there is no room for the means of so many clusters.
    """
    labels, sizes, noise = labels_here(estimator.labels_, given.X.shape[0], on_progress)
    k = len(sizes)
    try:
        found = _profiled(given, _beside(labels, estimator.labels_), labels, k)
    except ResourceError as error:
        if min_share:
            raise
        found = None
        diary.warn(
            f"Groups are described from the sample alone: {error}.",
            "Give workers more memory, or ask for fewer groups.",
        )

    def shape() -> tuple[np.ndarray, np.ndarray]:
        return _on_the_scale(found, given)

    settle = 0.0 if found is None else min_share
    final, record = settle_counts(sizes, noise, shape, min_share=settle, method=type(estimator).__name__)
    renumber(labels, final)
    there = int(final.max(initial=-1)) + 1
    totals = np.zeros(there, np.int64)
    np.add.at(totals, final[final >= 0], sizes[final >= 0])
    totals = totals[totals > 0]
    if found is not None:
        into = np.where((final >= 0) & (final < len(totals)), final, len(totals))
        found = joined(found, np.append(into, len(totals)), len(totals) + 1)
    beside = _beside(labels, relabelled(estimator.labels_, np.append(final, [-1, -1])))
    return People(labels, beside, final, totals, record["noise_rows"], record, found)


def profile_of(found: Profiles, profile: dict[str, Any]) -> dict[str, Any]:
    """Return the profile table with what all rows tell of each cell: quartiles, mean, deviation, range, values.

    Parameters
    ----------
    found : Profiles
        Of the groups; the last line is that of rows of none.
    profile : dict
        The table with medians alone.

    Returns
    -------
    dict
    """
    k = len(found.rows) - 1
    together = joined(found, np.zeros(k + 1, np.int64), 1)
    of_groups, of_all = _cells(found), _cells(together)
    lines = [
        line | {"overall": of_all[j][0], "by_cluster": of_groups[j][:k]} for j, line in enumerate(profile["columns"])
    ]
    layout = found.layout
    bounds = [
        {"alpha": 0.0 if values is not None else layout.alpha, "origin": origin, "unit": 2 * unit}
        for values, origin, unit in zip(found.values, layout.origin, layout.unit, strict=True)
    ]
    return {
        "columns": [line | {"quantiles": bound} for line, bound in zip(lines, bounds, strict=True)],
        "rows": int(together.rows[0]),
    }


def seen_columns(found: Profiles, views: list[View]) -> list[Seen]:
    """Return what is known of each column of all rows: its values, or the middles of buckets, and how many rows each stands for."""
    seen = []
    for j, view in enumerate(views):
        values, counts = weighted_values(found, j)
        group, at = np.nonzero(counts)
        shown = np.clip(values[at], found.low[group, j], found.high[group, j])
        labels = np.where(group < len(found.rows) - 1, group, -1)
        seen.append(Seen(view, shown, labels, counts[group, at].astype(np.float64)))
    return seen


def around(people: People, given: Any) -> dict[str, Any] | None:
    """Score the groups around their means, on the common scale, in one pass over all rows; None for fewer than two groups."""
    k = len(people.sizes)
    if people.profiles is None or not 2 <= k < people.sizes.sum():
        return None
    centers = _scaled_means(people.profiles, given)[:k]
    found = around_centers(labelled(rows_as_they_are(given.X), people.beside), np.arange(k), centers)
    spread = Spread(people.sizes, centers, found.distances, found.squares)
    return {
        "rows": int(people.sizes.sum()),
        "davies_bouldin": davies_bouldin_of(spread),
        "calinski_harabasz": calinski_harabasz_of(spread),
        "simplified_silhouette": float(found.silhouettes[people.sizes > 1].sum() / people.sizes.sum()),
    }


def classes(people: People, given: Any, truth: str | None) -> dict[str, Any] | None:
    """Compare all rows with a column of known classes, in one pass.

    Raises
    ------
    InputError
        If it holds too many values to be classes.
    """
    if truth is None:
        return None
    known = labelled(rows_as_they_are(class_files(given.files, truth)), people.beside)
    counts = class_counts(known, len(people.sizes) + 1)
    refuse_many(counts, truth)
    names = sorted(name for name, line in counts.items() if line.any())
    table = np.array([counts[name] for name in names], np.int64).reshape(len(names), len(people.sizes) + 1)
    order = np.append(len(people.sizes), np.arange(len(people.sizes)))  # those of no group first, as -1 is
    order = order[table[:, order].any(axis=0)]
    return agreement(truth, table[:, order], names, np.where(order < len(people.sizes), order, -1))


def _beside(labels: np.ndarray, own: Any) -> Any:
    """Return labels for passes over the rows: those that are here, or on workers, who would have to be sent them, computed anew."""
    return labels if at_work().address is None else own


def _profiled(given: Any, beside: Any, labels: np.ndarray, k: int) -> Profiles:
    """Profile the estimator's clusters, and the rows of none, in one pass over the rows as they are."""
    rows = labelled(rows_as_they_are(given.X.files), beside)
    used = [j for j in range(given.files.shape[1]) if given.codings[j].used]
    sample = given.moments.sample[:, used]
    room = max(room_for(rows, 1), _LEAST_ROOM)
    layout = layout_of(given.moments.low[used], given.moments.high[used], sample, k + 1, room)
    groups = np.asarray(labels[given.drawn], np.int64) % (k + 1)
    sizes = np.bincount(groups, minlength=k + 1)
    sums = np.stack([np.bincount(groups, column, k + 1) for column in sample.T], axis=1)
    # A near value, so that deviations keep their figures: the mean of a group's rows in the sample.
    near = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], sample.mean(axis=0))
    return column_profiles(rows, None, k + 1, layout, np.clip(near, layout.low, layout.high))


def _on_the_scale(found: Any, given: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the means of the estimator's clusters, and the sums of squares around them, on the common scale."""
    scale = np.array([coding.scale for coding in given.codings if coding.used])
    squares = np.nan_to_num(found.known * (found.deviation / scale) ** 2).sum(axis=1)
    return np.nan_to_num(_scaled_means(found, given))[:-1], squares[:-1]


def _scaled_means(found: Profiles, given: Any) -> np.ndarray:
    used = [coding for coding in given.codings if coding.used]
    shift, scale = (np.array([getattr(coding, name) for coding in used]) for name in ("shift", "scale"))
    means: np.ndarray = (found.mean - shift) / scale
    return means


def _cells(found: Profiles) -> list[list[dict[str, Any] | None]]:
    """Return for each column what its values in each group are like."""
    quarter, middle, three = (quantiles(found, share) for share in (0.25, 0.5, 0.75))
    different = distinct(found)
    cells: list[list[dict[str, Any] | None]] = []
    for j in range(found.known.shape[1]):
        top = frequent(found, j)
        line: list[dict[str, Any] | None] = []
        for g, rows in enumerate(found.rows):
            if not found.known[g, j]:
                line.append(None)
                continue
            cell = {
                "median": middle[g, j], "q25": quarter[g, j], "q75": three[g, j], "mean": found.mean[g, j],
                "deviation": found.deviation[g, j], "min": found.low[g, j], "max": found.high[g, j],
                "distinct": round(different[g, j]), "missing": rows - found.known[g, j],
            }  # fmt: skip
            if top is not None:
                cell["top"] = [{"level": value, "share": times / found.known[g, j]} for value, times in top[g]]
            line.append(cell)
        cells.append(line)
    return cells
