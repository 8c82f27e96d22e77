"""Size-capped clusters of nodes and the graph of the clusters, on the CPU: sequential passes over the edges."""

import numpy as np

from ...arrays import Graph
from .blocks import run_kernel
from .jit import kernel, part

__all__ = ["contract", "draw", "shuffle", "size_capped_clusters"]

_ORDER_BLOCK = 64  # nodes visited side by side: numberings with some locality keep it


def size_capped_clusters(graph, node_weights, cap, seed, fewest, within):
    """Group nodes; see ``primitives.coarsen.size_capped_clusters``."""
    n = len(node_weights)
    clusters = np.empty(n, np.int32)
    within = np.zeros(n, np.int32) if within is None else within
    return clusters, run_kernel(_cluster, *graph, node_weights, cap, seed, fewest, within, clusters)


def contract(graph, node_weights, clusters, n_clusters):
    """Return the graph of clusters; see ``primitives.coarsen.contract``."""
    indptr, heavy = np.empty(n_clusters + 1, np.int64), np.zeros(n_clusters, np.int64)
    indices, weights = np.empty_like(graph.indices), np.empty_like(graph.weights)
    stored = run_kernel(_contract, *graph, node_weights, clusters, indptr, indices, weights, heavy)
    return Graph(indptr, indices[:stored].copy(), weights[:stored].copy()), heavy


@part
def draw(state, below):
    """Return a number from 0 to below - 1, and move the state on (xorshift64*)."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return np.int64(((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(33)) % np.uint64(below))


@part
def shuffle(values, count, state):
    """Bring the first values into a random order."""
    for i in range(count - 1, 0, -1):
        j = draw(state, i + 1)
        values[i], values[j] = values[j], values[i]


@part
def _visiting_order(n, state):
    """Return the nodes in a random order of short runs, each in random order itself."""
    order = np.empty(n, np.int32)
    blocks = (n + _ORDER_BLOCK - 1) // _ORDER_BLOCK
    starts = np.arange(blocks).astype(np.int32)
    shuffle(starts, blocks, state)
    filled = 0
    for b in starts:
        first, size = b * _ORDER_BLOCK, min(_ORDER_BLOCK, n - b * _ORDER_BLOCK)
        for i in range(size):
            order[filled + i] = first + i
        for i in range(size - 1, 0, -1):
            j = draw(state, i + 1)
            order[filled + i], order[filled + j] = order[filled + j], order[filled + i]
        filled += size
    return order


@kernel
def _cluster(
    indptr,  # (n + 1,) int64  in
    indices,  # (m,) int32  in
    weights,  # (m,) int64  in
    node_weights,  # (n,) int64  in
    cap,  # int  in: no union is heavier
    seed,  # int  in
    fewest,  # int  in: stop when so few clusters are left
    within,  # (n,) int32  in: only nodes with equal numbers are united
    clusters,  # (n,) int32  out: numbered from 0
):
    n = len(node_weights)
    state = np.array([np.uint64(seed) * np.uint64(2) + np.uint64(0x9E3779B97F4A7C15)])
    heavy = node_weights.copy()
    alone = np.ones(n, np.bool_)
    favourite = np.full(n, -1, np.int32)  # of a node that found no room: the cluster it would have joined
    rating = np.zeros(n, np.int64)
    found = np.empty(n, np.int32)
    for v in range(n):
        clusters[v] = v
    left = n
    for v in _visiting_order(n, state):
        if left <= fewest:
            break
        if not alone[v] or clusters[v] != v:
            continue
        count = 0
        for e in range(indptr[v], indptr[v + 1]):
            u = indices[e]
            if within[u] != within[v] or u == v:
                continue
            c = clusters[u]
            if rating[c] == 0:
                found[count] = c
                count += 1
            rating[c] += weights[e]
        best, best_score, liked, liked_score = -1, -1.0, -1, -1.0
        for i in range(count):
            c = found[i]
            w = np.float64(rating[c])
            rating[c] = 0
            score = w * w / max(1.0, np.float64(heavy[c]))
            if score > liked_score:
                liked, liked_score = c, score
            if score > best_score and heavy[c] + heavy[v] <= cap:
                best, best_score = c, score
            elif score == best_score and heavy[c] + heavy[v] <= cap and draw(state, 2) == 0:
                best = c
        if best >= 0:
            clusters[v] = best
            heavy[best] += heavy[v]
            alone[best] = False
            left -= 1
        else:
            favourite[v] = liked
    if left > fewest:
        left -= _unite_strays(node_weights, cap, left - fewest, within, favourite, clusters, heavy, alone)
    number = 0
    for v in range(n):
        if clusters[v] == v:
            found[v] = number
            number += 1
    for v in range(n):
        clusters[v] = found[clusters[v]]
    return number


@part
def _unite_strays(node_weights, cap, most, within, favourite, clusters, heavy, alone):
    """Unite nodes that stayed alone and would have joined the same cluster, or that have no neighbour at all."""
    n = len(clusters)
    waiting = np.full(n + 1, -1, np.int32)
    united = 0
    for v in range(n):
        if united >= most:
            break
        if clusters[v] != v or not alone[v]:
            continue
        place = favourite[v] if favourite[v] >= 0 else n
        other = waiting[place]
        if other >= 0 and within[other] == within[v] and heavy[other] + node_weights[v] <= cap:
            clusters[v] = other
            heavy[other] += node_weights[v]
            alone[other] = False
            united += 1
        else:
            waiting[place] = v
    return united


@kernel
def _contract(
    indptr,  # (n + 1,) int64  in
    indices,  # (m,) int32  in
    weights,  # (m,) int64  in
    node_weights,  # (n,) int64  in
    clusters,  # (n,) int32  in
    new_indptr,  # (c + 1,) int64  out
    new_indices,  # (m,) int32  out: the first entries
    new_weights,  # (m,) int64  out
    heavy,  # (c,) int64  out, zero before
):
    n, c = len(clusters), len(heavy)
    starts = np.zeros(c + 1, np.int64)
    for v in range(n):
        starts[clusters[v] + 1] += 1
        heavy[clusters[v]] += node_weights[v]
    for i in range(c):
        starts[i + 1] += starts[i]
    members = np.empty(n, np.int32)
    filled = starts[:-1].copy()
    for v in range(n):
        members[filled[clusters[v]]] = v
        filled[clusters[v]] += 1
    place = np.full(c, -1, np.int64)
    stored = 0
    new_indptr[0] = 0
    for i in range(c):
        first = stored
        for j in range(starts[i], starts[i + 1]):
            v = members[j]
            for e in range(indptr[v], indptr[v + 1]):
                d = clusters[indices[e]]
                if d == i:
                    continue
                if place[d] < first:
                    place[d] = stored
                    new_indices[stored] = d
                    new_weights[stored] = weights[e]
                    stored += 1
                else:
                    new_weights[place[d]] += weights[e]
        new_indptr[i + 1] = stored
    return stored
