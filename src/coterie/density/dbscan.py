"""DBSCAN: clusters of any shape, at one density that the user gives.

A row is a *core* row if at least ``min_samples`` rows, itself included, lie within ``eps`` of it. Core rows within ``eps`` of
each other belong to one cluster, and so on from row to row. A row that is not core but within ``eps`` of one is a *border*
row of the cluster of its nearest core row; all other rows are *noise*. Neighbours are counted and joined on the fly, never
stored: O(n) memory, about O(n log n) time in few dimensions, up to O(n^2 d) where ``eps`` reaches everywhere.
"""

import logging
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..arrays import is_tensor, like_input
from ..base import Clusterer, Interval
from ..errors import InputError
from ..primitives.blocks import in_blocks
from ..primitives.components import number_sets
from ..primitives.radius import nearest_within, pair_index, radius_components, radius_counts, radius_index
from ._dbscan_blocks import dbscan_of_blocks, rows_of_blocks
from ._dbscan_metric import METRICS, Metric
from ._dbscan_stored import gathered_core, stored_results
from ._kept import kept

__all__ = ["DBSCAN", "dbscan"]

_log = logging.getLogger("coterie.density")
_MOSTLY_NOISE = 0.9
_ADVICE_ROWS = 16


def dbscan(X: Any, eps: float, min_samples: int, *, sample_weight: Any = None, index: Any = None) -> tuple[Any, Any]:
    """Find the clusters of rows that lie densely together.

    Parameters
    ----------
    X : (n, d) float array or tensor
        Rows, any engine.
    eps : float
        Radius of a neighbourhood in the units of ``X``; the ball is closed.
    min_samples : int
        Least number, or weight, of rows within ``eps`` of a core row, itself included.
    sample_weight : (n,) float64 array, optional
        What each row counts.
    index : index, optional
        From `coterie.primitives.radius.pair_index`, for another measure of distance than the Euclidean.

    Returns
    -------
    labels : (n,) int64 array
        Numbered by first appearance; noise -1.
    core : (n,) bool array
        Which rows are core rows.
    """
    if index is None:
        index = radius_index(X, eps)
    core = radius_counts(index, sample_weight=sample_weight, enough=min_samples) >= min_samples
    labels = radius_components(index, core)
    others = _rows_of(~core)
    if 0 < len(others) < len(core):
        nearest, _ = nearest_within(index, X[others], core)
        found = nearest >= 0
        labels[others[found]] = labels[nearest[found]]
    return number_sets(labels), core


class DBSCAN(Clusterer):
    """Clusters of any shape at one density; rows in thin places are noise.

    Parameters
    ----------
    eps : float, default=0.5
        Two rows are neighbours when no further apart, in the unit of the metric.
    min_samples : int, default=5
        Least number (with ``sample_weight``: least weight) of neighbours of a core row, itself included.
    metric : str or callable, default="euclidean"
        "euclidean" and "cosine" are fast. "precomputed": ``X`` holds the distances, dense, or sparse, where what is not stored
        is far. Any other name that scikit-learn's ``pairwise_distances`` knows, or a function of two rows, costs three times
        n^2 distances.
    metric_params : dict, optional
        More arguments of the metric.
    device : str, default="cpu"
        "cpu", "cuda", "cuda:0", "mps" or "auto": where to compute. Tensors are computed on where they are.

    Attributes
    ----------
    labels_ : (n,) int64 array
        0, 1, ... in order of first appearance in the rows; noise -1.
    core_sample_indices_ : (n_core,) int64 array
        Core rows, ascending.
    components_ : (n_core, d) array
        The core rows themselves; not there for precomputed distances.
    advice_ : tuple of str
        What to try when nearly every row is noise, or all rows are one cluster; empty otherwise.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : (d,) array of str
        Their names, where the input has names.

    See Also
    --------
    HDBSCAN : clusters of different densities, without ``eps``.

    Notes
    -----
    Exact, and independent of the order of the rows: a border row within ``eps`` of several clusters goes to its nearest core
    row (ties: the one with the smallest coordinates). Memory is O(n); for metrics other than Euclidean and cosine, a block of
    32 MB of distances at a time. ``predict`` gives the label of the nearest core row within ``eps``, else -1, which on the
    training rows is ``labels_``.

    Rows in blocks give the same labels, core rows and numbers, as Dask arrays, if their metric is "euclidean", "l2", "sqeuclidean" or
    "cosine". A worker holds a block, or the rows of a box in space and some of those within ``eps`` of it, at a time; rows travel
    through files in the workers' scratch folders.

    References
    ----------
    Ester, Kriegel, Sander, Xu (1996). A density-based algorithm for discovering clusters in large spatial databases with
    noise. KDD-96, 226-231.
    Schubert, Sander, Ester, Kriegel, Xu (2017). DBSCAN revisited, revisited. ACM TODS 42(3). doi:10.1145/3068335

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import DBSCAN
    >>> X = np.array([[1.0, 2.0], [2.0, 2.0], [2.0, 3.0], [8.0, 7.0], [8.0, 8.0], [25.0, 80.0]])
    >>> model = DBSCAN(eps=3, min_samples=2).fit(X)
    >>> model.labels_
    array([ 0,  0,  0,  1,  1, -1])
    >>> model.predict([[7.0, 7.0]])
    array([1])
    """

    _parameter_constraints: ClassVar[dict] = {
        "eps": [Interval(Real, 0.0, None, closed="neither")],
        "min_samples": [Interval(Integral, 1, None, closed="left")],
        "metric": METRICS,
        "metric_params": [dict, None],
        "device": [str],
    }
    _takes_blocks: ClassVar = True
    _state_attributes = ("_metric_arguments",)

    _gathered: tuple | None = None

    def __init__(
        self,
        eps: float = 0.5,
        *,
        min_samples: int = 5,
        metric: Any = "euclidean",
        metric_params: dict | None = None,
        device: str = "cpu",
    ) -> None:
        self.eps = eps
        self.min_samples = min_samples
        self.metric = metric
        self.metric_params = metric_params
        self.device = device

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> "DBSCAN":
        """Find the clusters.

        Parameters
        ----------
        X : (n, d) array, frame, sparse array or tensor, or (n, n) distances; Dask array or frame, or RowFiles
            Not modified. The attributes of rows in blocks are Dask arrays, in the same blocks.
        y : ignored
            Present by convention.
        sample_weight : (n,) array, optional
            For rows in blocks a Dask array in the same blocks, not negative. A weight of 2 is as good as having the row twice; a row with a negative weight may keep its neighbours from being
            core.

        Returns
        -------
        DBSCAN
            This one.
        """
        self._validate_params()
        self._gathered = None
        if in_blocks(X):
            return self._fit_blocks(X, sample_weight)
        given = X
        X = self._gate_in(X, reset=True, accept_sparse=True)
        weights = self._check_weights(sample_weight, X.shape[0])
        if weights is not None and not weights.any():
            raise InputError("sample_weight is zero for every row; give some row a weight, or leave sample_weight out")
        metric = Metric.fitted_to(X, self.metric, self.metric_params)
        rows, eps = metric.rows(X), metric.radius(self.eps)
        labels, core = dbscan(rows, eps, self.min_samples, sample_weight=weights, index=metric.blockwise(rows, eps))
        indices = _rows_of(core)
        if self.metric != "precomputed":
            self.components_ = like_input(X[indices], given)
        self._metric_arguments = metric.arguments
        self.core_sample_indices_ = like_input(indices, given)
        self.advice_ = self._advise(metric, rows, labels)
        self.labels_ = like_input(labels, given)
        return self

    def _fit_blocks(self, X: Any, sample_weight: Any) -> "DBSCAN":
        """Find the clusters of rows in blocks; all that concerns single rows stays where it was computed."""
        metric = Metric(self.metric, dict(self.metric_params or {}))
        rows = rows_of_blocks(self._gate_blocks(X, sample_weight), metric)
        found = dbscan_of_blocks(rows, metric.radius(self.eps), self.min_samples)
        self._metric_arguments = metric.arguments
        self.labels_, self.core_sample_indices_, self.components_, self._core_labels = stored_results(X, rows, found)
        self.advice_ = self._advice(found.n_noise / len(rows), found.n_clusters == 1, len(rows))
        return self

    def predict(self, X: Any) -> Any:
        """Give each row the label of the nearest core row within ``eps``, or -1.

        Parameters
        ----------
        X : (m, d) array, frame, sparse array or tensor, or (m, n) distances to the rows of the fit; Dask array or frame, or RowFiles
            Sparse distances must store the zero of a row to itself.

        Returns
        -------
        (m,) int64 array
            A Dask array, computed when asked for, where ``X`` is in blocks.

        Raises
        ------
        ResourceError
            If the core rows of a fit on rows in blocks do not fit into memory.
        """
        components, core, labels = self._core()
        if in_blocks(X):
            return self._by_block(X, "predict", np.int64)
        given = X
        X = self._gate_in(X, reset=False, accept_sparse=True)
        labels = like_input(labels, X)
        metric = Metric(self.metric, self._metric_arguments)
        if len(core) == 0:
            return like_input(np.full(X.shape[0], -1), given)
        if self.metric == "precomputed":
            queries, eps = X[:, like_input(core, X)], self.eps
            index = pair_index(np.empty((len(core), 0)), eps, lambda rows: rows, by_coordinates=False)
        else:
            rows, queries, eps = metric.rows(like_input(components, X)), metric.rows(X), metric.radius(self.eps)
            index = metric.blockwise(rows, eps)
            if index is None:
                index = kept(self, components, (is_tensor(rows), eps), lambda: radius_index(rows, eps))
        nearest, _ = nearest_within(index, queries, like_input(np.ones(len(core), bool), X))
        found = nearest >= 0
        nearest[found] = labels[nearest[found]]
        return like_input(nearest, given)

    def _core(self) -> tuple[Any, Any, Any]:
        """Return the core rows, their numbers and their labels."""
        check_is_fitted(self)
        if self._gathered is None and not in_blocks(self.labels_):
            core = self.core_sample_indices_
            return getattr(self, "components_", None), core, self.labels_[core]
        if self._gathered is None:
            self._gathered = gathered_core(self.components_, self.core_sample_indices_, self._core_labels)
        return self._gathered

    def _light(self) -> Any:
        core = self._core()
        light = super()._light()
        for attribute in ("core_sample_indices_", "components_"):
            light.__dict__.pop(attribute, None)
        light._gathered = core
        return light

    def _advise(self, metric: Metric, rows: Any, labels: Any) -> tuple[str, ...]:
        """Say what to try where the answer is of little use."""
        noise = float((labels == -1).sum()) / len(labels)
        return self._advice(
            noise, int(labels.max()) == 0, len(labels), lambda: _typical_distance(metric, rows, self.min_samples)
        )

    def _advice(
        self, noise: float, one: bool, n: int, typical: Callable[[], float | None] = lambda: None
    ) -> tuple[str, ...]:
        one = one and noise == 0
        if n <= self.min_samples or not (one or noise > _MOSTLY_NOISE):
            return ()
        if noise > _MOSTLY_NOISE:
            advice = f"eps={self.eps:g} left {noise:.0%} of the rows as noise; raise eps or lower min_samples"
        else:
            advice = f"eps={self.eps:g} put every row in one cluster; lower eps or raise min_samples"
        distance = typical()
        if distance is not None:
            advice += f" (in a small sample the median distance to neighbour {self.min_samples} is {distance:.3g})"
        _log.info("%s", advice)
        return (advice,)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.metric == "precomputed"
        tags.input_tags.sparse = True
        return tags


def _rows_of(mask: Any) -> Any:
    return mask.nonzero()[:, 0] if is_tensor(mask) else np.flatnonzero(mask)


def _typical_distance(metric: Metric, rows: Any, k: int) -> float | None:
    """Return the median distance of a few rows to their k-th neighbour, itself the first."""
    if is_tensor(rows):
        return None
    sample = rows[np.linspace(0, rows.shape[0] - 1, _ADVICE_ROWS).astype(int)]
    index = metric.blockwise(rows, 1.0)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if index is None:
            distances = np.array([np.partition(((rows - row) ** 2).sum(axis=1), k - 1)[k - 1] for row in sample])
            return metric.distance(float(np.sqrt(np.median(distances))))
        found = index.distances(sample)
    if not isinstance(found, np.ndarray):
        return None
    return metric.distance(float(np.median(np.partition(found, k - 1, axis=1)[:, k - 1])))
