"""K-means: k centers such that the squared distances from the rows to their nearest center add up to little.

Lloyd's iteration: assign every row to its nearest center, move every center to the mean of its rows, until nothing changes.
The total, called *inertia*, never rises; where it ends depends on the start. Cost O(n d k) a step at most: where it pays, what
cannot have another nearest center is not looked at.
"""

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import scipy.sparse
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import normalize

from ..arrays import like_input, normalize_rows, to_device, to_numpy
from ..base import Clusterer, Interval, StrOptions, lazily
from ..errors import InputError
from ..primitives.assign import check_half, lloyd_end, lloyd_start, nearest_center
from ..primitives.blocks import in_blocks, is_block_rows
from ..primitives.conditioning import condition
from ..primitives.distances import pairwise_distances
from ..primitives.placing import placed
from ._centers import iterate, mean_variance, rows_of
from ._kmeans_blocks import best_of_blocks, refuse_for_blocks
from ._kmeans_starts import starts
from ._sizes import kmeans_within, refuse_beside_limits, size_limits, within_bounds

__all__ = ["KMeans", "kmeans"]


def kmeans(
    X: Any,
    centers: np.ndarray,
    *,
    sample_weight: Any = None,
    max_iter: int = 300,
    tol: float = 0.0,
    spherical: bool = False,
    skip: bool = True,
    half: bool = False,
) -> tuple[np.ndarray, int, Any, Any]:
    """Run Lloyd's iteration from the given centers.

    Parameters
    ----------
    X : (n, d) float array of any engine, or CSR array
        Conditioned (see `coterie.primitives.conditioning.condition`), or of unit length where ``spherical``.
    centers : (k, d) float64 array
        Start.
    sample_weight : (n,) float64 array, optional
    max_iter : int, default=300
    tol : float, default=0
        Stop when the centers' squared moves add up to this or less.
    spherical : bool, default=False
        Scale each center to unit length: then the nearest center is the one of greatest cosine.
    skip : bool, default=True
        Skip what cannot have changed; the result is the same, up to the rounding of sums for sparse rows and on a GPU.
    half : bool, default=False
        Steps may find nearest centers in half precision, see `coterie.primitives.assign.lloyd_start`.

    Returns
    -------
    centers : (k, d) float64 array
    n_iter : int
    labels, distances2 : (n,) int32 and float64 arrays
        Nearest of these centers, and the squared distance to it.
    """
    state = lloyd_start(X, sample_weight, skip=skip, half=half)
    centers, n_iter = iterate(
        state, X, centers, sample_weight=sample_weight, max_iter=max_iter, tol=tol, spherical=spherical
    )
    return centers, n_iter, *lloyd_end(state, centers)


class KMeans(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Clusterer):
    """K-means clustering: k compact groups around their means.

    Parameters
    ----------
    n_clusters : int, default=8
        How many groups, at most the number of rows.
    init : {"k-means++", "random"}, array of shape (n_clusters, d), or callable, default="k-means++"
        Starting centers. An array is taken as it is, and label i then belongs to its row i. A callable is called as
        ``init(X, n_clusters, random_state)``.
    n_init : "auto" or int, default="auto"
        How many starts; the one that ends with the least inertia is kept. "auto" is 1 for "k-means++" and arrays, 10 else.
    max_iter : int, default=300
        Most steps of one start.
    tol : float, default=1e-4
        Stop when the centers' squared moves add up to no more than ``tol`` times the mean variance of the features; 0 goes on
        until no row changes its center.
    metric : {"euclidean", "cosine"}, default="euclidean"
        "cosine" compares directions: rows and centers are scaled to length 1 (spherical K-means).
    algorithm : {"auto", "lloyd", "flash"}, default="auto"
        "auto" skips rows that cannot have another nearest center; "lloyd" looks at all. The result is the same bits, for sparse rows
        and on a GPU up to the rounding of the centers' sums. "flash" is for rows on a GPU of CUDA: the steps find nearest centers in half precision by
        flash-kmeans, which must be installed. Labels and inertia are exact for the centers that this ends with, but these can
        be a little off.
    min_cluster_size, max_cluster_size : int, float or None, default=None
        Bounds on the number of rows of each cluster, kept exactly: a number of rows, or a share of them between 0 and 1. Every
        step then takes the cheapest assignment within the bounds, so a row need not belong to its nearest center.
    random_state : int, RandomState or None, default=None
        Seed of the starts.
    device : str, default="cpu"
        "cuda", "cuda:0", "mps" or "auto" move NumPy input to a GPU once, or block by block to all GPUs where it needs more room
        than one has; tensors are computed on where they lie.

    Attributes
    ----------
    cluster_centers_ : (n_clusters, d) array
        In the units of ``X`` and of its dtype; unit vectors for the cosine.
    labels_ : (n,) int64 array
        Nearest center of each row, or its center within the bounds; a tensor where ``X`` was one.
    inertia_ : float
        Weighted sum of squared distances to the own center; for the cosine, of ``1 - cosine``.
    n_iter_ : int
        Steps of the best start.
    n_features_in_ : int
        Number of features seen in ``fit``.
    feature_names_in_ : (d,) array of str
        Their names, where ``X`` had names that are strings.

    See Also
    --------
    DBSCAN : Groups of any shape at one density.
    HDBSCAN : Groups of any shape, each at its own density.

    Notes
    -----
    Cost: O(n d k) for each step at most, memory one or two copies of ``X`` and O(k d). Labels, centers and inertia are the same
    bits on any number of threads. Data of any offset or magnitude are shifted and scaled first. A center that loses all
    its rows moves to the row farthest from its own center. `predict` gives the nearest center, ties to the lowest, and so
    repeats ``labels_`` on the rows of the fit. Groups are compact and of similar width; for other shapes prefer `HDBSCAN`.

    With size bounds a step costs O(n k) more and 45 n k bytes. `predict` then gives the cluster of the least ``squared distance -
    price``, where the prices come from the fit (the dual variables of the assignment); rows equal to the few rows of the fit that
    lie on such a border get the labels these have, and of equal rows that the bounds divide, each its own in turn.

    References
    ----------
    Lloyd, S. (1982). Least squares quantization in PCM. IEEE Transactions on Information Theory, 28(2), 129-137.
    https://doi.org/10.1109/TIT.1982.1056489

    Arthur, D., & Vassilvitskii, S. (2007). k-means++: The advantages of careful seeding. SODA, 1027-1035.

    Bradley, P. S., Bennett, K. P., & Demiriz, A. (2000). Constrained k-means clustering. Microsoft Research, MSR-TR-2000-65.

    Dhillon, I. S., & Modha, D. S. (2001). Concept decompositions for large sparse text data using clustering. Machine
    Learning, 42, 143-175. https://doi.org/10.1023/A:1007612920971

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import KMeans
    >>> X = np.array([[1.0, 2.0], [1.0, 4.0], [1.0, 0.0], [10.0, 2.0], [10.0, 4.0], [10.0, 0.0]])
    >>> model = KMeans(n_clusters=2, random_state=0).fit(X)
    >>> int(model.labels_[0] == model.labels_[1]), int(model.labels_[0] == model.labels_[3])
    (1, 0)
    >>> model.inertia_
    16.0
    >>> sorted(model.cluster_centers_[:, 0].tolist())
    [1.0, 10.0]
    """

    _takes_blocks: ClassVar = True
    _state_attributes: ClassVar = (
        "_centers", "_shift", "_scale", "_n_features_out", "_prices", "_divided_rows", "_divided_labels",
    )  # fmt: skip
    _prices: Any
    _divided_rows: Any
    _divided_labels: Any
    _parameter_constraints: ClassVar = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "init": [StrOptions({"k-means++", "random"}), "array-like", callable],
        "n_init": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "metric": [StrOptions({"euclidean", "cosine"})],
        "algorithm": [StrOptions({"auto", "lloyd", "flash"})],
        "min_cluster_size": [Interval(Integral, 1, None, closed="left"), Interval(Real, 0, 1, closed="neither"), None],
        "max_cluster_size": [Interval(Integral, 1, None, closed="left"), Interval(Real, 0, 1, closed="neither"), None],
        "random_state": ["random_state"],
        "device": [str],
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        init="k-means++",
        n_init="auto",
        max_iter=300,
        tol=1e-4,
        metric="euclidean",
        algorithm="auto",
        min_cluster_size=None,
        max_cluster_size=None,
        random_state=None,
        device="cpu",
    ):
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.metric = metric
        self.algorithm = algorithm
        self.min_cluster_size = min_cluster_size
        self.max_cluster_size = max_cluster_size
        self.random_state = random_state
        self.device = device

    def fit(self, X, y=None, sample_weight=None):
        """Find the centers.

        Parameters
        ----------
        X : (n, d) array, frame, sparse array or tensor, Dask array or frame, or RowFiles
            What is in blocks is started by k-means||, and ``labels_`` is a Dask array.
        y : ignored
        sample_weight : (n,) array, optional
            Weight of each row, not negative; an integer weight counts like that many equal rows.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If there are fewer rows than clusters, a value is not finite, or the size bounds cannot be kept.
        """
        self._validate_params()
        if in_blocks(X):
            return self._fit_blocks(X, sample_weight)
        rows = self._gate_in(X, reset=True, accept_sparse=True, place=self._place())
        n = rows.shape[0]
        if n < self.n_clusters:
            raise InputError(f"n_samples={n} should be >= n_clusters={self.n_clusters}; lower n_clusters or add rows")
        weight = self._check_weights(sample_weight, n)
        if weight is not None and (weight.min() < 0 or not weight.any()):
            raise InputError("sample_weight must not be negative, nor zero for every row")
        limits = size_limits(n, self.n_clusters, self.min_cluster_size, self.max_cluster_size)
        if limits is not None:
            refuse_beside_limits(weight, self.algorithm)
        if self.algorithm == "flash":
            check_half(rows)  # before anything is computed
        prepared = self._prepare(rows, fitting=True)
        runs = (
            self._run(prepared, start, weight) if limits is None else self._run_within(prepared, start, limits)
            for start in starts(self, rows, prepared, self._shift, self._scale, weight)
        )
        self._keep(min(runs, key=lambda run: run[0]), rows, prepared, X)  # that of the least inertia
        return self

    def _fit_blocks(self, X, sample_weight):
        """Find the centers of rows in blocks; ``labels_`` is computed when it is asked for."""
        refuse_for_blocks(self)
        rows = self._gate_blocks(X, sample_weight)
        if len(rows) < self.n_clusters:
            raise InputError(
                f"n_samples={len(rows)} should be >= n_clusters={self.n_clusters}; lower n_clusters or add rows"
            )
        prepared = self._prepare(rows, fitting=True)
        best = best_of_blocks(self, prepared, self._shift, self._scale)
        self.inertia_, self._centers, self.n_iter_ = self._in_units(best.inertia), best.centers, best.n_iter
        self._prices = self._divided_rows = self._divided_labels = None
        self.cluster_centers_ = (self._centers * self._scale + self._shift).astype(rows.dtype)
        self._n_features_out = self.n_clusters
        self._say_empty(np.count_nonzero(best.counts))
        self.labels_ = best.labels
        if best.labels is None:
            self.labels_ = self._by_block(X, "predict", np.int64, lengths=rows.lengths)
        return self

    @lazily(np.int64)
    def predict(self, X):
        """Return the nearest center of each row, ties to the lowest; with size bounds, its cluster at the prices of the fit.

        Parameters
        ----------
        X : (n, d) array, frame, sparse array or tensor

        Returns
        -------
        (n,) int64 array
        """
        rows = self._gate_in(X, reset=False, accept_sparse=True, place=self._place())
        return self._labels_out(self._own_center(self._prepare(rows))[0], X)

    @lazily(np.float64, "n_clusters")
    def transform(self, X):
        """Return the distance of each row to each center: Euclidean, or ``1 - cosine``.

        Parameters
        ----------
        X : (n, d) array, frame, sparse array or tensor

        Returns
        -------
        (n, n_clusters) array
        """
        rows = self._gate_in(X, reset=False, accept_sparse=True)
        if self.metric == "cosine":
            return like_input(pairwise_distances(self._prepare(rows), self._centers, squared=True) / 2, X)
        return like_input(pairwise_distances(self._prepare(rows), self._centers) * self._scale, X)

    def score(self, X, y=None, sample_weight=None):
        """Return minus the inertia of ``X``: the greater, the better.

        Parameters
        ----------
        X : (n, d) array, frame, sparse array or tensor
        y : ignored
        sample_weight : (n,) array, optional

        Returns
        -------
        float
        """
        rows = self._gate_in(X, reset=False, accept_sparse=True, place=self._place())
        _, distances2 = self._own_center(self._prepare(rows))
        return -self._inertia(to_numpy(distances2), self._check_weights(sample_weight, rows.shape[0]))

    def _place(self):
        """Return what brings rows to the device: by blocks where they do not fit, if that is all that is asked of them."""
        bounded = self.min_cluster_size is not None or self.max_cluster_size is not None
        return to_device if bounded or callable(self.init) or self.metric == "cosine" else placed

    def _prepare(self, rows, fitting=False):
        """Return the rows in the coordinates of the computation, remembering them where ``fitting``."""
        if fitting:
            self._shift, self._scale = np.zeros(rows.shape[1]), 1.0
        if self.metric == "cosine" and is_block_rows(rows):
            return rows.prepared(normalize_rows)
        if self.metric == "cosine":
            return normalize(rows) if scipy.sparse.issparse(rows) else normalize_rows(rows)
        if scipy.sparse.issparse(rows):
            if fitting and rows.nnz:
                self._scale = condition(rows.data[:, None], np.zeros(1), None).scale
            return rows / rows.dtype.type(self._scale)
        known = (None, None) if fitting else (self._shift, self._scale)
        conditioned, self._shift, self._scale = condition(rows, *known)
        return conditioned

    def _run(self, prepared, start, weight):
        """Iterate from one start; return inertia, centers, labels, number of steps."""
        tol = self.tol * mean_variance(prepared, weight) if self.tol > 0 else 0.0
        centers, n_iter, labels, distances2 = kmeans(
            prepared, start, sample_weight=weight, max_iter=self.max_iter, tol=tol, spherical=self.metric == "cosine",
            skip=self.algorithm == "auto", half=self.algorithm == "flash",
        )  # fmt: skip
        return self._inertia(to_numpy(distances2), weight), centers, labels, n_iter, None

    def _run_within(self, prepared, start, limits):
        """Iterate within size limits; return the same, and what `predict` needs beside the centers."""
        tol = self.tol * mean_variance(prepared, None) if self.tol > 0 else 0.0
        run = kmeans_within(prepared, start, limits, max_iter=self.max_iter, tol=tol, spherical=self.metric == "cosine")
        return self._inertia(run.distances2, None), run.centers, run.labels, run.n_iter, (run.prices, run.divided)

    def _own_center(self, prepared):
        """Return the center of each row, and the squared distance to it."""
        if self._prices is None:
            return nearest_center(prepared, self._centers)
        return within_bounds(prepared, self._centers, self._prices, self._divided_rows, self._divided_labels)

    def _inertia(self, distances2, weight):
        return self._in_units(float(distances2.sum() if weight is None else weight @ distances2))

    def _in_units(self, total):
        return total / 2 if self.metric == "cosine" else total * self._scale * self._scale

    def _keep(self, best, rows, prepared, X):
        self.inertia_, self._centers, labels, self.n_iter_, within = best
        self._prices = self._divided_rows = self._divided_labels = None
        if within is not None:
            self._prices, divided = within
            self._divided_rows, self._divided_labels = rows_of(prepared, divided), labels[divided]
        self.labels_ = self._labels_out(labels, X)
        dtype = np.float32 if "float32" in str(rows.dtype) else np.float64
        self.cluster_centers_ = like_input((self._centers * self._scale + self._shift).astype(dtype), X)
        self._n_features_out = self.n_clusters
        self._say_empty(np.count_nonzero(np.bincount(to_numpy(labels))))

    def _say_empty(self, n_found):
        if n_found < self.n_clusters:
            warnings.warn(
                f"{n_found} of n_clusters={self.n_clusters} clusters hold rows: there may be fewer distinct rows; lower n_clusters",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _labels_out(self, labels, X):
        return like_input(to_numpy(labels).astype(np.int64), X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
