"""What the moves of objective_search.py are made of: the value of a part, one move of one node, and a heap of nodes by their best move.

Nodes and parts are passed on as int64, whatever they are stored as: every kernel is then compiled once.

The state of a search: ``labels`` (n,), ``sums`` (k, 6) of the parts (weight that leaves, mass, size, value, number of nodes, whether never
larger than allowed), ``links`` (n, k) weight from each node into each part, ``between`` (k, k) weight from part to part. ``shift`` keeps all four in step.
Weights are whole numbers, so that sums do not depend on the order of the moves and what is undone leaves no trace.
"""

import numpy as np

from .jit import part

__all__ = [
    "CUT",
    "FIRST",
    "MASS",
    "NODES",
    "RIGID",
    "SIZE",
    "VALUE",
    "WORST",
    "best_move",
    "bounded_value",
    "excess",
    "heapify",
    "part_value",
    "remove",
    "settle",
    "shift",
]

CUT, MASS, SIZE, VALUE, NODES, RIGID = 0, 1, 2, 3, 4, 5
FIRST = 1e12  # what comes before every change of the objective
WORST = 1e9  # the value of a part without anything to divide by, finite so that having fewer of them is better


@part
def part_value(cut, mass, inner):
    """Return what a part adds to the objective."""
    if cut <= 0.0:
        return 0.0
    rest = mass - inner * cut
    return cut / rest if rest * WORST > cut else WORST


@part
def bounded_value(cut, mass, size, inner, most):
    """Return the same, and more than of any other for a part that is larger than allowed."""
    value = part_value(cut, mass, inner)
    return value + WORST * (size / most) if size > most else value


@part
def best_move(v, only, labels, nodes, sums, links, inner, most):
    """Return the change of the objective by the best move of a node, and the part that it leads to, -1 for none.

    A part may become larger than allowed by the node that comes: it must then give one away next, which is a swap.
    """
    own, best, goal = np.int64(labels[v]), np.inf, -1
    if sums[own, NODES] <= 1.0 or own == only:
        return best, goal
    outer, mass, size = nodes[v, 0], nodes[v, 1], nodes[v, 2]
    cut = sums[own, CUT] - outer + 2.0 * links[v, own]
    leaving = part_value(cut, sums[own, MASS] - mass, inner) - sums[own, VALUE]
    over = sums[own, SIZE] > most
    anywhere = outer <= 0.0 or over
    first, last = (only, only + 1) if only >= 0 else (0, len(sums))
    for p in range(first, last):
        if p == own or not (anywhere or links[v, p] > 0.0):
            continue
        room = most - sums[p, SIZE]
        if room < 0.0 or ((over or sums[p, RIGID] > 0.0) and size > room):
            continue
        cut = sums[p, CUT] + outer - 2.0 * links[v, p]
        entering = part_value(cut, sums[p, MASS] + mass, inner) - sums[p, VALUE]
        if leaving + entering < best:
            best, goal = leaving + entering, p
    if over and goal >= 0:
        best -= FIRST
    return best, goal


@part
def shift(v, goal, indptr, indices, weights, nodes, labels, sums, links, between, inner):
    """Move a node to a part."""
    own = np.int64(labels[v])
    outer = nodes[v, 0]
    sums[own, CUT] += 2.0 * links[v, own] - outer
    sums[goal, CUT] += outer - 2.0 * links[v, goal]
    for j in range(2):
        sums[own, 1 + j] -= nodes[v, 1 + j]
        sums[goal, 1 + j] += nodes[v, 1 + j]
    sums[own, NODES] -= 1.0
    sums[goal, NODES] += 1.0
    sums[own, VALUE] = part_value(sums[own, CUT], sums[own, MASS], inner)
    sums[goal, VALUE] = part_value(sums[goal, CUT], sums[goal, MASS], inner)
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
def excess(sums, most):
    """Return by how much parts are larger than allowed."""
    total = 0.0
    for p in range(len(sums)):
        total += max(0.0, sums[p, SIZE] - most)
    return total


@part
def settle(heap, keys, place, count, v, key):
    """Put a node whose key has become ``key`` where it belongs; one that is in the heap has its place."""
    keys[v] = key
    at = np.int64(place[v])
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
    at, last = np.int64(place[v]), np.int64(heap[count - 1])
    place[v] = mark
    if last != v:
        heap[at] = last
        place[last] = at
        settle(heap, keys, place, count - 1, last, keys[last])


@part
def heapify(heap, keys, place, count):
    """Put a heap whose keys have all changed in order."""
    for at in range(count // 2 - 1, -1, -1):
        _sink(heap, keys, place, count, at, np.int64(heap[at]))
