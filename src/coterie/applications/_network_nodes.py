"""What is known of the nodes: which attributes can be compared, what to call a node, and a known answer to compare with."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import InputError
from ..study.values import View, views_of
from ..tables.convert import as_levels

__all__ = ["NodeAttributes", "attributes_of", "compare"]

_NAME_WORDS = {"name", "title", "label", "person", "who"}
_MOSTLY = 0.9


@dataclass(frozen=True)
class NodeAttributes:
    """The attributes of the nodes as the study uses them.

    Attributes
    ----------
    table : Table or None
        Row i is node i.
    codings : tuple of Coding
        Each column and what it is used for.
    X : (n, m) float64 array or None
        The used ones as numbers.
    views : list of View
        The same in their own units.
    display : tuple of str or None
        A name for each node, where a column holds some.
    """

    table: Any = None
    codings: tuple[Any, ...] = ()
    X: Any = None
    views: tuple[View, ...] = ()
    display: tuple[str, ...] | None = None
    display_column: str | None = None

    @property
    def usable(self) -> bool:
        """Whether nodes can be compared by them."""
        return self.X is not None

    def without(self, columns: set[str], roles: Mapping[str, str]) -> "NodeAttributes":
        """Return them with some columns only describing, not compared by."""
        rest = attributes_of(self.table, roles={**roles, **dict.fromkeys(columns, "ignored")})
        return replace(rest, views=self.views, display=self.display, display_column=self.display_column)

    def lines(self, agreed: Mapping[str, float], compared: Collection[str]) -> list[dict[str, Any]]:
        """Return a line of the record for each column."""
        return [
            {
                "name": one.column, "role": one.role, "compared": one.column in compared,
                "described": one.column in {view.name for view in self.views},
                "why": one.why, "missing": int(one.missing), "ami": agreed.get(one.column),
            }
            for one in self.codings
        ]  # fmt: skip


def attributes_of(table: Any, *, roles: Mapping[str, str] | None = None, truth: str | None = None) -> NodeAttributes:
    """Find what each column of the nodes is for.

    Parameters
    ----------
    table : Table or None
        Row i is node i.
    roles : mapping, optional
        What columns are, against what is found.
    truth : str, optional
        A column to keep out.

    Returns
    -------
    NodeAttributes

    Raises
    ------
    InputError
        If a named column is not there.
    """
    from .. import tables

    if table is None or not table.columns:
        for column in (*(roles or {}), *([truth] if truth else [])):
            raise InputError(f"no column is called {column!r}: nothing but links is known; give a file with --nodes")
        return NodeAttributes()
    if truth is not None:
        table.column(truth)
    roles = {**(roles or {}), **({truth: "ignored"} if truth else {})}
    # Free text names and describes nodes; they are not compared by it.
    found = tuple(replace(one, used=one.used and one.role != "text") for one in tables.find_roles(table, roles=roles))
    display, display_column = _display(table, found, truth)
    if not any(role.used for role in found):
        return NodeAttributes(table, tuple(map(_unused, found, table.columns)), None, (), display, display_column)
    try:
        prepared = tables.prepare(table, roles=roles, texts="ignore")
    except InputError:  # every column that was to be used turned out constant or empty
        return NodeAttributes(table, tuple(map(_unused, found, table.columns)), None, (), display, display_column)
    views = tuple(views_of(table, prepared.codings))
    return NodeAttributes(table, prepared.codings, prepared.X, views, display, display_column)


def compare(table: Any, truth: str, labels: np.ndarray) -> dict[str, Any]:
    """Say how well the classes agree with a known answer, over the nodes that have both."""
    from ..metrics import adjusted_mutual_info_score, adjusted_rand_score, clustering_accuracy

    levels = as_levels(table.column(truth))
    both = (levels.codes >= 0) & (labels >= 0)
    if both.sum() < 2:
        return {"column": truth, "nodes": int(both.sum()), "ari": None, "ami": None, "accuracy": None}
    known, found = levels.codes[both], labels[both]
    return {
        "column": truth,
        "nodes": int(both.sum()),
        "ari": float(adjusted_rand_score(known, found)),
        "ami": float(adjusted_mutual_info_score(known, found)),
        "accuracy": float(clustering_accuracy(known, found)),
    }


def _unused(role: Any, column: Any) -> Any:
    from ..tables import Coding

    why = role.why if not role.used else "all its values are equal or missing"
    return Coding(role.column, role.role, False, why, column.n_missing)


def _display(table: Any, found: Any, truth: str | None) -> tuple[tuple[str, ...] | None, str | None]:
    """Find a text column whose values name the nodes: its name says so, and nearly all nodes have one of their own."""
    for column, role in zip(table.columns, found, strict=True):
        if column.kind != "text" or role.used or column.name == truth:
            continue
        words = set(column.name.lower().replace("_", " ").replace("-", " ").split())
        if words & _NAME_WORDS and len(column.levels.values) >= _MOSTLY * table.n_rows:
            return tuple("" if value is None else value for value in column.values.tolist()), column.name
    return None, None
