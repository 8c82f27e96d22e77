"""Are planted classes found, whatever they link to? Twenty graphs of each kind, beside methods that maximise modularity.

There are two sets. The dense one was made for classes that can be told apart by nearly every node: its mean degree was raised
until they could. The sparse one has 3 to 6 classes of 500 to 2,000 nodes at a mean degree of 20, where some classes cannot be
told apart by anyone; "possible" is the agreement that the planted rates and the classes of all others would give each node.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .harness import Case

__all__ = ["CASES"]

GRAPHS = 20
KINDS = ("assortative", "disassortative", "core_periphery", "feed_forward")
DEGREES = {"assortative": 15, "disassortative": 0, "core_periphery": 60, "feed_forward": 20}
SPARSE = 20


def rates_of(kind: str, k: int, to_core: float = 0.5) -> np.ndarray:
    """Return the chance of a link from class to class, up to a factor."""
    same = np.eye(k, dtype=bool)
    if kind == "assortative":
        return np.where(same, 1.0, 0.08)
    if kind == "disassortative":
        return np.where(same, 0.05, 1.0)
    if kind == "feed_forward":
        return np.where(np.eye(k, k=1, dtype=bool), 1.0, 0.05)
    rates = np.where(same, 0.01 if k == 2 else 0.25, 0.01)
    rates[0] = rates[:, 0] = to_core
    rates[0, 0] = 1.0
    return rates


def planted(kind: str, seed: int, dense: bool) -> tuple[Any, np.ndarray]:
    """Return the adjacency matrix, and the planted classes; 8 of the 20 graphs have hubs."""
    from scipy.sparse import coo_array

    rng = np.random.default_rng([KINDS.index(kind), seed] if dense else [KINDS.index(kind), seed, 1])
    n, k = int(np.geomspace(300 if dense else 500, 2000, 5)[seed % 5]), (2 if dense else 3) + seed % 4
    labels = np.sort(rng.choice(k, n, p=rng.dirichlet(np.full(k, 30.0))))
    rates, directed = rates_of(kind, k, 0.5 if dense else 0.3), kind == "feed_forward"
    busy = np.exp(rng.normal(0, 0.5 * (seed // 4 % 2), (2, n)))
    busy[1] = busy[1] if directed else busy[0]
    chance = [side / np.bincount(labels, side)[labels] * np.bincount(labels)[labels] for side in busy]
    mean = chance[0][:, None] * rates[labels][:, labels] * chance[1]
    mean *= n * ((DEGREES[kind] or 10 * k) if dense else SPARSE) / mean.sum()
    there = rng.random((n, n)) < -np.expm1(-mean)
    there = there & ~np.eye(n, dtype=bool) if directed else np.triu(there, 1)
    there = there if directed else there | there.T
    shuffled = rng.permutation(n)
    return coo_array(there[shuffled][:, shuffled].astype(float)).tocsr(), labels[shuffled]


def make(kind: str, dense: bool) -> Callable[[], tuple]:
    """Return what makes the graphs of a kind."""
    return lambda: tuple(planted(kind, seed, dense) for seed in range(GRAPHS))


def possible(graph: Any, labels: np.ndarray) -> np.ndarray:
    """Return the likeliest class of each node, given the classes of all others and how these link; hubs are not allowed for."""
    member = np.eye(labels.max() + 1)[labels]
    sizes, likelihood = member.sum(axis=0), np.log(member.sum(axis=0))[None]
    for side in (graph, graph.T) if (graph != graph.T).nnz else (graph,):
        links = side @ member
        rate = (member.T @ links + 0.5) / np.outer(sizes, sizes)
        likelihood = likelihood + links @ np.log(rate).T - rate @ sizes
    return likelihood.argmax(axis=1)


def block_model(data: tuple) -> Callable[[], list]:
    """Ours."""
    from coterie import BlockModel

    def call() -> list:
        models = []
        for graph, _ in data:
            directed = bool((graph != graph.T).nnz)
            models.append(BlockModel(directed=directed, random_state=0).fit(graph))
        return models

    return call


def our_leiden(data: tuple) -> Callable[[], list]:
    """Our own modularity, for the difference that the model makes."""
    from coterie import Leiden
    from coterie.graphs import as_graph, undirected

    return lambda: [Leiden(random_state=0).fit(undirected(as_graph(graph))).labels_ for graph, _ in data]


def scikit_network(name: str) -> Callable[[tuple], Callable[[], list]]:
    """Louvain or Leiden of scikit-network; of a directed graph they maximise directed modularity."""

    def prepare(data: tuple) -> Callable[[], list]:
        from scipy.sparse import csr_matrix
        from sknetwork import clustering

        graphs = [csr_matrix(graph) for graph, _ in data]
        return lambda: [getattr(clustering, name)(random_state=0).fit_predict(graph) for graph in graphs]

    return prepare


def quality(data: tuple, result: list) -> dict[str, Any]:
    """Return agreement with what was planted, and in how many graphs the number of classes is right."""
    from sklearn.metrics import adjusted_mutual_info_score

    labels = [getattr(one, "labels_", one) for one in result]
    agreement = [adjusted_mutual_info_score(known, found) for (_, known), found in zip(data, labels, strict=True)]
    right = sum(len(np.unique(found)) == len(np.unique(known)) for (_, known), found in zip(data, labels, strict=True))
    return {
        "AMI": round(float(np.mean(agreement)), 3),
        "least": round(min(agreement), 3),
        "possible": round(float(np.mean([adjusted_mutual_info_score(y, possible(graph, y)) for graph, y in data])), 3),
        "right k": f"{right}/{GRAPHS}",
    }


CASES = [
    Case(
        f"planted {kind.replace('_', '-')}{'' if dense else ', sparse'}, {GRAPHS} graphs",
        make(kind, dense),
        {
            "coterie": block_model,
            "coterie Leiden": our_leiden,
            "scikit-network Louvain": scikit_network("Louvain"),
            "scikit-network Leiden": scikit_network("Leiden"),
        },
        quality,
    )
    for dense in (True, False)
    for kind in KINDS
]
