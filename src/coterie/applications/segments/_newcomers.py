"""What the customers of other data did, as of a day that is settled once their last is known."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...tables.table import Table
from . import buyers, members
from ._columns import Given
from .behaviour import behaviour
from .subscriptions import Subscriptions, read_subscriptions, subscribers
from .transactions import Transactions, read_transactions

__all__ = ["customers_of", "last_day_of"]


def customers_of(
    table: Table, given: Given, kind: str, as_of: Callable[[int | None], tuple[int | None, bool]]
) -> tuple[list[str], NDArray[np.float64]]:
    """Read customers.

    Parameters
    ----------
    table : Table
    given : Given
    kind : {"transactions", "subscriptions"}
    as_of : callable
        From the last day of the data (None for tenures) to the day to look at, and whether that is a cut-off rather than the last day.

    Returns
    -------
    names : list of str
    values : (n, d) float64 array
        What segments are made of.
    """
    if kind == "subscriptions":
        subscribed = read_subscriptions(table, given)
        seen = subscribers(subscribed, as_of(last_day_of(subscribed))[0])
        return [subscribed.names[i] for i in seen.customer], members.values_of(seen)
    bought = read_transactions(table, given)
    day, is_cutoff = as_of(int(bought.day.max()))
    assert day is not None
    if is_cutoff:  # then rows of an order on both sides of the day are purchases of their own
        bought = read_transactions(table, given, day)
    did = behaviour(bought, day)
    return [bought.names[i] for i in did.customer], buyers.values_of(did)


def last_day_of(rows: Transactions | Subscriptions) -> int | None:
    """Return the last day of which the rows say something; None for tenures."""
    if isinstance(rows, Transactions):
        return int(rows.day.max())
    return None if rows.start is None else members.last_day(rows)
