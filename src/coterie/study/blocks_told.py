"""What is told of groups that were found in all rows: by all rows where numbers of groups and columns tell it, else by a sample, and so said."""

import base64
from typing import Any, NamedTuple

import numpy as np

from ..clustering import relabel
from .blocks_people import People, around, classes, profile_of, seen_columns
from .candidate import Candidate, Choice
from .describe import Description, describe, shown_rows, told_of_columns
from .map import draw_map, unpack
from .outliers import explain_outliers
from .record import sample_rows
from .values import views_of
from .verdicts import judged

__all__ = ["Chosen", "Given", "told"]

_HOVER_ROWS = 300
_MOST_MAPPED = 2**32  # the map numbers rows in 32 bits
_UNSEEN: dict[str, Any] = {"rule": None, "exemplars": [], "border": []}


class Given(NamedTuple):
    """Rows in files, ready to be clustered."""

    files: Any  # with all columns that hold numbers
    X: Any  # the columns used, on the common scale
    moments: Any  # of all rows
    table: Any  # the sample, in original units
    drawn: np.ndarray  # (m,) the numbers of its rows
    Z: np.ndarray  # (m, d) the sample on the common scale
    codings: tuple
    prepared: Any


class Chosen(NamedTuple):
    """What was chosen on some rows of the sample."""

    choice: Choice
    structure: dict[str, Any]
    rows: np.ndarray

    @property
    def best(self) -> Candidate:
        """Return the winner."""
        return self.choice.candidates[self.choice.winner]


class _Sight(NamedTuple):
    """The groups as the sample shows them, numbered anew without those of which it has no row."""

    labels: np.ndarray  # (m,)
    seen: np.ndarray  # the groups that have rows in it
    number: np.ndarray  # (k,) place among these, -1 for one that has none
    words: str  # what the sample is; empty where it is all rows


def told(
    diary: Any, given: Given, people: People, estimator: Any, chosen: Chosen, truth: str | None, seed: int
) -> dict[str, Any]:
    """Judge and describe the groups: by all rows what numbers of groups and columns tell, by the sample the rest.

    Parameters
    ----------
    diary : Diary
    given : Given
    people : People
    estimator : estimator
        Fitted on all rows.
    chosen : Chosen
    truth : str, optional
        Column of known classes.
    seed : int

    Returns
    -------
    dict
        Parts of the record.
    """
    sight = _sight(given, people)
    k = len(people.sizes)
    with diary.step("judge"):
        known = estimator if hasattr(estimator, "cluster_centers_") else object()  # others' attributes are of all rows
        verdicts = judged(given.Z, sight.labels, known, chosen.best, chosen.rows, seed=seed)
        judge = verdicts["judge"] | {"all_rows": around(people, given), "truth": classes(people, given, truth)}
        diary.text = judge["sentence"] + (f" Measured on {sight.words}." if sight.words else "")
        judge["sentence"] = diary.text
    with diary.step("describe"):
        views = views_of(given.table, given.codings)
        cards, profile = _described(people, views, given, sight, verdicts["strengths"], seed)
        outliers = _outliers(views, sight, verdicts["scores"], given)
        diary.text = f"{k} group{'s' if k != 1 else ''} described" + _by(people, sight)
    remedy = "Ask for fewer groups, or use only the columns that matter."
    diary.doubt(chosen.structure, k, judge["stability"], remedy)
    clusters = [_card(card, i, verdicts, sight, people, given) for i, card in enumerate(cards)]
    return {
        "columns": [coding.to_json() for coding in given.codings],
        "candidates": chosen.choice.record,
        "chosen": _method(estimator, chosen),
        "structure": chosen.structure,
        "population": people.record,
        "clusters": clusters,
        "profile": profile,
        "outliers": outliers,
        "judge": judge,
        "rows": {"sample": _rows(given, clusters, outliers)},
        "map": _map(given, sight, len(people.labels), seed),
    }


def _sight(given: Given, people: People) -> _Sight:
    final = np.asarray(people.labels[given.drawn], np.int64)
    seen = np.unique(final[final >= 0])
    number = np.full(len(people.sizes), -1, np.int64)
    number[seen] = np.arange(len(seen))
    n, m = len(people.labels), len(given.drawn)
    return _Sight(relabel(final, number), seen, number, f"a sample of {m:,} of {n:,} rows" if m < n else "")


def _by(people: People, sight: _Sight) -> str:
    if not sight.words:
        return ""
    if people.profiles is None:
        return f" from {sight.words}"
    return f" from all rows; rules and typical rows from {sight.words}"


def _described(
    people: People, views: list, given: Given, sight: _Sight, strengths: np.ndarray, seed: int
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return a card for each group and the profile table: of all rows, or where they have no profiles of the sample."""
    if people.profiles is None:
        return _of_sample(describe(views, given.Z, sight.labels, strengths, seed=seed), people, sight)
    cards, profile = told_of_columns(seen_columns(people.profiles, views), people.sizes, len(people.labels))
    shown = shown_rows(views, given.Z, sight.labels, strengths, seed=seed)
    cards = [card | (shown[i] if i >= 0 else _UNSEEN) for card, i in zip(cards, sight.number, strict=True)]
    return cards, profile_of(people.profiles, profile)


def _of_sample(found: Description, people: People, sight: _Sight) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    cards = []
    for label, i in enumerate(sight.number):
        name = {"name": f"Group {label}", "sentence": "None of its rows is in the sample.", "features": []}
        cards.append(found.clusters[i] if i >= 0 else name | _UNSEEN)
    for line in found.profile["columns"]:
        line["by_cluster"] = [line["by_cluster"][i] if i >= 0 else None for i in sight.number]
    return cards, found.profile


def _card(card: dict, label: int, verdicts: dict, sight: _Sight, people: People, given: Given) -> dict[str, Any]:
    n, rows, i = len(people.labels), int(people.sizes[label]), sight.number[label]
    found = card | {"id": label, "color": label, "rows": rows, "share": rows / n}
    if i >= 0:
        found |= {name: float(verdicts[name][i]) for name in ("stability", "separation", "certainty")}
    found |= {name: given.drawn[card[name]].tolist() if card[name] else [] for name in ("exemplars", "border")}
    if len(people.sizes) == 1:
        found["sentence"] = f"All {n:,} rows." if rows == n else f"{rows:,} rows, the only group."
    if people.profiles is not None:
        used = [coding.column for coding in given.codings if coding.used]
        found["center"] = dict(zip(used, people.profiles.mean[label].tolist(), strict=True))
    return found


def _outliers(views: list, sight: _Sight, scores: np.ndarray, given: Given) -> dict[str, Any]:
    outliers = explain_outliers(views, sight.labels, scores)
    for line in outliers["top"]:
        line["row"] = int(given.drawn[line["row"]])
    if sight.words:
        outliers["sentence"] = f"In {sight.words}: {outliers['sentence'][0].lower()}{outliers['sentence'][1:]}"
    return outliers


def _method(estimator: Any, chosen: Chosen) -> dict[str, Any]:
    return {
        "method": type(estimator).__name__,
        "params": {name: value for name, value in estimator.get_params().items() if name in chosen.best.params},
        "why": chosen.choice.why,
        "exact": True,
        "engine": "dask",
    }


def _rows(given: Given, clusters: list, outliers: dict) -> dict[str, dict[str, Any]]:
    hover = np.linspace(0, len(given.drawn) - 1, min(_HOVER_ROWS, len(given.drawn))).astype(np.int64)
    mentioned = [row for cluster in clusters for row in cluster["exemplars"] + cluster["border"]]
    mentioned += [line["row"] for line in outliers["top"]]
    places = np.union1d(hover, np.searchsorted(given.drawn, np.array(mentioned, np.int64)))
    found = sample_rows(given.table, places.tolist())
    return {str(int(given.drawn[int(place)])): values for place, values in found.items()}


def _map(given: Given, sight: _Sight, n: int, seed: int) -> dict[str, Any] | None:
    if n > _MOST_MAPPED:
        return None
    used = [coding.column for coding in given.codings if coding.used]
    plain = None
    if len(used) == 2:
        plain = np.column_stack([given.table.column(name).values for name in used])
    drawn = draw_map(
        given.Z, sight.labels, feature_names=tuple(used), plain=plain, plain_names=tuple(used) if plain is not None else None,
        seed=seed,
    )  # fmt: skip
    rows = given.drawn[unpack(drawn["row"], "<u4")].astype("<u4")
    shown = relabel(unpack(drawn["label"], "<i2"), sight.seen).astype("<i2")
    packed = {"row": rows, "label": shown}
    return (
        drawn
        | {name: base64.b64encode(values.tobytes()).decode("ascii") for name, values in packed.items()}
        | {"n_total": n}
    )
