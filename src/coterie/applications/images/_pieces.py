"""A picture cut into superpixels: at the size at which it is looked at, and drawn at its own."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ...primitives.superpixels import full_size, superpixels
from ...tables.picture_whole import Picture
from ._colours import Colours, shrunk

__all__ = ["SIDE", "Pieces", "cut_into_pieces"]

SIDE = 13.7  # pixels of a superpixel for which all scales were chosen
_NOISE = 0.7  # pixels of smoothing where superpixels have SIDE a side
_PIXELS_A_PIECE = 25  # of a small picture, at least, in a superpixel


class Pieces(NamedTuple):
    """Superpixels of a picture."""

    labels: NDArray[np.int32]  # (h, w) superpixel of each pixel, -1 outside
    coarse: NDArray[np.int32]  # (ch, cw) the same where the picture is looked at
    colours: NDArray[np.float32]  # (ch, cw, b)
    seen: NDArray[np.bool_]  # (ch, cw) pixels that count
    factor: int  # pixels a side in one that is looked at
    n: int  # superpixels

    @property
    def side(self) -> float:
        """Return the side of a superpixel, in pixels that are looked at."""
        return float((self.seen.sum() / self.n) ** 0.5)


def cut_into_pieces(picture: Picture, space: Colours, n: int, compactness: float, max_pixels: int) -> Pieces:
    """Cut a picture into about ``n`` superpixels; one above ``max_pixels`` is looked at smaller."""
    values, inside = picture.values, picture.inside
    factor = max(1, int(np.ceil((inside.size / max_pixels) ** 0.5)))
    small = np.ascontiguousarray(space.of(shrunk(values, factor)))
    share = inside if factor == 1 else shrunk(inside[:, :, None].astype(np.float32), factor)[:, :, 0]
    seen = share > 0.5 if (share > 0.5).any() else share > 0
    wanted = max(1, min(n, int(seen.sum()) // _PIXELS_A_PIECE))
    side = float((seen.sum() / wanted) ** 0.5)
    coarse = superpixels(_smoothed(small, side), seen, wanted, compactness)
    labels = coarse
    if factor > 1:
        labels = full_size(coarse, small, lambda start, end: space.of(values[start:end]), inside, factor, compactness)
    kept = np.unique(labels[labels >= 0])
    if len(kept) <= coarse.max() or kept[-1] > coarse.max():
        coarse, labels = _numbered(coarse, labels, kept, factor)
    return Pieces(labels, coarse, small, seen, factor, len(kept))


def _smoothed(colours: NDArray[np.float32], side: float) -> NDArray[np.float32]:
    """Take off the noise of single pixels, which would fray the superpixels."""
    scale = _NOISE * side / SIDE
    return np.stack([gaussian_filter(band, scale) for band in np.moveaxis(colours, 2, 0)], axis=2)


def _numbered(coarse: NDArray, labels: NDArray, kept: NDArray, factor: int) -> tuple[NDArray, NDArray]:
    """Number the superpixels that are left at full size, in both sizes; each has a coarse pixel where it has one at all."""
    table = np.full(max(int(kept[-1]), int(coarse.max())) + 2, -1, np.int32)  # the last one is for -1
    table[kept] = np.arange(len(kept))
    labels, coarse = table[labels], table[coarse].copy()
    at = np.full(len(kept), -1)
    flat = labels.reshape(-1)
    held = np.flatnonzero(flat >= 0)
    at[flat[held]] = held
    missing = np.setdiff1d(np.arange(len(kept)), coarse)
    coarse[at[missing] // labels.shape[1] // factor, at[missing] % labels.shape[1] // factor] = missing
    return coarse, labels
