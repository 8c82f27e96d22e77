"""OPTICS: rows in the order in which density reaches them, whose plot shows clusters of all densities at once.

The *core distance* of a row reaches its ``min_samples``-th nearest row, itself included. From row p, row q is *reached* at
``max(core(p), d(p, q))``. The walk begins at the first row and goes on to whatever row is reached most easily from the rows
visited so far; the *reachability plot* shows how far each step reached. Dents are clusters: those with steep sides (xi), or
all that lies below one level (DBSCAN's clusters for that radius). About O(n log n) time in few dimensions; O(n d + n log n) memory.
"""

import logging
import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.metrics.pairwise import _VALID_METRICS
from sklearn.utils._param_validation import RealNotInt
from sklearn.utils.validation import check_is_fitted

from ..arrays import is_tensor, like_input, to_numpy
from ..base import Clusterer, Interval, StrOptions
from ..errors import InputError
from ..primitives.components import number_sets
from ..primitives.distances import check_distances
from ..primitives.neighbors import nearest_reachable, neighbor_index
from ..primitives.reachability import Reachability, reachability_of_distances, reachability_order
from ._kept import kept
from ._row_distances import RowDistances, as_lengths, metric_arguments, prepared_rows
from ._twins import one_label_each, row_at_zero, twins_of_rows
from ._xi import largest_inside, xi_clusters

__all__ = ["OPTICS", "dbscan_labels"]

_log = logging.getLogger("coterie.density")
_METRICS = {*_VALID_METRICS, "precomputed"} - {"nan_euclidean"}


def dbscan_labels(walk: Reachability, eps: float) -> np.ndarray:
    """Extract DBSCAN's clusters for a radius of at most the walk's: all that lies below one level of the plot.

    Returns
    -------
    (n,) int64 array
        By row; noise -1. Core rows are as in DBSCAN; a border row that was visited before its first core row is noise.
    """
    labels = np.empty(len(walk.ordering), np.int64)
    far, dense = walk.reachability > eps, walk.core_distances <= eps
    labels[walk.ordering] = np.cumsum((far & dense)[walk.ordering]) - 1
    labels[far & ~dense] = -1
    return labels


class OPTICS(Clusterer):
    """Clusters of any shape and density from one order of the rows; rows in thin places are noise.

    Parameters
    ----------
    min_samples : int or float, default=5
        A row's core distance reaches so many rows, itself included; up to 1.0: that share of the rows, at least 2.
    max_eps : float, default=inf
        Distances beyond count as infinite, in the unit of the metric. It is not needed for speed.
    metric : str or callable, default="euclidean"
        "euclidean" and "cosine" are fast. "precomputed": ``X`` holds the distances, dense, and is not modified. Any other name
        that scikit-learn's ``pairwise_distances`` knows, or a function of two rows, takes O(n^2) time and O(n) memory.
    metric_params : dict, optional
        More arguments of the metric.
    extraction : {"xi", "dbscan"}, default="xi"
        Clusters with steep sides at any density, or all below one level ``eps``.
    xi : float, default=0.05
        Least share by which reachability falls into a cluster and rises out of it, 0 <= xi < 1.
    eps : float, optional
        For "dbscan", at most ``max_eps``, which is the default.
    min_cluster_size : int or float, optional
        For "xi", the least size, or share of the rows; default: ``min_samples``.
    predecessor_correction : bool, default=True
        For "xi", whether rows at a cluster's end that were not reached from inside it are cut off.
    device : str, default="cpu"
        "cpu", "cuda", "cuda:0", "mps" or "auto": where the spanning tree is computed. Tensors are computed on where they are;
        the walk is always on the host.

    Attributes
    ----------
    labels_ : (n,) int64 array
        0, 1, ... in order of first appearance in the rows; noise -1.
    ordering_ : (n,) int64 array
        Rows in the order of the visit.
    reachability_ : (n,) float64 array
        How far each row was reached, by row; infinite where a walk began. ``reachability_[ordering_]`` is the plot.
    core_distances_ : (n,) float64 array
        By row, infinite beyond ``max_eps``.
    predecessor_ : (n,) int64 array
        Row from which each row was reached, -1 where a walk began.
    cluster_hierarchy_ : (m, 2) int64 array
        With "xi": first and last position of each cluster in ``ordering_``, inner ones before outer ones.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : (d,) array of str
        Their names, where the input has names.

    See Also
    --------
    HDBSCAN : chooses clusters of different densities by their stability, whatever the order of the rows.
    DBSCAN : one density.

    Notes
    -----
    Exact: ordering, reachabilities, core distances, predecessors and the hierarchy are scikit-learn's, ties included (the
    lowest row first). They depend on the order of the rows by definition. Computed in float64. With fewer rows than
    ``min_samples`` all are noise. Rows that coincide have one label: where the extraction separates them, the first one that
    is not noise in the order of the visit.

    ``predict`` finds the row of the fit that would reach the new row most easily (ties: the nearest, then the lowest row) and
    gives its label, if it is reached no further than the largest reachability inside that cluster, its first row left out, or
    than ``eps`` with "dbscan"; else -1. A new row that lies exactly on a row of the fit has its label, so ``predict`` on the
    rows of the fit is ``labels_``.

    References
    ----------
    Ankerst, Breunig, Kriegel, Sander (1999). OPTICS: ordering points to identify the clustering structure. SIGMOD 1999.
    doi:10.1145/304182.304187
    Schubert, Gertz (2018). Improving the cluster structure extracted from OPTICS plots. LWDA 2018, 318-329.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import OPTICS
    >>> X = np.array([[1.0, 2.0], [2.0, 5.0], [3.0, 6.0], [8.0, 7.0], [8.0, 8.0], [7.0, 3.0]])
    >>> model = OPTICS(min_samples=2).fit(X)
    >>> model.labels_, model.ordering_
    (array([0, 0, 0, 1, 1, 1]), array([0, 1, 2, 5, 3, 4]))
    >>> model.extract_dbscan(1.5)
    array([-1,  0,  0,  1,  1, -1])
    """

    _parameter_constraints: ClassVar[dict] = {
        "min_samples": [Interval(Integral, 2, None, closed="left"), Interval(RealNotInt, 0, 1, closed="right")],
        "max_eps": [Interval(Real, 0, None, closed="both")],
        "metric": [StrOptions(_METRICS), callable],
        "metric_params": [dict, None],
        "extraction": [StrOptions({"xi", "dbscan"})],
        "xi": [Interval(Real, 0, 1, closed="left")],
        "eps": [Interval(Real, 0, None, closed="both"), None],
        "min_cluster_size": [
            Interval(Integral, 2, None, closed="left"), Interval(RealNotInt, 0, 1, closed="right"), None
        ],
        "predecessor_correction": ["boolean"],
        "device": [str],
    }  # fmt: skip
    _state_attributes = ("_rows", "_metric_arguments", "_twins", "_reaches")

    def __init__(
        self,
        min_samples: float = 5,
        *,
        max_eps: float = np.inf,
        metric: Any = "euclidean",
        metric_params: dict | None = None,
        extraction: str = "xi",
        xi: float = 0.05,
        eps: float | None = None,
        min_cluster_size: float | None = None,
        predecessor_correction: bool = True,
        device: str = "cpu",
    ) -> None:
        self.min_samples = min_samples
        self.max_eps = max_eps
        self.metric = metric
        self.metric_params = metric_params
        self.extraction = extraction
        self.xi = xi
        self.eps = eps
        self.min_cluster_size = min_cluster_size
        self.predecessor_correction = predecessor_correction
        self.device = device

    def fit(self, X: Any, y: Any = None) -> "OPTICS":
        """Visit the rows and extract the clusters.

        Parameters
        ----------
        X : (n, d) array, frame, sparse array or tensor, or (n, n) distances
            Not modified.
        y : ignored
            Present by convention.

        Returns
        -------
        OPTICS
            This one.
        """
        self._validate_params()
        self._check_eps(self.eps)
        given = X
        X = self._gate_in(X, reset=True, accept_sparse=self.metric != "precomputed")
        arguments = metric_arguments(X, self.metric, self.metric_params)
        walk, twins = self._walk(X, _rows_of(self.min_samples, X.shape[0]), arguments)
        self.ordering_ = like_input(walk.ordering, given)
        self.reachability_ = like_input(walk.reachability, given)
        self.core_distances_ = like_input(walk.core_distances, given)
        self.predecessor_ = like_input(walk.predecessor, given)
        self._metric_arguments, self._twins = arguments, twins
        # Copies, so that a later change of the input does not reach predict.
        self._rows = None if self.metric == "precomputed" else X.clone() if is_tensor(X) else X.copy()
        self._extract(given)
        if (
            len(walk.ordering) >= _rows_of(self.min_samples, len(walk.ordering))
            and not np.isfinite(walk.reachability).any()
        ):
            message = f"no row reaches another within max_eps={self.max_eps:g}, so all are noise; raise max_eps"
            warnings.warn(message, UserWarning, stacklevel=2)
        return self

    def _check_eps(self, eps: float | None) -> float:
        eps = self.max_eps if eps is None else eps
        if eps > self.max_eps:
            raise InputError(
                f"eps must be at most max_eps, got eps={eps:g} with max_eps={self.max_eps:g}; raise max_eps"
            )
        return eps

    def _walk(self, X: Any, k: int, arguments: dict) -> tuple[Reachability, np.ndarray | None]:
        """Return the walk in the unit of the metric, and for each row the first that coincides with it."""
        n = X.shape[0]
        if self.metric == "precomputed":
            check_distances(X)
        if k > n:
            _log.info("all %d rows are noise: min_samples asks for more", n)
            alone = np.full(n, np.inf)
            walk = Reachability(np.arange(n), alone, alone.copy(), np.full(n, -1))
            return walk, None
        if self._has_tree(X):
            rows = prepared_rows(X, self.metric)
            straight = np.sqrt(2.0 * self.max_eps) if self.metric == "cosine" else self.max_eps
            walk = reachability_order(rows, k, straight)
            lengths = (as_lengths(values, self.metric) for values in (walk.reachability, walk.core_distances))
            reach, core = lengths
            return Reachability(walk.ordering, reach, core, walk.predecessor), twins_of_rows(to_numpy(rows))
        source, rows = self._distances(X, arguments)
        twins = np.arange(n)

        def distances_from(row: int) -> np.ndarray:
            distances = source.to(rows[[row]])[0]
            twins[row] = row_at_zero(distances, row)
            return distances

        core = source.core_distances(rows, k)
        return reachability_of_distances(distances_from, core, self.max_eps), twins

    def _extract(self, given: Any) -> None:
        walk, hierarchy = self._kept_walk(), None
        if self.extraction == "xi":
            labels, hierarchy = self._xi(walk, self.xi, self.min_cluster_size, self.predecessor_correction)
            reaches = largest_inside(walk, labels)
        else:
            eps = self._check_eps(self.eps)
            labels = self._numbered(dbscan_labels(walk, eps), walk)
            reaches = np.full(labels.max() + 1, float(eps))
        if hierarchy is not None:
            self.cluster_hierarchy_ = hierarchy
        elif hasattr(self, "cluster_hierarchy_"):
            del self.cluster_hierarchy_
        self._reaches = reaches
        self.labels_ = like_input(labels, given)

    def _kept_walk(self) -> Reachability:
        arrays = (self.ordering_, self.reachability_, self.core_distances_, self.predecessor_)
        return Reachability(*(to_numpy(values) for values in arrays))

    def _xi(self, walk: Reachability, xi: float, min_cluster_size: float | None, corrects: bool) -> tuple:
        n = len(walk.ordering)
        k = _rows_of(self.min_samples, n)
        least = k if min_cluster_size is None else _rows_of(min_cluster_size, n)
        labels, hierarchy = xi_clusters(walk, xi, k, least, predecessor_correction=corrects)
        return self._numbered(labels, walk), hierarchy

    def _numbered(self, labels: np.ndarray, walk: Reachability) -> np.ndarray:
        return number_sets(one_label_each(labels, self._twins, walk.ordering))

    def extract_xi(
        self,
        xi: float | None = None,
        *,
        min_cluster_size: float | None = None,
        predecessor_correction: bool | None = None,
    ) -> tuple[Any, np.ndarray]:
        """Extract other clusters from the same order; the estimator stays as it is.

        Parameters
        ----------
        xi, min_cluster_size, predecessor_correction
            As for the estimator, whose own they are by default.

        Returns
        -------
        labels : (n,) int64 array
        hierarchy : (m, 2) int64 array
            As ``cluster_hierarchy_``.
        """
        check_is_fitted(self)
        given = {"xi": xi, "min_cluster_size": min_cluster_size, "predecessor_correction": predecessor_correction}
        chosen = clone(self).set_params(**{name: value for name, value in given.items() if value is not None})
        chosen._validate_params()
        labels, hierarchy = self._xi(
            self._kept_walk(), chosen.xi, chosen.min_cluster_size, chosen.predecessor_correction
        )
        return like_input(labels, self.labels_), hierarchy

    def extract_dbscan(self, eps: float) -> Any:
        """Extract the clusters of DBSCAN for a radius of at most ``max_eps``; the estimator stays as it is.

        Parameters
        ----------
        eps : float

        Returns
        -------
        (n,) int64 array
            Some border rows may be noise that DBSCAN gives to a cluster: those visited before their first core row.
        """
        check_is_fitted(self)
        walk = self._kept_walk()
        return like_input(self._numbered(dbscan_labels(walk, self._check_eps(eps)), walk), self.labels_)

    def predict(self, X: Any) -> Any:
        """Give each row the label of the row of the fit that reaches it most easily, or -1; see the notes above.

        Parameters
        ----------
        X : (m, d) array, frame, sparse array or tensor, or (m, n) distances to the rows of the fit

        Returns
        -------
        (m,) int64 array
        """
        given = X
        X = self._gate_in(X, reset=False, accept_sparse=self.metric != "precomputed")
        nearest, reach, same = self._nearest(X)
        labels = to_numpy(self.labels_)[nearest]
        if len(self._reaches):
            labels[~same & (labels >= 0) & ~(reach <= self._reaches[labels])] = -1
        return like_input(labels, given)

    def _nearest(self, X: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the row of the fit that reaches each row most easily, how far, and whether the two coincide; on the host."""
        core = to_numpy(self.core_distances_)
        fitted = X[:0] if self._rows is None else self._rows
        if self._has_tree(X) and not issparse(fitted):
            lines = np.sqrt(2.0 * core) if self.metric == "cosine" else core
            rows, queries = (prepared_rows(like_input(values, X), self.metric) for values in (fitted, X))
            index = kept(self, fitted, is_tensor(rows), lambda: neighbor_index(rows))
            found = nearest_reachable(rows, like_input(lines, X), queries, 1, index=index)
            nearest, reach = (to_numpy(values) for values in found)
            same = (to_numpy(rows)[nearest] == to_numpy(queries)).all(axis=1)
            return nearest, as_lengths(reach, self.metric), same
        source, _ = self._distances(fitted, self._metric_arguments)
        queries = X if self.metric == "precomputed" else prepared_rows(X, self.metric)
        nearest, reach = source.nearest_reachable(queries, core, 1)
        same = np.concatenate([block.min(axis=1) == 0 for _, block in source.blocks(queries)])
        return nearest, reach, same

    def _distances(self, X: Any, arguments: dict) -> tuple[RowDistances, Any]:
        """Return where distances to rows come from, and these rows as it takes them."""
        rows = X if self.metric == "precomputed" else prepared_rows(X, self.metric)
        return RowDistances(None if self.metric == "precomputed" else rows, self.metric, arguments), rows

    def _has_tree(self, X: Any) -> bool:
        return is_tensor(X) or (
            not issparse(X) and isinstance(self.metric, str) and self.metric in ("euclidean", "cosine")
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.metric == "precomputed"
        tags.input_tags.sparse = self.metric != "precomputed"
        return tags


def _rows_of(size: float, n: int) -> int:
    """Return a number of rows; up to 1 it is a share of all."""
    return int(size) if size > 1 else max(2, int(size * n))
