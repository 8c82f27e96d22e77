"""Groups of strongly linked nodes. Sequential: each group depends on those before it."""

import numpy as np

from .blocks import run_kernel
from .contraction import contracted as contract
from .jit import kernel

__all__ = ["aggregate", "contract"]


def aggregate(indptr, indices, weights, factor, most):
    """Return the group of each node, numbered from 0, -1 for nodes without links; a group has at most ``most`` nodes.

    A link is as strong as its weight times the factors of its ends; as its weight, and no loop, where there are no factors.
    """
    parent = np.full(len(indptr) - 1, -1, np.int64)
    n_groups = run_kernel(_aggregate, indptr, indices, weights, factor, most, parent)
    return parent, int(n_groups)


@kernel
def _aggregate(
    indptr,  # (n + 1,) int64  in
    indices,  # (n_stored,) int  in
    weights,  # (n_stored,) float64  in
    factor,  # (n,) or (0,) float64  in
    most,  # int  in
    parent,  # (n,) int64  in/out: -1
):
    n, n_groups = len(parent), 0
    size, waiting = np.zeros(n, np.int64), np.full(n, -1)
    for i in range(n):
        if parent[i] >= 0:
            continue
        best, partner, open_best, joined = 0.0, -1, 0.0, -1
        for at in range(indptr[i], indptr[i + 1]):
            j = indices[at]
            value = weights[at]
            if len(factor):
                value = 0.0 if j == i else value * factor[i] * factor[j]
            if value > best:
                best, partner = value, j
            if value > open_best and (parent[j] < 0 or size[parent[j]] < most):
                open_best, joined = value, j
        if partner < 0:
            continue
        if joined >= 0 and 4.0 * open_best >= best:
            if parent[joined] < 0:
                parent[joined] = n_groups
                size[n_groups] = 1
                n_groups += 1
            parent[i] = parent[joined]
        else:
            # All its near ones are full: it goes with others that hang on the same node.
            if waiting[partner] < 0 or size[waiting[partner]] >= most:
                waiting[partner] = n_groups
                n_groups += 1
            parent[i] = waiting[partner]
        size[parent[i]] += 1
    return n_groups
