"""Size-capped clusters of nodes and the graph of the clusters, on the CPU: sequential passes over the edges."""

from functools import partial

import numpy as np

from ...arrays import Graph
from . import coarsen_plain
from .blocks import run_kernel
from .contraction import contracted
from .jit import kernel, part
from .plain_first import plain_or_compiled

__all__ = ["compiled", "contract", "draw", "random_state", "run_soon", "shuffle", "size_capped_clusters"]

_FEW_LINKS = 1 << 18
_SECONDS = 0.25
_REACH = (
    4096  # nodes are visited in random order, but none this far from its place: a numbering with some locality keeps it
)


def size_capped_clusters(graph, node_weights, cap, seed, fewest, within):
    """Group nodes; see ``primitives.coarsen.size_capped_clusters``."""
    return plain_or_compiled(
        _cluster, _SECONDS, len(graph.indices), coarsen_plain.size_capped_clusters, compiled, graph, node_weights, cap, seed,
        fewest, within, _REACH,
    )  # fmt: skip


def compiled(graph, node_weights, cap, seed, fewest, within, reach):
    """Group nodes by the kernel."""
    n = len(node_weights)
    clusters, order = np.arange(n, dtype=np.int32), np.arange(n, dtype=np.int32)
    within = np.zeros(n, np.int32) if within is None else within
    work = np.zeros(n, np.int64), np.empty(n, np.int32), np.full(n + 1, -1, np.int32), np.ones(n, np.bool_)
    count = run_soon(
        _cluster, graph, node_weights.copy(), cap, fewest, within, random_state(seed), reach, order, *work, clusters
    )
    return clusters, count


def contract(graph, node_weights, clusters, n_clusters):
    """Return the graph of clusters; see ``primitives.coarsen.contract``."""
    indptr, indices, weights, _ = contracted(*graph, clusters, n_clusters)
    heavy = np.bincount(clusters, node_weights, n_clusters).astype(np.int64)  # exact: all weigh 2^50 at most
    return Graph(indptr, indices, weights), heavy


def run_soon(kernel, graph, *arguments):
    """Run a kernel on a graph: a small one at once, as handing it to another thread would cost more."""
    return (kernel if len(graph[1]) < _FEW_LINKS else partial(run_kernel, kernel))(*graph, *arguments)


def random_state(seed):
    """Return the state that `draw` starts with."""
    return np.array([(2 * seed + 1) * 0x9E3779B97F4A7C15 % 2**64], np.uint64)


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
def shuffle(values, count, reach, state):
    """Bring the first values into a random order, none of them far to the right of where it was."""
    for i in range(1, count):
        j = i - draw(state, min(i, reach) + 1)
        value = values[i]
        values[i] = values[j]
        values[j] = value


@kernel
def _cluster(
    indptr,  # (n + 1,) int64  in
    indices,  # (m,) int32  in
    weights,  # (m,) int64  in
    heavy,  # (n,) int64  in/out: what nodes weigh; then, at its first node, what a cluster weighs
    cap,  # int  in: no union is heavier
    fewest,  # int  in: stop when so few clusters are left
    within,  # (n,) int32  in: only nodes with equal numbers are united
    state,  # (1,) uint64  in/out
    reach,  # int  in: no node is visited so far before its place
    order,  # (n,) int32  in/out: all nodes
    rating,  # (n,) int64  zeros
    found,  # (n,) int32  work
    waiting,  # (n + 1,) int32  -1: for each cluster, a node that liked it and found no room
    alone,  # (n,) bool  True
    clusters,  # (n,) int32  in: each node its own; out: numbered from 0
):
    n = len(heavy)
    left = n
    shuffle(order, n, reach, state)
    for i in range(n):
        v = np.int64(order[i])
        if left <= fewest:
            break
        if clusters[v] != v or not alone[v]:
            continue
        count = 0
        for e in range(indptr[v], indptr[v + 1]):
            u = indices[e]
            if within[u] == within[v] and u != v:
                c = clusters[u]
                if rating[c] == 0:
                    found[count] = c
                    count += 1
                rating[c] += weights[e]
        best, best_score, liked, liked_score = -1, -1.0, n, -1.0
        for j in range(count):
            c = np.int64(found[j])
            score = np.float64(rating[c]) * np.float64(rating[c]) / max(1.0, np.float64(heavy[c]))
            rating[c] = 0
            if score > liked_score:
                liked, liked_score = c, score
            if (
                score >= best_score
                and heavy[c] + heavy[v] <= cap
                and (score > best_score or draw(state, np.int64(2)) == 0)
            ):
                best, best_score = c, score
        if best < 0:
            # Two that liked the same cluster, or have no neighbour at all, are united.
            u = waiting[liked]
            if u >= 0 and clusters[u] == u and within[u] == within[v] and heavy[u] + heavy[v] <= cap:
                best = np.int64(u)
            waiting[liked] = v
        if best >= 0 and best != v:
            clusters[v] = best
            heavy[best] += heavy[v]
            alone[best] = False
            left -= 1
    number = 0
    for v in range(n):
        if clusters[v] == v:
            found[v] = number
            number += 1
    for v in range(n):
        clusters[v] = found[clusters[v]]
    return number
