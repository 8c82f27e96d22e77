"""Sums by the classes of both ends on the CPU: each block of nodes has sums of its own, merged in order."""

import numpy as np

from .blocks import block_count, run_blocks
from .jit import kernel

__all__ = ["block_counts", "block_spread"]

_LINKS_PER_BLOCK = 1 << 15
_MOST_SUMS = 1 << 21  # of all blocks together


def block_counts(graph, labels, k):
    """See ``primitives.block_counts.block_counts``."""
    bounds = _bounds(graph, k)
    sums = np.zeros((len(bounds) - 1, k, k, 2))
    labels = np.ascontiguousarray(labels, np.int32)
    run_blocks(_count, len(sums), bounds, *graph, labels, sums)
    total = sums[0].copy()
    for part in sums[1:]:
        total += part
    sizes = np.bincount(labels[labels >= 0], minlength=k)
    return np.ascontiguousarray(total[:, :, 0]), total[:, :, 1].astype(np.int64), sizes


def block_spread(graph, labels, k):
    """See ``primitives.block_counts.block_spread``."""
    bounds = _bounds(graph, k)
    n_blocks = len(bounds) - 1
    sums, ends = np.zeros((n_blocks, k, k, 2)), np.zeros((n_blocks, k + 1))
    run_blocks(_spread, n_blocks, bounds, *graph, np.ascontiguousarray(labels, np.int32), sums, ends)
    total, end = sums[0].copy(), ends[0].copy()
    for b in range(1, n_blocks):
        total += sums[b]
        end += ends[b]
    return np.ascontiguousarray(total[:, :, 0]), np.ascontiguousarray(total[:, :, 1]), end[:k], end[k]


def _bounds(graph, k):
    """Return where the blocks of nodes begin, with about as many links in each: a function of the data alone."""
    n_links = len(graph.indices)
    n_blocks = block_count(n_links + graph.n_nodes, _LINKS_PER_BLOCK, int(np.clip(_MOST_SUMS // max(1, k * k), 1, 64)))
    wanted = np.linspace(0, n_links, n_blocks + 1)[1:-1]
    return np.concatenate([[0], np.searchsorted(graph.indptr, wanted), [graph.n_nodes]]).astype(np.int64)


@kernel
def _count(
    block,
    bounds,  # (blocks + 1,) int64  in: nodes of each block
    indptr,  # (n + 1,) int64  in
    indices,  # (m,) int64  in
    weights,  # (m,)  in
    labels,  # (n,) int32  in
    sums,  # (blocks, k, k, 2)  in/out: weights, links
):
    for i in range(bounds[block], bounds[block + 1]):
        if labels[i] < 0:
            continue
        row = sums[block, labels[i]]
        for e in range(indptr[i], indptr[i + 1]):
            other = labels[indices[e]]
            if other >= 0:
                row[other, 0] += weights[e]
                row[other, 1] += 1.0


@kernel
def _spread(
    block,
    bounds,  # (blocks + 1,) int64  in
    indptr,  # (n + 1,) int64  in
    indices,  # (m,) int64  in
    weights,  # (m,)  in
    labels,  # (n,) int32  in
    sums,  # (blocks, k, k, 2)  in/out: x^2, x times total
    ends,  # (blocks, k + 1)  in/out: totals^2 of each class, then all weights^2
):
    k = sums.shape[1]
    to, touched = np.zeros(k), np.empty(k, np.int32)
    for i in range(bounds[block], bounds[block + 1]):
        own = labels[i]
        if own < 0:
            continue
        n_touched, total, squares = 0, 0.0, 0.0
        for e in range(indptr[i], indptr[i + 1]):
            other = labels[indices[e]]
            if other >= 0:
                weight = np.float64(weights[e])
                if to[other] == 0.0:
                    touched[n_touched] = other
                    n_touched += 1
                # A weight that is lost beside 1 counts as none; it must not be listed twice.
                to[other] += max(weight, 1e-300)
                total += weight
                squares += weight * weight
        for t in range(n_touched):
            x = to[touched[t]]
            sums[block, own, touched[t], 0] += x * x
            sums[block, own, touched[t], 1] += x * total
            to[touched[t]] = 0.0
        ends[block, own] += total * total
        ends[block, k] += squares
