"""Chance in graphs that have no multiple links: how often two nodes are linked at all, given their degrees.

Two nodes have a Poisson number of links with mean ``x_i x_j``, of which one is seen where there are any: they are linked
with probability ``1 - exp(-x_i x_j)``. The factors x are those that give every node its degree. Nodes of equal degree have
equal factors, so that few are to be found.
"""

import numpy as np
from scipy.sparse import diags_array

from ..arrays import Graph
from ..graphs import to_scipy

__all__ = ["by_chance", "expected_single", "with_loops"]

_ROUNDS = 100
_MOST_DEGREES = 1024  # beyond, like degrees share a factor
_MOST_LINKS = 4.0  # of a pair: in a graph where all are linked, any number might stand behind them
_NOTABLE = 0.02  # a largest mean below it: multiple links would be rare enough


def by_chance(graph: Graph, directed: bool) -> tuple[Graph, np.ndarray]:
    """Return the graph with as many links as chance has put behind each one that is seen, and within single nodes.

    Parameters
    ----------
    graph : Graph
        Without loops. Where all weights are 1, no multiple links are seen.
    directed : bool

    Returns
    -------
    graph : Graph
        Weights are the means of Poisson numbers that are not 0, so at least 1, where multiple links are not seen.
    loops : (n,) float64 array
        How many links chance puts on the diagonal.
    """
    adjacency = to_scipy(graph)
    out, into, m = adjacency.sum(axis=1), adjacency.sum(axis=0), graph.weights.sum()
    if m == 0:
        return graph, np.zeros(graph.n_nodes)
    if out.max() * into.max() / m < _NOTABLE or not (graph.weights == 1.0).all():
        return graph, out * into / m
    x, y = _factors(out, into, directed)
    mean = np.clip(np.repeat(x, np.diff(graph.indptr)) * y[graph.indices], 1e-9, _MOST_LINKS)
    return graph._replace(weights=mean / -np.expm1(-mean)), np.minimum(x * y, _MOST_LINKS)


def with_loops(graph: Graph, loops: np.ndarray) -> Graph:
    """Return the graph with this diagonal."""
    full = (to_scipy(graph) + diags_array(loops, format="csr")).tocsr()
    full.sort_indices()
    return Graph(full.indptr.astype(np.int64), full.indices.astype(np.int64), full.data)


def expected_single(out: np.ndarray, into: np.ndarray, labels: np.ndarray, k: int, directed: bool) -> np.ndarray | None:
    """Return how many links each class has to each other by chance, (k, k); None where the factors do not exist.

    Undirected: both directions count, so that the diagonal holds twice what is inside.
    """
    kept = labels >= 0
    one, x = _grouped(out[kept])
    other, y = _grouped(into[kept]) if directed else (one, x)
    x, y, good = _solve(x, np.bincount(one), y, np.bincount(other), directed)
    if not good:
        return None
    rows = np.zeros((k, len(x)))
    np.add.at(rows, (labels[kept], one), 1.0)
    columns = rows
    if directed:
        columns = np.zeros((k, len(y)))
        np.add.at(columns, (labels[kept], other), 1.0)
    chance = -np.expm1(-np.outer(x, y))
    expected = np.einsum("ri,is->rs", rows, np.einsum("ij,sj->is", chance, columns))
    expected[np.diag_indices(k)] -= np.bincount(labels[kept], -np.expm1(-x[one] * y[other]), minlength=k)
    return np.maximum(expected, 0.0)


def _factors(out: np.ndarray, into: np.ndarray, directed: bool) -> tuple[np.ndarray, np.ndarray]:
    one, x = _grouped(out)
    other, y = _grouped(into) if directed else (one, x)
    x, y, _ = _solve(x, np.bincount(one), y, np.bincount(other), directed)
    return x[one], y[other]


def _grouped(degrees: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which distinct degree each node has, and the degrees; like degrees are one where there are very many."""
    values, member = np.unique(degrees, return_inverse=True)
    if len(values) <= _MOST_DEGREES:
        return member, values
    bounds = np.unique(np.geomspace(max(values[0], 1.0), values[-1], _MOST_DEGREES))
    member = np.unique(np.searchsorted(bounds, degrees), return_inverse=True)[1]
    return member, np.bincount(member, degrees) / np.bincount(member)


def _solve(
    a: np.ndarray, n_a: np.ndarray, b: np.ndarray, n_b: np.ndarray, directed: bool
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return the factors of the degrees ``a`` (out) and ``b`` (in), and whether they give these degrees."""
    total = max(float(a @ n_a), 1e-300)
    x, y = a / np.sqrt(total), b / np.sqrt(total)
    most = 30.0 / max(float(max(x.max(), y.max())), 1e-300)
    good = False
    for _ in range(_ROUNDS):
        before = x
        x = _step(x, a, y, n_b, not directed)
        y = _step(y, b, x, n_a, False) if directed else x
        x, y = np.minimum(x, most), np.minimum(y, most)
        if np.abs(x - before).max() <= 1e-10 * np.abs(x).max():
            break
    reached = -np.expm1(-np.outer(x, y)) @ n_b - (0 if directed else -np.expm1(-x * x))
    good = bool((np.abs(reached - a) <= 1e-3 * np.maximum(a, 1.0)).all())
    return x, y, good


def _step(x: np.ndarray, degrees: np.ndarray, y: np.ndarray, n_y: np.ndarray, own: bool) -> np.ndarray:
    """Move each factor by a Newton step, on the scale on which its degree is nearly a straight line."""
    still = np.exp(-np.outer(x, y))
    reached = (1 - still) @ n_y - ((1 - np.exp(-x * x)) if own else 0)
    slope = still @ (n_y * y)
    step = np.divide(degrees - reached, slope, out=np.zeros_like(x), where=slope > 1e-12)
    if own:
        step *= 0.5  # the others move as well
    return np.clip(x + step, 0.3 * x, 3 * x + 1e-12)
