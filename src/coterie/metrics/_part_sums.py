"""Links within and out of each part of a graph, in one compiled pass (by `_numba`; nothing here is an engine's).

Memory grows with the number of parts, not with its square. Blocks of nodes have sums of their own, merged in order: the same
bits on any number of threads.
"""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import Graph, to_numpy, unsealed
from ..errors import InputError
from ..graphs import as_graph
from ..primitives.compiled import kernel, run_blocks
from ..primitives.symmetry import is_symmetric
from ._inputs import clusters_of

__all__ = ["PartSums", "part_sums"]

_LINKS_PER_BLOCK, _MOST_BLOCKS, _MOST_SUMS = 1 << 16, 64, 1 << 20


class PartSums(NamedTuple):
    """Sums over the links between nodes that are in some part."""

    sizes: np.ndarray  # (k,) int64: nodes of each part
    inside: np.ndarray  # (k,) float64: weights of stored links with both ends in the part
    leaving: np.ndarray  # (k,) float64: of those that begin in it and end elsewhere
    entering: np.ndarray  # (k,) float64: of those that begin elsewhere and end in it
    directed: bool
    scale: float  # the sums are those of the weights divided by it


def part_sums(graph: Any, labels: Any, n_nodes: int | None = None) -> PartSums:
    """Add up the links of each part; nodes labelled -1, and their links, are left out."""
    graph = Graph(*(unsealed(to_numpy(array)) for array in as_graph(graph, n_nodes)))
    names = np.asarray(to_numpy(labels))
    if names.shape != (graph.n_nodes,):
        raise InputError(f"labels must hold one label for each of the {graph.n_nodes} nodes, got shape {names.shape}")
    clusters = clusters_of(names, graph.n_nodes)
    k = len(clusters.names)
    if k == 0:
        raise InputError("every node is labelled -1; at least one must be in a part")
    weights, scale = _in_range(graph.weights)
    n_links = len(weights)
    most = int(np.clip(_MOST_SUMS // k, 1, _MOST_BLOCKS))
    n_blocks = max(1, min(most, n_links // _LINKS_PER_BLOCK))
    at = np.searchsorted(graph.indptr, np.linspace(0, n_links, n_blocks + 1)[1:-1])
    bounds = np.concatenate([[0], at, [graph.n_nodes]]).astype(np.int64)
    sums = np.zeros((n_blocks, k, 3))
    codes = np.ascontiguousarray(clusters.codes, np.int32)
    run_blocks(_add, n_blocks, bounds, graph.indptr, graph.indices, weights, codes, sums)
    total = sums[0].copy()
    for one in sums[1:]:
        total += one
    inside, leaving, entering = total.T.copy()
    return PartSums(clusters.sizes, inside, leaving, entering, not is_symmetric(graph), scale)


def _in_range(weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Return weights whose sums neither overflow nor vanish, and the power of two that they were divided by."""
    largest = float(weights.max()) if len(weights) else 1.0
    if 1e-200 < largest < 1e200:
        return weights, 1.0
    scale = 2.0 ** np.clip(np.frexp(largest)[1], -1000, 1000)
    return weights.astype(np.float64) / scale, float(scale)


@kernel
def _add(
    block,
    bounds,  # (blocks + 1,) int64  in: nodes of each block
    indptr,  # (n + 1,) int64  in
    indices,  # (m,) int64  in
    weights,  # (m,)  in
    codes,  # (n,) int32  in: part of each node, -1 for none
    sums,  # (blocks, k, 3)  in/out: inside, leaving, entering
):
    for i in range(bounds[block], bounds[block + 1]):
        own = codes[i]
        if own < 0:
            continue
        for e in range(indptr[i], indptr[i + 1]):
            other = codes[indices[e]]
            if other < 0:
                continue
            w = np.float64(weights[e])
            if own == other:
                sums[block, own, 0] += w
            else:
                sums[block, own, 1] += w
                sums[block, other, 2] += w
