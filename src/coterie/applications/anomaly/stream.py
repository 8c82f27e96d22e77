"""New rows as they come: lines of CSV, judged some at a time, in memory bounded by the batch."""

import io
from collections.abc import Iterator
from typing import IO, Any

from ...errors import InputError
from ...tables.delimited import read_delimited
from .judging import Judged, judge_rows

__all__ = ["batches", "judge_batches"]

_MOST_BYTES = 1 << 28  # of one batch: a quote that is never closed would else swallow the stream


def batches(source: IO[bytes], n_rows: int) -> Iterator[bytes]:
    """Cut a stream of CSV into pieces that each begin with its header.

    Parameters
    ----------
    source : binary file
    n_rows : int
        Rows of a piece; the last has the rest.

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
        raise InputError("standard input is empty; give a header line and at least one row")
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
        raise InputError("there is a header line but no rows; give at least one row")


def judge_batches(loaded: Any, pieces: Iterator[bytes], *, fpr: float | None = None) -> Iterator[tuple[int, Judged]]:
    """Judge pieces of CSV one after the other.

    Parameters
    ----------
    loaded : coterie.models.Model
    pieces : iterator of bytes
        From `batches`.
    fpr : float, optional
        False-alarm rate; that of the fit where not given.

    Yields
    ------
    first : int
        Number of the first row of the piece.
    judged : Judged
    """
    first = 0
    for piece in pieces:
        table = read_delimited(None, io.BufferedReader(io.BytesIO(piece)), f"rows from {first:,} on")  # type: ignore[arg-type]
        judged = judge_rows(loaded, table, fpr=fpr)
        yield first, judged
        first += table.n_rows


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
