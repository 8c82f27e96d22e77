"""Mini-batch K-means: the centers of K-means from small batches of rows.

A first sample is clustered by K-means. Then every batch of rows is given to its nearest centers, and each center moves to the
mean of all rows that it has ever been given, so that later batches move it less and less. Cost O(b d k) for a batch of b rows,
whatever the number of rows there are; what is kept is k centers, their weights, and less than one batch of rows.
"""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils import check_random_state

from ..arrays import like_input
from ..base import Clusterer, Interval, StrOptions, lazily
from ..errors import InputError
from ..primitives.blocks import each_block, in_blocks, says
from ..primitives.distances import pairwise_distances
from ._minibatch_passes import minibatch_kmeans
from ._minibatch_state import MiniBatchState, Settings, absorb, finalize, merge, partial
from ._nearest import conditioned, nearest

__all__ = [
    "MiniBatchKMeans",
    "MiniBatchState",
    "Settings",
    "absorb",
    "finalize",
    "merge",
    "minibatch_kmeans",
    "partial",
]

_STARTS_OF_BLOCKS = 5  # one start in ten or so is a bad one,
_CHEAP_START = 1 << 20  # rows times centers: so many starts take less than some rounds to the workers


class MiniBatchKMeans(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Clusterer):
    """K-means from small batches: nearly its centers, for rows that are many or that arrive one chunk after another.

    Parameters
    ----------
    n_clusters : int, default=8
        How many groups, at most the number of rows.
    init : {"k-means++", "random"}, array of shape (n_clusters, d), or callable, default="k-means++"
        Where K-means begins on the first sample, as for `KMeans`.
    max_iter : int, default=100
        Most passes over the rows in ``fit``.
    batch_size : int, default=1024
        Rows of a batch.
    compute_labels : bool, default=True
        Whether ``fit`` gives every row its label; without, ``labels_`` and ``inertia_`` are left out.
    random_state : int, RandomState or None, default=None
        Seed of the start, of the batches, and of centers moved because they hold too little.
    tol : float, default=0.0
        Stop when the centers' squared moves in one batch add up to no more than this share of the mean variance of the columns.
    max_no_improvement : int or None, default=10
        Stop after so many batches in a row that did not lower the smoothed inertia; None goes through all passes.
    init_size : int or None, default=None
        Rows of the first sample, rounded up to whole batches; None takes three batches, or ``3 * n_clusters`` rows where
        that is more.
    n_init : "auto" or int, default="auto"
        Starts of K-means on the first sample, as for `KMeans`; "auto" is 5 for "k-means++", rows in blocks and a sample
        of at most a million rows times centers.
    reassignment_ratio : float, default=0.01
        A center that holds less than this share of what the heaviest holds moves to a random row of the batch.
    device : str, default="cpu"
        "cuda", "cuda:0", "mps" or "auto" move NumPy input to a GPU once; tensors are computed on where they lie.

    Attributes
    ----------
    cluster_centers_ : (n_clusters, d) array
        In the units of ``X`` and of its dtype.
    labels_ : (n,) int64 array
        Nearest center of each row, of the last chunk after ``partial_fit``; a tensor where ``X`` was one.
    inertia_ : float
        Weighted sum of squared distances of these rows to their nearest center.
    n_iter_ : int
        Passes that ``fit`` began.
    n_steps_ : int
        Batches since the first sample.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : (d,) array of str
        Their names, where ``X`` had names that are strings.

    See Also
    --------
    KMeans : the exact iteration, for data that fit into memory; less inertia by a percent or so.
    Birch : centers of many small groups in one pass, found without knowing k.

    Notes
    -----
    ``partial_fit`` collects rows until a batch is full, so the centers are the same bits however the rows were cut into
    chunks; what waits counts as one smaller batch in ``cluster_centers_`` and is counted anew when its batch is full. Until
    ``n_clusters`` rows have come there are no centers yet. ``fit`` takes its batches from all over the rows, each row once a
    pass: it is ``partial_fit`` on the rows in that order, for sizes that divide into whole batches. With no more rows than the first
    sample holds it is `KMeans`. `predict` gives the nearest center, ties to the lowest, and so repeats ``labels_``.

    References
    ----------
    Sculley, D. (2010). Web-scale k-means clustering. WWW, 1177-1178. https://doi.org/10.1145/1772690.1772862

    Bradley, P. S., & Fayyad, U. M. (1998). Refining initial points for k-means clustering. ICML, 91-99.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import MiniBatchKMeans
    >>> X = np.array([[1.0, 2.0], [1.0, 4.0], [1.0, 0.0], [10.0, 2.0], [10.0, 4.0], [10.0, 0.0]])
    >>> model = MiniBatchKMeans(n_clusters=2, random_state=0).fit(X)
    >>> sorted(model.cluster_centers_[:, 0].tolist())
    [1.0, 10.0]
    >>> stream = MiniBatchKMeans(n_clusters=2, random_state=0)
    >>> for chunk in (X[:1], X[1:4], X[4:]):
    ...     stream = stream.partial_fit(chunk)
    >>> bool((stream.cluster_centers_ == MiniBatchKMeans(2, random_state=0).partial_fit(X).cluster_centers_).all())
    True
    """

    _takes_blocks: ClassVar = True
    _state_attributes: ClassVar = (
        "_centers", "_shift", "_scale", "_n_features_out", "_committed", "_mass", "_waiting", "_waiting_weights", "_seed",
    )  # fmt: skip
    _parameter_constraints: ClassVar = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "init": [StrOptions({"k-means++", "random"}), "array-like", callable],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "compute_labels": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_no_improvement": [Interval(Integral, 0, None, closed="left"), None],
        "init_size": [Interval(Integral, 1, None, closed="left"), None],
        "n_init": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "reassignment_ratio": [Interval(Real, 0, None, closed="left")],
        "device": [str],
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        init="k-means++",
        max_iter=100,
        batch_size=1024,
        compute_labels=True,
        random_state=None,
        tol=0.0,
        max_no_improvement=10,
        init_size=None,
        n_init="auto",
        reassignment_ratio=0.01,
        device="cpu",
    ):
        self.n_clusters = n_clusters
        self.init = init
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.compute_labels = compute_labels
        self.random_state = random_state
        self.tol = tol
        self.max_no_improvement = max_no_improvement
        self.init_size = init_size
        self.n_init = n_init
        self.reassignment_ratio = reassignment_ratio
        self.device = device

    def fit(self, X, y=None, sample_weight=None):
        """Find the centers, from batches of rows taken from all over ``X``.

        Parameters
        ----------
        X : (n, d) array, frame, sparse array or tensor, Dask array or frame, or RowFiles
            A memory-mapped array is never copied; batches of it are. Of Dask arrays and files each worker adds up its share of a
            batch; ``labels_`` is then a Dask array that is computed when it is asked for.
        y : ignored
        sample_weight : (n,) array, optional
            Weight of each row, not negative; for a Dask array one in the same blocks.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If there are fewer rows than clusters, or a value is not finite.
        """
        self._validate_params()
        blocks = in_blocks(X)
        rows = self._gate_blocks(X, sample_weight) if blocks else self._gate_in(X, reset=True, accept_sparse=True)
        n = rows.shape[0]
        if n < self.n_clusters:
            raise InputError(f"n_samples={n} should be >= n_clusters={self.n_clusters}; lower n_clusters or add rows")
        weight = None if blocks else self._weights(sample_weight, n)
        if blocks and not any(seen.weight for seen in rows.surveys):
            raise _no_weight()
        self._seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        settings = self._settings()
        if blocks:
            settings = _with_starts(settings)
        state, self.n_iter_ = minibatch_kmeans(
            rows,
            settings,
            sample_weight=weight,
            max_iter=self.max_iter,
            max_no_improvement=self.max_no_improvement,
            tol=self.tol,
        )
        self._keep(state, rows, X)
        if self.compute_labels:
            sizes = self._label_blocks(rows, X) if blocks else self._label(rows, X, weight)
            n_found = int(np.count_nonzero(sizes))
            if n_found < self.n_clusters:
                warnings.warn(
                    f"{n_found} of n_clusters={self.n_clusters} clusters hold rows: there may be fewer distinct rows; lower n_clusters",
                    ConvergenceWarning,
                    stacklevel=2,
                )
        return self

    def partial_fit(self, X, y=None, sample_weight=None):
        """Go on with more rows, after ``fit`` or from nothing.

        Parameters
        ----------
        X : (n, d) array, frame, sparse array or tensor
            The next rows; all chunks of one kind.
        y : ignored
        sample_weight : (n,) array, optional

        Returns
        -------
        self
        """
        self._refuse_blocks(X, "partial_fit")
        begun = hasattr(self, "_seed")
        if not begun:
            self._validate_params()
        rows = self._gate_in(X, reset=not begun, accept_sparse=True)
        weight = self._weights(sample_weight, rows.shape[0], some=False)
        if not begun:
            self._seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        state = absorb(self._state(), rows, self._settings(), weight)
        self._keep(state, rows, X)
        if hasattr(self, "cluster_centers_"):
            self._label(rows, X, weight)
        return self

    @lazily(np.int64)
    def predict(self, X):
        """Return the nearest center of each row, ties to the lowest.

        Parameters
        ----------
        X : (n, d) array, frame, sparse array or tensor, Dask array or frame, or RowFiles

        Returns
        -------
        (n,) int64 array
        """
        return like_input(self._nearest(self._rows(X))[0], X)

    @lazily(np.float64, "n_clusters")
    def transform(self, X):
        """Return the distance of each row to each center.

        Parameters
        ----------
        X : (n, d) array, frame, sparse array or tensor, Dask array or frame, or RowFiles

        Returns
        -------
        (n, n_clusters) array
        """
        rows = self._rows(X)
        return like_input(
            pairwise_distances(conditioned(rows, self._shift, self._scale), self._centers) * self._scale, X
        )

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
        rows = self._rows(X)
        return -self._inertia(self._nearest(rows)[1], self._check_weights(sample_weight, rows.shape[0]))

    def _rows(self, X):
        rows = self._gate_in(X, reset=False, accept_sparse=True)
        if not hasattr(self, "cluster_centers_"):
            raise NotFittedError(
                f"this MiniBatchKMeans has seen fewer than n_clusters={self.n_clusters} rows; call partial_fit with more first"
            )
        return rows

    def _weights(self, sample_weight, n, some=True):
        weight = self._check_weights(sample_weight, n)
        if weight is not None and (weight.min(initial=0.0) < 0 or (some and not weight.any())):
            raise _no_weight()
        return weight

    def _settings(self):
        wanted = max(3 * self.batch_size, 3 * self.n_clusters) if self.init_size is None else self.init_size
        return Settings(
            n_clusters=self.n_clusters,
            batch_size=self.batch_size,
            init_size=-(-max(wanted, self.n_clusters) // self.batch_size) * self.batch_size,
            init=self.init,
            n_init=self.n_init,
            reassignment_ratio=self.reassignment_ratio,
            seed=self._seed,
        )

    def _state(self):
        """Return the state that the last call left, nothing waiting counted."""
        if not hasattr(self, "n_steps_"):
            return MiniBatchState()
        return MiniBatchState(
            self._committed, self._mass, self._shift, self._scale, self._waiting, self._waiting_weights, self.n_steps_
        )

    def _keep(self, state, rows, X):
        self._committed, self._mass, self.n_steps_ = state.centers, state.mass, state.n_steps
        self._waiting, self._waiting_weights = state.waiting, state.weights
        self._shift, self._scale = state.shift, state.scale
        if state.centers is None and state.waiting.shape[0] < self.n_clusters:
            return
        done = finalize(state, self._settings())
        self._centers = done.centers
        # Before the first sample is full the shift is that of the rows so far.
        self._shift, self._scale = done.shift, done.scale
        self._n_features_out = self.n_clusters
        dtype = np.float32 if "float32" in str(rows.dtype) else np.float64
        self.cluster_centers_ = like_input((done.centers * done.scale + done.shift).astype(dtype), X)

    def _label(self, rows, X, weight):
        """Set labels and inertia; return how many rows each center has."""
        labels, distances2 = self._nearest(rows)
        self.labels_ = like_input(labels, X)
        self.inertia_ = self._inertia(distances2, weight)
        return np.bincount(labels)

    def _label_blocks(self, rows, X):
        """Set labels, to be computed, and the inertia; return how many rows each center has."""
        self.labels_ = self._by_block(X, "predict", np.int64, lengths=rows.lengths)
        found = each_block(rows, _totals, self._centers, self._shift, self._scale)
        costs = np.array([found[number][0] for number in rows.by_rank()])
        self.inertia_ = float(costs.sum()) * self._scale * self._scale
        return np.sum([sizes for _, sizes in found], axis=0)

    def _inertia(self, distances2, weight):
        total = float(distances2.sum() if weight is None else weight @ distances2)
        return total * self._scale * self._scale

    def _nearest(self, rows):
        return nearest(rows, self._centers, self._shift, self._scale)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


@says("distances to the centers")
def _totals(block, centers, shift, scale):
    """Return the weighted squared distances of a block's rows to their nearest centers, added up, and how many rows each has."""
    rows, weight = block.rows, block.weight
    if len(rows) == 0:
        return 0.0, np.zeros(len(centers), np.int64)
    labels, distances2 = nearest(rows, centers, shift, scale)
    cost = distances2.sum() if weight is None else weight @ distances2
    return float(cost), np.bincount(labels, minlength=len(centers))


def _with_starts(settings):
    """Return the settings with more starts on the first sample where none were asked for and they cost little."""
    by_default = settings.n_init == "auto" and isinstance(settings.init, str) and settings.init == "k-means++"
    cheap = settings.init_size * settings.n_clusters <= _CHEAP_START
    return settings._replace(n_init=_STARTS_OF_BLOCKS) if by_default and cheap else settings


def _no_weight():
    return InputError("sample_weight must not be negative, nor zero for every row")
