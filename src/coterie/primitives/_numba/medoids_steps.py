"""The kernels of the medoid searches; see medoids.py for what they are parts of."""

import numpy as np

from .jit import kernel, part
from .medoids_tile import (
    add_changes,
    add_gains,
    bit_count,
    low_bit,
    near_boxes,
    panel_distances,
    stored_distances,
)
from .neighbors_tile import end_of, larger
from .tile import GROUP

__all__ = ["distances", "replace", "sum_gains", "swap_changes"]

_MANY = 4  # rows of a panel that are faster taken together with the others than one by one


@part
def _last_distances(matrix, row, panel, limits, out):
    """Copy the distances of a row of the matrix to the last, unfilled panel, and return the bits of those below their limit."""
    bits, start = 0, panel * GROUP
    for j in range(GROUP):
        out[j] = matrix[row, start + j] if start + j < matrix.shape[1] else 0.0
        bits |= np.int64(out[j] < limits[start + j]) << j
    return bits


@kernel
def swap_changes(
    block,
    per_block,  # int  in
    candidates,  # (m,) int64  in: places
    X,  # (n, d)  in
    panels,  # (p, d, 32)  in
    matrix,  # (n, n)  in
    stored,  # bool  in
    absolute,  # bool  in
    rooted,  # bool  in
    low,  # (s, d, 32)  in
    high,  # (s, d, 32)  in
    reach,  # (s, 32)  in: of the second medoid
    limits,  # (32 p,)  in: to the second medoid, as compared
    labels,  # (32 p,) int32  in
    shared,  # (p,) int32  in
    lengths,  # (2, 32 p) float64  in
    weight,  # (32 p,) float64  in
    removal,  # (k,) float64  in: what losing each medoid costs
    changes,  # (m, k + 1) float64  out: in the last column, what each candidate saves whichever medoid goes
):
    k, n_panels = changes.shape[1] - 1, len(weight) // GROUP
    line, sums = np.empty(GROUP, limits.dtype), np.empty(2)
    start, end = block * per_block, end_of(block, per_block, len(candidates))
    for i in range(start, end):
        for m in range(k):
            changes[i, m] = removal[m]
        changes[i, k] = 0.0
    for group in range(len(reach)):
        every = (1 << (end_of(group, GROUP, n_panels) - group * GROUP)) - 1
        for i in range(start, end):
            near = every if stored else near_boxes(X, candidates[i], low, high, group, absolute, reach)
            while near != 0:
                panel = group * GROUP + low_bit(near)
                near &= near - 1
                if not stored:
                    bits = panel_distances(X, candidates[i], panels, panel, absolute, limits, line)
                elif (panel + 1) * GROUP <= matrix.shape[1]:
                    bits = stored_distances(matrix, candidates[i], panel, limits, line)
                else:
                    bits = _last_distances(matrix, candidates[i], panel, limits, line)
                if shared[panel] >= 0 and bit_count(bits) >= _MANY:
                    add_changes(line, rooted, lengths, weight, panel * GROUP, sums)
                    changes[i, k] += sums[0]
                    changes[i, shared[panel]] += sums[1]
                    bits = 0
                while bits != 0:
                    j = low_bit(bits)
                    bits &= bits - 1
                    o = panel * GROUP + j
                    distance = np.float64(np.sqrt(line[j]) if rooted else line[j])
                    first, second = lengths[0, o], lengths[1, o]
                    if distance < first:
                        changes[i, k] += weight[o] * (distance - first)
                        changes[i, labels[o]] += weight[o] * (first - second)
                    else:
                        changes[i, labels[o]] += weight[o] * (distance - second)
    for i in range(start, end):
        for m in range(k):
            changes[i, m] += changes[i, k]


@kernel
def sum_gains(
    block,
    per_block,  # int  in
    candidates,  # (m,) int64  in: places
    X,  # (n, d)  in
    panels,  # (p, d, 32)  in
    matrix,  # (n, n)  in
    stored,  # bool  in
    absolute,  # bool  in
    rooted,  # bool  in
    low,  # (s, d, 32)  in
    high,  # (s, d, 32)  in
    reach,  # (s, 32)  in: of the nearest medoid
    limits,  # (32 p,)  in: to the nearest medoid, as compared
    lengths,  # (32 p,) float64  in
    weight,  # (32 p,) float64  in
    whole,  # bool  in: sum the distances themselves
    totals,  # (m, 32) float64  out: to be added up; zero before
):
    n_panels = len(weight) // GROUP
    line = np.empty(GROUP, limits.dtype)
    start, end = block * per_block, end_of(block, per_block, len(candidates))
    for group in range(len(reach)):
        every = (1 << (end_of(group, GROUP, n_panels) - group * GROUP)) - 1
        for i in range(start, end):
            near = every if stored or whole else near_boxes(X, candidates[i], low, high, group, absolute, reach)
            while near != 0:
                panel = group * GROUP + low_bit(near)
                near &= near - 1
                if not stored:
                    bits = panel_distances(X, candidates[i], panels, panel, absolute, limits, line)
                elif (panel + 1) * GROUP <= matrix.shape[1]:
                    bits = stored_distances(matrix, candidates[i], panel, limits, line)
                else:
                    bits = _last_distances(matrix, candidates[i], panel, limits, line)
                if whole or bits != 0:
                    add_gains(line, rooted, lengths, weight, panel * GROUP, whole, totals, i)


@kernel
def replace(
    block,
    n_blocks,  # int  in
    n,  # int  in
    slot,  # int  in: which medoid is new
    medoids,  # (k,) int64  in: places, the new one included
    X,  # (n, d)  in
    panels,  # (p, d, 32)  in
    matrix,  # (n, n)  in
    stored,  # bool  in
    absolute,  # bool  in
    rooted,  # bool  in
    weight,  # (32 p,) float64  in
    labels,  # (2, 32 p) int32  in/out
    shared,  # (p,) int32  out
    compared,  # (2, 32 p)  in/out
    lengths,  # (2, 32 p) float64  out
    reach,  # (2, 32 s)  out
    sums,  # (n_blocks, k + 1) float64  out: what losing each medoid costs, and the loss; zero before
):
    n_panels = labels.shape[1] // GROUP
    line = np.empty(GROUP, compared.dtype)
    for panel in range(n_panels * block // n_blocks, n_panels * (block + 1) // n_blocks):
        if stored:
            _last_distances(matrix, medoids[slot], panel, compared[0], line)
        else:
            panel_distances(X, medoids[slot], panels, panel, absolute, compared[0], line)
        most_first = most_second = compared.dtype.type(-1)
        same = np.int32(-1)
        for o in range(panel * GROUP, end_of(panel, GROUP, n)):
            value = line[o - panel * GROUP]
            if labels[0, o] == slot and value <= compared[1, o]:
                compared[0, o] = value
            elif labels[0, o] == slot:
                labels[0, o], compared[0, o] = labels[1, o], compared[1, o]
                _find_second(o, medoids, X, matrix, stored, absolute, labels, compared)
            elif value < compared[0, o]:
                labels[1, o], compared[1, o] = labels[0, o], compared[0, o]
                labels[0, o], compared[0, o] = slot, value
            elif labels[1, o] == slot and value > compared[1, o]:
                _find_second(o, medoids, X, matrix, stored, absolute, labels, compared)
            elif labels[1, o] == slot or value < compared[1, o]:
                labels[1, o], compared[1, o] = slot, value
            first, second = compared[0, o], compared[1, o]
            most_first, most_second = larger(most_first, first), larger(most_second, second)
            lengths[0, o] = np.sqrt(first) if rooted else first
            lengths[1, o] = np.sqrt(second) if rooted else second
            sums[block, labels[0, o]] += weight[o] * (lengths[1, o] - lengths[0, o])
            sums[block, len(medoids)] += weight[o] * lengths[0, o]
            if o == panel * GROUP:
                same = labels[0, o]
            elif labels[0, o] != same:
                same = np.int32(-1)
        shared[panel] = same
        reach[0, panel], reach[1, panel] = most_first, most_second


@part
def _find_second(o, medoids, X, matrix, stored, absolute, labels, compared):
    """Look through all medoids for the second nearest of one row, whose nearest is known."""
    least, where = compared.dtype.type(np.inf), np.int32(-1)
    for m in range(len(medoids)):
        if m == labels[0, o]:
            continue
        if stored:
            value = matrix[medoids[m], o]
        else:
            value = compared.dtype.type(0)
            for f in range(X.shape[1]):
                gap = X[o, f] - X[medoids[m], f]
                value += abs(gap) if absolute else gap * gap
        if value < least:
            least, where = value, np.int32(m)
    labels[1, o], compared[1, o] = where, least


@kernel
def distances(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in
    panels,  # (p, d, 32)  in
    absolute,  # bool  in
    rooted,  # bool  in
    out,  # (n, m)  out
):
    n, m = out.shape
    line, none = np.empty(GROUP, X.dtype), np.zeros(len(panels) * GROUP, X.dtype)
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        for panel in range(len(panels)):
            panel_distances(X, i, panels, panel, absolute, none, line)
            first = panel * GROUP
            for j in range(end_of(panel, GROUP, m) - first):
                out[i, first + j] = np.sqrt(line[j]) if rooted else line[j]
