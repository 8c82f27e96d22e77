"""The summary of a network analysis as plain text, for a terminal or a log."""

import textwrap
from collections.abc import Mapping
from typing import Any

from .naming import name_of
from .record import NETWORK, check
from .text import aligned, framed, joined
from .words import count, counted, percent, printable

__all__ = ["network_headline", "network_text"]

_MOST = 20


def network_headline(record: Mapping[str, Any]) -> str:
    """Say in a few words how many classes were found in what."""
    source, k = record["input"], record["n_classes"]
    clear = record["structure"].get("verdict") != "none" and k > 0
    classes = f"{count(k)} {'class' if k == 1 else 'classes'}" if clear else "no clear classes"
    return f"{printable(source.get('name') or 'network')}: {classes} in {counted(source.get('nodes'), 'node')}"


def network_text(record: Mapping[str, Any], *, width: int = 100) -> str:
    """Tell in plain text which classes a network has, what their members share, and how they relate.

    Parameters
    ----------
    record : mapping
        The content of ``run.json``.
    width : int, default=100
        Columns to fill; at least 40.

    Returns
    -------
    str
        Lines ending in a newline, without colours or control characters, whatever the data hold.

    Raises
    ------
    InputError
        If ``record`` is not a record of a network.
    """
    check(record, schema=NETWORK)
    return framed(record, network_headline(record), record["answer"], [_table, _bridges], width)


def _table(record: Mapping[str, Any], width: int) -> str:
    rows = [("class", "nodes", "share", ["what its members share"])]
    for one in record["classes"][:_MOST]:
        phrases = [printable(feature["text"]) for feature in one["features"][:3]]
        inside = (
            f"{percent(one['inside_share'])} of its members' links stay inside"
            if one["inside_share"] is not None
            else ""
        )
        hubs = f"most linked: {', '.join(map(printable, one['hubs'][:3]))}" if one["hubs"] else ""
        parts = [name_of(one), "; ".join(phrases), "; ".join(part for part in (inside, hubs) if part)]
        rows.append((str(one["id"]), count(one["nodes"]), percent(one["share"]), [part for part in parts if part]))
    unplaced = record["unplaced"]["nodes"]
    if unplaced:
        share = percent(unplaced / record["input"]["nodes"])
        rows.append(("none", count(unplaced), share, ["nodes without links to a class"]))
    more = record["n_classes"] - _MOST
    tail = [f"  and {count(more)} smaller classes; members.csv holds all"] if more > 0 else []
    return joined([*aligned(rows, width), *tail])


def _bridges(record: Mapping[str, Any], width: int) -> str:
    found = [printable(one["shown"]) for one in record["bridges"][:5]]
    return joined(textwrap.wrap(f"Joining classes: {', '.join(found)}.", width)) if found else ""
