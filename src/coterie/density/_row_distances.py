"""Distances from some rows to all rows of a fit, for metrics without a tree: a block at a time, never n x n."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array, issparse

from ..arrays import is_tensor, normalize_rows
from ..errors import UnsupportedError

__all__ = ["RowDistances", "as_lengths", "metric_arguments", "prepared_rows"]

_BLOCK_BYTES = 32 << 20
_CANCELLED = 1e-6  # of |x|^2 + |y|^2: below, the product form has lost its digits and differences are taken


def prepared_rows(X: Any, metric: Any) -> Any:
    """Return rows between which straight lines are measured in place of the metric; ``X`` itself stays as it is."""
    if is_tensor(X) and metric not in ("euclidean", "cosine"):
        raise UnsupportedError(
            f"metric={metric!r} is computed on NumPy arrays; move the tensor to one, or use 'euclidean'"
        )
    if issparse(X):
        X = csr_array(X, copy=True).astype(np.float64, copy=False)
        X.sum_duplicates()
        if metric == "cosine":
            from sklearn.preprocessing import normalize

            return csr_array(normalize(X))
        return X
    return normalize_rows(X) if metric == "cosine" else X


def as_lengths(lines: Any, metric: Any) -> Any:
    """Turn straight lines between prepared rows into the metric: half the square of a chord is its cosine distance."""
    return lines * lines / 2.0 if metric == "cosine" else lines


def metric_arguments(X: Any, metric: Any, arguments: dict | None) -> dict:
    """Return the metric's arguments; what scikit-learn would measure on the rows at hand is measured on the fit's."""
    arguments = dict(arguments or {})
    if metric == "seuclidean" and "V" not in arguments:
        arguments["V"] = np.var(X, axis=0, ddof=1)
    elif metric == "mahalanobis" and not arguments.keys() & {"V", "VI"}:
        arguments["VI"] = np.linalg.pinv(np.atleast_2d(np.cov(X.T)))
    return arguments


class RowDistances(NamedTuple):
    """Where distances to the rows of a fit come from: the rows with their metric, or nothing when queries are distances."""

    rows: Any  # prepared rows, or None for precomputed distances
    metric: Any
    arguments: dict

    def to(self, queries: Any) -> np.ndarray:
        """Return the (m, n) float64 distances from queries, prepared like the rows."""
        if self.rows is None:
            return np.asarray(queries, dtype=np.float64)
        if issparse(self.rows) and self.metric in ("euclidean", "cosine"):
            return as_lengths(_between_sparse(queries, self.rows), self.metric)
        from sklearn.metrics import pairwise_distances

        # An object of its own: scikit-learn treats the same array on both sides differently, by a few last bits.
        other = queries.copy() if queries is self.rows else queries
        return np.asarray(pairwise_distances(other, self.rows, metric=self.metric, **self.arguments), dtype=np.float64)

    def blocks(self, queries: Any) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (first query, distances) for a block of queries at a time."""
        width = queries.shape[1] if self.rows is None else self.rows.shape[0]
        step = max(1, _BLOCK_BYTES // (8 * width))
        for start in range(0, queries.shape[0], step):
            yield start, self.to(queries[start : start + step])

    def core_distances(self, queries: Any, min_samples: int) -> np.ndarray:
        """Return for each row of the fit the distance to its ``min_samples``-th nearest row, itself included."""
        core = np.empty(queries.shape[0])
        for start, block in self.blocks(queries):
            # A copy: precomputed distances are the caller's.
            core[start : start + len(block)] = np.partition(block, min_samples - 1, axis=1)[:, min_samples - 1]
        return core

    def nearest_reachable(self, queries: Any, core: np.ndarray, min_samples: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the nearest row of the fit by mutual reachability, as `coterie.primitives.neighbors.nearest_reachable`."""
        found, reach = np.empty(queries.shape[0], np.int64), np.empty(queries.shape[0])
        for start, block in self.blocks(queries):
            nearest = block.argmin(axis=1)
            twin = block[np.arange(len(block)), nearest] == 0
            own = np.zeros(len(block))
            if min_samples > 1:
                own = np.partition(block, min_samples - 2, axis=1)[:, min_samples - 2]
            own[twin] = core[nearest[twin]]
            values = np.maximum(np.maximum(block, core), own[:, None])
            least = values.min(axis=1)
            at = np.where(values == least[:, None], block, np.inf).argmin(axis=1)
            found[start : start + len(block)], reach[start : start + len(block)] = at, least
        return found, reach


def _between_sparse(queries: Any, rows: Any) -> np.ndarray:
    """Return Euclidean distances by products, so that zeros cost nothing; by differences where products cancel."""
    theirs = np.asarray(rows.multiply(rows).sum(axis=1)).ravel()
    mine = np.asarray(queries.multiply(queries).sum(axis=1)).ravel()
    both = mine[:, None] + theirs
    distance2 = both - 2.0 * (queries @ rows.T).toarray()
    a, b = np.nonzero(distance2 <= _CANCELLED * both)
    for start in range(0, len(a), 65536):
        one, other = a[start : start + 65536], b[start : start + 65536]
        gap = queries[one] - rows[other]
        distance2[one, other] = np.asarray(gap.multiply(gap).sum(axis=1)).ravel()
    return np.sqrt(distance2, out=distance2)
