"""What the estimators on graphs share: the gate in, and labels for new nodes by their links to the fitted ones."""

from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.utils.validation import check_is_fitted, validate_data

from ..arrays import Graph, is_tensor, like_input, to_device, to_numpy
from ..base import Clusterer
from ..errors import InputError, ResourceError
from ..graphs import as_graph, to_scipy, undirected
from ..primitives.blocks import in_blocks
from ..primitives.compiled import run_blocks
from ..primitives.edges import EdgeBlocks, edge_blocks, room, whole_graph
from ..primitives.symmetry import is_symmetric

__all__ = ["GraphClusterer"]

_BYTES_PER_BLOCK = 1 << 24
_BYTES_PER_STORED_LINK, _BYTES_PER_NODE = (
    130,
    250,
)  # measured: 96 of Leiden to 130 of cuts, from the blocks to the labels
_BAD_LINKS = "the links contain NaN, infinity or a negative weight; weights must be finite and at least 0"


class GraphClusterer(Clusterer):
    """Base of every clusterer of nodes; rows and columns of its input are the nodes."""

    _state_attributes: ClassVar[tuple[str, ...]] = ("_graph",)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = True
        tags.input_tags.positive_only = True
        tags.input_tags.sparse = True
        return tags

    def _graph_in(self, graph: Any, n_nodes: int | None = None, *, directed: bool = False) -> Graph:
        """Check the graph and return it on the engine that shall compute on it, undirected unless ``directed``.

        An undirected graph keeps the entries of its diagonal.
        """
        if isinstance(graph, EdgeBlocks) or in_blocks(graph):
            return self._gathered(graph, n_nodes)
        listed = False  # as edges, which lead both ways
        if isinstance(graph, np.ndarray) or hasattr(graph, "iloc") or hasattr(graph, "__dataframe__"):
            listed = _lists_edges(graph, n_nodes)
            graph = np.asarray(graph) if listed else self._dense(graph)
        graph = self._graph = _owned(as_graph(graph, n_nodes), graph)
        self.n_features_in_ = graph.n_nodes
        if not directed and not listed and not is_symmetric(graph):
            graph = undirected(graph, warn_as=type(self).__name__)
        device = getattr(self, "device", "cpu")
        return graph if is_tensor(graph.indptr) else Graph(*(to_device(part, device) for part in graph))

    def _looked_at(self, graph: Any, n_nodes: int | None) -> Any:
        """Look at edges in blocks; anything else is returned as it is."""
        return edge_blocks(graph, n_nodes) if in_blocks(graph) else graph

    def _too_large(self, graph: Any) -> bool:
        """Say whether there are edges in blocks whose graph cannot be clustered here."""
        return isinstance(graph, EdgeBlocks) and self._beyond(graph, graph.n_links, graph.n_nodes)

    def _beyond(self, edges: EdgeBlocks, n_links: int, n: int) -> bool:
        """Say whether a graph of so many links and nodes is more than this process has room for."""
        return self._needed(n_links, n) > room(edges)

    def _needed(self, n_links: int, n: int) -> float:
        """Return how many bytes it takes to gather a graph and to cluster it; links are counted once."""
        return 2.0 * _BYTES_PER_STORED_LINK * n_links + self._node_bytes() * n

    def _node_bytes(self) -> int:
        return _BYTES_PER_NODE

    def _gathered(self, graph: Any, n_nodes: int | None) -> Graph:
        """Gather edges in blocks to a graph in memory."""
        edges = self._looked_at(graph, n_nodes)
        if self._too_large(edges):
            raise ResourceError(
                f"the blocks hold about {edges.n_links:,} links between {edges.n_nodes:,} nodes; {type(self).__name__} needs about "
                f"{self._needed(edges.n_links, edges.n_nodes) / 2**30:.2f} GiB for them in this process, but "
                f"{room(edges) / 2**30:.2f} GiB are free; drop light links, or cluster groups of nodes by Leiden first"
            )
        self._graph = whole_graph(edges)
        self.n_features_in_ = edges.n_nodes
        return Graph(*(to_device(part, getattr(self, "device", "cpu")) for part in self._graph))

    def _dense(self, graph: Any) -> np.ndarray:
        """Give a dense matrix to scikit-learn's checks: they remember the names of its columns."""
        values = validate_data(self, graph, reset=True, dtype=[np.float64, np.float32], ensure_all_finite=False)
        if values.shape[0] != values.shape[1]:
            raise InputError(f"an adjacency matrix must be square, got shape {values.shape}")
        return values

    def predict(self, links: Any) -> Any:
        """Return the cluster of each node by its links to the fitted nodes.

        A node with the links of a fitted node has that node's label; any other joins the cluster that its links weigh most
        to, the lowest-numbered where two are equal, and the largest where it has no link.

        Parameters
        ----------
        links : (m, n) array or sparse matrix, or Graph
            Weights of the links from each node to the n fitted nodes.

        Returns
        -------
        (m,) int64 array
        """
        check_is_fitted(self)
        rows = self._links_in(links)
        labels = to_numpy(self.labels_)
        if self._graph.n_nodes == self.n_features_in_:
            found = _labels_of_fitted(to_scipy(self._graph), labels, rows)
        else:  # groups of nodes were clustered, and their links to single nodes are not known here
            found = np.full(rows.shape[0], -2)
        new = np.flatnonzero(found < -1)
        if len(new):
            found[new] = self._predict_new(rows[new], labels)
        return like_input(found, self.labels_)

    def _links_in(self, links: Any) -> csr_array:
        n = self.n_features_in_
        if isinstance(links, Graph):
            rows = to_scipy(links)
        elif issparse(links):
            rows = csr_array(links)
        elif is_tensor(links) and str(links.layout) != "torch.strided":
            links = links.detach().cpu().to_sparse_coo()
            at, values = links._indices().numpy(), links._values().double().numpy()  # duplicates are added up below
            rows = csr_array((values, (at[0], at[1])), shape=tuple(links.shape))
        else:
            values = links.detach().cpu().numpy() if is_tensor(links) else links
            if np.asarray(values).dtype.kind == "f" and not np.isfinite(np.asarray(values)).all():
                raise InputError(_BAD_LINKS)
            rows = csr_array(validate_data(self, values, reset=False, dtype=[np.float64, np.float32]))
        if rows.shape[1] != n:
            raise InputError(
                f"X has {rows.shape[1]} features, but {type(self).__name__} is expecting {n} features as input: "
                "a column for each fitted node"
            )
        if not np.isfinite(rows.data).all() or (rows.nnz and rows.data.min() < 0):
            raise InputError(_BAD_LINKS)
        rows.sum_duplicates()
        rows.eliminate_zeros()
        return rows

    def _predict_new(self, rows: csr_array, labels: np.ndarray) -> np.ndarray:
        """Return the cluster that each row of links weighs most to."""
        clustered = np.flatnonzero(labels >= 0)
        k = int(labels.max()) + 1
        member = csr_array((np.ones(len(clustered)), (clustered, labels[clustered])), shape=(len(labels), k))
        weight = (rows @ member).tocsr()
        largest = int(np.bincount(labels[clustered], minlength=k).argmax())
        found = np.full(rows.shape[0], largest)
        linked = np.flatnonzero(np.diff(weight.indptr))
        for start in range(0, len(linked), 4096):  # dense in parts: k may be large
            part = linked[start : start + 4096]
            found[part] = weight[part].toarray().argmax(axis=1)
        return found


def _lists_edges(graph: Any, n_nodes: int | None) -> bool:
    shape = np.shape(graph)
    return len(shape) == 2 and shape[1] in (2, 3) and (shape[0] != shape[1] or n_nodes is not None)


def _owned(graph: Graph, source: Any) -> Graph:
    """Return the graph in memory of its own: what the caller does to the input later must not reach the estimator."""
    given = (
        source if isinstance(source, Graph) else [getattr(source, name, None) for name in ("indptr", "indices", "data")]
    )
    if is_tensor(graph.indptr):
        if not isinstance(source, Graph) and not is_tensor(source):
            return graph
        return Graph(*(one.clone() for one in graph))
    theirs = [one for one in given if isinstance(one, np.ndarray)]
    return Graph(*(_copied(one) if any(np.may_share_memory(one, other) for other in theirs) else one for one in graph))


def _copied(array: np.ndarray) -> np.ndarray:
    """Return a copy, made on all cores: of ten million links most of the time goes into getting the memory."""
    copy, blocks = np.empty_like(array), 1 + array.nbytes // _BYTES_PER_BLOCK

    def copy_block(block: int) -> None:
        part = slice(len(array) * block // blocks, len(array) * (block + 1) // blocks)
        copy[part] = array[part]

    run_blocks(copy_block, blocks)
    return copy


def _labels_of_fitted(fitted: csr_array, labels: np.ndarray, rows: csr_array) -> np.ndarray:
    """Return the label of the fitted node with the same links as each row, that in the same place first; -2 where none has."""
    same = [np.array_equal(a, b) for a, b in zip(*((m.indptr, m.indices, m.data) for m in (fitted, rows)), strict=True)]
    if all(same):
        return labels.copy()
    marks, wanted = _row_marks(fitted), _row_marks(rows)
    order = np.argsort(marks, kind="stable")
    at = order[np.minimum(np.searchsorted(marks[order], wanted), len(order) - 1)]
    shared = min(len(marks), len(wanted))
    own = np.flatnonzero(marks[:shared] == wanted[:shared])
    at[own] = own
    found = np.where(_same_rows(fitted, at, rows), labels[at], -2)
    return found.astype(np.int64, copy=False)


def _row_marks(matrix: csr_array) -> np.ndarray:
    """Return a number for each row that tells its links and their weights from any others, as a good hash does: uint64."""
    x = matrix.indices.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x += matrix.data.astype(np.float64).view(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
    x = (x ^ (x >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(29)
    sums = np.concatenate(
        [np.zeros(1, np.uint64), np.cumsum(x, dtype=np.uint64)]
    )  # wraps around, as their differences do
    return sums[matrix.indptr[1:]] - sums[matrix.indptr[:-1]]


def _same_rows(fitted: csr_array, at: np.ndarray, rows: csr_array) -> np.ndarray:
    """Say for each row whether row ``at[i]`` of the fitted matrix is the same."""
    lengths = np.diff(rows.indptr)
    same = lengths == np.diff(fitted.indptr)[at]
    if not same.any():
        return same
    mine = np.flatnonzero(np.repeat(same, lengths))
    row = np.repeat(np.arange(len(lengths)), lengths)[mine]
    theirs = fitted.indptr[at[row]] + (mine - rows.indptr[row])
    differ = (fitted.indices[theirs] != rows.indices[mine]) | (fitted.data[theirs] != rows.data[mine])
    same[row[differ]] = False
    return same
