"""Rows in files on a common scale: every column by its mean and deviation, as the coding of a column says."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from .coding import Coding
from .frames import from_columns
from .roles import find_roles, require_used
from .row_files import Piece, RowFiles, row_files
from .table import Table, unknown_name

__all__ = ["ScaledFiles", "sampled_table", "scale_codings", "scaled_files", "source_bytes"]

_USED = ("number", "category", "date")
_NO_SPREAD = 1e-13  # of the magnitude of the values: their own rounding


class ScaledPiece:
    """Some rows of one file as numbers on a common scale.

    Parameters
    ----------
    piece : Piece
    shift, scale : (d,) float64 arrays
        A value becomes ``(value - shift) / scale``.
    """

    def __init__(self, piece: Piece, shift: np.ndarray, scale: np.ndarray):
        self.piece, self.shift, self.scale = piece, shift, scale
        self.n_rows = piece.n_rows

    def load(self) -> np.ndarray:
        """Read the rows: (n_rows, d) float64, the bits that `Prepared.transform` gives for them."""
        rows = self.piece.load().astype(np.float64, copy=False)
        rows -= self.shift
        rows /= self.scale
        return rows


class ScaledFiles:
    """Rows in files, none of them in memory, that estimators take as they take `RowFiles`.

    Attributes
    ----------
    files : RowFiles
        The same rows and columns as they are.
    pieces : tuple of ScaledPiece
    shape : tuple of int
    dtype : dtype
        float64.
    names : None
        Estimators are fitted without names, as new rows come to them without.
    """

    def __init__(self, files: RowFiles, shift: np.ndarray, scale: np.ndarray):
        self.files = files
        self.pieces = tuple(ScaledPiece(piece, shift, scale) for piece in files.pieces)
        self.shape = files.shape
        self.dtype = np.dtype(np.float64)
        self.names = None


def sampled_table(name: str, files: RowFiles, values: np.ndarray, source_bytes: int) -> Table:
    """Return some rows of files as a table; its columns are called as where a whole file is read as one."""
    names = [f"x{j}" for j in range(files.shape[1])] if files.names is None else files.names
    return from_columns(name, [(str(name), values[:, j].copy()) for j, name in enumerate(names)], (), source_bytes)


def scale_codings(
    table: Table, moments: Any, drawn: np.ndarray, roles: Mapping[str, str] | None, left_out: Sequence[str]
) -> tuple[Coding, ...]:
    """Say of each column whether rows are compared by it, and on which scale.

    Parameters
    ----------
    table : Table
        Some of the rows.
    moments : Moments
        Of all rows.
    drawn : (m,) int array
        Numbers of the rows in ``table``.
    roles : mapping, optional
        What columns are, as told.
    left_out : sequence of str
        Columns of the files that hold no numbers.

    Returns
    -------
    tuple of Coding
        First of the columns of numbers, then of those left out.

    Raises
    ------
    InputError
        If a role is told that needs all rows in memory, no column is left, or values are beyond what float64 can square.
    """
    roles = dict(roles or {})
    for column, role in roles.items():
        if column not in table.names and column not in left_out:
            raise unknown_name(column, (*table.names, *left_out))
        if role in ("category", "date", "text") or (column in left_out and role in _USED):
            raise InputError(
                f"column {column!r} cannot be a {role} in rows that are worked on block by block, which takes columns of numbers as "
                "numbers; code it first, or say ignored"
            )
    told = {column: role for column, role in roles.items() if column in table.names}
    found = find_roles(table, roles=told)
    codings = [
        _coding(role, j, table, moments, drawn, role.column in told) for j, role in enumerate(found)
    ]  # fmt: skip
    why = "as you asked", "holds no numbers; rows in blocks are compared by numbers only"
    codings += [Coding(column, "ignored", False, why[column not in roles]) for column in left_out]
    require_used(codings, table.name)  # type: ignore[arg-type]
    return tuple(codings)


def _coding(role: Any, j: int, table: Table, moments: Any, drawn: np.ndarray, told: bool) -> Coding:
    low, high = float(moments.low[j]), float(moments.high[j])
    if high - low <= _NO_SPREAD * max(abs(low), abs(high)):
        return Coding(role.column, "constant", False, f"every row has {low:.6g}")
    if not role.used and (told or role.role != "constant"):
        return Coding(role.column, role.role, False, role.why)
    if not told and _numbers_rows(table.columns[j].values, drawn, low, high, moments.n):
        return Coding(role.column, "id", False, "it numbers the rows")
    mean, deviation = float(moments.mean[j]), float(moments.deviation[j])
    if not (np.isfinite([mean, deviation]).all() and deviation > 0):
        raise InputError(
            f"column {role.column!r} runs from {low:.3g} to {high:.3g}, and such numbers have no squares; divide it by a power of ten"
        )
    why = "as you asked" if told else f"numbers from {low:.6g} to {high:.6g}"
    return Coding(
        role.column, "number", True, why, coding="z-score", center=mean, spread=deviation, weight=1.0, shift=mean,
        scale=deviation, unit=table.columns[j].unit,
    )  # fmt: skip


def _numbers_rows(values: np.ndarray, drawn: np.ndarray, low: float, high: float, n: int) -> bool:
    return n > 2 and high - low == n - 1 and bool((values - low == drawn).all())


def scaled_files(files: RowFiles, codings: Sequence[Coding], sources: Any, rows: int) -> ScaledFiles:
    """Return the rows of files by the columns that are used, on their scale; the codings are those of `scale_codings`."""
    used = [j for j in range(files.shape[1]) if codings[j].used]
    if len(used) < files.shape[1]:
        files = row_files(sources, columns=[j if files.names is None else files.names[j] for j in used], rows=rows)
    shift, scale = (np.array([getattr(codings[j], name) for j in used]) for name in ("shift", "scale"))
    return ScaledFiles(files, shift, scale)


def source_bytes(files: RowFiles) -> int:
    """Return the size of the files together."""
    return sum(Path(path).stat().st_size for path in files.sources)
