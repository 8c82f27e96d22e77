"""Whether something is files of rows that can be read in pieces; and several Parquet files as one table, where they fit."""

import glob
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import ResourceError
from .frames import read_object
from .row_files import RowFiles, row_files
from .row_footers import opened
from .table import Table

__all__ = ["are_several", "name_of_files", "read_files", "row_sources"]

_ENDINGS = (".parquet", ".pq", ".npy")
_COPIES = 2  # of the values, while they become a table


def row_sources(source: Any) -> Any:
    """Return what `row_files` takes, where ``source`` is such: a ``.parquet`` or ``.npy`` file, a folder, a pattern, a list; else None."""
    if isinstance(source, RowFiles):
        return [str(path) for path in source.sources]
    if isinstance(source, list | tuple):
        return list(source) if source and all(_ends_as_rows(item) for item in source) else None
    if not isinstance(source, str | os.PathLike):
        return None
    text = os.path.expanduser(os.fsdecode(source))
    if os.path.isdir(text):
        return text if any(Path(text).glob("*.parquet")) else None
    return text if _ends_as_rows(text) and "://" not in text else None


def are_several(source: Any) -> bool:
    """Say whether what `row_sources` returned is more than one file: a list, a folder, or a pattern."""
    return (
        not isinstance(source, str) or os.path.isdir(source) or (glob.has_magic(source) and not os.path.exists(source))
    )


def _ends_as_rows(source: Any) -> bool:
    return isinstance(source, str | os.PathLike) and os.fsdecode(source).lower().endswith(_ENDINGS)


def name_of_files(source: Any) -> str:
    """Return what to call files: a file or folder by its name, a pattern with its folder, of a list the first and how many more."""
    if isinstance(source, list):
        more = f" and {len(source) - 1} more" if len(source) > 1 else ""
        return f"{Path(source[0]).name}{more}"
    path = Path(source)
    if path.is_dir():
        return path.resolve().name
    return path.name if path.exists() else "/".join(path.parts[-2:])


def read_files(source: Any, *, memory_limit: int | None = None) -> Table:
    """Read several files as one table, one after the other.

    Parameters
    ----------
    source : path, pattern, or list of paths
        As for `row_files`.
    memory_limit : int, optional
        Bytes that reading may use.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        If there are none, one is damaged, or their columns differ.
    ResourceError
        If they do not fit in ``memory_limit``.
    MissingExtraError
        Without pyarrow.
    """
    files = row_files(source)
    n, d = files.shape[0], files.shape[1] + len(files.left_out)
    if memory_limit is not None and _COPIES * 8 * n * d > memory_limit:
        raise ResourceError(
            f"{n:,} rows and {d} columns of {name_of_files(source)} do not fit in the memory limit; raise the limit, or read fewer files at "
            "a time"
        )
    table = _joined(files.sources)
    size = sum(path.stat().st_size for path in files.sources)
    return replace(table, name=name_of_files(source), source_bytes=size)


def _joined(paths: Sequence[Path]) -> Table:
    if paths[0].suffix.lower() == ".npy":
        import numpy as np

        return read_object(np.concatenate([np.load(path, mmap_mode="r", allow_pickle=False) for path in paths]))
    parts = []
    for path in paths:
        with opened(path) as file:
            parts.append(file.read())
    import pyarrow

    return read_object(pyarrow.concat_tables(parts, promote_options="default"))
