"""What the block model counts: links as counts, and nodes of like degrees together.

- Whole weights count links. Where they scatter more than counts do, and where they are not whole, so much weight counts as
  one link as makes them scatter like counts (`coterie.graph._expected.dispersion`).
- In a graph without multiple links, busy nodes would share several links by chance and have one: every link counts as many
  as chance would have put there, given that there is one, and so do the links of nodes to themselves. Without this, busy
  nodes seem to avoid each other in pure noise.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from ..arrays import Graph
from ..graphs import to_scipy
from ..primitives.block_counts import block_counts, block_spread
from ._expected import between_nodes, dispersion, transposed
from ._single_links import by_chance, with_loops

__all__ = ["Links", "links_of"]

_MOST_BINS = 64
_FEW = 40  # nodes of a bin, at least


class Links(NamedTuple):
    """A graph as the compiled moves take it."""

    graph: Graph  # as counts, the diagonal included
    ways: tuple[np.ndarray, np.ndarray, np.ndarray]  # indptr, indices, weights without the diagonal; a row for each way
    loops: np.ndarray  # (n,) float64: the diagonal, which is chance's alone
    bins: np.ndarray  # (n,) int32: nodes of like degrees
    unit: float  # weight that counts as one link
    constant: float  # nats of the description that no partition changes
    directed: bool
    corrected: bool


def links_of(graph: Graph, directed: bool, corrected: bool) -> Links:
    """Return the counts of a graph on the host."""
    n = graph.n_nodes
    graph, power = between_nodes(graph)
    everyone = np.zeros(n, np.int64)
    counts, spread = block_counts(graph, everyone), block_spread(graph, everyone)
    other = block_spread(transposed(graph), everyone) if directed else spread
    unit = dispersion(graph, counts.weights, spread, other)
    graph, loops = graph._replace(weights=graph.weights / unit), np.zeros(n)
    if corrected:
        graph, loops = by_chance(graph, directed)
    ways = (graph, transposed(graph)) if directed else (graph,)
    indptr, indices, weights = (np.stack(parts) for parts in zip(*ways, strict=True))
    full = with_loops(graph, loops)
    out, into = (to_scipy(full).sum(axis=axis) for axis in (1, 0))
    constant = _constant(full, loops, (out, into) if directed else (out,), directed, corrected)
    bins = _bins(out, into, directed) if corrected else np.zeros(n, np.int32)
    unit = float(np.ldexp(unit, power))
    return Links(full, (indptr, indices.astype(np.int32), weights), loops, bins, unit, constant, directed, corrected)


def _constant(
    graph: Graph, loops: np.ndarray, degrees: tuple[np.ndarray, ...], directed: bool, corrected: bool
) -> float:
    multiple = gammaln(graph.weights + 1).sum()
    if not directed:
        multiple = (multiple - gammaln(loops + 1).sum()) / 2 + (gammaln(loops / 2 + 1) + loops / 2 * np.log(2)).sum()
    elif not corrected:
        return float(multiple)
    return float(multiple - (sum(gammaln(degree + 1).sum() for degree in degrees) if corrected else 0.0))


def _bins(out: np.ndarray, into: np.ndarray, directed: bool) -> np.ndarray:
    """Return groups of nodes with like degrees: equal numbers of nodes, but equal degrees are never parted."""
    n = len(out)
    n_bins = int(np.clip(n // _FEW, 1, _MOST_BINS))
    if not directed:
        return _parted(out, n_bins)
    side = max(1, int(np.sqrt(n_bins)))
    lean = (out - into) / np.maximum(out + into, 1e-300)
    both = _parted(lean, side).astype(np.int64) * side + _parted(out + into, side)
    return np.unique(both, return_inverse=True)[1].astype(np.int32)


def _parted(values: np.ndarray, n_bins: int) -> np.ndarray:
    edges = np.unique(np.quantile(values, np.linspace(0, 1, n_bins + 1)[1:-1])) if n_bins > 1 else np.empty(0)
    found = np.searchsorted(edges, values, side="right")
    return np.unique(found, return_inverse=True)[1].astype(np.int32)
