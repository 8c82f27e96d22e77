"""A batch on the CPU: rows are gathered, shifted, compared and added up in one pass, block by block.

A small batch is one block. Many of them are gone through in one call: between two of them lie some microseconds of moving and
packing the centers, which NumPy would take longer for than the batch itself takes.
"""

import numpy as np
import scipy.sparse

from . import sparse_assign
from .blocks import block_count, run_blocks
from .given_rows import fetch_row, shift_row
from .jit import kernel, part
from .row_vectors import add_row, distances2_of_eight
from .tile import ROWS, aligned, nearest_of_eight, pack_centers

__all__ = ["batch_step", "batch_steps", "nearest_as_given"]

_WORK_A_BLOCK = 1 << 22  # rows times centers times features, 0.2 ms: to hand over less to another thread costs more
_MOST_SUM_BYTES = 1 << 23
_AHEAD = 32  # rows: the batch lies all over memory, and each row would be waited for


def batch_step(X, rows, centers, shift, scale, sample_weight):
    """See `coterie.primitives.batch_step.batch_step`."""
    if scipy.sparse.issparse(X):
        return _sparse_step(X[rows] / X.dtype.type(scale), centers, sample_weight)
    k, d = centers.shape
    centers = np.ascontiguousarray(centers)
    packed, norms = pack_centers(centers, X.dtype)
    weight = np.ones(1) if sample_weight is None else sample_weight
    n_blocks = _blocks_of(len(rows), k, d)
    sums, weights, inertia = np.zeros((n_blocks, k, d)), np.zeros((n_blocks, k)), np.zeros(n_blocks)
    run_blocks(
        _add_up,
        n_blocks,
        n_blocks,
        X,
        rows,
        weight,
        shift / scale,
        1 / scale,
        packed,
        norms,
        centers,
        sums,
        weights,
        inertia,
    )
    return sums.sum(0), weights.sum(0), float(inertia.sum())


def batch_steps(X, rows, starts, centers, mass, shift, scale, sample_weight, least_share, measured):
    """See `coterie.primitives.batch_step.batch_steps`."""
    from ..batch_step import steps_one_by_one

    k, d = centers.shape
    if scipy.sparse.issparse(X) or _blocks_of(int(np.diff(starts).max()), k, d) > 1:
        return steps_one_by_one(batch_step, X, rows, starts, centers, mass, shift, scale, sample_weight, least_share)
    centers, mass = np.array(centers, np.float64, order="C"), mass.copy()
    packed, norms = pack_centers(centers, X.dtype)
    weight = np.ones(1) if sample_weight is None else sample_weight
    inertia = np.empty(len(starts) - 1)
    n_made = _make_steps(
        X, rows, starts, weight, shift / scale, 1 / scale, least_share, measured, packed, norms, centers, mass,
        aligned(centers.shape, np.float64), inertia,
    )  # fmt: skip
    return centers, mass, inertia[:n_made]


def _blocks_of(n_rows, k, d):
    return block_count(n_rows * k * d, _WORK_A_BLOCK, max(1, min(64, _MOST_SUM_BYTES // (8 * k * d))))


def nearest_as_given(X, centers, shift, scale):
    """See `coterie.primitives.batch_step.nearest_as_given`."""
    centers = np.ascontiguousarray(centers, np.float64)
    packed, norms = pack_centers(centers, X.dtype)
    labels, distances2 = np.empty(len(X), np.int64), np.empty(len(X))
    n_blocks = block_count(len(X))
    run_blocks(_nearest, n_blocks, n_blocks, X, shift / scale, 1 / scale, packed, norms, centers, labels, distances2)
    return labels, distances2


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
            shift_row(X, first + r, factor, shift, eight, r)
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
    centers,  # (k, d) float64  in
    sums,  # (n_blocks, k, d)  out: zero before
    weights,  # (n_blocks, k)  out: zero before
    inertia,  # (n_blocks,)  out
):
    start, end = len(rows) * block // n_blocks, len(rows) * (block + 1) // n_blocks
    inertia[block] = _add_rows(
        X, rows, start, end, weight, shift, factor, packed, norms, centers, sums[block], weights[block], True
    )  # fmt: skip


@kernel
def _make_steps(
    X,  # (n, d)  in
    rows,  # (m,) int64  in: batch after batch
    starts,  # (g + 1,) int64  in
    weight,  # (m,) float64, or (1,) for all  in
    shift,  # (d,) float64  in: subtracted after scaling
    factor,  # float  in: one over the scale
    least_share,  # float  in: of the greatest mass; no further batch once a center has less
    measured,  # bool  in: whether the inertia is wanted
    packed,  # (p, d, lanes)  in, out: the centers
    norms,  # (p, lanes)  in, out
    centers,  # (k, d) float64  in, out
    mass,  # (k,) float64  in, out
    sums,  # (k, d) float64  room
    inertia,  # (g,)  out
):
    weights = np.empty(len(mass))
    for batch in range(len(inertia)):
        for c in range(len(mass)):
            weights[c] = 0.0
            for f in range(centers.shape[1]):
                sums[c, f] = 0.0
        inertia[batch] = _add_rows(
            X, rows, starts[batch], starts[batch + 1], weight, shift, factor, packed, norms, centers, sums, weights, measured
        )  # fmt: skip
        lightest, heaviest = np.inf, 0.0
        for c in range(len(mass)):
            heavier = mass[c] + weights[c]
            if heavier > 0:
                for f in range(centers.shape[1]):
                    centers[c, f] = (centers[c, f] * mass[c] + sums[c, f]) / heavier
            mass[c] = heavier
            lightest, heaviest = min(lightest, heavier), max(heaviest, heavier)
        if lightest < least_share * heaviest:
            return batch + 1
        _pack(centers, packed, norms)
    return len(inertia)


@part
def _pack(centers, packed, norms):
    """Lay out centers as `pack_centers` does."""
    lanes = norms.shape[1]
    for c in range(len(centers)):
        pack = c >> (4 if lanes == 16 else 3)
        lane, length2 = c - pack * lanes, 0.0
        for f in range(centers.shape[1]):
            packed[pack, f, lane] = centers[c, f]  # rounded
            value = packed[pack, f, lane]
            length2 += np.float64(value) * value
            packed[pack, f, lane] = -2 * value
        norms[pack, lane] = length2


@part
def _add_rows(X, rows, start, end, weight, shift, factor, packed, norms, centers, sums, weights, measured):
    """Add rows[start:end] to the sums of their nearest centers, and return their inertia where it is measured."""
    d = X.shape[1]
    eight = np.zeros((ROWS, d), X.dtype)
    values, indices = np.empty(ROWS, X.dtype), np.empty(ROWS, np.int32)
    labels, distances2 = np.empty(ROWS, np.int64), np.zeros(ROWS)
    total = 0.0
    for first in range(start, end, ROWS):
        n_rows = min(ROWS, end - first)
        for r in range(n_rows):
            fetch_row(X, rows[min(first + r + _AHEAD, end - 1)])
            shift_row(X, rows[first + r], factor, shift, eight, r)
        nearest_of_eight(eight, 0, packed, norms, values, indices)
        if measured:
            for r in range(ROWS):
                labels[r] = indices[r]
            distances2_of_eight(eight, 0, n_rows - 1, centers, labels, distances2)
        for r in range(n_rows):
            w = weight[first + r] if len(weight) > 1 else weight[0]
            weights[indices[r]] += w
            total += w * distances2[r]
            add_row(eight, r, w, sums, indices[r])
    return total if measured else np.nan
