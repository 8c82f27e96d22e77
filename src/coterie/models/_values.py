"""Python values as JSON plus named arrays, and back, for a closed list of kinds.

Plain JSON values stand for themselves. Everything else is an object with exactly one of the keys of ``_READERS``, so that
reading is a table look-up and a kind that is not in the table does not exist.
"""

import math
import re
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import InputError, ModelFileError

__all__ = ["pack", "unpack"]

MAX_DEPTH = 32
MAX_TEXT_BYTES = 2**30


def pack(value: Any, name: str, arrays: dict[str, np.ndarray], depth: int = 0) -> Any:
    """Return ``value`` as JSON; arrays inside it are put into ``arrays`` under names that begin with ``name``.

    Parameters
    ----------
    value : object
        None, bool, int, float, str, lists, tuples and str-keyed dicts of these, NumPy scalars and arrays (numbers,
        booleans, dates, text, records), torch tensors (as NumPy), SciPy CSR rows.
    name : str
        Where the value comes from, for the message and the arrays' names.
    arrays : dict
        Added to.

    Raises
    ------
    InputError
        If it is of any other kind, a function for example; the message gives ``name``.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if depth > MAX_DEPTH:
        raise InputError(f"{name} is nested more than {MAX_DEPTH} deep, which a model file cannot hold")

    def inner(item: Any, part: object) -> Any:
        return pack(item, f"{name}.{part}", arrays, depth + 1)

    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else {"float": str(float(value))}
    if isinstance(value, np.bool_ | np.integer):
        return value.item()
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray):
        return _pack_array(value, name, arrays)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        fields = {field: inner(item, field) for field, item in value._asdict().items()}
        return {"named": [type(value).__name__, fields]}
    if isinstance(value, list | tuple):
        items = [inner(item, i) for i, item in enumerate(value)]
        return items if isinstance(value, list) else {"tuple": items}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {key: inner(item, key) for key, item in value.items()}}
    if getattr(value, "format", None) == "csr" and hasattr(value, "indptr"):
        parts = {part: inner(getattr(value, part), part) for part in ("data", "indices", "indptr")}
        return {"csr": [list(value.shape), parts, type(value).__name__ == "csr_array"]}
    raise InputError(
        f"{name} is a {type(value).__name__}, which a model file cannot hold; give numbers, text or arrays"
    )


def unpack(value: Any, arrays: dict[str, np.ndarray], tuples: Callable[[str], type], depth: int = 0) -> Any:
    """Return the value that ``pack`` made into JSON.

    Parameters
    ----------
    value : object
        What ``pack`` returned.
    arrays : dict
        The arrays it put aside. Each is taken out as it is used: a small file cannot name one large array a million times.
    tuples : callable
        Gives the class of a named tuple from its name, or raises ModelFileError: the list of allowed ones.

    Raises
    ------
    ModelFileError
        If it is anything that ``pack`` cannot have returned.
    """
    if depth > MAX_DEPTH:
        raise ModelFileError("the model is damaged: its values are nested too deeply")
    if value is None or isinstance(value, bool | int | float | str):
        return value

    def inner(item: Any) -> Any:
        return unpack(item, arrays, tuples, depth + 1)

    if isinstance(value, list):
        return [inner(item) for item in value]
    if isinstance(value, dict) and len(value) == 1:
        kind, content = next(iter(value.items()))
        if kind in _READERS:
            try:
                return _READERS[kind](content, inner, arrays, tuples)
            except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
                if isinstance(error, ModelFileError):
                    raise
                raise ModelFileError(f"the model is damaged: a value of kind {kind!r} is not valid") from error
    raise ModelFileError("the model is damaged: it holds a value of no known kind")


def _pack_array(array: np.ndarray, name: str, arrays: dict[str, np.ndarray]) -> Any:
    if array.dtype.names:
        fields = {
            field: pack(np.ascontiguousarray(array[field]), f"{name}.{field}", arrays) for field in array.dtype.names
        }
        return {"record": fields}
    if array.dtype.kind in "OU":
        flat = array.ravel().tolist()
        if not all(item is None or isinstance(item, str | bool | int | float) for item in flat):
            raise InputError(f"{name} holds Python objects, which a model file cannot hold; give numbers or text")
        return {"objects": [list(array.shape), [pack(item, name, arrays) for item in flat], array.dtype.kind]}
    if array.dtype.kind in "mM":
        arrays[name] = np.ascontiguousarray(array).view("i8")
        return {"time": [name, array.dtype.str.lstrip("<>=|")]}
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise InputError(f"{name} is an array of {array.dtype}, which a model file cannot hold; give numbers or text")
    arrays[name] = array
    return {"array": name}


def _read_record(content: Any, inner: Callable, arrays: dict, tuples: Callable) -> np.ndarray:
    fields = {str(field): inner(item) for field, item in content.items()}
    if not fields or not all(isinstance(item, np.ndarray) for item in fields.values()):
        raise ValueError("a record is made of arrays")
    shapes = {item.shape for item in fields.values()}
    if len(shapes) != 1:
        raise ValueError("the fields of a record have one shape")
    result = np.empty(shapes.pop(), [(field, item.dtype) for field, item in fields.items()])
    for field, item in fields.items():
        result[field] = item
    return result


def _read_objects(content: Any, inner: Callable, arrays: dict, tuples: Callable) -> np.ndarray:
    shape, flat, kind = content
    if kind not in ("O", "U") or not isinstance(flat, list) or math.prod(int(length) for length in shape) != len(flat):
        raise ValueError("not a list of texts")
    if kind == "U" and 4 * len(flat) * max((len(item) for item in flat), default=0) > MAX_TEXT_BYTES:
        raise ValueError("one long text would make every other as long")
    result = np.empty(len(flat), object)
    result[:] = [inner(item) for item in flat]
    return (result.astype(str) if kind == "U" else result).reshape(shape)


def _read_time(content: Any, inner: Callable, arrays: dict, tuples: Callable) -> np.ndarray:
    name, code = content
    array = arrays.pop(name)
    if not re.fullmatch(r"[mM]8\[(Y|M|W|D|h|m|s|ms|us|ns)\]", code) or array.dtype != np.int64:
        raise ValueError("not dates")
    return array.view(code)


def _read_csr(content: Any, inner: Callable, arrays: dict, tuples: Callable) -> Any:
    shape, parts, is_array = content
    data, indices, indptr = (inner(parts[part]) for part in ("data", "indices", "indptr"))
    n, d = (int(length) for length in shape)
    good = (
        data.ndim == indices.ndim == indptr.ndim == 1
        and indices.dtype.kind == indptr.dtype.kind == "i"
        and len(indptr) == n + 1
        and indptr[0] == 0
        and indptr[-1] == len(data) == len(indices)
        and bool(np.all(np.diff(indptr) >= 0))
        and bool(np.all((indices >= 0) & (indices < d)))
    )
    if not good:
        raise ValueError("not sparse rows")
    from scipy.sparse import csr_array, csr_matrix

    return (csr_array if is_array else csr_matrix)((data, indices, indptr), shape=(n, d))


def _read_named(content: Any, inner: Callable, arrays: dict, tuples: Callable) -> Any:
    name, fields = content
    kind = tuples(name)
    if set(fields) != set(kind._fields):  # type: ignore[attr-defined]
        raise ValueError("other fields than the named tuple has")
    return kind(**{field: inner(item) for field, item in fields.items()})


_READERS: dict[str, Callable] = {
    "array": lambda content, inner, arrays, tuples: arrays.pop(content),
    "csr": _read_csr,
    "dict": lambda content, inner, arrays, tuples: {sys.intern(key): inner(item) for key, item in content.items()},
    "float": lambda content, inner, arrays, tuples: {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[content],
    "named": _read_named,
    "objects": _read_objects,
    "record": _read_record,
    "time": _read_time,
    "tuple": lambda content, inner, arrays, tuples: tuple(inner(item) for item in _list(content)),
}


def _list(content: Any) -> list:
    if not isinstance(content, list):
        raise TypeError("a list was expected")
    return content
