"""Nearest centers of sparse rows on the CPU: rows stay sparse, centers are dense, distances are compared in float64.

Rows are not shifted, since that would fill them: ``|x|^2 - 2 x.c + |c|^2`` is summed in float64, in which it cancels only
for rows whose distances are less than about 1e-7 of their length.
"""

from dataclasses import dataclass

import numpy as np

from .blocks import block_count, run_blocks
from .jit import kernel

__all__ = ["SparseState", "center_sums", "lloyd_step", "nearest_center", "seeding_step", "squared_to_all"]

_MOST_SUM_BYTES = 1 << 26


@dataclass
class SparseState:
    """The rows, their weights, and the labels of the last step."""

    X: object  # (n, d) CSR
    sample_weight: np.ndarray | None
    labels: np.ndarray | None = None


def nearest_center(X, centers):
    """See `coterie.primitives.assign.nearest_center`."""
    n = X.shape[0]
    labels, distances2 = np.empty(n, np.int32), np.empty(n)
    columns, norms = _columns_of(np.asarray(centers, np.float64))
    n_blocks = block_count(n, 1024)
    run_blocks(_nearest, n_blocks, n_blocks, X.data, X.indices, X.indptr, columns, norms, labels, distances2)
    return labels, distances2


def center_sums(X, labels, n_centers, sample_weight):
    """See `coterie.primitives.assign.center_sums`."""
    n, d = X.shape
    n_blocks = block_count(n, 4096, max(1, min(16, _MOST_SUM_BYTES // (8 * n_centers * d))))
    sums, weights = np.zeros((n_blocks, n_centers, d)), np.zeros((n_blocks, n_centers))
    weight = np.ones(1) if sample_weight is None else sample_weight
    labels = np.asarray(labels, np.int32)
    run_blocks(_sum_rows, n_blocks, n_blocks, X.data, X.indices, X.indptr, labels, weight, sums, weights)
    return sums.sum(0), weights.sum(0)


def lloyd_step(state, centers):
    """See `coterie.primitives.assign.lloyd_step`; returns its fields."""
    labels, _ = nearest_center(state.X, centers)
    n_changed = len(labels) if state.labels is None else int(np.count_nonzero(labels != state.labels))
    state.labels = labels
    sums, weights = center_sums(state.X, labels, len(centers), state.sample_weight)
    real = labels if state.sample_weight is None else labels[state.sample_weight > 0]
    return sums, weights, np.bincount(real, minlength=len(centers)), n_changed


def seeding_step(X, candidates, closest, sample_weight):
    """See `coterie.primitives.assign.seeding_step`."""
    rows = X[candidates].toarray().astype(np.float64)
    weight = np.ones(1) if sample_weight is None else sample_weight
    n = X.shape[0]
    closest = np.full(n, np.inf) if closest is None else closest
    n_blocks = block_count(n, 1024)
    partial = np.zeros((n_blocks, len(candidates)))
    run_blocks(
        _weigh_candidates, n_blocks, n_blocks, X.data, X.indices, X.indptr, *_columns_of(rows), closest, weight, partial
    )
    potentials = partial.sum(0)
    best = int(np.argmin(potentials))
    _, distances2 = nearest_center(X, rows[best : best + 1])
    return potentials, np.minimum(closest, distances2)


def squared_to_all(X, centers):
    """Return the squared distances of sparse rows to all centers, (n, k) float64."""
    out = np.empty((X.shape[0], len(centers)))
    n_blocks = block_count(X.shape[0], 1024)
    run_blocks(_all_distances2, n_blocks, n_blocks, X.data, X.indices, X.indptr, *_columns_of(centers), out)
    return out


def _columns_of(rows):
    return np.ascontiguousarray(rows.T), np.einsum("kf,kf->k", rows, rows)


@kernel
def _row_distances2(data, indices, indptr, i, columns, norms, out):
    """Write the squared distances of sparse row i to every center."""
    out[:] = 0.0
    length2 = 0.0
    for place in range(indptr[i], indptr[i + 1]):
        value = np.float64(data[place])
        length2 += value * value
        column = columns[indices[place]]
        for c in range(len(out)):
            out[c] += value * column[c]
    for c in range(len(out)):
        out[c] = max(0.0, length2 - 2.0 * out[c] + norms[c])


@kernel
def _all_distances2(block, n_blocks, data, indices, indptr, columns, norms, out):
    n = len(out)
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        _row_distances2(data, indices, indptr, i, columns, norms, out[i])


@kernel
def _nearest(
    block,
    n_blocks,  # int  in
    data,  # CSR values  in
    indices,  # CSR columns  in
    indptr,  # (n + 1,)  in
    columns,  # (d, k) float64  in: the centers, transposed
    norms,  # (k,) float64  in
    labels,  # (n,) int32  out
    distances2,  # (n,) float64  out
):
    n = len(labels)
    out = np.empty(len(norms))
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        _row_distances2(data, indices, indptr, i, columns, norms, out)
        best = 0
        for c in range(1, len(out)):
            if out[c] < out[best]:
                best = c
        labels[i], distances2[i] = best, out[best]


@kernel
def _sum_rows(
    block,
    n_blocks,  # int  in
    data,  # CSR values  in
    indices,  # CSR columns  in
    indptr,  # (n + 1,)  in
    labels,  # (n,) int32  in
    weight,  # (n,) or (1,) float64  in
    sums,  # (n_blocks, k, d)  out: zero before
    weights,  # (n_blocks, k)  out: zero before
):
    n = len(labels)
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        label = labels[i]
        if label >= 0:
            w = weight[i] if len(weight) > 1 else weight[0]
            weights[block, label] += w
            for place in range(indptr[i], indptr[i + 1]):
                sums[block, label, indices[place]] += w * data[place]


@kernel
def _weigh_candidates(
    block,
    n_blocks,  # int  in
    data,  # CSR values  in
    indices,  # CSR columns  in
    indptr,  # (n + 1,)  in
    columns,  # (d, t) float64  in: the candidates, transposed
    norms,  # (t,) float64  in
    closest,  # (n,) float64  in
    weight,  # (n,) or (1,) float64  in
    partial,  # (n_blocks, t)  out
):
    n, t = len(closest), len(norms)
    out = np.empty(t)
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        _row_distances2(data, indices, indptr, i, columns, norms, out)
        w = weight[i] if len(weight) > 1 else weight[0]
        for c in range(t):
            partial[block, c] += w * min(out[c], closest[i])
