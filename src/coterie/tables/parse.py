"""Regular delimited files: parsed by DuckDB as texts, checked against the independent count, cast column by column."""

import contextlib
import csv
import itertools
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ResourceError
from .cast import cast_numbers, cast_text
from .dialect import Dialect
from .duck import connect, literal
from .rewrite import any_field_size
from .table import Column

if TYPE_CHECKING:
    import duckdb

if TYPE_CHECKING:
    pass

__all__ = ["parse", "parse_slowly"]

_log = logging.getLogger("coterie.tables")
_LONG_RECORD = 1 << 20
_COLUMNS_A_QUERY = 200
_COLUMNS_A_COUNT = 25  # the database plans a query in more than linear time
_TALL = 2000


def parse(
    source: Path,
    dialect: Dialect,
    names: list[str],
    n_rows: int,
    longest: int,
    memory_limit: int | None,
    *,
    crlf: bool = False,
    skip: int = 0,
    original: Dialect | None = None,
    name: str = "the file",
) -> tuple[list[Column], list[str]] | None:
    """Let DuckDB parse a regular file.

    Parameters
    ----------
    source : Path
    dialect : Dialect
        Of ``source``.
    names : list of str
    n_rows : int
        That `scan` counted.
    longest : int
        Bytes of the longest record.
    memory_limit : int or None
    crlf : bool, default=False
        Whether lines end so.
    skip : int, default=0
        Lines before the header.
    original : Dialect, optional
        Of the file that ``source`` was rewritten from: it decides how numbers are written.
    name : str, optional
        Of the file, for messages.

    Returns
    -------
    (columns, notes) or None
        None if DuckDB does not find exactly these rows.

    Raises
    ------
    ResourceError
        If the table does not fit in ``memory_limit``.
    """
    import duckdb

    if memory_limit is not None and n_rows * len(names) * 8 > memory_limit:
        needed = n_rows * len(names) * 8 / 1e6
        raise ResourceError(
            f"{name} has {n_rows:,} rows x {len(names):,} columns, which need {needed:,.0f} MB, above the memory limit of "
            f"{memory_limit / 1e6:,.0f} MB; raise the limit or read a part"
        )
    if n_rows == 0:
        return [Column(name, np.empty(0, object), "text") for name in names], []
    fields = [f"c{j}" for j in range(len(names))]
    query = _query(source, dialect, fields, longest, crlf=crlf, skip=skip + (dialect.header is not None))
    with contextlib.closing(connect(source, memory_limit)) as connection:
        try:
            connection.execute(query)
            counted = connection.execute("SELECT count(*) FROM t").fetchall()
            first = connection.execute("SELECT * FROM t LIMIT 1").fetchall()
        except duckdb.OutOfMemoryException as error:
            raise ResourceError(f"{name} does not fit in the memory limit; raise the limit or read a part") from error
        except duckdb.Error as error:
            _log.info("DuckDB could not parse the file: %s", str(error).partition("\n")[0])
            return None
        # As many rows, and the right one first: nothing was skipped at the top and made up for below.
        if counted != [(n_rows,)] or [value or "" for value in first[0]] != _first_row(source, dialect, skip):
            return None
        return _typed_columns(connection, fields, names, original or dialect, n_rows)


def _query(source: Path, dialect: Dialect, fields: list[str], longest: int, *, crlf: bool, skip: int) -> str:
    columns = ", ".join(f"'{c}': 'VARCHAR'" for c in fields)
    line_size = max(longest + 1024, _LONG_RECORD)
    newline = "\\r\\n" if crlf else "\\n"
    return (
        f"CREATE TEMP TABLE t AS SELECT * FROM read_csv({literal(str(source))}, auto_detect=false, "
        f"delim={literal(dialect.delimiter)}, quote='\"', escape='\"', new_line='{newline}', header=false, "
        f"skip={skip}, columns={{{columns}}}, strict_mode=true, null_padding=false, nullstr='', "
        f"max_line_size={line_size}, buffer_size={max(4 * line_size, 8 << 20)})"
    )


def _first_row(source: Path, dialect: Dialect, skip: int) -> list[str]:
    with open(source, encoding="utf-8-sig", newline="") as file, any_field_size():
        for _ in range(skip):
            file.readline()
        records = (record for record in csv.reader(file, delimiter=dialect.delimiter) if record)
        return next(itertools.islice(records, int(dialect.header is not None), None), [])


def _typed_columns(
    connection: "duckdb.DuckDBPyConnection", fields: list[str], names: list[str], dialect: Dialect, n_rows: int
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


def _cast(name: str, texts: Any, dialect: Dialect) -> tuple[Column, list[str]]:
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


def parse_slowly(canonical: Path, names: list[str], dialect: Dialect) -> tuple[list[Column], list[str]]:
    """Take the records of a regular file one by one; the last resort."""
    values: list[list[str | None]] = [[] for _ in names]
    with open(canonical, encoding="utf-8", newline="") as file, any_field_size():
        for record in csv.reader(file):
            for column, value in zip(values, record, strict=True):
                column.append(value or None)
    cast = [_cast(name, column, dialect) for name, column in zip(names, values, strict=True)]
    return [column for column, _ in cast], [note for _, more in cast for note in more]
