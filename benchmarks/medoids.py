"""k-medoids: the same loss or less. The peer's time includes the matrix of distances that it needs."""

from functools import partial
from typing import Any

import numpy as np

from .data import blobs
from .harness import Case


def make(n: int, d: int, k: int, spread: float) -> tuple:
    """Return rows, k, and the groups they were drawn from."""
    X, truth = blobs(n, d, k, spread)
    return X, k, truth


def kmedoids(data: tuple) -> Any:
    """The default: BUILD, then FasterPAM. All cores."""
    from coterie import KMedoids

    X, k, _ = data
    return lambda: KMedoids(k).fit(X).medoid_indices_


def kmedoids_random(data: tuple) -> Any:
    """FasterPAM from random rows, as the peer starts. All cores."""
    from coterie import KMedoids

    X, k, _ = data
    return lambda: KMedoids(k, init="random", random_state=0).fit(X).medoid_indices_


def clarans(data: tuple) -> Any:
    """All cores."""
    from coterie import CLARANS

    X, k, _ = data
    return lambda: CLARANS(k, random_state=0).fit(X).medoid_indices_


def clara(data: tuple) -> Any:
    """All cores."""
    from coterie import CLARA

    X, k, _ = data
    return lambda: CLARA(k, random_state=0).fit(X).medoid_indices_


def fasterpam(data: tuple) -> Any:
    """The Rust code, from random rows, with scikit-learn's distances."""
    from kmedoids import fasterpam
    from sklearn.metrics import pairwise_distances

    X, k, _ = data
    return lambda: fasterpam(pairwise_distances(X), k, random_state=0).medoids


def pyclustering_clarans(data: tuple) -> Any:
    """One local search of twenty neighbours, the figures of its examples; it has no seed."""
    from pyclustering.cluster.clarans import clarans

    X, k, _ = data
    rows = X.astype(float).tolist()
    return lambda: clarans(rows, k, 1, 20).process().get_medoids()


def quality(data: tuple, medoids: np.ndarray) -> dict:
    """Return the sum of the distances to the nearest medoid."""
    from sklearn.metrics import pairwise_distances_argmin_min

    X = data[0].astype(np.float64)
    return {"loss": round(float(pairwise_distances_argmin_min(X, X[np.asarray(medoids)])[1].sum()), 2)}


BOTH = {"coterie": kmedoids, "coterie, random start": kmedoids_random, "kmedoids (Rust)": fasterpam}
SMALL = {
    "coterie": clarans,
    "coterie, KMedoids": kmedoids,
    "kmedoids (Rust)": fasterpam,
    "pyclustering": pyclustering_clarans,
}

CASES = [
    Case("kmedoids-5000x8-k50", partial(make, 5000, 8, 50, 2.0), BOTH, quality, {"kmedoids (Rust)": 4}),
    Case("kmedoids-10000x8-k50", partial(make, 10_000, 8, 50, 2.0), BOTH, quality),
    Case("kmedoids-3000x100-k20", partial(make, 3000, 100, 20, 6.0), BOTH, quality),
    Case("clarans-500x2-k10", partial(make, 500, 2, 10, 1.0), SMALL, quality),
    Case("clarans-1000x2-k10", partial(make, 1000, 2, 10, 1.0), SMALL, quality, {"pyclustering": 300}, ("pyclustering",)),
    Case("clarans-20000x8-k50", partial(make, 20_000, 8, 50, 2.0), {"coterie": clarans, "coterie, KMedoids": kmedoids, "coterie, CLARA": clara}, quality),
    Case("clarans-100kx2-k10", partial(make, 100_000, 2, 10, 1.0), {"coterie": clarans, "coterie, CLARA": clara}, quality),
    Case("clarans-100kx2-k100", partial(make, 100_000, 2, 100, 0.3), {"coterie": clarans, "coterie, CLARA": clara}, quality),
]  # fmt: skip
