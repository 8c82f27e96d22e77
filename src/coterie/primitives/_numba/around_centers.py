"""How the rows of each cluster lie around centers, on the CPU."""

import numpy as np

from .blocks import block_count, run_blocks
from .jit import kernel
from .row_vectors import distance2

__all__ = ["around_centers"]


def around_centers(X, labels, centers):
    """See `coterie.primitives.around_centers.around_centers`."""
    n_blocks = block_count(len(X), 4096, max(1, min(256, (1 << 22) // len(centers))))
    sums = np.empty((n_blocks, 3, len(centers)))
    run_blocks(
        _around, n_blocks, n_blocks, np.ascontiguousarray(X), np.ascontiguousarray(labels, np.int32), centers, sums
    )
    return sums.sum(0)


@kernel
def _around(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in
    labels,  # (n,) int32  in
    centers,  # (k, d) float64  in
    sums,  # (n_blocks, 3, k)  out: distances, squares, silhouettes
):
    n, k = X.shape[0], centers.shape[0]
    mine = np.zeros((3, k))
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        own = np.int64(labels[i])
        if own < 0:
            continue
        square, nearest = distance2(X, i, centers, own), np.inf
        for c in range(k):
            if c != own:
                nearest = min(nearest, distance2(X, i, centers, c))
        inner, outer = np.sqrt(square), np.sqrt(nearest)
        mine[0, own] += inner
        mine[1, own] += square
        if max(inner, outer) > 0:
            mine[2, own] += (outer - inner) / max(inner, outer)
    sums[block] = mine
