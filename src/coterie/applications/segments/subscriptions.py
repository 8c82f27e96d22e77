"""Subscriptions: who pays how much a month, since when, and whether they left; and the bridge of monthly recurring revenue.

Money is counted in whole cents, so that every month's revenue is to the cent the last month's plus what came and less what went.
The end of a subscription is the last day that is paid: who starts again the next day has not left.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...tables.table import Column, Table, brief
from ._columns import MONTHS_OF, Given, as_days, as_ids, as_numbers, find, missing_column
from .spells import months_between, spells
from .transactions import day_text, refuse_unknown_days

__all__ = ["Subscribers", "Subscriptions", "mrr_bridge", "read_subscriptions", "subscribers"]

_YES = {"yes", "y", "true", "t", "1", "1.0", "churned", "left", "cancelled", "canceled"}
_NO = {"no", "n", "false", "f", "0", "0.0", "active", "stayed", "current", "retained"}


class Subscriptions(NamedTuple):
    """One line for each subscription.

    Attributes
    ----------
    names : list of str
        The customers, in order of first appearance.
    customer : (m,) int64 array
    cents : (m,) int64 array
        A month.
    start, end : (m,) float64 array or None
        Days since 1970: the first that is paid, and the first that no longer is, NaN where it runs on; None where the file says tenures.
    months, left : (m,) float64 and bool arrays or None
        Tenure, and whether the customer left; None where the file says dates.
    plan : (m,) list or None
    notes : tuple of str
    """

    names: list[str]
    customer: NDArray[np.int64]
    cents: NDArray[np.int64]
    start: NDArray[np.float64] | None
    end: NDArray[np.float64] | None
    months: NDArray[np.float64] | None
    left: NDArray[np.bool_] | None
    plan: NDArray[np.object_] | None
    notes: tuple[str, ...]


class Subscribers(NamedTuple):
    """One line for each customer on a day.

    Attributes
    ----------
    customer : (n,) int64 array
    months : (n,) float64 array
        For how long they have paid, or did; times between subscriptions left out.
    paid_months : (n,) float64 array
        The same where a month begun counts whole.
    leavings : (n,) int64 array
        How often they left; who came back and left again did so twice.
    cents : (n,) int64 array
        What they pay a month, or last did.
    left : (n,) bool array
    plan : (n,) object array or None
        Of the last subscription.
    """

    customer: NDArray[np.int64]
    months: NDArray[np.float64]
    paid_months: NDArray[np.float64]
    leavings: NDArray[np.int64]
    cents: NDArray[np.int64]
    left: NDArray[np.bool_]
    plan: NDArray[np.object_] | None


def read_subscriptions(table: Table, given: Given) -> Subscriptions:
    """Take the subscriptions from a table.

    Parameters
    ----------
    table : Table
        A row per subscription with a price and either a start (and an end) or a tenure.
    given : Given

    Returns
    -------
    Subscriptions

    Raises
    ------
    InputError
        If a column is not there or cannot be read, a price is negative, or a subscription ends before it starts.
    """
    who, price = find(table, "id", given.id), find(table, "price", given.price)
    if who is None:
        raise missing_column(table, "an identifier of the customer", "id")
    if price is None:
        raise missing_column(table, "a monthly price", "price")
    start, end = find(table, "start", given.start), find(table, "end", given.end)
    tenure, churn = find(table, "tenure", given.tenure), find(table, "churn", given.churn)
    plan, period = find(table, "plan", given.plan), find(table, "period", given.period)
    names, customer = as_ids(who)
    prices = as_numbers(price, "prices")
    if (prices < 0).any():
        row = int(np.flatnonzero(prices < 0)[0])
        raise InputError(f"the price in row {row} is {prices[row]:g}; prices of subscriptions are 0 or more")
    pays_for = np.ones(len(prices)) if period is None else _months_of(period)
    use = (customer >= 0) & np.isfinite(prices) & np.isfinite(pays_for)
    taken = [("customer", who), ("price", price), ("plan", plan), ("period", period)]
    days = ends = months = left = None
    if start is not None:
        taken += [("start", start), ("end", end)]
        days = as_days(start, "starts")
        ends = np.full(len(days), np.nan) if end is None or end.n_missing == len(days) else as_days(end, "ends")
        use &= ~np.isnan(days)
        refuse_unknown_days(days, use)
        bad = np.flatnonzero(use & (ends < days))
        if len(bad):
            row = int(bad[0])
            raise InputError(
                f"the subscription in row {row} ends ({day_text(ends[row])}) before it starts ({day_text(days[row])})"
            )
        ends = _first_unpaid(customer, days, ends)
    elif tenure is not None:
        taken += [("tenure in months", tenure), ("left", churn)]
        months = as_numbers(tenure, "tenures")
        left = np.zeros(len(months), bool) if churn is None else _yes(churn)
        use &= np.isfinite(months) & (months >= 0)
        _refuse_repeats(customer[use], names, who.name)
    else:
        raise missing_column(table, "a start of subscriptions or a tenure in months", "start")
    notes = ["; ".join(f"{what}: {column.name}" for what, column in taken if column is not None)]
    if not use.all():
        count = int((~use).sum())
        notes.append(f"{count:,} row{'s' if count > 1 else ''} without a customer, a price or a time left out")
    if not use.any():
        raise InputError(f"no row of {table.name} has a customer, a price and a time; check the columns {notes[0]}")
    cents = np.rint(np.where(use, prices, 0) * 100 / np.where(use, pays_for, 1)).astype(np.int64)
    notes += _below_a_cent((cents == 0) & (prices > 0) & use, use, price.name)
    plans = None if plan is None or plan.kind != "text" else plan.values

    def kept(values: Any) -> Any:
        return None if values is None else values[use]

    return Subscriptions(
        names, customer[use], cents[use], kept(days), kept(ends), kept(months), kept(left), kept(plans), tuple(notes)
    )


def subscribers(subscriptions: Subscriptions, day: int | None) -> Subscribers:
    """Sum up each customer at the end of a day.

    Parameters
    ----------
    subscriptions : Subscriptions
    day : int or None
        Days since 1970; None where the file says tenures.

    Returns
    -------
    Subscribers

    Raises
    ------
    InputError
        If no subscription had started.
    """
    if subscriptions.months is not None and subscriptions.left is not None:
        order = np.argsort(subscriptions.customer, kind="stable")
        plan = None if subscriptions.plan is None else subscriptions.plan[order]
        months, left = subscriptions.months[order], subscriptions.left[order]
        return Subscribers(
            subscriptions.customer[order], months, np.ceil(months), left.astype(np.int64), subscriptions.cents[order],
            left, plan,
        )  # fmt: skip
    assert subscriptions.start is not None
    assert subscriptions.end is not None
    assert day is not None
    known = np.flatnonzero(subscriptions.start <= day)
    if not len(known):
        raise InputError(
            f"the cut-off {day_text(day)} lies before the first start ({day_text(subscriptions.start.min())}); take a later day"
        )
    owner, start = subscriptions.customer[known], subscriptions.start[known]
    end = np.where(subscriptions.end[known] <= day, subscriptions.end[known], np.inf)
    n = len(subscriptions.names)
    last = np.full(n, -np.inf)
    np.maximum.at(last, owner, end)
    # What counts of who left is what they paid last: all subscriptions that ended on their last day.
    current = end == last[owner]
    cents = np.bincount(owner[current], subscriptions.cents[known][current], n).astype(np.int64)
    there = spells(owner, start, end, day)
    customer, which = np.unique(there.customer, return_inverse=True)
    months = months_between(there.first, there.last)
    plan = None
    if subscriptions.plan is not None:
        latest = np.full(n, None, object)
        order = np.lexsort((start, end))
        latest[owner[order]] = subscriptions.plan[known][order]
        plan = latest[customer]
    return Subscribers(
        customer, np.bincount(which, months).astype(np.float64), np.bincount(which, np.ceil(months)).astype(np.float64),
        np.bincount(which, there.over).astype(np.int64), cents[customer], np.isfinite(last[customer]), plan,
    )  # fmt: skip


def mrr_bridge(subscriptions: Subscriptions, day: int) -> dict[str, NDArray]:
    """Follow monthly recurring revenue from month to month, up to a day.

    Parameters
    ----------
    subscriptions : Subscriptions
        With dates.
    day : int
        Days since 1970. A month that it cuts is counted up to it.

    Returns
    -------
    dict of arrays, one entry a month
        ``month`` (datetime64[M]); in cents ``start``, ``new`` (of customers who paid nothing at the start, those who ``returned``
        among them), ``expansion``, ``contraction``, ``churned``, ``end``; ``customers_start``, ``customers_new``, ``customers_lost``.
        Always ``end == start + new + expansion - contraction - churned``.
    """
    assert subscriptions.start is not None
    assert subscriptions.end is not None
    begun, over = subscriptions.start <= day, subscriptions.end <= day
    owner = np.r_[subscriptions.customer[begun], subscriptions.customer[over]]
    month = _month(np.r_[subscriptions.start[begun], subscriptions.end[over]])
    change = np.r_[subscriptions.cents[begun], -subscriptions.cents[over]]
    order = np.lexsort((month, owner))
    owner, month, change = owner[order], month[order], change[order]
    heads = np.flatnonzero(np.r_[True, (np.diff(owner) != 0) | (np.diff(month) != 0)])
    change = np.add.reduceat(change, heads)
    owner, month = owner[heads], month[heads]
    # Running totals within each customer: the total over all lines, less what it was at the customer's first.
    total = np.cumsum(change)
    first = np.r_[True, np.diff(owner) != 0]
    offset = (total - change)[first][np.cumsum(first) - 1]
    after = total - offset
    before = after - change
    since = month.min()
    n_months = int(_month(np.array([day]))[0] - since) + 1

    def by_month(values: NDArray, which: NDArray) -> NDArray:
        summed = np.zeros(n_months, np.int64)
        np.add.at(summed, (month - since)[which], values[which])
        return summed

    one = np.ones(len(after), np.int64)
    came, went = (before == 0) & (after > 0), (before > 0) & (after == 0)
    up, down = (before > 0) & (after > before), (after > 0) & (after < before)
    moves = {
        "new": by_month(after, came), "expansion": by_month(after - before, up),
        "contraction": by_month(before - after, down), "churned": by_month(before, went),
    }  # fmt: skip
    end = np.cumsum(moves["new"] + moves["expansion"] - moves["contraction"] - moves["churned"])
    gained, lost = by_month(one, came), by_month(one, went)
    customers = np.cumsum(gained - lost)
    return {
        "month": (since + np.arange(n_months)).astype("datetime64[M]"), "start": np.r_[0, end[:-1]], **moves,
        "returned": by_month(after, came & ~first), "end": end,
        "customers_start": np.r_[0, customers[:-1]], "customers_new": gained, "customers_lost": lost,
    }  # fmt: skip


def _month(days: NDArray) -> NDArray[np.int64]:
    return days.astype(np.int64).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _below_a_cent(tiny: NDArray[np.bool_], use: NDArray[np.bool_], price: str) -> list[str]:
    count = int(tiny.sum())
    if count and count == use.sum():
        raise InputError(
            f"every price in column {price!r} is below half a cent a month, and revenue is counted in cents; give prices of a larger unit, such as of a thousand"
        )
    return (
        [f"{count:,} price{'s' if count > 1 else ''} below half a cent a month count{'' if count > 1 else 's'} as 0"]
        if count
        else []
    )


def _first_unpaid(customer: NDArray[np.int64], start: NDArray, end: NDArray) -> NDArray[np.float64]:
    """Return the day after the end; where the same customer starts anew on the day of the end, that day."""
    span = 1.0 + np.nanmax(np.r_[start, end], initial=0) - min(np.nanmin(np.r_[start, end], initial=0), 0)
    anew = np.isin(customer * span + end, customer * span + start) & (start < end)
    return np.where(anew, end, end + 1)


def _months_of(column: Column) -> NDArray[np.float64]:
    levels = [value.strip().lower() for value in column.levels.values]
    unknown = [value for value in levels if value not in MONTHS_OF]
    if unknown:
        raise InputError(
            f"column {column.name!r} holds {brief(unknown[0], 40)!r}, and a period is one of month, quarter, half-year and year"
        )
    return np.array([*(float(MONTHS_OF[value]) for value in levels), np.nan])[column.levels.codes]


def _yes(column: Column) -> NDArray[np.bool_]:
    """Read a column that says who left."""
    if column.kind == "number":
        texts = [str(value) for value in np.unique(column.values[~column.missing])]
        answer = column.values == 1
    elif column.kind == "text":
        texts = [value.strip().lower() for value in column.levels.values]
        answer = np.array([*(text in _YES for text in texts), False])[column.levels.codes]
    else:
        raise InputError(
            f"column {column.name!r} holds dates, and who left must be yes or no; name it as the end, and give the start too"
        )
    unknown = [text for text in texts if text not in _YES | _NO]
    if unknown:
        raise InputError(f"column {column.name!r} holds {brief(unknown[0], 40)!r}, and who left must be yes or no")
    return answer


def _refuse_repeats(customer: NDArray[np.int64], names: list[str], column: str) -> None:
    counts = np.bincount(customer, minlength=len(names))
    if (counts > 1).any():
        name = names[int(np.argmax(counts))]
        raise InputError(
            f"{brief(name, 40)!r} has {counts.max()} rows, and with tenures each {column} has one; give start and end of each subscription"
        )
