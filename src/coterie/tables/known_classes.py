"""A column of known classes in files of rows, read piece by piece beside the rows: names, and the number of the name of each row."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import InputError
from .blocks import mapped_npy
from .row_files import Piece, RowFiles
from .row_footers import opened
from .table import unknown_name

__all__ = ["MOST_CLASSES", "ClassFiles", "ClassPiece", "class_files", "refuse_many"]

MOST_CLASSES = 1000
_BATCH_ROWS = 65_536


class ClassPiece:
    """The classes of the rows of one piece.

    Parameters
    ----------
    piece : Piece
        Whose rows they are.
    column : str or int
        Its name in a Parquet file, its place in a ``.npy`` file.
    name : str
        What it is called.
    """

    def __init__(self, piece: Piece, column: Any, name: str):
        self.piece, self.column, self.name, self.n_rows = piece, column, name, piece.n_rows

    def load(self) -> tuple[list[str], np.ndarray]:
        """Read them.

        Returns
        -------
        names : list of str
            In the order in which they occur.
        codes : (n_rows,) int64 array
            Numbers among the names; -1 where no class is known.

        Raises
        ------
        InputError
            If there are more than `MOST_CLASSES`, or the file is damaged or no longer what it was.
        """
        self.piece.check()
        names: dict[str, int] = {}
        parts = [
            np.append(np.array([_number_of(word, names) for word in words], np.int64), -1)[codes]
            for words, codes in (self._npy() if self.piece.row_groups is None else self._parquet())
        ]
        found = np.concatenate([np.zeros(0, np.int64), *parts])[self.piece.skip :][: self.n_rows]
        refuse_many(names, self.name)
        return list(names), found

    def _npy(self) -> Iterator[tuple[list, np.ndarray]]:
        start = self.piece.file_row
        values = mapped_npy(self.piece.path)[start : start + self.n_rows, self.column]
        words, codes = np.unique(values, return_inverse=True)
        yield words[: MOST_CLASSES + 1].tolist(), np.minimum(codes, MOST_CLASSES)

    def _parquet(self) -> Iterator[tuple[list, np.ndarray]]:
        import pyarrow

        first, last = self.piece.row_groups or (0, -1)
        left = self.piece.skip + self.n_rows
        with opened(self.piece.path) as file:
            for batch in file.iter_batches(
                _BATCH_ROWS, row_groups=range(first, last + 1), columns=[self.column], use_threads=False
            ):
                values = batch.column(0)
                if pyarrow.types.is_dictionary(values.type):
                    values = values.dictionary_decode()
                coded = values.dictionary_encode()
                codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
                yield coded.dictionary[: MOST_CLASSES + 1].to_pylist(), np.minimum(codes, MOST_CLASSES)
                left -= len(codes)
                if left <= 0:
                    return


class ClassFiles:
    """The classes of rows in files, none of them in memory, in the pieces of these rows."""

    def __init__(self, files: RowFiles, column: Any, name: str):
        self.pieces = tuple(ClassPiece(piece, column, name) for piece in files.pieces)
        self.shape, self.dtype, self.names = (files.shape[0], 1), np.dtype(np.float64), None


def class_files(files: RowFiles, column: str) -> ClassFiles:
    """Return the classes that a column holds, of whatever type it is.

    Parameters
    ----------
    files : RowFiles
        With all columns.
    column : str
        Its name; ``x0``, ``x1``, ... in ``.npy`` files.

    Returns
    -------
    ClassFiles

    Raises
    ------
    InputError
        If there is no such column.
    """
    names = [f"x{j}" for j in range(files.shape[1])] if files.names is None else files.names
    if column not in names and column not in files.left_out:
        raise unknown_name(column, (*names, *files.left_out))
    return ClassFiles(files, list(names).index(column) if files.names is None else column, column)


def refuse_many(names: Any, column: Any) -> None:
    """Refuse more classes than a table of counts can show.

    Raises
    ------
    InputError
    """
    if len(names) > MOST_CLASSES:
        raise InputError(
            f"truth must be a column of known classes, and {column!r} has more than {MOST_CLASSES:,} different values; give another, or "
            "leave it out"
        )


def _number_of(value: Any, names: dict[str, int]) -> int:
    """Return the number of a value as the words of a table in memory, where it gets a new one the first time; -1 for a missing one."""
    if isinstance(value, bool | int | float):
        value = float(value)
    if value is None or value != value or value == "":
        return -1
    return names.setdefault(str(value), len(names))
