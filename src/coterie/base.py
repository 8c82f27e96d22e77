"""What all clusterers share: the gate in, the gate out, and the state that a model file keeps."""

import copy
import functools
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from .arrays import first_bad_value, is_tensor, to_device, unsealed
from .errors import InputError, UnsupportedError
from .primitives.blocks import block_rows, by_block, in_blocks

__all__ = ["Clusterer", "Estimator", "Interval", "StrOptions", "lazily"]


def lazily(dtype: Any, width: str | None = None) -> Callable:
    """Let a method that works on each row alone take rows in blocks: it then returns a Dask array, computed when asked for.

    Parameters
    ----------
    dtype : dtype
        Of what the method returns.
    width : str, optional
        The attribute that holds its number of columns; one value a row by default.
    """

    def decorate(method: Callable) -> Callable:
        @functools.wraps(method)
        def of_rows_or_blocks(self: "Estimator", X: Any, *args: Any, **kwargs: Any) -> Any:
            if not in_blocks(X):
                return method(self, X, *args, **kwargs)
            check_is_fitted(self)
            return self._by_block(X, method.__name__, dtype, width, options=kwargs)

        return of_rows_or_blocks

    return decorate


class Estimator(BaseEstimator):
    """Base of every estimator: parameters as scikit-learn has them, arrays of any engine in, the same kind out."""

    _takes_blocks: ClassVar[bool] = False
    """Whether ``fit`` takes rows in blocks."""

    _state_attributes: ClassVar[tuple[str, ...]] = ()
    """Private fitted attributes that a model file must keep beside those that end in an underscore."""

    def _gate_in(
        self,
        X: Any,
        *,
        reset: bool,
        accept_sparse: bool = False,
        dtype: Any = (np.float64, np.float32),
        place: Callable[[np.ndarray, str], Any] = to_device,
    ) -> Any:
        """Check the rows and return them as a C-contiguous float array of the engine that shall compute on them.

        Parameters
        ----------
        X : array, frame, sparse array or tensor of shape (n, d)
        reset : bool
            True in ``fit``: remember number and names of the features; False in ``predict``: compare with them.
        accept_sparse : bool
            Whether SciPy's sparse rows may pass; they stay sparse (CSR).
        dtype : sequence of dtypes
            Allowed ones; anything else becomes the first.
        place : callable
            Brings a NumPy array to where it is computed on.
        """
        if not reset:
            check_is_fitted(self)
        if in_blocks(X):
            if self._takes_blocks and not reset:
                self._refuse_blocks(X, "this method")
            return self._gate_blocks(X)
        if is_tensor(X):
            return self._gate_tensor(X, reset)
        if (
            isinstance(X, np.ndarray) and X.dtype.kind in "mM"
        ):  # NumPy would turn them into counts, and NaT into -9.2e18
            raise InputError(f"expected numbers, got {X.dtype}; subtract a start and divide by a unit first")
        rows = validate_data(
            self,
            X,
            reset=reset,
            dtype=list(dtype),
            order="C",
            accept_sparse="csr" if accept_sparse else False,
            ensure_all_finite=False,
        )
        self._refuse_bad_values(rows)
        return place(unsealed(rows), getattr(self, "device", "cpu")) if isinstance(rows, np.ndarray) else rows

    def _gate_blocks(self, X: Any, sample_weight: Any = None) -> Any:
        """Check rows in blocks, in a pass over them, and return them as the primitives take them."""
        if not self._takes_blocks:
            raise UnsupportedError(
                f"{type(self).__name__} needs all rows at once and got blocks of them ({type(X).__name__}); pass X.compute() if they fit "
                "into memory, or take KMeans, DBSCAN, HDBSCAN or STING"
            )
        if sample_weight is not None and not in_blocks(sample_weight):
            sample_weight = np.asarray(sample_weight, np.float64)
        rows = block_rows(X, sample_weight, device=getattr(self, "device", "cpu"))
        self.n_features_in_ = rows.shape[1]
        self.__dict__.pop("feature_names_in_", None)
        if rows.names is not None and all(isinstance(name, str) for name in rows.names):
            self.feature_names_in_ = np.array(rows.names, dtype=object)
        return rows

    def _refuse_blocks(self, X: Any, what: str) -> None:
        """Raise if there are rows in blocks where a method takes rows in memory only."""
        if in_blocks(X):
            raise UnsupportedError(
                f"{what} needs rows in memory and got blocks of them ({type(X).__name__}); fit and predict of "
                f"{type(self).__name__} take blocks, and X.compute() gives rows in memory"
            )

    def _light(self) -> Any:
        """Return a copy that is sent to where `predict` or `transform` runs on a block: without what is as large as the rows."""
        light = copy.copy(self)
        light.__dict__.pop("labels_", None)
        return light

    def _by_block(
        self, X: Any, name: str, dtype: Any, width: str | None = None, lengths: Any = None, options: dict | None = None
    ) -> Any:
        """Return what the method of that name gives for each block, as a Dask array."""
        names = [str(column) for column in X.columns] if hasattr(X, "columns") else None
        d = X.shape[1]
        if d != self.n_features_in_:
            raise InputError(
                f"X has {d} features, but {type(self).__name__} is expecting {self.n_features_in_} features as input"
            )
        if names is not None and list(getattr(self, "feature_names_in_", names)) != names:
            raise InputError(
                "the columns are not those of the fit, or not in the same order; choose them by name first"
            )
        light = self._light()
        for attribute in [key for key, value in vars(light).items() if in_blocks(value)]:
            delattr(light, attribute)  # labels of the fit would bring the rows of the fit along
        light.__dict__.pop("feature_names_in_", None)  # blocks come as plain arrays
        function = functools.partial(getattr(type(self), name), light, **(options or {}))
        return by_block(X, function, dtype, None if width is None else int(getattr(self, width)), lengths)

    def _refuse_bad_values(self, rows: Any) -> None:
        """Raise if an array, dense or sparse, holds NaN or infinity."""
        bad = first_bad_value(rows if isinstance(rows, np.ndarray) else rows.data[:, None])
        if bad is not None:
            raise InputError(self._bad_value_sentence(rows, bad))

    def _gate_tensor(self, X: Any, reset: bool) -> Any:
        if X.ndim != 2 or 0 in X.shape:
            raise InputError(f"expected a tensor of n rows and d columns, neither 0, got shape {tuple(X.shape)}")
        if not X.is_floating_point() or X.dtype.itemsize < 4:
            X = X.to(X.new_empty(0).double().dtype if not X.is_floating_point() else X.new_empty(0).float().dtype)
        if not bool(X.isfinite().all()):
            raise InputError("the tensor contains NaN or infinity; fill or drop those rows first")
        if reset:
            self.n_features_in_ = X.shape[1]
        elif X.shape[1] != self.n_features_in_:
            raise InputError(
                f"X has {X.shape[1]} features, but {type(self).__name__} is expecting {self.n_features_in_} features as input"
            )
        return X.detach().contiguous()

    def _bad_value_sentence(self, rows: Any, bad: tuple[int, int]) -> str:
        if not isinstance(rows, np.ndarray):
            return (
                f"Input X contains NaN or infinity among its stored values; {type(self).__name__} needs finite numbers"
            )
        row, column = bad
        value = "NaN" if np.isnan(rows[row, column]) else "infinity"
        names = getattr(self, "feature_names_in_", None)
        where = f"column {column}" if names is None else f"column {names[column]!r}"
        return f"Input X contains {value} at row {row}, {where}; {type(self).__name__} needs finite numbers: fill or drop such rows first"

    def _check_weights(self, sample_weight: Any, n: int) -> np.ndarray | None:
        """Return ``sample_weight`` as (n,) float64, or None where every row counts once."""
        if sample_weight is None:
            return None
        if is_tensor(sample_weight):
            sample_weight = sample_weight.detach().cpu().numpy()
        weights = np.ascontiguousarray(sample_weight, dtype=np.float64)
        if weights.ndim == 0:
            weights = np.full(n, float(weights))
        if weights.shape != (n,):
            raise InputError(f"sample_weight must hold one weight for each of the {n} rows, got shape {weights.shape}")
        if not np.isfinite(weights).all():
            raise InputError("sample_weight contains NaN or infinity; every weight must be a finite number")
        return weights

    def _fitted_state(self) -> dict[str, Any]:
        """Return what `_restore` needs to make an equal estimator: arrays, numbers, strings."""
        public = [name for name in vars(self) if name.endswith("_") and not name.startswith("_")]
        names = [name for name in (*public, *self._state_attributes) if hasattr(self, name)]
        # Labels of rows in blocks are a way to compute them from rows that lie elsewhere.
        return {name: getattr(self, name) for name in names if not in_blocks(getattr(self, name))}

    def _restore(self, state: dict[str, Any]) -> "Estimator":
        """Take the fitted state of another estimator of the same class and parameters."""
        for name, value in state.items():
            setattr(self, name, value)
        return self


class Clusterer(ClusterMixin, Estimator):
    """Base of every clusterer."""
