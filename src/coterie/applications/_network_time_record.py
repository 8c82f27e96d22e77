"""What is told of a network over time: plain JSON values, and the sentences that every reader shows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ._network_events import Event
from ._network_time import OverTime

__all__ = ["time_metrics", "time_record", "time_sentences", "time_warnings"]

MOST_CLASSES = 20  # in the matrices of the record; migration.csv holds all
MOST_MOVERS = 500
# Nodes of a window with fewer neighbours than this say little of where they belong.
_FEW_NEIGHBOURS = 3.0
_NOISY, _MUCH = 0.002, 0.02

_DEFINITIONS = {
    "churn": "Share of the nodes seen in two windows in a row that are in another class in the later one, over all windows; those whose "
    "class as a whole parted or joined another are not counted.",
    "churn_by_chance": "The same where the links are dealt to the windows at random.",
}


def time_record(
    found: OverTime, names: Sequence[str], call: Callable[[int], str], node_names: Sequence[str]
) -> dict[str, Any]:
    """Return what the record says of a network over time.

    Parameters
    ----------
    found : OverTime
    names : sequence of str
        Of the classes of the whole network.
    call : callable
        What to call a node.
    node_names : sequence of str
        Their ids.

    Returns
    -------
    dict
    """
    called = _names(found, names)
    seen, labels = found.seen, found.labels
    sizes = [np.bincount(own[part & (own >= 0)], minlength=found.k) for own, part in zip(labels, seen, strict=True)]
    shown = np.sort(np.argsort(-np.max(sizes, axis=0), kind="stable")[:MOST_CLASSES])
    told = found.movers()
    return {
        "column": found.column,
        "cut": found.windows.words,
        "windows": [
            {
                "label": label, "start": start, "links": one.n_links, "pairs": len(one.sources), "nodes": int(part.sum()),
                "halves_agree": inside, "agrees_with_before": across,
            }
            for label, start, one, part, inside, across in zip(
                found.windows.labels, found.windows.starts, found.slices, seen, found.halves_agree, found.windows_agree, strict=True
            )
        ],
        "n_classes": found.k,
        "classes": [{"id": int(i), "name": called[i], "sizes": [int(size[i]) for size in sizes]} for i in shown],
        "moves": [
            {
                "window": t, "both": int(one.nodes.sum()), "moved": one.moved, "share": one.moved / max(1, int(one.nodes.sum())),
                "nodes": one.nodes[np.ix_(shown, shown)], "arrived": one.arrived[shown], "left": one.left[shown],
            }
            for t, one in enumerate(found.transitions, 1)
        ],
        "chance": found.chance,
        "events": [
            {"window": one.window, "kind": one.kind, "class": one.group, "other": one.other if one.other >= 0 else None,
             "nodes": one.nodes, "text": _event_text(one, called, found.windows.labels)}
            for one in found.events
            if one.window > 0  # in the first, it is how its classes differ from those of the whole network
        ],
        "n_movers": len(told),
        "movers": [
            {"node": node_names[one.node], "shown": call(one.node), "window": one.window, "from": one.before, "to": one.after,
             "neighbours": one.neighbours, "evidence": round(one.evidence, 1)}
            for one in sorted(told, key=lambda one: -one.evidence)[:MOST_MOVERS]
        ],
        "unplaced": found.unplaced,
    }  # fmt: skip


def time_sentences(record: Mapping[str, Any]) -> list[str]:
    """Say in words how the classes changed, from what `time_record` returned."""
    labels = [one["label"] for one in record["windows"]]
    moves = record["moves"]
    total = sum(one["moved"] for one in moves)
    span = f"{len(labels)} windows from {record['windows'][0]['start']} to {labels[-1].rpartition(' to ')[2]}"
    if not total:
        said = [f"Over {span}, no node clearly changed its class."]
    else:
        most = max(moves, key=lambda one: one["moved"])
        before, here = labels[most["window"] - 1], labels[most["window"]]
        share = f"{100 * most['share']:.{0 if most['share'] >= 0.1 else 1}f}%"
        few = f"{most['moved']:,} of the {most['both']:,} nodes seen in both {before} and {here} ({share}) changed their class"
        said = [f"Over {span}, {few}{', more than between any other two' if len(moves) > 1 else ''}."]
        if record["chance"] > _NOISY:
            said.append(f"Were the links dealt to the windows at random, {100 * record['chance']:.1f}% would seem to.")
    return said + [one["text"] for one in record["events"][:3]]


def time_warnings(record: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what to be careful about."""
    found = []
    if record["chance"] > _MUCH:
        found.append(
            {
                "text": f"Even where the links are dealt to the windows at random {100 * record['chance']:.0f}% of the nodes seem to "
                "change their class: most of the moves mean nothing.",
                "remedy": "Ask for fewer or longer windows with --windows.",
            }
        )
    thin = [
        one["label"]
        for one in record["windows"]
        if 2 * one["pairs"] < _FEW_NEIGHBOURS * one["nodes"] or not one["nodes"]
    ]
    if not thin:
        return found
    few = ", ".join(thin[:3]) + (f" and {len(thin) - 3} more" if len(thin) > 3 else "")
    text = f"In the window{'s' if len(thin) > 1 else ''} {few} nodes have too few links to say where most of them belong: they count as staying where they were."
    return [*found, {"text": text, "remedy": "Ask for fewer or longer windows with --windows."}]


def time_metrics(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the metrics of change, with their definitions."""
    both = sum(one["both"] for one in record["moves"])
    moved = sum(one["moved"] for one in record["moves"]) / both if both else None
    return [
        {"name": name, "value": value, "definition": _DEFINITIONS[name]}
        for name, value in (("churn", moved), ("churn_by_chance", record["chance"]))
    ]


def _names(found: OverTime, names: Sequence[str]) -> list[str]:
    called = [names[i] if i < len(names) else f"class {i}" for i in range(found.k)]
    parents = {one.group: one.other for one in found.events if one.kind == "split"}
    for i in range(len(names), found.k):
        called[i] = f"Part of {called[parents[i]]}" if i in parents else called[i]
    return called


def _event_text(one: Event, called: Sequence[str], labels: Sequence[str]) -> str:
    own = f"class {one.group} ({called[one.group]})"
    nodes = f"{one.nodes:,} node{'s' if one.nodes != 1 else ''}"
    where = labels[one.window]
    if one.kind == "split":
        return f"In the window {where}, {nodes} of class {one.other} ({called[one.other]}) form a class of their own, number {one.group}."
    if one.kind == "merged":
        return f"In the window {where}, {own} and class {one.other} ({called[one.other]}) become one."
    return (
        f"In the window {where}, {own} comes up."
        if one.kind == "born"
        else f"From the window {where} on, {own} is seen no more."
    )
