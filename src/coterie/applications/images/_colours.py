"""Colours as numbers whose distances say how different two pixels look, whatever the bands of the picture are.

Photographs, grey ones too, become CIELAB, lightness 0 to 100. Any other bands are scaled so that a pixel lies about as far from
the mean as in a photograph, and more than six of them are turned to their six principal directions.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...tables.picture_whole import Picture

__all__ = ["Colours", "colours_of", "shrunk"]

_SPREAD = 25.0  # root mean square of the distance of a pixel from the mean colour, about, in photographs
_MOST = 6  # principal directions of many bands
_LOOKED_AT = 500_000  # pixels from which spread and directions are found
_LAB_RANGE = np.array([[0.0, 100.0], [-60.0, 60.0], [-60.0, 60.0]])
# sRGB to XYZ under D65, divided by the white point: IEC 61966-2-1.
_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
) / np.array([[0.95047], [1.0], [1.08883]])  # fmt: skip


class Colours(NamedTuple):
    """How the values of a picture become colours."""

    unit: tuple[float, float]  # black and full
    is_lab: bool
    center: NDArray[np.float32]  # (c,) of other bands
    turn: NDArray[np.float32]  # (c, b) of other bands
    limits: NDArray[np.float64]  # (b, 2) between which histograms count

    @property
    def n_bands(self) -> int:
        """Return how many numbers a colour has."""
        return len(self.limits)

    def of(self, values: NDArray) -> NDArray:
        """Return the colours of (h, w, c) values, (h, w, b)."""
        if not self.is_lab:
            return (values.astype(np.float32) - self.center) @ self.turn
        black, full = self.unit
        light = _linear(values, black, full)
        if values.shape[2] == 1:
            return 116 * _root(light) - 16
        x, y, z = np.moveaxis(_root(light @ _XYZ.T.astype(np.float32)), 2, 0)
        return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=2)

    def lightness(self, colours: NDArray) -> NDArray:
        """Return the one band whose texture is looked at."""
        if self.is_lab or self.n_bands == 1:
            return np.ascontiguousarray(colours[:, :, 0])
        sides = colours.mean(axis=2) if len(self.center) <= _MOST else colours[:, :, 0]
        return sides * np.float32(_SPREAD / max(float(sides.std()), 1e-9))


def colours_of(picture: Picture) -> Colours:
    """Find out how the values of a picture become colours.

    Parameters
    ----------
    picture : Picture

    Returns
    -------
    Colours
    """
    bands = picture.values.shape[2]
    nothing = np.zeros(0, np.float32)
    if picture.is_colour:
        return Colours(picture.unit, True, nothing, nothing, _LAB_RANGE)
    if bands == 1:
        return Colours(picture.unit, True, nothing, nothing, _LAB_RANGE[:1])
    step = max(1, int((picture.inside.size / _LOOKED_AT) ** 0.5))
    seen = picture.values[::step, ::step][picture.inside[::step, ::step]].astype(np.float64)
    if not len(seen):
        seen = picture.values[picture.inside].astype(np.float64)
    center, spread = seen.mean(axis=0), seen.std(axis=0)
    scale = np.where(spread > 1e-9 * np.abs(seen).max(axis=0, initial=1e-300), 1 / np.maximum(spread, 1e-300), 0.0)
    kept = min(bands, _MOST)
    turn = np.diag(scale)
    if bands > _MOST:
        rows = (seen - center) * scale
        vectors = np.linalg.eigh(rows.T @ rows)[1][:, ::-1][:, :kept]
        vectors *= np.where(vectors[abs(vectors).argmax(axis=0), np.arange(kept)] < 0, -1.0, 1.0)
        turn = scale[:, None] * vectors
    found = (seen - center) @ turn
    size = float(np.sqrt((found**2).sum(axis=1).mean()))
    factor = _SPREAD / size if size > 0 else 0.0
    reach = np.maximum(2.5 * found.std(axis=0) * factor, 1e-6)
    return Colours(
        picture.unit, False, center.astype(np.float32), (turn * factor).astype(np.float32), np.column_stack([-reach, reach])
    )  # fmt: skip


def shrunk(values: NDArray, factor: int) -> NDArray:
    """Return the means of squares of ``factor`` pixels a side, those at the lower and right edge as large as is left.

    Parameters
    ----------
    values : (h, w, c) array
    factor : int

    Returns
    -------
    (ceil(h / factor), ceil(w / factor), c) float32 array
    """
    if factor == 1:
        return values
    height, width, _ = values.shape
    across = np.minimum(factor, width - np.arange(0, width, factor))
    lines = []
    for start in range(0, height, factor):
        rows = values[start : start + factor]
        sums = np.add.reduceat(rows.sum(axis=0, dtype=np.float32), np.arange(0, width, factor), axis=0)
        lines.append(sums / (len(rows) * across[:, None]))
    return np.stack(lines).astype(np.float32)


def _linear(values: NDArray, black: float, full: float) -> NDArray:
    """Return light from 0 to 1 for sRGB values."""
    if values.dtype == np.uint8 and (black, full) == (0.0, 255.0):
        return _light(np.arange(256, dtype=np.float32) / 255)[values]
    return _light(np.clip((values.astype(np.float32) - np.float32(black)) / np.float32(full - black), 0, 1))


def _light(share: NDArray) -> NDArray:
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _root(light: NDArray) -> NDArray:
    return np.where(light > 0.008856, np.cbrt(light), 7.787 * light + 16 / 116).astype(np.float32)
