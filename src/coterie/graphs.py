"""The one gate in for graphs: whatever stands for a graph becomes a `Graph`, and nothing about it changes unsaid.

- Weights are finite and at least 0; a link of weight 0 is none.
- Links that are listed several times are one link with the sum of their weights.
- A node without links is a node.
- An undirected edge stands in the rows of both its ends. One from a node to itself has two ends there: it stands once, with
  twice its weight, and so the sum of a row is the degree that networkx and igraph count.
- A matrix is taken as it is: entry (i, j) is the weight of the link from i to j. It is directed where it is not symmetric.
"""

import sys
import warnings
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array, issparse

from .arrays import Graph, is_tensor
from .errors import InputError

__all__ = ["as_graph", "from_edges", "to_scipy", "undirected"]


def as_graph(graph: Any, n_nodes: int | None = None) -> Graph:
    """Return the `Graph` that any of the accepted kinds stands for.

    Parameters
    ----------
    graph : Graph, (n, n) sparse or dense array or sparse tensor, (m, 2) or (m, 3) array of edges, networkx or igraph graph
        An array that is not square has a row for each undirected edge: two node numbers from 0, and perhaps a weight. For
        directed edges see `from_edges`. The nodes of a networkx graph are numbered in the order of ``graph.nodes``.
    n_nodes : int, optional
        How many nodes an array of edges has; by default one more than the largest number in it. If given, the array is one of
        edges even where it is square.

    Returns
    -------
    Graph
        Weights are float32 where they came so, else float64; tensors stay tensors, on their device.

    Raises
    ------
    InputError
        If it is none of these, or has no node, a negative weight or one that is not finite, or names nodes that are not there.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.graphs import as_graph
    >>> as_graph(np.array([[0, 1], [1, 2]])).indices
    array([1, 0, 2, 1])
    """
    if isinstance(graph, Graph):
        return _checked(graph)
    if is_tensor(graph) and graph.layout is not sys.modules["torch"].strided:
        return _of_tensor(graph)
    if issparse(graph):
        return _of_matrix(graph)
    if hasattr(graph, "get_edgelist") and hasattr(graph, "vcount"):
        return _of_igraph(graph)
    if hasattr(graph, "adjacency") and hasattr(graph, "nodes"):
        return _of_networkx(graph)
    values = graph.detach().cpu().numpy() if is_tensor(graph) else np.asarray(graph)
    if values.ndim != 2:
        raise InputError(
            "expected a graph: a Graph, a square matrix, an (m, 2) or (m, 3) array of edges, or a networkx or igraph graph; "
            f"got {type(graph).__name__}" + (f" of shape {values.shape}" if values.ndim else "")
        )
    if n_nodes is None and values.shape[0] == values.shape[1]:
        return _of_matrix(values)
    if values.shape[1] not in (2, 3):
        raise InputError(
            f"expected a square adjacency matrix, or edges in 2 or 3 columns, got shape {values.shape}; "
            "for rows of measurements use SpectralClustering, or build a graph of neighbours first"
        )
    return from_edges(values, n_nodes)


def from_edges(edges: Any, n_nodes: int | None = None, *, weights: Any = None, directed: bool = False) -> Graph:
    """Return the graph of a list of edges.

    Parameters
    ----------
    edges : (m, 2) or (m, 3) array
        Node numbers from 0; a third column holds the weights.
    n_nodes : int, optional
        By default one more than the largest number.
    weights : (m,) array, optional
        Default: 1 for each edge, or the third column.
    directed : bool, default=False
        Whether an edge leads from its first node to its second only.

    Returns
    -------
    Graph

    Raises
    ------
    InputError
        If a node number is not whole or not among the nodes, or a weight is negative or not finite.

    Examples
    --------
    >>> from coterie.graphs import from_edges
    >>> from_edges([[0, 1, 2.5]], n_nodes=3, directed=True)
    Graph(indptr=array([0, 1, 1, 1]), indices=array([1]), weights=array([2.5]))
    """
    edges = np.asarray(edges)
    if edges.ndim != 2 or edges.shape[1] not in (2, 3):
        raise InputError(f"edges must be an (m, 2) or (m, 3) array, got shape {edges.shape}")
    if weights is None and edges.shape[1] == 3:
        weights = edges[:, 2]
    ends = _node_numbers(edges[:, :2])
    if n_nodes is None:
        if not len(ends):
            raise InputError("the graph has no edges, so how many nodes it has is not known; pass n_nodes")
        n_nodes = int(ends.max()) + 1
    _check_ends(ends, n_nodes)
    values = np.ones(len(ends)) if weights is None else _weights(weights)
    if len(values) != len(ends):
        raise InputError(f"weights must have one value for each of the {len(ends)} edges, got {len(values)}")
    _check_weights(values)
    sources, targets = ends.T
    if not directed:
        sources, targets, values = (
            np.concatenate([sources, targets]),
            np.concatenate([targets, sources]),
            np.tile(values, 2),
        )
    return _of_coo(coo_array((values, (sources, targets)), shape=(n_nodes, n_nodes)))


def undirected(graph: Graph, warn_as: str | None = None) -> Graph:
    """Return the graph whose links lead both ways: the weights of the two directions are added up.

    Parameters
    ----------
    graph : Graph
    warn_as : str, optional
        Name of an estimator that needs such a graph: a directed one is then warned about.

    Returns
    -------
    Graph
        The very same where it is symmetric already.

    Examples
    --------
    >>> from coterie.graphs import from_edges, undirected
    >>> undirected(from_edges([[0, 1]], directed=True)).indices
    array([1, 0])
    """
    if is_tensor(graph.indptr):
        return _undirected_tensors(graph, warn_as)
    one, other = to_scipy(graph), to_scipy(graph).T.tocsr()
    if np.array_equal(one.indices, other.indices) and np.array_equal(one.data, other.data):
        return graph
    if warn_as:
        _warn_directed(warn_as)
    return _of_coo((one + other).tocoo())


def to_scipy(graph: Graph) -> csr_array:
    """Return the adjacency matrix; it shares the memory of a graph of NumPy arrays.

    Parameters
    ----------
    graph : Graph

    Returns
    -------
    (n, n) csr_array

    Examples
    --------
    >>> from coterie.graphs import from_edges, to_scipy
    >>> to_scipy(from_edges([[0, 1]])).toarray()
    array([[0., 1.],
           [1., 0.]])
    """
    indptr, indices, weights = (part.cpu().numpy() if is_tensor(part) else part for part in graph)
    return csr_array((weights, indices, indptr), shape=graph.shape)


def _checked(graph: Graph) -> Graph:
    if is_tensor(graph.indptr):
        weights = graph.weights
        if len(weights) and not bool((weights.isfinite() & (weights >= 0)).all()):
            raise InputError(
                "the graph has weights that are negative, NaN or infinite; weights must be finite and at least 0"
            )
        return graph
    indptr, indices, weights = (np.ascontiguousarray(part) for part in graph)
    n = len(indptr) - 1
    if n < 1:
        raise InputError("the graph has no nodes; at least 1 is needed")
    if indptr[0] != 0 or indptr[-1] != len(indices) or len(weights) != len(indices) or np.any(np.diff(indptr) < 0):
        raise InputError("indptr, indices and weights do not fit together: see the layout of coterie.Graph")
    weights = _weights(weights)
    _check_weights(weights)
    _check_ends(indices, n)
    in_order = np.diff(indices) > 0
    in_order[indptr[1:-1][(indptr[1:-1] > 0) & (indptr[1:-1] < len(indices))] - 1] = True
    if not in_order.all() or (weights == 0).any():
        return _of_coo(csr_array((weights, indices, indptr), shape=(n, n)).tocoo())
    return Graph(indptr.astype(np.int64, copy=False), indices.astype(np.int64, copy=False), weights)


def _of_matrix(matrix: Any) -> Graph:
    if matrix.shape[0] != matrix.shape[1] or matrix.ndim != 2:
        raise InputError(f"an adjacency matrix must be square, got shape {matrix.shape}")
    if not matrix.shape[0]:
        raise InputError("the graph has no nodes; at least 1 is needed")
    if np.iscomplexobj(matrix):
        raise InputError("complex data not supported: weights must be real numbers")
    matrix = coo_array(matrix)
    values = _weights(matrix.data)
    _check_weights(values)
    return _of_coo(coo_array((values, matrix.coords), shape=matrix.shape))


def _of_coo(matrix: coo_array) -> Graph:
    rows = matrix.tocsr()  # adds up links that are listed several times
    rows.sum_duplicates()
    rows.eliminate_zeros()
    return Graph(rows.indptr.astype(np.int64), rows.indices.astype(np.int64), rows.data)


def _of_tensor(matrix: Any) -> Graph:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"an adjacency matrix must be square, got shape {tuple(matrix.shape)}")
    matrix = matrix.coalesce() if matrix.is_sparse else matrix
    rows = matrix.to_sparse_csr()
    values = rows.values()
    return _checked(
        Graph(
            rows.crow_indices().long(),
            rows.col_indices().long(),
            values if values.is_floating_point() else values.double(),
        )
    )


def _of_networkx(graph: Any) -> Graph:
    number = {node: i for i, node in enumerate(graph.nodes)}
    edges = [(number[a], number[b]) for a, b in graph.edges()]
    weights = [1.0 if w is None else w for *_, w in graph.edges(data="weight", default=1.0)]
    return from_edges(
        np.array(edges, np.int64).reshape(-1, 2), len(number), weights=np.array(weights), directed=graph.is_directed()
    )


def _of_igraph(graph: Any) -> Graph:
    weights = np.array(graph.es["weight"], float) if "weight" in graph.es.attributes() else None
    edges = np.array(graph.get_edgelist(), np.int64).reshape(-1, 2)
    return from_edges(edges, graph.vcount(), weights=weights, directed=graph.is_directed())


def _undirected_tensors(graph: Graph, warn_as: str | None) -> Graph:
    torch = sys.modules["torch"]
    n = graph.n_nodes
    sources = torch.repeat_interleave(torch.arange(n, device=graph.indptr.device), graph.indptr.diff())
    forward, backward = sources * n + graph.indices, graph.indices * n + sources
    order = torch.argsort(backward)
    if torch.equal(forward, backward[order]) and torch.equal(graph.weights, graph.weights[order]):
        return graph
    if warn_as:
        _warn_directed(warn_as)
    both = torch.sparse_coo_tensor(
        torch.stack([torch.cat([sources, graph.indices]), torch.cat([graph.indices, sources])]),
        torch.cat([graph.weights, graph.weights]),
        graph.shape,
    )
    return _of_tensor(both)


def _warn_directed(name: str) -> None:
    warnings.warn(
        f"the graph is directed and {name} needs an undirected one: the weights of both directions were added up; "
        "pass coterie.graphs.undirected(graph) to say so, or use BlockModel(directed=True), which keeps directions",
        UserWarning,
        stacklevel=4,
    )


def _node_numbers(ends: np.ndarray) -> np.ndarray:
    if ends.dtype.kind in "iu":
        return ends.astype(np.int64, copy=False)
    if ends.dtype.kind == "f":
        if not np.isfinite(ends).all():
            raise InputError("the edges contain NaN or infinity; the ends of edges must be whole node numbers from 0")
        if np.array_equal(ends, np.floor(ends)):
            return ends.astype(np.int64)
    raise InputError(
        f"the ends of edges must be whole node numbers from 0, got {ends.dtype} with other values; "
        "number the nodes first, or read a file with names by coterie.tables.read_graph"
    )


def _check_ends(ends: np.ndarray, n: int) -> None:
    if n < 1:
        raise InputError("the graph has no nodes; at least 1 is needed")
    if len(ends) and (ends.min() < 0 or ends.max() >= n):
        wrong = int(ends.min() if ends.min() < 0 else ends.max())
        raise InputError(f"an edge names node {wrong}, but the nodes are 0 ... {n - 1}")


def _weights(values: Any) -> np.ndarray:
    values = np.asarray(values)
    if np.iscomplexobj(values):
        raise InputError("complex data not supported: weights must be real numbers")
    try:
        return values if values.dtype == np.float32 else values.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"weights must be numbers ({error})") from None


def _check_weights(values: np.ndarray) -> None:
    if not np.isfinite(values).all():
        raise InputError("the graph has a weight that is NaN or infinity; weights must be finite")
    if len(values) and values.min() < 0:
        raise InputError(
            f"Negative values in data: the graph has a weight of {values.min():g}; weights must be at least 0, "
            "so shift them, drop those links, or take them for distances"
        )
