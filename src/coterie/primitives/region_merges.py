"""Merging the regions of a picture, the two neighbours that differ least first, with what a region is described by kept up to date.

How much two neighbours differ is a weighted sum of differences of colour, texture and further features, and of the contrast along
their border, times a power of ``2 a b / (a + b)`` of their areas, as in Ward's method: of two equally different pairs the smaller
merges first. Cost: for n regions some n log n steps of the length of a description, a millisecond for each hundred of regions.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from ._numba.blocks import run_kernel
from ._numba.region_merges import N_BINS, compare_pairs, merge_regions

__all__ = [
    "N_BINS",
    "Measure",
    "Regions",
    "differences",
    "linkage_of",
    "merged",
    "most_alike_of",
    "regions_from",
    "united",
]

_PAIRS_AT_A_TIME = 1 << 20


class Regions(NamedTuple):
    """The regions of a picture, what describes each, and which of them touch: a graph in compressed rows."""

    indptr: np.ndarray  # (n + 1,) int64
    target: np.ndarray  # (m,) int64: each border stands in the rows of both its sides
    length: np.ndarray  # (m,) float64: pairs of pixels along it
    strength: np.ndarray  # (m, s) float64: contrast at each scale, added up along it
    area: np.ndarray  # (n,) float64
    colour: np.ndarray  # (n, c) float64: mean
    words: np.ndarray  # (n, 16 c + t) float64: area in each bin of each band, and of each texton
    layers: np.ndarray  # (n, d) float64: mean of further features; d may be 0

    @property
    def n(self) -> int:
        """Return how many there are."""
        return len(self.area)

    def pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the lower and the higher region of each border, and its place among the links."""
        row = np.repeat(np.arange(self.n), np.diff(self.indptr))
        once = np.flatnonzero(row < self.target)
        return row[once], self.target[once], once


class Measure(NamedTuple):
    """What a difference of two regions counts."""

    weights: (
        np.ndarray
    )  # (5 + s,): mean colour, spread of colours, their histogram, texture, layers, contrast at each scale
    exponent: float  # of the size
    unit: float  # area whose pairs count once


def differences(regions: Regions, measure: Measure) -> np.ndarray:
    """Say how much the two sides of each border differ.

    Parameters
    ----------
    regions : Regions
    measure : Measure

    Returns
    -------
    (m / 2,) float64 array
        In the order of ``regions.pairs()``.
    """
    low, high, at = regions.pairs()
    costs = np.empty(len(low))
    run_kernel(
        compare_pairs, low, high, regions.length[at], regions.strength[at], regions.area, regions.colour, regions.words,
        regions.layers, measure.weights, measure.exponent, measure.unit, costs,
    )  # fmt: skip
    return costs


def most_alike_of(regions: Regions, others: tuple[np.ndarray, ...], measure: Measure) -> np.ndarray:
    """Find for each region the one of some others that differs least, borders and further features aside.

    Parameters
    ----------
    regions : Regions
    others : tuple of arrays
        Area, colour and words of k regions.
    measure : Measure

    Returns
    -------
    (n,) int64 array
        The lowest of equally different ones.
    """
    n, k = regions.n, len(others[0])
    mine = regions.area, regions.colour, regions.words
    area, colour, words = (np.concatenate(both) for both in zip(mine, others, strict=True))
    found = np.empty(n, np.int64)
    step = max(1, _PAIRS_AT_A_TIME // k)
    for start in range(0, n, step):
        some = np.arange(start, min(start + step, n))
        low, high = np.repeat(some, k), n + np.tile(np.arange(k), len(some))
        nothing, costs = np.zeros((len(low), 0)), np.empty(len(low))
        run_kernel(
            compare_pairs, low, high, np.ones(len(low)), nothing, area, colour, words, np.zeros((n + k, 0)), measure.weights,
            measure.exponent, measure.unit, costs,
        )  # fmt: skip
        found[some] = costs.reshape(-1, k).argmin(axis=1)
    return found


def merged(regions: Regions, measure: Measure) -> np.ndarray:
    """Merge regions until all that hang together are one.

    Parameters
    ----------
    regions : Regions
    measure : Measure

    Returns
    -------
    (n - 1, 4) float64 array
        The tree in SciPy's layout: two clusters, the height, the number of regions. Heights never fall. What does not hang together
        is joined last, at an infinite height.
    """
    n = regions.n
    spare = [np.concatenate([one, np.zeros((max(n - 1, 0), *one.shape[1:]))]) for one in regions[4:]]
    left, right, height = np.empty(n - 1, np.int64), np.empty(n - 1, np.int64), np.empty(n - 1)
    done = run_kernel(
        merge_regions, n, regions.indptr, regions.target.copy(), regions.length.copy(), regions.strength.copy(), *spare,
        measure.weights, measure.exponent, measure.unit, left, right, height,
    )  # fmt: skip
    _join_the_rest(n, done, left, right, height)
    return linkage_of(left, right, height)


def _join_the_rest(n: int, done: int, left: np.ndarray, right: np.ndarray, height: np.ndarray) -> None:
    under = np.zeros(2 * n - 1, bool)
    under[left[:done]] = under[right[:done]] = True
    roots = np.flatnonzero(~under[: n + done])
    top = roots[0]
    for i, root in enumerate(roots[1:]):
        left[done + i], right[done + i], height[done + i] = top, root, np.inf
        top = n + done + i


def linkage_of(left: np.ndarray, right: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Return merges in SciPy's layout.

    Parameters
    ----------
    left, right : (n - 1,) int64 arrays
        Nodes; that of merge i is n + i.
    height : (n - 1,) float64 array

    Returns
    -------
    (n - 1, 4) float64 array
    """
    n = len(left) + 1
    count = np.ones(2 * n - 1)
    for i in range(n - 1):
        count[n + i] = count[left[i]] + count[right[i]]
    return np.column_stack([np.minimum(left, right), np.maximum(left, right), height, count[n:]]).astype(np.float64)


def regions_from(
    low: np.ndarray, high: np.ndarray, length: np.ndarray, strength: np.ndarray, describing: tuple[np.ndarray, ...]
) -> Regions:
    """Put each border into the rows of both its sides.

    Parameters
    ----------
    low, high : (e,) int64 arrays
        Two sides of each border.
    length : (e,) array
    strength : (e, s) array
    describing : tuple of arrays
        Area, colour, words and layers of the regions.

    Returns
    -------
    Regions
    """
    a, b = np.concatenate([low, high]), np.concatenate([high, low])
    order = np.lexsort((b, a))
    at = np.tile(np.arange(len(low)), 2)[order]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(a, minlength=len(describing[0])))]).astype(np.int64)
    length, strength = length[at].astype(np.float64), np.ascontiguousarray(strength[at], np.float64)
    return Regions(indptr, b[order].astype(np.int64), length, strength, *describing)


def united(regions: Regions, labels: np.ndarray) -> Regions:
    """Return the regions that labels make of these.

    Parameters
    ----------
    regions : Regions
    labels : (n,) int64 array
        0 ... k - 1; regions of -1 are left out.

    Returns
    -------
    Regions
    """
    held = np.flatnonzero(labels >= 0)
    k = int(labels.max()) + 1
    member = csr_array((np.ones(len(held)), (labels[held], held)), shape=(k, regions.n))
    area = member @ regions.area
    colour, layers = (
        np.ascontiguousarray((member @ (one * regions.area[:, None])) / area[:, None])
        for one in (regions.colour, regions.layers)
    )
    low, high, at = regions.pairs()
    low, high = labels[low], labels[high]
    crossing = (low != high) & (low >= 0) & (high >= 0)
    low, high, at = np.minimum(low, high)[crossing], np.maximum(low, high)[crossing], at[crossing]
    keys, pair = np.unique(low * k + high, return_inverse=True)
    length = np.bincount(pair, regions.length[at], len(keys))
    strength = np.stack([np.bincount(pair, one[at], len(keys)) for one in regions.strength.T], axis=1)
    return regions_from(keys // k, keys % k, length, strength, (area, colour, member @ regions.words, layers))
