"""The points of the map: out of the record, into the page, and onto a still picture."""

import base64
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from .palette import NOISE, PALETTE

__all__ = ["Points", "from_map", "packed", "picture"]

_KINDS = {"row": "<u4", "x": "<u2", "y": "<u2", "label": "<i2"}
_WIDTH, _HEIGHT = 1200, 750


class Points(NamedTuple):
    """The map's points, ordered by row number."""

    row: np.ndarray  # (n,) uint32
    x: np.ndarray  # (n,) uint16, 0..65535 over the map's width
    y: np.ndarray  # (n,) uint16, 0 at the bottom
    label: np.ndarray  # (n,) int16, noise -1


def from_map(entry: Mapping[str, Any] | None) -> Points | None:
    """Decode the ``map`` of a record; None where there is none.

    Raises
    ------
    InputError
        If an array is damaged or the four differ in length.
    """
    if not entry or not entry.get("n_shown"):
        return None
    try:
        arrays = {
            name: np.frombuffer(base64.b64decode(entry[name], validate=True), kind) for name, kind in _KINDS.items()
        }
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(f"the map in the record is damaged ({error}); run the analysis again") from error
    if len({len(values) for values in arrays.values()}) != 1:
        raise InputError("the map in the record is damaged: its arrays differ in length; run the analysis again")
    order = np.argsort(arrays["row"], kind="stable")
    return Points(**{name: values[order] for name, values in arrays.items()})


def packed(points: Points) -> str:
    """Squeeze the points into base64 text that the page unpacks: about 5.5 bytes a point.

    The bytes, before deflate: the gaps between row numbers (uint32), then x, y (uint16) and the labels (int16), each
    split into planes of its low bytes, then its next, since the high bytes compress well once they stand together.
    """
    gaps = np.diff(points.row.astype(np.int64), prepend=0).astype("<u4")
    planes = [np.ascontiguousarray(_bytes(values).T) for values in (gaps, points.x, points.y, points.label)]
    return base64.b64encode(zlib.compress(b"".join(plane.tobytes() for plane in planes), 6)).decode("ascii")


def picture(points: Points, colors: Sequence[int]) -> bytes:
    """Draw the points as a PNG with a transparent ground, for readers whose browser runs no scripts.

    Parameters
    ----------
    points : Points
        At most a few million.
    colors : sequence of int
        Palette index of each cluster.

    Returns
    -------
    bytes
        A palette PNG, 1200 by 750 pixels, usually below 100 kB.
    """
    canvas = np.zeros((_HEIGHT, _WIDTH), np.uint8)
    radius = 5 if len(points.x) < 1000 else 3 if len(points.x) < 10_000 else 1
    span = np.arange(-radius, radius + 1)
    dy, dx = (
        offset[np.hypot(*np.meshgrid(span, span, indexing="ij")) <= radius + 0.3]
        for offset in np.meshgrid(span, span, indexing="ij")
    )
    pad = radius + 2
    column = pad + np.rint(points.x / 65535 * (_WIDTH - 1 - 2 * pad)).astype(np.int64)
    line = _HEIGHT - 1 - pad - np.rint(points.y / 65535 * (_HEIGHT - 1 - 2 * pad)).astype(np.int64)
    # 0 is transparent, 1 is noise, the groups follow; noise goes first so that it lies underneath.
    shade = np.ones(len(points.label), np.uint8)
    grouped = points.label >= 0
    if colors:
        shade[grouped] = 2 + np.asarray(colors)[points.label[grouped] % len(colors)] % len(PALETTE)
    for chosen in (~grouped, grouped):
        for down, right in zip(dy, dx, strict=True):
            canvas[line[chosen] + down, column[chosen] + right] = shade[chosen]
    return _png(canvas, ["#000000", NOISE, *PALETTE])


def _bytes(values: np.ndarray) -> np.ndarray:
    return values.view(np.uint8).reshape(len(values), values.dtype.itemsize)


def _png(pixels: np.ndarray, palette: Sequence[str]) -> bytes:
    height, width = pixels.shape
    lines = np.zeros((height, width + 1), np.uint8)
    lines[:, 1:] = pixels
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", b"".join(bytes.fromhex(color[1:]) for color in palette)),
        (b"tRNS", b"\0"),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
