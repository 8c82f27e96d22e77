"""One way in: a path, a URL, a frame, an array or a list becomes a `Table`."""

import os
import re
import sys
from pathlib import Path
from typing import IO, Any

from ..errors import InputError
from .delimited import read_delimited
from .encoding import expand, identify, refuse_binary
from .table import Table

__all__ = ["must_be_file", "read"]


def read(source: Any, *, query: str | None = None, table: str | None = None, memory_limit: int | None = None) -> Table:
    """Read a table from wherever it is.

    Parameters
    ----------
    source : path, URL, frame, array, dict, list or Table
        A ``.csv``, ``.tsv`` or ``.txt`` file (also ``.gz``), ``.parquet``, ``.json``/``.jsonl``/``.ndjson``, ``.npy``,
        ``.npz``, ``.sqlite``/``.db``; a folder of ``.parquet`` files, a pattern such as ``"data/*.parquet"`` or a list of such files, one
        after the other; "-" for CSV on standard input; ``postgresql://…`` with ``query``; a pandas, polars or
        Arrow table, a dict of columns, a list of dicts, a NumPy array (rows by columns, or structured); a `Table` is
        returned as it is.
    query : str, optional
        SQL, for databases.
    table : str, optional
        Name of the table, for databases; needed only where there are several.
    memory_limit : int, optional
        Bytes that reading may use.

    Returns
    -------
    Table
        What the reader decided is in its ``notes``.

    Raises
    ------
    InputError
        If nothing is there, or it cannot be read without guessing; one sentence says what and where.
    ResourceError
        If it does not fit in ``memory_limit``.
    MissingExtraError
        If a database needs a package that is not installed.

    Examples
    --------
    >>> table = read({"age": [31, 45, None], "city": ["Bern", "Bern", "Basel"]})
    >>> table.n_rows, table.names, table.column("age").n_missing
    (3, ('age', 'city'), 1)
    """
    if isinstance(source, Table):
        return source
    from .row_sources import are_several, read_files, row_sources

    files = row_sources(source)
    if files is not None and are_several(files):
        _no_query(query, table, "a set of files")
        return read_files(files, memory_limit=memory_limit)
    if isinstance(source, str | os.PathLike):
        text = os.fspath(source)
        text = os.fsdecode(text)
        if text.split("://")[0] in ("postgresql", "postgres"):
            from .databases import read_postgresql

            return read_postgresql(text, query, table, memory_limit=memory_limit)
        if re.match(r"[a-z][a-z0-9+.-]+://", text, re.IGNORECASE):
            raise InputError(
                f"{text.split('://')[0]}:// addresses are not read; download the file, or give postgresql://… with query="
            )
        if text == "-":
            return _read_stream(sys.stdin.buffer, "standard input", memory_limit)
        return _read_path(Path(text), query, table, memory_limit)
    from .frames import read_object

    _no_query(query, table, type(source).__name__)
    return read_object(source)


def _no_query(query: str | None, table: str | None, what: str) -> None:
    if query is not None or table is not None:
        option = "query" if query is not None else "table"
        raise InputError(f"{option}= is for databases, but {what} is none; leave it out")


def _read_path(path: Path, query: str | None, table: str | None, memory_limit: int | None) -> Table:
    must_be_file(path)
    try:
        with open(path, "rb") as file:
            return _read_file(file, path, query, table, memory_limit)
    except OSError as error:
        if isinstance(error, InputError) or error.errno is None:
            raise
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def must_be_file(path: Path) -> None:
    """Refuse a path that is no ordinary file, with a hint where one of nearly that name is.

    Raises
    ------
    InputError
    """
    try:
        if "\0" in str(path):
            raise ValueError("it contains a NUL character")
        if path.is_file():
            return
        if path.is_dir():
            raise InputError(f"{path} is a folder, not a file; give the file in it that holds the table")
        exists = path.exists() or path.is_symlink()
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"{str(path)!r} is no usable path: {error}") from error
    if exists:
        raise InputError(
            f"{path} is not an ordinary file (a device, a pipe or a broken link); give a file, or - for standard input"
        )
    folder = path.parent
    import difflib

    near = (
        difflib.get_close_matches(path.name, os.listdir(folder), n=1)
        if folder.is_dir() and os.access(folder, os.R_OK)
        else []
    )
    hint = f"did you mean {str(folder / near[0])!r}?" if near else "check the path"
    raise InputError(f"no file at {path}; {hint}")


def _read_file(file: IO[bytes], path: Path, query, table, memory_limit) -> Table:
    name, size = path.name, path.stat().st_size
    if size == 0:
        raise InputError(f"{name} is empty; give a file with a header line and at least one row")
    head = file.read(1 << 16)
    file.seek(0)
    kind = _kind(path, head)
    if kind != "sqlite":
        _no_query(query, table, name)
    if kind == "sqlite":
        from .databases import read_sqlite

        return read_sqlite(path, query, table, memory_limit=memory_limit)
    if kind == "parquet":
        from .parquet import read_parquet

        return read_parquet(path, memory_limit=memory_limit)
    if kind in ("npy", "npz"):
        from .numpy_files import read_npy, read_npz

        return (read_npy if kind == "npy" else read_npz)(path, memory_limit=memory_limit)
    if kind == "gzip":
        with expand(file, name, memory_limit) as expanded:
            inner = name[:-3] if name.lower().endswith(".gz") else name
            return _read_text(None, expanded, inner, memory_limit, size)
    return _read_text(path, file, name, memory_limit, size)


def _read_text(path: Path | None, stream: IO[bytes], name: str, memory_limit: int | None, size: int | None) -> Table:
    head = stream.peek(1 << 16)[: 1 << 16] if hasattr(stream, "peek") else b""
    if not head:
        raise InputError(f"{name} is empty; give a file with a header line and at least one row")
    refuse_binary(name, head)
    if Path(name).suffix.lower() in (".json", ".jsonl", ".ndjson"):
        from .json_lines import read_json

        return read_json(stream, name, memory_limit=memory_limit, source_bytes=size)
    return read_delimited(path, stream, name, memory_limit=memory_limit, source_bytes=size)


def _read_stream(stream: IO[bytes], name: str, memory_limit: int | None) -> Table:
    head = stream.peek(2)[:2] if hasattr(stream, "peek") else b""  # type: ignore[attr-defined]
    if head == b"\x1f\x8b":
        with expand(stream, name, memory_limit) as expanded:
            return _read_text(None, expanded, name, memory_limit, None)
    return _read_text(None, stream, name, memory_limit, None)


def _kind(path: Path, head: bytes) -> str:
    """Tell the kind of a file by its content; refuse one whose name promises another kind."""
    found = identify(head)
    suffix = path.suffix.lower()
    if found is not None:
        if found[0] == "zip" and suffix == ".npz":
            return "npz"
        return found[0]
    for endings, words in _PROMISES:
        if suffix in endings:
            raise InputError(
                f"{path.name} does not begin as {words} does; if it is text, give it a name that ends in .csv, else write or fetch it again"
            )
    return "text"


_PROMISES = (
    ((".parquet", ".pq"), "a Parquet file"),
    ((".npy", ".npz"), "a NumPy array"),
    ((".sqlite", ".sqlite3", ".db"), "an SQLite database"),
)
