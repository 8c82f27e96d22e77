"""SQLite by its file and PostgreSQL by its URL, read only, one snapshot, names quoted, passwords never shown."""

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import InputError, MissingExtraError, ResourceError
from .duck import quoted
from .frames import from_columns
from .table import Table, listing, unknown_name

__all__ = ["read_postgresql", "read_sqlite"]

_ROWS_A_FETCH = 20_000
_BYTES_A_CELL = 64  # of a Python object in a list, for the memory limit


def read_sqlite(
    path: Path, query: str | None = None, table: str | None = None, *, memory_limit: int | None = None
) -> Table:
    """Read a table or a query of an SQLite file.

    Parameters
    ----------
    path : Path
    query : str, optional
        One SELECT.
    table : str, optional
        Needed only if the file holds several tables.
    memory_limit : int, optional
        Bytes.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        If the file is damaged, the table is not there, or the query is no SELECT.
    """
    name = path.name
    if query is not None and table is not None:
        raise InputError("give query= or table=, not both")
    try:
        with contextlib.closing(sqlite3.connect(path.resolve().as_uri() + "?mode=ro", uri=True)) as connection:
            connection.set_authorizer(_only_reading)
            sql = query if query is not None else f"SELECT * FROM {quoted(_table_name(connection, table, name))}"
            cursor = connection.execute(sql)
            if cursor.description is None:
                raise InputError("query= should be a SELECT; this one gives no rows")
            names = [column[0] for column in cursor.description]
            columns = _fetch(cursor, names, name, memory_limit)
    except (sqlite3.Error, sqlite3.Warning, UnicodeError, OverflowError) as error:
        what = f"the query on {name} failed" if query is not None else f"{name} cannot be read"
        raise InputError(f"{what}: {error}") from error
    notes = [
        f"read from the query on {name}" if query is not None else f"read from {sql.removeprefix('SELECT * FROM ')}"
    ]
    return from_columns(name, columns, notes, path.stat().st_size)


def _only_reading(action: int, *_: Any) -> int:
    allowed = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
    return sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY


def _table_name(connection: sqlite3.Connection, table: str | None, file: str) -> str:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
    names = [name for (name,) in rows if not name.startswith("sqlite_")]
    if table is not None:
        if table not in names:
            raise unknown_name(table, names, f"table in {file}") if names else InputError(f"{file} holds no tables")
        return table
    if len(names) == 1:
        return names[0]
    if not names:
        raise InputError(f"{file} holds no tables; give another file")
    raise InputError(f"{file} holds {len(names)} tables ({listing(names)}); choose one with table= or write a query=")


def _fetch(cursor: Any, names: list[str], source: str, memory_limit: int | None) -> list[tuple[str, list]]:
    columns: list[list] = [[] for _ in names]
    n_rows = 0
    while rows := cursor.fetchmany(_ROWS_A_FETCH):
        n_rows += len(rows)
        if memory_limit is not None and n_rows * len(names) * _BYTES_A_CELL > memory_limit:
            raise ResourceError(
                f"{source} gives more than {n_rows:,} rows, which does not fit in the memory limit; "
                "raise the limit, or select fewer rows or columns with query="
            )
        for column, values in zip(columns, zip(*rows, strict=True), strict=True):
            column.extend(values)
    if n_rows == 0:
        raise InputError(f"{source} gives no rows; choose a table or query that does")
    return list(zip(names, columns, strict=True))


def read_postgresql(url: str, query: str | None, table: str | None = None, *, memory_limit: int | None = None) -> Table:
    """Read a query or a table of a PostgreSQL database, in one read-only snapshot.

    Parameters
    ----------
    url : str
        ``postgresql://user@host/database``; a password in it, in PGPASSWORD or in ~/.pgpass is used and never shown.
    query : str or None
        One SELECT.
    table : str, optional
        Instead of a query; may name a schema: "sales.orders".
    memory_limit : int, optional
        Bytes.

    Returns
    -------
    Table

    Raises
    ------
    MissingExtraError
        If psycopg is not installed.
    InputError
        If there is neither query nor table, the server cannot be reached, or the query fails.
    """
    try:
        import psycopg
        from psycopg import sql
    except ImportError:
        raise MissingExtraError('PostgreSQL needs psycopg; install it with: pip install "coterie[db]"') from None
    if (query is None) == (table is None):
        raise InputError("a PostgreSQL URL needs either query= (one SELECT) or table=; give one of them")
    statement: Any = query
    if table is not None:
        statement = sql.SQL("SELECT * FROM {}").format(sql.Identifier(*table.split(".")))
    where = _without_password(url)
    try:
        with _snapshot(psycopg, url) as connection, connection.cursor(name="coterie", binary=True) as cursor:
            cursor.itersize = _ROWS_A_FETCH
            cursor.execute(statement)
            names = [column.name for column in cursor.description or ()]
            columns = _fetch(cursor, names, where, memory_limit)
    except psycopg.Error as error:
        reason = _hidden(str(error).strip().partition("\n")[0], url)
        # No chain: the driver's own traceback may show the connection string.
        raise InputError(f"reading from {where} failed: {reason}") from None
    return from_columns(_database(url), columns, [f"read from {where} in one read-only snapshot"])


@contextlib.contextmanager
def _snapshot(psycopg: Any, url: str) -> Iterator[Any]:
    connection = psycopg.connect(url, connect_timeout=10, application_name="coterie")
    with contextlib.closing(connection):
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with connection.transaction():
            yield connection


def _database(url: str) -> str:
    return urlsplit(url).path.strip("/") or "postgresql"


def _without_password(url: str) -> str:
    """Return the URL with neither password nor parameters, for messages and notes."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or "localhost"
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "the PostgreSQL server"
    user = f"{parts.username}@" if parts.username else ""
    return f"postgresql://{user}{host}{port}{parts.path}"


def _hidden(text: str, url: str) -> str:
    """Take every form of the URL's passwords out of a message."""
    from urllib.parse import parse_qs, unquote

    text = text.replace(url, _without_password(url))
    secrets: list[str] = []
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        secrets += parse_qs(parts.query).get("password", []) + parse_qs(parts.query).get("sslpassword", [])
        if parts.password:
            secrets += [parts.password, unquote(parts.password)]
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return re.sub(r"(password=)\S+", r"\1***", text, flags=re.IGNORECASE)
