"""HDBSCAN*: clusters of any shape, each at its own density.

The *core distance* of a row reaches its ``min_samples``-th nearest row, itself included; the *mutual reachability* of two rows
is the largest of their core distances and their distance. The spanning tree of the mutual reachabilities holds DBSCAN's answer
for every radius at once, as a hierarchy. *Condensing* keeps of it only the splits into groups of at least
``min_cluster_size`` rows, and the most *stable* of these clusters, those that live over the widest range of densities, are the
answer; what is in none of them is *noise*. About O(n log n) time in few dimensions, up to O(n^2 d) in many; O(n d) memory.
"""

import logging
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.metrics.pairwise import _VALID_METRICS

from ..arrays import is_tensor, like_input, to_device
from ..base import Clusterer, Interval, StrOptions, lazily
from ..errors import ResourceError
from ..primitives.blocks import in_blocks
from ..primitives.neighbors import neighbor_index
from ..primitives.spanning_tree import SpanningTree
from ..trees.condense import condensed_tree
from ..trees.select import Flat, membership_strengths, outlier_scores
from ._hdbscan_blocks import (
    Sample,
    gathered_rows,
    in_blocks_of,
    in_straight_lines,
    refuse_distances,
    rows_in_memory,
    rows_later,
    sampled,
    stay_on_workers,
    tree_fits,
    warn_of_sample,
)
from ._hdbscan_hierarchy import Hierarchy, hdbscan
from ._hdbscan_metric import Measure, in_unit_of, on_host
from ._hdbscan_tree import TooCrowded, tree_of_blocks
from ._kept import kept
from ._row_distances import metric_arguments

__all__ = ["HDBSCAN", "Hierarchy", "hdbscan"]

_log = logging.getLogger("coterie.density")
_METRICS = {*_VALID_METRICS, "precomputed"} - {"nan_euclidean"}


class HDBSCAN(Clusterer):
    """Clusters of any shape, each at its own density; rows in thin places are noise.

    Parameters
    ----------
    min_cluster_size : int, default=5
        Smaller groups are no clusters. The one parameter to choose: the least population of interest.
    min_samples : int, optional
        A row's core distance reaches so many rows, itself included; larger is smoother and leaves more noise. Default:
        ``min_cluster_size``. The packages ``hdbscan`` and cuML do not count the row itself: give one more here.
    metric : str or callable, default="euclidean"
        "euclidean" and "cosine" are fast. "precomputed": ``X`` holds the distances, dense, and is not modified. Any other name
        that scikit-learn's ``pairwise_distances`` knows, or a function of two rows, takes O(n^2) time and O(n) memory.
    metric_params : dict, optional
        More arguments of the metric.
    cluster_selection_method : {"eom", "leaf"}, default="eom"
        Excess of mass prefers the most stable clusters, large or small; "leaf" takes the finest ones.
    cluster_selection_epsilon : float, default=0.0
        Clusters are not split below this distance.
    max_cluster_size : int, optional
        Larger groups are no clusters, by either method.
    allow_single_cluster : bool, default=False
        Whether all rows may be one cluster. If they are, every row belongs to it, or with ``cluster_selection_epsilon`` those
        that are connected at that distance; ``probabilities_`` and ``outlier_scores_`` tell the rows at its edge.
    device : str, default="cpu"
        "cpu", "cuda", "cuda:0", "mps" or "auto": where to compute. Tensors are computed on where they are; the trees are
        always on the host.

    Attributes
    ----------
    labels_ : (n,) int64 array
        0, 1, ... in order of first appearance in the rows; noise -1.
    probabilities_ : (n,) float64 array
        How deep in its cluster a row lies: 1 in the densest part, 0 for noise.
    outlier_scores_ : (n,) float64 array
        GLOSH: 0 deep inside, towards 1 far from what is dense around the row.
    minimum_spanning_tree_ : SpanningTree
        ``left``, ``right``, ``weights``: n - 1 edges by mutual reachability, ascending.
    single_linkage_tree_ : (n - 1, 4) float64 array
        The hierarchy of all rows in SciPy's layout.
    condensed_tree_ : CondensedTree
        ``parent``, ``child``, ``lambda_``, ``size`` as flat arrays.
    core_distances_ : (n,) float64 array
        In the unit of the metric.
    sample_share_ : float
        The share of the rows that the clusters rest on: 1, but for rows in blocks that are too many for an exact fit; see the notes.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : (d,) array of str
        Their names, where the input has names.

    See Also
    --------
    DBSCAN : one density, given as a radius.

    Notes
    -----
    Exact, deterministic, and the same partition whatever the order of the rows, ties included: merges of equal height are one
    merge of many parts. Rows with NaN are refused, not set aside: fill or drop them first. With fewer rows than
    ``min_cluster_size`` or ``min_samples`` all are noise. Rows that coincide ``min_samples`` times have an infinite density:
    their probability is 1 and their outlier score 0, and other rows are compared with the largest finite density.

    Rows in blocks give what rows in memory give, bit for bit, with the attributes of single rows as Dask arrays. What one task
    could hold is gathered in this process. More rows stay on the workers, bin by bin of space and pair by pair of bins; only
    the tree comes here, some 230 bytes a row. Where that does not fit either, a `coterie.errors.ClusterWarning` says that the fit is
    approximate: it is exact for a sample of at most a million rows, among which ``min_cluster_size``, ``min_samples`` and
    ``max_cluster_size`` count their share of rows (but 5 at least, or what was asked for), and ``labels_`` and
    ``probabilities_`` of all rows are computed as by `predict` and `membership` whenever they are asked for. Trees are then of the
    sample, ``outlier_scores_`` and ``core_distances_`` are not set, and ``sample_share_`` tells its share.

    ``predict`` takes for each new row the nearest row of the fit by mutual reachability (ties: by distance, then the lowest
    row) and gives its label, if the two are connected no further apart than the distance at which the label's cluster was
    born, else -1. The new row's core distance counts itself as the first of ``min_samples``; a new row that lies exactly on a
    row of the fit is that row. So ``predict`` on the rows of the fit is ``labels_``.

    References
    ----------
    Campello, Moulavi, Sander (2013). Density-based clustering based on hierarchical density estimates. PAKDD 2013.
    doi:10.1007/978-3-642-37456-2_14
    Campello, Moulavi, Zimek, Sander (2015). Hierarchical density estimates for data clustering, visualization, and outlier
    detection. ACM TKDD 10(1). doi:10.1145/2733381
    Malzer, Baum (2020). A hybrid approach to hierarchical density-based cluster selection. MFI 2020.
    doi:10.1109/MFI49285.2020.9235263

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import HDBSCAN
    >>> X = np.array([[1.0], [1.1], [1.3], [7.0], [7.3], [7.4], [30.0]])
    >>> model = HDBSCAN(min_cluster_size=3, min_samples=2).fit(X)
    >>> model.labels_
    array([ 0,  0,  0,  1,  1,  1, -1])
    >>> model.predict([[7.2], [15.0]])
    array([ 1, -1])
    """

    _parameter_constraints: ClassVar[dict] = {
        "min_cluster_size": [Interval(Integral, 2, None, closed="left")],
        "min_samples": [Interval(Integral, 1, None, closed="left"), None],
        "metric": [StrOptions(_METRICS), callable],
        "metric_params": [dict, None],
        "cluster_selection_method": [StrOptions({"eom", "leaf"})],
        "cluster_selection_epsilon": [Interval(Real, 0.0, None, closed="left")],
        "max_cluster_size": [Interval(Integral, 1, None, closed="left"), None],
        "allow_single_cluster": ["boolean"],
        "device": [str],
    }
    _takes_blocks: ClassVar = True
    _host: tuple | None = None  # labels and core distances of a fit on rows in blocks, whose attributes are Dask arrays
    _sample: Sample | None = None  # what an approximate fit rests on, while it is made
    _sample_k: int | None = None  # its min_samples
    _state_attributes = ("_rows", "_metric_arguments", "_births", "_deaths", "_leaving", "_host", "_sample_k")

    def __init__(
        self,
        min_cluster_size: int = 5,
        *,
        min_samples: int | None = None,
        metric: Any = "euclidean",
        metric_params: dict | None = None,
        cluster_selection_method: str = "eom",
        cluster_selection_epsilon: float = 0.0,
        max_cluster_size: int | None = None,
        allow_single_cluster: bool = False,
        device: str = "cpu",
    ) -> None:
        self.min_cluster_size = min_cluster_size
        self.min_samples = min_samples
        self.metric = metric
        self.metric_params = metric_params
        self.cluster_selection_method = cluster_selection_method
        self.cluster_selection_epsilon = cluster_selection_epsilon
        self.max_cluster_size = max_cluster_size
        self.allow_single_cluster = allow_single_cluster
        self.device = device

    def fit(self, X: Any, y: Any = None) -> "HDBSCAN":
        """Find the clusters.

        Parameters
        ----------
        X : (n, d) array, frame, sparse array or tensor, or (n, n) distances; Dask array or frame, or RowFiles
            Not modified. The attributes of rows in blocks are Dask arrays, in the same blocks.
        y : ignored
            Present by convention.

        Returns
        -------
        HDBSCAN
            This one.

        Raises
        ------
        ResourceError
            If not even a sample of rows in blocks fits into the memory that is free.

        Warns
        -----
        ClusterWarning
            If rows in blocks are clustered by a sample of them.
        """
        self._validate_params()
        self._host, self._sample_k, self.sample_share_ = None, None, 1.0
        if in_blocks(X):
            return self._fit_blocks(X)
        return self._fit_rows(self._gate_in(X, reset=True, accept_sparse=self.metric != "precomputed"), X)

    def _fit_blocks(self, X: Any) -> "HDBSCAN":
        """Find the clusters of rows in blocks: here, by a tree built on the workers, or by a sample."""
        refuse_distances(self.metric)
        rows = self._gate_blocks(X)
        if not stay_on_workers(rows, self.metric):
            values = rows_in_memory(rows)
            self._fit_rows(to_device(values, self.device), values)
        elif not tree_fits(rows, self.metric, self._neighbors()) or not self._fit_bins(X, rows):
            return self._fit_sample(X, rows)
        self._host = self.labels_, self.core_distances_  # type: ignore[has-type]
        for name in ("labels_", "probabilities_", "outlier_scores_", "core_distances_"):
            setattr(self, name, in_blocks_of(rows, getattr(self, name)))
        return self

    def _fit_bins(self, X: Any, rows: Any) -> bool:
        """Find the clusters of rows that stay on the workers, or say that they cannot be cut into bins."""
        try:
            found = tree_of_blocks(in_straight_lines(rows, self.metric), min(self._neighbors(), len(rows)))
        except TooCrowded as why:
            _log.info("%s", why)
            return False
        self._fit_tree(*in_unit_of(self.metric, *found), np.empty(0), dict(self.metric_params or {}))
        self._rows = rows_later(X, rows)
        return True

    def _fit_sample(self, X: Any, rows: Any) -> "HDBSCAN":
        """Find the clusters of a sample; all rows are labelled by it, block by block, when their labels are asked for."""
        sample = sampled(rows, self.min_cluster_size, self._neighbors(), self.max_cluster_size)
        self._sample, self._sample_k, self.sample_share_ = sample, sample.min_samples, sample.share
        self._fit_rows(to_device(sample.rows, self.device), sample.rows)
        self._sample = None
        self._host = self._of_fit()
        for name in ("outlier_scores_", "core_distances_"):
            delattr(self, name)
        self.labels_ = self._by_block(X, "predict", np.int64, lengths=rows.lengths)
        self.probabilities_ = self._by_block(X, "_strengths", np.float64, lengths=rows.lengths)
        warn_of_sample(rows, sample)
        return self

    def _fit_rows(self, X: Any, given: Any) -> "HDBSCAN":
        arguments = metric_arguments(X, self.metric, self.metric_params)
        tree, core = Measure(self.metric, arguments).tree(X, min(self._neighbors(), X.shape[0]))
        self._fit_tree(tree, core, given, arguments)
        # A copy, so that a later change of the input does not reach predict.
        self._rows = None if self.metric == "precomputed" else X.clone() if is_tensor(X) else X.copy()
        return self

    def _fit_tree(self, tree: SpanningTree, core: np.ndarray, given: Any, arguments: dict) -> None:
        """Find the clusters in a tree and set all attributes but the rows."""
        sample, n = self._sample, len(core)
        least = self.min_cluster_size if sample is None else sample.min_cluster_size
        found = hdbscan(
            tree,
            least,
            method=self.cluster_selection_method,
            epsilon=self.cluster_selection_epsilon,
            max_cluster_size=self.max_cluster_size if sample is None else sample.max_cluster_size,
            allow_single_cluster=self.allow_single_cluster,
        )
        if n < max(least, self._neighbors()):
            _log.info("all %d rows are noise: min_cluster_size or min_samples asks for more", n)
            found = found._replace(flat=Flat(np.full(n, -1), np.empty(0, np.int64)))
        condensed, flat = found.condensed, found.flat
        self.labels_ = like_input(flat.labels, given)
        self.probabilities_ = like_input(membership_strengths(condensed, flat), given)
        self.outlier_scores_ = like_input(outlier_scores(condensed), given)
        self.core_distances_ = like_input(core, given)
        self.minimum_spanning_tree_ = found.tree
        self.single_linkage_tree_ = found.linkage
        self.condensed_tree_ = condensed_tree(condensed)
        self._metric_arguments = arguments
        births = condensed.birth[flat.clusters]
        if self.cluster_selection_epsilon > 0:
            births = np.where(flat.clusters == 0, self.cluster_selection_epsilon, births)
        self._births, self._deaths = births, condensed.death[flat.clusters]
        self._leaving = condensed.row_height

    @lazily(np.int64)
    def predict(self, X: Any) -> Any:
        """Give each row the label of the row of the fit that it is connected to first, or -1; see the notes above.

        Parameters
        ----------
        X : (m, d) array, frame, sparse array or tensor, or (m, n) distances to the rows of the fit; Dask array or frame, or RowFiles

        Returns
        -------
        (m,) int64 array
            A Dask array, computed when asked for, where ``X`` is in blocks.
        """
        return self.membership(X)[0]

    def membership(self, X: Any) -> tuple[Any, Any]:
        """Give each row a label, as `predict`, and how deep in that cluster it lies.

        Parameters
        ----------
        X : (m, d) array, frame, sparse array or tensor, or (m, n) distances to the rows of the fit

        Returns
        -------
        labels : (m,) int64 array
        strengths : (m,) float64 array
            What ``probabilities_`` would be if the row left its cluster together with the row of the fit that it is connected
            to, or at the distance of the two where that is larger. On the rows of the fit this is ``probabilities_``.
        """
        self._refuse_blocks(X, "membership")
        given = X
        X = self._gate_in(X, reset=False, accept_sparse=self.metric != "precomputed")
        nearest, reach = self._nearest(X)
        labels = self._of_fit()[0][nearest]
        if not len(self._births):
            return like_input(labels, given), like_input(np.zeros(len(labels)), given)
        labels[(labels >= 0) & (reach > self._births[labels])] = -1
        leaving, deaths = np.maximum(reach, self._leaving[nearest]), self._deaths[labels]
        strengths = np.ones(len(labels))
        np.divide(deaths, leaving, out=strengths, where=leaving > deaths)
        strengths[labels < 0] = 0.0
        return like_input(labels, given), like_input(strengths, given)

    def _strengths(self, X: Any) -> Any:
        return self.membership(X)[1]

    def _nearest(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the row of the fit that is nearest by mutual reachability, and that distance, on the host."""
        self._bring_rows()
        core, fitted = self._of_fit()[1], X[:0] if self._rows is None else self._rows
        measure = Measure(self.metric, self._metric_arguments)
        k = min(self._neighbors(), len(core))
        return measure.nearest(
            fitted, core, X, k, lambda rows: kept(self, fitted, is_tensor(rows), lambda: neighbor_index(rows))
        )

    def _bring_rows(self) -> None:
        """Bring the rows of a fit here where they have stayed on the workers."""
        if in_blocks(self._rows):
            self._rows = gathered_rows(self._rows)

    def _of_fit(self) -> tuple[np.ndarray, np.ndarray]:
        """Return labels and core distances of the rows of the fit, on the host."""
        return self._host or (on_host(self.labels_), on_host(self.core_distances_))

    def _fitted_state(self) -> dict[str, Any]:
        try:
            self._bring_rows()
        except ResourceError as why:
            _log.info("a file of this model cannot predict: %s", why)
            return {name: value for name, value in super()._fitted_state().items() if name != "_host"}
        return super()._fitted_state()

    def _light(self) -> Any:
        self._bring_rows()
        host = self._of_fit()
        light = super()._light()
        light._host = host
        for name in (
            "probabilities_",
            "outlier_scores_",
            "core_distances_",
            "minimum_spanning_tree_",
            "single_linkage_tree_",
            "condensed_tree_",
        ):
            light.__dict__.pop(name, None)
        return light

    def _neighbors(self) -> int:
        if self._sample_k is not None:
            return self._sample_k
        return self.min_cluster_size if self.min_samples is None else self.min_samples

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.metric == "precomputed"
        tags.input_tags.sparse = self.metric != "precomputed"
        return tags
