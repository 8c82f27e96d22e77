"""Who chose or rated what, and when: from the user's table to arrays, with what was left out said."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ...errors import InputError
from ...tables import Table
from ...tables.table import brief
from ._columns import Given, as_days, as_names, as_ratings, find_columns

__all__ = ["Interactions", "read_interactions", "table_of"]


class Interactions(NamedTuple):
    """Lines of user and item, at most one for each pair.

    Attributes
    ----------
    users, items : list of str
        Names, in order.
    user, item : (e,) int64 arrays
    rating : (e,) float64 array or None
    day : (e,) float64 array or None
        Days since 1970, or the time in a unit of its own; see ``dated``.
    liked : (e,) bool array
        Ratings that say that the user liked the item; all where there are no ratings.
    threshold : float or None
        Least rating that does.
    columns : dict
        Name of the column of each meaning.
    notes : tuple of str
    n_left_out : int
        Lines that lacked a value.
    since : (e,) float64 array or None
        Day of the first of the lines of a user and item, of which ``day`` and ``rating`` are the last.
    first_rating : (e,) float64 array or None
        Rating of that first line.
    dated : bool
        Whether times are days.
    """

    users: list[str]
    items: list[str]
    user: NDArray[np.int64]
    item: NDArray[np.int64]
    rating: Any
    day: Any
    liked: NDArray[np.bool_]
    threshold: float | None
    columns: dict[str, str]
    notes: tuple[str, ...] = ()
    n_left_out: int = 0
    since: Any = None
    dated: bool = True
    first_rating: Any = None

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of users and of items."""
        return len(self.users), len(self.items)

    def take(self, rows: Any) -> "Interactions":
        """Return some of the lines; users and items keep their numbers."""
        part: dict[str, Any] = {
            name: None if getattr(self, name) is None else getattr(self, name)[rows]
            for name in ("user", "item", "rating", "day", "liked", "since", "first_rating")
        }
        return self._replace(**part)

    def until(self, day: float) -> "Interactions":
        """Return the lines of items that users had by a day; one that was used again later counts as of, and as at, its first use."""
        had = self.take(self.since <= day)
        as_now = had.day <= day
        if had.rating is None or had.first_rating is None:
            return had._replace(day=np.where(as_now, had.day, had.since))
        rating = np.where(as_now, had.rating, had.first_rating)
        return had._replace(day=np.where(as_now, had.day, had.since), rating=rating, liked=rating >= had.threshold)


def table_of(lines: Interactions, values: Any = None) -> csr_array:
    """Return users by items as a sparse table of ``values``, by default of ones."""
    values = np.ones(len(lines.user)) if values is None else values
    return csr_array((values, (lines.user, lines.item)), shape=lines.shape)


def read_interactions(table: Table, given: Given, like: float | None) -> Interactions:
    """Read a table of ratings or choices.

    Parameters
    ----------
    table : Table
    given : Given
    like : float or None
        Least rating that says that a user liked an item; None is the least rating that is not below the mean.

    Raises
    ------
    InputError
        If nothing can be learnt from it.
    """
    found = find_columns(table, given)
    names = {what: column.name for what, column in found.items() if column is not None}
    user_names, user = as_names(found["user"])
    item_names, item = as_names(found["item"])
    rating = None if found["rating"] is None else as_ratings(found["rating"])
    day, dated = (None, True) if found["time"] is None else as_days(found["time"])
    whole = (user >= 0) & (item >= 0)
    for values in (rating, day):
        whole &= True if values is None else np.isfinite(values)
    notes = [
        f"{names[what]} names the {what}" if what in ("user", "item") else f"{names[what]} is the {what}"
        for what in names
    ]
    if not dated:
        notes.append(f"{names['time']} counts in a unit of its own, as no dates are written like its numbers")
    if rating is None and like is not None:
        raise InputError(
            f"like={like:g} is for ratings, and there are none; name their column with rating, or leave like out"
        )
    if dropped := int((~whole).sum()):
        notes.append(f"{dropped:,} of {len(user):,} lines lack a value and are left out")
    keep, first = _one_for_each_pair(np.flatnonzero(whole), user, item, rating, day, notes, (user_names, item_names))
    since, first_rating = (None if values is None or day is None else values[first] for values in (day, rating))
    user, item = user[keep], item[keep]
    rating, day = (None if values is None else values[keep] for values in (rating, day))
    user_names, user = _used(user_names, user)
    item_names, item = _used(item_names, item)
    _check_links(user, item, len(user_names), len(item_names), table.name)
    threshold = None if rating is None else _threshold(rating, like, names["rating"])
    liked = np.ones(len(user), bool) if rating is None else rating >= threshold
    return Interactions(
        user_names,
        item_names,
        user,
        item,
        rating,
        day,
        liked,
        threshold,
        names,
        tuple(notes),
        dropped,
        since,
        dated,
        first_rating,
    )


def _one_for_each_pair(rows: Any, user: Any, item: Any, rating: Any, day: Any, notes: list[str], names: Any) -> Any:
    """Return the rows to keep, in order, of several of one user and item the last in time; and the first of each."""
    if len(rows) == 0:
        raise InputError(
            "no line has both a user and an item (and a rating and a time where such columns are taken); check the columns"
        )
    order = rows[np.lexsort((rows, np.zeros(len(rows)) if day is None else day[rows], item[rows], user[rows]))]
    same = (user[order[1:]] == user[order[:-1]]) & (item[order[1:]] == item[order[:-1]])
    if rating is not None and day is None:
        differ = np.flatnonzero(same & (rating[order[1:]] != rating[order[:-1]]))
        if len(differ):
            a, b = order[differ[0]], order[differ[0] + 1]
            raise InputError(
                f"{len(differ):,} {'rating contradicts another' if len(differ) == 1 else 'ratings contradict others'} of the same user and item, such as {rating[a]:g} and {rating[b]:g} of user "
                f"{brief(names[0][user[a]], 40)} for item {brief(names[1][item[a]], 40)}; keep one of each, or give a column of times, so that the last counts"
            )
    if same.any():
        notes.append(
            f"{int(same.sum()):,} lines repeat a user and item; {'one' if day is None else 'the last'} of each counts"
        )
    last, first = order[np.append(~same, True)], order[np.append(True, ~same)]
    place = np.argsort(last, kind="stable")
    return last[place], first[place]


def _used(names: list[str], codes: Any) -> tuple[list[str], Any]:
    used, codes = np.unique(codes, return_inverse=True)
    return [names[i] for i in used], codes.astype(np.int64)


def _check_links(user: Any, item: Any, n_users: int, n_items: int, name: str) -> None:
    for n, what, of in ((n_users, "user", "users"), (n_items, "item", "items")):
        if n < 2:
            raise InputError(
                f"{name} holds 1 {what}, and suggestions come from what several {of} have in common; check the column of {of}"
            )
    if np.bincount(item).max() < 2:
        raise InputError(
            f"no item of {name} was chosen by two users, so nothing links their tastes; check the column of items (it may number the lines)"
        )
    if np.bincount(user).max() < 2:
        raise InputError(
            f"no user of {name} chose two items, so nothing links the items; check the column of users (it may number the lines)"
        )


def _threshold(rating: Any, like: float | None, column: str) -> float:
    least, most = float(rating.min()), float(rating.max())
    if least == most:
        raise InputError(
            f"all {len(rating):,} ratings in column {column!r} are {least:g}, which tells nothing of taste; give --rating none to take each line "
            "as a choice"
        )
    if like is not None:
        if not least <= like <= most:
            raise InputError(f"like must be a rating from {least:g} to {most:g}, got {like:g}")
        return float(like)
    values = np.unique(rating)
    return float(values[np.searchsorted(values, rating.mean())])
