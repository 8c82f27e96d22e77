"""Profiles of the columns of groups of rows in blocks: what a block adds up is written as whole numbers, and merged in any order."""

from typing import Any

import numpy as np

from ...arrays import to_numpy
from .._numba import column_profiles as kernels
from ..blocks import says
from ..column_profiles import FEW, Layout, Profiles
from .passes import Block, fold
from .rows import BlockRows

__all__ = ["column_profiles"]

_MOST_ROWS = 2.0**31  # of a block whose rows are not known
_PARTS, _BITS = 4, 40  # of a sum, and of each part of it: 2^23 blocks add up
_LEAST_TOP = -850  # below it, the finest unit would not be a number


def column_profiles(X: BlockRows, labels: None, n_groups: int, layout: Layout, around: np.ndarray) -> Profiles:
    """See `coterie.primitives.column_profiles.column_profiles`; the labels lie beside the rows."""
    tops = _tops(X, layout)
    found = fold(X, _block_profile, _merged, n_groups, layout, around, tops)
    sums, squares = (_values(parts, top) for parts, top in zip((found.sums, found.squares), tops, strict=True))
    return kernels.finished(found, sums, squares, layout, around)


def _tops(X: BlockRows, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Return the exponents of what the sums of a block, and those of squares, stay below."""
    most = max((getattr(source, "n_rows", _MOST_ROWS) for source in X.sources), default=1)
    reach = layout.high - layout.low
    first, second = (np.maximum(np.frexp(most * reach**power)[1], _LEAST_TOP) for power in (1, 2))
    return first, second


def _whole(sums: np.ndarray, tops: np.ndarray) -> np.ndarray:
    """Write sums as whole multiples of four units, each 2^40 of the next, which hold every figure of them: (4, ...) int64."""
    parts = np.empty((_PARTS, *sums.shape), np.int64)
    for i in range(_PARTS):
        unit = np.ldexp(1.0, tops - _BITS * (i + 1))
        parts[i] = np.rint(sums / unit)
        sums = sums - parts[i] * unit
    return parts


def _values(parts: np.ndarray, tops: np.ndarray) -> np.ndarray:
    found = np.zeros(parts.shape[1:])
    for i in range(_PARTS - 1, -1, -1):  # the smallest first
        found += parts[i] * np.ldexp(1.0, tops - _BITS * (i + 1))
    return found


@says("what is in the columns of the groups")
def _block_profile(block: Block, n_groups: int, layout: Layout, around: np.ndarray, tops: tuple) -> kernels.Seen:
    found = kernels.seen(to_numpy(block.rows), block.labels, n_groups, layout, around)
    return found._replace(sums=_whole(found.sums, tops[0]), squares=_whole(found.squares, tops[1]))


def _merged(a: kernels.Seen, b: kernels.Seen) -> kernels.Seen:
    values, value_counts = [], []
    for j in range(len(a.values)):
        both = _together(a.values[j], a.value_counts[j], b.values[j], b.value_counts[j])
        values.append(both[0])
        value_counts.append(both[1])
    return kernels.Seen(
        a.rows + b.rows, a.known + b.known, a.sums + b.sums, a.squares + b.squares, np.minimum(a.low, b.low),
        np.maximum(a.high, b.high), a.buckets + b.buckets, np.maximum(a.registers, b.registers), tuple(values),
        tuple(value_counts),
    )  # fmt: skip


def _together(a: Any, a_counts: Any, b: Any, b_counts: Any) -> tuple[Any, Any]:
    """Count values that are in either; None where they are too many, which no order of merging changes."""
    if a is None or b is None:
        return None, None
    values = np.union1d(a, b)
    if len(values) > FEW:
        return None, None
    counts = np.zeros((len(a_counts), len(values)), np.int64)
    counts[:, np.searchsorted(values, a)] += a_counts
    counts[:, np.searchsorted(values, b)] += b_counts
    return values, counts
