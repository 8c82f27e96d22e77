"""Groups of strongly linked nodes, and the graph of the groups. Sequential: each group depends on those before it."""

from itertools import pairwise

import numpy as np

from .blocks import block_count, run_blocks, run_kernel
from .jit import kernel

__all__ = ["aggregate", "contract"]


def aggregate(indptr, indices, values, most):
    """Return the group of each node, numbered from 0, -1 for nodes without links; a group has at most ``most`` nodes."""
    parent = np.full(len(indptr) - 1, -1, np.int64)
    n_groups = run_kernel(_aggregate, indptr, indices, values, most, parent)
    return parent, int(n_groups)


def contract(indptr, indices, weights, parent, n_groups):
    """Return the graph of the groups and the weight inside each; weights of links between two groups are added in order."""
    order = np.argsort(parent, kind="stable")
    order = order[np.searchsorted(parent[order], 0) :]
    first = np.searchsorted(parent[order], np.arange(n_groups + 1))
    lengths = np.concatenate([[0], np.cumsum(np.diff(indptr)[order])])
    blocks = block_count(n_groups, 1024, 16)
    counts, inside = np.zeros(n_groups + 1, np.int64), np.zeros(n_groups)
    joined, sums = np.empty(lengths[-1], np.int32), np.empty(lengths[-1])
    # Each block fills the front of a part that is long enough for all of its links.
    run_blocks(
        _contract_block, blocks, blocks, indptr, indices, weights, parent.astype(np.int32), order, first, lengths, counts,
        inside, joined, sums,
    )  # fmt: skip
    starts = np.cumsum(counts)
    ends = [n_groups * block // blocks for block in range(blocks + 1)]
    parts = [
        slice(lengths[first[start]], lengths[first[start]] + starts[end] - starts[start])
        for start, end in pairwise(ends)
    ]
    return starts, _closed_up(joined, parts), _closed_up(sums, parts), inside


def _closed_up(values, parts):
    """Move the parts, in order, to the front, and return them as one: in a copy only where that is much shorter."""
    end = 0
    for part in parts:
        length = part.stop - part.start
        if end != part.start:
            values[end : end + length] = values[part]
        end += length
    return values[:end].copy() if 2 * end < len(values) else values[:end]


@kernel
def _aggregate(
    indptr,  # (n + 1,) int64  in
    indices,  # (n_stored,) int  in
    values,  # (n_stored,) float64  in: strengths, 0 for loops
    most,  # int  in
    parent,  # (n,) int64  in/out: -1
):
    n, n_groups = len(parent), 0
    size, waiting = np.zeros(n, np.int64), np.full(n, -1)
    for i in range(n):
        if parent[i] >= 0:
            continue
        best, partner, open_best, joined = 0.0, -1, 0.0, -1
        for at in range(indptr[i], indptr[i + 1]):
            j, value = indices[at], values[at]
            if value > best:
                best, partner = value, j
            if value > open_best and (parent[j] < 0 or size[parent[j]] < most):
                open_best, joined = value, j
        if partner < 0:
            continue
        if joined >= 0 and 4.0 * open_best >= best:
            if parent[joined] < 0:
                parent[joined] = n_groups
                size[n_groups] = 1
                n_groups += 1
            parent[i] = parent[joined]
        else:
            # All its near ones are full: it goes with others that hang on the same node.
            if waiting[partner] < 0 or size[waiting[partner]] >= most:
                waiting[partner] = n_groups
                n_groups += 1
            parent[i] = waiting[partner]
        size[parent[i]] += 1
    return n_groups


@kernel
def _contract_block(
    block,  # int  in
    blocks,  # int  in
    indptr,  # (n + 1,) int64  in
    indices,  # (n_stored,) int  in
    weights,  # (n_stored,) float64  in
    parent,  # (n,) int32  in: group, or -1
    order,  # (grouped,) int64  in: nodes by group
    first,  # (groups + 1,) int64  in: where those of each group begin
    lengths,  # (grouped + 1,) int64  in: links of all nodes before one in that order
    counts,  # (groups + 1,) int64  out: links of group i at i + 1
    inside,  # (groups,) float64  out
    joined,  # (links,) int32  out
    sums,  # (links,) float64  out
):
    groups = len(first) - 1
    start, end = groups * block // blocks, groups * (block + 1) // blocks
    place = np.full(groups, -1)
    top = lengths[first[start]]
    for group in range(start, end):
        base, own = top, 0.0
        for at in range(first[group], first[group + 1]):
            i = order[at]
            for link in range(indptr[i], indptr[i + 1]):
                other = parent[indices[link]]
                if other == group:
                    own += weights[link]
                elif other >= 0 and place[other] >= base:
                    sums[place[other]] += weights[link]
                elif other >= 0:
                    place[other], joined[top], sums[top] = top, other, weights[link]
                    top += 1
        counts[group + 1], inside[group] = top - base, own
