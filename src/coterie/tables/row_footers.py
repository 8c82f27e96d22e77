"""What files of rows say of themselves before any row is read: columns, types, row groups; and whether files agree."""

import contextlib
import glob
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import InputError, MissingExtraError
from .blocks import chosen_name, files_in, mapped_npy, places
from .parquet import unreadable

__all__ = ["Footer", "agreed_columns", "footers", "opened", "paths_of"]

_REMEDY = "write all with the same columns, or choose some with columns="
_BUFFER_BYTES = 1_048_576  # of a column read from disk at a time, rather than all of it in a row group


class Footer(NamedTuple):
    """What a file says of itself."""

    path: Path
    types: dict[Any, str]  # of all columns
    names: Sequence  # of those that hold numbers
    left_out: tuple[str, ...]  # of the others
    indexes: tuple[str, ...]  # of numbers that are the index of a frame
    n_rows: int
    row_groups: tuple[int, ...] | None  # how many rows each has


def paths_of(source: Any) -> list[Path]:
    """Return the files that a path, a pattern or a list of such stands for."""
    paths: list[Path] = []
    for item in source if isinstance(source, list | tuple) else [source]:
        if not isinstance(item, str | os.PathLike):
            raise InputError(
                f"cannot read rows of files from {type(item).__name__!r}; give a path, a pattern, or a list of such"
            )
        text = os.fsdecode(item)
        found = [text]
        if glob.has_magic(text) and not os.path.exists(text):
            found = sorted(glob.glob(text, recursive=True))
            if not found:
                raise InputError(f"no file matches {text}; check the pattern")
        paths += [file for path in found for file in files_in(Path(os.path.abspath(path)))]
    if not paths:
        raise InputError("the list of files is empty; give at least one")
    return paths


def footers(paths: list[Path]) -> list[Footer]:
    """Read the footers of files, which must be of one kind."""
    mapped = {path.suffix.lower() == ".npy": path.name for path in paths}
    if len(mapped) > 1:
        raise InputError(f"{mapped[True]} is a .npy file and {mapped[False]} is not; give files of one kind")
    return [(_npy_footer if True in mapped else _parquet_footer)(path) for path in paths]


def _npy_footer(path: Path) -> Footer:
    array = mapped_npy(path)
    places = range(array.shape[1])
    return Footer(path, dict.fromkeys(places, array.dtype.name), places, (), (), len(array), None)


def _parquet_footer(path: Path) -> Footer:
    with opened(path) as file:
        schema, head = file.schema_arrow, file.metadata
        groups = tuple(head.row_group(i).num_rows for i in range(head.num_row_groups))
    if sum(groups) != head.num_rows:
        found = ValueError(f"it promises {head.num_rows:,} rows and its row groups {sum(groups):,}")
        raise unreadable(path, found, path)
    name, count = Counter(schema.names).most_common(1)[0] if schema.names else ("", 0)
    if count > 1:
        raise InputError(f"{path.name} has {count} columns called {name!r}; rename them")
    names = tuple(field.name for field in schema if _is_number(field.type))
    types = {field.name: str(field.type) for field in schema}
    left_out = tuple(name for name in schema.names if name not in set(names))
    try:
        index = [name for name in schema.pandas_metadata["index_columns"] if name in names]
    except (TypeError, KeyError, ValueError):  # no such metadata, or of another library and form
        index = []
    return Footer(path, types, names, left_out, tuple(index), sum(groups), groups)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a Parquet file; what is found damaged meanwhile becomes one sentence."""
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise MissingExtraError(
            'reading Parquet files in pieces needs pyarrow; install it with: pip install "coterie[distributed]"'
        ) from None
    try:
        with ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False, page_checksum_verification=True) as file:
            yield file
    except (pyarrow.ArrowException, OSError, UnicodeError) as error:
        raise unreadable(path, error, path) from error
    finally:
        pyarrow.default_memory_pool().release_unused()


def _is_number(kind: Any) -> bool:
    """Say the same of a type of Arrow as `number_columns` does of one of DuckDB."""
    from pyarrow import types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    return any(is_one(kind) for is_one in (types.is_integer, types.is_floating, types.is_decimal, types.is_boolean))


def agreed_columns(files: list[Footer], columns: Sequence | None) -> Sequence:
    """Return the columns to read, which all files must have alike."""
    first = files[0]
    if columns is None:
        chosen: Sequence = first.names
        if first.indexes:
            chosen = tuple(name for name in chosen if name not in first.indexes)
    elif first.row_groups is None:
        chosen = tuple(places(columns, len(first.names)))
    else:
        chosen = tuple(chosen_name(column, first, first.path) for column in columns)
    if not chosen:
        raise InputError(f"{first.path.name} has no column of numbers; code the texts and dates first")
    for file in files[1:]:
        _must_agree(first, file, chosen if columns is not None else None)
    return chosen


def _must_agree(first: Footer, file: Footer, columns: Sequence | None) -> None:
    """Refuse a file that lacks a column, has one more, or another type, where it is to be read."""
    one, other = first.path.name, file.path.name
    for column in first.types if columns is None else columns:
        if column not in file.types:
            raise InputError(f"{other} has no column {column!r}, which {one} has; {_REMEDY}")
        number = column in first.names or column in file.names
        if number and file.types[column] != first.types[column]:
            raise InputError(
                f"column {column!r} is {file.types[column]} in {other} and {first.types[column]} in {one}; "
                "write it with one type, or leave it out"
            )
    more = next((column for column in file.types if column not in first.types), None)
    if columns is None and more is not None:
        raise InputError(f"{other} has a column {more!r}, which {one} lacks; {_REMEDY}")
