"""Nearest centers on the CPU: the SIMD tile over blocks of rows, sums merged in block order."""

import numpy as np
import scipy.sparse

from . import sparse_assign
from .blocks import block_count, free_blocks, run_blocks
from .jit import kernel
from .lloyd import lloyd_start, lloyd_step, nearest_by_state
from .tile import GROUP, ROWS, nearest_of_eight, pack_centers, pack_panel, squared_distances

__all__ = [
    "center_sums",
    "closer_distances",
    "lloyd_end",
    "lloyd_start",
    "lloyd_step",
    "nearest_center",
    "nearest_totals",
    "seeding_step",
]

_MOST_SUM_BYTES = 1 << 24


def nearest_center(X, centers):
    """See `coterie.primitives.assign.nearest_center`."""
    if scipy.sparse.issparse(X):
        return sparse_assign.nearest_center(X, centers)
    n = len(X)
    centers = np.ascontiguousarray(centers, np.float64)
    packed, norms = pack_centers(centers, X.dtype)
    labels, distances2 = np.empty(n, np.int32), np.empty(n)
    n_blocks = free_blocks(n)
    run_blocks(_nearest, n_blocks, n_blocks, X, packed, norms, centers, labels, distances2)
    return labels, distances2


def nearest_totals(X, centers, sample_weight):
    """Return the labels, (n,) int64, and what rows add up to: their cost, and the weight and the number of those of each center.

    The labels of `nearest_center`, and the sums of its distances, which are not kept.
    """
    n, k = len(X), len(centers)
    centers = np.ascontiguousarray(centers, np.float64)
    packed, norms = pack_centers(centers, X.dtype)
    n_blocks = block_count(n, 32_768)
    labels, costs = np.empty(n, np.int64), np.zeros(n_blocks)
    weights, counts = np.zeros((n_blocks, k)), np.zeros((n_blocks, k), np.int64)
    weight = np.ones(1) if sample_weight is None else sample_weight
    run_blocks(_add_nearest, n_blocks, n_blocks, X, weight, packed, norms, centers, labels, costs, weights, counts)
    return labels, float(costs.sum()), weights.sum(0), counts.sum(0)


def lloyd_end(state, centers):
    """See `coterie.primitives.assign.lloyd_end`."""
    found = nearest_by_state(state, np.ascontiguousarray(centers, np.float64))
    return nearest_center(state.X, centers) if found is None else found


def center_sums(X, labels, n_centers, sample_weight):
    """See `coterie.primitives.assign.center_sums`."""
    if scipy.sparse.issparse(X):
        return sparse_assign.center_sums(X, labels, n_centers, sample_weight)
    n, d = X.shape
    n_blocks = block_count(n, most=max(1, min(64, _MOST_SUM_BYTES // (8 * n_centers * d))))
    sums, weights = np.zeros((n_blocks, n_centers, d)), np.zeros((n_blocks, n_centers))
    weight = np.ones(1) if sample_weight is None else sample_weight
    run_blocks(_sum_rows, n_blocks, n_blocks, X, np.asarray(labels, np.int32), weight, sums, weights)
    return sums.sum(0), weights.sum(0)


def seeding_step(X, candidates, closest, sample_weight):
    """See `coterie.primitives.assign.seeding_step`."""
    if scipy.sparse.issparse(X):
        return sparse_assign.seeding_step(X, candidates, closest, sample_weight)
    n = len(X)
    closest = np.full(n, np.inf) if closest is None else closest
    weight = np.ones(1) if sample_weight is None else sample_weight
    n_blocks = block_count(n)
    partial = np.zeros((n_blocks, len(candidates)))
    run_blocks(_weigh_candidates, n_blocks, n_blocks, X, X[candidates], closest, weight, partial)
    potentials = partial.sum(0)
    best = candidates[[int(np.argmin(potentials))]]
    return potentials, closer_distances(X, X[best], closest)


def closer_distances(X, centers, closest):
    """See `coterie.primitives.assign.closer_distances`."""
    closest = np.full(len(X), np.inf) if closest is None else closest
    closer = np.empty(len(X))
    n_blocks = free_blocks(len(X))
    run_blocks(_move_closer, n_blocks, n_blocks, X, np.ascontiguousarray(centers, X.dtype), closest, closer)
    return closer


@kernel
def _nearest(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in
    packed,  # (g, d, lanes)  in
    norms,  # (g, lanes)  in
    centers,  # (k, d) float64  in
    labels,  # (n,) int32  out
    distances2,  # (n,) float64  out
):
    n = len(X)
    values, indices = np.empty(ROWS, X.dtype), np.empty(ROWS, np.int32)
    start, end = n * block // n_blocks, n * (block + 1) // n_blocks
    for first in range(start, end, ROWS):
        nearest_of_eight(X, first, packed, norms, values, indices)
        for i in range(first, min(first + ROWS, end)):
            label = indices[i - first]
            total = 0.0
            for f in range(X.shape[1]):
                gap = X[i, f] - centers[label, f]
                total += gap * gap
            labels[i], distances2[i] = label, total


@kernel
def _add_nearest(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in
    weight,  # (n,) float64, or (1,) for all  in
    packed,  # (g, d, lanes)  in
    norms,  # (g, lanes)  in
    centers,  # (k, d) float64  in
    labels,  # (n,) int64  out
    costs,  # (n_blocks,)  out: zero before
    weights,  # (n_blocks, k)  out: zero before
    counts,  # (n_blocks, k) int64  out: zero before
):
    n = len(X)
    values, indices = np.empty(ROWS, X.dtype), np.empty(ROWS, np.int32)
    end = n * (block + 1) // n_blocks
    for first in range(n * block // n_blocks, end, ROWS):
        nearest_of_eight(X, first, packed, norms, values, indices)
        cost = 0.0
        for i in range(first, min(first + ROWS, end)):
            label = indices[i - first]
            w = weight[i] if len(weight) > 1 else weight[0]
            total = 0.0
            for f in range(X.shape[1]):
                gap = X[i, f] - centers[label, f]
                total += gap * gap
            labels[i] = label
            cost += w * total
            weights[block, label] += w
            counts[block, label] += 1
        costs[block] += cost


@kernel
def _sum_rows(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in
    labels,  # (n,) int32  in
    weight,  # (n,) float64, or (1,) for all  in
    sums,  # (n_blocks, k, d)  out: zero before
    weights,  # (n_blocks, k)  out: zero before
):
    n = len(X)
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        label = labels[i]
        if label >= 0:
            w = weight[i] if len(weight) > 1 else weight[0]
            weights[block, label] += w
            for f in range(X.shape[1]):
                sums[block, label, f] += w * X[i, f]


@kernel
def _weigh_candidates(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in
    candidates,  # (t, d)  in
    closest,  # (n,) float64  in
    weight,  # (n,) float64, or (1,) for all  in
    partial,  # (n_blocks, t)  out
):
    n, t = len(X), len(candidates)
    panel, out = np.empty((1, X.shape[1], GROUP), X.dtype), np.empty(GROUP, X.dtype)
    one = np.full(GROUP, weight[0])
    totals = np.zeros((t, GROUP))  # rows side by side are added side by side
    end = n * (block + 1) // n_blocks
    for first in range(n * block // n_blocks, end, GROUP):
        near = closest[first : min(first + GROUP, end)]
        weights = weight[first : first + GROUP] if len(weight) > 1 else one
        pack_panel(X, first, first + len(near), panel[0])
        for c in range(t):
            squared_distances(candidates, c, panel, 0, out)
            total = totals[c]
            for j in range(len(near)):
                distance2, least = np.float64(out[j]), near[j]
                total[j] += weights[j] * (distance2 if distance2 < least else least)
    for c in range(t):
        partial[block, c] = totals[c].sum()


@kernel
def _move_closer(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in
    centers,  # (t, d)  in: the new centers
    closest,  # (n,) float64  in
    closer,  # (n,) float64  out
):
    n = len(X)
    panel, out = np.empty((1, X.shape[1], GROUP), X.dtype), np.empty(GROUP, X.dtype)
    end = n * (block + 1) // n_blocks
    for first in range(n * block // n_blocks, end, GROUP):
        near, nearer = closest[first : min(first + GROUP, end)], closer[first : first + GROUP]
        pack_panel(X, first, first + len(near), panel[0])
        for j in range(len(near)):
            nearer[j] = near[j]
        for c in range(len(centers)):
            squared_distances(centers, c, panel, 0, out)
            for j in range(len(near)):
                distance2, least = np.float64(out[j]), nearer[j]
                nearer[j] = distance2 if distance2 < least else least
