"""CLIQUE: clusters of dense cells. pyclustering counts the cells of all features only, so that is the task here."""

from functools import partial
from typing import Any

import numpy as np

from .data import blobs_in_noise
from .harness import Case


def make(n: int, d: int, k: int, spread: float, n_intervals: int, rows: int) -> tuple:
    """Return rows, intervals, the least rows of a dense cell, and the groups they were drawn from."""
    X, truth = blobs_in_noise(n, d, k, spread, 0.05)
    return np.asarray(X, np.float64), n_intervals, rows, truth


def coterie(data: tuple) -> Any:
    """All cores."""
    from coterie import CLIQUE

    X, n_intervals, rows, _ = data
    return lambda: CLIQUE(n_intervals, density_threshold=rows / len(X), full_space=True).fit(X).labels_


def make_subspaces(n: int, d: int, clusters: int, dimensions: int) -> tuple:
    """Return rows, of which each cluster's are close together in its own features only, and these features."""
    random = np.random.default_rng(0)
    X = random.uniform(0, 100, (n, d))
    planted = []
    for rows in np.array_split(random.permutation(n)[: n - n // 10], clusters):
        columns = np.sort(random.choice(d, dimensions, replace=False))
        X[np.ix_(rows, columns)] = random.normal(random.uniform(20, 80, dimensions), 1.5, (len(rows), dimensions))
        planted.append(tuple(columns.tolist()))
    return X, planted


def subspaces(data: tuple) -> Any:
    """All cores, all subspaces."""
    from coterie import CLIQUE

    return lambda: CLIQUE(10, density_threshold=0.02, prune=False).fit(data[0]).clusters_


def planted_found(data: tuple, clusters: Any) -> dict:
    """Return how many clusters there are, and how many of the planted subspaces are among those of most features."""
    most = len(data[1][0])
    found = {tuple(cluster.dimensions.tolist()) for cluster in clusters if len(cluster.dimensions) == most}
    return {
        "clusters": len(clusters),
        "subspaces": f"{len(found & set(data[1]))} of {len(set(data[1]))}",
        "others": len(found - set(data[1])),
    }


def pyclustering(data: tuple) -> Any:
    """Python; a cell is dense above the threshold, hence one row less."""
    from pyclustering.cluster.clique import clique

    X, n_intervals, rows, _ = data
    table = X.tolist()

    def run() -> np.ndarray:
        found = clique(table, n_intervals, rows - 1, ccore=False)
        found.process()
        labels = np.full(len(X), -1)
        for number, members in enumerate(found.get_clusters()):
            labels[members] = number
        return labels

    return run


def quality(data: tuple, labels: np.ndarray) -> dict:
    """Return the number of clusters, of noise rows, and the agreement with the groups."""
    from sklearn.metrics import adjusted_rand_score

    return {
        "clusters": int(labels.max()) + 1,
        "noise": int((labels == -1).sum()),
        "ARI": round(float(adjusted_rand_score(data[-1], labels)), 4),
    }


PEERS = {"coterie": coterie, "pyclustering": pyclustering}
SLOW = ("pyclustering",)

CASES = [
    Case("clique-100kx2", partial(make, 100_000, 2, 50, 0.15, 20, 60), dict(PEERS), quality, {"pyclustering": 100}, SLOW),
    Case("clique-20Mx2", partial(make, 20_000_000, 2, 50, 0.15, 100, 4_000), {"coterie": coterie}, quality),
    Case("clique-100kx20-subspaces", partial(make_subspaces, 100_000, 20, 5, 5), {"coterie": subspaces}, planted_found),
]  # fmt: skip
