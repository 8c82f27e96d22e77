"""Original columns as a study looks at them, and their values as words.

A ``View`` holds one used column as numbers (numbers, dates in seconds since 1970, yes/no as 0 and 1), as codes into its levels, or,
for free text, as the words that each row says, so that describing and finding rules need not know how the table stores it.
"""

import datetime
from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np

from ..tables.convert import as_date, as_levels, as_number
from ..tables.table import brief
from ..tables.texts import says

__all__ = ["MAX_LEVELS", "View", "cell", "exact_date", "look", "number_text", "seen_values", "views_of"]

# Numbers with at most this many different values, none of them fractional, read better as levels when they were coded so.
MAX_LEVELS = 200
# Of a column of texts so many words are told of, those that say most about how the texts differ.
MAX_WORDS = 100


class View(NamedTuple):
    """One original column: ``kind`` is "number", "date", "category" or "text"; one of ``numbers``, ``codes``, ``words`` is filled."""

    name: str
    kind: str
    unit: str | None
    numbers: np.ndarray
    codes: np.ndarray
    levels: tuple[str, ...]  # of a category; the words of a text
    words: np.ndarray = np.empty((0, 0), bool)  # (n, levels) which of them a row says
    missing: np.ndarray = np.empty(0, bool)  # (n,) of a text, for it says nothing then either


def seen_values(view: View) -> np.ndarray:
    """Return what is filled: numbers, codes or words, a row of the table in each place."""
    return view.words if view.kind == "text" else view.codes if view.kind == "category" else view.numbers


def views_of(table, codings, *, also: Collection[str] = (), max_levels: int = MAX_LEVELS) -> list[View]:
    """Return a view of every column that the preparation used, and of those in ``also``.

    Parameters
    ----------
    table : Table
    codings : sequence of Coding
        From ``Prepared.codings``: the role decides between numbers and levels.
    also : collection of str
        Columns that describe the groups without forming them.
    max_levels : int
        Levels beyond the most frequent ones are one level, "other values".
    """
    return [
        look(table.column(coding.column), coding, max_levels)
        for coding in codings
        if coding.used or coding.column in also
    ]


def look(column, coding, max_levels: int = MAX_LEVELS) -> View:
    """Return the view of one column, read in the role that the preparation gave it."""
    unit = coding.unit or column.unit
    none = np.empty(0)
    if coding.role == "category":
        return _levels(column, unit, max_levels)
    if coding.role == "date":
        days = as_number(as_date(column, coding.format)).values
        return View(column.name, "date", None, days * 86400.0, none, ())
    if coding.text is not None:
        told = coding.text.terms[:MAX_WORDS]
        texts = as_levels(column)
        return View(column.name, "text", None, none, none, told, says(told, texts), texts.codes < 0)
    return View(column.name, "number", unit, as_number(column).values, none, ())


def _levels(column, unit: str | None, max_levels: int) -> View:
    found = as_levels(column)
    names, codes = [brief(str(value)) for value in found.values], found.codes
    if len(names) > max_levels:
        keep = np.argsort(-np.asarray(found.counts), kind="stable")[: max_levels - 1]
        number = np.full(len(names) + 1, max_levels - 1)
        number[keep], number[-1] = np.arange(len(keep)), -1
        names, codes = [*(names[i] for i in keep), "other values"], number[codes]
    return View(column.name, "category", unit, np.empty(0), np.asarray(codes, dtype=np.int64), tuple(names))


def number_text(value: float, view: View | None = None) -> str:
    """Write a number for people: three figures that matter, thousands separated, with the column's unit; a date as a day."""
    if view is not None and view.kind == "date":
        return _date_text(value)
    text = _figures(float(value))
    unit = view.unit if view is not None else None
    if not unit:
        return text
    return f"{unit}{text}" if unit in "$€£¥" else f"{text} {unit}"


def exact_date(seconds: float) -> str:
    """Return a moment (seconds since 1970) as ISO 8601, to the microsecond where it has a part of a second."""
    moment = np.datetime64(round(float(seconds) * 1e6), "us")
    return str(moment).removesuffix(".000000")


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
