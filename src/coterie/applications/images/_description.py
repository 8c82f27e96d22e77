"""What describes a region: mean colour, histograms of its bands, its textons, further features, and contrast along its borders.

Textons are the kinds of small patterns that occur in this picture: each pixel's answers to ten derivatives of the lightness at two
scales, in 24 groups by k-means. Contrast is the length of the gradient of colour at three scales.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ...partition.kmeans import KMeans
from ...primitives.assign import nearest_center
from ...primitives.region_merges import N_BINS, Regions, regions_from
from ...primitives.superpixels import Borders, borders_of
from ._pieces import SIDE, Pieces

__all__ = ["SCALES", "answers_of", "contrasts", "described", "nearest_texton", "texton_centers"]

SCALES = (1.0, 2.0, 4.0)  # standard deviation of the smoothing, in pixels where a superpixel has SIDE a side
_CONTRAST = 30.0  # a gradient of so many units of colour counts as 1
_COLOUR = 50.0  # a difference of so many units of colour counts as 1
_TEXTONS = 24
_LEARNT_FROM = 8000  # pixels
_ORDERS = ((0, 1), (1, 0), (0, 2), (2, 0), (1, 1))  # derivatives down and across
_FAINT = 3.0  # answers below this much lightness count by their size, above it by its logarithm


def contrasts(colours: NDArray[np.float32], side: float) -> NDArray[np.float32]:
    """Return the length of the gradient of (h, w, b) colours at each scale, (scales, h, w); scales go with the side of superpixels."""
    found = np.empty((len(SCALES), *colours.shape[:2]), np.float32)
    for s, scale in enumerate(np.array(SCALES) * (side / SIDE)):
        square = np.zeros(colours.shape[:2], np.float32)
        for band in range(colours.shape[2]):
            for order in ((0, 1), (1, 0)):
                square += gaussian_filter(colours[:, :, band], scale, order=order) ** 2
        found[s] = np.sqrt(square) * np.float32(scale / _CONTRAST)
    return found


def answers_of(lightness: NDArray[np.float32], side: float) -> NDArray[np.float32]:
    """Return what ten derivatives say of each pixel of (h, w) lightness, (h * w, 10)."""
    answers = np.stack(
        [
            gaussian_filter(lightness, scale, order=order) * np.float32(scale ** sum(order))
            for scale in np.array(SCALES[:2]) * (side / SIDE)
            for order in _ORDERS
        ],
        axis=2,
    ).reshape(-1, 2 * len(_ORDERS))
    size = np.sqrt((answers**2).sum(axis=1, keepdims=True))
    answers *= np.log1p(size / np.float32(_FAINT)) / np.maximum(size, np.float32(1e-6))
    return answers


def texton_centers(answers: NDArray[np.float32], inside: NDArray[np.bool_], seed: int) -> NDArray[np.float32]:
    """Return the kinds of patterns that occur where the picture counts, (24, 10) or fewer."""
    rows = answers[inside.reshape(-1)]
    rows = np.ascontiguousarray(rows[:: max(1, len(rows) // _LEARNT_FROM)])
    k = min(_TEXTONS, len(np.unique(rows, axis=0)))
    return KMeans(k, n_init=1, max_iter=15, random_state=seed).fit(rows).cluster_centers_


def nearest_texton(answers: NDArray[np.float32], centers: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the kind of pattern around each pixel."""
    labels, _ = nearest_center(np.ascontiguousarray(answers), np.ascontiguousarray(centers, np.float64))
    return labels.astype(np.int64)


def described(
    pieces: Pieces,
    kinds: NDArray[np.int64],
    k: int,
    limits: NDArray[np.float64],
    area: NDArray[np.float64],
    layers: NDArray[np.float64],
) -> Regions:
    """Describe superpixels and their borders.

    Parameters
    ----------
    pieces : Pieces
    kinds : (ch * cw,) int array
        Texton of each pixel that is looked at.
    k : int
        Number of textons.
    limits : (b, 2) array
        Of the histograms.
    area : (n,) array
        Pixels of each superpixel at full size.
    layers : (n, d) array
        Mean of further features.

    Returns
    -------
    Regions
    """
    n, (label, place, colours) = pieces.n, pieces.samples
    edges = borders_of(pieces.labels)
    contrast = _along(edges, pieces)
    label, pixels = label.astype(np.int64), colours.astype(np.float64)
    count = np.bincount(label, minlength=n).astype(np.float64)
    mean = np.stack([np.bincount(label, band, n) for band in pixels.T], axis=1) / count[:, None] / _COLOUR
    words = [_histogram(band, label, n, *limit) for band, limit in zip(pixels.T, limits, strict=True)]
    words.append(np.bincount(label * k + kinds[place], minlength=n * k).reshape(n, k).astype(np.float64))
    length = np.bincount(edges.pair, minlength=len(edges.low)).astype(np.float64)
    strength = np.stack([np.bincount(edges.pair, one, len(edges.low)) for one in contrast], axis=1)
    full = np.concatenate(words, axis=1) * (area / count)[:, None]
    return regions_from(edges.low, edges.high, length, strength, (area, mean, full, layers))


def _along(edges: Borders, pieces: Pieces) -> NDArray[np.float64]:
    """Return the contrast at each scale where two pixels of different superpixels touch, (scales, m)."""
    found, width = contrasts(pieces.colours, pieces.side), pieces.labels.shape[1]
    sides = [found[:, at // width // pieces.factor, at % width // pieces.factor] for at in (edges.first, edges.second)]
    return 0.5 * (sides[0].astype(np.float64) + sides[1])


def _histogram(band: NDArray, label: NDArray, n: int, low: float, high: float) -> NDArray:
    """Count the pixels of each label in each bin; a pixel between two middles counts in both, by its distance from them."""
    place = np.clip((band - low) / (high - low), 0, 1) * (N_BINS - 1)
    below = np.minimum(place.astype(np.int64), N_BINS - 2)
    part = place - below
    at = label * N_BINS + below
    return (np.bincount(at, 1 - part, n * N_BINS) + np.bincount(at + 1, part, n * N_BINS)).reshape(n, N_BINS)
