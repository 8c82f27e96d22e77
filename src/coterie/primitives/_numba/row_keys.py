"""Projections of rows on the CPU."""

import numpy as np
import scipy.sparse

from .blocks import block_count, run_blocks
from .jit import kernel

__all__ = ["row_keys"]


def row_keys(X, weights):
    """See `coterie.primitives.row_keys.row_keys`."""
    n = X.shape[0]
    keys = np.empty(n)
    n_blocks = block_count(n)
    if scipy.sparse.issparse(X):
        X = X.sorted_indices()  # the order of addition
        run_blocks(_sparse_keys, n_blocks, n_blocks, X.data, X.indices, X.indptr, weights, keys)
    else:
        run_blocks(_dense_keys, n_blocks, n_blocks, X, weights, keys)
    return keys


@kernel
def _dense_keys(block, n_blocks, X, weights, keys):
    n = len(keys)
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        total = 0.0
        for f in range(X.shape[1]):
            total += weights[f] * X[i, f]
        keys[i] = total


@kernel
def _sparse_keys(block, n_blocks, data, indices, indptr, weights, keys):
    n = len(keys)
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        total = 0.0
        for place in range(indptr[i], indptr[i + 1]):
            total += weights[indices[place]] * data[place]
        keys[i] = total
