"""Symmetry on the CPU: blocks of nodes, each with two sums of hashes."""

import numpy as np

from ...arrays import unsealed
from .blocks import block_count, run_blocks
from .jit import kernel, part

__all__ = ["is_symmetric"]

_LINKS_PER_BLOCK = 1 << 17


def is_symmetric(graph):
    """See `coterie.primitives.symmetry.is_symmetric`."""
    indptr, indices, weights = (unsealed(np.ascontiguousarray(array)) for array in graph)
    n, m = len(indptr) - 1, len(indices)
    n_blocks = block_count(m + n, _LINKS_PER_BLOCK, 64)
    bounds = np.searchsorted(indptr, np.linspace(0, m, n_blocks + 1)[1:-1])
    bounds = np.concatenate([[0], bounds, [n]]).astype(np.int64)
    sums = np.zeros((n_blocks, 2), np.uint64)
    bits = weights.view(np.uint32 if weights.dtype.itemsize == 4 else np.uint64)
    run_blocks(_add, n_blocks, bounds, indptr, indices, bits, sums)
    forward, backward = sums.sum(axis=0, dtype=np.uint64)
    return forward == backward


@part
def _mark(i, j, bits):
    """Return a number that tells (i, j, bits) from any other, as a good hash does."""
    x = np.uint64(i) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(j) * np.uint64(0xC2B2AE3D27D4EB4F)
    x += np.uint64(bits) * np.uint64(0x165667B19E3779F9)
    x = (x ^ (x >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@kernel
def _add(
    block,
    bounds,  # (blocks + 1,) int64  in: nodes of each block
    indptr,  # (n + 1,) int64  in
    indices,  # (m,) int64  in
    bits,  # (m,) uint32 or uint64  in: the weights as they are stored
    sums,  # (blocks, 2) uint64  out: of the links, and of the links turned round
):
    forward, backward = np.uint64(0), np.uint64(0)
    for i in range(bounds[block], bounds[block + 1]):
        for e in range(indptr[i], indptr[i + 1]):
            j = indices[e]
            if j != i:
                forward += _mark(i, j, bits[e])
                backward += _mark(j, i, bits[e])
    sums[block, 0] = forward
    sums[block, 1] = backward
