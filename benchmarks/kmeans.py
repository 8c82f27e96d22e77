"""K-means: twenty Lloyd steps from the same centers, to the same inertia."""

from functools import partial
from typing import Any

import numpy as np

from .data import blobs
from .harness import Case

STEPS = 20


def make(n: int, d: int, k: int, spread: float, centers: int, dtype: type = np.float32) -> tuple:
    """Return rows and starting centers, which are rows."""
    X, _ = blobs(n, d, centers, spread, dtype)
    start = X[np.sort(np.random.default_rng(1).choice(n, size=k, replace=False))]
    return X, start


def coterie(data: tuple) -> Any:
    """All cores, the exact variant that it chooses."""
    from coterie import KMeans

    X, start = data
    return lambda: KMeans(len(start), init=start, n_init=1, max_iter=STEPS, tol=0).fit(X)


def sklearn(data: tuple, algorithm: str) -> Any:
    """Lloyd or Elkan."""
    from sklearn.cluster import KMeans

    X, start = data
    return lambda: KMeans(len(start), init=start, n_init=1, max_iter=STEPS, tol=0, algorithm=algorithm).fit(X)


def faiss(data: tuple) -> Any:
    """Float32 only; one step fewer counts, because it assigns before it moves."""
    from faiss import Kmeans

    X, start = data

    def call() -> Any:
        model = Kmeans(X.shape[1], len(start), niter=STEPS, max_points_per_centroid=len(X), min_points_per_centroid=1)
        model.train(X, init_centroids=start)
        return model

    return call


def quality(data: tuple, model: Any) -> dict:
    """Return the inertia of the final centers, computed in one way for all."""
    centers = np.asarray(model.cluster_centers_ if hasattr(model, "cluster_centers_") else model.centroids)
    return {"inertia": f"{inertia(data[0], centers):.6g}"}


def inertia(X: np.ndarray, centers: np.ndarray) -> float:
    """Return the sum of the squared distances of rows to their nearest centers."""
    from sklearn.metrics import pairwise_distances_argmin_min

    total = 0.0
    for rows in np.array_split(X, max(1, len(X) // 20_000)):
        nearest, _ = pairwise_distances_argmin_min(rows, centers.astype(rows.dtype))
        total += float(((rows.astype(np.float64) - centers[nearest]) ** 2).sum())
    return total


def bounded(n: int, d: int, k: int, spread: float) -> tuple:
    """Return rows around k centers of unequal weight, and starting centers, which are rows."""
    random = np.random.default_rng(2)
    X, group = blobs(n, d, k, spread, np.float64)
    X = X[random.random(n) < (1 + group % 3) / 3]
    return X, X[:k].copy()


def coterie_bounded(data: tuple) -> Any:
    """Sizes from 90 to 110 % of the mean, until nothing changes."""
    from coterie import KMeans

    X, start = data
    low, high = _even_sizes(data)
    return lambda: KMeans(
        len(start), init=start, n_init=1, max_iter=STEPS, min_cluster_size=low, max_cluster_size=high
    ).fit(X)


def constrained(data: tuple) -> Any:
    """``k-means-constrained``, one job."""
    from k_means_constrained import KMeansConstrained

    X, start = data
    low, high = _even_sizes(data)
    return lambda: KMeansConstrained(len(start), low, high, init=start, n_init=1, max_iter=STEPS, n_jobs=1).fit(X)


def _even_sizes(data: tuple) -> tuple[int, int]:
    mean = len(data[0]) / len(data[1])
    return int(0.9 * mean), int(1.1 * mean)


def bounded_quality(data: tuple, model: Any) -> dict:
    """Return the inertia of the labels, which need not be nearest centers, and the sizes."""
    X, labels = data[0], np.asarray(model.labels_)
    groups = [X[labels == cluster] for cluster in range(len(data[1]))]
    total = sum(float(((rows - rows.mean(axis=0)) ** 2).sum()) for rows in groups)
    return {"inertia": f"{total:.6g}", "sizes": f"{min(map(len, groups))}-{max(map(len, groups))}"}


BOUNDED = {"coterie": coterie_bounded, "k-means-constrained": constrained}
LLOYD = {"coterie": coterie, "scikit-learn lloyd": partial(sklearn, algorithm="lloyd")}
SINGLE = LLOYD | {"faiss": faiss}

CASES = [
    Case(
        "kmeans-1Mx16-k64-f32", partial(make, 1_000_000, 16, 64, 4.0, 64), dict(SINGLE), quality,
        {"scikit-learn lloyd": 3}, ("scikit-learn lloyd",),
    ),
    Case(
        "kmeans-1Mx16-k64-f64", partial(make, 1_000_000, 16, 64, 4.0, 64, np.float64), dict(LLOYD), quality,
        {"scikit-learn lloyd": 2.5}, ("scikit-learn lloyd",),
    ),
    Case(
        "kmeans-100kx128-k256-f32", partial(make, 100_000, 128, 256, 8.0, 256), dict(SINGLE), quality,
        {"scikit-learn lloyd": 2}, ("scikit-learn lloyd",),
    ),
    Case(
        "kmeans-200kx2-k1000-f32", partial(make, 200_000, 2, 1000, 1.0, 200), dict(SINGLE), quality,
        {"faiss": 4}, ("scikit-learn lloyd",),
    ),
    Case(
        "kmeans-bounded-10kx8-k10", partial(bounded, 15_000, 8, 10, 4.0), dict(BOUNDED), bounded_quality,
        {"k-means-constrained": 10}, ("k-means-constrained",),
    ),
    Case(
        "kmeans-bounded-100kx8-k10", partial(bounded, 150_000, 8, 10, 4.0), {"coterie": coterie_bounded}, bounded_quality,
    ),
]  # fmt: skip
