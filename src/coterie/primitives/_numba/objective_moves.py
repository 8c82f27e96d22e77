"""The CPU engine of the search for least cuts: what each kernel needs is allocated here."""

import numpy as np

from . import objective_coarsen, objective_search
from .blocks import run_kernel
from .contraction import contracted

__all__ = ["clusters", "contract", "search", "unite"]


def clusters(problem, parts, order, resolution, most_mass, most_size, sweeps):
    found = np.empty(len(order), np.int32)
    count = run_kernel(
        objective_coarsen.local_clusters, *problem[:4], parts, order, resolution, most_mass, most_size, sweeps, found
    )
    return found, int(count)


def contract(problem, sets, n_sets):
    indptr, indices, weights, inside = contracted(*problem[:3], sets, n_sets)
    nodes = np.stack([np.bincount(sets, column, n_sets) for column in problem.nodes.T], axis=1)
    nodes[:, 0] -= inside
    return problem._replace(indptr=indptr, indices=indices, weights=weights, nodes=nodes)


def unite(problem, n_parts):
    n = len(problem.nodes)
    between, labels = np.zeros((n, n)), np.empty(n, np.int32)
    between[np.repeat(np.arange(n), np.diff(problem.indptr)), problem.indices] = problem.weights
    run_kernel(objective_coarsen.unite, between, problem.nodes.copy(), n_parts, problem.inner, problem.most, labels)
    return labels


def search(problem, labels, n_parts, seed, patience, rounds, in_vain, work):
    n, k = len(labels), n_parts
    labels = np.array(labels, np.int32)
    settings = np.array([patience, in_vain, rounds, work], np.int64)
    state = np.array([0, 0, (seed * 2_654_435_761 + 88_172_645) % (1 << 62) + 1], np.int64)
    value = run_kernel(
        objective_search.search,
        *problem,
        labels,
        np.empty((k, 6)),
        np.empty((n, k)),
        np.empty((k, k)),
        np.empty(n, np.int32),
        np.empty(n),
        np.empty(n, np.int32),
        np.empty(n, np.int32),
        np.empty((4 * n + 64, 2), np.int32),
        settings,
        state,
    )
    return labels, float(value)
