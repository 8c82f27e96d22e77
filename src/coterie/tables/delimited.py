"""CSV and its relatives, read without losing a row.

The file is made UTF-8 (`encoding`), its dialect is found (`dialect`), its records are counted independently (`scan`), and
only then DuckDB parses it (`parse`), strictly and without detection, every column as text, which `cast` turns into numbers
and dates. What is irregular but can be read in one way only (mixed line ends, blank lines, quotes inside values, runs of
blanks) is first rewritten record by record (`rewrite`); what cannot is refused with its line.
"""

import csv
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, NamedTuple

from ..errors import InputError
from .dialect import SAMPLE_BYTES, Dialect, sniff
from .duck import safe_path
from .encoding import PlainFile, plain_utf8, refuse_binary
from .parse import parse, parse_slowly
from .rewrite import ragged, rewrite
from .scan import Scan, scan
from .table import Column, Table, unique_names

__all__ = ["Layout", "layout_of", "read_delimited"]

# The database plans a query over thousands of columns for longer than it takes to read a short table by hand.
_WIDE, _FEW_CELLS = 1000, 5_000_000
_log = logging.getLogger("coterie.tables")


class Layout(NamedTuple):
    """How a file is laid out.

    Attributes
    ----------
    names : list of str
        Of the columns.
    first_fields : int
        Fields of the first record.
    dialect : Dialect
    """

    names: list[str]
    first_fields: int
    dialect: Dialect


def layout_of(stream: IO[bytes], name: str) -> Layout:
    """Find the layout of delimited text, for what else comes in the same one.

    Parameters
    ----------
    stream : binary file
    name : str
        For messages.

    Returns
    -------
    Layout
    """
    with tempfile.TemporaryDirectory(prefix="coterie-") as temporary:
        folder = Path(temporary)
        return _layout(_with_newlines(plain_utf8(None, stream, name, folder), folder), name)


def read_delimited(
    path: Path | None,
    stream: IO[bytes],
    name: str,
    *,
    memory_limit: int | None = None,
    source_bytes: int | None = None,
    layout: Layout | None = None,
) -> Table:
    """Read a delimited text file.

    Parameters
    ----------
    path : Path or None
        The file ``stream`` reads, when it is an ordinary, uncompressed one.
    stream : binary file
    name : str
        Of the file, for messages.
    memory_limit : int, optional
        Bytes that parsing may use.
    source_bytes : int, optional
        Size of the original.
    layout : Layout, optional
        By default found from the beginning of the file.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        If it is no text, has no rows, or cannot be read in one way only; the message names the line.
    """
    with tempfile.TemporaryDirectory(prefix="coterie-") as temporary:
        folder = Path(temporary)
        plain = plain_utf8(path, stream, name, folder)
        plain = _with_newlines(plain, folder)
        names, first_fields, dialect = layout or _layout(plain, name)
        start = _offset(plain, dialect.skip)
        columns, n_rows, notes = _columns(plain, start, dialect, names, first_fields, name, folder, memory_limit)
    if n_rows == 0:
        raise InputError(f"{name} has a header line but no rows; give a file with at least one row")
    return _assembled(name, columns, n_rows, (*plain.notes, *dialect.notes, *notes), source_bytes)


def _layout(plain: PlainFile, name: str) -> Layout:
    dialect = _sniffed(plain, name)
    return Layout(*_header(plain, _offset(plain, dialect.skip), dialect, name))


def _sample(plain: PlainFile) -> tuple[str, bool]:
    with open(plain.path, "rb") as file:
        file.seek(plain.start)
        data = file.read(SAMPLE_BYTES)
        # A header of thousands of columns does not end within the sample: take whole lines, three at least.
        while data.count(b"\n") < 3 and (more := file.read(max(SAMPLE_BYTES, len(data)))):
            data += more
            if len(data) > 64 << 20:
                break
        complete = not file.read(1)
    return data.decode("utf-8", "ignore"), complete


def _sniffed(plain: PlainFile, name: str) -> Dialect:
    text, complete = _sample(plain)
    refuse_binary(name, text[:4096].encode())
    return sniff(text, complete=complete, name=name)


def _with_newlines(plain: PlainFile, folder: Path) -> PlainFile:
    """Rewrite a file whose lines end in CR alone."""
    text, _ = _sample(plain)
    if "\n" in text or "\r" not in text:
        return plain
    target = folder / "newlines"
    with (
        open(plain.path, encoding="utf-8-sig", newline=None) as file,
        open(target, "w", encoding="utf-8", newline="\n") as out,
    ):
        while block := file.read(1 << 20):
            out.write(block)
    return PlainFile(target, 0, (*plain.notes, "its lines end in CR alone"), True)


def _offset(plain: PlainFile, skip: int) -> int:
    with open(plain.path, "rb") as file:
        file.seek(plain.start)
        for _ in range(skip):
            file.readline()
        return file.tell()


def _header(plain: PlainFile, start: int, dialect: Dialect, name: str) -> tuple[list[str], int, Dialect]:
    """Match the cells of the header line to the fields of the rows."""
    n = dialect.n_fields
    if dialect.header is None:
        return [f"column_{j + 1}" for j in range(n)], n, dialect
    cells = list(dialect.header)
    if len(cells) == n:
        return cells, n, dialect
    if len(cells) == n + 1 and not cells[-1].strip():
        return cells[:-1], n + 1, dialect
    if len(cells) == n - 1:
        rows = list(_sample_rows(plain, start, dialect))[1:]
        if all(not row[-1].strip() for row in rows):
            return [*cells, ""], n - 1, dialect
        if len(cells) > 1 or len({row[0] for row in rows}) == len(rows) > 2:
            note = "the header has one name less than the rows have fields: the first field is the rows' own name"
            return ["row_name", *cells], n - 1, _noted(dialect, note)
    raise InputError(
        f"line {dialect.skip + 1} of {name} names {len(cells)} columns, but the lines below have {n} fields; "
        f"correct the header (separator: {dialect.delimiter!r})"
    )


def _noted(dialect: Dialect, note: str) -> Dialect:

    return replace(dialect, notes=(*dialect.notes, note))


def _sample_rows(plain: PlainFile, start: int, dialect: Dialect) -> Iterator[list[str]]:
    with open(plain.path, encoding="utf-8", newline="") as file:
        file.seek(start)
        for i, row in enumerate(csv.reader(file, delimiter=dialect.delimiter)):
            if i > 500:
                return
            if row:
                yield row


def _columns(
    plain: PlainFile,
    start: int,
    dialect: Dialect,
    names: list[str],
    first_fields: int,
    name: str,
    folder: Path,
    memory_limit: int | None,
) -> tuple[list[Column], int, list[str]]:
    """Parse the records; returns columns, number of rows and notes."""
    found = _scanned(plain, start, dialect, first_fields, name)
    notes: list[str] = []
    if found.mixed_ends:
        notes.append("lines end in different ways (CRLF, LF, CR); all were taken as line ends")
    wide = dialect.n_fields > _WIDE and found.n_records * dialect.n_fields <= _FEW_CELLS
    if found.regular and not wide and not (dialect.n_fields == 1 and found.n_blank):
        n_rows = found.n_records - (dialect.header is not None)
        source = safe_path(plain.path, folder)
        skip = dialect.skip if start != plain.start else 0
        read = parse(
            source, dialect, names, n_rows, found.longest, memory_limit, crlf=found.has_cr, skip=skip, name=name
        )
        if read is not None:
            blank = [f"{found.n_blank:,} blank lines were left out"] if found.n_blank else []
            return read[0], n_rows, [*notes, *blank, *read[1]]
        _log.info("%s: the parser disagrees with the count of records; reading it record by record", name)
    canonical = folder / "canonical.csv"
    n_rows, longest, said = rewrite(plain.path, start, dialect, first_fields, name, found, canonical)
    regular = replace(dialect, delimiter=",", header=None)
    read = None
    if not wide:
        read = parse(canonical, regular, names, n_rows, longest, memory_limit, original=dialect, name=name)
    if read is None:
        _log.info("%s: its records are taken one by one", name)
        read = parse_slowly(canonical, names, dialect)
    return read[0], n_rows, [*notes, *said, *read[1]]


def _scanned(plain: PlainFile, start: int, dialect: Dialect, first_fields: int, name: str) -> Scan:
    """Count the records, and refuse what has no right reading."""
    if dialect.delimiter == " ":
        return Scan(white_space=True)
    found = scan(plain.path, start, dialect.delimiter, dialect.n_fields, first_fields, dialect.skip + 1)
    if found.nul_line is not None:
        raise InputError(f"line {found.nul_line:,} of {name} holds a NUL byte; the file is damaged or is no text")
    if found.well_formed and not found.has_lone_cr and found.odd_fields:
        line, fields = found.odd_fields[0]
        raise InputError(ragged(name, line, fields, dialect, found.n_odd - 1))
    return found


def _assembled(
    name: str, columns: list[Column], n_rows: int, notes: tuple[str, ...], source_bytes: int | None
) -> Table:
    """Name the columns and leave out a last one that has neither name nor values."""
    extra: list[str] = []
    if len(columns) > 1 and not columns[-1].name.strip() and columns[-1].n_missing == n_rows:
        columns = columns[:-1]
        extra.append("every line ends in a delimiter: the empty last column was left out")
    names, more = unique_names([column.name for column in columns])
    renamed = []
    for column, new in zip(columns, names, strict=True):
        copy = replace(column, name=new)
        vars(copy).update({known: vars(column)[known] for known in ("levels", "written") if known in vars(column)})
        renamed.append(copy)
    return Table(name, tuple(renamed), n_rows, (*notes, *extra, *more), source_bytes)
