"""What sets each group apart, in the units of the data: features, a sentence, a short name, a rule, typical and border rows.

For a number the effect is the rank-biserial correlation (the chance that a row here is higher than one elsewhere, minus the
chance that it is lower); for a level of a category, the share here minus the share elsewhere. Both run from -1 to 1, mean the
same for a yes/no column, and don't care about skew, so that the features of a group can be ranked together. A word of a text is
such a level: said or not.
"""

from typing import Any, NamedTuple

import numpy as np

from .group_names import group_names
from .rule import find_rule, make_conditions
from .values import View, number_text, seen_values

__all__ = ["DESCRIBE_ROWS", "Description", "Seen", "describe", "shown_rows", "told_of_columns"]

# Ranks, quantiles and rules of more rows than this come from a sample drawn evenly from each group.
DESCRIBE_ROWS = 20_000
RULE_ROWS = 6_000
RULE_COLUMNS = 100
# A feature below this effect is not worth a mention.
SMALL_EFFECT = 0.15
MAX_FEATURES = 8
MAX_WORDS = 3  # of one column of texts


class Description(NamedTuple):
    """Parts of the record: one dict a group, the profile table, and whether a sample was described (its rows, or None)."""

    clusters: list[dict[str, Any]]
    profile: dict[str, Any]
    sample_rows: int | None


class Seen(NamedTuple):
    """What is known of one column: values, each of a group, and for how many rows each stands."""

    view: View
    values: np.ndarray  # (m,) numbers, or codes of levels; (m, words) which words are said
    labels: np.ndarray  # (m,) int
    weights: np.ndarray  # (m,) float
    missing: np.ndarray = np.empty(0, bool)  # (m,) of a text


def describe(
    views: list[View], X: np.ndarray, labels: np.ndarray, strengths: np.ndarray, *, seed: int = 0
) -> Description:
    """Describe every group.

    Parameters
    ----------
    views : list of View
        The used original columns.
    X : (n, m) float64 array
        Prepared rows, for what is central.
    labels : (n,) int array
        Final labels 0..k-1, noise -1.
    strengths : (n,) float array
        How surely each row belongs, for what is on the border.
    seed : int, default=0
        Draws the sample when there are more than `DESCRIBE_ROWS` rows.

    Returns
    -------
    Description
    """
    n, k = len(labels), int(labels.max(initial=-1)) + 1
    rows = _even_rows(labels, DESCRIBE_ROWS, seed)
    weights = _weights(labels, rows)
    columns = [
        Seen(
            view,
            seen_values(view)[rows],
            labels[rows],
            weights,
            view.missing[rows] if view.kind == "text" else view.missing,
        )
        for view in views
    ]
    cards, profile = told_of_columns(columns, np.bincount(labels[labels >= 0], minlength=k), n)
    clusters = [
        card | shown for card, shown in zip(cards, shown_rows(views, X, labels, strengths, seed=seed), strict=True)
    ]
    return Description(clusters, profile, len(rows) if len(rows) < n else None)


def told_of_columns(columns: list[Seen], sizes: np.ndarray, n: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Say what sets each group apart, column by column.

    Parameters
    ----------
    columns : list of Seen
    sizes : (k,) int array
        Rows of each group.
    n : int
        Rows in all.

    Returns
    -------
    cards : list of dict
        One a group: ``id``, ``name``, ``rows``, ``share``, ``sentence``, ``features``, ``color``.
    profile : dict
        The profile table.
    """
    k = len(sizes)
    columns = [_sorted(seen) for seen in columns]  # what is in order already is soon ranked, again for each group
    features = [_features(columns, i) for i in range(k)] if k > 1 else [[] for _ in range(k)]
    names = group_names(features, {seen.view.name: seen.view.levels for seen in columns})
    cards = [
        {
            "id": i,
            "name": names[i],
            "rows": int(sizes[i]),
            "share": float(sizes[i] / n),
            "sentence": _sentence(features[i], sizes[i], n, k),
            "features": features[i][:MAX_FEATURES],
            "color": i,
        }
        for i in range(k)
    ]
    return cards, {"columns": [_profile(seen, k) for seen in columns]}


def _sorted(seen: Seen) -> Seen:
    if seen.view.kind == "text":
        return seen
    order = np.argsort(seen.values, kind="stable")
    return Seen(seen.view, seen.values[order], seen.labels[order], seen.weights[order])


def shown_rows(
    views: list[View], X: np.ndarray, labels: np.ndarray, strengths: np.ndarray, *, seed: int = 0
) -> list[dict[str, Any]]:
    """Return for each group what takes its rows to tell: ``rule``, ``exemplars`` and ``border``; takes what `describe` does."""
    k = int(labels.max(initial=-1)) + 1
    rows = _even_rows(labels, DESCRIBE_ROWS, seed)
    rules = _rules(views, rows, labels[rows], k, seed) if k > 1 else [None] * k
    found = []
    for i in range(k):
        exemplars, border = _typical_and_border(X, labels, strengths, i)
        found.append({"rule": rules[i], "exemplars": exemplars, "border": border if k > 1 else []})
    return found


def _even_rows(labels: np.ndarray, limit: int, seed: int) -> np.ndarray:
    """Draw rows so that small groups stay large enough to describe; `_weights` undoes the distortion."""
    n = len(labels)
    if n <= limit:
        return np.arange(n)
    rng = np.random.default_rng(seed)
    names, sizes = np.unique(labels, return_counts=True)
    quota = np.minimum(sizes, np.maximum(sizes * limit // n, min(500, limit // len(names))))
    parts = [rng.choice(np.flatnonzero(labels == name), q, replace=False) for name, q in zip(names, quota, strict=True)]
    return np.sort(np.concatenate(parts))


def _weights(labels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    total = np.bincount(labels + 1)
    drawn = np.bincount(labels[rows] + 1, minlength=len(total))
    return (total / np.maximum(drawn, 1))[labels[rows] + 1]


def _features(columns: list[Seen], cluster: int) -> list[dict[str, Any]]:
    found = []
    for seen in columns:
        found += _FEATURES.get(seen.view.kind, _number_feature)(seen, cluster)
    found = [feature for feature in found if abs(feature["effect"]) >= SMALL_EFFECT]
    return sorted(found, key=lambda feature: -abs(feature["effect"]))


def _number_feature(seen: Seen, cluster: int) -> list[dict[str, Any]]:
    view, values, labels, weights, _ = seen
    inside = labels == cluster
    known = np.isfinite(values)
    a, b = known & inside, known & ~inside
    if not a.any() or not b.any():
        return []
    here, elsewhere = _median(values[a], weights[a]), _median(values[b], weights[b])
    effect = _rank_biserial(values[known], inside[known], weights[known])
    word = "" if view.kind == "date" else "about "
    text = f"{view.name} {word}{number_text(here, view)} (others {number_text(elsewhere, view)})"
    if number_text(here, view) == number_text(elsewhere, view):
        # Medians that read the same would look like a mistake; the means show what differs, if anything does.
        here, elsewhere = np.average(values[a], weights=weights[a]), np.average(values[b], weights=weights[b])
        text = f"{view.name} {number_text(here, view)} on average (others {number_text(elsewhere, view)})"
    overall = _median(values[known], weights[known])
    return [_feature(view, _plain(here, view), _plain(elsewhere, view), _plain(overall, view), effect, text)]


def _level_feature(seen: Seen, cluster: int) -> list[dict[str, Any]]:
    view, codes, labels, weights, _ = seen
    inside = labels == cluster
    known = codes >= 0
    levels = len(view.levels)
    if not (known & inside).any() or not (known & ~inside).any() or levels < 2:
        return []
    here, elsewhere, overall = (
        np.bincount(codes[mask], weights[mask], levels) / weights[mask].sum()
        for mask in (known & inside, known & ~inside, known)
    )
    effect = here - elsewhere
    # The level that grows says more about a group than the one that shrinks, unless the shrinking is far larger.
    up, down = int(np.argmax(effect)), int(np.argmin(effect))
    at = up if effect[up] >= 0.6 * -effect[down] else down
    text = f"{view.name}: {view.levels[at]} for {here[at]:.0%} (others {elsewhere[at]:.0%})"
    feature = _feature(view, float(here[at]), float(elsewhere[at]), float(overall[at]), float(effect[at]), text)
    return [feature | {"level": view.levels[at]}]


def _word_features(seen: Seen, cluster: int) -> list[dict[str, Any]]:
    view, said, labels, weights, missing = seen
    inside = labels == cluster
    if inside.all() or not inside.any():
        return []
    here, elsewhere, overall = (_said(said[mask], weights[mask]) for mask in (inside, ~inside, np.ones_like(inside)))
    effect = here - elsewhere
    found = []
    for at in np.argsort(-effect, kind="stable")[:MAX_WORDS]:
        text = f"{view.name} says {view.levels[at]!r} in {here[at]:.0%} of rows (others {elsewhere[at]:.0%})"
        shares = (float(here[at]), float(elsewhere[at]), float(overall[at]), float(effect[at]))
        found.append(_feature(view, *shares, text) | {"level": view.levels[at]})
    if missing.any():
        here, elsewhere, overall = (
            _said(missing[mask], weights[mask]) for mask in (inside, ~inside, np.ones_like(inside))
        )
        text = f"{view.name} is missing in {here:.0%} of rows (others {elsewhere:.0%})"
        feature = _feature(view, float(here), float(elsewhere), float(overall), float(here - elsewhere), text)
        found.append(feature | {"kind": "category", "level": "missing"})
    return [feature for feature in found if feature["effect"] > 0]


def _said(words: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the share of the rows that says each word."""
    return weights @ words / weights.sum()


_FEATURES = {"category": _level_feature, "text": _word_features}


def _feature(view, here, elsewhere, overall, effect, text) -> dict[str, Any]:
    return {
        "column": view.name,
        "kind": view.kind,
        "unit": view.unit,
        "here": here,
        "elsewhere": elsewhere,
        "overall": overall,
        "effect": round(float(effect), 4),
        "text": text,
    }


def _plain(value: float, view: View) -> Any:
    return number_text(value, view) if view.kind == "date" else float(value)


def _median(values: np.ndarray, weights: np.ndarray) -> float:
    if weights.min() == weights.max():
        return float(np.median(values))
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def _rank_biserial(values: np.ndarray, inside: np.ndarray, weights: np.ndarray) -> float:
    _, place = np.unique(values, return_inverse=True)
    here = np.bincount(place, weights * inside)
    there = np.bincount(place, weights * ~inside)
    below = np.cumsum(there) - there
    above = there.sum() - below - there
    return float((here * (below - above)).sum() / (here.sum() * there.sum()))


def _sentence(features, size, n, k) -> str:
    if k == 1:
        return f"All {int(size):,} rows." if size == n else f"{int(size):,} rows, the only group."
    if not features:
        return "No single column sets this group apart; only their combination does."
    texts = [feature["text"] for feature in features[:3]]
    start = "Set apart by " if abs(features[0]["effect"]) >= 0.5 else "Only slightly set apart by "
    return start + (texts[0] if len(texts) == 1 else "; ".join(texts)) + "."


def _rules(views, rows, labels, k, seed) -> list[dict[str, Any] | None]:
    rng = np.random.default_rng(seed)
    at = np.sort(rng.choice(len(rows), RULE_ROWS, replace=False)) if len(rows) > RULE_ROWS else np.arange(len(rows))
    conditions = make_conditions(_telling(views, rows[at], labels[at], k), rows[at])
    by_name = {view.name: view for view in views}
    return [find_rule(conditions, labels[at] == i, by_name) for i in range(k)]


def _telling(views: list[View], rows, labels, k: int) -> list[View]:
    """Return the columns that tell groups apart best, where there are more than a search for rules should look at."""
    valued = [
        view for view in views if view.kind != "text"
    ]  # texts are few, and only so many words of each are looked at
    if len(valued) <= RULE_COLUMNS:
        return views
    apart = [_apart(seen_values(view)[rows], labels, k, view.kind) for view in valued]
    best = {valued[i].name for i in np.argsort(-np.array(apart), kind="stable")[:RULE_COLUMNS]}
    return [view for view in views if view.kind == "text" or view.name in best]


def _apart(values: np.ndarray, labels: np.ndarray, k: int, kind: str) -> float:
    """Return the share of a column's spread, of ranks or of levels, that lies between the groups."""
    known = (labels >= 0) & (values >= 0 if kind == "category" else np.isfinite(values))
    if known.sum() < 2:
        return 0.0
    codes, values = labels[known], values[known]
    sizes = np.maximum(np.bincount(codes, minlength=k), 1)
    if kind == "category":
        table = np.zeros((k, int(values.max()) + 1))
        np.add.at(table, (codes, values), 1.0)
        shares = table.sum(axis=0) / len(values)
        unlike = 1.0 - float((shares**2).sum())
        return 1.0 - float((1.0 - ((table / sizes[:, None]) ** 2).sum(axis=1)) @ sizes) / len(values) / max(
            unlike, 1e-12
        )
    ranks = np.searchsorted(np.sort(values), values).astype(np.float64)
    spread = float(ranks.var())
    means = np.bincount(codes, ranks, k) / sizes
    return float(sizes @ (means - ranks.mean()) ** 2) / len(values) / spread if spread > 0 else 0.0


def _typical_and_border(X, labels, strengths, cluster, count: int = 3) -> tuple[list[int], list[int]]:
    members = np.flatnonzero(labels == cluster)
    # The column-wise median is not pulled by outliers; the nearest rows to it are the typical ones.
    looked = members[:: max(len(members) // 20_000, 1)]
    middle = np.median(X[looked], axis=0)
    far = ((X[members] - middle) ** 2).sum(axis=1)
    _, first = np.unique(far, return_index=True)
    exemplars = members[first[:count]] if len(first) >= count else members[np.argsort(far, kind="stable")[:count]]
    border = members[np.argsort(strengths[members], kind="stable")[:count]]
    return [int(row) for row in exemplars], [int(row) for row in border]


def _profile(seen: Seen, k: int) -> dict[str, Any]:
    """Return one line of the profile table: medians, or for categories the share of the commonest level."""
    view = seen.view
    line: dict[str, Any] = {"name": view.name, "kind": view.kind, "unit": view.unit}
    masks = [np.ones(len(seen.values), dtype=bool)] + [seen.labels == i for i in range(k)]
    cell = {"category": _shares, "text": _words}.get(view.kind, _middle)
    cells = [cell(view, seen.values, mask, seen.weights) for mask in masks]
    return line | {"overall": cells[0], "by_cluster": cells[1:]}


def _shares(view: View, codes, mask, weights, most: int = 5) -> list[dict[str, Any]]:
    mask = mask & (codes >= 0)
    if not mask.any():
        return []
    share = np.bincount(codes[mask], weights[mask], len(view.levels)) / weights[mask].sum()
    top = np.argsort(-share, kind="stable")[:most]
    return [{"level": view.levels[i], "share": round(float(share[i]), 4)} for i in top if share[i] > 0]


def _words(view: View, said, mask, weights, most: int = 5) -> list[dict[str, Any]]:
    """Return the words that these rows say more often than all do, or the most frequent of all."""
    if not mask.any():
        return []
    share = _said(said[mask], weights[mask])
    lead = share - _said(said, weights)
    top = np.argsort(-(share if mask.all() else lead), kind="stable")[:most]
    return [{"level": view.levels[i], "share": round(float(share[i]), 4)} for i in top if mask.all() or lead[i] > 0]


def _middle(view: View, values, mask, weights) -> Any:
    mask = mask & np.isfinite(values)
    return _plain(_median(values[mask], weights[mask]), view) if mask.any() else None
