"""What new rows have that history never had, and whether as a whole they are still like it, in sentences."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...tables import Table
from ...tables.cast import shown
from ...tables.convert import as_levels
from ._calibration import alarm_limits
from ._levels import has_pool, new_levels
from .normalcy import NormalcyModel

__all__ = ["MOVED", "moved_share", "moved_warning", "rows_that", "unlike_history"]

LEVEL = 0.001  # chance of a false word about the rows as a whole, or about new levels
_LEAST_MOVE = 0.1  # how much more than half of the rows must lie on the far side to be worth a word
MOVED = "The false-alarm rate holds for rows like those of history: fit a model on newer history."


def rows_that(n: int, has: str = "have") -> str:
    """Return "1 row has" or "2 rows have"."""
    return f"{n:,} row{'s' * (n != 1)} {has if n != 1 else {'have': 'has', 'are': 'is'}[has]}"


def moved_share(n_beyond: int, n_rows: int, held_out: np.ndarray) -> float | None:
    """Return the share of rows beyond the middle of history, where it is more than chance makes of a half."""
    high = alarm_limits(n_rows, held_out, 0.5, LEVEL)[1]
    share = n_beyond / n_rows
    return share if n_beyond > high and share >= 0.5 + _LEAST_MOVE else None


def moved_warning(moved: float) -> dict[str, str]:
    """Return what to say where so large a share of the rows lies beyond the middle of history."""
    text = f"{moved:.0%} of the rows are farther from history than half of its own rows are; about 50 % would be if they were alike."
    return {"text": f"The rows as a whole are unlike history: {text}", "remedy": MOVED}


def unlike_history(table: Table, model: NormalcyModel, card: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return a warning for each column that has what history never had: another constant, missing values, new levels."""
    constants = card.get("constants", {}).items()
    found = [warning for name, value in constants if (warning := _constant(table, name, value))]
    for coding in model.prepared_.codings if model.prepared_ else ():
        if not coding.used:
            continue
        column = table.column(coding.column)
        if column.n_missing and not coding.missing:
            instead = (
                "it is judged as between the values that history had"
                if coding.categories
                else "what is usual stands in for it"
            )
            found.append({
                "text": f"{rows_that(column.n_missing)} no value of {coding.column}, which history never lacked; {instead}.",
                "remedy": f"Look at these rows apart: where {coding.column} is gone, that may be an anomaly itself.",
            })  # fmt: skip
        if coding.categories and (warning := _new_levels(coding, column, card)):
            found.append(warning)
    return found


def _constant(table: Table, name: str, value: str) -> dict[str, str] | None:
    if name not in table.names:
        return None
    levels = as_levels(table.column(name))
    other = int(levels.counts[[level != value for level in levels.values]].sum())
    return None if not other else {
        "text": f"{name} was {value} in every row of history, and is something else in {other:,} of these; it is not compared.",
        "remedy": f"Look at these rows, and fit the model anew once {name} is expected to vary.",
    }  # fmt: skip


def _new_levels(coding: Any, column: Any, card: Mapping[str, Any]) -> dict[str, str] | None:
    from scipy.stats import binom

    rare = card.get("rare", {}).get(coding.column)
    if rare is None and has_pool(coding):
        return None  # there were too many to keep
    rare = rare or {"levels": (), "single": 0.0}
    new = np.flatnonzero(new_levels(coding, column, rare["levels"]))
    if len(new) <= binom.ppf(1 - LEVEL, len(column.values), rare["single"]):
        return None
    first = as_levels(column.take(new[:1])).values[0]
    return {
        "text": f"{rows_that(len(new))} a value of {coding.column} that history never had (such as {shown(first)}).",
        "remedy": f"Look at these rows too, for a new value alone need not be an alarm; fit the model anew once {coding.column} is to have it.",
    }  # fmt: skip
