"""k-prototypes: K-means for rows of numbers and categories.

A prototype has the mean of its rows in each numeric column and their commonest value, the *mode*, in each categorical one. A row costs
its squared distance to the means plus ``gamma`` for each category that is not the mode. As in Lloyd's iteration, rows go to the
cheapest prototype and prototypes to the middle of their rows, until nothing changes. Without numbers this is k-modes, without
categories K-means. Cost O(n k d) a step.
"""

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from ..arrays import is_tensor, like_input, to_device, to_numpy
from ..base import Clusterer, Interval, StrOptions
from ..errors import InputError
from ..primitives.assign import center_sums
from ..primitives.conditioning import condition
from ..primitives.prototypes import nearest_prototype
from ._mixed import encode, levels_of, split_columns
from ._prototype_seeding import MixedRows, cao_rows, huang_rows

__all__ = ["KPrototypes", "Prototypes", "kprototypes"]


class Prototypes(NamedTuple):
    """Where `kprototypes` ended."""

    means: np.ndarray  # (k, p) float64
    modes: np.ndarray  # (k, c) int32
    labels: Any  # (n,) int64
    cost: float
    n_iter: int


def kprototypes(rows: MixedRows, means: np.ndarray, modes: np.ndarray, *, max_iter: int = 100) -> Prototypes:
    """Run the iteration from the given prototypes.

    Parameters
    ----------
    rows : MixedRows
    means : (k, p) float64 array
    modes : (k, c) int32 array
    max_iter : int, default=100

    Returns
    -------
    Prototypes
    """
    before = None
    for n_iter in range(1, max_iter + 1):  # noqa: B007 - returned
        labels, costs = (
            to_numpy(part) for part in nearest_prototype(rows.numbers, rows.codes, means, modes, rows.gamma)
        )
        if before is not None and (labels == before).all():
            break
        before = labels
        means, modes = _middles(rows, labels, means, modes)
        _fill_empty(rows, labels, costs, means, modes)
    else:
        labels, costs = (
            to_numpy(part) for part in nearest_prototype(rows.numbers, rows.codes, means, modes, rows.gamma)
        )
    return Prototypes(means, modes, labels, float(rows.weight @ costs), n_iter)


class KPrototypes(Clusterer):
    """k-prototypes clustering: k groups of rows that mix numbers and categories.

    Parameters
    ----------
    n_clusters : int, default=8
        How many groups, at most the number of rows.
    categorical : sequence of int or str, int or str, default=None
        Places or names of the categorical columns. None: of a frame, its columns of text and of categories; of an array of
        objects, the columns that hold a text; of numbers, none.
    gamma : float, default=None
        What a category that differs costs, in squared units of the numeric columns. None: half the mean standard deviation of
        the numeric columns (Huang's advice), 1 where there is none. Put the numeric columns on comparable scales first.
    init : {"cao", "huang"}, default="cao"
        Starting prototypes, which are rows. "cao": common rows far from each other, nothing is random. "huang": rows near to
        values drawn column by column.
    n_init : "auto" or int, default="auto"
        How many starts; the one of least cost is kept. "auto" is 1 for "cao", whose starts are all the same, and 10 for "huang".
    max_iter : int, default=100
        Most steps of one start.
    random_state : int, RandomState or None, default=None
        Seed of the starts of "huang".
    device : str, default="cpu"
        "cuda", "cuda:0", "mps" or "auto" move NumPy input to a GPU once; tensors are computed on where they lie.

    Attributes
    ----------
    cluster_centers_ : (n_clusters, d) array
        Means and modes in the columns of ``X``; an array of objects where there are categories.
    labels_ : (n,) int64 array
        Cheapest prototype of each row; a tensor where ``X`` was one.
    inertia_ : float
        Weighted sum of the costs of the rows.
    gamma_ : float
        What a differing category cost.
    categories_ : list of arrays
        Values of each categorical column, in the order of their codes: numbers, texts, None for missing.
    n_iter_ : int
        Steps of the best start.
    n_features_in_ : int
        Number of features seen in ``fit``.
    feature_names_in_ : (d,) array of str
        Their names, where ``X`` had names that are strings.

    See Also
    --------
    KMeans : For numbers only.

    Notes
    -----
    Cost: O(n k d) a step, memory one copy of the numeric columns and four bytes a category. A missing category is a value of its own;
    missing numbers are refused: fill them first. Of several commonest values the first in ``categories_`` is the mode. A prototype that loses all
    its rows moves to the most costly row. `predict` gives the cheapest prototype, ties to the lowest, and repeats ``labels_`` on the rows of the
    fit; a value that the fit has not seen differs from every mode.

    References
    ----------
    Huang, Z. (1998). Extensions to the k-means algorithm for clustering large data sets with categorical values. Data Mining
    and Knowledge Discovery, 2, 283-304. https://doi.org/10.1023/A:1009769707641

    Cao, F., Liang, J., & Bai, L. (2009). A new initialization method for categorical data clustering. Expert Systems with
    Applications, 36(7), 10223-10228. https://doi.org/10.1016/j.eswa.2009.01.060

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import KPrototypes
    >>> X = np.array([[1.0, "tea"], [1.2, "tea"], [5.0, "coffee"], [5.1, "coffee"], [1.1, "coffee"]], dtype=object)
    >>> model = KPrototypes(n_clusters=2).fit(X)
    >>> bool(model.labels_[0] == model.labels_[1] == model.labels_[4]), bool(model.labels_[0] == model.labels_[2])
    (True, False)
    >>> sorted(model.cluster_centers_[:, 1])
    ['coffee', 'tea']
    """

    _state_attributes: ClassVar = (
        "_prototype_means", "_prototype_modes", "_numeric_shift", "_scale", "_categorical",
    )  # fmt: skip
    _categorical: list[int]
    _parameter_constraints: ClassVar = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "categorical": ["array-like", str, Integral, None],
        "gamma": [Interval(Real, 0, None, closed="left"), None],
        "init": [StrOptions({"cao", "huang"})],
        "n_init": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "device": [str],
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        categorical=None,
        gamma=None,
        init="cao",
        n_init="auto",
        max_iter=100,
        random_state=None,
        device="cpu",
    ):
        self.n_clusters = n_clusters
        self.categorical = categorical
        self.gamma = gamma
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.random_state = random_state
        self.device = device

    def fit(self, X, y=None, sample_weight=None):
        """Find the prototypes.

        Parameters
        ----------
        X : (n, d) array, frame, list of rows or tensor
        y : ignored
        sample_weight : (n,) array, optional
            Weight of each row, not negative; an integer weight counts like that many equal rows.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If there are fewer rows than clusters, a number is missing or not finite, or a categorical column is not there.
        TypeError
            If a category is neither text nor number.
        """
        self._validate_params()
        numbers, values, n = self._take_apart(X, reset=True)
        if n < self.n_clusters:
            raise InputError(f"n_samples={n} should be >= n_clusters={self.n_clusters}; lower n_clusters or add rows")
        weight = self._check_weights(sample_weight, n)
        if weight is not None and (weight.min() < 0 or not weight.any()):
            raise InputError("sample_weight must not be negative, nor zero for every row")
        self.categories_ = [levels_of(column) for column in values]
        rows = self._prepare(numbers, values, n, np.ones(n) if weight is None else weight)
        best = None
        rng = check_random_state(self.random_state)
        automatic = self.n_init == "auto"
        for _ in range(1 if self.init == "cao" else 10 if automatic else self.n_init):
            chosen = cao_rows(rows, self.n_clusters) if self.init == "cao" else huang_rows(rows, self.n_clusters, rng)
            run = kprototypes(rows, *rows.take(chosen), max_iter=self.max_iter)
            if best is None or run.cost < best.cost:
                best = run
        self._keep(best, numbers, X)
        return self

    def predict(self, X):
        """Return the cheapest prototype of each row, ties to the lowest; a value that ``fit`` has not seen equals no mode.

        Parameters
        ----------
        X : (n, d) array, frame, list of rows or tensor

        Returns
        -------
        (n,) int64 array
        """
        check_is_fitted(self)
        numbers, values, n = self._take_apart(X, reset=False)
        rows = self._prepare(numbers, values, n)
        labels, _ = nearest_prototype(
            rows.numbers, rows.codes, self._prototype_means, self._prototype_modes, rows.gamma
        )
        return like_input(to_numpy(labels), X)

    def _take_apart(self, X, reset):
        """Check the rows; return the numeric columns (None where there are none), the categorical ones, and how many rows."""
        parts = split_columns(X, self.categorical if reset else self._categorical or None)
        if parts is None:
            numbers = self._gate_in(X, reset=reset)
            if reset:
                self._categorical = []
            return numbers, [], len(numbers)
        if reset:
            self._categorical = parts.categorical
        elif parts.categorical != self._categorical:
            raise InputError(
                f"columns {parts.categorical} of X hold text, but none did in fit; pass the columns that the model was fitted on"
            )
        numbers = None
        if is_tensor(X):
            self._gate_in(X, reset=reset)
            numbers = parts.numbers if parts.numbers is None else parts.numbers.contiguous()
        else:
            array = X if hasattr(X, "shape") else np.array(X, dtype=object)
            validate_data(self, array, reset=reset, skip_check_array=True)
            if parts.numbers is not None:
                numbers = to_device(_numbers(parts.numbers), self.device)
        return numbers, parts.values, len(parts.values[0])

    def _prepare(self, numbers, values, n, weight=None):
        """Return the rows in the coordinates of the computation; ``weight`` means that they are fitted and remembered."""
        codes = np.zeros((n, len(values)), np.int32)
        for j, (column, levels) in enumerate(zip(values, self.categories_, strict=True)):
            codes[:, j] = encode(column, levels)
        if numbers is None:
            conditioned = to_device(np.zeros((n, 1)), self.device)
            self._numeric_shift, self._scale = np.zeros(1), 1.0
        else:
            known = (None, None) if weight is not None else (self._numeric_shift, self._scale)
            conditioned, self._numeric_shift, self._scale = condition(numbers, *known)
        if weight is not None:
            self.gamma_ = self._choose_gamma(conditioned, weight, numbers is not None)
        gamma = min(self.gamma_ / self._scale / self._scale, 1e300)
        return MixedRows(conditioned, like_input(codes, conditioned), gamma, weight)

    def _choose_gamma(self, conditioned, weight, with_numbers):
        if self.gamma is not None:
            return float(self.gamma)
        if not with_numbers:
            return 1.0
        one = np.zeros(len(weight), np.int32)
        sums, total = (to_numpy(part) for part in center_sums(conditioned, one, 1, weight))
        mean = sums[0] / total[0]
        squares, _ = center_sums((conditioned - like_input(mean, conditioned)) ** 2, one, 1, weight)
        spread = float(np.sqrt(to_numpy(squares)[0] / total[0]).mean()) * self._scale
        return 0.5 * spread if spread > 0 else 1.0

    def _keep(self, best, numbers, X):
        self._prototype_means, self._prototype_modes, self.n_iter_ = best.means, best.modes, best.n_iter
        self.labels_ = like_input(best.labels, X)
        self.inertia_ = best.cost * self._scale * self._scale
        dtype = np.float32 if "float32" in str(getattr(numbers, "dtype", "")) else np.float64
        means = (best.means * self._scale + self._numeric_shift).astype(dtype)
        if not self._categorical:
            self.cluster_centers_ = like_input(means, X)
        else:
            centers = np.empty((len(means), self.n_features_in_), object)
            others = [j for j in range(self.n_features_in_) if j not in self._categorical]
            for j, place in enumerate(others):
                centers[:, place] = means[:, j].astype(float).tolist()
            for j, (place, levels) in enumerate(zip(self._categorical, self.categories_, strict=True)):
                centers[:, place] = levels[best.modes[:, j]]
            self.cluster_centers_ = centers
        n_found = len(np.unique(best.labels))
        if n_found < self.n_clusters:
            warnings.warn(
                f"{n_found} of n_clusters={self.n_clusters} clusters hold rows: there may be fewer distinct rows; lower n_clusters",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _restore(self, state):
        d, categorical, modes = state["n_features_in_"], state["_categorical"], state["_prototype_modes"]
        good = (
            all(type(j) is int and 0 <= j < d for j in categorical)
            and len(set(categorical)) == len(categorical) == modes.shape[1] == len(state["categories_"])
            and state["_prototype_means"].shape[1] == len(state["_numeric_shift"]) == max(1, d - len(categorical))
        )
        if not good:
            raise ValueError("its columns do not match")
        return super()._restore(state)


def _numbers(columns):
    """Return numeric columns as floats; what is no number raises, and NaN and infinity are named."""
    array = np.ascontiguousarray(columns, np.float32 if columns.dtype == np.float32 else np.float64)
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        row, column = bad[0]
        value = "NaN" if np.isnan(array[row, column]) else "infinity"
        raise InputError(
            f"Input X contains {value} at row {row}, numeric column {column}; KPrototypes needs finite numbers: fill or drop such rows first"
        )
    return array


def _middles(rows, labels, means, modes):
    """Return the means and modes of the rows of each prototype; one without weight stays."""
    k = len(means)
    sums, weights = (to_numpy(part) for part in center_sums(rows.numbers, labels.astype(np.int32), k, rows.weight))
    held = weights > 0
    means = np.where(held[:, None], sums / np.where(held, weights, 1.0)[:, None], means)
    codes, modes = to_numpy(rows.codes), modes.copy()
    for c in range(codes.shape[1]):
        levels = int(codes[:, c].max()) + 1
        counts = np.bincount(labels * levels + codes[:, c], rows.weight, k * levels).reshape(k, levels)
        modes[held, c] = counts.argmax(axis=1)[held]
    return means, modes


def _fill_empty(rows, labels, costs, means, modes):
    """Move each prototype without weight to the most costly row that is left; ties: the lowest row."""
    weights = np.bincount(labels, rows.weight, len(means))
    costs = np.where(rows.weight > 0, costs, -1.0)
    for prototype in np.flatnonzero(weights == 0).tolist():
        row = int(costs.argmax())
        if not costs[row] > 0:
            return
        costs[row] = -1.0
        (means[prototype],), (modes[prototype],) = rows.take([row])
