"""Dividing communities on the CPU, each by itself: into well connected parts, and into connected components."""

import numpy as np

from .blocks import run_blocks
from .communities_links import clear, inlined, larger_table, prefetch_row, sum_by_label, table_bits
from .components import number_sets
from .jit import kernel
from .union_find import find, union

__all__ = ["blocks_of_labels", "by_label", "connected_parts", "nodes_of_block", "well_connected_parts"]

_LINKS = 1 << 15  # of a block, about
_ROUNDING = 1e-12
_AHEAD = 8  # nodes: their links are asked for before their turn
_CHANCE = 0.01  # gains that differ by less, in weights of a mean link, are as good as equal


def well_connected_parts(graph, labels, resolution, seed):
    """Divide communities into well connected parts; see ``primitives.communities.well_connected_parts``."""
    n = graph.n_nodes
    order, starts = by_label(labels, n, np.random.default_rng(seed).permutation(np.arange(n, dtype=np.int32)))
    parts = np.arange(n, dtype=np.int32)
    if len(graph.indices):
        first = blocks_of_labels(graph, starts)
        scratch = np.empty(n), np.empty(n), graph.sizes.copy(), np.ones(n, np.bool_)
        largest = int(np.diff(graph.indptr).max())
        run_blocks(
            _grow_parts, len(first) - 1, first, starts, order, graph.indptr, graph.indices, graph.weights, graph.sizes,
            resolution, seed, labels, largest, *scratch, parts,
        )  # fmt: skip
    return number_sets(parts.astype(np.int64)).astype(np.int32)


def connected_parts(graph, labels):
    """Divide communities into connected components; see ``primitives.communities.connected_parts``."""
    n = graph.n_nodes
    parent = np.arange(n)
    per_block = nodes_of_block(n, len(graph.indices))
    run_blocks(_join_links, -(-n // per_block), per_block, graph.indptr, graph.indices, labels, parent)
    while True:  # a handful of times: unions leave short paths
        above = parent[parent]
        if np.array_equal(above, parent):
            return number_sets(parent).astype(np.int32)
        parent = above


def by_label(labels, n_labels, order):
    """Sort nodes, given in some order, by label; return them, and where each label starts."""
    starts = np.empty(n_labels + 1, np.int64)
    placed = np.empty(len(labels), np.int32)
    _sort_by_label(labels, order, starts, placed)
    return placed, starts


def nodes_of_block(n, m):
    """Return how many nodes a block has: by the data alone."""
    return max(1, _LINKS * n // max(1, m))


def blocks_of_labels(graph, starts):
    """Return the first label of each block, blocks having about as many nodes: by the data alone."""
    n = graph.n_nodes
    first = np.searchsorted(starts, np.arange(0, n, nodes_of_block(n, len(graph.indices))))
    return np.append(np.unique(first), len(starts) - 1)


@kernel
def _sort_by_label(
    labels,  # (n,) int32  in
    order,  # (n,) int32  in
    starts,  # (k + 1,) int64  out
    placed,  # (n,) int32  out
):
    starts[:] = 0
    for node in range(len(labels)):
        starts[labels[node] + 1] += 1
    for label in range(1, len(starts)):
        starts[label] += starts[label - 1]
    fill = starts.copy()
    for place in range(len(order)):
        label = labels[order[place]]
        placed[fill[label]] = order[place]
        fill[label] += 1


@kernel
def _grow_parts(
    block,  # int  in
    first,  # (blocks + 1,) int64  in: first community of each block
    starts,  # (n + 1,) int64  in: where each community starts in the order
    order,  # (n,) int32  in: nodes by community
    indptr,  # (n + 1,) int64  in
    indices,  # (m,) int32  in
    weights,  # (m,) or (1,) int32 or float64  in
    sizes,  # (n,) float64  in
    resolution,  # float  in
    seed,  # int  in
    labels,  # (n,) int32  in
    largest,  # int  in
    inner,  # (n,) float64  scratch: weight of each node to the rest of its community
    outer,  # (n,) float64  scratch: weight of each part to the rest of its community
    totals,  # (n,) float64  scratch: size of each part
    alone,  # (n,) bool  scratch: whether a node is a part by itself
    parts,  # (n,) int32  in/out: a part is called by the node that it began with
):
    """Grow the parts of each community of a block from single nodes."""
    n, each = len(labels), len(weights) > 1
    near, heavy = np.empty(largest, np.int32), np.empty(largest)
    keys = np.empty(1 << table_bits(largest, n), np.int32)
    values, slots, ready = np.empty(len(keys)), np.empty(largest + 1, np.int32), 0
    most_nodes, most_links = _largest_community(first[block], first[block + 1], starts, order, indptr)
    # Links within the community at hand: the other end, the weight, and where those of each node end.
    others, ends = np.empty(most_links + 1, np.int32), np.zeros(most_nodes + 1, np.int64)
    loads = np.empty(len(others) if each else 1)
    for label in range(first[block], first[block + 1]):
        total = _links_inside(
            label, starts, order, indptr, indices, weights, sizes, labels, inner, outer, others, loads, ends
        )
        for place in range(starts[label], starts[label + 1]):
            node = order[place]
            if not alone[node] or not _well_connected(inner[node], sizes[node], total, resolution):
                continue
            begin = ends[place - starts[label]]
            n_links = ends[place - starts[label] + 1] - begin
            for link in range(n_links):
                near[link] = parts[others[begin + link]]
                heavy[link] = loads[begin + link] if each else weights[0]
            bits = table_bits(n_links, n)
            ready = larger_table(keys, values, ready, bits)
            used = sum_by_label(n_links, near, heavy, bits, keys, values, slots, 0)
            best, score, weight = -1, 0.0, 0.0
            for i in range(used):
                part = keys[slots[i]]
                gain = values[slots[i]] - resolution * sizes[node] * totals[part]
                drawn = gain + _CHANCE * _uniform(node, part, seed)
                if gain > 0.0 and drawn > score and _well_connected(outer[part], totals[part], total, resolution):
                    best, score, weight = part, drawn, values[slots[i]]
            clear(used, keys, values, slots)
            if best >= 0:
                parts[node] = best
                alone[best] = False
                totals[best] += sizes[node]
                outer[best] += inner[node] - 2.0 * weight


@inlined
def _links_inside(label, starts, order, indptr, indices, weights, sizes, labels, inner, outer, others, loads, ends):
    """List the links within a community and weigh its nodes to the rest of it; return its size."""
    each, total, fill = len(weights) > 1, 0.0, 0
    for place in range(starts[label], starts[label + 1]):
        node = order[place]
        prefetch_row(order[min(place + _AHEAD, len(order) - 1)], indptr, indices)
        total += sizes[node]
        weight = 0.0
        for link in range(indptr[node], indptr[node + 1]):  # without a branch
            inside = labels[indices[link]] == label
            weight += weights[link if each else 0] * inside
            others[fill] = indices[link]
            if each:
                loads[fill] = weights[link]
            fill += inside
        inner[node] = outer[node] = weight
        ends[place - starts[label] + 1] = fill
    return total


@inlined
def _largest_community(label, end, starts, order, indptr):
    """Return the largest number of nodes, and of links of its nodes, that any of some communities has."""
    most_nodes, most_links = 0, 0
    while label < end:
        links = 0
        for place in range(starts[label], starts[label + 1]):
            links += indptr[order[place] + 1] - indptr[order[place]]
        most_nodes, most_links = max(most_nodes, starts[label + 1] - starts[label]), max(most_links, links)
        label += 1
    return most_nodes, most_links


@inlined
def _uniform(node, part, seed):
    """Return a number from 0 to 1 that looks random."""
    h = (node * np.int64(-7046029254386353131)) ^ (part + seed) * np.int64(-4658895280553007687)
    h = (h ^ ((h >> 31) & 0x1FFFFFFFF)) * np.int64(-7723592293110705685)
    return ((h >> 40) & 0xFFFF) / 65536.0


@inlined
def _well_connected(weight, size, total, resolution):
    """Say whether a part weighs enough to the rest of its community (equation D1 and D2 of the paper's supplement)."""
    return weight >= (1.0 - _ROUNDING) * resolution * size * (total - size)


@kernel
def _join_links(
    block,  # int  in
    per_block,  # int  in
    indptr,  # (n + 1,) int64  in
    indices,  # (m,) int32  in
    labels,  # (n,) int32  in
    parent,  # (n,) int64  in/out
):
    for node in range(block * per_block, min(len(labels), (block + 1) * per_block)):
        root = find(parent, node)
        for link in range(indptr[node], indptr[node + 1]):
            other = indices[link]
            if other < node and labels[other] == labels[node] and parent[other] != root:
                union(parent, node, other)
                root = find(parent, node)
