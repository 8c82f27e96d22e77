"""The figures of a recommender, with what each means."""

from collections.abc import Mapping
from typing import Any

__all__ = ["WORDS", "recommend_metrics"]

WORDS = (
    ("NDCG", "how high in a list of ten what the user then liked stands: 1 all on top, 0 none in the list"),
    ("coverage", "the share of all items that is in anybody's list"),
    ("half-life", "the time after which a like counts half"),
    ("support", "how many lines of the file an item has"),
    ("known user", "one with at least five likes before the window"),
    (
        "popularity",
        "the same ten items for everyone: those liked most of late, with the half-life that turned out best",
    ),
)

_ROLLING = (
    ("ndcg", "NDCG of ten suggestions", "number", "Mean over known users and windows of DCG / ideal DCG at 10: 1 / log2(rank + 1) for each suggested item that was liked in the window; the ideal has min(10, liked) of them, items that were new included. All items that the user did not have are ranked.", True),
    ("popularity_ndcg", "NDCG of what was popular", "number", "The same for the ten most liked items, each like halved for every half-life since; the half-life is the best of a grid for these very windows.", True),
    ("coverage", "Coverage", "percent", "Share of all items that was in at least one list.", True),
    ("popularity_coverage", "Coverage of what was popular", "percent", "Share of all items among the popular ones that were suggested.", False),
    ("recall", "Recall of ten suggestions", "percent", "Mean share of what a user liked in the window that was suggested.", False),
    ("precision", "Precision of ten suggestions", "percent", "Mean share of the suggestions that were liked in the window.", False),
    ("variety", "Variety of a list", "number", "Mean over lists and pairs of items of 1 - likeness: the Jaccard index of tags, or the cosine of who likes them.", False),
    ("gini", "Inequality of exposure", "number", "Gini index of how often items are suggested: 0 all alike, 1 one item only.", False),
    ("novelty", "Novelty", "number", "Mean of -log2 of the share of users who already have a suggested item.", False),
    ("new_user_ndcg", "NDCG for new users", "number", "The same as NDCG, for users with fewer than five likes before the window.", False),
    ("new_item_share", "Liked items that were new", "percent", "Share of what was liked in the windows that nobody had before: no method can suggest it.", False),
)  # fmt: skip
_DRAWN = (
    ("drawn_ndcg", "NDCG of ten suggestions", "number", "The mean over users of DCG / ideal DCG at 10 for a fifth of the likes, drawn at random and held out; easier than what comes later in time.", True),
    ("drawn_popularity_ndcg", "NDCG of what was popular", "number", "The same for the ten most liked items.", True),
)  # fmt: skip
_RATINGS = (
    ("rmse", "RMSE of predicted ratings", "number", "Root of the mean squared error of ratings that were held out: a tenth of them, or at least 500 by tenths in turn. Each is predicted with nothing learnt from it.", True),
    ("mae", "MAE of predicted ratings", "number", "Mean absolute error on the same ratings.", False),
)  # fmt: skip
_GAIN = (
    ("mean", "NDCG more than what was popular", "Mean over known users and windows of the difference in NDCG; below 0, what was popular served better."),
    ("low", "The same, at least", "Lower end of a 95 % range of that difference. Lines of one user, or of one window, count as one observation, whichever leaves more uncertain. Above 0, suggestions were better."),
    ("high", "The same, at most", "Upper end, which also allows for what was popular being the best of several half-lives in hindsight. Below 0, suggestions were worse."),
)  # fmt: skip
_OVERLAPS = (
    ("seeds", "Same suggestions with another seed", "Mean share of a user's ten suggestions that are also made with another seed.", True),
    ("lines", "Same suggestions from other lines", "Mean share of a user's ten suggestions that are also made when a tenth of the lines is dropped.", False),
)  # fmt: skip


def recommend_metrics(recommender: Any, told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the metrics that could be measured.

    Parameters
    ----------
    recommender : ClusterRecommender
    told : mapping
        By protocol.
    """
    found = [
        _metric(name, label, recommender.metrics_[name], form, definition, key)
        for name, label, form, definition, key in (*_ROLLING, *_DRAWN, *_RATINGS)
        if name in recommender.metrics_
    ]
    consistency, rolling = told["consistency"], told.get("rolling", {})
    if rolling.get("group_drift") is not None:
        found.append(
            _metric(
                "group_drift",
                "Groups from window to window",
                rolling["group_drift"],
                "number",
                "Mean adjusted Rand index of the taste groups at the start of a window and of the next, on users known at both: 1 the same, 0 no better than chance. Where it is about as high as between seeds, tastes did not move.",
                False,
            )
        )
        found.append(
            _metric(
                "group_seeds",
                "Groups from seed to seed",
                rolling["group_seeds"],
                "number",
                "The same between two seeds at the start of one window.",
                False,
            )
        )
    if gain := rolling.get("gain"):
        found += [
            _metric(f"gain_{name}", label, gain[name], "number", definition, False) for name, label, definition in _GAIN
        ]
    for name, label, definition, key in _OVERLAPS:
        if consistency[name] is not None:
            found.append(_metric(f"overlap_{name}", label, consistency[name], "percent", definition, key))
    return [
        *found,
        _metric("group_stability", "Stability of the groups", recommender.metrics_["group_stability"], "number", "Mean adjusted Rand index of taste groups found in two overlapping random parts of the users, on those they share: 1 always the same, 0 no better than chance.", False),
    ]  # fmt: skip


def _metric(name: str, label: str, value: float, form: str, definition: str, key: bool) -> dict[str, Any]:
    return {"name": name, "label": label, "value": value, "format": form, "definition": definition, "key": key}
