"""Hierarchies: the same trees (heights and clusters are compared), along a graph the same objective; DIANA has no peer here."""

from functools import partial
from typing import Any

import numpy as np

from .data import blobs
from .harness import Case

_NEIGHBORS = 10


def make(n: int, d: int, k: int) -> tuple:
    """Return rows in k groups, k, and the groups."""
    X, truth = blobs(n, d, k, 1.0, np.float64)
    return X, k, truth


def coterie(linkage: str, connectivity: int | None, data: tuple) -> Any:
    """All cores where merges do not wait for each other."""
    from coterie import AgglomerativeClustering

    X, k, _ = data
    return lambda: AgglomerativeClustering(min(k, len(X)), linkage=linkage, connectivity=connectivity).fit(X)


def coterie_diana(data: tuple) -> Any:
    """One core but for the distances."""
    from coterie import DIANA

    X, k, _ = data
    return lambda: DIANA(min(k, len(X))).fit(X)


def fastcluster_rows(linkage: str, data: tuple) -> Any:
    """Without a matrix: ward, centroid, median, single."""
    from fastcluster import linkage_vector

    return lambda: linkage_vector(data[0], linkage)


def fastcluster_matrix(linkage: str, data: tuple) -> Any:
    """With a matrix."""
    from fastcluster import linkage as merged

    return lambda: merged(data[0], linkage)


def scipy(linkage: str, data: tuple) -> Any:
    """With a matrix."""
    from scipy.cluster.hierarchy import linkage as merged

    return lambda: merged(data[0], linkage)


def sklearn_along(data: tuple) -> Any:
    """Its own graph of neighbours, made symmetric."""
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.neighbors import kneighbors_graph

    X, k, _ = data

    def run() -> Any:
        graph = kneighbors_graph(X, _NEIGHBORS, n_jobs=-1)
        model = AgglomerativeClustering(min(k, len(X)), connectivity=0.5 * (graph + graph.T))
        return model.fit(X)

    return run


def quality(data: tuple, result: Any) -> dict:
    """Return the sum of heights of an array or an estimator's tree, the agreement with the groups, the sum of squares."""
    from scipy.cluster.hierarchy import fcluster
    from sklearn.metrics import adjusted_rand_score

    X, k, truth = data
    labels = fcluster(result, k, "maxclust") - 1 if isinstance(result, np.ndarray) else result.labels_
    heights = result[:, 2] if isinstance(result, np.ndarray) else getattr(result, "distances_", np.empty(0))
    squares = sum(((X[labels == c] - X[labels == c].mean(0)) ** 2).sum() for c in range(int(labels.max()) + 1))
    return {
        "ARI": round(float(adjusted_rand_score(truth, labels)), 4),
        "squares": round(float(squares)),
        "heights": round(float(heights.sum()), 3),
    }


def _rows(linkage: str) -> dict:
    return {
        "coterie": partial(coterie, linkage, None),
        "fastcluster (rows)": partial(fastcluster_rows, linkage),
    }


def _matrix(linkage: str) -> dict:
    return {
        "coterie": partial(coterie, linkage, None),
        "fastcluster": partial(fastcluster_matrix, linkage),
        "scipy": partial(scipy, linkage),
    }


ROWS, MATRIX = ("fastcluster (rows)",), ("fastcluster", "scipy")

CASES = [
    Case("ward-20kx8", partial(make, 20_000, 8, 20), _rows("ward"), quality, {"fastcluster (rows)": 6}, ROWS),
    Case("ward-100kx8", partial(make, 100_000, 8, 20), {"coterie": partial(coterie, "ward", None)}, quality),
    Case("ward-20kx32", partial(make, 20_000, 32, 20), _rows("ward"), quality, {}, ROWS),
    Case("centroid-20kx8", partial(make, 20_000, 8, 20), _rows("centroid"), quality, {}, ROWS),
    Case("median-20kx8", partial(make, 20_000, 8, 20), _rows("median"), quality, {}, ROWS),
    Case("single-20kx8", partial(make, 20_000, 8, 20), _rows("single"), quality, {}, ROWS),
    Case("complete-10kx8", partial(make, 10_000, 8, 20), _matrix("complete"), quality, {}, MATRIX),
    Case("average-10kx8", partial(make, 10_000, 8, 20), _matrix("average"), quality, {}, MATRIX),
    Case("average-20kx8", partial(make, 20_000, 8, 20), _matrix("average"), quality, {}, MATRIX),
    Case(
        "wardknn-50kx8", partial(make, 50_000, 8, 20),
        {"coterie": partial(coterie, "ward", _NEIGHBORS), "scikit-learn": sklearn_along}, quality, {"scikit-learn": 20},
        ("scikit-learn",),
    ),
    Case("averageknn-50kx8", partial(make, 50_000, 8, 20), {"coterie": partial(coterie, "average", _NEIGHBORS)}, quality),
    Case("diana-5kx8", partial(make, 5_000, 8, 20), {"coterie": coterie_diana}, quality),
]  # fmt: skip
