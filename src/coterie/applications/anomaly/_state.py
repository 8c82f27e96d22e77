"""What a `NormalcyModel` may be given: frames of any columns, and a fitted state from a file."""

from typing import Any

import numpy as np

from ._history import History
from ._scaling import Scaling

__all__ = ["check_restored", "is_mixed"]


def is_mixed(X: Any) -> bool:
    """Say whether a frame has columns that are no numbers."""
    kinds = getattr(X, "dtypes", None)
    if kinds is None or not hasattr(X, "columns"):
        return type(X) is dict
    return any(not hasattr(kind, "kind") or kind.kind not in "biuf" for kind in kinds)


def check_restored(model: Any) -> None:
    """Refuse a state whose parts do not fit one another.

    Raises
    ------
    ValueError
    """
    history, d = model._history, model.n_features_in_
    k = len(history.weights)
    scaling = Scaling(*history.scaling)
    shapes = {
        (d,): (scaling.center, scaling.spread, model._column_of),
        (k, d): (history.representatives,),
        (k,): (history.weights, model.kinds_),
    }
    good = isinstance(history, History) and k > 0 and len(model.held_out_scores_) > 0
    good = good and all(np.shape(part) == shape for shape, parts in shapes.items() for part in parts)
    good = good and (history.whiten is None) == (model.metric != "mahalanobis")
    good = good and (history.whiten is None or history.whiten.shape == (k, d, d))
    if not good:
        raise ValueError("the parts of the model do not fit one another")
