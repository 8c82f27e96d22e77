"""Subscribers: what an end means, months that were paid, who left and came back, and what a price pays for."""

import numpy as np
import pytest

from applications.customers import made_purchases
from coterie import MarketSegmentation
from coterie.applications.segments._columns import Given
from coterie.applications.segments.naming import names_of_subscribers
from coterie.applications.segments.spells import months_between
from coterie.applications.segments.subscriptions import mrr_bridge, read_subscriptions, subscribers
from coterie.errors import InputError
from coterie.report.segments import segments_sheet
from coterie.tables import read


def _day(text):
    return int(np.datetime64(text, "D").astype(int))


def _table(*lines):
    """Return subscriptions of customers who all have the same lines of start, end and price."""
    rows = [(f"s{i}", start, end, price + i) for i in range(30) for start, end, price in lines]
    return {name: [row[j] for row in rows] for j, name in enumerate(("customer", "start", "end", "price"))}


def _seen(day, *lines):
    return subscribers(read_subscriptions(read(_table(*lines)), Given(end="end")), _day(day))


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        ("2024-01-01", "2024-02-01", 1), ("2024-01-31", "2024-02-29", 1), ("2024-01-15", "2025-01-15", 12),
        ("2024-03-10", "2024-03-10", 0), ("2024-01-01", "2024-01-16", 15 / 31), ("1969-12-15", "1970-02-14", 1 + 30 / 31),
    ],
)  # fmt: skip
def test_months_are_those_of_the_calendar(first, last, months):
    assert months_between(np.array([float(_day(first))]), np.array([float(_day(last))]))[0] == pytest.approx(months)


@pytest.mark.parametrize(
    ("end", "months"), [("2024-02-01", 1), ("2024-01-31", 1), ("2025-01-01", 12), ("2024-12-31", 12)]
)
def test_who_leaves_after_whole_months_was_there_for_these(end, months):
    found = MarketSegmentation(2).fit(_table(("2024-01-01", end, 10)))
    assert found.metrics_["churn_a_month"] == pytest.approx(1 / months)


def test_who_starts_again_on_the_day_after_the_end_has_not_left():
    lines = ("2024-01-01", "2024-03-31", 10), ("2024-04-01", None, 12)
    subscriptions = read_subscriptions(read(_table(*lines)), Given())
    bridge = mrr_bridge(subscriptions, _day("2024-06-15"))
    assert not bridge["churned"].any()
    assert not bridge["returned"].any()
    assert bridge["expansion"].tolist() == [0, 0, 0, 30 * 200, 0, 0]
    on_the_last_day = subscribers(subscriptions, _day("2024-03-31"))
    assert not on_the_last_day.left.any()
    assert on_the_last_day.cents.sum() == bridge["end"][2] > 0
    assert not subscribers(subscriptions, _day("2024-05-01")).leavings.any()


def test_an_end_on_the_day_of_the_next_start_is_no_day_paid_twice():
    seen = _seen("2024-01-31", ("2024-01-01", "2024-01-31", 10), ("2024-01-31", None, 12))
    assert seen.cents[0] == 1200
    assert not seen.leavings.any()


def test_a_subscription_is_paid_until_the_end_of_its_last_day():
    lines = (("2024-01-01", "2024-01-31", 10),)
    assert not _seen("2024-01-31", *lines).left.any()
    assert _seen("2024-02-01", *lines).left.all()


def test_a_gap_is_no_tenure_and_who_came_back_had_left():
    seen = _seen("2024-02-01", ("2020-01-01", "2020-02-01", 10), ("2024-01-01", None, 10))
    np.testing.assert_allclose(seen.months, 2)
    assert seen.leavings.tolist() == [1] * 30
    assert not seen.left.any()
    found = MarketSegmentation(2, cutoff="2024-02-01").fit(
        _table(("2020-01-01", "2020-02-01", 10), ("2024-01-01", None, 10))
    )
    assert found.metrics_["churn_a_month"] == pytest.approx(0.5)


@pytest.mark.parametrize("seed", range(3))
def test_days_that_were_paid_are_those_of_looking_at_every_day(seed):
    rng = np.random.default_rng(seed)
    n = 60
    start = rng.integers(0, 300, n)
    end = start + rng.integers(0, 90, n)
    runs_on = rng.random(n) < 0.1
    first = np.datetime64("2022-01-01")
    owner = rng.integers(0, 9, n)
    data = {
        "customer": [f"s{i}" for i in owner], "start": first + start,
        "end": np.where(runs_on, np.datetime64("NaT"), first + end), "price": np.ones(n),
    }  # fmt: skip
    seen = subscribers(read_subscriptions(read(data), Given()), _day("2022-01-01") + 200)
    names = list(dict.fromkeys(data["customer"]))
    for j, customer in enumerate(seen.customer):
        own = np.flatnonzero(owner == int(names[customer][1:]))
        paid = np.zeros(202, bool)
        for i in own:
            # A day on which the customer starts anew is of the new subscription, and paid all the same.
            paid[start[i] : 201 if runs_on[i] else min(end[i] + 1, 201)] = True
        assert seen.leavings[j] == np.count_nonzero(paid[:-2] & ~paid[1:-1])
        assert seen.left[j] == (not paid[200])


@pytest.mark.parametrize("unknown", ["biennial", "weekly"])
@pytest.mark.parametrize("all_of_them", [False, True])
def test_a_period_that_is_not_known_is_refused_and_not_passed_over(unknown, all_of_them):
    table = _table(("2024-01-01", None, 100))
    table["billing_period"] = [unknown if all_of_them or i == 7 else "annual" for i in range(30)]
    with pytest.raises(InputError, match=f"holds '{unknown}', and a period is one of month"):
        MarketSegmentation(2).fit(table)


def test_how_the_bill_comes_is_no_period():
    table = _table(("2024-01-01", None, 100)) | {"PaperlessBilling": ["Yes", "No"] * 15}
    assert read_subscriptions(read(table), Given()).cents.sum() == 100 * sum(table["price"])


def test_prices_below_a_cent_are_counted_or_refused():
    table = _table(("2024-01-01", None, 100))
    table["price"][3] = 0.004
    assert "1 price below half a cent a month counts as 0" in read_subscriptions(read(table), Given()).notes
    with pytest.raises(InputError, match="give prices of a larger unit"):
        read_subscriptions(read(table | {"price": [0.003] * 30}), Given())


def test_purchases_of_customers_since_when_are_no_subscriptions():
    bought = made_purchases(40)
    position = np.unique(bought["customer_id"].astype(str), return_inverse=True)[1]
    since = np.datetime64("2015-01-01") + position
    bought["price"] = bought.pop("amount")
    both = {"customer_since": since, **bought, "quantity": np.ones(len(since))}
    found = MarketSegmentation(2).fit(both)
    assert found.coding_.kind == "transactions"
    assert found.taken_[0].startswith("customer: customer_id; date: date;")


def test_the_day_of_birth_is_no_day_of_purchase():
    bought = made_purchases(40)
    born = np.datetime64("1980-01-01") + np.unique(bought["customer_id"].astype(str), return_inverse=True)[1]
    bought["order_date"] = bought.pop("date")
    found = MarketSegmentation(2).fit({"birth_date": born, "customer_since": born + 9000, **bought})
    assert "date: order_date" in found.taken_[0]


def test_segments_of_one_name_are_told_apart_by_what_differs():
    values = np.repeat([[1, 9.0], [20, 20.0], [60, 50.0], [62, 99.0]], [8, 8, 4, 4], axis=0)
    names = names_of_subscribers(values, np.repeat(np.arange(4), [8, 8, 4, 4]), 4)
    assert [name.partition(", ")[2] for name in names] == ["", "", "paying about 50", "paying about 99"]


def test_nothing_is_to_come_of_a_segment_that_all_have_left():
    start = np.repeat(np.datetime64("2023-01-01"), 60)
    end = np.where(np.arange(60) < 30, np.datetime64("2023-03-01"), np.datetime64("NaT"))
    subscriptions = {
        "customer": [f"c{i}" for i in range(60)],
        "start": start,
        "end": end,
        "price": np.arange(60) % 7 + 5.0,
    }
    seg = MarketSegmentation(2, cutoff="2024-06-30").fit(subscriptions)
    gone = int(np.flatnonzero(np.asarray(seg.profile_["active"]) == 0)[0])
    assert np.isnan(seg.profile_["clv"][gone])
    assert np.isfinite(np.asarray(seg.segments_["clv"], float)[np.asarray(seg.segments_["left"])]).all()
    record = segments_sheet(seg).record
    assert ["CLV", "all have left"] in record["groups"][gone]["facts"]
    assert all("lose most" not in sentence for sentence in record["answer"])
