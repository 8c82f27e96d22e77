"""Parquet files, through DuckDB; every damage becomes one sentence."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError, ResourceError
from .duck import connect, literal, quoted, safe_path
from .frames import from_columns
from .table import Table

__all__ = ["NumberColumns", "number_columns", "parquet_blocks", "read_parquet", "unreadable"]

_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER")
_LONG = ("BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT")
_REAL = ("FLOAT", "DOUBLE", "DECIMAL")
_DATES = ("DATE", "TIMESTAMP")
_TEXTS = ("VARCHAR", "ENUM", "UUID", "CHAR")


def read_parquet(path: Path, *, memory_limit: int | None = None) -> Table:
    """Read a Parquet file.

    Raises
    ------
    InputError
        If it is damaged or holds nothing that can be compared.
    ResourceError
        If reading needs more than ``memory_limit`` bytes.
    """
    import duckdb

    name = path.name
    with tempfile.TemporaryDirectory(prefix="coterie-") as folder:
        source = safe_path(path, Path(folder))
        try:
            with contextlib.closing(connect(source, memory_limit)) as connection:
                columns, notes, n_rows = _columns(connection, literal(str(source)))
        except duckdb.OutOfMemoryException as error:
            raise ResourceError(
                f"{name} does not fit in the memory limit; raise the limit or read fewer columns"
            ) from error
        except (duckdb.Error, MemoryError, UnicodeError, ValueError, OverflowError, RuntimeError) as error:
            if isinstance(error, InputError):
                raise
            raise unreadable(path, error, source) from error
    if n_rows == 0:
        raise InputError(f"{name} has columns but no rows; give at least one row")
    return from_columns(name, columns, notes, path.stat().st_size)


class NumberColumns(NamedTuple):
    """The columns of a Parquet file that hold numbers."""

    names: tuple[str, ...]
    single: tuple[bool, ...]  # whether it holds float32
    left_out: tuple[str, ...]  # the other columns
    n_rows: int


def number_columns(path: Path) -> NumberColumns:
    """Look at the columns of a Parquet file without reading its rows.

    Raises
    ------
    InputError
        If it is damaged.
    """
    with _source(path) as (connection, source):
        described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({source})").fetchall()
        (n_rows,) = connection.execute(f"SELECT sum(num_rows)::BIGINT FROM parquet_file_metadata({source})").fetchone()
    kinds = {name: kind.partition("(")[0] for name, kind, *_ in described}
    numbers = (*_WHOLE, *_LONG, *_REAL, "BOOLEAN")
    names = tuple(name for name, kind in kinds.items() if kind in numbers)
    single = tuple(kinds[name] == "FLOAT" for name in names)
    return NumberColumns(names, single, tuple(name for name in kinds if name not in names), n_rows)


def parquet_blocks(path: Path, names: list[str], n_rows: int, rows: int, dtype: Any) -> Iterator[np.ndarray]:
    """Read some columns of a file piece by piece: (rows, len(names)) arrays of ``dtype``, missing values as NaN.

    Row groups outside a piece are skipped, so that this costs about what reading the file at once does.
    """
    kind = "FLOAT" if dtype == np.float32 else "DOUBLE"
    chosen = ", ".join(f"CAST({quoted(name)} AS {kind}) AS c{j}" for j, name in enumerate(names))
    with _source(path) as (connection, source):
        for start in range(0, n_rows, rows):
            end = min(start + rows, n_rows)
            found = connection.execute(
                f"SELECT {chosen} FROM read_parquet({source}, file_row_number=true) "
                f"WHERE file_row_number >= {start} AND file_row_number < {end}"
            ).fetchnumpy()
            block = np.empty((end - start, len(names)), dtype)
            for j in range(len(names)):
                values = found[f"c{j}"]
                if len(values) != len(block):
                    raise InputError(
                        f"{path.name} promises {len(block):,} rows from row {start:,} on and gives {len(values):,}"
                    )
                block[:, j] = values.filled(np.nan) if isinstance(values, np.ma.MaskedArray) else values
            yield block


def unreadable(path: Path, error: BaseException, source: Path) -> InputError:
    """Return the sentence for a damaged file; ``source`` is the name that a library gives it in ``error``."""
    reason = str(error).partition("\n")[0].replace(str(source), "it").strip(" .")[:200] or type(error).__name__
    return InputError(f"{path.name} is no readable Parquet file: {reason}; write or fetch it again")


@contextlib.contextmanager
def _source(path: Path) -> Iterator[tuple[Any, str]]:
    """Open a connection that can read one file; give it and the file's name for a query."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="coterie-") as folder:
        source = safe_path(path, Path(folder))
        try:
            with contextlib.closing(connect(source, None)) as connection:
                yield connection, literal(str(source))
        except (duckdb.Error, UnicodeError) as error:
            raise unreadable(path, error, source) from error


def _columns(connection, source: str) -> tuple[list[tuple[str, Any]], list[str], int]:
    # Names may occur twice or be empty: columns are numbered on the way through.
    described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({source})").fetchall()
    (promised,) = connection.execute(f"SELECT sum(num_rows)::BIGINT FROM parquet_file_metadata({source})").fetchone()
    notes, wanted = [], []
    for name, kind, *_ in described:
        cast = _cast(kind, quoted(name))
        if cast is None:
            notes.append(f"{name!r} is left out: values of type {kind.partition('(')[0]} cannot be compared")
        else:
            wanted.append((name, cast, kind))
    if not wanted:
        return [], notes, promised
    query = ", ".join(f"{cast} AS c{j}" for j, (_, cast, _) in enumerate(wanted))
    found = connection.execute(f"SELECT {query} FROM read_parquet({source})").fetchnumpy()
    columns = []
    for j, (name, _, kind) in enumerate(wanted):
        values = found[f"c{j}"]
        if len(values) != promised:
            raise InputError(f"the file promises {promised:,} rows and gives {len(values):,}")
        columns.append((name, _filled(values, kind)))
    return columns, notes, promised


def _cast(kind: str, column: str) -> str | None:
    """Return the SQL that gives a column in one of our three kinds, or None for nested and binary ones."""
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION", "BLOB", "BIT")):
        return None
    base = kind.partition("(")[0]
    if base in _WHOLE or base in _REAL or base == "BOOLEAN":
        return f"CAST({column} AS DOUBLE)"
    if base in _LONG:
        return column if base in ("BIGINT", "UBIGINT") else f"CAST({column} AS VARCHAR)"
    if base.startswith(_DATES):
        return f"CAST({column} AS TIMESTAMP)"
    if base.startswith("TIME"):
        return f"CAST(epoch_us(CAST({column} AS TIME)) AS DOUBLE) / 3600e6"
    if base == "INTERVAL":
        return f"CAST(epoch({column}) AS DOUBLE) / 86400"
    return f"CAST({column} AS VARCHAR)" if base in _TEXTS else None


def _filled(values: Any, kind: str) -> Any:
    masked = isinstance(values, np.ma.MaskedArray)
    if not masked:
        return values
    if values.dtype.kind == "f":
        return values.filled(np.nan)
    if values.dtype.kind in "iu":
        known = values.compressed()
        if known.size and (known.max() > 2**53 or known.min() < -(2**53)):
            return values.astype(object).filled(None)
        return values.astype(np.float64).filled(np.nan)
    if values.dtype.kind == "M":
        return values.filled(np.datetime64("NaT"))
    return values.filled(None)
