"""Degenerate graphs by name, and what must be answered: the group of every node, anything of a right shape, or a refusal."""

import networkx as nx
import numpy as np
import scipy.sparse as sp

import coterie
from common.graph_cases import planted
from coterie import Graph
from coterie.graphs import from_edges, to_scipy

ANY, REFUSED = "any", None


def clique(n: int, first: int = 0) -> list[list[int]]:
    """Return the edges of n nodes that are all linked."""
    return [[first + i, first + j] for i in range(n) for j in range(i)]


TWO_CLIQUES = np.repeat([0, 1], 8)
# kind -> graph, and the group of every node where the graph leaves no choice; REFUSED: one clear sentence.
DEGENERATE = {
    "no links": (from_edges(np.empty((0, 2)), 5), ANY),
    "two nodes": (from_edges([[0, 1]]), ANY),
    "two nodes without links": (from_edges(np.empty((0, 2)), 2), ANY),
    "two cliques apart": (from_edges(clique(8) + clique(8, 8)), TWO_CLIQUES),
    "two cliques with a bridge": (from_edges([*clique(8), *clique(8, 8), [0, 8]]), TWO_CLIQUES),
    "two cliques with isolated nodes": (from_edges(clique(8) + clique(8, 8), 20), ANY),
    "many isolated nodes": (from_edges(clique(4), 300), ANY),
    "loops only": (from_edges([[i, i] for i in range(6)]), ANY),
    "loops beside links": (from_edges([*clique(8), *clique(8, 8), [0, 8], *([i, i] for i in range(16))]), ANY),
    "a heavy loop": (from_edges([*[[a, b, 1.0] for a, b in clique(8)], [0, 0, 1e6]]), ANY),
    "1,000 components": (from_edges(np.concatenate([np.array(clique(3)) + 3 * i for i in range(1000)])), ANY),
    "1,000 pairs": (from_edges(np.arange(2000).reshape(-1, 2)), ANY),
    "a path": (from_edges(np.c_[np.arange(29), np.arange(1, 30)]), ANY),
    "a ring": (from_edges(np.c_[np.arange(30), np.roll(np.arange(30), 1)]), ANY),
    "a star": (from_edges(np.c_[np.zeros(29, int), np.arange(1, 30)]), ANY),
    "a complete graph": (from_edges(clique(12)), ANY),
    "complete bipartite": (from_edges([[i, 6 + j] for i in range(6) for j in range(6)]), ANY),
    "a grid": (nx.convert_node_labels_to_integers(nx.grid_2d_graph(6, 6)), ANY),
    "links listed again": (np.array([*clique(8), *clique(8), *clique(8, 8), *clique(8, 8)]), TWO_CLIQUES),
    "stored zeros": (
        sp.csr_array((np.r_[np.ones(6), 0, 0], ([0, 1, 1, 2, 3, 4, 0, 4], [1, 0, 2, 1, 4, 3, 4, 0])), shape=(5, 5)),
        ANY,
    ),
    "all weights zero": (np.zeros((6, 6)), ANY),
    "weights of every magnitude": (
        from_edges(np.c_[np.arange(29), np.arange(1, 30)], weights=10.0 ** np.linspace(-300, 300, 29)),
        ANY,
    ),
    "one faint bridge": (
        from_edges([*[[a, b, 1.0] for a, b in clique(8) + clique(8, 8)], [0, 8, 1e-300]]),
        TWO_CLIQUES,
    ),
    "denormal weights": (from_edges([*[[a, b, 5e-324] for a, b in clique(8) + clique(8, 8)]]), TWO_CLIQUES),
    "single precision": (planted()._replace(weights=planted().weights.astype(np.float32) * 1e30), ANY),
    "truth values": (to_scipy(from_edges(clique(8) + clique(8, 8))).toarray() > 0, TWO_CLIQUES),
    "small whole numbers": (to_scipy(from_edges(clique(8) + clique(8, 8))).toarray().astype(np.uint8), TWO_CLIQUES),
    "a matrix that is not square": (np.ones((3, 5)), REFUSED),
    "a sparse matrix that is not square": (sp.csr_array(np.ones((3, 5))), REFUSED),
    "a negative weight": (np.array([[0, 1, -1.0], [1, 0, 1], [-1, 1, 0]]), REFUSED),
    "a negative weight, sparse": (sp.csr_array(np.array([[0, -1.0], [-1, 0]])), REFUSED),
    "NaN": (np.array([[0, np.nan], [np.nan, 0]]), REFUSED),
    "NaN, sparse": (sp.csr_array(np.array([[0, np.nan], [np.nan, 0]])), REFUSED),
    "infinity": (Graph(np.array([0, 1, 2]), np.array([1, 0]), np.array([np.inf, np.inf])), REFUSED),
    "no nodes": (np.empty((0, 0)), REFUSED),
    "no nodes, sparse": (sp.csr_array((0, 0)), REFUSED),
    "no nodes, networkx": (nx.Graph(), REFUSED),
    "one dimension": (np.arange(5.0), REFUSED),
    "three dimensions": (np.zeros((3, 3, 3)), REFUSED),
    "names": (np.array([["ann", "bob"], ["bob", "eve"], ["eve", "ann"]]), REFUSED),
    "complex numbers": (np.ones((3, 3)) * 1j, REFUSED),
    "nothing": (None, REFUSED),
    "a word": ("karate", REFUSED),
    "identifiers in the billions": (np.array([[7e9, 8e9], [8e9, 9e9], [9e9, 7e9]]), REFUSED),
}
ANSWERED = [kind for kind, (_, groups) in DEGENERATE.items() if groups is not REFUSED]
NO_CHOICE = [kind for kind, (_, groups) in DEGENERATE.items() if isinstance(groups, np.ndarray)]


def nodes_of(kind: str) -> int:
    """Return how many nodes the graph of a kind has."""
    return coterie.graphs.as_graph(DEGENERATE[kind][0]).n_nodes
