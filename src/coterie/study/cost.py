"""What one fit of a method will cost: a line for each, seconds and bytes from the numbers of rows, columns and groups.

The model counts the dominating operation (distances, tree queries, all pairs, passes over the rows) and multiplies by the time
that operation takes. It is meant to be right within a factor of two or so.
"""

from collections.abc import Callable, Mapping
from math import log2
from typing import Any, NamedTuple

__all__ = ["TREE_COLUMNS", "forecast"]

# Seconds a unit of work, measured on two cores of a 2.5 GHz server: one coordinate of one distance in a tile; one visited
# neighbour in a tree of few columns; one number read in one pass over the rows; one distance looked up in a matrix.
TILE_SECONDS = 1.0e-10
TREE_SECONDS = 1.5e-8
PASS_SECONDS = 2.0e-9
LOOK_SECONDS = 1.0e-9
# Up to this many columns trees and grids prune; above it every pair is measured.
TREE_COLUMNS = 10


class Size(NamedTuple):
    """Rows, columns, groups, and the parameters that the user or the study has set."""

    n: int
    m: int
    k: int
    params: Mapping[str, Any]


def forecast(method: str, params: Mapping[str, Any], n: int, m: int) -> tuple[float, int]:
    """Return the wall seconds and the peak bytes of one fit of ``method`` on n rows and m columns.

    A method without a line of its own is taken to compare all pairs of rows.
    """
    size = Size(n, m, int(params.get("n_clusters") or 8), params)
    seconds, more = _COSTS.get(method, _all_pairs)(size)
    return 0.02 + seconds, int(2 * 8 * n * m + more)


def _pairs(size: Size, passes: float) -> float:
    return passes * TILE_SECONDS * float(size.n) * size.n * size.m


def _all_pairs(size: Size) -> tuple[float, float]:
    return _pairs(size, 3), 100 * size.n


def _matrix(size: Size) -> tuple[float, float]:
    return _pairs(size, 1) + 3 * LOOK_SECONDS * float(size.n) * size.n, 8.0 * size.n * size.n


def _lloyd(size: Size) -> tuple[float, float]:
    # 20 rounds for each of three starts; each row keeps a label, a distance and bounds.
    return 60 * TILE_SECONDS * size.n * size.m * size.k, 48 * size.n + 16 * size.k * size.m


def _bisecting(size: Size) -> tuple[float, float]:
    return 20 * PASS_SECONDS * size.n * size.m * log2(size.k + 1), 48 * size.n


def _density(passes: float, bytes_a_row: int) -> Callable[[Size], tuple[float, float]]:
    def cost(size: Size) -> tuple[float, float]:
        n, m = size.n, size.m
        neighbors = size.params.get("min_samples") or size.params.get("min_cluster_size") or 5
        if m > TREE_COLUMNS:
            return _pairs(size, passes), bytes_a_row * n
        steps = n * (4 + m) * (10 + min(neighbors, 50)) * max(1.0, 2.0 ** (m / 2 - 2))
        return TREE_SECONDS * min(steps, float(n) * n), bytes_a_row * n

    return cost


def _agglomerative(size: Size) -> tuple[float, float]:
    linkage = size.params.get("linkage", "ward")
    if linkage == "single":
        return _COSTS["HDBSCAN"](size)
    return _matrix(size) if linkage in ("complete", "average", "weighted") else _all_pairs(size)


def _medoids(size: Size) -> tuple[float, float]:
    return _pairs(size, 1) + 20 * LOOK_SECONDS * float(size.n) * size.n, 4.0 * size.n * size.n


def _samples(size: Size) -> tuple[float, float]:
    return 300 * TILE_SECONDS * size.n * size.m * size.k, 48 * size.n


def _clarans(size: Size) -> tuple[float, float]:
    tries = max(250.0, 0.025 * size.n) * size.k
    return tries * (TILE_SECONDS * size.m + LOOK_SECONDS) * size.n, 48 * size.n


def _passes(size: Size) -> tuple[float, float]:
    return 4 * PASS_SECONDS * size.n * size.m, 16 * size.n


def _subspaces(size: Size) -> tuple[float, float]:
    return 4 * PASS_SECONDS * size.n * size.m**2, 2 * size.n * size.m


def _eigenvectors(size: Size) -> tuple[float, float]:
    # Neighbours, then some hundred products of the graph with a few more than k vectors; memory is those vectors.
    joined = float(size.params.get("n_neighbors") or 10)
    if size.params.get("affinity") == "rbf":
        return _pairs(size, 2) + 1e-7 * float(size.n) * size.n, 48.0 * size.n * size.n
    neighbors = _density(1, 0)(size._replace(params={"min_samples": int(joined)}))[0]
    products = 150 * LOOK_SECONDS * size.n * (2 * joined + 20) * (size.k + 2)
    return neighbors + products, (300 + 100 * (size.k + 2)) * size.n


def _insertions(size: Size) -> tuple[float, float]:
    return 1e-6 * size.n * (1 + size.m / 4), 64e6


# Core distances are one pass over all pairs; the rounds of the spanning tree measure few of them again.
_COSTS: dict[str, Callable[[Size], tuple[float, float]]] = {
    "KMeans": _lloyd,
    "MiniBatchKMeans": _lloyd,
    "KPrototypes": _lloyd,
    "BisectingKMeans": _bisecting,
    "PDDP": _bisecting,
    "KMedoids": _medoids,
    "CLARA": _samples,
    "CLARANS": _clarans,
    "DBSCAN": _density(1, 120),
    "OPTICS": _density(5, 220),
    "HDBSCAN": _density(1.2, 220),
    "Genie": _density(1.2, 220),
    "AgglomerativeClustering": _agglomerative,
    "DIANA": _matrix,
    "STING": _passes,
    "WaveCluster": _passes,
    "CLIQUE": _subspaces,
    "Birch": _insertions,
    "SpectralClustering": _eigenvectors,
}
