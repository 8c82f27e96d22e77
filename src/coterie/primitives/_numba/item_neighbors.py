"""Neighbours among the columns of a sparse table, on the CPU: a range of columns in each block."""

import numpy as np

from .jit import kernel, part

__all__ = ["neighbor_means"]


@kernel
def neighbor_means(
    block,
    n_blocks,  # int  in
    row_starts,  # (n + 1,) int32 or int64  in
    row_columns,  # (e,) int32 or int64  in
    row_values,  # (e,) float64  in
    column_starts,  # (m + 1,)  in: the same values by columns
    column_rows,  # (e,)  in
    column_values,  # (e,) float64  in
    starts,  # (m + 1,) int64  in: where the places of each column begin
    rows,  # (p,) int64  in: of the places, by column
    n_neighbors,  # int  in
    shrink,  # float  in
    damp,  # float  in
    values,  # (p,) float64  out
    weights,  # (p,) float64  out
):
    m = len(column_starts) - 1
    similar, sums = np.empty(m), np.empty((4, m))
    for j in range(block * m // n_blocks, (block + 1) * m // n_blocks):
        if starts[j] == starts[j + 1]:
            continue
        sums[:] = 0.0
        for e in range(column_starts[j], column_starts[j + 1]):
            _add_row(column_rows[e], column_values[e], row_starts, row_columns, row_values, sums)
        for h in range(m):
            similar[h] = _similarity(sums[:, h], shrink)
        similar[j] = 0.0
        for p in range(starts[j], starts[j + 1]):
            start, end = row_starts[rows[p]], row_starts[rows[p] + 1]
            near = similar[row_columns[start:end]]
            values[p], weights[p] = _mean_of_nearest(near, row_values[start:end], n_neighbors, damp)


@part
def _add_row(i, value, row_starts, row_columns, row_values, sums):
    """Add a row that has a value in the column to the sums of each column in which it has one too."""
    for f in range(row_starts[i], row_starts[i + 1]):
        h, other = row_columns[f], row_values[f]
        sums[0, h] += value * other
        sums[1, h] += value * value
        sums[2, h] += other * other
        sums[3, h] += 1.0


@part
def _similarity(sums, shrink):
    """Return the correlation around 0 (Koren's rho), shrunk; 0 where it is negative or stands on one row."""
    if sums[3] < 2.0 or sums[0] <= 0.0:
        return 0.0
    common = sums[3] - 1.0
    return common / (common + shrink) * sums[0] / np.sqrt(sums[1] * sums[2])


@part
def _mean_of_nearest(near, values, n_neighbors, damp):
    least = 0.0
    if len(near) > n_neighbors:
        least = np.partition(near, len(near) - n_neighbors)[len(near) - n_neighbors]
    total, weight = 0.0, 0.0
    for f in range(len(near)):
        if near[f] > 0.0 and near[f] >= least:
            total += near[f] * values[f]
            weight += near[f]
    return (total / (weight + damp) if weight > 0.0 else 0.0), weight
