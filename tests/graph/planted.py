"""Graphs with planted classes: degree-corrected Poisson block models, seeded, with the verdicts that are right for them."""

import numpy as np

from coterie.graphs import from_edges

KINDS = ("assortative", "disassortative", "core_periphery", "feed_forward")


def planted(kind, seed, n=None, k=None, spread=None, degree=None):
    """Return graph, labels, rates and whether directed: case number ``seed`` of a kind, of 300 ... 2000 nodes and 2 ... 5 classes.

    ``rates[r, s]`` is proportional to the chance of a link from a node of class r to one of class s.
    """
    rng = np.random.default_rng([KINDS.index(kind), seed])
    n = int(np.geomspace(300, 2000, 5)[seed % 5]) if n is None else n
    k = 2 + seed % 4 if k is None else k
    spread = (0.0, 0.5)[seed // 4 % 2] if spread is None else spread
    rates, directed = RATES[kind](k), kind == "feed_forward"
    if degree is None:
        degree = {"assortative": 15, "disassortative": 20 * k // 2, "core_periphery": 60, "feed_forward": 20}[kind]
    share = rng.dirichlet(np.full(k, 30.0))
    sizes = np.maximum(rng.multinomial(n, share), n // (4 * k))
    graph, labels = drawn(sizes, rates, degree, rng, spread=spread, directed=directed)
    return graph, labels, rates, directed


def assortative(k):
    return np.where(np.eye(k, dtype=bool), 1.0, 0.08)


def disassortative(k):
    return np.where(np.eye(k, dtype=bool), 0.05, 1.0)


def core_periphery(k):
    """Return a core that everyone is linked to, and k - 1 peripheries with few links inside and next to none in between."""
    rates = np.full((k, k), 0.01)
    rates[np.diag_indices(k)] = 0.01 if k == 2 else 0.25
    rates[0] = rates[:, 0] = 0.5
    rates[0, 0] = 1.0
    return rates


def feed_forward(k):
    rates = np.full((k, k), 0.05)
    rates[np.arange(k - 1), np.arange(1, k)] = 1.0
    return rates


RATES = {
    "assortative": assortative,
    "disassortative": disassortative,
    "core_periphery": core_periphery,
    "feed_forward": feed_forward,
}


def drawn(sizes, rates, degree, rng, *, spread=0.0, directed=False, single=True):
    """Draw a graph; ``spread`` is the deviation of the logarithm of what a node links beside others of its class."""
    sizes = np.asarray(sizes)
    n, k = int(sizes.sum()), len(sizes)
    labels = np.repeat(np.arange(k), sizes)
    expected = np.outer(sizes, sizes) * rates
    expected *= n * degree / expected.sum()
    busy = np.exp(rng.normal(0, spread, (2, n)))
    if not directed:
        busy[1] = busy[0]
    members = [np.flatnonzero(labels == r) for r in range(k)]
    chance = [[side[own] / side[own].sum() for own in members] for side in busy]
    ends = []
    for r in range(k):
        for s in range(0 if directed else r, k):
            m = rng.poisson(expected[r, s] / (2 if r == s and not directed else 1))
            ends.append([rng.choice(members[r], m, p=chance[0][r]), rng.choice(members[s], m, p=chance[1][s])])
    edges = np.hstack(ends).T
    edges = edges[edges[:, 0] != edges[:, 1]]
    if single:
        edges = np.unique(edges if directed else np.sort(edges, axis=1), axis=0)
    shuffled = rng.permutation(n)
    found = np.empty(n, np.int64)
    found[shuffled] = labels
    return from_edges(shuffled[edges], n, directed=directed), found
