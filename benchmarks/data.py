"""Seeded recipes for the data of the benchmarks: the same bits on every machine with the same NumPy."""

import numpy as np

__all__ = ["blobs", "blobs_in_noise"]


def blobs(
    n: int, d: int, k: int, spread: float, dtype: type = np.float32, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return n rows around k centers drawn from [-10, 10]^d, and the number of each row's center.

    Parameters
    ----------
    n, d, k : int
    spread : float
        Standard deviation of every coordinate.
    dtype : dtype
    seed : int
    """
    random = np.random.default_rng(seed)
    centers = random.uniform(-10, 10, size=(k, d))
    truth = random.integers(k, size=n)
    X = random.standard_normal((n, d), dtype=np.float32)
    X *= np.float32(spread)
    X += centers.astype(np.float32)[truth]
    return X.astype(dtype), truth


def blobs_in_noise(
    n: int, d: int, k: int, spread: float, noise: float, dtype: type = np.float64, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return `blobs` of which a share of the rows, marked -1, lies anywhere in [-12, 12]^d."""
    X, truth = blobs(n, d, k, spread, dtype, seed)
    random = np.random.default_rng(seed + 1)
    stray = random.random(n) < noise
    X[stray] = random.uniform(-12, 12, size=(int(stray.sum()), d))
    truth[stray] = -1
    return X, truth
