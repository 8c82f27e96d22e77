"""How new nodes become what an estimator of a graph takes: rows of links to the nodes of its fit, which are known by their names."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..graphs import to_scipy, undirected
from .graph_files import Network, read_graph

__all__ = ["NewNodes", "NodeCoding"]

_COLUMNS = ("source", "target", "weight")


class NewNodes(NamedTuple):
    """Nodes that a network did not have, and how they link to those it had."""

    name: str  # of the file
    names: tuple[str, ...]
    links: Any  # (m, n) csr_array
    n_known: int  # other nodes of the file, which the network has

    @property
    def n_rows(self) -> int:
        """How many new nodes there are."""
        return len(self.names)


@dataclass(frozen=True, eq=False)
class NodeCoding:
    """What a model of a network keeps beside its estimator.

    Attributes
    ----------
    names : tuple of str
        Of the nodes of the fit, in their order.
    directed : bool
        Whether the estimator heeds where links start; then the links from new nodes count, else those to them, too.
    columns : mapping of str to str
        Which columns of a list were said to hold "source", "target" and "weight".
    """

    names: tuple[str, ...] = field(repr=False)
    directed: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)

    def read(self, source: Any, *, memory_limit: int | None = None) -> NewNodes:
        """Read links of new nodes to those of the fit.

        Parameters
        ----------
        source : path, Network or NewNodes
            Links, in any form that `read_graph` takes; links between new nodes say nothing and are left out.
        memory_limit : int, optional
            Bytes that reading may use.

        Returns
        -------
        NewNodes

        Raises
        ------
        InputError
            If no node of the file is one of the network, or no node is new.
        """
        if isinstance(source, NewNodes):
            return source
        if isinstance(source, str | os.PathLike):
            # Links of a directed model lead somewhere, whatever a list says of itself.
            directed = True if self.directed else None
            source = read_graph(source, directed=directed, memory_limit=memory_limit, **self.columns)
        if not isinstance(source, Network):
            raise InputError(f"a model of a network takes a file of links, got {type(source).__name__}")
        place = {name: i for i, name in enumerate(self.names)}
        at = np.array([place.get(name, -1) for name in source.names], np.int64)
        new, known = np.flatnonzero(at < 0), np.flatnonzero(at >= 0)
        if not len(known):
            raise InputError(
                f"no node of {source.name} is in the network of the model, such as {self.names[0]!r}; give links from new nodes to "
                "nodes that it has, spelled the same"
            )
        if not len(new):
            raise InputError(
                f"all {len(known):,} nodes of {source.name} are in the network of the model already; members.csv has their classes"
            )
        graph = source.graph if self.directed else undirected(source.graph)
        return NewNodes(
            source.name, tuple(source.names[i] for i in new), self._links(to_scipy(graph)[new], at), len(known)
        )

    def transform(self, nodes: NewNodes) -> Any:
        """Return the (m, n) weights of the links to the nodes of the fit.

        Parameters
        ----------
        nodes : NewNodes
        """
        return nodes.links

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return everything as JSON and arrays, for `from_state`."""
        texts = [name.encode("utf-8", "surrogateescape") for name in self.names]
        ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
        return {"nodes": len(texts), "directed": self.directed, "columns": dict(self.columns)}, {
            "text": np.frombuffer(b"".join(texts), np.uint8),
            "ends": ends,
        }

    @classmethod
    def from_state(cls, json: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> "NodeCoding":
        """Return the coding whose state it was.

        Raises
        ------
        ValueError
            If the state is damaged.
        """
        ends, text = np.asarray(arrays["ends"], np.int64), np.asarray(arrays["text"], np.uint8).tobytes()
        starts = np.append(0, ends[:-1])
        if (
            len(ends) != json["nodes"]
            or not len(ends)
            or (ends < starts).any()
            or starts[0] != 0
            or ends[-1] != len(text)
        ):
            raise ValueError("the names of its nodes are not whole")
        columns = {str(kind): str(name) for kind, name in json["columns"].items() if kind in _COLUMNS}
        pieces = (text[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True))
        return cls(tuple(piece.decode("utf-8", "surrogateescape") for piece in pieces), bool(json["directed"]), columns)

    def _links(self, rows: Any, at: NDArray[np.int64]) -> Any:
        """Keep the links to nodes of the fit, under the numbers they had there."""
        from scipy.sparse import coo_array

        rows = rows.tocoo()
        kept = at[rows.col] >= 0
        shape = (rows.shape[0], len(self.names))
        return coo_array(
            (rows.data[kept].astype(np.float64), (rows.row[kept], at[rows.col[kept]])), shape=shape
        ).tocsr()
