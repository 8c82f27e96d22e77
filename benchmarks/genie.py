"""Genie: single linkage with even sizes. genieclust is the authors' C++ code; both take plain distances and threshold 0.3."""

from functools import partial
from typing import Any

import numpy as np

from .data import blobs
from .harness import Case


def make(n: int, d: int, k: int, spread: float) -> tuple:
    """Return rows, the number of groups, and the group of each row."""
    X, truth = blobs(n, d, k, spread)
    return X, k, truth


def coterie(data: tuple) -> Any:
    """All cores."""
    from coterie import Genie

    X, k, _ = data
    return lambda: Genie(n_clusters=k, gini_threshold=0.3, min_samples=1).fit(X).labels_


def defaults(data: tuple) -> Any:
    """All cores: seven thresholds, smoothed distances."""
    from coterie import Genie

    X, k, _ = data
    return lambda: Genie(n_clusters=k).fit(X).labels_


def genieclust(data: tuple) -> Any:
    """All cores."""
    from genieclust import Genie

    X, k, _ = data
    return lambda: Genie(n_clusters=k, gini_threshold=0.3).fit(X).labels_


def quality(data: tuple, labels: np.ndarray) -> dict:
    """Return the number of clusters and the agreement with the groups."""
    from sklearn.metrics import adjusted_rand_score

    return {"clusters": len(np.unique(labels)), "ARI": round(float(adjusted_rand_score(data[-1], labels)), 4)}


PEERS = {"coterie": coterie, "coterie, defaults": defaults, "genieclust": genieclust}

CASES = [
    Case("genie-100kx8", partial(make, 100_000, 8, 20, 1.0), dict(PEERS), quality, {"genieclust": 1.2}, ("genieclust",)),
    Case("genie-1Mx2", partial(make, 1_000_000, 2, 50, 0.3), dict(PEERS), quality, {"genieclust": 1.0}, ("genieclust",)),
]  # fmt: skip
