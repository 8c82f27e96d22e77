"""Halves of a small graph on the CPU: grown from many nodes, each refined, the best one kept."""

import numpy as np

from .blocks import run_kernel
from .coarsen import draw
from .jit import kernel
from .kway import _push, _remove, _settle, climb

__all__ = ["grown_halves"]


def grown_halves(graph, node_weights, limits, target, tries, seed):
    """Grow; see ``primitives.bisect.grown_halves``."""
    labels = np.empty(len(node_weights), np.int32)
    run_kernel(_grow, *graph, node_weights, limits, target, tries, seed, labels)
    return labels


@kernel
def _grow(
    indptr,  # (n + 1,) int64  in
    indices,  # (m,) int32  in
    weights,  # (m,) int64  in
    node_weights,  # (n,) int64  in
    limits,  # (2,) int64  in
    target,  # int  in: weight of part 0
    tries,  # int  in
    seed,  # int  in
    labels,  # (n,) int32  out
):
    n = len(node_weights)
    state = np.array([np.uint64(seed) * np.uint64(2) + np.uint64(0x9E3779B97F4A7C15)])
    heap, place, gain = np.empty(n, np.int32), np.full(n, -1, np.int32), np.empty(n, np.int64)
    size = np.zeros(1, np.int64)
    tried = np.empty(n, np.int32)
    best_cut, best_excess = np.int64(0), np.int64(-1)
    for _ in range(tries):
        tried[:] = 1
        load, total = np.int64(0), np.int64(0)
        for v in range(n):
            place[v] = -1
            total += node_weights[v]
            gain[v] = 0
            for e in range(indptr[v], indptr[v + 1]):
                gain[v] -= weights[e]
        size[0] = 0
        while load < target:
            if size[0] == 0:
                v = draw(state, n)
                while tried[v] == 0:
                    v = v + 1 if v + 1 < n else 0
            else:
                v = np.int64(heap[0])
                _remove(heap, place, gain, 0, size, 0, v)
            # The last node goes where the sum ends up nearer.
            if load + node_weights[v] - target > target - load and load > 0:
                break
            tried[v] = 0
            load += node_weights[v]
            for e in range(indptr[v], indptr[v + 1]):
                u = indices[e]
                if tried[u] == 1:
                    gain[u] += 2 * weights[e]
                    if place[u] >= 0:
                        _settle(heap, place, gain, 0, size[0], np.int64(place[u]))
                    else:
                        _push(heap, place, gain, 0, size, 0, u)
        climb(indptr, indices, weights, node_weights, limits, tried, state, 4, 30)
        cut, load = np.int64(0), np.int64(0)
        for v in range(n):
            if tried[v] == 0:
                load += node_weights[v]
            for e in range(indptr[v], indptr[v + 1]):
                if tried[indices[e]] != tried[v]:
                    cut += weights[e]
        excess = max(0, load - limits[0]) + max(0, total - load - limits[1])
        if best_excess < 0 or excess < best_excess or (excess == best_excess and cut < best_cut):
            best_cut, best_excess = cut, excess
            labels[:] = tried
