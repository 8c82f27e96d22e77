"""Pictures of the answer: outlines on the photograph, regions painted in their mean colours, strength of borders."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._colours import shrunk

__all__ = ["as_bytes", "cut_out", "outlined", "painted", "smaller", "strengths"]

_WHITE, _BLACK = 255, 0


def as_bytes(picture: Any) -> NDArray[np.uint8]:
    """Return a picture as (h, w, 3) bytes to look at: other bands than colours by the first three of them."""
    black, full = picture.unit
    values = picture.values[:, :, :3] if picture.values.shape[2] >= 3 else picture.values[:, :, :1]
    if values.dtype != np.uint8:
        values = np.rint(255 * np.clip((values.astype(np.float32) - black) / (full - black), 0, 1)).astype(np.uint8)
    return np.repeat(values, 3, axis=2) if values.shape[2] == 1 else np.ascontiguousarray(values)


def smaller(pixels: NDArray[np.uint8], labels: NDArray[np.int32], longest: int) -> tuple[NDArray, NDArray]:
    """Return a picture and its labels with no side above ``longest`` pixels."""
    factor = -(-max(labels.shape) // longest)
    if factor == 1:
        return pixels, labels
    few = np.rint(shrunk(pixels, factor)).astype(np.uint8)
    rows = np.minimum(np.arange(few.shape[0]) * factor + factor // 2, labels.shape[0] - 1)
    columns = np.minimum(np.arange(few.shape[1]) * factor + factor // 2, labels.shape[1] - 1)
    return few, np.ascontiguousarray(labels[np.ix_(rows, columns)])


def outlined(pixels: NDArray[np.uint8], labels: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Draw the borders of regions: white with black beside it, to be seen on anything."""
    found = pixels.copy()
    down, across = labels[1:] != labels[:-1], labels[:, 1:] != labels[:, :-1]
    found[1:][down], found[:, 1:][across] = _BLACK, _BLACK
    found[:-1][down], found[:, :-1][across] = _WHITE, _WHITE
    return found


def painted(labels: NDArray[np.int32], colour: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Paint regions; what is outside is white."""
    return np.concatenate([colour, np.full((1, 3), _WHITE, np.uint8)])[labels]


def cut_out(pixels: NDArray[np.uint8], labels: NDArray[np.int32], region: int) -> NDArray[np.uint8]:
    """Return the rectangle around a region, all other regions in it faded; nothing where the region is too small to be seen."""
    rows, columns = np.nonzero(labels == region)
    if not len(rows):
        return np.zeros((0, 0, 3), np.uint8)
    area = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    faded = (pixels[area] // 5 + 204).astype(np.uint8)
    return np.where((labels[area] == region)[:, :, None], pixels[area], faded)


def strengths(ucm: NDArray[np.float32], height: float) -> NDArray[np.uint8]:
    """Draw the strength of borders, black the strongest; twice ``height`` and above is black."""
    return np.rint(255 * (1 - np.clip(ucm / max(2 * height, 1e-9), 0, 1))).astype(np.uint8)
