"""Graphs of rows: equal rows are one node, nodes are joined to their nearest, or to all by a kernel."""

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from ..arrays import Graph, is_tensor, to_numpy
from ..errors import ResourceError
from ..primitives.components import connected_components
from ..primitives.conditioning import condition
from ..primitives.distances import pairwise_distances
from ..primitives.memory import free_bytes
from ..primitives.neighbors import k_nearest
from ..primitives.row_keys import row_keys
from ..primitives.spanning_tree import spanning_tree

__all__ = [
    "DistinctRows",
    "distinct_rows",
    "kernel_graph",
    "kernel_weights",
    "kernel_width",
    "neighbor_graph",
    "node_of",
    "select",
]

_ROWS_PER_BLOCK = 1024
_BYTES_PER_PAIR = 48  # of a dense graph: columns, weights, the operator's copy, and what they are made of


class DistinctRows(NamedTuple):
    """Which rows are equal, and how to find them again."""

    first: np.ndarray  # (n_nodes,) int64: first row of each node, ascending
    node: np.ndarray  # (n,) int64: node of each row
    keys: np.ndarray  # (n_nodes,) float64, ascending
    order: np.ndarray  # (n_nodes,) int64: node of each key


def distinct_rows(X: Any) -> DistinctRows:
    """Find the distinct rows of dense rows of any engine."""
    values = to_numpy(X)
    keys = row_keys(values)
    _, first, node, count = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    if (count > 1).any():
        # Rows of one key are equal, or differ by less than the key shows.
        suspects = np.flatnonzero(count[node] > 1)
        group = np.full(len(values), -1)
        _, group[suspects] = np.unique(values[suspects] + 0.0, axis=0, return_inverse=True)
        single = group < 0
        group[single] = int(group.max()) + 1 + np.arange(int(single.sum()))
        _, first, node = np.unique(group, return_index=True, return_inverse=True)
    by_row = np.argsort(first)
    number = np.empty(len(first), np.int64)
    number[by_row] = np.arange(len(first))
    first = first[by_row]
    keys = keys[first]
    order = np.argsort(keys, kind="stable")
    return DistinctRows(first, number[node], keys[order], order)


def node_of(rows: np.ndarray, known: tuple[np.ndarray, np.ndarray], queries: np.ndarray) -> np.ndarray:
    """Return the node whose row equals each query, -1 where there is none.

    Parameters
    ----------
    rows : (n_nodes, d) array
    known : tuple of (n_nodes,) arrays
        ``keys`` and ``order`` of `DistinctRows`.
    queries : (m, d) array
    """
    keys, order = known
    asked = row_keys(queries)
    found = np.full(len(queries), -1)
    place = np.searchsorted(keys, asked)
    left = np.arange(len(queries))
    while len(left):
        left = left[place[left] < len(keys)]
        left = left[keys[place[left]] == asked[left]]
        node = order[place[left]]
        same = (rows[node] == queries[left]).all(axis=1)
        found[left[same]] = node[same]
        left = left[~same]
        place[left] += 1
    return found


def neighbor_graph(X: Any, n_neighbors: int, n_clusters: int) -> Graph:
    """Join each row to its nearest ones.

    Parameters
    ----------
    X : (n, d) float array of any engine
        Distinct rows.
    n_neighbors : int
        The row itself is the first.
    n_clusters : int
        Where the graph falls into more pieces, they are joined by the shortest links between them.

    Returns
    -------
    Graph
        Of host arrays, undirected: weight 1 where each of two rows is among the nearest of the other, else 1/2.
    """
    n = X.shape[0]
    near = to_numpy(k_nearest(X, min(max(n_neighbors, 2), n))[1])[:, 1:] if n > 1 else np.zeros((1, 0), np.int64)
    k = near.shape[1]
    links = csr_array((np.full(n * k, 0.5), near.ravel(), np.arange(n + 1) * k), shape=(n, n))
    graph = _both_ways(links)
    component = connected_components(graph)
    if int(component.max()) + 1 > n_clusters:
        tree = spanning_tree(X)
        left, right = to_numpy(tree.left), to_numpy(tree.right)
        across = component[left] != component[right]
        bridges = csr_array((np.full(int(across.sum()), 0.5), (left[across], right[across])), shape=(n, n))
        graph = _both_ways(links + bridges)
    return graph


def _both_ways(links: csr_array) -> Graph:
    both = (links + links.T).tocsr()
    both.sort_indices()
    return Graph(both.indptr.astype(np.int64), both.indices.astype(np.int64), both.data)


def kernel_width(X: Any, n_neighbors: int) -> float:
    """Return the median distance of the rows to their ``n_neighbors``-th neighbour, themselves the first; 1 where it is 0."""
    n = X.shape[0]
    far = to_numpy(k_nearest(X, min(max(n_neighbors, 2), n))[0])[:, -1]
    median = float(np.median(far))
    return median if median > 0 else 1.0


def kernel_graph(X: Any, width: float) -> Graph:
    """Join all rows by ``exp(-(distance / width)^2 / 2)``.

    Raises
    ------
    ResourceError
        If the graph would not fit into memory; nothing is allocated then.
    """
    n = X.shape[0]
    needed, free = _BYTES_PER_PAIR * float(n) * n, free_bytes()
    if needed > free:
        raise ResourceError(
            f"affinity='rbf' joins all pairs of {n} rows and needs {needed / 2**30:.1f} GiB, but {free / 2**30:.1f} GiB"
            " are free; use affinity='nearest_neighbors' or landmarks"
        )
    weights = np.empty((n, n))
    for start in range(0, n, _ROWS_PER_BLOCK):
        weights[start : start + _ROWS_PER_BLOCK] = kernel_weights(X[start : start + _ROWS_PER_BLOCK], X, width)
    np.fill_diagonal(weights, 0.0)
    graph = csr_array((weights + weights.T) / 2)
    return Graph(graph.indptr.astype(np.int64), graph.indices.astype(np.int64), graph.data)


def kernel_weights(queries: Any, X: Any, width: float) -> np.ndarray:
    """Return ``exp(-(distance / width)^2 / 2)`` for each query and row, on the host."""
    rows, shift, scale = condition(X, None, None)
    asked = condition(queries, shift, scale)[0]
    with np.errstate(over="ignore", under="ignore"):
        distance2 = to_numpy(pairwise_distances(asked, rows, squared=True)).astype(np.float64)
        return np.exp(-0.5 * distance2 * (scale / width) ** 2)


def select(X: Any, rows: np.ndarray) -> Any:
    """Return some rows of an array of any engine."""
    if is_tensor(X):
        import sys

        return X[sys.modules["torch"].as_tensor(rows, device=X.device)]
    return X[rows]
