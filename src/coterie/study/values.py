"""Original columns as a study looks at them, and their values as words.

A ``View`` holds one used column either as numbers (numbers, dates in seconds since 1970, yes/no as 0 and 1) or as codes into
its levels, so that describing and finding rules need not know how the table stores it.
"""

import datetime
from typing import Any, NamedTuple

import numpy as np

__all__ = ["View", "cell", "look", "number_text", "views_of"]

# Numbers with at most this many different values, none of them fractional, read better as levels when they were coded so.
MAX_LEVELS = 200


class View(NamedTuple):
    """One original column: ``kind`` is "number", "date" or "category"; exactly one of ``numbers``, ``codes`` is filled."""

    name: str
    kind: str
    unit: str | None
    numbers: np.ndarray
    codes: np.ndarray
    levels: tuple[str, ...]


def views_of(table, codings, *, max_levels: int = MAX_LEVELS) -> list[View]:
    """Return a view of every column that the preparation used.

    Parameters
    ----------
    table : Table
    codings : sequence of Coding
        From ``Prepared.codings``: the role decides between numbers and levels.
    max_levels : int
        Levels beyond the most frequent ones are one level, "other values".
    """
    return [look(table.column(coding.column), coding, max_levels) for coding in codings if coding.used]


def look(column, coding, max_levels: int = MAX_LEVELS) -> View:
    """Return the view of one column."""
    unit = getattr(coding, "unit", None) or column.unit
    values = column.values
    none = np.empty(0)
    if np.issubdtype(values.dtype, np.datetime64):
        seconds = values.astype("datetime64[us]").astype(np.float64) / 1e6
        seconds[np.isnat(values)] = np.nan
        return View(column.name, "date", None, seconds, none, ())
    if coding.role == "category" or values.dtype == object:
        return _levels(column.name, unit, values, max_levels)
    return View(column.name, "number", unit, np.asarray(values, dtype=np.float64), none, ())


def _levels(name: str, unit: str | None, values: np.ndarray, max_levels: int) -> View:
    if values.dtype == object:
        missing = np.array([value is None or value != value for value in values], dtype=bool)
        words = np.where(missing, "", values).astype(str)
    else:
        missing = np.isnan(values)
        known, inverse = np.unique(np.where(missing, 0.0, values), return_inverse=True)
        words = np.array([f"{value:g}" for value in known])[inverse]
    levels, codes = np.unique(words[~missing], return_inverse=True)
    if len(levels) > max_levels:
        keep = np.argsort(-np.bincount(codes), kind="stable")[: max_levels - 1]
        number = np.full(len(levels), max_levels - 1)
        number[keep] = np.arange(len(keep))
        levels, codes = np.append(levels[keep], "other values"), number[codes]
    full = np.full(len(values), -1)
    full[~missing] = codes
    return View(name, "category", unit, np.empty(0), full, tuple(str(level) for level in levels))


def number_text(value: float, view: View | None = None) -> str:
    """Write a number for people: three figures that matter, thousands separated, with the column's unit; a date as a day."""
    if view is not None and view.kind == "date":
        return _date_text(value)
    text = _figures(float(value))
    unit = view.unit if view is not None else None
    if not unit:
        return text
    return f"{unit}{text}" if unit in "$€£¥" else f"{text} {unit}"


def cell(values: np.ndarray, row: int) -> Any:
    """Return one value of a column as JSON can hold it: number, text, ISO date or None."""
    value = values[row]
    if isinstance(value, np.datetime64):
        return (
            None if np.isnat(value) else str(value.astype("datetime64[s]")).replace("T00:00:00", "").replace("T", " ")
        )
    if value is None or isinstance(value, str):
        return value if value is None or len(value) <= 200 else value[:199] + "…"
    number = float(value)
    return None if not np.isfinite(number) else int(number) if number.is_integer() and abs(number) < 1e15 else number


def _figures(value: float) -> str:
    if not np.isfinite(value):
        return "unknown"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}" if size < 1e9 else f"{value:.3g}"
    if size >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.3g}"


def _date_text(seconds: float) -> str:
    if not np.isfinite(seconds):
        return "unknown"
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=float(seconds))
    return moment.strftime("%Y-%m-%d")
