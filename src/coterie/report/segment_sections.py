"""What the page of a segmentation shows: who brings the revenue, what comes next, who moved, and the rules."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..applications.segments.naming import rule_text

__all__ = ["RULE_WORDS", "names_of_moves", "sections_of_buyers", "sections_of_members"]

RULE_WORDS = {
    "recency_days": "days since the last purchase",
    "frequency": "repeat purchases",
    "monetary_total": "spent in all",
    "tenure_months": "months of tenure",
    "monthly_price": "monthly price",
}
_ROWS = 500
_MOST_BANDS = 5

# column of profile.csv: (label, format)
_PROFILE = {
    "segment": ("Segment", "group"), "customers": ("Customers", "integer"), "share": ("Share", "percent"),
    "revenue_share": ("Of revenue", "percent"), "median_recency_days": ("Days since last", "integer"),
    "mean_frequency": ("Repeat purchases", "number"), "median_total": ("Spent so far", "money"),
    "p_gone": ("Probably gone", "percent"),
    "expected_purchases": ("Expected purchases", "number"), "active": ("Active", "integer"),
    "median_tenure_months": ("Months of tenure", "integer"), "mean_price": ("Monthly price", "money"), "usual_plan": ("Usual plan", "text"),
    "mrr": ("MRR", "money"), "mrr_share": ("Of MRR", "percent"), "left_share": ("Left", "percent"),
    "churn_a_month": ("Churn a month", "percent"), "clv": ("CLV", "money"), "cac": ("CAC", "money"),
    "payback_months": ("Payback months", "number"),
}  # fmt: skip
_FIRM = {
    "segment": ("Segment", "group"), "share": ("Of the customers", "percent"), "variance_within": ("Of the variance", "percent"),
    "comes_back": ("Comes back", "percent"),
}  # fmt: skip
_HELP = {
    "clv": "Money still to come: margin times what is expected within the horizon, or for as long as subscribers stay (of one who is still there), discounted; what was paid "
    "up to the cut-off is not in it.",
    "cac": "Mean over the customers of the segment of what a new customer cost: the spend of the month in which they came (earlier by the lag, where one is given) over "
    "all who came.",
    "payback_months": "CAC over what a customer is expected to earn a month from the cut-off on (under contract, the price times the margin); what "
    "was paid before is not counted.",
    "variance_within": "Share of the variance of all customers that is left within the segment.",
    "comes_back": "Overlap with the most similar segment of refits on random 60% of the customers.",
    "p_gone": "1 less the mean probability of the model that a customer still buys; nothing is known of who bought once.",
}


def sections_of_buyers(found: Any) -> list[dict[str, Any]]:
    """Return the sections of a segmentation of buyers.

    Parameters
    ----------
    found : BuyersFound

    Returns
    -------
    list of dict
    """
    profile, k = found.profile, found.segments.k
    groups = list(range(k))
    parts = [
        _bars("Who brings the revenue", "share of the customers, and of what was spent up to the cut-off", groups, "percent",
              [("customers", profile["share"]), ("revenue", profile["revenue_share"])]),
        _after(found, groups) if found.after is not None else _expected(found, groups),
        _map_of_customers(found),
    ]  # fmt: skip
    if found.moved is not None:
        parts.append(_moves(found))
    return [*parts, *_common(found)]


def sections_of_members(found: Any) -> list[dict[str, Any]]:
    """Return the sections of a segmentation of subscribers.

    Parameters
    ----------
    found : MembersFound

    Returns
    -------
    list of dict
    """
    profile, groups = found.profile, list(range(found.segments.k))
    parts = [
        _bars("Who brings the revenue", "share of all customers ever, and of monthly recurring revenue", groups, "percent",
              [("customers", profile["share"]), ("MRR", profile["mrr_share"])]),
        _bars("Who leaves", "customers lost over the months that customers were there; who leaves early has a short tenure, so segments of short tenure lose most", groups, "percent",
              [("churn a month", profile["churn_a_month"])]),
    ]  # fmt: skip
    if found.bridge is not None:
        parts += _bridge(found.bridge)
    if found.moved is not None:
        parts.append(_moves(found))
    return [*parts, *_common(found)]


def _common(found: Any) -> list[dict[str, Any]]:
    """Return what both kinds have: profile, rules, costs, how k was found, and the customers."""
    parts = [*_profile_tables(found.profile), _rules_table(found)]
    if found.costs is not None:
        parts.append(_costs_table(found.costs))
    candidates = found.segments.grouping.candidates
    if len(candidates) > 1:
        parts.append(
            {"kind": "lines", "title": "How many segments", "text": "how well segments come back on random parts of the customers; 0.9 counts as stable",
             "x": [line["k"] for line in candidates], "x_label": "segments", "x_format": "integer", "y_label": "stability", "format": "number",
             "series": [{"name": "stability", "values": [line["stability"] for line in candidates]}],
             "marks": [{"x": found.segments.grouping.estimator.n_clusters, "label": "taken"}]}
        )  # fmt: skip
    return [*parts, _customers_table(found.customers)]


def _bars(title: str, text: str, groups: list[int], form: str, series: Sequence[tuple]) -> dict[str, Any]:
    return {
        "kind": "bars", "title": title, "text": text, "groups": groups, "labels": [str(c) for c in groups], "format": form,
        "series": [{"name": name, "values": known(values)} for name, values in series],
    }  # fmt: skip


def _after(found: Any, groups: list[int]) -> dict[str, Any]:
    profile, days = found.profile, found.after.days
    section = _bars(
        "What came after the cut-off", f"mean spending of a customer in the {days} days that followed, with the range that holds the mean in 95 of 100 "
        "draws of the customers", groups, "money", [("spent", profile["spent_after"])],
    )  # fmt: skip
    section["series"][0] |= {"low": profile["spent_after_low"], "high": profile["spent_after_high"]}
    if found.horizon_days == days:
        section["series"].append({"name": "expected at the cut-off", "values": profile["expected_spending"]})
    return section


def _expected(found: Any, groups: list[int]) -> dict[str, Any]:
    return _bars(
        "What is expected", f"mean spending of a customer expected within {found.horizon_days} days", groups, "money",
        [("expected spending", found.profile["expected_spending"])],
    )  # fmt: skip


def _map_of_customers(found: Any) -> dict[str, Any]:
    """Count customers by bands of recency and frequency; bands of recency hold about as many each."""
    seen = found.seen
    days, again = seen.recency, seen.frequency
    edges = np.unique(np.quantile(days, np.linspace(0, 1, _MOST_BANDS + 1)[1:], method="lower"))
    starts = np.r_[0, edges[:-1] + 1]
    counts = [0, 1, 2, 4, 8]
    table = np.zeros((len(edges), len(counts)), np.int64)
    np.add.at(table, (np.searchsorted(edges, days), np.searchsorted(counts, again, side="right") - 1), 1)
    return {
        "kind": "heat", "title": "Recency and frequency", "text": "customers by days since the last purchase and by repeat purchases",
        "rows": [f"{start} to {end} days" if start < end else f"{end} days" for start, end in zip(starts, edges, strict=True)],
        "columns": ["none", "1", "2 to 3", "4 to 7", "8 or more"], "row_label": "days since the last purchase",
        "column_label": "repeat purchases", "format": "integer", "values": table.tolist(),
    }  # fmt: skip


def _moves(found: Any) -> dict[str, Any]:
    moved, names = found.moved, list(found.profile["name"])
    before, after = (str(np.datetime64(day, "D")) for day in moved.days)
    sizes = moved.counts.sum(axis=1, keepdims=True)
    shares = np.where(sizes > 0, moved.counts / np.maximum(sizes, 1), np.nan)
    rows, columns = names_of_moves(moved, names)
    rows = rows if sizes[-1, 0] else names
    return {
        "kind": "heat", "title": "Who moved", "text": f"share of each segment of {before} (lines) that is in a segment of {after} (columns), by the same rules",
        "rows": rows, "columns": columns, "row_label": before, "column_label": after, "format": "percent",
        "values": [known(row) for row in shares[: len(rows)]],
    }  # fmt: skip


def names_of_moves(moved: Any, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return what the lines and the columns of a migration are called; of subscribers, the last column is who left.

    Parameters
    ----------
    moved : Migration
    names : sequence of str
        Of the segments.

    Returns
    -------
    tuple of lists of str
    """
    with_left = moved.counts.shape[1] > len(names)
    return [*names, "no customer then" if with_left else "not yet a customer"], [*names, *["left"] * with_left]


def _bridge(bridge: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    months = [str(month) for month in bridge["month"]]
    days = [f"{month}-01" for month in months]
    names = ["month", "start", "new", "expansion", "contraction", "churned", "end"]
    columns = [
        {"name": name, "label": name.capitalize(), "format": "text" if name == "month" else "money"} for name in names
    ]
    columns += [
        {"name": "lost", "label": "Customers lost", "format": "integer"},
        {
            "name": "churn",
            "label": "Churn",
            "format": "percent",
            "help": "Customers lost in the month over those at its start.",
        },
    ]
    rows = []
    for i in reversed(range(len(months))):
        there, lost = int(bridge["customers_start"][i]), int(bridge["customers_lost"][i])
        money = [int(bridge[name][i]) / 100 for name in names[1:]]
        rows.append([months[i], *money, lost, min(lost / there, 1.0) if there else None])
    return [
        {"kind": "lines", "title": "Monthly recurring revenue", "text": "at the end of each month", "x": days, "x_label": "month", "y_label": "MRR",
         "format": "money", "series": [{"name": "MRR", "values": (bridge["end"] / 100).tolist()}]},
        {"kind": "table", "title": "Bridge of revenue", "text": "each month's end is its start, plus new and expansion, less contraction and churned",
         "columns": columns, "rows": rows[:_ROWS], "total": len(rows), "file": "mrr.csv"},
    ]  # fmt: skip


def _profile_tables(profile: dict[str, list]) -> list[dict[str, Any]]:
    told = (
        (_PROFILE, "Segments side by side", "what their customers did, and what is expected of them"),
        (_FIRM, "How firm the segments are", "how much of what sets customers apart is left within, and whether the segment comes back"),
    )  # fmt: skip
    return [
        {
            "kind": "table",
            "title": title,
            "text": text,
            "columns": [
                {"name": name, "label": label, "format": form, "help": _HELP.get(name)}
                for name, (label, form) in shown.items()
                if name in profile
            ],
            "rows": [known(row) for row in zip(*(profile[name] for name in shown if name in profile), strict=True)],
            "total": len(profile["segment"]),
            "file": "profile.csv",
        }
        for shown, title, text in told
    ]


def _rules_table(found: Any) -> dict[str, Any]:
    rules = found.segments.rules
    return {
        "kind": "table", "title": "Rules for a CRM",
        "text": f"a customer is in the segment of the rule that holds; so {rules.fidelity:.0%} of the customers are in their segment",
        "columns": [
            {"name": "segment", "label": "Segment", "format": "group"}, {"name": "rule", "label": "Rule", "format": "text"},
            {"name": "customers", "label": "Customers", "format": "integer"},
            {"name": "precision", "label": "Put right", "format": "percent", "help": "Share of the customers the rule catches who are in the segment."},
        ],
        "rows": [[leaf.segment, rule_text(leaf, RULE_WORDS), leaf.customers, leaf.precision] for leaf in rules.leaves],
        "total": len(rules.leaves), "file": "rules.csv",
    }  # fmt: skip


def _costs_table(costs: Any) -> dict[str, Any]:
    return {
        "kind": "table", "title": "What customers cost", "text": "acquisition spend by month over the customers won in it",
        "columns": [
            {"name": "month", "label": "Month", "format": "text"}, {"name": "channel", "label": "Channel", "format": "text"},
            {"name": "cost", "label": "Spent", "format": "money"}, {"name": "new", "label": "Customers won", "format": "integer"},
            {"name": "cac", "label": "CAC", "format": "money"},
        ],
        "rows": [[line["month"], line["channel"], line["cost"], line["new_customers"], line["cac"]] for line in costs.lines][:_ROWS],
        "total": len(costs.lines), "file": "cac.csv",
    }  # fmt: skip


def _customers_table(customers: dict[str, Any]) -> dict[str, Any]:
    labels = {
        "customer": ("Customer", "text"), "segment": ("Segment", "group"), "recency_days": ("Days since last", "integer"),
        "frequency": ("Repeat purchases", "integer"), "monetary_total": ("Spent so far", "money"), "tenure_months": ("Months", "number"),
        "monthly_price": ("Monthly price", "money"), "p_alive": ("May still buy", "percent"),
        "expected_purchases": ("Expected purchases", "number"), "clv": ("CLV", "money"),
    }  # fmt: skip
    names = [name for name in labels if name in customers]
    best = np.argsort(-np.nan_to_num(np.asarray(customers["clv"], float)), kind="stable")[:_ROWS]
    picked = [[np.asarray(customers[name], object)[i] for name in names] for i in best]
    return {
        "kind": "table", "title": "Customers", "text": "those of the highest value first",
        "columns": [{"name": name, "label": labels[name][0], "format": labels[name][1]} for name in names],
        "rows": [known(row) for row in picked], "total": len(customers["customer"]), "file": "segments.csv",
    }  # fmt: skip


def known(values: Any) -> list:
    """Return plain values, None for those that are not numbers."""
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    return [None if isinstance(value, float) and not np.isfinite(value) else value for value in plain]
