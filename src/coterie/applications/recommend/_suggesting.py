"""From what was learnt to suggestions: for users of the fit, or for others by their own lines."""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from ...errors import ClusterWarning, InputError
from ...tables import Table
from ...tables.table import brief
from ._columns import NONE, Given, as_names, as_ratings, find_columns
from ._groups import Groups
from ._interactions import Interactions
from ._items import Items
from ._lists import Likeness
from ._ranking import Ranker, Rows, Setting, ranked, rows_of
from ._ratings import Ratings, expected, spread_of
from ._reasons import reasons_for, sentence
from ._taste import Liked, groups_of, profiles_of, taste_rows

__all__ = ["Asked", "Learnt", "asked_of_fit", "asked_of_history", "numbers_of", "suggested", "warn_of_strangers"]

_HISTORY = "the users of the history"


class Learnt(NamedTuple):
    """All that suggestions are made of."""

    lines: Interactions
    items: Items
    setting: Setting
    ranker: Ranker
    recent: Liked
    groups: Groups
    likeness: Likeness
    ratings: Ratings | None


class Asked(NamedTuple):
    """Who wants suggestions."""

    names: list[str]
    rows: Rows
    groups: np.ndarray  # (r,) taste groups; -1 for one who liked nothing


def numbers_of(names: Any, known: Sequence[str], what: str, where: str = "those that were learnt from") -> np.ndarray:
    """Return the positions of names among those that are known, which come from ``where``.

    Raises
    ------
    InputError
        If one is not among them.
    """
    place = {name: i for i, name in enumerate(known)}
    wanted = [str(int(name)) if isinstance(name, float) and name.is_integer() else str(name) for name in names]
    missing = next((name for name in wanted if name not in place), None)
    if missing is not None:
        new = "; give lines of new users as history" if what == "user" and where != _HISTORY else ""
        raise InputError(f"no {what} is called {missing!r} among {where}{new}")
    return np.array([place[name] for name in wanted], np.int64)


def asked_of_fit(learnt: Learnt, users: np.ndarray) -> Asked:
    """Return users of the fit."""
    return Asked([learnt.lines.users[u] for u in users], rows_of(learnt.ranker, users), learnt.groups.labels[users])


def asked_of_history(learnt: Learnt, table: Table, users: Any = None) -> Asked:
    """Return others, by lines of their own with the columns of the fit; items that were not in the fit say nothing."""
    lines, taste = learnt.lines, learnt.ranker.taste
    columns = {name: lines.columns.get(name, NONE) for name in Given._fields if name != "time"}
    found = find_columns(table, Given(**columns, time=NONE))
    names, user = as_names(found["user"])
    item_names, item = as_names(found["item"])
    place = {name: i for i, name in enumerate(lines.items)}
    where = np.array([place.get(name, -1) for name in item_names] or [-1])[item]
    seen_rows = (user >= 0) & (item >= 0) & (where >= 0)
    liked_rows = seen_rows if lines.threshold is None else seen_rows & (as_ratings(found["rating"]) >= lines.threshold)
    shape = len(names), len(lines.items)
    chosen = np.arange(len(names)) if users is None else numbers_of(users, names, "user", _HISTORY)
    seen, liked = (_ones(user[rows], where[rows], shape)[chosen] for rows in (seen_rows, liked_rows))
    profiles = profiles_of(liked, taste.importance)
    groups = np.full(len(chosen), -1, np.int64)
    known = np.flatnonzero(np.diff(liked.indptr))
    if len(known):
        groups[known] = learnt.groups.order[learnt.groups.clusterer.predict(taste_rows(taste, profiles[known]))]
    return Asked([names[r] for r in chosen], Rows(None, liked, seen, profiles, groups_of(taste, profiles)), groups)


def warn_of_strangers(asked: Asked, items: Sequence[str]) -> None:
    """Warn of users of whose items none was learnt from."""
    strangers = np.flatnonzero(np.diff(asked.rows.seen.indptr) == 0)
    if len(strangers):
        all_of_them = len(strangers) == len(asked.names)
        warnings.warn(
            f"{'all' if all_of_them else f'{len(strangers):,} of'} {len(asked.names):,} user{'s' if len(asked.names) != 1 else ''} "
            f"{'have' if len(strangers) != 1 or not all_of_them else 'has'} no item that the model knows, such as {brief(items[0], 40)!r}, so what "
            f"many like now is suggested{'; check that items are named as in the lines it learnt from' if all_of_them else ''}",
            ClusterWarning,
            stacklevel=3,
        )


def suggested(learnt: Learnt, asked: Asked, n: int, diversity: float, explain: bool) -> dict[str, list]:
    """Return suggestions as columns; see `ClusterRecommender.recommend`."""
    varied = {"likeness": learnt.likeness, "diversity": diversity}
    lists, scores = ranked(learnt.ranker, learnt.recent, learnt.setting.links, asked.rows, n=n, **varied)
    row, place = np.nonzero(lists >= 0)
    item = lists[row, place]
    support = np.bincount(learnt.lines.item, minlength=len(learnt.lines.items))[item]
    told: dict[str, list] = {
        "user": [asked.names[r] for r in row], "rank": (place + 1).tolist(), "item": [learnt.lines.items[i] for i in item],
        "title": [learnt.items.titles[i] for i in item], "score": scores[row, place].round(6).tolist(), "support": support.tolist(),
    }  # fmt: skip
    if learnt.ratings is not None and asked.rows.users is not None:
        told |= _told_ratings(learnt.ratings, asked.rows.users[row], item, support)
    if explain:
        told |= _explained(learnt, asked, row, item)
    return told


def _told_ratings(ratings: Ratings, user: np.ndarray, item: np.ndarray, support: np.ndarray) -> dict[str, list]:
    values = expected(ratings, user, item)
    around = spread_of(ratings, support)
    low, high = (np.clip(values + sign * around, *ratings.limits) for sign in (-1, 1))
    return {"rating": values.round(3).tolist(), "low": low.round(3).tolist(), "high": high.round(3).tolist()}


def _explained(learnt: Learnt, asked: Asked, row: np.ndarray, item: np.ndarray) -> dict[str, list]:
    titles, names = learnt.items.titles, [group.name for group in learnt.groups.groups]
    group = asked.groups[row]
    why = reasons_for(item, asked.rows.liked, row, group, learnt.ranker.liked, learnt.groups.labels)
    return {
        "group": [names[g] if g >= 0 else None for g in group],
        "similar_to": [titles[i] if i >= 0 else None for i in why.similar_to],
        "reason": [sentence(why, q, names[g] if g >= 0 else None, titles) for q, g in enumerate(group)],
    }


def _ones(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> csr_array:
    table = csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
    table.sum_duplicates()
    table.data[:] = 1.0
    return table
