"""What a metric means to the medoid family: rows between which distances are taken, their unit, and the distinct rows of a fit."""

import logging
from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import pairwise_distances
from sklearn.metrics.pairwise import _VALID_METRICS, PAIRWISE_BOOLEAN_FUNCTIONS

from ..arrays import append_column, is_tensor, normalize_rows, to_numpy
from ..base import StrOptions
from ..errors import InputError, ResourceError, UnsupportedError
from ..primitives.distances import check_distances
from ..primitives.medoids import distances_between, matrix_search, medoid_search, nearest_of
from ..primitives.memory import free_bytes
from ..primitives.row_keys import key_order, row_keys

__all__ = ["METRICS", "Distinct", "Metric", "distinct_rows", "weighted_sum"]

METRICS = [StrOptions({*_VALID_METRICS, "precomputed"} - {"nan_euclidean"}), callable]
_MEASURES = {
    "euclidean": "euclidean", "l2": "euclidean", "sqeuclidean": "sqeuclidean", "manhattan": "manhattan",
    "cityblock": "manhattan", "l1": "manhattan", "cosine": "sqeuclidean",
}  # fmt: skip
_SAFE_EXPONENT = {"float64": 400, "float32": 40}
_BLOCK_BYTES = 1 << 25
_ROUNDING = 1e-6  # of the largest distance, by which a given matrix may be off
_MATRIX_FEATURES = 16  # up to here a distance is computed faster than it is read from memory
_MATRIX_SHARE = 0.25  # of the free memory, for a matrix that only saves time
_log = logging.getLogger("coterie.partition")


class Metric(NamedTuple):
    """A metric, its arguments, and the power of two by which rows are divided so that squares neither overflow nor vanish."""

    name: Any  # str or callable
    arguments: dict
    scale: float = 1.0

    @classmethod
    def fitted_to(cls, X: Any, name: Any, arguments: dict | None) -> "Metric":
        """Return the metric for the rows of a fit, or raise where it cannot be had."""
        metric = cls(name, dict(arguments or {}))
        if name == "precomputed":
            check_distances(X, _ROUNDING)
        if metric.measure is None and is_tensor(X):
            raise UnsupportedError(
                f"metric={name!r} is computed on NumPy arrays; move the tensor to one, or use 'euclidean'"
            )
        for needs, argument in (("seuclidean", "V"), ("mahalanobis", "VI")):
            if name == needs and argument not in metric.arguments:
                raise InputError(
                    f"metric={name!r} needs metric_params={{'{argument}': ...}}, so that new rows are measured alike"
                )
        return metric.reaching(X, fitting=True)

    @property
    def measure(self) -> str | None:
        """Return the name of the measure that the engines compute, or None."""
        return _MEASURES.get(self.name) if isinstance(self.name, str) else None

    @property
    def unit(self) -> float:
        """Return what one of a distance between prepared rows is in the metric."""
        if self.name == "cosine":
            return 0.5
        return self.scale * self.scale if self.name == "sqeuclidean" else self.scale

    def reaching(self, X: Any, fitting: bool = False) -> "Metric":
        """Return the metric with a scale that suits the rows of a fit, or that is great enough for other rows too."""
        if self.measure is None or self.name == "cosine":
            return self
        largest = max(float(X.max()), -float(X.min()))
        exponent, safe = int(np.frexp(largest)[1]), _SAFE_EXPONENT[str(X.dtype).removeprefix("torch.")]
        ordinary = abs(exponent) < safe if fitting else exponent - np.frexp(self.scale)[1] < safe
        return self if ordinary or largest == 0 else self._replace(scale=2.0 ** (exponent - 1))

    def rows(self, X: Any) -> Any:
        """Return the rows between which distances are measured; ``X`` itself stays as it is."""
        if self.name == "cosine":
            unit = normalize_rows(X)
            # A row of zeros has a direction of its own, at right angles to all others.
            return append_column(unit, (unit == 0).all(1)[:, None])
        if self.name in PAIRWISE_BOOLEAN_FUNCTIONS:
            return X.astype(bool)
        return X if self.scale == 1.0 else X / self.scale

    def between(self, rows: Any, centers: Any) -> Any:
        """Return the (n, k) distances between prepared rows, before `unit`."""
        if self.measure is not None:
            return distances_between(rows, centers, self.measure)
        # An object of its own: scikit-learn treats the same array on both sides differently, by a few last bits.
        return np.asarray(pairwise_distances(rows, np.array(centers), metric=self.name, **self.arguments), np.float64)

    def nearest(self, rows: Any, centers: Any) -> tuple[Any, Any]:
        """Return the nearest center of each prepared row, ties to the lowest, and the distance before `unit`."""
        if self.measure is not None:
            return nearest_of(rows, centers, self.measure)
        labels, distances = np.empty(len(rows), np.int64), np.empty(len(rows))
        step = max(1, _BLOCK_BYTES // (8 * len(centers)))
        for start in range(0, len(rows), step):
            tile = self.between(rows[start : start + step], centers)
            labels[start : start + step], distances[start : start + step] = tile.argmin(1), tile.min(1)
        return labels, distances


class Distinct(NamedTuple):
    """The distinct rows of a fit in an order of their values: what is drawn or tied does not depend on how they came."""

    metric: Metric
    rows: Any  # (m, d) prepared rows; the (m, m) distances for precomputed ones
    weight: Any  # (m,) float64: summed over equal rows, positive; None where all are 1
    source: np.ndarray  # (m,) int64: the first row of the input that is equal
    member: np.ndarray  # (n,) int64: the distinct row of each row of the input, -1 where its weight is 0

    def part(self, rows: np.ndarray) -> "Distinct":
        """Return some of the rows."""
        picked = self.rows[np.ix_(rows, rows)] if self.metric.name == "precomputed" else self.rows[rows]
        weight = None if self.weight is None else self.weight[rows]
        return self._replace(rows=picked, weight=weight, source=self.source[rows])

    def search(self, advice: str) -> Any:
        """Return the state of a search for medoids among these rows, with a matrix of distances where there must be one, or it pays.

        Parameters
        ----------
        advice : str
            What to do where the matrix does not fit.

        Raises
        ------
        ResourceError
            If the metric needs a matrix that does not fit in the free memory.
        """
        n, metric = len(self.rows), self.metric
        if metric.name == "precomputed":
            return matrix_search(self.rows, self.weight)
        free = free_bytes()
        if metric.measure is not None:
            needed = n * n * self.rows.itemsize
            stored = self.rows.shape[1] > _MATRIX_FEATURES and needed <= _MATRIX_SHARE * free
            return medoid_search(self.rows, metric.measure, self.weight, stored=stored)
        needed = 2 * 8 * n * n
        if needed > free:
            raise ResourceError(
                f"metric={metric.name!r} needs a matrix of {n} x {n} distances, {needed / 2**30:.1f} GiB with the work space,"
                f" but {free / 2**30:.1f} GiB are free; use metric='euclidean', 'manhattan' or 'cosine', which need none, or {advice}"
            )
        _log.info("the matrix of distances takes %d bytes", needed)
        return matrix_search(metric.between(self.rows, self.rows), self.weight)

    def loss_of(self, medoids: np.ndarray) -> float:
        """Return the weighted sum of the distances to the nearest of some medoids, before the metric's unit."""
        if self.metric.name == "precomputed":
            distances = self.rows[:, medoids].min(1)
        else:
            distances = to_numpy(self.metric.nearest(self.rows, self.rows[medoids])[1])
        return weighted_sum(distances, self.weight)


def weighted_sum(values: np.ndarray, weight: np.ndarray | None) -> float:
    """Return a sum in float64."""
    values = np.asarray(values, np.float64)
    return float((values if weight is None else weight * values).sum())


def distinct_rows(metric: Metric, X: Any, weight: np.ndarray | None) -> Distinct:
    """Join equal rows, leave out those without weight, and order the rest by their values.

    Parameters
    ----------
    metric : Metric
    X : (n, d) float array
        Prepared rows of any engine, or the (n, n) distances: these keep their order, and all rows.
    weight : (n,) float64 array or None
    """
    n = X.shape[0]
    kept = np.arange(n) if weight is None else np.flatnonzero(weight > 0)
    member = np.full(n, -1)
    if metric.name == "precomputed":
        member[kept] = np.arange(len(kept))
        rows = X if len(kept) == n else np.ascontiguousarray(X[np.ix_(kept, kept)])
        return Distinct(metric, rows, None if weight is None else weight[kept], kept, member)
    rows = X if len(kept) == n else X[kept]
    order, first = _canonical_order(rows)
    source = order[first]
    member[kept[order]] = np.cumsum(first) - 1
    if weight is None and len(source) == n:
        total = None
    else:
        total = np.bincount(member[kept], None if weight is None else weight[kept]).astype(np.float64)
    return Distinct(metric, rows[source], total, kept[source], member)


def _canonical_order(rows: Any) -> tuple[np.ndarray, np.ndarray]:
    """Order rows by value; also say, (n,) bool, which one differs from the one before it."""
    keys = to_numpy(row_keys(rows if str(rows.dtype) != "bool" else rows.astype(np.float64)))
    order = key_order(keys)
    first = np.ones(len(order), bool)
    tied = np.diff(keys[order]) == 0
    if tied.any():
        # Few as a rule: rows with the same key are compared feature by feature.
        at = np.flatnonzero(np.append(tied, False) | np.insert(tied, 0, False))
        values = to_numpy(rows[order[at]])
        ranks = np.lexsort((*values.T[::-1], keys[order[at]]))
        order[at], values = order[at][ranks], values[ranks]
        first[at[1:]] = (values[1:] != values[:-1]).any(1) | (np.diff(at) > 1)
    return order, first
