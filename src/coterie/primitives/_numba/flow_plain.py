"""Minimum cuts between two parts without compiled code, with the very labels that flow.py gives: for a first few small cuts.

What is cut does not depend on how the flow was found: all nodes that the source still reaches are the same for any greatest flow.
So one shortest path at a time will do here.
"""

from itertools import pairwise

import numpy as np

from .coarsen_plain import shuffle

__all__ = ["cut_between"]


def cut_between(graph, node_weights, limits, labels, seed, rounds, widest, most_nodes, longest):
    """Refine in place; see ``primitives.flow.cut_between``. Borders of more than ``longest`` times ``most_nodes`` are left."""
    k, saved, state = len(limits), 0, [(2 * seed + 1) * 0x9E3779B97F4A7C15 % 2**64]
    pairs = [(a, b) for a in range(k) for b in range(a)]
    loads = np.bincount(labels, node_weights, k).astype(np.int64).tolist()
    limits, weights, room = limits.tolist(), node_weights.tolist(), min(len(labels), most_nodes)
    news, starts = [1] * k, graph.indptr.tolist()
    links = [
        list(zip(graph.indices[i:j].tolist(), graph.weights[i:j].tolist(), strict=True)) for i, j in pairwise(starts)
    ]
    parts = labels.tolist()
    for turn in range(1, rounds + 1):
        crossing = np.repeat(labels, np.diff(graph.indptr)) != labels[graph.indices]
        border = np.unique(np.repeat(np.arange(len(labels)), np.diff(graph.indptr))[crossing]).tolist()
        linked = {(parts[v], parts[u]) for v in border for u, _ in links[v]}
        if len(border) > longest * (room + 1):
            break
        shuffle(pairs, len(pairs), state)
        before = saved
        for a, b in pairs:
            if loads[a] > limits[a] or loads[b] > limits[b] or (a, b) not in linked or max(news[a], news[b]) < turn:
                continue
            wide, gain = widest, -1
            while wide >= 1 and gain < 0:
                gain = _between(links, weights, limits, loads, parts, (a, b), wide, border, room)
                wide //= 2
            if gain > 0:
                saved += gain
                news[a] = news[b] = turn + 1
        labels[:] = parts
        if saved == before:
            break
    return saved


def _between(links, weights, limits, loads, parts, pair, wide, border, most):
    """Return what a minimum cut between two parts saves, after making it; -1 where it left them too heavy."""
    a, b = pair
    region = _collected(links, weights, limits, loads, parts, pair, wide, border, most)
    arcs, supply, demand, gain = _arcs(links, parts, pair, region)
    gain -= _flow(arcs, supply, demand) if gain > 0 else 0
    before = max(loads[a] - limits[a], loads[b] - limits[b])
    for side in range(2):
        # The cut nearest to the source, then that nearest to the sink.
        near = _reached(arcs, demand if side else supply, side)
        goes = [(v, a if (v in near) == (side == 0) else b) for v in region]
        shift = sum(weights[v] * ((to == b) - (parts[v] == b)) for v, to in goes)  # from a to b
        after = max(loads[a] - shift - limits[a], loads[b] + shift - limits[b])
        if after <= 0 and (gain > 0 or after < before):
            for v, to in goes:
                parts[v] = to
            loads[a] -= shift
            loads[b] += shift
            return gain
    return -1 if gain > 0 else 0


def _collected(links, weights, limits, loads, parts, pair, wide, border, most):
    """Return nodes of both parts, those near their border first, as far as there is room for them in the other part."""
    a, b = pair
    room = {
        a: min(wide * (limits[b] - loads[b]), loads[a] * 3 // 4),
        b: min(wide * (limits[a] - loads[a]), loads[b] * 3 // 4),
    }
    region: dict[int, None] = {}

    def take(v):
        if weights[v] <= room[parts[v]] and len(region) < most:
            region[v] = None
            room[parts[v]] -= weights[v]
            queue.append(v)

    queue: list[int] = []
    for v in border:
        other = b if parts[v] == a else a
        if parts[v] in room and any(parts[u] == other for u, _ in links[v]):
            take(v)
    for v in queue:
        for u, _ in links[v]:
            if parts[u] == parts[v] and u not in region:
                take(u)
    return region


def _arcs(links, parts, pair, region):
    """Return the capacities among the nodes, what the rest of both parts supplies and demands, and what is cut."""
    supply, demand, cut = dict.fromkeys(region, 0), dict.fromkeys(region, 0), 0
    arcs = {v: {} for v in region}
    for v in region:
        for u, weight in links[v]:
            if parts[u] not in pair:
                continue
            if u in arcs:
                arcs[v][u] = weight
                cut += weight * (parts[u] != parts[v]) * (u > v)
            else:
                cut += weight * (parts[u] != parts[v])
                (supply if parts[u] == pair[0] else demand)[v] += weight
    for v in region:
        # What goes straight through a node is cut whatever happens.
        straight = min(supply[v], demand[v])
        supply[v] -= straight
        demand[v] -= straight
        cut -= straight
    return arcs, supply, demand, cut


def _flow(arcs, supply, demand):
    """Send as much as can go from supply to demand, along shortest paths; return how much."""
    total = 0
    while True:
        came: dict[int, int] = {v: -1 for v, left in supply.items() if left > 0}
        end = next((v for v in came if demand[v] > 0), -1)
        queue = list(came)
        for v in queue:
            if end >= 0:
                break
            for u, left in arcs[v].items():
                if left > 0 and u not in came:
                    came[u] = v
                    queue.append(u)
                    if demand[u] > 0:
                        end = u
                        break
        if end < 0:
            return total
        path = [end]
        while came[path[-1]] >= 0:
            path.append(came[path[-1]])
        steps = [(v, u) for u, v in pairwise(path)]
        amount = min(supply[path[-1]], demand[end], *(arcs[v][u] for v, u in steps))
        supply[path[-1]] -= amount
        demand[end] -= amount
        for v, u in steps:
            arcs[v][u] -= amount
            arcs[u][v] += amount
        total += amount


def _reached(arcs, supply, side):
    """Return the nodes that supply still reaches; for side 1, that reach it."""
    found = {v for v, left in supply.items() if left > 0}
    queue = list(found)
    for v in queue:
        for u in arcs[v]:
            if u not in found and (arcs[u][v] if side else arcs[v][u]) > 0:
                found.add(u)
                queue.append(u)
    return found
