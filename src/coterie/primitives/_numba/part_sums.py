"""Weights by part on the CPU: blocks of nodes, each with sums of its own."""

import numpy as np

from ...arrays import unsealed
from .blocks import run_blocks
from .jit import kernel

__all__ = ["part_sums"]

_LINKS_PER_BLOCK, _MOST_BLOCKS, _MOST_SUMS = 1 << 16, 64, 1 << 20


def part_sums(graph, codes, k):
    """See `coterie.primitives.part_sums.part_sums`."""
    indptr, indices, weights = (unsealed(np.ascontiguousarray(array)) for array in graph)
    m = len(weights)
    most = int(np.clip(_MOST_SUMS // k, 1, _MOST_BLOCKS))
    n_blocks = max(1, min(most, m // _LINKS_PER_BLOCK))
    at = np.searchsorted(indptr, np.linspace(0, m, n_blocks + 1)[1:-1])
    bounds = np.concatenate([[0], at, [len(indptr) - 1]]).astype(np.int64)
    sums = np.zeros((n_blocks, k, 3))
    run_blocks(_add, n_blocks, bounds, indptr, indices, weights, np.array(codes, np.int32), sums)
    total = sums[0].copy()
    for one in sums[1:]:
        total += one
    return total.T.copy()


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
