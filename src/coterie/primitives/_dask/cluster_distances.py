"""Distances to clusters of rows in blocks, whose labels lie beside them: a block's sums are whole numbers, or added up rounded once."""

from typing import Any

import numpy as np

from ...arrays import to_numpy
from ...errors import ResourceError
from .._numba import cluster_distances as kernels
from .._numba.conditioning import power_of_two
from .._numba.lloyd_sums import Bound, grid_of
from ..blocks import says
from .block_labels import codes_of
from .exact import ExactSum, Units, added, exact, units_of
from .passes import Block, each, fold, room_for
from .rows import BlockRows

__all__ = ["cluster_spread", "distance_sums"]

_MOST_ROWS = 2**31  # of a block; more of them add up as integers


def cluster_spread(X: BlockRows, names: np.ndarray, n_clusters: int) -> tuple[np.ndarray, ...]:
    """See `coterie.primitives.cluster_distances.cluster_spread`: two passes, the squares around the centers that the first has found."""
    low, high = _corners(X)
    origin = low / 2 + high / 2
    units = _units(X, float((high / 2 - low / 2).max()))
    _refuse_many(X, n_clusters, 24 * (X.shape[1] + 1))
    sizes, gaps = fold(X, _gaps, _merge, names, origin[None], units)
    centers = gaps.value(units) / sizes[:, None] + origin
    return sizes, centers, *added(each(X, _spread, names, centers))


def distance_sums(X: BlockRows, names: np.ndarray, n_clusters: int, queries: np.ndarray) -> np.ndarray:
    """See `coterie.primitives.cluster_distances.distance_sums`."""
    low, high = _corners(X)
    scale = max(power_of_two(float(max(high.max(), -low.min()))), 4 * float(np.finfo(X.dtype).tiny))
    units = _units(X, scale * float(np.linalg.norm(high / scale - low / scale)))
    _refuse_many(X, n_clusters, 24 * len(queries))
    return fold(X, _sums, _add, names, queries, scale, units).value(units)


def _corners(X: BlockRows) -> tuple[np.ndarray, np.ndarray]:
    return np.min([seen.low for seen in X.surveys], axis=0), np.max([seen.high for seen in X.surveys], axis=0)


def _units(X: BlockRows, greatest: float) -> Units:
    return units_of(*grid_of(Bound(greatest, 1.0, min(len(X), _MOST_ROWS)))[:2])


def _refuse_many(X: BlockRows, n_clusters: int, n_bytes: int) -> None:
    most = room_for(X, n_bytes)
    if n_clusters > most:
        raise ResourceError(
            f"sums of {n_clusters:,} clusters take {n_clusters * n_bytes / 2**30:.2f} GB in each of {len(X.parts)} tasks, and there is "
            f"room for {most:,} clusters; score fewer of them, or give workers more memory"
        )


def _merge(a: tuple[np.ndarray, ExactSum], b: tuple[np.ndarray, ExactSum]) -> tuple[np.ndarray, ExactSum]:
    return a[0] + b[0], a[1] + b[1]


def _add(a: ExactSum, b: ExactSum) -> ExactSum:
    return a + b


@says("centers of the clusters")
def _gaps(block: Block, names: np.ndarray, origin: np.ndarray, units: Units) -> tuple[np.ndarray, ExactSum]:
    rows, k = _host(block), len(names)
    if len(rows) == 0:
        return np.zeros(k, np.int64), exact(np.zeros((k, origin.shape[1])), units)
    sizes, gaps = kernels.cluster_gaps(rows, codes_of(block, names), k, origin)
    return sizes, exact(gaps, units)


@says("spread of the clusters")
def _spread(block: Block, names: np.ndarray, centers: np.ndarray) -> np.ndarray:
    rows = _host(block)
    if len(rows) == 0:
        return np.zeros((2, len(names)))
    found: np.ndarray = kernels.spread_around(rows, codes_of(block, names), centers)
    return found


@says("distances to all rows of the clusters")
def _sums(block: Block, names: np.ndarray, queries: np.ndarray, scale: float, units: Units) -> ExactSum:
    codes = codes_of(block, names)
    kept = np.flatnonzero(codes >= 0)
    if len(kept) == 0:
        return exact(np.zeros((len(queries), len(names))), units)
    rows = _host(block) if len(kept) == len(codes) else _host(block)[kept]
    return exact(kernels.distance_sums(rows, codes[kept], len(names), queries, scale), units)


def _host(block: Block) -> Any:
    return to_numpy(block.rows)
