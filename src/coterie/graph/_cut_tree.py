"""The hierarchy of the parts: the graph is cut in two, then one of its pieces, and so on, down to single parts.

Parts are never divided: the pieces are unions of them, and each cut is the best in two (exactly up to 20 parts), with what
leaves a piece counted too. The piece to cut next is the one whose cut raises the objective least, so the first j - 1 cuts give
a partition into j pieces. For edge cut, ratio cut decides, which keeps pieces even.
"""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import Graph
from ..primitives.objective_moves import CutProblem, contract, cut_problem
from ._exact_cut import MOST_NODES, exact_parts
from ._objective_search import least_cut

__all__ = ["CutTree", "cut_tree"]

_WORST = 1e9


class CutTree(NamedTuple):
    """A tree of cuts, in flat arrays with an item for each node: 0 is the whole graph, children come after their parent.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import BalancedCut
    >>> path = np.array([[i, i + 1] for i in range(8)])
    >>> tree = BalancedCut(n_clusters=3, random_state=0).fit(path).tree_
    >>> len(tree.left), tree.size.tolist()[0]
    (5, 9.0)
    """

    left: Any  # (2 k - 1,) int64: the child that holds the piece's lowest-numbered part, -1 for a part
    right: Any  # (2 k - 1,) int64: the other child, -1 for a part
    label: Any  # (2 k - 1,) int64: number of a part, -1 for a piece of several
    size: Any  # (2 k - 1,) float64: number of nodes, or their weight
    cut: Any  # (2 k - 1,) float64: weight of the links from the piece to the rest of the graph
    height: Any  # (2 k - 1,) float64: what the objective of the parts falls by when all later cuts and this are undone; 0 for a part

    def linkage(self) -> np.ndarray:
        """Return the merges of the parts in SciPy's layout, (k - 1, 4) float64, the last cut first.

        The last column counts parts. Heights ascend, so that ``scipy.cluster.hierarchy.fcluster`` gives the pieces.
        """
        k = (len(self.left) + 1) // 2
        cuts = np.flatnonzero(self.left >= 0)
        order = cuts[np.lexsort((-cuts, self.height[cuts]))]
        node = np.where(self.label >= 0, self.label, -1)
        count = np.ones(len(self.left), np.int64)
        found = np.empty((k - 1, 4))
        for i, piece in enumerate(order.tolist()):
            one, other = self.left[piece], self.right[piece]
            count[piece], node[piece] = count[one] + count[other], k + i
            found[i] = min(node[one], node[other]), max(node[one], node[other]), self.height[piece], count[piece]
        return found


def cut_tree(graph: Graph, labels: Any, objective: str, node_weights: Any = None) -> CutTree:
    """Return the tree of cuts that ends in given parts.

    Parameters
    ----------
    graph : Graph
        Undirected, of NumPy arrays.
    labels : (n,) int64 array
        Part of each node, 0 ... k - 1, none empty.
    objective : {"edge_cut", "ratio_cut", "normalized_cut", "min_max_cut"}
    node_weights : (n,) array, optional

    Returns
    -------
    CutTree
        2 k - 1 nodes. Cost: two passes over the links, and a search among the parts for each cut.
    """
    k = int(np.max(labels)) + 1
    fine = cut_problem(graph, "ratio_cut" if objective == "edge_cut" else objective, node_weights)
    problem = contract(fine, np.asarray(labels, np.int32), k)
    crossing = np.repeat(labels, np.diff(graph.indptr)) != np.asarray(labels)[graph.indices]
    total = float(graph.weights[crossing].sum(dtype=np.float64))
    whole = float(problem.weights.sum())
    unit = scale = total / whole if whole else 1.0
    if objective == "ratio_cut":
        scale = unit * float(problem.nodes[:, 1].sum()) / float(problem.nodes[:, 2].sum())
    elif objective != "edge_cut":
        scale = 1.0
    members = [np.arange(k)]
    left, right, rise = [-1], [-1], [0.0]
    order: list[int] = []
    waiting = {0: _halves(problem, members[0], objective)} if k > 1 else {}
    while waiting:
        piece = min(waiting, key=lambda i: (waiting[i][0], i))
        rise[piece], halves = waiting.pop(piece)
        order.append(piece)
        for half, children in zip(halves, (left, right)):
            children[piece] = len(members)
            members.append(half)
            left.append(-1)
            right.append(-1)
            rise.append(0.0)
            if len(half) > 1:
                waiting[len(members) - 1] = _halves(problem, half, objective)
    height = np.zeros(len(members))
    height[order[::-1]] = np.cumsum(np.array(rise)[order[::-1]]) * scale
    values = [_sums(problem, part) for part in members]
    return CutTree(
        np.array(left),
        np.array(right),
        np.array([int(part[0]) if len(part) == 1 else -1 for part in members]),
        np.array([size for _, _, size in values]),
        np.array([cut for cut, _, _ in values]) * unit,
        height,
    )


def _halves(problem: CutProblem, parts: np.ndarray, objective: str) -> tuple[float, list[np.ndarray]]:
    """Return the two pieces into which some parts are best cut, and what that adds to the objective."""
    small = _induced(problem, parts)
    if len(parts) <= MOST_NODES:
        labels = exact_parts(small, 2)
    else:
        labels = least_cut(small, 2, 0, [])
    if labels[0]:
        labels = 1 - labels
    halves = [parts[labels == 0], parts[labels == 1]]
    one, other = (_value(problem, half, objective) for half in halves)
    return max(0.0, one + other - _value(problem, parts, objective)), halves


def _value(problem: CutProblem, parts: np.ndarray, objective: str) -> float:
    cut, mass, _ = _sums(problem, parts)
    if objective == "edge_cut":
        return cut / 2
    rest = mass - problem.inner * cut
    return 0.0 if cut <= 0 else cut / rest if rest * _WORST > cut else _WORST


def _sums(problem: CutProblem, parts: np.ndarray) -> tuple[float, float, float]:
    """Return cut, mass and size of a union of parts."""
    outer, mass, size = problem.nodes[parts].sum(axis=0)
    inside = _induced(problem, parts).weights.sum()
    return float(outer - inside), float(mass), float(size)


def _induced(problem: CutProblem, nodes: np.ndarray) -> CutProblem:
    """Return the problem of some nodes; what links them to others stays in what leaves them."""
    number = np.full(len(problem.nodes), -1, np.int32)
    number[nodes] = np.arange(len(nodes), dtype=np.int32)
    rows = np.repeat(number, np.diff(problem.indptr))
    kept = (rows >= 0) & (number[problem.indices] >= 0)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows[kept], minlength=len(nodes)))]).astype(np.int64)
    return problem._replace(
        indptr=indptr,
        indices=number[problem.indices[kept]],
        weights=problem.weights[kept],
        nodes=problem.nodes[nodes],
        most=np.inf,
    )
