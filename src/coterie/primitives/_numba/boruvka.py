"""Boruvka's algorithm on a k-d tree: in each round every component is joined by its best edge to another one.

Edges are ordered by (mutual reachability, distance, lower row, higher row), a strict order, so that the tree is unique. The
work is cut down by what earlier rounds leave behind, because components only grow and so the way out only gets longer:

- a row's last answer stays its answer while that neighbour lies in another component;
- otherwise it remains a lower bound on the next answer;
- a node whose rows all belong to the component of the row that asks is passed over; where most of them do, what counts is the
  box and the least core distance of the few others.

Components much larger than the average rest: they are joined by others, and their many rows need not search. The smallest one
never rests, so that each round ends with fewer components.

A round first lets, of each other component, the row with the least lower bound search: its answer is nearly always the
component's best edge, and few other rows have a lower bound that could still beat it. Rows search in blocks and write to their
own place only; the components' best edges are then collected in the order of the rows. So the result depends on no thread.
"""

from typing import NamedTuple

import numpy as np

from .blocks import run_blocks, run_kernel
from .boruvka_search import search
from .jit import kernel, part
from .kdtree import KDTree
from .neighbors import node_minimum
from .neighbors_tile import end_of, larger

__all__ = ["boruvka"]

_ROWS_PER_BLOCK = 1024
_RESTING = 3  # times the average size; lower saves searches of rows, but costs rounds


class Known(NamedTuple):
    """What is known of a tree before it is searched, in tree order."""

    component: np.ndarray  # (n,) int: joined by edges of the tree; named by the lowest place
    least2: np.ndarray  # (n,): what edges of each row weigh at least, but for those that follow
    left: (
        np.ndarray
    )  # (m,) int64: more edges, which may be of the tree; others between the same sets of rows are not needed
    right: np.ndarray  # (m,) int64
    weight2: np.ndarray  # (m,)
    gap2: np.ndarray  # (m,)


def boruvka(
    tree: KDTree,
    rows: np.ndarray,
    core2: np.ndarray,
    near: np.ndarray | None = None,
    known: "Known | None" = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the edges of the spanning tree as rows of the input, lower row first, with squared weights, unsorted.

    Parameters
    ----------
    tree : KDTree
    rows : (nodes,) int64 array
        Lowest row number below each node.
    core2 : (n,) float array
        Squared core distances in tree order; zeros for the Euclidean tree.
    near : (n, m) int array, optional
        First neighbours of each row in tree order, itself first: they answer most of the first round.
    known : Known, optional
        What is known of the tree; the other edges are returned. Without ``near``.
    """
    n = len(tree.X)
    left, right, weight2 = np.empty(n - 1, np.int64), np.empty(n - 1, np.int64), np.empty(n - 1, core2.dtype)
    places = np.int32 if n < 2**31 else np.int64
    component = np.arange(n, dtype=places) if known is None else known.component.astype(places)
    found = np.full(n, -1, places)
    reach2, gap2 = (core2 if known is None else known.least2).copy(), np.zeros_like(core2)
    best, limit, limit_gap = np.empty(n, places), np.full(n, np.inf, core2.dtype), np.full(n, np.inf, core2.dtype)
    leaf_of = _leaf_of(tree, places)
    # The component of most rows of each node, or -1, and core distance and box of all its other rows.
    inside = (
        np.full(len(tree.bounds), -1, places), np.full(len(tree.bounds), np.inf, core2.dtype),
        np.full_like(tree.low, np.inf), np.full_like(tree.high, -np.inf),
    )  # fmt: skip
    node_core = node_minimum(tree, core2)
    todo = np.empty(n, places)
    joined = np.ones(n, places) if known is None else np.bincount(component, minlength=n).astype(places)
    state = (tree.order, component, joined.copy(), found, reach2, gap2, best, limit, limit_gap)
    if near is not None:
        run_blocks(_seed, -(-n // 65536), 65536, tree.X, core2, near, found, reach2, gap2, limit, limit_gap)
    begun = done = 0 if known is None else n - int(np.count_nonzero(joined))
    first_round = known is None
    if known is not None:
        _relabel(tree, core2, component, inside)
    while done < n - 1:
        for scouting in (True, False):
            count = run_kernel(_select, scouting, first_round, done, *state, todo)
            if known is not None:
                run_kernel(_lower_known, component, *known[2:], limit, limit_gap)
            # Fewer blocks than rows, but a number that depends on the data only.
            run_blocks(
                search, -(-count // _ROWS_PER_BLOCK), _ROWS_PER_BLOCK, todo[:count], leaf_of, tree.first_leaf, tree.X,
                tree.order, tree.bounds, tree.low, tree.high, tree.panels, rows, core2, node_core, component,
                *inside, found, reach2, gap2, limit, limit_gap,
            )  # fmt: skip
        if known is not None:
            run_kernel(
                _offer_known, done, tree.order, component, state[2], *known[2:], limit, limit_gap, best, found, reach2, gap2
            )  # fmt: skip
        # Scratch for union-find: `component` still tells the components of this round.
        done = run_kernel(_join, *state, todo, joined, left, right, weight2, done)
        _relabel(tree, core2, component, inside)
        first_round = False
    return left[begun:], right[begun:], weight2[begun:]


def _relabel(tree: KDTree, core2: np.ndarray, component: np.ndarray, inside: tuple) -> None:
    """Find the component of most rows of each node, and the bounds of its other rows."""
    leaves = len(tree.panels)
    run_blocks(
        _relabel_leaves, -(-leaves // 512), 512, leaves, tree.first_leaf, tree.X, tree.bounds, core2, component, *inside
    )  # fmt: skip
    run_kernel(_relabel_nodes, tree.first_leaf, *inside)


def _leaf_of(tree: KDTree, dtype: type) -> np.ndarray:
    leaves = np.arange(tree.first_leaf, tree.first_leaf + len(tree.panels), dtype=dtype)
    bounds = tree.bounds[tree.first_leaf : tree.first_leaf + len(tree.panels)]
    return np.repeat(leaves, bounds[:, 1] - bounds[:, 0])


@kernel
def _seed(block, per_block, X, core2, near, found, reach2, gap2, limit, limit_gap):
    """Answer the first round from the neighbours that are known.

    No edge of a row is shorter than its core distance, so the first neighbour that has no larger one is the row's answer;
    where there is none, the best of them is a bound for the search.
    """
    for row in range(block * per_block, end_of(block, per_block, len(X))):
        for t in range(1, near.shape[1]):
            other = near[row, t]
            gap = X.dtype.type(0)
            for f in range(X.shape[1]):
                side = X[row, f] - X[other, f]
                gap += side * side
            if core2[other] <= core2[row] and gap <= core2[row]:
                found[row], reach2[row], gap2[row] = other, core2[row], gap
                break
            value = larger(larger(core2[row], core2[other]), gap)
            if value < limit[row] or (value == limit[row] and gap < limit_gap[row]):
                limit[row], limit_gap[row] = value, gap


@kernel
def _select(scouting, first_round, done, order, component, size, found, reach2, gap2, best, limit, limit_gap, todo):
    """List the rows that must search: one of each component when scouting, later those that could beat its bound.

    The bound of a component is the best edge known so far at either end.
    """
    n, count = len(component), 0
    if scouting and first_round:
        for row in range(n):
            if found[row] < 0:
                todo[count] = row
                count += 1
            else:
                limit[row], limit_gap[row] = reach2[row], gap2[row]
        return count
    if scouting:
        for row in range(n):
            best[row] = -1
        for row in range(n):
            c, other = component[row], found[row]
            if other >= 0 and component[other] == c:
                found[row] = -1
            rival = best[c]
            if (
                rival < 0
                or reach2[row] < reach2[rival]
                or (
                    reach2[row] == reach2[rival]
                    and (gap2[row] < gap2[rival] or (gap2[row] == gap2[rival] and found[rival] < 0 <= found[row]))
                )
            ):
                best[c] = row
        for row in range(n):
            if component[row] == row:
                limit[row], limit_gap[row] = np.inf, np.inf
                if found[best[row]] < 0 and not _rests(size[row], n, done):
                    todo[count] = best[row]
                    count += 1
    for row in range(n):
        if found[row] >= 0:
            _lower(limit, limit_gap, component[row], reach2[row], gap2[row])
            _lower(limit, limit_gap, component[found[row]], reach2[row], gap2[row])
    if not scouting:
        for row in range(n):
            c = component[row]
            if (
                found[row] < 0
                and not _rests(size[c], n, done)
                and (reach2[row] < limit[c] or (reach2[row] == limit[c] and gap2[row] <= limit_gap[c]))
            ):
                todo[count] = row
                count += 1
    return count


@part
def _rests(size, n, done):
    """Say whether a component is so much larger than the average that it lets others come to it in this round."""
    return size * (n - done) > _RESTING * n


@part
def _lower(limit, limit_gap, c, reach, gap):
    if reach < limit[c] or (reach == limit[c] and gap < limit_gap[c]):
        limit[c], limit_gap[c] = reach, gap


@kernel
def _lower_known(component, left, right, weight2, known_gap2, limit, limit_gap):
    """Bound each component by the best edge that is known of it."""
    for e in range(len(left)):
        a, b = component[left[e]], component[right[e]]
        if a != b:
            _lower(limit, limit_gap, a, weight2[e], known_gap2[e])
            _lower(limit, limit_gap, b, weight2[e], known_gap2[e])


@kernel
def _offer_known(
    done, order, component, size, left, right, weight2, known_gap2, limit, limit_gap, best, found, reach2, gap2
):  # fmt: skip
    """Give each component its best known edge as an answer of the row it begins at, unless a better one was found.

    Only the best, only if nothing beats it, and only where all rows have searched that could have: then it is the best edge of
    that row as well, as an answer has to be.
    """
    for row in range(len(component)):
        best[row] = -1
    for e in range(len(left)):
        for side in range(2):
            row, other = (left[e], right[e]) if side == 0 else (right[e], left[e])
            c = component[row]
            if c == component[other] or weight2[e] != limit[c] or known_gap2[e] != limit_gap[c]:
                continue
            rival = best[c]
            if rival < 0 or _edge_before(order, left[e], right[e], left[rival], right[rival]):
                best[c] = e
    for c in range(len(component)):
        e = best[c]
        if e < 0 or _rests(size[c], len(component), done):
            continue
        row, other = (left[e], right[e]) if component[left[e]] == c else (right[e], left[e])
        if (
            found[row] < 0
            or reach2[row] > weight2[e]
            or (reach2[row] == weight2[e] and gap2[row] > known_gap2[e])
            or (
                reach2[row] == weight2[e]
                and gap2[row] == known_gap2[e]
                and _edge_before(order, row, other, row, found[row])
            )
        ):
            found[row], reach2[row], gap2[row] = other, weight2[e], known_gap2[e]


@kernel
def _join(
    order, component, size, found, reach2, gap2, best, limit, limit_gap, parent, joined, left, right, weight2, done
):
    """Collect each component's best edge, add those edges, and name the joined components by their lowest place."""
    n = len(component)
    for row in range(n):
        best[row] = -1
    for row in range(n):
        if found[row] >= 0:
            c, rival = component[row], best[component[row]]
            if (
                rival < 0
                or reach2[row] < reach2[rival]
                or (
                    reach2[row] == reach2[rival]
                    and (
                        gap2[row] < gap2[rival] or (gap2[row] == gap2[rival] and _pair_before(order, found, row, rival))
                    )
                )
            ):
                best[c] = row
    before = done
    for row in range(n):
        parent[row] = component[row]
    for c in range(n):
        row = best[c]
        if row < 0 or _rests(size[c], n, before):
            continue
        a, b = _root(parent, c), _root(parent, component[found[row]])
        if a == b:
            continue
        if b < a:
            a, b = b, a
        parent[b] = a
        joined[a] += joined[b]
        one, other = order[row], order[found[row]]
        if other < one:
            one, other = other, one
        left[done], right[done], weight2[done] = one, other, reach2[row]
        done += 1
    for row in range(n):
        component[row] = _root(parent, component[row])
        size[row] = joined[row]
    return done


@part
def _pair_before(order, found, row, rival):
    """Say whether the edge of one row comes before that of another by (lower row, higher row)."""
    return _edge_before(order, row, found[row], rival, found[rival])


@part
def _edge_before(order, one, other, rival, other_rival):
    """Say whether an edge comes before another by (lower row, higher row)."""
    a, b, c, d = order[one], order[other], order[rival], order[other_rival]
    if b < a:
        a, b = b, a
    if d < c:
        c, d = d, c
    return a < c or (a == c and b < d)


@part
def _root(parent, member):
    up = parent[member]
    while parent[up] != up:
        parent[member] = parent[up]
        member = parent[up]
        up = parent[member]
    return up


@kernel
def _relabel_leaves(
    block,  # int  in
    per_block,  # int  in
    leaves,  # int  in
    first_leaf,  # int  in
    X,  # (n, d)  in
    bounds,  # (nodes + 1, 2) int64  in
    core2,  # (n,)  in
    component,  # (n,) int  in
    most_in,  # (nodes,) int  out: see boruvka_search.search
    other_core,  # (nodes,)  out
    other_low,  # (nodes, d)  out
    other_high,  # (nodes, d)  out
):
    """Find the component of most rows of each leaf, by Boyer and Moore's vote, and the bounds of its other rows."""
    for node in range(first_leaf + block * per_block, first_leaf + end_of(block, per_block, leaves)):
        name, votes = component[bounds[node, 0]], 0
        for row in range(bounds[node, 0], bounds[node, 1]):
            if votes == 0:
                name = component[row]
            votes += 1 if component[row] == name else -1
        most_in[node], other_core[node] = name, np.inf
        for f in range(X.shape[1]):
            other_low[node, f], other_high[node, f] = np.inf, -np.inf
        for row in range(bounds[node, 0], bounds[node, 1]):
            if component[row] == name:
                continue
            if core2[row] < other_core[node]:
                other_core[node] = core2[row]
            for f in range(X.shape[1]):
                if X[row, f] < other_low[node, f]:
                    other_low[node, f] = X[row, f]
                if X[row, f] > other_high[node, f]:
                    other_high[node, f] = X[row, f]


@kernel
def _relabel_nodes(first_leaf, most_in, other_core, other_low, other_high):
    """Join the findings of the leaves where the halves of a node agree on the component."""
    for node in range(first_leaf - 1, -1, -1):
        one, other = 2 * node + 1, 2 * node + 2
        most_in[node] = most_in[one] if most_in[one] == most_in[other] else -1
        if most_in[node] < 0:
            continue
        if other_core[other] < other_core[one]:
            other_core[node] = other_core[other]
        else:
            other_core[node] = other_core[one]
        for f in range(other_low.shape[1]):
            a, b = other_low[one, f], other_low[other, f]
            other_low[node, f] = a if a < b else b
            a, b = other_high[one, f], other_high[other, f]
            other_high[node, f] = a if a > b else b
