"""Starting rows for k-prototypes: common rows far apart (Cao), or rows near to values drawn column by column (Huang)."""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import to_numpy
from ..primitives.prototypes import nearest_prototype
from ..primitives.row_keys import row_keys

__all__ = ["MixedRows", "cao_rows", "huang_rows"]

_INTERVALS = 10


class MixedRows(NamedTuple):
    """Rows as k-prototypes computes on them."""

    numbers: Any  # (n, p) float, conditioned
    codes: Any  # (n, c) int32, beside the numbers
    gamma: float
    weight: np.ndarray  # (n,) float64

    def take(self, rows: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return some rows as means and modes, on the host."""
        return to_numpy(self.numbers[rows]).astype(np.float64), to_numpy(self.codes[rows])

    def costs(self, means: np.ndarray, modes: np.ndarray) -> np.ndarray:
        """Return the cost of every row for the cheapest of some prototypes."""
        return to_numpy(nearest_prototype(self.numbers, self.codes, means, modes, self.gamma)[1])


def cao_rows(rows: MixedRows, n_clusters: int) -> np.ndarray:
    """Choose common rows far from each other: each next one has the greatest product of density and cost to the nearest so far.

    The density of a row is the mean over the columns of the share of rows that have its value; of a number, that lie in the same
    tenth of the column's range. Equal products: the first in an order of the rows' values.

    Parameters
    ----------
    rows : MixedRows
    n_clusters : int

    Returns
    -------
    (k,) int64 array
    """
    order = _value_order(rows)
    density = _density(rows)
    chosen = [order[density[order].argmax()]]
    closest = rows.costs(*rows.take(chosen))
    while len(chosen) < n_clusters:
        chosen.append(order[(closest * density)[order].argmax()])
        closest = np.minimum(closest, rows.costs(*rows.take(chosen[-1:])))
    return np.array(chosen)


def huang_rows(rows: MixedRows, n_clusters: int, rng: np.random.RandomState) -> np.ndarray:
    """Draw a value for each column by how common it is, and take the row nearest to them that differs from those so far.

    Parameters
    ----------
    rows : MixedRows
    n_clusters : int
    rng : RandomState

    Returns
    -------
    (k,) int64 array
    """
    order = _value_order(rows)
    total = np.cumsum(rows.weight[order])
    numbers, codes = to_numpy(rows.numbers), to_numpy(rows.codes)
    chosen: list[int] = []
    closest = np.where(rows.weight > 0, np.inf, 0.0)
    while len(chosen) < n_clusters:
        aims = rng.uniform(size=numbers.shape[1] + codes.shape[1]) * total[-1]
        drawn = order[np.minimum(np.searchsorted(total, aims, side="right"), len(order) - 1)]
        means = numbers[drawn[: numbers.shape[1]], np.arange(numbers.shape[1])][None].astype(np.float64)
        modes = codes[drawn[numbers.shape[1] :], np.arange(codes.shape[1])][None]
        costs = np.where(closest > 0, rows.costs(means, modes), np.inf)
        chosen.append(int(order[costs[order].argmin()]))
        closest = np.minimum(closest, rows.costs(*rows.take(chosen[-1:])))
    return np.array(chosen)


def _value_order(rows):
    """Order rows by their values, so that what is chosen does not depend on how they were shuffled or repeated."""
    keys = [to_numpy(row_keys(rows.numbers))]
    keys += list(to_numpy(rows.codes).T)
    return np.lexsort(keys[::-1])


def _density(rows):
    """Return the density of each row, up to a factor; columns of one value say nothing."""
    weighty = rows.weight > 0
    density = np.zeros(len(rows.weight))
    for column in (*to_numpy(rows.numbers).T.astype(np.float64), *to_numpy(rows.codes).T):
        low, high = column[weighty].min(), column[weighty].max()
        if not high > low:
            continue
        if column.dtype.kind == "f":
            share = (np.clip(column, low, high) - low) / (high - low)
            column = np.minimum((share * _INTERVALS).astype(np.int64), _INTERVALS - 1)
        density += np.bincount(column, rows.weight)[column]
    return np.where(weighty, density if density.any() else 1.0, 0.0)
