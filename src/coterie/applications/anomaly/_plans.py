"""What "auto" means: how history is measured and summed up, where that was left open."""

from typing import Any

import numpy as np

from ._history import Plan

__all__ = ["plan_for"]

_CLUSTERS, _CLUSTERS_OF_CLEAN, _CLUSTERS_WITH_SHAPE = 100, 200, 5
_ROWS_PER_CLUSTER = 4
_LEAST_SHARE, _LARGEST_SHARE, _N_SHARES = 0.005, 0.5, 4


def _is_clean(contamination: Any) -> bool:
    """Say whether history is known to hold normal rows only."""
    return contamination != "auto" and contamination == 0


def plan_for(model: Any, n_rows: int | None, column_of: np.ndarray) -> Plan:
    """Decide what the parameters of a `NormalcyModel` leave open.

    Parameters
    ----------
    model : NormalcyModel
    n_rows : int or None
        Of the history; None where representatives are there already.
    column_of : (d,) int64 array
        Column that each feature belongs to.

    Returns
    -------
    Plan
    """
    clean = _is_clean(model.contamination)
    least = model.min_share
    if least == "auto":
        least = 0.0 if clean else _LEAST_SHARE
    shares = (0.0,) if least == 0 else _ladder(least)
    leave_out = None if model.contamination == "auto" else float(model.contamination)
    scale, stretch = _scale(model, clean), None
    if scale == "range" and len(np.unique(column_of)) < len(column_of):
        stretch = np.where(np.bincount(column_of)[column_of] > 1, 2.0, 1.0)  # two levels differ where one value does
    as_coded = None if scale == "range" else _as_coded(model)
    return Plan(model.metric, _n_clusters(model, clean, n_rows), shares, scale, leave_out, stretch, as_coded)


def _n_clusters(model: Any, clean: bool, n_rows: int | None) -> int:
    if model.n_clusters != "auto":
        return int(model.n_clusters)
    most = _CLUSTERS_OF_CLEAN if clean else _CLUSTERS
    if isinstance(model.metric, str) and model.metric == "mahalanobis":
        most = _CLUSTERS_WITH_SHAPE
    return most if n_rows is None else max(1, min(most, n_rows // _ROWS_PER_CLUSTER))


def _scale(model: Any, clean: bool) -> str:
    if isinstance(model.metric, str) and model.metric == "gower":
        return "range"
    if callable(model.metric) or model.scale == "none":
        return "none"
    return "spread" if clean else "compressed"


def _as_coded(model: Any) -> np.ndarray | None:
    """Say which features of a table keep their scale: levels and texts, whose weight does not follow from how rare they are."""
    prepared = getattr(model, "prepared_", None)
    if prepared is None:
        return None
    return np.array([c.role not in ("number", "date") for c in prepared.codings for _ in c.feature_names], bool)


def _ladder(least: float) -> tuple[float, ...]:
    """Return shares from the least one to a half of history, in equal ratios."""
    if least >= _LARGEST_SHARE:
        return (float(least),)
    return tuple(np.geomspace(least, _LARGEST_SHARE, _N_SHARES).tolist())
