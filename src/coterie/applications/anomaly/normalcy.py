"""`NormalcyModel`: what is normal, learnt from a history; how far new rows are from it; how rare that is; and which columns say so."""

import warnings
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import OutlierMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Options
from sklearn.utils.validation import check_is_fitted

from ...base import Estimator, Interval, StrOptions
from ...errors import ClusterWarning, InputError
from ...tables import Prepared, Table, prepare, read
from . import _calibration as calibration
from ._explaining import Explanation, responsible
from ._history import History, Plan, learn, scores_of
from ._kinds import kinds_of
from ._levels import coded
from ._metrics import METRICS, distances2
from ._plans import plan_for
from ._scaling import scaled
from ._state import check_restored, is_mixed

__all__ = ["NormalcyModel"]

_NAMED_SHARE = 0.05


class NormalcyModel(OutlierMixin, Estimator):
    """Rows that are unlike a history of mostly normal rows.

    Parameters
    ----------
    metric : {"euclidean", "mahalanobis", "gower"} or callable, default="euclidean"
        "mahalanobis" measures from a few clusters, each with its own covariance. "gower" adds up differences as shares of each
        column's range. A callable takes two rows as they were given and returns their distance; it is called for every row and
        representative.
    n_clusters : int or "auto", default="auto"
        Representatives that sum up history, at most one for four rows: 200 where it is known to be clean, 100 otherwise, and 5 for
        "mahalanobis".
    contamination : "auto", 0 or float, default="auto"
        Share of history that is not normal. 0: it is known to be clean, nothing is left out, and one like row is enough to be normal.
        "auto": not known; rows far from all others are left out of the summary, and those very far count as no normal rows for
        p-values. A share, at most 0.5: the farthest are left out, they count as no normal rows, and `predict` finds as many in history.
    min_share : float or "auto", default="auto"
        Least share of history that makes a place normal; "auto" is 0 where it is known to be clean, and else 0.005. Distances to
        four shares from this one to 0.5 are multiplied; with 0, the nearest representative alone counts.
    fpr : float, default=0.01
        False-alarm rate of `predict`: the share of normal rows that are called alarms.
    calibration : {"random", "time"}, default="random"
        "time": rows of the history are in order of time; the last three tenths are judged by what came before.
    scale : {"auto", "none"}, default="auto"
        "auto" measures columns in standard deviations; unless history is known to be clean, a logarithm is put on what lies beyond
        four of them. Columns of tables that are no numbers keep the weight that `coterie.tables.prepare` gives them. A callable metric
        gets the rows as they are.
    random_state : int, RandomState or None, default=None
        Seed.

    Attributes
    ----------
    n_clusters_ : int
        Representatives.
    kinds_ : (n_clusters_,) int64 array
        Kind of normal behaviour of each representative, 0 the largest kind.
    kind_shares_ : (number of kinds,) float64 array
        Share of each kind.
    held_out_scores_ : (m,) float64 array
        Ascending distances of rows of history that the summary which judged them had not seen.
    left_out_ : float
        Share of the rows of history that its summary does not stand on.
    suspects_ : float
        Share of the rows of history that do not count as normal for p-values.
    offset_ : float
        `predict` calls rows with a lower score alarms.
    fpr_ : float
        False-alarm rate that `predict` keeps: ``fpr``, or what the number of rows allows.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : (d,) array of str
        Names of the columns, where ``X`` was a frame of numbers.

    See Also
    --------
    LocalOutlierFactor : Rows in a thinner place than their neighbours, at O(n) memory for new rows.

    Notes
    -----
    The score is minus the geometric mean of the distances to the nearest 0.5, 2.3, 10.8 and 50 % of history, summed up by k-means
    centers; so neither a few bad rows nor a small group of them make their own place look normal. P-values are conformal: their
    false-alarm rate holds for any distribution as long as new rows are like those of history (with "auto", those that are not left
    out, about one row of a clean history). What is not normal in history and is not left out makes them larger: the
    rate is then kept, and alarms are missed; give ``contamination`` where the share is known.

    Cost: 21 k-means fits of up to 10,000 rows (twice as many where history may not be clean), of more one on 100,000 at most; scores O(n d k) time in blocks.

    References
    ----------
    Chazal, F., Cohen-Steiner, D., & Mérigot, Q. (2011). Geometric inference for probability measures. Foundations of Computational
    Mathematics, 11, 733-751. https://doi.org/10.1007/s10208-011-9098-0

    Vovk, V., Gammerman, A., & Shafer, G. (2005). Algorithmic learning in a random world. Springer.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import NormalcyModel
    >>> history = np.random.default_rng(0).normal(size=(500, 2))
    >>> model = NormalcyModel(random_state=0).fit(history)
    >>> model.predict([[0.1, -0.2], [0.0, 7.0]])
    array([ 1, -1])
    >>> model.explain([[0.0, 7.0]], top=1).columns
    array([[1]])
    """

    _parameter_constraints: ClassVar[dict] = {
        "metric": [StrOptions(set(METRICS)), callable],
        "n_clusters": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "contamination": [StrOptions({"auto"}), Options(Real, {0}), Interval(Real, 0, 0.5, closed="right")],
        "min_share": [StrOptions({"auto"}), Interval(Real, 0, 0.5, closed="both")],
        "fpr": [Interval(Real, 0, 1, closed="neither")],
        "calibration": [StrOptions({"random", "time"})],
        "scale": [StrOptions({"auto", "none"})],
        "random_state": ["random_state"],
    }
    _state_attributes = ("_history", "_column_of")
    _history: History
    prepared_: Prepared | None
    left_out_: float

    def __init__(
        self,
        metric: Any = "euclidean",
        n_clusters: Any = "auto",
        *,
        contamination: Any = "auto",
        min_share: Any = "auto",
        fpr: float = 0.01,
        calibration: str = "random",
        scale: str = "auto",
        random_state: Any = None,
    ) -> None:
        self.metric = metric
        self.n_clusters = n_clusters
        self.contamination = contamination
        self.min_share = min_share
        self.fpr = fpr
        self.calibration = calibration
        self.scale = scale
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> "NormalcyModel":
        """Learn what is normal.

        Parameters
        ----------
        X : (n, d) array, frame or coterie.tables.Table
            History. Columns other than numbers are prepared as by `coterie.run`.
        y : ignored
            Present by convention.

        Returns
        -------
        NormalcyModel
            This one.

        Raises
        ------
        InputError
            If there are fewer than two rows, or no column can be used.
        """
        self._validate_params()
        return self._learn(self._rows(X, reset=True))

    def fit_prepared(self, prepared: Prepared) -> "NormalcyModel":
        """Learn what is normal from a table that was prepared already, for example with roles of one's own.

        Parameters
        ----------
        prepared : coterie.tables.Prepared

        Returns
        -------
        NormalcyModel
            This one.
        """
        self._validate_params()
        return self._learn(self._rows_of(prepared))

    def _learn(self, rows: np.ndarray) -> "NormalcyModel":
        if len(rows) < 2:
            raise InputError(f"NormalcyModel learns from many rows, but got {len(rows)} sample; give at least 2")
        plan = self.plan(len(rows))
        random = check_random_state(self.random_state)
        order = "time" if self.calibration == "time" else "none"
        learnt, held_out = calibration.held_out_scores(rows, plan, order, random)
        self._history, self.left_out_ = learnt or learn(rows, plan, random)
        self.n_clusters_ = len(self._history.weights)
        self.kinds_ = kinds_of(self._history, _NAMED_SHARE)
        self.kind_shares_ = np.bincount(self.kinds_, self._history.weights)
        self.held_out_scores_ = calibration.normal_scores(held_out, plan.leave_out)
        self.suspects_ = 1.0 - len(self.held_out_scores_) / len(held_out)
        self.fpr_ = self._usable_fpr(len(self.held_out_scores_))
        self.offset_ = -calibration.threshold(self.held_out_scores_, self.fpr_)
        if plan.leave_out:
            self.offset_ = float(np.percentile(-scores_of(self._history, rows, plan), 100.0 * plan.leave_out))
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """Return minus the distance of each row to history: the lower, the less normal.

        Parameters
        ----------
        X : (n, d) array, frame or table

        Returns
        -------
        (n,) float64 array
        """
        rows = self._rows(X, reset=False)
        return -scores_of(self._history, rows, self.plan())

    def decision_function(self, X: Any) -> np.ndarray:
        """Return by how much each row's score lies above ``offset_``: negative for alarms.

        Parameters
        ----------
        X : (n, d) array, frame or table

        Returns
        -------
        (n,) float64 array
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:
        """Say of each row whether it is normal.

        Parameters
        ----------
        X : (n, d) array, frame or table

        Returns
        -------
        (n,) int64 array
            1 for normal rows, -1 for alarms.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def p_values(self, X: Any) -> np.ndarray:
        """Return for each row the share of normal rows that are as far from history, the row itself counted among them.

        Parameters
        ----------
        X : (n, d) array, frame or table

        Returns
        -------
        (n,) float64 array
            Small for alarms. Calling rows with at most a alarms has a false-alarm rate of at most a on rows like those of history.
        """
        return self.p_values_of(self.score_samples(X))

    def p_values_of(self, scores: np.ndarray) -> np.ndarray:
        """Return the p-values of scores that `score_samples` gave."""
        return calibration.p_values(-scores, self.held_out_scores_)

    def explain(self, X: Any, top: int = 3) -> Explanation:
        """Say which columns make each row remote.

        Parameters
        ----------
        X : (n, d) array, frame or table
        top : int, default=3
            How many columns to name.

        Returns
        -------
        Explanation
        """
        rows = self._rows(X, reset=False)
        shares = responsible(self._history, self.plan(), rows, self._column_of)
        order = np.argsort(-shares, axis=1, kind="stable")[:, : max(1, int(top))]
        return Explanation(order, np.take_along_axis(shares, order, axis=1), self.column_names())

    def nearest_kind(self, X: Any) -> np.ndarray:
        """Return the kind of normal behaviour that each row is nearest to, (n,) int64."""
        rows = scaled(self._rows(X, reset=False), self._history.scaling)
        nearest = [
            distances2(block, self._history.representatives, self._history.whiten, self.metric).argmin(axis=1)
            for block in np.array_split(rows, max(1, len(rows) // 10_000))
        ]
        return self.kinds_[np.concatenate(nearest)]

    def column_names(self) -> tuple[str, ...]:
        """Return the names of the columns that `explain` speaks of."""
        if self.prepared_ is not None:
            return tuple(coding.column for coding in self.prepared_.codings if coding.used)
        names = getattr(self, "feature_names_in_", None)
        return tuple(f"x{j}" for j in range(self.n_features_in_)) if names is None else tuple(map(str, names))

    def _usable_fpr(self, n_held_out: int) -> float:
        least = 1.0 / (n_held_out + 1)
        if self.fpr < least - 1e-12:
            warnings.warn(
                f"a false-alarm rate of {self.fpr:g} needs {calibration.rows_needed(self.fpr):,} rows to be judged by, and there are "
                f"{n_held_out:,}; predict keeps {least:.3g} instead; give more history",
                ClusterWarning, stacklevel=3,
            )  # fmt: skip
        return float(max(self.fpr, least))

    def plan(self, n_rows: int | None = None) -> Plan:
        """Return what was asked for with every "auto" decided, for a history of ``n_rows`` rows."""
        return plan_for(self, n_rows, self._column_of)

    def _rows(self, X: Any, *, reset: bool) -> np.ndarray:
        if reset:
            self.prepared_ = None
            if isinstance(X, Table) or is_mixed(X):
                return self._rows_of(prepare(read(X), scale="z-score"))
        else:
            check_is_fitted(self)
            if self.prepared_ is not None:
                return coded(self.prepared_, read(X), self.metric)
        rows = np.asarray(self._gate_in(X, reset=reset), np.float64)
        if reset:
            self._column_of = np.arange(rows.shape[1])
        return rows

    def _rows_of(self, prepared: Prepared) -> np.ndarray:
        self.prepared_ = replace(prepared, X=prepared.X[:0])  # how to code rows; history itself is not kept
        self.n_features_in_ = prepared.X.shape[1]
        self.__dict__.pop("feature_names_in_", None)
        self._column_of = np.unique(prepared.feature_columns, return_inverse=True)[1].astype(np.int64)
        return np.asarray(prepared.X)

    def _fitted_state(self) -> dict[str, Any]:
        state = super()._fitted_state()
        if state.get("prepared_") is not None:
            state["prepared_"] = state["prepared_"].state()[0]
        return state

    def _restore(self, state: dict[str, Any]) -> "NormalcyModel":
        if state.get("prepared_") is not None:
            state["prepared_"] = Prepared.from_state(state["prepared_"], {})
        super()._restore(state)
        check_restored(self)
        return self
