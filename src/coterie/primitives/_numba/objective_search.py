"""Searching for a partition of least objective by moves of nodes; see objective_moves.py for what it is a part of.

``climb`` makes the best move of any node again and again, whether it helps or not, each node once, and goes back to the best
state on the way (Fiduccia and Mattheyses). What all moves would change depends on the sums of the parts, so the nodes in the
heap are looked at again after a number of moves that is a small share of theirs, and each node once more before it moves.
``search`` disturbs the state, climbs from there, and keeps what is no worse. Every move is in a journal: what was in vain is
undone at the cost of what was done.
"""

import numpy as np

from .jit import kernel, part
from .objective_state import (
    CUT,
    MASS,
    NODES,
    RIGID,
    SIZE,
    VALUE,
    WORST,
    best_move,
    bounded_value,
    excess,
    heapify,
    part_value,
    remove,
    settle,
    shift,
)

__all__ = ["search"]

_ABSENT, _LOCKED = -1, -2
_ALL = -1
_LOOKS = 16
_PASSES = 6
_SOFT_NODES = (
    50_000  # with more nodes no part is ever larger than allowed: all nodes in the heap must be looked at again then
)
_DONE, _WORK, _SEED = 0, 1, 2


@part
def _total(sums):
    total = 0.0
    for p in range(len(sums)):
        total += sums[p, VALUE]
    return total


@part
def _draw(state, n):
    """Return a random number below n (xorshift, 64 bits)."""
    x = np.uint64(state[_SEED])
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[_SEED] = np.int64(x)
    return np.int64(x >> np.uint64(11)) % n


@part
def _renew(v, only, count, labels, nodes, sums, links, inner, most, heap, keys, place, goals):
    """Look at the moves of a node again, and put it where it belongs in the heap; return how many the heap then has."""
    key, goal = best_move(v, only, labels, nodes, sums, links, inner, most)
    goals[v] = goal
    if goal < 0:
        if place[v] >= 0:
            remove(heap, keys, place, count, v, np.int64(_ABSENT))
            count -= 1
        return count
    if place[v] < 0:
        heap[count], place[v] = v, count
        count += 1
    settle(heap, keys, place, count, v, key)
    return count


@part
def _climb(
    begin, only, patience, passes, indptr, indices, weights, nodes, labels, sums, links, between, inner, most,
    heap, keys, place, goals, journal, state,
):  # fmt: skip
    """Climb from the nodes in the journal since ``begin`` and those linked to them, or from all."""
    for _ in range(passes):
        count, end = np.int64(0), state[_DONE]
        first, last = (0, len(labels)) if begin == _ALL else (begin, end)
        for j in range(first, last):
            v = j if begin == _ALL else np.int64(journal[j, 0])
            stop = indptr[v] if begin == _ALL else indptr[v + 1]
            state[_WORK] += stop - indptr[v]
            for e in range(indptr[v] - 1, stop):
                u = v if e < indptr[v] else np.int64(indices[e])
                if place[u] == _ABSENT:
                    count = _renew(u, only, count, labels, nodes, sums, links, inner, most, heap, keys, place, goals)
        change, best, best_end, looks, fresh = 0.0, 0.0, end, 0, 0
        over = excess(sums, most)
        least_over = over
        tolerance = 1e-12 * (1.0 + _total(sums))
        while count > 0 and state[_DONE] < len(journal):
            v = np.int64(heap[0])
            count = _renew(v, only, count, labels, nodes, sums, links, inner, most, heap, keys, place, goals)
            looks += 1
            if place[v] < 0 or (place[v] > 0 and looks < _LOOKS):
                continue
            looks = 0
            remove(heap, keys, place, count, v, np.int64(_LOCKED))
            count -= 1
            journal[state[_DONE], 0], journal[state[_DONE], 1] = v, labels[v]
            state[_DONE] += 1
            state[_WORK] += indptr[v + 1] - indptr[v] + 8
            own, goal = np.int64(labels[v]), np.int64(goals[v])
            change -= sums[own, VALUE] + sums[goal, VALUE]
            over -= max(0.0, sums[own, SIZE] - most) + max(0.0, sums[goal, SIZE] - most)
            shift(v, goal, indptr, indices, weights, nodes, labels, sums, links, between, inner)
            change += sums[own, VALUE] + sums[goal, VALUE]
            over += max(0.0, sums[own, SIZE] - most) + max(0.0, sums[goal, SIZE] - most)
            for e in range(indptr[v], indptr[v + 1]):
                u = np.int64(indices[e])
                if place[u] != _LOCKED:
                    count = _renew(u, only, count, labels, nodes, sums, links, inner, most, heap, keys, place, goals)
            if over < least_over or (over == least_over and change < best - tolerance):
                least_over, best, best_end = over, change, state[_DONE]
            elif state[_DONE] - best_end > patience:
                break
            fresh += 1
            if fresh > count >> 6 or sums[goal, SIZE] > most:
                fresh = 0
                state[_WORK] += count
                for j in range(count):
                    u = np.int64(heap[j])
                    keys[u], goals[u] = best_move(u, only, labels, nodes, sums, links, inner, most)
                heapify(heap, keys, place, count)
        for j in range(count):
            place[heap[j]] = _ABSENT
        for j in range(end, state[_DONE]):
            place[journal[j, 0]] = _ABSENT
        _undo(best_end, indptr, indices, weights, nodes, labels, sums, links, between, inner, journal, state)
        if best_end == end or only >= 0:
            break
        if begin != _ALL:
            begin = end


@part
def _undo(end, indptr, indices, weights, nodes, labels, sums, links, between, inner, journal, state):
    while state[_DONE] > end:
        state[_DONE] -= 1
        v, was = np.int64(journal[state[_DONE], 0]), np.int64(journal[state[_DONE], 1])
        shift(v, was, indptr, indices, weights, nodes, labels, sums, links, between, inner)
        state[_WORK] += indptr[v + 1] - indptr[v]


@part
def _partner(p, sums, between, inner, most):
    """Return the part that a part is best united with, and what that changes."""
    best, found = np.inf, -1
    for q in range(len(sums)):
        if q != p:
            cut = sums[p, CUT] + sums[q, CUT] - 2.0 * between[p, q]
            change = bounded_value(cut, sums[p, MASS] + sums[q, MASS], sums[p, SIZE] + sums[q, SIZE], inner, most)
            change -= sums[p, VALUE] + sums[q, VALUE]
            if change < best:
                best, found = change, q
    return best, found


@part
def _disturb(indptr, indices, weights, nodes, labels, sums, links, between, inner, most, journal, state):
    """Disturb the state; return in how many stages to climb.

    Three times of four two parts are united, a random one and its best partner or the best two of all, and another is begun
    at a random node. Else a random node goes to a part beside it.
    """
    n, k = len(labels), len(sums)
    kind, fresh = _draw(state, np.int64(4)), np.int64(-1)
    seed = _draw(state, n)
    if kind < 3:
        least, p, q = np.inf, np.int64(0), np.int64(0)
        chosen = _draw(state, k)
        for r in range(k):
            if kind == 0 or r == chosen:
                change, s = _partner(r, sums, between, inner, most)
                if change < least:
                    least, p, q = change, r, s
        if sums[p, NODES] > sums[q, NODES]:
            p, q = q, p
        fresh = p
        for v in range(n):
            if labels[v] == p:
                _record(v, q, indptr, indices, weights, nodes, labels, sums, links, between, inner, journal, state)
        state[_WORK] += n >> 3
        while sums[labels[seed], NODES] <= 1.0:
            seed = (seed + 1) % n
    else:
        degree = indptr[seed + 1] - indptr[seed]
        if degree > 0 and sums[labels[seed], NODES] > 1.0:
            fresh = np.int64(labels[indices[indptr[seed] + _draw(state, degree)]])
        if fresh < 0 or fresh == labels[seed]:
            return 1
    _record(seed, fresh, indptr, indices, weights, nodes, labels, sums, links, between, inner, journal, state)
    return 2


@part
def _record(v, goal, indptr, indices, weights, nodes, labels, sums, links, between, inner, journal, state):
    """Move a node, and write it down."""
    journal[state[_DONE], 0], journal[state[_DONE], 1] = v, labels[v]
    state[_DONE] += 1
    state[_WORK] += indptr[v + 1] - indptr[v]
    shift(v, goal, indptr, indices, weights, nodes, labels, sums, links, between, inner)


@kernel
def search(
    indptr,  # (n + 1,) int64  in
    indices,  # (e,) int32  in
    weights,  # (e,)  in: whole numbers
    nodes,  # (n, 3)  in: weight to other nodes, mass, size
    inner,  # float  in: 1 to divide by the mass without the cut
    most,  # float  in: largest size of a part
    labels,  # (n,) int32  in/out: every part has a node
    sums,  # (k, 6)  out
    links,  # (n, k)  out
    between,  # (k, k)  out
    heap,  # (n,) int32  scratch
    keys,  # (n,)  scratch
    place,  # (n,) int32  scratch
    goals,  # (n,) int32  scratch
    journal,  # (j, 2) int32  scratch
    settings,  # (4,) int64  in: patience, rounds in vain, rounds, work
    state,  # (3,) int64  in/out: the last is the seed, not 0
):
    n, k = len(labels), len(sums)
    patience, in_vain, rounds, budget = settings[0], settings[1], settings[2], settings[3]
    sums[:] = 0.0
    links[:] = 0.0
    between[:] = 0.0
    for v in range(n):
        place[v] = _ABSENT
        own = labels[v]
        for e in range(indptr[v], indptr[v + 1]):
            links[v, labels[indices[e]]] += weights[e]
        for p in range(k):
            between[own, p] += links[v, p]
        sums[own, CUT] += nodes[v, 0] - links[v, own]
        sums[own, MASS] += nodes[v, 1]
        sums[own, SIZE] += nodes[v, 2]
        sums[own, NODES] += 1.0
    for p in range(k):
        sums[p, VALUE] = part_value(sums[p, CUT], sums[p, MASS], inner)
        sums[p, RIGID] = 1.0 if n > _SOFT_NODES else 0.0
    state[_WORK], total, over, vain = 0, np.inf, np.inf, 0
    for turn in range(rounds + 1):
        state[_DONE] = 0
        stages = 1
        if turn > 0:
            if vain >= in_vain or state[_WORK] > budget or total <= 0.0 or k == 1 or k == n:
                break
            stages = _disturb(
                indptr, indices, weights, nodes, labels, sums, links, between, inner, most, journal, state
            )
        for stage in range(2 - stages, 2):
            begin, only, passes = np.int64(0), np.int64(-1), _PASSES
            if turn == 0:
                begin = np.int64(_ALL)
            elif stage == 0:
                # First the part that has been begun anew grows, and nothing else moves.
                begin, passes = state[_DONE] - 1, 1
                only = np.int64(labels[journal[begin, 0]])
            _climb(
                begin, only, patience, passes, indptr, indices, weights, nodes, labels, sums, links, between, inner,
                most, heap, keys, place, goals, journal, state,
            )  # fmt: skip
        now, now_over = _total(sums), excess(sums, most)
        if now_over < over or (now_over == over and now < total * (1.0 - 1e-12)):
            total, over, vain = now, now_over, 0
        else:
            vain += 1
            if now_over > over or now > total:
                _undo(np.int64(0), indptr, indices, weights, nodes, labels, sums, links, between, inner, journal, state)
    return total + WORST * (over / most) if over > 0.0 else total
