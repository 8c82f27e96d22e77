"""The groups of a run as one JSON object: centers in original units, rules, and how columns became numbers, for other programs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..tables.coding import KNEE
from .in_units import decoded
from .landmarks import Landmarks, landmarks_of
from .reaches import by_centers
from .record import plain

__all__ = ["SCHEMA", "groups_json"]

SCHEMA = "coterie.groups/1"


def groups_json(model: Any, clusters: Sequence[Mapping[str, Any]], *, source: str = "") -> dict[str, Any]:
    """Return what another program needs to label rows, or to show the groups.

    Parameters
    ----------
    model : Model
        Loaded from what a run saved.
    clusters : sequence of mapping
        Of the record of the run.
    source : str
        What the groups were found in.

    Returns
    -------
    dict
        - ``groups``: ``id``, ``name``, ``rows``, ``share``, ``rule``, ``center`` (by column, in original units: the value that the
          middle stands for, or the share of each level), ``usual`` (quantiles 5, 25, 50, 75, 95% or shares);
        - ``features``, ``columns``: how a row is coded: y = (g(factor * x) - shift) / scale, where g is log(1 + x / step) for
          the coding "log", and values beyond ``knee`` are drawn nearer for "signed log"; for texts the words, how much each
          weighs, and the directions that the weighted words are projected on, or the embedding model in place of the words;
        - ``centers``: by feature, with the ``group`` of each, where the method gives rows to the nearest center; else None.

    Raises
    ------
    InputError
        If the model does not hold what its groups look like.
    """
    known = landmarks_of(model)
    centers = by_centers(model.estimator)
    kept = None
    if centers is not None:
        groups = model.final(np.arange(len(centers))).tolist()
        # Not rounded: what is near two centers should fall to the same one elsewhere.
        kept = [{"group": group, "features": center} for group, center in zip(groups, centers.tolist(), strict=True)]
    codings = [coding for coding in model.prepared.codings if coding.used]
    return {
        "schema": SCHEMA,
        "source": source,
        "method": type(model.estimator).__name__,
        "groups": [_group(model, known, cluster) for cluster in clusters],
        "features": list(model.prepared.feature_names),
        "columns": [_coded(coding) | {"knee": KNEE} for coding in codings],
        "centers": kept,
    }


def _group(model: Any, known: Landmarks, cluster: Mapping[str, Any]) -> dict[str, Any]:
    i = int(cluster["id"])
    told = {name: cluster.get(name) for name in ("id", "name", "rows", "share", "rule")}
    usual = {}
    for column in known.usual:
        values = column.values[i].tolist()
        by_level = column.kind in ("category", "text")
        usual[column.name] = dict(zip(column.levels, values, strict=True)) if by_level else values
    return plain(told | {"center": _in_units(model.prepared, known.centers[i]), "usual": usual})


def _coded(coding: Any) -> dict[str, Any]:
    found = coding.state()
    if coding.text is not None:
        found["text"] = {
            name: part.tolist() if isinstance(part, np.ndarray) else part for name, part in found["text"].items()
        }
    return found


def _in_units(prepared: Any, center: np.ndarray) -> dict[str, Any]:
    found: dict[str, Any] = {}
    at = 0
    for coding in prepared.codings:
        width = len(coding.feature_names)
        if coding.used:
            found[coding.column] = decoded(coding, center[at : at + width])
        at += width
    return found
