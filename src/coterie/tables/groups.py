"""Columns that measure one thing in several directions, and so keep a common scale.

Latitude and longitude, the coordinates x and y, the pixels of a picture: scaling each by its own spread would bend the
distances between rows.
"""

import re
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .cast import name_words
from .coding import Coding
from .table import Column

__all__ = ["common_scales"]

_LATITUDE = {"lat", "latitude"}
_LONGITUDE = {"lon", "lng", "long", "longitude"}
_FEWEST_ALIKE = 16


def common_scales(columns: list[Column], codings: list[Coding]) -> tuple[list[Coding], list[str]]:
    """Find groups of columns that belong on one scale and code them so.

    Parameters
    ----------
    columns : list of Column
    codings : list of Coding
        Fitted one by one.

    Returns
    -------
    codings : list of Coding
    notes : list of str
    """
    codings, notes = list(codings), []
    numbers = [
        i for i, coding in enumerate(codings) if coding.used and coding.role == "number" and coding.factor == 1.0
    ]
    for latitude, longitude in _places(columns, numbers):
        notes.append(_on_the_globe(columns, codings, latitude, longitude))
        numbers = [i for i in numbers if i not in (latitude, longitude)]
    axes = _axes(columns, numbers)
    if axes:
        _share(columns, codings, axes)
        notes.append(f"{' and '.join(columns[i].name for i in axes)} are coordinates and keep a common scale")
        numbers = [i for i in numbers if i not in axes]
    alike = _alike(columns, numbers)
    if alike:
        _share(columns, codings, alike)
        low, high = _range(columns[alike[0]])
        notes.append(
            f"{len(alike)} columns share the range {low:.6g} to {high:.6g} and keep a common scale, as one quantity measured many times"
        )
    return codings, notes


def _places(columns: list[Column], numbers: list[int]) -> list[tuple[int, int]]:
    """Pair latitudes with longitudes by the rest of their names: start_lat with start_lng."""
    halves: dict[str, dict[str, int]] = {}
    for i in numbers:
        words = name_words(columns[i].name)
        for which, names, bound in (("lat", _LATITUDE, 90), ("lon", _LONGITUDE, 180)):
            low, high = _range(columns[i])
            if names & set(words) and low >= -bound and high <= (360 if which == "lon" and low >= 0 else bound):
                halves.setdefault(" ".join(w for w in words if w not in names), {})[which] = i
    return [(pair["lat"], pair["lon"]) for pair in halves.values() if len(pair) == 2]


def _range(column: Column) -> tuple[float, float]:
    return float(np.nanmin(column.values)), float(np.nanmax(column.values))


def _on_the_globe(columns: list[Column], codings: list[Coding], latitude: int, longitude: int) -> str:
    """Code a pair by the equirectangular projection: longitude times the cosine of the mean latitude."""
    lat, lon = columns[latitude].values, columns[longitude].values
    factor = float(np.cos(np.radians(np.nanmean(lat))))
    seam = _seam(lon[~np.isnan(lon)])
    turned = lon if seam is None else seam + np.mod(lon - seam, 360.0)
    spread = float(np.sqrt((np.nanvar(lat) + np.nanvar(turned * factor)) / 2))
    for i, values, by in ((latitude, lat, 1.0), (longitude, turned, factor)):
        middle = float(np.nanmean(values))
        codings[i] = replace(
            codings[i], coding="common scale", center=middle, spread=spread / by, factor=by, shift=middle * by, scale=spread,
            weight=float(np.nanvar(values * by)) / spread**2, unit=codings[i].unit or "°",
            seam=seam if i == longitude else None, fill=float(np.nanmedian(values)) if codings[i].missing else None,
        )  # fmt: skip
    note = f"{columns[latitude].name} and {columns[longitude].name} are places and keep a common scale (longitude times {factor:.2f})"
    if seam is not None:
        note += (
            f"; longitude is counted from {seam:.0f}°, where fewest rows are, so that the date line parts no neighbours"
        )
    return note


def _seam(longitudes: NDArray[np.float64]) -> float | None:
    """Return the emptiest meridian when rows lie on both sides of the date line, else None."""
    counts = np.bincount((np.mod(longitudes + 180.0, 360.0) // 10).astype(np.int64) % 36, minlength=36)
    at_date_line = counts[0] + counts[-1]
    around = counts + np.roll(counts, 1)  # both sides of each tenth meridian
    best = int(np.argmin(around))
    if min(counts[0], counts[-1]) == 0 or at_date_line <= 2 * around[best]:
        return None
    return best * 10.0 - 180.0


def _axes(columns: list[Column], numbers: list[int]) -> list[int]:
    """Find coordinates called x, y and perhaps z (also x_m, pos_x) whose spreads are of one size."""
    by_axis: dict[str, list[int]] = {}
    for i in numbers:
        match = re.fullmatch(
            r"(?:(?:pos|position|coord|center|centre)[ _.]?)?([xyz])(?:[ _.]?(?:m|km|mm|cm|px|coord|coordinate|pos|position))?",
            columns[i].name.strip().lower(),
        )
        if match:
            by_axis.setdefault(match[1], []).append(i)
    if not {"x", "y"} <= by_axis.keys() or any(len(found) > 1 for found in by_axis.values()):
        return []
    axes = sorted(found[0] for found in by_axis.values())
    spreads = [float(np.nanstd(columns[i].values)) for i in axes]
    return axes if max(spreads) <= 30 * min(spreads) else []


def _alike(columns: list[Column], numbers: list[int]) -> list[int]:
    """Find many columns of one bounded quantity: most begin at the same value and half of them reach the same other one."""
    if len(numbers) < _FEWEST_ALIKE:
        return []
    ranges = np.array([_range(columns[i]) for i in numbers])
    low, high = float(ranges[:, 0].min()), float(ranges[:, 1].max())
    begins = np.count_nonzero(ranges[:, 0] == low)
    reaches = np.count_nonzero(ranges[:, 1] == high)
    return numbers if begins >= 0.9 * len(numbers) and reaches >= 0.5 * len(numbers) else []


def _share(columns: list[Column], codings: list[Coding], group: list[int]) -> None:
    variances = [float(np.nanvar(columns[i].values)) for i in group]
    spread = float(np.sqrt(np.mean(variances)))
    for i, variance in zip(group, variances, strict=True):
        middle = float(np.nanmean(columns[i].values))
        codings[i] = replace(
            codings[i],
            coding="common scale",
            center=middle,
            spread=spread,
            shift=middle,
            scale=spread,
            weight=variance / spread**2,
        )
