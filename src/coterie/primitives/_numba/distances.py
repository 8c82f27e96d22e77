"""Distances between all rows of two sets on the CPU."""

import numpy as np
import scipy.sparse

from . import sparse_assign
from .blocks import block_count, run_blocks
from .jit import kernel
from .tile import GROUP, squared_distances

__all__ = ["pack_rows", "pairwise_distances"]


def pairwise_distances(X, Y, squared):
    """See `coterie.primitives.distances.pairwise_distances`."""
    if scipy.sparse.issparse(X):
        dense = Y.toarray() if scipy.sparse.issparse(Y) else Y
        out = sparse_assign.squared_to_all(X, np.asarray(dense, np.float64)).astype(X.dtype)
    else:
        out = np.empty((len(X), len(Y)), X.dtype)
        n_blocks = block_count(len(X) * max(1, len(Y)), 1 << 20, 1024)
        run_blocks(_distances, n_blocks, n_blocks, np.ascontiguousarray(X), pack_rows(np.asarray(Y, X.dtype)), out)
    return out if squared else np.sqrt(out, out=out)


def pack_rows(Y):
    """Lay all rows out in panels of GROUP for `squared_distances`; missing ones are infinite."""
    n, d = Y.shape
    n_panels = -(-n // GROUP)
    padded = np.full((n_panels * GROUP, d), np.inf, Y.dtype)
    padded[:n] = Y
    return np.ascontiguousarray(padded.reshape(n_panels, GROUP, d).transpose(0, 2, 1))


@kernel
def _distances(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in
    panels,  # (p, d, GROUP)  in
    out,  # (n, m)  out
):
    n, m = out.shape
    line = np.empty(GROUP, X.dtype)
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        for p in range(len(panels)):
            squared_distances(X, i, panels, p, line)
            first = p * GROUP
            for j in range(min(GROUP, m - first)):
                out[i, first + j] = line[j]
