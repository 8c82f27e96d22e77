"""The cut-off: what comes later changes nothing earlier, and newer data are looked at as of their own last day."""

import numpy as np
import pytest

from applications.customers import made_purchases
from coterie import MarketSegmentation
from coterie.applications.segments._columns import Given
from coterie.applications.segments.transactions import read_transactions
from coterie.errors import InputError
from coterie.tables import read


@pytest.fixture(scope="module")
def purchases():
    return made_purchases(100)


@pytest.fixture(scope="module")
def fitted(purchases):
    return MarketSegmentation(3, cutoff="2024-01-31").fit(purchases)


def test_rows_of_an_order_that_come_after_the_cutoff_change_nothing_before_it(purchases):
    orders = {**purchases, "order_id": np.array([f"o{i}" for i in range(len(purchases["date"]))], object)}
    early = int(np.argmin(purchases["date"]))
    late = {
        "customer_id": purchases["customer_id"][early], "date": np.datetime64("2024-03-01"), "amount": 1e6,
        "order_id": f"o{early}",
    }  # fmt: skip
    poison = {name: np.append(values, late[name]) for name, values in orders.items()}
    fits = [MarketSegmentation(3, cutoff="2024-01-31").fit(rows) for rows in (orders, poison)]
    for name, values in fits[0].segments_.items():
        np.testing.assert_array_equal(fits[1].segments_[name], values, err_msg=name)
    told = fits[0].assign(poison, cutoff="2024-01-31")
    np.testing.assert_array_equal(told["monetary_total"], fits[0].segments_["monetary_total"])


def test_newer_purchases_are_looked_at_as_of_their_own_last_day(fitted, purchases, tmp_path):
    loaded = MarketSegmentation.load(fitted.save(tmp_path / "model.coterie"))
    last = str(purchases["date"].max())
    newer = {name: np.append(values, values[:1]) for name, values in purchases.items()}
    newer["date"][-1] = purchases["date"].max() + 9
    told = loaded.assign(newer)
    assert loaded.as_of_ == str(newer["date"][-1])
    assert told["recency_days"][list(told["customer"]).index(newer["customer_id"][-1])] == 0
    assert loaded.assign(newer, cutoff=last)["recency_days"].max() < told["recency_days"].max()
    loaded.assign(purchases)
    assert loaded.as_of_ == "2024-01-31"
    much_later = {**purchases, "date": purchases["date"] + 500}
    assert len(loaded.assign(much_later)["customer"]) == len(np.unique(purchases["customer_id"].astype(str)))


def test_who_is_silent_without_a_cutoff_does_not_depend_on_orders_that_go_on(purchases):
    who, when = purchases["customer_id"], purchases["date"]
    # All that a customer buys is called one order or two.
    orders = np.array([f"{customer}-{i % 2}" for i, customer in enumerate(who)], object)
    moved = MarketSegmentation(2, horizon=200).fit({**purchases, "order_id": orders}).found_.moved
    day = np.datetime64(moved.days[0], "D")
    known, bought_since = set(who[when <= day]), set(who[when > day])
    assert moved.counts[:-1].sum() == len(known)
    assert np.nansum(moved.lost * moved.counts[:-1].sum(axis=1)) == pytest.approx(len(known - bought_since))


def test_a_lone_first_of_1970_is_no_date():
    bought = made_purchases(60)
    dates = bought["date"].copy()
    dates[4] = np.datetime64("1970-01-01")
    with pytest.raises(InputError, match=r"1 row is dated 1970-01-01 .*row 4"):
        read_transactions(read({**bought, "date": dates}), Given())
    early = {**bought, "date": bought["date"] - (bought["date"].min() - np.datetime64("1970-01-01"))}
    assert read_transactions(read(early), Given()).day.min() == 0


def test_days_that_a_time_zone_moves_are_told(tmp_path):
    path = tmp_path / "zones.csv"
    path.write_text("customer_id,date,amount\na,2024-03-01T23:30:00-05:00,3\nb,2024-03-02T10:00:00-05:00,4\n")
    assert any("brought to UTC" in note for note in read(path).notes)
    path.write_text("customer_id,date,amount\na,2024-03-01T23:30:00Z,3\nb,2024-03-02T10:00:00+00:00,4\n")
    assert not any("brought to UTC" in note for note in read(path).notes)


def test_rows_after_the_cutoff_of_orders_begun_before_it_count_at_no_assignment_either():
    bought = made_purchases(60)
    n = len(bought["customer_id"])
    day = np.asarray(bought["date"]).astype("datetime64[D]")
    cutoff = day.max()
    rows = {
        "customer_id": np.r_[bought["customer_id"], bought["customer_id"][:20]], "date": np.r_[day, np.repeat(cutoff + 9, 20)],
        "amount": np.r_[bought["amount"], np.full(20, 10_000.0)], "order_id": np.r_[np.arange(n), np.arange(20)].astype(str).astype(object),
    }  # fmt: skip
    found = MarketSegmentation(3, cutoff=str(cutoff)).fit(rows)
    told = found.assign(rows)
    assert np.array_equal(told["segment"], found.labels_)
    assert told["monetary_total"].sum() == pytest.approx(np.sum(bought["amount"]))
