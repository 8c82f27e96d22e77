"""Moving nodes on all threads: rounds of batches, each thread inside one kernel from the first batch of a round to its last.

A batch takes a tenth of a millisecond where a graph is small, as long as to hand it to a thread from Python. So the threads stay: each
takes the next few nodes of the batch, by a counter, until none is left. Whoever finishes the last of them makes the moves of the
batch and lets all go on to the next. No thread is waited for that has not taken anything: however many there are, and whenever
they begin, the work is done. One that waits long goes back to Python, sleeps, and comes again.
"""

import time

import numpy as np

from ..engine import get_num_threads
from .atomics import add_one, read, write
from .blocks import run_blocks
from .communities_links import best_label, inlined, larger_table, prefetch_row, table_bits
from .jit import kernel
from .neighbors_tile import end_of
from .prefetch import prefetch_at, prefetch_to_write

__all__ = ["BATCHES", "batches", "make_round", "move"]

BATCHES = 16  # of a round; fewer than 8 lose quality, more only time
_NODES = 64  # that a thread takes at a time
_LINKS_AHEAD = 64  # of a node, at most
_ROWS_AHEAD, _LABELS_AHEAD, _MOVES_AHEAD = 8, 2, 16  # nodes: what they need is asked for before their turn
_SPINS = 1 << 17  # about 0.2 ms
_NAP_SECONDS = 5e-5
_LINE = 8  # numbers of a cache line: counters of their own lines do not slow each other down
_BATCH, _STOP, _TAKEN, _DONE = 0, _LINE, 2 * _LINE, (2 + BATCHES) * _LINE


def make_round(starts, order, links, state, chosen):
    """Let the nodes of each batch choose, and make their moves; the arguments are those of ``_work``."""
    progress = np.zeros((2 + 2 * BATCHES) * _LINE, np.int64)
    state.waiting[order[: starts[1]]] = False

    def work(_):
        rest = state.largest, chosen, state.waiting, progress
        while not progress[_STOP] and not _work(starts, order, *links, *state.arrays, *rest):
            time.sleep(_NAP_SECONDS)

    try:
        run_blocks(work, max(2, get_num_threads()))  # at least 2: a single block would keep Ctrl-C from the main thread
    except BaseException:
        progress[_STOP] = 1
        raise


@inlined
def _batch_of(node, mixed):
    h = (node * np.int64(-7046029254386353131)) ^ mixed
    h = (h ^ ((h >> 31) & 0x1FFFFFFFF)) * np.int64(-4658895280553007687)
    return (h >> 40) & (BATCHES - 1)


@kernel
def batches(
    indptr,  # (n + 1,) int64  in
    waiting,  # (n + 1,) bool  in
    mixed,  # int  in
    starts,  # (batches + 2,) int64  out: where each batch starts; the last entry is the number of links
    order,  # (n,) int32  out: waiting nodes by batch, ascending within
):
    """Divide the waiting nodes into batches."""
    n, links = len(order), 0
    starts[:] = 0
    for node in range(n):
        if waiting[node]:
            starts[_batch_of(node, mixed) + 1] += 1
            links += indptr[node + 1] - indptr[node]
    fill = np.empty(BATCHES, np.int64)
    for batch in range(BATCHES):
        fill[batch] = starts[batch]
        starts[batch + 1] += starts[batch]
    starts[BATCHES + 1] = links
    for node in range(n):
        if waiting[node]:
            batch = _batch_of(node, mixed)
            order[fill[batch]] = node
            fill[batch] += 1


@kernel
def _work(
    starts,  # (batches + 2,) int64  in: where each batch starts in the order
    order,  # (n,) int32  in: nodes
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
    largest,  # int  in: number of links of the node that has most
    chosen,  # (n,) int32  out: by place in the order; -1 for a community of its own
    waiting,  # (n + 1,) bool  in/out: neighbours of nodes that will move shall be looked at again
    progress,  # ((2 + 2 batches) lines,) int64  in/out: batch, whether to stop, parts of each batch taken, and done
):
    """Take part in a round; return whether it is over."""
    n = len(labels)
    near, heavy = np.empty(largest, np.int32), np.empty(largest)
    keys = np.empty(1 << table_bits(largest, n), np.int32)
    values, slots, ready = np.empty(len(keys)), np.empty(largest + 1, np.int32), 0
    batch, spins = read(progress, _BATCH), 0
    while batch < BATCHES and not read(progress, _STOP):
        start, end = starts[batch], starts[batch + 1]
        parts = max(1, -(-(end - start) // _NODES))
        part = add_one(progress, _TAKEN + batch * _LINE) if spins == 0 else parts
        if part >= parts:
            later = read(progress, _BATCH)
            spins = spins + 1 if later == batch else 0
            batch = later
            if spins > _SPINS:
                return False
            continue
        stop = end_of(part, np.int64(_NODES), end - start) + start
        for place in range(start + part * _NODES, stop):
            node = order[place]
            _ask_ahead(order, place, stop, indptr, indices, sizes, labels, totals)
            first, last = indptr[node], indptr[node + 1]
            bits = table_bits(last - first, n)
            ready = larger_table(keys, values, ready, bits)
            best = best_label(
                node, indptr, indices, weights, sizes, resolution, labels, totals, near, heavy, bits, keys, values, slots,
            )  # fmt: skip
            chosen[place] = best
            if best != labels[node]:
                _mark(first, last, best, indices, near, waiting)
        if add_one(progress, _DONE + batch * _LINE) == parts - 1:
            _make(batch, starts, order, chosen, sizes, labels, totals, members, free, n_free, waiting)
            batch += 1
            write(progress, _BATCH, batch)
    return batch >= BATCHES


@inlined
def _ask_ahead(order, place, stop, indptr, indices, sizes, labels, totals):
    """Ask for what the next nodes of a batch need: their links first, then the labels at the other ends."""
    prefetch_row(order[min(place + _ROWS_AHEAD, stop - 1)], indptr, indices)
    later = order[min(place + _LABELS_AHEAD, stop - 1)]
    prefetch_at(sizes, later)
    prefetch_at(totals, labels[later])
    for link in range(indptr[later], min(indptr[later + 1], indptr[later] + _LINKS_AHEAD)):
        prefetch_at(labels, indices[link])


@inlined
def _mark(first, last, best, indices, near, waiting):
    """Let the neighbours of a node that will move wait, but for those in the community that it joins."""
    n = len(waiting) - 1
    for link in range(last - first):
        # Only ever set, never cleared, by whichever thread: the same whatever comes first.
        waiting[indices[first + link] if near[link] != best else n] = True


@inlined
def _make(batch, starts, order, chosen, sizes, labels, totals, members, free, n_free, waiting):
    """Make the moves of a batch in their order; the nodes of the next one wait no longer."""
    for place in range(starts[batch], starts[batch + 1]):
        node = order[place]
        later = order[min(place + 2 * _MOVES_AHEAD, starts[batch + 1] - 1)]
        prefetch_to_write(labels, later)
        prefetch_at(sizes, later)
        later = min(place + _MOVES_AHEAD, starts[batch + 1] - 1)
        if chosen[later] != labels[order[later]]:
            prefetch_to_write(totals, labels[order[later]])
            prefetch_to_write(members, labels[order[later]])
            if chosen[later] >= 0:
                prefetch_to_write(totals, chosen[later])
                prefetch_to_write(members, chosen[later])
        if chosen[place] != labels[node]:
            move(node, chosen[place], sizes, labels, totals, members, free, n_free)
    if batch + 1 < BATCHES:
        for place in range(starts[batch + 1], starts[batch + 2]):
            waiting[order[place]] = False


@inlined
def move(node, label, sizes, labels, totals, members, free, n_free):
    """Move a node and keep the sums; return its new label."""
    own = labels[node]
    members[own] -= 1
    totals[own] -= sizes[node]
    if members[own] == 0:
        totals[own] = 0.0  # what rounding leaves
        free[n_free[0]] = own
        n_free[0] += 1
    if label < 0 or members[label] == 0:
        n_free[0] -= 1
        label = free[n_free[0]]
    members[label] += 1
    totals[label] += sizes[node]
    labels[node] = label
    return label
