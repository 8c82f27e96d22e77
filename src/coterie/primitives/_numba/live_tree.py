"""A k-d tree over the centers of clusters that merge: search for the nearest other one, put a center in place of two.

A cluster is named by its lowest row. Its center lies in a slot of the tree; where two merge, the new center takes one of their
slots, the other is emptied, and the boxes above both are fitted anew. The tree is built again when many slots are empty.

The dissimilarity of two clusters is the squared distance of their centers times ``2 s t / (s + t)`` (Ward; s and t are their
weights), or that distance itself. The weight grows with s and t, so that the box of a node and the least weight below it
bound all that lies in the node. Equal dissimilarities: the lower name.
"""

from typing import NamedTuple

import numpy as np

from .blocks import run_blocks
from .jit import kernel, part
from .kdtree import build_kdtree
from .neighbors import node_minimum
from .neighbors_tile import box_gap2, end_of, low_bit, near_distances

__all__ = ["LiveTree", "find_nearest", "merge_slots", "plant", "search", "weighed"]

_STACK = 128  # more than any depth of a balanced tree
_SEARCHES_PER_BLOCK = 64
_SLACK = 1.0 + 1e-14  # more than the rounding of a few operations: a bound must never pass over what it bounds


class LiveTree(NamedTuple):
    """The state of the clusters, by slot of the tree and by name; kernels take it as it is."""

    first_leaf: int
    bounds: np.ndarray  # (nodes + 1, 2) int64: first slot and end of each node
    low: np.ndarray  # (nodes, d) lower corner of each box
    high: np.ndarray  # (nodes, d) upper corner
    least: np.ndarray  # (nodes,) least weight below; infinite where there is no cluster
    panels: np.ndarray  # (leaves, d, 32) centers as the tile reads them, infinite where there is none
    centers: np.ndarray  # (slots, d)
    weight: np.ndarray  # (slots,) 0 where the slot is empty
    name: np.ndarray  # (slots,) int64
    leaf: np.ndarray  # (slots,) int64: node that holds the slot
    slot: np.ndarray  # (n,) int64: of each name


def plant(centers: np.ndarray, weight: np.ndarray, name: np.ndarray, slot: np.ndarray) -> LiveTree:
    """Build the tree.

    Parameters
    ----------
    centers : (m, d) float64 array
        Of magnitude about 1.
    weight : (m,) float64 array
        Above 0.
    name : (m,) int64 array
        Ascending.
    slot : (n,) int64 array
        Written where there is a name.
    """
    tree = build_kdtree(centers)
    leaves, first = len(tree.panels), tree.first_leaf
    ends = tree.bounds[first : first + leaves]
    leaf = np.repeat(np.arange(first, first + leaves), ends[:, 1] - ends[:, 0])
    slot[name[tree.order]] = np.arange(len(name))
    least = node_minimum(tree, weight[tree.order])
    return LiveTree(
        first, tree.bounds, tree.low, tree.high, least, tree.panels, tree.X, weight[tree.order], name[tree.order], leaf, slot
    )  # fmt: skip


def find_nearest(live: LiveTree, ward: bool, todo: np.ndarray, nearest: np.ndarray, distance2: np.ndarray) -> None:
    """Find the nearest other cluster of each one in ``todo``, by name; see `search`."""
    blocks = -(-len(todo) // _SEARCHES_PER_BLOCK)
    run_blocks(_search_block, blocks, _SEARCHES_PER_BLOCK, live, ward, todo, nearest, distance2)


@kernel
def _search_block(block, per_block, live, ward, todo, nearest, distance2):
    gaps, stack, reach = np.empty(32), np.empty(_STACK, np.int64), np.empty(_STACK)
    for t in range(block * per_block, end_of(block, per_block, len(todo))):
        search(live, ward, todo[t], gaps, stack, reach, nearest, distance2)


@part
def weighed(ward, s, t):
    """Return what a squared distance of centers counts between weights s and t."""
    return 2.0 * (s * t / (s + t)) if ward else 1.0


@part
def search(
    live,  # LiveTree  in
    ward,  # bool  in
    name,  # int  in: whose nearest other cluster is sought
    gaps,  # (32,)  scratch
    stack,  # (128,) int64  scratch
    reach,  # (128,)  scratch
    nearest,  # (n,) int64  out: its name, n where there is none
    distance2,  # (n,)  out: its dissimilarity
):
    """Walk from the leaf of the cluster upwards, so that what is met first is near."""
    place = live.slot[name]
    mine, home, first_leaf = live.weight[place], live.leaf[place], live.first_leaf
    best, other = np.inf, len(nearest)
    climbing, top = home, 1
    stack[0], reach[0] = home, 0.0
    while True:
        while top:
            top -= 1
            node = stack[top]
            if live.least[node] == np.inf:
                continue
            factor = weighed(ward, mine, live.least[node])
            if reach[top] * factor > best * _SLACK:
                continue
            if node < first_leaf:
                nearer, further = 2 * node + 1, 2 * node + 2
                a = box_gap2(live.centers, place, live.low, live.high, nearer)
                b = box_gap2(live.centers, place, live.low, live.high, further)
                if b < a:
                    nearer, further, a, b = further, nearer, b, a
                stack[top], reach[top] = further, b
                stack[top + 1], reach[top + 1] = nearer, a
                top += 2
                continue
            start = live.bounds[node, 0]
            bits = near_distances(live.centers, place, live.panels, node - first_leaf, best * _SLACK / factor, gaps) & (
                (1 << (live.bounds[node, 1] - start)) - 1
            )
            if start <= place < live.bounds[node, 1]:
                bits &= ~(1 << (place - start))
            while bits:
                j = low_bit(bits)
                bits &= bits - 1
                if gaps[j] == np.inf:
                    continue
                value = gaps[j] * weighed(ward, mine, live.weight[start + j])
                if value < best or (value == best and live.name[start + j] < other):
                    best, other = value, live.name[start + j]
        if climbing == 0:
            break
        sibling = climbing + 1 if climbing & 1 else climbing - 1
        stack[0], reach[0], top = sibling, box_gap2(live.centers, place, live.low, live.high, sibling), 1
        climbing = (climbing - 1) // 2
    nearest[name], distance2[name] = other, best


@part
def merge_slots(
    live,  # LiveTree  in/out
    middle,  # bool  in: the new center lies half-way, whatever the weights
    keep,  # int  in: name of the cluster that goes on, the lower one
    gone,  # int  in: name of the other
):
    """Replace two clusters by one."""
    p, q = live.slot[keep], live.slot[gone]
    s, t = live.weight[p], live.weight[q]
    leaf = live.leaf[p]
    column = p - live.bounds[leaf, 0]
    for f in range(live.centers.shape[1]):
        one, other = live.centers[p, f], live.centers[q, f]
        # Equal rows keep their place to the last bit, so that they all merge at height 0.
        value = one if one == other else 0.5 * (one + other) if middle else (s * one + t * other) / (s + t)
        live.centers[p, f] = value
        live.panels[leaf - live.first_leaf, f, column] = value
    live.weight[p], live.weight[q] = s + t, 0.0
    leaf = live.leaf[q]
    column = q - live.bounds[leaf, 0]
    for f in range(live.centers.shape[1]):
        live.panels[leaf - live.first_leaf, f, column] = np.inf
    for _ in range(2):
        _refit(live, leaf)
        if leaf == live.leaf[p]:
            break
        leaf = live.leaf[p]


@part
def _refit(live, leaf):
    """Fit the boxes and the least weights from a leaf up to the root, as far as something changes."""
    low, high, least = live.low, live.high, live.least
    for f in range(low.shape[1]):
        low[leaf, f], high[leaf, f] = np.inf, -np.inf
    weight, found = np.inf, False
    for place in range(live.bounds[leaf, 0], live.bounds[leaf, 1]):
        if live.weight[place] == 0.0:
            continue
        found = True
        if live.weight[place] < weight:
            weight = live.weight[place]
        for f in range(low.shape[1]):
            value = live.centers[place, f]
            if value < low[leaf, f]:
                low[leaf, f] = value
            if value > high[leaf, f]:
                high[leaf, f] = value
    least[leaf] = weight if found else np.inf
    node = leaf
    while node:
        node = (node - 1) // 2
        one, other = 2 * node + 1, 2 * node + 2
        changed = False
        value = least[one] if least[one] < least[other] else least[other]
        if value != least[node]:
            least[node], changed = value, True
        for f in range(low.shape[1]):
            value = low[one, f] if low[one, f] < low[other, f] else low[other, f]
            if value != low[node, f]:
                low[node, f], changed = value, True
            value = high[one, f] if high[one, f] > high[other, f] else high[other, f]
            if value != high[node, f]:
                high[node, f], changed = value, True
        if not changed:
            break
