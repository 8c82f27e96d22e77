"""Spanning trees of rows that lie in parts: the tree of each part, what two parts add, and the tree of all; see the front.

Everything is squared and in the scale of the index, where edges have their strict order; only the finished tree has lengths.
"""

import numpy as np

from .blocks import run_kernel
from .boruvka import Known, boruvka
from .jit import kernel
from .kdtree import build_kdtree
from .neighbors import Index, _nearest_of_queries, nearest_in_index, node_minimum, safe_scale
from .neighbors_tile import larger
from .prim import MOST_ROWS, prim
from .spanning_tree import _in_order, _weights
from .union_find import find

__all__ = [
    "grown",
    "in_lengths",
    "merged",
    "nearest_of_part",
    "nearest_of_queries",
    "part_index",
    "part_scale",
    "settled",
    "tree_of_part",
    "tree_of_two",
]

Edges = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def part_scale(largest: float, dtype: np.dtype) -> float:
    """Return what an index over all rows divides them by."""
    return safe_scale(np.array([[largest]], dtype))


def part_index(X: np.ndarray) -> Index:
    """Build the index of one part, whose rows have been scaled."""
    tree = build_kdtree(np.ascontiguousarray(X))
    return Index(tree, node_minimum(tree, tree.order), 1.0)


def nearest_of_part(index: Index, k: int, keep: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the k least squared distances of each row, and its first neighbours as places of the index."""
    found, near = nearest_in_index(index, k, k, keep)
    distance2 = np.empty_like(found)
    distance2[index.tree.order] = found
    return distance2, near


def nearest_of_queries(index: Index, queries: np.ndarray, k: int) -> np.ndarray:
    """Return the k least squared distances of rows that are not of the part."""
    return _nearest_of_queries(index, np.ascontiguousarray(queries), k)[0]


def tree_of_part(index: Index, core2: np.ndarray, near: np.ndarray | None) -> Edges:
    """Return the edges of the tree of one part, in their strict order."""
    tree = index.tree
    core2 = np.ascontiguousarray(core2[tree.order])
    if len(core2) <= MOST_ROWS:
        return _measured(tree, *(prim(tree, core2) if len(core2) > 1 else _no_edges(core2.dtype)))
    return _measured(tree, *boruvka(tree, index.rows, core2, near))


def tree_of_two(X: np.ndarray, core2: np.ndarray, away2: np.ndarray, edges: Edges) -> Edges:
    """Return edges of the tree of two parts together, at least those that no part has."""
    index = part_index(X)
    tree = index.tree
    core2 = np.ascontiguousarray(core2[tree.order])
    if len(core2) <= MOST_ROWS:
        return _measured(tree, *prim(tree, core2))
    place = np.empty(len(core2), np.int64)
    place[tree.order] = np.arange(len(core2))
    left, right, weight2, gap2 = edges
    left, right = place[left], place[right]
    component, away2 = np.empty(len(core2), np.int64), np.ascontiguousarray(away2[tree.order])
    run_kernel(_contract_sure, left, right, weight2, np.arange(len(core2)), away2.copy(), component)
    rest = component[left] != component[right]
    known = Known(component, away2, left[rest], right[rest], weight2[rest], gap2[rest])
    return _measured(tree, *boruvka(tree, index.rows, core2, known=known))


def _no_edges(dtype):
    return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, dtype)


def _measured(tree, left, right, weight2):
    """Add the squared distance of each edge, the same bits as in the search, and sort."""
    place = np.empty(len(tree.X), np.int64)
    place[tree.order] = np.arange(len(tree.X))
    one, other = place[left], place[right]
    gap2 = np.zeros_like(weight2)
    for f in range(tree.X.shape[1]):
        side = tree.X[one, f] - tree.X[other, f]
        gap2 += side * side
    order = np.lexsort((right, left, gap2, weight2))
    return left[order], right[order], weight2[order], gap2[order]


@kernel
def _contract_sure(
    left,  # (m,) int64  in: places; the edges of each part's tree in their strict order
    right,  # (m,) int64  in
    weight2,  # (m,)  in
    parent,  # (n,) int64  in/out: each its own
    away2,  # (n,)  in/out: no edge to the other part weighs less
    component,  # (n,) int64  out: named by the lowest place
):
    """Join rows by the edges that the tree of two parts has as well.

    When its turn comes, an edge is the first that leaves either of the two groups that lighter edges of its part have joined. It
    is of the common tree if it also comes before all edges that leave one of them for the other part.
    """
    n = len(parent)
    for row in range(n):
        component[row] = row
    for i in range(len(left)):
        a, b = find(parent, left[i]), find(parent, right[i])
        if weight2[i] < larger(away2[a], away2[b]):
            c, d = find(component, left[i]), find(component, right[i])
            if d < c:
                c, d = d, c
            component[d] = c
        if b < a:
            a, b = b, a
        parent[b] = a
        if away2[b] < away2[a]:
            away2[a] = away2[b]
    for row in range(n):
        component[row] = component[component[row]]  # the lowest comes first: its name is final


def merged(one: Edges, other: Edges) -> Edges:
    """Return two lists of edges in their strict order as one."""
    if not len(other[0]):
        return one
    together = tuple(np.empty(len(a) + len(b), a.dtype) for a, b in zip(one, other, strict=True))
    run_kernel(_merge, *one, *other, *together)
    return together


@kernel
def _merge(left, right, weight2, gap2, left_b, right_b, weight2_b, gap2_b, left_out, right_out, weight2_out, gap2_out):
    i, j = 0, 0
    for at in range(len(left_out)):
        first = j == len(left_b)
        if not first and i < len(left):
            first = weight2[i] < weight2_b[j]
            if weight2[i] == weight2_b[j]:
                first = gap2[i] < gap2_b[j]
                if gap2[i] == gap2_b[j]:
                    first = left[i] < left_b[j] or (left[i] == left_b[j] and right[i] < right_b[j])
        if first:
            left_out[at], right_out[at], weight2_out[at], gap2_out[at] = left[i], right[i], weight2[i], gap2[i]
            i += 1
        else:
            left_out[at], right_out[at], weight2_out[at], gap2_out[at] = left_b[j], right_b[j], weight2_b[j], gap2_b[j]
            j += 1


def grown(left: np.ndarray, right: np.ndarray, n: int) -> np.ndarray:
    """Return which edges, in their strict order, are of the tree (Kruskal)."""
    chosen = np.zeros(len(left), np.bool_)
    parent, size = np.arange(n), np.ones(n, np.int32 if n < 2**31 else np.int64)
    run_kernel(_grow, left, right, parent, size, chosen)
    return chosen


@kernel
def _grow(left, right, parent, size, chosen):
    for i in range(len(left)):
        a, b = find(parent, left[i]), find(parent, right[i])
        if a == b:
            continue
        chosen[i] = True
        if size[a] < size[b]:
            a, b = b, a
        parent[b] = a
        size[a] += size[b]


def settled(
    left: np.ndarray, right: np.ndarray, weight2: np.ndarray, part_of: np.ndarray, pairs: np.ndarray, least2: np.ndarray
) -> np.ndarray:
    """Return which pairs of parts lie in one component of the edges that come before all between the two."""
    n, n_parts = len(part_of), int(part_of.max()) + 1
    held = np.zeros((n, -(-n_parts // 64)), np.uint64)
    held[np.arange(n), part_of >> 6] = np.uint64(1) << (part_of & 63).astype(np.uint64)
    first = np.zeros(n_parts, np.int64)
    first[part_of[::-1]] = np.arange(n)[::-1]
    found = np.zeros(len(pairs), np.bool_)
    counts = np.bincount(part_of, minlength=n_parts)
    run_kernel(_settle, left, right, weight2, pairs, least2, first, np.arange(n), counts, held, found)
    return found


@kernel
def _settle(
    left,  # (m,) int64  in: edges in their order
    right,  # (m,) int64  in
    weight2,  # (m,)  in
    pairs,  # (p, 2) int64  in: parts, in the order of what follows
    least2,  # (p,)  in: no edge between the two weighs less
    first,  # (parts,) int64  in: a row of each
    parent,  # (n,) int64  in/out: each its own
    counts,  # (parts,) int64  in/out: components that have rows of each
    held,  # (n, words) uint64  in/out: parts that each component has rows of
    found,  # (p,) bool  out
):
    edge = 0
    for p in range(len(pairs)):
        while edge < len(left) and weight2[edge] < least2[p]:
            a, b = find(parent, left[edge]), find(parent, right[edge])
            edge += 1
            if a == b:
                continue
            if b < a:
                a, b = b, a
            parent[b] = a
            for word in range(held.shape[1]):
                common = held[a, word] & held[b, word]
                held[a, word] |= held[b, word]
                bit = 0
                while common:
                    if common & np.uint64(1):
                        counts[64 * word + bit] -= 1
                    common >>= np.uint64(1)
                    bit += 1
        i, j = pairs[p, 0], pairs[p, 1]
        found[p] = counts[i] == 1 and counts[j] == 1 and find(parent, first[i]) == find(parent, first[j])


def in_lengths(left: np.ndarray, right: np.ndarray, weight2: np.ndarray, core2: np.ndarray, scale: float) -> tuple:
    """Return left, right and weights of the finished tree in its order, and the core distances."""
    return _in_order(left, right, weight2, scale), _weights(core2, scale)
