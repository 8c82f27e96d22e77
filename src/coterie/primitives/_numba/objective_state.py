"""What the moves of objective_search.py are made of: the value of a part, one move of one node, and a heap of nodes by their best move.

The state of a search: ``labels`` (n,), ``sums`` (k, 5) of the parts (weight that leaves, mass, size, value, number of nodes), ``links``
(n, k) weight from each node into each part, ``between`` (k, k) weight from part to part. ``shift`` keeps all four in step.
Weights are whole numbers, so that sums do not depend on the order of the moves and what is undone leaves no trace.
"""

import numpy as np

from .jit import part

__all__ = [
    "CUT",
    "MASS",
    "NODES",
    "SIZE",
    "VALUE",
    "WORST",
    "best_move",
    "heapify",
    "part_value",
    "remove",
    "settle",
    "shift",
]

CUT, MASS, SIZE, VALUE, NODES = 0, 1, 2, 3, 4
WORST = 1e9  # the value of a part without anything to divide by, finite so that having fewer of them is better


@part
def part_value(cut, mass, size, inner, most):
    """Return what a part adds to the objective; one above the bound on sizes is worse than any other."""
    value = 0.0
    if cut > 0.0:
        rest = mass - inner * cut
        value = cut / rest if rest * WORST > cut else WORST
    if size > most:
        value += WORST * (size / most)
    return value


@part
def best_move(v, only, labels, nodes, sums, links, inner, most):
    """Return the change of the objective by the best move of a node, and the part that it leads to, -1 for none."""
    own, best, goal = labels[v], np.inf, -1
    if sums[own, NODES] <= 1.0 or own == only:
        return best, goal
    outer, mass, size = nodes[v, 0], nodes[v, 1], nodes[v, 2]
    leaving = (
        part_value(
            sums[own, CUT] - outer + 2.0 * links[v, own],
            sums[own, MASS] - mass,
            sums[own, SIZE] - size,
            inner,
            most,
        )
        - sums[own, VALUE]
    )
    anywhere = outer <= 0.0 or sums[own, SIZE] > most
    first, last = (only, only + 1) if only >= 0 else (0, len(sums))
    for p in range(first, last):
        if p != own and (anywhere or links[v, p] > 0.0):
            cut = sums[p, CUT] + outer - 2.0 * links[v, p]
            entering = part_value(cut, sums[p, MASS] + mass, sums[p, SIZE] + size, inner, most) - sums[p, VALUE]
            if leaving + entering < best:
                best, goal = leaving + entering, p
    if best > 0.5 * WORST:
        return np.inf, -1
    return best, goal


@part
def shift(v, goal, indptr, indices, weights, nodes, labels, sums, links, between, inner, most):
    """Move a node to a part."""
    own = labels[v]
    outer = nodes[v, 0]
    sums[own, CUT] += 2.0 * links[v, own] - outer
    sums[goal, CUT] += outer - 2.0 * links[v, goal]
    for j in range(2):
        sums[own, 1 + j] -= nodes[v, 1 + j]
        sums[goal, 1 + j] += nodes[v, 1 + j]
    sums[own, NODES] -= 1.0
    sums[goal, NODES] += 1.0
    sums[own, VALUE] = part_value(sums[own, CUT], sums[own, MASS], sums[own, SIZE], inner, most)
    sums[goal, VALUE] = part_value(sums[goal, CUT], sums[goal, MASS], sums[goal, SIZE], inner, most)
    for p in range(len(sums)):
        weight = links[v, p]
        between[own, p] -= weight
        between[p, own] -= weight
        between[goal, p] += weight
        between[p, goal] += weight
    labels[v] = goal
    for e in range(indptr[v], indptr[v + 1]):
        links[indices[e], own] -= weights[e]
        links[indices[e], goal] += weights[e]


@part
def settle(heap, keys, place, count, v, key):
    """Put a node whose key has become ``key`` where it belongs; one that is in the heap has its place."""
    keys[v] = key
    at = place[v]
    while at > 0:
        above = heap[(at - 1) >> 1]
        if keys[above] < key or (keys[above] == key and above < v):
            break
        heap[at] = above
        place[above] = at
        at = (at - 1) >> 1
    _sink(heap, keys, place, count, at, v)


@part
def _sink(heap, keys, place, count, at, v):
    key = keys[v]
    while True:
        below = 2 * at + 1
        if below >= count:
            break
        if below + 1 < count:
            one, other = heap[below], heap[below + 1]
            if keys[other] < keys[one] or (keys[other] == keys[one] and other < one):
                below += 1
        child = heap[below]
        if key < keys[child] or (key == keys[child] and v < child):
            break
        heap[at] = child
        place[child] = at
        at = below
    heap[at] = v
    place[v] = at


@part
def remove(heap, keys, place, count, v, mark):
    """Take a node out of a heap of ``count``, and mark its place."""
    at, last = place[v], heap[count - 1]
    place[v] = mark
    if last != v:
        heap[at] = last
        place[last] = at
        settle(heap, keys, place, count - 1, last, keys[last])


@part
def heapify(heap, keys, place, count):
    """Put a heap whose keys have all changed in order."""
    for at in range(count // 2 - 1, -1, -1):
        _sink(heap, keys, place, count, at, heap[at])
