"""From texts to typed columns: every value is counted as read, missing or unreadable, and nothing is lost unsaid.

A column becomes numbers or dates when all of its values, or all but a few, are. The different values are looked at, not the
rows, so that a million rows with a thousand values cost a thousand looks.
"""

import math
import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .dates import MICROSECONDS_PER_DAY, dates_from_numbers, looks_like_date, parse_dates
from .table import Column, Levels, factorize, split_unit

__all__ = ["MISSING_TEXTS", "as_date", "as_levels", "as_number", "cast_numbers", "cast_text", "name_words"]

# Always missing.
MISSING_TEXTS = frozenset(
    [
        "",
        "NA",
        "N/A",
        "n/a",
        "na",
        "#N/A",
        "#NA",
        "<NA>",
        "NULL",
        "Null",
        "null",
        "NaN",
        "nan",
        "-NaN",
        "-nan",
        "NaT",
        "?",
    ]
)
# Missing where the rest of the column is numbers or dates; a value like any other among texts.
_MISSING_AMONG_NUMBERS = MISSING_TEXTS | frozenset(
    [
        "-",
        "--",
        "—",
        ".",
        "..",
        "...",
        "none",
        "None",
        "NONE",
        "nil",
        "n.a.",
        "n.d.",
        "unknown",
        "Unknown",
        "missing",
        "Missing",
        "#DIV/0!",
        "#VALUE!",
        "#REF!",
        "#NUM!",
        "#NAME?",
    ]
)
# A column with up to this share of unreadable values is still numbers; the values are named in a note.
_MAX_UNREADABLE = 0.05
_LONGEST_EXACT = 15  # digits a float64 holds exactly

_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_INFINITE = re.compile(r"[+-]?(?:inf|infinity|∞)", re.IGNORECASE)
_MONEY = r"[$€£¥₹₽₩₺]|US\$|EUR|USD|GBP|CHF|JPY|CNY|SEK|NOK|DKK|PLN|CZK|kr|zł"
_DECORATED = re.compile(
    rf"(?P<paren>\()?\s*(?P<sign>[+\-−–])?\s*(?P<before>{_MONEY})?\s*(?P<sign2>[+\-−])?\s*"
    r"(?P<body>\d[\d.,'\u2019 \u00a0\u202f\u2009]*|[.,]\d+)(?P<exponent>[eE][+-]?\d+)?"
    rf"\s*(?P<after>%|{_MONEY})?\s*(?P<close>\))?",
    re.ASCII,
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")


class Numbers(NamedTuple):
    """What the different texts of a column are as numbers."""

    values: NDArray[np.float64]  # NaN where missing or unreadable
    unreadable: NDArray[np.bool_]
    infinite: NDArray[np.bool_]
    unit: str | None
    remarks: list[str]  # on decimal marks and the like


def name_words(name: str) -> list[str]:
    """Split a column's name into lower-case words: "CustomerID" gives ["customer", "id"]."""
    return [word.lower() for word in _WORD.findall(name)]


def cast_text(
    name: str, values: NDArray | list, *, comma_decimals: bool | None = None, comma_default: bool = False
) -> tuple[Column, list[str]]:
    """Turn texts into a column of numbers, dates or texts.

    Parameters
    ----------
    name : str
        Of the column; a unit in it is split off into ``Column.unit`` but stays in the name.
    values : (n,) sequence of str or None
    comma_decimals : bool, optional
        What other columns of the file say about "1,234".
    comma_default : bool, default=False
        How to read "1,234" when nothing says.

    Returns
    -------
    column : Column
    notes : list of str
        What was decided that a reader may not expect, one sentence each.
    """
    levels = factorize(values)
    kept = _kept_codes(levels)
    levels = _stripped(levels, kept)
    kind = "text"
    notes: list[str] = []
    if levels.values:
        kind = _likely_kind(levels)
    if kind == "number":
        column, notes = _as_numbers(name, levels, comma_decimals, comma_default)
    elif kind == "date":
        column, notes = _as_dates(name, levels, bool(comma_decimals))
    else:
        column = _as_texts(name, levels)
        if kept:
            notes.append(
                f"{name!r}: {', '.join(sorted(kept))} is kept as a value, for the others are codes of two letters too"
            )
    return column, notes


def cast_numbers(name: str, values: NDArray[np.float64], unit: str | None = None) -> tuple[Column, list[str]]:
    """Make a column of float64 values; infinities become missing, dates are recognised by name; both are said."""
    notes: list[str] = []
    infinite = np.isinf(values)
    if infinite.any():
        notes.append(_infinite_note(name, np.flatnonzero(infinite)))
        values = np.where(infinite, np.nan, values)
    dates = dates_from_numbers(name_words(name), values)
    if dates is not None:
        notes.append(f"{name!r} holds dates written as {dates[1]}")
        return Column(name, dates[0], "date", format=dates[1]), notes
    return Column(name, values, "number", unit=unit or split_unit(name)[1]), notes


def _kept_codes(levels: Levels) -> frozenset[str]:
    """Return "NA" where it is Namibia, or another code among codes of two capital letters."""
    if "NA" not in levels.values:
        return frozenset()
    others = [value for value in levels.values if value not in MISSING_TEXTS]
    codes = sum(len(value) == 2 and value.isalpha() and value.isupper() for value in others)
    return frozenset(["NA"]) if len(others) >= 8 and codes == len(others) else frozenset()


def _stripped(levels: Levels, kept: frozenset[str]) -> Levels:
    """Strip the different values and take out the ones that stand for "missing"."""
    values = [value.strip() for value in levels.values]
    missing = MISSING_TEXTS - kept
    if values == levels.values and not missing.intersection(values):
        return levels
    merged = factorize([None if value in missing else value for value in values])
    lookup = np.append(merged.codes, -1)
    codes = lookup[levels.codes]
    counts = np.bincount(codes[codes >= 0], minlength=len(merged.values)).astype(np.int64)
    return Levels(merged.values, codes, counts)


def _likely_kind(levels: Levels) -> str:
    """Look at a few hundred of the different values: numbers, dates or texts."""
    values = [value for value in levels.values if value not in _MISSING_AMONG_NUMBERS]
    step = max(1, len(values) // 300)
    sample = values[::step]
    if not sample:
        return "text"
    numbers = sum(1 for value in sample if _number_like(value))
    if 2 * numbers > len(sample):
        return "number"
    return "date" if 2 * sum(map(looks_like_date, sample)) > len(sample) else "text"


def _number_like(value: str) -> bool:
    return bool(_PLAIN.fullmatch(value) or _DECORATED.fullmatch(value) or _INFINITE.fullmatch(value)) and not (
        looks_like_date(value)
    )


def _as_texts(name: str, levels: Levels) -> Column:
    values = np.empty(len(levels.values) + 1, object)
    values[:-1] = levels.values
    values[-1] = None
    column = Column(name, values[levels.codes], "text")
    vars(column)["levels"] = levels  # already known: spares a second pass
    return column


def _as_numbers(
    name: str, levels: Levels, comma_decimals: bool | None, comma_default: bool
) -> tuple[Column, list[str]]:
    code = _code_reason(name, levels)
    if code is not None:
        return _as_texts(name, levels), [f"{name!r} is kept as text: {code}"]
    numbers = _parse_numbers(levels.values, comma_decimals, comma_default)
    if isinstance(numbers, str):
        return _as_texts(name, levels), [f"{name!r} is kept as text: {numbers}"]
    spelled_missing = np.array([value in _MISSING_AMONG_NUMBERS for value in levels.values])
    bad = numbers.unreadable & ~spelled_missing
    n_bad, n_known = int(levels.counts[bad].sum()), int(levels.counts[~spelled_missing].sum())
    if n_bad > max(_MAX_UNREADABLE * n_known, 0):
        return _as_texts(name, levels), [_mixed_note(name, "numbers", levels, bad, n_bad, n_known)]
    notes = [f"{name!r}: {remark}" for remark in numbers.remarks]
    if n_bad:
        notes.append(_unreadable_note(name, "number", levels, bad, n_bad))
    if spelled_missing.any():
        notes.append(_spelled_note(name, levels, spelled_missing))
    if numbers.infinite.any():
        notes.append(_infinite_note(name, np.flatnonzero(np.append(numbers.infinite, False)[levels.codes])))
    values = np.append(numbers.values, np.nan)[levels.codes]
    column, more = cast_numbers(name, values, numbers.unit)
    return column, notes + more


def _code_reason(name: str, levels: Levels) -> str | None:
    """Say why digits are a code rather than a number, or None."""
    digits = [value for value in levels.values if value.isdigit() and value.isascii()]
    if 2 * len(digits) < len(levels.values):
        return None
    widths = {len(value) for value in digits}
    if max(widths) > _LONGEST_EXACT:
        return f"its digits are more than {_LONGEST_EXACT}, so a number would not hold them exactly"
    zeros = sum(value[0] == "0" and len(value) > 1 for value in digits)
    if (
        zeros
        and (len(widths) == 1 or zeros == len(digits))
        and max(widths) >= 4
        and _PLAIN_DATE_NAME.isdisjoint(name_words(name))
    ):
        return "its digits start with zeros, as those of a code do"
    return None


_PLAIN_DATE_NAME = {"date", "day", "year", "month"}


def _parse_numbers(texts: list[str], comma_decimals: bool | None, comma_default: bool) -> Numbers | str:
    """Read texts as numbers, or say why they cannot be numbers of one kind."""
    n = len(texts)
    values, infinite, unreadable = np.full(n, np.nan), np.zeros(n, bool), np.zeros(n, bool)
    decorated = []
    for i, text in enumerate(texts):
        if _PLAIN.fullmatch(text):
            values[i] = float(text)
        elif _INFINITE.fullmatch(text):
            infinite[i] = True
        else:
            decorated.append(i)
    infinite |= np.isinf(values)  # 1e400
    values[infinite] = np.nan
    plain = [i for i in range(n) if "." in texts[i] and not np.isnan(values[i])]
    matches = {i: match for i in decorated if (match := _DECORATED.fullmatch(texts[i])) and _balanced(match)}
    unreadable[[i for i in decorated if i not in matches]] = True
    if not matches and not (comma_decimals and plain):
        return Numbers(values, unreadable, infinite, None, [])
    bodies = [match["body"] for match in matches.values()] + [texts[i].lstrip("+-") for i in plain]
    mark = _decimal_mark(bodies, comma_decimals, comma_default)
    if mark is None:
        return "some values use a decimal comma and some a decimal point"
    unit = _one_unit(matches.values(), n_plain=n - len(decorated), zeros=int(np.count_nonzero(values == 0)))
    if unit is not None and unit[0] == "!":
        return unit[1:]
    for i, match in matches.items():
        values[i] = _value(match, mark)
        unreadable[i] = np.isnan(values[i])
    remarks = []
    if mark == ",":
        remarks.append("the comma is read as the decimal mark")
        for i in plain:  # "1.234" beside decimal commas
            match = _DECORATED.fullmatch(texts[i])
            values[i] = np.nan if match is None else _value(match, mark)
            unreadable[i] = np.isnan(values[i])
    elif any("," in body for body in bodies):
        remarks.append("commas are read as thousands separators")
    if unit is not None:
        remarks.append(f"values are in {unit}")
    return Numbers(values, unreadable, infinite, unit, remarks)


def _balanced(match: re.Match) -> bool:
    return bool(match["paren"]) == bool(match["close"]) and not (match["sign"] and match["sign2"])


def _decimal_mark(bodies: list[str], comma_decimals: bool | None, comma_default: bool) -> str | None:
    """Return "." or ",": whichever the values themselves show, else what the file shows; None if they contradict."""
    comma = any(_shows_decimal(body, ",", ".") for body in bodies)
    point = any(_shows_decimal(body, ".", ",") for body in bodies)
    if comma and point:
        return None
    if comma or point:
        return "," if comma else "."
    if comma_decimals is not None:
        return "," if comma_decimals else "."
    return "," if comma_default and any("," in body for body in bodies) else "."


def _shows_decimal(body: str, mark: str, other: str) -> bool:
    """Say whether ``mark`` can only be the decimal mark here: "1,5", "0,125", "12345,678", "1.234,567", "1.234.567"."""
    if body.count(other) > 1:
        return True
    if body.count(mark) != 1:
        return False
    whole, _, fraction = body.partition(mark)
    whole = re.sub(r"[\s'’]", "", whole)
    if other in whole:
        return True
    return other not in fraction and (len(fraction.strip()) != 3 or len(whole) > 3 or whole in ("", "0"))


def _one_unit(matches, n_plain: int, zeros: int) -> str | None:
    units = {match["before"] or match["after"] for match in matches}
    if len(units - {None}) > 1:
        return f"!its values are in different units ({', '.join(sorted(units - {None}))})"
    if "%" in units and (None in units or n_plain > zeros):
        return "!some of its values are per cent and some are not"
    return next(iter(units - {None}), None)


def _value(match: re.Match, mark: str) -> float:
    body = re.sub(r"[\s'’]", "", match["body"])
    thousands = "." if mark == "," else ","
    whole, _, fraction = body.partition(mark)
    groups = whole.split(thousands)
    if thousands in fraction or mark in fraction:
        return math.nan
    if len(groups) > 1 and (not 1 <= len(groups[0]) <= 3 or any(len(group) not in (2, 3) for group in groups[1:])):
        return math.nan
    if len(groups) > 1 and len(groups[-1]) != 3:  # groups of two are Indian (12,34,567); the last is always three
        return math.nan
    number = float(("".join(groups) or "0") + "." + (fraction or "0") + (match["exponent"] or ""))
    negative = (match["sign"] or match["sign2"] or "+") in "-−–" or match["paren"]
    return -number if negative else number


def _as_dates(name: str, levels: Levels, day_first: bool) -> tuple[Column, list[str]]:
    read = parse_dates(levels.values, levels.codes, day_first=day_first or None)
    spelled_missing = np.array([value in _MISSING_AMONG_NUMBERS for value in levels.values])
    bad = np.isnat(read.values) & ~spelled_missing
    n_bad, n_known = int(levels.counts[bad].sum()), int(levels.counts[~spelled_missing].sum())
    if n_bad > _MAX_UNREADABLE * n_known:
        return _as_texts(name, levels), [_mixed_note(name, "dates", levels, bad, n_bad, n_known)]
    notes = [] if read.note is None else [f"the dates in {name!r} {read.note}"]
    if n_bad:
        notes.append(_unreadable_note(name, "date", levels, bad, n_bad))
    values = np.append(read.values, np.datetime64("NaT"))[levels.codes]
    return Column(name, values, "date", format=read.format), notes


def _first_row(levels: Levels, which: NDArray[np.bool_]) -> tuple[int, str]:
    row = int(np.flatnonzero(np.append(which, False)[levels.codes])[0])
    return row, levels.values[levels.codes[row]]


def _unreadable_note(name: str, what: str, levels: Levels, bad: NDArray[np.bool_], n_bad: int) -> str:
    row, value = _first_row(levels, bad)
    values = "1 value is" if n_bad == 1 else f"{n_bad:,} values are"
    return f"{name!r}: {values} not a {what} and count as missing (the first is {shown(value)} in row {row})"


def _mixed_note(name: str, what: str, levels: Levels, bad: NDArray[np.bool_], n_bad: int, n_known: int) -> str:
    row, value = _first_row(levels, bad)
    share = math.floor(100 * (1 - n_bad / n_known))
    return f"{name!r} is kept as text: {share} % of its values are {what}, but {n_bad:,} are not (such as {shown(value)} in row {row})"


def _spelled_note(name: str, levels: Levels, spelled: NDArray[np.bool_]) -> str:
    words = ", ".join(shown(levels.values[i]) for i in np.flatnonzero(spelled)[:4])
    return f"{name!r}: {int(levels.counts[spelled].sum()):,} values written {words} count as missing"


def _infinite_note(name: str, rows: NDArray[np.int64]) -> str:
    values = "1 infinite value counts" if rows.size == 1 else f"{rows.size:,} infinite values count"
    return f"{name!r}: {values} as missing (first in row {rows[0]})"


def shown(value: str, most: int = 40) -> str:
    """Quote a value for a message, shortened."""
    return repr(value if len(value) <= most else value[: most - 1] + "…")


def as_number(column: Column) -> Column:
    """Return the column as numbers; dates become days since 1970.

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
    numbers = _parse_numbers(levels.values, None, False)
    if isinstance(numbers, str):
        raise InputError(f"column {column.name!r} cannot be used as a number: {numbers}")
    spelled = np.array([value in _MISSING_AMONG_NUMBERS for value in levels.values], bool)
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
    spelled = np.array([value in _MISSING_AMONG_NUMBERS for value in levels.values], bool)
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
    row, value = _first_row(column.levels, bad)
    raise InputError(
        f"column {column.name!r} should hold {what}s, but row {row} has {shown(value)} "
        f"({int(column.levels.counts[bad].sum()):,} such values); correct them or give the column another role"
    )
