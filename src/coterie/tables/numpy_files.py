"""NumPy's own files. Pickled objects in them are never loaded: a pickle can run code."""

import io
import math
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from ..errors import InputError, ResourceError
from .frames import from_columns, read_object
from .table import Table

__all__ = ["read_array", "read_npy", "read_npz", "refuse_bomb"]

_MAX_RATIO = 200
_HARMLESS_BYTES = 64 << 20
_LABEL_NAMES = {"y", "label", "labels", "target", "targets", "truth"}


def read_npy(path: Path, *, memory_limit: int | None = None) -> Table:
    """Read one array from an ``.npy`` file."""
    with open(path, "rb") as file:
        array = read_array(file, path.name, path.stat().st_size, memory_limit)
    return replace(_table(array), name=path.name, source_bytes=path.stat().st_size)


def read_npz(path: Path, *, memory_limit: int | None = None) -> Table:
    """Read an ``.npz`` file: the one matrix in it, or its 1-D arrays as columns.

    Raises
    ------
    InputError
        If it is damaged, holds pickled objects, or several matrices.
    ResourceError
        If it expands beyond ``memory_limit``.
    """
    name = path.name
    try:
        with zipfile.ZipFile(path) as archive:
            refuse_bomb(archive, name, memory_limit)
            arrays = {
                member.filename.removesuffix(".npy"): read_array(
                    io.BytesIO(archive.read(member)), f"{name}:{member.filename}", member.file_size, memory_limit
                )
                for member in archive.infolist()
                if member.filename.endswith(".npy")
            }
    except (InputError, ResourceError):
        raise
    except Exception as error:  # zipfile, zlib and numpy have no common base
        raise InputError(f"{name} is a damaged .npz file: {_first_line(error)}; write it again") from error
    return replace(_choose(arrays, name), name=name, source_bytes=path.stat().st_size)


def refuse_bomb(archive: zipfile.ZipFile, name: str, memory_limit: int | None) -> None:
    """Refuse an archive that expands beyond ``memory_limit``, or as only one made to fill a memory does.

    Raises
    ------
    InputError, ResourceError
    """
    expanded = sum(member.file_size for member in archive.infolist())
    packed = max(sum(member.compress_size for member in archive.infolist()), 1)
    if memory_limit is not None and expanded > memory_limit:
        raise ResourceError(f"{name} expands to {expanded / 1e6:,.0f} MB, above the memory limit; raise the limit")
    if expanded > _HARMLESS_BYTES and expanded > _MAX_RATIO * packed:
        raise InputError(f"{name} expands more than {_MAX_RATIO} times, as an archive made to fill a memory does")


def read_array(file: IO[bytes], name: str, size: int, memory_limit: int | None) -> NDArray:
    """Read an array after checking that the file is as long as its header says.

    Raises
    ------
    InputError
        If it is damaged or holds pickled objects.
    ResourceError
        If it is larger than ``memory_limit``.
    """
    try:
        version = npy_format.read_magic(file)
        read_header = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        shape, _, dtype = read_header(file)
        if dtype.hasobject:
            raise InputError(f"{name} holds pickled Python objects, which are never loaded; save numbers instead")
        needed = math.prod(shape) * dtype.itemsize
        if memory_limit is not None and needed > memory_limit:
            raise ResourceError(f"{name} holds {needed / 1e6:,.0f} MB, above the memory limit; raise the limit")
        if needed > size:
            raise InputError(f"{name} is damaged: its header promises {needed:,} bytes and the file has {size:,}")
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)
    except (InputError, ResourceError):
        raise
    except Exception as error:  # a damaged header can raise anything that parsing Python's literals can
        raise InputError(f"{name} is a damaged .npy file: {_first_line(error)}; write it again") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:160] or type(error).__name__


def _table(array: NDArray) -> Table:
    if array.ndim > 2 and array.dtype.names is None:
        flat = array.reshape(array.shape[0], -1)
        table = read_object(flat)
        shape = " x ".join(map(str, array.shape[1:]))
        return replace(table, notes=(*table.notes, f"each row is an array of {shape}, laid out in one line"))
    return read_object(array)


def _choose(arrays: dict[str, NDArray], name: str) -> Table:
    if not arrays:
        raise InputError(f"{name} holds no arrays; give one with a matrix, or with columns of equal length")
    matrices = {key: array for key, array in arrays.items() if array.ndim >= 2 or array.dtype.names}
    if len(matrices) > 1:
        preferred = [key for key in ("X", "data", "x") if key in matrices]
        if not preferred:
            raise InputError(
                f"{name} holds several matrices ({', '.join(matrices)}); save the one to cluster as .npy, or call it X"
            )
        matrices = {preferred[0]: matrices[preferred[0]]}
    if matrices:
        key, array = next(iter(matrices.items()))
        left = [other for other in arrays if other != key]
        note = (
            [f"{', '.join(left)} in the file {'are' if len(left) > 1 else 'is'} not used, only {key}"] if left else []
        )
        table = _table(array)
        return replace(table, notes=(*table.notes, *note))
    if len({array.shape for array in arrays.values()}) > 1 or any(array.ndim != 1 for array in arrays.values()):
        raise InputError(
            f"{name} holds arrays of different length ({', '.join(arrays)}); give a matrix or columns of equal length"
        )
    columns: list[tuple[str, Any]] = list(arrays.items())
    return from_columns(name, columns)
