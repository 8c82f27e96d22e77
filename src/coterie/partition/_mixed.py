"""Rows of numbers and categories: which columns are which, and categories as whole numbers."""

import math
from numbers import Number
from typing import Any, NamedTuple

import narwhals.stable.v1 as nw
import numpy as np

from ..arrays import is_tensor, to_numpy
from ..errors import InputError

__all__ = ["Mixed", "encode", "levels_of", "split_columns"]


class Mixed(NamedTuple):
    """A table taken apart."""

    numbers: Any  # (n, p) columns to check as numbers: array, tensor or None where there are none
    values: list[list]  # one list of n values for each categorical column
    categorical: list[int]  # their places in the table


def split_columns(X: Any, categorical: Any) -> Mixed | None:
    """Take a table apart, or return None where all columns are numbers and it can be checked as usual.

    Parameters
    ----------
    X : array, frame or tensor of shape (n, d)
    categorical : sequence of int or str, or None
        Places or names of the categorical columns. None: of a frame, the columns of text and of categories; of an array of
        objects, those that hold a text.
    """
    if is_tensor(X) or (isinstance(X, np.ndarray) and X.dtype.kind in "biuf"):
        if categorical is None:
            return None
        chosen = _places(categorical, X.shape[1] if X.ndim == 2 else 0, None)
        others = [j for j in range(X.shape[1]) if j not in chosen]
        return Mixed(X[:, others] if others else None, [to_numpy(X[:, j]).tolist() for j in chosen], chosen)
    frame = nw.from_native(X, eager_only=True, pass_through=True)
    if isinstance(frame, nw.DataFrame):
        return _split_frame(frame, categorical)
    if hasattr(X, "toarray"):
        if categorical is not None:
            raise InputError(
                "sparse rows hold numbers only; pass a frame or a dense array where columns are categorical"
            )
        return None
    return _split_objects(X, categorical)


def _split_frame(frame: Any, categorical: Any) -> Mixed | None:
    names, columns = frame.columns, list(frame.iter_columns())
    if categorical is None:
        words = (nw.String, nw.Categorical, nw.Enum, nw.Object)
        chosen = [j for j, column in enumerate(columns) if column.dtype in words]
    else:
        chosen = _places(categorical, len(names), names)
    if not chosen:
        return None
    numbers = [column.to_numpy() for j, column in enumerate(columns) if j not in chosen]
    return Mixed(np.column_stack(numbers) if numbers else None, [columns[j].to_list() for j in chosen], chosen)


def _split_objects(X: Any, categorical: Any) -> Mixed | None:
    """Take a list of rows or an array of objects apart; what is no table is left to the usual check."""
    array = X if isinstance(X, np.ndarray) else np.array(X, dtype=object)
    if array.ndim != 2 or array.dtype.kind not in "OUS" or 0 in array.shape:
        return None
    if categorical is not None:
        chosen = _places(categorical, array.shape[1], None)
    elif array.dtype.kind != "O":
        raise InputError(
            "X holds text only, numbers among it perhaps; say which columns are categorical: categorical=[0, 1, ...]"
        )
    else:
        chosen = [j for j in range(array.shape[1]) if any(isinstance(value, str) for value in array[:, j])]
    others = [j for j in range(array.shape[1]) if j not in chosen]
    if not chosen:
        return None
    return Mixed(array[:, others] if others else None, [array[:, j].tolist() for j in chosen], chosen)


def _places(categorical: Any, d: int, names: list[str] | None) -> list[int]:
    """Return the places of the columns, ascending."""
    chosen = set()
    for column in [categorical] if isinstance(categorical, str | int) else categorical:
        if isinstance(column, str):
            if names is None or column not in names:
                raise InputError(
                    f"categorical names column {column!r}, which X does not have; it has {names or 'no names'}"
                )
            chosen.add(names.index(column))
        elif not isinstance(column, int | np.integer) or not 0 <= column < d:
            raise InputError(f"categorical must hold columns from 0 to {d - 1} or their names, got {column!r}")
        else:
            chosen.add(int(column))
    return sorted(chosen)


def levels_of(values: list) -> np.ndarray:
    """Return the distinct values of a column: numbers, then texts, each ascending, then None for what is missing."""
    found = {_plain(value) for value in _distinct(values)}
    ranked = sorted(found, key=lambda value: (value is None, isinstance(value, str), 0 if value is None else value))
    levels = np.empty(len(ranked), object)
    levels[:] = ranked
    return levels


def encode(values: list, levels: np.ndarray) -> np.ndarray:
    """Return the place of each value among the levels, -1 where it is none of them: (n,) int32."""
    place = {level: code for code, level in enumerate(levels.tolist())}
    codes = {value: place.get(_plain(value), -1) for value in _distinct(values)}
    return np.fromiter(map(codes.__getitem__, values), np.int32, len(values))


def _distinct(values: list) -> Any:
    try:
        return set(values)
    except TypeError:
        return values  # what cannot be hashed is no category, and named later


def _plain(value: Any) -> Any:
    """Return a category as Python's own number or text, None where it is missing."""
    if value is None or isinstance(value, str):
        return str(value) if value is not None else None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Number) and not isinstance(value, complex):
        return None if isinstance(value, float) and math.isnan(value) else value
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    raise TypeError(
        f"a category must be a string or a number, or missing; argument must be a string or a number, got {type(value).__name__}"
    )
