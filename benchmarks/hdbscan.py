"""HDBSCAN: the same hierarchy. `min_samples` counts the row itself here; `hdbscan` and `fast_hdbscan` leave it out."""

from functools import partial
from typing import Any

from .data import blobs_in_noise
from .dbscan import quality
from .harness import Case

MIN_SAMPLES = 10


def make(n: int, d: int, k: int, spread: float, min_cluster_size: int) -> tuple:
    """Return rows, min_cluster_size, and the groups they were drawn from; a twentieth are strays."""
    X, truth = blobs_in_noise(n, d, k, spread, 0.05)
    return X, min_cluster_size, truth


def coterie(data: tuple) -> Any:
    """All cores."""
    from coterie import HDBSCAN

    X, size, _ = data
    return lambda: HDBSCAN(min_cluster_size=size, min_samples=MIN_SAMPLES).fit(X).labels_


def hdbscan(data: tuple) -> Any:
    """The reference package, its choice of algorithm."""
    from hdbscan import HDBSCAN

    X, size, _ = data
    return lambda: HDBSCAN(min_cluster_size=size, min_samples=MIN_SAMPLES - 1, core_dist_n_jobs=-1).fit(X).labels_


def fast_hdbscan(data: tuple) -> Any:
    """All cores; compiles in its first call."""
    from fast_hdbscan import HDBSCAN

    X, size, _ = data
    return lambda: HDBSCAN(min_cluster_size=size, min_samples=MIN_SAMPLES - 1).fit(X).labels_


PEERS = {"coterie": coterie, "fast_hdbscan": fast_hdbscan, "hdbscan": hdbscan}
LARGE = {"coterie": coterie, "fast_hdbscan": fast_hdbscan}
SLOW = ("fast_hdbscan", "hdbscan")

CASES = [
    Case("hdbscan-100kx2", partial(make, 100_000, 2, 50, 0.5, 100), dict(PEERS), quality, {"fast_hdbscan": 5}, SLOW),
    Case("hdbscan-100kx8", partial(make, 100_000, 8, 50, 1.0, 100), dict(PEERS), quality, {"hdbscan": 6}, SLOW),
    Case("hdbscan-1Mx2", partial(make, 1_000_000, 2, 100, 0.4, 500), dict(LARGE), quality, {"fast_hdbscan": 6}, SLOW),
]
