"""The shape of a CLIQUE cluster in few words: boxes that cover its units, and the boxes as conditions on the features.

Greedy growth (Agrawal et al. 1998, section 3.4): from a unit that no box covers yet, grow a box along the first feature to both
sides as far as all of it is dense, then along the second, and so on. Then boxes all of whose units lie in other boxes are
dropped, the smallest first.
"""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np

__all__ = ["cover", "describe_boxes"]

_TABLE_CELLS = 1 << 22


def cover(units: np.ndarray) -> np.ndarray:
    """Cover connected units with few boxes.

    Parameters
    ----------
    units : (u, k) int64 array
        Places of the units, no row twice.

    Returns
    -------
    (b, k, 2) int64 array
        First and last place of each box along each feature, both included; every place in it is a unit.

    Examples
    --------
    >>> import numpy as np
    >>> cover(np.array([[0, 0], [0, 1], [1, 0], [1, 1], [2, 1]])).tolist()
    [[[0, 1], [0, 1]], [[0, 2], [1, 1]]]
    """
    # Along a feature in which the units are all at one place nothing grows.
    wide = np.flatnonzero((units != units[0]).any(axis=0))
    boxes = np.repeat(units[:1, :, None], 2, axis=2)
    if len(wide):
        places = _cover(units[:, wide])
        boxes = np.repeat(boxes, len(places), axis=0)
        boxes[:, wide] = places
    return boxes


def _cover(units: np.ndarray) -> np.ndarray:
    inside = _finder(units)
    times = np.zeros(len(units), np.int64)
    boxes, members = [], []
    for start in range(len(units)):
        if times[start]:
            continue
        low, high = units[start].copy(), units[start].copy()
        for j in range(len(low)):
            _grow(inside, low, high, j, -1)
            _grow(inside, low, high, j, +1)
        own = inside(low, high)
        times[own] += 1
        boxes.append(np.column_stack([low, high]))
        members.append(own)
    kept = np.ones(len(boxes), bool)
    sizes = np.array([len(own) for own in members])
    for b in np.argsort(sizes, kind="stable"):
        if (times[members[b]] > 1).all():
            times[members[b]] -= 1
            kept[b] = False
    return np.stack(boxes)[kept]


def _grow(inside: Callable, low: np.ndarray, high: np.ndarray, j: int, step: int) -> None:
    """Move one side of the box outward while the slab before it is dense."""
    end = low if step < 0 else high
    slab_low, slab_high = low.copy(), high.copy()
    while True:
        slab_low[j] = slab_high[j] = end[j] + step
        if inside(slab_low, slab_high) is None:
            return
        end[j] += step


def _finder(units: np.ndarray) -> Callable[[np.ndarray, np.ndarray], Any]:
    """Return a function that gives the numbers of the units in a box, or None where a place in it is no unit."""
    base = units.min(axis=0) - 1  # a margin on each side, so that a step outside finds nothing
    sides = units.max(axis=0) - base + 2
    if np.prod(sides.astype(np.float64)) <= _TABLE_CELLS:
        table = np.full(sides, -1)
        table[tuple((units - base).T)] = np.arange(len(units))

        def in_table(low: np.ndarray, high: np.ndarray) -> np.ndarray | None:
            found = table[tuple(slice(a, b + 1) for a, b in zip(low - base, high - base, strict=True))].ravel()
            return None if (found < 0).any() else found

        return in_table
    number = {tuple(unit): i for i, unit in enumerate(units.tolist())}

    def in_dictionary(low: np.ndarray, high: np.ndarray) -> np.ndarray | None:
        found = []
        for place in product(*(range(a, b + 1) for a, b in zip(low.tolist(), high.tolist(), strict=True))):
            if place not in number:
                return None
            found.append(number[place])
        return np.array(found)

    return in_dictionary


def describe_boxes(boxes: np.ndarray, names: Sequence[str], closed: np.ndarray, widths: np.ndarray) -> str:
    """Write boxes as a disjunction of conjunctions.

    Parameters
    ----------
    boxes : (b, k, 2) float array
        Low and high end of each box along each feature.
    names : sequence of k str
    closed : (b, k) bool array
        Whether the high end belongs to the box.
    widths : (k,) float array
        Width of an interval; ends are written to a hundredth of it.

    Returns
    -------
    str

    Examples
    --------
    >>> import numpy as np
    >>> box = np.array([[[30.0, 50.0], [0.5, 2.0]]])
    >>> describe_boxes(box, ["age", "visits"], np.array([[False, True]]), np.array([10.0, 0.5]))
    '30 <= age < 50 and 0.5 <= visits <= 2'
    """
    parts = []
    for box, ends in zip(boxes, closed, strict=True):
        conditions = [
            f"{_short(low, width)} <= {name} {'<=' if end else '<'} {_short(high, width)}"
            for (low, high), name, end, width in zip(box.tolist(), names, ends, widths.tolist(), strict=True)
        ]
        parts.append(" and ".join(conditions))
    return parts[0] if len(parts) == 1 else " or ".join(f"({part})" for part in parts)


def _short(value: float, width: float) -> str:
    for digits in range(2, 17):
        text = f"{value:.{digits}g}"
        if abs(float(text) - value) <= width / 100:
            break
    short = float(text)
    return str(int(short)) if short.is_integer() and abs(short) < 1e7 else text
