"""Values as the fields of a CSV file (RFC 4180): quoted only where needed, numbers with six figures, formulas defused."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["field", "number", "plain_text", "write_rows"]

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write fields that are quoted already where they need it; half of a surrogate pair becomes an escape."""
    with open(path, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        file.write(",".join(map(field, header)) + "\n")
        file.writelines(",".join(row) + "\n" for row in rows)


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
