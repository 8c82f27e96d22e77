"""Bisecting K-means: 64 and 1,024 groups, to an inertia that is no worse."""

from functools import partial
from typing import Any

import numpy as np

from .data import blobs
from .harness import Case


def make(n: int, d: int, k: int, spread: float, dtype: type = np.float32) -> tuple:
    """Return rows around k centers, and k."""
    return blobs(n, d, k, spread, dtype)[0], k


def coterie(data: tuple, **parameters: Any) -> Any:
    """All cores, as it comes."""
    from coterie import BisectingKMeans

    X, k = data
    return lambda: BisectingKMeans(k, random_state=0, **parameters).fit(X)


def sklearn(data: tuple, **parameters: Any) -> Any:
    """All cores, as it comes."""
    from sklearn.cluster import BisectingKMeans

    X, k = data
    return lambda: BisectingKMeans(k, random_state=0, **parameters).fit(X)


def pddp(data: tuple) -> Any:
    """The same tree along principal directions."""
    from coterie import PDDP

    X, k = data
    return lambda: PDDP(k).fit(X)


def quality(data: tuple, model: Any) -> dict:
    """Return the inertia around the means of the clusters, computed in one way for all."""
    X, k = data
    labels = np.asarray(model.labels_)
    total = 0.0
    for cluster in range(k):
        rows = X[labels == cluster].astype(np.float64)
        total += float(((rows - rows.mean(axis=0)) ** 2).sum())
    return {"inertia": f"{total:.6g}"}


LARGEST = {"bisecting_strategy": "largest_cluster"}
PEERS = {
    "coterie": coterie,
    "coterie largest": partial(coterie, **LARGEST),
    "coterie PDDP": pddp,
    "scikit-learn": sklearn,
    "scikit-learn largest": partial(sklearn, **LARGEST),
}
GOALS = {"scikit-learn": 8}

CASES = [
    Case(
        "bisecting-1Mx16-k64-f32", partial(make, 1_000_000, 16, 64, 4.0), dict(PEERS), quality, GOALS,
        ("scikit-learn", "scikit-learn largest"),
    ),
    Case(
        "bisecting-200kx8-k1024-f32", partial(make, 200_000, 8, 1024, 0.5), dict(PEERS), quality, {},
        ("scikit-learn", "scikit-learn largest"),
    ),
]  # fmt: skip
