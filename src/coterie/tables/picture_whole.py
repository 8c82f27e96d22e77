"""One picture at its full size, in its own values: from a file that Pillow decodes, from an .npy file, or from an array.

Photographs are turned upright. Pixels that are fully transparent, or that a mask leaves out, count as outside; others that let light
through are laid on white.
"""

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, ResourceError
from .numpy_files import read_array
from .picture_files import MOST_PIXELS, need_pillow, opened, reason
from .picture_values import unit_of
from .read import must_be_file

__all__ = ["MOST_BANDS", "Picture", "WholePicture", "read_picture"]

MOST_BANDS = 64
# Pillow's modes whose pixels are numbers as they stand.
_PLAIN = {"L", "RGB", "I;16", "I;16B", "I;16L", "I", "F"}
_LOSSY = {".jpg", ".jpeg", ".webp"}
_BYTES_PER_VALUE = 16  # measured: while it is decoded, coloured and cut


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture in the values of its file.

    Attributes
    ----------
    name : str
    values : (h, w, c) array
        Bytes, two-byte numbers or floats.
    inside : (h, w) bool array
        Pixels that count.
    unit : (float, float)
        The values that stand for black and for full.
    is_colour : bool
        Whether the three bands are red, green and blue.
    notes : tuple of str
        What was decided.
    source_bytes : int or None
        Size of the file.
    """

    name: str
    values: NDArray = field(repr=False)
    inside: NDArray[np.bool_] = field(repr=False)
    unit: tuple[float, float]
    is_colour: bool
    notes: tuple[str, ...] = ()
    source_bytes: int | None = None


class WholePicture:
    """How a model of a picture takes another: as it is read."""

    @classmethod
    def from_state(cls, described: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> "WholePicture":
        """Return what `state` described."""
        if dict(described) != {"picture": "whole"} or arrays:
            raise ValueError("no such coding of a picture")
        return cls()

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what a model file keeps."""
        return {"picture": "whole"}, {}

    def read(self, source: Any) -> Picture:
        """Read a picture; one that was read is returned."""
        return source if isinstance(source, Picture) else read_picture(source)

    def transform(self, picture: Picture) -> Picture:
        """Return the picture."""
        return picture


def read_picture(source: Any, *, mask: Any = None, memory_limit: int | None = None) -> Picture:
    """Read one picture.

    Parameters
    ----------
    source : path or array
        A ``.png``, ``.jpg``, ``.bmp``, ``.gif``, ``.tif`` or ``.webp`` file, for which Pillow must be installed; an ``.npy`` file; or
        an array of shape (h, w), (h, w, c) or (c, h, w) with up to 64 bands.
    mask : path or (h, w) array, optional
        Where it is 0 or False the picture is left out.
    memory_limit : int, optional
        Bytes that the work on it may need.

    Returns
    -------
    Picture

    Raises
    ------
    InputError
        If it cannot be read, or holds what is no picture.
    ResourceError
        If the work on it would not fit in ``memory_limit``.
    MissingExtraError
        If Pillow is needed and not installed.

    Examples
    --------
    >>> import numpy as np
    >>> found = read_picture(np.zeros((20, 30, 3), np.uint8))
    >>> found.values.shape, found.is_colour, found.unit
    ((20, 30, 3), True, (0.0, 255.0))
    """
    name, size = "the picture", None
    if isinstance(source, str | os.PathLike):
        path = Path(os.fsdecode(source))
        must_be_file(path)
        name, size = path.name, path.stat().st_size
        if size == 0:
            raise InputError(f"{name} is empty: it holds 0 bytes; give a file that holds a picture")
        values, alpha, notes = (
            _of_npy(path, memory_limit) if path.suffix.lower() == ".npy" else _of_file(path, memory_limit)
        )
    else:
        values, alpha, notes = _of_array(np.asarray(source), name)
    height, width, bands = values.shape
    if min(height, width) < 2:
        raise InputError(
            f"{name} is {height} x {width} pixels, and a picture to divide has at least 2 x 2; give a larger one"
        )
    inside = np.ones((height, width), bool) if alpha is None else alpha > 0
    if mask is not None:
        inside &= _mask(mask, (height, width))
    if not inside.any():
        raise InputError(f"no pixel of {name} is left: all are masked or transparent; give another mask")
    values = _without_bad(values, inside, name)
    is_colour = bands == 3
    unit = unit_of(values) if values.dtype != np.uint16 else None
    if unit is None:
        unit = _range(values, inside)
        is_colour = is_colour and unit[0] == 0
        notes.append(f"values from {unit[0]:g} to {unit[1]:g} count as black to full")
    if alpha is not None:
        values = _on_white(values, alpha, unit)
    outside = int(inside.size - inside.sum())
    if outside:
        notes.append(f"{outside:,} of {inside.size:,} pixels are left out: masked or transparent")
    return Picture(name, values, inside, unit, is_colour, tuple(notes), size)


def _of_npy(path: Path, limit: int | None) -> tuple[NDArray, NDArray | None, list[str]]:
    with open(path, "rb") as file:
        array = read_array(file, path.name, path.stat().st_size, limit)
    _check_memory(path.name, array.size, limit)
    return _of_array(array, path.name)


def _check_memory(name: str, n_values: int, limit: int | None) -> None:
    needed = _BYTES_PER_VALUE * n_values
    if limit is not None and needed > limit:
        raise ResourceError(
            f"dividing {name} needs about {needed / 1e6:,.2f} MB, above the limit of {limit / 1e6:,.2f} MB; raise it"
        )


def _of_array(array: NDArray, name: str) -> tuple[NDArray, NDArray | None, list[str]]:
    """Return (h, w, c) values, opacity where there is any, and notes."""
    notes = []
    if array.dtype.kind not in "biuf":
        raise InputError(
            f"{name} holds {array.dtype}, and a picture holds numbers; give bytes, whole numbers or floats"
        )
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or 0 in array.shape:
        raise InputError(f"{name} has shape {array.shape}; a picture is (h, w), (h, w, bands) or (bands, h, w)")
    if array.shape[0] < min(array.shape[1:]) and array.shape[0] <= MOST_BANDS:
        array = np.moveaxis(array, 0, 2)
        notes.append(f"the first axis, of length {array.shape[2]}, holds the bands")
    if array.shape[2] > MOST_BANDS:
        raise InputError(
            f"{name} has {array.shape[2]} bands, and at most {MOST_BANDS} are taken; keep fewer, or their principal components"
        )
    if array.dtype.kind in "b" or array.dtype.itemsize > 4 or array.dtype.kind == "f":
        array = array.astype(np.uint8) * 255 if array.dtype.kind == "b" else array.astype(np.float32)
    return np.ascontiguousarray(array), None, notes


def _of_file(path: Path, limit: int | None) -> tuple[NDArray, NDArray | None, list[str]]:
    need_pillow("an .npy file")
    try:
        with warnings.catch_warnings(action="ignore"), opened(path) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise InputError(
                    f"{path.name} claims to be {width:,} x {height:,} pixels, and at most {MOST_PIXELS:,} in all are taken; cut it into parts"
                )
            pages = getattr(image, "n_frames", 1)
            if pages > 1 and image.format != "MPO":
                raise InputError(f"{path.name} holds {pages} pages; save the one to divide as a file of its own")
            _check_memory(path.name, width * height * len(image.getbands()), limit)
            _refuse_deep_colour(path)
            return _decoded(image)
    except (InputError, ResourceError, MemoryError):
        raise
    except Exception as error:  # decoders have no common base
        if type(error).__name__ == "DecompressionBombError":
            raise InputError(
                f"{path.name} claims to have more pixels than a picture can, and at most {MOST_PIXELS:,} are taken; cut it into parts"
            ) from error
        raise InputError(
            f"{path.name} cannot be read as a picture: {reason(error)}; save it again as PNG or TIFF, or as .npy"
        ) from error


def _refuse_deep_colour(path: Path) -> None:
    """Pillow reads the colours of such a PNG with half of their bits, and does not say so."""
    with open(path, "rb") as file:
        head = file.read(26)
    if head.startswith(b"\x89PNG") and head[24] == 16 and head[25] in (2, 6):
        raise InputError(
            f"{path.name} holds colours of 16 bits, of which 8 would be lost in reading; save it as .npy, or with 8 bits"
        )


def _decoded(image: Any) -> tuple[NDArray, NDArray | None, list[str]]:
    from PIL import ImageOps

    notes = ["of several frames the first is taken"] if getattr(image, "n_frames", 1) > 1 else []
    image.load()
    turn = image.getexif().get(0x0112, 1)
    image = ImageOps.exif_transpose(image)
    if turn not in (0, 1):
        notes.append("the picture was turned upright, as its camera says")
    alpha = None
    if "A" in image.mode or "transparency" in image.info:
        image = image.convert("RGBA")
        alpha = np.ascontiguousarray(np.asarray(image)[:, :, 3])
        alpha = None if (alpha == 255).all() else alpha
        image = image.convert("RGB")
    elif image.mode not in _PLAIN:
        image = image.convert("RGB")
    values = np.asarray(image)
    if values.dtype == np.int32:  # Pillow's mode for whole numbers of any length
        values = values.astype(np.uint16) if values.min() >= 0 and values.max() < 65536 else values.astype(np.float32)
    values = values[:, :, None] if values.ndim == 2 else values
    if values.dtype == np.uint16:
        values = values.astype(np.uint16)  # in the byte order of this machine
    if values.shape[2] == 3 and (values[:, :, :1] == values).all():
        values = values[:, :, :1]
        notes.append("no pixel has colour, so one band is looked at")
    return np.ascontiguousarray(values), alpha, notes


def _mask(mask: Any, size: tuple[int, int]) -> NDArray[np.bool_]:
    name = "the mask"
    if isinstance(mask, str | os.PathLike):
        path = Path(os.fsdecode(mask))
        must_be_file(path)
        name = path.name
        values, alpha, _ = _of_npy(path, None) if path.suffix.lower() == ".npy" else _of_file(path, None)
        found = _not_black(values, lossy=path.suffix.lower() in _LOSSY)
        found &= True if alpha is None else alpha > 0
    else:
        found = np.asarray(mask) != 0
    if found.shape != size:
        raise InputError(
            f"the mask must be of the picture's size, {size[0]} x {size[1]} pixels (height x width), and {name} has shape {found.shape}; "
            "cut or enlarge it"
        )
    return found


def _not_black(values: NDArray, *, lossy: bool) -> NDArray[np.bool_]:
    """Return where a mask lets through: what is not black, and in files that blur borders what is nearer to its lightest value."""
    lightest = values.max(axis=2)
    return 2.0 * lightest > lightest.max() if lossy else (values != 0).any(axis=2)


def _without_bad(values: NDArray, inside: NDArray, name: str) -> NDArray:
    """Return finite values; what is not finite may only lie outside."""
    if values.dtype.kind != "f":
        return values
    bad = ~np.isfinite(values).all(axis=2)
    n = int((bad & inside).sum())
    if n:
        raise InputError(
            f"{name} holds NaN or infinity in {n:,} of {bad.size:,} pixels; fill them, or leave them out by a mask"
        )
    return np.where(bad[:, :, None], np.float32(0), values)


def _range(values: NDArray, inside: NDArray) -> tuple[float, float]:
    """Return what counts as black and as full where the kind of the values does not say it."""
    seen = values[inside]
    low, high = min(0.0, float(seen.min())), float(seen.max())
    return (low, high) if high > low else (low, low + 1.0)


def _on_white(values: NDArray, alpha: NDArray, unit: tuple[float, float]) -> NDArray:
    share = (alpha.astype(np.float32) / 255)[:, :, None]
    return np.rint(values * share + unit[1] * (1 - share)).astype(values.dtype)
