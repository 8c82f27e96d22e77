"""The local outlier factor: how much thinner the place of a row is than the places of its neighbours.

From row p, row o is *reached* at ``max(d_k(o), d(p, o))``, where ``d_k(o)`` is the distance of o to its k-th neighbour. The *local
density* of p is one over the mean reach of its k neighbours, and its *factor* is the mean density of the neighbours divided by
its own: about 1 inside a group of any density, larger outside. One search for neighbours: about O(n log n) time in few
dimensions, up to O(n^2 d) in many; O(n (d + k)) memory.
"""

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import issparse
from sklearn.base import OutlierMixin
from sklearn.metrics.pairwise import _VALID_METRICS
from sklearn.utils.metaestimators import available_if

from ..arrays import is_tensor, like_input, to_numpy
from ..base import Estimator, Interval, StrOptions
from ..errors import InputError
from ..primitives.distances import check_distances
from ..primitives.neighbors import k_nearest, neighbor_index
from ._kept import kept
from ._row_distances import RowDistances, as_lengths, metric_arguments, prepared_rows

__all__ = ["LocalOutlierFactor", "local_density", "local_outlier_factor"]

_METRICS = {*_VALID_METRICS, "precomputed"} - {"nan_euclidean"}
_LEAST_REACH = 1e-10  # scikit-learn's: rows that coincide more than k times have a large density, not an infinite one
_SMALL = 1e-6  # data smaller than this have a proportionally smaller least reach
_TOO_DENSE = 1e7
_AUTO_OFFSET = -1.5


def local_density(distances: np.ndarray, neighbors: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Return one over the mean reach of each row's neighbours.

    Parameters
    ----------
    distances : (m, k) float array
        From each row to its neighbours.
    neighbors : (m, k) int64 array
        Rows of the fit.
    radii : (n,) float array
        Distance of each row of the fit to its k-th neighbour.

    Returns
    -------
    (m,) float64 array
    """
    reach = np.maximum(distances, radii[neighbors]).mean(axis=1, dtype=np.float64)
    largest = float(radii.max())
    return 1.0 / (reach + _LEAST_REACH * (largest if 0 < largest < _SMALL else 1.0))


def local_outlier_factor(density: np.ndarray, neighbors: np.ndarray, fitted_density: np.ndarray) -> np.ndarray:
    """Return the mean density of each row's neighbours over its own.

    Parameters
    ----------
    density : (m,) float64 array
        Of each row, from `local_density`.
    neighbors : (m, k) int64 array
        Rows of the fit.
    fitted_density : (n,) float64 array
        Of the rows of the fit.

    Returns
    -------
    (m,) float64 array
    """
    return (fitted_density[neighbors] / density[:, None]).mean(axis=1)


class LocalOutlierFactor(OutlierMixin, Estimator):
    """Rows that lie in a thinner place than their neighbours do.

    Parameters
    ----------
    n_neighbors : int, default=20
        How many neighbours, the row itself not counted; at most all others. Fewer than a small group has rows find single
        strays; more find that group.
    novelty : bool, default=False
        False: judge the rows of the fit by ``fit_predict``. True: judge new rows by ``predict``, ``decision_function`` and
        ``score_samples``, and not the rows of the fit, which would be their own neighbours.
    metric : str or callable, default="euclidean"
        "euclidean" and "cosine" are fast. "precomputed": ``X`` holds the distances, dense, and is not modified. Any other name
        that scikit-learn's ``pairwise_distances`` knows, or a function of two rows, takes O(n^2 log n) time.
    metric_params : dict, optional
        More arguments of the metric.
    contamination : "auto" or float, default="auto"
        Share of rows to call outliers, at most 0.5; "auto": those with a factor above 1.5.
    device : str, default="cpu"
        "cpu", "cuda", "cuda:0", "mps" or "auto": where neighbours are searched. Tensors are computed on where they are.

    Attributes
    ----------
    negative_outlier_factor_ : (n,) float64 array
        Minus the factor of each row of the fit: about -1 for a row like its neighbours, less for an outlier.
    offset_ : float
        Rows with less are outliers.
    n_neighbors_ : int
        Neighbours that were used.
    n_samples_fit_ : int
        Rows of the fit.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : (d,) array of str
        Their names, where the input has names.

    See Also
    --------
    HDBSCAN : its ``outlier_scores_`` compare a row with the densest part of the cluster it falls from.

    Notes
    -----
    Exact. Of neighbours that are equally far at the end the lowest rows count; the paper counts all, and scikit-learn any of
    them. Values are scikit-learn's but for that, up to rounding. Rows that coincide with more than ``n_neighbors`` others have
    a reach of 1e-10 instead of 0 (of data smaller than a millionth: 1e-10 of the largest distance to a k-th neighbour), so
    that rows beside them have huge factors; a warning says so.

    References
    ----------
    Breunig, Kriegel, Ng, Sander (2000). LOF: identifying density-based local outliers. SIGMOD 2000, 93-104.
    doi:10.1145/342009.335388

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import LocalOutlierFactor
    >>> X = np.array([[-1.1], [0.2], [101.1], [0.3]])
    >>> model = LocalOutlierFactor(n_neighbors=2)
    >>> model.fit_predict(X)
    array([ 1,  1, -1,  1])
    >>> model.negative_outlier_factor_.round(4)
    array([ -0.9821,  -1.037 , -73.3697,  -0.9821])
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "novelty": ["boolean"],
        "metric": [StrOptions(_METRICS), callable],
        "metric_params": [dict, None],
        "contamination": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="right")],
        "device": [str],
    }
    _state_attributes = ("_rows", "_metric_arguments", "_radii", "_densities")

    def __init__(
        self,
        n_neighbors: int = 20,
        *,
        novelty: bool = False,
        metric: Any = "euclidean",
        metric_params: dict | None = None,
        contamination: Any = "auto",
        device: str = "cpu",
    ) -> None:
        self.n_neighbors = n_neighbors
        self.novelty = novelty
        self.metric = metric
        self.metric_params = metric_params
        self.contamination = contamination
        self.device = device

    def fit(self, X: Any, y: Any = None) -> "LocalOutlierFactor":
        """Find each row's neighbours and its factor.

        Parameters
        ----------
        X : (n, d) array, frame, sparse array or tensor, or (n, n) distances
            At least two rows; not modified.
        y : ignored
            Present by convention.

        Returns
        -------
        LocalOutlierFactor
            This one.
        """
        self._validate_params()
        given = X
        X = self._gate_in(X, reset=True, accept_sparse=self.metric != "precomputed")
        n = X.shape[0]
        if n < 2:
            raise InputError("LocalOutlierFactor compares rows with others, but got 1 sample; give at least 2")
        k = min(self.n_neighbors, n - 1)
        if self.n_neighbors > n:
            warnings.warn(
                f"n_neighbors={self.n_neighbors} with {n} rows: all {k} others are used; lower n_neighbors",
                UserWarning, stacklevel=2,
            )  # fmt: skip
        arguments = metric_arguments(X, self.metric, self.metric_params)
        distances, neighbors = self._neighbors(X, k, arguments)
        radii = np.ascontiguousarray(distances[:, -1])
        densities = local_density(distances, neighbors, radii)
        factors = local_outlier_factor(densities, neighbors, densities)
        self.n_neighbors_, self.n_samples_fit_ = k, n
        self._metric_arguments, self._radii, self._densities = arguments, radii, densities
        # Copies, so that a later change of the input does not reach predict.
        self._rows = None if self.metric == "precomputed" else X.clone() if is_tensor(X) else X.copy()
        self.offset_ = _AUTO_OFFSET
        if self.contamination != "auto":
            self.offset_ = float(np.percentile(-factors, 100.0 * self.contamination))
        self.negative_outlier_factor_ = like_input(-factors, given)
        if factors.max() > _TOO_DENSE and not self.novelty:
            warnings.warn(
                f"more than {k} rows coincide, and rows beside them have huge factors; raise n_neighbors or drop repeats",
                UserWarning, stacklevel=2,
            )  # fmt: skip
        return self

    def _neighbors(self, X: Any, k: int, arguments: dict, fitted: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """Return distances and rows of the k nearest rows of the fit; without ``fitted``, of the other rows of ``X``."""
        own = fitted is None
        if is_tensor(X) or (
            not issparse(X)
            and not issparse(fitted)
            and isinstance(self.metric, str)
            and self.metric in ("euclidean", "cosine")
        ):
            queries = prepared_rows(X, self.metric)
            if own:
                found = k_nearest(queries, k + 1)
            else:
                rows = prepared_rows(like_input(fitted, X), self.metric)
                index = kept(self, fitted, is_tensor(rows), lambda: neighbor_index(rows))
                found = k_nearest(rows, k, queries=queries, index=index)
            distances, neighbors = (to_numpy(values)[:, int(own) :] for values in found)
            return as_lengths(distances, self.metric), neighbors
        precomputed = self.metric == "precomputed"
        if precomputed and own:
            check_distances(X)
        queries = X if precomputed else prepared_rows(X, self.metric)
        rows = queries if own else None if precomputed else prepared_rows(fitted, self.metric)
        source = RowDistances(None if precomputed else rows, self.metric, arguments)
        distances, neighbors = np.empty((X.shape[0], k)), np.empty((X.shape[0], k), np.int64)
        for start, block in source.blocks(queries):
            mine = np.arange(len(block))
            block = block.copy()  # precomputed distances are the caller's
            if own:
                block[mine, start + mine] = np.inf
            nearest = np.argsort(block, axis=1, kind="stable")[:, :k]
            distances[start + mine], neighbors[start + mine] = np.take_along_axis(block, nearest, 1), nearest
        return distances, neighbors

    @available_if(lambda self: self._wants(novelty=False, instead="predict"))
    def fit_predict(self, X: Any, y: Any = None) -> Any:
        """Fit, and say of each row whether it is an outlier; only with ``novelty=False``.

        Parameters
        ----------
        X : (n, d) array, frame, sparse array or tensor, or (n, n) distances
        y : ignored
            Present by convention.

        Returns
        -------
        (n,) int64 array
            -1 for outliers, 1 for the others.
        """
        self.fit(X, y)
        return like_input(np.where(to_numpy(self.negative_outlier_factor_) < self.offset_, -1, 1), X)

    @available_if(lambda self: self._wants(novelty=True, instead="fit_predict"))
    def predict(self, X: Any) -> Any:
        """Say of each new row whether it is an outlier; only with ``novelty=True``.

        Parameters
        ----------
        X : (m, d) array, frame, sparse array or tensor, or (m, n) distances to the rows of the fit

        Returns
        -------
        (m,) int64 array
            -1 for outliers, 1 for the others.
        """
        return like_input(np.where(to_numpy(self.decision_function(X)) < 0, -1, 1), X)

    @available_if(lambda self: self._wants(novelty=True, instead="negative_outlier_factor_"))
    def decision_function(self, X: Any) -> Any:
        """Return by how much each new row's score lies above ``offset_``: negative for outliers; only with ``novelty=True``.

        Parameters
        ----------
        X : (m, d) array, frame, sparse array or tensor, or (m, n) distances to the rows of the fit

        Returns
        -------
        (m,) float64 array
        """
        return self.score_samples(X) - self.offset_

    @available_if(lambda self: self._wants(novelty=True, instead="negative_outlier_factor_"))
    def score_samples(self, X: Any) -> Any:
        """Return minus the factor of each new row among the rows of the fit; only with ``novelty=True``.

        Parameters
        ----------
        X : (m, d) array, frame, sparse array or tensor, or (m, n) distances to the rows of the fit
            A row of the fit would be its own neighbour.

        Returns
        -------
        (m,) float64 array
        """
        given = X
        X = self._gate_in(X, reset=False, accept_sparse=self.metric != "precomputed")
        fitted = X[:0] if self._rows is None else self._rows
        distances, neighbors = self._neighbors(X, self.n_neighbors_, self._metric_arguments, fitted)
        density = local_density(distances, neighbors, self._radii)
        return like_input(-local_outlier_factor(density, neighbors, self._densities), given)

    def _wants(self, *, novelty: bool, instead: str) -> bool:
        if self.novelty != novelty:
            raise AttributeError(f"not available with novelty={self.novelty}; set novelty={novelty}, or use {instead}")
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.metric == "precomputed"
        tags.input_tags.sparse = self.metric != "precomputed"
        return tags
