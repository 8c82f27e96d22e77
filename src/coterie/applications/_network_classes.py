"""Which method finds the classes of a network, and what becomes of its labels: isolated nodes, small classes, the order."""

import warnings
from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from ..arrays import Graph
from ..catalog import entry
from ..errors import InputError
from ..graphs import to_scipy
from ._network_check import LEAK, agreement
from ._network_nodes import NodeAttributes
from ._network_settle import has_others, join_small, largest_first

__all__ = ["METHODS", "Found", "find_classes"]

METHODS = {
    "leiden": "Leiden",
    "louvain": "Louvain",
    "balanced_cut": "BalancedCut",
    "block_model": "BlockModel",
    "spectral": "SpectralClustering",
    "attributed": "AttributedGraphClustering",
}
_NEEDS_K = {"balanced_cut", "spectral"}
# Those that do not take a number of classes at all, and those that take the other options.
_FINDS_K = {"leiden", "louvain"}
_TAKES = {"resolution": {"leiden", "louvain"}, "imbalance": {"balanced_cut"}}
_OBJECTIVES = {
    "leiden": ("modularity", "cpm"),
    "louvain": ("modularity", "cpm"),
    "balanced_cut": ("edge_cut", "ratio_cut", "normalized_cut", "min_max_cut"),
    "spectral": ("normalized_cut", "ratio_cut", "modularity"),
}
# A cut divides all nodes, and attributes place a node that has no link.
_KEEPS_ISOLATED = {"balanced_cut", "attributed"}


class Found(NamedTuple):
    """What the method found, after isolated nodes and small classes were dealt with."""

    method: str
    why: str
    estimator: Any
    params: dict[str, Any]
    labels: np.ndarray  # (n,) int64: 0 the largest class, -1 none
    k: int
    n_isolated: int
    actions: list[str]  # what was done to the method's own labels, a sentence each
    said: list[str]  # warnings of the estimator
    compared: tuple[str, ...]  # attributes that took part
    left_out: tuple[str, ...]  # attributes that would have given the classes away


def find_classes(
    method: str,
    network: Any,
    one_way: Any,
    attributes: NodeAttributes,
    options: dict[str, Any],
    *,
    given_nodes: bool,
    roles: Mapping[str, str],
    min_share: float | None,
    seed: int,
) -> Found:
    """Choose the method, run it, and settle its labels.

    Parameters
    ----------
    method : str
        One of `METHODS`, or "auto".
    network : Network
    one_way : Graph
        The network without directions.
    attributes : NodeAttributes
    options : dict
        ``n_clusters, resolution, objective, imbalance``; those that are None are left to the method.
    given_nodes : bool
        Whether the user gave a table of the nodes: attributes that merely stand in a file of links only describe.
    roles : mapping
        The user's own.
    min_share : float or None
    seed : int

    Returns
    -------
    Found

    Raises
    ------
    InputError
        If an option does not fit the method or the network.
    """
    chosen, why = _choose(method, options, attributes, given_nodes)
    _check(chosen, options, network.n_nodes)
    both_ways = to_scipy(one_way)
    if chosen != "attributed":
        graph = network.graph if chosen == "block_model" else one_way
        fitted = _fit(chosen, graph, options, seed, directed=network.directed)
        return _settled(chosen, why, *fitted, both_ways, min_share)
    if not attributes.usable:
        raise InputError(
            "method attributed needs attributes of the nodes that can be compared; give them with --nodes, or use leiden"
        )
    return _with_attributes(method, why, one_way, attributes, options, roles, min_share, seed)


def _with_attributes(asked, why, one_way, attributes, options, roles, min_share, seed) -> Found:
    both_ways = to_scipy(one_way)
    by_links = _settled("leiden", why, *_fit("leiden", one_way, {}, seed), both_ways, min_share)
    # A column of known classes that was left in the file would be found again, whatever the links say.
    leaking = {name for name, ami in agreement(attributes.views, by_links.labels).items() if ami > LEAK}
    if leaking and asked == "auto":
        attributes = attributes.without(leaking, roles)
        by_links = by_links._replace(left_out=tuple(sorted(leaking)))
        if not attributes.usable:
            return by_links._replace(why="the only attribute says the same as the links")
    k = options["n_clusters"] or max(by_links.k, 1)
    fitted = _fit("attributed", one_way, {"n_clusters": k}, seed, attributes=attributes.X)
    found = _settled("attributed", why, *fitted, both_ways, min_share)
    compared = tuple(one.column for one in attributes.codings if one.used)
    return found._replace(compared=compared, left_out=by_links.left_out)


def _choose(method: str, options: dict[str, Any], attributes: NodeAttributes, given_nodes: bool) -> tuple[str, str]:
    if method != "auto":
        return method, "it was asked for"
    if options["imbalance"] is not None:
        return "balanced_cut", "a bound on the imbalance was given"
    if options["objective"] in ("edge_cut", "min_max_cut"):
        return "balanced_cut", "it has the objective that was asked for"
    if options["n_clusters"] is None:
        # Attributes then only describe: what the members of classes share is no news where the classes were made of it.
        return "leiden", "it finds the number of classes itself, and every class holds together"
    if given_nodes and attributes.usable:
        return (
            "attributed",
            "the number of classes and attributes of the nodes were given: links and attributes are used together",
        )
    return "spectral", "the number of classes was given"


def _check(method: str, options: dict[str, Any], n_nodes: int) -> None:
    k = options["n_clusters"]
    if k is None and method in _NEEDS_K:
        raise InputError(f"method {method} needs the number of classes; give it with -k, or use leiden, which finds it")
    if k is not None and k > n_nodes:
        raise InputError(f"n_clusters must be at most the number of nodes, got {k} with {n_nodes} nodes; lower -k")
    if k is not None and method in _FINDS_K:
        raise InputError(
            f"method {method} finds the number of classes itself; steer it with --resolution, or use balanced_cut, "
            "spectral or block_model with -k"
        )
    for name, methods in _TAKES.items():
        if options[name] is not None and method not in methods:
            raise InputError(f"{name} is no option of method {method}, only of {', '.join(sorted(methods))}")
    objective, known = options["objective"], _OBJECTIVES.get(method, ())
    if objective is not None and objective not in known:
        has = f"has the objectives {', '.join(known)}" if known else "has no choice of objectives"
        raise InputError(f"method {method} {has}, got {objective!r}")


def _fit(
    method: str, graph: Graph, options: dict[str, Any], seed: int, *, directed: bool = False, attributes: Any = None
) -> tuple[Any, dict[str, Any], list[str]]:
    """Return the fitted estimator, the parameters it was given, and what it warned of."""
    params = {name: value for name, value in options.items() if value is not None}
    if method == "block_model":
        params = {"directed": directed, "n_clusters": params.get("n_clusters", "auto")}
    if method == "spectral":
        params["affinity"] = "precomputed"
    line = entry(METHODS[method])
    module, _, name = line.target.partition(":")
    estimator = getattr(import_module(module), name)(**params, random_state=seed)
    with warnings.catch_warnings(record=True, action="always", category=UserWarning) as said:
        if attributes is None:
            estimator.fit(to_scipy(graph) if method == "spectral" else graph)
        else:
            estimator.fit(graph, attributes)
    return estimator, params, [str(one.message) for one in said]


def _settled(method, why, estimator, params, said, both_ways: csr_array, min_share: float | None) -> Found:
    labels = np.array(estimator.labels_, dtype=np.int64)
    n = len(labels)
    linked = has_others(both_ways)
    n_isolated = int(n - linked.sum())
    actions: list[str] = []
    if method not in _KEEPS_ISOLATED and n_isolated:
        labels[~linked] = -1
        actions.append(f"{_nodes(n_isolated)} without links belong{'s' if n_isolated == 1 else ''} to no class.")
    if min_share:
        labels, more = join_small(labels, both_ways, int(np.ceil(min_share * n)))
        actions += more
    labels, k = largest_first(labels)
    return Found(method, why, estimator, params, labels, k, n_isolated, actions, said, (), ())


def _nodes(count: int) -> str:
    return f"{count:,} node{'s' if count != 1 else ''}"
