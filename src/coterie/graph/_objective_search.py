"""The search behind the objectives of _objectives.py: many levels, several starts, and the best of them combined.

One start: group nodes into ever larger clusters, unite the last few hundred to k parts, search among them, and take the groups
apart level by level with a search on each. What the starts agree on is then held together: the graph of the sets of nodes that
no start has divided is small, and a search there combines the best parts of all of them. Last come V-cycles, which group
only what lies in one part. Cost: some tens of passes over the links; memory n k weights for each start at a time.
"""

import logging
from typing import Any

import numpy as np

from ..arrays import Graph
from ..primitives.compiled import run_blocks  # the kernels are compiled by `_numba`
from ..primitives.engine import get_num_threads
from ..primitives.objective_moves import CutProblem, clusters, contract, search, unite
from ._multilevel import Level, multilevel_partition

__all__ = ["filled", "least_cut"]

_log = logging.getLogger("coterie.graph")
_FEWEST = 200
_MOST_FEW = 1500
_MOST_TABLE = 1 << 27  # weights from nodes to parts, 1 GB
_PATIENCE = 100
_LINKS_A_START = 4_000_000
_PARTS = 16


def least_cut(
    problem: CutProblem, k: int, seed: int, starts: list[np.ndarray], *, only_starts: bool = False
) -> np.ndarray:
    """Return the best partition found.

    Parameters
    ----------
    problem : CutProblem
    k : int
        Number of parts, at least 2 and less than the number of nodes.
    seed : int
    starts : list of (n,) int arrays
        Partitions into k parts to begin with, beside others; empty parts are filled.
    only_starts : bool, default=False
        No others.

    Returns
    -------
    (n,) int32 array
    """
    links = max(1, len(problem.indices)) * max(1, k // _PARTS)  # a move looks at all parts
    n_starts = int(np.clip(_LINKS_A_START // links, 2 if links < 4 * _LINKS_A_START else 1, 6))
    n_starts = 0 if only_starts else n_starts
    found: list[Any] = [None] * (n_starts + len(starts))

    def begin(i: int) -> None:
        random = np.random.default_rng([seed, i])
        if i < n_starts:
            found[i] = _from_few(problem, k, random)
        else:
            found[i] = _improved(problem, k, filled(starts[i - n_starts], k), random, 20)

    if get_num_threads() > 1 and len(problem.nodes) * k < _MOST_TABLE // 4:
        run_blocks(begin, len(found))
    else:
        for i in range(len(found)):
            begin(i)
    random = np.random.default_rng([seed, len(found)])
    labels, value = min(found, key=lambda pair: pair[1])
    for others in (found, found[:0]) if len(found) > 1 else (found,):
        overlay = [labels, *(pair[0] for pair in others)]
        labels, value = _better((labels, value), _combined(problem, k, overlay, random))
    return labels


def _better(one: tuple, other: tuple) -> tuple:
    return other if other[1] < one[1] else one


def _from_few(problem: CutProblem, k: int, random: np.random.Generator) -> tuple[np.ndarray, float]:
    """Return a partition and its value, found from the coarsest level up."""
    steps, coarsest = _grouped(problem, k, np.zeros(len(problem.nodes), np.int32), random)
    if len(coarsest.nodes) <= 2 * _MOST_FEW:
        labels = unite(coarsest, k)
    else:
        labels = filled(_by_edge_cut(coarsest, k, random), k)
    return _apart(steps, _searched(coarsest, k, labels, random, 300))


def _combined(
    problem: CutProblem, k: int, partitions: list[np.ndarray], random: np.random.Generator
) -> tuple[np.ndarray, float]:
    """Search among partitions that divide only what one of some partitions divides; one alone gives a V-cycle."""
    overlay = partitions[0].astype(np.int64)
    for labels in partitions[1:]:
        _, overlay = np.unique(overlay * k + labels, return_inverse=True)
    steps, coarsest = _grouped(problem, k, overlay.astype(np.int32), random)
    labels = partitions[0]
    for _, sets in steps:
        first = np.empty(int(sets.max()) + 1, np.int32)
        first[sets] = labels
        labels = first
    return _apart(steps, _searched(coarsest, k, labels, random, 300))


def _improved(problem: CutProblem, k: int, labels: np.ndarray, random: np.random.Generator, rounds: int) -> tuple:
    return _better(
        _searched(problem, k, labels, random, rounds), _combined(problem, k, [labels.astype(np.int32)], random)
    )


def _apart(
    steps: list[tuple[CutProblem, np.ndarray]], found: tuple[np.ndarray, float], random: Any = None
) -> tuple[np.ndarray, float]:
    """Take the groups apart, from the coarsest level to the finest, with a search on each."""
    labels, value = found
    random = random or np.random.default_rng(len(labels))
    for problem, sets in reversed(steps):
        labels, value = _searched(problem, int(labels.max()) + 1, labels[sets], random, 40)
    return labels, value


def _searched(problem: CutProblem, k: int, labels: np.ndarray, random: np.random.Generator, rounds: int) -> tuple:
    if len(labels) * k > _MOST_TABLE:
        _log.info(
            "%d parts of %d nodes are not refined further: weights to all parts take too much memory", k, len(labels)
        )
        return labels, np.inf
    work = (3_000_000 + 4 * len(problem.indices)) // max(1, k // _PARTS)
    return search(
        problem, labels, k, seed=int(random.integers(1 << 31)), patience=_PATIENCE, rounds=rounds,
        in_vain=max(20, rounds // 3), work=work,
    )  # fmt: skip


def _grouped(
    problem: CutProblem, k: int, parts: np.ndarray, random: np.random.Generator
) -> tuple[list[tuple[CutProblem, np.ndarray]], CutProblem]:
    """Group nodes that lie in one part, about five at a time, until few are left.

    Returns
    -------
    steps : list of (CutProblem, (n,) int32 array)
        Each level with the group of each of its nodes, the finest first.
    coarsest : CutProblem
    """
    fewest = int(np.clip(15 * k, _FEWEST, max(_MOST_FEW, 2 * k)))
    mass, weight = float(problem.nodes[:, 1].sum()), float(problem.weights.sum())
    most_mass, steps = mass / (2 * k), []
    resolution = weight / max(mass * mass, 1e-300) * len(problem.nodes) / 20
    while len(problem.nodes) > fewest and most_mass < mass:
        n = len(problem.nodes)
        want = max(fewest, n // 5)
        for attempt in range(6):
            sets, count = clusters(
                problem, parts, random.permutation(n), resolution, most_mass, problem.most / 3, sweeps=3
            )
            if count < 0.6 * want:
                resolution *= 3
            elif count > 0.7 * n and attempt < 5:
                resolution /= 5
            else:
                break
        if count > 0.9 * n:
            sets, count = _alike(problem, parts, min(most_mass, mass / fewest), 2 * k)
        if count < 0.4 * fewest and (n <= _MOST_FEW // 2 or count < 2 * k):
            break
        if count > 0.97 * n:
            most_mass *= 2
            continue
        steps.append((problem, sets))
        problem = contract(problem, sets, count)
        coarse = np.empty(count, np.int32)
        coarse[sets] = parts
        parts, resolution = coarse, resolution / 5
    return steps, problem


def _alike(problem: CutProblem, parts: np.ndarray, most_mass: float, fewest: int) -> tuple[np.ndarray, int]:
    """Group nodes of one part with the same heaviest neighbour: they may hang on a hub that is full.

    Those without any link are parts that cost nothing: at least so many of them stay apart.
    """
    n = len(problem.nodes)
    rows = np.repeat(np.arange(n), np.diff(problem.indptr))
    order = np.lexsort((problem.indices, -problem.weights, rows))
    heaviest = np.full(n, -1, np.int64)
    linked = np.flatnonzero(np.diff(problem.indptr))
    heaviest[linked] = problem.indices[order[problem.indptr[linked]]]
    order = np.lexsort((np.arange(n), heaviest, parts))
    mass, size = problem.nodes[order, 1], problem.nodes[order, 2]
    new = np.ones(n, bool)
    new[1:] = (np.diff(heaviest[order]) != 0) | (np.diff(parts[order]) != 0)
    for values, most in ((mass, most_mass), (size, problem.most / 3)):
        if np.isfinite(most) and most > 0:
            bins = np.floor((np.cumsum(values) - values) / most)
            new[1:] |= np.diff(bins) != 0
    alone = np.flatnonzero(heaviest[order] < 0)
    new[alone] |= np.diff(np.arange(len(alone)) * fewest // max(1, len(alone)), prepend=-1) > 0
    sets = np.empty(n, np.int32)
    sets[order] = np.cumsum(new) - 1
    return sets, int(new.sum())


def _by_edge_cut(problem: CutProblem, k: int, random: np.random.Generator) -> np.ndarray:
    """Return a partition of small edge cut into parts of about equal mass, which the search may start from."""
    scale = 1e12 / max(problem.nodes[:, 1].sum(), problem.weights.sum(), 1.0)
    whole = np.maximum(1, problem.weights * min(1.0, scale)).astype(np.int64)
    mass = np.maximum(1, problem.nodes[:, 2]).astype(np.int64)
    level = Level(Graph(problem.indptr, problem.indices, whole), mass)
    limit = int(min(problem.most, 1.1 * mass.sum() / k + mass.max()))
    return multilevel_partition(level, k, limit, int(random.integers(1 << 31)))


def filled(labels: np.ndarray, k: int) -> np.ndarray:
    """Give each empty part a node of the largest."""
    labels = np.array(labels, np.int32)
    counts = np.bincount(labels, minlength=k)
    for empty in np.flatnonzero(counts == 0):
        largest = counts.argmax()
        labels[np.flatnonzero(labels == largest)[-1]] = empty
        counts[largest] -= 1
        counts[empty] += 1
    return labels
