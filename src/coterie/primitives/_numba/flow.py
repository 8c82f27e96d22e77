"""Smoother borders between two parts on the CPU: a minimum cut through the nodes near the border (Dinic's maximum flow).

The nodes near the border of parts a and b are collected from both sides; those of a further away are the source, those of b the
sink. Arcs stand in pairs: e and e ^ 1 lead from one node to another and back, and a link lets its weight pass either way.

Compiling takes as long as hundreds of small cuts, so the first of a process are made without (flow_plain.py).
"""

import numpy as np

from . import flow_plain
from .coarsen import random_state, run_soon, shuffle
from .jit import kernel, part
from .plain_first import plain_or_compiled

__all__ = ["compiled", "cut_between"]

_FAR = 1 << 60
_SECONDS = 1.0
_LONG = 8  # where borders have so many times more nodes than may be collected, little would change


def cut_between(graph, node_weights, limits, labels, seed, rounds, widest, most_nodes):
    """Refine in place; see ``primitives.flow.cut_between``."""
    return plain_or_compiled(
        _flow, _SECONDS, len(graph.indices), flow_plain.cut_between, compiled, graph, node_weights, limits, labels, seed, rounds, widest,
        most_nodes, _LONG,
    )  # fmt: skip


def compiled(graph, node_weights, limits, labels, seed, rounds, widest, most_nodes, longest):
    """Refine in place by the kernel."""
    n, k, arcs = len(labels), len(limits), len(graph.indices)
    region = min(n, most_nodes)
    return run_soon(_flow, graph, node_weights, limits, labels, random_state(seed), rounds, widest, longest,
        np.full((2, n), -1, np.int32), np.empty((5, region + 1), np.int32), np.empty((2, region + 1), np.int64),
        np.empty((2, arcs + 2), np.int32), np.empty(arcs + 2, np.int64), np.empty(k * (k - 1) // 2, np.int32),
        np.zeros((k, k), np.int32), np.empty(k, np.int32), np.empty(k, np.int64),
    )  # fmt: skip


@kernel
def _flow(
    indptr,  # (n + 1,) int64  in
    indices,  # (m,) int32  in
    weights,  # (m,) int64  in
    node_weights,  # (n,) int64  in
    limits,  # (k,) int64  in
    labels,  # (n,) int32  in/out
    state,  # (1,) uint64  in/out
    rounds,  # int  in: at most
    widest,  # int  in: nodes of up to so many times the room in the other part are collected
    longest,  # int  in: where borders have so many times more nodes than may be collected, little would change
    nodes,  # (2, n) int32  -1: a node's number in the region; the nodes at borders
    lists,  # (5, r + 1) int32  work
    amounts,  # (2, r + 1) int64  work
    arcs,  # (2, m + 2) int32  work: end, next arc of the same node
    capacity,  # (m + 2,) int64  work
    pairs,  # (k (k - 1) / 2,) int32  work
    links,  # (k, k) int32  zeros: the last round in which the parts were found linked
    news,  # (k,) int32  work: the round in which a change is looked at
    loads,  # (k,) int64  work
):
    n, k = len(labels), len(limits)
    for p in range(k):
        loads[p] = 0
    for v in range(n):
        loads[labels[v]] += node_weights[v]
    n_pairs = np.int64(0)
    for a in range(k):
        for b in range(a):
            pairs[n_pairs] = a * k + b
            n_pairs += 1
    number, border = nodes[0], nodes[1]
    saved = np.int64(0)
    for p in range(k):
        news[p] = 1
    for turn in range(1, rounds + 1):
        count = np.int64(0)
        for v in range(n):
            outside = False
            for e in range(indptr[v], indptr[v + 1]):
                if labels[indices[e]] != labels[v]:
                    links[labels[v], labels[indices[e]]] = turn
                    outside = True
            if outside:
                border[count] = v
                count += 1
        if count > longest * lists.shape[1]:
            break
        shuffle(pairs, n_pairs, np.int64(_FAR), state)
        before = saved
        for i in range(n_pairs):
            a, b = pairs[i] // k, pairs[i] % k
            if loads[a] > limits[a] or loads[b] > limits[b] or links[a, b] < turn or max(news[a], news[b]) < turn:
                continue
            wide = widest
            while wide >= 1:
                gain = _between(
                    indptr, indices, weights, node_weights, labels, limits, loads, a, b, wide, number, border, count,
                    lists, amounts, arcs, capacity,
                )  # fmt: skip
                if gain >= 0:
                    saved += gain
                    if gain > 0:
                        news[a] = turn + 1
                        news[b] = turn + 1
                    break
                wide //= 2
        if saved == before:
            break
    return saved


@part
def _between(
    indptr,
    indices,
    weights,
    node_weights,
    labels,
    limits,
    loads,
    a,
    b,
    wide,
    number,
    border,
    count,
    lists,
    amounts,
    arcs,
    capacity,
):
    """Return what a minimum cut between two parts saves, after making it; -1 where it left them too heavy."""
    region, head, level, at, path = lists[0], lists[1], lists[2], lists[3], lists[4]
    supply, demand = amounts[0], amounts[1]
    size = _collect(indptr, indices, node_weights, labels, limits, loads, a, b, wide, number, border, count, region)
    cut = _build(indptr, indices, weights, labels, a, b, number, region, size, head, arcs, capacity, supply, demand)
    gain, done = cut, np.int64(-1)
    while _levels(head, arcs, capacity, supply, demand, size, level, path, np.int64(0)) and gain > 0:
        for i in range(size):
            at[i] = head[i]
        gain -= _augment(arcs, capacity, supply, demand, size, level, at, path)
    # The cut nearest to the source, then that nearest to the sink.
    before = max(loads[a] - limits[a], loads[b] - limits[b])
    for side in range(2):
        if side == 1:
            _levels(head, arcs, capacity, demand, supply, size, level, path, np.int64(1))
        shift = np.int64(0)  # from a to b
        for i in range(size):
            v = region[i]
            stays = (level[i] >= 0) == (side == 0)
            if stays and labels[v] == b:
                shift -= node_weights[v]
            elif not stays and labels[v] == a:
                shift += node_weights[v]
        after = max(loads[a] - shift - limits[a], loads[b] + shift - limits[b])
        if after <= 0 and (gain > 0 or after < before):
            for i in range(size):
                labels[region[i]] = a if (level[i] >= 0) == (side == 0) else b
            loads[a] -= shift
            loads[b] += shift
            done = gain
            break
    for i in range(size):
        number[region[i]] = -1
    return done if gain > 0 else np.int64(0)


@part
def _build(indptr, indices, weights, labels, a, b, number, region, size, head, arcs, capacity, supply, demand):
    """Make the arcs among the nodes collected; links to the rest of a and b are supply and demand. Return what is cut."""
    n_arcs, cut = 0, np.int64(0)
    for i in range(size):
        head[i] = -1
        supply[i] = 0
        demand[i] = 0
    for i in range(size):
        v = region[i]
        for e in range(indptr[v], indptr[v + 1]):
            u = indices[e]
            own, j = labels[u], number[u]
            if own != a and own != b or j >= 0 and j <= i:  # noqa: RUF021 - two comparisons compile sooner
                continue
            if own != labels[v]:
                cut += weights[e]
            if j >= 0:
                arcs[0, n_arcs], arcs[1, n_arcs], capacity[n_arcs] = j, head[i], weights[e]
                arcs[0, n_arcs + 1], arcs[1, n_arcs + 1], capacity[n_arcs + 1] = i, head[j], weights[e]
                head[i], head[j] = n_arcs, n_arcs + 1
                n_arcs += 2
            elif own == a:
                supply[i] += weights[e]
            else:
                demand[i] += weights[e]
    for i in range(size):
        # What goes straight through a node is cut whatever happens.
        straight = min(supply[i], demand[i])
        supply[i] -= straight
        demand[i] -= straight
        cut -= straight
    return cut


@part
def _collect(indptr, indices, node_weights, labels, limits, loads, a, b, wide, number, border, count, region):
    """Collect nodes of both parts, those near their border first, as far as there is room for them in the other part."""
    size, ended = np.int64(0), np.int64(0)
    room_a, room_b = wide * (limits[b] - loads[b]), wide * (limits[a] - loads[a])
    # The far part of either side must remain: it is the source or the sink.
    room_a, room_b = min(room_a, loads[a] * 3 // 4), min(room_b, loads[b] * 3 // 4)
    for i in range(count):
        v = border[i]
        own = labels[v]
        if own == a or own == b:  # noqa: SIM109 - compiles sooner
            other = b if own == a else a
            for e in range(indptr[v], indptr[v + 1]):
                if labels[indices[e]] == other:
                    left = room_a if own == a else room_b
                    if node_weights[v] <= left and size < len(region) - 1:
                        number[v] = size
                        region[size] = v
                        size += 1
                        if own == a:
                            room_a -= node_weights[v]
                        else:
                            room_b -= node_weights[v]
                    break
    while ended < size:
        v = region[ended]
        ended += 1
        for e in range(indptr[v], indptr[v + 1]):
            u = indices[e]
            if number[u] < 0 and labels[u] == labels[v]:
                left = room_a if labels[u] == a else room_b
                if node_weights[u] <= left and size < len(region) - 1:
                    number[u] = size
                    region[size] = u
                    size += 1
                    if labels[u] == a:
                        room_a -= node_weights[u]
                    else:
                        room_b -= node_weights[u]
    return size


@part
def _levels(head, arcs, capacity, supply, demand, size, level, queue, backwards):
    """Number nodes by their distance from supply along arcs with capacity left (1: against them); say whether demand is reached."""
    filled, reached = 0, False
    for i in range(size):
        level[i] = -1
        if supply[i] > 0:
            level[i] = 0
            queue[filled] = i
            filled += 1
    taken = 0
    while taken < filled:
        i = queue[taken]
        taken += 1
        if demand[i] > 0:
            reached = True
        e = head[i]
        while e >= 0:
            j = arcs[0, e]
            if level[j] < 0 and capacity[e ^ backwards] > 0:
                level[j] = level[i] + 1
                queue[filled] = j
                filled += 1
            e = arcs[1, e]
    return reached


@part
def _augment(arcs, capacity, supply, demand, size, level, at, path):
    """Send as much as can go along arcs that lead one level on; return how much."""
    total = np.int64(0)
    for root in range(size):
        depth, v = 0, np.int64(root)
        while supply[root] > 0 and level[root] == 0:
            if demand[v] > 0:
                amount = min(supply[root], demand[v])
                for d in range(depth):
                    amount = min(amount, capacity[path[d]])
                supply[root] -= amount
                demand[v] -= amount
                total += amount
                back = depth
                for d in range(depth - 1, -1, -1):
                    capacity[path[d]] -= amount
                    capacity[path[d] ^ 1] += amount
                    if capacity[path[d]] == 0:
                        back = d
                if back < depth:
                    depth = back
                    v = np.int64(arcs[0, path[depth] ^ 1])
                continue
            e = at[v]
            while e >= 0 and not (capacity[e] > 0 and level[arcs[0, e]] == level[v] + 1):
                e = arcs[1, e]
            at[v] = e
            if e >= 0:
                path[depth] = e
                depth += 1
                v = np.int64(arcs[0, e])
            else:
                level[v] = -1
                if depth == 0:
                    break
                depth -= 1
                v = np.int64(arcs[0, path[depth] ^ 1])
    return total
