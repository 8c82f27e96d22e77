"""The cut-off: what comes later changes nothing earlier, and newer data are looked at as of their own last day."""

import numpy as np
import pytest

from applications.customers import made_purchases
from coterie import MarketSegmentation


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
