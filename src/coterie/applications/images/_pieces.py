"""A picture cut into superpixels: at the size at which it is looked at, and drawn at its own."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, maximum_filter

from ...primitives.superpixels import full_size, superpixels
from ...tables.picture_whole import Picture
from ._colours import Colours, shrunk

__all__ = ["SIDE", "Pieces", "Samples", "cut_into_pieces"]

SIDE = 13.7  # pixels of a superpixel for which all scales were chosen
_NOISE = 0.7  # pixels of smoothing where superpixels have SIDE a side
_PIXELS_A_PIECE = 25  # of a small picture, at least, in a superpixel


class Samples(NamedTuple):
    """What superpixels are described by; each has one sample at least."""

    owner: NDArray[np.int32]  # (m,) superpixel
    place: NDArray[np.int64]  # (m,) pixel where the picture is looked at, y * cw + x; two superpixels may share one
    colours: NDArray[np.float32]  # (m, b)


class Pieces(NamedTuple):
    """Superpixels of a picture."""

    labels: NDArray[np.int32]  # (h, w) superpixel of each pixel, -1 outside
    colours: NDArray[np.float32]  # (ch, cw, b) where the picture is looked at
    seen: NDArray[np.bool_]  # (ch, cw) pixels that count
    factor: int  # pixels a side in one that is looked at
    n: int  # superpixels
    samples: Samples

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
    seen = share > 0.5
    seen |= (share > 0) & ~maximum_filter(seen, 3)  # what lies alone would else belong to nothing
    wanted = max(1, min(n, int(seen.sum()) // _PIXELS_A_PIECE))
    side = float((seen.sum() / wanted) ** 0.5)
    coarse = superpixels(_smoothed(small, side), seen, wanted, compactness)
    labels = coarse
    if factor > 1:
        labels = full_size(coarse, small, lambda start, end: space.of(values[start:end]), inside, factor, compactness)
    kept = np.unique(labels[labels >= 0])
    if len(kept) <= coarse.max() or kept[-1] > coarse.max():
        coarse, labels = _numbered(coarse, labels, kept)
    samples = _sampled(coarse, small)
    missing = np.ones(len(kept) + 1, bool)  # the last one is for -1
    missing[samples.owner] = missing[-1] = False
    if missing.any():
        samples = _with_own(
            samples, np.flatnonzero(missing[labels]), labels, factor, lambda at: _colours_at(values, at, space)
        )
    return Pieces(labels, small, seen, factor, len(kept), samples)


def _smoothed(colours: NDArray[np.float32], side: float) -> NDArray[np.float32]:
    """Take off the noise of single pixels, which would fray the superpixels."""
    scale = _NOISE * side / SIDE
    return np.stack([gaussian_filter(band, scale) for band in np.moveaxis(colours, 2, 0)], axis=2)


def _numbered(coarse: NDArray, labels: NDArray, kept: NDArray) -> tuple[NDArray, NDArray]:
    """Number the superpixels that are left at full size, in both sizes."""
    table = np.full(max(int(kept[-1]), int(coarse.max())) + 2, -1, np.int32)  # the last one is for -1
    table[kept] = np.arange(len(kept))
    return table[coarse], table[labels]


def _sampled(coarse: NDArray[np.int32], colours: NDArray[np.float32]) -> Samples:
    place = np.flatnonzero(coarse >= 0)
    return Samples(coarse.reshape(-1)[place], place, colours.reshape(-1, colours.shape[2])[place])


def _with_own(
    samples: Samples,
    at: NDArray[np.int64],
    labels: NDArray[np.int32],
    factor: int,
    colours: Callable[[NDArray], NDArray],
) -> Samples:
    """Add pixels at full size, of superpixels too small to be seen where the picture is looked at: one for each square they reach.

    The square itself would show mostly what lies around them, and what is masked.
    """
    width = labels.shape[1]
    place = at // width // factor * -(-width // factor) + at % width // factor
    owner = labels.reshape(-1)[at]
    _, first = np.unique(np.stack([owner, place]), axis=1, return_index=True)
    more = owner[first], place[first], colours(at[first])
    return Samples(*(np.concatenate([samples[i], more[i]]) for i in range(3)))


def _colours_at(values: NDArray, at: NDArray[np.int64], space: Colours) -> NDArray[np.float32]:
    return space.of(values.reshape(1, -1, values.shape[2])[:, at])[0]
