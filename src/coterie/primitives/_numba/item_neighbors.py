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
    similar, sums, near, work = np.empty(m), np.empty((4, m)), np.empty(m), np.empty(m)
    for j in range(block * m // n_blocks, (block + 1) * m // n_blocks):
        if starts[j] == starts[j + 1]:
            continue
        sums[:] = 0.0
        for e in range(column_starts[j], column_starts[j + 1]):
            _add_row(column_rows[e], column_values[e], row_starts, row_columns, row_values, sums)
        for h in range(m):
            similar[h] = _similarity(sums, h, shrink)
        similar[j] = 0.0
        for p in range(starts[j], starts[j + 1]):
            start, count = row_starts[rows[p]], row_starts[rows[p] + 1] - row_starts[rows[p]]
            for f in range(count):
                near[f] = similar[row_columns[start + f]]
            least = _kth_largest(near, count, n_neighbors, work) if count > n_neighbors else 0.0
            total, weight = 0.0, 0.0
            for f in range(count):
                if near[f] > 0.0 and near[f] >= least:
                    total += near[f] * row_values[start + f]
                    weight += near[f]
            weights[p] = weight
            values[p] = total / (weight + damp) if weight > 0.0 else 0.0


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
def _similarity(sums, h, shrink):
    """Return the correlation around 0 (Koren's rho), shrunk; 0 where it is negative or stands on one row."""
    if sums[3, h] < 2.0 or sums[0, h] <= 0.0:
        return 0.0
    common = sums[3, h] - 1.0
    return common / (common + shrink) * sums[0, h] / np.sqrt(sums[1, h] * sums[2, h])


@part
def _kth_largest(values, count, k, work):
    """Return the k-th largest of the first ``count`` values (Hoare's selection)."""
    for f in range(count):
        work[f] = values[f]
    low, high, place = 0, count - 1, count - k
    while low < high:
        pivot, i, j = work[(low + high) // 2], low, high
        while i <= j:
            while work[i] < pivot:
                i += 1
            while work[j] > pivot:
                j -= 1
            if i <= j:
                work[i], work[j] = work[j], work[i]
                i += 1
                j -= 1
        if place <= j:
            high = j
        elif place >= i:
            low = i
        else:
            return work[place]
    return work[place]
