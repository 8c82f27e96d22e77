"""Population: no cluster smaller, and none larger, than asked for, whatever clusterer found them.

What is too small joins another cluster, or is dissolved, or set aside; what is too large is cut across its long axis. Every
step is a rule that a new row can be put through as well, so that ``predict`` repeats the labels of the fit.
"""

import warnings
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import clone
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods

from ..arrays import like_input, to_numpy
from ..base import Clusterer, Estimator, Interval, StrOptions, lazily
from ..errors import InputError, UnsupportedError
from ..primitives.blocks import in_blocks
from ..primitives.components import number_sets
from ..primitives.conditioning import condition
from ..primitives.neighbors import k_nearest
from .divide import Cuts, divide, part_of
from .population import cluster_means
from .population_blocks import after_merging, counted, refuse_for_blocks, refuse_large, relabelled
from .population_told import objective, prices, sentence

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

    Of rows in blocks, counts and means come from three passes after those of the clusterer; the clusters are those of rows in memory.
    What looks at single rows is refused: ``small="split"``, ``outliers="nearest"``, and a cluster that is above ``max_size``.

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

    _takes_blocks: ClassVar = True
    _rows: Any  # of the fit, None where they are in blocks
    _own: Any  # the clusterer's labels of them
    _cuts: dict[int, tuple[Cuts, int]]
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
        X : (n, d) array, frame or tensor; where the clusterer takes them also Dask array or frame, or RowFiles
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
        UnsupportedError
            If the clusterer, or what is to be done, needs all rows at once and they are in blocks.
        """
        self._validate_params()
        if in_blocks(X):
            return self._fit_blocks(X, fit_params)
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
        sizes, noise = (
            [np.bincount(part[part >= 0]) for part in (own, labels)],
            [int((part < 0).sum()) for part in (own, labels)],
        )
        price = objective(self.clusterer_, host, scale, own, labels)
        self._report(sizes, noise, price, least, most, actions)
        self.labels_ = like_input(labels, given)
        return self

    def _fit_blocks(self, X: Any, fit_params: dict) -> "Population":
        """Do the same from counts and means; ``labels_`` is computed when it is asked for."""
        refuse_for_blocks(self)
        rows = self._gate_blocks(X)
        least, most = self._sizes(len(rows))
        self.clusterer_ = clone(self.clusterer).fit(X, **fit_params)
        own = self.clusterer_.labels_ if hasattr(self.clusterer_, "labels_") else self.clusterer_.predict(X)
        found = counted(rows, own)
        actions: list[dict[str, Any]] = []
        group = self._places(found.sizes, lambda: found.means, least, NOISE, actions)
        self._group = np.where(group == NEAREST, NOISE, group)  # there are no rows to be near to
        self._rows, self._own, self._cuts, self._moving = None, None, {}, (np.zeros(rows.shape[1]), 1.0)
        names, sizes, within = after_merging(found, self._group[:-2])
        refuse_large(sizes, most)
        self._final = np.append(names, [-1, -1])
        noise = found.noise, len(rows) - int(sizes.sum())
        price = prices(
            self.clusterer_, [float(found.squares.sum()) * found.unit * found.unit, within * found.unit * found.unit]
        )
        self._report([found.sizes, sizes], noise, price, least, most, actions)
        self.labels_ = relabelled(own, self._final[self._group])
        return self

    @lazily(np.int64)
    def predict(self, X: Any) -> Any:
        """Ask the clusterer, and put its answer through the steps of the fit.

        Parameters
        ----------
        X : (n, d) array, frame or tensor, Dask array or frame, or RowFiles

        Returns
        -------
        (n,) int64 array
        """
        given, rows = X, self._gate_in(X, reset=False)
        host = to_numpy(rows)
        if hasattr(self.clusterer_, "predict"):
            own = to_numpy(self.clusterer_.predict(rows)).astype(np.int64)
        elif self._rows is None:
            raise UnsupportedError(
                f"{type(self.clusterer_).__name__} has no predict, and the rows of the fit, in blocks, are not at hand; labels_ has theirs"
            )
        else:
            own = self._own[_nearest(self._rows, host)]
        return like_input(self._labelled(host, own), given)

    def _labelled(self, rows: Any, own: np.ndarray) -> np.ndarray:
        """Return the final label of each row from the clusterer's; the rows matter where some are divided or sent somewhere."""
        found: np.ndarray = self._final[self._divided(rows, self._grouped(rows, own))]
        return found

    def _light(self) -> Any:
        light = super()._light()
        if isinstance(light.clusterer_, Estimator):
            light.clusterer_ = light.clusterer_._light()
            for name in [name for name, value in vars(light.clusterer_).items() if in_blocks(value)]:
                delattr(light.clusterer_, name)
        return light

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
        noise = np.flatnonzero(own < 0)
        noise_place = NOISE
        if self.outliers == "nearest" and len(noise) and k:
            noise_place = NEAREST
            clustered = np.flatnonzero(own >= 0)
            joined = own[clustered[_nearest(self._rows[clustered], self._rows[noise])]]
            own = own.copy()
            own[noise] = joined
            sizes = np.bincount(own, minlength=k)
            actions.append({"action": "sent to the nearest", "cluster": None, "rows": len(noise), "into": None})
        self._group = self._places(sizes, lambda: cluster_means(X, own, k), least, noise_place, actions)

    def _places(
        self, sizes: np.ndarray, means: Callable[[], np.ndarray], least: int, noise_place: int, actions: list[dict]
    ) -> np.ndarray:
        """Return in which group each cluster of these sizes ends; then of labels unknown, and of noise."""
        k = len(sizes)
        group = np.append(np.where(sizes > 0, np.arange(k), NEAREST), [NEAREST, noise_place])
        small = [int(c) for c in np.flatnonzero((sizes < least) & (sizes > 0))]
        if self.small == "merge":
            group[:k] = np.where(sizes > 0, _merged(means(), sizes, least, actions), NEAREST)
        elif small and self.small != "keep":
            place = NEAREST if self.small == "split" or self.outliers == "nearest" else NOISE
            if len(small) == int((sizes > 0).sum()) and place == NEAREST:
                small.remove(int(np.argmax(sizes)))  # somebody must stay for the others to go to
            group[small] = place
            said = "dissolved" if place == NEAREST else "set aside"
            actions += [{"action": said, "cluster": c, "rows": int(sizes[c]), "into": None} for c in small]
        if not (group[:k] >= 0).any():
            group[group == NEAREST] = NOISE
        return group

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
        self._cuts = {}
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

    def _report(self, sizes: Any, noise: Any, price: dict, least: int, most: int, actions: list[dict]) -> None:
        """Set ``report_`` from sizes and noise before and after, and warn where sizes could not be kept."""
        before, after = sizes
        self.report_ = {
            "sentence": sentence(actions, after, least, most, self.small, self.max_size is not None),
            "satisfied": bool(len(after) > 0 and not (after < least).any() and not (after > most).any()),
            "min_rows": least,
            "max_rows": most if self.max_size is not None else None,
            "sizes_before": before[before > 0].tolist(),
            "sizes_after": after.tolist(),
            "noise_before": noise[0],
            "noise_after": noise[1],
            "actions": actions,
            "objective": price,
        }
        if not self.report_["satisfied"]:
            warnings.warn(self.report_["sentence"], stacklevel=3)


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
