"""k-way refinement on the CPU: searches that climb, from one node of the boundary at a time (localised k-way FM).

A search moves one node after the other, the one that saves most (or costs least) first, whatever the sign, each at most once
a round, and takes back what came after the best state it saw. One part may be too heavy for a while: then the next move is
out of it, so that chains of moves and swaps are found where no single move has room. Every part has a heap of its nodes.
"""

import numpy as np

from .blocks import run_kernel
from .coarsen import shuffle
from .jit import kernel, part

__all__ = ["climb", "refine_parts"]

_ROW_ENTRIES = 1 << 27  # of the table of links between touched nodes and parts: 1 GB at the very most


def refine_parts(graph, node_weights, limits, labels, seed, rounds, patience):
    """Refine in place; see ``primitives.kway.refine_parts``."""
    return run_kernel(_refine, *graph, node_weights, limits, labels, seed, rounds, patience)


@kernel
def _refine(
    indptr,  # (n + 1,) int64  in
    indices,  # (m,) int32  in
    weights,  # (m,) int64  in
    node_weights,  # (n,) int64  in
    limits,  # (k,) int64  in: greatest weight of each part
    labels,  # (n,) int32  in/out
    seed,  # int  in
    rounds,  # int  in: at most
    patience,  # int  in: moves of a search without a better state
):
    state = np.array([np.uint64(seed) * np.uint64(2) + np.uint64(0x9E3779B97F4A7C15)])
    return climb(indptr, indices, weights, node_weights, limits, labels, state, rounds, patience)


@part
def climb(indptr, indices, weights, node_weights, limits, labels, state, rounds, patience):
    """Return by how much less is cut; the parts' excess over their limits never grows."""
    n, k = len(node_weights), len(limits)
    loads = np.zeros(k, np.int64)
    extra = np.int64(0)  # what one part may be too heavy by, for a while
    for v in range(n):
        loads[labels[v]] += node_weights[v]
        extra = max(extra, node_weights[v])
    row = np.full(n, -1, np.int32)
    links = np.empty((max(1, min(n, _ROW_ENTRIES // k)), k), np.int64)
    n_rows = 0
    heap, place = np.empty(n, np.int32), np.full(n, -1, np.int32)
    gain, target = np.empty(n, np.int64), np.empty(n, np.int32)
    locked = np.zeros(n, np.bool_)
    moved, came_from = np.empty(n, np.int32), np.empty(n, np.int32)
    boundary = np.empty(n, np.int32)
    base, size = np.zeros(k + 1, np.int64), np.zeros(k, np.int64)
    saved = np.int64(0)
    for _ in range(rounds):
        base[:] = 0
        for v in range(n):
            base[labels[v] + 1] += 1
            locked[v] = False
        for p in range(k):
            base[p + 1] += base[p]
        at_boundary = 0
        for v in range(n):
            for e in range(indptr[v], indptr[v + 1]):
                if labels[indices[e]] != labels[v]:
                    boundary[at_boundary] = v
                    at_boundary += 1
                    break
        shuffle(boundary, at_boundary, state)
        before = saved
        excess_before = _excess(loads, limits)
        for i in range(at_boundary):
            first = boundary[i]
            if locked[first]:
                continue
            # --- one search
            n_moved, best_moves = 0, 0
            now, best = np.int64(0), np.int64(0)
            excess = _excess(loads, limits)
            best_excess = excess
            fresh = first
            heavy = -1
            if excess > 0:
                heavy = _heaviest(loads, limits)
            while True:
                # the nodes around the last move, or the first node
                if fresh >= 0:
                    lo, hi = indptr[fresh], indptr[fresh + 1]
                    if n_moved == 0:
                        hi = lo + 1
                    for e in range(lo, hi):
                        u = indices[e] if n_moved > 0 else first
                        if locked[u] or place[u] >= 0:
                            continue
                        if row[u] < 0:
                            if n_rows == len(links):
                                continue
                            row[u] = n_rows
                            links[n_rows] = 0
                            for f in range(indptr[u], indptr[u + 1]):
                                links[n_rows, labels[indices[f]]] += weights[f]
                            n_rows += 1
                        if _choose(u, links[row[u]], labels, gain, target):
                            p = labels[u]
                            _push(heap, place, gain, base[p], size, p, u)
                    fresh = -1
                # the part to move out of, and the node
                v, p = -1, heavy
                if heavy >= 0:
                    if size[heavy] > 0:
                        v = heap[base[heavy]]
                else:
                    for q in range(k):
                        if size[q] > 0 and (v < 0 or gain[heap[base[q]]] > gain[v]):
                            v, p = heap[base[q]], q
                if v < 0:
                    break
                t = target[v]
                room = np.int64(0) if excess > 0 else extra
                if loads[t] + node_weights[v] > limits[t] + room:
                    # the best part with room
                    t = -1
                    own = links[row[v], p]
                    for q in range(k):
                        if q != p and links[row[v], q] > 0 and loads[q] + node_weights[v] <= limits[q] + room:
                            if t < 0 or links[row[v], q] > links[row[v], t]:
                                t = q
                    if t < 0:
                        _remove(heap, place, gain, base[p], size, p, v)
                        continue
                    worth = links[row[v], t] - own
                    target[v] = t
                    if worth < gain[v]:
                        gain[v] = worth
                        _down(heap, place, gain, base[p], size[p], np.int64(place[v]))
                        if heap[base[p]] != v:
                            continue
                worth = links[row[v], t] - links[row[v], p]
                _remove(heap, place, gain, base[p], size, p, v)
                # --- move
                moved[n_moved], came_from[n_moved] = v, p
                n_moved += 1
                locked[v] = True
                labels[v] = t
                excess -= max(0, loads[p] - limits[p]) + max(0, loads[t] - limits[t])
                loads[p] -= node_weights[v]
                loads[t] += node_weights[v]
                excess += max(0, loads[p] - limits[p]) + max(0, loads[t] - limits[t])
                heavy = _heaviest(loads, limits) if excess > 0 else -1
                now += worth
                for e in range(indptr[v], indptr[v + 1]):
                    u = indices[e]
                    r = row[u]
                    if r < 0:
                        continue
                    links[r, p] -= weights[e]
                    links[r, t] += weights[e]
                    if place[u] >= 0:
                        q = labels[u]
                        b = target[u]
                        if b == p:
                            _choose(u, links[r], labels, gain, target)
                        else:
                            if t != q and links[r, t] > links[r, b]:
                                target[u] = t
                            gain[u] = links[r, target[u]] - links[r, q]
                        _settle(heap, place, gain, base[q], size[q], np.int64(place[u]))
                fresh = v
                if excess < best_excess or (excess == best_excess and now > best):
                    best, best_excess, best_moves = now, excess, n_moved
                elif n_moved - best_moves >= patience:
                    break
            # --- back to the best state
            for j in range(n_moved - 1, best_moves - 1, -1):
                v, p = moved[j], came_from[j]
                t = labels[v]
                labels[v] = p
                loads[t] -= node_weights[v]
                loads[p] += node_weights[v]
                for e in range(indptr[v], indptr[v + 1]):
                    r = row[indices[e]]
                    if r >= 0:
                        links[r, t] -= weights[e]
                        links[r, p] += weights[e]
            saved += best
            for q in range(k):
                for j in range(size[q]):
                    place[heap[base[q] + j]] = -1
                size[q] = 0
        if saved == before and _excess(loads, limits) >= excess_before:
            break
    return saved


@part
def _excess(loads, limits):
    total = np.int64(0)
    for p in range(len(loads)):
        total += max(0, loads[p] - limits[p])
    return total


@part
def _heaviest(loads, limits):
    found = 0
    for p in range(1, len(loads)):
        if loads[p] - limits[p] > loads[found] - limits[found]:
            found = p
    return found


@part
def _choose(u, link, labels, gain, target):
    """Set the part that u is best moved to and what that saves; say whether it has links to any other part."""
    own = labels[u]
    best = -1
    for p in range(len(link)):
        if p != own and link[p] > 0 and (best < 0 or link[p] > link[best]):
            best = p
    if best >= 0:
        target[u] = best
        gain[u] = link[best] - link[own]
        return True
    # Still in a heap after its last neighbour left: it stays where it is.
    target[u] = 0 if own != 0 else len(link) - 1
    gain[u] = -link[own]
    return False


@part
def _push(heap, place, gain, base, size, p, v):
    heap[base + size[p]] = v
    place[v] = size[p]
    size[p] += 1
    _up(heap, place, gain, base, size[p] - 1)


@part
def _remove(heap, place, gain, base, size, p, v):
    at = np.int64(place[v])
    size[p] -= 1
    place[v] = -1
    if at < size[p]:
        last = heap[base + size[p]]
        heap[base + at] = last
        place[last] = at
        _settle(heap, place, gain, base, size[p], at)


@part
def _settle(heap, place, gain, base, size, at):
    v = heap[base + at]
    _up(heap, place, gain, base, at)
    if place[v] == at:
        _down(heap, place, gain, base, size, at)


@part
def _up(heap, place, gain, base, at):
    v = heap[base + at]
    while at > 0:
        above = (at - 1) >> 1
        u = heap[base + above]
        if gain[u] >= gain[v]:
            break
        heap[base + at] = u
        place[u] = at
        at = above
    heap[base + at] = v
    place[v] = at


@part
def _down(heap, place, gain, base, size, at):
    v = heap[base + at]
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        if below + 1 < size and gain[heap[base + below + 1]] > gain[heap[base + below]]:
            below += 1
        u = heap[base + below]
        if gain[u] <= gain[v]:
            break
        heap[base + at] = u
        place[u] = at
        at = below
    heap[base + at] = v
    place[v] = at
