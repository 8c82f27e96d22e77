"""Are the rules of a report as right on rows that nobody has looked at as they say? Real tables, two thirds of the rows studied.

``python -m benchmarks.rules [NAME ...]``: the study of two thirds of the rows states rules with their precision; the model labels the last
third, and each rule is applied to it as a reader would, to the values of the columns. A rule's own difference holds the chance of the
few rows that it catches; the tables' differences, over all rows that a rule catches, hardly do. Asked: at most four conditions, every
stated precision at least .8, a difference of at most 3 points.
"""

import re
import sys
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from .features import SHARED

MOST_ROWS = 12_000


def bundled(name: str) -> pd.DataFrame:
    """Return a table that scikit-learn ships, without its classes."""
    from sklearn import datasets

    return getattr(datasets, f"load_{name}")(as_frame=True).data


def measured(name: str) -> pd.DataFrame:
    """Return the columns of a set of ``shared/data/anomaly``."""
    with np.load(SHARED / "anomaly" / f"{name}.npz") as file:
        return pd.DataFrame(file["X"]).add_prefix("column ")


def kept(path: str) -> pd.DataFrame:
    """Return a file of ``shared/data`` as it is."""
    return pd.read_csv(SHARED / path)


TABLES: dict[str, Callable[[], pd.DataFrame]] = {
    **{name: partial(bundled, name) for name in ("wine", "breast_cancer", "diabetes", "iris")},
    "churn": partial(kept, "customers/Telco-Customer-Churn.csv"),
    "mall": partial(kept, "customers/Mall_Customers.csv"),
    "earthquakes": partial(kept, "spatial/earthquakes-23k.csv.gz"),
    "cities": partial(kept, "spatial/rg_cities1000.csv.gz"),
    "orders": partial(kept, "customers/online_retail_2010-12_2011-08.csv.gz"),
    **{
        name.partition("_")[2]: partial(measured, name)
        for name in ("38_thyroid", "32_shuttle", "28_pendigits", "19_landsat", "23_mammography", "6_cardio")
    },
}


class Held(NamedTuple):
    """What a rule says of itself, and what it did on the rows held back."""

    conditions: int
    stated: float
    caught: int
    right: int


def held_rules(frame: pd.DataFrame) -> tuple[list[Held], int]:
    """Study two thirds of the rows, apply the rules to the others, and return them with the number of groups."""
    import coterie

    rows = np.random.default_rng(0).permutation(len(frame))[:MOST_ROWS]
    cut = 2 * len(rows) // 3
    analysis = coterie.run(frame.iloc[np.sort(rows[:cut])])
    rest = frame.iloc[np.sort(rows[cut:])]
    labels = analysis.predict(rest)
    found = []
    for cluster in analysis.record["clusters"]:
        if rule := cluster.get("rule"):
            caught = applied(rule["conditions"], rest)
            right = int((labels[caught] == cluster["id"]).sum())
            found.append(Held(len(rule["conditions"]), rule["precision"], int(caught.sum()), right))
    return found, len(analysis.record["clusters"])


def applied(conditions: list[dict[str, Any]], rows: pd.DataFrame) -> np.ndarray:
    """Return which rows fulfil all conditions; a missing value fulfils none."""
    holds = np.ones(len(rows), dtype=bool)
    for line in conditions:
        column = rows[line["column"]]
        if line["kind"] in ("at most", "above"):
            number = (
                pd.to_datetime(column) if isinstance(line["value"], str) else pd.to_numeric(column, errors="coerce")
            )
            value = pd.Timestamp(line["value"]) if isinstance(line["value"], str) else line["value"]
            holds &= ((number <= value) if line["kind"] == "at most" else (number > value)).to_numpy()
        elif "say" in line["kind"]:
            said = column.astype(str).str.contains(rf"\\b{re.escape(line['value'])}\\b", case=False).to_numpy()
            holds &= (said if line["kind"] == "says" else ~said) & column.notna().to_numpy()
        else:
            same = (column.astype(str) == str(line["value"])).to_numpy()
            holds &= (same if line["kind"] == "is" else ~same) & column.notna().to_numpy()
    return holds


def main(names: list[str]) -> None:
    """Print a line for each table."""
    warnings.simplefilter("ignore")
    print(
        "| table | groups | rules | conditions at most | lowest stated | stated | held | difference | rules within 3 points |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    differences = []
    for name in names or TABLES:
        rules, groups = held_rules(TABLES[name]())
        told = [rule for rule in rules if rule.caught]
        if not told:
            print(f"| {name} | {groups} | 0 | | | | | | |", flush=True)
            continue
        caught = sum(rule.caught for rule in told)
        stated = sum(rule.stated * rule.caught for rule in told) / caught
        held = sum(rule.right for rule in told) / caught
        near = sum(abs(rule.right / rule.caught - rule.stated) <= 0.03 for rule in told)
        differences.append(held - stated)
        print(
            f"| {name} | {groups} | {len(rules)} | {max(rule.conditions for rule in rules)} | "
            f"{min(rule.stated for rule in rules):.3f} | {stated:.3f} | {held:.3f} | {held - stated:+.3f} | {near} of {len(told)} |",
            flush=True,
        )
    print(f"within 3 points: {sum(abs(one) <= 0.03 for one in differences)} of {len(differences)} tables")


if __name__ == "__main__":
    main(sys.argv[1:])
