"""For how long customers were there: spells without a gap, and calendar months from one day to another."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Spells", "months_between", "spells"]


class Spells(NamedTuple):
    """One line for each time that a customer was there without a gap.

    Attributes
    ----------
    customer : (s,) int64 array
        Ascending.
    first, last : (s,) float64 arrays
        The first and the last paid day, the last no later than the day looked at.
    over : (s,) bool array
        Whether the customer had left by that day.
    """

    customer: NDArray[np.int64]
    first: NDArray[np.float64]
    last: NDArray[np.float64]
    over: NDArray[np.bool_]


def spells(customer: NDArray[np.int64], start: NDArray[np.float64], end: NDArray[np.float64], day: int) -> Spells:
    """Join the subscriptions of each customer that overlap or follow one another without a gap.

    Parameters
    ----------
    customer : (m,) int64 array
    start : (m,) float64 array
        Days since 1970, none after ``day``.
    end : (m,) float64 array
        The first day that is no longer paid; NaN where it runs on.
    day : int
        The day looked at.

    Returns
    -------
    Spells
    """
    end = np.where(end <= day, end, day + 1.0)
    order = np.lexsort((start, customer))
    customer, start, end = customer[order], start[order], end[order]
    # On one axis of time, where the customers follow one another, the latest end so far is a running maximum.
    since = start.min()
    shift = customer * (day + 2.0 - since) - since
    latest = np.maximum.accumulate(end + shift)
    heads = np.flatnonzero(np.r_[True, (start + shift)[1:] > latest[:-1]])
    tails = np.r_[heads[1:] - 1, len(start) - 1]
    until = latest[tails] - shift[tails]
    return Spells(customer[heads], start[heads], until - 1, until <= day)


def months_between(first: NDArray[np.float64], last: NDArray[np.float64]) -> NDArray[np.float64]:
    """Count calendar months: 1 from 15 January to 15 February, and as a part of the month what is left over.

    Parameters
    ----------
    first, last : (n,) float64 arrays
        Days since 1970.

    Returns
    -------
    (n,) float64 array
    """
    month = _month(first)
    since = first - _first_of(month)
    whole = _month(last) - month
    whole = whole - (_same_day(month + whole, since) > last)
    begun = _same_day(month + whole, since)
    return whole + (last - begun) / (_same_day(month + whole + 1, since) - begun)


def _month(days: NDArray[np.float64]) -> NDArray[np.int64]:
    return days.astype(np.int64).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _first_of(month: NDArray[np.int64]) -> NDArray[np.int64]:
    return month.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _same_day(month: NDArray[np.int64], since: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the day as far into the month, or the month's last where it is shorter."""
    return np.minimum(_first_of(month) + since, _first_of(month + 1) - 1)
