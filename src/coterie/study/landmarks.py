"""What a model keeps of its groups, so that a row can be explained where the rows of the fit are not at hand.

For each group: its middle (the mean of its prepared rows), the distance from there at which a row counts as an outlier, and what
is usual in each original column: five quantiles (5%, quarters, 95%) of a number or a date, the share of each level of a category and of each word of a text.
A few numbers per group and column, whatever the number of rows.
"""

from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..primitives.distances import pairwise_distances
from .judge import outlier_fences
from .outliers import usual_values
from .values import View, views_of

__all__ = ["Landmarks", "Usual", "landmarks", "landmarks_of"]

QUANTILES = 5


class Usual(NamedTuple):
    """What is usual in one original column, by group."""

    name: str
    kind: str  # number, date, category or text
    unit: str | None
    values: np.ndarray  # (k, 5) quantiles, NaN where a group has none; or (k, levels) shares of levels or words
    levels: tuple[str, ...]


class Landmarks(NamedTuple):
    """What is known of k groups of rows in m features."""

    names: tuple[str, ...]
    centers: np.ndarray  # (k, m) float64, of prepared rows
    fences: np.ndarray  # (k,) float64, distances from which a row counts as an outlier
    usual: tuple[Usual, ...]


def landmarks(table: Any, prepared: Any, X: np.ndarray, labels: np.ndarray, k: int) -> dict[str, Any]:
    """Return what a model is to keep of its groups: plain values and arrays, for `landmarks_of`.

    Parameters
    ----------
    table : Table
    prepared : Prepared
    X : (n, m) float64 array
        The same rows, prepared.
    labels : (n,) int array
        Final labels 0..k-1, noise -1.
    k : int
        Groups, also those without any of these rows.
    """
    members = [np.flatnonzero(labels == i) for i in range(k)]
    centers = np.array([X[rows].mean(axis=0) if len(rows) else np.full(X.shape[1], np.inf) for rows in members])
    views = views_of(table, prepared.codings)
    by_group = [usual_values(views, rows) for rows in members]
    return {
        "centers": centers.reshape(k, X.shape[1]),
        "fences": _fences(X, labels, centers),
        "usual": [_column(view, [usual[j] for usual in by_group]) for j, view in enumerate(views)],
    }


def landmarks_of(model: Any) -> Landmarks:
    """Read what a model kept of its groups.

    Parameters
    ----------
    model : Model
        Loaded from what a run saved.

    Raises
    ------
    InputError
        If it kept nothing, or what it kept is damaged.
    """
    kept = model.card.get("groups")
    if kept is None or model.prepared is None:
        raise InputError(
            "this model does not hold what its groups look like: it was not saved by a run of a table; "
            "give a model.coterie that coterie run wrote"
        )
    try:
        found = _read(kept, model.card.get("names") or [])
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise InputError("the model is damaged: what it holds of its groups cannot be read; run it again") from error
    used = {coding.column for coding in model.prepared.codings if coding.used}
    shape = (len(found.fences), len(model.prepared.feature_names))
    if found.centers.shape != shape or {usual.name for usual in found.usual} != used:
        raise InputError("the model is damaged: what it holds of its groups does not fit its columns; run it again")
    return found


def _fences(X: np.ndarray, labels: np.ndarray, centers: np.ndarray) -> np.ndarray:
    k = len(centers)
    if k == 0:
        return np.empty(0)
    distance = np.empty(len(X))
    group = labels.copy()
    for start in range(0, len(X), 65536):
        part = slice(start, start + 65536)
        far = np.asarray(pairwise_distances(X[part], centers))
        group[part] = np.where(labels[part] >= 0, labels[part], far.argmin(axis=1))
        distance[part] = far[np.arange(len(far)), group[part]]
    return outlier_fences(distance, group, k)


def _column(view: View, by_group: list[Any]) -> dict[str, Any]:
    width = len(view.levels) if view.kind in ("category", "text") else QUANTILES
    values = [np.full(width, np.nan) if usual is None else usual for usual in by_group]
    return {
        "name": view.name,
        "kind": view.kind,
        "unit": view.unit,
        "levels": list(view.levels),
        "values": np.array(values, dtype=np.float64).reshape(len(by_group), width),
    }


def _read(kept: dict[str, Any], names: list[str]) -> Landmarks:
    centers = np.asarray(kept["centers"], dtype=np.float64)
    k = len(centers)
    usual = tuple(
        Usual(
            str(line["name"]),
            str(line["kind"]),
            line["unit"],
            np.asarray(line["values"], dtype=np.float64),
            tuple(map(str, line["levels"])),
        )
        for line in kept["usual"]
    )
    for line in usual:
        width = len(line.levels) if line.kind in ("category", "text") else QUANTILES
        if line.values.shape != (k, width):
            raise ValueError(line.name)
    shown = tuple(str(names[i]) if i < len(names) else f"group {i}" for i in range(k))
    return Landmarks(shown, centers, np.asarray(kept["fences"], dtype=np.float64).reshape(k), usual)
