"""What the links of a graph weigh in its Laplacian, written once: at ten million, each copy costs as much as the sums."""

import numpy as np

from .blocks import block_count, run_blocks
from .jit import kernel

__all__ = ["own_links", "scaled_links"]

_MOST_BLOCKS = 512


def scaled_links(indptr, indices, weights, factor, spare=None):
    """Return the weight of each link times the factors of its two ends, 0 from a node to itself.

    In memory that may be that of the weights.
    """
    values = np.empty(len(weights)) if spare is None else spare
    blocks = block_count(len(indices), 1 << 16, _MOST_BLOCKS)
    run_blocks(_scale_block, blocks, blocks, indptr, indices, weights, factor, values)
    return values


def own_links(indptr, indices, weights):
    """Return the weight of each node's link to itself; the columns of a row ascend."""
    loops = np.zeros(len(indptr) - 1)
    blocks = block_count(len(loops), 1 << 16, _MOST_BLOCKS)
    run_blocks(_own_block, blocks, blocks, indptr, indices, weights, loops)
    return loops


@kernel
def _own_block(
    block,  # int  in
    blocks,  # int  in
    indptr,  # (n + 1,) int64  in
    indices,  # (n_stored,) int  in
    weights,  # (n_stored,) float64  in
    loops,  # (n,) float64  out, zeros
):
    n = len(loops)
    for i in range(n * block // blocks, n * (block + 1) // blocks):
        low, high = indptr[i], indptr[i + 1]
        while low < high:
            middle = (low + high) // 2
            if indices[middle] < i:
                low = middle + 1
            else:
                high = middle
        if low < indptr[i + 1] and indices[low] == i:
            loops[i] = weights[low]


@kernel
def _scale_block(
    block,  # int  in
    blocks,  # int  in: how many; each has as many stored links as any other
    indptr,  # (n + 1,) int64  in
    indices,  # (n_stored,) int  in
    weights,  # (n_stored,) float64  in
    factor,  # (n,) float64  in
    values,  # (n_stored,) float64  out
):
    start, end = len(indices) * block // blocks, len(indices) * (block + 1) // blocks
    i = np.searchsorted(indptr, start, "right") - 1
    for at in range(start, end):
        while indptr[i + 1] <= at:
            i += 1
        j = indices[at]
        values[at] = 0.0 if j == i else weights[at] * factor[i] * factor[j]
