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
from ._lists import Likeness, best
from ._ranking import Ranker, Setting, combined, parts_for, without
from ._ratings import Ratings, expected, spread_of
from ._reasons import reasons_for, sentence
from ._taste import groups_of, profiles_of, taste_rows

__all__ = ["Learnt", "Rows", "numbers_of", "rows_of_fit", "rows_of_history", "suggested", "warn_of_strangers"]

_BLOCK_SCORES = 1 << 22
_HISTORY = "the users of the history"


class Learnt(NamedTuple):
    """All that suggestions are made of."""

    lines: Interactions
    items: Items
    setting: Setting
    ranker: Ranker
    recent: csr_array  # (n, m)
    groups: Groups
    likeness: Likeness
    ratings: Ratings | None


class Rows(NamedTuple):
    """Users to suggest to."""

    names: list[str]
    users: np.ndarray | None  # (r,) numbers of users of the fit; None where they are others
    liked: csr_array  # (r, m)
    seen: csr_array  # (r, m)
    profiles: csr_array  # (r, m)
    labels: np.ndarray  # (s, r)
    groups: np.ndarray  # (r,)


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


def rows_of_fit(learnt: Learnt, users: np.ndarray) -> Rows:
    """Return users of the fit."""
    ranker, taste = learnt.ranker, learnt.ranker.taste
    names = [learnt.lines.users[u] for u in users]
    return Rows(
        names, users, ranker.liked[users], ranker.seen[users], taste.profiles[users], taste.labels[:, users], learnt.groups.labels[users]
    )  # fmt: skip


def rows_of_history(learnt: Learnt, table: Table, users: Any = None) -> Rows:
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
    return Rows([names[r] for r in chosen], None, liked, seen, profiles, groups_of(taste, profiles), groups)


def warn_of_strangers(rows: Rows, items: Sequence[str]) -> None:
    """Warn of users of whose items none was learnt from."""
    strangers = np.flatnonzero(np.diff(rows.seen.indptr) == 0)
    if len(strangers):
        all_of_them = len(strangers) == len(rows.names)
        warnings.warn(
            f"{'all' if all_of_them else f'{len(strangers):,} of'} {len(rows.names):,} user{'s' if len(rows.names) != 1 else ''} "
            f"{'have' if len(strangers) != 1 or not all_of_them else 'has'} no item that the model knows, such as {brief(items[0], 40)!r}, so what "
            f"many like now is suggested{'; check that items are named as in the lines it learnt from' if all_of_them else ''}",
            ClusterWarning,
            stacklevel=3,
        )


def suggested(learnt: Learnt, rows: Rows, n: int, diversity: float, explain: bool) -> dict[str, list]:
    """Return suggestions as columns; see `ClusterRecommender.recommend`."""
    lists, scores = _lists(learnt, rows, n, diversity)
    row, place = np.nonzero(lists >= 0)
    item = lists[row, place]
    support = np.bincount(learnt.lines.item, minlength=len(learnt.lines.items))[item]
    told: dict[str, list] = {
        "user": [rows.names[r] for r in row], "rank": (place + 1).tolist(), "item": [learnt.lines.items[i] for i in item],
        "title": [learnt.items.titles[i] for i in item], "score": scores[row, place].round(6).tolist(), "support": support.tolist(),
    }  # fmt: skip
    if learnt.ratings is not None and rows.users is not None:
        told |= _told_ratings(learnt.ratings, rows.users[row], item, support)
    if explain:
        told |= _explained(learnt, rows, lists)
    return told


def _lists(learnt: Learnt, rows: Rows, n: int, diversity: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the best items of each row and their scores, (r, n), block by block."""
    there = np.ones(len(learnt.lines.items), bool)
    lists, scores = [np.empty((0, n), np.int64)], [np.empty((0, n))]
    step = max(1, _BLOCK_SCORES // max(learnt.ranker.liked.shape))
    for start in range(0, len(rows.names), step):
        block = slice(start, start + step)
        own = None if rows.users is None else rows.users[block]
        circles, linked = parts_for(learnt.ranker, rows.liked[block], rows.profiles[block], rows.labels[:, block], own)
        found = without(combined(circles, learnt.recent, linked, learnt.setting.links), rows.seen[block], there)
        lists.append(best(found, n, learnt.likeness, diversity))
        scores.append(np.take_along_axis(found, np.maximum(lists[-1], 0), 1))
    return np.concatenate(lists), np.concatenate(scores)


def _told_ratings(ratings: Ratings, user: np.ndarray, item: np.ndarray, support: np.ndarray) -> dict[str, list]:
    values = expected(ratings, user, item)
    around = spread_of(ratings, support)
    low, high = (np.clip(values + sign * around, *ratings.limits) for sign in (-1, 1))
    return {"rating": values.round(3).tolist(), "low": low.round(3).tolist(), "high": high.round(3).tolist()}


def _explained(learnt: Learnt, rows: Rows, lists: np.ndarray) -> dict[str, list]:
    told: dict[str, list] = {"group": [], "similar_to": [], "reason": []}
    by_item, titles = learnt.ranker.liked.T.tocsr(), learnt.items.titles
    for row, items in enumerate(lists):
        items = items[items >= 0]
        group = rows.groups[row]
        name = learnt.groups.groups[group].name if group >= 0 else None
        own = rows.liked.indices[rows.liked.indptr[row] : rows.liked.indptr[row + 1]]
        why = reasons_for(items, own, by_item, (learnt.groups.labels == group) & (group >= 0))
        told["group"] += [name] * len(items)
        told["similar_to"] += [titles[i] if i >= 0 else None for i in why.similar_to]
        told["reason"] += [sentence(why, q, name, titles) for q in range(len(items))]
    return told


def _ones(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> csr_array:
    table = csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
    table.sum_duplicates()
    table.data[:] = 1.0
    return table
