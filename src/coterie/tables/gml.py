"""GML files: nested lists of keys and values, written as ``graph [ node [ id 1 ] edge [ source 1 target 2 ] ]``."""

import html
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import InputError
from .graph_links import Links, check_link_weights

__all__ = ["read_gml"]

_TOKEN = re.compile(
    r'(?P<blank>[ \t\r\f\v]+)|(?P<line>\n)|(?P<comment>#[^\n]*)|(?P<text>"[^"]*")|(?P<open>\[)|(?P<close>\])'
    r"|(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?=[\s\[\]]|$))|(?P<word>[A-Za-z_][\w.-]*)"
)


def read_gml(text: str, name: str) -> Links:
    """Read the text of a GML file.

    Parameters
    ----------
    text : str
    name : str
        Of the file, for messages.

    Returns
    -------
    Links
        Nodes are called by their labels where each has one of its own, else by their ids.

    Raises
    ------
    InputError
        If it is damaged or an edge names a node that is not there; the message names the line.
    """
    graph = _Graph(name)
    n_comments = 0
    stack: list[tuple[str, dict[str, Any], int]] = []
    key: str | None = None
    line = 1
    for kind, value, line in _tokens(text, name):
        if kind == "comment":
            n_comments += 1
        elif key is None and kind == "word":
            key = value
        elif key is not None and kind == "open":
            stack.append((key, {}, line))
            graph.open([entry[0] for entry in stack], line)
            key = None
        elif key is None and kind == "close" and stack:
            inner, items, begun = stack.pop()
            graph.close([*(entry[0] for entry in stack), inner], items, begun, stack[-1][1] if stack else {})
        elif key is not None and kind in ("text", "number", "word"):
            (stack[-1][1] if stack else graph.outside).setdefault(key, _value(kind, value))
            key = None
        else:
            raise InputError(f"line {line:,} of {name} holds {value[:30]!r} where a key was expected; it is damaged")
    if stack:
        raise InputError(
            f"{name} ends early: the {stack[-1][0]!r} that opens in line {stack[-1][2]:,} is never closed by ]"
        )
    if key is not None:
        raise InputError(f"{name} ends early, after the key {key!r} in line {line:,}")
    links = graph.links()
    links.n_comments = n_comments
    return links


def _tokens(text: str, name: str) -> Iterator[tuple[str, str, int]]:
    at, line = 0, 1
    for match in _TOKEN.finditer(text):
        if match.start() != at:
            break
        at, kind, value = match.end(), str(match.lastgroup), match.group()
        if kind not in ("blank", "line"):
            yield kind, value, line
        line += value.count("\n")
    if at < len(text):
        what = (
            "a text whose quote never closes"
            if text[at] == '"'
            else repr(text[at : at + 20].split("\n", maxsplit=1)[0])
        )
        raise InputError(f"line {line:,} of {name} holds {what}, which is no GML; it is damaged or of another kind")


def _value(kind: str, text: str) -> Any:
    if kind == "text":
        return html.unescape(text[1:-1])
    if kind == "number":
        return int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)
    return {"NAN": float("nan"), "INF": float("inf")}.get(text.upper(), text)


class _Graph:
    """The nodes and edges seen so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.outside: dict[str, Any] = {}
        self.about: dict[str, Any] | None = None
        self.nodes: dict[Any, dict[str, Any]] = {}
        self.edges: list[tuple[Any, Any, dict[str, Any], int]] = []

    def open(self, path: list[str], line: int) -> None:
        if path == ["graph"] and self.about is not None:
            raise InputError(f"line {line:,} of {self.name} begins a second graph; give a file with one")

    def close(self, path: list[str], items: dict[str, Any], line: int, parent: dict[str, Any]) -> None:
        if path == ["graph"]:
            self.about = items
        elif path == ["graph", "node"]:
            if "id" not in items:
                raise InputError(f"the node in line {line:,} of {self.name} has no id")
            if items["id"] in self.nodes:
                raise InputError(f"line {line:,} of {self.name} has the node id {items['id']!r} a second time")
            self.nodes[items["id"]] = items
        elif path == ["graph", "edge"]:
            if "source" not in items or "target" not in items:
                raise InputError(f"the edge in line {line:,} of {self.name} lacks source or target")
            self.edges.append((items["source"], items["target"], items, line))
        else:
            parent.update({f"{path[-1]}.{key}": value for key, value in items.items()})

    def links(self) -> Links:
        if self.about is None:
            raise InputError(f"{self.name} holds no graph: nothing in it reads graph [ ... ]")
        if not self.nodes:
            raise InputError(f"{self.name} has no nodes; at least 1 is needed")
        number = {node: i for i, node in enumerate(self.nodes)}
        for source, target, _, line in self.edges:
            for end in (source, target):
                if end not in number:
                    raise InputError(f"line {line:,} of {self.name} links the node id {end!r}, but no node has it")
        labels = [_name(node["label"]) for node in self.nodes.values() if "label" in node]
        labelled = len(labels) == len(set(labels)) == len(self.nodes)
        left_out = {"id", "label"} if labelled else {"id"}
        keys = dict.fromkeys(key for node in self.nodes.values() for key in node if key not in left_out)
        attributes = [(key, [node.get(key) for node in self.nodes.values()]) for key in keys]
        weights, notes = self._weights()
        return Links(
            labels if labelled else [_name(node) for node in self.nodes],
            np.array([number[edge[0]] for edge in self.edges], np.int64),
            np.array([number[edge[1]] for edge in self.edges], np.int64),
            weights,
            bool(self.about.get("directed", 0)),
            attributes,
            notes=notes,
        )

    def _weights(self) -> tuple[np.ndarray | None, list[str]]:
        key = next((key for key in ("weight", "value") if any(key in edge[2] for edge in self.edges)), None)
        if key is None:
            return None, []
        weights = np.ones(len(self.edges))
        for i, (_, _, items, line) in enumerate(self.edges):
            value = items.get(key, 1.0)
            if isinstance(value, str):
                raise InputError(
                    f"the edge in line {line:,} of {self.name} has the {key} {value!r}, which is no number"
                )
            weights[i] = value
        check_link_weights(weights, self.name, [edge[3] for edge in self.edges])
        return weights, [f"the weight of an edge is its {key!r}"] if key != "weight" else []


def _name(value: Any) -> str:
    return str(value)
