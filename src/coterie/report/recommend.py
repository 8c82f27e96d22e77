"""Suggestions as a sheet: the answer first, a card for each taste group, how good suggestions were, and the files."""

import json
from collections.abc import Mapping
from typing import Any

from ..applications.recommend import ClusterRecommender
from ..study.record import plain
from .cells import csv_text, write_text
from .recommend_metrics import WORDS, recommend_metrics
from .recommend_sections import recommend_sections
from .sheet import Sheet, sheet_record
from .words import counted, percent

__all__ = ["recommend_sheet", "suggestions_text"]

_MANY_LINES = 300_000
_UNSTEADY = 0.8
_FEW_USERS = 30
_LOOSE = 0.4
_MANY_LEFT_OUT = 0.01
_TOP = 3


def recommend_sheet(
    recommender: ClusterRecommender, options: Mapping[str, Any] | None = None, *, n: int = 10, excel_safe: bool = False
) -> Sheet:
    """Return what was found, ready to be shown and written.

    Parameters
    ----------
    recommender : ClusterRecommender
        Fitted.
    options : mapping, optional
        As the user gave them.
    n : int, default=10
        Suggestions for each user.
    excel_safe : bool, default=False
        Defuse texts in the CSV files that a spreadsheet would run as formulas.

    Returns
    -------
    Sheet
        Files: recommendations.csv, groups.csv, users.csv, evaluation.json, model.coterie.
    """
    suggestions = recommender.recommend(n=n, explain=True)
    told = _evaluation(recommender)
    record = sheet_record(
        kind="recommend",
        source=recommender.source_,
        options=dict(options or {}),
        seed=recommender.random_state,
        headline=f"Suggestions for {counted(len(recommender.users_), 'user')} in {counted(len(recommender.groups_), 'taste group')}",
        answer=_answer(recommender, told),
        groups=_groups(recommender),
        noun="taste group",
        members="users",
        sections=plain(recommend_sections(recommender, suggestions, told)),
        metrics=plain(recommend_metrics(recommender, told)),
        warnings=_warnings(recommender, suggestions, told),
        notes=recommender.notes_,
        steps=recommender.steps_,
        words=WORDS,
    )
    writers = {
        "recommendations.csv": lambda path: write_text(path, suggestions_text(suggestions, excel_safe=excel_safe)),
        "groups.csv": lambda path: write_text(path, _groups_text(recommender, excel_safe)),
        "users.csv": lambda path: write_text(path, _users_text(recommender, excel_safe)),
        "evaluation.json": lambda path: write_text(path, json.dumps(plain(told), indent=1, allow_nan=False) + "\n"),
        "model.coterie": recommender.save,
    }
    return Sheet(record, writers, ("coterie recommend NEW.csv --model {folder}",))


def suggestions_text(suggestions: Mapping[str, list], *, excel_safe: bool = False) -> str:
    """Return suggestions as CSV."""
    return csv_text(list(suggestions), zip(*suggestions.values(), strict=True), excel_safe=excel_safe)


def _evaluation(recommender: ClusterRecommender) -> dict[str, Any]:
    """Measure whatever the lines allow; sparsity only where that takes seconds."""
    told: dict[str, Any] = {"consistency": recommender.evaluate("consistency")}
    if "ndcg" in recommender.metrics_:
        told["rolling"] = recommender.evaluate("rolling")
    if recommender.source_["rows"] < _MANY_LINES:
        told["sparsity"] = recommender.evaluate("sparsity")
    if "rmse" in recommender.metrics_:
        told["calibration"] = recommender.calibration()
    return told


def _answer(recommender: ClusterRecommender, told: Mapping[str, Any]) -> list[str]:
    largest = recommender.groups_[0]
    said = [
        f"The users fall into {counted(len(recommender.groups_), 'taste group')}; the largest, {largest.name}, holds {percent(largest.share)} of them."
    ]
    if rolling := told.get("rolling"):
        said.append(_compared(rolling))
    if "rmse" in recommender.metrics_:
        said.append(
            f"Ratings that were held out were predicted with an error (RMSE) of {recommender.metrics_['rmse']:.2f}."
        )
    if (same := told["consistency"]["seeds"]) is not None:
        said.append(f"With another seed, {percent(same)} of a user's ten suggestions stay the same.")
    return said


def _compared(rolling: Mapping[str, Any]) -> str:
    popular, n = rolling["popularity"], rolling["user_windows"]
    if n < _FEW_USERS:
        return f"Only {counted(n, 'known user')} liked anything in windows of the past: too few to say how good suggestions are."
    gain = rolling["gain"]
    verdict = (
        "better than"
        if gain["low"] > 0
        else "worse than"
        if gain["high"] < 0
        else "neither clearly better nor worse than"
    )
    times = rolling["coverage"] / max(popular["coverage"], 1e-12)
    return (
        f"In {counted(len(rolling['windows']), 'window')} of the past, ten suggestions were {verdict} what was popular at the time (NDCG "
        f"{rolling['ndcg']:.3f} to {popular['ndcg']:.3f}, a difference from {gain['low']:.3f} to {gain['high']:.3f}), and showed {times:.1f} times as many different items."
    )


def _groups(recommender: ClusterRecommender) -> list[dict[str, Any]]:
    cards = []
    for g, group in enumerate(recommender.groups_):
        facts = [
            [name, f"{percent(inside)} of them, {percent(overall)} of all"]
            for name, inside, overall in group.items[:_TOP]
        ]
        cards.append({"id": g, "name": group.name, "size": group.size, "share": float(group.share), "facts": facts})
    return cards


def _warnings(
    recommender: ClusterRecommender, suggestions: Mapping[str, list], told: Mapping[str, Any]
) -> list[dict[str, Any]]:
    found = []
    if not suggestions["user"]:
        found.append(
            {
                "text": "Every user has every item, so there is nothing to suggest.",
                "remedy": "Give items that some users lack.",
            }
        )
    left_out = recommender.n_left_out_
    if left_out > _MANY_LEFT_OUT * recommender.source_["rows"]:
        found.append({
            "text": f"{counted(left_out, 'line')} of {recommender.source_['rows']:,} lack a user, an item, a rating or a time that can be read, and are left out.",
            "remedy": "Complete them, or give none for a rating or time that is not needed.",
        })  # fmt: skip
    same = told["consistency"]["seeds"]
    if same is not None and same < _UNSTEADY:
        found.append({
            "text": f"Only {percent(same)} of the suggestions stay the same with another seed.",
            "remedy": "Give more lines, or fewer groups with --groups.",
        })  # fmt: skip
    steady = recommender.metrics_["group_stability"]
    if steady < _LOOSE and len(recommender.groups_) > 1:
        found.append({
            "text": f"The taste groups are loose: groups of other users would look different (stability {steady:.2f} of 1).",
            "remedy": "Read them as a rough map, or ask for fewer with --groups.",
        })  # fmt: skip
    if rolling := told.get("rolling"):
        if rolling["user_windows"] >= _FEW_USERS and rolling["gain"]["high"] < 0:
            found.append({
                "text": f"What was popular served better than these suggestions (NDCG {rolling['popularity']['ndcg']:.3f} to {rolling['ndcg']:.3f}).",
                "remedy": "There may be too few lines for a user, or tastes that change fast; try a shorter --half-life.",
            })  # fmt: skip
    else:
        found.append({
            "text": "There is no window of time in which users who were known before liked anything, so suggestions could not be tested on what came later.",
            "remedy": "Name a column of times with --time, or give lines over a longer time.",
        })  # fmt: skip
    return found


def _groups_text(recommender: ClusterRecommender, excel_safe: bool) -> str:
    lines = [
        (g, group.name, group.size, round(float(group.share), 6), rank + 1, title, round(float(inside), 6), round(float(overall), 6), round(float(inside / overall), 4))
        for g, group in enumerate(recommender.groups_)
        for rank, (title, inside, overall) in enumerate(group.items)
    ]  # fmt: skip
    return csv_text(
        ["group", "name", "size", "share", "rank", "item", "liked_in_group", "liked_by_all", "lift"],
        lines,
        excel_safe=excel_safe,
    )


def _users_text(recommender: ClusterRecommender, excel_safe: bool) -> str:
    names = [group.name for group in recommender.groups_]
    lines = (
        (user, label if label >= 0 else None, names[label] if label >= 0 else None)
        for user, label in zip(recommender.users_, recommender.labels_.tolist(), strict=True)
    )
    return csv_text(["user", "group", "name"], lines, excel_safe=excel_safe)
