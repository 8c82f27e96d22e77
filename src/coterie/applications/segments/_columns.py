"""Which column says what: the customer, the day, the amount, or the start, end and price of a subscription.

A column that the user names is taken. Else names are compared with the words that such columns usually carry, and what was taken is
said, so that a wrong guess is seen.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...tables.cast import name_words
from ...tables.dates import dates_from_numbers, parse_dates
from ...tables.roles import is_id_name
from ...tables.table import Column, Table, brief, listing

__all__ = [
    "MONTHS_OF",
    "Given",
    "as_days",
    "as_ids",
    "as_numbers",
    "find",
    "is_subscriptions",
    "missing_column",
    "refuse_large",
]

_CUSTOMER = {"customer", "client", "user", "member", "account", "household", "buyer", "subscriber", "person", "contact"}
_ORDER = {"order", "invoice", "transaction", "basket", "receipt", "trans"}
_GOODS = {"product", "item", "stock", "sku", "article", "store", "shop"}
_START = {"start", "started", "begin", "began", "from", "signup", "joined", "since", "activated", "subscribed"}
_END = {"end", "ended", "cancelled", "canceled", "cancellation", "until", "to", "stop", "stopped", "expiry", "churned"}
_AMOUNT = (
    "amount",
    "revenue",
    "sales",
    "spend",
    "spent",
    "dollar",
    "dollars",
    "total",
    "value",
    "paid",
    "gross",
    "net",
)
_BIRTH = {"birth", "born", "birthday", "birthdate", "dob"}
_LEFT = {"churn", "churned", "exited", "attrition", "cancelled", "canceled", "left"}

_MOST = 1e15  # of an amount: the cents of larger ones are lost in float64
# Months that a price of this period pays for.
MONTHS_OF = {
    "month": 1, "monthly": 1, "m": 1, "quarter": 3, "quarterly": 3, "q": 3, "half-year": 6, "semiannual": 6, "half-yearly": 6,
    "year": 12, "yearly": 12, "annual": 12, "annually": 12, "y": 12,
}  # fmt: skip

Score = Callable[[Column, set[str]], float]


class Given(NamedTuple):
    """The columns that the user named; None where one is to be found."""

    id: str | None = None
    date: str | None = None
    amount: str | None = None
    order: str | None = None
    start: str | None = None
    end: str | None = None
    price: str | None = None
    plan: str | None = None
    tenure: str | None = None
    churn: str | None = None
    period: str | None = None


def find(table: Table, what: str, given: str | None) -> Column | None:
    """Return the column of this meaning, or None where none is named so.

    Parameters
    ----------
    table : Table
    what : str
        A field of `Given`.
    given : str or None
        The name, where the user gave it.

    Raises
    ------
    InputError
        If no column has the given name.
    """
    if given is not None:
        return table.column(given)
    scores = [_SCORES[what](column, set(name_words(column.name))) for column in table.columns]
    best = int(np.argmax(scores)) if scores else 0
    return table.columns[best] if scores and scores[best] > 0 else None


def is_subscriptions(table: Table, given: Given) -> bool:
    """Say whether the rows are subscriptions: a price, with a start or a tenure.

    They are purchases where a column of purchase dates is named, or where there are other dates and each customer has one start, however
    many rows: since when somebody is a customer.
    """
    if given.date is not None or given.amount is not None:
        return False
    if given.start is not None or given.tenure is not None or given.price is not None:
        return True
    start = find(table, "start", None)
    if find(table, "price", None) is None or (start is None and find(table, "tenure", None) is None):
        return False
    return start is None or not _is_since_when(table, start, given)


def _is_since_when(table: Table, start: Column, given: Given) -> bool:
    """Say whether starts are those of customers rather than of subscriptions, and other dates say when they bought."""
    who, end, date = find(table, "id", given.id), find(table, "end", given.end), find(table, "date", None)
    if who is None or date is None or date is start or date is end:
        return False
    customer, starts = as_ids(who)[1], as_ids(start)[1]
    known = customer >= 0
    n_customers = len(np.unique(customer[known]))
    pairs = len(np.unique(np.column_stack([customer[known], starts[known]]), axis=0))
    return pairs == n_customers and n_customers < int(known.sum())


def as_ids(column: Column) -> tuple[list[str], NDArray[np.int64]]:
    """Return the different identifiers in order of first appearance, and which each row has; -1 where it is missing."""
    if column.kind == "text":
        return column.levels.values, column.levels.codes
    known = ~column.missing
    values, first, which = np.unique(column.values[known], return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    codes = np.full(len(column.values), -1, np.int64)
    codes[known] = rank[which]
    names = [_plain(value) for value in values[order]]
    return names, codes


def as_days(column: Column, what: str) -> NDArray[np.float64]:
    """Return days since 1970 as whole numbers, NaN where the date is missing.

    Raises
    ------
    InputError
        If a value is no date; the first such is named.
    """
    moments = column.values
    if column.kind == "number":
        read = dates_from_numbers(["date"], moments)
        if read is None:
            first = moments[~column.missing][:1]
            shown = f", such as {_plain(first[0])}" if len(first) else ""
            raise InputError(
                f"column {column.name!r} holds numbers{shown}, and {what} must be dates such as 2024-01-31 or 20240131; name another column"
            )
        moments = read[0]
    elif column.kind == "text":
        levels = column.levels
        different = parse_dates(levels.values, levels.codes).values
        bad = np.flatnonzero(np.isnat(different))
        if len(bad):
            rows = np.flatnonzero(np.isin(levels.codes, bad))
            raise InputError(
                f"{len(rows):,} of {len(levels.codes):,} values of column {column.name!r} cannot be read as dates, the first is "
                f"{brief(levels.values[levels.codes[rows[0]]], 40)!r} in row {rows[0]}; write dates as 2024-01-31, or leave these rows out"
            )
        moments = np.append(different, np.datetime64("NaT"))[levels.codes]
    days = moments.astype("datetime64[D]")
    return np.where(np.isnat(days), np.nan, days.astype(np.int64).astype(np.float64))


def as_numbers(column: Column, what: str) -> NDArray[np.float64]:
    """Return the numbers of a column, NaN where missing.

    Raises
    ------
    InputError
        If it holds no numbers.
    """
    if column.kind != "number":
        example = next((value for value in column.values if value is not None), "nothing")
        raise InputError(
            f"column {column.name!r} holds {column.kind} (such as {brief(str(example), 40)!r}), and {what} must be numbers; name another column"
        )
    refuse_large(column.values, column.name, what)
    return column.values


def refuse_large(values: NDArray[np.float64], name: str, what: str) -> None:
    """Refuse numbers so large that their cents are lost.

    Raises
    ------
    InputError
        Infinite ones are no numbers here, and are left out later.
    """
    large = np.flatnonzero(np.isfinite(values) & (np.abs(values) > _MOST))
    if len(large):
        row = int(large[0])
        raise InputError(
            f"{name} is {values[row]:g} in row {row}, and {what} are at most {_MOST:g}; correct it, or leave the row out"
        )


def missing_column(table: Table, what: str, option: str) -> InputError:
    """Return the error for a meaning that no column of the table has."""
    return InputError(
        f"no column of {table.name} looks like {what}; name it with --{option}, {option}= in Python (there are: {listing(table.names)})"
    )


def _plain(value: Any) -> str:
    return str(int(value)) if isinstance(value, float | np.floating) and float(value).is_integer() else str(value)


def _id(column: Column, words: set[str]) -> float:
    if column.kind == "date" or words & (_ORDER | _GOODS):
        return 0.0
    return (
        2.0 * bool(words & _CUSTOMER) + is_id_name(column.name)
        if is_id_name(column.name) or words <= _CUSTOMER
        else 0.0
    )


def _date(column: Column, words: set[str]) -> float:
    named = bool(words & {"date", "day", "datetime", "time", "timestamp", "month"})
    if words & _BIRTH:
        return 0.0
    if column.kind == "date":
        # Dates of orders before others, and since or until when somebody is a customer last.
        return (
            2.0
            + named
            + 2 * bool(words & (_ORDER | {"purchase", "purchased", "sale", "bought"}))
            - 1.5 * bool(words & (_START | _END))
        )
    return float(named and column.kind == "text" and not words & {"id"})


def _amount(column: Column, words: set[str]) -> float:
    if column.kind != "number" or words & {"id", "quantity", "qty", "number", "count", "unit"}:
        return 0.0
    return next((len(_AMOUNT) - i + 0.0 for i, word in enumerate(_AMOUNT) if word in words), 0.0)


def _order(column: Column, words: set[str]) -> float:
    return float(bool(words & _ORDER) and is_id_name(column.name))


def _one_of(names: Sequence[str] | set[str], kinds: Sequence[str], *, without: Sequence[str] = ()) -> Score:
    def score(column: Column, words: set[str]) -> float:
        return float(column.kind in kinds and bool(words & set(names)) and not words & set(without))

    return score


def _price(column: Column, words: set[str]) -> float:
    if column.kind != "number" or words & {"total", "unit", "id"}:
        return 0.0
    return 2.0 * bool(words & {"mrr", "monthly"}) + bool(words & {"price", "fee", "charge", "charges", "mrr"})


def _ends(column: Column, words: set[str]) -> float:
    # A column of ends that is empty, since nobody has left yet, is read as numbers.
    dated = column.kind == "date" or column.n_missing == len(column.values)
    return float(dated and bool(words & _END))


def _period(column: Column, words: set[str]) -> float:
    # A period that is not known must be refused, not passed over; so one that is known, or such a name, is enough.
    how_often = words & {"interval", "cycle", "frequency", "period"}
    if column.kind != "text" or not (how_often or "billing" in words):
        return 0.0
    known = any(value.strip().lower() in MONTHS_OF for value in column.levels.values)
    return float(known or bool(how_often and "billing" in words))


_SCORES: dict[str, Score] = {
    "id": _id,
    "date": _date,
    "amount": _amount,
    "order": _order,
    "start": _one_of(_START, ("date",), without=tuple(_BIRTH)),
    "end": _ends,
    "price": _price,
    "plan": _one_of(("plan", "tier", "contract", "package"), ("text",)),
    "tenure": _one_of(("tenure",), ("number",)),
    "churn": _one_of(_LEFT, ("text", "number"), without=("date", "score", "reason", "value")),
    "period": _period,
    "quantity": _one_of(("quantity", "qty", "units"), ("number",)),
    "unit price": _one_of(("price", "unitprice"), ("number",), without=("total",)),
}
