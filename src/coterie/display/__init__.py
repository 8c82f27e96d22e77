"""Pictures of a clustering for papers, drawn with Matplotlib: each holds its data, and draws it where it is told to.

As in scikit-learn, a display comes from an estimator (``from_estimator``) or from labels (``from_predictions``), and ``plot`` draws
it. Names load on first use, and Matplotlib is imported when something is drawn: ``pip install "coterie[plot]"``.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "ClusterMapDisplay": "cluster_map",
    "CondensedTreeDisplay": "condensed_tree",
    "DendrogramDisplay": "dendrogram",
    "ProfileDisplay": "profile",
    "ReachabilityDisplay": "reachability",
    "SilhouetteDisplay": "silhouette",
    "StabilityDisplay": "stability",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - the table above is the list


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'coterie.display' has no attribute {name!r}")
    value = getattr(import_module(f"coterie.display.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
