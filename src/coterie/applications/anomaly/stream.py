"""New rows as they come: lines of CSV, judged some at a time, in memory bounded by the batch."""

import contextlib
import io
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
from ...tables.dates import parse_dates
from ...tables.decimals import parse_numbers
from ...tables.delimited import read_delimited
from ...tables.encoding import expand, identify, refuse_binary
from ._unlike import MOVED, moved_share, moved_warning
from .judging import Judged, judge_rows

__all__ = ["batches", "judge_batches", "opened"]

_MOST_BYTES = 1 << 28  # of one batch: a quote that is never closed would else swallow the stream
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
    header = _record(source)
    if not header.strip():
        raise InputError(f"{name} is empty; give a header line and at least one row")
    lines: list[bytes] = []
    n_before = 0
    while line := _record(source):
        if line.strip():
            lines.append(line)
        if len(lines) == n_rows:
            yield _piece(header, lines)
            lines = []
        n_before += bool(line.strip())
    if lines:
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
    for piece in pieces:
        name = f"the rows of {source} from {first:,} on" if first else source
        table = read_delimited(
            None,
            io.BufferedReader(io.BytesIO(piece)),
            name,
            memory_limit=memory_limit,  # type: ignore[arg-type]
        )
        try:
            table = _typed(table, loaded.estimator, unreadable, first + table.n_rows)
            judged = judge_rows(loaded, table, fpr=fpr)
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
            bad = _unreadable(column, coding.role)
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
            column = as_number(column) if coding.role == "number" else as_date(column, coding.format)
        columns.append(column)
    return replace(table, columns=tuple(columns))


def _unreadable(column: Column, role: str) -> np.ndarray:
    levels = column.levels
    if role == "date":
        return np.isnat(parse_dates(levels.values, levels.codes).values)
    numbers = parse_numbers(levels.values, None, False)
    return np.ones(len(levels.values), bool) if isinstance(numbers, str) else numbers.unreadable


def _record(source: IO[bytes]) -> bytes:
    """Return the next line, with the lines that belong to it because a quote is open; nothing at the end."""
    record = source.readline()
    while record.count(b'"') % 2 and (more := source.readline()):
        record += more
        if len(record) > _MOST_BYTES:
            raise InputError(
                'a quote (") is opened and never closed; close it, or double quotes that belong to a value'
            )
    return record


def _piece(header: bytes, lines: list[bytes]) -> bytes:
    return b"\n".join(line.rstrip(b"\r\n") for line in (header, *lines)) + b"\n"
