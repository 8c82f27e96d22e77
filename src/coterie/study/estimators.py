"""Build the estimator that a candidate names, and say what a study must know of it."""

import inspect
from importlib import import_module
from typing import Any

from ..catalog import CATALOG, entry
from ..errors import InputError

__all__ = ["build", "final", "method_name", "needs_k", "parameters", "scaled", "takes"]

# The last fit of K-means has up to ten starts, as long as all cost less than so many numbers read, rows times columns times groups.
STARTS, MOST_STARTS = 3, 10
CHEAP = 4e7

# Set by the study itself, not by its user's ``params``; a study works on one matrix of numbers.
_OWN = {"random_state", "device", "categorical"}
# Of several methods' parameters, those that count rows: as shares of the rows they mean the same on a sample.
_COUNTS = {
    "DBSCAN": ("min_samples",),
    "HDBSCAN": ("min_cluster_size",),
    "KMeans": ("min_cluster_size", "max_cluster_size"),
    "OPTICS": ("min_cluster_size",),
    "STING": ("min_points",),
}


def method_name(method: str) -> str:
    """Return the catalog's spelling of a method name, whatever its case.

    Raises
    ------
    InputError
        If there is no such method.
    """
    plain = str(method).lower().replace("-", "").replace("_", "")
    for line in CATALOG:
        if line.name.lower() == plain:
            return line.name
    raise InputError(f"method must be 'auto' or one of {', '.join(line.name for line in CATALOG)}, got {method!r}")


def needs_k(method: str) -> bool:
    """Say whether the method must be told the number of groups."""
    return entry(method).needs_k


def parameters(method: str) -> tuple[str, ...]:
    """Return the names of the parameters that a study's user may set."""
    return tuple(name for name in inspect.signature(_class(method)).parameters if name not in _OWN)


def takes(method: str, params: dict[str, Any]) -> None:
    """Refuse parameters that ``method`` does not have.

    Raises
    ------
    InputError
        Naming the parameter and those there are.
    """
    known = parameters(method) if params else ()
    for name in params:
        if name not in known:
            raise InputError(f"{method} has no parameter {name!r}; it has {', '.join(known)}")


def scaled(method: str, params: dict[str, Any], n_from: int, n_to: int) -> dict[str, Any]:
    """Return the parameters that mean on ``n_to`` rows what ``params`` mean on ``n_from``: counts are shares of the rows."""
    counts = {} if n_from == n_to else {name: params.get(name) for name in _COUNTS.get(method, ())}
    return params | {
        name: max(round(count * n_to / n_from), 2)
        for name, count in counts.items()
        if isinstance(count, int) and not isinstance(count, bool)
    }


def final(method: str, params: dict[str, Any], n_rows: int, n_columns: int) -> dict[str, Any]:
    """Return the parameters of the fit that is kept: where they cost little, K-means has more starts than while candidates are tried."""
    if method != "KMeans":
        return params
    once = n_rows * n_columns * int(params.get("n_clusters") or 8)
    return {"n_init": int(min(max(CHEAP // max(once, 1), STARTS), MOST_STARTS))} | params


def build(method: str, params: dict[str, Any], seed: int) -> Any:
    """Return an unfitted estimator; ``seed`` goes where there is chance."""
    cls = _class(method)
    if method == "KMeans":
        # One start of twenty groups or more often merges two and splits a third.
        params = {"n_init": STARTS} | params
    seeded = {"random_state": seed} if "random_state" in inspect.signature(cls).parameters else {}
    return cls(**seeded, **params)


def _class(method: str) -> Any:
    module, _, name = entry(method).target.partition(":")
    return getattr(import_module(module), name)
