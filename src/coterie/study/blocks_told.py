"""What a sample tells of groups that were found in all rows: how far to trust them, what sets them apart, a map. All of it says so."""

import base64
from typing import Any, NamedTuple

import numpy as np

from ..clustering import relabel
from .choose import Choice
from .describe import describe
from .map import draw_map, unpack
from .outliers import explain_outliers
from .record import sample_rows
from .values import views_of
from .verdicts import judged

__all__ = ["Labelled", "Sampled", "told_of_sample"]

_HOVER_ROWS = 300
_MOST_MAPPED = 2**32  # the map numbers rows in 32 bits


class Labelled(NamedTuple):
    """The labels of all rows."""

    labels: np.ndarray  # (n,) final
    label_map: np.ndarray  # final label of each of the estimator's
    sizes: np.ndarray  # (k,)
    noise: int


class Sampled(NamedTuple):
    """Some of the rows."""

    table: Any  # in original units
    rows: np.ndarray  # (m,) their numbers
    X: np.ndarray  # (m, d) on the common scale
    codings: tuple


def told_of_sample(
    diary: Any,
    sampled: Sampled,
    labelled: Labelled,
    estimator: Any,
    choice: Choice,
    structure: dict[str, Any],
    on_rows: np.ndarray,
    seed: int,
) -> dict[str, Any]:
    """Judge and describe the groups by some of their rows.

    Parameters
    ----------
    diary : Diary
    sampled : Sampled
    labelled : Labelled
    estimator : estimator
        Fitted on all rows.
    choice : Choice
    structure : dict
    on_rows : (r,) int array
        Rows of the sample on which the choice was made.
    seed : int

    Returns
    -------
    dict
        Parts of the record. Sizes and shares are those of all rows.
    """
    n, m = len(labelled.labels), len(sampled.rows)
    final = np.asarray(labelled.labels[sampled.rows], np.int64)
    seen = np.unique(final[final >= 0])  # groups that have rows in the sample; numbered anew in what follows
    number = np.full(len(labelled.sizes), -1, np.int64)
    number[seen] = np.arange(len(seen))
    labels = relabel(final, number)
    words = f"a sample of {m:,} of {n:,} rows" if m < n else ""
    with diary.step("judge"):
        known = estimator if hasattr(estimator, "cluster_centers_") else object()  # others' attributes are of all rows
        verdicts = judged(sampled.X, labels, known, choice.candidates[choice.winner], on_rows, seed=seed)
        diary.text = verdicts["judge"]["sentence"] + (f" Measured on {words}." if words else "")
        verdicts["judge"]["sentence"] = diary.text
    with diary.step("describe"):
        views = views_of(sampled.table, sampled.codings)
        told = describe(views, sampled.X, labels, verdicts["strengths"], seed=seed)
        outliers = explain_outliers(views, labels, verdicts["scores"])
        k = len(labelled.sizes)
        diary.text = f"{k} group{'s' if k != 1 else ''} described" + (f" from {words}" if words else "")
    _warn(diary, structure, verdicts["judge"], k)
    clusters = _clusters(told.clusters, verdicts, seen, labelled, sampled, estimator)
    for line in outliers["top"]:
        line["row"] = int(sampled.rows[line["row"]])
    if words:
        outliers["sentence"] = f"In {words}: {outliers['sentence'][0].lower()}{outliers['sentence'][1:]}"
    for line in told.profile["columns"]:
        line["by_cluster"] = [line["by_cluster"][i] if i >= 0 else None for i in number]
    return {
        "columns": [coding.to_json() for coding in sampled.codings],
        "candidates": choice.record,
        "chosen": _chosen(estimator, choice),
        "structure": structure,
        "population": _population(labelled),
        "clusters": clusters,
        "profile": told.profile,
        "outliers": outliers,
        "judge": verdicts["judge"],
        "rows": {"sample": _rows(sampled, clusters, outliers)},
        "map": _map(sampled, labels, seen, n, seed),
    }


def _clusters(
    told: list, verdicts: dict, seen: np.ndarray, labelled: Labelled, sampled: Sampled, estimator: Any
) -> list:
    n, k = len(labelled.labels), len(labelled.sizes)
    found: list[dict[str, Any]] = []
    described = {int(label): card for label, card in zip(seen, told, strict=True)}
    centers = _centers(estimator, labelled, sampled.codings)
    for label in range(k):
        rows = int(labelled.sizes[label])
        card = described.get(label)
        if card is None:
            card = {
                "name": f"Group {label}", "sentence": "None of its rows is in the sample.", "features": [], "rule": None,
                "exemplars": [], "border": [],
            }  # fmt: skip
        else:
            i = card["id"]
            card |= {name: float(verdicts[name][i]) for name in ("stability", "separation", "certainty")}
            card |= {name: sampled.rows[card[name]].tolist() for name in ("exemplars", "border")}
        if k == 1:
            card["sentence"] = f"All {n:,} rows." if rows == n else f"{rows:,} rows, the only group."
        center = {} if centers is None else {"center": centers[label]}
        found.append({"id": label, **card, **center} | {"id": label, "color": label, "rows": rows, "share": rows / n})
    return found


def _centers(estimator: Any, labelled: Labelled, codings: tuple) -> list[dict[str, float]] | None:
    """Return the center of each group in the units of the columns, where the method has centers."""
    centers = getattr(estimator, "cluster_centers_", None)
    if centers is None or len(centers) < len(labelled.label_map):
        return None
    used = [coding for coding in codings if coding.used]
    found: list[dict[str, float]] = [{} for _ in labelled.sizes]
    for own, label in enumerate(labelled.label_map):
        if label < len(found):
            values = zip(used, np.asarray(centers[own], np.float64), strict=True)
            found[label] = {coding.column: float(value * coding.scale + coding.shift) for coding, value in values}
    return found


def _chosen(estimator: Any, choice: Choice) -> dict[str, Any]:
    best = choice.candidates[choice.winner]
    return {
        "method": type(estimator).__name__,
        "params": {name: value for name, value in estimator.get_params().items() if name in best.params},
        "why": choice.why,
        "exact": True,
        "engine": "dask",
    }


def _population(labelled: Labelled) -> dict[str, Any]:
    n = len(labelled.labels)
    why = f"{labelled.noise:,} rows fit no group." if labelled.noise else "Every row belongs to a group."
    return {
        "min_rows": None, "min_share": None, "noise_rows": labelled.noise, "noise_share": labelled.noise / n, "noise_why": why,
        "actions": [], "small_clusters": [],
    }  # fmt: skip


def _rows(sampled: Sampled, clusters: list, outliers: dict) -> dict[str, dict[str, Any]]:
    hover = np.linspace(0, len(sampled.rows) - 1, min(_HOVER_ROWS, len(sampled.rows))).astype(np.int64)
    mentioned = [row for cluster in clusters for row in cluster["exemplars"] + cluster["border"]]
    mentioned += [line["row"] for line in outliers["top"]]
    places = np.union1d(hover, np.searchsorted(sampled.rows, np.array(mentioned, np.int64)))
    found = sample_rows(sampled.table, places.tolist())
    return {str(int(sampled.rows[int(place)])): values for place, values in found.items()}


def _map(sampled: Sampled, labels: np.ndarray, seen: np.ndarray, n: int, seed: int) -> dict[str, Any] | None:
    if n > _MOST_MAPPED:
        return None
    used = [coding.column for coding in sampled.codings if coding.used]
    plain = None
    if len(used) == 2:
        plain = np.column_stack([sampled.table.column(name).values for name in used])
    drawn = draw_map(
        sampled.X, labels, feature_names=tuple(used), plain=plain, plain_names=tuple(used) if plain is not None else None,
        seed=seed,
    )  # fmt: skip
    rows = sampled.rows[unpack(drawn["row"], "<u4")].astype("<u4")
    shown = relabel(unpack(drawn["label"], "<i2"), seen).astype("<i2")
    packed = {"row": rows, "label": shown}
    return (
        drawn
        | {name: base64.b64encode(values.tobytes()).decode("ascii") for name, values in packed.items()}
        | {"n_total": n}
    )


def _warn(diary: Any, structure: dict, judge: dict, k: int) -> None:
    if structure["verdict"] == "weak":
        diary.warn(structure["sentence"], "Treat the groups as a convenient cut, not as types that exist.")
    if k > 1 and judge["stability"] < 0.75:
        diary.warn(
            f"The groups change when rows are left out (agreement {judge['stability']:.2f} of 1).",
            "Ask for fewer groups with n_clusters, or use only the columns that matter.",
        )
