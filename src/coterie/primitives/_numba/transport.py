"""Successive shortest paths on the graph of clusters, with pairing heaps of the cheapest moves.

There is a heap for every pair of clusters a, b: what it costs to move a row of a to b. A row that leaves a stays in the heaps of a
until it comes to the top, and gets new nodes in those of its new cluster; when no node is left, all heaps are made anew.
"""

import numpy as np

from .blocks import run_kernel
from .jit import kernel, part

__all__ = ["solve"]

_PATHS_PER_CALL = 4096
_ARCS_PER_CALL = 1 << 24  # looked at for paths; calls stay short, so that Ctrl-C is heard
_NODES_PER_CALL = 1 << 21
_SPARE_NODES = 1 << 16


def solve(costs, low, high, prices):
    """See `coterie.primitives.transport.assign_within`."""
    n, k = costs.shape
    labels = np.argmin(costs - prices, axis=1)
    counts = np.bincount(labels, minlength=k)
    # What flows on to the sink: complementary slackness fixes it where the price is not 0.
    flow = np.where(prices > 0, low, np.where(prices < 0, high, np.clip(counts, low, high)))
    prices = np.append(prices, 0.0)
    if (counts == flow).all():
        return labels, prices[:-1]
    n_rows, n_paths = max(1, _NODES_PER_CALL // k), max(1, min(_PATHS_PER_CALL, _ARCS_PER_CALL // k**2))
    room = n * (k - 1) + max(n * k // 4, _SPARE_NODES)
    keys, nodes = np.empty(room), np.empty((3, room), np.int32)
    while True:
        first, used = np.full((k, k), -1, np.int32), np.zeros(1, np.int64)
        for start in range(0, n, n_rows):
            run_kernel(_fill, start, min(n, start + n_rows), costs, labels, first, keys, nodes, used)
        while used[0] + k * k < room:
            if not run_kernel(
                _move_rows, n_paths, costs, low, high, labels, counts, flow, prices, first, keys, nodes, used
            ):
                return labels, prices[:-1] - prices[-1]


# ---- pairing heaps: of a node, nodes[0] is the row, nodes[1] the first child, nodes[2] the next sibling


@part
def _join(x, y, keys, nodes):
    """Make one heap of two, and return its root: the lower cost, ties to the lower row."""
    if x < 0:
        return y
    if y < 0:
        return x
    if keys[y] < keys[x] or (keys[y] == keys[x] and nodes[0, y] < nodes[0, x]):
        x, y = y, x
    nodes[2, y] = nodes[1, x]
    nodes[1, x] = y
    return x


@part
def _without_root(root, keys, nodes):
    """Make one heap of the children of a root: in pairs, then from the last pair to the first."""
    child, pairs = nodes[1, root], np.int32(-1)
    while child >= 0:
        other = nodes[2, child]
        following = nodes[2, other] if other >= 0 else np.int32(-1)
        both = _join(child, other, keys, nodes)
        nodes[2, both] = pairs
        pairs, child = both, following
    while pairs >= 0:
        following = nodes[2, pairs]
        child = _join(child, pairs, keys, nodes)
        pairs = following
    return child


@part
def _add(i, a, costs, first, keys, nodes, used):
    """Put all moves of row i out of cluster a into their heaps."""
    for b in range(len(first)):
        if b != a:
            x = np.int32(used[0])
            used[0] += 1
            keys[x] = costs[i, b] - costs[i, a]
            nodes[0, x], nodes[1, x], nodes[2, x] = i, -1, -1
            first[a, b] = _join(first[a, b], x, keys, nodes)


@kernel
def _fill(start, end, costs, labels, first, keys, nodes, used):
    for i in range(start, end):
        _add(i, labels[i], costs, first, keys, nodes, used)


# ---- paths


@kernel
def _move_rows(
    n_paths,  # int  in: most paths of this call
    costs,  # (n, k)  in
    low,  # (k,) int64  in
    high,  # (k,) int64  in
    labels,  # (n,) int64  in, out
    counts,  # (k,) int64  in, out: rows of each cluster
    flow,  # (k,) int64  in, out: what each cluster sends to the sink
    prices,  # (k + 1,)  in, out: the last is the sink's
    first,  # (k, k) int32  in, out: root of the heap of moves from a to b
    keys,  # (room,)  in, out: cost of the move of each node
    nodes,  # (3, room) int32  in, out
    used,  # (1,) int64  in, out: nodes in use
):
    """Send rows along shortest paths from clusters with too many to clusters with too few; return whether any is left."""
    n, k = costs.shape
    excess = np.empty(k + 1, np.int64)
    distance, before, done = np.empty(k + 1), np.empty(k + 1, np.int64), np.empty(k + 1, np.bool_)
    for _ in range(n_paths):
        if used[0] + k * k >= len(keys):
            return True
        excess[k] = -n
        for a in range(k):
            excess[a] = counts[a] - flow[a]
            excess[k] += flow[a]
        end = _shortest(keys, low, high, flow, prices, first, excess, distance, before, done)
        if end < 0:
            return False
        for a in range(k + 1):
            prices[a] += min(distance[a], distance[end])
        _send(end, costs, low, high, labels, counts, flow, first, keys, nodes, used, excess, before)
    return True


@part
def _shortest(keys, low, high, flow, prices, first, excess, distance, before, done):
    """Run Dijkstra's algorithm from all clusters with too many rows; return the first reached that has too few, else -1."""
    k = len(first)
    for a in range(k + 1):
        distance[a] = 0.0 if excess[a] > 0 else np.inf
        before[a], done[a] = -1, False
    while True:
        near = -1
        for a in range(k + 1):
            if not done[a] and distance[a] < np.inf and (near < 0 or distance[a] < distance[near]):
                near = a
        if near < 0 or excess[near] < 0:
            return near
        done[near] = True
        for b in range(k + 1):
            if done[b]:
                continue
            length = np.inf
            if near < k and b < k:
                move = first[near, b]
                if move >= 0:
                    length = keys[move]
            elif (b == k and flow[near] < high[near]) or (near == k and flow[b] > low[b]):
                length = 0.0
            # Rounding can leave a length just below 0.
            reached = distance[near] + max(0.0, length + prices[near] - prices[b])
            if reached < distance[b]:
                distance[b], before[b] = reached, near


@part
def _send(end, costs, low, high, labels, counts, flow, first, keys, nodes, used, excess, before):
    """Move one row along every arc of the path, or as much as fits where only flows to the sink change."""
    k = len(first)
    amount, b = -excess[end], end
    while before[b] >= 0:
        a = before[b]
        if a < k and b < k:
            amount = 1
        elif b == k:
            amount = min(amount, high[a] - flow[a])
        else:
            amount = min(amount, flow[b] - low[b])
        b = a
    amount = min(amount, excess[b])
    b = end
    while before[b] >= 0:
        a = before[b]
        if b == k:
            flow[a] += amount
        elif a == k:
            flow[b] -= amount
        else:
            i = nodes[0, first[a, b]]
            labels[i] = b
            counts[a] -= amount
            counts[b] += amount
            _add(i, b, costs, first, keys, nodes, used)
            _drop_rows_that_left(a, labels, first, keys, nodes)
        b = a


@part
def _drop_rows_that_left(a, labels, first, keys, nodes):
    for b in range(len(first)):
        while first[a, b] >= 0 and labels[nodes[0, first[a, b]]] != a:
            first[a, b] = _without_root(first[a, b], keys, nodes)
