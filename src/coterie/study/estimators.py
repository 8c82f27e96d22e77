"""Build the estimator that a candidate names."""

from importlib import import_module
from typing import Any

from ..catalog import CATALOG, entry
from ..errors import InputError

__all__ = ["build", "method_name", "takes"]

# Parameters of each method that a study may set; the catalog has the classes.
_PARAMETERS = {
    "KMeans": ("n_clusters", "init", "n_init", "max_iter", "tol", "algorithm", "metric"),
    "DBSCAN": ("eps", "min_samples", "metric"),
    "HDBSCAN": (
        "min_cluster_size",
        "min_samples",
        "metric",
        "cluster_selection_method",
        "cluster_selection_epsilon",
        "max_cluster_size",
        "allow_single_cluster",
    ),
}


def method_name(method: str) -> str:
    """Return the catalog's spelling of a method name, whatever its case.

    Raises
    ------
    InputError
        If no such method can be run by a study.
    """
    plain = str(method).lower().replace("-", "").replace("_", "")
    for line in CATALOG:
        if line.name.lower() == plain and line.name in _PARAMETERS:
            return line.name
    raise InputError(f"method must be 'auto' or one of {', '.join(_PARAMETERS)}, got {method!r}")


def takes(method: str, params: dict[str, Any]) -> None:
    """Refuse parameters that ``method`` does not have.

    Raises
    ------
    InputError
        Naming the parameter and those there are.
    """
    for name in params:
        if name not in _PARAMETERS[method]:
            raise InputError(f"{method} has no parameter {name!r}; it has {', '.join(_PARAMETERS[method])}")


def build(method: str, params: dict[str, Any], seed: int) -> Any:
    """Return an unfitted estimator; ``seed`` goes where there is chance."""
    module, _, name = entry(method).target.partition(":")
    cls = getattr(import_module(module), name)
    if method == "KMeans":
        # One start of twenty groups or more often merges two and splits a third.
        return cls(random_state=seed, **({"n_init": 3} | params))
    return cls(**params)
