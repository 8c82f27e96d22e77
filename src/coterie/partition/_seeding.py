"""Starting centers for K-means: k-means++, distinct random rows, an array, or a function."""

from typing import Any

import numpy as np

from ..arrays import to_numpy
from ..errors import InputError
from ..primitives.assign import seeding_step
from ..primitives.row_keys import row_order
from ..primitives.seeding import few_enough, seed_few

__all__ = ["canonical_order", "given_centers", "kmeans_plusplus", "random_rows"]


def canonical_order(X: Any) -> np.ndarray:
    """Order the rows by their values, so that what is drawn does not depend on how they were shuffled or repeated."""
    return row_order(X)


def given_centers(init: Any, rows: Any, shape: tuple[int, int], rng: np.random.RandomState) -> np.ndarray:
    """Return starting centers that were given, or that a given function makes of the rows, as float64.

    Parameters
    ----------
    init : array or callable
    rows : (n, d) array of any engine
    shape : tuple of int
        (n_clusters, d).
    rng : RandomState

    Raises
    ------
    InputError
        If they are of another shape or not finite.
    """
    given = init(to_numpy(rows), shape[0], random_state=rng) if callable(init) else init
    centers = np.array(to_numpy(given), dtype=np.float64)
    if centers.shape != shape:
        raise InputError(
            f"init must hold n_clusters={shape[0]} centers of {shape[1]} features, got shape {centers.shape}"
        )
    if not np.isfinite(centers).all():
        raise InputError("init contains NaN or infinity; every center must be finite")
    return centers


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
    first, aims = rng.uniform(size=1), rng.uniform(size=(n_clusters - 1, n_trials))
    if few_enough(X, n_clusters):
        return seed_few(X, order, weight, float(first[0]), aims)
    return _seed_step_by_step(X, order, weight, sample_weight, [first, *aims])


def _seed_step_by_step(X, order, weight, sample_weight, aims):
    chosen = np.empty(len(aims), np.int64)
    mass, closest = weight, None
    for c, shares in enumerate(aims):
        candidates = _draw(mass, order, shares)
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


def _draw(mass: np.ndarray, order: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Draw rows by inverting the running total of their mass."""
    total = np.cumsum(mass[order])
    if not total[-1] > 0:
        return order[(shares * len(order)).astype(np.int64)]
    return order[np.minimum(np.searchsorted(total, shares * total[-1], side="right"), len(order) - 1)]
