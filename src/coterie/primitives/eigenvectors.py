"""The smallest eigenpairs of the Laplacians of a graph: a multilevel start, then LOBPCG with a multilevel preconditioner.

Components are found first: each has the eigenvalue 0 and a known vector, which the search for the others is kept clear of. The
graph is contracted until it is small, solved there, and the vectors are carried up and improved level by level. An iteration
costs a few products with the graph, on blocks of k vectors and a few more.
"""

import logging
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Graph, like_input, to_numpy
from ..errors import InputError, ResourceError
from ._lobpcg import lobpcg
from ._multilevel import Level, dense, levels_of, prolonged, small_eigh
from .components import connected_components
from .laplacian import KINDS, laplacian, loop_weights, masses, placed, row_sums, scaled_weights
from .memory import free_bytes

__all__ = ["Eigenpairs", "smallest_eigenpairs"]

_log = logging.getLogger("coterie.primitives")
_DENSE = 400  # nodes up to which the whole matrix is decomposed
_COARSE_TOL, _COARSE_ITER = 0.05, 6  # fewer double the iterations on the finest level of graphs with hubs


class Eigenpairs(NamedTuple):
    """Eigenvalues, ascending, their orthonormal vectors, and how far they are from exact."""

    values: np.ndarray  # (k,) float64, on the host
    vectors: Any  # (n, k) float64
    residuals: np.ndarray  # (k,) float64, on the host: length of M v - value v
    n_iter: int  # on the finest level; 0 where the whole matrix was decomposed
    converged: bool  # whether each residual is within the tolerance


def smallest_eigenpairs(
    graph: Graph,
    k: int,
    *,
    kind: str = "normalised",
    tol: float = 1e-4,
    max_iter: int = 200,
    together: bool = False,
    connected: bool = False,
) -> Eigenpairs:
    """Find the k smallest eigenvalues of a Laplacian, and their vectors.

    Parameters
    ----------
    graph : Graph
        Undirected: both directions are stored. Of any engine, connected or not; isolated nodes are components of their own.
    k : int
        How many, 1 ... n.
    kind : {"unnormalised", "normalised", "modularity"}
        D - A; D^-1/2 (D - A) D^-1/2; or -(A - d d^T / 2m), whose smallest values are minus the largest of the modularity
        matrix.
    tol : float
        An eigenpair is good when ``|M v - value v| <= tol * |value|``, or at most 4e-14 of the norm of M, which is as much as
        float64 can tell.
    max_iter : int
        Most iterations on the finest level.
    together : bool
        Ask for good vectors of the whole space of the k rather than for each: ``|M v - value v| <= tol * |largest value|``.
    connected : bool
        Whether the graph is known to be connected: then its components are not looked for.

    Returns
    -------
    Eigenpairs
        Vectors have unit length, their entry of largest magnitude is positive. Among c components the first min(c, k)
        values are exactly 0 (not for the modularity), their vectors stand for the heaviest components, one each. The same bits
        on any number of threads. Of an eigenvalue that occurs several times some orthonormal vectors are returned.

    Raises
    ------
    InputError
        If k is not between 1 and n.
    ResourceError
        If the blocks of vectors would not fit into memory.

    Notes
    -----
    Memory: about 12 bytes for each stored link, half as many again for the levels, and some 60 k n bytes for vectors.

    References
    ----------
    Knyazev, A. (2001). Toward the optimal preconditioned eigensolver: locally optimal block preconditioned conjugate gradient
    method. SIAM J. Sci. Comput. 23(2). doi:10.1137/S1064827500366124
    Notay, Y. (2010). An aggregation-based algebraic multigrid method. ETNA 37, 123-146.

    Examples
    --------
    >>> from coterie.graphs import from_edges
    >>> from coterie.primitives.eigenvectors import smallest_eigenpairs
    >>> smallest_eigenpairs(from_edges([[0, 1], [1, 2]]), 2, kind="unnormalised").values.round(6)
    array([0., 1.])
    """
    n = graph.n_nodes
    if kind not in KINDS:
        raise InputError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    if not 1 <= k <= n:
        raise InputError(f"k must be between 1 and the number of nodes, got k={k} with {n} nodes")
    host = Graph(*(to_numpy(part) for part in graph))
    weights, scale = scaled_weights(host.weights)
    host = Graph(host.indptr, host.indices, weights)
    loops, degrees = loop_weights(host, weights), row_sums(host.indptr, weights)
    parts = loops, degrees, masses(degrees, kind)
    component = np.zeros(n, np.int64) if connected else to_numpy(connected_components(host))
    known = _component_vectors(component, parts[2], k) if kind != "modularity" else np.zeros((n, 0))
    wanted = k - known.shape[1]
    width = _block_width(wanted)
    if wanted == 0:
        found = Eigenpairs(np.zeros(0), like_input(np.zeros((n, 0)), graph.indptr), np.zeros(0), 0, True)
    elif n <= max(_DENSE, 5 * width):
        found = _by_decomposition(host, kind, known.shape[1], wanted, int(component.max()) + 1, graph.indptr)
    else:
        _check_memory(n, len(host.indices), width)
        found = _by_levels(host, parts, component, kind, wanted, width, (tol, max_iter, together), graph.indptr)
    return _together(known, found, 1.0 if kind == "normalised" else scale, graph.indptr)


def _block_width(wanted: int) -> int:
    """Return how many vectors are iterated together: a few more than wanted, so that the last ones converge too."""
    return -(-(wanted + max(2, wanted // 5)) // 4) * 4


def _check_memory(n: int, n_stored: int, width: int) -> None:
    needed, free = 18 * n_stored + 96 * width * n, free_bytes()
    if needed > free:
        raise ResourceError(
            f"{width} vectors of {n} nodes and a copy of {n_stored} links need {needed / 2**30:.1f} GiB, but"
            f" {free / 2**30:.1f} GiB are free; ask for fewer eigenvectors"
        )


def _component_vectors(component: np.ndarray, mass: np.ndarray, k: int) -> np.ndarray:
    """Return unit vectors of the null space, one each for the heaviest components."""
    weight = np.bincount(component, mass)
    chosen = np.argsort(-weight, kind="stable")[:k]
    place = np.full(len(weight), -1)
    place[chosen] = np.arange(len(chosen))
    vectors = np.zeros((len(component), len(chosen)))
    rows = np.flatnonzero(place[component] >= 0)
    vectors[rows, place[component[rows]]] = np.sqrt(mass[rows] / weight[component[rows]])
    return vectors


def _by_decomposition(host: Graph, kind: str, n_known: int, wanted: int, n_components: int, like: Any) -> Eigenpairs:
    """Decompose the whole matrix of a small graph."""
    operator = laplacian(host, kind)
    matrix = dense(operator)
    values, vectors = small_eigh(matrix + _lifted(host, kind) if n_known else matrix)
    values, vectors = values[:wanted], vectors[:, :wanted]
    rest = matrix @ vectors - vectors * values
    residuals = np.sqrt((rest * rest).sum(axis=0))
    return Eigenpairs(values, like_input(vectors, like), residuals, 0, True)


def _lifted(host: Graph, kind: str) -> np.ndarray:
    """Return what lifts the null space of a Laplacian above all other eigenvalues."""
    degrees = row_sums(host.indptr, host.weights)
    component = connected_components(host)
    known = _component_vectors(component, masses(degrees, kind), host.n_nodes)
    return 4 * max(1.0 if kind == "normalised" else float(degrees.max()), 1e-300) * known @ known.T


def _by_levels(
    host: Graph,
    parts: tuple,
    component: np.ndarray,
    kind: str,
    wanted: int,
    width: int,
    asked: tuple,
    like: Any,
) -> Eigenpairs:
    """Carry vectors up from the coarsest level, and iterate on each."""
    levels = levels_of(host, parts, component, kind, max(128, 3 * width), like)
    _log.debug("eigenvectors on levels of %s nodes", [len(level.root) for level in levels])
    X, cycles = _start(levels[-1], width, kind), True
    for at in range(len(levels) - 1, -1, -1):
        if at + 1 < len(levels):
            X = prolonged(levels[at], X)
        if at == len(levels) - 1 and at and levels[at].inverse is not None:
            continue
        if at == 0 and not cycles and _are_dense(levels):
            levels = [levels[0]._replace(down=None)]
        tol, max_iter, together = asked if at == 0 else (_COARSE_TOL, _COARSE_ITER, True)
        found, cycles = lobpcg(levels, at, X, wanted, tol, max_iter, deflate=kind != "modularity", together=together)
        X = found.vectors
    return Eigenpairs(*found)


def _are_dense(levels: list[Level]) -> bool:
    """Say whether the coarse levels have more links than the graph: as of random ones, which Jacobi's steps do for.

    They are given up where the next level needed no cycle over them: of ten million links that is 0.7 GB, and getting memory for
    the vectors of the finest takes as long as the sums.
    """
    links = [len(level.operator.indices) for level in levels]
    return sum(links[1:]) > links[0]


def _start(level: Level, width: int, kind: str) -> Any:
    """Return the eigenvectors of the coarsest level where it is small, else vectors without structure."""
    n = len(level.root)
    X = np.random.default_rng(0).standard_normal((n, width))
    if level.inverse is not None:
        operator = placed(level.operator, np.empty(0))
        matrix = dense(operator)
        if kind != "modularity":
            # The null space goes to the end: the inverse has it too.
            unit = np.zeros((n, int(to_numpy(level.component).max()) + 1))
            unit[np.arange(n), to_numpy(level.component)] = to_numpy(level.root)
            matrix = matrix + 4 * max(float(operator.diagonal.max()), 1e-300) * unit @ unit.T
        vectors = small_eigh(matrix)[1][:, : min(width, n)]
        X[:, : vectors.shape[1]] = vectors
    return like_input(X, level.root)


def _together(known: np.ndarray, found: Eigenpairs, scale: float, like: Any) -> Eigenpairs:
    """Put the known vectors before those that were found, in the units of the graph and with signs fixed."""
    vectors = found.vectors
    if known.shape[1]:
        first = like_input(known, like)
        both = np.concatenate([known, to_numpy(vectors)], axis=1)
        vectors = like_input(both, first)
    largest = abs(vectors).argmax(0)
    signs = vectors[largest, np.arange(vectors.shape[1])]
    vectors = vectors * (1.0 - 2.0 * (signs < 0))
    with np.errstate(over="ignore"):
        values = np.concatenate([np.zeros(known.shape[1]), found.values * scale])
        residuals = np.concatenate([np.zeros(known.shape[1]), found.residuals * scale])
    return Eigenpairs(values, vectors, residuals, found.n_iter, found.converged)
