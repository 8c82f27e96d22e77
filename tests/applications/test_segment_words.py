"""Rules and figures as they are written: the text of a rule is the rule that was counted."""

import csv
import re

import numpy as np
import pytest

from applications.customers import made_purchases
from coterie import MarketSegmentation
from coterie.applications.segments.costs import acquisition_costs
from coterie.applications.segments.naming import rule_text, rules_of
from coterie.errors import InputError
from coterie.report.segments import table_text

NAMES = ("recency_days", "frequency", "monetary_total")


def _caught(text, values):
    """Apply a rule as it is written."""
    inside = np.ones(len(values), bool)
    for name, column in zip(NAMES, values.T, strict=True):
        number = r"([\d,.]+\d)"
        if match := re.search(rf"{name} (?:above {number})?(?: and )?(?:at most {number})?", text):
            low, high = (part and float(part.replace(",", "")) for part in match.groups())
            inside &= (column > (-np.inf if low is None else low)) & (column <= (np.inf if high is None else high))
    return inside & ((values[:, 1] == 0) | ("no frequency" not in text))


@pytest.mark.parametrize("unit", [1, 123_457.0, 1e12, 1e40])
def test_rules_are_written_whole_whatever_the_currency(unit):
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.integers(0, 400, 300), rng.poisson(1, 300), np.round(rng.gamma(2, 20, 300) * unit)])
    labels = (values[:, 2] > np.median(values[:, 2])) + (values[:, 0] > 200)
    rules = rules_of(NAMES, values, labels, 3)
    assert rules.fidelity > 0.95
    for leaf in rules.leaves:
        text = rule_text(leaf, {})
        if unit < 1e15:
            assert "e+" not in text
            assert _caught(text, values).sum() == leaf.customers
    assert sum(leaf.customers for leaf in rules.leaves) == 300


def test_whole_numbers_are_whole_in_files():
    assert table_text({"bound": [2207413071234.0, 0.1 + 0.2]}) == "bound\n2207413071234\n0.3\n"


@pytest.mark.parametrize(("excel_safe", "told"), [(False, "=1+1"), (True, "'=1+1")])
def test_ids_that_a_spreadsheet_would_run_are_defused_on_request(excel_safe, told):
    text = table_text({"customer": ["=1+1", 'a "b", c'], "total": [-2, 0.5]}, excel_safe=excel_safe)
    assert list(csv.reader(text.splitlines())) == [["customer", "total"], [told, "-2"], ['a "b", c', "0.5"]]


def test_spending_may_come_before_the_customers_it_brings():
    came = np.array(["2023-03-05", "2023-03-09", "2023-04-30"], "datetime64[D]").astype(np.int64)
    costs = acquisition_costs({"month": ["2023-01", "2023-02", "2023-03"], "cost": [100.0, 300.0, 9.0]}, came, lag=2)
    assert "1 row of" in costs.notes[0]
    assert "still to come" in costs.notes[0]
    assert [(line["month"], line["new_customers"], line["cac"]) for line in costs.lines] == [
        ("2023-01", 2.0, 50.0),
        ("2023-02", 1.0, 300.0),
    ]
    assert costs.of(came).tolist() == [50.0, 50.0, 300.0]
    with pytest.raises(InputError, match=r"1 month of .*2022-12"):
        acquisition_costs({"month": ["2022-12"], "cost": [1.0]}, came, lag=2)
    with pytest.raises(InputError, match="leave the lag or the column out"):
        acquisition_costs({"month": ["2023-02"], "cost": [1.0], "new_customers": [1]}, came, lag=1)


def test_missing_costs_are_told():
    spend = {"month": ["2023-01", "2023-02"], "cost": [300.0, np.nan]}
    found = MarketSegmentation(2).fit(made_purchases(60), spend)
    assert any("without cost counts as 0" in note for note in found.notes_)


def test_spending_on_a_channel_that_is_not_said_is_in_the_sum():
    came = np.array(["2023-01-05"], "datetime64[D]").astype(np.int64)
    spend = {
        "month": ["2023-01"] * 4,
        "channel": [1, 2, 1, None],
        "cost": [100.0, 200.0, 300.0, 400.0],
        "new_customers": [1, 2, 3, 4],
    }
    lines = acquisition_costs(spend, came).lines
    assert [(line["channel"], line["cost"], line["new_customers"]) for line in lines] == [
        ("1", 400.0, 4.0),
        ("2", 200.0, 2.0),
        ("not said", 400.0, 4.0),
    ]
