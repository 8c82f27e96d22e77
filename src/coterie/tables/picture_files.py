"""Pictures in files: found in a folder and all folders in it, decoded by Pillow, damaged ones left out by name.

Each file is opened twice: for its size, so that the common size and the memory are known before anything is decoded, and
for its pixels, which shrink at once. So no more than one picture is in memory at full size.
"""

import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, MissingExtraError, ResourceError
from .picture_values import common_size, resized, without_colour
from .pictures import PictureKind, Pictures

__all__ = ["ENDINGS", "MOST_PIXELS", "need_pillow", "opened", "picture_files", "read_folder", "reason"]

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
# The decoders that are asked; others that Pillow has start programs, or are of no use here.
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")
# A file of some kilobytes can claim to be larger than any memory.
MOST_PIXELS = 150_000_000
# How many times larger than needed a picture stays until its areas are averaged.
_FINE = 4

Progress = Callable[[int, int, str], None]


def picture_files(folder: Path) -> Iterator[Path]:
    """Yield the picture files below a folder in order of their paths; hidden ones, and folders behind links, are passed over."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from picture_files(Path(entry.path))
        elif entry.name.lower().endswith(ENDINGS) and entry.is_file():
            yield Path(entry.path)


def read_folder(
    folder: Path,
    *,
    kind: PictureKind | None,
    largest: int,
    memory_limit: int | None,
    on_progress: Progress | None,
) -> Pictures:
    """Read the pictures of a folder; see `read_pictures`."""
    files = list(picture_files(folder))
    if not files:
        raise InputError(f"{folder.name or folder} holds no pictures ({', '.join(ENDINGS)})")
    need_pillow("an .npz stack")
    tell = on_progress or (lambda done, total, text: None)
    left_out: list[tuple[str, str]] = []
    readable, sizes = _sizes(files, folder, left_out, tell)
    if not readable:
        raise _nothing_left(folder, left_out)
    heights, widths = np.array(sizes, dtype=np.int64).T
    size = kind.size if kind is not None else common_size(heights, widths, largest)
    _refuse_much(len(readable), max(h * w for h, w in sizes), size, folder, memory_limit)
    values = np.empty((len(readable), 3, *size), dtype=np.float32)
    kept: list[int] = []
    frames = 0
    for i, file in enumerate(readable):
        tell(i, len(readable), "reading pictures")
        try:
            values[len(kept)], more = _pixels(file, size)
        except MemoryError:
            raise
        except Exception as error:  # decoders have no common base
            left_out.append((_name(file, folder), reason(error)))
            continue
        frames += more
        kept.append(i)
    if not kept:
        raise _nothing_left(folder, left_out)
    values = values[: len(kept)]
    paths = [readable[i] for i in kept]
    names = tuple(_name(path, folder) for path in paths)
    stack = _channels(values, kind)
    old = np.array(sizes, dtype=np.int64)[kept]
    return Pictures(
        folder.resolve().name or str(folder), stack, names, PictureKind(size, stack.ndim == 4), old, tuple(left_out),
        _known(names), _notes(old, size, frames, stack.ndim == 4), sum(path.stat().st_size for path in paths), True,
    )  # fmt: skip


def need_pillow(instead: str) -> None:
    """Refuse to go on where Pillow is not installed."""
    if find_spec("PIL") is None:
        raise MissingExtraError(f"reading picture files needs Pillow; pip install pillow, or give {instead}")


def _sizes(
    files: list[Path], folder: Path, left_out: list[tuple[str, str]], tell: Progress
) -> tuple[list[Path], list[tuple[int, int]]]:
    """Return the files whose heads can be read, and the height and width that these promise."""
    readable, sizes = [], []
    for i, file in enumerate(files):
        tell(i, len(files), "looking at pictures")
        try:
            with opened(file) as image:
                width, height = image.size
                if image.getexif().get(0x0112, 1) in (5, 6, 7, 8):  # lies on its side
                    width, height = height, width
            if width * height > MOST_PIXELS:
                raise ValueError(f"{width} x {height} pixels are too many")
        except MemoryError:
            raise
        except Exception as error:
            left_out.append((_name(file, folder), reason(error)))
            continue
        readable.append(file)
        sizes.append((height, width))
    return readable, sizes


def opened(file: Path) -> Any:
    """Open a file of one of the kinds that are read, without decoding it."""
    from PIL import Image

    with warnings.catch_warnings(action="ignore"):  # of pictures that are large: we have a bound of our own
        return Image.open(file, formats=_FORMATS)


def _pixels(file: Path, size: tuple[int, int]) -> tuple[NDArray[np.float32], int]:
    """Return the (3, *size) pixels of a file, 0 to 1, and 1 where only the first of several frames was taken."""
    from PIL import Image, ImageOps

    height, width = size
    with warnings.catch_warnings(action="ignore"), opened(file) as image:
        frames = int(getattr(image, "n_frames", 1) > 1)
        image.draft("RGB", (2 * width, 2 * height))  # a JPEG is decoded no larger than is of use
        image.load()
        image = ImageOps.exif_transpose(image)
        deep = image.mode.startswith("I") or image.mode == "F"
        if deep:
            image = _deep(image)
        elif "A" in image.mode or "transparency" in image.info:
            layer = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
        else:
            image = image.convert("RGB")
        factor = min(image.size[0] // (_FINE * width), image.size[1] // (_FINE * height))
        if factor > 1:
            image = image.reduce(factor)
        pixels = np.asarray(image, dtype=np.float32)
    if deep:
        return np.repeat(resized(pixels[None], size), 3, axis=0), frames
    return resized(np.moveaxis(pixels, 2, 0), size) / np.float32(255), frames


def _deep(image: Any) -> Any:
    """Return a grey picture of more than eight bits as fractions: of 65535 where it is of whole numbers."""
    from PIL import Image

    values = np.asarray(image, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("it holds NaN or infinity")
    top = 65535.0 if image.mode != "F" else max(float(values.max()), 1.0)
    return Image.fromarray(np.clip(values / top, 0, 1).astype(np.float32), mode=None)


def _channels(values: NDArray, kind: PictureKind | None) -> NDArray[np.float32]:
    if kind is None:
        return without_colour(values)
    return values if kind.colour else np.ascontiguousarray(values.mean(axis=1))


def _known(names: tuple[str, ...]) -> dict[str, NDArray]:
    """Return the folder of each picture, where there are several folders."""
    folders = [name.rpartition("/")[0] or "." for name in names]
    return {"folder": np.array(folders, dtype=object)} if len(set(folders)) > 1 else {}


def _name(file: Path, folder: Path) -> str:
    return os.fsencode(file.relative_to(folder).as_posix()).decode("utf-8", "replace")


def _refuse_much(n: int, pixels: int, size: tuple[int, int], folder: Path, limit: int | None) -> None:
    needed = 2 * n * 3 * size[0] * size[1] * 4 + 12 * pixels
    if limit is not None and needed > limit:
        raise ResourceError(
            f"reading {n:,} pictures from {folder.name} at {size[0]} x {size[1]} pixels needs {needed / 1e6:,.0f} MB, above the limit "
            f"of {limit / 1e6:,.0f} MB; raise it, lower --size, or give fewer pictures"
        )


def _nothing_left(folder: Path, left_out: list[tuple[str, str]]) -> InputError:
    name, why = left_out[0]
    files = "the one picture file" if len(left_out) == 1 else f"none of the {len(left_out):,} picture files"
    can = "cannot be read" if len(left_out) == 1 else "can be read"
    return InputError(f"{files} in {folder.name or folder} {can}: {name}: {why}; write them again")


def reason(error: Exception) -> str:
    """Say in a few words why a picture could not be read."""
    if type(error).__name__ == "UnidentifiedImageError":
        return "it is not a picture of a kind that is read"
    if type(error).__name__ == "DecompressionBombError":
        return "it claims to have more pixels than a picture can"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).splitlines() or [type(error).__name__])[0][:120]


def _notes(old: NDArray, size: tuple[int, int], frames: int, colour: bool) -> tuple[str, ...]:
    notes = ["bytes from 0 to 255 became 0 to 1"]
    different = Counter(map(tuple, old.tolist()))
    new = f"{size[0]} x {size[1]}"
    if len(different) > 1:
        low, high = old.min(axis=0), old.max(axis=0)
        notes.append(
            f"the pictures have {len(different):,} sizes, from {low[0]} x {low[1]} to {high[0]} x {high[1]} pixels (height x width); "
            f"each was brought to {new}, its sides stretched where their ratio differs"
        )
    elif next(iter(different)) != tuple(size):
        notes.append(f"every picture was brought from {old[0, 0]} x {old[0, 1]} to {new} pixels (height x width)")
    if not colour:
        notes.append("no picture has colour, so one channel is compared")
    if frames:
        notes.append(f"of {frames:,} files with several frames the first is taken")
    return tuple(notes)
