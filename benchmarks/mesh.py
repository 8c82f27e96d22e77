"""Edge cut of large graphs: a mesh of 200,000 nodes beside METIS and KaHIP eco, and R-MAT graphs of one and ten million edges.

The mesh is Delaunay's of random points in a square. METIS and KaHIP compute on one core, ours on all that are allowed.
"""

from functools import partial
from typing import Any

import numpy as np

from .harness import Case


def mesh(n: int, k: int) -> tuple:
    """Return a triangulation as a graph, and the number of parts."""
    from scipy.spatial import Delaunay

    from coterie.graphs import from_edges

    corners = Delaunay(np.random.default_rng(0).random((n, 2))).simplices
    edges = np.sort(np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]]), axis=1)
    return from_edges(np.unique(edges, axis=0), n), k


def rmat(edges: int, k: int) -> tuple:
    """Return a graph of uneven degrees (R-MAT, .57, .19, .19, .05), about 8 edges for a node, and the number of parts."""
    from coterie.graphs import from_edges

    random, scale = np.random.default_rng(0), int(np.log2(edges / 8))
    ends = np.zeros((edges, 2), np.int64)
    for _ in range(scale):
        quarter = random.random(edges)
        ends[:, 0] = 2 * ends[:, 0] + (quarter >= 0.76)
        ends[:, 1] = 2 * ends[:, 1] + (((quarter >= 0.57) & (quarter < 0.76)) | (quarter >= 0.95))
    return from_edges(ends[ends[:, 0] != ends[:, 1]], 2**scale), k


def coterie(data: tuple) -> Any:
    """All cores."""
    from coterie import BalancedCut

    graph, k = data
    return lambda: BalancedCut(k, random_state=0).fit(graph).labels_


def metis(data: tuple) -> Any:
    """One core."""
    import pymetis

    graph, k = data
    adjacency = pymetis.CSRAdjacency(graph.indptr.tolist(), graph.indices.tolist())
    return lambda: np.asarray(pymetis.part_graph(k, adjacency=adjacency)[1])


def eco(data: tuple) -> Any:
    """One core."""
    import kahip

    graph, k = data
    starts, ends = graph.indptr.tolist(), graph.indices.tolist()
    ones, units = [1] * graph.n_nodes, [1] * len(ends)
    return lambda: np.asarray(kahip.kaffpa(ones, starts, units, ends, k, 0.03, True, 0, kahip.ECO)[1])


def quality(data: tuple, labels: np.ndarray) -> dict:
    """Return the cut and the imbalance."""
    graph, k = data
    cut = graph.weights[np.repeat(labels, np.diff(graph.indptr)) != labels[graph.indices]].sum() / 2
    return {"cut": int(cut), "imbalance": round(float(np.bincount(labels).max() / -(-len(labels) // k) - 1), 4)}


PEERS = {"coterie": coterie, "METIS": metis, "KaHIP eco": eco}

CASES = [
    Case("mesh-200k-2", partial(mesh, 200_000, 2), dict(PEERS), quality, {"KaHIP eco": 1.0}),
    Case("mesh-200k-16", partial(mesh, 200_000, 16), dict(PEERS), quality, {"KaHIP eco": 1.0}),
    Case("rmat-1M-8", partial(rmat, 1_000_000, 8), {"coterie": coterie, "METIS": metis}, quality),
    Case("rmat-10M-8", partial(rmat, 10_000_000, 8), {"coterie": coterie, "METIS": metis}, quality),
]
