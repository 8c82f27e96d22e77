"""Whatever stands for a graph becomes a `Graph`."""

import sys
from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse

from ..arrays import Graph, is_tensor
from ..errors import InputError
from .checks import check_ends, check_size, check_weights, node_numbers, real_weights, unmasked
from .edges import from_edges, from_links

__all__ = ["as_graph"]

_KINDS = "a Graph, a square matrix, an (m, 2) or (m, 3) array or frame of edges, or a networkx or igraph graph"


def as_graph(graph: Any, n_nodes: int | None = None) -> Graph:
    """Return the `Graph` that any of the accepted kinds stands for.

    Parameters
    ----------
    graph : Graph, (n, n) sparse or dense array or tensor, (m, 2) or (m, 3) array or frame of edges, networkx or igraph graph
        An array that is not square has a row for each undirected edge: two node numbers from 0, and perhaps a weight. For
        directed edges see `from_edges`. The nodes of a networkx graph are numbered in the order of ``graph.nodes``, and
        links of a multigraph between the same nodes are one link with the sum of their weights.
    n_nodes : int, optional
        How many nodes an array of edges has; by default one more than the largest number in it. If given, the array is one of
        edges even where it is square.

    Returns
    -------
    Graph
        Weights are float32 where they came so, else float64; tensors stay tensors, on their device. It may share the memory
        of what was given.

    Raises
    ------
    InputError
        If it is none of these, or has no node, a negative weight or one that is not finite, or names nodes that are not there.
    ResourceError
        If the largest number of an array of edges asks for very many more nodes than there are edges, as identifiers do.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.graphs import as_graph
    >>> as_graph(np.array([[0, 1], [1, 2], [2, 3]])).indices
    array([1, 0, 2, 1, 3, 2])
    """
    if isinstance(graph, Graph):
        return _checked_tensors(graph) if is_tensor(graph.indptr) else _checked(graph)
    if is_tensor(graph):
        return _of_tensor(graph, n_nodes)
    if issparse(graph):
        return _of_matrix(graph)
    if hasattr(graph, "get_edgelist") and hasattr(graph, "vcount"):
        return _of_igraph(graph)
    if hasattr(graph, "adjacency") and hasattr(graph, "nodes"):
        return _of_networkx(graph)
    values = graph if _is_frame(graph) else _array(graph)
    shape = tuple(values.shape)
    if len(shape) != 2:
        raise InputError(
            f"expected a graph: {_KINDS}; got {type(graph).__name__}" + (f" of shape {shape}" if shape else "")
        )
    if n_nodes is None and shape[0] == shape[1]:
        return _of_matrix(unmasked(np.asarray(values), "the weights"))
    if shape[1] not in (2, 3):
        raise InputError(
            f"expected a square adjacency matrix, or edges in 2 or 3 columns, got shape {shape}; "
            "for rows of measurements use SpectralClustering, or build a graph of neighbours first"
        )
    return from_edges(values, n_nodes)


def _is_frame(graph: Any) -> bool:
    return hasattr(graph, "iloc") or hasattr(graph, "iter_columns")


def _array(graph: Any) -> np.ndarray:
    try:
        return unmasked(graph, "the edges or weights")
    except ValueError as error:  # rows of different length
        raise InputError(f"expected a graph: {_KINDS}; got {type(graph).__name__} ({error})") from None


def _checked(graph: Graph) -> Graph:
    indptr, indices, weights = (np.ascontiguousarray(part) for part in graph)
    if indptr.ndim != 1 or indices.ndim != 1 or weights.ndim != 1:
        raise InputError("indptr, indices and weights must be 1-D: see the layout of coterie.Graph")
    n = len(indptr) - 1
    check_size(n)
    indptr, indices, weights = node_numbers(indptr), node_numbers(indices), real_weights(weights)
    if indptr[0] != 0 or indptr[-1] != len(indices) or len(weights) != len(indices) or np.any(np.diff(indptr) < 0):
        raise InputError("indptr, indices and weights do not fit together: see the layout of coterie.Graph")
    check_ends(indices, n, lambda i: f"a link of node {np.searchsorted(indptr, i, 'right') - 1}")
    check_weights(weights, lambda i: f"from node {np.searchsorted(indptr, i, 'right') - 1} to node {indices[i]}")
    in_order = indices[1:] > indices[:-1]
    starts = indptr[1:-1]
    in_order[starts[(starts > 0) & (starts < len(indices))] - 1] = True
    if not in_order.all() or (len(weights) and not (weights.min() > 0)):
        return _in_order(csr_array((weights, indices, indptr), shape=(n, n), copy=True))
    return Graph(indptr, indices, weights)


def _of_matrix(matrix: Any) -> Graph:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"an adjacency matrix must be square, got shape {matrix.shape}")
    check_size(matrix.shape[0])
    if matrix.dtype.kind == "O":
        matrix = real_weights(matrix)
    if np.iscomplexobj(matrix):
        raise InputError("complex data not supported: weights must be real numbers")
    if matrix.dtype.kind not in "biuf":
        raise InputError(f"an adjacency matrix must hold numbers, got {matrix.dtype}; convert them first")
    if isinstance(matrix, np.ndarray) and (matrix.dtype == np.float16 or not matrix.dtype.isnative):
        matrix = real_weights(matrix)  # unknown to SciPy's sparse arrays
    rows = csr_array(matrix)
    values = real_weights(rows.data)
    indptr, indices = rows.indptr, rows.indices
    check_weights(values, lambda i: f"row {np.searchsorted(indptr, i, 'right') - 1}, column {indices[i]}")
    if values is rows.data:
        rows = rows.copy() if not _canonical(rows) else rows
    else:
        rows = csr_array((values, rows.indices, rows.indptr), shape=rows.shape, copy=not _canonical(rows))
    return _in_order(rows)


def _canonical(rows: csr_array) -> bool:
    """Say whether nothing has to be moved; the flags that SciPy keeps may be wrong where a caller wrote to the parts."""
    rows = csr_array((rows.data, rows.indices, rows.indptr), shape=rows.shape)
    return bool(rows.has_canonical_format) and not (rows.data == 0).any()


def _in_order(rows: csr_array) -> Graph:
    """Add up links that are listed several times, drop those of weight 0, and sort; written into ``rows``."""
    if not rows.has_canonical_format:
        rows.sum_duplicates()
        if not np.isfinite(rows.data).all():
            raise InputError("the weights of a link that is listed several times add up to infinity; scale them down")
    if (rows.data == 0).any():
        rows.eliminate_zeros()
    return Graph(rows.indptr.astype(np.int64, copy=False), rows.indices.astype(np.int64, copy=False), rows.data)


def _checked_tensors(graph: Graph) -> Graph:
    torch = sys.modules["torch"]
    indptr, indices, weights = (part.detach() for part in graph)
    n, m = len(indptr) - 1, len(indices)
    check_size(n)
    if int(indptr[0]) or int(indptr[-1]) != m or len(weights) != m or bool((indptr.diff() < 0).any()):
        raise InputError("indptr, indices and weights do not fit together: see the layout of coterie.Graph")
    indptr, indices = indptr.long(), indices.long()
    weights = _real(weights)
    if m and (int(indices.min()) < 0 or int(indices.max()) >= n):
        wrong = int(indices.min()) if int(indices.min()) < 0 else int(indices.max())
        raise InputError(f"a link names node {wrong}, but the nodes are 0 ... {n - 1}")
    sources = torch.repeat_interleave(torch.arange(n, device=indptr.device), indptr.diff())
    _check_tensor(weights, sources, indices)
    return _in_rows(sources, indices, weights, n)


def _in_rows(sources: Any, targets: Any, weights: Any, n: int) -> Graph:
    """Turn the links of tensors into rows: those that are listed several times are added up, those of weight 0 dropped."""
    torch = sys.modules["torch"]
    keys = sources * n + targets
    if not bool((keys.diff() > 0).all()):
        keys, order = torch.sort(keys, stable=True)
        sources, targets, weights = sources[order], targets[order], weights[order]
    if bool((keys.diff() == 0).any()) or not bool((weights > 0).all()):
        # On the host: sums on a GPU would depend on the order in which its threads finish.
        a, b, w = (part.cpu().numpy() for part in (sources, targets, weights))
        parts = from_links(a, b, w, n, directed=True)
        return Graph(*(torch.from_numpy(part).to(weights.device) for part in parts))
    counts = torch.bincount(sources, minlength=n)
    return Graph(torch.cat([counts.new_zeros(1), counts.cumsum(0)]), targets, weights)


def _check_tensor(weights: Any, sources: Any, targets: Any) -> None:
    bad = (~(weights.isfinite() & (weights >= 0))).nonzero()
    if len(bad):
        i = int(bad[0])
        place = f"from node {int(sources[i])} to node {int(targets[i])}"
        check_weights(weights[i : i + 1].cpu().numpy(), lambda _: place)


def _real(weights: Any) -> Any:
    torch = sys.modules["torch"]
    if weights.dtype in (torch.float32, torch.float64):
        return weights
    if weights.is_complex():
        raise InputError("complex data not supported: weights must be real numbers")
    return weights.float() if weights.is_floating_point() else weights.double()


def _of_tensor(matrix: Any, n_nodes: int | None) -> Graph:
    torch = sys.modules["torch"]
    matrix = matrix.detach()
    if matrix.layout is torch.strided:
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or n_nodes is not None:
            parts = as_graph(matrix.cpu().numpy(), n_nodes)
            return Graph(*(torch.from_numpy(part).to(matrix.device) for part in parts))
        check_size(len(matrix))
        sources, targets = torch.nonzero(matrix).T.contiguous()
        weights = _real(matrix[sources, targets])
        _check_tensor(weights, sources, targets)
        return _in_rows(sources, targets, weights, len(matrix))
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"an adjacency matrix must be square, got shape {tuple(matrix.shape)}")
    n = matrix.shape[0]
    if matrix.layout is torch.sparse_csr:
        return _checked_tensors(Graph(matrix.crow_indices(), matrix.col_indices(), _real(matrix.values())))
    check_size(n)
    matrix = matrix if matrix.layout is torch.sparse_coo else matrix.to_sparse()
    sources, targets = matrix._indices()
    weights = _real(matrix._values())
    _check_tensor(weights, sources, targets)
    return _in_rows(sources, targets, weights, n)


def _of_networkx(graph: Any) -> Graph:
    number = {node: i for i, node in enumerate(graph.nodes)}
    links = list(graph.edges(data="weight", default=1.0))
    ends = np.fromiter((number[end] for link in links for end in link[:2]), np.int64, 2 * len(links)).reshape(-1, 2)
    weights = _named_weights([link[2] for link in links], lambda i: f"the edge from {links[i][0]!r} to {links[i][1]!r}")
    return from_edges(ends, _some(len(number)), weights=weights, directed=graph.is_directed())


def _of_igraph(graph: Any) -> Graph:
    pairs = graph.get_edgelist()
    weights = None
    if "weight" in graph.es.attributes():
        weights = _named_weights(list(graph.es["weight"]), lambda i: f"the edge from {pairs[i][0]} to {pairs[i][1]}")
    ends = np.array(pairs, np.int64).reshape(-1, 2)
    return from_edges(ends, _some(graph.vcount()), weights=weights, directed=graph.is_directed())


def _named_weights(values: list, edge: Any) -> np.ndarray:
    """Return weights as numbers, 1 where an edge has none; what is no number, or none that will do, is named by its edge."""
    for i, value in enumerate(values):
        if value is None:
            values[i] = 1.0
        elif isinstance(value, str | bytes | complex):
            raise InputError(f"{edge(i)} has the weight {value!r}; weights must be numbers")
    weights = real_weights(np.array(values, dtype=np.float64 if not values else None))
    check_weights(weights, edge)
    return weights


def _some(n: int) -> int:
    check_size(n)
    return n
