"""What a customer cost to win: acquisition spend of a month over the customers it brought."""

import re
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...tables import read
from ...tables.cast import name_words
from ...tables.convert import as_levels
from ...tables.table import Column, Table, brief, listing
from ._columns import as_numbers

__all__ = ["Costs", "acquisition_costs", "by_segment"]

_MEANINGS = {
    "month": {"month", "date", "period"},
    "cost": {"cost", "costs", "spend", "amount", "budget"},
    "new_customers": {"new", "customers", "acquired", "conversions"},
    "channel": {"channel", "source", "medium", "campaign"},
}


class Costs(NamedTuple):
    """Cost of acquisition.

    Attributes
    ----------
    lines : list of dict
        ``month``, ``channel`` ("all" where the file has none), ``cost``, ``new_customers``, ``cac`` (None where nobody was won).
    by_month : dict of int to float
        Months since 1970 to the cost of a customer over all channels, NaN where nobody was won.
    cac : float
        Over all months.
    notes : tuple of str
        What was missing.
    """

    lines: list[dict[str, Any]]
    by_month: dict[int, float]
    cac: float
    notes: tuple[str, ...] = ()

    def of(self, first_day: NDArray) -> NDArray[np.float64]:
        """Return what each customer cost, from the day they came; NaN where the file says nothing of that month."""
        months = first_day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        return np.array([self.by_month.get(int(month), np.nan) for month in months])


def acquisition_costs(source: Any, first_day: NDArray[np.int64], lag: int = 0) -> Costs:
    """Set what was spent beside who came.

    Parameters
    ----------
    source : path, frame or Table
        ``month`` and ``cost``, and optionally ``channel`` and ``new_customers``.
    first_day : (n,) int64 array
        When each customer came, days since 1970.
    lag : int, default=0
        Months from what is spent to the customers it brings.

    Returns
    -------
    Costs

    Raises
    ------
    InputError
        If a column is not there, a month is none or lies outside the data, a number is negative, or there is a lag although the file
        says who was new.
    """
    table = read(source)
    month_column, cost_column = _column(table, "month"), _column(table, "cost")
    if month_column is None or cost_column is None:
        missing = "month" if month_column is None else "cost"
        raise InputError(
            f"{table.name} has no column {missing!r} (there are: {listing(table.names)}); expected month, cost and optionally channel and new_customers"
        )
    months = _months(table, month_column)
    came = first_day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    notes: list[str] = []
    to_come = np.flatnonzero((months + lag > came.max()) & (months <= came.max()))
    if len(to_come):
        notes.append(
            f"{len(to_come)} row{'s' if len(to_come) > 1 else ''} of {table.name} left out, whose customers are still to come"
        )
    counting = np.setdiff1d(months, months[to_come])
    if not len(counting):
        raise InputError(f"with a lag of {lag} months all customers of {table.name} are still to come; lower the lag")
    _refuse_outside(table.name, counting, came, lag)
    cost = _counted(table, cost_column, "costs", notes)
    told = _column(table, "new_customers")
    if lag and told is not None:
        raise InputError(
            f"{table.name} says in column {told.name!r} how many customers each row brought, so a lag of {lag} months would count others; leave the lag "
            "or the column out"
        )
    channel = _column(table, "channel")
    if channel is not None and told is None:
        channel = None  # the purchases do not say which channel a customer came through
    counts = None if told is None else _counted(table, told, "new customers", notes)
    where = np.full(len(months), "all", object)
    if channel is not None:
        levels = as_levels(channel)
        where = np.array([*levels.values, "not said"], object)[levels.codes]
    lines: list[dict[str, Any]] = []
    by_month: dict[int, float] = {}
    for month in counting:
        rows = months == month
        won = float((came == month + lag).sum()) if counts is None else float(counts[rows].sum())
        by_month[int(month) + lag] = float(cost[rows].sum() / won) if won else np.nan
        for name in dict.fromkeys(where[rows].tolist()):
            own = np.flatnonzero(rows & np.equal(where, name))
            new = won if counts is None else float(counts[own].sum())
            spent = float(cost[own].sum())
            lines.append(
                {"month": str(np.datetime64(int(month), "M")), "channel": name, "cost": spent, "new_customers": new,
                 "cac": spent / new if new else None}
            )  # fmt: skip
    won = sum(line["new_customers"] for line in lines)
    return Costs(lines, by_month, sum(line["cost"] for line in lines) / won if won else float("nan"), tuple(notes))


def by_segment(
    costs: Costs, first_day: NDArray, labels: NDArray[np.int64], k: int, value: NDArray, monthly: NDArray
) -> dict[str, NDArray]:
    """Set what customers of each segment cost beside what they are worth.

    Parameters
    ----------
    costs : Costs
    first_day : (n,) array
        When each customer came, days since 1970.
    labels : (n,) int64 array
    k : int
    value, monthly : (k,) float64 arrays
        What a customer is worth, and what one earns a month.

    Returns
    -------
    dict of (k,) float64 arrays
        ``cac``, ``ltv_to_cac``, and ``payback_months`` until a customer has earned the cost; NaN where it is not known.
    """
    known = costs.of(first_day)
    has = ~np.isnan(known)
    won = np.bincount(labels[has], minlength=k)
    cac = np.where(won > 0, np.bincount(labels[has], known[has], k) / np.maximum(won, 1), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(cac > 0, value / cac, np.nan)
        return {"cac": cac, "ltv_to_cac": ratio, "payback_months": np.where(monthly > 0, cac / monthly, np.nan)}


def _counted(table: Table, column: Column, what: str, notes: list[str]) -> NDArray[np.float64]:
    """Return numbers of 0 or more; what is missing counts as 0, and is noted."""
    values = as_numbers(column, what)
    wrong = np.flatnonzero((values < 0) | np.isinf(values))
    if len(wrong):
        raise InputError(
            f"column {column.name!r} of {table.name} holds {values[wrong[0]]:g} in row {wrong[0]}, and {what} are 0 or more; write what was spent, "
            "and whom it won, as positive numbers"
        )
    missing = int(np.isnan(values).sum())
    if missing:
        notes.append(
            f"{missing:,} row{'s' if missing > 1 else ''} of {table.name} without {column.name} count{'' if missing > 1 else 's'} as 0"
        )
    return np.nan_to_num(values)


def _column(table: Table, what: str) -> Column | None:
    words = _MEANINGS[what]
    exact = [column for column in table.columns if column.name.lower().replace(" ", "_") == what]
    near = [column for column in table.columns if words & set(name_words(column.name))]
    taken = exact or [
        column for column in near if what != "cost" or not {"new", "customers"} & set(name_words(column.name))
    ]
    return taken[0] if taken else None


def _months(table: Table, column: Column) -> NDArray[np.int64]:
    if column.kind == "date":
        if column.n_missing:
            raise InputError(
                f"row {np.flatnonzero(column.missing)[0]} of {table.name} has no month; write it as 2024-01"
            )
        return column.values.astype("datetime64[M]").astype(np.int64)
    texts = column.values.tolist() if column.kind == "text" else [f"{value:g}" for value in column.values]
    found = []
    for row, text in enumerate(texts):
        match = re.match(r"\s*(\d{4})[-/.]?(0[1-9]|1[0-2])(?!\d{4})", str(text))
        if match is None:
            raise InputError(
                f"row {row} of {table.name} has {brief(str(text), 40)!r} in column {column.name!r}; write months as 2024-01"
            )
        found.append((int(match[1]) - 1970) * 12 + int(match[2]) - 1)
    return np.array(found, np.int64)


def _refuse_outside(name: str, months: NDArray[np.int64], came: NDArray[np.int64], lag: int) -> None:
    outside = np.unique(months[(months + lag < came.min()) | (months + lag > came.max())])
    if len(outside):
        first, last = (np.datetime64(int(month) - lag, "M") for month in (came.min(), came.max()))
        raise InputError(
            f"{len(outside)} month{'s' if len(outside) > 1 else ''} of {name} ({listing(np.datetime64(int(month), 'M') for month in outside)}) "
            f"lie{'s' if len(outside) == 1 else ''} outside those {'that brought customers' if lag else 'in which customers came'} ({first} to {last}); leave such rows out, or give a longer history"
        )
