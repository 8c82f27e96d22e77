"""From a list of edges to rows: one sort of whole-number keys, which NumPy does faster than any scatter.

The key of a link is its row followed by its column, in bits. Where weights come along, the number of the edge follows in
the same key, so that the sort is stable: links that are listed several times are added up in the order of the list in
the rows of both their ends, and the matrix is symmetric to the last bit. 10 million edges take about a second.
"""

from typing import Any

import numpy as np

from ..arrays import Graph
from ..errors import InputError
from .checks import check_ends, check_size, check_weights, node_numbers, real_weights, unmasked

__all__ = ["from_edges", "from_links"]

_KEY_BITS = 64
_CACHED = 1 << 15  # links that are worked on while they are in the second-level cache


def from_edges(edges: Any, n_nodes: int | None = None, *, weights: Any = None, directed: bool = False) -> Graph:
    """Return the graph of a list of edges.

    Parameters
    ----------
    edges : (m, 2) or (m, 3) array or frame
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
    ResourceError
        If the largest number asks for very many more nodes than the edges have ends, as identifiers do.

    Examples
    --------
    >>> from coterie.graphs import from_edges
    >>> from_edges([[0, 1, 2.5]], n_nodes=3, directed=True)
    Graph(indptr=array([0, 1, 1, 1]), indices=array([1]), weights=array([2.5]))
    """
    first, second, third = _columns(edges)
    if weights is None and third is not None:
        weights = third
    sources, targets = node_numbers(first), node_numbers(second)
    m = len(sources)
    low, high = _extent(sources, targets)
    if n_nodes is None:
        if not m:
            raise InputError("the graph has no edges, so how many nodes it has is not known; pass n_nodes")
        n = high + 1
        if low >= 0:
            check_size(n, 2 * m)
    else:
        n = _count(n_nodes)
        check_size(n)
    if low < 0 or high >= n:
        for ends in (sources, targets):
            check_ends(ends, n, lambda i: f"edge {i} ({sources[i]}, {targets[i]})")
    values = None if weights is None else real_weights(weights)
    if values is not None:
        if values.shape != (m,):
            raise InputError(f"weights must have one value for each of the {m} edges, got shape {values.shape}")
        check_weights(values, lambda i: f"edge {i}, from node {sources[i]} to node {targets[i]}")
    return from_links(sources, targets, values, n, directed=directed)


def from_links(
    sources: np.ndarray, targets: np.ndarray, weights: np.ndarray | None, n: int, *, directed: bool
) -> Graph:
    """Return the graph of links that were checked: int64 ends, float weights or None for 1 each."""
    column_bits = max(1, int(n - 1).bit_length())
    keys = _keys(sources, targets, column_bits, directed)
    if weights is None:
        keys.sort()
        if not _repeated(keys):
            return _once_each(keys, column_bits, n)
    else:
        keys, order = _sorted(keys, 2 * column_bits, len(sources), directed)
        weights = weights[order]
    keys, values = _merged(keys, weights)
    if len(values) and not (values.min() > 0):
        keys, values = keys[values > 0], values[values > 0]
    indptr = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(keys >> column_bits, minlength=n), out=indptr[1:])
    keys &= (1 << column_bits) - 1
    return Graph(indptr, keys, values)


def _once_each(keys: np.ndarray, column_bits: int, n: int) -> Graph:
    """Return the graph of links of weight 1, from sorted keys of which no two are equal; these are overwritten."""
    rows = keys >> column_bits
    indptr = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=n), out=indptr[1:])
    weights = rows.view(np.float64)  # new memory costs more than all else here: the system fills it with zeros
    weights.fill(1.0)
    keys &= (1 << column_bits) - 1
    return Graph(indptr, keys, weights)


def _repeated(keys: np.ndarray) -> bool:
    """Say whether any of the sorted keys is there twice."""
    parts = (slice(start, start + _CACHED + 1) for start in range(0, len(keys) - 1, _CACHED))
    return any(bool((keys[part][1:] == keys[part][:-1]).any()) for part in parts)


def _extent(sources: np.ndarray, targets: np.ndarray) -> tuple[int, int]:
    """Return the lowest and the highest node number; 0 and -1 of no edges."""
    if not len(sources):
        return 0, -1
    return min(int(sources.min()), int(targets.min())), max(int(sources.max()), int(targets.max()))


def _columns(edges: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return first ends, second ends and the third column or None; a frame's columns keep their own types."""
    if hasattr(edges, "columns") and hasattr(edges, "shape") and not isinstance(edges, np.ndarray):
        shape = tuple(edges.shape)
        series = [edges.iloc[:, j] for j in range(shape[1])] if hasattr(edges, "iloc") else list(edges.iter_columns())
        parts = [np.asarray(one.to_numpy()) for one in series] if len(shape) == 2 and shape[1] in (2, 3) else []
    else:
        try:
            array = unmasked(edges, "the edges")
        except ValueError as error:
            raise InputError(f"edges must be an (m, 2) or (m, 3) array: {error}") from None
        shape = array.shape
        parts = list(array.T) if len(shape) == 2 and shape[1] in (2, 3) else []
    if not parts:
        raise InputError(f"edges must be an (m, 2) or (m, 3) array, got shape {shape}")
    return parts[0], parts[1], parts[2] if len(parts) == 3 else None


def _count(n_nodes: Any) -> int:
    if isinstance(n_nodes, bool) or not hasattr(n_nodes, "__index__"):
        raise InputError(f"n_nodes must be a whole number of at least 1, got {n_nodes!r}")
    return int(n_nodes.__index__())


def _keys(sources: np.ndarray, targets: np.ndarray, column_bits: int, directed: bool) -> np.ndarray:
    """Return the keys of the links; of undirected edges both, one after the other, edge by edge."""
    keys = np.empty((len(sources), 1 if directed else 2), np.int64)
    for start in range(0, len(sources), _CACHED):
        some = slice(start, start + _CACHED)
        for column, (row, other) in enumerate([(sources, targets), (targets, sources)][: keys.shape[1]]):
            part = keys[some, column]
            np.left_shift(row[some], column_bits, out=part)
            part |= other[some]
    return keys.ravel()


def _sorted(keys: np.ndarray, key_bits: int, m: int, directed: bool) -> tuple[np.ndarray, np.ndarray]:
    """Sort the keys; also return the number of the edge that each came from."""
    edge_bits = max(1, int(m - 1).bit_length())
    each = 1 if directed else 2
    if key_bits + edge_bits > _KEY_BITS:
        order = np.argsort(keys, kind="stable")
        return keys[order], order // each
    packed = keys.view(np.uint64)
    packed <<= np.uint64(edge_bits)
    numbers = np.arange(m, dtype=np.uint64)
    for column in range(each):
        packed[column::each] |= numbers
    packed.sort()
    order = (packed & np.uint64((1 << edge_bits) - 1)).view(np.int64)
    packed >>= np.uint64(edge_bits)
    return packed.view(np.int64), order


def _merged(keys: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the different keys, in order, and the sum of the weights of each in the order of the list."""
    again = np.flatnonzero(keys[1:] == keys[:-1]) + 1
    if not len(again):
        return keys, np.ones(len(keys)) if weights is None else weights
    first = np.ones(len(keys), bool)
    first[again] = False
    keys = keys[first]
    at = again - np.arange(1, len(again) + 1)  # place among the different ones
    if weights is None:
        sums = np.ones(len(keys))
        np.add.at(sums, at, 1.0)
        return keys, sums
    sums = weights[first].astype(np.float64)
    with np.errstate(over="ignore"):
        np.add.at(sums, at, weights[again].astype(np.float64, copy=False))
        sums = sums.astype(weights.dtype, copy=False)
    if not np.isfinite(sums).all():
        raise InputError(
            f"the weights of a link that is listed several times add up to more than {weights.dtype} holds; scale them down"
        )
    return keys, sums
