"""CLARANS: k-medoids by random exchanges, with memory for the rows only.

A set of k medoids has k (n - k) *neighbours*: the sets in which one medoid has given its place to another row. From a random
set the search moves to the first neighbour, of those drawn at random, that costs less; a set none of whose drawn neighbours
costs less counts as a local optimum. The best of a few such searches wins. Ng & Han (1994) look at one neighbour at a time; in one
pass over the rows all k neighbours that a new row makes can be told apart (Schubert & Rousseeuw 2021).
"""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np

from ..base import Interval, StrOptions
from ..primitives.medoids import add_medoid, clear_medoids, replace_medoid, swap_changes
from ._medoids_base import MedoidClusterer
from ._medoids_blocks import Judged, draw_distinct, judge, swap_changes_of_blocks, together
from ._medoids_metric import Distinct, Metric
from .kmedoids import least_fall

__all__ = ["CLARANS", "clarans"]

_FIRST_BATCH = 8
_BATCH_PAIRS = 1 << 22
_SHARE, _LEAST_TRIES = 0.0125, 250
_DRAWN_ROWS, _DRAWN_BYTES = 20_000, 1 << 26  # of rows in blocks, searched in memory
_PASSES, _TRIED = 8, 64  # over rows in blocks afterwards, and rows tried in each
_TIE = 1e-12  # of the loss, that a fall must exceed


def clarans(
    search: Any, n_clusters: int, num_local: int, max_neighbor: int, fast: bool, rng: np.random.RandomState
) -> np.ndarray:
    """Exchange medoids for random rows as long as that lowers the loss, a few times from random starts.

    Parameters
    ----------
    search : object
        From `coterie.primitives.medoids.medoid_search` or `matrix_search`.
    n_clusters : int
    num_local : int
        How many starts.
    max_neighbor : int
        Tries in a row without success that end a search: rows, each in place of every medoid, where ``fast``; else a row in
        place of one random medoid.
    fast : bool
    rng : RandomState

    Returns
    -------
    (n_clusters,) int64 array
        The best medoids.
    """
    best, least = np.empty(0, np.int64), np.inf
    for _ in range(num_local):
        clear_medoids(search)
        for row in rng.choice(search.n, n_clusters, replace=False):
            add_medoid(search, row)
        draws = _Draws(search.n, rng)
        tries = 0
        while tries < max_neighbor:
            found = _first_better(search, draws, max_neighbor - tries, tries, fast, rng)
            tries = 0 if found < 0 else tries + found
        if search.loss < least:
            best, least = search.medoid_rows.copy(), search.loss
    return best


class CLARANS(MedoidClusterer):
    """K-medoids by randomized search: random exchanges of a medoid for another row, with O(n) memory.

    Parameters
    ----------
    n_clusters : int, default=8
        How many groups, at most the number of rows.
    num_local : int, default=2
        How many searches from random starts; the best is kept.
    max_neighbor : int, float or None, default=None
        Tries in a row without success that end a search; a float below 1 is a share of all k (n - k) exchanges. With
        "fast" evaluation a try is a row in place of any medoid, else a row in place of one. None: 2.5% of the rows ("fast"), or
        1.25% of the exchanges ("classic"), at least 250.
    metric : str or callable, default="euclidean"
        "euclidean", "sqeuclidean", "manhattan" and "cosine" need no matrix. "precomputed": ``X`` holds the (n, n) distances. Any
        other name that scikit-learn's ``pairwise_distances`` knows, or a function of two rows, needs a matrix.
    evaluation : {"fast", "classic"}, default="fast"
        "fast" finds the best medoid to give up for a row in one pass; "classic" is the rule of 1994.
    metric_params : dict, optional
        More arguments of the metric.
    random_state : int, RandomState or None, default=None
        Seed of the starts and draws.
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
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : (d,) array of str
        Their names, where ``X`` had names that are strings.

    See Also
    --------
    KMedoids : Looks at all exchanges, and ends in a local optimum.
    CLARA : Clusters samples; cheaper still.

    Notes
    -----
    Cost: O(n) distances a try, fewer where rows that cannot matter are told by their place; memory O(n d). Tries of a search
    come in random order, without repeats until each row has been tried. The result is the same on any number of threads and for
    any order of the rows. `predict` gives the nearest medoid, ties to the lowest cluster, and so repeats ``labels_`` on the rows of
    the fit.

    Of rows in blocks the search is among 20,000 distinct rows (64 MiB of them at most), drawn in one pass and weighted by how often
    they occur. Then 64 other rows a pass are tried in place of each medoid, for all rows, and the exchange that lowers the loss most is
    made; this ends after a pass without one, or eight. With the look at the rows before, the loss in the end, and one at the blocks that
    hold the medoids, there are at most twelve passes. No order of the rows, nor how they are cut into blocks and handed out, changes a
    medoid; the result is that of rows in memory where all distinct rows are drawn.

    References
    ----------
    Ng, R. T., & Han, J. (2002). CLARANS: a method for clustering objects for spatial data mining. IEEE Transactions on Knowledge
    and Data Engineering, 14(5), 1003-1016. https://doi.org/10.1109/TKDE.2002.1033770

    Schubert, E., & Rousseeuw, P. J. (2021). Fast and eager k-medoids clustering. Information Systems, 101, 101804.
    https://doi.org/10.1016/j.is.2021.101804

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import CLARANS
    >>> X = np.array([[1.0, 2.0], [1.0, 4.0], [1.0, 0.0], [10.0, 2.0], [10.0, 4.0], [10.0, 0.0]])
    >>> model = CLARANS(n_clusters=2, random_state=0).fit(X)
    >>> model.labels_
    array([0, 0, 0, 1, 1, 1])
    """

    _takes_blocks: ClassVar = True
    _parameter_constraints: ClassVar = {
        **MedoidClusterer._parameter_constraints,
        "num_local": [Interval(Integral, 1, None, closed="left")],
        "max_neighbor": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0.0, 1.0, closed="neither"),
            None,
        ],
        "evaluation": [StrOptions({"fast", "classic"})],
    }

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        num_local: int = 2,
        max_neighbor: float | None = None,
        metric: Any = "euclidean",
        evaluation: str = "fast",
        metric_params: dict | None = None,
        random_state: Any = None,
        device: str = "cpu",
    ) -> None:
        self.n_clusters = n_clusters
        self.num_local = num_local
        self.max_neighbor = max_neighbor
        self.metric = metric
        self.evaluation = evaluation
        self.metric_params = metric_params
        self.random_state = random_state
        self.device = device

    def _choose(self, distinct: Distinct, rng: np.random.RandomState) -> np.ndarray:
        return self._search(distinct, len(distinct.source), rng)

    def _search(self, distinct: Distinct, n: int, rng: np.random.RandomState) -> np.ndarray:
        """Search some of n rows, with as many tries as all of them are due, or as there are rows to try."""
        fast, tries = self.evaluation == "fast", self._tries(n)
        if n > len(distinct.source):
            tries = min(tries, (1 if fast else self.n_clusters) * (len(distinct.source) - self.n_clusters))
        return clarans(distinct.search("CLARA"), self.n_clusters, self.num_local, tries, fast, rng)

    def _choose_of_blocks(self, X: Any, metric: Metric, rng: np.random.RandomState) -> tuple[np.ndarray, Judged]:
        state = rng.get_state()
        n_drawn = max(min(_DRAWN_ROWS, _DRAWN_BYTES // (8 * X.shape[1])), 2 * self.n_clusters)
        searched, tried = draw_distinct(X, metric, [n_drawn, _PASSES * _TRIED], rng)
        rng.set_state(state)  # the search draws what it would draw from rows in memory
        distinct, _ = together([searched])
        if len(distinct.source) <= self.n_clusters:
            return self._judge_all(X, distinct)
        every = len(searched.source) < n_drawn
        chosen = np.sort(self._search(distinct, len(distinct.source) if every else len(X), rng))
        medoids = distinct._replace(rows=distinct.rows[chosen], weight=None, source=distinct.source[chosen])
        if not every:
            medoids = exchanged(X, medoids, tried)
        return medoids.source, judge(X, metric, [medoids.rows])[0]

    def _tries(self, n: int) -> int:
        """Return ``max_neighbor`` as a number of tries."""
        fast = self.evaluation == "fast"
        every = n - self.n_clusters if fast else self.n_clusters * (n - self.n_clusters)
        if self.max_neighbor is None:
            # A row that is tried in place of all medoids at once has no partner of its own: twice the share (Schubert & Rousseeuw).
            return min(every, max(_LEAST_TRIES, round((2 if fast else 1) * _SHARE * every)))
        if isinstance(self.max_neighbor, Integral):
            return min(every, int(self.max_neighbor)) if fast else int(self.max_neighbor)
        return max(1, round(self.max_neighbor * every))


def exchanged(X: Any, medoids: Distinct, tried: Distinct) -> Distinct:
    """Exchange medoids of rows in blocks for some others as long as that lowers the loss on all rows, in eight passes at most.

    Parameters
    ----------
    X : rows in blocks
        Prepared.
    medoids, tried : Distinct
        Prepared rows and their numbers.

    Returns
    -------
    Distinct
        The medoids in an order of their values.
    """
    for start in range(0, len(tried.source), _TRIED):
        some = np.arange(start, min(start + _TRIED, len(tried.source)))
        some = some[~np.isin(tried.source[some], medoids.source)]
        if len(some) == 0:
            continue
        changes, loss = swap_changes_of_blocks(X, medoids.metric, medoids.rows, tried.rows[some])
        candidate, slot = np.unravel_index(changes.argmin(), changes.shape)
        if changes[candidate, slot] >= -_TIE * loss:
            break
        row = some[candidate]
        kept = np.arange(len(medoids.source)) != slot
        rows = np.append(medoids.rows[kept], tried.rows[row : row + 1], axis=0)
        source = np.append(medoids.source[kept], tried.source[row])
        medoids, _ = together([medoids._replace(rows=rows, source=source)])
    return medoids


class _Draws:
    """Rows in random order, again and again: none twice before all were there."""

    def __init__(self, n: int, rng: np.random.RandomState) -> None:
        self._order = rng.permutation(n)
        self._next = 0

    def look(self, count: int) -> np.ndarray:
        """Return the next rows without taking them."""
        return self._order[(self._next + np.arange(min(count, len(self._order)))) % len(self._order)]

    def take(self, count: int) -> None:
        self._next = (self._next + count) % len(self._order)


def _first_better(search: Any, draws: _Draws, most: int, tries: int, fast: bool, rng: np.random.RandomState) -> int:
    """Try a batch of exchanges and make the first that lowers the loss.

    Returns
    -------
    int
        How many tries there were, or -1 where one was made. Batches grow with the tries since the last success: what is tried
        after a success is thrown away.
    """
    size = min(most, max(_FIRST_BATCH, tries), max(_FIRST_BATCH, _BATCH_PAIRS // search.n))
    drawn = draws.look(size)
    usable = np.flatnonzero(~(drawn[:, None] == search.medoid_rows).any(1))
    changes = swap_changes(search, drawn[usable])
    tie = least_fall(search)
    if fast:
        slots = (changes <= changes.min(1)[:, None] + tie).argmax(1)
    else:
        slots = rng.randint(len(search.medoid_rows), size=len(usable))
    falls = changes[np.arange(len(usable)), slots]
    better = np.flatnonzero(falls < -tie)
    if len(better) == 0:
        draws.take(len(drawn))
        return len(usable)
    replace_medoid(search, int(slots[better[0]]), drawn[usable[better[0]]])
    draws.take(int(usable[better[0]]) + 1)
    return -1
