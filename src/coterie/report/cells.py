"""Values as the fields of a CSV file (RFC 4180): quoted only where needed, numbers with so many figures, formulas defused."""

import math
import numbers
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["cell", "csv_text", "field", "number", "plain_text", "write_rows", "write_text"]

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write fields that are quoted already where they need it; half of a surrogate pair becomes an escape."""
    with open(path, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        file.write(",".join(map(field, header)) + "\n")
        file.writelines(",".join(row) + "\n" for row in rows)


def csv_text(header: Sequence[str], lines: Iterable[Iterable[Any]], *, excel_safe: bool = False) -> str:
    """Return lines of any values as the text of a CSV file.

    Parameters
    ----------
    header : sequence of str
    lines : iterable of iterables
        As long as the header.
    excel_safe : bool, default=False
        Defuse texts that a spreadsheet would run as formulas.

    Returns
    -------
    str
    """
    rows = (",".join(cell(value, excel_safe) for value in line) for line in (header, *lines))
    return "\n".join([*rows, ""]).encode("utf-8", "backslashreplace").decode()


def write_text(path: Path, text: str) -> None:
    """Write a text into a folder of results, the same on all systems."""
    path.write_text(text, encoding="utf-8", newline="\n")


def cell(value: Any, excel_safe: bool = False, figures: int = 10) -> str:
    """Return any value as a field: numbers with so many significant figures, truth as yes or no, what is not known empty."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if not isinstance(value, numbers.Real):
        return field(plain_text(value, excel_safe))
    if not math.isfinite(value):
        return ""
    # Whole numbers as they are: a bound of a rule that is rounded is another rule.
    return plain_text(value if value == round(value) else float(f"{value:.{figures}g}"))


def field(text: str) -> str:
    """Return a text with quotes around it where a reader would else split it."""
    # The csv module leaves a lone carriage return unquoted where lines end with LF, and readers then see two lines.
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"\r\n') else text


def number(value: float) -> str:
    """Return a number with six significant figures, NaN as an empty field."""
    return "" if value != value else f"{value:.6g}"


def plain_text(value: Any, excel_safe: bool = False) -> str:
    """Return a value as text; with ``excel_safe``, an apostrophe keeps a spreadsheet from running it as a formula."""
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    text = str(value)
    if excel_safe and text.startswith(_FORMULA_STARTS) and not isinstance(value, float | int):
        return "'" + text
    return text
