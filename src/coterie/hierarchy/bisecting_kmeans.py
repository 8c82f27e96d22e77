"""Bisecting K-means: divide one group in two by K-means, then one of the parts, and so on, until there are k.

Two centers divide rows by a hyperplane midway between them, so a step for one group is one dot product for each row. The tree of the
divisions is kept. Cost O(n d) a step and level of the tree: O(n d log k) where the groups are even, whatever k.
"""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils import check_random_state

from ..base import Interval, StrOptions
from ..primitives.divide import divide_step, sample_rows, two_means
from ._dividing import Dividing, Division, Groups

__all__ = ["BisectingKMeans", "divide_by_two_means"]

_START_ROWS = 1024
_SAMPLE_ROWS = 8192
_MOST_SAMPLE_BYTES = 1 << 26


def divide_by_two_means(
    state: Any, groups: Groups, draws: np.ndarray, *, spread: bool = True, max_iter: int = 300, tol: float = 0.0
) -> Division:
    """Divide groups in two by K-means.

    Parameters
    ----------
    state : object
        From `coterie.primitives.divide.divide_start`.
    groups : Groups
    draws : (g, s, 3) float64 array
        Uniform random numbers below 1 for each of s starts.
    spread : bool, default=True
        Start from k-means++; else from two random rows.
    max_iter : int, default=300
    tol : float, default=0
        Stop when the two centers' squared moves add up to this or less.

    Returns
    -------
    Division
        Without weight on one side where a group cannot be divided.
    """
    centers = _starts(state, groups, draws, spread, max_iter, tol)
    g, _, d = centers.shape
    normals, offsets = np.empty((g, d)), np.empty(g)
    weights, counts = np.empty((g, 2)), np.empty((g, 2), np.int64)
    active = np.arange(g)
    for step in range(max_iter):
        pair = centers[active]
        normals[active] = pair[:, 1] - pair[:, 0]
        offsets[active] = 0.5 * np.einsum("gf,gf->g", pair[:, 1] + pair[:, 0], normals[active])
        found = divide_step(state, groups.spans[active], normals[active], offsets[active])
        held = found.weights > 0
        moved = np.where(held[..., None], found.sums / np.where(held, found.weights, 1.0)[..., None], pair)
        centers[active], weights[active], counts[active] = moved, found.weights, found.counts
        settled = ((moved - pair) ** 2).sum(axis=(1, 2)) <= tol
        settled |= ~held.all(axis=1) | ((found.changed == 0) & (step > 0))
        active = active[~settled]
        if len(active) == 0:
            break
    return Division(normals, offsets, centers, weights, counts, step + 1)


class BisectingKMeans(Dividing):
    """Bisecting K-means clustering: k compact groups, found by dividing one group in two at a time.

    Parameters
    ----------
    n_clusters : int, default=8
        How many groups, at most the number of rows.
    init : {"k-means++", "random"}, default="k-means++"
        How the two starting centers of a division are drawn.
    n_init : int, default=3
        How many starts each division has; the one of least inertia is kept.
    bisecting_strategy : {"biggest_inertia", "largest_cluster"}, default="biggest_inertia"
        Which group to divide next: that of the greatest inertia, or of the most rows. The second keeps sizes even.
    max_iter : int, default=300
        Most steps of K-means in one division.
    tol : float, default=1e-3
        A division is settled when its centers' squared moves add up to no more than ``tol`` times the mean variance of the features
        of all rows; 0 goes on until no row changes sides.
    random_state : int, RandomState or None, default=None
        Seed of the starts.
    device : str, default="cpu"
        "cuda", "cuda:0", "mps" or "auto" move NumPy input to a GPU once; tensors are computed on where they lie.

    Attributes
    ----------
    cluster_centers_ : (n_clusters, d) array
        Mean of each cluster, in the units and dtype of ``X``; fewer where no group can be divided any more.
    labels_ : (n,) int64 array
        Cluster of each row, numbered from left to right in the tree; a tensor where ``X`` was one.
    tree_ : DivisionTree
        Flat arrays ``left``, ``right``, ``label``, ``size``, ``inertia``, one item for each node; ``tree_.linkage()`` gives
        SciPy's layout over the clusters.
    inertia_ : float
        Weighted sum of squared distances of the rows to their cluster's mean.
    n_iter_ : int
        Most steps on all rows that any division took.
    n_features_in_ : int
        Number of features seen in ``fit``.
    feature_names_in_ : (d,) array of str
        Their names, where ``X`` had names that are strings.

    See Also
    --------
    KMeans : All centers at once: lower inertia, more time where k is large, no tree.
    PDDP : Divides along the direction of the greatest variance; nothing is random.

    Notes
    -----
    Cost: O(n d) a step and level of the tree, memory two copies of ``X``. The starts are compared on up to 1,024 evenly spaced
    rows of a group; the best is improved on up to 8,192 of them, then on all, mostly in two steps. `predict` goes at each division to the nearer
    of its two centers, ties to the left, and so repeats ``labels_`` on the rows of the fit; the nearest of all ``cluster_centers_``
    can be another one. Labels, centers and tree are the same bits on any number of threads; rows are gone through in an order of
    their values, so shuffled rows give the same clusters.

    References
    ----------
    Steinbach, M., Karypis, G., & Kumar, V. (2000). A comparison of document clustering techniques. KDD Workshop on Text Mining.

    Savaresi, S. M., & Boley, D. L. (2004). A comparative analysis on the bisecting K-means and the PDDP clustering algorithms.
    Intelligent Data Analysis, 8(4), 345-362. https://doi.org/10.3233/IDA-2004-8403

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import BisectingKMeans
    >>> X = np.array([[1.0, 1.0], [1.0, 2.0], [9.0, 1.0], [9.0, 2.0], [40.0, 1.0]])
    >>> model = BisectingKMeans(n_clusters=3, random_state=0).fit(X)
    >>> model.labels_.tolist(), model.inertia_
    ([0, 0, 1, 1, 2], 1.0)
    >>> model.predict(np.array([[12.0, 1.0]])).tolist()
    [1]
    """

    _parameter_constraints: ClassVar = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "init": [StrOptions({"k-means++", "random"})],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "bisecting_strategy": [StrOptions({"biggest_inertia", "largest_cluster"})],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
        "device": [str],
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        init="k-means++",
        n_init=3,
        bisecting_strategy="biggest_inertia",
        max_iter=300,
        tol=1e-3,
        random_state=None,
        device="cpu",
    ):
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.bisecting_strategy = bisecting_strategy
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.device = device

    def _divide(self, state, variance):
        seed = check_random_state(self.random_state).randint(2**31)
        self.n_iter_ = 1

        def divide(groups):
            # Each group has random numbers of its own, whenever it is divided.
            draws = np.array(
                [np.random.default_rng([seed, i]).random((self.n_init, 3)) for i in groups.numbers.tolist()]
            )
            found = divide_by_two_means(
                state, groups, draws, spread=self.init == "k-means++", max_iter=self.max_iter, tol=self.tol * variance
            )
            self.n_iter_ = max(self.n_iter_, found.n_iter)
            return found

        return divide


def _starts(state, groups, draws, spread, max_iter, tol):
    """Return two centers for each group: the best of its starts on a few of its rows, improved on more of them."""
    length = groups.spans[:, 1] - groups.spans[:, 0]
    centers = np.empty((len(length), 2, groups.means.shape[1]))
    for some in _batches(length, _START_ROWS, centers.shape[2]):
        sample = sample_rows(state, groups.spans[some], _START_ROWS)
        centers[some], _ = two_means(*sample, draws[some], spread=spread, max_iter=max_iter, tol=tol)
    # A sample of equal rows says nothing; the whole group may still have others.
    same = (centers[:, 0] == centers[:, 1]).all(axis=1)
    centers[same] = np.stack([groups.means, groups.farthest], axis=1)[same]
    large = np.flatnonzero((length > _START_ROWS) & ~same)
    for some in _batches(length[large], _SAMPLE_ROWS, centers.shape[2]):
        some = large[some]
        sample = sample_rows(state, groups.spans[some], _SAMPLE_ROWS)
        centers[some], _ = two_means(*sample, centers=centers[some], max_iter=max_iter, tol=0.1 * tol)
    return centers


def _batches(lengths, most, d):
    """Divide groups into runs whose samples fit in bounded memory."""
    batch = np.cumsum(np.minimum(lengths, most)) * d * 8 // _MOST_SAMPLE_BYTES
    return np.split(np.arange(len(lengths)), np.flatnonzero(np.diff(batch)) + 1) if len(lengths) else []
