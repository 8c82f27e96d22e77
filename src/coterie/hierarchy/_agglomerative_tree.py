"""What the estimators that keep a tree of all rows share: cuts, and the label of the nearest row."""

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..arrays import is_tensor, like_input, to_numpy
from ..base import Clusterer
from ..errors import InputError
from ..trees.cuts import coefficient, cut_at_height, cut_into, most_clusters
from ._agglomerative_distances import RowMetric

__all__ = ["TreeClusterer"]


class TreeClusterer(Clusterer):
    """Base of the hierarchies with a parameter ``metric``."""

    _state_attributes = ("_rows", "_metric_arguments")
    metric: Any
    labels_: Any

    def cut(self, n_clusters: int | None = None, *, height: float | None = None) -> np.ndarray:
        """Cut the tree that is there in another place.

        Parameters
        ----------
        n_clusters : int, optional
            Into so many clusters.
        height : float, optional
            Into clusters that hold together at this height: merges at it still count, as in SciPy's ``fcluster``.

        Returns
        -------
        (n,) int64 array
            Labels in order of first appearance in the rows.

        Raises
        ------
        InputError
            If not exactly one of the two is given, or there are fewer rows than clusters.
        """
        if n_clusters is not None and height is None:
            self._require_rows(n_clusters, len(self.labels_))
            return self._into(n_clusters)
        if height is not None and n_clusters is None:
            return cut_at_height(self.linkage_matrix_, height)
        raise InputError("cut needs either n_clusters or height")

    def predict(self, X: Any) -> Any:
        """Give each row the label of the nearest row of the fit, ties to the lowest.

        Parameters
        ----------
        X : (m, d) array, frame or tensor, or (m, n) distances to the rows of the fit

        Returns
        -------
        (m,) int64 array
        """
        given = X
        X = self._gate_in(X, reset=False)
        metric = RowMetric(self.metric, self._metric_arguments, None)
        queries = metric.prepared(X).rows
        rows = queries if self._rows is None else metric.prepared(like_input(self._rows, X)).rows
        return like_input(to_numpy(self.labels_)[metric._replace(rows=rows).nearest(queries)], given)

    def _keep_tree(self, tree: np.ndarray, metric: RowMetric, X: Any) -> None:
        self.linkage_matrix_ = tree
        self.distances_ = tree[:, 2].copy()
        self.coefficient_ = coefficient(tree)
        self._metric_arguments = metric.arguments
        # A copy, so that a later change of the input does not reach predict.
        self._rows = None if self.metric == "precomputed" else X.clone() if is_tensor(X) else X.copy()

    def _into(self, n_clusters: int) -> np.ndarray:
        most = most_clusters(self.linkage_matrix_)
        if n_clusters > most:
            warnings.warn(
                f"there are {most} distinct rows for n_clusters={n_clusters}: each is a cluster; lower n_clusters",
                ConvergenceWarning,
                stacklevel=3,
            )
        return cut_into(self.linkage_matrix_, min(n_clusters, most))

    @staticmethod
    def _require_rows(n_clusters: int, n: int) -> None:
        if n_clusters > n:
            raise InputError(f"n_samples={n} should be >= n_clusters={n_clusters}; lower n_clusters or add rows")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.metric == "precomputed"
        return tags
