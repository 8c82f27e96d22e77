"""What must hold before an estimator is given a state that came from a file."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import ModelFileError

__all__ = ["construct", "mapping", "restore", "state"]

# Everything that a made-up state can make NumPy, SciPy or an estimator say.
_COMPLAINTS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, NotImplementedError)


def mapping(value: Any, what: str) -> dict[str, Any]:
    """Return ``value`` if it is a JSON object, else raise."""
    if not isinstance(value, dict):
        raise ModelFileError(f"the model is damaged: {what} cannot be read")
    return value


def construct(kind: type, parameters: Mapping[str, Any]) -> Any:
    """Build the unfitted estimator; its own checks of parameter values apply."""
    estimator = kind()
    known = estimator.get_params(deep=False)
    unknown = [name for name in parameters if name not in known]
    if unknown:
        raise ModelFileError(f"{kind.__name__} has no parameter {unknown[0][:80]!r}; a newer coterie may have")
    try:
        estimator = kind(**parameters)
        if hasattr(estimator, "_validate_params"):
            estimator._validate_params()
    except _COMPLAINTS as error:
        raise ModelFileError(
            f"the model's parameters are not valid for {kind.__name__}: {_first_line(error)}"
        ) from error
    return estimator


def state(kind: type, values: Mapping[str, Any], label_map: Any) -> None:
    """Check names and shapes: only fitted attributes, and sizes that agree with one another."""
    extra = getattr(kind, "_state_attributes", ())
    for name in values:
        fitted = name.endswith("_") and not name.startswith("_") and name.isidentifier()
        if not (fitted or name in extra) or callable(getattr(kind, name, None)):
            raise ModelFileError(f"the model is damaged: {name[:80]!r} is not a fitted attribute of {kind.__name__}")
    n_features = values.get("n_features_in_")
    if n_features is not None and (type(n_features) is not int or n_features < 1):
        raise ModelFileError("the model is damaged: its number of features is not a number above 0")
    _check_names(values.get("feature_names_in_"), n_features)
    _check_centers(values.get("cluster_centers_"), n_features)
    top = _check_labels(values.get("labels_"))
    _check_indices(values.get("core_sample_indices_"), values.get("labels_"))
    if label_map is not None:
        good = _is_vector(label_map, "i") and len(label_map) > top and np.all(label_map >= -1)
        if not good or np.any(label_map >= max(len(label_map), 1)):
            raise ModelFileError("the model is damaged: its label map does not fit its labels")


def restore(estimator: Any, values: Mapping[str, Any]) -> None:
    """Hand ``values`` to the estimator; whatever it objects to is said in one sentence."""
    try:
        estimator._restore(dict(values))
    except ModelFileError:
        raise
    except _COMPLAINTS as error:
        raise ModelFileError(
            f"the fitted state does not suit {type(estimator).__name__}: {_first_line(error)}"
        ) from error


def _is_vector(value: Any, kinds: str) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in kinds


def _check_names(names: Any, n_features: int | None) -> None:
    if names is not None and not (_is_vector(names, "OU") and len(names) == n_features):
        raise ModelFileError("the model is damaged: its feature names do not match its number of features")


def _check_centers(centers: Any, n_features: int | None) -> None:
    if centers is None:
        return
    good = isinstance(centers, np.ndarray) and centers.ndim == 2 and centers.dtype.kind == "f" and len(centers) > 0
    if not good or (n_features is not None and centers.shape[1] != n_features):
        raise ModelFileError("the model is damaged: its centres do not match its number of features")
    if not np.all(np.isfinite(centers)):
        raise ModelFileError("the model is damaged: its centres are not finite")


def _check_labels(labels: Any) -> int:
    """Return the largest label, -1 for none."""
    if labels is None:
        return -1
    if not _is_vector(labels, "iu") or np.any(labels < -1):
        raise ModelFileError("the model is damaged: its labels are not labels")
    return int(labels.max(initial=-1))


def _check_indices(indices: Any, labels: Any) -> None:
    if indices is None or labels is None:
        return
    if not _is_vector(indices, "iu") or np.any(indices < 0) or np.any(indices >= len(labels)):
        raise ModelFileError("the model is damaged: a core point is not one of its rows")


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0][:300] if lines else type(error).__name__
