"""The table of regions: where each lies, how large it is, what colour it has, what it touches; and words for it."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...primitives.superpixels import Borders, borders_of

__all__ = ["RegionTable", "band_names", "mean_colours", "region_table"]

# Hue in degrees from which a name holds; before the first it is red again.
_HUES = (
    (15, "orange"),
    (45, "yellow"),
    (70, "green"),
    (165, "cyan"),
    (200, "blue"),
    (265, "purple"),
    (300, "pink"),
    (340, "red"),
)
_GREY = 0.15  # a saturation below this has no hue


class RegionTable(NamedTuple):
    """What is known of each region, 0 the largest."""

    area: NDArray[np.int64]  # (k,) pixels
    share: NDArray[np.float64]  # (k,) of the pixels inside
    middle: NDArray[np.float64]  # (k, 2) row and column of the centroid
    box: NDArray[np.int64]  # (k, 4) first and last row, first and last column
    perimeter: NDArray[np.int64]  # (k,) sides of pixels along its border, those at the edge of the picture included
    mean: NDArray[np.float64]  # (k, c) of the values of the file
    colour: NDArray[np.uint8]  # (k, 3) to paint it with
    neighbours: list[list[int]]  # regions that it touches, those of the longest border first
    names: list[str]  # colour and place in words


def region_table(labels: NDArray[np.int32], sums: NDArray, box: NDArray, picture: Any) -> RegionTable:
    """Describe regions.

    Parameters
    ----------
    labels : (h, w) int32 array
        Regions, -1 outside.
    sums : (k, c + 3) array
        Of the values of the pixels, of their rows and columns, and their number.
    box : (k, 4) int64 array
    picture : Picture

    Returns
    -------
    RegionTable
    """
    area = sums[:, -1].astype(np.int64)
    mean, middle = sums[:, :-3] / sums[:, -1:], sums[:, -3:-1] / sums[:, -1:]
    edges = borders_of(labels)
    length = np.bincount(edges.pair, minlength=len(edges.low))
    colour = mean_colours(sums, picture)
    names = [
        f"{_colour_name(paint)}, {_place_name(place, labels.shape)}"
        for paint, place in zip(colour, middle, strict=True)
    ]
    return RegionTable(
        area, area / area.sum(), middle, box, _perimeter(labels, edges, len(area)), mean, colour,
        _neighbours(edges, length, len(area)), names,
    )  # fmt: skip


def band_names(picture: Any) -> list[str]:
    """Return what the bands of a picture are called."""
    bands = picture.values.shape[2]
    if picture.is_colour:
        return ["red", "green", "blue"]
    return ["grey"] if bands == 1 else [f"band_{i + 1}" for i in range(bands)]


def mean_colours(sums: NDArray, picture: Any) -> NDArray[np.uint8]:
    """Return colours to paint regions with: the mean, or where bands are no colours the first three of them, or one as grey."""
    black, full = picture.unit
    mean = sums[:, :-3] / sums[:, -1:]
    share = np.clip((mean - black) / (full - black), 0, 1)
    if share.shape[1] < 3:
        share = np.repeat(share[:, :1], 3, axis=1)
    return np.rint(255 * share[:, :3]).astype(np.uint8)


def _perimeter(labels: NDArray[np.int32], edges: Borders, k: int) -> NDArray[np.int64]:
    flat = labels.reshape(-1)
    sides = np.bincount(flat[edges.first], minlength=k) + np.bincount(flat[edges.second], minlength=k)
    for rim in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        sides += np.bincount(rim[rim >= 0], minlength=k)
    for one, other in ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])):
        for mine, beside in ((one, other), (other, one)):
            sides += np.bincount(mine[(mine >= 0) & (beside < 0)], minlength=k)
    return sides


def _neighbours(edges: Borders, length: NDArray, k: int) -> list[list[int]]:
    found: list[list[tuple[int, int]]] = [[] for _ in range(k)]
    for a, b, n in zip(edges.low.tolist(), edges.high.tolist(), length.tolist(), strict=True):
        found[a].append((-n, b))
        found[b].append((-n, a))
    return [[other for _, other in sorted(one)] for one in found]


def _colour_name(paint: NDArray[np.uint8]) -> str:
    red, green, blue = (paint / 255).tolist()
    top, low = max(red, green, blue), min(red, green, blue)
    light = (top + low) / 2
    spread = top - low
    saturation = spread / (1 - abs(2 * light - 1)) if 0 < light < 1 else 0.0
    if light < 0.1:
        return "black"
    if light > 0.93:
        return "white"
    depth = "dark " if light < 0.33 else "light " if light > 0.67 else ""
    if saturation < _GREY or spread < 0.05:
        return depth + "grey"
    if top == red:
        hue = (60 * (green - blue) / spread) % 360
    else:
        hue = 60 * ((blue - red) / spread + 2) if top == green else 60 * ((red - green) / spread + 4)
    name = "red"
    for start, called in _HUES:
        name = called if hue >= start else name
    if name == "orange" and saturation < 0.75:
        return depth + ("brown" if light < 0.5 else "beige" if saturation < 0.45 else name)
    if name == "yellow" and light < 0.5 and saturation < 0.75:
        return depth + "olive"
    return depth + name


def _place_name(middle: NDArray, size: tuple[int, ...]) -> str:
    down, across = (middle + 0.5) / np.array(size)
    row = "top" if down < 1 / 3 else "bottom" if down > 2 / 3 else ""
    column = "left" if across < 1 / 3 else "right" if across > 2 / 3 else ""
    return " ".join(filter(None, (row, column))) or "middle"
