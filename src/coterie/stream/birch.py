"""BIRCH: rows summed up as small groups in one pass, and the groups clustered.

The *feature* of a group is its weight, its mean and the sum of squared deviations from the mean (BETULA). A *CF-tree* keeps groups
whose *radius*, the root of the mean squared deviation, is within a threshold; a row joins the nearest group or begins one. Should
there be too many groups, the threshold rises. Ward's method then clusters the groups, each with its weight. Cost O(n d b log m)
for m groups and nodes of b entries, and up to O(m^2 d) for the last step; memory O(m d), whatever the number of rows.
"""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import has_fit_parameter

from ..arrays import is_tensor, like_input, to_numpy
from ..base import Clusterer, Interval, lazily
from ..errors import InputError
from ..primitives.blocks import is_block_rows
from ..primitives.cluster_features import ClusterFeatures
from ..primitives.conditioning import condition
from ..primitives.distances import pairwise_distances
from ..primitives.linkages import center_linkage
from ..trees.cuts import cut_into
from ..trees.linkage import linkage_matrix
from ._birch_state import BirchState, Subclusters, absorb, dense_rows, finalize, merge, of_blocks, partial
from ._nearest import conditioned, nearest

__all__ = ["Birch", "BirchState", "Subclusters", "absorb", "finalize", "merge", "of_blocks", "partial"]

_RESULTS = (
    "subcluster_centers_", "subcluster_labels_", "subcluster_weights_", "subcluster_radii_", "threshold_", "_group_means", "_shift",
    "_scale", "_n_features_out", "_firsts", "_n_rows",
)  # fmt: skip


class Birch(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Clusterer):
    """BIRCH: small groups of rows found in one pass and in bounded memory, then clustered.

    Parameters
    ----------
    threshold : float, default=0.5
        Largest radius of a subcluster, the root of its mean squared deviation, in the units of ``X``. It rises by itself
        where there would be more than ``max_subclusters``.
    branching_factor : int, default=50
        Most entries of a node of the tree.
    n_clusters : int, None or clusterer, default=3
        Into how many clusters Ward's method joins the subclusters, each with its weight. None: every subcluster is a cluster.
        An estimator is fitted to the subclusters' centers, with their weights where its ``fit`` takes ``sample_weight``: any with
        ``labels_`` or ``predict``, of this library or another.
    max_subclusters : int, default=10000
        What bounds the memory, and the time of the last step.
    compute_labels : bool, default=True
        Whether ``fit`` gives every row its label.
    device : str, default="cpu"
        "cuda", "cuda:0", "mps" or "auto": where to look for the nearest subclusters. The tree is always on the host.

    Attributes
    ----------
    subcluster_centers_ : (m, d) array
        Means of the subclusters, in the order of their first rows.
    subcluster_labels_ : (m,) int64 array
        The cluster of each.
    subcluster_weights_ : (m,) float64 array
        The weight of the rows that each is the mean of.
    subcluster_radii_ : (m,) float64 array
        Root of the mean squared deviation from the center.
    threshold_ : float
        The threshold in the end.
    labels_ : (n,) int64 array
        After ``fit``: the label of the nearest subcluster of each row; a tensor where ``X`` was one.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : (d,) array of str
        Their names, where ``X`` had names that are strings.

    See Also
    --------
    MiniBatchKMeans : k centers from batches of rows.
    AgglomerativeClustering : Ward's method on the rows themselves.

    Notes
    -----
    Rows are inserted one after another: the order of the rows matters, but not how they are cut into chunks, and ``fit`` and
    ``partial_fit`` give the same bits. Distances are measured from the first row, so that it does not matter where the data
    lie. `predict` gives the label of the nearest subcluster, ties to the lowest; ``labels_`` is defined in the same way. A
    row may have joined a subcluster that has since moved away from it. With ``partial_fit`` the last step waits until a
    result is asked for.

    References
    ----------
    Zhang, T., Ramakrishnan, R., & Livny, M. (1996). BIRCH: an efficient data clustering method for very large databases.
    SIGMOD, 103-114. https://doi.org/10.1145/233269.233324

    Lang, A., & Schubert, E. (2022). BETULA: Fast clustering of large data with improved BIRCH CF-trees. Information Systems,
    108, 101918. https://doi.org/10.1016/j.is.2021.101918

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import Birch
    >>> X = np.array([[0.0, 1], [0.3, 1], [-0.3, 1], [0, -1], [0.3, -1], [-0.3, -1]])
    >>> Birch(n_clusters=None).fit(X).labels_
    array([0, 0, 0, 1, 1, 1])
    >>> Birch(n_clusters=2).partial_fit(X[:3]).partial_fit(X[3:]).predict([[0.1, 0.9], [0.1, -3]])
    array([0, 1])
    """

    _takes_blocks: ClassVar = True
    _state_attributes: ClassVar = (
        "_group_means",
        "_shift",
        "_scale",
        "_n_features_out",
        "_origin",
        "_firsts",
        "_n_rows",
    )
    _parameter_constraints: ClassVar = {
        "threshold": [Interval(Real, 0.0, None, closed="neither")],
        "branching_factor": [Interval(Integral, 1, None, closed="neither")],
        "n_clusters": [None, ClusterMixin, HasMethods(["fit", "predict"]), Interval(Integral, 1, None, closed="left")],
        "max_subclusters": [Interval(Integral, 2, None, closed="left")],
        "compute_labels": ["boolean"],
        "device": [str],
    }

    def __init__(
        self,
        *,
        threshold=0.5,
        branching_factor=50,
        n_clusters=3,
        max_subclusters=10_000,
        compute_labels=True,
        device="cpu",
    ):
        self.threshold = threshold
        self.branching_factor = branching_factor
        self.n_clusters = n_clusters
        self.max_subclusters = max_subclusters
        self.compute_labels = compute_labels
        self.device = device

    def fit(self, X, y=None):
        """Build the tree, cluster its groups, and label the rows.

        Parameters
        ----------
        X : (n, d) array, frame, sparse array or tensor, Dask array or frame, or RowFiles
            A memory-mapped array is read block by block. Of Dask arrays and files each block has a tree, where it lies, whose groups are
            then put into one; ``labels_`` is a Dask array that is computed when it is asked for.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        InputError
            If there are fewer rows than clusters, or a value is not finite.
        """
        self._validate_params()
        rows = self._gate_in(X, reset=True, accept_sparse=True)
        n = rows.shape[0]
        if isinstance(self.n_clusters, int | np.integer) and n < self.n_clusters:
            raise InputError(f"n_samples={n} should be >= n_clusters={self.n_clusters}; lower n_clusters or add rows")
        self._forget(X, rows)
        blocks = is_block_rows(rows)
        self._stream = (of_blocks if blocks else partial)(rows, **self._tree_parameters())
        self._finish()
        if self.compute_labels:
            self.labels_ = (
                self._by_block(X, "predict", np.int64, lengths=rows.lengths)
                if blocks
                else like_input(self._label(rows), X)
            )
        return self

    def partial_fit(self, X=None, y=None):
        """Insert more rows, after ``fit`` or from nothing.

        Parameters
        ----------
        X : (n, d) array, frame, sparse array or tensor, optional
            The next rows. Without any, only the last step is done.
        y : ignored

        Returns
        -------
        self
        """
        self._refuse_blocks(X, "partial_fit")
        begun = "_stream" in self.__dict__ or "_origin" in self.__dict__
        if X is None:
            if not begun:
                raise InputError(
                    "partial_fit without rows clusters the groups there are, and there are none; give rows"
                )
            if "_stream" in self.__dict__:
                self._finish()
            return self
        if not begun:
            self._validate_params()
        rows = self._gate_in(X, reset=not begun, accept_sparse=True)
        if not begun:
            self._stream = BirchState(dense_rows(rows[:1])[0], **self._tree_parameters())
        elif "_stream" not in self.__dict__:
            self._stream = self._reopened()
        absorb(self._stream, rows)
        self._forget(X, rows)
        return self

    @lazily(np.int64)
    def predict(self, X):
        """Return the label of the nearest subcluster of each row, ties to the lowest.

        Parameters
        ----------
        X : (n, d) array, frame, sparse array or tensor, Dask array or frame, or RowFiles

        Returns
        -------
        (n,) int64 array
        """
        return like_input(self._label(self._gate_in(X, reset=False, accept_sparse=True)), X)

    @lazily(np.float64, "_n_features_out")
    def transform(self, X):
        """Return the distance of each row to each subcluster's center.

        Parameters
        ----------
        X : (n, d) array, frame, sparse array or tensor, Dask array or frame, or RowFiles

        Returns
        -------
        (n, m) array
        """
        rows = self._gate_in(X, reset=False, accept_sparse=True)
        distances = pairwise_distances(conditioned(rows, self._shift, self._scale), self._group_means)
        return like_input(distances * self._scale, X)

    def __getattr__(self, name):
        """Do the last step when one of its results is first asked for."""
        if name in _RESULTS and "_stream" in self.__dict__:
            self._finish()
            return self.__dict__[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _light(self):
        if "_group_means" not in self.__dict__:
            self._finish()
        light = super()._light()
        light.__dict__.pop("_stream", None)
        return light

    def _tree_parameters(self):
        return {
            "threshold": float(self.threshold),
            "branching_factor": self.branching_factor,
            "max_subclusters": self.max_subclusters,
        }

    def _forget(self, X, rows):
        """Drop the results of earlier rows; remember of what kind the rows are."""
        for name in (*_RESULTS, "labels_"):
            self.__dict__.pop(name, None)
        self._like = X[:0] if is_tensor(X) else None
        self._single = "float32" in str(rows.dtype)

    def _finish(self):
        """Cluster the groups of the tree."""
        groups = finalize(self._stream)
        m = len(groups.weights)
        self._origin, self._firsts, self._n_rows = self._stream.origin, groups.firsts, self._stream.tree.n_rows
        self.threshold_ = self._stream.tree.threshold * self._stream.unit
        self._group_means, self._shift, self._scale = condition(groups.centers)
        self._n_features_out = m
        self.subcluster_weights_, self.subcluster_radii_ = groups.weights, groups.radii
        dtype = np.float32 if self._single else np.float64
        self.subcluster_centers_ = like_input(groups.centers.astype(dtype), self._like)
        self.subcluster_labels_ = like_input(self._global_labels(groups), self._like)

    def _global_labels(self, groups):
        m = len(groups.weights)
        if self.n_clusters is None:
            return np.arange(m)
        if not isinstance(self.n_clusters, int | np.integer):
            clusterer = clone(self.n_clusters)
            weight = {"sample_weight": groups.weights} if has_fit_parameter(clusterer, "sample_weight") else {}
            clusterer.fit(groups.centers, **weight)
            found = clusterer.labels_ if hasattr(clusterer, "labels_") else clusterer.predict(groups.centers)
            return np.asarray(found, np.int64)
        if m < self.n_clusters:
            warnings.warn(
                f"there are {m} subclusters for n_clusters={self.n_clusters}, each is a cluster; lower threshold={self.threshold:g} or n_clusters",
                ConvergenceWarning,
                stacklevel=4,
            )
            return np.arange(m)
        return cut_into(
            linkage_matrix(*center_linkage(self._group_means, "ward", groups.weights)), int(self.n_clusters)
        )

    def _label(self, rows):
        return to_numpy(self.subcluster_labels_)[nearest(rows, self._group_means, self._shift, self._scale)[0]]

    def _reopened(self):
        """Return a stream that goes on from the groups of a model that was loaded."""
        state = BirchState(self._origin, **self._tree_parameters())
        state.origin, state.tree.threshold = self._origin, self.threshold_ / state.unit
        weights = self.subcluster_weights_
        means = (self._group_means * self._scale + self._shift) / state.unit - self._origin
        spreads = weights * (self.subcluster_radii_ / state.unit) ** 2
        state.tree.insert_features(ClusterFeatures(weights, means, spreads, self._firsts))
        state.tree.n_rows = self._n_rows
        return state

    def _fitted_state(self):
        if "_stream" in self.__dict__ and "_group_means" not in self.__dict__:
            self._finish()
        return super()._fitted_state()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
