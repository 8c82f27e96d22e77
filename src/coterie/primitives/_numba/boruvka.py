"""Boruvka's algorithm on a k-d tree: in each round every component is joined by its best edge to another one.

Edges are ordered by (mutual reachability, distance, lower row, higher row), a strict order, so that the tree is unique. The
work is cut down by what earlier rounds leave behind, because components only grow and so the way out only gets longer:

- a row's last answer stays its answer while that neighbour lies in another component;
- otherwise it remains a lower bound on the next answer;
- a node whose rows all belong to the component of the row that asks is passed over (its component stands at the node).

Components much larger than the average rest: they are joined by others, and their many rows need not search. The smallest one never
rests, so that each round ends with fewer components.

A round first lets, of each other component, the row with the least lower bound search: its answer is nearly always the component's
best edge, and few other rows have a lower bound that could still beat it. Rows search in blocks and write to their own place
only; the components' best edges are then collected in the order of the rows. So the result depends on no thread.
"""

import numpy as np

from .blocks import run_blocks, run_kernel
from .jit import kernel, part
from .kdtree import KDTree, node_distance2
from .neighbors import node_minimum, push_children
from .neighbors_tile import end_of, fill, larger, low_bit, near_boxes, near_distances

__all__ = ["boruvka"]

_ROWS_PER_BLOCK = 1024
_STACK = 128
_TABLE = 256
_RESTING = 3  # times the average size; lower saves searches of rows, but costs rounds


def boruvka(
    tree: KDTree, rows: np.ndarray, core2: np.ndarray, near: np.ndarray | None = None, complete: bool = False
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
    complete : bool
        Whether ``near`` holds all neighbours within the core distance.
    """
    n = len(tree.X)
    left, right, weight2 = np.empty(n - 1, np.int64), np.empty(n - 1, np.int64), np.empty(n - 1, core2.dtype)
    places = np.int32 if n < 2**31 else np.int64
    component, found = np.arange(n, dtype=places), np.full(n, -1, places)
    reach2, gap2 = core2.copy(), np.zeros_like(core2)
    best, limit, limit_gap = np.empty(n, places), np.full(n, np.inf, core2.dtype), np.full(n, np.inf, core2.dtype)
    leaf_of = _leaf_of(tree, places)
    node_component = np.full(len(tree.bounds), -1, places)
    node_core = node_minimum(tree, core2)
    todo = np.empty(n, places)
    joined = np.ones(n, places)
    state = (tree.order, component, np.ones(n, places), found, reach2, gap2, best, limit, limit_gap)
    if near is not None:
        run_blocks(_seed, -(-n // 65536), 65536, tree.X, core2, near, found, reach2, gap2, limit, limit_gap)
    done = 0
    first_round = True
    while done < n - 1:
        for scouting in (True, False):
            count = run_kernel(_select, scouting, first_round, done, *state, todo)
            # Fewer blocks than rows, but a number that depends on the data only.
            run_blocks(
                _search, -(-count // _ROWS_PER_BLOCK), _ROWS_PER_BLOCK, todo[:count], leaf_of, tree.first_leaf, tree.X,
                tree.order, tree.bounds, tree.low, tree.high, tree.panels, rows, core2, node_core, component,
                node_component, found, reach2, gap2, limit, limit_gap,
            )  # fmt: skip
        # Scratch for union-find: `component` still tells the components of this round.
        done = run_kernel(_join, *state, todo, joined, left, right, weight2, done)
        run_kernel(_relabel_nodes, tree.first_leaf, tree.bounds, component, node_component)
        first_round = False
    return left, right, weight2


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
def _search(
    block,  # int  in
    per_block,  # int  in
    todo,  # (count,) int  in: places of the rows that search
    leaf_of,  # (n,) int  in: node of each place
    first_leaf,  # int  in
    X,  # (n, d)  in: tree order, like all that follows
    order,  # (n,) int64  in: row numbers
    bounds,  # (nodes + 1, 2) int64  in
    low,  # (nodes, d)  in
    high,  # (nodes, d)  in
    panels,  # (leaves, d, w)  in
    rows,  # (nodes,) int64  in: lowest row number below each node
    core2,  # (n,)  in
    node_core,  # (nodes,)  in: least core distance below each node
    component,  # (n,) int  in
    node_component,  # (nodes,) int  in: -1 where mixed
    found,  # (n,) int  in/out: the neighbour, -1 where none beats the bound
    reach2,  # (n,)  in/out: its mutual reachability, or a lower bound on it
    gap2,  # (n,)  in/out: its distance, likewise
    limit,  # (n,)  in: what each component has already
    limit_gap,  # (n,)  in
):
    wide = panels.shape[2]
    gaps, limits = np.empty(wide, X.dtype), np.empty(wide, X.dtype)
    best, best_gap = np.empty(wide, X.dtype), np.empty(wide, X.dtype)
    best_row, best_place = np.empty(wide, np.int64), np.empty(wide, np.int64)
    stack, away = np.empty(_STACK, np.int64), np.empty(_STACK, X.dtype)
    # What this block has found for a component bounds the searches that follow in it.
    known, known_reach, known_gap = np.empty(_TABLE, np.int64), np.empty(_TABLE, X.dtype), np.empty(_TABLE, X.dtype)
    fill(known, -1)
    t, end = block * per_block, end_of(block, per_block, len(todo))
    while t < end:
        # The rows of one leaf search together.
        home = np.int64(leaf_of[todo[t]])
        start, mine, pure, asked = bounds[home, 0], component[todo[t]], True, 0
        fill(limits, -1)
        while t < end and leaf_of[todo[t]] == home:
            row = todo[t]
            t += 1
            i, c = row - start, component[row]
            slot = c % _TABLE
            best[i], best_gap[i], best_row[i], best_place[i] = limit[c], limit_gap[c], len(X), -1
            if known[slot] == c and (
                known_reach[slot] < best[i] or (known_reach[slot] == best[i] and known_gap[slot] < best_gap[i])
            ):
                best[i], best_gap[i] = known_reach[slot], known_gap[slot]
            if reach2[row] < best[i] or (reach2[row] == best[i] and gap2[row] <= best_gap[i]):
                asked |= 1 << i
                pure = pure and c == mine
                limits[i] = best[i] if core2[row] < best[i] else best_gap[i]
        if asked == 0:
            continue
        bound, latest, most = _widest(asked, limits, best, best_row)
        climbing = home
        stack[0], away[0], top = home, 0.0, 1
        while True:
            while top:
                top -= 1
                node = stack[top]
                if (
                    away[top] > bound
                    or (away[top] == bound and rows[node] > latest)
                    or node_core[node] > most
                    or (pure and node_component[node] == mine)
                ):
                    continue
                if node < first_leaf:
                    top = push_children(stack, away, top, low, high, rows, home, node)
                    continue
                asking = near_boxes(panels, home - first_leaf, low, high, node, limits) & asked
                changed = False
                while asking:
                    i = low_bit(asking)
                    asking &= asking - 1
                    row = start + i
                    if node_core[node] <= best[i] and node_component[node] != component[row]:
                        changed |= _look(
                            X, order, bounds, panels, node, first_leaf, core2, component, row, i, limits, gaps, best,
                            best_gap, best_row, best_place,
                        )  # fmt: skip
                if changed:
                    if pure:
                        _share(asked, start, core2, len(X), limits, best, best_gap, best_row, best_place)
                    bound, latest, most = _widest(asked, limits, best, best_row)
            if climbing == 0:
                break
            sibling = climbing + 1 if climbing & 1 else climbing - 1
            stack[0], away[0], top = sibling, node_distance2(low, high, home, sibling), 1
            climbing = (climbing - 1) // 2
        while asked:
            i = low_bit(asked)
            asked &= asked - 1
            row, c = start + i, component[start + i]
            # Without an answer nothing outside is nearer than the bound: a lower bound for the rounds to come.
            found[row], reach2[row], gap2[row] = best_place[i], best[i], best_gap[i]
            if best_place[i] >= 0:
                slot = c % _TABLE
                if (
                    known[slot] != c
                    or best[i] < known_reach[slot]
                    or (best[i] == known_reach[slot] and best_gap[i] < known_gap[slot])
                ):
                    known[slot], known_reach[slot], known_gap[slot] = c, best[i], best_gap[i]


@part
def _look(
    X,  # (n, d)  in
    order,  # (n,) int64  in
    bounds,  # (nodes + 1, 2) int64  in
    panels,  # (leaves, d, w)  in
    node,  # int  in: a leaf
    first_leaf,  # int  in
    core2,  # (n,)  in
    component,  # (n,) int  in
    row,  # int  in: who asks
    i,  # int  in: its place in the arrays that follow
    limits,  # (w,)  in/out: distance up to which an answer may lie
    gaps,  # (w,)  scratch
    best,  # (w,)  in/out: mutual reachability of the answer, or a bound on it
    best_gap,  # (w,)  in/out: its distance
    best_row,  # (w,) int64  in/out: its row, n without an answer
    best_place,  # (w,) int64  in/out: its place, -1 without an answer
):
    """Look for a better answer in a leaf; say whether there was one."""
    start, changed, mine, core = bounds[node, 0], False, component[row], core2[row]
    near = near_distances(X, row, panels, node - first_leaf, limits[i], gaps) & ((1 << (bounds[node, 1] - start)) - 1)
    while near:
        j = low_bit(near)
        near &= near - 1
        gap, place = gaps[j], start + j
        if component[place] == mine:
            continue
        value = larger(larger(core, core2[place]), gap)
        if value < best[i] or (
            value == best[i] and (gap < best_gap[i] or (gap == best_gap[i] and order[place] < best_row[i]))
        ):
            best[i], best_gap[i], best_row[i], best_place[i] = value, gap, order[place], place
            changed = True
    # At the core distance itself only a nearer row is better.
    limits[i] = best[i] if core < best[i] else best_gap[i]
    return changed


@part
def _share(asked, start, core2, n, limits, best, best_gap, best_row, best_place):
    """Let the best answer of a component bound all its rows: a worse one is of no use in this round."""
    first = low_bit(asked)
    rest = asked & (asked - 1)
    while rest:
        i = low_bit(rest)
        rest &= rest - 1
        if best[i] < best[first] or (best[i] == best[first] and best_gap[i] < best_gap[first]):
            first = i
    while asked:
        i = low_bit(asked)
        asked &= asked - 1
        if best[i] > best[first] or best_gap[i] > best_gap[first]:
            best[i], best_gap[i], best_row[i], best_place[i] = best[first], best_gap[first], n, -1
            limits[i] = best[i] if core2[start + i] < best[i] else best_gap[i]


@part
def _widest(asked, limits, best, best_row):
    """Return the largest limit, the highest row that a distance equal to it must beat, and the largest reachability."""
    bound, latest, most = limits[low_bit(asked)], np.int64(-1), best[low_bit(asked)]
    while asked:
        i = low_bit(asked)
        asked &= asked - 1
        most = larger(most, best[i])
        if limits[i] > bound:
            bound, latest = limits[i], best_row[i]
        elif limits[i] == bound:
            latest = larger(latest, best_row[i])
    return bound, latest, most


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
    a, b, c, d = order[row], order[found[row]], order[rival], order[found[rival]]
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
def _relabel_nodes(first_leaf, bounds, component, node_component):
    """Write to each node the component of all its rows, or -1."""
    for node in range(2 * first_leaf, -1, -1):
        if node >= first_leaf:
            name = component[bounds[node, 0]]
            for place in range(bounds[node, 0] + 1, bounds[node, 1]):
                if component[place] != name:
                    name = -1
                    break
            node_component[node] = name
        else:
            name = node_component[2 * node + 1]
            node_component[node] = name if name == node_component[2 * node + 2] else -1
