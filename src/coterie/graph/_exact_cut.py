"""The best of all partitions of a small graph, whatever the objective, as long as it is a sum over the parts.

All 2^n sets of nodes are valued. Let g(j, S) be the least value of S in j parts: some i of them hold T with the first node of S, the
others the rest, so g(j, S) = min over T of g(i, T) + g(j - i, S without T). Only sets without node 0 are needed for j < k, and about
log2 k values of j: 3^(n-1) / 2 additions for each, a second or less at n = 20.
"""

from typing import Any

import numpy as np

from ..arrays import Graph
from ..primitives.compiled import kernel, run_blocks, run_kernel  # compiled by `_numba`
from ..primitives.components import number_sets
from ..primitives.objective_moves import CutProblem, cut_problem

__all__ = ["MOST_NODES", "exact_cut", "exact_parts"]

MOST_NODES = 20
_WORST = 1e9  # as objective_moves counts a part without anything to divide by
_BLOCKS = 256


def exact_cut(
    graph: Graph, n_clusters: int, objective: str, *, node_weights: Any = None, most: float = np.inf
) -> np.ndarray:
    """Return the partition of least objective.

    Parameters
    ----------
    graph : Graph
        Undirected, of at most 20 nodes.
    n_clusters : int
        At most the number of nodes; no part is empty.
    objective : {"edge_cut", "ratio_cut", "normalized_cut", "min_max_cut"}
    node_weights : (n,) array, optional
    most : float, default=inf
        Greatest weight of a part. Where it can't be kept, few parts exceed it, and by little.

    Returns
    -------
    (n,) int64 array
        Numbered by first appearance.
    """
    problem = cut_problem(graph, "ratio_cut" if objective == "edge_cut" else objective, node_weights, most)
    return exact_parts(problem, n_clusters, edge_cut=objective == "edge_cut")


def exact_parts(problem: CutProblem, k: int, *, edge_cut: bool = False) -> np.ndarray:
    """Return the best partition of a problem of at most 20 nodes, numbered by first appearance."""
    n = len(problem.nodes)
    if k == 1:
        return np.zeros(n, np.int64)
    links = np.zeros((n, n))
    links[np.repeat(np.arange(n), np.diff(problem.indptr)), problem.indices] = problem.weights
    kind = -2.0 * max(1.0, float(problem.weights.sum())) if edge_cut else problem.inner
    values = np.empty(1 << n)
    run_kernel(_set_values, links, problem.nodes, kind, problem.most, np.zeros(1 << n), values)
    best = {1: values[::2].copy()}  # sets without node 0, numbered by their other nodes
    for parts in _chain(k - 1):
        best[parts] = np.full(1 << (n - 1), np.inf)
        few = _fewer(parts)
        run_blocks(_divide, _BLOCKS, _BLOCKS, best[few], best[parts - few], parts, n - k + parts, best[parts])
    return _read(values, best, n, k)


def _fewer(parts: int) -> int:
    """Return of how many parts the first of two groups is."""
    return parts // 2 if parts % 2 == 0 else 1


def _chain(parts: int) -> list[int]:
    """Return the numbers of parts that are needed on the way to the last, ascending."""
    numbers: list[int] = []
    while parts > 1:
        numbers.append(parts)
        parts -= _fewer(parts)
    return numbers[::-1]


def _read(values: np.ndarray, best: dict[int, np.ndarray], n: int, k: int) -> np.ndarray:
    """Follow the best choices back from the set of all nodes."""
    rest = (1 << n) - 2
    others = _subsets(rest)
    other = int(others[(values[rest + 1 ^ others] + best[k - 1][others >> 1]).argmin()])
    labels, count = np.zeros(n, np.int64), 1
    waiting = [(other >> 1, k - 1)]
    while waiting:
        members, parts = waiting.pop()
        if parts > 1:
            few = _fewer(parts)
            first = members & -members
            others = _subsets(members ^ first)
            other = int(others[(best[few][members ^ others] + best[parts - few][others]).argmin()])
            waiting += [(other, parts - few), (members ^ other, few)]
            continue
        labels[[i for i in range(1, n) if members >> (i - 1) & 1]] = count
        count += 1
    return number_sets(labels)


def _subsets(mask: int) -> np.ndarray:
    """Return all subsets of a set of nodes."""
    found = np.zeros(1, np.int64)
    for i in range(mask.bit_length()):
        if mask >> i & 1:
            found = np.concatenate([found, found | (1 << i)])
    return found


@kernel
def _set_values(
    links,  # (n, n)  in
    nodes,  # (n, 3)  in: weight to other nodes, mass, size
    kind,  # float  in: 0 divided by the mass, 1 by the mass without the cut; below 0 by this number, for edge cut
    most,  # float  in
    cuts,  # (2^n,)  scratch
    values,  # (2^n,)  out
):
    n = len(nodes)
    values[0] = np.inf
    for s in range(1, 1 << n):
        first = 0
        while not s >> first & 1:
            first += 1
        rest, mass, size = s & (s - 1), 0.0, 0.0
        cut = cuts[rest] + nodes[first, 0]
        for i in range(first, n):
            if s >> i & 1:
                cut -= 2.0 * links[first, i]
                mass += nodes[i, 1]
                size += nodes[i, 2]
        cuts[s] = cut
        value = 0.0
        if cut > 0.0:
            below = -kind if kind < 0.0 else mass - kind * cut
            value = cut / below if below * _WORST > cut else _WORST
        if size > most:
            value += _WORST * (size / most)
        values[s] = value


@kernel
def _divide(
    block,
    n_blocks,  # int  in
    one,  # (2^(n-1),)  in: least values of the sets without node 0 in some of the parts
    other,  # (2^(n-1),)  in: in the others
    parts,  # int  in
    largest,  # int  in: number of nodes above which a set leaves too few to the other parts
    best,  # (2^(n-1),)  out: in all of them; infinity before
):
    for s in range(block, len(best), n_blocks):  # strides: sets of all sizes in every block
        count, left = 0, s
        while left:
            left &= left - 1
            count += 1
        if count < parts or count > largest:
            continue
        first = s & -s
        rest = s ^ first
        least, sub = np.inf, rest
        while True:
            least = min(least, one[first | sub] + other[rest ^ sub])
            if sub == 0:
                break
            sub = (sub - 1) & rest
        best[s] = least
