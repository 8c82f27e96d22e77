"""GraphML files, read without entities or document types, and written so that other programs read them."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from ..arrays import Graph
from ..errors import InputError
from ..files import atomic_write
from ..graphs import as_graph, is_directed
from .frames import column_from
from .graph_links import Links, check_link_weights
from .table import Column, Table

__all__ = ["read_graphml", "write_graphml"]

_TRUE = ("true", "1")
_WHOLE = ("int", "long", "integer")
_NUMBER = (*_WHOLE, "float", "double")


def read_graphml(stream: Any, name: str) -> Links:
    """Read a GraphML file.

    Parameters
    ----------
    stream : binary file
    name : str
        Of the file, for messages.

    Returns
    -------
    Links
        Nodes are called by their ids.

    Raises
    ------
    InputError
        If it is damaged, holds a document type or entities, several or nested graphs, or hyperedges; the message names the line.
    """
    reader = _Reader(name)
    try:
        while block := stream.read(1 << 20):
            reader.parser.Parse(block, False)
        reader.parser.Parse(b"", True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise InputError(
            f"line {error.lineno:,} of {name} is no GraphML: {reason}; it is damaged or of another kind"
        ) from None
    except (LookupError, UnicodeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{name} declares an encoding that cannot be read ({error}); save it as UTF-8") from None
    return reader.links()


class _Reader:
    """Handlers of the XML parser, and what they have seen."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype
        self.depth: list[str] = []
        self.keys: dict[str, dict[str, Any]] = {}
        self.edgedefault: str | None = None
        self.n_graphs = 0
        self.nodes: dict[str, dict[str, str]] = {}
        self.edges: list[tuple[str, str, str | None, dict[str, str], int]] = []
        self.data: dict[str, str] | None = None
        self.key: str | None = None
        self.text: list[str] = []

    @property
    def line(self) -> int:
        return self.parser.CurrentLineNumber

    def _refuse_doctype(self, *_: Any) -> None:
        raise InputError(
            f"line {self.line:,} of {self.name} declares a document type, which can hold entities made to fill memory; "
            "remove the DOCTYPE"
        )

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(" ")[2]
        self.depth.append(tag)
        if len(self.depth) == 1 and tag != "graphml":
            raise InputError(f"{self.name} is XML but no GraphML: its root is <{tag}>")
        if tag == "key":
            self._require(attributes, tag, "id")
            self.keys[attributes["id"]] = dict(attributes)
        elif tag == "graph":
            self._graph(attributes)
        elif tag == "node":
            self._require(attributes, tag, "id")
            if attributes["id"] in self.nodes:
                raise InputError(f"line {self.line:,} of {self.name} has the node {attributes['id']!r} a second time")
            self.data = self.nodes[attributes["id"]] = {}
        elif tag == "edge":
            self._require(attributes, tag, "source", "target")
            self.data = {}
            self.edges.append(
                (attributes["source"], attributes["target"], attributes.get("directed"), self.data, self.line)
            )
        elif tag == "hyperedge":
            raise InputError(
                f"line {self.line:,} of {self.name} holds a hyperedge; only edges between two nodes are read"
            )
        elif tag in ("data", "default"):
            self.key = attributes.get("key", "")
            self.text = []

    def _graph(self, attributes: dict[str, str]) -> None:
        if "node" in self.depth:
            raise InputError(
                f"line {self.line:,} of {self.name} holds a graph inside a node; only flat graphs are read"
            )
        self.n_graphs += 1
        if self.n_graphs > 1:
            raise InputError(f"line {self.line:,} of {self.name} begins a second graph; give a file with one")
        self.edgedefault = attributes.get("edgedefault")

    def _require(self, attributes: dict[str, str], tag: str, *wanted: str) -> None:
        for one in wanted:
            if one not in attributes:
                raise InputError(f"line {self.line:,} of {self.name} has a <{tag}> without {one!r}")

    def _text(self, text: str) -> None:
        if self.key is not None:
            self.text.append(text)

    def _end(self, tag: str) -> None:
        tag = self.depth.pop()
        if tag == "data" and self.depth[-1] in ("node", "edge") and self.data is not None:
            self.data[self.key or ""] = "".join(self.text)
        elif tag == "default" and self.depth[-1] == "key":
            list(self.keys.values())[-1]["default"] = "".join(self.text)
        if tag in ("data", "default"):
            self.key = None
        elif tag in ("node", "edge"):
            self.data = None

    def links(self) -> Links:
        """Return what was read."""
        if self.n_graphs == 0:
            raise InputError(f"{self.name} holds no <graph>")
        if not self.nodes:
            raise InputError(f"{self.name} has no nodes; at least 1 is needed")
        number = {node: i for i, node in enumerate(self.nodes)}
        for source, target, _, _, line in self.edges:
            for end in (source, target):
                if end not in number:
                    raise InputError(f"line {line:,} of {self.name} links the node {end!r}, but no node has that id")
        ends = [(number[source], number[target]) for source, target, *_ in self.edges]
        weights = self._weights()
        leads = np.array([_leads(edge[2], self.edgedefault) for edge in self.edges], bool)
        directed = bool(leads.any()) if len(leads) else self.edgedefault == "directed"
        notes = [] if self.edgedefault else ["the file does not say whether its links have a direction: they have none"]
        pairs = np.array(ends, np.int64).reshape(-1, 2)
        if directed and not leads.all():
            both = ~leads
            notes.append(f"{int(both.sum()):,} undirected edges among directed ones were taken in both directions")
            pairs = np.concatenate([pairs, pairs[both, ::-1]])
            weights = None if weights is None else np.concatenate([weights, weights[both]])
        return Links(list(self.nodes), pairs[:, 0], pairs[:, 1], weights, directed, self._attributes(), notes=notes)

    def _weights(self) -> np.ndarray | None:
        key = self._weight_key()
        if key is None:
            return None
        default = self.keys.get(key, {}).get("default", "1")
        weights = np.ones(len(self.edges))
        for i, (_, _, _, data, line) in enumerate(self.edges):
            text = data.get(key, default).strip()
            try:
                weights[i] = float(text)
            except ValueError:
                raise InputError(
                    f"the edge in line {line:,} of {self.name} has the weight {text[:30]!r}, which is no number"
                ) from None
        check_link_weights(weights, self.name, [edge[4] for edge in self.edges])
        return weights

    def _weight_key(self) -> str | None:
        for key, about in self.keys.items():
            called = about.get("for", "all") in ("edge", "all") and about.get("attr.name", key).lower() == "weight"
            if called and ("default" in about or any(key in edge[3] for edge in self.edges)):
                return key
        return "weight" if any("weight" in edge[3] for edge in self.edges) else None

    def _attributes(self) -> list[tuple[str, list[Any]]]:
        used = dict.fromkeys(key for data in self.nodes.values() for key in data)
        used |= dict.fromkeys(k for k, about in self.keys.items() if about.get("for") == "node" and "default" in about)
        found = []
        for key in used:
            about = self.keys.get(key, {})
            texts = [data.get(key, about.get("default")) for data in self.nodes.values()]
            if any(text is not None and text.strip() for text in texts):
                name = about.get("attr.name", key)
                found.append((name, [self._typed(text, about.get("attr.type"), name) for text in texts]))
        return found

    def _typed(self, text: str | None, kind: str | None, name: str) -> Any:
        if text is None or not text.strip():
            return None
        if kind == "boolean":
            return text.strip().lower() in _TRUE
        if kind in _NUMBER:
            try:
                return int(text) if kind in _WHOLE else float(text)
            except ValueError:
                raise InputError(
                    f"{self.name} says that the attribute {name!r} holds numbers, but a node has {text.strip()[:30]!r}"
                ) from None
        return text


def _leads(said: str | None, default: str | None) -> bool:
    return said.lower() in _TRUE if said is not None else default == "directed"


def write_graphml(
    path: str | os.PathLike, graph: Any, names: Any = None, attributes: Any = None, *, directed: bool | None = None
) -> None:
    """Write a graph with attributes of its nodes, whole or not at all.

    Parameters
    ----------
    path : str or path-like
    graph : Graph or anything that `coterie.graphs.as_graph` takes
    names : (n,) sequence, optional
        Ids of the nodes, all different; default "0", "1", ...
    attributes : Table or dict of str to (n,) sequence, optional
        Of the nodes. Missing values are left out.
    directed : bool, optional
        Default: whether the matrix of the graph is not symmetric.

    Raises
    ------
    InputError
        If names or attributes do not fit the nodes, or an undirected graph was promised and it is not.
    OutputError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from coterie.graphs import from_edges
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "pair.graphml"
    ...     write_graphml(path, from_edges([[0, 1]]), ["ann", "bob"], {"class": [0, 1]})
    ...     '<node id="ann">' in path.read_text()
    True
    """
    graph = as_graph(graph)
    n = graph.n_nodes
    ids = [str(i) for i in range(n)] if names is None else [str(name) for name in names]
    if len(ids) != n or len(set(ids)) != n:
        raise InputError(
            f"names must hold {n:,} different names, a node each; got {len(ids):,}, {len(set(ids)):,} different"
        )
    columns = _columns(attributes, n)
    asymmetric = is_directed(graph)
    if directed is False and asymmetric:
        raise InputError("the graph is directed; leave out directed=False, or pass coterie.graphs.undirected(graph)")
    directed = asymmetric if directed is None else directed
    with atomic_write(path, "w", encoding="utf-8", errors="replace", newline="\n") as file:
        file.writelines(_written(graph, ids, columns, directed))


def _columns(attributes: Any, n: int) -> list[Column]:
    if attributes is None:
        return []
    pairs = (
        [(column.name, column) for column in attributes.columns]
        if isinstance(attributes, Table)
        else list(attributes.items())
        if isinstance(attributes, Mapping)
        else None
    )
    if pairs is None:
        raise InputError(f"attributes must be a Table or a dict of columns, got {type(attributes).__name__}")
    found = []
    for name, values in pairs:
        column = values if isinstance(values, Column) else column_from(str(name), values)[0]
        if column is None or len(column.values) != n:
            raise InputError(f"the attribute {name!r} must hold {n:,} numbers, texts or dates, a node each")
        found.append(column)
    return found


def _written(graph: Graph, ids: list[str], columns: list[Column], directed: bool) -> Iterator[str]:
    indptr, indices, weights = (np.asarray(part) for part in graph)
    sources = np.repeat(np.arange(len(ids)), np.diff(indptr))
    if not directed:
        once = sources <= indices
        sources, indices, weights = sources[once], indices[once], weights[once].astype(np.float64)
        weights[sources == indices] /= 2.0  # an undirected loop stands with twice its weight
    weighted = bool((weights != 1.0).any())
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
    for j, column in enumerate(columns):
        name = quoteattr(_clean(column.name))
        yield f'  <key id="n{j}" for="node" attr.name={name} attr.type="{_type(column)}"/>\n'
    if weighted:
        yield '  <key id="w" for="edge" attr.name="weight" attr.type="double"/>\n'
    yield f'  <graph edgedefault="{"directed" if directed else "undirected"}">\n'
    quoted = [quoteattr(_clean(one), {"\n": "&#10;", "\t": "&#9;", "\r": "&#13;"}) for one in ids]
    texts = [_texts(column) for column in columns]
    for i, one in enumerate(quoted):
        data = "".join(f'<data key="n{j}">{text[i]}</data>' for j, text in enumerate(texts) if text[i] is not None)
        yield f"    <node id={one}>{data}</node>\n" if data else f"    <node id={one}/>\n"
    for a, b, w in zip(sources.tolist(), indices.tolist(), weights.tolist(), strict=True):
        data = f'><data key="w">{w!r}</data></edge>' if weighted else "/>"
        yield f"    <edge source={quoted[a]} target={quoted[b]}{data}\n"
    yield "  </graph>\n</graphml>\n"


def _type(column: Column) -> str:
    if column.kind != "number":
        return "string"
    known = column.values[~column.missing]
    return "long" if np.all(known == np.floor(known)) and np.all(np.abs(known) < 2**53) else "double"


def _texts(column: Column) -> list[str | None]:
    missing = column.missing
    if column.kind == "number":
        whole = _type(column) == "long"
        return [
            None if gone else str(int(value)) if whole else repr(value)
            for value, gone in zip(column.values.tolist(), missing, strict=True)
        ]
    values = column.values.astype(str) if column.kind == "date" else column.values
    return [None if gone else escape(_clean(str(value))) for value, gone in zip(values, missing, strict=True)]


def _clean(text: str) -> str:
    """Replace the characters that no XML file can hold."""
    return re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "�", text)
