"""Purchases as a list of (customer, day, amount): what is missing left out, what belongs together merged, all of it counted.

Rows of one customer on one day are one purchase, as are the rows of one order, on its first day. Returns are rows of negative amount:
they lower what a customer spent, but coming back to return something is no purchase.
"""

import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...tables.table import Table
from ._columns import Given, as_days, as_ids, as_numbers, find, missing_column, refuse_large

__all__ = ["Transactions", "day_text", "read_transactions", "refuse_contract", "refuse_unknown_days"]

# Gaps of this share of customers with at least two gaps, all but equal, are payments of a contract.
_CONTRACT_SHARE = 0.8
_EQUAL_GAPS = 0.12  # standard deviation of the gaps over their mean: months of 28 to 31 days have 0.03
_FIRST_OF_1900 = -25_567  # days since 1970
_YEAR = 365


class Transactions(NamedTuple):
    """Merged rows, by customer and day.

    Attributes
    ----------
    names : list of str
        The customers, in order of first appearance in the file.
    customer : (m,) int64 array
        Position in ``names``.
    day : (m,) int64 array
        Days since 1970.
    amount : (m,) float64 array
        What was spent that day, less what was returned.
    is_purchase : (m,) bool array
        False where something was only returned.
    notes : tuple of str
        What was taken for what, left out and merged.
    """

    names: list[str]
    customer: NDArray[np.int64]
    day: NDArray[np.int64]
    amount: NDArray[np.float64]
    is_purchase: NDArray[np.bool_]
    notes: tuple[str, ...]


def read_transactions(table: Table, given: Given, cutoff: int | None = None) -> Transactions:
    """Take the purchases from a table.

    Parameters
    ----------
    table : Table
        A row per purchase, or per item of one.
    given : Given
        Columns that the user named.
    cutoff : int, optional
        Days since 1970; rows of one order before and after it are purchases of their own, so that what comes later changes nothing earlier.

    Returns
    -------
    Transactions

    Raises
    ------
    InputError
        If a column is not there or cannot be read, dates lie in the future or before 1900, or no amount is above 0.
    """
    who, when = find(table, "id", given.id), find(table, "date", given.date)
    if who is None:
        raise missing_column(table, "an identifier of the customer", "id")
    if when is None:
        raise missing_column(table, "a date of purchase", "date")
    amount, amount_name = _amounts(table, given.amount)
    order = find(table, "order", given.order)
    order = None if order is who else order
    names, customer = as_ids(who)
    day = as_days(when, "dates of purchase")
    notes = [f"customer: {who.name}; date: {when.name}; amount: {amount_name}"]
    if order is not None:
        notes[0] += f"; order: {order.name}"
    use = (customer >= 0) & ~np.isnan(day) & np.isfinite(amount)
    notes += _left_out(customer < 0, np.isnan(day), ~np.isfinite(amount), who.name)
    if not use.any():
        raise InputError(f"no row of {table.name} has a customer, a date and an amount; check the columns {notes[0]}")
    _refuse_future(day, use)
    refuse_unknown_days(day, use)
    customer, days, amount = customer[use], day[use].astype(np.int64), amount[use]
    if not (amount > 0).any():
        raise InputError(
            f"no amount in {amount_name} is above 0 (the largest is {amount.max():g}); if money spent is written as negative, turn its sign"
        )
    if order is not None:
        days = _first_days(customer, as_ids(order)[1][use], days, cutoff)
    return _merged(names, customer, days, amount, notes)


def refuse_contract(transactions: Transactions) -> None:
    """Refuse purchases at equal gaps: they are payments of a contract, of which BG/NBD knows nothing.

    Raises
    ------
    InputError
    """
    rows = np.flatnonzero(transactions.is_purchase)
    customer, day = transactions.customer[rows], transactions.day[rows]
    same = customer[1:] == customer[:-1]
    gaps, owner = np.diff(day)[same].astype(np.float64), customer[1:][same]
    n = len(transactions.names)
    count = np.bincount(owner, minlength=n)
    often = count >= 2
    if not often.any():
        return
    mean = np.bincount(owner, gaps, n) / np.maximum(count, 1)
    spread = np.sqrt(np.maximum(np.bincount(owner, gaps**2, n) / np.maximum(count, 1) - mean**2, 0))
    equal = spread[often] <= _EQUAL_GAPS * mean[often]
    if equal.mean() >= _CONTRACT_SHARE:
        raise InputError(
            f"{equal.mean():.0%} of the customers who bought three times or more did so at equal gaps (every {np.median(mean[often]):.0f} days), "
            "as payments of a contract come; BG/NBD is for customers who buy when they like, so give a row per subscription with its start, end "
            "and price instead"
        )


def day_text(day: float) -> str:
    """Return a day since 1970 as 2024-01-31."""
    return str(np.datetime64(int(day), "D"))


def _amounts(table: Table, given: str | None) -> tuple[NDArray[np.float64], str]:
    """Return the amounts and where they are from: a column, or a product of two, ``Quantity*UnitPrice``."""
    if given is not None and given not in table.names and "*" in given:
        factors = [table.column(name.strip()) for name in given.split("*")]
    elif (column := find(table, "amount", given)) is not None:
        return as_numbers(column, "amounts"), column.name
    else:
        found = find(table, "quantity", None), find(table, "unit price", None)
        factors = [column for column in found if column is not None]
        if len(factors) < 2:
            raise missing_column(table, "an amount of money", "amount")
    product = np.prod([as_numbers(column, "amounts") for column in factors], axis=0)
    name = " times ".join(column.name for column in factors)
    refuse_large(product, name, "amounts")
    return product, name


def _left_out(no_customer: NDArray, no_day: NDArray, no_amount: NDArray, who: str) -> list[str]:
    notes = []
    for missing, what in (
        (no_customer, f"without {who}"),
        (no_day, "without a date"),
        (no_amount, "without an amount"),
    ):
        count = int(missing.sum())
        if count:
            share = count / len(missing)
            told = f"{share:.0%}" if share >= 0.01 else "below 1%"
            notes.append(f"{count:,} row{'s' if count > 1 else ''} ({told}) {what} left out")
    return notes


def _refuse_future(day: NDArray[np.float64], use: NDArray[np.bool_]) -> None:
    today = datetime.date.today().toordinal() - datetime.date(1970, 1, 1).toordinal()
    future = np.flatnonzero(use & (day > today + 1))  # one day of grace: somewhere it is tomorrow already
    if len(future):
        late = future[np.argmax(day[future])]
        raise InputError(
            f"{len(future):,} row{'s are' if len(future) > 1 else ' is'} dated after today, up to {day_text(day[late])} in row {late}; "
            "correct these dates, or leave the rows out"
        )


def refuse_unknown_days(day: NDArray[np.float64], use: NDArray[np.bool_]) -> None:
    """Refuse days that stand for a date that is not known: up to 1900-01-01, and the first of 1970 by itself.

    Raises
    ------
    InputError
    """
    # The moment 0 of computers; west of Greenwich it is the day before.
    zero = use & ((day == 0) | (day == -1))
    if zero.any() and not (use & (day <= _YEAR) & ~zero).any() and not zero[use].all():
        n, row = int(zero.sum()), int(np.flatnonzero(zero)[0])
        raise InputError(
            f"{n:,} row{'s are' if n > 1 else ' is'} dated {day_text(day[row])} and no other lies within a year of it (the first is row {row}), as dates that are "
            "not known often are; correct these dates, or leave the rows out"
        )
    old = np.flatnonzero(use & (day <= _FIRST_OF_1900))
    if len(old):
        early = old[np.argmin(day[old])]
        raise InputError(
            f"{len(old):,} row{'s are' if len(old) > 1 else ' is'} dated 1900-01-01 or before, down to {day_text(day[early])} in row {early}, "
            "as dates that are not known often are; correct these dates, or leave the rows out"
        )


def _first_days(customer: NDArray, order: NDArray, days: NDArray, cutoff: int | None) -> NDArray:
    """Give the rows of an order the first of its days on their side of the cut-off; rows without an order keep their own."""
    named = order >= 0
    later = np.zeros(len(days), bool) if cutoff is None else days > cutoff
    _, which = np.unique(np.column_stack([customer[named], order[named], later[named]]), axis=0, return_inverse=True)
    first = np.full(which.max(initial=-1) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, which, days[named])
    moved = days.copy()
    moved[named] = first[which]
    return moved


def _merged(names: list[str], customer: NDArray, days: NDArray, amount: NDArray, notes: list[str]) -> Transactions:
    order = np.lexsort((days, customer))
    customer, days, amount = customer[order], days[order], amount[order]
    start = np.flatnonzero(np.r_[True, (np.diff(customer) != 0) | (np.diff(days) != 0)])
    total = np.add.reduceat(amount, start)
    returned = np.logical_or.reduceat(amount < 0, start)
    customer, days = customer[start], days[start]
    is_purchase = (total > 0) | ~returned
    n_returns = int((amount < 0).sum())
    if n_returns:
        notes.append(f"{n_returns:,} row{'s' if n_returns > 1 else ''} of negative amount taken as returns")
    if len(amount) > len(total):
        notes.append(f"{len(amount):,} rows are {len(total):,} days on which a customer bought or returned something")
    return Transactions(names, customer, days, total, is_purchase, tuple(notes))
