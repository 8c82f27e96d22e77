"""CSV and its relatives, read without losing a row.

The file is made UTF-8 (`encoding`), its dialect is found (`dialect`), its records are counted independently (`scan`), and
only then DuckDB parses it, strictly and without detection, every column as text, which `cast` turns into numbers and dates.
What is irregular but can be read in one way only (mixed line ends, blank lines, quotes inside values, runs of blanks) is
first rewritten record by record; what cannot is refused with its line.
"""

import contextlib
import csv
import logging
import mmap
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .cast import cast_numbers, cast_text
from .dialect import QUOTINGS, SAMPLE_BYTES, Dialect, sniff
from .duck import connect, literal, safe_path
from .encoding import PlainFile, plain_utf8, refuse_binary
from .scan import Scan, scan
from .table import Column, Table, unique_names

__all__ = ["read_delimited"]

_log = logging.getLogger("coterie.tables")
_LONG_RECORD = 1 << 20
_COLUMNS_A_QUERY = 200
_COLUMNS_A_COUNT = 25  # the database plans a query in more than linear time
_TALL = 2000


def read_delimited(
    path: Path | None, stream: IO[bytes], name: str, *, memory_limit: int | None = None, source_bytes: int | None = None
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
        dialect = _sniffed(plain, name)
        start = _offset(plain, dialect.skip)
        names, first_fields, dialect = _header(plain, start, dialect, name)
        columns, n_rows, notes = _columns(plain, start, dialect, names, first_fields, name, folder, memory_limit)
    if n_rows == 0:
        raise InputError(f"{name} has a header line but no rows; give a file with at least one row")
    return _assembled(name, columns, n_rows, (*plain.notes, *dialect.notes, *notes), source_bytes)


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
    from dataclasses import replace

    return replace(dialect, notes=(*dialect.notes, note))


def _sample_rows(plain: PlainFile, start: int, dialect: Dialect) -> Iterator[list[str]]:
    with open(plain.path, encoding="utf-8", newline="") as file:
        file.seek(start)
        for i, row in enumerate(csv.reader(file, delimiter=dialect.delimiter)):
            if i > 500:
                return
            if row:
                yield row


def _columns(plain, start, dialect, names, first_fields, name, folder, memory_limit):
    """Parse the records; returns columns, number of rows and notes."""
    notes: list[str] = []
    header = dialect.header is not None
    found = Scan()
    regular = False
    if dialect.delimiter != " ":
        found = scan(plain.path, start, dialect.delimiter, dialect.n_fields, first_fields, dialect.skip + 1)
        if found.nul_line is not None:
            raise InputError(f"line {found.nul_line:,} of {name} holds a NUL byte; the file is damaged or is no text")
        mixed = found.has_lone_cr or (found.has_cr and found.has_lf_only)
        regular = found.well_formed and not mixed and not (dialect.n_fields == 1 and found.n_blank)
        if found.well_formed and not found.has_lone_cr:
            _refuse_ragged(found, dialect, name)
        if mixed:
            notes.append("lines end in different ways (CRLF, LF, CR); all were taken as line ends")
    if regular:
        newline = "\\r\\n" if found.has_cr else "\\n"
        expected = found.n_records - header
        if found.n_blank:
            notes.append(f"{found.n_blank:,} blank lines were left out")
        source = safe_path(plain.path, folder)
        if start != plain.start:  # lines were skipped: DuckDB counts them itself
            skip = dialect.skip
        else:
            skip = 0
        read = _parse(
            source, dialect.delimiter, newline, skip, header, names, expected, found.longest, dialect, memory_limit
        )
        if read is not None:
            return *read[:1], expected, notes + read[1]
        _log.info("%s: the fast parser disagrees with the count of records; reading it record by record", name)
        notes = notes[: len(notes) - bool(found.n_blank)]
    canonical = folder / "canonical.csv"
    n_rows, longest, more = _rewrite(plain.path, start, dialect, first_fields, name, found, canonical)
    notes += more
    read = _parse(canonical, ",", "\\n", 0, False, names, n_rows, longest, dialect, memory_limit)
    if read is None:
        read = _parse_slowly(canonical, names, dialect)
    return read[0], n_rows, notes + read[1]


def _refuse_ragged(found: Scan, dialect: Dialect, name: str) -> None:
    if not found.odd_fields:
        return
    line, fields = found.odd_fields[0]
    more = f", and so do {found.n_odd - 1:,} other lines" if found.n_odd > 1 else ""
    raise InputError(_ragged(name, line, fields, dialect) + more.replace("do", "are", 0) + "; correct or remove it")


def _ragged(name: str, line: int, fields: int, dialect: Dialect) -> str:
    return f"line {line:,} of {name} has {fields:,} field{'s' * (fields != 1)} where {dialect.n_fields:,} are expected"


def _parse(source, delimiter, newline, skip, header, names, expected, longest, dialect, memory_limit):
    """Let DuckDB parse a regular file; None if it does not find exactly the expected number of records."""
    import duckdb

    if expected == 0:
        return [], []
    fields = [f"c{j}" for j in range(len(names))]
    spec = ", ".join(f"'{c}': 'VARCHAR'" for c in fields)
    line_size = max(longest + 1024, _LONG_RECORD)
    query = (
        f"CREATE TEMP TABLE t AS SELECT * FROM read_csv({literal(str(source))}, auto_detect=false, delim={literal(delimiter)}, "
        f"quote='\"', escape='\"', new_line='{newline}', header=false, skip={skip + header}, columns={{{spec}}}, "
        f"strict_mode=true, null_padding=false, nullstr='', max_line_size={line_size}, buffer_size={max(4 * line_size, 8 << 20)})"
    )
    with contextlib.closing(connect(source, memory_limit)) as connection:
        try:
            connection.execute(query)
            (n_rows,) = connection.execute("SELECT count(*) FROM t").fetchone()
        except duckdb.Error as error:
            _log.info("DuckDB could not parse the file: %s", str(error).partition("\n")[0])
            return None
        if n_rows != expected:
            return None
        return _typed_columns(connection, fields, names, dialect, expected)


def _typed_columns(
    connection: Any, fields: list[str], names: list[str], dialect: Dialect, n_rows: int
) -> tuple[list[Column], list[str]]:
    # Looking at texts costs per value, asking the database per column: a short table is read faster here.
    plain = _plain_numbers(connection, fields, dialect) if n_rows >= _TALL else set()
    columns, notes = [], []
    for part in _batches(fields, n_rows):
        wanted = ", ".join(f"TRY_CAST({c} AS DOUBLE) AS {c}" if c in plain else c for c in part)
        found = connection.execute(f"SELECT {wanted} FROM t").fetchnumpy()
        for c in part:
            name, values = names[int(c[1:])], found.pop(c)
            if c in plain:
                column, more = cast_numbers(name, _filled(values, np.nan))
            else:
                column, more = _cast(name, _filled(values, None), dialect)
            columns.append(column)
            notes += more
    return columns, notes


def _batches(fields: list[str], n_rows: int) -> Iterator[list[str]]:
    """Split columns so that the texts of one batch stay within some 16 MB, and a wide table needs few queries."""
    size = max(1, min(_COLUMNS_A_QUERY, 250_000 // max(n_rows, 1)))
    for low in range(0, len(fields), size):
        yield fields[low : low + size]


def _cast(name: str, texts: Sequence, dialect: Dialect) -> tuple[Column, list[str]]:
    # Where semicolons divide the fields, the comma is free to be the decimal mark.
    return cast_text(name, texts, comma_decimals=dialect.comma_decimals, comma_default=dialect.delimiter == ";")


def _filled(values: NDArray, fill: Any) -> NDArray:
    return values.filled(fill) if isinstance(values, np.ma.MaskedArray) else values


def _plain_numbers(connection, fields: list[str], dialect: Dialect) -> set[str]:
    """Find the columns that hold ordinary finite numbers and nothing else, which the database can cast by itself."""
    plain: set[str] = set()
    for low in range(0, len(fields), _COLUMNS_A_COUNT):
        part = fields[low : low + _COLUMNS_A_COUNT]
        # '00' <= c < '0:' are the texts that begin with 0 and another digit: perhaps a code.
        checks = (
            "count({c}), count(TRY_CAST({c} AS DOUBLE)), count_if({c} >= '00' AND {c} < '0:'), "
            "count_if(contains({c}, '_') OR (length({c}) > 15 AND NOT contains({c}, '.')))"
        )
        counts = connection.execute(f"SELECT {', '.join(checks.format(c=c) for c in part)} FROM t").fetchone()
        whole = [
            c
            for j, c in enumerate(part)
            if 0 < counts[4 * j] == counts[4 * j + 1] and not any(counts[4 * j + 2 : 4 * j + 4])
        ]
        if not whole:
            continue
        finite = "count_if(NOT isfinite(TRY_CAST({c} AS DOUBLE)))" + (
            " + count_if(contains({c}, '.'))" if dialect.comma_decimals else ""
        )
        odd = connection.execute(f"SELECT {', '.join(finite.format(c=c) for c in whole)} FROM t").fetchone()
        plain.update(c for c, n_odd in zip(whole, odd, strict=True) if n_odd == 0)
    return plain


def _parse_slowly(canonical: Path, names: list[str], dialect: Dialect) -> tuple[list[Column], list[str]]:
    values: list[list[str | None]] = [[] for _ in names]
    with open(canonical, encoding="utf-8", newline="") as file, _any_field_size():
        for record in csv.reader(file):
            for column, value in zip(values, record, strict=True):
                column.append(value or None)
    cast = [_cast(name, column, dialect) for name, column in zip(names, values, strict=True)]
    return [column for column, _ in cast], [note for _, more in cast for note in more]


@contextlib.contextmanager
def _any_field_size() -> Iterator[None]:
    previous = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(previous)


def _rewrite(path, start, dialect, first_fields, name, found, target) -> tuple[int, int, list[str]]:
    """Write the records of an irregular file in regular form; returns rows, longest record and notes."""
    error: InputError | None = None
    for options, note in _readings(dialect, found, path):
        try:
            return _rewritten(path, start, dialect, first_fields, name, target, options, note)
        except InputError as refused:
            error = error or refused
    raise error or InputError(f"{name} cannot be read as a table")


def _readings(dialect: Dialect, found: Scan, path: Path) -> list[tuple[dict | None, str | None]]:
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


def _rewritten(path, start, dialect, first_fields, name, target, options, note) -> tuple[int, int, list[str]]:
    n_rows, longest, n_blank, pending = 0, 0, 0, 0
    expected = first_fields if dialect.header is not None else dialect.n_fields
    first = True
    with open(path, encoding="utf-8", newline="") as file, open(target, "w", encoding="utf-8", newline="") as out:
        file.seek(start)
        write = csv.writer(out, lineterminator="\n").writerow
        for line, record in _records(file, dialect, options, name):
            if not record:
                n_blank += 1
                pending += 1
                continue
            if len(record) != expected:
                raise InputError(_ragged(name, line, len(record), dialect) + "; correct or remove it")
            if first and dialect.header is not None:
                first, expected, pending, n_blank = False, dialect.n_fields, 0, 0
                continue
            first = False
            if dialect.n_fields == 1:  # in a single column a blank line is a missing value, unless nothing follows
                for _ in range(pending):
                    write([""])
                n_rows += pending
                n_blank -= pending
            pending = 0
            longest = max(longest, 4 * write(record))
            n_rows += 1
    notes = [note] if note else []
    if n_blank:
        notes.append(f"{n_blank:,} blank lines were left out")
    return n_rows, longest, notes


def _records(file, dialect: Dialect, options: dict | None, name: str) -> Iterator[tuple[int, list[str]]]:
    """Give (line, record) of a text file; lines count from 1."""
    if options is None:
        for i, text in enumerate(file):
            yield dialect.skip + i + 1, text.split()
        return
    with _any_field_size():
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


def _assembled(
    name: str, columns: list[Column], n_rows: int, notes: tuple[str, ...], source_bytes: int | None
) -> Table:
    """Name the columns and leave out a last one that has neither name nor values."""
    from dataclasses import replace

    extra: list[str] = []
    if len(columns) > 1 and not columns[-1].name.strip() and columns[-1].n_missing == n_rows:
        columns = columns[:-1]
        extra.append("every line ends in a delimiter: the empty last column was left out")
    names, more = unique_names([column.name for column in columns])
    renamed = []
    for column, new in zip(columns, names, strict=True):
        copy = replace(column, name=new)
        if "levels" in vars(column):
            vars(copy)["levels"] = column.levels
        renamed.append(copy)
    return Table(name, tuple(renamed), n_rows, (*notes, *extra, *more), source_bytes)
