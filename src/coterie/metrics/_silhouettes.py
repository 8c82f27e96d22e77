"""Silhouettes: of all rows, of some against all, and of a sample of rows in blocks."""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import to_numpy
from ..primitives.block_labels import labelled_rows_at
from ..primitives.cluster_distances import distance_sums, mean_distances
from ._inputs import Clusters, as_rows, blocks_of, check_finite, comparable_clusters

__all__ = [
    "SilhouetteEstimate",
    "drawn",
    "estimate",
    "estimate_of_blocks",
    "silhouettes",
    "silhouettes_of",
    "without_noise",
]


class SilhouetteEstimate(NamedTuple):
    """A mean silhouette from a sample of the rows, and how far off it may be."""

    value: float
    standard_error: float


def without_noise(X: Any, labels: Any) -> tuple[Any, Clusters, np.ndarray]:
    """Return the rows that are not noise, their clusters, and which rows they are, (n,) bool."""
    rows = as_rows(X)
    clusters = comparable_clusters(labels, len(rows))
    kept = clusters.codes >= 0
    check_finite(rows)
    if not kept.all():
        rows = rows[np.flatnonzero(kept)]
        clusters = clusters._replace(codes=clusters.codes[kept])
    return rows, clusters, kept


def silhouettes(rows: Any, clusters: Clusters) -> np.ndarray:
    inner, outer = mean_distances(rows, clusters.codes, len(clusters.names))
    return _compare(to_numpy(inner), to_numpy(outer), clusters.sizes[clusters.codes])


def silhouettes_of(rows: Any, clusters: Clusters, chosen: np.ndarray) -> np.ndarray:
    """Return the silhouettes of some rows."""
    return _against_all(rows, clusters.codes, clusters.sizes, rows[chosen], clusters.codes[chosen])


def _against_all(rows: Any, codes: Any, sizes: np.ndarray, some: Any, own: np.ndarray) -> np.ndarray:
    """Return the silhouettes of some of the rows, given as they are, in batches that bound the (rows, clusters) sums."""
    k = len(sizes)
    values = np.empty(len(own))
    step = max(64, (1 << 24) // k)
    for start in range(0, len(own), step):
        mine = own[start : start + step]
        at = np.arange(len(mine))
        sums = to_numpy(distance_sums(rows, codes, k, some[start : start + step]))
        inner = sums[at, mine] / np.maximum(sizes[mine] - 1, 1)
        means = sums / sizes
        means[at, mine] = np.inf
        values[start : start + step] = _compare(inner, means.min(axis=1), sizes[mine])
    return values


def estimate_of_blocks(X: Any, labels: Any, sample_size: int, random_state: int | None) -> SilhouetteEstimate:
    blocks, counts = blocks_of(X, labels)
    n = int(counts.sizes.sum())
    chosen = np.arange(n) if sample_size >= n else drawn(n, sample_size, random_state)
    some, own = labelled_rows_at(blocks, counts.names, chosen, counts.noise)
    return estimate(_against_all(blocks, counts.names, counts.sizes, some, own), n)


def drawn(n: int, sample_size: int, random_state: int | None) -> np.ndarray:
    return np.sort(np.random.default_rng(random_state).choice(n, sample_size, replace=False))


def estimate(values: np.ndarray, n: int) -> SilhouetteEstimate:
    """Return the mean of the silhouettes of a sample of n rows, and its standard error."""
    m = len(values)
    error = values.std(ddof=1) / np.sqrt(m) * np.sqrt(1 - m / n)
    return SilhouetteEstimate(float(values.mean()), float(error))


def _compare(inner: np.ndarray, outer: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    larger = np.maximum(inner, outer)
    return np.divide(outer - inner, larger, out=np.zeros(len(inner)), where=(sizes > 1) & (larger > 0))
