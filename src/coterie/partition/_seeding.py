"""Starting centers for K-means: k-means++, distinct random rows, an array, or a function."""

from typing import Any

import numpy as np

from ..arrays import to_numpy
from ..primitives.assign import seeding_step
from ..primitives.row_keys import row_keys

__all__ = ["canonical_order", "kmeans_plusplus", "random_rows"]


def canonical_order(X: Any) -> np.ndarray:
    """Order the rows by their values, so that what is drawn does not depend on how they were shuffled or repeated."""
    return np.argsort(to_numpy(row_keys(X)), kind="stable")


def kmeans_plusplus(
    X: Any, n_clusters: int, rng: np.random.RandomState, order: np.ndarray, sample_weight: Any = None
) -> np.ndarray:
    """Choose rows far from each other as starting centers.

    Each new center is drawn with probability proportional to weight times squared distance to the nearest center so far; of
    2 + log k draws the one that lowers the total most is kept.

    Parameters
    ----------
    X : (n, d) float array or CSR array
        Conditioned.
    n_clusters : int
    rng : RandomState
    order : (n,) int64 array
        From `canonical_order`: a row of weight 2 is drawn just as two equal rows are.
    sample_weight : (n,) float64 array, optional

    Returns
    -------
    (k,) int64 array
        Row numbers; rows repeat only where there are fewer distinct rows than centers.

    References
    ----------
    Arthur, D., & Vassilvitskii, S. (2007). k-means++: The advantages of careful seeding. SODA, 1027-1035.
    """
    weight = np.ones(len(order)) if sample_weight is None else to_numpy(sample_weight)
    n_trials = 2 + int(np.log(n_clusters))
    chosen = np.empty(n_clusters, np.int64)
    mass, closest = weight, None
    for c in range(n_clusters):
        candidates = _draw(mass, order, rng, 1 if c == 0 else n_trials)
        potentials, closest = seeding_step(X, candidates, closest, sample_weight)
        chosen[c] = candidates[int(np.argmin(to_numpy(potentials)))]
        mass = weight * to_numpy(closest)
    return chosen


def random_rows(
    order: np.ndarray, n_clusters: int, rng: np.random.RandomState, sample_weight: np.ndarray | None = None
) -> np.ndarray:
    """Choose distinct rows at random, with probability proportional to their weight."""
    n = len(order)
    if sample_weight is None or np.count_nonzero(sample_weight) < n_clusters:
        return order[rng.choice(n, n_clusters, replace=False)]
    share = sample_weight[order] / sample_weight.sum()
    return order[rng.choice(n, n_clusters, replace=False, p=share)]


def _draw(mass: np.ndarray, order: np.ndarray, rng: np.random.RandomState, n_trials: int) -> np.ndarray:
    """Draw rows by inverting the running total of their mass."""
    total = np.cumsum(mass[order])
    aims = rng.uniform(size=n_trials)
    if not total[-1] > 0:
        return order[(aims * len(order)).astype(np.int64)]
    return order[np.minimum(np.searchsorted(total, aims * total[-1], side="right"), len(order) - 1)]
