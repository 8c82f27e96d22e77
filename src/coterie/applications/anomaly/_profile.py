"""The kinds of normal rows in the data's own units: what is usual in each, and in what they differ."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...tables import Table
from ...tables.convert import as_date, as_levels, as_number

__all__ = ["constants_of", "is_usual", "kind_names", "profile_of", "usual_text", "value_text"]

_OUTER = (0.01, 0.5, 0.99)
_MOST_LEVELS = 6
_RARE = 0.01  # share of the rows of a kind below which a level is not usual
_TELLING = 0.75  # spreads, or share of rows, from which a column names a kind


def profile_of(table: Table, kinds: np.ndarray, codings: Sequence[Any], n_kinds: int) -> list[dict[str, Any]]:
    """Return what is usual in each kind of normal rows.

    Parameters
    ----------
    table : Table
        History.
    kinds : (n,) int64 array
        Kind of each row.
    codings : sequence of Coding
        Of the used columns.
    n_kinds : int

    Returns
    -------
    list of dict
        For each kind ``rows`` and ``columns``: by column name ``[low, middle, high]``, of which 98 % of the rows lie between the
        outer two, or ``{level: share}`` of the most frequent. Dates are days since 1970. JSON values only.
    """
    found: list[dict[str, Any]] = [{"rows": int((kinds == k).sum()), "columns": {}} for k in range(n_kinds)]
    for coding in codings:
        column = table.column(coding.column)
        for k, usual in enumerate(_usual(column, coding, kinds, n_kinds)):
            found[k]["columns"][coding.column] = usual
    return found


def _usual(column: Any, coding: Any, kinds: np.ndarray, n_kinds: int) -> list[Any]:
    if coding.role in ("category", "text"):
        levels = as_levels(column)
        return [_frequent(levels.values, levels.codes[kinds == k]) for k in range(n_kinds)]
    values = as_number(as_date(column) if coding.role == "date" else column).values
    parts = [values[(kinds == k) & np.isfinite(values)] for k in range(n_kinds)]
    return [np.quantile(part, _OUTER).tolist() if len(part) else None for part in parts]


def _frequent(values: list[str], codes: np.ndarray) -> dict[str, float]:
    counts = np.bincount(codes[codes >= 0], minlength=len(values))
    order = np.argsort(-counts, kind="stable")[:_MOST_LEVELS]
    return {values[i]: float(counts[i] / max(1, len(codes))) for i in order if counts[i]}


def kind_names(profile: Sequence[Mapping[str, Any]], codings: Sequence[Any]) -> list[str]:
    """Return a name for each kind: what sets it apart from history as a whole, or "usual rows"."""
    if len(profile) == 1:
        return ["usual rows"]
    names = [_name(kind["columns"], profile, codings) or f"kind {i}" for i, kind in enumerate(profile)]
    return [name if names.count(name) == 1 else f"{name} ({i})" for i, name in enumerate(names)]


def _name(columns: Mapping[str, Any], profile: Sequence[Mapping[str, Any]], codings: Sequence[Any]) -> str:
    rows = np.array([kind["rows"] for kind in profile], float)
    telling = []
    for coding in codings:
        usual, everywhere = columns[coding.column], [kind["columns"][coding.column] for kind in profile]
        if isinstance(usual, dict) and usual:
            level, share = next(iter(usual.items()))
            overall = float(np.average([one.get(level, 0.0) for one in everywhere], weights=rows))
            telling.append((share - overall, f"{coding.column} {level}"))
        elif usual and coding.role == "number" and all(everywhere):
            middle = float(np.average([one[1] for one in everywhere], weights=rows))
            apart = (usual[1] - middle) / (coding.spread or 1.0)
            telling.append((abs(apart), f"{'high' if apart > 0 else 'low'} {coding.column}"))
    telling.sort(key=lambda pair: -pair[0])
    return ", ".join(name for size, name in telling[:2] if size >= _TELLING * min(1.0, telling[0][0]) and size > 0.1)


def usual_text(usual: Any, role: str) -> str:
    """Return what is usual in words: "10.1 to 25.3", "idle or busy"."""
    if usual is None:
        return "nothing known"
    if isinstance(usual, Mapping):
        levels = [level for level, share in usual.items() if share >= _RARE] or list(usual)[:1]
        return " or ".join(levels[:3]) or "missing"
    low, high = (value_text(value, role) for value in (usual[0], usual[2]))
    return low if low == high else f"{low} to {high}"


def is_usual(value: Any, usual: Any) -> bool:
    """Return whether a value by itself is one that rows of history have; a date is a text, its days since 1970 are usual."""
    if usual is None or value is None:
        return False
    if isinstance(usual, Mapping):
        return usual.get(value_text(value, "text"), 0.0) >= _RARE
    day = np.datetime64(value, "D").astype(np.int64) if isinstance(value, str) else value
    return bool(usual[0] <= day <= usual[2])


def value_text(value: Any, role: str) -> str:
    """Return one value in words, "missing" where there is none."""
    if value is None or value != value:
        return "missing"
    if role == "date":
        return str(np.datetime64("1970-01-01") + round(float(value)))
    return f"{value:.4g}" if isinstance(value, float | int) else str(value)


def constants_of(table: Table, codings: Sequence[Any]) -> dict[str, str]:
    """Return the one value of each column that has no other in history, as text, by column name."""
    found = {}
    for coding in codings:
        levels = as_levels(table.column(coding.column)) if not coding.used and coding.role != "ignored" else None
        if levels is not None and len(levels.values) == 1 and not (levels.codes < 0).any():
            found[coding.column] = levels.values[0]
    return found
