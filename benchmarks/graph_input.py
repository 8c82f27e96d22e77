"""From a list of edges in memory to a graph, and scores of a partition: the same figures, beside those who compute them too."""

from functools import partial
from typing import Any

import numpy as np

from .harness import Case


def make(m: int, n: int, weighted: bool = False) -> tuple:
    """Return ends of random edges, their weights or None, the number of nodes, and a hundred random parts."""
    random = np.random.default_rng(0)
    edges = random.integers(0, n, (m, 2))
    return edges, random.random(m) if weighted else None, n, random.integers(0, 100, n)


def ours(data: tuple) -> Any:
    """Both directions, sorted, links listed again added up."""
    from coterie.graphs import from_edges

    edges, weights, n, _ = data
    return lambda: from_edges(edges, n, weights=weights)


def scipy(data: tuple) -> Any:
    """The same by COO to CSR."""
    from scipy.sparse import coo_array

    edges, weights, n, _ = data
    weights = np.ones(len(edges)) if weights is None else weights

    def call() -> Any:
        ends = np.concatenate([edges, edges[:, ::-1]])
        rows = coo_array((np.tile(weights, 2), (ends[:, 0], ends[:, 1])), shape=(n, n)).tocsr()
        rows.sum_duplicates()
        return rows

    return call


def networkit(data: tuple) -> Any:
    """Keeps parallel edges apart and columns unsorted."""
    from networkit import GraphFromCoo

    edges, weights, n, _ = data
    coo = (
        (edges[:, 0].copy(), edges[:, 1].copy())
        if weights is None
        else (weights, (edges[:, 0].copy(), edges[:, 1].copy()))
    )
    return lambda: GraphFromCoo(coo, n=n, weighted=weights is not None)


def igraph(data: tuple) -> Any:
    """Keeps parallel edges apart."""
    import igraph as ig

    edges, _, n, _ = data
    return lambda: ig.Graph(n, edges)


def our_modularity(data: tuple) -> Any:
    """All cores."""
    from coterie.graphs import from_edges
    from coterie.metrics import modularity

    edges, weights, n, labels = data
    graph = from_edges(edges, n, weights=weights)
    return lambda: modularity(graph, labels)


def igraph_modularity(data: tuple) -> Any:
    """One core."""
    import igraph as ig

    edges, _, n, labels = data
    graph, labels = ig.Graph(n, edges), labels.tolist()
    return lambda: graph.modularity(labels)


def networkit_modularity(data: tuple) -> Any:
    """All cores."""
    from networkit.community import Modularity
    from networkit.structures import Partition

    graph = networkit(data)()
    partition = Partition(data[2], data[3].tolist())
    return lambda: Modularity().getQuality(partition, graph)


def size(data: tuple, result: Any) -> dict:
    """How many different links are stored, where that is told."""
    stored = getattr(result, "indices", None)
    return {"stored links": len(stored)} if stored is not None else {}


def score(data: tuple, result: Any) -> dict:
    """The score itself."""
    return {"modularity": f"{float(result):.9g}"}


MAKERS = {"coterie": ours, "scipy": scipy, "networkit": networkit, "igraph": igraph}
SCORES = {"coterie": our_modularity, "networkit": networkit_modularity, "igraph": igraph_modularity}
CASES = [
    Case("edges-1M", partial(make, 1_000_000, 100_000), MAKERS, size, {"scipy": 2.0}),
    Case(
        "edges-1M-weighted",
        partial(make, 1_000_000, 100_000, True),
        {name: MAKERS[name] for name in ("coterie", "scipy", "networkit")},
        size,
    ),
    Case(
        "edges-10M", partial(make, 10_000_000, 1_000_000), {name: MAKERS[name] for name in ("coterie", "scipy")}, size
    ),
    Case("modularity-1M", partial(make, 1_000_000, 100_000), SCORES, score),
]
