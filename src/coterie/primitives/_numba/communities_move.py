"""Moving nodes between communities on the CPU: in rounds on all threads while many wait, then one node after the other.

A round goes through the waiting nodes in batches, chosen by a hash of their numbers so that few neighbours meet in one. All
nodes of a batch choose at once, from what was before the batch; then the moves are made, in order. Two neighbours that choose
at the same time may spoil each other's gain: both are looked at again in the next round, in other batches. When few are left,
a queue finishes: there every move is a gain, so it ends.
"""

import numpy as np

from .blocks import run_kernel
from .communities_links import best_label, larger_table, table_bits
from .communities_rounds import BATCHES, batches, make_round, move
from .jit import kernel

__all__ = ["joined_nodes", "moved_nodes"]

_LINKS_TOGETHER = 1 << 19  # below, handing work to threads costs more than it saves
_ROUNDS = 32
_SLOW = 0.8  # a round that leaves more of the communities than this
_LINKS_A_CALL = 1 << 22  # about 0.1 s, so that Ctrl-C is heard
_ENOUGH_PASSES = 1000  # never reached but by rounding


def moved_nodes(graph, labels, resolution, seed):
    """Move nodes while that betters the partition; see ``primitives.communities.moved_nodes``."""
    n, m = graph.n_nodes, len(graph.indices)
    if not m:
        return labels.copy()
    state = _State(graph, labels)
    links = (graph.indptr, graph.indices, graph.weights, graph.sizes, resolution)
    if m < _LINKS_TOGETHER:
        _finish(links, state, np.random.default_rng(seed).permutation(n))
    else:
        _move_together(links, state, seed, 1.0)
        _finish(links, state, np.flatnonzero(state.waiting[:n]))
    return state.labels


def joined_nodes(graph, resolution, seed):
    """Join nodes while that is fast; see ``primitives.communities.joined_nodes``."""
    n = graph.n_nodes
    labels = np.arange(n, dtype=np.int32)
    if len(graph.indices) < _LINKS_TOGETHER:
        return moved_nodes(graph, labels, resolution, seed)
    state = _State(graph, labels)
    links = (graph.indptr, graph.indices, graph.weights, graph.sizes, resolution)
    if _move_together(links, state, seed, _SLOW):
        _finish(links, state, np.flatnonzero(state.waiting[:n]))
    return state.labels


class _State:
    """The partition on its way."""

    def __init__(self, graph, labels):
        n = graph.n_nodes
        self.labels = labels.copy()
        self.totals = np.bincount(labels, graph.sizes, minlength=n)
        self.members = np.bincount(labels, minlength=n).astype(np.int32)
        empty = np.flatnonzero(self.members == 0).astype(np.int32)
        self.free = np.empty(n, np.int32)  # labels without nodes, the lowest taken first
        self.free[: len(empty)] = empty[::-1]
        self.n_free = np.array([len(empty)])
        self.waiting = np.ones(n + 1, np.bool_)  # the last entry takes what need not be known
        self.largest = int(np.diff(graph.indptr).max())
        self.arrays = self.labels, self.totals, self.members, self.free, self.n_free


def _move_together(links, state, seed, enough):
    """Make rounds while many nodes wait; return False where a round left more than this share of the communities."""
    n = len(state.labels)
    order, chosen = np.empty(n, np.int32), np.empty(n, np.int32)
    starts = np.empty(BATCHES + 2, np.int64)
    for turn in range(_ROUNDS):
        mixed = (seed + turn * 0x632BE59BD9B4E019) & 0x7FFFFFFFFFFFFFFF
        before = n - state.n_free[0]
        batches(links[0], state.waiting, mixed, starts, order)
        if starts[-1] < _LINKS_TOGETHER:
            return True
        make_round(starts, order, links, state, chosen)
        if n - state.n_free[0] > enough * before:
            return False
    return True


def _finish(links, state, first):
    """Move nodes one after the other, those given first, until none waits."""
    n, m = len(state.labels), len(links[1])
    queue = np.empty(n, np.int32)
    queue[: len(first)] = first
    progress = np.array([0, len(first), 0])
    while progress[1] and progress[2] < _ENOUGH_PASSES * m:
        run_kernel(_move_in_turn, *links, *state.arrays, state.largest, queue, state.waiting, progress)


@kernel
def _move_in_turn(
    indptr,  # (n + 1,) int64  in
    indices,  # (m,) int32  in
    weights,  # (m,) or (1,) int32 or float64  in
    sizes,  # (n,) float64  in
    resolution,  # float  in
    labels,  # (n,) int32  in/out
    totals,  # (n,) float64  in/out
    members,  # (n,) int32  in/out
    free,  # (n,) int32  in/out
    n_free,  # (1,) int64  in/out
    largest,  # int  in
    queue,  # (n,) int32  in/out: a ring
    waiting,  # (n + 1,) bool  in/out: which nodes are in it
    progress,  # (3,) int64  in/out: where the ring starts, how many nodes are in it, links looked at so far
):
    """Move the first node of the queue to its best community, its neighbours to the end of the queue, and so on."""
    n = len(labels)
    near, heavy = np.empty(largest, np.int32), np.empty(largest)
    keys = np.empty(1 << table_bits(largest, n), np.int32)
    values, slots, ready = np.empty(len(keys)), np.empty(largest + 1, np.int32), 0
    head, length, links = progress[0], progress[1], 0
    while length > 0 and links < _LINKS_A_CALL:
        node = queue[head]
        head = head + 1 if head + 1 < n else 0
        length -= 1
        waiting[node] = False
        first, last = indptr[node], indptr[node + 1]
        links += last - first + 1
        bits = table_bits(last - first, n)
        ready = larger_table(keys, values, ready, bits)
        best = best_label(
            node, indptr, indices, weights, sizes, resolution, labels, totals, near, heavy, bits, keys, values, slots
        )
        if best == labels[node]:
            continue
        best = move(node, best, sizes, labels, totals, members, free, n_free)
        at = head + length if head + length < n else head + length - n
        for link in range(last - first):
            other = indices[first + link]
            queue[at] = other
            new = (near[link] != best) & (not waiting[other])
            waiting[other] |= new
            length += new
            at += new
            at = at if at < n else 0
    progress[0], progress[1] = head, length
    progress[2] += links
