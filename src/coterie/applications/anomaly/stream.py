"""New rows as they come: lines of CSV, judged some at a time, in memory bounded by the batch."""

import contextlib
import io
import itertools
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from ...errors import InputError
from ...tables import Column, Table
from ...tables.cast import shown
from ...tables.convert import as_date, as_number
from ...tables.delimited import Layout, layout_of, read_delimited
from ...tables.dialect import leading_lines
from ...tables.encoding import expand, identify, refuse_binary
from ._unlike import MOVED, moved_share, moved_warning
from .judging import Judged, judge_rows

__all__ = ["batches", "judge_batches", "opened"]

_MOST_BYTES = 1 << 22  # of one record: a quote that is never closed would else swallow the stream
_OPENING, _CLOSING = re.compile(rb'(?:\A|[,;\t|]) *"'), re.compile(rb'""|"(?=[,;\t|\r\n]|\Z)')
_MOST_UNREADABLE = 0.05  # of the values so far that are to be numbers or dates
_WIDE = (b"\xff\xfe", b"\xfe\xff")


@contextlib.contextmanager
def opened(source: str) -> Iterator[tuple[IO[bytes], str]]:
    """Open a file of CSV, gzip or not, or standard input for "-"; gives the stream and its name.

    Raises
    ------
    InputError
        If it is something else.
    """
    with contextlib.ExitStack() as held:
        name = "standard input" if source == "-" else Path(source).name
        stream: Any = sys.stdin.buffer if source == "-" else held.enter_context(open(source, "rb"))
        if (identify(stream.peek(64)[:64]) or ("",))[0] == "gzip":
            stream, name = held.enter_context(expand(stream, name, None)), name.removesuffix(".gz")
        head = stream.peek(1 << 12)[: 1 << 12]
        refuse_binary(name, head)
        if b"\r" in head and b"\n" not in head:
            raise InputError(
                f"the lines of {name} end in CR alone, and rows are judged as they come by lines that end in LF; leave --batch out"
            )
        if head.startswith(_WIDE) or Path(name).suffix.lower() in (".json", ".jsonl", ".ndjson"):
            what = "UTF-16" if head.startswith(_WIDE) else "JSON"
            raise InputError(f"{name} is {what}, and rows are judged as they come from CSV in UTF-8; leave --batch out")
        yield stream, name


def batches(source: IO[bytes], n_rows: int, name: str) -> Iterator[bytes]:
    """Cut a stream of CSV into pieces that each begin with its header.

    Parameters
    ----------
    source : binary file
    n_rows : int
        Rows of a piece; the last has the rest.
    name : str
        Of the source, for messages.

    Yields
    ------
    bytes

    Raises
    ------
    InputError
        If there is nothing, or a quote is not closed.
    """
    records = _records(source, name)
    header, lines = _header(records)
    if not header.strip():
        raise InputError(f"{name} is empty; give a header line and at least one row")
    n_before = 0
    for line in itertools.chain(lines, records):
        if not line.strip():
            continue
        if n_before % n_rows == 0:
            lines = []
        lines.append(line)
        n_before += 1
        if n_before % n_rows == 0:
            yield _piece(header, lines)
    if n_before % n_rows:
        yield _piece(header, lines)
    if not n_before:
        raise InputError(f"{name} has a header line but no rows; give at least one row")


def judge_batches(
    loaded: Any, pieces: Iterator[bytes], source: str, *, fpr: float | None = None, memory_limit: int | None = None
) -> Iterator[tuple[int, Judged]]:
    """Judge pieces of CSV one after the other.

    Parameters
    ----------
    loaded : coterie.models.Model
    pieces : iterator of bytes
        From `batches`.
    source : str
        Name of the stream, for messages.
    fpr : float, optional
        False-alarm rate; that of the fit where not given.
    memory_limit : int, optional

    Yields
    ------
    first : int
        Number of the first row of the piece.
    judged : Judged
        With warnings that no earlier piece had. Whether the rows as a whole have moved is looked at whenever twice as many have come.
    """
    first = n_beyond = n_looked = 0
    told: set[str] = set()
    unreadable: dict[str, int] = {}
    layout: Layout | None = None
    for piece in pieces:
        name = f"the rows of {source} from {first:,} on" if first else source
        lines: Any = io.BufferedReader(io.BytesIO(piece))  # type: ignore[arg-type]
        if layout is None:
            layout = layout_of(io.BufferedReader(io.BytesIO(piece)), name)  # type: ignore[arg-type]
        table = read_delimited(None, lines, name, memory_limit=memory_limit, layout=layout)
        try:
            table = _typed(table, loaded.estimator, unreadable, first + table.n_rows)
            judged = judge_rows(loaded, table, fpr=fpr, ordered=False)
        except InputError as error:
            raise InputError(f"among {name}, counted anew: {error}" if first else str(error)) from error
        n_beyond += int((judged.p_values <= 0.5).sum())
        warnings = [warning for warning in judged.warnings if warning["remedy"] != MOVED]
        if first + table.n_rows >= 2 * n_looked:
            n_looked = first + table.n_rows
            moved = moved_share(n_beyond, n_looked, judged.model.held_out_scores_)
            warnings += [] if moved is None else [moved_warning(moved)]
        yield first, judged._replace(warnings=[warning for warning in warnings if warning["remedy"] not in told])
        told |= {warning["remedy"] for warning in warnings}
        first += table.n_rows


def _typed(table: Table, model: Any, unreadable: dict[str, int], n_so_far: int) -> Table:
    """Return the table with numbers and dates where history had them; the odd value that is none is missing, as in a whole file."""
    codings = {coding.column: coding for coding in model.prepared_.codings if coding.used} if model.prepared_ else {}
    columns = []
    for column in table.columns:
        coding = codings.get(column.name)
        if coding is not None and column.kind == "text" and coding.role in ("number", "date"):
            bad = _unreadable(column, coding)
            unreadable[column.name] = unreadable.get(column.name, 0) + int(column.levels.counts[bad].sum())
            if unreadable[column.name] > max(1, _MOST_UNREADABLE * n_so_far):
                value = column.levels.values[int(np.flatnonzero(bad)[0])] if bad.any() else ""
                raise InputError(
                    f"column {column.name!r} should hold {coding.role}s, but {unreadable[column.name]:,} of {n_so_far:,} values so far are none, "
                    f"such as {shown(value)}; correct them"
                )
            values = column.values.copy()
            values[np.append(bad, False)[column.levels.codes]] = None
            column = replace(column, values=values)
            column = (as_number if coding.role == "number" else as_date)(column, coding.format)
        columns.append(column)
    return replace(table, columns=tuple(columns))


def _unreadable(column: Column, coding: Any) -> np.ndarray:
    """Say which levels are no numbers or dates, however the others are written."""
    read = as_number if coding.role == "number" else as_date
    bad = np.zeros(len(column.levels.values), bool)
    for i, level in enumerate(column.levels.values):
        try:
            read(Column(column.name, np.array([level], object), "text"), coding.format)
        except InputError:
            bad[i] = True
    return bad


def _header(records: Iterator[bytes]) -> tuple[bytes, list[bytes]]:
    """Return the header, with a line before it that names the delimiter, and the lines that had to be read to tell it from a comment."""
    lines: list[bytes] = []
    for line in records:
        lines.append(line)
        rest, skip, delimiter = leading_lines(b"".join(lines).decode("utf-8-sig", "replace"), [])
        if rest.strip() and (not rest.startswith("#") or "\n" in rest.rstrip()):
            return b"".join(lines[0 if delimiter else skip : skip + 1]), lines[skip + 1 :]
    return b"".join(lines), []


def _records(source: IO[bytes], name: str) -> Iterator[bytes]:
    """Yield lines, each with those that belong to it because a quote is open.

    Only a quote at the beginning of a field opens, and only one at its end closes: 5" is five inches.
    """
    held: list[bytes] = []
    n_records = n_bytes = 0
    while line := source.readline():
        n_bytes += len(line)
        is_open = _ends_open(line, bool(held))
        held.append(line)
        if is_open and n_bytes <= _MOST_BYTES:
            continue
        if is_open:
            break
        yield b"".join(held)
        held, n_bytes = [], 0
        n_records += 1
    if held:
        raise InputError(
            f'a quote (") is opened in record {n_records + 1:,} of {name}, counting the header, and never closed; close it, or double quotes '
            "that belong to a value"
        )


def _ends_open(line: bytes, is_open: bool) -> bool:
    """Say whether a quote is open at the end of a line."""
    if b'"' not in line:
        return is_open
    place = 0
    while found := (_CLOSING if is_open else _OPENING).search(line, place):
        place = found.end()
        if found[0] != b'""':  # a doubled quote belongs to the value
            is_open = not is_open
    return is_open


def _piece(header: bytes, lines: list[bytes]) -> bytes:
    return b"\n".join(line.rstrip(b"\r\n") for line in (header, *lines)) + b"\n"
