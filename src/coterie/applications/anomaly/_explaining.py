"""Which columns make a row remote: how much nearer it would be if a column were as it is where history is.

In turn each column of a row is set to the value of the representative that it is compared with. What its distance then loses, as
a share of the distance, is what the column is responsible for. This holds for any metric, and shares need not add up to 1: two
columns can each be reason enough.
"""

from typing import Any, NamedTuple

import numpy as np

from ._history import History, Plan
from ._measure import remoteness
from ._metrics import distances2
from ._scaling import scaled

__all__ = ["Explanation", "responsible"]

_MOST_VALUES = 1 << 22


class Explanation(NamedTuple):
    """The columns that make rows remote, the first the most.

    Attributes
    ----------
    columns : (n, top) int64 array
        Positions of columns.
    shares : (n, top) float64 array
        Share of the row's distance that goes away when the column is as in history.
    names : tuple of str
        Of all columns.
    """

    columns: np.ndarray
    shares: np.ndarray
    names: tuple[str, ...]

    def as_text(self, row: int) -> str:
        """Return the columns of one row in words."""
        pairs = zip(self.columns[row], self.shares[row], strict=True)
        return ", ".join(f"{self.names[j]} ({share:.0%})" for j, share in pairs if share >= 0.005)


def responsible(history: History, plan: Plan, rows: np.ndarray, column_of: np.ndarray) -> np.ndarray:
    """Return the share of each row's distance that each column is responsible for.

    Parameters
    ----------
    history : History
    plan : Plan
    rows : (n, d) float64 array
    column_of : (d,) int64 array
        Column that each feature belongs to.

    Returns
    -------
    (n, number of columns) float64 array
    """
    n_columns = int(column_of.max()) + 1
    found = np.empty((len(rows), n_columns))
    step = max(1, _MOST_VALUES // (len(history.weights) * rows.shape[1]))
    for start in range(0, len(rows), step):
        block = scaled(rows[start : start + step], history.scaling)
        apart = distances2(block, history.representatives, history.whiten, plan.metric)
        whole = remoteness(apart, history.weights, plan.shares)
        for c in range(n_columns):
            without = _without(block, apart, np.flatnonzero(column_of == c), history, plan.metric)
            rest = remoteness(without, history.weights, plan.shares)
            found[start : start + step, c] = 1.0 - rest / whole
    return found


def _without(block: np.ndarray, apart: np.ndarray, own: np.ndarray, history: History, metric: Any) -> np.ndarray:
    """Return squared distances where the features of one column are those of each representative."""
    if metric == "euclidean":
        nearer = apart - ((block[:, None, own] - history.representatives[None, :, own]) ** 2).sum(axis=2)
        return np.maximum(nearer, 0.0)
    columns = []
    for i, representative in enumerate(history.representatives):
        changed = block.copy()
        changed[:, own] = representative[own]
        whiten = None if history.whiten is None else history.whiten[i : i + 1]
        columns.append(distances2(changed, history.representatives[i : i + 1], whiten, metric)[:, 0])
    return np.column_stack(columns)
