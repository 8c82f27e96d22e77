"""The sections of a sheet of suggestions: windows of the past, groups, how far ratings can be trusted, and the suggestions."""

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

__all__ = ["recommend_sections"]

_MOST_ROWS = 500
_MOST_ITEMS, _ITEMS_PER_GROUP = 24, 3


def recommend_sections(
    recommender: Any, suggestions: Mapping[str, list], told: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the sections in the order in which a reader wants them.

    Parameters
    ----------
    recommender : ClusterRecommender
    suggestions : mapping
        Columns.
    told : mapping
        By protocol.
    """
    return list(_sections(recommender, suggestions, told))


def _sections(recommender: Any, suggestions: Mapping[str, list], told: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if suggestions["user"]:
        yield _suggestions(suggestions)
    if rolling := told.get("rolling"):
        yield _windows(rolling["windows"], recommender.dated_)
    yield _groups_and_items(recommender)
    if calibration := told.get("calibration"):
        yield _calibration(calibration)
    if sparsity := told.get("sparsity"):
        yield from _sparsity(sparsity)
    if suggestions["user"]:
        yield _support(suggestions)


def _suggestions(suggestions: Mapping[str, list]) -> dict[str, Any]:
    columns = [
        ("user", "User", "text"),
        ("rank", "Rank", "integer"),
        ("title", "Item", "text"),
        ("reason", "Why", "text"),
        ("support", "Support", "integer"),
    ]
    if "rating" in suggestions:
        columns += [("rating", "Expected rating", "number"), ("low", "Lowest", "number"), ("high", "Highest", "number")]
    rows = list(zip(*(suggestions[name][:_MOST_ROWS] for name, *_ in columns), strict=True))
    return {
        "kind": "table", "title": "What to suggest to whom", "file": "recommendations.csv", "total": len(suggestions["user"]),
        "text": "The first suggestions, each with what speaks for it. Nine of ten ratings lie between the lowest and the highest."
        if "rating" in suggestions else "The first suggestions, each with what speaks for it.",
        "columns": [{"name": name, "label": label, "format": form} for name, label, form in columns], "rows": [list(row) for row in rows],
    }  # fmt: skip


def _windows(windows: list[dict[str, Any]], dated: bool) -> dict[str, Any]:
    used = [one for one in windows if one["users"]]
    return {
        "kind": "bars", "title": "How good suggestions were, window by window",
        "text": "NDCG for users who were known before each window, learning only from what came before it. A fall over the windows says that the past tells less and less.",
        "labels": [f"{_day(one['start'], dated)} to {_day(one['end'], dated)}: {one['users']:,} users" for one in used],
        "series": [{"name": "ten suggestions", "values": [one["ndcg"] for one in used]}, {"name": "what was popular", "values": [one["popularity_ndcg"] for one in used]}], "format": "number",
    }  # fmt: skip


def _groups_and_items(recommender: Any) -> dict[str, Any]:
    """How far each group likes the items that set the groups apart."""
    wanted: list[str] = []
    for group in recommender.groups_:
        wanted += [title for title, *_ in group.items[:_ITEMS_PER_GROUP] if title not in wanted]
    wanted = wanted[:_MOST_ITEMS]
    shares = recommender.group_shares(wanted)
    return {
        "kind": "heat", "title": "What each group likes", "row_label": "item", "column_label": "group",
        "text": "Share of each group that liked the items that set the groups apart.", "format": "percent", "scale": "sequential",
        "rows": wanted, "columns": [group.name for group in recommender.groups_], "values": shares.T.tolist(),
    }  # fmt: skip


def _calibration(calibration: Mapping[str, list]) -> dict[str, Any]:
    labels = [
        f"{value:.2f} ({count:,})" for value, count in zip(calibration["predicted"], calibration["count"], strict=True)
    ]
    return {
        "kind": "bars", "title": "Are predicted ratings right?", "format": "number", "labels": labels,
        "text": "Held-out ratings by what was predicted for them (how many in brackets): where both bars are alike, predictions can be taken at their word.",
        "series": [{"name": "predicted", "values": calibration["predicted"]}, {"name": "rated", "values": calibration["rated"]}],
    }  # fmt: skip


def _sparsity(sparsity: Mapping[str, list]) -> Iterator[dict[str, Any]]:
    x = [f"{share:.0%} dropped" for share in sparsity["dropped"]]
    if None not in sparsity["rmse"]:
        yield {
            "kind": "lines", "title": "Ratings, with fewer lines", "x": x, "x_label": "lines to learn from", "y_label": "RMSE", "format": "number",
            "text": "Error of predicted ratings when lines are dropped, on the same tenth of the lines; the baseline knows only how users and items lean.",
            "series": [{"name": "predicted", "values": sparsity["rmse"]}, {"name": "baseline", "values": sparsity["baseline_rmse"]}],
        }  # fmt: skip
    if None not in sparsity["ndcg"]:
        yield {
            "kind": "lines", "title": "Suggestions, with fewer lines", "x": x, "x_label": "lines to learn from", "y_label": "NDCG", "format": "number",
            "text": "NDCG of ten suggestions on the same tenth of the lines, drawn at random and so easier than windows of time.",
            "series": [{"name": "suggestions", "values": sparsity["ndcg"]}, {"name": "popularity", "values": sparsity["popularity_ndcg"]}],
        }  # fmt: skip


def _support(suggestions: Mapping[str, list]) -> dict[str, Any]:
    support = np.array(suggestions["support"])
    edges = np.unique(np.round(np.geomspace(1, max(support.max(), 2) + 1, 12)))
    counts, _ = np.histogram(support, edges)
    return {
        "kind": "histogram", "title": "How much stands behind a suggestion", "text": "Suggestions by how many lines of the file the item has.",
        "edges": edges.tolist(), "series": [{"name": "suggestions", "counts": counts.tolist()}], "x_label": "lines of the item",
    }  # fmt: skip


def _day(day: float, dated: bool) -> str:
    if not dated:
        return f"{day:,.6g}"
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=int(day))).isoformat()
