"""Rows of numbers, block by block, from files and arrays that may be larger than memory; and a column written the same way."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import first_bad_value
from ..errors import InputError, OutputError
from ..files import atomic_write

__all__ = [
    "RowBlocks",
    "chosen_name",
    "files_in",
    "mapped_npy",
    "places",
    "refuse_bad_value",
    "row_blocks",
    "rows_of",
    "write_npy",
]

ROWS = 131_072
_LEAST_READ = 65_536  # of Parquet: a query costs as much as some ten thousand rows


class RowBlocks:
    """A table of numbers that is read anew, in blocks of equal size, each time it is called.

    Parameters
    ----------
    parts : callable
        ``parts()`` begins a pass and gives (m, d) arrays of any number of rows.
    rows : int
        Of each block; the last may have fewer.
    n_rows : int or None, default=None
        Rows in all, where it is known before reading.
    names : sequence of str or None, default=None
        Of the columns.
    left_out : sequence of str, default=()
        Columns that hold no numbers.
    """

    def __init__(
        self,
        parts: Callable[[], Iterable[Any]],
        rows: int,
        n_rows: int | None = None,
        names: Sequence[str] | None = None,
        left_out: Sequence[str] = (),
    ) -> None:
        self._parts = parts
        self.rows = rows
        self.n_rows = n_rows
        self.names = None if names is None else tuple(names)
        self.left_out = tuple(left_out)

    def __call__(self) -> Iterator[np.ndarray]:
        """Begin a pass: (rows, d) float64 arrays, or float32 where the source is.

        Raises
        ------
        InputError
            If a value is missing or infinite, or blocks differ in their number of columns; the message says where.
        """
        waiting: list[np.ndarray] = []
        count = done = 0
        for part in self._parts():
            values = _numbers(part, done + count)
            if waiting and values.shape[1] != waiting[0].shape[1]:
                raise InputError(
                    f"a block has {values.shape[1]} columns and the one before it {waiting[0].shape[1]}; give blocks of one table"
                )
            while count + len(values) >= self.rows:
                cut = self.rows - count
                yield self._checked([*waiting, values[:cut]], done)
                values, waiting, count = values[cut:], [], 0
                done += self.rows
            if len(values):
                waiting.append(values)
                count += len(values)
        if waiting:
            yield self._checked(waiting, done)

    def _checked(self, parts: list[np.ndarray], first: int) -> np.ndarray:
        block = np.ascontiguousarray(parts[0] if len(parts) == 1 else np.concatenate(parts))
        refuse_bad_value(block, first, self.names)
        return block


def row_blocks(source: Any, *, rows: int = ROWS, columns: Sequence | None = None) -> RowBlocks:
    """Read a source in blocks.

    Parameters
    ----------
    source : path, array, list of arrays, or callable
        A ``.npy`` file (mapped, not loaded), a ``.parquet`` file or a folder of them (in the order of their names); a NumPy array or
        memmap of shape (n, d); a list of such; or a function that begins a pass over arrays or frames of any number of rows.
    rows : int, default=131072
        Of each block.
    columns : sequence of int or str, optional
        Which ones, in this order. By default all that hold numbers.

    Returns
    -------
    RowBlocks

    Raises
    ------
    InputError
        If nothing is there, or a column asked for holds no numbers.

    Examples
    --------
    >>> import numpy as np
    >>> blocks = row_blocks(np.arange(10.0).reshape(5, 2), rows=2)
    >>> [block.shape for block in blocks()]
    [(2, 2), (2, 2), (1, 2)]
    """
    rows = rows_of("block", rows)
    if isinstance(source, str | os.PathLike):
        return _of_path(Path(source), rows, columns)
    if isinstance(source, np.ndarray):
        return _of_array(source, rows, columns)
    if isinstance(source, list | tuple):
        parts = list(source)
        return RowBlocks(lambda: (_chosen(part, columns) for part in parts), rows, sum(map(len, parts)))
    if callable(source):
        return RowBlocks(lambda: (_chosen(part, columns) for part in source()), rows)
    raise InputError(
        f"cannot read blocks of rows from {type(source).__name__!r}; give a .npy or .parquet path, a folder of .parquet files, an "
        "array, or a function that returns an iterator over arrays"
    )


def write_npy(path: str | os.PathLike, parts: Iterable[np.ndarray], n: int, dtype: Any = np.int64) -> Path:
    """Write one column to a ``.npy`` file, part by part; whole or not at all.

    Parameters
    ----------
    path : str or path-like
    parts : iterable of 1-D arrays
    n : int
        Values in all.
    dtype : dtype, default=int64

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If there are more or fewer than ``n``.
    OutputError
        If the file cannot be written.
    """
    kind = np.dtype(dtype)
    if Path(path).is_dir():
        raise OutputError(f"could not write {path}: it is a folder; give the name of a file in it")
    with atomic_write(path) as file:
        header = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": (n,)}
        np.lib.format.write_array_header_1_0(file, header)
        written = 0
        for part in parts:
            file.write(np.ascontiguousarray(part, kind).tobytes())
            written += len(part)
        if written != n:
            raise InputError(
                f"{n:,} values were announced and {written:,} came; the source must give the same rows each time"
            )
    return Path(path)


def rows_of(what: str, rows: Any) -> int:
    """Return how many rows a block or a piece shall have; refuse what is no number of rows."""
    if isinstance(rows, bool) or not isinstance(rows, int | np.integer) or rows < 1:
        raise InputError(f"the rows of a {what} must be a whole number above 0, got {rows!r}")
    return int(rows)


def refuse_bad_value(block: np.ndarray, first: int, names: Sequence | None, file: str = "") -> None:
    """Refuse a block with a missing or infinite value; its rows count from ``first``, in ``file`` where one is named."""
    bad = first_bad_value(block)
    if bad is not None:
        row, column = bad
        value = "no value" if np.isnan(block[bad]) else "infinity"
        where = column if names is None else repr(names[column])
        of = f" of {file}" if file else ""
        raise InputError(f"row {first + row:,}{of} has {value} in column {where}; fill or drop such rows first")


def _numbers(part: Any, first: int) -> np.ndarray:
    values = part if isinstance(part, np.ndarray) else _from_frame(part)
    if values.ndim != 2 or values.dtype.kind not in "fiub":
        raise InputError(
            f"the block from row {first:,} is no table of numbers: shape {values.shape}, {values.dtype}; give (n, d) numbers"
        )
    return values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)


def _from_frame(part: Any) -> np.ndarray:
    """Return the numbers of a frame of any library, or of nested lists."""
    return np.asarray(part.to_numpy() if hasattr(part, "to_numpy") else part)


def _chosen(part: Any, columns: Sequence | None) -> Any:
    if columns is None:
        return part
    if isinstance(part, np.ndarray):
        return part[:, places(columns, part.shape[1])]
    return part[list(columns)]


def places(columns: Sequence, d: int) -> list[int]:
    """Return where the columns asked for stand in an array of ``d``."""
    for column in columns:
        if isinstance(column, bool) or not isinstance(column, int | np.integer) or not -d <= column < d:
            raise InputError(f"columns of an array are numbers from 0 to {d - 1}, got {column!r}")
    return [int(column) % d for column in columns]


def _of_array(array: np.ndarray, rows: int, columns: Sequence | None) -> RowBlocks:
    _must_be_table(array)
    chosen = None if columns is None else places(columns, array.shape[1])

    def parts() -> Iterator[np.ndarray]:
        for start in range(0, len(array), rows):
            block = np.array(array[start : start + rows])  # a copy: of a memmap, only this much is ever in memory
            yield block if chosen is None else block[:, chosen]

    return RowBlocks(parts, rows, len(array))


def _must_be_table(array: np.ndarray, where: str = "") -> None:
    if array.ndim != 2 or array.dtype.kind not in "fiub":
        raise InputError(
            f"expected an array of n rows and d columns of numbers{where}, got shape {array.shape}, {array.dtype}"
        )


def mapped_npy(path: Path) -> np.ndarray:
    """Return the table of numbers in a ``.npy`` file: mapped, not loaded."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise InputError(f"{path.name} is no readable .npy file: {error}; write it again") from error
    _must_be_table(array, f" in {path.name}")
    return array


def files_in(path: Path) -> list[Path]:
    """Return the files that a path stands for: itself, or those of a folder in the order of their names."""
    if path.is_dir():
        files = sorted(path.glob("*.parquet"))
        if not files:
            raise InputError(f"{path} holds no .parquet files; give a folder that does, or one file")
        return files
    if not path.is_file():
        raise InputError(f"no file at {path}; check the path")
    if path.suffix.lower() not in (".npy", ".parquet", ".pq"):
        raise InputError(f"{path.name} cannot be read in blocks; convert it to .parquet or .npy, which can")
    return [path]


def _of_path(path: Path, rows: int, columns: Sequence | None) -> RowBlocks:
    files = files_in(path)
    if files[0].suffix.lower() == ".npy":
        return _of_array(mapped_npy(path), rows, columns)
    return _of_parquet(files, rows, columns)


def _of_parquet(files: list[Path], rows: int, columns: Sequence | None) -> RowBlocks:
    from .parquet import number_columns, parquet_blocks

    first = number_columns(files[0])
    names = list(first.names) if columns is None else [chosen_name(column, first, files[0]) for column in columns]
    if not names:
        raise InputError(f"{files[0].name} has no column of numbers; code the texts and dates first")
    n_rows = [first.n_rows, *(number_columns(file).n_rows for file in files[1:])]
    dtype = np.float32 if all(first.single[first.names.index(name)] for name in names) else np.float64

    def parts() -> Iterator[np.ndarray]:
        for file, n in zip(files, n_rows, strict=True):
            yield from parquet_blocks(file, names, n, max(rows, _LEAST_READ), dtype)

    return RowBlocks(parts, rows, sum(n_rows), names, first.left_out if columns is None else ())


def chosen_name(column: Any, known: Any, file: Path) -> str:
    """Return the name of a column asked for, if it is one of ``known.names``."""
    if column in known.names:
        return column
    if column in known.left_out:
        raise InputError(f"column {column!r} of {file.name} holds no numbers; code it first, or leave it out")
    raise InputError(f"{file.name} has no column {column!r}; its columns of numbers are {', '.join(known.names[:20])}")
