"""Rows of numbers in files that are larger than memory, cut into pieces that any process can read alone.

Only the footers are read at first. A piece is some neighbouring row groups of one Parquet file, or some rows of one ``.npy`` file;
it is read anew each time, column by column and in short batches, so that beside its own rows only some megabytes are taken,
however large the row groups are. Parquet can be read from the beginning of a row group only: one that is larger than a piece
is cut into several, each of which decodes and drops what stands before it in the group. Write groups of at most ``rows`` rows.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from .blocks import mapped_npy, refuse_bad_value, rows_of
from .row_footers import Footer, agreed_columns, footers, opened, paths_of

__all__ = ["Piece", "RowFiles", "row_files"]

_ROWS = 1_048_576  # pyarrow's row groups
_BATCH_ROWS = 65_536


@dataclass(frozen=True)
class Piece:
    """Some rows of one file.

    Attributes
    ----------
    path : Path
        Of the file: absolute, so that a worker in another folder finds it.
    file_bytes : int
        Its size, by which a change is noticed.
    columns : tuple of str, or sequence of int
        Which ones, in this order: names in a Parquet file, places in a ``.npy`` file.
    dtype : dtype
        float32 or float64.
    row_groups : tuple of int or None
        The first and the last; None in a ``.npy`` file.
    skip : int
        Rows of the first row group that belong to pieces before this one.
    n_rows : int
    file_row : int
        Number of its first row in the file.
    first_row : int
        The same in all files together.
    """

    path: Path
    file_bytes: int
    columns: Sequence
    dtype: np.dtype
    row_groups: tuple[int, int] | None
    skip: int
    n_rows: int
    file_row: int
    first_row: int

    def load(self) -> np.ndarray:
        """Read the rows: (n_rows, d), C-contiguous.

        Raises
        ------
        InputError
            If a value is missing or infinite, or the file is damaged, or no longer what it was.
        MissingExtraError
            If a Parquet file is read without pyarrow.
        """
        self.check()
        block = np.empty((self.n_rows, len(self.columns)), self.dtype)
        with np.errstate(invalid="ignore"):  # NaN of any kind: the check below has the sentence
            if self.row_groups is None:
                self._fill_from_npy(block)
            else:
                self._fill_from_parquet(block)
        refuse_bad_value(block, self.file_row, self.columns, self.path.name)
        return block

    def check(self) -> None:
        """Refuse a file that is gone, or no longer what it was.

        Raises
        ------
        InputError
        """
        if not self.path.is_file():
            raise InputError(f"no file at {self.path}; every process that computes must see the files at the same path")
        if self.path.stat().st_size != self.file_bytes:
            raise self._changed()

    def _fill_from_npy(self, block: np.ndarray) -> None:
        array = mapped_npy(self.path)
        if len(array) < self.file_row + self.n_rows or array.shape[1] <= max(self.columns):
            raise self._changed()
        whole = isinstance(self.columns, range)
        for start in range(0, self.n_rows, _BATCH_ROWS):
            stop = min(start + _BATCH_ROWS, self.n_rows)
            part = array[self.file_row + start : self.file_row + stop]
            block[start:stop] = part if whole else part[:, self.columns]

    def _fill_from_parquet(self, block: np.ndarray) -> None:
        first, last = self.row_groups or (0, -1)
        with opened(self.path) as file:
            if file.num_row_groups <= last or not set(self.columns) <= set(file.schema_arrow.names):
                raise self._changed()
            for j, name in enumerate(self.columns):
                batches = file.iter_batches(
                    _BATCH_ROWS, row_groups=range(first, last + 1), columns=[name], use_threads=False
                )
                values = (_numbers(batch.column(name)) for batch in batches)
                if _fill(block[:, j], values, self.skip) < self.n_rows:
                    raise self._changed()

    def _changed(self) -> InputError:
        return InputError(f"{self.path.name} has changed since it was looked at; call row_files again")


@dataclass(frozen=True)
class RowFiles:
    """Rows in files, none of them in memory; small, and can be sent to other processes.

    Attributes
    ----------
    pieces : tuple of Piece
        In the order of the rows.
    shape : tuple of int
        Rows and columns in all.
    dtype : dtype
        float32 if all columns are, else float64.
    names : tuple of str or None
        Of the columns; None for ``.npy`` files.
    left_out : tuple of str
        Columns that hold no numbers, or are the index of a pandas or Dask frame, where none were asked for by name.
    sources : tuple of Path
        The files, in the order of the rows.
    """

    pieces: tuple[Piece, ...]
    shape: tuple[int, int]
    dtype: np.dtype
    names: tuple[str, ...] | None
    left_out: tuple[str, ...]
    sources: tuple[Path, ...]


def row_files(source: Any, *, columns: Sequence | None = None, rows: int = _ROWS) -> RowFiles:
    """Look at files of rows without reading these, and cut them into pieces.

    Parameters
    ----------
    source : path, or list of paths
        A ``.parquet`` file, a folder of them, a pattern such as ``"data/*.parquet"``, or ``.npy`` files of shape (n, d). Files of
        a folder and of a pattern come in the order of their names.
    columns : sequence of str or int, optional
        Names, or places in ``.npy`` files, in this order. By default all that hold numbers.
    rows : int, default=1048576
        That a piece may have. Neighbouring row groups are joined up to it; larger ones are cut, and then read from their
        beginning for each of their pieces. A piece never spans two files.

    Returns
    -------
    RowFiles

    Raises
    ------
    InputError
        If there are no files, no rows, no such columns of numbers, a damaged file, or files whose columns or types differ.
    MissingExtraError
        If Parquet files are read without pyarrow.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "rows.npy"
    ...     np.save(path, np.arange(10).reshape(5, 2))
    ...     files = row_files(path, rows=2)
    ...     last = files.pieces[-1].load()
    >>> files.shape, [piece.n_rows for piece in files.pieces], last
    ((5, 2), [2, 2, 1], array([[8., 9.]]))
    """
    rows = rows_of("piece", rows)
    if isinstance(columns, str | bytes) or (columns is not None and len(columns) == 0):
        raise InputError(f"columns must be a list of at least one, got {columns!r}; leave it out to take all")
    files = footers(paths_of(source))
    chosen = agreed_columns(files, columns)
    single = all(file.types[column] in ("float", "float32") for file in files for column in chosen)
    dtype = np.dtype(np.float32 if single else np.float64)
    pieces: list[Piece] = []
    n = 0
    for file in files:
        size = file.path.stat().st_size
        for groups, skip, n_rows, row in _cut(file, rows):
            pieces.append(Piece(file.path, size, chosen, dtype, groups, skip, n_rows, row, n + row))
        n += file.n_rows
    if n == 0:
        raise InputError(f"{files[0].path.name} has columns but no rows; give at least one row")
    named = files[0].row_groups is not None
    left_out = (*files[0].left_out, *files[0].indexes) if named and columns is None else ()
    sources = tuple(file.path for file in files)
    return RowFiles(tuple(pieces), (n, len(chosen)), dtype, tuple(chosen) if named else None, left_out, sources)


def _numbers(values: Any) -> np.ndarray:
    """Return an Arrow array as numbers, missing ones as NaN."""
    import pyarrow

    if pyarrow.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pyarrow.types.is_boolean(values.type) or pyarrow.types.is_decimal(values.type):
        values = values.cast(pyarrow.float64())
    return values.to_numpy(zero_copy_only=False)


def _fill(column: np.ndarray, parts: Iterable[np.ndarray], skip: int) -> int:
    """Fill a column from parts of any length, the first ``skip`` values dropped; return how many came."""
    count = 0
    for part in parts:
        dropped = min(skip, len(part))
        skip -= dropped
        part = part[dropped : dropped + len(column) - count]
        column[count : count + len(part)] = part
        count += len(part)
        if count == len(column):
            break
    return count


def _cut(file: Footer, rows: int) -> Iterator[tuple[tuple[int, int] | None, int, int, int]]:
    """Give the pieces of a file: row groups, rows to skip in them, rows to read, number of the first."""
    if file.row_groups is None:
        yield from ((None, 0, min(rows, file.n_rows - row), row) for row in range(0, file.n_rows, rows))
        return
    first, held, row = 0, 0, 0  # the row groups from `first` on are held back: a piece so far
    for group, size in enumerate((*file.row_groups, rows)):  # one more than there are: it sets the last piece free
        if held + size > rows:
            if held:
                yield (first, group - 1), 0, held, row
            row += held
            first, held = group, 0
        if size > rows:
            n_parts = -(-size // rows)
            cuts = [size * part // n_parts for part in range(n_parts + 1)]
            yield from (((group, group), start, stop - start, row + start) for start, stop in pairwise(cuts))
            row += size
            first, held = group + 1, 0
        else:
            held += size
