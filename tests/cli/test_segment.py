"""``coterie segment``: what is written and said, and one sentence where a file cannot be used."""

import csv
import json

import numpy as np
import pytest

from applications.customers import CDNOW, cdnow_sample, made_purchases, made_subscriptions

FILES = {"segments.csv", "profile.csv", "rules.csv", "model.coterie", "metrics.json", "run.json", "report.html"}


def _write(path, columns):
    names = list(columns)
    lines = [
        ",".join("" if str(value) in ("NaT", "nan", "None") else str(value) for value in row)
        for row in zip(*columns.values(), strict=True)
    ]
    path.write_text("\n".join([",".join(names), *lines]) + "\n")


def _rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def shop(tmp_path):
    """Return purchases, written to shop.csv."""
    purchases = made_purchases(100)
    _write(tmp_path / "shop.csv", purchases)
    return purchases


def test_a_run_says_what_it_took_and_writes_its_files(call, shop, tmp_path):
    ended = call("segment", "shop.csv", "-k", "3", "--cutoff", "2024-01-31")
    assert ended.code == 0, ended.err
    assert ended.out == ""
    folder = tmp_path / "shop.coterie"
    assert {path.name for path in folder.iterdir()} == FILES | {"migration.csv"}
    assert "customer: customer_id; date: date; amount: amount" in ended.err
    assert "3 segments of" in ended.err
    assert "coterie segment NEW.csv --model shop.coterie" in ended.err
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["seed"] == 0
    assert all(one["definition"] for one in metrics["metrics"].values())
    assert {"w_over_t", "stability", "spending_r2", "bg_nbd_r"} <= set(metrics["metrics"])
    profile, customers = _rows(folder / "profile.csv"), _rows(folder / "segments.csv")
    assert sum(int(line["customers"]) for line in profile) == len(customers)
    assert len({line["name"] for line in profile}) == 3
    assert sum(int(line["customers"]) for line in _rows(folder / "rules.csv")) == len(customers)
    page = (folder / "report.html").read_text()
    for title in ("Who brings the revenue", "What came after the cut-off", "Who moved", "Rules for a CRM"):
        assert title in page


def test_the_published_answer_on_cdnow(call, tmp_path):
    columns = [part for name in ("id", "date", "amount", "cutoff") for part in (f"--{name}", CDNOW[name])]
    ended = call("segment", cdnow_sample(), *columns, "-k", "8", "-o", "out", "--no-report")
    assert ended.code == 0, ended.err
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())["metrics"]
    assert metrics["w_over_t"]["value"] <= 0.1376
    assert metrics["bg_nbd_alpha"]["value"] == pytest.approx(4.414, rel=0.005)
    assert "50.2% of" in " ".join(ended.err.split())


def test_customers_get_the_segments_of_an_earlier_run(call, shop, tmp_path):
    assert call("segment", "shop.csv", "-k", "3", "--no-report").code == 0
    ended = call("segment", "shop.csv", "--model", "shop.coterie")
    assert ended.code == 0, ended.err
    told = list(csv.DictReader(ended.out.splitlines()))
    first = _rows(tmp_path / "shop.coterie" / "segments.csv")
    assert [(line["customer"], line["segment"]) for line in told] == [
        (line["customer"], line["segment"]) for line in first
    ]
    assert call("segment", "shop.csv", "--model", "shop.coterie", "-o", "told.csv").code == 0
    assert _rows(tmp_path / "told.csv") == told
    ended = call("predict", "shop.coterie", "shop.csv")
    assert ended.code == 3
    assert "coterie segment FILE --model FOLDER" in ended.err


def test_newer_purchases_go_into_the_segments_of_a_run_with_a_cutoff(call, shop, tmp_path):
    assert call("segment", "shop.csv", "-k", "3", "--cutoff", "2024-01-31", "--no-report").code == 0
    _write(tmp_path / "NEW.csv", {**shop, "date": shop["date"] + 400})
    ended = call("segment", "NEW.csv", "--model", "shop.coterie")
    assert ended.code == 0, ended.err
    assert f"as of      {shop['date'].max() + 400}" in ended.err
    assert min(int(line["recency_days"]) for line in csv.DictReader(ended.out.splitlines())) == 0
    ended = call("segment", "shop.csv", "--model", "shop.coterie")
    assert "as of      2024-01-31" in ended.err


def test_options_that_do_nothing_with_a_model_are_refused(call, shop, tmp_path):
    ended = call("segment", "shop.csv", "--model", "shop.coterie", "-k", "4", "--json", "--margin", "40%")
    assert ended.code == 2
    assert "--k and --margin and --json would do nothing" in " ".join(ended.err.split())


def test_subscriptions_give_a_bridge_that_closes(call, tmp_path):
    _write(tmp_path / "subs.csv", made_subscriptions())
    ended = call("segment", "subs.csv", "-k", "3", "--no-report")
    assert ended.code == 0, ended.err
    months = _rows(tmp_path / "subs.coterie" / "mrr.csv")
    for line in months:
        cents = {
            name: round(100 * float(line[name]))
            for name in ("start", "new", "expansion", "contraction", "churned", "end")
        }
        assert (
            cents["end"] == cents["start"] + cents["new"] + cents["expansion"] - cents["contraction"] - cents["churned"]
        )


def test_costs_of_acquisition_are_told(call, shop, tmp_path):
    (tmp_path / "spend.csv").write_text(
        "month,channel,cost,new_customers\n2023-01,ads,300,10\n2023-01,mail,50,5\n2023-02,ads,200,4\n"
    )
    ended = call("segment", "shop.csv", "-k", "3", "--spend", "spend.csv", "--no-report")
    assert ended.code == 0, ended.err
    assert [line["cac"] for line in _rows(tmp_path / "shop.coterie" / "cac.csv")] == ["30", "10", "50"]
    assert "payback_months" in _rows(tmp_path / "shop.coterie" / "profile.csv")[0]


def test_the_record_goes_to_stdout_where_it_is_asked_for(call, shop):
    ended = call("segment", "shop.csv", "-k", "3", "--json", "--quiet", "--no-report")
    record = json.loads(ended.out)
    assert record["schema"] == "coterie.sheet/1"
    assert record["kind"] == "segments"
    assert record["options"]["k"] == 3


def _many(columns, **changed):
    return {**columns, **changed}


def _monthly(n=30):
    days = [f"2023-{month:02d}-15" for month in range(1, 13)]
    return {"customer": np.repeat([f"m{i}" for i in range(n)], 12), "date": days * n, "amount": [9.99] * (12 * n)}


def _once(purchases):
    first = np.unique(purchases["customer_id"].astype(str), return_index=True)[1]
    return {name: values[first] for name, values in purchases.items()}


BAD = {
    "dates in the future": (lambda d: _many(d, date=np.r_[d["date"][:-1], np.datetime64("2187-03-01")]), (), "dated after today, up to 2187-03-01"),
    "dates that stand for none": (lambda d: _many(d, date=np.r_[d["date"][:-1], np.datetime64("0001-01-01")]), (), "dated 1900-01-01 or before, down to 0001-01-01"),
    "amounts beyond reason": (lambda d: _many(d, amount=np.r_[d["amount"][:-1], 4e38]), (), "amounts are at most 1e+15"),
    "more returned than bought": (lambda d: _many(d, amount=np.r_[d["amount"][:-1], -1e6]), (), "check the signs of the amounts"),
    "all customers alike": (lambda d: {"customer_id": [f"c{i % 30}" for i in range(60)], "date": ["2024-01-01"] * 30 + ["2024-02-03"] * 30, "amount": [10] * 60}, ("-k", "3"), "30 customers to be grouped did the same"),
    "more whales than half": (lambda d: d, ("--whales", "separate", "--whale-share", "60%"), "a share of whales from 0 to 0.5, which is 50%"),
    "a margin of nothing": (lambda d: d, ("--margin", "0"), "a margin above 0"),
    "dates that are none": (lambda d: _many(d, date=np.where(np.arange(len(d["date"])) % 9 == 4, "last week", d["date"].astype(str))), ("--date", "date"), "cannot be read as dates, the first is 'last week'"),
    "no column of amounts": (lambda d: {name: d[name] for name in ("customer_id", "date")}, (), "looks like an amount of money; name it with --amount"),
    "amounts that are words": (lambda d: _many(d, amount=["much"] * len(d["date"])), ("--amount", "amount"), "amounts must be numbers"),
    "nobody came back": (_once, (), "bought on one day only"),
    "one customer": (lambda d: _many(d, customer_id=["c"] * len(d["date"])), (), "20 customers or more"),
    "payments of a contract": (lambda d: _monthly(), (), "at equal gaps"),
    "only negative amounts": (lambda d: _many(d, amount=-d["amount"]), (), "no amount in amount is above 0"),
    "a cut-off before the first row": (lambda d: d, ("--cutoff", "2001-01-01"), "lies before the first purchase"),
    "no customers": (lambda d: {"date": d["date"], "amount": d["amount"]}, (), "looks like an identifier of the customer"),
    "a name that no column has": (lambda d: d, ("--id", "customer"), "did you mean 'customer_id'?"),
    "dates that are numbers": (lambda d: _many(d, date=np.arange(len(d["date"]))), ("--date", "date"), "must be dates such as 2024-01-31"),
    "too many segments": (lambda d: d, ("-k", "60"), "expected at most"),
    "a cut-off that is no day": (lambda d: d, ("--cutoff", "soon"), "a cut-off such as 2024-01-31"),
    "all rows without a customer": (lambda d: _many(d, customer_id=[""] * len(d["date"])), ("--id", "customer_id"), "no row of"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_used_is_one_sentence_and_nothing_is_written(call, tmp_path, name):
    make, options, words = BAD[name]
    _write(tmp_path / "bad.csv", make(made_purchases(60)))
    ended = call("segment", "bad.csv", *options)
    assert ended.code == 3, ended.err
    errors = [line for line in ended.err.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert words in errors[0]
    assert not (tmp_path / "bad.coterie").exists()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("month,cost\n2031-01,5\n", "lies outside those in which customers came"),
        ("month,cost\nJanuary,5\n", "write months as 2024-01"),
        ("month,clicks\n2023-01,5\n", "has no column 'cost'"),
        ("month,cost\n2023-01,lots\n", "costs must be numbers"),
        ("month,cost\n2023-01,-50\n", "costs are 0 or more"),
        ("month,cost,new_customers\n2023-01,50,-3\n", "new customers are 0 or more"),
    ],
)
def test_a_file_of_spend_that_cannot_be_used_is_one_sentence(call, shop, tmp_path, rows, words):
    (tmp_path / "spend.csv").write_text(rows)
    ended = call("segment", "shop.csv", "-k", "3", "--spend", "spend.csv")
    assert ended.code == 3, ended.err
    assert words in ended.err
    assert not (tmp_path / "shop.coterie").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"end": "2021-01-01"}, "before it starts"), ({"price": -4}, "prices of subscriptions are 0 or more"),
        ({"billing": "fortnightly"}, "a period is one of month"),
    ],
)  # fmt: skip
def test_subscriptions_that_contradict_themselves_are_one_sentence(call, tmp_path, change, words):
    table = made_subscriptions(40)
    table = {**table, "end": table["end"].astype(str).astype(object), "price": table["price"].astype(object)}
    for name, value in change.items():
        table.setdefault(name, np.full(len(table["price"]), "monthly", object))[3] = value
    _write(tmp_path / "subs.csv", table)
    options = ("--period", "billing") if "billing" in change else ()
    ended = call("segment", "subs.csv", *options)
    assert ended.code == 3, ended.err
    assert words in ended.err


@pytest.mark.parametrize("arguments", [("-k", "1"), ("--min-share", "many"), ("--whales", "eat")])
def test_options_that_mean_nothing_are_usage(call, shop, arguments):
    ended = call("segment", "shop.csv", *arguments)
    assert ended.code == 2
