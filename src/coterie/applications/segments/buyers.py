"""Customers who buy when they like: segments by recency, frequency and money, what each will buy, and who moves where."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...tables.table import Table
from ._columns import Given
from ._segmented import Segmented, doubts, label_of, segmented
from .behaviour import Behaviour, behaviour, totals_between
from .costs import Costs, acquisition_costs, by_segment
from .held_out import HeldOut, held_out, spread_of_means
from .migration import Migration, migration
from .naming import names_of_buyers
from .transactions import Transactions, day_text, read_transactions, refuse_contract
from .worth import DAYS_A_MONTH, Forecast, forecast

__all__ = ["FEATURES", "BuyersFound", "buyers", "values_of"]

FEATURES = ("recency_days", "frequency", "monetary_total")
_YEAR = 365


class BuyersFound(NamedTuple):
    """All that was found of buyers.

    Attributes
    ----------
    transactions : Transactions
    seen : Behaviour
        At the cut-off.
    segments : Segmented
    expected : Forecast
    horizon_days : int
    after : HeldOut or None
        None where the file ends with the cut-off.
    moved : Migration or None
        None where all customers came too late to have moved.
    costs : Costs or None
    profile : dict of lists
        One entry a segment.
    customers : dict of arrays
        One entry a customer: the columns of segments.csv.
    figures : dict
    warnings : list of dict
        ``text`` and ``remedy``.
    """

    transactions: Transactions
    seen: Behaviour
    segments: Segmented
    expected: Forecast
    horizon_days: int
    after: HeldOut | None
    moved: Migration | None
    costs: Costs | None
    profile: dict[str, list]
    customers: dict[str, Any]
    figures: dict[str, float]
    warnings: list[dict[str, str]]


def buyers(table: Table, given: Given, options: Any, spend: Any) -> BuyersFound:
    """Find segments of buyers.

    Parameters
    ----------
    table : Table
    given : Given
    options : MarketSegmentation
        Its parameters count.
    spend : path, frame or None
        Acquisition spend by month.

    Returns
    -------
    BuyersFound

    Raises
    ------
    InputError
        If the table cannot be used for this.
    """
    transactions = read_transactions(table, given, None if options.cutoff is None else options.cutoff_day())
    refuse_contract(transactions)
    last = int(transactions.day.max())
    cutoff = last if options.cutoff is None else options.cutoff_day()
    seen = behaviour(transactions, cutoff)
    _refuse_one_purchase(seen)
    _refuse_returns_only(seen)
    horizon = options.horizon_days() or (last - cutoff if last > cutoff else _YEAR)
    found = segmented("transactions", FEATURES, values_of(seen), options)
    names = names_of_buyers(found.values, found.labels, found.k, found.whales)
    expected = forecast(seen, horizon, margin=options.margin, discount=options.discount)
    after = None
    if last > cutoff:
        # Forecast and outcome must cover the same days, whatever horizon was asked for.
        same = expected if horizon == last - cutoff else forecast(seen, last - cutoff)
        purchases, spent = totals_between(transactions, seen.customer, cutoff, last)
        after = held_out(last - cutoff, purchases, spent, same, found.labels, seen.total)
    costs = None if spend is None else acquisition_costs(spend, cutoff - seen.age, options.spend_lag)
    moved = _moves(table, given, transactions, seen, found, horizon)
    profile = _profile(names, seen, found, expected, after, costs, horizon, options)
    return BuyersFound(
        transactions, seen, found, expected, horizon, after, moved, costs, profile,
        _customers(transactions, seen, found, expected, names), _figures(seen, found, expected, after, costs),
        _warnings(found, expected),
    )  # fmt: skip


def values_of(seen: Behaviour) -> NDArray[np.float64]:
    """Return what segments are made of, (n, 3): `FEATURES`."""
    return np.column_stack([seen.recency, seen.frequency, seen.total]).astype(np.float64)


def _refuse_one_purchase(seen: Behaviour) -> None:
    if not seen.frequency.any():
        n = len(seen.customer)
        who = "the only customer" if n == 1 else f"each of the {n:,} customers"
        raise InputError(
            f"{who} bought on one day only by {day_text(seen.day)}, so nothing tells who comes back; take a longer history, a later "
            "cut-off, or check the column of customers"
        )


def _refuse_returns_only(seen: Behaviour) -> None:
    if seen.total.sum() <= 0:
        raise InputError(
            f"up to {day_text(seen.day)} customers returned as much as they bought or more (all amounts together are {seen.total.sum():,.2f}), so no "
            "segment has a share of the revenue; check the signs of the amounts, or leave returns out"
        )


def _moves(
    table: Table, given: Given, transactions: Transactions, seen: Behaviour, found: Segmented, horizon: int
) -> Migration | None:
    """Compare the cut-off with the end of the file; where they are one, with as long before it as the horizon, or half of the file."""
    last = int(transactions.day.max())
    if last > seen.day:
        earlier, later = seen, behaviour(transactions, last)
    else:
        day = max(seen.day - horizon, (int(transactions.day.min()) + seen.day) // 2)
        if not (transactions.is_purchase & (transactions.day <= day)).any():
            return None
        # Rows of an order on both sides of that day are purchases of their own, as they are at a cut-off.
        transactions = read_transactions(table, given, day)
        earlier, later = behaviour(transactions, day), seen
    purchases, _ = totals_between(transactions, earlier.customer, earlier.day, int(transactions.day.max()))

    def labelled(then: Behaviour) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return then.customer, label_of(found.coding, found.grouping.estimator, found.label_map, values_of(then))

    days, k = (earlier.day, later.day), found.k
    return migration(days, labelled(earlier), labelled(later), purchases == 0, (k, k))


def _customers(
    transactions: Transactions, seen: Behaviour, found: Segmented, expected: Forecast, names: list[str]
) -> dict[str, Any]:
    return {
        "customer": [transactions.names[i] for i in seen.customer],
        "segment": found.labels,
        "name": [names[c] for c in found.labels],
        "recency_days": seen.recency,
        "frequency": seen.frequency,
        "monetary_mean": seen.mean,
        "monetary_total": seen.total,
        "age_days": seen.age,
        "distance": found.distance,
        "p_alive": expected.alive,
        "expected_purchases": expected.purchases,
        "expected_spending": expected.spending,
        "clv": expected.value,
    }


def _profile(
    names: list[str], seen: Behaviour, found: Segmented, expected: Forecast, after: HeldOut | None, costs: Costs | None,
    horizon: int, options: Any,
) -> dict[str, list]:  # fmt: skip
    labels, k = found.labels, found.k
    sizes = np.bincount(labels, minlength=k)

    def mean(values: NDArray) -> NDArray[np.float64]:
        return np.bincount(labels, values, k) / sizes

    def middle(values: NDArray) -> list[float]:
        return [float(np.median(values[labels == c])) for c in range(k)]

    revenue = np.bincount(labels, seen.total, k)
    columns: dict[str, Any] = {
        "segment": np.arange(k), "name": names, "customers": sizes, "share": sizes / sizes.sum(),
        "revenue": revenue, "revenue_share": revenue / revenue.sum(),
        "median_recency_days": middle(seen.recency), "mean_frequency": mean(seen.frequency),
        "median_total": middle(seen.total), "variance_within": found.within, "comes_back": found.again,
        "p_alive": mean(expected.alive), "p_gone": 1 - mean(expected.alive),
        "silent_share": mean(seen.recency > horizon), "expected_purchases": mean(expected.purchases),
        "expected_spending": mean(expected.spending), "clv": mean(expected.value),
    }  # fmt: skip
    if after is not None:
        held, low, high = spread_of_means(after.spent, labels, k, options.random_state)
        columns |= {"spent_after": held, "spent_after_low": low, "spent_after_high": high}
    if costs is not None:
        monthly = options.margin * mean(expected.spending) / (horizon / DAYS_A_MONTH)
        columns |= by_segment(costs, seen.day - seen.age, labels, k, mean(expected.value), monthly)
    return {name: np.asarray(column).tolist() for name, column in columns.items()}


def _figures(
    seen: Behaviour, found: Segmented, expected: Forecast, after: HeldOut | None, costs: Costs | None
) -> dict[str, float]:
    model, spending = expected.purchase_model, expected.spending_model
    figures = dict(found.figures)
    figures |= {"revenue": float(seen.total.sum()), "repeat_share": float((seen.frequency > 0).mean())}
    figures |= {"expected_spending": float(expected.spending.sum()), "clv_mean": float(expected.value.mean())}
    figures |= {f"bg_nbd_{name}": getattr(model, name) for name in ("r", "alpha", "a", "b")}
    if spending is not None:
        figures |= {f"gamma_gamma_{name}": getattr(spending, name) for name in ("p", "q", "v")}
    figures["spending_correlation"] = expected.correlation
    if after is not None:
        figures |= after.figures
    if costs is not None:
        figures["cac"] = costs.cac
    return figures


def _warnings(found: Segmented, expected: Forecast) -> list[dict[str, str]]:
    said = doubts(found)
    if abs(expected.correlation) > 0.3:
        said.append(
            {"text": f"How often customers buy and how much they spend are related (correlation {expected.correlation:.2f}), which the value "
             "model takes not to be so.", "remedy": "Trust the order of customer values more than their amounts."}
        )  # fmt: skip
    if expected.purchase_model.undetermined:
        which = ", ".join(expected.purchase_model.undetermined)
        said.append(
            {"text": f"The history does not tell how large {which} of the purchase model are.",
             "remedy": "Forecasts hold; do not read these parameters by themselves. A longer history helps."}
        )  # fmt: skip
    if expected.spending_model is None:
        said.append(
            {"text": "Fewer than five customers came back and paid, so every purchase is expected to be worth the same.",
             "remedy": "Take a longer history."}
        )  # fmt: skip
    return said
