"""Customers under contract: segments by tenure and price, monthly recurring revenue, churn, and what a customer is worth."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...tables.table import Table
from ._columns import Given
from ._segmented import Segmented, doubts, label_of, segmented
from .costs import Costs, acquisition_costs, by_segment
from .migration import Migration, migration
from .naming import names_of_subscribers
from .subscriptions import Subscribers, Subscriptions, mrr_bridge, read_subscriptions, subscribers
from .worth import DAYS_A_MONTH, contract_value

__all__ = ["FEATURES", "MembersFound", "last_day", "members", "values_of"]

FEATURES = ("tenure_months", "monthly_price")
_YEAR = 365


class MembersFound(NamedTuple):
    """All that was found of subscribers.

    Attributes
    ----------
    subscriptions : Subscriptions
    day : int or None
        The cut-off; None where the file says tenures.
    seen : Subscribers
    segments : Segmented
    bridge : dict of arrays or None
        See `mrr_bridge`; None where the file says tenures.
    moved : Migration or None
        None where the file says tenures, or nobody paid at the earlier day.
    costs : Costs or None
    profile : dict of lists
    customers : dict of arrays
    figures : dict
    notes : list of str
    warnings : list of dict
    """

    subscriptions: Subscriptions
    day: int | None
    seen: Subscribers
    segments: Segmented
    bridge: dict[str, NDArray] | None
    moved: Migration | None
    costs: Costs | None
    profile: dict[str, list]
    customers: dict[str, Any]
    figures: dict[str, float]
    notes: list[str]
    warnings: list[dict[str, str]]


def members(table: Table, given: Given, options: Any, spend: Any) -> MembersFound:
    """Find segments of subscribers.

    Parameters
    ----------
    table : Table
    given : Given
    options : MarketSegmentation
        Its parameters count.
    spend : path, frame or None

    Returns
    -------
    MembersFound

    Raises
    ------
    InputError
        If the table cannot be used for this.
    """
    subscriptions = read_subscriptions(table, given)
    day = None
    if subscriptions.start is not None:
        day = last_day(subscriptions) if options.cutoff is None else options.cutoff_day()
    seen = subscribers(subscriptions, day)
    found = segmented("subscriptions", FEATURES, values_of(seen), options)
    names = names_of_subscribers(found.values, found.labels, found.k)
    if found.whales is not None:
        names[found.whales] = "highest payers"
    bridge = None if day is None else mrr_bridge(subscriptions, day)
    moved = None if day is None else _moves(subscriptions, (seen, day), found, options.horizon_days() or _YEAR)
    notes, costs = [], None
    if day is None:
        notes.append(
            "The file has no dates, so there is no month-by-month bridge of revenue; give start and end for one."
        )
    if spend is not None and day is not None:
        costs = acquisition_costs(spend, _first_days(subscriptions, seen), options.spend_lag)
    elif spend is not None:
        notes.append("Acquisition costs need the months in which customers came; give start dates for them.")
    profile, value = _profile(names, seen, found, costs, _first_days(subscriptions, seen) if costs else None, options)
    customers = {
        "customer": [subscriptions.names[i] for i in seen.customer], "segment": found.labels,
        "name": [names[c] for c in found.labels], "tenure_months": seen.months, "monthly_price": seen.cents / 100,
        "left": seen.left, "distance": found.distance, "clv": np.where(seen.left, 0.0, value),
    }  # fmt: skip
    if seen.plan is not None:
        customers["plan"] = list(seen.plan)
    return MembersFound(
        subscriptions, day, seen, found, bridge, moved, costs, profile, customers, _figures(seen, found, bridge, costs), notes,
        _warnings(found, seen),
    )  # fmt: skip


def values_of(seen: Subscribers) -> NDArray[np.float64]:
    """Return what segments are made of, (n, 2): `FEATURES`."""
    return np.column_stack([seen.months, seen.cents / 100])


def last_day(subscriptions: Subscriptions) -> int:
    """Return the last day of which the file says something: a start, or the day after an end, if not in the future."""
    assert subscriptions.start is not None
    assert subscriptions.end is not None
    today = float(np.datetime64("today", "D").astype(np.int64))
    said = np.r_[subscriptions.start, subscriptions.end[~np.isnan(subscriptions.end)]]
    past = said[said <= today]
    return int(past.max() if len(past) else subscriptions.start.min())


def _first_days(subscriptions: Subscriptions, seen: Subscribers) -> NDArray[np.int64]:
    assert subscriptions.start is not None
    first = np.full(len(subscriptions.names), np.inf)
    np.minimum.at(first, subscriptions.customer, subscriptions.start)
    return first[seen.customer].astype(np.int64)


def _moves(
    subscriptions: Subscriptions, now: tuple[Subscribers, int], found: Segmented, horizon: int
) -> Migration | None:
    """Compare the cut-off with the end of the file; where they are one, with as long before it as the horizon, or half of the file."""
    assert subscriptions.start is not None
    last = last_day(subscriptions)
    if last > now[1]:
        before, after = now, (subscribers(subscriptions, last), last)
    else:
        day = max(now[1] - horizon, (int(subscriptions.start.min()) + now[1]) // 2)
        before, after = (subscribers(subscriptions, day), day), now

    def labelled(then: Subscribers) -> NDArray[np.int64]:
        return label_of(found.coding, found.grouping.estimator, found.label_map, values_of(then))

    (earlier, later), k = (before[0], after[0]), found.k
    paid = ~earlier.left
    if before[1] == after[1] or not paid.any():
        return None
    label = np.where(later.left, k, labelled(later))
    stayed = np.isin(later.customer, earlier.customer[paid])
    # Who had left before the earlier day and is still away is no part of this.
    counted = stayed | ~later.left | ~np.isin(later.customer, earlier.customer)
    return migration(
        (before[1], after[1]), (earlier.customer[paid], labelled(earlier)[paid]), (later.customer[counted], label[counted]),
        label[stayed] == k, (k, k + 1),
    )  # fmt: skip


def _churn(leavings: NDArray, months: NDArray) -> NDArray:
    """Return the share lost a month: how often customers left over the months that they were there."""
    return np.minimum(leavings / np.maximum(months, 1.0), 1.0)


def _profile(
    names: list[str], seen: Subscribers, found: Segmented, costs: Costs | None, first_day: NDArray | None, options: Any
) -> tuple[dict[str, list], NDArray]:
    labels, k = found.labels, found.k
    sizes = np.bincount(labels, minlength=k)
    lost = np.bincount(labels, seen.left, k)
    churn = _churn(np.bincount(labels, seen.leavings, k), np.bincount(labels, seen.paid_months, k))
    cents = np.zeros(k, np.int64)
    np.add.at(cents, labels[~seen.left], seen.cents[~seen.left])
    horizon = options.horizon_days()
    within = None if horizon is None else horizon / DAYS_A_MONTH

    def worth(price: NDArray, lost_a_month: NDArray) -> NDArray:
        return contract_value(price, lost_a_month, margin=options.margin, discount=options.discount, months=within)

    price = np.bincount(labels, seen.cents, k) / 100 / sizes
    # Nothing is still to come of a segment that all have left.
    paying = np.where(lost < sizes, price, np.nan)
    clv = worth(paying, churn)
    columns: dict[str, Any] = {
        "segment": np.arange(k), "name": names, "customers": sizes, "share": sizes / sizes.sum(),
        "median_tenure_months": [float(np.median(seen.months[labels == c])) for c in range(k)],
        "mean_price": price, "variance_within": found.within, "comes_back": found.again,
        "active": sizes - lost.astype(np.int64), "mrr": cents / 100, "mrr_share": cents / max(cents.sum(), 1),
        "left_share": lost / sizes, "churn_a_month": churn, "clv": np.where(np.isfinite(clv), clv, np.nan),
    }  # fmt: skip
    if seen.plan is not None:
        columns["usual_plan"] = [_most_common(seen.plan[labels == c]) for c in range(k)]
    if costs is not None and first_day is not None:
        columns |= by_segment(costs, first_day, labels, k, clv, options.margin * paying)
    value = worth(seen.cents / 100, churn[labels])
    return {name: np.asarray(column).tolist() for name, column in columns.items()}, np.where(
        np.isfinite(value), value, np.nan
    )


def _most_common(plans: NDArray) -> str:
    names, counts = np.unique(np.array([plan or "none" for plan in plans]), return_counts=True)
    return str(names[np.argmax(counts)])


def _figures(
    seen: Subscribers, found: Segmented, bridge: dict[str, NDArray] | None, costs: Costs | None
) -> dict[str, float]:
    figures = dict(found.figures)
    figures["mrr"] = int(seen.cents[~seen.left].sum()) / 100
    figures["active"] = float((~seen.left).sum())
    figures["left_share"] = float(seen.left.mean())
    figures["churn_a_month"] = float(_churn(seen.leavings.sum(), seen.paid_months.sum()))
    if bridge is not None:
        rest = bridge["start"] + bridge["new"] + bridge["expansion"] - bridge["contraction"] - bridge["churned"]
        figures["mrr_unexplained"] = float(np.abs(rest - bridge["end"]).max()) / 100
    if costs is not None:
        figures["cac"] = costs.cac
    return figures


def _warnings(found: Segmented, seen: Subscribers) -> list[dict[str, str]]:
    said = doubts(found)
    if not seen.leavings.any():
        said.append(
            {"text": "Nobody has left, so churn is 0 and customers seem to stay for ever.",
             "remedy": "Give the subscriptions that ended, too; without them churn and value mislead."}
        )  # fmt: skip
    return said
