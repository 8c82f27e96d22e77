"""The share of alarms over time, and how much of it chance explains."""

import itertools
from typing import NamedTuple

import numpy as np

from ...tables import Table
from ._calibration import alarm_limits

__all__ = ["Windows", "windows_of"]

_MOST = 20
_FEWEST_ROWS = 50
_LEVEL = 0.01  # chance that any window of rows like history lies outside its limits


class Windows(NamedTuple):
    """Parts of the rows, one after the other.

    Attributes
    ----------
    label : str
        What the starts are.
    starts : list of str or int
        Time, or number, of the first row of each.
    shares, low, high : (w,) float64 arrays
        Share of alarms, and the limits between which it lies for rows like those of history.
    """

    label: str
    starts: list
    shares: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def above(self) -> int:
        """How many windows have more alarms than chance explains."""
        return int((self.shares > self.high).sum())


def windows_of(
    table: Table, p_values: np.ndarray, fpr: float, held_out: np.ndarray, time_column: str | None, order: np.ndarray
) -> Windows:
    """Cut rows into windows of equal size, one after the other.

    Parameters
    ----------
    table : Table
    p_values : (n,) float64 array
    fpr : float
    held_out : (m,) float64 array
        Ascending distances by which p-values were found.
    time_column : str or None
        Names the windows.
    order : (n,) int64 array
        Positions of the rows in their order.

    Returns
    -------
    Windows
    """
    n = len(p_values)
    edges = np.linspace(0, n, max(1, min(_MOST, n // _FEWEST_ROWS)) + 1).astype(int)
    sizes = np.diff(edges)
    alarms = np.array([(p_values[order[a:b]] <= fpr + 1e-12).sum() for a, b in itertools.pairwise(edges)])
    limits = {int(size): alarm_limits(int(size), held_out, fpr, _LEVEL / len(sizes)) for size in np.unique(sizes)}
    low, high = (np.array([limits[int(size)][i] for size in sizes]) / sizes for i in (0, 1))
    label: str = "first row"
    starts: list = [int(start) for start in edges[:-1]]
    if time_column is not None:
        values = table.column(time_column).values
        times = [str(values[order[start]])[:19].removesuffix("T00:00:00") for start in edges[:-1]]
        if len(set(times)) == len(times):
            label, starts = time_column, times
    return Windows(label, starts, alarms / sizes, low, high)
