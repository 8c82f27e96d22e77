"""The graph of groups of nodes: one kernel for all that make graphs smaller, whatever their weights are."""

from itertools import pairwise

import numpy as np

from .blocks import block_count, run_blocks
from .jit import kernel
from .plain_first import plain_or_compiled

__all__ = ["compiled", "contracted", "plain"]

_SECONDS = 0.2
_LINKS = 1 << 18  # of a block: handing fewer to another thread would cost more than it saves


def contracted(indptr, indices, weights, groups, n_groups):
    """Return the links between groups and the weight inside each: indptr, indices, weights, inside.

    ``groups`` has the group of each node, none empty; nodes of -1 and their links are left out. Weights, of any type, are added in
    the order of the nodes; the columns of a row stand in the order in which they were met.
    """
    return plain_or_compiled(
        _contract_block, _SECONDS, len(indices), plain, compiled, indptr, indices, weights, groups, n_groups
    )


def plain(indptr, indices, weights, groups, n_groups):
    """Return the same without the kernel. Whole weights add up to 2^53 at most."""
    sources = np.repeat(groups, np.diff(indptr)).astype(np.int64)
    order = np.argsort(sources, kind="stable")
    sources, targets, weights = sources[order], groups[indices[order]], weights[order]
    own, other = sources == targets, (sources >= 0) & (targets >= 0) & (sources != targets)
    own &= sources >= 0
    inside = np.bincount(sources[own], weights[own], n_groups).astype(weights.dtype)
    sources, targets, weights = sources[other], targets[other], weights[other]
    _, at, which = np.unique(sources * n_groups + targets, return_index=True, return_inverse=True)
    met = np.argsort(at)
    place = np.empty(len(at), np.int64)
    place[met] = np.arange(len(at))
    sums = np.bincount(place[which], weights, len(at)).astype(weights.dtype)
    starts = np.concatenate([[0], np.cumsum(np.bincount(sources[at], minlength=n_groups))])
    return starts, targets[at[met]].astype(np.int32), sums, inside


def compiled(indptr, indices, weights, groups, n_groups):
    """Return the same by the kernel."""
    order = np.argsort(groups, kind="stable")
    first = np.cumsum(np.bincount(groups + 1, minlength=n_groups + 1))
    order, first = order[first[0] :], first - first[0]
    lengths = np.concatenate([[0], np.cumsum(np.diff(indptr)[order])])
    blocks = min(n_groups, block_count(int(lengths[-1]), _LINKS, 16))
    counts, inside = np.zeros(n_groups + 1, np.int64), np.zeros(n_groups, weights.dtype)
    joined, sums = np.empty(lengths[-1], np.int32), np.empty(lengths[-1], weights.dtype)
    # Each block fills the front of a part that is long enough for all of its links.
    run_blocks(
        _contract_block, blocks, blocks, indptr, indices, weights, groups.astype(np.int32, copy=False), order, first, lengths,
        counts, inside, joined, sums,
    )  # fmt: skip
    starts = np.cumsum(counts)
    ends = [n_groups * block // blocks for block in range(blocks + 1)]
    parts = [
        slice(lengths[first[start]], lengths[first[start]] + starts[end] - starts[start])
        for start, end in pairwise(ends)
    ]
    return starts, _closed_up(joined, parts), _closed_up(sums, parts), inside


def _closed_up(values, parts):
    """Move the parts, in order, to the front, and give the memory after them back."""
    end = 0
    for part in parts:
        length = part.stop - part.start
        if end != part.start:
            values[end : end + length] = values[part]
        end += length
    values.resize(end, refcheck=False)
    return values


@kernel
def _contract_block(
    block,  # int  in
    blocks,  # int  in
    indptr,  # (n + 1,) int64  in
    indices,  # (n_stored,) int  in
    weights,  # (n_stored,)  in
    groups,  # (n,) int32  in: group, or -1
    order,  # (grouped,) int64  in: nodes by group
    first,  # (g + 1,) int64  in: where those of each group begin
    lengths,  # (grouped + 1,) int64  in: links of all nodes before one in that order
    counts,  # (g + 1,) int64  out: links of group i at i + 1
    inside,  # (g,)  out, zeros
    joined,  # (links,) int32  out
    sums,  # (links,)  out
):
    n_groups = len(first) - 1
    start, end = n_groups * block // blocks, n_groups * (block + 1) // blocks
    place = np.empty(n_groups, np.int64)
    for group in range(n_groups):  # compiles in half the time that np.full takes
        place[group] = -1
    top = lengths[first[start]]
    for group in range(start, end):
        base = top
        for at in range(first[group], first[group + 1]):
            i = order[at]
            for link in range(indptr[i], indptr[i + 1]):
                other = groups[indices[link]]
                if other == group:
                    inside[group] += weights[link]
                elif other >= 0 and place[other] >= base:
                    sums[place[other]] += weights[link]
                elif other >= 0:
                    place[other], joined[top], sums[top] = top, other, weights[link]
                    top += 1
        counts[group + 1] = top - base
