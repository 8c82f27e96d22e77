"""A column as the kind that its use asks for: numbers, dates or levels."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .cast import MARKS, MISSING_AMONG_NUMBERS, first_row, shown
from .dates import MICROSECONDS_PER_DAY, dates_from_numbers, looks_like_date, parse_dates
from .decimals import parse_numbers
from .table import Column, Levels, Table

__all__ = ["as_before", "as_date", "as_levels", "as_number"]

_COMMA_DECIMALS = {MARKS[","]: True, MARKS["."]: False, None: None}


def as_before(table: Table, codings: Iterable[Any], more_levels: Mapping[str, Iterable[str]] | None = None) -> Table:
    """Return new rows as the rows were read that a model learnt from, where the new ones alone do not show how to read them.

    Parameters
    ----------
    table : Table
    codings : iterable of Coding
        What was learnt of each column: in which order day and month stand, what the decimal mark is, which levels there are. A level that is
        written otherwise now, since these rows were taken for numbers or dates and those were not, or the reverse, gets its name again.
    more_levels : mapping of str to iterable of str, optional
        By column, levels that have no place of their own in the coding.

    Returns
    -------
    Table
    """
    by_name = {coding.column: coding for coding in codings if coding.used}
    columns = []
    for column in table.columns:
        coding = by_name.get(column.name)
        if coding is None:
            pass
        elif coding.categories:
            column = _renamed(column, [*coding.categories, *(more_levels or {}).get(column.name, ())])
        elif column.kind == "date":
            column = _reordered(column, coding.format)
        elif column.written is not None and column.format != coding.format and coding.format in _COMMA_DECIMALS:
            column = _reread(column, coding.format)
        columns.append(column)
    return replace(table, columns=tuple(columns))


def _reread(column: Column, marks: str) -> Column:
    """Read numbers again whose decimal mark was taken from too few values to tell."""
    assert column.written is not None
    numbers = parse_numbers(column.written.values, _COMMA_DECIMALS[marks], False)
    if isinstance(numbers, str):
        return column
    return replace(column, values=np.append(numbers.values, np.nan)[column.written.codes], format=marks)


def _renamed(column: Column, known: Sequence[str]) -> Column:
    """Call levels as ``known`` does where they are the same number, date or truth, written otherwise."""
    levels, names = as_levels(column), {*known}
    if all(level in names for level in levels.values):
        return column
    forms: dict[str, str | None] = {}
    for name in known:
        form = _form(name)
        forms[form] = None if form in forms else name  # 1 and 01 are two levels if both are known
    called = [level if level in names else forms.get(_form(level)) or level for level in levels.values]
    if called == levels.values:
        return column
    values = np.array([*called, None], object)
    return replace(column, values=values[levels.codes], kind="text", format=None)


def _form(level: str) -> str:
    """Return the one way of writing a number, date or truth that `as_levels` has; other texts as they are."""
    if level in ("False", "True"):
        return str(int(level == "True"))
    if looks_like_date(level):
        date = parse_dates([level], np.zeros(1, np.int64)).values[0]
        return level if np.isnat(date) else _iso(date)
    numbers = parse_numbers([level], None, False)
    value = np.nan if isinstance(numbers, str) else numbers.values[0]
    return f"{value + 0.0:.15g}" if np.isfinite(value) else level


def as_number(column: Column, marks: str | None = None) -> Column:
    """Return the column as numbers; dates become days since 1970, and ``marks`` is the format of a column that settles what 1,234 is.

    Raises
    ------
    InputError
        If a text in it is no number; the message names the first and its row.
    """
    if column.kind == "number":
        return column
    if column.kind == "date":
        days = column.values.astype(np.int64) / MICROSECONDS_PER_DAY
        return Column(
            column.name,
            np.where(column.missing, np.nan, days),
            "number",
            unit="days since 1970-01-01",
            format=column.format,
        )
    levels = column.levels
    numbers = parse_numbers(levels.values, _COMMA_DECIMALS.get(marks), False)
    if isinstance(numbers, str):
        raise InputError(f"column {column.name!r} cannot be used as a number: {numbers}")
    spelled = np.array([value in MISSING_AMONG_NUMBERS for value in levels.values], bool)
    _all_read(column, "number", numbers.unreadable & ~spelled)
    return Column(
        column.name, np.append(numbers.values, np.nan)[levels.codes], "number", unit=numbers.unit or column.unit
    )


def as_date(column: Column, order: str | None = None) -> Column:
    """Return the column as dates, texts such as "03/04/2024" read in the given order of parts.

    Raises
    ------
    InputError
        If a value is no date; the message names the first and its row.
    """
    if column.kind == "date":
        return _reordered(column, order)
    if column.kind == "number":
        dates = dates_from_numbers(["date", "time"], column.values)
        if dates is None:
            if column.n_missing < column.values.size:
                raise InputError(
                    f"column {column.name!r} holds numbers that are no dates (20240131, or seconds since 1970)"
                )
            dates = np.full(column.values.size, np.datetime64("NaT"), "datetime64[us]"), "none"
        return Column(column.name, dates[0], "date", format=dates[1])
    levels = column.levels
    read = parse_dates(levels.values, levels.codes, day_first=order == "day/month/year")
    spelled = np.array([value in MISSING_AMONG_NUMBERS for value in levels.values], bool)
    _all_read(column, "date", np.isnat(read.values) & ~spelled)
    return Column(column.name, np.append(read.values, np.datetime64("NaT"))[levels.codes], "date", format=read.format)


def _reordered(column: Column, order: str | None) -> Column:
    """Read a column again whose order of day and month was taken from too few values to tell."""
    orders = {"day/month/year", "month/day/year"}
    if order == column.format or not {order, column.format} <= orders:
        return column
    days = column.values.astype("datetime64[D]")
    months = column.values.astype("datetime64[M]")
    day = (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    if np.any(day[~column.missing] > 12):
        return column  # its own values settle the order
    month0 = months.astype(np.int64) % 12
    swapped = months - month0 + (np.where(column.missing, 1, day) - 1)
    values = swapped.astype("datetime64[D]") + month0
    return Column(column.name, values + (column.values - days), "date", format=order)


def as_levels(column: Column) -> Levels:
    """Return the different values of a column of any kind as texts: 1.0 becomes "1"."""
    if column.kind == "text":
        return column.levels
    codes = np.full(column.values.size, -1, np.int64)
    known = ~column.missing
    values, codes[known], counts = np.unique(column.values[known], return_inverse=True, return_counts=True)
    texts = (
        [f"{value + 0.0:.15g}" for value in values] if column.kind == "number" else [_iso(value) for value in values]
    )
    return Levels(texts, codes, counts.astype(np.int64))


def _iso(value: np.datetime64) -> str:
    text = str(value)
    return text.removesuffix("T00:00:00.000000").removesuffix(".000000").replace("T", " ")


def _all_read(column: Column, what: str, bad: NDArray[np.bool_]) -> None:
    if not bad.any():
        return
    row, value = first_row(column.levels, bad)
    raise InputError(
        f"column {column.name!r} should hold {what}s, but row {row} has {shown(value)} "
        f"({int(column.levels.counts[bad].sum()):,} such values); correct them or give the column another role"
    )
