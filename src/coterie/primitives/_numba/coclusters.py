"""Co-clustering drawn many times, on the CPU: one step of a chain in each block."""

import numpy as np

from .coarsen import draw
from .jit import kernel, part

__all__ = ["block_means", "step"]


@kernel
def step(
    chain,
    row_starts,  # (n + 1,) int32 or int64  in
    row_columns,  # (e,) int32 or int64  in
    row_values,  # (e,) float64  in
    column_starts,  # (m + 1,)  in: the same values by columns
    column_rows,  # (e,)  in
    column_values,  # (e,) float64  in
    noise2,  # float  in: variance of a value around the mean of its block
    shrink,  # float  in
    row_labels,  # (c, n) uint8  in, out
    column_labels,  # (c, m) uint8  in, out
    means,  # (c, k, l) float64  in, out
    states,  # (c, 1) uint64  in, out
):
    rows, columns, state = row_labels[chain], column_labels[chain], states[chain]
    _draw_labels(row_starts, row_columns, row_values, columns, means[chain], noise2, rows, state)
    _draw_labels(column_starts, column_rows, column_values, rows, means[chain].T.copy(), noise2, columns, state)
    _shrunk_means(row_starts, row_columns, row_values, rows, columns, shrink, means[chain])


@part
def _draw_labels(starts, others, values, other_labels, means, noise2, labels, state):
    """Draw the label of each row by how likely its values are in each cluster, and how common the cluster is."""
    n, (k, width) = len(labels), means.shape
    log_share = np.zeros(k)
    for i in range(n):
        log_share[labels[i]] += 1.0
    log_share = np.log((log_share + 1.0) / (n + k))
    sums, counts, likely = np.empty(width), np.empty(width), np.empty(k)
    for i in range(n):
        sums[:] = 0.0
        counts[:] = 0.0
        for e in range(starts[i], starts[i + 1]):
            h = other_labels[others[e]]
            sums[h] += values[e]
            counts[h] += 1.0
        best = -np.inf
        for g in range(k):
            distance2 = 0.0  # less the squares of the values, which are the same for every cluster
            for h in range(width):
                distance2 += means[g, h] * (counts[h] * means[g, h] - 2.0 * sums[h])
            likely[g] = log_share[g] - distance2 / (2.0 * noise2)
            best = max(best, likely[g])
        total = 0.0
        for g in range(k):
            likely[g] = np.exp(likely[g] - best)
            total += likely[g]
        left, g = total * draw(state, 1 << 31) / (1 << 31), 0
        while g < k - 1 and left >= likely[g]:
            left -= likely[g]
            g += 1
        labels[i] = g


@part
def _shrunk_means(starts, others, values, labels, other_labels, shrink, means):
    counts = np.full(means.shape, shrink)
    means[:] = 0.0
    for i in range(len(labels)):
        for e in range(starts[i], starts[i + 1]):
            h = other_labels[others[e]]
            means[labels[i], h] += values[e]
            counts[labels[i], h] += 1.0
    means /= counts


@kernel
def block_means(
    block,
    n_blocks,  # int  in
    row_labels,  # (n, s) uint8  in
    column_labels,  # (m, s) uint8  in
    means,  # (s, k, l) float64  in
    rows,  # (p,) int64  in
    columns,  # (p,) int64  in
    values,  # (p,) float64  out
):
    n_draws = len(means)
    for p in range(block * len(rows) // n_blocks, (block + 1) * len(rows) // n_blocks):
        i, j, total = rows[p], columns[p], 0.0
        for s in range(n_draws):
            total += means[s, row_labels[i, s], column_labels[j, s]]
        values[p] = total / n_draws
