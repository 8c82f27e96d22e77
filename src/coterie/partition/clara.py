"""CLARA: k-medoids on samples, for more rows than all distances between them can be looked at.

Each sample is clustered by itself, all rows are given to the nearest of its medoids, and the sample whose medoids cost least on
*all* rows wins. From the second sample on, the best medoids so far are part of the sample. For s samples of m rows the cost is
O(s (m^2 + n k)) distances, the memory O(n).
"""

from collections.abc import Iterable
from numbers import Integral
from typing import Any, ClassVar

import numpy as np

from ..base import Interval
from ..errors import InputError
from ._medoids_base import MedoidClusterer
from ._medoids_blocks import Judged, draw_distinct, judge, together
from ._medoids_metric import Distinct, Metric
from .kmedoids import build, fasterpam

__all__ = ["CLARA", "clara", "medoids_of_samples"]

_MAX_ROUNDS = 300
_MOST_TOGETHER = 5000  # rows of all samples of rows in blocks, for which these are clustered together too


def clara(
    distinct: Distinct, n_clusters: int, n_samplings: int, sampling_size: int, rng: np.random.RandomState
) -> np.ndarray:
    """Choose medoids on samples and keep those that cost least on all rows.

    Parameters
    ----------
    distinct : Distinct
        More rows than ``n_clusters``.
    n_clusters : int
    n_samplings : int
        How many samples; one where a sample holds all rows.
    sampling_size : int
        Rows of a sample, more than ``n_clusters`` where there are as many.
    rng : RandomState

    Returns
    -------
    (n_clusters,) int64 array
        Numbers of distinct rows.
    """
    n = len(distinct.source)
    if sampling_size >= n:
        return medoids_of_samples(distinct, n_clusters, [np.arange(n)], n)[0][0]
    draws = (rng.choice(n, sampling_size, replace=False) for _ in range(n_samplings))
    return min(medoids_of_samples(distinct, n_clusters, draws, sampling_size), key=lambda found: found[1])[0]


def medoids_of_samples(
    distinct: Distinct, n_clusters: int, draws: Iterable[np.ndarray], sampling_size: int
) -> list[tuple[np.ndarray, float]]:
    """Choose medoids on each of some samples; the best so far are part of the next one.

    Parameters
    ----------
    distinct : Distinct
        Its rows say which are the best.
    n_clusters : int
    draws : iterable of (m,) int64 arrays
        Numbers of distinct rows.
    sampling_size : int
        Rows of a sample, together with the best medoids so far.

    Returns
    -------
    list of (n_clusters,) int64 array and float
        Ascending numbers of distinct rows, and their loss on all of these.
    """
    best, least = np.empty(0, np.int64), np.inf
    found = []
    for drawn in draws:
        others = drawn[~np.isin(drawn, best)][: sampling_size - len(best)]
        rows = np.sort(np.append(best, others))
        search = distinct.part(rows).search("a smaller sampling_size")
        build(search, n_clusters)
        fasterpam(search, _MAX_ROUNDS)
        medoids = np.sort(rows[search.medoid_rows])
        loss = distinct.loss_of(medoids)
        found.append((medoids, loss))
        if loss < least:
            best, least = medoids, loss
    return found


class CLARA(MedoidClusterer):
    """K-medoids on samples: the medoids of the sample that suit all rows best.

    Parameters
    ----------
    n_clusters : int, default=8
        How many groups, at most the number of rows.
    n_samplings : int, default=5
        How many samples.
    sampling_size : int, optional
        Rows of a sample, at least ``n_clusters``; by default 80 + 4 n_clusters, as Schubert and Rousseeuw (2021) advise for the
        faster search. With as many as there are rows, this is `KMedoids`.
    metric : str or callable, default="euclidean"
        "euclidean", "sqeuclidean", "manhattan", "cosine"; "precomputed": ``X`` holds the (n, n) distances; any other name that
        scikit-learn's ``pairwise_distances`` knows, or a function of two rows. None but "precomputed" needs all distances.
    metric_params : dict, optional
        More arguments of the metric.
    random_state : int, RandomState or None, default=None
        Seed of the samples.
    device : str, default="cpu"
        "cuda", "cuda:0", "mps" or "auto" move NumPy input to a GPU once; tensors are computed on where they lie.

    Attributes
    ----------
    medoid_indices_ : (n_clusters,) int64 array
        The rows that are the medoids, one for each cluster, in an order of their values (precomputed: in the order of the rows).
    cluster_centers_ : (n_clusters, d) array
        Those rows themselves; not there for precomputed distances.
    labels_ : (n,) int64 array
        Nearest medoid of each row; a tensor where ``X`` was one.
    inertia_ : float
        Weighted sum of the distances of all rows to the nearest medoid.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : (d,) array of str
        Their names, where ``X`` had names that are strings.

    See Also
    --------
    KMedoids : All rows are candidates, and the result is a local optimum.
    CLARANS : Looks at all rows for each candidate.

    Notes
    -----
    Cost: O(s (m^2 + n k)) distances for s samples of m rows, memory O(n). The result is not a local optimum for all rows; more or
    larger samples come nearer to one. Samples are drawn from the distinct rows in an order of their values, so that shuffled
    rows give the same clusters. `predict` gives the nearest medoid, ties to the lowest cluster, and so repeats ``labels_`` on the
    rows of the fit.

    Of rows in blocks the samples are drawn in one pass, by numbers made from the seed and the values of a row, and clustered where
    `fit` is called; the medoids that a sample takes over are the best for all samples together, and these are clustered together too
    where they have no more than 5,000 rows. One more pass tells which medoids cost least on all rows. With the look at the rows before,
    and one at the blocks that hold the medoids, that is four passes. No order of the rows, nor how they are cut into blocks and handed
    out, changes a medoid; the samples are others than those of rows in memory, but for one of all distinct rows.

    References
    ----------
    Kaufman, L., & Rousseeuw, P. J. (1990). Finding groups in data, chapter 3. Wiley. https://doi.org/10.1002/9780470316801

    Schubert, E., & Rousseeuw, P. J. (2021). Fast and eager k-medoids clustering. Information Systems, 101, 101804.
    https://doi.org/10.1016/j.is.2021.101804

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import CLARA
    >>> X = np.concatenate([np.arange(1000.0), np.arange(5000.0, 6000.0)])[:, None]
    >>> model = CLARA(n_clusters=2, random_state=0).fit(X)
    >>> np.bincount(model.labels_)
    array([1000, 1000])
    """

    _takes_blocks: ClassVar = True
    _parameter_constraints: ClassVar = {
        **MedoidClusterer._parameter_constraints,
        "n_samplings": [Interval(Integral, 1, None, closed="left")],
        "sampling_size": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        n_samplings: int = 5,
        sampling_size: int | None = None,
        metric: Any = "euclidean",
        metric_params: dict | None = None,
        random_state: Any = None,
        device: str = "cpu",
    ) -> None:
        self.n_clusters = n_clusters
        self.n_samplings = n_samplings
        self.sampling_size = sampling_size
        self.metric = metric
        self.metric_params = metric_params
        self.random_state = random_state
        self.device = device

    def _choose(self, distinct: Distinct, rng: np.random.RandomState) -> np.ndarray:
        return clara(distinct, self.n_clusters, self.n_samplings, self._size(), rng)

    def _choose_of_blocks(self, X: Any, metric: Metric, rng: np.random.RandomState) -> tuple[np.ndarray, Judged]:
        size = self._size()
        distinct, draws = together(draw_distinct(X, metric, [size] * self.n_samplings, rng))
        if len(distinct.source) <= self.n_clusters:
            return self._judge_all(X, distinct)
        if len(draws[0]) < size:  # all rows are in it
            draws = draws[:1]
        found = [medoids for medoids, _ in medoids_of_samples(distinct, self.n_clusters, draws, size)]
        n = len(distinct.source)
        if len(draws) > 1 and n <= _MOST_TOGETHER:
            found.append(medoids_of_samples(distinct, self.n_clusters, [np.arange(n)], n)[0][0])
        judged = judge(X, metric, [distinct.rows[medoids] for medoids in found])
        best = min(range(len(judged)), key=lambda i: judged[i].loss)
        return distinct.source[found[best]], judged[best]

    def _size(self) -> int:
        size = 80 + 4 * self.n_clusters if self.sampling_size is None else self.sampling_size
        if size < self.n_clusters:
            raise InputError(f"sampling_size={size} must be at least n_clusters={self.n_clusters}; raise it")
        return max(size, self.n_clusters + 1)
