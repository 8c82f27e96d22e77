"""Merging along a spanning tree while the sizes stay even: Genie's loop, compiled (without an engine of its own; `_numba` does it).

The Gini index of the sizes c is the sum of |c_i - c_j| over all pairs, divided by (m - 1) n for m clusters of n rows. That sum is a
whole number; two Fenwick trees over the sizes (how many clusters, how many rows up to a size) renew it in O(log n) at a merge.
Edges that were passed over because neither end was of the smallest size stay so until the smallest size grows, and with smallest
size s at most n / s edges are left: all searches together look at no more than n (1 + 1/2 + 1/3 + ...) edges.
"""

import numpy as np

from ..primitives.compiled import find, kernel, part, run_kernel

__all__ = ["Merging"]

_MERGES_A_CALL = 1 << 18  # about 0.2 s at most, so that Ctrl-C is heard
_CLUSTERS, _SPREAD, _SMALLEST, _SEARCH = 0, 1, 2, 3


class Merging:
    """The clusters so far, and the merges that led to them.

    Parameters
    ----------
    left, right : (n - 1,) int64 array
        Edges of a spanning tree in the order in which they are preferred.
    weights : (n - 1,) float64 array
        Their lengths.
    n_free : int
        So many edges at the front are taken whatever the sizes.
    """

    def __init__(self, left: np.ndarray, right: np.ndarray, weights: np.ndarray, n_free: int) -> None:
        n = len(weights) + 1
        self._edges = left, right, weights
        self._n_free = n_free
        self._parent, self._size, self._node = np.arange(n), np.ones(n, np.int64), np.arange(n)
        # Edge e is entry e + 1 of a ring, whose entry 0 joins the end to the start.
        self._after, self._before = np.roll(np.arange(n), -1), np.roll(np.arange(n), 1)
        self._held = np.zeros(n + 1, np.int64)
        self._held[1] = n
        # All clusters have size 1: every entry of a Fenwick tree that covers it holds them all.
        self._up_to = np.zeros((n + 1, 2), np.int64)
        covering = 1 << np.arange(n.bit_length())
        self._up_to[covering[covering <= n]] = n
        self._state = np.array([n, 0, 1, 1], np.int64)
        self.linkage = np.empty((n - 1, 4))

    def merge_down_to(self, n_clusters: int, gini_threshold: float) -> None:
        """Merge until no more than ``n_clusters`` are left."""
        while self._state[_CLUSTERS] > n_clusters:
            steps = min(_MERGES_A_CALL, int(self._state[_CLUSTERS]) - n_clusters)
            run_kernel(
                _merge, steps, self._n_free, float(gini_threshold), *self._edges, self._parent, self._size, self._node,
                self._after, self._before, self._held, self._up_to, self._state, self.linkage,
            )  # fmt: skip

    def labels(self) -> np.ndarray:
        """Return the cluster of each row, (n,) int64, numbered in order of first appearance."""
        labels = np.empty(len(self._parent), np.int64)
        run_kernel(_number, self._parent, labels)
        return labels


@kernel
def _merge(
    steps,  # int  in: merges of this call
    n_free,  # int  in: edges at the front that are taken whatever the sizes
    threshold,  # float  in: above this Gini index the smallest must merge
    left,  # (n - 1,) int64  in
    right,  # (n - 1,) int64  in
    weights,  # (n - 1,)  in
    parent,  # (n,) int64  in/out: union-find over the rows
    size,  # (n,) int64  in/out: rows of a root's cluster
    node,  # (n,) int64  in/out: the node that a root stands for
    after,  # (n,) int64  in/out: ring of the edges left, in order
    before,  # (n,) int64  in/out
    held,  # (n + 1,) int64  in/out: clusters of each size
    up_to,  # (n + 1, 2) int64  in/out: Fenwick trees of clusters and rows by size
    state,  # (4,) int64  in/out
    linkage,  # (n - 1, 4)  out
):
    n = len(parent)
    m, spread, smallest, search = state[0], state[1], state[2], state[3]
    for _ in range(steps):
        entry = after[0]
        if entry > n_free and spread > threshold * np.float64((m - 1) * n):
            if held[smallest] == 0:
                search = entry
                while held[smallest] == 0:
                    smallest += 1
            while (
                size[find(parent, left[search - 1])] != smallest and size[find(parent, right[search - 1])] != smallest
            ):
                search = after[search]
            entry = search
        after[before[entry]], before[after[entry]] = after[entry], before[entry]
        if entry == search:
            search = after[entry]
        a, b = find(parent, left[entry - 1]), find(parent, right[entry - 1])
        if size[a] < size[b]:
            a, b = b, a
        one, other = size[a], size[b]
        spread -= _gaps(up_to, one, m, n)
        _put(up_to, one, -1)
        spread -= _gaps(up_to, other, m - 1, n - one)
        _put(up_to, other, -1)
        spread += _gaps(up_to, one + other, m - 2, n - one - other)
        _put(up_to, one + other, 1)
        held[one] -= 1
        held[other] -= 1
        held[one + other] += 1
        made = n - m
        linkage[made, 0], linkage[made, 1] = min(node[a], node[b]), max(node[a], node[b])
        linkage[made, 2], linkage[made, 3] = weights[entry - 1], one + other
        parent[b] = a
        size[a] = one + other
        node[a] = n + made
        m -= 1
    state[0], state[1], state[2], state[3] = m, spread, smallest, search


@part
def _gaps(up_to, size, m, rows):
    """Return the sum of |size - c| over the m clusters, which hold so many rows."""
    clusters, below, i = 0, 0, size
    while i > 0:
        clusters += up_to[i, 0]
        below += up_to[i, 1]
        i &= i - 1
    return size * clusters - below + (rows - below) - size * (m - clusters)


@part
def _put(up_to, size, sign):
    """Add or take away a cluster of this size."""
    i = size
    while i < len(up_to):
        up_to[i, 0] += sign
        up_to[i, 1] += sign * size
        i += i & -i


@kernel
def _number(
    parent,  # (n,) int64  in
    labels,  # (n,) int64  out
):
    labels[:] = -1
    n_labels = 0
    for i in range(len(parent)):
        root = i
        while parent[root] != root:
            root = parent[root]
        # A root may come later than its first row: its entry serves as the number of the whole until it is reached.
        if labels[root] < 0:
            labels[root] = n_labels
            n_labels += 1
        labels[i] = labels[root]
