"""What is known of the nodes: which attributes can be compared, what to call a node, and a known answer to compare with."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import hstack

from ..errors import InputError
from ..study.values import View, views_of
from ..tables.bags import Bag, bag_of
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
    X : (n, m) float64 array or csr_array, or None
        The used ones as numbers; where they are texts alone, how often each word is said.
    views : list of View
        The same in their own units.
    bags : tuple of Bag
        The words of free texts.
    display : tuple of str or None
        A name for each node, where a column holds some.
    """

    table: Any = None
    codings: tuple[Any, ...] = ()
    X: Any = None
    views: tuple[View, ...] = ()
    bags: tuple[Bag, ...] = ()
    display: tuple[str, ...] | None = None
    display_column: str | None = None

    @property
    def usable(self) -> bool:
        """Whether nodes can be compared by them."""
        return self.X is not None

    def without(self, columns: set[str], roles: Mapping[str, str]) -> "NodeAttributes":
        """Return them with some columns only describing, not compared by."""
        rest = attributes_of(self.table, roles={**roles, **dict.fromkeys(columns, "ignored")})
        return replace(rest, views=self.views, bags=self.bags, display=self.display, display_column=self.display_column)

    def lines(self, agreed: Mapping[str, float], compared: Collection[str]) -> list[dict[str, Any]]:
        """Return a line of the record for each column."""
        return [
            {
                "name": one.column, "role": one.role, "compared": one.column in compared,
                "described": one.column in {view.name for view in self.views} | {bag.column for bag in self.bags},
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
    found = tables.find_roles(table, roles=roles)
    display, display_column = _display(table, found, truth)
    if display_column is not None and display_column not in roles:
        roles[display_column] = "ignored"
        found = tuple(_naming(one) if one.column == display_column else one for one in found)
    bags = tuple(bag for bag in (bag_of(table.column(one.column)) for one in found if _is_text(one)) if bag.terms)
    known = NodeAttributes(table, bags=bags, display=display, display_column=display_column)
    beside = any(one.used and one.role != "text" for one in found)
    try:
        prepared = tables.prepare(table, roles=roles) if beside else None
    except InputError:  # every column that was to be used turned out constant or empty
        prepared = None
    if prepared is None:
        codings = tuple(_alone(one, column, bags) for one, column in zip(found, table.columns, strict=True))
        return replace(known, codings=codings, X=hstack([bag.counts for bag in bags], format="csr") if bags else None)
    codings = tuple(
        replace(coding, role=one.role, why=one.why) if one.column == display_column else coding
        for coding, one in zip(prepared.codings, found, strict=True)
    )
    views = tuple(view for view in views_of(table, codings) if view.kind != "text")
    return replace(known, codings=codings, X=prepared.X, views=views)


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


def _is_text(role: Any) -> bool:
    return role.used and role.role == "text"


def _naming(role: Any) -> Any:
    return replace(role, used=False, why="it names the nodes")


def _alone(role: Any, column: Any, bags: tuple[Bag, ...]) -> Any:
    """What becomes of a column where only texts can be compared, or nothing."""
    from ..tables import Coding

    if column.name in {bag.column for bag in bags}:
        return Coding(role.column, role.role, True, role.why, column.n_missing)
    if not role.used:
        return Coding(role.column, role.role, False, role.why, column.n_missing)
    why = "no two rows share a word" if role.role == "text" else "all its values are equal or missing"
    return Coding(role.column, role.role, False, why, column.n_missing)


def _display(table: Any, found: Any, truth: str | None) -> tuple[tuple[str, ...] | None, str | None]:
    """Find a text column whose values name the nodes: its name says so, and nearly all nodes have one of their own."""
    for column, role in zip(table.columns, found, strict=True):
        if column.kind != "text" or column.name == truth or (role.used and role.role != "text"):
            continue
        words = set(column.name.lower().replace("_", " ").replace("-", " ").split())
        if words & _NAME_WORDS and len(column.levels.values) >= _MOSTLY * table.n_rows:
            return tuple("" if value is None else value for value in column.values.tolist()), column.name
    return None, None
