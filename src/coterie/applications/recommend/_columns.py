"""Which column names the user, the item, the rating and the time."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...tables.cast import name_words
from ...tables.dates import dates_from_numbers, parse_dates
from ...tables.roles import is_id_name
from ...tables.table import Column, Table, brief, listing

__all__ = ["NONE", "Given", "as_days", "as_names", "as_ratings", "find_columns", "find_item_columns"]

NONE = "none"  # given as a column's name: there is to be none of this meaning
_USER = {
    "user",
    "userid",
    "customer",
    "customerid",
    "member",
    "visitor",
    "client",
    "reader",
    "reviewer",
    "account",
    "person",
}
_ITEM = {
    "item", "itemid", "movie", "movieid", "product", "productid", "book", "isbn", "song", "track", "artist", "article", "sku",
    "stockcode", "film", "game", "recipe", "page",
}  # fmt: skip
_RATING = {"rating", "ratings", "stars", "score", "rate", "grade"}
_TIME = {"timestamp", "time", "date", "datetime", "day", "when", "ts", "at"}
_TITLE = {"title", "name", "label", "description"}
_TAGS = {"genres", "genre", "categories", "category", "tags", "tag", "topics", "topic"}
_EPOCH_DAYS = 3_650, 47_500  # 1980 to 2100: numbers that are days since 1970
_LARGEST = 1e15  # a rating: beyond, squares and sums of them say nothing
_MANY_NUMBERS = 20  # columns of numbers that make a table without users or items look like a wide matrix


class Given(NamedTuple):
    """The columns that were named; None where one is to be found, `NONE` where there is to be none."""

    user: str | None = None
    item: str | None = None
    rating: str | None = None
    time: str | None = None


def find_columns(table: Table, given: Given) -> dict[str, Any]:
    """Return the column of each meaning, by ``user``, ``item``, ``rating`` and ``time``.

    Raises
    ------
    InputError
        If there is none that names the user or the item, or a name that was given is not there.
    """
    words = {"user": _USER, "item": _ITEM, "rating": _RATING, "time": _TIME}
    found: dict[str, Any] = {}
    for what, name in zip(Given._fields, given, strict=True):
        if name is not None and name != NONE:
            found[what] = table.column(name)
    for what, name in zip(Given._fields, given, strict=True):
        if name is None:
            taken = {column.name for column in found.values() if column is not None}
            free = [column for column in table.columns if column.name not in taken]
            found[what] = _named(free, words[what])
    for what in ("user", "item"):
        if found.get(what) is None:
            raise _no_column(table, what)
    if found["user"] is found["item"]:
        raise InputError(f"column {given.user!r} cannot name both the user and the item; give two columns")
    return {what: found.get(what) for what in Given._fields}


def find_item_columns(table: Table, items: list[str]) -> tuple[Column, Column | None, Column | None]:
    """Return the columns of a table of items that hold its name in the ratings, its title and its tags; the last two may be missing.

    Parameters
    ----------
    table : Table
    items : list of str
        As in the ratings.

    Raises
    ------
    InputError
        If no column holds them.
    """
    known = set(items)
    shares = [len(known & set(as_names(column)[0])) / len(known) for column in table.columns]
    best = int(np.argmax(shares)) if shares else 0
    if not shares or shares[best] == 0:
        raise InputError(
            f"no column of {table.name} holds the items of the ratings, such as {brief(items[0], 40)!r} (there are: {listing(table.names)}); "
            "give a file with a line for each item, named as in the ratings"
        )
    rest = [column for j, column in enumerate(table.columns) if j != best and column.kind == "text"]
    return table.columns[best], _named(rest, _TITLE), _named(rest, _TAGS)


def as_names(column: Column) -> tuple[list[str], NDArray[np.int64]]:
    """Return the different names in a column, in order, and which each row has; -1 where it is missing."""
    codes = np.full(len(column.values), -1, np.int64)
    known = ~column.missing
    if column.kind == "text":
        values, order = np.unique(np.array(column.levels.values, object).astype(str), return_inverse=True)
        codes[known] = order[column.levels.codes[known]] if len(values) else []
        return values.tolist(), codes
    values, codes[known] = np.unique(column.values[known], return_inverse=True)
    return [_plain(value) for value in values.tolist()], codes


def as_ratings(column: Column) -> NDArray[np.float64]:
    """Return ratings, NaN where there is none.

    Raises
    ------
    InputError
        If they are not numbers.
    """
    if column.kind != "number":
        example = next((str(value) for value in column.values if value is not None), "nothing")
        raise InputError(
            f"ratings must be numbers, but column {column.name!r} holds {column.kind}, such as {brief(example, 40)!r}; name another column, "
            f"or give {NONE} where each line is a choice"
        )
    largest = np.abs(column.values[~column.missing]).max(initial=0.0)
    if largest > _LARGEST:
        raise InputError(
            f"ratings must be numbers within {_LARGEST:g}, but column {column.name!r} holds one of size {largest:g}; leave such lines out"
        )
    return column.values


def as_days(column: Column) -> tuple[NDArray[np.float64], bool]:
    """Return days since 1970 with their fractions, NaN where there is none; and whether they are days, or counts of another unit.

    Raises
    ------
    InputError
        If they cannot be read as times.
    """
    moments = column.values
    if column.kind == "number":
        read = dates_from_numbers(["time"], moments)
        if read is None:
            known = moments[~column.missing]
            return moments, bool(len(known) and known.min() >= _EPOCH_DAYS[0] and known.max() <= _EPOCH_DAYS[1])
        moments = read[0]
    elif column.kind == "text":
        levels = column.levels
        read_levels = parse_dates(levels.values, levels.codes).values
        bad = np.flatnonzero(np.isnat(read_levels))
        if len(bad):
            n_rows = int(np.isin(levels.codes, bad).sum())
            raise InputError(
                f"{n_rows:,} of {len(levels.codes):,} times in column {column.name!r} cannot be read, such as "
                f"{brief(levels.values[bad[0]], 40)!r}; write 2024-01-31, 2024-01-31 18:30:00 or seconds since 1970, or give {NONE}"
            )
        moments = np.append(read_levels, np.datetime64("NaT"))[levels.codes]
    micros = moments.astype("datetime64[us]")
    return np.where(np.isnat(micros), np.nan, micros.astype(np.int64) / 86_400e6), True


def _named(columns: list[Column], words: set[str]) -> Column | None:
    """Return the column whose name fits best: the word alone or with "id", then the word among others."""
    for fits in (lambda own: own <= words | {"id"} and bool(own & words), lambda own: bool(own & words)):
        for column in columns:
            if fits(set(name_words(column.name))):
                return column
    return None


def _no_column(table: Table, what: str) -> InputError:
    numbers = sum(column.kind == "number" for column in table.columns)
    if numbers >= _MANY_NUMBERS and numbers >= 0.8 * len(table.columns):
        return InputError(
            f"{table.name} looks like a matrix with a column for each item ({numbers:,} columns of numbers); give a line for each rating: user, "
            "item, rating (in pandas: frame.melt)"
        )
    hint = [column.name for column in table.columns if is_id_name(column.name)] or list(table.names)
    return InputError(
        f"no column of {table.name} is named like the {what}; name it with --{what} (there are: {listing(hint)})"
    )


def _plain(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
