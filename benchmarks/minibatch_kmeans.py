"""Mini-batch K-means: the same batch size, both stop when the smoothed inertia does; beside K-means, which is exact."""

from functools import partial
from typing import Any

import numpy as np

from .data import blobs
from .harness import Case


def make(n: int, d: int, k: int, spread: float) -> tuple:
    """Return rows and the number of groups."""
    X, _ = blobs(n, d, k, spread)
    return X, k


def coterie(data: tuple) -> Any:
    """All cores."""
    from coterie import MiniBatchKMeans

    X, k = data
    return lambda: MiniBatchKMeans(k, batch_size=4096, random_state=0).fit(X).inertia_


def kmeans(data: tuple) -> Any:
    """All cores."""
    from coterie import KMeans

    X, k = data
    return lambda: KMeans(k, random_state=0).fit(X).inertia_


def sklearn(data: tuple) -> Any:
    """All cores."""
    from sklearn.cluster import MiniBatchKMeans

    X, k = data
    return lambda: MiniBatchKMeans(k, batch_size=4096, random_state=0, n_init=3).fit(X).inertia_


def quality(data: tuple, inertia: float) -> dict[str, Any]:
    """Return the inertia."""
    return {"inertia": f"{np.float64(inertia):.5g}"}


PEERS = {"coterie": coterie, "coterie KMeans": kmeans, "scikit-learn": sklearn}

CASES = [
    Case("minibatch-1Mx16-k64", partial(make, 1_000_000, 16, 64, 4.0), PEERS, quality, {"scikit-learn": 50}, ("scikit-learn",)),
]  # fmt: skip
