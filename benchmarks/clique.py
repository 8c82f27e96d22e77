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


def subspaces(data: tuple) -> Any:
    """All subspaces, with pruning."""
    from coterie import CLIQUE

    X, n_intervals, rows, _ = data
    return lambda: CLIQUE(n_intervals, density_threshold=rows / len(X)).fit(X).labels_


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
    Case("clique-100kx2", partial(make, 100_000, 2, 50, 0.15, 60, 20), dict(PEERS), quality, {"pyclustering": 100}, SLOW),
    Case("clique-20Mx2", partial(make, 20_000_000, 2, 50, 0.15, 100, 4_000), {"coterie": coterie}, quality),
    Case("clique-100kx20-subspaces", partial(make, 100_000, 20, 10, 0.5, 10, 5_000), {"coterie": subspaces}, quality),
]  # fmt: skip
