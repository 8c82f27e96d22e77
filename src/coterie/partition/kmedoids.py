"""K-medoids: k rows such that the distances from all rows to the nearest of them add up to little.

A *medoid* is a row that stands for its cluster. BUILD takes one row after the other, each the one that lowers the sum of the
distances (the *loss*) most; then a row takes the place of a medoid as long as that lowers the loss. With the nearest and the
second nearest medoid of every row at hand, one pass over the rows tells what a candidate would bring in place of each of the k
medoids (Schubert & Rousseeuw 2021): O(n^2) distances for a round over all candidates, whatever k is.
"""

import warnings
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..base import Interval, StrOptions
from ..errors import InputError
from ..primitives.medoids import add_medoid, distance_sums, gains, replace_medoid, swap_changes
from ._medoids_base import MedoidClusterer
from ._medoids_metric import Distinct

__all__ = ["KMedoids", "build", "fasterpam", "first_least", "least_fall", "pam"]

_FIRST_LOOK = 32
_SHORT_LIST = 16
_BATCH_PAIRS = 1 << 22
_BATCH_CHANGES = 1 << 22
_ROUNDING = 1e-12  # of the loss


def build(search: Any, n_clusters: int) -> None:
    """Choose medoids one by one, each the row that lowers the loss most; ties: the first row.

    What a row would save can only shrink as medoids are added, so rows whose last known saving is less than the best of this
    turn are not looked at again: the choice is that of Kaufman & Rousseeuw (1990) at a fraction of its cost.

    Parameters
    ----------
    search : object
        From `coterie.primitives.medoids.medoid_search` or `matrix_search`, without medoids.
    n_clusters : int
    """
    sums = distance_sums(search)
    add_medoid(search, first_least(sums, _ROUNDING * sums.min()))
    if n_clusters == 1:
        return
    bounds = gains(search, np.arange(search.n))
    for _ in range(1, n_clusters):
        bounds[search.medoid_rows] = -np.inf
        add_medoid(search, _greatest_gain(search, bounds))


def fasterpam(search: Any, max_iter: int) -> tuple[int, bool]:
    """Exchange medoids for other rows, each as soon as it lowers the loss, until a round over all rows finds none that does.

    Candidates are looked at in batches; of a batch the best one comes first, and the others follow as far as they still lower
    the loss.

    Parameters
    ----------
    search : object
        With its first medoids.
    max_iter : int
        Most rounds.

    Returns
    -------
    n_iter : int
        Rounds, the last one included.
    converged : bool
    """
    n = search.n
    batch = _batch_size(search)
    visits = _spread(n)
    done = since = 0
    while since < n and done < max_iter * n:
        candidates = visits[(done + np.arange(min(batch, n - since))) % n]
        done, since = done + len(candidates), since + len(candidates)
        if _exchange(search, _without_medoids(search, candidates)):
            since = 0
    return -(-done // n), since >= n


def pam(search: Any, max_iter: int) -> tuple[int, bool]:
    """Make the best of all exchanges of a medoid for another row, again and again, until none lowers the loss.

    Parameters
    ----------
    search : object
        With its first medoids.
    max_iter : int
        Most exchanges.

    Returns
    -------
    n_iter : int
        Searches for the best exchange.
    converged : bool
    """
    batch = _batch_size(search)
    for n_iter in range(1, max_iter + 1):
        tie = least_fall(search)
        candidates = np.setdiff1d(np.arange(search.n), search.medoid_rows)
        best, exchange = 0.0, (0, 0)
        for start in range(0, len(candidates), batch):
            some = candidates[start : start + batch]
            changes = swap_changes(search, some)
            if changes.min() < best - tie:
                i, slot = divmod(first_least(changes.ravel(), tie), changes.shape[1])
                best, exchange = changes.min(), (slot, int(some[i]))
        if best == 0.0:
            return n_iter, True
        replace_medoid(search, *exchange)
    return max_iter, False


class KMedoids(MedoidClusterer):
    """K-medoids clustering: k rows that stand for the rows around them, for any measure of distance.

    Parameters
    ----------
    n_clusters : int, default=8
        How many groups, at most the number of rows.
    metric : str or callable, default="euclidean"
        "euclidean", "sqeuclidean", "manhattan" and "cosine" are computed where they are needed. "precomputed": ``X`` holds the
        (n, n) distances. Any other name that scikit-learn's ``pairwise_distances`` knows, or a function of two rows, needs a
        matrix of n^2 distances.
    method : {"fasterpam", "pam"}, default="fasterpam"
        "fasterpam" makes every exchange that lowers the loss as soon as it is found; "pam" always makes the best of all, which
        is the classic rule, takes longer, and ends about as well.
    init : {"build", "random"} or array of (n_clusters,) row numbers, default="build"
        Starting medoids: the greedy choice of Kaufman and Rousseeuw, different rows at random, or the rows named.
    max_iter : int, default=300
        Most rounds over all rows ("fasterpam"), or exchanges ("pam").
    metric_params : dict, optional
        More arguments of the metric.
    random_state : int, RandomState or None, default=None
        Seed of ``init="random"``; nothing else is random.
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
        Weighted sum of the distances to the nearest medoid.
    n_iter_ : int
        Rounds, or searches for the best exchange.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : (d,) array of str
        Their names, where ``X`` had names that are strings.

    See Also
    --------
    CLARA : The same on samples, for very many rows.
    CLARANS : Random exchanges, O(n) memory.
    KMeans : Centers that are means, for squared Euclidean distances.

    Notes
    -----
    Cost: BUILD takes two rounds of n^2 distances and little more; each later round one at most, and a few suffice. Memory is
    O(n d): distances to rows that cannot matter are left out, the others are computed again where that is faster than reading
    them. With more than 16 features they are kept, if n^2 of them fit in a quarter of the free memory; the result is the same.
    The result is a local optimum: no exchange of one medoid lowers the loss by more than one part in 10^12. It is the same on
    any number of threads and, but for precomputed distances, for any order of the rows. `predict` gives the nearest medoid,
    ties to the lowest cluster, and so repeats ``labels_`` on the rows of the fit.

    References
    ----------
    Kaufman, L., & Rousseeuw, P. J. (1990). Finding groups in data. Wiley. https://doi.org/10.1002/9780470316801

    Schubert, E., & Rousseeuw, P. J. (2021). Fast and eager k-medoids clustering: O(k) runtime improvement of the PAM, CLARA,
    and CLARANS algorithms. Information Systems, 101, 101804. https://doi.org/10.1016/j.is.2021.101804

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import KMedoids
    >>> X = np.array([[1.0, 2.0], [1.0, 4.0], [1.0, 0.0], [10.0, 2.0], [10.0, 4.0], [10.0, 0.0]])
    >>> model = KMedoids(n_clusters=2).fit(X)
    >>> model.labels_
    array([0, 0, 0, 1, 1, 1])
    >>> model.medoid_indices_, model.inertia_
    (array([0, 3]), 8.0)
    """

    _parameter_constraints: ClassVar = {
        **MedoidClusterer._parameter_constraints,
        "method": [StrOptions({"fasterpam", "pam"})],
        "init": [StrOptions({"build", "random"}), "array-like"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        metric: Any = "euclidean",
        method: str = "fasterpam",
        init: Any = "build",
        max_iter: int = 300,
        metric_params: dict | None = None,
        random_state: Any = None,
        device: str = "cpu",
    ) -> None:
        self.n_clusters = n_clusters
        self.metric = metric
        self.method = method
        self.init = init
        self.max_iter = max_iter
        self.metric_params = metric_params
        self.random_state = random_state
        self.device = device

    def _choose(self, distinct: Distinct, rng: np.random.RandomState) -> np.ndarray:
        first = None if isinstance(self.init, str) else self._named(distinct)
        search = distinct.search("CLARA for more rows")
        if isinstance(self.init, str) and self.init == "random" and self.n_clusters > 1:
            first = rng.choice(search.n, self.n_clusters, replace=False)
        if first is None:
            build(search, self.n_clusters)
        else:
            for row in first:
                add_medoid(search, row)
        if first is None and self.n_clusters == 1:
            self._note_steps(1)
            return search.medoid_rows
        n_iter, converged = (fasterpam if self.method == "fasterpam" else pam)(search, self.max_iter)
        self._note_steps(n_iter)
        if not converged:
            warnings.warn(
                f"max_iter={self.max_iter} was reached before the medoids settled; raise max_iter",
                ConvergenceWarning,
                stacklevel=4,
            )
        return search.medoid_rows

    def _named(self, distinct: Distinct) -> np.ndarray:
        """Return the distinct rows that ``init`` names."""
        init, n = np.asarray(self.init), len(distinct.member)
        if init.shape != (self.n_clusters,) or init.dtype.kind not in "iu" or init.min() < 0 or init.max() >= n:
            raise InputError(
                f"init must hold n_clusters={self.n_clusters} row numbers from 0 to {n - 1}, got {init.dtype} of shape {init.shape}"
            )
        first = distinct.member[init]
        if first.min() < 0 or len(np.unique(first)) < len(first):
            raise InputError("init must name rows that differ from each other and have a positive weight")
        return first

    def _note_steps(self, n_iter: int) -> None:
        self.n_iter_ = n_iter


def least_fall(search: Any) -> float:
    """Return by how much an exchange must lower the loss to count: less may be rounding, and could go round in circles."""
    return _ROUNDING * search.loss


def first_least(values: np.ndarray, tie: float) -> int:
    """Return where the least value is; of those that are greater by no more than ``tie``, which may be rounding, the first."""
    return int((values <= values.min() + tie).argmax())


def _greatest_gain(search: Any, bounds: np.ndarray) -> int:
    """Return the row with the greatest gain, ties: the first. ``bounds`` are earlier gains, and are brought up to date."""
    open_bounds, tie = bounds.copy(), least_fall(search)
    best, size = -np.inf, _FIRST_LOOK
    while True:
        rows = np.argpartition(-open_bounds, size - 1)[:size] if size < search.n else np.arange(search.n)
        rows = np.sort(rows[(open_bounds[rows] >= best - tie) & (open_bounds[rows] > -np.inf)])
        if len(rows) == 0:
            return first_least(np.where(open_bounds == -np.inf, -bounds, np.inf), tie)
        bounds[rows], open_bounds[rows] = gains(search, rows), -np.inf
        best, size = max(best, bounds[rows].max()), 2 * size


def _exchange(search: Any, candidates: np.ndarray) -> bool:
    """Make the exchanges among some candidates that lower the loss, the best one first; say whether there were any."""
    changes, tie = swap_changes(search, candidates), least_fall(search)
    falls = changes.min(1)
    promising = np.flatnonzero(falls < -tie)
    if len(promising) == 0:
        return False
    # Equal but for rounding: in order of the candidates.
    promising = promising[np.argsort(np.round(falls[promising] / tie), kind="stable")]
    replace_medoid(search, first_least(changes[promising[0]], tie), candidates[promising[0]])
    queue = candidates[promising[1:]]
    while len(queue):
        changes, tie = swap_changes(search, queue[:_SHORT_LIST]), least_fall(search)
        better = np.flatnonzero(changes.min(1) < -tie)
        if len(better):
            replace_medoid(search, first_least(changes[better[0]], tie), queue[better[0]])
        queue = queue[better[0] + 1 if len(better) else _SHORT_LIST :]
    return True


def _batch_size(search: Any) -> int:
    """Return how many candidates to look at together: enough to share among threads, not too many changes to hold."""
    return int(max(1, min(max(64, _BATCH_PAIRS // search.n), _BATCH_CHANGES // len(search.medoid_rows))))


def _spread(n: int) -> np.ndarray:
    """Return all rows in an order that goes through the data again and again, so that each batch has candidates from everywhere."""
    step = max(1, int(n**0.5))
    return np.concatenate([np.arange(start, n, step) for start in range(step)])


def _without_medoids(search: Any, candidates: np.ndarray) -> np.ndarray:
    return candidates[~(candidates[:, None] == search.medoid_rows).any(1)]
