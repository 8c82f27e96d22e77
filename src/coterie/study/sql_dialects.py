"""How four dialects of SQL write names, texts, numbers and moments.

Whatever a column or a level is called, it stays a name or a text: quotes inside are doubled, and nothing else can end them in any of
the four (PostgreSQL with standard_conforming_strings, its default since 9.1).
"""

from typing import Any, NamedTuple

from ..errors import InputError, UnsupportedError

__all__ = ["DIALECTS", "Dialect", "days_of", "dialect_called", "name", "number", "remark", "text"]


class Dialect(NamedTuple):
    """What differs between databases; ``{}`` stands for the expression."""

    double: str  # as a number
    string: str  # as a text, NULL where it is empty
    days: str | None  # days since 1970 of a date or a moment


_MOMENT = "EXTRACT(EPOCH FROM CAST({} AS TIMESTAMP)) / 86400.0"
DIALECTS = {
    "ansi": Dialect("CAST({} AS DOUBLE PRECISION)", "NULLIF(TRIM(CAST({} AS VARCHAR(4000))), '')", None),
    "duckdb": Dialect("TRY_CAST({} AS DOUBLE)", "NULLIF(TRIM(CAST({} AS VARCHAR)), '')", f"CAST({_MOMENT} AS DOUBLE)"),
    # Numbers may stand there as texts, some of them blank; a blank would be an error in PostgreSQL, and 0 in SQLite.
    "postgres": Dialect(
        "CAST(CASE WHEN TRIM(CAST({0} AS TEXT)) = '' THEN NULL ELSE {0} END AS DOUBLE PRECISION)",
        "NULLIF(TRIM(CAST({} AS TEXT)), '')",
        f"CAST({_MOMENT} AS DOUBLE PRECISION)",
    ),
    "sqlite": Dialect(
        "CAST(CASE WHEN TRIM({0}) = '' THEN NULL ELSE {0} END AS REAL)",
        "NULLIF(TRIM(CAST({} AS TEXT)), '')",
        "(julianday({}) - 2440587.5)",
    ),
}


def dialect_called(dialect: str) -> Dialect:
    """Return the dialect of that name.

    Raises
    ------
    InputError
        If there is none.
    """
    if dialect not in DIALECTS:
        raise InputError(f"dialect must be one of {', '.join(DIALECTS)}, got {dialect!r}")
    return DIALECTS[dialect]


def days_of(dialect: Dialect, expression: str, column: str) -> str:
    """Write days since 1970.

    Raises
    ------
    UnsupportedError
        Where standard SQL has no way to say it.
    """
    if dialect.days is None:
        raise UnsupportedError(
            f"column {column!r} holds dates, whose distance every database writes in its own way; "
            "take --dialect duckdb, postgres or sqlite"
        )
    return dialect.days.format(expression)


def name(value: str) -> str:
    """Write a name of a column or a table.

    Raises
    ------
    InputError
        If it holds a NUL character, which no database takes.
    """
    return _quoted(value, '"')


def text(value: str) -> str:
    """Write a text; refuses NUL as `name` does."""
    return _quoted(value, "'")


def number(value: Any) -> str:
    """Write a number with all its bits, as one of double precision; in brackets where it is negative, so that no minus meets another."""
    shown = repr(float(value)).removesuffix(".0")
    shown = shown if "e" in shown else f"{shown}e0"
    return f"({shown})" if shown.startswith("-") else shown


def remark(value: str) -> str:
    """Write a remark of one line, whatever the text holds."""
    return "-- " + " ".join("".join(letter if letter.isprintable() else " " for letter in value).split())


def _quoted(value: str, sign: str) -> str:
    if "\0" in value:
        raise InputError(f"{value!r} holds a NUL character, which no database takes; rename it")
    return sign + value.replace(sign, sign * 2) + sign
