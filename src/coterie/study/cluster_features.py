"""Cluster features: what a clustering says of each row, as columns for the next step of a pipeline."""

from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils._param_validation import HasMethods
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import check_is_fitted, validate_data

from ..arrays import first_bad_value, to_numpy
from ..base import StrOptions
from ..errors import InputError, UnsupportedError
from ..primitives.conditioning import condition
from ..primitives.distances import pairwise_distances
from ..primitives.neighbors import k_nearest
from .population import squares_within

__all__ = ["ClusterFeatures"]

# From this many clusters on, one column each with a single 1 a row is mostly zeros worth leaving out.
_SPARSE_CLUSTERS = 32


class ClusterFeatures(TransformerMixin, BaseEstimator):
    """Columns made of a clustering, for pipelines.

    Parameters
    ----------
    clusterer : estimator
        Of coterie or of scikit-learn. A clone is fitted, on the rows of ``fit`` only, so that in cross-validation nothing of the
        held-out rows is seen.
    kind : {"distance", "membership", "one_hot", "outlier"}, default="distance"
        "distance": a column for each cluster, the distance to it. "membership": a column for each cluster, 0 to 1. "one_hot": a
        column for each cluster, 1 in the one that ``predict`` gives; noise has none. "outlier": one column, how far out of every
        cluster the row lies: about 1 for a typical row, and larger outside.
    sparse_output : bool or "auto", default="auto"
        Give "one_hot" as a sparse array; "auto" does from 32 clusters on, unless ``set_output`` asks for a frame.

    Attributes
    ----------
    clusterer_ : estimator
        The fitted clone.
    n_clusters_ : int
        Clusters that have columns.
    rule_ : str
        How the columns are made, in a sentence.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : (d,) array of str
        Their names, where the input has names.

    See Also
    --------
    Population : Gives ``predict`` to a clusterer that has none.

    Notes
    -----
    Distances are Euclidean: to ``cluster_centers_`` (or the clusterer's own ``transform``, for another metric) where it has
    centers, else to the nearest row of each cluster. Membership is the clusterer's own where it has one (``membership`` of HDBSCAN
    and CLIQUE, ``predict_proba``), else the weights of fuzzy c-means: proportional to one over the squared distance, and shared by
    the clusters at distance 0. The outlier score is the least, over the clusters, of the distance divided by what is usual in
    that cluster: the root mean square of its rows' distances to the center, or the mean distance of its rows to the next one.

    References
    ----------
    Bezdek, J. C. (1981). Pattern Recognition with Fuzzy Objective Function Algorithms. https://doi.org/10.1007/978-1-4757-0450-1

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import ClusterFeatures, KMeans
    >>> X = np.array([[0.0], [1.0], [10.0], [11.0]])
    >>> features = ClusterFeatures(KMeans(2, random_state=0), kind="one_hot").fit(X)
    >>> np.abs(np.diff(features.transform(X), axis=1)).ravel()
    array([1., 1., 1., 1.])
    >>> features.get_feature_names_out()
    array(['cluster_0', 'cluster_1'], dtype=object)
    """

    _parameter_constraints: ClassVar[dict] = {
        "clusterer": [HasMethods(["fit"])],
        "kind": [StrOptions({"distance", "membership", "one_hot", "outlier"})],
        "sparse_output": ["boolean", StrOptions({"auto"})],
    }

    def __init__(self, clusterer: Any, kind: str = "distance", *, sparse_output: Any = "auto") -> None:
        self.clusterer = clusterer
        self.kind = kind
        self.sparse_output = sparse_output

    def fit(self, X: Any, y: Any = None) -> "ClusterFeatures":
        """Fit a clone of the clusterer.

        Parameters
        ----------
        X : (n, d) array or frame
        y : ignored

        Returns
        -------
        ClusterFeatures
            This one.

        Raises
        ------
        UnsupportedError
            If the kind needs ``predict`` and the clusterer has none.
        InputError
            If all rows are noise, so that there is no cluster to make a column of.
        """
        self._validate_params()
        rows = self._rows_of(X, reset=True)
        self.clusterer_ = clone(self.clusterer).fit(rows)
        labels = to_numpy(self.clusterer_.labels_) if hasattr(self.clusterer_, "labels_") else None
        if labels is None:
            labels = to_numpy(self.clusterer_.predict(rows))
        labels = labels.astype(np.int64)
        self.n_clusters_ = int(labels.max(initial=-1)) + 1
        if self.n_clusters_ == 0:
            raise InputError(
                "the clusterer left every row as noise, so there is no cluster to make a column of; loosen it"
            )
        if self.kind == "one_hot" and not hasattr(self.clusterer_, "predict"):
            raise UnsupportedError(
                f"{type(self.clusterer_).__name__} cannot predict; wrap it: coterie.Population(clusterer, min_size=1)"
            )
        self._learn_distances(rows, labels)
        self.rule_ = self._rule()
        return self

    def transform(self, X: Any) -> Any:
        """Make the columns.

        Parameters
        ----------
        X : (n, d) array or frame

        Returns
        -------
        (n, n_columns) float array
            Sparse where ``sparse_output`` says so.
        """
        check_is_fitted(self)
        rows = self._rows_of(X, reset=False)
        if self.kind == "one_hot":
            return self._one_hot(to_numpy(self.clusterer_.predict(rows)))
        if self.kind == "membership":
            return self._membership(rows).astype(rows.dtype)
        distances = self._distances(rows)
        if self.kind == "distance":
            return distances.astype(rows.dtype)
        return (distances / self._usual).min(axis=1, keepdims=True).astype(rows.dtype)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Name the columns.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        (n_columns,) array of str
        """
        check_is_fitted(self)
        if self.kind == "outlier":
            return np.array(["outlier_score"], object)
        prefix = "" if self.kind == "one_hot" else f"{self.kind}_"
        return np.array([f"{prefix}cluster_{c}" for c in range(self.n_clusters_)], object)

    def _rows_of(self, X: Any, reset: bool) -> np.ndarray:
        rows = validate_data(
            self, X, reset=reset, dtype=[np.float64, np.float32], order="C", ensure_all_finite=False
        )  # fmt: skip
        bad = first_bad_value(rows)
        if bad is not None:
            value = "NaN" if np.isnan(rows[bad]) else "infinity"
            raise InputError(f"Input X contains {value} at row {bad[0]}, column {bad[1]}; fill or drop such rows first")
        return rows

    def _learn_distances(self, rows: np.ndarray, labels: np.ndarray) -> None:
        self._centers: np.ndarray | None = None
        moved, shift, scale = condition(rows.astype(np.float64))
        self._moving, k = (shift, scale), self.n_clusters_
        centers = getattr(self.clusterer_, "cluster_centers_", None)
        usable = centers is not None and not issparse(centers)
        if usable and to_numpy(centers).shape == (k, rows.shape[1]):
            self._centers = self._moved(to_numpy(centers))
            spread = squares_within(moved, labels, self._centers)
            usual = np.sqrt(spread / np.maximum(np.bincount(labels[labels >= 0], minlength=k), 1))
        else:
            self._members = [moved[labels == c] for c in range(k)]
            usual = np.array([_spacing(members) for members in self._members])
        # A cluster of one row, or of equal rows, has no width of its own.
        positive = usual[usual > 0]
        self._usual = np.where(usual > 0, usual, np.median(positive) if len(positive) else 1.0) * scale

    def _moved(self, rows: np.ndarray) -> np.ndarray:
        return condition(np.ascontiguousarray(rows, np.float64), *self._moving).rows

    def _distances(self, rows: np.ndarray) -> np.ndarray:
        if self._own_transform():
            return np.asarray(self.clusterer_.transform(rows), np.float64)
        moved, scale = self._moved(rows), self._moving[1]
        if self._centers is not None:
            return pairwise_distances(moved, self._centers) * scale
        nearest = [
            k_nearest(members, 1, queries=moved)[0][:, 0] if len(members) else np.full(len(moved), np.inf)
            for members in self._members
        ]
        return np.column_stack(nearest) * scale

    def _own_transform(self) -> bool:
        """Say whether the clusterer measures distances to its centers in its own way."""
        return getattr(self.clusterer_, "metric", "euclidean") != "euclidean" and hasattr(self.clusterer_, "transform")

    def _membership(self, rows: np.ndarray) -> np.ndarray:
        if hasattr(self.clusterer_, "membership"):
            found = self.clusterer_.membership(rows)
            if issparse(found):
                return found.toarray().astype(np.float64)
            labels, strengths = (to_numpy(part) for part in found)
            member = np.zeros((len(rows), self.n_clusters_))
            inside = np.flatnonzero(labels >= 0)
            member[inside, labels[inside]] = strengths[inside]
            return member
        if hasattr(self.clusterer_, "predict_proba"):
            return np.asarray(self.clusterer_.predict_proba(rows), np.float64)
        distances = self._distances(rows)
        least = distances.min(axis=1, keepdims=True)
        at = distances == 0
        ratio = np.divide(least, distances, out=np.zeros_like(distances), where=~at) ** 2
        weights = np.where(at.any(axis=1, keepdims=True), at, ratio)
        return weights / weights.sum(axis=1, keepdims=True)

    def _one_hot(self, labels: np.ndarray) -> Any:
        inside = np.flatnonzero((labels >= 0) & (labels < self.n_clusters_))
        places = (inside, labels[inside].astype(np.int64))
        found = csr_array((np.ones(len(inside)), places), shape=(len(labels), self.n_clusters_))
        frame = _get_output_config("transform", self)["dense"] != "default"
        sparse = (
            self.n_clusters_ >= _SPARSE_CLUSTERS and not frame if self.sparse_output == "auto" else self.sparse_output
        )
        return found if sparse else found.toarray()

    def _rule(self) -> str:
        if self.kind == "one_hot":
            return "1 in the column of the cluster that predict gives"
        where = "its center" if self._centers is not None else "its nearest row"
        if self._own_transform():
            where = "its center, as the clusterer's transform gives it"
        if self.kind == "membership":
            if hasattr(self.clusterer_, "membership") or hasattr(self.clusterer_, "predict_proba"):
                return "the clusterer's own membership"
            return f"proportional to one over the squared distance of the row to {where}"
        if self.kind == "distance":
            return f"distance of the row to {where}"
        return f"least, over the clusters, of the distance to {where} divided by what is usual there"


def _spacing(members: np.ndarray) -> float:
    """Return the mean distance of rows to the next one."""
    if len(members) < 2:
        return 0.0
    return float(k_nearest(members, 2)[0][:, 1].mean())
