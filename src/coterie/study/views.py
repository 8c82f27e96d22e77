"""Should categories and texts help to form the groups? A mixed table is looked at with and without them, and the clearest view kept.

A category that agrees with the numbers changes nothing and stays. One that has nothing to do with them (gender in a table of
age, income and spending) splits every group in two; then the groups are formed by the other columns alone, and the category only
describes them. So it is with free text.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from . import choose as choosing
from .structure import few_valued, measured

__all__ = ["clearer_view", "view_text"]

ROWS = 1_500
MOST_CLUSTERS = 10
# Groups of the other columns alone must score this much better, looked at in these columns: silhouette times stability.
LEAD = 0.05


def clearer_view(table, prepared, roles: dict[str, str], seed: int, text_model: Any = None) -> tuple[Any, list[str]]:
    """Give the preparation to use, and the categories and texts that it leaves out.

    Parameters
    ----------
    table : Table
    prepared : Prepared
        With every usable column.
    roles : dict
        What the user said; a column asked for is never left out.
    seed : int
    text_model : TextModel, optional
        By which texts are compared.

    Returns
    -------
    prepared : Prepared
        The same, or one of fewer columns.
    described : list of str
        Columns that do not form the groups.
    """
    from ..tables import prepare

    left_out = _clearest(prepared, roles, seed) if len(prepared.X) >= 50 else []
    if not left_out:
        return prepared, []
    others = prepare(table, roles=roles | dict.fromkeys(left_out, "ignored"), text_model=text_model)
    why = "described, but not used to form the groups: by the other columns alone they are clearer"
    codings = tuple(
        replace(old, used=False, why=why, coding="dropped", weight=0.0) if old.column in left_out else new
        for old, new in zip(prepared.codings, others.codings, strict=True)
    )
    notes = tuple(f"{name} is {why}" for name in left_out)
    kept = tuple(
        note for note in others.notes if not note.startswith(tuple(f"{name} is not used" for name in left_out))
    )
    return replace(others, codings=codings, notes=(*notes, *kept)), left_out


def _clearest(prepared, roles: dict[str, str], seed: int) -> list[str]:
    """Return the columns without which the groups are clearest, none where they are about as clear with all."""
    rows = np.sort(np.random.default_rng(seed).permutation(len(prepared.X))[:ROWS])
    X = prepared.X[rows]
    fewer = list(_fewer(prepared, roles, X))
    if not fewer:
        return []
    scores = [_clarity(Z, seed) for _, Z in fewer]
    best = int(np.argmax(scores))
    return fewer[best][0] if scores[best] >= _clarity(X, seed) + LEAD else []


def _fewer(prepared, roles: dict[str, str], X: np.ndarray) -> Iterator[tuple[list[str], np.ndarray]]:
    """Give the columns that may be left out, by kind and together, and the rows without them."""
    optional = [c for c in prepared.codings if c.used and c.role in ("category", "text") and c.column not in roles]
    kinds = sorted({coding.role for coding in optional})
    for left_out in [*([kind] for kind in kinds), *([kinds] if len(kinds) > 1 else [])]:
        names = [coding.column for coding in optional if coding.role in left_out]
        if sum(coding.used for coding in prepared.codings) - len(names) < 2:
            continue
        kept = np.array([prepared.codings[i].column not in names for i in prepared.feature_columns])
        texts = np.array([prepared.codings[i].text is not None for i in prepared.feature_columns])
        valued = X[:, kept | ~texts]
        if "category" in left_out and measured(valued, few_valued(valued)).shape[1] != kept.sum():
            continue  # categories are most of the table: leaving them out would be another question
        yield names, X[:, kept]


def _clarity(X: np.ndarray, seed: int) -> float:
    tried = choosing.candidates_for(X, min(len(X), 8 * MOST_CLUSTERS), method="KMeans")
    choice = choosing.choose(X, tried, seed=seed)
    return choice.candidates[choice.winner].score


def view_text(prepared, described: list[str]) -> str:
    """Say in one line what the groups are formed by."""
    used = sum(coding.used for coding in prepared.codings)
    columns, numbers = len(prepared.codings), prepared.X.shape[1]
    text = f"{used} of {columns} {'column' if columns == 1 else 'columns'} used, {numbers} {'number' if numbers == 1 else 'numbers'} a row"
    if not described:
        return text
    more = f" and {len(described) - 1} more" if len(described) > 1 else ""
    return f"{text}; {described[0]}{more} described, but not used to form the groups"
