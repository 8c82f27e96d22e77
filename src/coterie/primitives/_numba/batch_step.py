"""A batch on the CPU: rows are gathered, shifted, compared and added up in one pass, block by block."""

import numpy as np
import scipy.sparse

from . import sparse_assign
from .blocks import block_count, run_blocks
from .jit import kernel
from .tile import ROWS, nearest_of_eight, pack_centers

__all__ = ["batch_step", "nearest_as_given", "take_batches"]

_WORK_A_BLOCK = 1 << 22  # rows times centers times features, 0.2 ms: to hand over less to another thread costs more
_MOST_SUM_BYTES = 1 << 23


def batch_step(X, rows, centers, shift, scale, sample_weight):
    """See `coterie.primitives.batch_step.batch_step`."""
    if scipy.sparse.issparse(X):
        return _sparse_step(X[rows] / X.dtype.type(scale), centers, sample_weight)
    k, d = centers.shape
    packed, norms = pack_centers(np.ascontiguousarray(centers), X.dtype)
    weight = np.ones(1) if sample_weight is None else sample_weight
    n_blocks = block_count(len(rows) * k * d, _WORK_A_BLOCK, max(1, min(64, _MOST_SUM_BYTES // (8 * k * d))))
    sums, weights, inertia = np.zeros((n_blocks, k, d)), np.zeros((n_blocks, k)), np.zeros(n_blocks)
    run_blocks(
        _add_up, n_blocks, n_blocks, X, rows, weight, shift / scale, 1 / scale, packed, norms, sums, weights, inertia
    )
    return sums.sum(0), weights.sum(0), float(inertia.sum())


def nearest_as_given(X, centers, shift, scale):
    """See `coterie.primitives.batch_step.nearest_as_given`."""
    centers = np.ascontiguousarray(centers, np.float64)
    packed, norms = pack_centers(centers, X.dtype)
    labels, distances2 = np.empty(len(X), np.int64), np.empty(len(X))
    n_blocks = block_count(len(X))
    run_blocks(_nearest, n_blocks, n_blocks, X, shift / scale, 1 / scale, packed, norms, centers, labels, distances2)
    return labels, distances2


def take_batches(X, rows):
    """See `coterie.primitives.batch_step.take_batches`."""
    taken = np.empty((*rows.shape, X.shape[1]), X.dtype)
    n_blocks = block_count(rows.size)
    run_blocks(_take, n_blocks, n_blocks, X, rows, taken)
    return taken


@kernel
def _take(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in
    rows,  # (g, b) int64  in
    taken,  # (g, b, d)  out
):
    n_batches, size = rows.shape
    for place in range(size * block // n_blocks, size * (block + 1) // n_blocks):
        for batch in range(n_batches):
            i = rows[batch, place]
            for f in range(X.shape[1]):
                taken[batch, place, f] = X[i, f]


@kernel
def _nearest(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in
    shift,  # (d,) float64  in: subtracted after scaling
    factor,  # float  in: one over the scale
    packed,  # (g, d, lanes)  in
    norms,  # (g, lanes)  in
    centers,  # (k, d) float64  in
    labels,  # (n,) int64  out
    distances2,  # (n,) float64  out
):
    n, d = X.shape
    eight = np.zeros((ROWS, d), X.dtype)
    values, indices = np.empty(ROWS, X.dtype), np.empty(ROWS, np.int32)
    start, end = n * block // n_blocks, n * (block + 1) // n_blocks
    for first in range(start, end, ROWS):
        n_rows = min(ROWS, end - first)
        for r in range(n_rows):
            for f in range(d):
                eight[r, f] = np.float64(X[first + r, f]) * factor - shift[f]
        nearest_of_eight(eight, 0, packed, norms, values, indices)
        for r in range(n_rows):
            label, total = indices[r], 0.0
            for f in range(d):
                gap = eight[r, f] - centers[label, f]
                total += gap * gap
            labels[first + r], distances2[first + r] = label, total


def _sparse_step(batch, centers, sample_weight):
    labels, distances2 = sparse_assign.nearest_center(batch, centers)
    sums, weights = sparse_assign.center_sums(batch, labels, len(centers), sample_weight)
    return sums, weights, float(distances2.sum() if sample_weight is None else sample_weight @ distances2)


@kernel
def _add_up(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in
    rows,  # (b,) int64  in
    weight,  # (b,) float64, or (1,) for all  in
    shift,  # (d,) float64  in: subtracted after scaling
    factor,  # float  in: one over the scale
    packed,  # (g, d, lanes)  in
    norms,  # (g, lanes)  in
    sums,  # (n_blocks, k, d)  out: zero before
    weights,  # (n_blocks, k)  out: zero before
    inertia,  # (n_blocks,)  out
):
    d = X.shape[1]
    eight = np.zeros((ROWS, d), X.dtype)
    values, indices, squares = np.empty(ROWS, X.dtype), np.empty(ROWS, np.int32), np.zeros(d)
    start, end = len(rows) * block // n_blocks, len(rows) * (block + 1) // n_blocks
    total = 0.0
    for first in range(start, end, ROWS):
        n_rows = min(ROWS, end - first)
        for r in range(n_rows):
            i = rows[first + r]
            for f in range(d):
                eight[r, f] = np.float64(X[i, f]) * factor - shift[f]
        nearest_of_eight(eight, 0, packed, norms, values, indices)
        for r in range(n_rows):
            w = weight[first + r] if len(weight) > 1 else weight[0]
            label = indices[r]
            weights[block, label] += w
            total += w * values[r]
            for f in range(d):
                value = np.float64(eight[r, f])
                sums[block, label, f] += w * value
                squares[f] += w * value * value
    for f in range(d):
        total += squares[f]
    inertia[block] = max(0.0, total)
