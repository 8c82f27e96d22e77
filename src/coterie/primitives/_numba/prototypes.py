"""Nearest prototypes of mixed rows on the CPU: the SIMD tile for the numbers, one pass over the prototypes for each category."""

import numpy as np

from .blocks import block_count, run_blocks
from .jit import kernel
from .tile import lanes_of, pack_panel, squared_distances_narrow

__all__ = ["nearest_prototype"]


def nearest_prototype(X, codes, means, modes, gamma):
    """See `coterie.primitives.prototypes.nearest_prototype`."""
    n, k = len(X), len(means)
    lanes = lanes_of(X.dtype)
    panel = np.empty((1, X.shape[1], -(-k // lanes) * lanes), X.dtype)
    pack_panel(np.ascontiguousarray(means, X.dtype), 0, k, panel[0])
    columns = np.ascontiguousarray(modes.T, np.int32)
    labels, costs = np.empty(n, np.int64), np.empty(n)
    n_blocks = block_count(n)
    run_blocks(_nearest, n_blocks, n_blocks, X, np.ascontiguousarray(codes), panel, columns, gamma, labels, costs)
    return labels, costs


@kernel
def _nearest(
    block,
    n_blocks,  # int  in
    X,  # (n, p)  in
    codes,  # (n, c) int32  in
    panel,  # (1, p, w)  in: the means
    modes,  # (c, k) int32  in
    gamma,  # float  in
    labels,  # (n,) int64  out
    costs,  # (n,) float64  out
):
    n, k = len(X), modes.shape[1]
    gaps2, unlike = np.empty(panel.shape[2], X.dtype), np.empty(k, np.int32)
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        squared_distances_narrow(X, i, panel, 0, gaps2)
        for j in range(k):
            unlike[j] = 0
        for c in range(len(modes)):
            code = codes[i, c]
            for j in range(k):
                unlike[j] += modes[c, j] != code or code < 0
        best, least = 0, np.inf
        for j in range(k):
            cost = np.float64(gaps2[j]) + gamma * unlike[j]
            if cost < least:
                best, least = j, cost
        labels[i], costs[i] = best, least
