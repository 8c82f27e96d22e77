"""Connected components of edges in blocks: each block leaves a spanning forest, and forests are joined like the edges they stand for.

A forest is written as stars: the nodes that are not the lowest of their tree, in order, each with the lowest. That depends on the trees
alone, so that forests can be joined in any order; none has more than n - 1 edges.
"""

from typing import NamedTuple

import numpy as np

from ...arrays import Graph
from ...errors import ResourceError
from .._numba.components import connected_components as components_in_memory
from .._numba.components import number_sets
from ..blocks import says
from ..edges import EdgeBlocks
from .edges import ends_of, shared
from .passes import Block, fold, room_for

__all__ = ["components_within", "connected_components"]

_BYTES = 16  # of an edge of a forest


class _Forest(NamedTuple):
    nodes: np.ndarray  # (p,) int64, ascending
    lowest: np.ndarray  # (p,) int64: the lowest node of its tree, which is not among these nodes


def connected_components(edges: EdgeBlocks) -> np.ndarray:
    """See `coterie.primitives.components.connected_components`."""
    _refuse_large(edges)
    return _numbered(fold(edges.rows, _block_forest, _joined), edges.n_nodes)


def components_within(edges: EdgeBlocks, labels: np.ndarray) -> np.ndarray:
    """See `coterie.primitives.components.components_within`."""
    _refuse_large(edges)
    return _numbered(shared(edges.rows, fold, _block_forest, _joined, labels), edges.n_nodes)


def _refuse_large(edges: EdgeBlocks) -> None:
    most = room_for(edges.rows, _BYTES)
    if edges.n_nodes > most and sum(edges.sizes) > most:
        raise ResourceError(
            f"a spanning forest of {edges.n_nodes:,} nodes takes {_BYTES * edges.n_nodes / 2**20:,.0f} MiB, and a task has room for "
            f"{_BYTES * most / 2**20:,.0f} MiB; give workers more memory, or take fewer of them on a machine"
        )


def _numbered(forest: _Forest, n: int) -> np.ndarray:
    labels = np.arange(n)
    labels[forest.nodes] = forest.lowest
    return number_sets(labels)


@says("connected components")
def _block_forest(block: Block, labels: np.ndarray | None = None) -> _Forest:
    a, b, _ = ends_of(block)
    if labels is not None:
        same = labels[a] == labels[b]
        a, b = a[same], b[same]
    return _forest(a, b)


def _joined(first: _Forest, second: _Forest) -> _Forest:
    return _forest(np.concatenate([first.nodes, second.nodes]), np.concatenate([first.lowest, second.lowest]))


def _forest(a: np.ndarray, b: np.ndarray) -> _Forest:
    """Return the forest of some edges."""
    nodes, place = np.unique(np.concatenate([a, b]), return_inverse=True)
    a, b = place[: len(a)], place[len(a) :]
    order = np.argsort(a, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(a, minlength=len(nodes)))])
    component = components_in_memory(Graph(indptr, b[order], None))  # numbered by the first, the lowest node of each
    lowest = nodes[np.unique(component, return_index=True)[1]][component]
    others = np.flatnonzero(lowest != nodes)
    return _Forest(nodes[others], lowest[others])
