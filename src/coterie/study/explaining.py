"""Why a row is where it is: what speaks for its group, which group comes second, how sure that is, and whether the row is unusual.

What speaks for a group is told column by column. The squared distance to the middle of the runner-up less that to the middle of
the own group is a sum over the columns; a column with a large part of it is a reason, one with a negative part speaks against.
For a method that gives each row to the nearest middle these parts are the decision itself; for one whose groups may have any
shape they are a comparison, and the words say so.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .judge import OUTLIER_THRESHOLD, fenced
from .landmarks import Landmarks, Usual, landmarks_of
from .outliers import unusual_values
from .reaches import Reaches, reaches_of
from .record import plain
from .sureness import sureness
from .values import View, cell, look, number_text

__all__ = ["explain_rows"]

MOST_REASONS = 3
# A column that makes up less than this share of what speaks for a group is not worth a mention.
LEAST_SHARE = 0.05
BATCH_ROWS = 10_000


def explain_rows(
    model: Any,
    data: Any,
    *,
    rows: Sequence[int] | None = None,
    labels: np.ndarray | None = None,
    strengths: np.ndarray | None = None,
    outlier_scores: np.ndarray | None = None,
) -> list[dict[str, Any]]:
    """Say of each row why it is in its group, which group comes second, how sure that is, and whether it is an outlier.

    Parameters
    ----------
    model : Model
        Loaded from what a run saved.
    data : table, frame, array or path
        Rows with the columns of the run, in any order.
    rows : sequence of int, optional
        Positions in ``data`` of the rows to explain, all by default.
    labels : (n,) int array, optional
        What the run gave to each of the rows of ``data``; by default the model labels them.
    strengths, outlier_scores : (n,) float arrays, optional
        The same of how surely they belong and how unusual they are. By default both are found anew: strengths as far as the method
        tells them of new rows, outlier scores by the distance from the middle of the group.

    Returns
    -------
    list of dict
        One a row, of plain JSON values:

        - ``row``: its position in ``data``;
        - ``group`` and ``name``: -1 and None where it fits none; ``nearest`` is then the group it lies nearest to;
        - ``reasons`` and ``against``: columns with ``value``, what is ``here`` and ``there`` (usual in the group and in the
          runner-up), ``share`` of all that speaks for the group, ``text``;
        - ``runner_up``: ``group``, ``name``, ``distance`` and ``own_distance`` by the ``measure`` (to the nearest "center" or
          "nearest row" of the group, or to its "middle"), and ``beside``, the same in words; None where there is one group;
        - ``how``: how the method decides, in words, and so what the reasons mean;
        - ``strength`` (0 to 1, or None where the method does not tell), ``sure`` in words;
        - ``outlier``: ``score``, ``is_outlier``, ``why`` in words or None;
        - ``text``: a sentence or two.

    Raises
    ------
    InputError
        If a column is missing, a row is not there, or the model does not hold what its groups look like.

    Examples
    --------
    >>> import tempfile, coterie
    >>> data = {"age": [20, 21, 22, 23, 24, 25] * 5 + [60, 61, 62, 63, 64, 65] * 4}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model = coterie.load(coterie.run(data, method="KMeans", n_clusters=2).write(folder).model)
    >>> explain_rows(model, {"age": [58]})[0]["reasons"][0]["text"]
    'age is 58 (here usually 60 to 65, in group 0 usually 20 to 25)'
    """
    from .. import tables

    table = tables.read(data)
    known = landmarks_of(model)
    chosen = _positions(rows, table.n_rows)
    found: list[dict[str, Any]] = []
    for start in range(0, len(chosen), BATCH_ROWS):
        part = chosen[start : start + BATCH_ROWS]
        given = [None if values is None else np.asarray(values)[part] for values in (labels, strengths, outlier_scores)]
        told = _explained(model, known, table.take(part), *given)
        found += [{"row": int(row), **line} for row, line in zip(part, told, strict=True)]
    return found


def _positions(rows: Sequence[int] | None, n: int) -> np.ndarray:
    from ..errors import InputError

    if rows is None:
        return np.arange(n)
    chosen = np.asarray(list(rows), dtype=np.int64)
    outside = chosen[(chosen < 0) | (chosen >= n)]
    if len(outside):
        raise InputError(
            f"row {outside[0]} is not there: the {n:,} rows are numbered 0 to {n - 1:,}; give one of these"
        )
    return chosen


def _explained(model, known: Landmarks, table, labels, strengths, scores) -> list[dict[str, Any]]:
    X = model.transform(table)
    labels = np.asarray(model.predict(table) if labels is None else labels, dtype=np.int64)
    reach = reaches_of(model, known, X)
    near = reach.distances.argmin(axis=1) if reach.distances.shape[1] else np.full(len(X), -1)
    own = np.where(labels >= 0, labels, near)
    second = _runner_up(reach.distances, own)
    sure = sureness(model, known, X, labels, strengths)
    middle = np.sqrt(_squares(X, known.centers, own).sum(axis=1))
    scores = fenced(middle, known.fences[own]) if scores is None and len(known.fences) else scores
    parts = _parts(model, X, known, reach, own, second)
    codings = {coding.column: coding for coding in model.prepared.codings}
    views = [_in_levels(look(table.column(usual.name), codings[usual.name], 2**31), usual) for usual in known.usual]
    filled = {usual.name: _filled(codings[usual.name], view) for usual, view in zip(known.usual, views, strict=True)}
    return [
        _row(i, labels[i], own[i], second[i], known, reach, sure.row(i), scores, parts[i], table, views, filled)
        for i in range(len(X))
    ]


def _runner_up(distances: np.ndarray, own: np.ndarray) -> np.ndarray:
    if distances.shape[1] < 2:
        return np.full(len(own), -1)
    others = distances.copy()
    others[np.arange(len(own)), own] = np.inf
    second = others.argmin(axis=1)
    # A group without rows, such as one that is retired, is nobody's runner-up.
    return np.where(np.isfinite(others[np.arange(len(own)), second]), second, -1)


def _place(reach: Reaches, group: np.ndarray) -> np.ndarray:
    return reach.place[np.arange(len(group)), group] if reach.place.shape[1] else group


def _squares(X: np.ndarray, centers: np.ndarray, group: np.ndarray) -> np.ndarray:
    return (X - centers[group]) ** 2 if len(centers) else np.zeros_like(X)


def _parts(model, X, known: Landmarks, reach: Reaches, own, second) -> np.ndarray:
    """Give how much each original column speaks for the own group and against the runner-up, (rows, columns)."""
    there = np.where(second >= 0, second, own)
    gap = _squares(X, reach.points, _place(reach, there)) - _squares(X, reach.points, _place(reach, own))
    by_column = np.zeros((len(X), len(known.usual)))
    names = [coding.column for coding in model.prepared.codings]
    place = {usual.name: j for j, usual in enumerate(known.usual)}
    for feature, column in enumerate(model.prepared.feature_columns):
        by_column[:, place[names[column]]] += gap[:, feature]
    return by_column


def _filled(coding, view: View) -> str:
    """Say how a missing value of the column counts."""
    if view.kind == "category":
        return f"missing, counted as {coding.fill}" if coding.fill is not None else "missing"
    if view.kind == "text":
        return "missing, counted as a text that is like all others"
    stand_in = float(coding.center if coding.fill is None else coding.fill)
    return f"missing, counted as {number_text(stand_in * (86400.0 if view.kind == 'date' else 1.0), view)}"


def _in_levels(view: View, usual: Usual) -> View:
    """Return the view with the levels of the run; a value that the run did not have is a level of its own, at the end."""
    if view.kind != "category":
        return view._replace(unit=usual.unit)  # the words of a text are those of the coding
    place = {level: i for i, level in enumerate(usual.levels)}
    fresh = [level for level in view.levels if level not in place]
    place |= {level: len(usual.levels) + i for i, level in enumerate(fresh)}
    codes = np.array([*(place[level] for level in view.levels), -1], dtype=np.int64)[view.codes]
    return view._replace(codes=codes, levels=(*usual.levels, *fresh))


def _row(i, label, own, second, known, reach: Reaches, sure, scores, parts, table, views, filled) -> dict[str, Any]:
    reasons, against = _reasons(i, own, second, known, parts, table, views, filled)
    score = None if scores is None or not np.isfinite(scores[i]) else max(float(scores[i]), 0.0)
    unusual = label < 0 or (score is not None and score >= OUTLIER_THRESHOLD)
    runner_up = _second(i, own, second, known, reach)
    line = {
        "group": int(label),
        "name": known.names[label] if label >= 0 else None,
        "nearest": int(own),
        "reasons": reasons if label >= 0 else [],
        "against": against if label >= 0 else [],
        "runner_up": runner_up,
        "how": reach.how,
        "strength": None if label < 0 else sure.strength,
        "sure": sure.words,
        "outlier": {
            "score": score,
            "is_outlier": bool(unusual),
            "why": unusual_values(views, _usual_of(known, own, views), i) if unusual and own >= 0 else None,
        },
    }
    line["beside"] = _beside(line)
    return plain(line | {"text": f"{_start(line, known)} {line['beside'] or ''}".strip()})


def _usual_of(known: Landmarks, group: int, views: list[View]) -> list[Any]:
    """Return what is usual in a group, as `unusual_values` takes it."""
    found: list[Any] = []
    for usual, view in zip(known.usual, views, strict=True):
        values = usual.values[group]
        if usual.kind == "category":
            found.append(np.append(values, np.zeros(len(view.levels) - len(values))))
        else:
            found.append(None if usual.kind == "text" or np.isnan(values).any() else values)
    return found


def _reasons(i, own, second, known, parts, table, views, filled) -> tuple[list[dict], list[dict]]:
    """Return the columns that speak most for the group, and those that speak as much against it."""
    total = parts[parts > 0].sum()
    if second < 0 or total <= 0:
        return [], []
    told: tuple[list[dict], list[dict]] = ([], [])
    for side, order in ((told[0], np.argsort(-parts, kind="stable")), (told[1], np.argsort(parts, kind="stable"))):
        sign = 1 if side is told[0] else -1
        for j in order[:MOST_REASONS]:
            if sign * parts[j] >= LEAST_SHARE * total:
                usual, share = known.usual[j], float(parts[j] / total)
                told_of = _reason(i, own, second, usual, views[j], filled[usual.name])
                side.append(
                    {"column": usual.name, "value": cell(table.column(usual.name).values, i), "share": share, **told_of}
                )
    return told


def _reason(i, own, second, usual: Usual, view: View, filled: str) -> dict[str, Any]:
    """Compare one value with what is usual in the group and in the runner-up."""
    if usual.kind == "category":
        code = view.codes[i]
        if code < 0:
            return {"here": None, "there": None, "text": f"{usual.name} is {filled}"}
        shares = [float(usual.values[g][code]) if code < len(usual.levels) else 0.0 for g in (own, second)]
        text = f"{usual.name} is {view.levels[code]} ({shares[0]:.0%} here, {shares[1]:.0%} in group {second})"
        return {"here": shares[0], "there": shares[1], "text": text}
    if usual.kind == "text":
        return _said(view.words[i], own, second, usual)
    here, there = (usual.values[g][[0, 2, 4]].tolist() for g in (own, second))
    value = number_text(view.numbers[i], view) if np.isfinite(view.numbers[i]) else filled
    text = f"{usual.name} is {value} (here {_span(here, view)}, in group {second} {_span(there, view)})"
    if usual.kind == "date":
        here, there = ([number_text(v, view) for v in values] for values in (here, there))
    return {"here": here, "there": there, "text": text}


def _said(words: np.ndarray, own, second, usual: Usual) -> dict[str, Any]:
    """Name the words of a text that tell most between the two groups."""
    here, there = usual.values[own], usual.values[second]
    told = [at for at in np.argsort(-np.abs(here - there) * words, kind="stable")[:2] if words[at]]
    if not told:
        return {"here": None, "there": None, "text": f"{usual.name} says none of the words that tell the groups apart"}
    each = (f"{usual.levels[at]!r} ({here[at]:.0%} here, {there[at]:.0%} in group {second})" for at in told)
    return {
        "here": float(here[told[0]]),
        "there": float(there[told[0]]),
        "text": f"{usual.name} says {' and '.join(each)}",
    }


def _span(quantiles: list[float], view: View) -> str:
    low, high = number_text(quantiles[0], view), number_text(quantiles[2], view)
    return f"always {low}" if low == high else f"usually {low} to {high}"


def _second(i, own, second, known: Landmarks, reach: Reaches) -> dict[str, Any] | None:
    if second < 0:
        return None
    return {
        "group": int(second),
        "name": known.names[second],
        "distance": float(reach.distances[i, second]),
        "own_distance": float(reach.distances[i, own]),
        "measure": reach.measure,
    }


def _start(line: dict[str, Any], known: Landmarks) -> str:
    if line["nearest"] < 0:
        return "In no group: there is none."
    if line["group"] < 0:
        return f"In no group; the nearest is group {line['nearest']} ({known.names[line['nearest']]})."
    because = "; ".join(reason["text"] for reason in line["reasons"])
    where = f"In group {line['group']} ({line['name']})"
    return (
        f"{where} because {because}." if because else f"{where}." if line["runner_up"] else f"{where}, the only group."
    )


def _beside(line: dict[str, Any]) -> str | None:
    """Say how much further the runner-up is."""
    second, nearest = line["runner_up"], line["nearest"]
    if second is None:
        return None
    own, other, measure = second["own_distance"], second["distance"], second["measure"]
    whose = f"The {measure} of group {second['group']} ({second['name']})"
    if other < own:
        return f"{whose} lies nearer than that of group {nearest} ({other:.2g} against {own:.2g})."
    if own <= 0.01 * other:
        return f"{whose} lies {other:.2g} away, that of group {nearest} next to the row."
    return f"{whose} lies {_times(other / own)} as far as that of group {nearest} ({other:.2g} against {own:.2g})."


def _times(ratio: float) -> str:
    return "about" if ratio < 1.05 else f"{ratio:.1f} times" if ratio < 10 else f"{ratio:.0f} times"
