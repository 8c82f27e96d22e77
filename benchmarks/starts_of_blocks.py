"""What starts by k-means|| cost beside starts by k-means++: the mean of twenty seeds after Lloyd's iteration, and after its first step.

``python -m benchmarks.starts_of_blocks``: five sets, without weights, with whole and with real ones. k-means|| is what `KMeans` begins
with on rows in blocks, k-means++ what it begins with in memory; each has one start.
"""

import warnings
from typing import Any

import numpy as np

from .data import blobs

SEEDS, CHUNKS = 20, 8
SETS = {
    "50 groups apart": lambda: blobs(20_000, 2, 50, 0.2)[0],
    "50 groups that touch": lambda: blobs(20_000, 2, 50, 1.0)[0],
    "16 groups in 16 columns": lambda: blobs(20_000, 16, 16, 4.0)[0],
    "100 groups in 8 columns": lambda: blobs(30_000, 8, 100, 1.5)[0],
    "no groups": lambda: np.random.default_rng(3).uniform(size=(20_000, 5)).astype(np.float32),
}
CENTERS = {
    "50 groups apart": 50,
    "50 groups that touch": 50,
    "16 groups in 16 columns": 16,
    "100 groups in 8 columns": 100,
}


def cost(X: Any, k: int, seed: int, weight: Any, max_iter: int) -> float:
    """Return the inertia of one start."""
    from coterie import KMeans

    return KMeans(k, n_init=1, random_state=seed, max_iter=max_iter).fit(X, sample_weight=weight).inertia_


def main() -> None:
    """Print a line for each set and kind of weights."""
    from dask import array

    warnings.simplefilter("ignore")
    for name, make in SETS.items():
        rows, k = make(), CENTERS.get(name, 20)
        blocks = array.from_array(rows, chunks=(-(-len(rows) // CHUNKS), -1))
        random = np.random.default_rng(5)
        weights = {
            "no weights": None,
            "whole": random.integers(1, 6, len(rows)).astype(np.float64),
            "real": random.exponential(1, len(rows)),
        }
        for kind, weight in weights.items():
            ratios = []
            for max_iter in (300, 1):
                costs = [[cost(X, k, seed, weight, max_iter) for seed in range(SEEDS)] for X in (blocks, rows)]
                ratios.append(np.mean(costs[0]) / np.mean(costs[1]))
            print(f"{name:26s} {kind:10s} after Lloyd {ratios[0]:.3f}, after one step {ratios[1]:.3f}", flush=True)


if __name__ == "__main__":
    main()
