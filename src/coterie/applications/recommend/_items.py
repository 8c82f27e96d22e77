"""What is known of the items: titles to show, and tags by which they are alike."""

import re
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from ...tables import Table
from ._columns import as_names, find_item_columns

__all__ = ["Items", "read_items"]

_BREAK = re.compile(r"\s*[|;,]\s*")
_NO_TAG = re.compile(r"\(.*\)|none|n/?a|unknown|-?", re.IGNORECASE)


class Items(NamedTuple):
    """Items in the order of the ratings."""

    titles: list[str]
    tags: csr_array | None = None  # (m, t) ones
    tag_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_items(table: Table | None, items: list[str]) -> Items:
    """Read a table of items; without one the items' names are their titles.

    Raises
    ------
    InputError
        If it does not hold the items of the ratings.
    """
    if table is None:
        return Items(items)
    key, title, tags = find_item_columns(table, items)
    names, codes = as_names(key)
    place = {name: i for i, name in enumerate(items)}
    where = np.array([place.get(name, -1) for name in names] or [-1])[codes]
    where[codes < 0] = -1
    rows = np.flatnonzero(where >= 0)
    titles = list(items)
    if title is not None:
        for row in rows[::-1]:
            titles[where[row]] = title.values[row] or titles[where[row]]
    missing = len(items) - len(np.unique(where[rows]))
    notes = [f"{key.name} names the item in {table.name}"]
    if missing:
        notes.append(
            f"{missing:,} of {len(items):,} items of the ratings are not in {table.name} and are shown by their name in the ratings"
        )
    if tags is None:
        return Items(titles, notes=tuple(notes))
    marks, tag_names = _tags(tags.values[rows], where[rows], len(items))
    return Items(titles, marks, tag_names, (*notes, f"{tags.name} holds {len(tag_names):,} tags"))


def _tags(texts: Any, where: np.ndarray, n_items: int) -> tuple[csr_array | None, tuple[str, ...]]:
    found: dict[str, int] = {}
    pairs: set[tuple[int, int]] = set()
    for text, i in zip(texts, where.tolist(), strict=True):
        for word in _BREAK.split(text or ""):
            if not _NO_TAG.fullmatch(word.strip()):
                pairs.add((i, found.setdefault(word.strip(), len(found))))
    if not pairs:
        return None, ()
    rows, columns = np.array(sorted(pairs)).T
    return csr_array((np.ones(len(rows)), (rows, columns)), shape=(n_items, len(found))), tuple(found)
