"""Low-pass filters that halve a grid: each axis is smoothed with centred taps, and every other value is kept.

Value i of the result stands for the cells 2i and 2i + 1 exactly: nothing shifts, whatever the length of the filter. Beyond the
grid there are zeros; an odd axis gets one more cell of zeros at its high end. An axis of one cell stays as it is.
"""

from typing import Any

import numpy as np

from ..arrays import is_tensor
from .grid_cells import group_cells

__all__ = ["halve", "halve_occupied"]


def halve(values: Any, taps: tuple[float, ...], first: int) -> Any:
    """Filter a whole grid along each axis in turn and keep every other value.

    Parameters
    ----------
    values : float64 array or tensor of any number of axes
    taps : tuple of float
        Weights of the cells ``2 i + first``, ``2 i + first + 1``, ...
    first : int
        At most 0.

    Returns
    -------
    float64 array or tensor
        Half as long along each axis, rounded up. Taps are added in order: the same bits on every engine.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.grid_filter import halve
    >>> halve(np.array([1.0, 3, 5, 7, 9]), (0.5, 0.5), 0)
    array([2. , 6. , 4.5])
    """
    for axis in range(values.ndim):
        if values.shape[axis] == 1:
            continue
        half = -(-values.shape[axis] // 2)
        shape = list(values.shape)
        shape[axis] = 2 * half + len(taps) + 1
        padded = values.new_zeros(shape) if is_tensor(values) else np.zeros(shape)
        inside = [slice(None)] * values.ndim
        inside[axis] = slice(-first, -first + values.shape[axis])
        padded[tuple(inside)] = values
        total: Any = 0.0
        for k, tap in enumerate(taps):
            inside[axis] = slice(k, k + 2 * half, 2)
            total = total + tap * padded[tuple(inside)]
        values = total
    return values


def halve_occupied(
    coords: np.ndarray, values: np.ndarray, shape: tuple[int, ...], taps: tuple[float, ...], first: int
) -> tuple[np.ndarray, np.ndarray]:
    """Filter cells of which most are empty: only the halves of cells that are there get a value, axis by axis.

    Parameters
    ----------
    coords : (c, a) int array
        Distinct cells in row-major order.
    values : (c,) float64 array
    shape : tuple of int
        Cells along each axis of the grid.
    taps, first
        As in `halve`. With two taps (Haar) nothing reaches an empty cell and the result is that of `halve`.

    Returns
    -------
    coords : (h, a) int array
        The halves in row-major order.
    values : (h,) float64 array
    """
    for axis in range(coords.shape[1]):
        if shape[axis] == 1:
            continue
        _, line = group_cells(np.delete(coords, axis, axis=1))
        place = coords[:, axis].astype(np.int64)
        length = int(place.max(initial=0)) // 2 + 1 + len(taps)
        keys, kept = np.unique(line * length + place // 2, return_index=True)
        total = np.zeros(len(keys))
        for k, tap in enumerate(taps):
            target = (place - first - k) // 2
            key = line * length + target
            at = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
            reached = (keys[at] == key) & ((place - first - k) % 2 == 0) & (target >= 0)
            total[at[reached]] += tap * values[reached]
        values, coords = total, coords[kept].copy()
        coords[:, axis] //= 2
        order = group_cells(coords)[1]
        coords[order], values[order] = coords.copy(), values.copy()
    return coords, values
