"""Laplacians of a graph as operators on blocks of vectors; no matrix but the graph's own is ever formed.

With A the weights between different nodes, D their degrees and m half of the sum of all weights:

- *unnormalised*: L = D - A, for the ratio cut;
- *normalised*: L_sym = D^-1/2 (D - A) D^-1/2, for the normalised cut, eigenvalues 0 ... 2;
- *modularity*: -B with B = A - d d^T / 2m, so that here too the smallest eigenvalues are the wanted ones.

A node without links has a row of zeros.
"""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import Graph, like_input, to_numpy
from ..errors import InputError
from .compiled import run_blocks
from .engine import engine_of

__all__ = [
    "KINDS",
    "Operator",
    "laplacian",
    "loop_weights",
    "masses",
    "narrowed",
    "operator_of",
    "placed",
    "product",
    "residual",
    "row_sums",
    "scaled_weights",
]

KINDS = ("unnormalised", "normalised", "modularity")
_HARMLESS = 64  # powers of two
_LINKS_A_BLOCK = 1 << 20


class Operator(NamedTuple):
    """The symmetric matrix ``diag(diagonal) - A + rank_one rank_one^T``, times ``scale``; A in compressed rows.

    Examples
    --------
    >>> from coterie.graphs import from_edges
    >>> from coterie.primitives.laplacian import laplacian
    >>> laplacian(from_edges([[0, 1], [1, 2]]), "unnormalised").diagonal
    array([1., 2., 1.])
    """

    indptr: Any  # (n + 1,) int64
    indices: Any  # (n_stored,) int32, or int64 from 2^31 nodes on
    values: Any  # (n_stored,) float64
    diagonal: Any  # (n,) float64
    rank_one: Any  # (n,) float64, or None
    scale: float


def laplacian(graph: Graph, kind: str = "normalised") -> Operator:
    """Prepare the products of a Laplacian with blocks of vectors.

    Parameters
    ----------
    graph : Graph
        Undirected: both directions are stored. Weights of any magnitude; a loop counts for the modularity and the degree
        only.
    kind : {"unnormalised", "normalised", "modularity"}

    Returns
    -------
    Operator
        For `product`; 12 bytes a stored link. Its entries were divided by ``scale``, a power of two: 1 where it is normalised,
        or weights are neither very large nor very small.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.graphs import from_edges
    >>> from coterie.primitives.laplacian import laplacian, product
    >>> operator = laplacian(from_edges([[0, 1], [1, 2]]), "unnormalised")
    >>> product(operator, np.array([[1.0], [0.0], [0.0]])).ravel()
    array([ 1., -1.,  0.])
    """
    if kind not in KINDS:
        raise InputError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    host = Graph(*(to_numpy(part) for part in graph))
    weights, scale = scaled_weights(host.weights)
    loops = loop_weights(host, weights)
    degrees = row_sums(host.indptr, weights)
    operator = operator_of(host, weights, loops, degrees, masses(degrees, kind), kind)
    return placed(operator, graph.indptr)._replace(scale=1.0 if kind == "normalised" else scale)


def product(operator: Operator, X: Any) -> Any:
    """Multiply by a block of vectors.

    Parameters
    ----------
    operator : Operator
    X : (n, b) float64 array of the same engine

    Returns
    -------
    (n, b) float64 array
        In the operator's own units: times ``operator.scale`` it is the product with the Laplacian. The same bits on any
        number of threads.
    """
    engine = engine_of(X, "laplacian")
    out = engine.rows_times_block(operator.indptr, operator.indices, operator.values, operator.diagonal, X)
    if operator.rank_one is not None:
        out += operator.rank_one[:, None] * (operator.rank_one[:, None] * X).sum(0)
    return out


def residual(operator: Operator, X: Any, target: Any) -> Any:
    """Return what the product with a block is short of a target, for an operator without a rank-one part.

    Parameters
    ----------
    operator : Operator
    X, target : (n, b) float64 arrays of the same engine

    Returns
    -------
    (n, b) float64 array
    """
    engine = engine_of(X, "laplacian")
    return engine.rows_times_block(operator.indptr, operator.indices, operator.values, operator.diagonal, X, target)


def operator_of(
    graph: Graph,
    weights: np.ndarray,
    loops: np.ndarray,
    degrees: np.ndarray,
    mass: np.ndarray,
    kind: str,
    spare: np.ndarray | None = None,
) -> Operator:
    """Return M^-1/2 L M^-1/2, or -M^-1/2 B M^-1/2, for masses of the nodes: 1, degrees, or sums of those for groups of nodes.

    Parameters
    ----------
    graph : Graph
        Host arrays; may hold loops, which do not act on a Laplacian.
    weights : (n_stored,) float64 array
        In place of those of the graph.
    loops : (n,) float64 array
        Weight of each node to itself, stored in the graph or not.
    degrees : (n,) float64 array
        Loops included.
    mass : (n,) float64 array
        Greater than 0.
    kind : {"unnormalised", "normalised", "modularity"}
    spare : (n_stored,) float64 array, optional
        Memory for the values; may be that of the weights.

    Returns
    -------
    Operator
        Scale 1.
    """
    n = len(mass)
    factor = 1 / np.sqrt(mass)
    indices = narrowed(graph).indices
    values = engine_of(factor, "link_weights").scaled_links(graph.indptr, indices, weights, factor, spare)
    if kind != "modularity":
        return Operator(graph.indptr, indices, values, np.maximum(degrees - loops, 0.0) / mass, None, 1.0)
    total = degrees.sum()
    rank_one = degrees * factor / np.sqrt(total) if total > 0 else np.zeros(n)
    return Operator(graph.indptr, indices, values, -loops / mass, rank_one, 1.0)


def narrowed(graph: Graph) -> Graph:
    """Return the graph with numbers of nodes in half the memory, where they fit."""
    kind = np.dtype(np.int32 if graph.n_nodes < 2**31 else np.int64)
    if graph.indices.dtype == kind:
        return graph
    # On all cores: of ten million links most of the time goes into getting the memory.
    found, blocks = np.empty(len(graph.indices), kind), 1 + len(graph.indices) // _LINKS_A_BLOCK

    def narrow(block: int) -> None:
        part = slice(block * _LINKS_A_BLOCK, (block + 1) * _LINKS_A_BLOCK)
        found[part] = graph.indices[part]

    run_blocks(narrow, blocks)
    return graph._replace(indices=found)


def placed(operator: Operator, like: Any) -> Operator:
    """Return the operator on the engine and device of an array."""
    indptr, indices, values, diagonal, rank_one = (
        None if part is None else like_input(part, like) for part in operator[:-1]
    )
    return Operator(indptr, indices, values, diagonal, rank_one, operator.scale)


def masses(degrees: np.ndarray, kind: str) -> np.ndarray:
    """Return what each node weighs: its degree where normalised, else 1; 1 for nodes without links."""
    return np.where(degrees > 0, degrees, 1.0) if kind == "normalised" else np.ones(len(degrees))


def scaled_weights(weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the weights in float64 and 1, or divided by a power of two, so that the largest lies between 1 and 2, and that power.

    They are the given ones where their magnitude can do no harm: three of them may be multiplied.
    """
    largest = float(weights.max(initial=0.0))
    if not largest > 0:
        return weights.astype(np.float64), 1.0
    exponent = int(np.frexp(largest)[1]) - 1
    weights = weights.astype(np.float64, copy=False)
    if abs(exponent) <= _HARMLESS:
        return weights, 1.0
    return np.ldexp(weights, -exponent), float(np.ldexp(1.0, exponent))


def loop_weights(graph: Graph, weights: np.ndarray) -> np.ndarray:
    """Return the weight of each node's link to itself."""
    return engine_of(weights, "link_weights").own_links(graph.indptr, graph.indices, weights)


def row_sums(indptr: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the sums of the rows, added in order."""
    filled = np.flatnonzero(np.diff(indptr))
    sums = np.zeros(len(indptr) - 1)
    if len(filled):
        sums[filled] = np.add.reduceat(weights, indptr[filled])
    return sums
