"""Market segmentation: published figures, honest cut-offs, revenue to the cent, and labels that come back."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from applications.customers import CDNOW, cdnow_sample, made_purchases, made_subscriptions
from coterie import MarketSegmentation
from coterie.applications.segments._columns import Given
from coterie.applications.segments.subscriptions import mrr_bridge, read_subscriptions, subscribers
from coterie.errors import InputError, ModelFileError
from coterie.tables import read


@pytest.fixture(scope="module")
def purchases():
    return made_purchases()


@pytest.fixture(scope="module")
def fitted(purchases):
    return MarketSegmentation(4, cutoff="2024-01-31").fit(purchases)


@pytest.fixture(scope="module")
def cdnow():
    return MarketSegmentation(8, **CDNOW).fit(cdnow_sample())


@pytest.fixture(scope="module")
def telco(shared_data):
    return MarketSegmentation(6).fit(shared_data / "customers" / "Telco-Customer-Churn.csv")


def test_eight_segments_of_cdnow_are_tighter_than_scikit_learns_and_tell_later_spending(cdnow):
    figures = cdnow.metrics_
    assert figures["w_over_t"] <= 0.1376
    assert figures["least_share"] >= 0.03
    assert figures["spending_r2"] >= 0.29


def test_the_forecast_of_cdnow_is_the_published_models(cdnow):
    figures = cdnow.metrics_
    assert figures["purchase_correlation"] == pytest.approx(0.6256, abs=0.0005)
    assert figures["purchase_mae"] == pytest.approx(0.7855, abs=0.0005)
    assert figures["purchase_rmse"] == pytest.approx(1.608, abs=0.001)
    assert figures["purchase_total_error"] == pytest.approx(-0.122, abs=0.001)
    assert round(figures["top_decile_share"], 3) >= 0.502
    assert figures["top_decile_share_past_spending"] == pytest.approx(0.481, abs=0.001)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(5))
def test_a_number_of_segments_that_is_found_for_cdnow_is_stable(seed):
    found = MarketSegmentation(random_state=seed, **CDNOW).fit(cdnow_sample())
    assert found.metrics_["segments"] not in (4, 5)
    assert found.metrics_["stability"] >= 0.9


def test_nothing_that_comes_after_the_cutoff_changes_segments_or_forecast(fitted, purchases):
    poison = {
        "customer_id": np.r_[purchases["customer_id"], np.array(["c001"] * 30 + ["later"] * 5, object)],
        "date": np.r_[purchases["date"], np.datetime64("2024-02-01") + np.arange(35)],
        "amount": np.r_[purchases["amount"], np.full(35, 1e6)],
    }
    other = MarketSegmentation(4, cutoff="2024-01-31", horizon=fitted.found_.horizon_days).fit(poison)
    for name, values in fitted.segments_.items():
        np.testing.assert_array_equal(other.segments_[name], values, err_msg=name)


def test_recency_frequency_and_money_are_counted_by_day():
    rows = {
        "customer": [*["a"] * 5, *[f"b{i}" for i in range(25)], *[f"b{i}" for i in range(9)]],
        "date": ["2024-01-01", "2024-01-01", "2024-01-11", "2024-01-21", "2024-02-20", *["2024-01-05"] * 25, *["2024-01-19"] * 9],
        "amount": [10, 5, 20, -8, 99, *range(1, 26), *range(1, 10)],
    }  # fmt: skip
    found = MarketSegmentation(2, cutoff="2024-01-31", min_share=0).fit(rows).segments_
    first = {name: values[0] for name, values in found.items()}
    assert first["customer"] == "a"
    assert (first["recency_days"], first["frequency"], first["age_days"]) == (20, 1, 30)
    assert (first["monetary_total"], first["monetary_mean"]) == (27, 20)


def test_rows_of_an_order_are_one_purchase_on_its_first_day(purchases):
    order = np.array([f"o{i}" for i in range(len(purchases["date"]))], object)
    second = {"customer_id": purchases["customer_id"], "date": purchases["date"] + 1, "amount": purchases["amount"]}
    both = {name: np.r_[purchases[name], second[name]] for name in purchases} | {"order_id": np.r_[order, order]}
    one, two = (MarketSegmentation(3).fit(rows).segments_ for rows in (purchases, both))
    np.testing.assert_array_equal(one["frequency"], two["frequency"])
    np.testing.assert_allclose(2 * one["monetary_total"], two["monetary_total"])


def test_frames_in_are_frames_of_the_same_kind_out(fitted, purchases):
    for frame in (pd.DataFrame(purchases), pl.DataFrame({**purchases, "customer_id": list(purchases["customer_id"])})):
        found = MarketSegmentation(4, cutoff="2024-01-31").fit(frame)
        assert type(found.segments_) is type(frame)
        assert type(found.profile_) is type(frame)
        np.testing.assert_array_equal(found.labels_, fitted.labels_)


def test_labels_come_back_after_saving_and_from_any_part_of_the_customers(fitted, purchases, tmp_path):
    loaded = MarketSegmentation.load(fitted.save(tmp_path / "model.coterie"))
    told = loaded.assign(purchases)
    np.testing.assert_array_equal(told["segment"], fitted.labels_)
    assert list(told["name"]) == list(fitted.segments_["name"])
    some = np.isin(purchases["customer_id"], fitted.segments_["customer"][::3])
    part = loaded.assign({name: values[some] for name, values in purchases.items()})
    np.testing.assert_array_equal(part["segment"], fitted.labels_[::3])


def test_distances_to_segments_are_columns_for_other_models(fitted, purchases):
    distances = fitted.transform(purchases)
    assert distances.shape == (len(fitted.labels_), 4)
    own = distances[np.arange(len(distances)), fitted.labels_]
    np.testing.assert_allclose(own, fitted.segments_["distance"], atol=1e-3)


def test_whales_are_apart_and_stay_so_for_new_customers(purchases):
    found = MarketSegmentation(3, whales="separate", whale_share=0.02, cutoff="2024-01-31").fit(purchases)
    whales = found.labels_ == 3
    total = found.segments_["monetary_total"]
    assert total[whales].min() > total[~whales].max()
    assert whales.sum() == round(0.02 * len(whales))
    np.testing.assert_array_equal(found.assign(purchases)["segment"], found.labels_)
    assert found.profile_["name"][3] == "biggest spenders"


@pytest.mark.parametrize("k", [3, 6])
def test_every_segment_has_its_least_share_and_a_name_of_its_own(purchases, k):
    found = MarketSegmentation(k, min_share=0.1, cutoff="2024-01-31").fit(purchases)
    assert found.profile_["share"].min() >= 0.1
    assert len(set(found.profile_["name"])) == k


def test_rules_put_customers_where_they_say(fitted):
    values = np.column_stack([fitted.segments_[name] for name in ("recency_days", "frequency", "monetary_total")])
    right = 0
    for rule in fitted.rules_:
        names = ("recency_days", "frequency", "monetary_total")
        low, high = ([rule[f"{name}_{side}"] for name in names] for side in ("above", "at_most"))
        caught = ((values > low) & (values <= high)).all(axis=1)
        assert caught.sum() == rule["customers"]
        right += (fitted.labels_[caught] == rule["segment"]).sum()
    assert right / len(values) == pytest.approx(fitted.metrics_["rule_fidelity"])
    assert fitted.metrics_["rule_fidelity"] > 0.8
    assert len(fitted.rules_) <= 8


def test_moves_are_those_of_labels_at_both_days(fitted, purchases):
    moved = fitted.found_.moved
    later = fitted.assign(purchases, cutoff=np.datetime64(moved.days[1], "D"))
    label = dict(zip(later["customer"], later["segment"], strict=True))
    for i in range(4):
        mine = fitted.segments_["customer"][fitted.labels_ == i]
        np.testing.assert_array_equal(moved.counts[i], np.bincount([label[name] for name in mine], minlength=4))
    assert moved.counts.sum() == len(later["customer"])


def test_a_discount_and_a_margin_lower_what_customers_are_worth(purchases, fitted):
    less = MarketSegmentation(4, cutoff="2024-01-31", margin=0.5, discount=0.2, horizon="1y").fit(purchases)
    plain = MarketSegmentation(4, cutoff="2024-01-31", horizon="1y").fit(purchases)
    ratio = less.segments_["clv"] / plain.segments_["clv"]
    assert (ratio < 0.5).all()
    assert (ratio > 0.5 / 1.2).all()


def test_costs_are_spend_over_new_customers_and_are_paid_back(purchases):
    months = {"month": ["2023-01", "2023-02"], "cost": [300.0, 500.0]}
    found = MarketSegmentation(3).fit(purchases, months)
    first = {}
    for name, day in zip(purchases["customer_id"], purchases["date"], strict=True):
        first[name] = min(first.get(name, day), day)
    won = [sum(str(day)[:7] == month for day in first.values()) for month in months["month"]]
    assert [line["cac"] for line in found.found_.costs.lines] == pytest.approx([300 / won[0], 500 / won[1]])
    assert found.metrics_["cac"] == pytest.approx(800 / sum(won))
    assert np.nanmin(found.profile_["payback_months"]) > 0


def test_telco_is_read_as_subscriptions_with_revenue_to_the_cent(telco, shared_data):
    frame = pd.read_csv(shared_data / "customers" / "Telco-Customer-Churn.csv")
    active = frame[frame["Churn"] == "No"]["MonthlyCharges"]
    assert telco.metrics_["mrr"] == round(active.sum(), 2)
    assert round(sum(telco.profile_["mrr"]), 2) == round(active.sum(), 2)
    left = frame["Churn"].eq("Yes").groupby(telco.labels_).mean()
    np.testing.assert_allclose(telco.profile_["left_share"], left)
    assert telco.metrics_["least_share"] >= 0.03


def test_telco_is_refused_by_the_model_of_free_customers(shared_data):
    with pytest.raises(InputError, match=r"holds subscriptions.*contractual=True"):
        MarketSegmentation(contractual=False).fit(shared_data / "customers" / "Telco-Customer-Churn.csv")


@pytest.mark.thorough
def test_distances_to_segments_do_no_harm_to_a_forecast_of_churn(telco, shared_data):
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    path = shared_data / "customers" / "Telco-Customer-Churn.csv"
    frame = pd.read_csv(path)
    plain = frame[["tenure", "MonthlyCharges", "SeniorCitizen"]].to_numpy()
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    scores = [
        cross_val_score(model, X, frame["Churn"] == "Yes", cv=5, scoring="roc_auc").mean()
        for X in (plain, np.column_stack([plain, telco.transform(path)]))
    ]
    assert scores[1] >= scores[0] - 0.002


def test_the_shop_with_returns_and_missing_customers_is_read(shared_data):
    path = shared_data / "customers" / "online_retail_2010-12_2011-08.csv.gz"
    found = MarketSegmentation(5, cutoff="2011-05-31").fit(path)
    frame = pd.read_csv(path)
    frame = frame[frame["CustomerID"].notna() & (frame["InvoiceDate"] < "2011-06-01")]
    spent = (frame["Quantity"] * frame["UnitPrice"]).groupby(frame["CustomerID"].astype(int).astype(str)).sum()
    mine = found.segments_
    np.testing.assert_allclose(mine["monetary_total"], spent[mine["customer"]], atol=1e-6)
    assert any("returns" in note for note in found.notes_)
    assert any("without CustomerID" in note for note in found.notes_)


@pytest.mark.parametrize("seed", range(3))
def test_the_bridge_of_revenue_is_that_of_looking_at_every_day(seed):
    data = made_subscriptions(40, seed)
    subscriptions = read_subscriptions(read(data), Given())
    last = int(np.datetime64("2023-11-20").astype(int))
    bridge = mrr_bridge(subscriptions, last)
    _assert_closes(bridge)
    for i, month in enumerate(bridge["month"]):
        day = min(int((month + 1).astype("datetime64[D]").astype(int)) - 1, last)
        paying = (subscriptions.start <= day) & ~(subscriptions.end <= day)
        assert bridge["end"][i] == subscriptions.cents[paying].sum()
        assert bridge["customers_start"][i] + bridge["customers_new"][i] - bridge["customers_lost"][i] == len(
            set(subscriptions.customer[paying].tolist())
        )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 300), st.integers(0, 200) | st.none(), st.integers(0, 100_000)),
        min_size=1,
        max_size=25,
    )
)
def test_every_bridge_closes_to_the_cent(lines):
    first = np.datetime64("2020-01-01")
    table = read(
        {
            "customer": [f"s{line[0]}" for line in lines],
            "start": [first + line[1] for line in lines],
            "end": [np.datetime64("NaT") if line[2] is None else first + line[1] + line[2] for line in lines],
            "price": [line[3] / 100 for line in lines],
        }
    )
    bridge = mrr_bridge(read_subscriptions(table, Given(end="end")), int((first + 600).astype(int)))
    _assert_closes(bridge)
    assert (np.array([bridge[name] for name in ("new", "expansion", "contraction", "churned", "end")]) >= 0).all()


def _assert_closes(bridge):
    rest = bridge["start"] + bridge["new"] + bridge["expansion"] - bridge["contraction"] - bridge["churned"]
    assert rest.dtype.kind == "i"
    np.testing.assert_array_equal(rest, bridge["end"])
    np.testing.assert_array_equal(bridge["start"][1:], bridge["end"][:-1])


def test_a_years_price_counts_a_twelfth_and_an_end_to_come_is_none():
    table = read(
        {
            "customer": ["a", "b"], "start": ["2024-01-10", "2024-01-20"], "end": ["2024-03-05", "2029-01-01"],
            "price": [120.0, 10.0], "billing_period": ["yearly", "monthly"],
        }
    )  # fmt: skip
    subscriptions = read_subscriptions(table, Given())
    seen = subscribers(subscriptions, int(np.datetime64("2024-03-31").astype(int)))
    assert seen.cents.tolist() == [1000, 1000]
    assert seen.left.tolist() == [True, False]


def test_subscriptions_with_dates_give_segments_churn_and_value():
    found = MarketSegmentation(3, cutoff="2023-09-30", margin=0.8, discount=0.1).fit(made_subscriptions())
    assert found.metrics_["mrr_unexplained"] == 0
    assert found.metrics_["mrr"] == found.found_.bridge["end"][-1] / 100
    churn, price, clv = (found.profile_[name] for name in ("churn_a_month", "mean_price", "clv"))
    kept = (1 - churn) / 1.1 ** (1 / 12)
    np.testing.assert_allclose(clv, 0.8 * price / (1 - kept))
    np.testing.assert_array_equal(found.assign(made_subscriptions())["segment"], found.labels_)


def test_other_models_are_not_segments(tmp_path):
    import coterie

    path = coterie.save(coterie.KMeans(2, random_state=0).fit(np.arange(6.0)[:, None]), tmp_path / "other.coterie")
    with pytest.raises(ModelFileError, match="no model of segments"):
        MarketSegmentation.load(path)


def test_a_damaged_coding_is_refused(fitted):
    from coterie.applications.segments.grouping import CustomerCoding

    state, arrays = fitted.coding_.state()
    assert CustomerCoding.from_state(state, arrays).names == fitted.coding_.names
    with pytest.raises(ValueError, match="damaged"):
        CustomerCoding.from_state(state, {**arrays, "scale": arrays["scale"] * 0})
    with pytest.raises(ValueError, match="damaged"):
        CustomerCoding.from_state(state, {**arrays, "mean": arrays["mean"][:2]})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"k": 1}, "from 2 on"), ({"min_share": 0.9}, "min_share from 0 to 0.5"), ({"horizon": "soon"}, "a horizon such as 39w"),
        ({"cutoff": "31/01/2024"}, "a cut-off such as 2024-01-31"), ({"whales": "eat"}, "separate"), ({"discount": -1}, "0 or more"),
        ({"margin": 7}, "margin above 0 and up to 1"), ({"margin": 0}, "nobody is worth anything"), ({"discount": np.nan}, "0 or more"),
        ({"horizon": "12monkeys"}, "a horizon such as 39w"), ({"contractual": "maybe"}, "contractual"), ({"k": 40}, "at most"),
    ],
)  # fmt: skip
def test_parameters_that_mean_nothing_are_refused(purchases, options, words):
    with pytest.raises(InputError, match=words):
        MarketSegmentation(**options).fit(purchases)
