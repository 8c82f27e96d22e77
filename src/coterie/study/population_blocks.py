"""What `Population` does from counts and means alone, for rows in blocks: small clusters join others, or are set aside."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..errors import UnsupportedError
from ..primitives.block_labels import in_range, label_counts, labelled
from ..primitives.cluster_distances import cluster_spread

__all__ = ["Counted", "after_merging", "counted", "refuse_for_blocks", "refuse_large", "relabelled"]


class Counted(NamedTuple):
    """What three passes tell of the clusterer's clusters 0 ... k - 1, some of which may be empty."""

    sizes: np.ndarray  # (k,) int64
    firsts: np.ndarray  # (k,) int64: number of the first row
    means: np.ndarray  # (k, d) float64, divided by the unit
    squares: np.ndarray  # (k,) float64: squared distances to the mean, added up, divided by the unit's square
    noise: int  # rows of no cluster
    unit: float


def refuse_for_blocks(model: Any) -> None:
    """Refuse parameters of a `Population` that need all rows at once.

    Raises
    ------
    UnsupportedError
    """
    if not getattr(model.clusterer, "_takes_blocks", False):
        raise UnsupportedError(
            f"{type(model.clusterer).__name__} needs all rows at once, so Population cannot ask it about blocks; take a clusterer that "
            "takes blocks, such as KMeans or DBSCAN, or pass X.compute()"
        )
    for name, value, instead in (("small", "split", "merge"), ("outliers", "nearest", "keep")):
        if getattr(model, name) == value:
            raise UnsupportedError(
                f"{name}={value!r} looks for the nearest of all rows, which rows in blocks cannot have; take {name}={instead!r}"
            )


def counted(rows: Any, labels: Any) -> Counted:
    """Count the rows of each cluster, and find their means and how far they spread.

    Parameters
    ----------
    rows : rows in blocks
    labels : Dask array (n,) in the same blocks
    """
    beside = labelled(rows, labels)
    found = label_counts(beside)
    k, d = int(found.names.max(initial=-1)) + 1, rows.shape[1]
    sizes, firsts = np.zeros((2, k), np.int64)
    means, squares, unit = np.zeros((k, d)), np.zeros(k), 1.0
    if k:
        scaled = in_range(beside)
        unit = _largest(beside) / (_largest(scaled) or 1.0) if scaled is not beside else 1.0
        spread = cluster_spread(scaled, found.names, len(found.names))
        sizes[found.names], firsts[found.names] = found.sizes, found.firsts
        means[found.names], squares[found.names] = spread.centers, spread.squares
    return Counted(sizes, firsts, means, squares, int(found.noise.sum()), unit)


def after_merging(found: Counted, group: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Number the groups that clusters have been joined to.

    Parameters
    ----------
    found : Counted
    group : (k,) int array
        Group of each cluster, below k, or negative for none.

    Returns
    -------
    names : (k,) int64 array
        Number of each group, by its first row; -1 for one without rows.
    sizes : (groups,) int64 array
    within : float
        Squared distances of their rows to the mean of the own group, added up.
    """
    k = len(group)
    kept = np.flatnonzero((group >= 0) & (found.sizes > 0))
    firsts = np.full(k, np.iinfo(np.int64).max)
    np.minimum.at(firsts, group[kept], found.firsts[kept])
    order = np.argsort(firsts, kind="stable")[: len(np.unique(group[kept]))]
    names = np.full(k, -1)
    names[order] = np.arange(len(order))
    sizes, within = np.zeros(len(order), np.int64), 0.0
    for name, g in enumerate(order):
        some = kept[group[kept] == g]
        sizes[name] = found.sizes[some].sum()
        mean = found.means[some[0]] + found.sizes[some] @ (found.means[some] - found.means[some[0]]) / sizes[name]
        within += float(found.squares[some].sum() + found.sizes[some] @ ((found.means[some] - mean) ** 2).sum(axis=1))
    return names, sizes, within


def refuse_large(sizes: np.ndarray, most: int) -> None:
    """Refuse clusters that would have to be divided.

    Raises
    ------
    UnsupportedError
    """
    large = sizes[sizes > most]
    if len(large):
        raise UnsupportedError(
            f"max_size allows {most:,} rows and {len(large)} clusters have more, up to {int(large.max()):,}; to divide them takes their rows in "
            "memory: raise max_size, or ask the clusterer for more clusters"
        )


def relabelled(labels: Any, final: np.ndarray) -> Any:
    """Return a Dask array of what labels become, computed when it is asked for: ``final`` ends with labels unknown, and noise."""
    return labels.map_blocks(partial(_mapped, final), dtype=np.int64)


def _mapped(final: np.ndarray, labels: Any) -> np.ndarray:
    found: np.ndarray = final[np.minimum(labels, len(final) - 2)]
    return found


def _largest(rows: Any) -> float:
    return max(float(max(seen.high.max(), -seen.low.min())) for seen in rows.surveys if seen.n_rows)
