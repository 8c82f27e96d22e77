"""What a customer did up to a day: recency, frequency, money, and how long they have been known.

Only rows of that day and before are looked at, whatever else the file holds: what comes later is what the numbers are to foretell.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from .transactions import Transactions, day_text

__all__ = ["Behaviour", "behaviour", "totals_between"]


class Behaviour(NamedTuple):
    """One line for each customer who had bought by the day.

    Attributes
    ----------
    day : int
        The cut-off, days since 1970.
    customer : (n,) int64 array
        Positions in the names of the transactions, ascending.
    recency : (n,) int64 array
        Days from the last purchase to the cut-off.
    frequency : (n,) int64 array
        Repeat purchases: days with a purchase after the first.
    age : (n,) int64 array
        Days from the first purchase to the cut-off.
    mean : (n,) float64 array
        Mean amount of the repeat purchases; 0 where there is none.
    total : (n,) float64 array
        All that was spent, less returns.
    """

    day: int
    customer: NDArray[np.int64]
    recency: NDArray[np.int64]
    frequency: NDArray[np.int64]
    age: NDArray[np.int64]
    mean: NDArray[np.float64]
    total: NDArray[np.float64]

    @property
    def active(self) -> NDArray[np.int64]:
        """Days from the first purchase to the last."""
        return self.age - self.recency


def behaviour(transactions: Transactions, day: int) -> Behaviour:
    """Sum up each customer at the end of a day.

    Parameters
    ----------
    transactions : Transactions
    day : int
        Days since 1970.

    Returns
    -------
    Behaviour

    Raises
    ------
    InputError
        If nobody had bought by then.
    """
    known = transactions.day <= day
    bought = known & transactions.is_purchase
    if not bought.any():
        raise InputError(
            f"the cut-off {day_text(day)} lies before the first purchase ({day_text(transactions.day.min())}); take a later day"
        )
    n = len(transactions.names)
    owner, days, amounts = transactions.customer[bought], transactions.day[bought], transactions.amount[bought]
    first, last = np.full(n, np.iinfo(np.int64).max), np.full(n, np.iinfo(np.int64).min)
    np.minimum.at(first, owner, days)
    np.maximum.at(last, owner, days)
    customer = np.unique(owner)
    frequency = np.bincount(owner, minlength=n)[customer] - 1
    again = days > first[owner]
    repeated = np.bincount(owner[again], amounts[again], n)[customer]
    total = _sums(transactions, known)[customer]
    return Behaviour(
        int(day), customer, day - last[customer], frequency, day - first[customer],
        repeated / np.maximum(frequency, 1), total,
    )  # fmt: skip


def totals_between(
    transactions: Transactions, customer: NDArray[np.int64], after: int, until: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Count the purchases of customers, and what they spent less returns, after one day and up to another."""
    n = len(transactions.names)
    within = (transactions.day > after) & (transactions.day <= until)
    bought = within & transactions.is_purchase
    purchases = np.bincount(transactions.customer[bought], minlength=n).astype(np.int64)
    return purchases[customer], _sums(transactions, within)[customer]


def _sums(transactions: Transactions, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
    sums = np.zeros(len(transactions.names))
    np.add.at(sums, transactions.customer[rows], transactions.amount[rows])
    return sums
