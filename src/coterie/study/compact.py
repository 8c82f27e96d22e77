"""The compactness test, which compares groups with those that K-means makes of a single cloud.

The best silhouette over several numbers of groups is compared with that of draws without groups: normal and uniform ones with
the same covariance, and the rows with every column shuffled, in the data's axes and in the principal ones. Shuffling keeps
each column as it is and breaks only what ties them together, so that it finds groups which show in no single line. A last
kind keeps how far each row is from the middle and turns it at random: heavy tails are no groups.
"""

from collections.abc import Callable

import numpy as np

from ..metrics.internal import silhouette_score
from .estimators import build

__all__ = ["best_silhouette", "compactness_test"]

ROWS = 500
DRAWS = 5
NUMBERS = (2, 3, 5, 7)
# A grouping with a smaller part than this is an outlier and its rest; it says nothing about compactness.
SMALLEST_SHARE = 0.04


def compactness_test(X: np.ndarray, rng: np.random.Generator, seed: int) -> float:
    """Give how far the best silhouette lies above the highest kind of draw, in standard deviations of that kind.

    Parameters
    ----------
    X : (n, m) float64 array
        Rows, ties broken.

    Returns
    -------
    float
        Positive when more compact than all kinds of draws without groups.
    """
    X = X[:ROWS]
    own = best_silhouette(X, seed)
    center = X.mean(axis=0)
    _, scale, axes = np.linalg.svd(X - center, full_matrices=False)
    size, scale = len(X), scale / np.sqrt(max(len(X) - 1, 1))
    kinds: tuple[Callable[[], np.ndarray], ...] = (
        lambda: rng.standard_normal((size, len(scale))) * scale @ axes,
        lambda: rng.uniform(-(3**0.5), 3**0.5, (size, len(scale))) * scale @ axes,
        lambda: rng.permuted(X, axis=0),
        lambda: rng.permuted((X - center) @ axes.T, axis=0) @ axes,
    )
    whitened = (X - center) @ axes.T / np.maximum(scale, 1e-9 * scale.max())
    radius = np.linalg.norm(whitened, axis=1, keepdims=True)

    def turned() -> np.ndarray:
        direction = rng.standard_normal(whitened.shape)
        return radius * direction / np.linalg.norm(direction, axis=1, keepdims=True) * scale @ axes

    kinds = (*kinds, turned)
    lead = np.inf
    for kind in kinds:
        values = np.array([best_silhouette(kind(), seed) for _ in range(DRAWS)])
        lead = min(lead, (own - float(values.mean())) / max(float(values.std(ddof=1)), 0.008))
    return float(lead)


def best_silhouette(X: np.ndarray, seed: int) -> float:
    """Give the best silhouette over a few numbers of groups, none of them tiny."""
    best = -1.0
    for k in NUMBERS:
        if k * 10 > len(X):
            break
        labels = np.asarray(build("KMeans", {"n_clusters": k, "n_init": 1, "max_iter": 20}, seed).fit_predict(X))
        if np.bincount(labels, minlength=k).min() >= SMALLEST_SHARE * len(X):
            best = max(best, silhouette_score(X, labels))
    return best
