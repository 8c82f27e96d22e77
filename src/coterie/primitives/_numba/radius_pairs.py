"""Radius neighbours by any measure of distance, a block of rows against all rows at a time."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .blocks import run_kernel
from .jit import kernel
from .radius import number_roots
from .union_find import union

__all__ = ["PairIndex", "nearest_within", "pair_index", "radius_components", "radius_counts"]

_BLOCK_BYTES = 32 << 20


class PairIndex(NamedTuple):
    """Rows whose distances are computed, or looked up, when asked for."""

    X: Any  # n rows: dense, sparse, or of a matrix of distances
    radius: float
    distances: Callable[[Any], Any]  # rows -> (b, n) dense distances, or sparse ones where what is not stored is far
    by_coordinates: bool  # whether ties go by the rows' values, or by their numbers
    module: str = "radius_pairs"


def pair_index(X, radius, distances, by_coordinates):
    """Build the index; see ``primitives.radius.pair_index``."""
    return PairIndex(X, radius, distances, by_coordinates)


def radius_counts(index, *, sample_weight=None, enough=None):
    """Count; see ``primitives.radius.radius_counts``. ``enough`` is of no use here: a block is computed whole."""
    n = index.X.shape[0]
    counts = np.empty(n, np.int64 if sample_weight is None else np.float64)
    for rows, near in _near(index, np.arange(n)):
        counts[rows] = near.sum(axis=1) if sample_weight is None else near @ sample_weight
    return counts


def radius_components(index, mask):
    """Join; see ``primitives.radius.radius_components``."""
    parent = np.arange(index.X.shape[0])
    for rows, near in _near(index, np.flatnonzero(mask)):
        if isinstance(near, np.ndarray):
            run_kernel(_join_dense, rows, near, mask, parent)
        else:
            run_kernel(_join_sparse, rows, near.indptr, near.indices, mask, parent)
    return number_roots(parent, np.arange(len(parent)), mask)


def nearest_within(index, queries, mask):
    """Find; see ``primitives.radius.nearest_within``."""
    indices = np.full(queries.shape[0], -1)
    distances = np.full(queries.shape[0], np.inf)
    columns = np.flatnonzero(mask)
    if len(columns) == 0:
        return indices, distances
    if index.by_coordinates:
        columns = columns[_tie_order(index.X[columns])]
    for start, end in _blocks(queries.shape[0], index.X.shape[0]):
        found = index.distances(queries[start:end])
        if isinstance(found, np.ndarray):
            found = found[:, columns]
            place = found.argmin(axis=1)
            distances[start:end] = found[np.arange(end - start), place]
            indices[start:end] = columns[place]
        else:
            _nearest_sparse(found.tocsr()[:, columns], columns, indices[start:end], distances[start:end])
    far = ~(distances <= index.radius)
    indices[far], distances[far] = -1, np.inf
    return indices, distances * distances


def _nearest_sparse(found, columns, indices, distances):
    found.sort_indices()
    for i in range(found.shape[0]):
        values = found.data[found.indptr[i] : found.indptr[i + 1]]
        if len(values):
            place = int(values.argmin())
            distances[i] = values[place]
            indices[i] = columns[found.indices[found.indptr[i] + place]]


def _tie_order(rows):
    """Return the order of rows by their coordinates; sparse rows by their bytes, which does as well."""
    if isinstance(rows, np.ndarray):
        return np.lexsort(rows.T[::-1])
    keys = []
    for i in range(rows.shape[0]):
        part = slice(rows.indptr[i], rows.indptr[i + 1])
        keys.append((rows.indices[part].tobytes(), rows.data[part].tobytes()))
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)


def _near(index, rows):
    """Yield blocks of rows and, for each, which rows are within the radius: dense or sparse truth values."""
    for start, end in _blocks(len(rows), index.X.shape[0]):
        block = rows[start:end]
        found = index.distances(index.X[block])
        if isinstance(found, np.ndarray):
            yield block, found <= index.radius
            continue
        found = found.tocsr()
        near = type(found)((found.data <= index.radius, found.indices, found.indptr), shape=found.shape)
        near.eliminate_zeros()
        yield block, near.astype(np.int64)


def _blocks(m, n):
    step = max(1, _BLOCK_BYTES // (8 * max(1, n)))
    return [(start, min(m, start + step)) for start in range(0, m, step)]


@kernel
def _join_dense(rows, near, mask, parent):
    for i in range(len(rows)):
        for j in range(near.shape[1]):
            if near[i, j] and mask[j]:
                union(parent, rows[i], j)


@kernel
def _join_sparse(rows, indptr, indices, mask, parent):
    for i in range(len(rows)):
        for at in range(indptr[i], indptr[i + 1]):
            if mask[indices[at]]:
                union(parent, rows[i], indices[at])
