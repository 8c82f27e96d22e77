"""What classes would link by chance: by the degrees of their nodes, or by their sizes alone; and how far chance strays."""

from typing import NamedTuple

import numpy as np

from ..arrays import Graph, to_numpy
from ..graphs import to_scipy
from ..primitives.block_counts import BlockCounts, BlockSpread, block_spread
from ._degree_length import uneven_length
from ._single_links import expected_single

__all__ = ["Null", "alike", "between_nodes", "degree_null", "dispersion", "size_null", "transposed"]

_ROUNDS = 200


class Null(NamedTuple):
    """For each pair of classes: what is there, what chance would put there, and its variance."""

    name: str
    pairs: tuple[np.ndarray, np.ndarray]  # (p,) int64 each: sources and targets
    count: np.ndarray  # type: ignore[assignment]  # (p,) float64: weight, each link once
    expected: np.ndarray  # (p,) float64
    variance: np.ndarray  # (p,) float64
    node_pairs: np.ndarray  # (p,) float64: pairs of nodes that could link
    scale: np.ndarray  # (p,) float64: weight that counts as one link in this pair
    dispersion: float  # the same over all pairs, from the weights alone


def degree_null(graph: Graph, labels: np.ndarray, counts: BlockCounts, directed: bool) -> Null:
    """Return what is expected when the ends of links meet at random (the configuration model).

    No node meets itself, and none another twice in a graph without multiple links; what the degrees add up to is kept.
    """
    e, m = counts.weights, counts.weights.sum()
    out, into = e.sum(axis=1), e.sum(axis=0)
    spread, other = _spreads(graph, labels, len(e), directed)
    share_out, share_in = (np.divide(part, m, out=np.zeros(len(e)), where=m > 0) for part in (out, into))
    if directed:
        narrowing = np.outer(1 - share_out, 1 - share_in)
    else:
        narrowing = 1 - np.add.outer(share_out, share_out) + 2 * np.outer(share_out, share_out)
        np.fill_diagonal(narrowing, (1 - share_out) ** 2)
    expected = None if m == 0 else _expected_single(graph, labels, len(e), directed)
    if expected is None and directed:
        expected = _without_loops_directed(graph, labels, out, into, m)
    elif expected is None:
        expected = _without_loops(out, spread.totals2, m)
    one = dispersion(graph, e, spread, other)
    uneven = np.maximum(_unevenness(e, spread, counts.sizes), _unevenness(e.T, other, counts.sizes).T)
    return _null("degrees", counts, expected, narrowing, np.maximum(one, uneven), one, directed)


def size_null(graph: Graph, labels: np.ndarray, counts: BlockCounts, directed: bool) -> Null:
    """Return what is expected when every pair of nodes is as likely as any other to be linked."""
    e, sizes = counts.weights, counts.sizes.astype(float)
    pairs = np.outer(sizes, sizes)
    np.fill_diagonal(pairs, sizes * (sizes - 1))
    share = pairs / max(1.0, pairs.sum())
    spread, other = _spreads(graph, labels, len(e), directed)
    # Unordered pairs of two classes stand twice in the matrix.
    narrowing = 1 - share if directed else 1 - share * (2 - np.eye(len(e)))
    one = dispersion(graph, e, spread, other)
    # Both ends scatter, each on its own.
    scatter = one + sum(
        np.maximum(part - one, 0) for part in (_scatter(e, spread, sizes), _scatter(e.T, other, sizes).T)
    )
    return _null("sizes", counts, e.sum() * share, narrowing, scatter, one, directed)


def dispersion(graph: Graph, e: np.ndarray, spread: BlockSpread, other: BlockSpread) -> float:
    """Return the weight that counts as one link: the variance of weights over their mean, given the degrees.

    For whole weights never below 1, and 1 where they scatter as counts of links do. Other weights are not counts of anything:
    each link stands for one, as it does where all weights are equal.
    """
    total = float(e.sum())
    if total == 0:
        return 1.0
    weights = graph.weights
    if (weights == weights[0]).all():
        return float(weights[0])
    plain = spread.weights2 / total
    if not (weights == np.round(weights)).all():
        return plain
    by_degrees = float(spread.totals2.sum()) * float(other.totals2.sum()) / total**3
    return max(1.0, plain - by_degrees)


def _null(name, counts, expected, narrowing, scale, one, directed):  # type: ignore[no-untyped-def]
    k, sizes = len(counts.sizes), counts.sizes.astype(float)
    pairs = np.indices((k, k)).reshape(2, -1) if directed else np.array(np.triu_indices(k))
    r, s = pairs
    half = np.where((r == s) & (not directed), 0.5, 1.0)
    node_pairs = np.outer(sizes, sizes)
    np.fill_diagonal(node_pairs, sizes * (sizes - 1))
    count, wanted = counts.weights[r, s] * half, expected[r, s] * half
    variance = wanted * np.maximum(narrowing[r, s], 0) * scale[r, s]
    return Null(
        name, (r.astype(np.int64), s.astype(np.int64)), count, wanted, variance, node_pairs[r, s] * half, scale[r, s], one
    )  # fmt: skip


def _spreads(graph: Graph, labels: np.ndarray, k: int, directed: bool) -> tuple[BlockSpread, BlockSpread]:
    spread = block_spread(graph, labels, k)
    return spread, (block_spread(transposed(graph), labels, k) if directed else spread)


def between_nodes(graph: Graph) -> tuple[Graph, int]:
    """Return the graph on the host without links of nodes to themselves, which say nothing about classes.

    Its weights are float64 whose squares neither overflow nor vanish; the second value is the power of two taken off them.
    """
    indptr, indices, weights = map(to_numpy, graph)
    weights = weights.astype(np.float64, copy=False)
    nodes = np.repeat(np.arange(graph.n_nodes), np.diff(indptr))
    kept = indices != nodes
    if not kept.all():
        indptr = np.concatenate([[0], np.cumsum(np.bincount(nodes[kept], minlength=graph.n_nodes))])
        indices, weights = indices[kept], weights[kept]
    largest = float(weights.max(initial=0.0))
    power = 0 if 2.0**-300 < largest < 2.0**300 or largest == 0 else int(np.frexp(largest)[1])
    return Graph(indptr, indices, np.ldexp(weights, -power) if power else weights), power


def transposed(graph: Graph) -> Graph:
    """Return the graph with every link turned round."""
    turned = to_scipy(graph).T.tocsr()
    return Graph(turned.indptr.astype(np.int64), turned.indices.astype(np.int64), turned.data)


def _expected_single(graph: Graph, labels: np.ndarray, k: int, directed: bool) -> np.ndarray | None:
    """Return what is expected of a graph without multiple links, or None if its weights say that it has some."""
    adjacency, inside = to_scipy(graph), (labels >= 0).astype(np.float64)
    weight = adjacency.data[0]
    if not (adjacency.data == weight).all():
        return None
    out, into = adjacency @ inside / weight, adjacency.T @ inside / weight
    single = expected_single(out, into if directed else out, labels, k, directed)
    return None if single is None else single * weight


def alike(graph: Graph, labels: np.ndarray, unit: float, directed: bool) -> bool:
    """Say whether the nodes of each class differ in degree no more than chance lets them: it takes fewer nats to say so."""
    adjacency, inside = to_scipy(graph), (labels >= 0).astype(np.float64)
    degrees = (adjacency @ inside, adjacency.T @ inside) if directed else (adjacency @ inside,)
    return sum(uneven_length(degree / unit, labels) for degree in degrees) >= 0


def _without_loops(degrees: np.ndarray, squares: np.ndarray, m: float) -> np.ndarray:
    """Return the expected counts, twice those inside a class, when no node links to itself and the sums are kept.

    Each class has a factor: between r and s, ``factor_r factor_s degrees_r degrees_s / m``, less the pairs of a node and itself.
    """
    own = np.divide(squares, degrees, out=np.zeros(len(degrees)), where=degrees > 0)
    factor = np.ones(len(degrees))
    for _ in range(_ROUNDS):
        rest = factor @ degrees - factor * own
        new = np.sqrt(factor * m / np.maximum(rest, 1e-9 * m)) if m > 0 else factor
        done = np.abs(new - factor).max(initial=0) < 1e-12
        factor = new
        if done:
            break
    share = factor * degrees
    expected = np.outer(share, share) / m if m > 0 else np.zeros((len(degrees), len(degrees)))
    expected[np.diag_indices(len(degrees))] -= factor**2 * squares / m if m > 0 else 0
    return np.maximum(expected, 0)


def _without_loops_directed(
    graph: Graph, labels: np.ndarray, out: np.ndarray, into: np.ndarray, m: float
) -> np.ndarray:
    """Return the same for directed links: a node's way out does not meet its own way in."""
    k = len(out)
    if m == 0:
        return np.zeros((k, k))
    adjacency = to_scipy(graph)
    inside = labels >= 0
    member = inside.astype(float)
    product = (adjacency @ member) * (adjacency.T @ member)
    own = np.bincount(labels[inside], product[inside], minlength=k) / m
    a, b = np.ones(k), np.ones(k)
    for _ in range(_ROUNDS):
        before = a, b
        a = np.divide(out, out / m * (b @ into) - b * own, out=np.ones(k), where=out > 0)
        b = np.divide(into, into / m * (a @ out) - a * own, out=np.ones(k), where=into > 0)
        a, b = np.clip(a, 1e-9, 1e9), np.clip(b, 1e-9, 1e9)
        if max(np.abs(a - before[0]).max(), np.abs(b - before[1]).max()) < 1e-12:
            break
    expected = np.outer(a * out, b * into) / m
    expected[np.diag_indices(k)] -= a * b * own
    return np.maximum(expected, 0)


def _unevenness(e: np.ndarray, spread: BlockSpread, sizes: np.ndarray) -> np.ndarray:
    """Return how much more the nodes of r differ in the share of their links that goes to s than chance lets them."""
    degrees = e.sum(axis=1)
    share = np.divide(e, degrees[:, None], out=np.zeros_like(e), where=degrees[:, None] > 0)
    apart = spread.squares - 2 * share * spread.products + share**2 * spread.totals2[:, None]
    chance = degrees[:, None] * share * (1 - share) * np.maximum(sizes - 1, 1)[:, None] / np.maximum(sizes, 1)[:, None]
    return np.divide(apart, chance, out=np.zeros_like(e), where=chance > 1e-12 * degrees[:, None])


def _scatter(e: np.ndarray, spread: BlockSpread, sizes: np.ndarray) -> np.ndarray:
    """Return the variance over the mean of what the nodes of r link to s."""
    n = np.maximum(sizes, 1)[:, None]
    apart = (spread.squares - e * e / n) * n / np.maximum(n - 1, 1)
    return np.divide(apart, e, out=np.zeros_like(e), where=e > 0)
