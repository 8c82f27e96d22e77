"""The bytes of a ``.coterie`` file: named arrays and one JSON document, in the safetensors layout, with a seal.

Layout: eight bytes (little-endian length of the header), the header (JSON: each array's dtype, shape and place; and under
``__metadata__`` the format's name, the document and the seal), then the arrays, little-endian, without gaps. The seal is
the SHA-256 of the document and of every array with its name, dtype and shape: a flipped bit is found, never predicted with.
It guards against damage, not against a forger, so everything is also checked as if it were hostile: sizes are compared with
the file's own size before memory is asked for, and nothing in the file is ever executed or used as a name to import.
"""

import hashlib
import json
import os
import stat
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..errors import ModelFileError
from ..files import atomic_write

__all__ = ["FORMAT", "dump_json", "read", "strict_json", "write"]

FORMAT = "coterie.model/1"
MAX_HEADER = 64 * 2**20
MAX_ARRAYS = 100_000
MAX_DIMENSIONS = 8

_DTYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4",
    "U64": "<u8", "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip
_NAMES = {np.dtype(code): name for name, code in _DTYPES.items()}


def write(path: str | os.PathLike, document: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Put ``document`` and ``arrays`` at ``path``, whole or not at all.

    Parameters
    ----------
    path : str or path-like
        Where the file is to stand.
    document : str
        JSON text.
    arrays : mapping of str to ndarray
        Booleans, integers or floats of any byte order; they are written little-endian in C order.

    Raises
    ------
    OutputError
        If the file cannot be written; what stood there before still stands.
    TypeError
        If an array is of another dtype.
    """
    packed = {name: _little_endian(name, array) for name, array in arrays.items()}
    # Wide items first: every array then starts at a multiple of its item size, as safetensors readers like it.
    order = sorted(packed, key=lambda name: (-packed[name].dtype.itemsize, name))
    header: dict[str, Any] = {
        "__metadata__": {"format": FORMAT, "document": document, "sha256": _seal(document, packed)}
    }
    begin = 0
    for name in order:
        array = packed[name]
        header[name] = {
            "dtype": _NAMES[array.dtype], "shape": list(array.shape), "data_offsets": [begin, begin + array.nbytes],
        }  # fmt: skip
        begin += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with atomic_write(path) as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in order:
            file.write(_bytes_of(packed[name]))


def read(path: str | os.PathLike) -> tuple[str, dict[str, np.ndarray]]:
    """Return the document and the arrays of the file at ``path``, checked against their seal.

    Memory is bounded by the size of the file itself, whatever its header claims.

    Parameters
    ----------
    path : str or path-like
        A regular file.

    Returns
    -------
    document : str
        JSON text, as it was written.
    arrays : dict of str to ndarray
        Fresh, writable, in C order, of the machine's own byte order.

    Raises
    ------
    ModelFileError
        If it is not there, not a model, of another version, or damaged.
    """
    path = Path(path)
    size = _size_of_regular_file(path)
    try:
        with open(path, "rb") as file:
            header, begin = _header(file, size, path)
            document, seal = _metadata(header.pop("__metadata__", None), path)
            places = _places(header, size - begin, path)
            arrays = {name: _array(file, shape, dtype, path) for name, (shape, dtype) in places.items()}
    except OSError as error:
        raise ModelFileError(f"could not read {path}: {error.strerror or error}") from error
    if _seal(document, arrays) != seal:
        raise ModelFileError(f"{path} is damaged: its contents do not match their seal; save or copy the model again")
    return document, {name: array.astype(array.dtype.newbyteorder("="), copy=False) for name, array in arrays.items()}


def dump_json(value: Any) -> str:
    """Return ``value`` as compact JSON text, without NaN."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def strict_json(text: str | bytes, what: str) -> Any:
    """Parse JSON that came from outside: no repeated keys, no endless nesting, no NaN; else ModelFileError."""
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{what} is damaged: it is not the JSON that coterie writes") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("repeated key")
    return result


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _little_endian(name: str, array: np.ndarray) -> np.ndarray:
    array = np.asarray(array)
    packed = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
    if packed.dtype not in _NAMES:
        raise TypeError(f"a model file holds booleans, integers and floats; {name} is {array.dtype}")
    return packed


def _bytes_of(array: np.ndarray) -> memoryview | bytes:
    # A memoryview of an array without items cannot be cast.
    return array.reshape(-1).data.cast("B") if array.size else b""


def _seal(document: str, arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for part in (FORMAT.encode(), document.encode("utf-8", "surrogatepass")):
        digest.update(struct.pack("<Q", len(part)) + part)
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(json.dumps([name, _NAMES[array.dtype], list(array.shape)]).encode())
        digest.update(_bytes_of(array))
    return digest.hexdigest()


def _size_of_regular_file(path: Path) -> int:
    try:
        status = os.stat(path)
    except OSError as error:
        raise ModelFileError(f"there is no model file at {path}") from error
    except ValueError as error:
        raise ModelFileError(f"{str(path)!r} is not a file name") from error
    if not stat.S_ISREG(status.st_mode):
        hint = "; the model inside a result folder is called model.coterie" if stat.S_ISDIR(status.st_mode) else ""
        raise ModelFileError(f"{path} is not a file{hint}")
    return status.st_size


def _header(file: IO[bytes], size: int, path: Path) -> tuple[dict[str, Any], int]:
    start = file.read(8)
    length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
    if not 2 <= length <= min(MAX_HEADER, size - 8):
        # Asked only here: a header may well be 0x80 or 0x4b50 ("PK") bytes long.
        if start[:1] == b"\x80" or start[:2] == b"PK" or start[:6] == b"\x93NUMPY":
            raise ModelFileError(f"{path} is a pickle or an archive, not a coterie model; nothing in it was run")
        raise ModelFileError(f"{path} is not a coterie model, or is cut short")
    header = strict_json(file.read(length), str(path))
    if not isinstance(header, dict):
        raise ModelFileError(f"{path} is not a coterie model")
    return header, 8 + length


def _metadata(metadata: Any, path: Path) -> tuple[str, str]:
    if not isinstance(metadata, dict) or not isinstance(metadata.get("format"), str):
        raise ModelFileError(f"{path} is a safetensors file, but not a coterie model")
    if metadata["format"] != FORMAT:
        found = metadata["format"][:40]
        raise ModelFileError(
            f"{path} is of format {found!r}, this coterie reads {FORMAT!r}; use the version it is from"
        )
    document, seal = metadata.get("document"), metadata.get("sha256")
    if not isinstance(document, str) or not isinstance(seal, str) or len(metadata) != 3:
        raise ModelFileError(f"{path} is damaged: its header is incomplete")
    return document, seal


def _places(header: dict[str, Any], room: int, path: Path) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    """Return shape and dtype by name in file order, after checking that the arrays tile the rest of the file exactly."""
    if len(header) > MAX_ARRAYS:
        raise ModelFileError(f"{path} claims {len(header)} arrays; a model has at most {MAX_ARRAYS}")
    found = []
    for name, line in header.items():
        if not isinstance(line, dict) or set(line) != {"dtype", "shape", "data_offsets"}:
            raise ModelFileError(f"{path} is damaged: array {name[:80]!r} is not described")
        dtype, shape, offsets = line["dtype"], line["shape"], line["data_offsets"]
        if not isinstance(dtype, str) or dtype not in _DTYPES:
            raise ModelFileError(f"{path} is damaged: array {name[:80]!r} is of an unknown type")
        if not _sizes(shape, MAX_DIMENSIONS) or not _sizes(offsets, 2) or len(offsets) != 2:
            raise ModelFileError(f"{path} is damaged: array {name[:80]!r} has no valid shape and place")
        kind = np.dtype(_DTYPES[dtype])
        n_bytes = kind.itemsize
        for length in shape:  # Python's integers: a product of hostile lengths cannot wrap round
            n_bytes *= length
        if offsets[1] - offsets[0] != n_bytes or offsets[1] > room:
            raise ModelFileError(f"{path} is damaged: array {name[:80]!r} claims more or less room than it has")
        found.append((offsets[0], offsets[1], name, tuple(shape), kind))
    found.sort(key=lambda line: (line[0], line[1]))
    end = 0
    for begin, stop, name, _, _ in found:
        if begin != end:
            raise ModelFileError(f"{path} is damaged: array {name[:80]!r} overlaps another or leaves a gap")
        end = stop
    if end != room:
        raise ModelFileError(f"{path} is damaged: it is {room - end} bytes longer than its header says")
    return {name: (shape, kind) for _, _, name, shape, kind in found}


def _sizes(values: Any, at_most: int) -> bool:
    """Tell whether ``values`` is a short list of lengths that an index can hold."""
    return (
        isinstance(values, list)
        and len(values) <= at_most
        and all(type(value) is int and 0 <= value < 2**62 for value in values)
    )


def _array(file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype, path: Path) -> np.ndarray:
    try:
        array = np.empty(shape, dtype)
    except (ValueError, MemoryError) as error:  # (2**61, 0) holds nothing, yet NumPy cannot make it
        raise ModelFileError(f"{path} is damaged: an array of shape {shape} cannot be") from error
    if array.size:
        view = array.reshape(-1).data.cast("B")
        if file.readinto(view) != len(view):  # type: ignore[attr-defined]
            raise ModelFileError(f"{path} is cut short")
        if dtype.kind == "b" and np.any(array.view("u1") > 1):
            raise ModelFileError(f"{path} is damaged: a truth value is neither 0 nor 1")
    return array
