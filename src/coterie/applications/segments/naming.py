"""A plain name for each segment, and rules that a CRM can apply.

A name says how a segment stands among the others, in which third by recency and by money, and how often its customers came back. The rules are the leaves of a
shallow decision tree on the original columns; how many customers they put where the segmentation does is their fidelity.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Leaf", "Rules", "names_of_buyers", "names_of_subscribers", "rule_lines", "rules_of"]

FREQUENT = 10  # repeat purchases that nobody would call few


class Leaf(NamedTuple):
    """One rule: bounds by column (from, to; either may be infinite), the segment, how many customers it catches, the share right."""

    segment: int
    bounds: dict[str, tuple[float, float]]
    customers: int
    precision: float


class Rules(NamedTuple):
    """All leaves, and the share of customers that they put into their segment."""

    leaves: list[Leaf]
    fidelity: float


def names_of_buyers(values: NDArray[np.float64], labels: NDArray[np.int64], k: int, whales: int | None) -> list[str]:
    """Name segments of buyers.

    Parameters
    ----------
    values : (n, 3) float64 array
        Days since the last purchase, repeat purchases, total spent.
    labels : (n,) int64 array
    k : int
    whales : int or None
        The segment of those set apart.

    Returns
    -------
    list of str
        All different.
    """
    middles = np.array([np.median(values[labels == c], axis=0) for c in range(k)])
    usual = [c for c in range(k) if c != whales]
    recency, money = (np.quantile(middles[usual, j], (1 / 3, 2 / 3)) for j in (0, 2))
    names = []
    for c, (days, again, spent) in enumerate(middles):
        if c == whales:
            names.append("biggest spenders")
            continue
        before = ("recent ", "", "")[_third(days, recency)] + ("low-spending ", "", "high-spending ")[
            _third(spent, money)
        ]
        after = ("", "", " gone quiet")[_third(days, recency)]
        names.append(f"{before}{_how_often(again, middles[usual, 1])}{after}")
    return _different(names, [f"spending about {spent:,.0f}" for spent in middles[:, 2]])


def names_of_subscribers(values: NDArray[np.float64], labels: NDArray[np.int64], k: int) -> list[str]:
    """Name segments of subscribers by months of tenure and monthly price, (n, 2); all names differ."""
    tenure, price = (np.quantile(column, (1 / 3, 2 / 3)) for column in values.T)
    middles = np.array([np.median(values[labels == c], axis=0) for c in range(k)])
    names = []
    for months, paid in middles:
        how_long = ("short-stay", "settled", "long-standing")[_third(months, tenure)]
        how_much = ("small", "medium", "large")[_third(paid, price)]
        names.append(f"{how_long} customers on {how_much} plans")
    return _different(names, _telling(names, middles))


def rules_of(names: Sequence[str], values: NDArray[np.float64], labels: NDArray[np.int64], k: int) -> Rules:
    """Learn rules.

    Parameters
    ----------
    names : sequence of str
        Of the columns.
    values : (n, d) float64 array
        What customers did, in original units.
    labels : (n,) int64 array
    k : int
        Segments; the tree has k leaves, or up to twice as many until each segment has one.

    Returns
    -------
    Rules
    """
    from sklearn.tree import DecisionTreeClassifier

    # The tree sees places in the order of each column's values: it holds numbers in float32, which would move its cuts.
    different, places = zip(*(np.unique(column, return_inverse=True) for column in values.T))
    ranks = np.column_stack(places)
    for leaves in range(max(k, 2), 2 * k + 1):
        tree = DecisionTreeClassifier(max_leaf_nodes=leaves, min_samples_leaf=5, random_state=0).fit(ranks, labels)
        said = tree.predict(ranks)
        if len(np.unique(said)) == k:
            break
    cuts, feature = tree.tree_.threshold.copy(), tree.tree_.feature
    for node in np.flatnonzero(feature >= 0):
        below = int(cuts[node])
        cuts[node] = _short(*different[feature[node]][below : below + 2])
    where = tree.apply(ranks)
    found = []
    for leaf, bounds in _leaves(tree.tree_, cuts, names):
        caught = where == leaf
        segment = int(np.argmax(tree.tree_.value[leaf][0]))
        segment = int(tree.classes_[segment])
        found.append(Leaf(segment, bounds, int(caught.sum()), float((labels[caught] == segment).mean())))
    found.sort(key=lambda leaf: (leaf.segment, -leaf.customers))
    return Rules(found, float((said == labels).mean()))


def rule_lines(rules: Rules, features: Sequence[str]) -> list[dict[str, Any]]:
    """Return rules as lines of a table, with two bounds for each column; those that are not there are infinite."""
    sides = ("above", "at_most")
    return [
        {"segment": leaf.segment, **{
            f"{name}_{side}": leaf.bounds.get(name, (-np.inf, np.inf))[i] for name in features for i, side in enumerate(sides)
        }, "customers": leaf.customers, "precision": leaf.precision}
        for leaf in rules.leaves
    ]  # fmt: skip


def rule_text(leaf: Leaf, words: dict[str, str]) -> str:
    """Say a rule in words: "repeat purchases above 2 and days since the last purchase at most 40"."""
    parts = []
    for name, (low, high) in leaf.bounds.items():
        said = words.get(name, name)
        if name == "frequency" and high == 0:
            parts.append(f"no {said}")
        elif np.isfinite(low) and np.isfinite(high):
            parts.append(f"{said} above {low:,.15g} and at most {high:,.15g}")
        elif np.isfinite(low):
            parts.append(f"{said} above {low:,.15g}")
        elif np.isfinite(high):
            parts.append(f"{said} at most {high:,.15g}")
    return " and ".join(parts) or "everybody"


def _leaves(tree: Any, cuts: NDArray, names: Sequence[str]) -> list[tuple[int, dict[str, tuple[float, float]]]]:
    found = []
    waiting: list[tuple[int, dict[str, tuple[float, float]]]] = [(0, {})]
    while waiting:
        node, bounds = waiting.pop()
        if tree.feature[node] < 0:
            found.append((node, {name: bounds[name] for name in names if name in bounds}))
            continue
        name, cut = names[tree.feature[node]], float(cuts[node])
        low, high = bounds.get(name, (-np.inf, np.inf))
        waiting.append((int(tree.children_right[node]), {**bounds, name: (max(low, cut), high)}))
        waiting.append((int(tree.children_left[node]), {**bounds, name: (low, min(high, cut))}))
    return found


def _short(low: float, high: float) -> float:
    """Return the number of fewest figures that parts two values."""
    if float(low).is_integer() and float(high).is_integer():
        return float(low)  # of whole numbers, "at most 2"
    for figures in range(2, 9):
        number = float(f"{(low + high) / 2:.{figures}g}")
        if low <= number < high:
            return number
    return float(low)


def _third(value: float, cuts: NDArray) -> int:
    return int(value > cuts[0]) + int(value >= cuts[1]) if cuts[1] > cuts[0] else 1


def _how_often(again: float, all_middles: NDArray) -> str:
    """Say how often: once, twice, or how it stands among the segments that come back."""
    if again < 0.5:
        return "one-time buyers"
    if again < 1.5:
        return "two-time buyers"
    often = all_middles[all_middles >= 1.5]
    return "frequent buyers" if again > np.median(often) or again >= FREQUENT else "repeat buyers"


def _telling(names: list[str], middles: NDArray) -> list[str]:
    """Say for each segment of subscribers the value in which it differs most from those of its name."""
    told = []
    for name, (months, paid) in zip(names, middles, strict=True):
        alike = np.log1p(middles[[other == name for other in names]])
        by_price = np.ptp(alike[:, 1]) > np.ptp(alike[:, 0])
        told.append(
            f"paying about {paid:,.0f}"
            if by_price
            else f"tenure about {months:,.0f} month{'' if round(months) == 1 else 's'}"
        )
    return told


def _different(names: list[str], values: list[str]) -> list[str]:
    """Say the value itself, rather than whether it is low or high, in names that come twice; a number where that is not enough."""
    told = [
        f"{name.replace('low-spending ', '').replace('high-spending ', '')}, {value}" if names.count(name) > 1 else name
        for name, value in zip(names, values)
    ]
    return [f"{name} ({told[:i].count(name) + 1})" if told.count(name) > 1 else name for i, name in enumerate(told)]
