"""Further features of superpixels: means of numbers that were given for each pixel, or layers of a network on patches."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ._colours import Colours
from ._pieces import Pieces

__all__ = ["layers_of"]

PATCH = 32  # pixels a side
_MOST = 8  # principal directions
_SCALE = 4.0  # a difference of so many standard deviations counts as 1


def layers_of(features: Any, pieces: Pieces, space: Colours) -> NDArray[np.float64]:
    """Return what describes each superpixel beside colour and texture.

    Parameters
    ----------
    features : (h', w', d) array, transformer or None
    pieces : Pieces
    space : Colours

    Returns
    -------
    (n, d') float64 array
        On principal directions, the first of them with standard deviation 1/4; d' is 0 where there are no features.
    """
    n = pieces.n
    if features is None:
        return np.zeros((n, 0))
    if hasattr(features, "fit_transform"):
        found = np.asarray(features.fit_transform(_patches(pieces, space)), np.float64)
        if found.ndim != 2 or len(found) != n:
            raise InputError(f"features must give a row for each of {n} patches, got an array of shape {found.shape}")
    else:
        found = _means(np.asarray(features), pieces)
    if not np.isfinite(found).all():
        raise InputError("features hold NaN or infinity; fill them first")
    return _principal(found)


def _means(features: NDArray, pieces: Pieces) -> NDArray[np.float64]:
    if features.ndim == 2:
        features = features[:, :, None]
    if features.ndim != 3 or 0 in features.shape or features.dtype.kind not in "biuf":
        raise InputError(f"features must be numbers of shape (h, w, d), got {features.dtype} of shape {features.shape}")
    (height, width), (label, place, _) = pieces.seen.shape, pieces.samples
    row, column = (place // width) * features.shape[0] // height, (place % width) * features.shape[1] // width
    count = np.bincount(label)
    means = [np.bincount(label, band[row, column].astype(np.float64)) / count for band in np.moveaxis(features, 2, 0)]
    return np.stack(means, axis=1)


def _patches(pieces: Pieces, space: Colours) -> NDArray[np.float32]:
    """Return the (n, 3, 32, 32) squares around the middles of the superpixels, colours brought to about -1 to 1."""
    small, (label, place, _) = pieces.colours, pieces.samples
    count = np.bincount(label)
    middle = [np.rint(np.bincount(label, one) / count).astype(np.int64) for one in np.divmod(place, small.shape[1])]
    half = PATCH // 2
    padded = np.pad(
        small[:, :, :3], ((half, half), (half, half), (0, 0)), mode="reflect" if min(small.shape[:2]) > half else "edge"
    )
    limits = space.limits[:3].astype(np.float32)
    padded = 2 * (padded - limits[:, 0]) / (limits[:, 1] - limits[:, 0]) - 1
    if padded.shape[2] < 3:
        padded = np.repeat(padded[:, :, :1], 3, axis=2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (PATCH, PATCH), axis=(0, 1))
    return np.ascontiguousarray(windows[middle[0], middle[1]])


def _principal(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    rows = rows - rows.mean(axis=0)
    left, size, _ = np.linalg.svd(rows, full_matrices=False)
    kept = min(_MOST, len(size))
    if not size[0] > 0:
        return np.zeros((len(rows), 0))
    scores = left[:, :kept] * (size[:kept] / size[0]) * np.sqrt(len(rows))
    return np.ascontiguousarray(scores / _SCALE)
