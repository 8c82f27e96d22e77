"""Lloyd's step by bounds, see `lloyd`: list the rows whose bounds fail, look at the groups that may matter, renew the bounds."""

import numpy as np

from .jit import kernel
from .lloyd_sums import move_row
from .tile import ROWS, two_nearest_of_eight, value_of_center

__all__ = ["reassign_listed"]

_CHUNK_ROWS = 512


@kernel
def reassign_listed(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in
    weight,  # (n,) or (1,)  in
    length2,  # (n,)  in
    packed,  # (packs, d, lanes)  in
    norms,  # (packs, lanes)  in
    center,  # (places,) int32  in
    starts,  # (groups + 1,)  in
    group,  # (places,) int32  in
    margin,  # float  in: rounding of a squared distance
    grid,  # four floats  in: see `lloyd_sums.grid_of`
    come,  # (places,)  in
    group_come,  # (groups,)  in
    labels,  # (n,) int32  in, out
    upper,  # (n,)  in, out
    lower,  # (n, groups)  in, out
    sums,  # (n_blocks, places, width)  out: what this block adds, where touched
    weights,  # (n_blocks, places, 2)  out
    counts,  # (n_blocks, places)  out
    touched,  # (n_blocks, places)  out: false before
    tally,  # (n_blocks, 2)  out: rows changed, rows looked at
):
    n, groups = len(X), len(group_come)
    listed = np.empty(_CHUNK_ROWS + ROWS, np.int64)  # rows of the chunk that are looked at
    own = np.empty((_CHUNK_ROWS, 2))  # and the value and the distance of their own center
    rows, who = np.empty(_CHUNK_ROWS + ROWS, np.int64), np.empty(_CHUNK_ROWS + ROWS, np.int64)
    best, second = np.empty((_CHUNK_ROWS, groups)), np.empty((_CHUNK_ROWS, groups))
    where = np.empty((_CHUNK_ROWS, groups), np.int32)
    values, seconds = np.empty(ROWS, X.dtype), np.empty(ROWS, X.dtype)
    indices = np.empty(ROWS, np.int32)
    n_changed, n_listed = 0, 0
    end = n * (block + 1) // n_blocks
    for first in range(n * block // n_blocks, end, _CHUNK_ROWS):
        m = _list_rows(
            X, length2, packed, norms, margin, come, group_come, labels, upper, lower, first,
            min(end, first + _CHUNK_ROWS), listed, own,
        )  # fmt: skip
        n_listed += m
        for g in range(groups):
            n_rows = 0
            for j in range(m):
                where[j, g] = -1
                i = listed[j]
                if own[j, 1] >= lower[i, g] - group_come[g]:
                    rows[n_rows], who[n_rows] = i, j
                    n_rows += 1
            for j in range(n_rows, n_rows + ROWS):
                rows[j] = rows[max(0, n_rows - 1)]
            for offset in range(0, n_rows, ROWS):
                two_nearest_of_eight(X, rows, offset, packed, norms, starts[g], starts[g + 1], values, seconds, indices)
                for r in range(min(ROWS, n_rows - offset)):
                    j = who[offset + r]
                    if values[r] == seconds[r]:
                        indices[r] = _lowest_of_equals(X, rows[offset + r], packed, norms, center, starts, g, values[r])
                    best[j, g], second[j, g], where[j, g] = values[r], seconds[r], indices[r]
        for j in range(m):
            i = listed[j]
            old = labels[i]
            new = _settle(
                i,
                j,
                own[j, 0],
                length2[i],
                center,
                group,
                margin,
                come,
                group_come,
                labels,
                upper,
                lower,
                best,
                second,
                where,
            )
            if new != old:
                move_row(block, X, i, weight, old, new, grid, sums, weights, counts, touched)
                n_changed += 1
    tally[block, 0], tally[block, 1] = n_changed, n_listed


@kernel
def _list_rows(
    X, length2, packed, norms, margin, come, group_come, labels, upper, lower, first, end, listed, own
):  # fmt: skip
    """List the rows whose bounds fail, after measuring the distance to their own center, and return how many they are."""
    m = 0
    shift = 4 if packed.shape[2] == 16 else 3
    for i in range(first, end):
        label = labels[i]
        least = np.inf
        for g in range(len(group_come)):
            least = min(least, lower[i, g] - group_come[g])
        if upper[i] + come[label] < least:
            continue
        pack, lane = label >> shift, label & (packed.shape[2] - 1)
        value = np.float64(value_of_center(X, i, packed, norms, pack, lane))
        distance = _root(value + length2[i] + margin)
        upper[i] = _above(distance - come[label])
        if distance >= least:
            listed[m], own[m, 0], own[m, 1] = i, value, distance
            m += 1
    return m


@kernel
def _settle(
    i, j, own, length2, center, group, margin, come, group_come, labels, upper, lower, best, second, where
):  # fmt: skip
    """Choose the center of a listed row among the groups looked at, renew the row's bounds, and return the center's place."""
    groups = len(group_come)
    old = labels[i]
    new, least = old, own
    for g in range(groups):
        place = where[j, g]
        if place >= 0 and (best[j, g] < least or (best[j, g] == least and center[place] < center[new])):
            new, least = place, best[j, g]
    for g in range(groups):
        if where[j, g] >= 0:
            value = second[j, g] if new == where[j, g] else best[j, g]
            lower[i, g] = _below(_root(value + length2 - margin) + group_come[g])
    if new != old:
        if where[j, group[old]] < 0:
            # The group was not looked at, and the own center is now one of its others.
            bound = _root(own + length2 - margin) + group_come[group[old]]
            lower[i, group[old]] = min(lower[i, group[old]], _below(bound))
        labels[i] = new
        upper[i] = _above(_root(least + length2 + margin) - come[new])
    return new


@kernel
def _lowest_of_equals(X, i, packed, norms, center, starts, g, value):
    """Return the place of the first center of a group at the least value, where several share it."""
    lanes = packed.shape[2]
    lowest = np.int32(-1)
    for place in range(starts[g] * lanes, starts[g + 1] * lanes):
        if value_of_center(X, i, packed, norms, place // lanes, place % lanes) == value and (
            lowest < 0 or center[place] < center[lowest]
        ):
            lowest = np.int32(place)
    return lowest


@kernel
def _root(value):
    """Return a square root in float32: quick, and bounds are stored no finer."""
    return np.float64(np.sqrt(np.float32(max(0.0, value))))


# Bounds are stored as float32 and kept on the safe side of its rounding.
@kernel
def _above(value):
    return np.float32(value + abs(value) * 5e-7)


@kernel
def _below(value):
    # An infinite bound stays: there is no other center in the group.
    return np.float32(value - abs(value) * 5e-7) if value < np.inf else np.float32(np.inf)
