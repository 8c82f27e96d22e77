"""What a metric of DBSCAN does to rows and radius: straight lines between prepared rows, or distances block by block."""

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import coo_array, csr_array, issparse
from sklearn.metrics import pairwise_distances
from sklearn.metrics.pairwise import _VALID_METRICS, PAIRWISE_BOOLEAN_FUNCTIONS
from sklearn.utils.extmath import row_norms

from ..arrays import append_column, is_tensor, normalize_rows
from ..base import StrOptions
from ..errors import InputError, UnsupportedError
from ..primitives.radius import pair_index

__all__ = ["METRICS", "STRAIGHT", "Metric"]

METRICS = [StrOptions({*_VALID_METRICS, "precomputed"} - {"nan_euclidean"}), callable]
STRAIGHT = ("euclidean", "l2", "sqeuclidean", "cosine")


class Metric(NamedTuple):
    """A metric with its arguments; of the rows of the fit, where it needs some."""

    name: Any  # str or callable
    arguments: dict

    @classmethod
    def fitted_to(cls, X: Any, name: Any, arguments: dict | None) -> "Metric":
        """Return the metric for the rows of a fit; what is measured on them is kept for rows to predict."""
        arguments = dict(arguments or {})
        if is_tensor(X) and name not in STRAIGHT:
            raise UnsupportedError(
                f"metric={name!r} is computed on NumPy arrays; move the tensor to one, or use 'euclidean'"
            )
        if name == "precomputed":
            _check_distances(X)
        elif name == "seuclidean" and "V" not in arguments:
            arguments["V"] = np.var(X, axis=0, ddof=1)
        elif name == "mahalanobis" and not arguments.keys() & {"V", "VI"}:
            arguments["VI"] = np.linalg.pinv(np.atleast_2d(np.cov(X.T)))
        return cls(name, arguments)

    def rows(self, X: Any) -> Any:
        """Return the rows between which distances are measured; ``X`` itself stays as it is."""
        if issparse(X) and self.name != "precomputed":
            X = csr_array(X, dtype=np.float64, copy=True)
            X.sum_duplicates()
        if self.name == "cosine":
            return _on_sphere(X)
        if self.name == "precomputed" and issparse(X):
            return _with_diagonal(X)
        return X.astype(bool) if self.name in PAIRWISE_BOOLEAN_FUNCTIONS else X

    def radius(self, eps: float) -> float:
        """Return ``eps`` as a straight line between the rows: the chord of a cosine distance, the root of a square."""
        if self.name == "cosine":
            return float(np.sqrt(2.0 * eps))
        return float(np.sqrt(eps)) if self.name == "sqeuclidean" else float(eps)

    def distance(self, radius: float) -> float:
        """Return what ``eps`` would give this straight line."""
        return {"cosine": radius * radius / 2.0, "sqeuclidean": radius * radius}.get(self.name, radius)

    def blockwise(self, rows: Any, radius: float) -> Any:
        """Return the index for distances that are computed block by block; None for straight lines between dense rows."""
        if self.name == "precomputed":
            return pair_index(rows, radius, lambda queries: queries, by_coordinates=False)
        if self.name in STRAIGHT:
            return pair_index(rows, radius, _Straight(rows)) if issparse(rows) else None
        return pair_index(
            rows, radius, lambda queries: pairwise_distances(queries, rows, metric=self.name, **self.arguments)
        )


class _Straight:
    """Euclidean distances between sparse rows, by their products: zeros cost nothing."""

    def __init__(self, rows: Any) -> None:
        self._columns = rows.T.tocsr()
        self._lengths2 = row_norms(rows, squared=True)

    def __call__(self, queries: Any) -> np.ndarray:
        distances2 = (queries @ self._columns).toarray()
        distances2 *= -2.0
        distances2 += row_norms(queries, squared=True)[:, None]
        distances2 += self._lengths2
        return np.sqrt(np.maximum(distances2, 0.0, out=distances2), out=distances2)


def _on_sphere(X: Any) -> Any:
    """Return rows of length 1, with one more column: a row of zeros has its 1 there, at right angles to all others."""
    if issparse(X):
        lengths = np.sqrt(row_norms(X, squared=True))
        zero = lengths == 0
        X = X.multiply(1.0 / np.where(zero, 1.0, lengths)[:, None]).tocsr()
        n, d = X.shape
        extra = csr_array(
            (np.ones(int(zero.sum())), (np.flatnonzero(zero), np.full(int(zero.sum()), d))), shape=(n, d + 1)
        )
        return csr_array((X.data, X.indices, X.indptr), shape=(n, d + 1)) + extra
    rows = normalize_rows(X)
    zero = (rows == 0).all(1)[:, None]
    return append_column(rows, zero)


def _with_diagonal(X: Any) -> Any:
    """Return sparse distances in which every row is its own neighbour; a stored diagonal is kept."""
    X = coo_array(X)
    row, column = X.coords
    missing = np.setdiff1d(np.arange(X.shape[0]), row[row == column])
    return csr_array(
        (
            np.concatenate([X.data, np.zeros(len(missing), X.dtype)]),
            (np.concatenate([row, missing]), np.concatenate([column, missing])),
        ),
        shape=X.shape,
    )


def _check_distances(X: Any) -> None:
    if X.shape[0] != X.shape[1]:
        raise InputError(f"precomputed distances must be a square matrix, got shape {X.shape}")
    values = X.data if issparse(X) else X
    if values.size and values.min() < 0:
        raise InputError(f"precomputed distances must not be negative, got {values.min():.3g}")
