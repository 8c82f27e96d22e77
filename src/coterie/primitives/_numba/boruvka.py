"""Boruvka's algorithm on a k-d tree: in each round every component is joined by its best edge to another one.

Edges are ordered by (mutual reachability, distance, lower row, higher row), a strict order, so that the tree is unique. The
work is cut down by what earlier rounds leave behind, because components only grow and so the way out only gets longer:

- a row's last answer stays its answer while that neighbour lies in another component;
- otherwise it remains a lower bound on the next answer;
- a node whose rows all belong to the component of the row that asks is passed over; where most of them do, what counts is the
  box and the least core distance of the few others.

Components much larger than the average rest: they are joined by others, and their many rows need not search. The smallest one
never rests, so that each round ends with fewer components.

A round first lets, of each other component, a row with the least lower bound search: its answer is nearly always the
component's best edge, and few other rows have a lower bound that could still beat it. Rows search in blocks and write to their
own place only. What is done between the searches is left to NumPy: it takes little of the time, and kernels for it would take
longer to compile than the search.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .blocks import run_blocks
from .boruvka_search import search
from .kdtree import KDTree
from .neighbors import node_minimum

__all__ = ["boruvka"]

_ROWS_PER_BLOCK = 1024
_RESTING = 3  # times the average size; lower saves searches of rows, but costs rounds


class _Answers(NamedTuple):
    """What each row knows about its way out, and each component about its own."""

    found: np.ndarray  # (n,) int64: the neighbour, -1 where none is known
    reach2: np.ndarray  # (n,): its mutual reachability, or a lower bound on it
    gap2: np.ndarray  # (n,): its distance, likewise
    limit: np.ndarray  # (n,): best reachability known to each component
    limit_gap: np.ndarray  # (n,): its distance


class _Others(NamedTuple):
    """For each node the component of most of its rows, or -1, and least core distance and box of all its other rows."""

    most_in: np.ndarray  # (nodes,) int64
    core: np.ndarray  # (nodes,)
    low: np.ndarray  # (nodes, d)
    high: np.ndarray  # (nodes, d)


def boruvka(
    tree: KDTree, core2: np.ndarray, near: np.ndarray, near2: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the edges of the spanning tree as rows of the input, lower row first, with squared weights, unsorted.

    Parameters
    ----------
    tree : KDTree
    core2 : (n,) float array
        Squared core distances in tree order; zeros for the Euclidean tree.
    near : (n, m) int array
        First neighbours of each row in tree order, itself first: they answer most of the first round.
    near2 : (n, m) float array
        Their squared distances.
    """
    n = len(tree.X)
    component, edges, done = np.arange(n), [], 0
    answers = _Answers(
        np.full(n, -1),
        core2.copy(),
        np.zeros_like(core2),
        np.full(n, np.inf, core2.dtype),
        np.full(n, np.inf, core2.dtype),
    )
    nodes = len(tree.low)
    others = _Others(
        np.full(nodes, -1),
        np.full(nodes, np.inf, core2.dtype),
        np.full_like(tree.low, np.inf),
        np.full_like(tree.high, -np.inf),
    )
    leaf_of = np.repeat(np.arange(tree.first_leaf, nodes), np.diff(tree.bounds[tree.first_leaf : nodes])[:, 0])
    leaves = _Leaves(tree)
    node_core = node_minimum(tree, core2)

    def look(todo):
        todo = todo[np.argsort(component[todo], kind="stable")]
        # Fewer blocks than rows, but a number that depends on the data only.
        run_blocks(
            search, -(-len(todo) // _ROWS_PER_BLOCK), _ROWS_PER_BLOCK, todo, leaf_of, tree.first_leaf, tree.X,
            tree.order, tree.bounds, tree.low, tree.high, tree.panels, core2, node_core, component, *others, *answers,
        )  # fmt: skip

    look(_seed(core2, near, near2, answers))
    while True:
        resting = np.bincount(component, minlength=n) * (n - done) > _RESTING * n
        awake = ~resting[component]
        look(_late(component, awake, answers))
        joining = _best_edges(tree.order, component, awake, answers)
        edges.append((*_ends(tree.order, joining, answers.found), answers.reach2[joining]))
        done += len(joining)
        if done == n - 1:
            break
        component = _joined(component, joining, answers.found)
        leaves.relabel(core2, component, others)
        answers.found[component[answers.found] == component] = -1
        answers.limit[:], answers.limit_gap[:] = np.inf, np.inf
        resting = np.bincount(component, minlength=n) * (n - done) > _RESTING * n
        look(_scouts(component, ~resting[component], answers))
    left, right, weight2 = (np.concatenate(parts) for parts in zip(*edges, strict=True))
    return left, right, weight2


def _seed(core2, near, near2, answers):
    """Answer the first round from the neighbours that are known; return the rows that must search.

    No edge of a row is shorter than its core distance, so the first neighbour that has no larger one is the row's answer;
    where there is none, the best of them is a bound for the search.
    """
    found, reach2, gap2, limit, limit_gap = answers
    for t in range(1, near.shape[1]):
        other, gap = near[:, t], near2[:, t]
        value = np.maximum(np.maximum(core2, core2[other]), gap)
        better = (found < 0) & ((value < limit) | ((value == limit) & (gap < limit_gap)))
        limit[better], limit_gap[better] = value[better], gap[better]
        # As they come by distance, nothing that is as near as this can be missing before it.
        answered = (found < 0) & (value == np.maximum(core2, gap) if t == 1 else value == core2) & better
        found[answered], reach2[answered], gap2[answered] = other[answered], value[answered], gap[answered]
    return np.flatnonzero(found < 0)


def _scouts(component, awake, answers):
    """Return a row of least lower bound of each component that does not know its way out."""
    rows = np.flatnonzero(awake)
    rows = _least(component, rows, answers.reach2)
    best = np.full(len(component), -1)
    best[component[rows]] = rows
    known = rows[answers.found[rows] >= 0]
    best[component[known]] = -1
    return np.sort(best[best >= 0])


def _late(component, awake, answers):
    """Lower the bounds of the components to the edges known at either end; return the rows that could still beat them."""
    found, reach2, gap2, limit, limit_gap = answers
    rows = np.flatnonzero(found >= 0)
    ends = np.concatenate([component[rows], component[found[rows]]])
    values, gaps = np.tile(reach2[rows], 2), np.tile(gap2[rows], 2)
    before = limit.copy()
    np.minimum.at(limit, ends, values)
    limit_gap[limit < before] = np.inf
    equal = values == limit[ends]
    np.minimum.at(limit_gap, ends[equal], gaps[equal])
    bound = limit[component]
    wanted = awake & (found < 0) & (reach2 <= bound)
    wanted &= (reach2 < bound) | (gap2 <= limit_gap[component])
    return np.flatnonzero(wanted)


def _best_edges(order, component, awake, answers):
    """Return the row of each component whose edge comes first, once where two components have the same."""
    rows = np.flatnonzero(awake & (answers.found >= 0))
    for values in (answers.reach2, answers.gap2):
        rows = _least(component, rows, values)
    for side in (0, 1):
        values = np.empty(len(component), np.int64)
        values[rows] = _ends(order, rows, answers.found)[side]
        rows = _least(component, rows, values)
    left, right = _ends(order, rows, answers.found)
    kept = np.lexsort((rows, right, left))
    same = (left[kept[1:]] == left[kept[:-1]]) & (right[kept[1:]] == right[kept[:-1]])
    return rows[np.sort(kept[np.concatenate([[True], ~same])])]


def _least(component, rows, values):
    """Keep of some rows those that have the least value in their component."""
    some, group = values[rows], component[rows]
    top = np.inf if values.dtype.kind == "f" else np.iinfo(values.dtype).max
    least = np.full(len(component), top, values.dtype)
    np.minimum.at(least, group, some)
    return rows[some == least[group]]


def _ends(order, rows, found):
    one, other = order[rows], order[found[rows]]
    return np.minimum(one, other), np.maximum(one, other)


def _joined(component, rows, found):
    """Return the components after the edges of some rows were added; each is named by one of its rows."""
    n = len(component)
    graph = coo_array((np.ones(len(rows), np.int8), (component[rows], component[found[rows]])), shape=(n, n))
    names = connected_components(graph, directed=False)[1].astype(np.int64)
    first = np.empty(n, np.int64)
    first[names[::-1]] = np.arange(n - 1, -1, -1)
    return first[names[component]]


class _Leaves:
    """The rows of all leaves side by side, and which leaves still hold more than one component."""

    def __init__(self, tree):
        self.first = tree.first_leaf
        start, end = tree.bounds[self.first : self.first + len(tree.panels)].T
        self.start = start
        places = start + np.arange(tree.panels.shape[2])[:, None]
        # Where a row is missing the last one stands again.
        self.places = np.minimum(places, end - 1)  # (w, leaves)
        self.rows = tree.X[self.places]  # (w, leaves, d)
        self.mixed = np.arange(len(start))

    def relabel(self, core2, component, others):
        """Find the component of most rows of each node, and the bounds of its other rows."""
        first = self.first
        others.most_in[first:] = component[self.start]
        names = component[self.places]
        middle = len(names) // 2
        # The middle one in order is that of most rows, if there is one of most rows.
        most = np.partition(names, middle, axis=0)[middle]
        different = names != most
        at = first + self.mixed
        others.most_in[at] = most
        others.core[at] = np.where(different, core2[self.places], np.inf).min(axis=0)
        different = different[:, :, None]
        others.low[at] = np.where(different, self.rows, np.inf).min(axis=0)
        others.high[at] = np.where(different, self.rows, -np.inf).max(axis=0)
        still = others.core[at] < np.inf
        if still.sum() < 0.7 * len(still):
            self.mixed, self.places, self.rows = self.mixed[still], self.places[:, still], self.rows[:, still]
        _join_nodes(first, others)


def _join_nodes(first, others):
    """Join the findings of the leaves, level by level, where the halves of a node agree on the component."""
    most_in = others.most_in
    while first:
        above = (first - 1) // 2
        one, other, node = slice(first, 2 * first + 1, 2), slice(first + 1, 2 * first + 1, 2), slice(above, first)
        most_in[node] = np.where(most_in[one] == most_in[other], most_in[one], -1)
        np.minimum(others.core[one], others.core[other], out=others.core[node])
        np.minimum(others.low[one], others.low[other], out=others.low[node])
        np.maximum(others.high[one], others.high[other], out=others.high[node])
        first = above
