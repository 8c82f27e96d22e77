"""Boruvka's algorithm on a k-d tree: in each round every component is joined by its best edge to another one.

Edges are ordered by (mutual reachability, distance, lower row, higher row), a strict order, so that the tree is unique. The
work is cut down by what earlier rounds leave behind, because components only grow and so the way out only gets longer:

- a row's last answer stays its answer while that neighbour lies in another component;
- otherwise it remains a lower bound on the next answer;
- a node whose rows all belong to the component of the row that asks is passed over (its component stands at the node).

A round first lets, of each component, the row with the least lower bound search: its answer is nearly always the component's
best edge, and few other rows have a lower bound that could still beat it. Rows search in blocks and write to their own place
only; the components' best edges are then collected in the order of the rows. So the result depends on no thread.
"""

import numpy as np

from .blocks import run_blocks, run_kernel
from .jit import kernel
from .kdtree import KDTree
from .neighbors import node_minimum
from .neighbors_tile import box_gap2, low_bit, near_distances

__all__ = ["boruvka"]

_ROWS_PER_BLOCK = 1024
_STACK = 128
_TABLE = 256


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
    state = (tree.order, component, found, reach2, gap2, best, limit, limit_gap)
    if near is not None:
        run_blocks(_seed, -(-n // 65536), 65536, tree.X, core2, near, found, reach2, gap2, limit, limit_gap)
    done = 0
    first_round = True
    while done < n - 1:
        for scouting in (True, False):
            count = run_kernel(_select, scouting, first_round, *state, todo)
            # Fewer blocks than rows, but a number that depends on the data only.
            run_blocks(
                _search, -(-count // _ROWS_PER_BLOCK), _ROWS_PER_BLOCK, todo[:count], leaf_of, tree.first_leaf, tree.X,
                tree.order, tree.bounds, tree.low, tree.high, tree.panels, rows, core2, node_core, component,
                node_component, found, reach2, gap2, limit, limit_gap,
            )  # fmt: skip
        done = run_kernel(_join, *state, left, right, weight2, done)
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
    for row in range(block * per_block, min(len(X), (block + 1) * per_block)):
        for t in range(1, near.shape[1]):
            other = near[row, t]
            gap = X.dtype.type(0)
            for f in range(X.shape[1]):
                side = X[row, f] - X[other, f]
                gap += side * side
            if core2[other] <= core2[row] and gap <= core2[row]:
                found[row], reach2[row], gap2[row] = other, core2[row], gap
                break
            value = max(core2[row], core2[other], gap)
            if value < limit[row] or (value == limit[row] and gap < limit_gap[row]):
                limit[row], limit_gap[row] = value, gap


@kernel
def _select(scouting, first_round, order, component, found, reach2, gap2, best, limit, limit_gap, todo):
    """List the rows that must search: one of each component when scouting, later those that could beat its bound."""
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
                if found[best[row]] < 0:
                    todo[count] = best[row]
                    count += 1
    for row in range(n):
        c = component[row]
        if found[row] >= 0 and (reach2[row] < limit[c] or (reach2[row] == limit[c] and gap2[row] < limit_gap[c])):
            limit[c], limit_gap[c] = reach2[row], gap2[row]
    if scouting:
        return count
    for row in range(n):
        c = component[row]
        if found[row] < 0 and (reach2[row] < limit[c] or (reach2[row] == limit[c] and gap2[row] <= limit_gap[c])):
            todo[count] = row
            count += 1
    return count


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
    gaps = np.empty(panels.shape[2], X.dtype)
    stack, away = np.empty(_STACK, np.int64), np.empty(_STACK, X.dtype)
    # What this block has found for a component bounds the searches that follow in it.
    known, known_reach, known_gap = np.full(_TABLE, -1, np.int64), np.empty(_TABLE, X.dtype), np.empty(_TABLE, X.dtype)
    for t in range(block * per_block, min(len(todo), (block + 1) * per_block)):
        row = todo[t]
        mine, core = component[row], core2[row]
        slot = mine % _TABLE
        best, best_gap, best_row, best_place = limit[mine], limit_gap[mine], len(X), -1
        if known[slot] == mine and (
            known_reach[slot] < best or (known_reach[slot] == best and known_gap[slot] < best_gap)
        ):
            best, best_gap = known_reach[slot], known_gap[slot]
        if reach2[row] > best or (reach2[row] == best and gap2[row] > best_gap):
            continue
        climbing = leaf_of[row]
        stack[0], away[0], top = climbing, 0.0, 1
        while True:
            while top:
                top -= 1
                node, gap = stack[top], away[top]
                if node_component[node] == mine:
                    continue
                least = max(core, node_core[node], gap)
                if least > best or (least == best and (gap > best_gap or (gap == best_gap and rows[node] > best_row))):
                    continue
                if node < first_leaf:
                    nearer, further = 2 * node + 1, 2 * node + 2
                    a = box_gap2(X, row, low, high, nearer)
                    b = box_gap2(X, row, low, high, further)
                    if b < a or (b == a and rows[further] < rows[nearer]):
                        nearer, further, a, b = further, nearer, b, a
                    stack[top], away[top] = further, b
                    stack[top + 1], away[top + 1] = nearer, a
                    top += 2
                    continue
                start = bounds[node, 0]
                near = near_distances(X, row, panels, node - first_leaf, best, gaps)
                near &= (1 << (bounds[node, 1] - start)) - 1
                while near:
                    j = low_bit(near)
                    near &= near - 1
                    gap, place = gaps[j], start + j
                    if component[place] == mine:
                        continue
                    value = max(core, core2[place], gap)
                    if value < best or (
                        value == best and (gap < best_gap or (gap == best_gap and order[place] < best_row))
                    ):
                        best, best_gap, best_row, best_place = value, gap, order[place], place
            if climbing == 0:
                break
            sibling = climbing + 1 if climbing & 1 else climbing - 1
            stack[0], away[0], top = sibling, box_gap2(X, row, low, high, sibling), 1
            climbing = (climbing - 1) // 2
        # Without an answer nothing outside is nearer than the bound: a lower bound for the rounds to come.
        found[row], reach2[row], gap2[row] = best_place, best, best_gap
        if best_place >= 0:
            known[slot], known_reach[slot], known_gap[slot] = mine, best, best_gap


@kernel
def _join(order, component, found, reach2, gap2, best, limit, limit_gap, left, right, weight2, done):
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
    # Roots are linked in a list of their own, so that `component` still tells the components of this round.
    parent = np.empty(n, component.dtype)
    for row in range(n):
        parent[row] = component[row]
    for c in range(n):
        row = best[c]
        if row < 0:
            continue
        a, b = _root(parent, c), _root(parent, component[found[row]])
        if a == b:
            continue
        parent[max(a, b)] = min(a, b)
        one, other = order[row], order[found[row]]
        left[done], right[done], weight2[done] = min(one, other), max(one, other), reach2[row]
        done += 1
    for row in range(n):
        component[row] = _root(parent, component[row])
    return done


@kernel
def _pair_before(order, found, row, rival):
    a, b, c, d = order[row], order[found[row]], order[rival], order[found[rival]]
    return min(a, b) < min(c, d) or (min(a, b) == min(c, d) and max(a, b) < max(c, d))


@kernel
def _root(parent, member):
    while parent[member] != member:
        parent[member] = parent[parent[member]]
        member = parent[member]
    return member


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
