"""The names of groups: those that were found in the data, and those that people give them instead."""

import unicodedata
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import InputError
from .record import NETWORK, SHEET
from .words import TURNS, printable

__all__ = ["LONGEST_NAME", "given_names", "name_of", "rename"]

# What a record of each kind calls its groups.
_PARTS = {NETWORK: "classes", SHEET: "groups"}

LONGEST_NAME = 80


def rename(record: Mapping[str, Any], names: Mapping[int, str]) -> dict[str, Any]:
    """Give groups names of one's own.

    Parameters
    ----------
    record : mapping
        The content of ``run.json``; it is left as it is.
    names : mapping of int to str
        New names by the number of the group. Control characters and marks that turn text around are dropped, and every stretch of
        blanks counts as one. An empty name takes an earlier one back.

    Returns
    -------
    dict
        The record with ``given_name`` in the groups; the names that were found stay in ``name``.

    Raises
    ------
    InputError
        If there is no such group, or a name is no text or longer than 80 characters.

    Examples
    --------
    >>> found = {"clusters": [{"id": 0, "name": "High income"}, {"id": 1, "name": "Low income"}]}
    >>> named = rename(found, {0: "Big spenders"})
    >>> [name_of(cluster) for cluster in named["clusters"]]
    ['Big spenders', 'Low income']
    """
    part = _PARTS.get(record.get("schema", ""), "clusters")
    known = {group["id"] for group in record[part]}
    given = {_known(number, known): _usable(name, number) for number, name in names.items()}
    return {**record, part: [_named(group, given.get(group["id"])) for group in record[part]]}


def name_of(group: Mapping[str, Any]) -> str:
    """Return the name that people gave a group, else the one that was found; free of control characters."""
    return printable(group.get("given_name") or group.get("name") or "")


def given_names(record: Mapping[str, Any]) -> dict[int, str]:
    """Return the names that people gave, by the number of the group."""
    return {cluster["id"]: cluster["given_name"] for cluster in record["clusters"] if cluster.get("given_name")}


def _known(number: Any, known: set[int]) -> int:
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or number not in known:
        first = ", ".join(str(one) for one in sorted(known)[:5])
        there = f"the groups are {first}{' and so on' if len(known) > 5 else ''}" if known else "no group was found"
        raise InputError(f"there is no group {number!r} to rename; {there}")
    return int(number)


def _usable(name: Any, number: int) -> str:
    if not isinstance(name, str):
        raise InputError(f"the name of group {number} must be text, got {name!r}; give one in quotes")
    # Blanks first: a line break between two words is a control character too.
    letters = [letter for letter in " ".join(name.split()) if letter not in TURNS]
    plain = "".join(letter for letter in letters if unicodedata.category(letter) not in ("Cc", "Cs"))
    if len(plain) > LONGEST_NAME:
        raise InputError(
            f"the name of group {number} must have at most {LONGEST_NAME} characters, got {len(plain)}; shorten it"
        )
    return plain


def _named(group: Mapping[str, Any], name: str | None) -> dict[str, Any]:
    if name is None:
        return dict(group)
    found = {key: value for key, value in group.items() if key != "given_name"}
    return found | ({"given_name": name} if name else {})
