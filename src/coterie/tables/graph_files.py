"""One way in for files of graphs: a path becomes a `Network`, a graph whose nodes have names."""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..arrays import Graph
from ..errors import InputError
from ..graphs import is_directed, undirected
from ..graphs.edges import from_links
from .edge_lists import Columns, read_edge_list, read_edge_parquet
from .encoding import expand, identify, refuse_binary
from .graph_links import Links
from .link_times import TimedLinks
from .read import must_be_file
from .table import Table

__all__ = ["Network", "read_graph"]

_METIS, _XML = (".graph", ".metis", ".chaco"), (".graphml", ".xml")


@dataclass(frozen=True, eq=False)
class Network:
    """A graph read from a file, and what the reader decided.

    Attributes
    ----------
    name : str
        Of the file.
    graph : Graph
        Undirected: both directions stored.
    names : tuple of str
        Of the nodes, in their order: ascending where all are whole numbers in a list of links, else as the file has them.
    directed : bool
    weighted : bool
        Whether the file gives weights.
    nodes : Table or None
        Attributes of the nodes, row i for node i.
    n_links : int
        Links that the file lists.
    n_self_loops : int
        Of those, from a node to itself; they are kept.
    n_merged : int
        Of those, listed before: their weights were added up.
    n_mirrored : int
        Of those, the other direction of a link in an undirected list that has every link both ways: counted once.
    n_dropped : int
        Of those, of weight 0: no link.
    n_comments : int
        Lines that were left out.
    notes : tuple of str
        What was decided, one sentence each.
    source_bytes : int or None
        Size of the file.
    timed : TimedLinks or None
        The links one by one, where a list gives their times.
    """

    name: str
    graph: Graph
    names: tuple[str, ...]
    directed: bool
    weighted: bool
    nodes: Table | None = None
    n_links: int = 0
    n_self_loops: int = 0
    n_merged: int = 0
    n_mirrored: int = 0
    n_dropped: int = 0
    n_comments: int = 0
    notes: tuple[str, ...] = ()
    source_bytes: int | None = None
    timed: TimedLinks | None = None

    @property
    def n_nodes(self) -> int:
        """How many nodes there are."""
        return len(self.names)

    @property
    def n_edges(self) -> int:
        """How many different links there are, undirected ones counted once."""
        stored = len(self.graph.indices)
        return stored if self.directed else (stored + _n_loops(self.graph)) // 2


def read_graph(
    path: str | os.PathLike,
    *,
    directed: bool | None = None,
    source: str | None = None,
    target: str | None = None,
    weight: str | None = None,
    time: str | None = None,
    memory_limit: int | None = None,
) -> Network:
    r"""Read a graph from a file.

    Parameters
    ----------
    path : str or path-like
        METIS (``.graph``), Matrix Market (``.mtx``), GML, GraphML, Parquet, or a text file with a link in each line: two names
        of nodes, and perhaps a weight; with or without header. All of them also ``.gz``. "-" is a list on standard input.
    directed : bool, optional
        Default: as the file says; lists of links say nothing and are undirected. False for a directed file adds up the
        weights of both directions.
    source, target, weight : str, optional
        Columns of a list with a header; by default those called source, target and weight or the like, else the first two.
        ``weight=""`` takes none.
    time : str, optional
        Column of a list that says when a link was made; by default one that is called time, date or the like, and in a list
        without header a third column of seconds since 1970. "" takes none.
    memory_limit : int, optional
        Bytes that parsing may use.

    Returns
    -------
    Network

    Raises
    ------
    InputError
        If nothing is there or it cannot be read without guessing; one sentence says what and where.
    ResourceError
        If it does not fit in ``memory_limit``.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "friends.csv"
    ...     _ = path.write_text("source,target,weight\nann,bob,2\nbob,eve,1\n")
    ...     network = read_graph(path)
    >>> network.names, network.graph.weights.tolist()
    (('ann', 'bob', 'eve'), [2.0, 2.0, 1.0, 1.0])
    """
    columns = Columns(source, target, weight, time)
    text = os.fsdecode(os.fspath(path))
    if text == "-":
        links = read_edge_list(None, sys.stdin.buffer, "standard input", columns, memory_limit)
        return _network(links, "standard input", directed, None)
    file = Path(text)
    must_be_file(file)
    try:
        size = file.stat().st_size
        if size == 0:
            raise InputError(f"{file.name} is empty; give a file with at least one link")
        links = _read(file, columns, memory_limit)
    except OSError as error:
        if isinstance(error, InputError) or error.errno is None:
            raise
        raise InputError(f"cannot read {file}: {error.strerror}") from error
    return _network(links, file.name, directed, size)


def _read(path: Path, columns: Columns, memory_limit: int | None) -> Links:
    name = path.name
    with open(path, "rb") as file:
        head = file.read(8)
    kind = identify(head)
    if kind is not None and kind[0] == "parquet":
        return read_edge_parquet(path, columns, memory_limit)
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    suffix = suffixes[-1] if suffixes else ""
    if suffix in (".parquet", ".pq"):
        raise InputError(f"{name} is no Parquet file, whatever its name says; fetch or write it again")
    with _opened(path, memory_limit) as (stream, plain):
        refuse_binary(name, stream.peek(4096)[:4096])  # type: ignore[attr-defined]
        if suffix in (*_METIS, *_XML, ".gml", ".mtx") and any(columns):
            raise InputError(
                f"{name} has no columns to choose from; source=, target=, weight= and time= are for lists of links"
            )
        if suffix in _METIS:
            from .metis import read_metis

            return read_metis(_text_bytes(stream, name), name)
        if suffix == ".gml":
            from .gml import read_gml

            return read_gml(_decoded(_text_bytes(stream, name), name), name)
        if suffix in _XML:
            from .graphml import read_graphml

            return read_graphml(stream, name)
        if suffix == ".mtx":
            from .matrix_market import read_matrix_market

            return read_matrix_market(_text_bytes(stream, name), name)
        return read_edge_list(path if plain else None, stream, name, columns, memory_limit)


@contextlib.contextmanager
def _opened(path: Path, memory_limit: int | None) -> Iterator[tuple[IO[bytes], bool]]:
    """Open a file, unpacking it where it is gzip; also say whether it was plain."""
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not packed:
            yield file, True
            return
        with expand(file, path.name, memory_limit) as expanded:
            yield expanded, False


def _text_bytes(stream: IO[bytes], name: str) -> bytes:
    data = stream.read()
    if not data.strip():
        raise InputError(f"{name} is empty; give a file with at least one node")
    refuse_binary(name, data[:4096])
    return data


def _decoded(data: bytes, name: str) -> str:
    """Return text; GML is ASCII by its definition, UTF-8 or Latin-1 in practice."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _network(links: Links, name: str, directed: bool | None, source_bytes: int | None) -> Network:
    """Build the graph, and count what was merged."""
    n, m = len(links.names), len(links.sources)
    says = links.directed
    leads = says if directed is None else directed
    notes = list(links.notes)
    if directed is None and says is None:
        notes.append("links have no direction; directed=True keeps the order of their ends")
    graph, n_mirrored = links.graph, 0
    if graph is None:
        graph, n_mirrored = _built(links, n, bool(says) or (says is None and bool(leads)))
    if n_mirrored:
        notes.append("every link is listed in both directions: each pair was counted once")
    if says and not leads:
        graph = undirected(graph)
        notes.append("the file is directed: the weights of both directions were added up")
    n_loops = int((links.sources == links.targets).sum())
    n_dropped = 0 if links.weights is None else int((links.weights == 0).sum())
    stored = len(graph.indices)
    different = stored if (leads and says is not False) else (stored + _n_loops(graph)) // 2
    n_merged = m - n_dropped - n_mirrored - different
    for count, words in (
        (n_loops, "links lead from a node to itself and were kept"),
        (n_merged, "links were listed before: their weights were added up"),
        (n_dropped, "links of weight 0 were left out"),
        (links.n_comments, "comment lines were left out"),
    ):
        if count:
            notes.append(f"{count:,} {words}")
    return Network(
        name,
        graph,
        tuple(links.names),
        bool(leads),
        links.weights is not None,
        _table(name, links, n),
        n_links=m,
        n_self_loops=n_loops,
        n_merged=n_merged,
        n_mirrored=n_mirrored,
        n_dropped=n_dropped,
        n_comments=links.n_comments,
        notes=tuple(notes),
        source_bytes=source_bytes,
        timed=links.timed,
    )


def _built(links: Links, n: int, directed: bool) -> tuple[Graph, int]:
    """Return the graph, and how many links of an undirected list only repeat another one backwards."""
    sources, targets, weights = links.sources, links.targets, links.weights
    if directed or links.directed is not None:
        return from_links(sources, targets, weights, n, directed=directed), 0
    down, up = int((sources > targets).sum()), int((sources < targets).sum())
    if down == up > 0:
        one_way = from_links(sources, targets, weights, n, directed=True)
        if len(one_way.indices) == len(sources) and not is_directed(one_way):
            once = sources <= targets
            weights = weights[once] if weights is not None else None
            return from_links(sources[once], targets[once], weights, n, directed=False), down
    return from_links(sources, targets, weights, n, directed=False), 0


def _n_loops(graph: Graph) -> int:
    sources = np.repeat(np.arange(graph.n_nodes), np.diff(graph.indptr))
    return int((sources == graph.indices).sum())


def _table(name: str, links: Links, n: int) -> Table | None:
    from .frames import from_columns

    attributes: list[tuple[str, Any]] = links.attributes
    return from_columns(name, attributes) if attributes else None
