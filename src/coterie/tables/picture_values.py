"""Pictures as numbers: brightness from 0 to 1, one layout, grey where no picture has colour, one common size.

A stack is (n, height, width) for grey pictures and (n, 3, height, width) for coloured ones, float32, 0 black and 1 full. Sizes
change by averaging the area that a pixel covers where pictures shrink, and by linear interpolation where they grow.
"""

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

__all__ = [
    "LARGEST",
    "LEAST",
    "common_size",
    "refuse_bad_pixels",
    "resized",
    "unit_of",
    "without_colour",
    "without_transparency",
]

# The longer side of what a network sees, unless the caller says otherwise: a thousand of these train in seconds.
LARGEST = 32
LEAST = 4
_BLOCK = 256


def common_size(heights: NDArray, widths: NDArray, largest: int = LARGEST) -> tuple[int, int]:
    """Return the height and width that all pictures get: their medians, shrunk to ``largest`` on the longer side.

    Parameters
    ----------
    heights, widths : (n,) int arrays
    largest : int, default=32

    Examples
    --------
    >>> import numpy as np
    >>> common_size(np.array([480, 480, 640]), np.array([640, 640, 480]))
    (24, 32)
    >>> common_size(np.array([8]), np.array([8]))
    (8, 8)
    """
    height, width = float(np.median(heights)), float(np.median(widths))
    scale = min(1.0, largest / max(height, width))
    return max(LEAST, round(height * scale)), max(LEAST, round(width * scale))


def unit_of(values: NDArray) -> tuple[float, float] | None:
    """Return what stands for black and for full in an array, by its kind; None where only the values themselves could say.

    Bytes are 0 to 255, two-byte numbers 0 to 65535, truth values and fractions within 0 and 1 are themselves.
    """
    kinds = {"uint8": (0.0, 255.0), "uint16": (0.0, 65535.0), "bool": (0.0, 1.0)}
    if values.dtype.name in kinds:
        return kinds[values.dtype.name]
    low, high = float(values.min()), float(values.max())
    return (0.0, 1.0) if values.dtype.kind == "f" and low >= 0 and high <= 1 else None


def without_transparency(pictures: NDArray) -> NDArray:
    """Return (n, 4, h, w) pictures laid on white, (n, 3, h, w)."""
    opaque = pictures[:, 3:]
    return pictures[:, :3] * opaque + (1 - opaque)


def without_colour(pictures: NDArray) -> NDArray:
    """Return (n, h, w) where every picture of (n, 3, h, w) is grey, else the pictures as they are."""
    first = pictures[:, :1]
    return np.ascontiguousarray(pictures[:, 0]) if (pictures[:, 1:] == first).all() else pictures


def resized(pictures: NDArray, size: tuple[int, int]) -> NDArray[np.float32]:
    """Return the pictures at another height and width.

    Parameters
    ----------
    pictures : (n, h, w) or (n, c, h, w) float array
    size : (int, int)
        New height and width.

    Returns
    -------
    array of shape (n, ..., *size), float32

    Examples
    --------
    >>> import numpy as np
    >>> resized(np.array([[[0.0, 1.0], [0.0, 1.0]]]), (1, 2)).tolist()
    [[[0.0, 1.0]]]
    """
    if pictures.shape[-2:] == tuple(size):
        return np.ascontiguousarray(pictures, dtype=np.float32)
    down, across = (_weights(old, new) for old, new in zip(pictures.shape[-2:], size, strict=True))
    out = np.empty((*pictures.shape[:-2], *size), dtype=np.float32)
    for start in range(0, len(pictures), _BLOCK):
        out[start : start + _BLOCK] = down @ pictures[start : start + _BLOCK] @ across.T
    return out


def _weights(old: int, new: int) -> NDArray[np.float32]:
    """Return the (new, old) share that each old pixel of a line has in each new one."""
    edges = np.arange(new + 1) * (old / new)
    if new <= old:
        low, high = edges[:-1, None], edges[1:, None]
        at = np.arange(old)
        share = np.clip(np.minimum(high, at + 1) - np.maximum(low, at), 0, None)
    else:
        center = np.clip((edges[:-1] + edges[1:]) / 2 - 0.5, 0, old - 1)
        share = np.clip(1 - np.abs(center[:, None] - np.arange(old)), 0, None)
    return (share / share.sum(axis=1, keepdims=True)).astype(np.float32)


def refuse_bad_pixels(pictures: NDArray, name: str) -> None:
    """Raise if a picture holds NaN or infinity.

    Raises
    ------
    InputError
        Naming the first such picture.
    """
    bad = ~np.isfinite(pictures.reshape(len(pictures), -1)).all(axis=1)
    if bad.any():
        raise InputError(
            f"{name} holds NaN or infinity in {int(bad.sum()):,} of {len(bad):,} pictures, first in picture "
            f"{int(bad.argmax())}; fill those pixels or leave the pictures out"
        )
