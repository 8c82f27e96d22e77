"""Connected components on the CPU: one pass over the edges with disjoint sets."""

import numpy as np

from .blocks import run_blocks, run_kernel
from .jit import kernel
from .union_find import find, number_by_first, union

__all__ = ["connected_components", "number_sets"]

_EDGES = 1 << 20
_ROWS = 1 << 20
_FEW_ROWS = 4096  # NumPy is as fast, and one kernel less to compile


def connected_components(graph):
    """Name the components; see ``primitives.components.connected_components``."""
    n, edges = len(graph.indptr) - 1, len(graph.indices)
    parent = np.arange(n)
    run_blocks(_join_edges, -(-edges // _EDGES), np.asarray(graph.indptr), np.asarray(graph.indices), parent)
    run_kernel(_to_roots, parent)
    return number_sets(parent)


def number_sets(sets):
    """Number sets by first appearance; see ``primitives.components.number_sets``."""
    n = len(sets)
    if n <= _FEW_ROWS:
        found, first, group = np.unique(sets, return_index=True, return_inverse=True)
        rank = np.full(len(found), -1)
        some = found >= 0
        rank[some] = np.argsort(np.argsort(first[some]))
        return rank[group]
    labels = np.empty(n, np.int64)
    names, used = np.full(int(sets.max(initial=-1)) + 1, -1), np.zeros(1, np.int64)
    for start in range(0, n, _ROWS):
        run_kernel(number_by_first, start, min(n, start + _ROWS), sets, names, used, labels)
    return labels


@kernel
def _join_edges(
    block,  # int  in: edges block * _EDGES ...
    indptr,  # (n + 1,)  in
    indices,  # (edges,)  in
    parent,  # (n,) int64  in/out
):
    start, end = block * _EDGES, min(len(indices), (block + 1) * _EDGES)
    node = np.searchsorted(indptr, start, side="right") - 1
    for at in range(start, end):
        while indptr[node + 1] <= at:
            node += 1
        union(parent, node, indices[at])


@kernel
def _to_roots(parent):
    for node in range(len(parent)):
        parent[node] = find(parent, node)
