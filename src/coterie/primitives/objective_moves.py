"""Partitions of least ratio, normalised or min-max cut: the steps of a search for them.

Each of these objectives is a sum over the parts of what leaves a part divided by what it holds, so a move of one node changes two
terms, and both are known from sums that are kept. The steps: a `CutProblem` is made of a graph, made smaller by `clusters` and
`contract`, divided by `unite`, and improved by `search`. Weights are turned into whole numbers once, so that sums are exact in
any order, and the same bits come out on any number of threads.
"""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import Graph
from .engine import engine_of

__all__ = ["OBJECTIVES", "CutProblem", "clusters", "contract", "cut_problem", "search", "unite"]

OBJECTIVES = ("ratio_cut", "normalized_cut", "min_max_cut")
_EXACT = 2.0**51  # whole numbers up to four times this have a float64 of their own


class CutProblem(NamedTuple):
    """A graph and what shall be least. Value of a part: cut / (mass - inner * cut).

    Examples
    --------
    >>> from coterie.graphs import from_edges
    >>> from coterie.primitives.objective_moves import cut_problem
    >>> cut_problem(from_edges([[0, 1], [1, 2]]), "normalized_cut").nodes[:, 1].tolist()
    [1.0, 2.0, 1.0]
    """

    indptr: Any  # (n + 1,) int64
    indices: Any  # (e,) int32, no node is linked to itself
    weights: Any  # (e,) float64, whole numbers
    nodes: Any  # (n, 3) float64: weight to other nodes, mass, size
    inner: float  # 1 to divide by the mass without the cut, else 0
    most: float  # largest size of a part


def cut_problem(graph: Graph, objective: str, node_weight: Any = None, most: float = np.inf) -> CutProblem:
    """Return the problem of dividing a graph.

    Parameters
    ----------
    graph : Graph
        Undirected. A link of a node to itself counts in the volume and the inside of its part.
    objective : {"ratio_cut", "normalized_cut", "min_max_cut"}
        Sum over the parts of the weight that leaves, divided by the number (or weight) of nodes, the sum of degrees, or the
        weight inside with both directions counted.
    node_weight : (n,) array, optional
        At least 0; by default 1.
    most : float, default=inf
        Largest sum of node weights in a part.

    Returns
    -------
    CutProblem
        Of whole numbers: weights of more than 15 digits are rounded, up to 1 where they would vanish. For ratio cut, masses are
        node weights times a power of two, so that values differ by that factor from the objective.

    Examples
    --------
    >>> from coterie.graphs import from_edges
    >>> from coterie.primitives.objective_moves import cut_problem
    >>> cut_problem(from_edges([[0, 1, 3], [1, 2, 5]]), "min_max_cut").nodes[:, 0].tolist()
    [3.0, 8.0, 5.0]
    """
    n = len(graph.indptr) - 1
    rows = np.repeat(np.arange(n), np.diff(graph.indptr))
    weights, other = _whole(graph.weights), rows != graph.indices
    size = np.ones(n) if node_weight is None else np.ascontiguousarray(node_weight, np.float64)
    outer = np.bincount(rows[other], weights[other], n)
    mass = np.bincount(rows, weights, n)
    if objective == "ratio_cut":
        whole = _whole(size)
        # Values near 1, whatever the units: a power of two leaves sums exact.
        mass = whole * 2.0 ** float(np.frexp(mass.sum())[1] - np.frexp(whole.sum())[1])
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows[other], minlength=n))])
    return CutProblem(
        indptr.astype(np.int64),
        graph.indices[other].astype(np.int32),
        weights[other],
        np.stack([outer, mass, size], axis=1),
        float(objective == "min_max_cut"),
        float(most),
    )


def _whole(values: np.ndarray) -> np.ndarray:
    """Return numbers in about the same proportion, all of them whole and exact however they are added up."""
    values = np.asarray(values, np.float64)
    if not len(values) or not values.any():
        return values.copy()
    largest = 2.0 ** np.frexp(values.max())[1]
    total = (values / largest).sum()
    if largest * total < _EXACT and np.array_equal(values, np.rint(values)):
        return values.copy()
    scaled = np.rint(values / largest * 2.0 ** (50 - np.frexp(total)[1]))
    return np.where(values > 0, np.maximum(scaled, 1.0), 0.0)


def clusters(
    problem: CutProblem, parts: Any, order: Any, resolution: float, most_mass: float, most_size: float, sweeps: int = 3
) -> tuple[Any, int]:
    """Group linked nodes: each goes to the cluster of the greatest weight, less ``resolution`` for a product of masses.

    Parameters
    ----------
    problem : CutProblem
    parts : (n,) int32 array
        No cluster has nodes of two parts.
    order : (n,) int64 array
        In which the nodes are looked at; each sees the moves before it.
    resolution : float
        The greater, the smaller the clusters.
    most_mass, most_size : float
        Bounds on a cluster.
    sweeps : int, default=3
        At most so many times through all nodes.

    Returns
    -------
    clusters : (n,) int32 array
        Numbered from 0 by first appearance.
    n_clusters : int

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.graphs import from_edges
    >>> from coterie.primitives.objective_moves import clusters, cut_problem
    >>> problem = cut_problem(from_edges([[0, 1], [2, 3]]), "ratio_cut")
    >>> clusters(problem, np.zeros(4, np.int32), np.arange(4), 0.1, 4.0, 4.0)[0].tolist()
    [0, 0, 1, 1]
    """
    return _engine(problem).clusters(
        problem, parts, order, float(resolution), float(most_mass), float(most_size), sweeps
    )


def contract(problem: CutProblem, sets: Any, n_sets: int) -> CutProblem:
    """Return the problem whose nodes are the sets: every partition of it has the value that it has with the nodes inside.

    Parameters
    ----------
    problem : CutProblem
    sets : (n,) int32 array
        Set of each node, 0 ... n_sets - 1, none empty.
    n_sets : int

    Returns
    -------
    CutProblem

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.graphs import from_edges
    >>> from coterie.primitives.objective_moves import contract, cut_problem
    >>> problem = cut_problem(from_edges([[0, 1], [1, 2], [2, 3]]), "ratio_cut")
    >>> contract(problem, np.array([0, 0, 1, 1], np.int32), 2).nodes.tolist()
    [[1.0, 2.0, 2.0], [1.0, 2.0, 2.0]]
    """
    return _engine(problem).contract(problem, sets, n_sets)


def unite(problem: CutProblem, n_parts: int) -> Any:
    """Unite nodes to parts, each time the two whose union makes the objective least, until there are so many.

    Parameters
    ----------
    problem : CutProblem
        Of some hundreds of nodes: O(n^2) memory, and most often O(n^2) time.
    n_parts : int

    Returns
    -------
    (n,) int32 array
        Part of each node, 0 ... n_parts - 1.

    Examples
    --------
    >>> from coterie.graphs import from_edges
    >>> from coterie.primitives.objective_moves import cut_problem, unite
    >>> links = [[0, 1], [1, 2], [0, 2], [2, 3], [3, 4], [4, 5], [3, 5]]
    >>> unite(cut_problem(from_edges(links), "normalized_cut"), 2).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    return _engine(problem).unite(problem, n_parts)


def search(
    problem: CutProblem, labels: Any, n_parts: int, *, seed: int, patience: int, rounds: int, in_vain: int, work: int
) -> tuple[Any, float]:
    """Improve a partition by moves of nodes, then by disturbing it and improving it again.

    Parameters
    ----------
    problem : CutProblem
    labels : (n,) int array
        Part of each node; each of the parts 0 ... n_parts - 1 has one at least, and will.
    n_parts : int
    seed : int
        Of the disturbances.
    patience : int
        How many moves may be made for the worse before going back to the best.
    rounds : int
        How many disturbances at most; 0 only climbs.
    in_vain : int
        Stop after so many in a row that led to nothing better.
    work : int
        Begin no further round after so many links looked at.

    Returns
    -------
    labels : (n,) int32 array
    value : float
        What it then is worth in the units of the problem: never more than at the start. A part that has a cut but nothing to divide it by counts 1e9,
        and so does one above the largest size.

    Notes
    -----
    The moves are those of Fiduccia and Mattheyses, for any number of parts; a disturbance unites two parts and begins
    another anew, or lets a part grow into the next. Memory: n k weights from each node to each part.

    References
    ----------
    Fiduccia, Mattheyses (1982). A linear-time heuristic for improving network partitions. DAC 19, 175-181.
    doi:10.1145/800263.809204

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.graphs import from_edges
    >>> from coterie.primitives.objective_moves import cut_problem, search
    >>> problem = cut_problem(from_edges([[0, 1], [1, 2], [2, 3]]), "ratio_cut")
    >>> search(problem, np.array([0, 1, 1, 1]), 2, seed=0, patience=10, rounds=10, in_vain=5, work=10**6)[1]
    1.0
    """
    return _engine(problem).search(problem, labels, n_parts, int(seed), patience, rounds, in_vain, work)


def _engine(problem: CutProblem) -> Any:
    return engine_of(problem.weights, "objective_moves")
