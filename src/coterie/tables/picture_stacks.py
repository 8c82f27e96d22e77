"""Pictures in NumPy's own files: which array holds them, how they lie in it, and which arrays could be compared with."""

import math
import zipfile
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from ..errors import InputError, ResourceError
from .numpy_files import read_array, refuse_bomb
from .picture_values import (
    LEAST,
    common_size,
    refuse_bad_pixels,
    resized,
    unit_of,
    without_colour,
    without_transparency,
)
from .pictures import PictureKind, Pictures

__all__ = ["is_stack", "layout_of", "read_stack"]

# Beyond this ratio of its sides a row is a stretch of measurements rather than a picture.
_LONGEST = 8
_CHANNELS = (1, 3, 4)
_USUAL = ("x", "images", "pictures", "data", "arr_0", "x_train")


class _Header(NamedTuple):
    """What the first bytes of an array say of it."""

    shape: tuple[int, ...]
    dtype: np.dtype


def is_stack(path: Path) -> bool:
    """Say whether an ``.npy`` or ``.npz`` file holds an array that looks like pictures."""
    try:
        return any(_looks_like_pictures(header) for header in _headers(path).values())
    except Exception:  # whatever is wrong with the file is told when it is read
        return False


def layout_of(shape: tuple[int, ...]) -> str | None:
    """Return how pictures lie in an array of this shape: "hw", "hwc" or "chw"; None where it holds none.

    Examples
    --------
    >>> layout_of((100, 28, 28)), layout_of((100, 32, 32, 3)), layout_of((100, 3, 32, 32)), layout_of((100, 500, 6))
    ('hw', 'hwc', 'chw', None)
    """
    if len(shape) == 3 and _is_picture(*shape[1:]):
        return "hw"
    if len(shape) != 4:
        return None
    if shape[3] in _CHANNELS and _is_picture(*shape[1:3]):
        return "hwc"
    return "chw" if shape[1] in _CHANNELS and _is_picture(*shape[2:]) else None


def read_stack(
    path: Path, *, kind: PictureKind | None, largest: int, array: str | None, memory_limit: int | None
) -> Pictures:
    """Read the pictures of an array file; see `read_pictures`."""
    try:
        headers = _headers(path)
    except (zipfile.BadZipFile, ValueError, EOFError, OSError) as error:
        raise InputError(f"{path.name} is damaged: {str(error).splitlines()[0][:160]}; write it again") from error
    chosen = _choose(headers, path.name, array)
    header = headers[chosen]
    if layout_of(header.shape) is None:
        raise InputError(
            f"{chosen or path.name} has shape {header.shape}; pictures are (n, h, w), (n, h, w, c) or (n, c, h, w), with c 1, 3 or 4"
        )
    _refuse_much(header, path.name, memory_limit)
    raw, known = _load(path, chosen, headers, memory_limit)
    pictures, unit = _as_fractions(raw, path.name, kind)
    del raw
    count, (height, width) = len(pictures), pictures.shape[-2:]
    size = common_size(np.array([height]), np.array([width]), largest) if kind is None else kind.size
    notes = _notes(chosen, headers, unit, (height, width), size)
    values = _coloured(resized(pictures, size), kind)
    found = PictureKind(size, values.ndim == 4, unit)
    sizes = np.tile(np.array([[height, width]]), (count, 1))
    names = tuple(map(str, range(count)))
    return Pictures(path.name, values, names, found, sizes, known=known, notes=notes, source_bytes=path.stat().st_size)


def _headers(path: Path) -> dict[str, _Header]:
    """Return shape and kind of each array by its name; of an ``.npy`` file, by ""."""
    if path.suffix.lower() == ".npy":
        with open(path, "rb") as file:
            return {"": _header(file)}
    with zipfile.ZipFile(path) as archive:
        found = {}
        for member in archive.namelist():
            if member.endswith(".npy"):
                with archive.open(member) as file:
                    found[member.removesuffix(".npy")] = _header(file)
        return found


def _header(file: IO[bytes]) -> _Header:
    version = npy_format.read_magic(file)
    read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    shape, _, dtype = read(file)
    return _Header(shape, dtype)


def _is_picture(height: int, width: int) -> bool:
    return min(height, width) >= LEAST and max(height, width) <= _LONGEST * min(height, width)


def _looks_like_pictures(header: _Header) -> bool:
    return header.dtype.kind in "biuf" and header.dtype.names is None and layout_of(header.shape) is not None


def _choose(headers: dict[str, _Header], name: str, array: str | None) -> str:
    stacks = [key for key, header in headers.items() if _looks_like_pictures(header)]
    if array is not None:
        if array not in headers:
            raise InputError(f"{name} holds no array {array!r}; there are {', '.join(headers) or 'none'}")
        return array
    if not stacks:
        raise InputError(f"{name} holds no pictures; they are arrays of shape (n, h, w), (n, h, w, c) or (n, c, h, w)")
    if len(stacks) > 1:
        usual = [key for wanted in _USUAL for key in stacks if key.lower() == wanted]
        if not usual:
            raise InputError(f"{name} holds several stacks of pictures ({', '.join(stacks)}); name one with --array")
        return usual[0]
    return stacks[0]


def _refuse_much(header: _Header, name: str, limit: int | None) -> None:
    count = math.prod(header.shape)
    needed = count * (header.dtype.itemsize + 4)
    if limit is not None and needed > limit:
        raise ResourceError(
            f"reading {header.shape[0]:,} pictures from {name} needs {needed / 1e6:,.0f} MB, above the limit of {limit / 1e6:,.0f} MB; "
            "raise it, or give fewer or smaller pictures"
        )


def _load(
    path: Path, chosen: str, headers: dict[str, _Header], limit: int | None
) -> tuple[NDArray, dict[str, NDArray]]:
    """Return the pictures, and the arrays with a value for each of them."""
    if not chosen and path.suffix.lower() == ".npy":
        with open(path, "rb") as file:
            return read_array(file, path.name, path.stat().st_size, limit), {}
    n = headers[chosen].shape[0]
    labels = [key for key, one in headers.items() if one.shape in ((n,), (n, 1)) and one.dtype.kind in "biufUS"]
    try:
        with zipfile.ZipFile(path) as archive:
            refuse_bomb(archive, path.name, None)
            found = {key: _member(archive, f"{key}.npy", path.name, limit) for key in (chosen, *labels)}
    except (InputError, ResourceError):
        raise
    except Exception as error:  # zipfile, zlib and numpy have no common base
        raise InputError(f"{path.name} is damaged: {str(error).splitlines()[0][:160]}; write it again") from error
    return found[chosen], {key: found[key].reshape(n) for key in labels}


def _member(archive: zipfile.ZipFile, member: str, name: str, limit: int | None) -> NDArray:
    size = archive.getinfo(member).file_size
    with archive.open(member) as file:
        return read_array(file, f"{name}:{member}", size, limit)


def _as_fractions(raw: NDArray, name: str, kind: PictureKind | None) -> tuple[NDArray, tuple[float, float] | None]:
    """Return (n, h, w) or (n, 3, h, w) pictures from 0 to 1, and the unit where the values alone had to say it."""
    if not len(raw):
        raise InputError(f"{name} holds no pictures: its array has no rows")
    layout = layout_of(raw.shape)
    if raw.dtype.kind == "f":
        refuse_bad_pixels(raw, name)
    natural = unit_of(raw)
    unit = None if natural is not None else (kind.unit if kind is not None else _range(raw))
    if natural is None and unit is None:
        raise InputError(
            f"{name} holds values from {raw.min():g} to {raw.max():g}, but the model learned from pictures whose kind said what is "
            "full (bytes, or fractions from 0 to 1); bring these to 0 to 1 first"
        )
    if kind is not None and kind.unit is not None and raw.dtype.kind in "iuf" and raw.dtype.itemsize > 1:
        unit = kind.unit  # a batch of dim pictures may look like fractions
    low, high = unit if unit is not None else cast("tuple[float, float]", natural)
    pictures = np.moveaxis(raw, 3, 1) if layout == "hwc" else raw
    pictures = pictures.astype(np.float32)
    if (low, high) != (0.0, 1.0):
        pictures -= np.float32(low)
        pictures /= np.float32(high - low)
    if pictures.ndim == 4 and pictures.shape[1] == 1:
        return pictures[:, 0], unit
    return (without_transparency(pictures) if pictures.ndim == 4 and pictures.shape[1] == 4 else pictures), unit


def _range(raw: NDArray) -> tuple[float, float]:
    low, high = min(0.0, float(raw.min())), float(raw.max())
    return (low, high) if high > low else (low, low + 1.0)


def _coloured(values: Any, kind: PictureKind | None) -> NDArray[np.float32]:
    """Return the pictures in as many channels as ``kind`` has, or as few as they need."""
    if kind is None:
        return without_colour(values) if values.ndim == 4 else values
    if kind.colour and values.ndim == 3:
        return np.repeat(values[:, None], 3, axis=1)
    return values if kind.colour or values.ndim == 3 else np.ascontiguousarray(values.mean(axis=1))


def _notes(
    chosen: str, headers: dict[str, _Header], unit: Any, old: tuple[int, int], new: tuple[int, int]
) -> tuple[str, ...]:
    shape = " x ".join(map(str, headers[chosen].shape))
    notes = [f"the pictures are the array {chosen} ({shape})"] if chosen else []
    others = [key for key in headers if key != chosen]
    if others:
        notes.append(f"{', '.join(others)} in the file {'are' if len(others) > 1 else 'is'} not used to group")
    if headers[chosen].dtype == np.uint8:
        notes.append("bytes from 0 to 255 became 0 to 1")
    if unit is not None:
        notes.append(f"values from {unit[0]:g} to {unit[1]:g} became 0 to 1")
    if old != new:
        notes.append(
            f"every picture was brought from {old[0]} x {old[1]} to {new[0]} x {new[1]} pixels (height x width)"
        )
    return tuple(notes)
