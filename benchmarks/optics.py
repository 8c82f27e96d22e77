"""OPTICS: the same order, reachabilities and xi clusters as scikit-learn's."""

from functools import partial
from typing import Any

from .data import blobs_in_noise
from .dbscan import quality
from .harness import Case

MIN_SAMPLES = 10


def make(n: int, d: int, k: int, spread: float) -> tuple:
    """Return rows and the groups they were drawn from; a twentieth are strays."""
    return blobs_in_noise(n, d, k, spread, 0.05)


def coterie(data: tuple) -> Any:
    """Spanning tree on all cores, the walk on one."""
    from coterie import OPTICS

    return lambda: OPTICS(min_samples=MIN_SAMPLES, min_cluster_size=0.001).fit(data[0]).labels_


def sklearn(data: tuple) -> Any:
    """One core: it looks neighbours up row by row, and more jobs make that slower."""
    from sklearn.cluster import OPTICS

    return lambda: OPTICS(min_samples=MIN_SAMPLES, min_cluster_size=0.001).fit(data[0]).labels_


def sklearn_near(data: tuple) -> Any:
    """The same with a radius that spares it most of the work."""
    from sklearn.cluster import OPTICS

    return lambda: OPTICS(min_samples=MIN_SAMPLES, min_cluster_size=0.001, max_eps=1.0).fit(data[0]).labels_


PEERS = {"coterie": coterie, "scikit-learn": sklearn, "scikit-learn, max_eps=1": sklearn_near}
SLOW = ("scikit-learn", "scikit-learn, max_eps=1")

CASES = [
    Case("optics-5kx2", partial(make, 5_000, 2, 20, 0.5), dict(PEERS), quality, {"scikit-learn": 50}, SLOW),
    Case("optics-50kx2", partial(make, 50_000, 2, 30, 0.5), dict(PEERS), quality, {"scikit-learn": 50}, SLOW),
    Case("optics-200kx2", partial(make, 200_000, 2, 50, 0.5), {"coterie": coterie}, quality),
]
