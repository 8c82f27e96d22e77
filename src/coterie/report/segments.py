"""A segmentation as a sheet: the answer in the words of who asked, a card a segment, and the files."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..applications.segments.market import MarketSegmentation
from ..applications.segments.naming import rule_text
from ..study.record import plain
from .cells import csv_text, write_text
from .segment_metrics import WORDS, segment_metrics
from .segment_sections import RULE_WORDS, names_of_moves, sections_of_buyers, sections_of_members
from .sheet import Sheet, sheet_record
from .words import percent

__all__ = ["segments_sheet", "table_text"]

# From this fidelity on a rule is worth to be shown on a card.
_FAITHFUL = 0.5


def segments_sheet(
    segmentation: MarketSegmentation, options: Mapping[str, Any] | None = None, *, excel_safe: bool = False
) -> Sheet:
    """Return what a segmentation found, ready to be shown and written.

    Parameters
    ----------
    segmentation : MarketSegmentation
        Fitted.
    options : mapping, optional
        As the user gave them.
    excel_safe : bool, default=False
        Defuse ids and names that a spreadsheet would run as formulas.

    Returns
    -------
    Sheet
        Files: segments.csv, profile.csv, rules.csv, model.coterie; where there is such, migration.csv, mrr.csv and cac.csv.
    """
    found = segmentation.found_
    buyers = segmentation.coding_.kind == "transactions"
    record = sheet_record(
        kind="segments",
        source=segmentation.source_,
        options=dict(options or {}),
        seed=segmentation.random_state,
        headline=f"{found.segments.k} segments of {len(found.segments.labels):,} customers",
        answer=_answer_of_buyers(found) if buyers else _answer_of_members(found),
        groups=_groups(found, buyers),
        noun="segment",
        members="customers",
        sections=plain(sections_of_buyers(found) if buyers else sections_of_members(found)),
        metrics=segment_metrics(found.figures),
        warnings=segmentation.warnings_,
        notes=segmentation.notes_,
        steps=segmentation.steps_,
        words=WORDS,
    )
    return Sheet(record, _writers(segmentation, excel_safe), ("coterie segment NEW.csv --model {folder}",))


def _answer_of_buyers(found: Any) -> list[str]:
    profile, figures = found.profile, found.figures
    best = int(np.argmax(profile["clv"]))
    rest = [c for c in range(found.segments.k) if c != best]
    richest = max(rest, key=lambda c: profile["revenue_share"][c])
    said = [
        f"{profile['customers'][best]:,} customers ({percent(profile['share'][best])}), the {profile['name'][best]}, are worth most each: they "
        f"brought {percent(profile['revenue_share'][best])} of the revenue.",
        f"The {profile['name'][richest]} ({percent(profile['share'][richest])} of the customers) brought {percent(profile['revenue_share'][richest])} of it.",
        f"{percent(1 - figures['repeat_share'])} of the customers bought on one day only.",
    ]
    weeks = found.horizon_days / 7
    said.append(
        f"Within {weeks:.0f} weeks of the cut-off, customers are expected to spend {figures['expected_spending']:,.0f} in all."
    )
    if found.after is not None and figures["top_decile_share"] == figures["top_decile_share"]:
        said.append(
            f"Tested on what came after: the tenth of the customers valued highest made {figures['top_decile_share']:.1%} of the spending; the tenth who "
            f"had spent most before made {figures['top_decile_share_past_spending']:.1%}."
        )
    elif found.after is None:
        said.append("Nothing came after the cut-off to test this on; an earlier cut-off shows how well it foretells.")
    return said


def _answer_of_members(found: Any) -> list[str]:
    profile, figures = found.profile, found.figures
    most = int(np.argmax(profile["mrr_share"]))
    there = np.asarray(profile["active"]) > 0
    leaving = int(np.argmax(np.where(there, profile["churn_a_month"], -1.0)))
    said = [
        f"{figures['active']:,.0f} active customers pay {figures['mrr']:,.2f} a month; the {profile['name'][most]} pay "
        f"{percent(profile['mrr_share'][most])} of it.",
        f"{percent(figures['churn_a_month'])} of the customers leave a month, over all months that customers were there.",
    ]
    if there[leaving] and profile["churn_a_month"][leaving] > 0:
        said.append(
            f"Of the segments with active customers, the {profile['name'][leaving]} lose most: {percent(profile['churn_a_month'][leaving])} of them a month, "
            f"{percent(profile['left_share'][leaving])} so far."
        )
    return said


def _groups(found: Any, buyers: bool) -> list[dict[str, Any]]:
    profile = found.profile
    best: dict[int, str] = {}
    for leaf in found.segments.rules.leaves:
        if leaf.precision >= _FAITHFUL:
            best.setdefault(leaf.segment, rule_text(leaf, RULE_WORDS))
    facts = _facts_of_buyers if buyers else _facts_of_members
    return [
        {
            "id": c,
            "name": profile["name"][c],
            "size": int(profile["customers"][c]),
            "share": float(profile["share"][c]),
            "facts": facts(profile, c, found) + _facts_of_costs(profile, c),
            "rule": best.get(c),
        }
        for c in range(found.segments.k)
    ]


def _facts_of_buyers(profile: Mapping[str, list], c: int, found: Any) -> list[list[str]]:
    days = profile["median_recency_days"][c]
    return [
        ["Last purchase", f"{days:,.0f} day{'' if days == 1 else 's'} ago"],
        ["Repeat purchases", f"{profile['mean_frequency'][c]:.1f}"],
        ["Spent so far", f"{profile['median_total'][c]:,.0f}"],
        ["Of the revenue", percent(profile["revenue_share"][c])],
        [f"CLV in {found.horizon_days / 7:.0f} weeks", f"{profile['clv'][c]:,.0f}"],
        ["Probably gone", percent(profile["p_gone"][c]) if profile["mean_frequency"][c] >= 0.5 else "not known"],
    ]


def _facts_of_members(profile: Mapping[str, list], c: int, found: Any) -> list[list[str]]:
    value = profile["clv"][c]
    return [
        ["Tenure in months", f"{profile['median_tenure_months'][c]:,.0f}"],
        ["Monthly price", f"{profile['mean_price'][c]:,.2f}"],
        ["Of the MRR", percent(profile["mrr_share"][c])],
        ["Churn a month", percent(profile["churn_a_month"][c])],
        ["CLV", f"{value:,.0f}" if value == value else "no end in sight" if profile["active"][c] else "all have left"],
    ]


def _facts_of_costs(profile: Mapping[str, list], c: int) -> list[list[str]]:
    if "cac" not in profile or profile["cac"][c] != profile["cac"][c]:
        return []
    months = profile["payback_months"][c]
    paid = [["Paid back after", f"{months:.1f} months"]] if months == months else []
    return [["CAC", f"{profile['cac'][c]:,.2f}"], *paid]


def _writers(segmentation: MarketSegmentation, excel_safe: bool) -> dict[str, Callable[[Path], object]]:
    found = segmentation.found_
    tables = {"segments.csv": found.customers, "profile.csv": found.profile, "rules.csv": _rules(segmentation)}
    moved, bridge = found.moved, getattr(found, "bridge", None)
    if moved is not None:
        tables["migration.csv"] = _migration(moved, found.profile["name"])
    if bridge is not None:
        tables["mrr.csv"] = _money(bridge)
    if found.costs is not None:
        lines = found.costs.lines
        tables["cac.csv"] = {name: [line[name] for line in lines] for name in lines[0]}

    def writer(columns: Mapping[str, Sequence]) -> Callable[[Path], object]:
        return lambda path: write_text(path, table_text(columns, excel_safe=excel_safe))

    return {name: writer(columns) for name, columns in tables.items()} | {"model.coterie": segmentation.save}


def _rules(segmentation: MarketSegmentation) -> dict[str, list]:
    leaves = segmentation.found_.segments.rules.leaves
    names = segmentation.found_.profile["name"]
    columns = {name: [line[name] for line in segmentation.rules_] for name in segmentation.rules_[0]}
    bounds = {name: values for name, values in columns.items() if name not in ("segment", "customers", "precision")}
    finite = {name: [value if np.isfinite(value) else None for value in values] for name, values in bounds.items()}
    return {
        "segment": columns["segment"], "name": [names[c] for c in columns["segment"]], **finite,
        "customers": columns["customers"], "precision": columns["precision"],
        "rule": [rule_text(leaf, RULE_WORDS) for leaf in leaves],
    }  # fmt: skip


def _migration(moved: Any, names: Sequence[str]) -> dict[str, list]:
    rows, columns = names_of_moves(moved, names)
    at = [(i, j) for i in range(len(rows)) for j in range(len(columns))]
    lost = "left_share_of_from" if len(columns) > len(names) else "silent_share_of_from"
    return {
        "from": [rows[i] for i, _ in at],
        "to": [columns[j] for _, j in at],
        "customers": [int(moved.counts[i, j]) for i, j in at],
        lost: [float(moved.lost[i]) if i < len(names) else None for i, _ in at],
    }


def _money(bridge: Mapping[str, np.ndarray]) -> dict[str, list]:
    counts = ("month", "customers_start", "customers_new", "customers_lost")
    return {
        name: [str(value) if name in counts else f"{int(value) / 100:.2f}" for value in values]
        for name, values in bridge.items()
    }


def table_text(columns: Mapping[str, Sequence], *, excel_safe: bool = False) -> str:
    """Return columns as the text of a CSV file.

    Parameters
    ----------
    columns : mapping of str to sequence
        Of equal length.
    excel_safe : bool, default=False
        Defuse texts that a spreadsheet would run as formulas.

    Returns
    -------
    str
    """
    return csv_text(list(columns), zip(*columns.values(), strict=True), excel_safe=excel_safe)
