"""Pictures for people: small images as data URIs, at the proportions they came in and as sharp as a report has use for."""

import base64
import io
import os
import struct
import warnings
import zlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .pictures import Pictures

__all__ = ["THUMBNAIL", "jpeg_uri", "label_png", "png", "png_uri", "thumbnails"]

THUMBNAIL = 96
_FAST = 3  # compression of pictures of any size
# A JPEG is smaller than a PNG only where there is something to blur.
_WORTH_A_JPEG = 40


def thumbnails(pictures: Pictures, source: str | os.PathLike, rows: Sequence[int]) -> dict[str, str]:
    """Return the data URI of each of some pictures, by its row number as text.

    Parameters
    ----------
    pictures : Pictures
        What was read.
    source : path
        Where from; files are opened again, so that the proportions and the sharpness are theirs.
    rows : sequence of int

    Returns
    -------
    dict of str to str
    """
    files = pictures.from_files and find_spec("PIL") is not None
    return {
        str(row): (_of_file(Path(source) / pictures.names[row]) if files else None) or _of_array(pictures.values[row])
        for row in sorted(set(rows))
    }


def png(pixels: NDArray, level: int = 9) -> bytes:
    """Return an image as a PNG.

    Parameters
    ----------
    pixels : (h, w) or (h, w, 3) uint8 or uint16 array
    level : int, default=9
        How hard to compress, 1 to 9; lower is faster.
    """
    height, width = pixels.shape[:2]
    wide = pixels.astype(">u2").view(np.uint8) if pixels.dtype == np.uint16 else pixels
    lines = np.zeros((height, 1 + wide.size // height), np.uint8)
    lines[:, 1:] = wide.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.itemsize, 0 if pixels.ndim == 2 else 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), level)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def label_png(labels: NDArray[np.int32]) -> bytes:
    """Return the region of each pixel, plus 1, as a grey PNG; 0 is outside. Two bytes a pixel where there are more than 254."""
    kind = np.uint8 if labels.max(initial=-1) < 255 else np.uint16
    return png((labels + 1).astype(kind), _FAST)


def png_uri(pixels: NDArray) -> str:
    """Return an image as the data URI of a PNG."""
    return _uri("png", png(pixels))


def jpeg_uri(pixels: NDArray[np.uint8]) -> str:
    """Return a photograph, (h, w, 3), as the data URI of a JPEG; of a PNG where Pillow is not installed."""
    if find_spec("PIL") is None:
        return png_uri(pixels)
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=88)
    return _uri("jpeg", stream.getvalue())


def _of_array(picture: NDArray) -> str:
    pixels = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return png_uri(pixels if pixels.ndim == 2 else np.moveaxis(pixels, 0, 2))


def _of_file(path: Path) -> str | None:
    """Return the image in a file, or None where it has gone or changed since it was read."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path) as opened:
            opened.draft("RGB", (2 * THUMBNAIL, 2 * THUMBNAIL))
            image: Image.Image = ImageOps.exif_transpose(opened)
            if image.mode.startswith("I") or image.mode == "F" or "A" in image.mode or "transparency" in image.info:
                return None  # what was compared shows these better than a plain conversion
            image = image.convert("L" if image.mode in ("1", "L") else "RGB")
            image.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
            if max(image.size) < _WORTH_A_JPEG:
                return png_uri(np.asarray(image))
            stream = io.BytesIO()
            image.save(stream, "JPEG", quality=80, optimize=True)
    except Exception:  # decoders have no common base
        return None
    return _uri("jpeg", stream.getvalue())


def _uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
