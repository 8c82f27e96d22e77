"""k-way refinement on the CPU: searches that climb, from one node of the border at a time (localised k-way FM).

A search moves one node after the other, the one that saves most (or costs least) first, whatever the sign, each at most once
a round, and takes back what came after the best state it saw. One part may be too heavy for a while: then the next move is
out of it, so that chains of moves and swaps are found where no single move has room. Every part has a heap of its nodes.

Growing the halves of a small graph is in the same kernel: it uses the same heap and ends in the same search, which takes the
longest of all to compile.
"""

import numpy as np

from .coarsen import draw, random_state, run_soon, shuffle
from .jit import kernel, part

__all__ = ["grown_halves", "refine_parts"]

_ROW_ENTRIES = 1 << 26  # of the table of links between touched nodes and parts: 0.5 GB at most
_WORTH = 16  # a round that saves no more than this share of all so far is the last
_INNER = 2  # nodes with so many times more links inside than outside begin no search
_ANY = 1 << 60  # as room: none is needed; as reach: no limit to it
# Rows of `lists`: of each node its place in the heap, the part it would go to (once moved: where it came from), its row in
# `links`, and whether it has moved in this round; and the heaps, the nodes moved by a search, and the nodes at borders.
_PLACE, _TARGET, _ROW, _LOCKED, _HEAP, _MOVED, _BORDER = range(7)
_LOAD, _SIZE, _BASE, _COUNT = range(
    4
)  # Rows of `sums`: of each part its weight, and size and start of its heap; and counts
_ROWS, _EXCESS, _EXTRA = range(
    3
)  # Counts: rows used, what parts weigh above their limits, by how much one may for a while


# A call of a function of ten arrays costs as much as what these do.
_inlined = kernel(no_cpython_wrapper=True, cache=False, forceinline=True)


def refine_parts(graph, node_weights, limits, labels, seed, rounds, patience):
    """Refine in place; see ``primitives.kway.refine_parts``."""
    work = _work(len(labels), len(limits))
    return run_soon(
        _search, graph, node_weights, limits, labels, random_state(seed), rounds, patience, 0, 0, *work, labels
    )


def grown_halves(graph, node_weights, limits, target, tries, seed, rounds, patience):
    """Grow; see ``primitives.kway.grown_halves``."""
    n = len(node_weights)
    tried, best = np.empty(n, np.int32), np.empty(n, np.int32)
    run_soon(
        _search,
        graph,
        node_weights,
        limits,
        tried,
        random_state(seed),
        rounds,
        patience,
        tries,
        target,
        *_work(n, 2),
        best,
    )
    return best


def _work(n, k):
    rows = max(1, min(n, _ROW_ENTRIES // k))
    return (
        np.empty((7, n), np.int32),
        np.empty((rows, k), np.int64),
        np.empty(n, np.int64),
        np.empty((4, k + 3), np.int64),
    )


@kernel
def _search(
    indptr,  # (n + 1,) int64  in
    indices,  # (m,) int32  in
    weights,  # (m,) int64  in
    node_weights,  # (n,) int64  in
    limits,  # (k,) int64  in: greatest weight of each part
    labels,  # (n,) int32  in/out
    state,  # (1,) uint64  in/out
    rounds,  # int  in: at most
    patience,  # int  in: moves of a search without a better state
    tries,  # int  in: of growing halves; 0 to refine only
    target,  # int  in: weight of part 0 if grown
    lists,  # (7, n) int32  work
    links,  # (rows, k) int64  work: of a touched node to each part
    gain,  # (n,) int64  work: what moving a node to its target saves
    sums,  # (4, k + 3) int64  work
    best_labels,  # (n,) int32  out: the best of the tries
):
    n = len(labels)
    best_cut, best_excess, saved = np.int64(0), np.int64(-1), np.int64(0)
    for _ in range(max(tries, 1)):
        if tries > 0:
            _grow(indptr, indices, weights, node_weights, labels, state, target, lists, gain)
        saved = np.int64(0)
        _begin(node_weights, limits, labels, lists, sums)
        for _turn in range(rounds):
            count = _begin_round(indptr, indices, weights, labels, lists, sums, len(limits))
            shuffle(lists[_BORDER], count, np.int64(_ANY), state)
            before, excess = saved, sums[_COUNT, _EXCESS]
            for i in range(count):
                v = np.int64(lists[_BORDER, i])
                if lists[_LOCKED, v] == 0:
                    saved += _walk(
                        indptr, indices, weights, node_weights, limits, labels, lists, links, gain, sums, patience, v
                    )
            if (saved - before) * _WORTH <= abs(saved) and sums[_COUNT, _EXCESS] >= excess:
                break
        if tries > 0:
            cut = np.int64(0)
            for v in range(n):
                for e in range(indptr[v], indptr[v + 1]):
                    if labels[indices[e]] != labels[v]:
                        cut += weights[e]
            excess = sums[_COUNT, _EXCESS]
            if best_excess < 0 or excess < best_excess or (excess == best_excess and cut < best_cut):
                best_cut, best_excess = cut, excess
                for v in range(n):
                    best_labels[v] = labels[v]
    return saved


@part
def _grow(indptr, indices, weights, node_weights, labels, state, target, lists, gain):
    """Label nodes 0, from a random one on, until they are as heavy as ``target``; all others 1."""
    n = len(labels)
    for v in range(n):
        labels[v] = 1
        lists[_PLACE, v] = -1
        gain[v] = 0
        for e in range(indptr[v], indptr[v + 1]):
            gain[v] -= weights[e]
    size, load = np.int64(0), np.int64(0)
    while load < target:
        if size == 0:
            v = draw(state, n)
            while labels[v] == 0:
                v = v + 1 if v + 1 < n else 0
        else:
            v = np.int64(lists[_HEAP, 0])
            size -= 1
            _settle(lists, gain, np.int64(0), size, np.int64(0), np.int64(lists[_HEAP, size]))
        # The last node goes where the sum ends up nearer.
        if load + node_weights[v] - target > target - load and load > 0:
            break
        labels[v] = 0
        load += node_weights[v]
        for e in range(indptr[v], indptr[v + 1]):
            u = np.int64(indices[e])
            if labels[u] == 1:
                gain[u] += 2 * weights[e]
                at = np.int64(lists[_PLACE, u])
                if at < 0:
                    at = size
                    size += 1
                _settle(lists, gain, np.int64(0), size, at, u)


@part
def _begin(node_weights, limits, labels, lists, sums):
    n, k = len(labels), len(limits)
    for p in range(k):
        sums[_LOAD, p] = 0
        sums[_SIZE, p] = 0
    heaviest, excess = np.int64(0), np.int64(0)
    for v in range(n):
        sums[_LOAD, labels[v]] += node_weights[v]
        heaviest = max(heaviest, node_weights[v])
        lists[_ROW, v] = -1
        lists[_PLACE, v] = -1
    for p in range(k):
        excess += max(np.int64(0), sums[_LOAD, p] - limits[p])
    sums[_COUNT, _ROWS], sums[_COUNT, _EXCESS], sums[_COUNT, _EXTRA] = 0, excess, heaviest


@part
def _begin_round(indptr, indices, weights, labels, lists, sums, k):
    """Find where each part's heap begins and the nodes with links to other parts; return how many."""
    for p in range(k + 1):
        sums[_BASE, p] = 0
    count = np.int64(0)
    for v in range(len(labels)):
        own = labels[v]
        sums[_BASE, own + 1] += 1
        lists[_LOCKED, v] = 0
        inner, outer = np.int64(0), np.int64(0)
        for e in range(indptr[v], indptr[v + 1]):
            if labels[indices[e]] != own:
                outer += weights[e]
            else:
                inner += weights[e]
        if outer > 0 and outer * _INNER >= inner:
            lists[_BORDER, count] = v
            count += 1
    for p in range(k):
        sums[_BASE, p + 1] += sums[_BASE, p]
    return count


@part
def _walk(indptr, indices, weights, node_weights, limits, labels, lists, links, gain, sums, patience, first):
    """Search from one node; return by how much less is cut. What parts weigh above their limits never grows."""
    moves, best_moves = 0, 0
    now, best, best_excess = np.int64(0), np.int64(0), sums[_COUNT, _EXCESS]
    v, p, t = first, np.int64(-1), np.int64(-1)
    low, high = np.int64(0), np.int64(1)
    while moves - best_moves < patience:
        for e in range(low, high):  # the neighbours of the last move; at first one node alone
            u = np.int64(indices[e]) if t >= 0 else first
            if lists[_LOCKED, u] == 0:
                _touch(indptr, indices, weights, labels, lists, links, gain, sums, limits, u, p, t)
        v, t = _next(node_weights, limits, lists, links, gain, sums)
        if t < 0:
            break
        p, r = np.int64(labels[v]), lists[_ROW, v]
        now += links[r, t] - links[r, p]
        _shift(indptr, indices, weights, node_weights, limits, labels, lists, links, sums, v, t)
        lists[_LOCKED, v], lists[_TARGET, v], lists[_MOVED, moves] = 1, p, v
        moves += 1
        excess = sums[_COUNT, _EXCESS]
        if excess < best_excess or (excess == best_excess and now > best):
            best, best_excess, best_moves = now, excess, moves
        low, high = indptr[v], indptr[v + 1]
    while moves > best_moves:  # back to the best state
        moves -= 1
        v = np.int64(lists[_MOVED, moves])
        _shift(
            indptr, indices, weights, node_weights, limits, labels, lists, links, sums, v, np.int64(lists[_TARGET, v])
        )
    for q in range(len(limits)):
        for j in range(sums[_SIZE, q]):
            lists[_PLACE, lists[_HEAP, sums[_BASE, q] + j]] = -1
        sums[_SIZE, q] = 0
    return best


@_inlined
def _touch(indptr, indices, weights, labels, lists, links, gain, sums, limits, u, p, t):
    """Bring a node into its part's heap, or to its new place there, after a neighbour moved from p to t."""
    own, r, at = np.int64(labels[u]), np.int64(lists[_ROW, u]), np.int64(lists[_PLACE, u])
    if r < 0:
        r = sums[_COUNT, _ROWS]
        if r == len(links):
            return
        for q in range(len(limits)):
            links[r, q] = 0
        for e in range(indptr[u], indptr[u + 1]):
            links[r, labels[indices[e]]] += weights[e]
        lists[_ROW, u] = r
        sums[_COUNT, _ROWS] += 1
    best = np.int64(lists[_TARGET, u])
    if at >= 0 and best != p and best != own:  # only t can have become better
        if t != own and links[r, t] > links[r, best]:
            lists[_TARGET, u] = t
        gain[u] = links[r, lists[_TARGET, u]] - links[r, own]
    elif not _choose(limits, lists, links, gain, sums, u, own, np.int64(_ANY)) and at < 0:
        return
    if at < 0:
        at = sums[_SIZE, own]
        sums[_SIZE, own] += 1
    _settle(lists, gain, sums[_BASE, own], sums[_SIZE, own], at, u)


@_inlined
def _next(node_weights, limits, lists, links, gain, sums):
    """Take the node to move next out of its heap; return it and the part to move it to, -1 where there is none."""
    while True:
        v, p, heavy, over = np.int64(-1), np.int64(-1), np.int64(-1), np.int64(0)
        for q in range(len(limits)):
            if sums[_LOAD, q] - limits[q] > over:
                heavy, over = np.int64(q), sums[_LOAD, q] - limits[q]
            if sums[_SIZE, q] > 0:
                u = np.int64(lists[_HEAP, sums[_BASE, q]])
                if v < 0 or gain[u] > gain[v]:
                    v, p = u, np.int64(q)
        if heavy >= 0 and heavy != p:
            p = heavy
            v = np.int64(lists[_HEAP, sums[_BASE, p]]) if sums[_SIZE, p] > 0 else np.int64(-1)
        if v < 0:
            return v, v
        room = (np.int64(0) if heavy >= 0 else sums[_COUNT, _EXTRA]) - node_weights[v]
        t, worth = np.int64(lists[_TARGET, v]), gain[v]
        if t != p and sums[_LOAD, t] > limits[t] + room:
            _choose(limits, lists, links, gain, sums, v, p, room)
            t = np.int64(lists[_TARGET, v])
        if t == p or gain[v] >= worth:
            # Out of the heap: the last one there takes its place.
            last = sums[_SIZE, p] - 1
            sums[_SIZE, p] = last
            if last > 0:
                _settle(lists, gain, sums[_BASE, p], last, np.int64(0), np.int64(lists[_HEAP, sums[_BASE, p] + last]))
            lists[_PLACE, v] = -1
            if t != p:
                return v, t
        else:
            _settle(lists, gain, sums[_BASE, p], sums[_SIZE, p], np.int64(lists[_PLACE, v]), v)


@_inlined
def _shift(indptr, indices, weights, node_weights, limits, labels, lists, links, sums, v, t):
    """Move a node to part t, and keep count."""
    p = np.int64(labels[v])
    labels[v] = t
    sums[_COUNT, _EXCESS] -= max(np.int64(0), sums[_LOAD, p] - limits[p]) + max(np.int64(0), sums[_LOAD, t] - limits[t])
    sums[_LOAD, p] -= node_weights[v]
    sums[_LOAD, t] += node_weights[v]
    sums[_COUNT, _EXCESS] += max(np.int64(0), sums[_LOAD, p] - limits[p]) + max(np.int64(0), sums[_LOAD, t] - limits[t])
    for e in range(indptr[v], indptr[v + 1]):
        r = lists[_ROW, indices[e]]
        if r >= 0:
            links[r, p] -= weights[e]
            links[r, t] += weights[e]


@_inlined
def _choose(limits, lists, links, gain, sums, u, own, room):
    """Set the part that u is best moved to and what that saves; say whether there is one that it has links to and that has room.

    ``room`` is by how much a part may exceed its limit, less what u weighs.
    """
    r = lists[_ROW, u]
    best, most = own, np.int64(0)
    for p in range(len(limits)):
        if links[r, p] > most and p != own and sums[_LOAD, p] <= limits[p] + room:
            best, most = np.int64(p), links[r, p]
    lists[_TARGET, u] = best  # its own part: there is none
    gain[u] = most - links[r, own]
    return best != own


@part
def _settle(lists, gain, base, size, at, v):
    """Put v into a heap at a free place, or where it is, and bring it up or down to where it belongs."""
    worth = gain[v]
    while at > 0:
        above = (at - 1) >> 1
        u = lists[_HEAP, base + above]
        if gain[u] >= worth:
            break
        lists[_HEAP, base + at] = u
        lists[_PLACE, u] = at
        at = above
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        if below + 1 < size and gain[lists[_HEAP, base + below + 1]] > gain[lists[_HEAP, base + below]]:
            below += 1
        u = lists[_HEAP, base + below]
        if gain[u] <= worth:
            break
        lists[_HEAP, base + at] = u
        lists[_PLACE, u] = at
        at = below
    lists[_HEAP, base + at] = v
    lists[_PLACE, v] = at
