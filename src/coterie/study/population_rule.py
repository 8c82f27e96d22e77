"""Population: no cluster smaller, and none larger, than asked for, whatever clusterer found them.

What is too small joins another cluster, or is dissolved, or set aside; what is too large is cut across its long axis. Every
step is a rule that a new row can be put through as well, so that ``predict`` repeats the labels of the fit.
"""

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import clone
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods

from ..arrays import like_input, to_numpy
from ..base import Clusterer, Interval, StrOptions
from ..errors import InputError, UnsupportedError
from ..primitives.components import number_sets
from ..primitives.conditioning import condition
from ..primitives.distances import pairwise_distances
from ..primitives.neighbors import k_nearest
from .divide import Cuts, divide, part_of
from .population import cluster_means, squares_within

__all__ = ["Population"]

NOISE, NEAREST = -1, -2  # besides the numbers of groups: no cluster; that of the nearest row that has one


class Population(Clusterer):
    """Any clusterer, with a least and a greatest number of rows in a cluster.

    Parameters
    ----------
    clusterer : estimator
        Of coterie or of scikit-learn; cloned, not changed. One without ``predict`` gives a new row what its nearest row of the
        fit has.
    min_size : int or float, default=0.05
        Least rows of a cluster; a float below 1 is a share of the rows.
    max_size : int or float, optional
        Most rows of a cluster, at least ``2 * min_size - 1``.
    small : {"merge", "noise", "split", "keep"}, default="merge"
        What becomes of a cluster that is too small. "merge": it joins the cluster with which the sum of squares within clusters
        rises least, the smallest first. "split": each of its rows goes to the cluster of the nearest row of those that are
        large enough. "noise": its rows belong to no cluster. "keep": nothing.
    outliers : {"keep", "nearest"}, default="keep"
        "nearest" sends rows of no cluster to the cluster of the nearest row, before clusters are counted.

    Attributes
    ----------
    labels_ : (n,) int64 array
        Final labels, numbered by first appearance; noise -1.
    report_ : dict
        ``sentence``; ``satisfied``; ``min_rows``, ``max_rows``; ``sizes_before``, ``sizes_after``, ``noise_before``, ``noise_after``;
        ``actions``, a dict each: ``action`` ("merged", "dissolved", "set aside", "divided", "sent to the nearest"), ``cluster`` (the
        clusterer's label, or None), ``rows``, ``into``; ``objective``: ``within_before`` and ``within_after``, the sums of squared
        distances of clustered rows to the mean of their cluster, and ``inertia_before`` and ``inertia_after``, the clusterer's own
        where it has one, else None.
    clusterer_ : estimator
        The fitted clone.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : (d,) array of str
        Their names, where the input has names.

    See Also
    --------
    KMeans : Has bounds of its own, which it keeps exactly at the least inertia.

    Notes
    -----
    ``predict`` asks the clusterer, and puts its answer through the same steps; on the rows of the fit it gives ``labels_``, where
    the clusterer's own ``predict`` repeats its labels. Equal rows stay together, so a value that occurs more often than ``max_size``
    is in a cluster that is too large; ``report_`` and a warning say so. Distances are Euclidean. Cost beside the clusterer: O(n d) and
    O(k^2 d), and a search for nearest rows where rows are sent somewhere.

    References
    ----------
    Ward, J. H. (1963). Hierarchical grouping to optimize an objective function. Journal of the American Statistical Association,
    58(301), 236-244. https://doi.org/10.1080/01621459.1963.10500845

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import KMeans, Population
    >>> X = np.r_[np.zeros((10, 1)), np.full((9, 1), 8.0), [[9.0]]] + np.linspace(0, 0.1, 20)[:, None]
    >>> model = Population(KMeans(3, random_state=0), min_size=3).fit(X)
    >>> model.report_["sizes_after"]
    [10, 10]
    >>> model.report_["satisfied"]
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        "clusterer": [HasMethods(["fit"])],
        "min_size": [Interval(Integral, 1, None, closed="left"), Interval(Real, 0, 1, closed="neither")],
        "max_size": [Interval(Integral, 1, None, closed="left"), Interval(Real, 0, 1, closed="neither"), None],
        "small": [StrOptions({"merge", "noise", "split", "keep"})],
        "outliers": [StrOptions({"keep", "nearest"})],
    }

    def __init__(
        self,
        clusterer: Any,
        min_size: Any = 0.05,
        max_size: Any = None,
        *,
        small: str = "merge",
        outliers: str = "keep",
    ) -> None:
        self.clusterer = clusterer
        self.min_size = min_size
        self.max_size = max_size
        self.small = small
        self.outliers = outliers

    def fit(self, X: Any, y: Any = None, **fit_params: Any) -> "Population":
        """Fit the clusterer, and bring its clusters to size.

        Parameters
        ----------
        X : (n, d) array, frame or tensor
        y : ignored
        **fit_params
            Passed to the clusterer's ``fit``.

        Returns
        -------
        Population
            This one.

        Raises
        ------
        InputError
            If the sizes cannot all be kept: ``min_size`` above the number of rows, or ``max_size`` below ``2 * min_size - 1``.
        """
        self._validate_params()
        given, rows = X, self._gate_in(X, reset=True)
        least, most = self._sizes(len(rows))
        if get_tags(self.clusterer).input_tags.pairwise:
            raise UnsupportedError("Population needs rows, and the clusterer takes distances; give it a metric instead")
        self.clusterer_ = clone(self.clusterer).fit(rows, **fit_params)
        own = to_numpy(self.clusterer_.labels_).astype(np.int64)
        host, shift, scale = condition(np.ascontiguousarray(to_numpy(rows), np.float64))
        self._moving = shift, scale
        self._rows = to_numpy(rows).copy()
        self._own = own
        actions: list[dict[str, Any]] = []
        self._find_places(host, own, least, actions)
        grouped = self._grouped(self._rows, own)
        self._divide_large(grouped, least, most, actions)
        final = self._divided(self._rows, grouped)
        labels = number_sets(final)
        self._final = np.full(max(len(self._group), int(final.max()) + 2), -1)  # the last place is that of noise
        self._final[final] = labels
        self.report_ = self._reported(host, scale, own, labels, least, most, actions)
        if not self.report_["satisfied"]:
            warnings.warn(self.report_["sentence"], stacklevel=2)
        self.labels_ = like_input(labels, given)
        return self

    def predict(self, X: Any) -> Any:
        """Ask the clusterer, and put its answer through the steps of the fit.

        Parameters
        ----------
        X : (n, d) array, frame or tensor

        Returns
        -------
        (n,) int64 array
        """
        given, rows = X, self._gate_in(X, reset=False)
        host = to_numpy(rows)
        if hasattr(self.clusterer_, "predict"):
            own = to_numpy(self.clusterer_.predict(rows)).astype(np.int64)
        else:
            own = self._own[_nearest(self._rows, host)]
        return like_input(self._final[self._divided(host, self._grouped(host, own))], given)

    def _sizes(self, n: int) -> tuple[int, int]:
        least = self.min_size if isinstance(self.min_size, Integral) else int(np.ceil(self.min_size * n - 1e-9))
        most = n if self.max_size is None else self.max_size
        most = int(most) if isinstance(most, Integral) else int(np.floor(most * n + 1e-9))
        least = max(int(least), 1)
        if least > n:
            raise InputError(
                f"min_size={self.min_size!r} asks for {least} rows in a cluster, with n_samples={n}; lower it"
            )
        if most < 2 * least - 1 and most < n:
            raise InputError(
                f"max_size={self.max_size!r} ({most} rows of n_samples={n}) must be at least twice min_size={self.min_size!r} "
                f"({least} rows) less one, or a cluster a little too large could not be divided; raise it"
            )
        return least, most

    def _find_places(self, X: np.ndarray, own: np.ndarray, least: int, actions: list[dict]) -> None:
        """Decide in which group each of the clusterer's k clusters ends: ``_group``; then of labels unknown, and of noise."""
        k = int(own.max(initial=-1)) + 1
        sizes = np.bincount(own[own >= 0], minlength=k)
        group = np.append(np.where(sizes > 0, np.arange(k), NEAREST), [NEAREST, NOISE])
        noise = np.flatnonzero(own < 0)
        if self.outliers == "nearest" and len(noise) and k:
            group[-1] = NEAREST
            clustered = np.flatnonzero(own >= 0)
            joined = own[clustered[_nearest(self._rows[clustered], self._rows[noise])]]
            own = own.copy()
            own[noise] = joined
            sizes = np.bincount(own, minlength=k)
            actions.append({"action": "sent to the nearest", "cluster": None, "rows": len(noise), "into": None})
        small = [int(c) for c in np.flatnonzero((sizes < least) & (sizes > 0))]
        if self.small == "merge":
            joined = _merged(cluster_means(X, own, k), sizes, least, actions)
            group[:k] = np.where(sizes > 0, joined, NEAREST)
        elif small and self.small != "keep":
            place = NEAREST if self.small == "split" or self.outliers == "nearest" else NOISE
            if len(small) == int((sizes > 0).sum()) and place == NEAREST:
                small.remove(int(np.argmax(sizes)))  # somebody must stay for the others to go to
            group[small] = place
            said = "dissolved" if place == NEAREST else "set aside"
            actions += [{"action": said, "cluster": c, "rows": int(sizes[c]), "into": None} for c in small]
        if not (group[:k] >= 0).any():
            group[group == NEAREST] = NOISE
        self._group = group

    def _grouped(self, rows: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Return the group of each row from the clusterer's label."""
        group = self._group[np.minimum(own, len(self._group) - 2)]
        astray = np.flatnonzero(group == NEAREST)
        if len(astray):
            of_fit = self._group[self._own]
            clustered = np.flatnonzero(of_fit >= 0)
            group = group.copy()
            group[astray] = of_fit[clustered[_nearest(self._rows[clustered], rows[astray])]]
        return group

    def _divide_large(self, grouped: np.ndarray, least: int, most: int, actions: list[dict]) -> None:
        self._cuts: dict[int, tuple[Cuts, int]] = {}
        sizes = np.bincount(grouped[grouped >= 0])
        next_group = len(sizes)
        for c in np.flatnonzero(sizes > most):
            cuts, parts = divide(self._moved(self._rows[grouped == c]), least, most)
            counts = np.bincount(parts)
            if len(counts) > 1:
                self._cuts[int(c)] = (cuts, next_group)
                next_group += len(counts)
                actions.append({"action": "divided", "cluster": int(c), "rows": int(sizes[c]), "into": counts.tolist()})

    def _divided(self, rows: np.ndarray, grouped: np.ndarray) -> np.ndarray:
        final = grouped.copy()
        for c, (cuts, first) in self._cuts.items():
            inside = np.flatnonzero(grouped == c)
            final[inside] = first + part_of(self._moved(rows[inside]), cuts)
        return final

    def _moved(self, rows: np.ndarray) -> np.ndarray:
        """Return rows near the origin, of magnitude about 1."""
        return condition(np.ascontiguousarray(rows, np.float64), *self._moving).rows

    def _reported(self, X, scale, own, labels, least, most, actions) -> dict[str, Any]:
        before, after = (np.bincount(part[part >= 0]) for part in (own, labels))
        before = before[before > 0]
        too_small, too_large = int((after < least).sum()), int((after > most).sum())
        satisfied = len(after) > 0 and not too_small and not too_large
        return {
            "sentence": _sentence(actions, after, least, most, self.small, self.max_size is not None),
            "satisfied": bool(satisfied),
            "min_rows": least,
            "max_rows": most if self.max_size is not None else None,
            "sizes_before": before.tolist(),
            "sizes_after": after.tolist(),
            "noise_before": int((own < 0).sum()),
            "noise_after": int((labels < 0).sum()),
            "actions": actions,
            "objective": _objective(self.clusterer_, X, scale, own, labels),
        }


def _nearest(rows: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Return the nearest of the rows to each query, ties to the lowest."""
    if not len(queries):
        return np.empty(0, np.int64)
    return k_nearest(np.ascontiguousarray(rows), 1, queries=np.ascontiguousarray(queries, rows.dtype))[1][:, 0]


def _merged(means: np.ndarray, sizes: np.ndarray, least: int, actions: list[dict]) -> np.ndarray:
    """Join the smallest cluster to the one with which the squares rise least, until none is too small or one is left."""
    means, sizes = means.copy(), sizes.astype(np.float64)
    group = np.arange(len(sizes))
    while True:
        there = np.flatnonzero(sizes > 0)
        if len(there) < 2:
            return group
        c = int(there[np.argmin(sizes[there])])
        if sizes[c] >= least:
            return group
        others = there[there != c]
        rise = sizes[c] * sizes[others] / (sizes[c] + sizes[others]) * ((means[others] - means[c]) ** 2).sum(axis=1)
        into = int(others[np.argmin(rise)])
        actions.append({"action": "merged", "cluster": c, "rows": int(sizes[c]), "into": into})
        means[into] = (sizes[into] * means[into] + sizes[c] * means[c]) / (sizes[into] + sizes[c])
        sizes[into] += sizes[c]
        sizes[c] = 0
        group[group == c] = into


def _objective(clusterer: Any, X: np.ndarray, scale: float, own: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    within = []
    for part in (own, labels):
        centers = cluster_means(X, part, int(part.max(initial=-1)) + 1)
        with np.errstate(over="ignore"):
            within.append(float(squares_within(X, part, centers).sum()) * scale * scale)
    found = {"within_before": within[0], "within_after": within[1], "inertia_before": None, "inertia_after": None}
    inertia = getattr(clusterer, "inertia_", None)
    if inertia is not None and getattr(clusterer, "metric", "euclidean") == "euclidean":
        found["inertia_before"] = float(inertia)
        medoids = getattr(clusterer, "medoid_indices_", None)
        found["inertia_after"] = within[1] if medoids is None else _medoid_cost(X, scale, to_numpy(medoids), labels)
    return found


def _medoid_cost(X: np.ndarray, scale: float, medoids: np.ndarray, labels: np.ndarray) -> float:
    """Return the sum of distances of each cluster's rows to the best of the medoids in it, or of all its rows if few."""
    total = 0.0
    for c in range(int(labels.max(initial=-1)) + 1):
        rows = np.flatnonzero(labels == c)
        candidates = medoids[labels[medoids] == c]
        candidates = candidates if len(candidates) else rows[: 1 + len(rows) // 2 : 1 + len(rows) // 64]
        total += float(pairwise_distances(X[rows], np.ascontiguousarray(X[candidates])).sum(axis=0).min())
    return total * scale


def _sentence(actions: list[dict], after: np.ndarray, least: int, most: int, small: str, bounded: bool) -> str:
    verbs = {
        "merged": "joined another", "dissolved": "were dissolved row by row", "set aside": "were set aside",
        "divided": "were divided",
    }  # fmt: skip
    parts = []
    for verb, words in verbs.items():
        rows = [action["rows"] for action in actions if action["action"] == verb]
        if rows:
            parts.append(f"{len(rows)} cluster{'s' if len(rows) > 1 else ''} with {sum(rows):,} rows {words}")
    parts += [f"{a['rows']:,} rows of no cluster went to the nearest" for a in actions if a["cluster"] is None]
    bounds = f"at least {least:,}" + (f" and at most {most:,}" if bounded else "") + " rows"
    if not len(after):
        parts.append(f"no cluster of {bounds} is left; lower min_size, use small='merge' or outliers='nearest'")
    elif (after < least).any():
        advice = "lower min_size" if small == "keep" or len(after) > 1 else "lower min_size, or use outliers='nearest'"
        parts.append(
            f"{int((after < least).sum())} of {len(after)} clusters still have fewer than {least:,} rows; {advice}"
        )
    elif (after > most).any():
        parts.append(
            f"{int((after > most).sum())} of {len(after)} clusters still have more than {most:,} rows, because equal rows stay "
            "together; raise max_size, or add a column that tells them apart"
        )
    else:
        parts.append(f"{len(after)} cluster{'s' if len(after) > 1 else ''} of {bounds}")
    return "; ".join(parts) + "."
