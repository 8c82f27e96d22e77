"""Validity scores beside scikit-learn's: the same figure to rounding, on groups that overlap a little."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .data import blobs
from .harness import Case


def make(n: int, d: int, dtype: type = np.float32) -> tuple:
    """Return rows and the twenty groups they were drawn from."""
    return blobs(n, d, 20, 3.0, dtype)


def ours(score: str) -> Callable:
    """All cores."""

    def prepare(data: tuple) -> Any:
        from coterie import metrics

        return lambda: getattr(metrics, score)(*data)

    return prepare


def scikit_learn(score: str) -> Callable:
    """One core but for the matrix products."""

    def prepare(data: tuple) -> Any:
        import sklearn.metrics

        return lambda: getattr(sklearn.metrics, score)(*data)

    return prepare


def hdbscan(data: tuple) -> Any:
    """DBCV with a dense matrix for each cluster."""
    from hdbscan.validity import validity_index

    X, labels = data
    return lambda: validity_index(X.astype(np.float64), labels)


def quality(data: tuple, result: Any) -> dict:
    """The score itself."""
    return {"score": f"{float(result):.9g}"}


def _case(name: str, score: str, goal: float, *size: Any) -> Case:
    peers = {"coterie": ours(score), "sklearn": scikit_learn(score)}
    return Case(name, partial(make, *size), peers, quality, {"sklearn": goal})


CASES = [
    _case("silhouette-20kx16-f32", "silhouette_score", 15, 20_000, 16),
    _case("silhouette-20kx16-f64", "silhouette_score", 15, 20_000, 16, np.float64),
    _case("davies-bouldin-1Mx16-f32", "davies_bouldin_score", 10, 1_000_000, 16),
    _case("calinski-harabasz-1Mx16-f32", "calinski_harabasz_score", 10, 1_000_000, 16),
    Case(
        "silhouette-1Mx16-f32",
        partial(make, 1_000_000, 16),
        {"coterie": ours("silhouette_score")},
        quality,
        slow=("coterie",),
    ),
    Case("dbcv-100kx2", partial(make, 100_000, 2, np.float64), {"coterie": ours("dbcv_score")}, quality),
    Case(
        "dbcv-10kx2",
        partial(make, 10_000, 2, np.float64),
        {"coterie": ours("dbcv_score"), "hdbscan": hdbscan},
        quality,
    ),
    Case("dunn-100kx16", partial(make, 100_000, 16, np.float64), {"coterie": ours("dunn_score")}, quality),
]
