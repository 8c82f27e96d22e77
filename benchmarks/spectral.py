"""Spectral clustering of rows beside scikit-learn and scikit-network, and of generated graphs of one and ten million edges."""

from functools import partial
from typing import Any

import numpy as np

from .data import blobs
from .harness import Case

K = 10


def rows(n: int, d: int, spread: float) -> tuple:
    """Return rows, and the group of each row."""
    return blobs(n, d, K, spread, np.float64, seed=1)


def coterie(data: tuple) -> Any:
    """All cores."""
    from coterie import SpectralClustering

    return lambda: SpectralClustering(K, random_state=0).fit(data[0]).labels_


def sklearn(data: tuple, solver: str = "lobpcg") -> Any:
    """One core but for BLAS and the neighbours."""
    import warnings

    from sklearn.cluster import SpectralClustering

    warnings.simplefilter("ignore")
    model = SpectralClustering(
        K, affinity="nearest_neighbors", eigen_solver=solver, n_neighbors=10, random_state=0, n_jobs=-1
    )
    return lambda: model.fit(data[0]).labels_


def sknetwork(data: tuple) -> Any:
    """Neighbours and K-means of scikit-learn, eigenvectors of scikit-network."""
    from sklearn.cluster import KMeans
    from sklearn.neighbors import kneighbors_graph
    from sknetwork.embedding import Spectral

    def call() -> np.ndarray:
        links = kneighbors_graph(data[0], 10, include_self=False, n_jobs=-1)
        embedding = Spectral(K).fit_transform(((links + links.T) > 0).astype(float))
        return KMeans(K, n_init=10, random_state=0).fit(embedding).labels_

    return call


def agreement(data: tuple, labels: np.ndarray) -> dict:
    """Return the agreement with the groups."""
    from sklearn.metrics import adjusted_rand_score

    return {"ARI": round(float(adjusted_rand_score(data[1], labels)), 4)}


def planted(m: int, kind: str) -> tuple:
    """Return a graph of about m undirected edges and 2 m / 20 nodes: eight planted groups, or R-MAT."""
    from coterie.graphs import from_edges

    random = np.random.default_rng(0)
    n = m // 10
    if kind == "sbm":
        group = np.sort(random.integers(8, size=n))
        start, size = np.searchsorted(group, np.arange(8)), np.bincount(group)
        left = random.integers(n, size=m)
        own = group[left]
        near = start[own] + (random.random(m) * size[own]).astype(np.int64)
        right = np.where(random.random(m) < 0.7, near, random.integers(n, size=m))
    else:
        n = 1 << (n - 1).bit_length()
        left, right = rmat(random, n, m)
        group = None
    kept = left != right
    return from_edges(np.c_[left[kept], right[kept]], n), group


def rmat(random: np.random.Generator, n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw edges by halving the matrix again and again, with probabilities 0.57, 0.19, 0.19, 0.05."""
    left, right = np.zeros(m, np.int64), np.zeros(m, np.int64)
    for _ in range(n.bit_length() - 1):
        draw = random.random(m)
        left = 2 * left + (draw >= 0.76)
        right = 2 * right + (((draw >= 0.57) & (draw < 0.76)) | (draw >= 0.95))
    return left, right


def coterie_graph(data: tuple) -> Any:
    """All cores."""
    from coterie import SpectralClustering

    return lambda: SpectralClustering(8, affinity="precomputed", random_state=0).fit(data[0]).labels_


def cut(data: tuple, labels: np.ndarray) -> dict:
    """Return the normalised cut, the sizes, and the agreement with what was planted."""
    graph, group = data
    degree = np.add.reduceat(np.append(graph.weights, 0.0), np.minimum(graph.indptr[:-1], len(graph.weights)))
    degree[np.diff(graph.indptr) == 0] = 0.0
    sources = np.repeat(labels, np.diff(graph.indptr))
    leaving = np.bincount(sources, graph.weights * (sources != labels[graph.indices]))
    found = {
        "normalised cut": round(float((leaving / np.bincount(labels, degree)).sum()), 4),
        "sizes": np.bincount(labels).tolist(),
    }
    return found | (agreement(data, labels) if group is not None else {})


PEERS = {
    "coterie": coterie,
    "scikit-learn, lobpcg": sklearn,
    "scikit-network": sknetwork,
}
GOALS = {"scikit-learn, lobpcg": 3.0, "scikit-network": 3.0}
CASES = [
    Case("spectral-20kx8", partial(rows, 20_000, 8, 4.0), dict(PEERS), agreement, GOALS),
    Case("spectral-50kx3", partial(rows, 50_000, 3, 2.0), dict(PEERS), agreement, GOALS),
    *(
        Case(f"spectral-{kind}-{m // 1_000_000}M", partial(planted, m, kind), {"coterie": coterie_graph}, cut)
        for kind in ("sbm", "rmat")
        for m in (1_000_000, 10_000_000)
    ),
]
