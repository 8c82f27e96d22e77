"""From texts to typed columns: every value is counted as read, missing or unreadable, and nothing is lost unsaid.

A column becomes numbers or dates when all of its values, or all but a few, are. The different values are looked at, not the
rows, so that a million rows with a thousand values cost a thousand looks.
"""

import math
import re
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .dates import dates_from_numbers, looks_like_date, parse_dates
from .decimals import number_like, parse_numbers
from .table import Column, Levels, brief, factorize, split_unit

__all__ = [
    "MARKS",
    "MISSING_AMONG_NUMBERS",
    "MISSING_TEXTS",
    "cast_numbers",
    "cast_text",
    "first_row",
    "name_words",
    "shown",
]

MARKS = {",": "decimal comma", ".": "decimal point"}  # what the format of a column of numbers is called
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
MISSING_AMONG_NUMBERS = MISSING_TEXTS | frozenset(
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

# "C536379" among whole numbers: the numbers are codes as well.
_CODE = re.compile(r"[A-Za-z]{1,4}[-_ ]?\d{2,}[A-Za-z]?|\d{2,}[A-Za-z]{1,2}", re.ASCII)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")


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
    values = [value for value in levels.values if value not in MISSING_AMONG_NUMBERS]
    step = max(1, len(values) // 300)
    sample = values[::step]
    if not sample:
        return "text"
    numbers = sum(1 for value in sample if number_like(value))
    if 2 * numbers > len(sample):
        return "number"
    return "date" if 2 * sum(map(looks_like_date, sample)) > len(sample) else "text"


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
    numbers = parse_numbers(levels.values, comma_decimals, comma_default)
    if isinstance(numbers, str):
        return _as_texts(name, levels), [f"{name!r} is kept as text: {numbers}"]
    spelled_missing = np.array([value in MISSING_AMONG_NUMBERS for value in levels.values])
    bad = numbers.unreadable & ~spelled_missing
    n_bad, n_known = int(levels.counts[bad].sum()), int(levels.counts[~spelled_missing].sum())
    if n_bad > max(_MAX_UNREADABLE * n_known, 0):
        return _as_texts(name, levels), [_mixed_note(name, "numbers", levels, bad, n_bad, n_known)]
    codes = [levels.values[i] for i in np.flatnonzero(bad) if _CODE.fullmatch(levels.values[i])]
    if len(codes) >= 3 and 2 * len(codes) > np.count_nonzero(bad):
        return _as_texts(name, levels), [f"{name!r} is kept as text: it holds codes such as {shown(codes[0])}"]
    notes = [f"{name!r}: {remark}" for remark in numbers.remarks]
    if n_bad:
        notes.append(_unreadable_note(name, "number", levels, bad, n_bad))
    if spelled_missing.any():
        notes.append(_spelled_note(name, levels, spelled_missing))
    if numbers.infinite.any():
        notes.append(_infinite_note(name, np.flatnonzero(np.append(numbers.infinite, False)[levels.codes])))
    values = np.append(numbers.values, np.nan)[levels.codes]
    column, more = cast_numbers(name, values, numbers.unit)
    if column.kind == "number" and numbers.mark is not None:
        column = replace(column, format=MARKS[numbers.mark])
        if not numbers.settled:
            vars(column)["written"] = levels
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
    alike = max(widths) >= _SHORTEST_CODE and (len(widths) == 1 or zeros == len(digits))
    words = name_words(name)
    if zeros and (alike or _names_things(words)) and _PLAIN_DATE_NAME.isdisjoint(words):
        return "its digits start with zeros, as those of a code do"
    return None


def _names_things(words: list[str]) -> bool:
    """Say whether a column is named like one of names, where 007 and 7 are two things: user, item_id, zipcode."""
    return any({word, word.removesuffix("id"), word.removesuffix("code")} & _NAMING for word in words)


_SHORTEST_CODE = 4  # digits: shorter numbers may well be written with zeros, as months and hours are
_PLAIN_DATE_NAME = {"date", "day", "year", "month"}
_NAMING = {
    "id", "ids", "code", "codes", "key", "sku", "ean", "upc", "gtin", "isbn", "barcode", "zip", "post", "plz", "phone",
    "user", "customer", "client", "member", "account", "person", "patient", "employee", "item", "product", "article", "stock",
    "film", "movie", "song", "track", "book", "store", "shop", "order", "invoice", "node",
}  # fmt: skip


def _as_dates(name: str, levels: Levels, day_first: bool) -> tuple[Column, list[str]]:
    read = parse_dates(levels.values, levels.codes, day_first=day_first or None)
    spelled_missing = np.array([value in MISSING_AMONG_NUMBERS for value in levels.values])
    bad = np.isnat(read.values) & ~spelled_missing
    n_bad, n_known = int(levels.counts[bad].sum()), int(levels.counts[~spelled_missing].sum())
    if n_bad > _MAX_UNREADABLE * n_known:
        return _as_texts(name, levels), [_mixed_note(name, "dates", levels, bad, n_bad, n_known)]
    notes = [] if read.note is None else [f"the dates in {name!r} {read.note}"]
    if n_bad:
        notes.append(_unreadable_note(name, "date", levels, bad, n_bad))
    values = np.append(read.values, np.datetime64("NaT"))[levels.codes]
    return Column(name, values, "date", format=read.format), notes


def first_row(levels: Levels, which: NDArray[np.bool_]) -> tuple[int, str]:
    """Return the first row that has one of the marked values, and the value."""
    row = int(np.flatnonzero(np.append(which, False)[levels.codes])[0])
    return row, levels.values[levels.codes[row]]


def _unreadable_note(name: str, what: str, levels: Levels, bad: NDArray[np.bool_], n_bad: int) -> str:
    row, value = first_row(levels, bad)
    values = "1 value is" if n_bad == 1 else f"{n_bad:,} values are"
    return f"{name!r}: {values} not a {what} and count as missing (the first is {shown(value)} in row {row})"


def _mixed_note(name: str, what: str, levels: Levels, bad: NDArray[np.bool_], n_bad: int, n_known: int) -> str:
    row, value = first_row(levels, bad)
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
    return repr(brief(value, most))
