"""Links within and out of each part of a graph, of whatever labels there are."""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import Graph, to_numpy, unsealed
from ..errors import InputError
from ..graphs import as_graph
from ..primitives.part_sums import part_sums as sums_by_part
from ..primitives.symmetry import is_symmetric
from ._inputs import clusters_of

__all__ = ["PartSums", "part_sums"]


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
    inside, leaving, entering = sums_by_part(graph._replace(weights=weights), clusters.codes, k)
    return PartSums(clusters.sizes, inside, leaving, entering, not is_symmetric(graph), scale)


def _in_range(weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Return weights whose sums neither overflow nor vanish, and the power of two that they were divided by."""
    largest = float(weights.max()) if len(weights) else 1.0
    if 1e-200 < largest < 1e200:
        return weights, 1.0
    scale = 2.0 ** np.clip(np.frexp(largest)[1], -1000, 1000)
    return weights.astype(np.float64) / scale, float(scale)
