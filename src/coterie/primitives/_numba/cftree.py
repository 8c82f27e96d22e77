"""Kernels of the tree of cluster features; see `coterie.primitives.cluster_features`.

A node holds up to ``branching`` entries, and one more for the moment before it is split. The means of a node's entries lie side by
side, feature by feature, infinite where there is none: a panel for `squared_distances_narrow`.
"""

import numpy as np

from .jit import kernel, part
from .tile import squared_distances_narrow

__all__ = ["insert", "least_radii"]

_ROOT, _N_NODES, _N_LEAF_ENTRIES = 0, 1, 2
_DEEPEST = 64  # a split doubles at most: no tree that fits into memory is deeper


@kernel
def insert(
    start,  # int  in: first row of this call
    end,  # int  in
    points,  # (m, d)  in: means of what is inserted
    point_weights,  # (m,)  in
    point_spreads,  # (m,), or (1,) zero for rows  in: sums of squared deviations
    point_firsts,  # (m,) int64, or (1,): number of the first of successive rows  in
    threshold2,  # float  in
    branching,  # int  in
    most,  # int  in: stop when there are more leaf entries than this
    means,  # (nodes, d, w)  in/out
    weights,  # (nodes, w)  in/out
    spreads,  # (nodes, w)  in/out
    firsts,  # (nodes, w) int64  in/out
    child,  # (nodes, w) int32  in/out: -1 for leaf entries
    size,  # (nodes,) int32  in/out
    is_leaf,  # (nodes,) bool  in/out
    state,  # (3,) int64  in/out
):
    """Insert points until the end, or until there is no room for another node, or too many leaf entries; return how far."""
    d, width = means.shape[1], means.shape[2]
    path, entry_of = np.empty(_DEEPEST, np.int64), np.empty(_DEEPEST, np.int64)
    distances2, row = np.empty(width), np.empty((1, d))
    for i in range(start, end):
        if state[_N_NODES] + _DEEPEST > len(size) or state[_N_LEAF_ENTRIES] > most:
            return i
        weight = point_weights[i]
        spread = point_spreads[i] if len(point_spreads) > 1 else 0.0
        first = point_firsts[i] if len(point_firsts) > 1 else point_firsts[0] + i
        if not weight > 0:
            continue
        node, depth = state[_ROOT], np.int64(0)
        while True:
            squared_distances_narrow(points, i, means, node, distances2)
            entry = np.int64(0)
            for j in range(1, size[node]):
                if distances2[j] < distances2[entry]:
                    entry = j
            path[depth], entry_of[depth] = node, entry
            if is_leaf[node]:
                break
            depth += 1
            node = child[node, entry]
        total = weights[node, entry] + weight
        joined = spreads[node, entry] + spread + weights[node, entry] * weight / total * distances2[entry]
        levels = depth
        if size[node] > 0 and joined <= threshold2 * total:
            if first < firsts[node, entry]:
                firsts[node, entry] = first
            levels += 1
        else:
            last = size[node]
            for f in range(d):
                means[node, f, last] = points[i, f]
            weights[node, last], spreads[node, last], firsts[node, last] = weight, spread, first
            size[node] += 1
            state[_N_LEAF_ENTRIES] += 1
        for level in range(levels):
            _absorb(path[level], entry_of[level], points, i, weight, spread, means, weights, spreads)
        if size[node] > branching:
            _split_upwards(
                node, depth, path, entry_of, branching, row, distances2, means, weights, spreads, firsts, child, size,
                is_leaf, state,
            )  # fmt: skip
    return end


@part
def _split_upwards(
    node,
    depth,
    path,
    entry_of,
    branching,
    row,
    distances2,
    means,
    weights,
    spreads,
    firsts,
    child,
    size,
    is_leaf,
    state,
):
    """Split a node that is too full, and every one above it that so becomes too full."""
    while size[node] > branching:
        new = state[_N_NODES]
        state[_N_NODES] += 1
        _split(node, new, row, distances2, means, weights, spreads, firsts, child, size, is_leaf)
        if depth == 0:
            up = state[_N_NODES]
            state[_N_NODES] += 1
            state[_ROOT] = up
            is_leaf[up], size[up] = False, 1
            entry = np.int64(0)
        else:
            depth -= 1
            up, entry = path[depth], entry_of[depth]
        _summarize(node, up, entry, means, weights, spreads, child, size)
        _summarize(new, up, np.int64(size[up]), means, weights, spreads, child, size)
        size[up] += 1
        node = up


@part
def _absorb(node, entry, points, i, weight, spread, means, weights, spreads):
    """Add a point to an entry: Chan's update, which never subtracts large numbers."""
    total = weights[node, entry] + weight
    share, near2 = weight / total, 0.0
    for f in range(means.shape[1]):
        gap = points[i, f] - means[node, f, entry]
        near2 += gap * gap
        means[node, f, entry] += share * gap
    spreads[node, entry] += spread + weights[node, entry] * share * near2
    weights[node, entry] = total


@part
def _summarize(node, up, entry, means, weights, spreads, child, size):
    """Make an entry of the node above from all entries of a node."""
    total, spread = weights[node, 0], spreads[node, 0]
    for f in range(means.shape[1]):
        means[up, f, entry] = means[node, f, 0]
    for j in range(1, size[node]):
        before = total
        total += weights[node, j]
        share, near2 = weights[node, j] / total, 0.0
        for f in range(means.shape[1]):
            gap = means[node, f, j] - means[up, f, entry]
            near2 += gap * gap
            means[up, f, entry] += share * gap
        spread += spreads[node, j] + before * share * near2
    weights[up, entry], spreads[up, entry], child[up, entry] = total, spread, node


@part
def _split(node, new, row, distances2, means, weights, spreads, firsts, child, size, is_leaf):
    """Move to a new node the entries that are nearer to the second of the two that are farthest apart."""
    d, m = means.shape[1], np.int64(size[node])
    one, other, farthest = np.int64(0), np.int64(1), -1.0
    for a in range(m):
        _distances_from(a, node, row, distances2, means)
        for b in range(a + 1, m):
            if distances2[b] > farthest:
                one, other, farthest = a, b, distances2[b]
    _distances_from(one, node, row, distances2, means)
    near = distances2.copy()
    _distances_from(other, node, row, distances2, means)
    is_leaf[new] = is_leaf[node]
    kept, moved = 0, 0
    for j in range(m):
        if j != other and (j == one or near[j] <= distances2[j]):
            target, at = node, kept
            kept += 1
        else:
            target, at = new, moved
            moved += 1
        for f in range(d):
            means[target, f, at] = means[node, f, j]
        weights[target, at], spreads[target, at] = weights[node, j], spreads[node, j]
        firsts[target, at], child[target, at] = firsts[node, j], child[node, j]
    for j in range(kept, m):
        for f in range(d):
            means[node, f, j] = np.inf
    size[node], size[new] = kept, moved


@part
def _distances_from(entry, node, row, distances2, means):
    for f in range(means.shape[1]):
        row[0, f] = means[node, f, entry]
    squared_distances_narrow(row, 0, means, node, distances2)


@kernel
def least_radii(
    means,  # (nodes, d, w)  in
    weights,  # (nodes, w)  in
    spreads,  # (nodes, w)  in
    size,  # (nodes,) int32  in
    is_leaf,  # (nodes,) bool  in
    state,  # (3,) int64  in
    radii2,  # (m,)  out
):
    """For each leaf entry, the least squared radius that joining it with another of its leaf would give."""
    d, width = means.shape[1], means.shape[2]
    row, distances2 = np.empty((1, d)), np.empty(width)
    at = 0
    for node in range(state[_N_NODES]):
        if not is_leaf[node]:
            continue
        for j in range(size[node]):
            _distances_from(j, node, row, distances2, means)
            least = np.inf
            for b in range(size[node]):
                if b != j:
                    total = weights[node, j] + weights[node, b]
                    joined = (
                        spreads[node, j]
                        + spreads[node, b]
                        + weights[node, j] * weights[node, b] / total * distances2[b]
                    )
                    least = min(least, joined / total)
            radii2[at] = least
            at += 1
