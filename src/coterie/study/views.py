"""Should categories help to form the groups? A mixed table is looked at with and without them, and the clearer view kept.

A category that agrees with the numbers changes nothing and stays. One that has nothing to do with them (gender in a table of
age, income and spending) splits every group in two; then the groups are formed by the numbers alone, and the category only
describes them.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from . import choose as choosing
from .structure import few_valued, measured

__all__ = ["clearer_view", "view_text"]

ROWS = 1_500
MOST_CLUSTERS = 10
# Groups of the numbers alone must score this much better, looked at in the numbers: silhouette times stability.
LEAD = 0.05


def clearer_view(table, prepared, roles: dict[str, str], seed: int) -> tuple[Any, list[str]]:
    """Give the preparation to use, and the categories that it leaves out.

    Parameters
    ----------
    table : Table
    prepared : Prepared
        With every usable column.
    roles : dict
        What the user said; a category asked for is never left out.
    seed : int

    Returns
    -------
    prepared : Prepared
        The same, or one of the columns that are no categories.
    described : list of str
        Categories that do not form the groups.
    """
    from ..tables import prepare

    left_out = [c.column for c in prepared.codings if c.used and c.role == "category" and c.column not in roles]
    others = sum(c.used and c.role != "category" for c in prepared.codings)
    if not left_out or others < 2 or len(prepared.X) < 50:
        return prepared, []
    numbers = prepare(table, roles=roles | dict.fromkeys(left_out, "ignored"))
    rows = np.sort(np.random.default_rng(seed).permutation(len(prepared.X))[:ROWS])
    both = prepared.X[rows]
    if measured(both, few_valued(both)).shape[1] != numbers.X.shape[1]:
        # Categories are most of the table: leaving them out would be another question.
        return prepared, []
    if _clarity(numbers.X[rows], seed) < _clarity(both, seed) + LEAD:
        return prepared, []
    why = "described, but not used to form the groups: by the other columns alone they are clearer"
    codings = tuple(
        replace(old, used=False, why=why, coding="dropped", weight=0.0) if old.column in left_out else new
        for old, new in zip(prepared.codings, numbers.codings, strict=True)
    )
    notes = tuple(f"{name} is {why}" for name in left_out)
    kept = tuple(
        note for note in numbers.notes if not note.startswith(tuple(f"{name} is not used" for name in left_out))
    )
    return replace(numbers, codings=codings, notes=(*notes, *kept)), left_out


def view_text(prepared, described: list[str]) -> str:
    """Say in one line what the groups are formed by."""
    used = sum(coding.used for coding in prepared.codings)
    text = f"{used} of {len(prepared.codings)} columns used, {prepared.X.shape[1]} numbers a row"
    if not described:
        return text
    more = f" and {len(described) - 1} more" if len(described) > 1 else ""
    return f"{text}; {described[0]}{more} described, but not used to form the groups"


def _clarity(X: np.ndarray, seed: int) -> float:
    tried = choosing.candidates_for(X, min(len(X), 8 * MOST_CLUSTERS), method="KMeans")
    choice = choosing.choose(X, tried, seed=seed)
    return choice.candidates[choice.winner].score
