"""A DuckDB connection that can read one file and nothing else."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

__all__ = ["connect", "quoted", "safe_path"]


def connect(path: Path, memory_limit: int | None) -> "duckdb.DuckDBPyConnection":
    """Open an in-memory database that may read ``path`` only; its settings are locked.

    Parameters
    ----------
    path : Path
        The one readable file.
    memory_limit : int or None
        Bytes.
    """
    import duckdb

    connection = duckdb.connect(
        ":memory:",
        config={"threads": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1},
    )
    if memory_limit is not None:
        connection.execute(f"SET memory_limit='{max(int(memory_limit), 64 << 20) // 1024}KiB'")
    connection.execute("SET TimeZone='UTC'")
    connection.execute(f"SET allowed_paths=[{literal(str(path))}]")
    connection.execute("SET enable_external_access=false")
    connection.execute("SET lock_configuration=true")
    return connection


def safe_path(path: Path, folder: Path) -> Path:
    """Give a name without the characters that DuckDB takes for patterns, by a link in ``folder`` where needed."""
    path = path.resolve()
    if not set(str(path)) & set("*?[]{}'\"\\\n\r\0") and "://" not in str(path):
        return path
    link = folder / "source"
    link.symlink_to(path)
    return link


def quoted(identifier: str) -> str:
    """Quote an SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote an SQL string."""
    return "'" + text.replace("'", "''") + "'"
