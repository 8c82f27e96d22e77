"""DBSCAN: the same clusters and noise. The package `dbscan` is inexact from three dimensions on."""

from functools import partial
from typing import Any

import numpy as np

from .data import blobs_in_noise
from .harness import Case


def make(n: int, d: int, k: int, spread: float, noise: float, eps: float, min_samples: int) -> tuple:
    """Return rows, eps, min_samples, and the groups they were drawn from."""
    X, truth = blobs_in_noise(n, d, k, spread, noise)
    return X, eps, min_samples, truth


def coterie(data: tuple) -> Any:
    """All cores."""
    from coterie import DBSCAN

    X, eps, min_samples, _ = data
    return lambda: DBSCAN(eps=eps, min_samples=min_samples).fit(X).labels_


def sklearn(data: tuple) -> Any:
    """All cores."""
    from sklearn.cluster import DBSCAN

    X, eps, min_samples, _ = data
    return lambda: DBSCAN(eps=eps, min_samples=min_samples, n_jobs=-1).fit(X).labels_


def package(data: tuple) -> Any:
    """The C++ grid code."""
    from dbscan import DBSCAN

    X, eps, min_samples, _ = data
    return lambda: DBSCAN(X, eps, min_samples)[0]


def quality(data: tuple, labels: np.ndarray) -> dict:
    """Return the number of clusters, of noise rows, and the agreement with the groups."""
    from sklearn.metrics import adjusted_rand_score

    truth = data[-1]
    return {
        "clusters": int(labels.max()) + 1,
        "noise": int((labels == -1).sum()),
        "ARI": round(float(adjusted_rand_score(truth, labels)), 4),
    }


PEERS = {"coterie": coterie, "scikit-learn": sklearn, "dbscan (C++)": package}
SLOW = ("scikit-learn", "dbscan (C++)")

CASES = [
    Case(
        "dbscan-1Mx2", partial(make, 1_000_000, 2, 500, 0.1, 0.06, 0.03, 10), dict(PEERS), quality,
        {"scikit-learn": 20, "dbscan (C++)": 2}, SLOW,
    ),
    Case("dbscan-200kx8", partial(make, 200_000, 8, 50, 1.0, 0.05, 1.6, 10), dict(PEERS), quality, {"scikit-learn": 8}, SLOW),
    Case("dbscan-100kx16", partial(make, 100_000, 16, 50, 1.0, 0.05, 4.0, 10), dict(PEERS), quality, {"scikit-learn": 8}, SLOW),
]  # fmt: skip
