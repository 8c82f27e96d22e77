"""An analysis under numbers that its groups had before: labels, model, record and map, all alike."""

import base64
from dataclasses import replace
from typing import Any

import numpy as np

from ..clustering import relabel
from ..study.map import unpack
from ..study.shapes import renumbered
from .analysis import Analysis
from .naming import given_names, rename
from .stored import StoredRun

__all__ = ["with_kept_numbers"]


def with_kept_numbers(analysis: Analysis, identity: Any, old: StoredRun) -> Analysis:
    """Return the analysis with the numbers of `identity` instead of its own.

    Parameters
    ----------
    analysis : Analysis
    identity : Identity
        From `coterie.study.identity.keep_identity`, for the labels of ``analysis``.
    old : StoredRun
        The run whose numbers are kept.

    Returns
    -------
    Analysis
        Groups that are kept keep the names people gave them, too. Where a number in between is retired, the record has an entry without rows in its place: a label stays the place of its group.
        ``record["identity"]`` says which numbers are kept, fresh and retired.
    """
    record = analysis.record
    numbers = np.array([identity.numbers.get(i, -1) for i in range(len(record["clusters"]))], dtype=np.int64)
    places = np.full(int(numbers.max(initial=-1)) + 1, -1)
    places[numbers[numbers >= 0]] = np.flatnonzero(numbers >= 0)
    clusters = [
        record["clusters"][place] | {"id": i, "color": i} if place >= 0 else _retired(i, old.names.get(i))
        for i, place in enumerate(places.tolist())
    ]
    given = given_names(old.record)
    clusters = rename({"clusters": clusters}, {i: given[i] for i in identity.kept if i in given})["clusters"]
    changed = {
        **record,
        "clusters": clusters,
        "profile": _profile(record["profile"], places),
        "map": _map(record["map"], numbers),
        "judge": _judge(record["judge"], numbers),
        "consensus": _consensus(record.get("consensus"), places),
        "shapes": renumbered(record.get("shapes"), numbers),
        "identity": {
            "from": old.name, "from_fingerprint": old.fingerprint,
            "kept": list(identity.kept), "fresh": list(identity.fresh), "retired": list(identity.retired),
        },
    }  # fmt: skip
    # As long as the numbers are high, which is what readers of a model expect of a label map.
    if empty := int((places < 0).sum()):
        text = f"Of these {len(places)} numbers {empty} {'is' if empty == 1 else 'are'} retired, so there are {len(places) - empty} groups."
        changed["warnings"] = [
            *record["warnings"],
            {"text": text, "remedy": "Nothing: a group keeps its number, and gaps stay."},
        ]
    own = np.arange(len(numbers)) if analysis.label_map is None else np.asarray(analysis.label_map)
    label_map = np.full(max(len(places), len(own)), -1, dtype=np.int64)
    label_map[: len(own)] = relabel(own, numbers)
    return replace(analysis, record=changed, labels=relabel(analysis.labels, numbers), label_map=label_map)


def _retired(number: int, name: str | None) -> dict[str, Any]:
    was = "" if name is None else f": {name.removeprefix('Retired: ')}"
    return {
        "id": number, "name": f"Retired{was}", "rows": 0, "share": 0.0, "stability": None, "separation": None, "certainty": None,
        "sentence": "The group that had this number is gone; the number is not given again.", "features": [], "rule": None,
        "exemplars": [], "border": [], "color": number,
    }  # fmt: skip


def _profile(profile: dict[str, Any], places: np.ndarray) -> dict[str, Any]:
    columns = []
    for line in profile["columns"]:
        empty: Any = [] if line["kind"] == "category" else None
        columns.append(line | {"by_cluster": [line["by_cluster"][place] if place >= 0 else empty for place in places]})
    return profile | {"columns": columns}


def _map(shown: dict[str, Any] | None, numbers: np.ndarray) -> dict[str, Any] | None:
    if shown is None:
        return None
    labels = relabel(unpack(shown["label"], "<i2").astype(np.int64), numbers).astype("<i2")
    return shown | {"label": base64.b64encode(labels.tobytes()).decode("ascii")}


def _consensus(found: dict[str, Any] | None, places: np.ndarray) -> dict[str, Any] | None:
    if found is None:
        return None
    return found | {"found_by": [found["found_by"][place] if place >= 0 else 0 for place in places]}


def _judge(judge: dict[str, Any], numbers: np.ndarray) -> dict[str, Any]:
    if not judge.get("truth"):
        return judge
    table = judge["truth"]["table"]
    clusters = [int(numbers[i]) if i >= 0 else -1 for i in table["clusters"]]
    return judge | {"truth": judge["truth"] | {"table": table | {"clusters": clusters}}}
