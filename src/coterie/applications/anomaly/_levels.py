"""Values of a category that history never had: where they stand, and which rows have them.

The levels of a category are corners of a regular simplex: any two of them are equally far apart. A level that history never had is
one corner more, as far from each of them as these are from one another. Where history pools rare levels, it joins the pool.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...tables import Column, Prepared, Table
from ...tables.convert import as_before, as_levels

__all__ = ["coded", "has_pool", "new_levels", "rare_levels"]

_POOLS = ("(other)", "other")
_MOST_RARE = 1_000  # levels of a column that are kept to tell new ones by


def coded(prepared: Prepared, table: Table, metric: Any) -> np.ndarray:
    """Return new rows as numbers, (n, d), levels that history never had on a corner of their own."""
    table = as_before(table, prepared.codings)
    rows, start = prepared.transform(table), 0
    for coding in prepared.codings:
        end = start + len(coding.feature_names)
        if coding.used and coding.categories and not has_pool(coding):
            new = new_levels(coding, table.column(coding.column))
            rows[new, start:end] = _corner(coding, metric)
        start = end
    return rows


def new_levels(coding: Any, column: Column, rare: Sequence[str] = ()) -> np.ndarray:
    """Say which rows have a level that is neither one of the coding nor one of the rare levels of history, (n,) bool."""
    known = {*coding.categories, *rare}
    levels = as_levels(column)
    return np.array([*(level not in known for level in levels.values), False])[levels.codes]


def rare_levels(table: Table, codings: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Return by column the levels of history that have no place of their own; nothing for a column with too many.

    ``single`` is the share of rows whose level no other row has: about so many of the next rows have a new one (Good 1953).
    """
    found = {}
    for coding in codings:
        if coding.used and coding.categories and has_pool(coding):
            levels = as_levels(table.column(coding.column))
            rare = sorted({*levels.values} - {*coding.categories})
            if len(rare) <= _MOST_RARE:
                found[coding.column] = {"levels": rare, "single": float((levels.counts == 1).sum() / table.n_rows)}
    return found


def has_pool(coding: Any) -> bool:
    """Say whether a category pools its rare levels."""
    return len(coding.categories) > 2 and any(name in coding.categories for name in _POOLS)


def _corner(coding: Any, metric: Any) -> np.ndarray:
    """Return the features of a new level: a (1 + n)-th corner; beside the only edge there is, the point as long again."""
    n = len(coding.categories)
    if coding.coding == "yes/no":
        return np.array([-1.5 / coding.scale])
    # Each coordinate c: (1 - c)^2 + (n - 1) c^2 = 2 by squares; by absolute values, 1 - n c = 2.
    place = -1.0 / n if metric == "gower" else (1.0 - np.sqrt(1.0 + n)) / n
    return np.full(n if coding.kept is None else len(coding.kept), place / coding.scale)
