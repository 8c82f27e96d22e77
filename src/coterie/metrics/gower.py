"""Gower's dissimilarity: how far rows of numbers, categories and dates are apart, column by column, with values missing here and there.

A column of numbers parts two rows by their difference as a share of its range, a category by 0 or 1; the distance is the weighted
mean over the columns that both rows have. It lies between 0 and 1, and needs no scaling, no filling and no coding. Exact: O(n m d)
time, and O(n m) memory, which is the result.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError, ResourceError
from ..primitives.memory import free_bytes

__all__ = ["gower_distances"]

KINDS = ("number", "category", "presence", "ignored")
_BLOCK_BYTES = 4 << 20


class _Compared(NamedTuple):
    """One column of both tables: numbers as shares of the range with NaN, levels as codes with -1, presence as 0, 1 and -1."""

    kind: str
    weight: float
    left: np.ndarray
    right: np.ndarray


def gower_distances(
    X: Any,
    Y: Any = None,
    *,
    kinds: Mapping[str, str] | None = None,
    weights: Mapping[str, float] | None = None,
    ranges: Mapping[str, float] | None = None,
) -> np.ndarray:
    """Return Gower's dissimilarity of every row of ``X`` to every row of ``Y``.

    Parameters
    ----------
    X : table, frame, dict of columns, array or path of n rows
        Anything that ``coterie.tables.read`` takes.
    Y : the same of m rows, default=None
        With the columns of ``X``, in any order; ``X`` itself where None.
    kinds : dict, default=None
        Column to "number", "category", "presence" (zeros and other numbers, where two zeros say nothing: symptoms, products bought) or
        "ignored". None: numbers and dates are numbers, texts are categories.
    weights : dict, default=None
        Column to weight, 1 where not named.
    ranges : dict, default=None
        Column to the difference of numbers (days, for dates) that counts as 1, the range over both tables where not named. Larger
        differences count as 1 too. Name them to measure new rows on the scale of old ones.

    Returns
    -------
    (n, m) float64 array
        From 0 to 1; symmetric with a diagonal of zeros where ``Y`` is None.

    Raises
    ------
    InputError
        If a column is missing or of another kind, or two rows have no column in common.
    ResourceError
        If the result does not fit in the memory that is free; nothing was allocated then.

    References
    ----------
    Gower, J. C. (1971). A general coefficient of similarity and some of its properties. Biometrics, 27(4), 857-871.
    https://doi.org/10.2307/2528823

    Examples
    --------
    >>> from coterie.metrics import gower_distances
    >>> gower_distances({"age": [20, 40, 60], "city": ["Bern", "Bern", None]})
    array([[0.  , 0.25, 1.  ],
           [0.25, 0.  , 0.5 ],
           [1.  , 0.5 , 0.  ]])
    """
    from ..tables import read

    left = read(X)
    right = left if Y is None else read(Y)
    columns = _compared(left, right, dict(kinds or {}), dict(weights or {}), dict(ranges or {}))
    n, m = left.n_rows, right.n_rows
    if 8 * n * m > free_bytes():
        raise ResourceError(
            f"distances between {n:,} and {m:,} rows need {8 * n * m / 2**30:.1f} GiB, but {free_bytes() / 2**30:.1f} GiB are free; take "
            "fewer rows, or KPrototypes, which needs no distances between rows"
        )
    distances = np.empty((n, m))
    step = max(1, _BLOCK_BYTES // (8 * max(m, 1)))
    for start in range(0, n, step):
        distances[start : start + step] = _block(columns, start, start + step, m, Y is None)
    return distances


def _block(columns: Sequence[_Compared], start: int, stop: int, m: int, one_table: bool) -> np.ndarray:
    """Return the weighted mean difference of some rows to all others, over the columns that both have."""
    shape = (len(columns[0].left[start:stop]), m)
    apart, compared, met = np.zeros(shape), np.zeros(shape), np.zeros(shape, bool)
    for column in columns:
        x, y = column.left[start:stop, None], column.right[None, :]
        if column.kind == "number":
            difference = np.minimum(np.abs(x - y), 1.0)
            known = ~np.isnan(difference)
        else:
            difference, known = x != y, (x >= 0) & (y >= 0)
        met |= known
        if column.kind == "presence":
            known &= (x > 0) | (y > 0)
        apart += column.weight * np.where(known, difference, 0.0)
        compared += column.weight * known
    if not met.all():
        row, other = np.argwhere(~met)[0] + (start, 0)
        pair = f"row {row} and row {other}" if one_table else f"row {row} of X and row {other} of Y"
        raise InputError(f"{pair} have no column in common; fill values that are missing, or drop one of the rows")
    return apart / np.where(compared > 0, compared, 1.0)  # rows that have none of what may be present are alike


def _compared(
    left: Any, right: Any, kinds: dict[str, str], weights: dict[str, float], ranges: dict[str, float]
) -> list[_Compared]:
    from ..tables.table import unknown_name

    for given in (kinds, weights, ranges):
        for name in given:
            if name not in left.names:
                raise unknown_name(name, left.names)
    found = []
    for column in left.columns:
        kind = kinds.get(column.name, "category" if column.kind == "text" else "number")
        weight = float(weights.get(column.name, 1.0))
        if kind not in KINDS:
            raise unknown_name(kind, KINDS, "kind of column")
        if not 0 <= weight < np.inf:
            raise InputError(f"the weight of {column.name!r} must be a number of at least 0, got {weight:g}")
        if kind == "ignored" or weight == 0:
            continue
        other = column if right is left else right.column(column.name)
        values = _numbers(column, other, ranges.get(column.name)) if kind == "number" else _codes(kind, column, other)
        found.append(_Compared(kind, weight, *values))
    if not found or left.n_rows == 0 or right.n_rows == 0:
        raise InputError("there is nothing to compare: no column is left, or there are no rows")
    return found


def _numbers(left: Any, right: Any, size: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers as shares of their range; halved first, since a difference may be beyond the largest float."""
    from ..tables.convert import as_number

    halves = [as_number(column).values / 2 for column in (left, right)]
    known = np.concatenate(halves)
    known = known[~np.isnan(known)]
    spread = (float(np.ptp(known)) if known.size else 0.0) if size is None else float(size) / 2
    if size is not None and not 0 < spread < np.inf:
        raise InputError(f"the range of {left.name!r} must be a number above 0, got {size:g}")
    low = float(known.min()) if known.size else 0.0
    shares = [(half - low) / (spread or 1.0) for half in halves]
    return shares[0], shares[1]


def _codes(kind: str, left: Any, right: Any) -> tuple[np.ndarray, np.ndarray]:
    from ..tables.convert import as_levels, as_number

    if kind == "presence":
        values = [as_number(column).values for column in (left, right)]
        codes = [np.where(np.isnan(value), -1, value != 0).astype(np.int64) for value in values]
        return codes[0], codes[1]
    levels = [as_levels(column) for column in (left, right)]
    place = {value: i for i, value in enumerate(dict.fromkeys([*levels[0].values, *levels[1].values]))}
    lookups = [np.array([*(place[value] for value in level.values), -1]) for level in levels]
    return lookups[0][levels[0].codes], lookups[1][levels[1].codes]
