"""What the members of a class have in common: values and words that are over-represented, numbers that are higher or lower.

For a value of a category, and a word of a text, the lift is its share in the class over its share among all nodes, the effect its share in the class
minus that elsewhere. For a number the effect is the rank-biserial correlation: the chance that a member has more than another
node, minus the chance that it has less. What could be chance (3 standard deviations of a random class of the size) is left out.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from ..study.values import View, number_text
from ..tables.bags import Bag

__all__ = ["class_names", "profile_of"]

SMALL_EFFECT = 0.1
SURE = 3.0
MOST_VALUES = 3  # of one category for one class
MOST_WORDS = 5  # of one column of texts
MOST_FEATURES = 8
MOST_COMPARED = 100
MOST_COUNTED = 2_000  # words


def profile_of(
    views: Sequence[View], labels: np.ndarray, k: int, bags: Sequence[Bag] = ()
) -> list[list[dict[str, Any]]]:
    """Return the features of each class, the strongest first; all rows are counted, none is sampled.

    Parameters
    ----------
    views : sequence of View
        Attributes of the nodes.
    labels : (n,) int64 array
    k : int
    bags : sequence of Bag, default=()
        Words of their texts.

    Returns
    -------
    list of k lists of dict
        ``column, kind, unit, value, here, elsewhere, overall, lift, effect, z, text``.
    """
    found: list[list[dict[str, Any]]] = [[] for _ in range(k)]
    if k < 2:
        return found
    described = [_values(view, labels, k) if view.kind == "category" else _numbers(view, labels, k) for view in views]
    for i, feature in chain(*described, *(_words(bag, labels, k) for bag in bags)):
        found[i].append(feature)
    return [sorted(some, key=lambda one: -abs(one["effect"]))[:MOST_FEATURES] for some in found]


def class_names(profile: list[list[dict[str, Any]]], hub_names: list[str]) -> tuple[list[str], list[str]]:
    """Name each class by its strongest value, and by its hub where there is none or two classes would be called the same.

    Returns
    -------
    (list of str, list of str)
        Names, and short ones for a drawing.
    """
    tags = [_tag(features) for features in profile]
    names, short = [], []
    for tag, hub in zip(tags, hub_names, strict=True):
        alone = tags.count(tag) == 1
        around = f"Around {hub}" if hub else "Without links"
        names.append(tag if tag and alone else f"{tag}, {around.lower()[:1]}{around[1:]}" if tag else around)
        # A bare number under a circle would read as a measurement.
        short.append(tag if tag and alone else around if hub[:1].isdigit() or not hub else hub)
    return names, short


def _tag(features: list[dict[str, Any]]) -> str:
    for one in features:
        # A value that marks less than half of the class would be a misleading name for all of it.
        if one["kind"] in ("category", "text") and one["effect"] > 0 and one["here"] >= 0.5:
            return f"{one['column']}: {one['value']}"
        if one["kind"] in ("number", "date") and abs(one["effect"]) >= 0.3:
            high, low = ("Late", "Early") if one["kind"] == "date" else ("High", "Low")
            return f"{high if one['effect'] > 0 else low} {one['column']}"
    return ""


def _values(view: View, labels: np.ndarray, k: int) -> Iterator[tuple[int, dict[str, Any]]]:
    known = (labels >= 0) & (view.codes >= 0)
    n_values = len(view.levels)
    if n_values < 2 or not known.any():
        return iter(())
    counts = np.bincount(labels[known] * n_values + view.codes[known], minlength=k * n_values).reshape(k, n_values)
    return _over_represented(view.name, "category", view.levels, counts, counts.sum(axis=1), MOST_VALUES)


def _words(bag: Bag, labels: np.ndarray, k: int) -> Iterator[tuple[int, dict[str, Any]]]:
    known = (labels >= 0) & bag.known
    if not known.any():
        return iter(())
    said = bag.counts[known].astype(bool).astype(np.int64)
    members = csr_array(
        (np.ones(said.shape[0], np.int64), labels[known], np.arange(said.shape[0] + 1)), shape=(said.shape[0], k)
    )
    counts = (members.T @ said).tocsc()
    # A word that says something of a class is frequent there, so what few rows say is left before the table is made whole.
    kept = np.argsort(-counts.sum(axis=0), kind="stable")[:MOST_COUNTED]
    return _over_represented(
        bag.column,
        "text",
        [bag.terms[j] for j in kept],
        counts[:, kept].toarray(),
        np.bincount(labels[known], minlength=k),
        MOST_WORDS,
    )


def _over_represented(
    name: str, kind: str, values: Sequence[str], counts: np.ndarray, sizes: np.ndarray, most: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Tell of the values that are more frequent in a class than elsewhere, from (k, values) counts of members that have them."""
    n, sizes, totals = int(sizes.sum()), sizes[:, None], counts.sum(axis=0)
    overall = totals / n
    here = counts / np.maximum(sizes, 1)
    elsewhere = (totals - counts) / np.maximum(n - sizes, 1)
    # Of a class drawn at random without putting back.
    variance = sizes * overall * (1 - overall) * (n - sizes) / max(n - 1, 1)
    z = np.divide(counts - sizes * overall, np.sqrt(variance), out=np.zeros(counts.shape), where=variance > 0)
    effect = here - elsewhere
    for i in range(len(counts)):
        order = np.argsort(-effect[i], kind="stable")[:most]
        for j in order[(effect[i, order] >= SMALL_EFFECT) & (z[i, order] >= SURE)].tolist():
            shares = f"for {here[i, j]:.0%} (others {elsewhere[i, j]:.0%})"
            yield (
                i,
                {
                    "column": name, "kind": kind, "unit": None, "value": values[j],
                    "here": float(here[i, j]), "elsewhere": float(elsewhere[i, j]), "overall": float(overall[j]),
                    "lift": float(here[i, j] / overall[j]), "effect": float(effect[i, j]), "z": float(z[i, j]),
                    "text": f"{name}: {values[j]} {shares}" if kind == "category" else f"{name} says “{values[j]}” {shares}",
                },
            )  # fmt: skip


def _numbers(view: View, labels: np.ndarray, k: int):
    known = (labels >= 0) & np.isfinite(view.numbers)
    values, own = view.numbers[known], labels[known]
    n = len(values)
    if n < 2 or values.min() == values.max():
        return
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    below = np.cumsum(count) - count
    middle_rank = below + (count - 1) / 2.0
    size = np.bincount(own, minlength=k)
    rank_sum = np.bincount(own, middle_rank[place], k)
    others = n - size
    # Ranks of the class against the others: U / (size * others) is the chance of having more, ties counted half.
    u = rank_sum - size * (size - 1) / 2.0
    pairs = np.maximum(size * others, 1)
    effect = 2.0 * u / pairs - 1.0
    ties = 1.0 - float((count.astype(float) ** 3 - count).sum()) / max(float(n) ** 3 - n, 1.0)
    spread = np.sqrt(pairs * (n + 1) / 12.0 * ties)
    z = np.divide(u - pairs / 2.0, spread, out=np.zeros(k), where=spread > 0)
    overall = float(np.median(values))
    order = np.argsort(own, kind="stable")
    starts = np.searchsorted(own[order], np.arange(k + 1))
    for i in np.flatnonzero(
        (np.abs(effect) >= SMALL_EFFECT) & (np.abs(z) >= SURE) & (size > 0) & (others > 0)
    ).tolist():
        members = order[starts[i] : starts[i + 1]]
        # All nodes stand for the others once a class is one of very many: a pass over the nodes for each would cost n times k.
        rest = np.delete(values, members) if i < MOST_COMPARED else values
        yield i, _number_feature(view, values[members], rest, overall, float(effect[i]), float(z[i]))


def _number_feature(view: View, mine, others, overall: float, effect: float, z: float) -> dict[str, Any]:
    here, elsewhere, how = float(np.median(mine)), float(np.median(others)), "about"
    if number_text(here, view) == number_text(elsewhere, view):
        # Medians that read the same would look like a mistake; the means show what differs.
        here, elsewhere, how = float(mine.mean()), float(others.mean()), "on average"
    plain = (lambda value: number_text(value, view)) if view.kind == "date" else float
    return {
        "column": view.name, "kind": view.kind, "unit": view.unit, "value": None,
        "here": plain(here), "elsewhere": plain(elsewhere), "overall": plain(overall),
        "lift": None, "effect": effect, "z": z,
        "text": f"{view.name} {how} {number_text(here, view)} (others {number_text(elsewhere, view)})",
    }  # fmt: skip
