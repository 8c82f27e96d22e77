"""Irregular delimited files written again in regular form, record by record, when they can be read in one way only."""

import contextlib
import csv
import mmap
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from ..errors import InputError
from .dialect import QUOTINGS, Dialect
from .scan import Scan

__all__ = ["any_field_size", "ragged", "rewrite"]

_Options = dict[str, Any] | None  # of the csv module; None for runs of blanks


def rewrite(
    path: Path, start: int, dialect: Dialect, first_fields: int, name: str, found: Scan, target: Path
) -> tuple[int, int, list[str]]:
    """Write the rows of a file as commas, LF and doubled quotes, without its header.

    Parameters
    ----------
    path : Path
        UTF-8.
    start : int
        Byte at which the first record begins.
    dialect : Dialect
    first_fields : int
        Fields of the first record.
    name : str
        For messages.
    found : Scan
    target : Path

    Returns
    -------
    n_rows : int
    longest : int
        Bytes that no row exceeds.
    notes : list of str

    Raises
    ------
    InputError
        If no reading of its quotes gives every row its fields; says why the likeliest does not.
    """
    error: InputError | None = None
    for options, note in _readings(dialect, found, path):
        try:
            n_rows, longest, n_blank = _rewritten(path, start, dialect, first_fields, name, target, options)
        except InputError as refused:
            error = error or refused
        else:
            notes = [note] if note else []
            return n_rows, longest, [*notes, f"{n_blank:,} blank lines were left out"] if n_blank else notes
    raise error or InputError(f"{name} cannot be read as a table")


def _readings(dialect: Dialect, found: Scan, path: Path) -> list[tuple[_Options, str | None]]:
    """Ways to read quotes, the likeliest first; each is used for the whole file or not at all."""
    if dialect.delimiter == " ":
        return [(None, None)]
    strict = {"delimiter": dialect.delimiter, "strict": True}
    if found.well_formed:
        return [(strict, None)]
    said = {
        "doubled": "some values contain quotes that are part of them",
        "backslash": "a backslash stands before quotes inside values",
        "after blanks": "blanks after the delimiter were left out",
    }
    order = sorted(QUOTINGS, key=lambda quoting: quoting != dialect.quoting)
    if not _contains(path, b'\\"'):
        order.remove("backslash")
    return [(strict | QUOTINGS[quoting], said[quoting]) for quoting in order]


def _contains(path: Path, what: bytes) -> bool:
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(what) >= 0


def _rewritten(
    path: Path, start: int, dialect: Dialect, first_fields: int, name: str, target: Path, options: _Options
) -> tuple[int, int, int]:
    n_rows, longest, n_blank, pending = 0, 0, 0, 0
    header = dialect.header is not None
    with (
        open(path, encoding="utf-8", newline="") as file,
        open(target, "w", encoding="utf-8", newline="") as out,
    ):
        file.seek(start)
        write = csv.writer(out, lineterminator="\n").writerow
        for line, record in _records(file, dialect, options, name):
            if not record:
                pending += 1
                continue
            if len(record) != (first_fields if header else dialect.n_fields):
                raise InputError(ragged(name, line, len(record), dialect))
            if header:
                header, pending = False, 0
                continue
            if dialect.n_fields == 1:  # in a single column a blank line is a missing value, unless nothing follows
                for _ in range(pending):
                    write([""])
                n_rows += pending
            else:
                n_blank += pending
            pending = 0
            longest = max(longest, 4 * write(record))
            n_rows += 1
    return n_rows, longest, n_blank + pending


def _records(file: TextIO, dialect: Dialect, options: _Options, name: str) -> Iterator[tuple[int, list[str]]]:
    """Give (line, record) of a text file; lines count from 1."""
    if options is None:
        for i, text in enumerate(file):
            yield dialect.skip + i + 1, text.split()
        return
    with any_field_size():
        reader = csv.reader(file, **options)
        line = dialect.skip + 1
        while True:
            try:
                record = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise InputError(_quote_problem(name, line, dialect.skip + reader.line_num, str(error))) from None
            yield line, record
            line = dialect.skip + reader.line_num + 1


def _quote_problem(name: str, first: int, last: int, reason: str) -> str:
    if "unexpected end of data" in reason:
        return f"a quote that opens in line {first:,} of {name} is never closed; close it or remove it"
    where = f"line {first:,}" if first == last else f"lines {first:,} to {last:,}"
    return f"a closing quote in {where} of {name} is followed by text instead of a delimiter; double quotes inside values, or remove them"


def ragged(name: str, line: int, fields: int, dialect: Dialect, others: int = 0) -> str:
    """Return the sentence for a record with the wrong number of fields."""
    more = f" ({others:,} more line{' is' if others == 1 else 's are'} wrong too)" if others else ""
    return (
        f"line {line:,} of {name} has {fields:,} field{'s' * (fields != 1)} where {dialect.n_fields:,} are expected{more}; "
        "correct or remove it"
    )


@contextlib.contextmanager
def any_field_size() -> Iterator[None]:
    """Lift the csv module's limit on the length of a field within the block."""
    previous = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(previous)
