"""BIRCH: one pass over the rows, the same threshold; and a file of ten million rows that is mapped, not read."""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .data import blobs
from .harness import Case


def make(n: int, d: int, k: int, spread: float) -> tuple:
    """Return rows, the number of groups, and the group of each row."""
    X, truth = blobs(n, d, k, spread, np.float64)
    return X, k, truth


def make_mapped(n: int, d: int, k: int, spread: float) -> tuple:
    """Return the same with the rows in a memory-mapped file."""
    path = Path(tempfile.gettempdir()) / f"coterie-birch-{n}-{d}.npy"
    X, truth = blobs(n, d, k, spread)
    if not path.exists():
        np.save(path, X)
    return np.load(path, mmap_mode="r"), k, truth


def coterie(data: tuple) -> Any:
    """All cores for the labels, one for the tree."""
    from coterie import Birch

    X, k, _ = data
    return lambda: Birch(n_clusters=k).fit(X).labels_


def sklearn(data: tuple) -> Any:
    """Defaults."""
    from sklearn.cluster import Birch

    X, k, _ = data
    return lambda: Birch(n_clusters=k).fit(X).labels_


def quality(data: tuple, labels: np.ndarray) -> dict:
    """Return the number of clusters and the agreement with the groups."""
    from sklearn.metrics import adjusted_rand_score

    return {"clusters": len(np.unique(labels)), "ARI": round(float(adjusted_rand_score(data[-1], labels)), 4)}


CASES = [
    Case(
        "birch-200kx2-k100", partial(make, 200_000, 2, 100, 0.4), {"coterie": coterie, "scikit-learn": sklearn}, quality,
        {"scikit-learn": 8}, ("scikit-learn",),
    ),
    Case("birch-10Mx8-mapped", partial(make_mapped, 10_000_000, 8, 50, 1.0), {"coterie": coterie}, quality),
]  # fmt: skip
