"""The compactness test, which compares groups with those that K-means makes of a single cloud.

For several numbers of groups, how much closer rows are to the centre of their group than to the middle of all, and the
silhouette, are compared with draws without groups: normal and uniform ones with the same covariance, and the rows with every column shuffled, in the data's
axes and in the principal ones. Shuffling keeps each column as it is and breaks only what ties them together, so that it finds
groups which show in no single line. The last kinds keep how far each row is from the middle, in standard deviations or as it
stands, and turn it at random: heavy tails are no groups. Each number of groups is compared with its own draws: three groups in a plane are no closer than two in a long
cloud, but much closer than three in it (the cluster index of SigClust, Liu et al. 2008, doi:10.1198/016214508000000454).
"""

from collections.abc import Iterator

import numpy as np

from ..metrics.internal import silhouette_score
from .estimators import build
from .turned import turned

__all__ = ["compactness_test", "gains"]

ROWS = 500
DRAWS = 6
NUMBERS = (2, 3, 4, 6, 8)
# Draws of the same kind differ by about this much; fewer would make a chance lead look large.
LEAST_SPREAD = (0.012, 0.008)
# Leads of silhouettes count less: heavy tails make one of 2 now and then.
WEIGHTS = (1.0, 0.6)
# A grouping with a part smaller or larger than these is an outlier and its rest, or the core of a cloud with heavy tails and its halo; its
# silhouette says nothing about compactness.
SMALLEST_SHARE, LARGEST_SHARE = 0.04, 0.75


def compactness_test(X: np.ndarray, rng: np.random.Generator, seed: int, *, enough: float) -> float:
    """Give how far the rows lead over every kind of draw at the best number of groups, in standard deviations of the draws.

    Parameters
    ----------
    X : (n, m) float64 array
        Rows in random order, ties broken; the first `ROWS` are looked at.
    rng : Generator
        Makes the draws.
    seed : int
        Of the fits.
    enough : float
        A lead up to here is of no interest: the test stops when a kind of draw brings it down to that.

    Returns
    -------
    float
        Positive when more compact than all kinds of draws without groups.
    """
    X = X[:ROWS]
    own = gains(X, seed, even=True)
    if not len(own):
        return -np.inf
    lead = np.full(own.shape, np.inf)
    for draws in _kinds(X, rng):
        found = np.array([gains(draw, seed) for draw in draws])
        spread = np.maximum(np.sqrt(found.var(axis=0, ddof=1).mean(axis=0)), LEAST_SPREAD)
        lead = np.minimum(lead, (own - found.mean(axis=0)) / spread * WEIGHTS)
        if lead.max() <= enough:
            break
    return float(lead.max())


def gains(X: np.ndarray, seed: int, *, even: bool = False) -> np.ndarray:
    """Give what K-means gains at each of a few numbers of groups: (numbers, 2) float64.

    The log of the total over the remaining sum of squares, and the silhouette; minus infinity, when ``even`` groups are asked for, where
    one is too small or too large.
    """
    X = turned(X)
    total = max(float(((X - X.mean(axis=0)) ** 2).sum()), np.finfo(float).tiny)
    found = []
    for k in NUMBERS:
        if k * 10 > len(X):
            break
        fit = build("KMeans", {"n_clusters": k, "n_init": 2, "max_iter": 20}, seed).fit(X)
        labels = np.asarray(fit.labels_)
        sizes = np.bincount(labels, minlength=k)
        silhouette = silhouette_score(X, labels) if (sizes > 0).sum() > 1 else 0.0
        closer = np.log(total / max(float(fit.inertia_), 1e-12 * total))
        share = sizes / len(X)
        uneven = even and (share.min() < SMALLEST_SHARE or share.max() > LARGEST_SHARE)
        found.append((closer, -np.inf if uneven else silhouette))
    return np.array(found)


def _kinds(X: np.ndarray, rng: np.random.Generator) -> Iterator[list[np.ndarray]]:
    """Yield some draws of each kind of cloud without groups."""
    center = X.mean(axis=0)
    _, scale, axes = np.linalg.svd(X - center, full_matrices=False)
    shape, scale = (len(X), len(scale)), scale / np.sqrt(max(len(X) - 1, 1))
    turned = (X - center) @ axes.T
    radius = np.linalg.norm(turned / np.maximum(scale, max(1e-9 * scale.max(), 1e-300)), axis=1, keepdims=True)

    distance = np.linalg.norm(turned, axis=1, keepdims=True)

    def rotated() -> np.ndarray:
        direction = rng.standard_normal(shape)
        return radius * direction / np.linalg.norm(direction, axis=1, keepdims=True) * scale @ axes

    def as_far() -> np.ndarray:
        cloud = rng.standard_normal(shape) * scale
        return cloud * (distance / np.maximum(np.linalg.norm(cloud, axis=1, keepdims=True), 1e-300)) @ axes

    kinds = (
        lambda: rng.permuted(turned, axis=0) @ axes,
        lambda: rng.uniform(-(3**0.5), 3**0.5, shape) * scale @ axes,
        lambda: rng.standard_normal(shape) * scale @ axes,
        lambda: rng.permuted(X, axis=0),
        rotated,
        as_far,
    )
    for kind in kinds:
        yield [kind() for _ in range(DRAWS)]
