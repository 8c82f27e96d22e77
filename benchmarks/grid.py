"""STING and WaveCluster beside the counts alone: nobody else has either."""

from functools import partial
from typing import Any

import numpy as np

from .data import blobs_in_noise
from .harness import Case

SIDE = 512


def make(n: int, d: int, side: int) -> tuple:
    """Return rows, cells a side, and the groups the rows were drawn from."""
    X, truth = blobs_in_noise(n, d, 50, 0.3, 0.05)
    return X, side, truth


def sting(data: tuple) -> Any:
    """Statistics of the bottom cells and clusters; all cores."""
    from coterie import STING

    X, side, _ = data
    return lambda: STING(side, max(2, len(X) // 250_000)).fit(X)


def sting_levels(data: tuple) -> Any:
    """The same with all levels of the hierarchy."""
    from coterie import STING

    X, side, _ = data

    def run() -> Any:
        model = STING(side, max(2, len(X) // 250_000)).fit(X)
        assert model.root_.n == len(X)
        return model

    return run


def wavecluster(data: tuple) -> Any:
    """All cores."""
    from coterie import WaveCluster

    X, side, _ = data
    return lambda: WaveCluster(side, threshold=0.05).fit(X)


def chosen(data: tuple) -> Any:
    """Cells and threshold chosen from the data."""
    from coterie import STING

    X, _, _ = data
    return lambda: STING().fit(X)


def histogramdd(data: tuple) -> Any:
    """NumPy, counts alone."""
    X, side, _ = data
    return lambda: np.histogramdd(X, bins=side)[0]


def quality(data: tuple, result: Any) -> dict:
    """Return the rows counted, and clusters, noise and agreement where there are labels."""
    if isinstance(result, np.ndarray):
        return {"rows": int(result.sum())}
    from sklearn.metrics import adjusted_rand_score

    some = slice(0, 1_000_000)
    labels = result.labels_
    return {
        "rows": int(result._counts.sum()),
        "clusters": int(labels.max()) + 1,
        "noise": int((labels == -1).sum()),
        "ARI": round(float(adjusted_rand_score(data[-1][some], labels[some])), 4),
    }


PEERS = {
    "coterie": sting,
    "coterie WaveCluster": wavecluster,
    "coterie STING, all levels": sting_levels,
    "coterie STING, nothing given": chosen,
    "numpy histogramdd": histogramdd,
}
GOALS = {"numpy histogramdd": 6.0}

CASES = [
    Case("grid-5Mx2-512", partial(make, 5_000_000, 2, SIDE), dict(PEERS), quality, GOALS),
    Case("grid-20Mx2-512", partial(make, 20_000_000, 2, SIDE), dict(PEERS), quality, GOALS),
    Case("grid-1Mx8-8", partial(make, 1_000_000, 8, 8), {name: PEERS[name] for name in ("coterie", "numpy histogramdd")}, quality),
]  # fmt: skip
