"""Frames, arrays, dicts and lists that are in memory already become a `Table`.

pandas, polars and pyarrow are never imported here: what the caller holds is looked at through narwhals.
"""

import datetime
import decimal
import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .cast import cast_numbers, cast_text
from .table import Column, Table, listing, unique_names

__all__ = ["column_from", "from_columns", "read_object"]

_EXACT = 2**53  # whole numbers beyond are not exact as float64
_EXPECTED = "a path, a pandas, polars or Arrow frame, a dict of columns, a list of dicts, or a 2-D array"


def read_object(source: Any) -> Table:
    """Make a table of a frame, a dict of columns, a list of dicts or an array.

    Raises
    ------
    InputError
        If it is of another kind, has no rows or columns, or columns of different length.
    """
    if isinstance(source, Mapping):
        return from_columns("table", _equal_lengths(source))
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if isinstance(source, list | tuple):
        if source and all(isinstance(row, Mapping) for row in source):
            return from_columns("table", columns_of_records(source))
        return _from_array(_as_array(source))
    if hasattr(source, "tocsr"):
        raise InputError(
            "a sparse matrix has no columns to find roles for; give it to an estimator, such as coterie.KMeans"
        )
    frame = _frame(source)
    if frame is not None:
        return _from_frame(frame)
    if hasattr(source, "__array__"):
        return _from_array(_as_array(source))
    raise InputError(f"cannot read a table from {type(source).__name__!r}; give {_EXPECTED}")


def from_columns(
    name: str, columns: Iterable[tuple[str, Any]], notes: Sequence[str] = (), source_bytes: int | None = None
) -> Table:
    """Make a table of (name, values) pairs; columns of nested values are left out, and that is said."""
    pairs = list(columns)
    names, more = unique_names([str(key) for key, _ in pairs])
    notes = [*notes, *more]
    made: list[Column] = []
    n_rows: int | None = None
    for column_name, (_, values) in zip(names, pairs, strict=True):
        column, said = column_from(column_name, values)
        notes += said
        n_rows = len(values) if n_rows is None else n_rows
        if column is not None:
            made.append(column)
    if not made:
        raise InputError(f"{name} has no columns of numbers, dates or texts; give at least one")
    if not n_rows:
        raise InputError(f"{name} has no rows; give at least one")
    return Table(name, tuple(made), n_rows, tuple(notes), source_bytes)


def column_from(name: str, values: Any) -> tuple[Column | None, list[str]]:
    """Make a column of any sequence; None for nested or binary values."""
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(object), None)
    array = values if isinstance(values, np.ndarray) else _objects(values)
    if array.ndim != 1:
        return None, [f"{name!r} is left out: every value of it is an array"]
    kind = array.dtype.kind
    if kind == "b":
        return Column(name, array.astype(np.float64), "number"), []
    if kind in "iu":
        if array.size and (array.max() > _EXACT or array.min() < -_EXACT):
            return _long_codes(name, [str(value) for value in array.tolist()])
        return cast_numbers(name, array.astype(np.float64))
    if kind == "f":
        with np.errstate(over="ignore"):
            return cast_numbers(name, array.astype(np.float64))
    if kind == "M":
        return _dates(name, array), []
    if kind == "m":
        return _durations(name, array), [f"{name!r} holds durations, read in days"]
    if kind in "US":
        decoded = np.char.decode(array, "utf-8", "replace") if kind == "S" else array
        return cast_text(name, decoded.tolist())
    if kind == "O":
        return _from_objects(name, array.tolist())
    return None, [f"{name!r} is left out: values of type {array.dtype} cannot be compared"]


def _objects(values: Any) -> NDArray:
    """Make a 1-D array without letting NumPy turn numbers into texts or lists into dimensions."""
    items = list(values)
    array = np.empty(len(items), object)
    for i, item in enumerate(items):
        array[i] = item
    return array


def _from_objects(name: str, items: list) -> tuple[Column | None, list[str]]:
    known = [item for item in items if not _is_missing(item)]
    if len(known) < len(items):
        items = [None if _is_missing(item) else item for item in items]
    if all(isinstance(item, str) for item in known):
        return cast_text(name, items)
    if all(isinstance(item, bool | np.bool_) for item in known):
        return Column(name, np.array([np.nan if item is None else float(item) for item in items]), "number"), []
    if all(isinstance(item, numbers.Real | decimal.Decimal) for item in known):
        if any(isinstance(item, numbers.Integral) and abs(int(item)) > _EXACT for item in known):
            return _long_codes(name, [None if item is None else str(item) for item in items])
        return cast_numbers(name, np.array([np.nan if item is None else _float(item) for item in items]))
    if all(isinstance(item, datetime.date | np.datetime64) for item in known):
        return _dates(name, np.array([_instant(item) for item in items], "datetime64[us]")), []
    if all(isinstance(item, datetime.timedelta) for item in known):
        days = [np.nan if item is None else item.total_seconds() / 86400 for item in items]
        return Column(name, np.array(days), "number", unit="days"), [f"{name!r} holds durations, read in days"]
    if any(
        isinstance(item, Mapping | list | tuple | set | bytes | bytearray | memoryview | np.ndarray) for item in known
    ):
        return None, [f"{name!r} is left out: it holds nested or binary values"]
    column, notes = cast_text(name, [None if item is None else str(item) for item in items])
    return column, [f"{name!r} holds values of different kinds, read as texts", *notes]


def _is_missing(item: Any) -> bool:
    # NaN, NaT and pandas.NA: the only values that do not equal themselves.
    if item is None:
        return True
    try:
        return not bool(item == item)
    except (TypeError, ValueError):
        return type(item).__name__ in ("NAType", "NaTType")


def _float(item: Any) -> float:
    try:
        return float(item)
    except OverflowError:
        return float("inf")


def _instant(item: Any) -> Any:
    if isinstance(item, datetime.datetime) and item.tzinfo is not None:
        return item.astimezone(datetime.UTC).replace(tzinfo=None)
    return np.datetime64("NaT") if item is None else item


def _long_codes(name: str, texts: list[str | None]) -> tuple[Column, list[str]]:
    values = np.empty(len(texts), object)
    values[:] = texts
    return Column(name, values, "text"), [f"{name!r} is kept as text: a number would not hold all its digits"]


def _dates(name: str, array: NDArray) -> Column:
    return Column(name, array.astype("datetime64[us]"), "date")


def _durations(name: str, array: NDArray) -> Column:
    days = array.astype("timedelta64[us]").astype(np.int64) / 86_400_000_000
    return Column(name, np.where(np.isnat(array), np.nan, days), "number", unit="days")


def _equal_lengths(source: Mapping) -> list[tuple[str, Any]]:
    pairs = []
    for key, values in source.items():
        if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__len__"):
            raise InputError(
                f"column {key!r} of the dict is {type(values).__name__!r}; give a list or an array of values"
            )
        pairs.append((key, values if isinstance(values, np.ndarray) else _plain(values)))
    lengths = {len(values) for _, values in pairs}
    if len(lengths) > 1:
        shown = listing(f"{key!r} {len(values):,}" for key, values in pairs)
        raise InputError(f"the columns of the dict differ in length: {shown}; make them equal")
    return pairs


def _plain(values: Any) -> Any:
    """Give series of any library as arrays or lists."""
    if isinstance(values, list | tuple | range):
        return list(values)
    return values.to_list() if hasattr(values, "to_list") else list(values)


def columns_of_records(records: Sequence[Mapping]) -> list[tuple[str, list]]:
    """Turn dicts into columns, in order of first appearance; dicts inside become "outer.inner"."""
    columns: dict[str, list] = {}
    for i, record in enumerate(records):
        for key, value in _flat(record):
            column = columns.setdefault(key, [])
            if len(column) <= i:
                column.extend([None] * (i - len(column)))
                column.append(value)
            else:
                column[i] = value
    for column in columns.values():
        column.extend([None] * (len(records) - len(column)))
    return list(columns.items())


def _flat(record: Mapping) -> Iterable[tuple[str, Any]]:
    for key, value in record.items():
        if isinstance(value, Mapping):
            for inner, inner_value in value.items():
                yield f"{key}.{inner}", inner_value
        else:
            yield str(key), value


def _as_array(source: Any) -> NDArray:
    try:
        array = np.asarray(source)
    except (ValueError, TypeError, RuntimeError) as error:
        raise InputError(f"cannot read a table from this {type(source).__name__}: {error}; give {_EXPECTED}") from error
    return array


def _from_array(array: NDArray) -> Table:
    if array.dtype.names:
        if array.ndim != 1:
            raise InputError(f"a structured array should have one dimension, got {array.ndim}; flatten it")
        return from_columns("table", [(name, array[name]) for name in array.dtype.names])
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise InputError(f"an array should have 2 dimensions, rows and columns, got {array.ndim}; reshape it")
    if array.dtype.kind not in "biufMmUSO":
        raise InputError(f"an array of type {array.dtype} cannot be compared; give numbers, dates or texts")
    n_rows, n_columns = array.shape
    if n_rows == 0 or n_columns == 0:
        raise InputError(f"the array has {n_rows} rows and {n_columns} columns; give at least one of each")
    return from_columns("table", [(f"x{j}", np.ascontiguousarray(array[:, j]).copy()) for j in range(n_columns)])


def _frame(source: Any) -> Any:
    import narwhals as nw

    try:
        frame = nw.from_native(source)
    except TypeError:
        return None
    except Exception as error:
        # Frame libraries have error classes of their own for names that occur twice; none is importable from here.
        raise InputError(f"cannot read this {type(source).__name__}: {str(error).splitlines()[0]}") from error
    return frame.collect() if isinstance(frame, nw.LazyFrame) else frame


def _from_frame(frame: Any) -> Table:
    try:
        pairs = [(series.name, _from_series(series)) for series in frame.iter_columns()]
    except Exception as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"cannot read this frame: {str(error).splitlines()[0]}") from error
    if not pairs:
        raise InputError("the frame has no columns; give at least one")
    table = from_columns("table", pairs)
    return replace(table, notes=table.notes)


def _from_series(series: Any) -> Any:
    import narwhals as nw

    kind = series.dtype
    if kind == nw.Boolean or kind.is_float():
        return _with_nan(series)
    if kind.is_integer():
        return _with_nan(series) if series.null_count() else series.to_numpy()
    if kind.is_decimal() if hasattr(kind, "is_decimal") else kind == nw.Decimal:
        return _with_nan(series)
    if isinstance(kind, nw.Datetime):
        if kind.time_zone is not None:
            series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return np.asarray(series.to_numpy(), "datetime64[us]")
    if kind == nw.Date:
        return np.asarray(series.cast(nw.Datetime("us")).to_numpy(), "datetime64[us]")
    return series.to_list()


def _with_nan(series: Any) -> NDArray:
    import narwhals as nw

    known = series.len() > series.null_count()
    if series.dtype.is_integer() and known and max(abs(int(series.max())), abs(int(series.min()))) > _EXACT:
        return _objects(series.to_list())
    if series.dtype == nw.Boolean and series.null_count():
        return _objects(series.to_list())
    return np.array(series.cast(nw.Float64).to_numpy(), np.float64)
