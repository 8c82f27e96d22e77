"""Communities on the CPU: the graph made compact, communities merged to nodes, and what a partition is worth."""

from functools import partial
from itertools import pairwise

import numpy as np

from ..communities import CommunityGraph, Room
from .blocks import run_blocks
from .communities_links import clear, larger_table, prefetch_row, slot_of, sum_by_label, table_bits
from .communities_move import joined_nodes, moved_nodes
from .communities_parts import blocks_of_labels, by_label, connected_parts, nodes_of_block, well_connected_parts
from .jit import kernel
from .prefetch import prefetch_at

__all__ = [
    "community_graph",
    "connected_parts",
    "joined_nodes",
    "merged_graph",
    "moved_nodes",
    "partition_sums",
    "room_like",
    "sorted_graph",
    "well_connected_parts",
]

_AHEAD = 8  # nodes: their links are asked for before their turn
_DIRECT = 1 << 16  # communities: a table of all of them stays in the second-level cache
_SAMPLED = 32  # one block of so many is looked at before a graph is merged
_APART = 0.9  # links are not added up where more than this share of them would remain
_PART = 1 << 17  # weights looked at together: they stay in the second-level cache
_MOST = 2.0**31  # what whole numbers of 4 bytes can add up to


def community_graph(graph, sizes):
    """Make a graph compact; see ``primitives.communities.community_graph``."""
    indptr, indices, weights = (np.asarray(part) for part in graph)
    n, m = len(indptr) - 1, len(indices)
    indices = indices.astype(np.int32, copy=False)
    weights, unit = _in_units(weights)
    degrees, per_block = np.empty(n), nodes_of_block(n, m)
    blocks = -(-n // per_block)
    n_loops, inner = np.zeros(blocks, np.int64), np.zeros(blocks)
    run_blocks(_sum_rows, blocks, per_block, indptr, indices, weights, degrees, n_loops, inner)
    if n_loops.any():
        indptr, indices, weights = _without_loops(indptr, indices, weights)
    return CommunityGraph(indptr, indices, weights, degrees if sizes is None else sizes, float(inner.sum()), unit)


def _in_units(weights):
    """Return weights in a unit near their mean, one where all are equal, in 4 bytes where all are whole numbers; and the unit."""
    parts = [slice(start, start + _PART) for start in range(0, len(weights), _PART)]
    low, high, sums = np.zeros((3, len(parts)))

    def extremes(i):
        low[i], high[i] = weights[parts[i]].min(), weights[parts[i]].max()

    def add_up(i):
        sums[i] = (weights[parts[i]] / largest).sum(dtype=np.float64)  # no sum overflows

    run_blocks(extremes, len(parts))
    largest = float(high.max(initial=0.0)) or 1.0
    if not parts or float(low.min()) == largest:
        return np.ones(1, np.int32 if len(weights) < _MOST else np.float64), largest
    run_blocks(add_up, len(parts))
    unit = 2.0 ** float(np.frexp(largest * float(sums.sum()) / len(weights))[1] - 1)
    few = weights[:1000] / unit
    if (few != np.rint(few)).any() or largest / unit * float(sums.sum()) >= _MOST:
        return _divided(weights, unit, np.float64, parts)[0], unit
    whole, fits = _divided(weights, unit, np.int32, parts)
    return whole if fits else _divided(weights, unit, np.float64, parts)[0], unit


def _divided(weights, unit, kind, parts):
    """Return weights in a unit, in numbers of some kind, and whether these are the same."""
    found, same = np.empty(len(weights), kind), np.empty(len(parts), bool)

    def divide(i):
        part = np.divide(weights[parts[i]], unit, dtype=np.float64)
        found[parts[i]] = part
        same[i] = np.array_equal(found[parts[i]], part)

    run_blocks(divide, len(parts))
    return found, bool(same.all())


def _without_loops(indptr, indices, weights):
    kept = indices != np.repeat(np.arange(len(indptr) - 1, dtype=np.int32), np.diff(indptr))
    before = np.concatenate([[0], np.cumsum(kept)])
    return before[indptr], indices[kept], weights[kept] if len(weights) > 1 else weights


def room_like(graph, spare=None):
    """Return memory for the links of a graph; see ``primitives.communities.room_like``."""
    spare, m = [] if spare is None else spare, max(2, len(graph.indices))
    return Room(_memory(spare, np.int32, m), _memory(spare, graph.weights.dtype, m))


def _memory(spare, kind, length):
    for i, array in enumerate(spare):
        if array.nbytes // np.dtype(kind).itemsize >= length:
            return spare.pop(i).view(kind)
    return np.empty(length, kind)


def sorted_graph(graph, labels, room=None):
    """Number nodes by community; see ``primitives.communities.sorted_graph``."""
    n, m = graph.n_nodes, len(graph.indices)
    order, _ = by_label(labels, n, np.arange(n, dtype=np.int32))
    place = np.empty(n, np.int32)
    place[order] = np.arange(n, dtype=np.int32)
    indptr = np.concatenate([[0], np.cumsum(np.diff(graph.indptr)[order])])
    room = room_like(graph) if room is None else room
    indices = room.indices[:m]
    weights = room.weights[:m] if len(graph.weights) > 1 else graph.weights
    per_block = nodes_of_block(n, m)
    arrays = graph.indptr, graph.indices, graph.weights
    run_blocks(_sort_links, -(-n // per_block), per_block, order, place, *arrays, indptr, indices, weights)
    return graph._replace(indptr=indptr, indices=indices, weights=weights, sizes=graph.sizes[order]), order


def merged_graph(graph, labels, room=None):
    """Merge communities to nodes; see ``primitives.communities.merged_graph``."""
    k = int(labels.max()) + 1
    order, starts = by_label(labels, k, np.arange(graph.n_nodes, dtype=np.int32))
    first = blocks_of_labels(graph, starts)
    given = first, starts, order, graph.indptr, graph.indices, graph.weights, labels
    room = room_like(graph) if room is None else room
    links = np.bincount(labels, np.diff(graph.indptr), minlength=k).astype(np.int64)  # of the nodes of each community
    apart = _few_meet(given, links, room)
    # A community has at most as many links as its nodes: there is room for so many, and the gaps are closed afterwards.
    # In place: new memory costs more than the move, since the system fills it with zeros.
    begin = _sums(links if apart else np.minimum(links, k))
    weighted = not apart or len(graph.weights) > 1
    indices, values = room.indices, room.weights if weighted else graph.weights
    n_links, inner = np.zeros(k + 1, np.int64), np.zeros(len(first) - 1)
    step = _list_links if apart else _merge_links
    run_blocks(step, len(first) - 1, *given, begin, indices, values, n_links[1:], inner)
    indptr = np.cumsum(n_links)
    for label, end in pairwise(first):  # within a block there are no gaps
        start, stop, back = indptr[label], indptr[end], begin[label] - indptr[label]
        for array in (indices, values) if weighted else (indices,):
            array[start:stop] = array[start + back : stop + back]
    indices = indices[: indptr[-1]]
    values = values[: max(2, indptr[-1])]  # one number would say that all are equal
    sizes = np.bincount(labels, graph.sizes, minlength=k)
    return CommunityGraph(indptr, indices, values, sizes, graph.inner + float(inner.sum()), graph.unit)


def _sums(numbers):
    return np.concatenate([[0], np.cumsum(numbers)])


def _few_meet(given, links, room):
    """Say whether hardly any links of a large graph join the same communities, by a sample of its blocks."""
    first = given[0]
    sample = len(first) // _SAMPLED
    if not sample:
        return False
    sampled = np.zeros(len(links), bool)
    for block in range(0, sample * _SAMPLED, _SAMPLED):
        sampled[first[block] : first[block + 1]] = True
    begin = _sums(np.where(sampled, links, 0))
    listed, merged = np.zeros((2, len(links)), np.int64)
    inner = np.zeros(len(first) - 1)
    for step, n_links in (_list_links, listed), (_merge_links, merged):
        run_blocks(partial(_sampled, step), sample, *given, begin, *room, n_links, inner)
    return merged.sum() > _APART * listed.sum()


def _sampled(step, block, *arguments):
    step(block * _SAMPLED, *arguments)


def partition_sums(graph, labels):
    """Sum up a partition; see ``primitives.communities.partition_sums``."""
    n = graph.n_nodes
    per_block = nodes_of_block(n, len(graph.indices))
    inside = np.zeros(-(-n // per_block))
    run_blocks(_add_inside, len(inside), per_block, graph.indptr, graph.indices, graph.weights, labels, inside)
    return graph.inner + float(inside.sum()), np.bincount(labels, graph.sizes)


@kernel
def _sum_rows(
    block,  # int  in
    per_block,  # int  in
    indptr,  # (n + 1,) int64  in
    indices,  # (m,) int32  in
    weights,  # (m,) or (1,) int32 or float64  in
    degrees,  # (n,) float64  out
    n_loops,  # (blocks,) int64  out
    inner,  # (blocks,) float64  out: weight of the loops
):
    """Sum up the links of a block of nodes."""
    each = len(weights) > 1
    for node in range(block * per_block, min(len(degrees), (block + 1) * per_block)):
        total = 0.0
        for link in range(indptr[node], indptr[node + 1]):
            weight = weights[link if each else 0]
            total += weight
            if indices[link] == node:
                n_loops[block] += 1
                inner[block] += weight
        degrees[node] = total


@kernel
def _sort_links(
    block,  # int  in
    per_block,  # int  in
    order,  # (n,) int32  in: former number of each node
    place,  # (n,) int32  in: new number of each node
    old_indptr,  # (n + 1,) int64  in
    old_indices,  # (m,) int32  in
    old_weights,  # (m,) or (1,) int32 or float64  in
    indptr,  # (n + 1,) int64  in
    indices,  # (m,) int32  out
    weights,  # (m,) or (1,) int32 or float64  out
):
    for node in range(block * per_block, min(len(order), (block + 1) * per_block)):
        prefetch_row(order[min(node + _AHEAD, len(order) - 1)], old_indptr, old_indices)
        later = order[min(node + 2, len(order) - 1)]
        for link in range(old_indptr[later], old_indptr[later + 1]):
            prefetch_at(place, old_indices[link])
        back = old_indptr[order[node]] - indptr[node]
        for link in range(indptr[node], indptr[node + 1]):
            indices[link] = place[old_indices[link + back]]
            if len(weights) > 1:
                weights[link] = old_weights[link + back]


@kernel
def _list_links(
    block,  # int  in
    first,  # (blocks + 1,) int64  in: first community of each block
    starts,  # (k + 1,) int64  in: where each community starts in the order
    order,  # (n,) int32  in: nodes by community
    indptr,  # (n + 1,) int64  in
    indices,  # (m,) int32  in
    weights,  # (m,) or (1,) int32 or float64  in
    labels,  # (n,) int32  in
    room,  # (k + 1,) int64  in: where the first community of each block writes; up to so much for each, without gaps
    others,  # (m,) int32  out
    values,  # (m,) or (1,) int32 or float64  out
    n_links,  # (k,) int64  out
    inner,  # (blocks,) float64  out: weight within the communities
):
    """List the links of the communities of a block to others, each by itself."""
    each, free, within = len(weights) > 1, room[first[block]], 0.0
    for label in range(first[block], first[block + 1]):
        before = free
        for place in range(starts[label], starts[label + 1]):
            prefetch_row(order[min(place + _AHEAD, len(order) - 1)], indptr, indices)
            for link in range(indptr[order[place]], indptr[order[place] + 1]):
                other = labels[indices[link]]
                others[free] = other
                if each:
                    values[free] = weights[link]
                within += weights[link if each else 0] * (other == label)
                free += other != label
        n_links[label] = free - before
    inner[block] = within


@kernel
def _merge_links(
    block,  # int  in
    first,  # (blocks + 1,) int64  in: first community of each block
    starts,  # (k + 1,) int64  in: where each community starts in the order
    order,  # (n,) int32  in: nodes by community
    indptr,  # (n + 1,) int64  in
    indices,  # (m,) int32  in
    weights,  # (m,) or (1,) int32 or float64  in
    labels,  # (n,) int32  in
    room,  # (k + 1,) int64  in: where the first community of each block writes; up to so much for each, without gaps
    others,  # (m,) int32  out
    values,  # (m,) int32 or float64  out
    n_links,  # (k,) int64  out
    inner,  # (blocks,) float64  out: weight within the communities
):
    """Add up the links of the communities of a block."""
    each, k = len(weights) > 1, len(n_links)
    largest, most = 0, 0  # links of a community, and of a node
    for label in range(first[block], first[block + 1]):
        largest = max(largest, room[label + 1] - room[label])
        for place in range(starts[label], starts[label + 1]):
            most = max(most, indptr[order[place] + 1] - indptr[order[place]])
    near, heavy = np.empty(most, np.int32), np.empty(most)
    direct = k <= _DIRECT
    keys = np.empty(k if direct else 1 << table_bits(largest, k), np.int32)
    sums, slots, ready = np.empty(len(keys)), np.empty(min(largest, k) + 2, np.int32), 0
    if direct:
        keys[:], sums[:] = -1, 0.0
    free, within = room[first[block]], 0.0
    for label in range(first[block], first[block + 1]):
        bits = 0 if direct else table_bits(room[label + 1] - room[label], k)
        if not direct:
            ready = larger_table(keys, sums, ready, bits)
        home, used = slot_of(label, bits, keys), 1
        keys[home], slots[0] = label, home
        for place in range(starts[label], starts[label + 1]):
            later = order[min(place + _AHEAD, len(order) - 1)]
            prefetch_row(later, indptr, indices)
            if each:
                prefetch_row(later, indptr, weights)
            start, n_found = indptr[order[place]], indptr[order[place] + 1] - indptr[order[place]]
            for link in range(n_found):  # apart from the table, whose branches would wait for each label by itself
                near[link] = labels[indices[start + link]]
                heavy[link] = weights[start + link if each else 0]
            used = sum_by_label(n_found, near, heavy, bits, keys, sums, slots, used)
        within += sums[home]
        n_links[label] = used - 1
        for i in range(1, used):
            others[free + i - 1] = keys[slots[i]]
            values[free + i - 1] = sums[slots[i]]
        free += used - 1
        clear(used, keys, sums, slots)
    inner[block] = within


@kernel
def _add_inside(
    block,  # int  in
    per_block,  # int  in
    indptr,  # (n + 1,) int64  in
    indices,  # (m,) int32  in
    weights,  # (m,) or (1,) int32 or float64  in
    labels,  # (n,) int32  in
    inside,  # (blocks,) float64  out
):
    each, total = len(weights) > 1, 0.0
    for node in range(block * per_block, min(len(labels), (block + 1) * per_block)):
        label = labels[node]
        for link in range(indptr[node], indptr[node + 1]):
            total += weights[link if each else 0] * (labels[indices[link]] == label)  # without a branch
    inside[block] = total
