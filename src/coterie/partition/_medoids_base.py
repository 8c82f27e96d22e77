"""What KMedoids, CLARA and CLARANS share: the gate, the metric, the order of the clusters, predict and transform."""

import warnings
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from ..arrays import like_input, to_numpy
from ..base import Clusterer, Interval, lazily
from ..errors import InputError
from ..primitives.block_labels import rows_by_number
from ..primitives.blocks import in_blocks
from ._medoids_blocks import Judged, judge, measured
from ._medoids_metric import METRICS, Distinct, Metric, distinct_rows, weighted_sum

__all__ = ["MedoidClusterer"]


class MedoidClusterer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Clusterer):
    """Base of the estimators that choose rows as centers; they say how in `_choose`."""

    _state_attributes: ClassVar = ("_scale",)
    _parameter_constraints: ClassVar = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "metric": METRICS,
        "metric_params": [dict, None],
        "random_state": ["random_state"],
        "device": [str],
    }

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Choose the medoids.

        Parameters
        ----------
        X : (n, d) array, frame or tensor, or (n, n) distances; for `CLARA` and `CLARANS` also a Dask array or frame, or RowFiles
            Not modified. Of rows in blocks ``labels_`` is a Dask array that is computed when it is asked for.
        y : ignored
            Present by convention.
        sample_weight : (n,) array, optional
            Weight of each row's distance, not negative; an integer weight counts like that many equal rows. A row of weight 0
            is no medoid.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If there are fewer rows than clusters, or a value is not finite.
        ResourceError
            If the metric needs a matrix of distances that does not fit in memory; nothing is allocated then.
        """
        self._validate_params()
        if self._takes_blocks and in_blocks(X):
            return self._fit_blocks(X, sample_weight)
        rows = self._gate_in(X, reset=True)
        n = rows.shape[0]
        self._refuse_few(n)
        weight = self._check_weights(sample_weight, n)
        if weight is not None and (weight.min() < 0 or not weight.any()):
            raise _no_weight()
        metric = Metric.fitted_to(rows, self.metric, self.metric_params)
        prepared = metric.rows(rows)
        distinct = distinct_rows(metric, prepared, weight)
        if len(distinct.source) > self.n_clusters:
            medoids = distinct.source[np.sort(self._choose(distinct, check_random_state(self.random_state)))]
        else:
            medoids = self._all_of(distinct, n)
        self._keep(metric, rows, prepared, medoids, weight, X)
        return self

    def _fit_blocks(self, X: Any, sample_weight: Any) -> Any:
        """Choose among rows in blocks."""
        rows = self._gate_blocks(X, sample_weight)
        self._refuse_few(len(rows))
        if not any(seen.weight for seen in rows.surveys):
            raise _no_weight()
        metric, prepared = measured(rows, self.metric, self.metric_params)
        medoids, found = self._choose_of_blocks(prepared, metric, check_random_state(self.random_state))
        order = np.argsort(found.counts == 0, kind="stable")  # those without rows last
        self._scale = metric.scale
        self.medoid_indices_ = medoids[order]
        self.cluster_centers_ = rows_by_number(rows, self.medoid_indices_)
        self.inertia_ = found.loss * metric.unit
        self.labels_ = self._by_block(X, "predict", np.int64, lengths=rows.lengths)
        self._say_empty(int(np.count_nonzero(found.counts)))
        return self

    @lazily(np.int64)
    def predict(self, X: Any) -> Any:
        """Return the cluster of the nearest medoid of each row, ties to the lowest.

        Parameters
        ----------
        X : (m, d) array, frame or tensor, Dask array or frame, or RowFiles, or (m, n) distances to the rows of the fit

        Returns
        -------
        (m,) int64 array
        """
        rows = self._gate_in(X, reset=False)
        if self.metric == "precomputed":
            return like_input(rows[:, to_numpy(self.medoid_indices_)].argmin(1), X)
        metric, centers = self._metric_and_centers(rows)
        labels, _ = metric.nearest(metric.rows(rows), metric.rows(centers))
        return like_input(labels, X)

    @lazily(np.float64, "_n_features_out")
    def transform(self, X: Any) -> Any:
        """Return the distance of each row to each medoid.

        Parameters
        ----------
        X : (m, d) array, frame or tensor, Dask array or frame, or RowFiles, or (m, n) distances to the rows of the fit

        Returns
        -------
        (m, n_clusters) array
        """
        rows = self._gate_in(X, reset=False)
        if self.metric == "precomputed":
            return like_input(rows[:, to_numpy(self.medoid_indices_)], X)
        metric, centers = self._metric_and_centers(rows)
        distances = metric.between(metric.rows(rows), metric.rows(centers))
        return like_input(distances if metric.unit == 1.0 else distances * metric.unit, X)

    def _choose(self, distinct: Distinct, rng: np.random.RandomState) -> np.ndarray:
        """Return (n_clusters,) numbers of distinct rows; there are more of these than clusters."""
        raise NotImplementedError

    def _choose_of_blocks(self, X: Any, metric: Metric, rng: np.random.RandomState) -> tuple[np.ndarray, Judged]:
        """Return (n_clusters,) row numbers of medoids in an order of their values, and what they cost."""
        raise NotImplementedError

    def _judge_all(self, X: Any, distinct: Distinct) -> tuple[np.ndarray, Judged]:
        """Return the same of all distinct rows, which are no more than clusters, and as many others as are missing."""
        medoids = self._all_of(distinct, len(X))
        return medoids, judge(X, distinct.metric, [rows_by_number(X, medoids)])[0]

    def _refuse_few(self, n: int) -> None:
        if n < self.n_clusters:
            raise InputError(f"n_samples={n} should be >= n_clusters={self.n_clusters}; lower n_clusters or add rows")

    def _metric_and_centers(self, rows: Any) -> tuple[Metric, Any]:
        metric = Metric(self.metric, dict(self.metric_params or {}), self._scale).reaching(rows)
        centers = like_input(to_numpy(self.cluster_centers_), rows)
        return metric, centers if str(centers.dtype) == str(rows.dtype) else _cast(centers, rows)

    def _all_of(self, distinct: Distinct, n: int) -> np.ndarray:
        """Return every distinct row, and as many others as are missing."""
        self._note_steps(1)
        others = np.setdiff1d(np.arange(min(n, len(distinct.source) + self.n_clusters)), distinct.source)
        return np.append(distinct.source, others[: self.n_clusters - len(distinct.source)])

    def _note_steps(self, n_iter: int) -> None:
        """Keep the number of iterations, where the estimator has a limit to it."""

    def _keep(self, metric: Metric, rows: Any, prepared: Any, medoids: np.ndarray, weight: Any, X: Any) -> None:
        medoids, labels, distances = _assigned(metric, prepared, medoids)
        self._scale = metric.scale
        self.medoid_indices_ = like_input(medoids, X)
        if metric.name != "precomputed":
            self.cluster_centers_ = like_input(rows[medoids], X)
        self.labels_ = like_input(labels, X)
        self.inertia_ = weighted_sum(to_numpy(distances), weight) * metric.unit
        self._say_empty(int(labels.max()) + 1)

    def _say_empty(self, n_found: int) -> None:
        if n_found < self.n_clusters:
            warnings.warn(
                f"{n_found} of n_clusters={self.n_clusters} clusters hold rows: there are not more distinct rows; lower n_clusters",
                ConvergenceWarning,
                stacklevel=4,
            )

    @property
    def _n_features_out(self) -> int:
        return len(self.medoid_indices_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.metric == "precomputed"
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _assigned(metric: Metric, prepared: Any, medoids: np.ndarray) -> tuple[np.ndarray, Any, Any]:
    """Return the medoids, those without rows last, each row's nearest one, and its distance."""
    while True:
        if metric.name == "precomputed":
            tile = prepared[:, medoids]
            labels, distances = tile.argmin(1), tile.min(1)
        else:
            labels, distances = metric.nearest(prepared, prepared[medoids])
        held = np.bincount(to_numpy(labels), minlength=len(medoids)) > 0
        order = np.argsort(~held, kind="stable")
        if (np.diff(order) > 0).all():
            return medoids, labels, distances
        medoids = medoids[order]


def _cast(centers: Any, rows: Any) -> Any:
    return centers.astype(rows.dtype) if isinstance(centers, np.ndarray) else centers.to(rows.dtype)


def _no_weight() -> InputError:
    return InputError("sample_weight must not be negative, nor zero for every row")
