"""What is in each column of each group of rows: counts, mean and deviation, range, quantiles, frequent values, distinct values.

All of it comes from one pass, and every part of it can be merged: sums of whole numbers, least and greatest, so that neither the
order of blocks nor the number of workers changes a bit. Quantiles are read from counts of values in buckets (`Layout`): those of
DDSketch (Masson et al. 2019) with the linear interpolation of its authors, which takes a bucket from the bits of the number.
A column of few values is counted value by value, and exact throughout. Distinct values beyond these are estimated from the
greatest ranks of hashes (HyperLogLog, Flajolet et al. 2007; the estimate is that of Ertl 2017).
"""

from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError, ResourceError
from .engine import engine_of

__all__ = [
    "FEW", "Layout", "Profiles", "column_profiles", "distinct", "frequent", "joined", "layout_of", "quantiles", "weighted_values",
]  # fmt: skip

FEW = 256  # values up to which a column is counted value by value
_MOST_BITS, _LEAST_BITS = 7, 3
_FINE = (
    256  # buckets stop narrowing at this part of a column's spread around the origin, or up to 16 times nearer to it
)
_FAR = 8.0  # spreads from zero beyond which a column is measured from its middle instead
_REGISTERS = 2048


class Layout(NamedTuple):
    """The buckets of each column: with y = 1 + abs(x - origin) / unit, each doubling of y is divided into 2^bits equal ones.

    The bucket next to the origin stands for it, so that the zeros of a sparse column are told as zeros. A quantile q is therefore told to
    within ``2^-(bits + 1) * (abs(q - origin) + 2 * unit)``. The origin is zero, so that the error is
    relative to the value, unless the column lies far from zero compared with its spread; then it is its middle.
    """

    low: np.ndarray  # (d,) float64: range of all rows
    high: np.ndarray  # (d,) float64
    origin: np.ndarray  # (d,) float64
    unit: np.ndarray  # (d,) float64, positive
    bits: int
    below: np.ndarray  # (d,) int64: buckets of values below the origin
    starts: np.ndarray  # (d + 1,) int64: first bucket of each column among all

    @property
    def alpha(self) -> float:
        """Return the relative error of quantiles."""
        return 2.0 ** -(self.bits + 1)


class Profiles(NamedTuple):
    """Of g groups and d columns; values that are missing (NaN) count for nothing but ``rows``."""

    rows: np.ndarray  # (g,) int64
    known: np.ndarray  # (g, d) int64: values that are there
    mean: np.ndarray  # (g, d) float64; NaN of no values, as all that follows
    deviation: np.ndarray  # (g, d) float64: root of the mean squared difference from the mean
    low: np.ndarray  # (g, d) float64
    high: np.ndarray  # (g, d) float64
    layout: Layout
    buckets: np.ndarray  # (g, all buckets) int64
    registers: np.ndarray  # (g, d, 2048) uint8: greatest ranks of hashes
    values: tuple  # of each column: its values, ascending, or None where there are more than `FEW`
    value_counts: tuple  # of each column: (g, values) int64, or None


def layout_of(low: np.ndarray, high: np.ndarray, sample: np.ndarray, n_groups: int, n_bytes: float = 2.0**30) -> Layout:
    """Choose the buckets of each column, as fine as memory allows.

    Parameters
    ----------
    low, high : (d,) float arrays
        Range of all rows.
    sample : (m, d) float array
        Some of them, which tell roughly where a column has its middle, and how far it spreads.
    n_groups : int
    n_bytes : float, default=2**30
        Bytes that the state of a task may take.

    Returns
    -------
    Layout

    Raises
    ------
    InputError
        If values are so large that they have no squares.
    ResourceError
        If even the coarsest buckets take more.
    """
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    d = len(low)
    if not np.maximum(np.abs(low), np.abs(high)).max(initial=0.0) < 1e150:
        raise InputError(
            "values must be below 1e150 in magnitude, so that they have squares; divide them by a power of ten"
        )
    quarter, middle, three = np.nanquantile(np.asarray(sample, np.float64), [0.25, 0.5, 0.75], axis=0)
    spread = np.where(three > quarter, three - quarter, high - low)
    spread = np.where(spread > 0, spread, 1.0)
    # Rounded, so that another sample seldom makes other buckets.
    exponent = np.frexp(spread)[1]
    rounded, step = np.ldexp(1.0, (exponent - 1) // 4 * 4), np.ldexp(1.0, exponent)
    origin = np.where(np.abs(middle) > _FAR * spread, np.rint(middle / step) * step, 0.0)
    unit = np.maximum(rounded / _FINE, 1e-290)
    beside = n_groups * d * (_REGISTERS + 8 * FEW + 80)
    for bits in range(_MOST_BITS, _LEAST_BITS - 1, -1):
        below = np.where(low < origin, bucket_of(low, origin, unit, bits) + 1, 0)
        above = np.where(high >= origin, bucket_of(high, origin, unit, bits) + 1, 0)
        starts = np.concatenate([[0], np.cumsum(below + above)])
        if 8 * n_groups * int(starts[-1]) + beside <= n_bytes:
            return Layout(low, high, origin, unit, bits, below, starts)
    need = 8 * n_groups * int(starts[-1]) + beside
    raise ResourceError(
        f"profiles of {n_groups:,} groups and {d:,} columns take {need / 2**20:,.0f} MiB in each task, and there is room for "
        f"{n_bytes / 2**20:,.0f} MiB; take fewer groups or columns, or give workers more memory"
    )


def bucket_of(x: Any, origin: Any, unit: Any, bits: int) -> np.ndarray:
    """Return how many buckets lie between a value and the origin, as the kernels do it."""
    y = 1.0 + np.abs(np.asarray(x, np.float64) - origin) * (1.0 / unit)
    return (np.ascontiguousarray(y).view(np.int64) >> (52 - bits)) - (1023 << bits)


def column_profiles(X: Any, labels: Any, n_groups: int, layout: Layout, around: np.ndarray | None = None) -> Profiles:
    """Profile the columns of each group, in one pass.

    Parameters
    ----------
    X : (n, d) float array, or rows in blocks
    labels : (n,) int array
        Below ``n_groups``; -1, no cluster, counts as the last group. None for rows in blocks, whose labels came with them
        (`coterie.primitives.block_labels.labelled`).
    n_groups : int
    layout : Layout
        From `layout_of`.
    around : (n_groups, d) float64 array, optional
        Values near the mean of each group, by default the origins: the nearer, the more figures a deviation keeps.

    Returns
    -------
    Profiles
        NumPy arrays. Of rows in blocks the same bits for any order of the blocks, and on any workers.

    Raises
    ------
    ClusterError
        If the workers are lost.

    Notes
    -----
    O(n d) time; memory is that of the result, for each task of a pass.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.column_profiles import column_profiles, layout_of, quantiles
    >>> X = np.array([[0.0], [1.0], [5.0], [6.0], [7.0]])
    >>> found = column_profiles(X, np.array([0, 0, 1, 1, 1]), 2, layout_of([0.0], [7.0], X, 2))
    >>> found.mean.ravel().tolist(), quantiles(found, 0.5).ravel().tolist()
    ([0.5, 6.0], [0.0, 6.0])
    """
    if around is None:
        around = np.broadcast_to(layout.origin, (n_groups, len(layout.origin)))
    around = np.ascontiguousarray(around, np.float64)
    engine: Any = engine_of(X, "column_profiles")
    found: Profiles = engine.column_profiles(X, labels, n_groups, layout, around)
    return found


def joined(found: Profiles, group: np.ndarray, n_groups: int) -> Profiles:
    """Return the profiles of groups that are made of others, without another look at the rows.

    Parameters
    ----------
    found : Profiles
    group : (g,) int array
        New group of each; -1 is the last.
    n_groups : int

    Returns
    -------
    Profiles
    """
    into = np.asarray(group) % n_groups

    def added(values: np.ndarray) -> np.ndarray:
        total = np.zeros((n_groups, *values.shape[1:]), values.dtype)
        np.add.at(total, into, values)
        return total

    count = added(found.known)
    means = np.where(found.known > 0, found.mean, 0.0)
    first = np.zeros((n_groups, means.shape[1]))  # means are pooled as differences from one of them
    first[into[::-1]] = means[::-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = first + added(found.known * (means - first[into])) / count
        apart = np.where(found.known > 0, found.deviation**2 + (means - mean[into]) ** 2, 0.0)
        deviation = np.sqrt(added(found.known * apart) / count)
    low, high = (np.full(count.shape, end) for end in (np.inf, -np.inf))
    np.fmin.at(low, into, found.low)
    np.fmax.at(high, into, found.high)
    registers = np.zeros((n_groups, *found.registers.shape[1:]), np.uint8)
    np.maximum.at(registers, into, found.registers)
    low[count == 0] = high[count == 0] = np.nan
    value_counts = tuple(None if counts is None else added(counts) for counts in found.value_counts)
    return found._replace(
        rows=added(found.rows), known=count, mean=mean, deviation=deviation, low=low, high=high,
        buckets=added(found.buckets), registers=registers, value_counts=value_counts,
    )  # fmt: skip


def weighted_values(found: Profiles, column: int) -> tuple[np.ndarray, np.ndarray]:
    """Return values that stand for those of a column, ascending, and how many of each group each stands for.

    Returns
    -------
    values : (v,) float64 array
        The values themselves where there are few, else the middles of the buckets that hold any, and the origin for those beside it.
    counts : (g, v) int64 array
    """
    if found.values[column] is not None:
        return found.values[column], found.value_counts[column]
    layout, (start, end) = found.layout, found.layout.starts[column : column + 2]
    counts = found.buckets[:, start:end]
    there = np.flatnonzero(counts.any(axis=0))
    places = there - layout.below[column]
    steps = np.where(places >= 0, places, -1 - places)
    octave, within = steps >> layout.bits, steps & ((1 << layout.bits) - 1)
    y = np.ldexp(1.0 + (within + 0.5) * 2.0**-layout.bits, octave)
    gap = np.where(steps == 0, 0.0, (y - 1.0) * layout.unit[column])
    values = layout.origin[column] + np.where(places >= 0, gap, -gap)
    return np.clip(values, np.nanmin(found.low[:, column]), np.nanmax(found.high[:, column])), counts[:, there]


def quantiles(found: Profiles, share: float) -> np.ndarray:
    """Return the least value of each group and column that is not below so large a share of the values.

    Parameters
    ----------
    found : Profiles
    share : float
        0 to 1.

    Returns
    -------
    (g, d) float64 array
        Exact in columns of few values, else within the bound of `Layout`; NaN where there are no values.
    """
    g, d = found.known.shape
    result = np.full((g, d), np.nan)
    for j in range(d):
        values, counts = weighted_values(found, j)
        upto = np.cumsum(counts, axis=1)
        for i in np.flatnonzero(found.known[:, j]):
            least = max(int(np.ceil(share * found.known[i, j])), 1)
            value = values[np.searchsorted(upto[i], least)]
            result[i, j] = min(max(value, found.low[i, j]), found.high[i, j])
    return result


def frequent(found: Profiles, column: int, most: int = 5) -> list[list[tuple[float, int]]] | None:
    """Return the most frequent values of a column in each group, with how often they occur; None where there are many values."""
    values, counts = found.values[column], found.value_counts[column]
    if values is None:
        return None
    order = np.argsort(-counts, axis=1, kind="stable")[:, :most]
    return [
        [(float(values[v]), int(counts[i, v])) for v in places if counts[i, v]] for i, places in enumerate(order)
    ]  # fmt: skip


def distinct(found: Profiles) -> np.ndarray:
    """Return how many different values each group has in each column.

    Returns
    -------
    (g, d) float64 array
        Exact, and whole, in columns of few values, else with a standard error of 2.3%.
    """
    g, d = found.known.shape
    result = np.empty((g, d))
    for j in range(d):
        if found.values[j] is not None:
            result[:, j] = (found.value_counts[j] > 0).sum(axis=1)
        else:
            result[:, j] = [_estimated(found.registers[i, j]) for i in range(g)]
    return result


def _estimated(registers: np.ndarray) -> float:
    """Return Ertl's estimate (2017, algorithm 6, arXiv:1702.01284): no bias at either end, and no table of corrections."""
    m = len(registers)
    most = 64 - (m.bit_length() - 1)  # ranks but for that of a hash of zeros alone
    counts = np.bincount(registers, minlength=most + 2)
    z = m * _tau(1.0 - counts[most + 1] / m)
    for rank in range(most, 0, -1):
        z = 0.5 * (z + counts[rank])
    return float(m * m / (2.0 * np.log(2.0)) / (z + m * _sigma(counts[0] / m))) if counts[0] < m else 0.0


def _sigma(x: float) -> float:
    y, z = 1.0, x
    while True:
        x *= x
        before, z = z, z + x * y
        y += y
        if z == before:
            return z


def _tau(x: float) -> float:
    if x in (0.0, 1.0):
        return 0.0
    y, z = 1.0, 1.0 - x
    while True:
        x = np.sqrt(x)
        before, y = z, 0.5 * y
        z -= (1.0 - x) ** 2 * y
        if z == before:
            return z / 3.0
