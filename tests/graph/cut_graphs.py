"""Graphs and plain definitions for the tests of cuts."""

import itertools

import numpy as np

from coterie.graphs import from_edges

OBJECTIVES = ("ratio_cut", "normalized_cut", "min_max_cut")


def random_graph(n, seed, share=0.4, weighted=False):
    random = np.random.default_rng([n, seed])
    edges = np.array([pair for pair in itertools.combinations(range(n), 2) if random.random() < share]).reshape(-1, 2)
    return from_edges(edges, n, weights=random.uniform(0.1, 3, len(edges)) if weighted else None)


def ring_of_cliques(n_cliques, size):
    """Return cliques, each joined to the next by one edge; the best cuts are those edges."""
    edges = [(c * size + i, c * size + j) for c in range(n_cliques) for i, j in itertools.combinations(range(size), 2)]
    edges += [(c * size, (c + 1) % n_cliques * size + 1) for c in range(n_cliques)]
    return from_edges(np.array(edges), n_cliques * size)


def partitions(n, k):
    """Yield all ways to put n nodes into exactly k parts, numbered by first appearance."""
    for labels in itertools.product(*(range(min(i + 1, k)) for i in range(n))):
        if len(set(labels)) == k and all(labels[i] <= max((*labels[:i], -1)) + 1 for i in range(n)):
            yield np.array(labels)


def plain_value(graph, labels, objective, node_weights=None):
    """Return an objective by its definition, from the dense matrix."""
    n = graph.n_nodes
    A = np.zeros((n, n))
    A[np.repeat(np.arange(n), np.diff(graph.indptr)), graph.indices] = graph.weights
    total = 0.0
    for part in np.unique(labels):
        inside = labels == part
        cut = A[inside][:, ~inside].sum()
        if objective == "edge_cut":
            total += cut / 2
            continue
        size = inside.sum() if node_weights is None else node_weights[inside].sum()
        below = {"ratio_cut": size, "normalized_cut": A[inside].sum(), "min_max_cut": A[inside][:, inside].sum()}
        if cut > 0:
            total += cut / below[objective] if below[objective] > 0 else np.inf
    return total
