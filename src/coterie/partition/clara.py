"""CLARA: k-medoids on samples, for more rows than all distances between them can be looked at.

Each sample is clustered by itself, all rows are given to the nearest of its medoids, and the sample whose medoids cost least on
*all* rows wins. From the second sample on, the best medoids so far are part of the sample. For s samples of m rows the cost is
O(s (m^2 + n k)) distances, the memory O(n).
"""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np

from ..base import Interval
from ..errors import InputError
from ._medoids_base import MedoidClusterer
from ._medoids_metric import Distinct
from .kmedoids import build, fasterpam

__all__ = ["CLARA", "clara"]

_MAX_ROUNDS = 300


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
        return _medoids_of(distinct, np.arange(n), n_clusters)
    best, least = np.empty(0, np.int64), np.inf
    for _ in range(n_samplings):
        drawn = rng.choice(n, sampling_size, replace=False)
        others = drawn[~np.isin(drawn, best)][: sampling_size - len(best)]
        medoids = _medoids_of(distinct, np.sort(np.append(best, others)), n_clusters)
        loss = distinct.loss_of(medoids)
        if loss < least:
            best, least = medoids, loss
    return best


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
        size = 80 + 4 * self.n_clusters if self.sampling_size is None else self.sampling_size
        if size < self.n_clusters:
            raise InputError(f"sampling_size={size} must be at least n_clusters={self.n_clusters}; raise it")
        return clara(distinct, self.n_clusters, self.n_samplings, max(size, self.n_clusters + 1), rng)


def _medoids_of(distinct: Distinct, rows: np.ndarray, n_clusters: int) -> np.ndarray:
    search = distinct.part(rows).search("a smaller sampling_size")
    build(search, n_clusters)
    fasterpam(search, _MAX_ROUNDS)
    return rows[search.medoid_rows]
