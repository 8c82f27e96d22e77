"""Fits to graphs in blocks that are too large for one machine: groups of nodes are clustered, then single nodes move.

That is done up to three times. Groups of the second time lie within the clusters of the first, and so on, so that hardly any joins what belongs apart.
"""

from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from ..errors import ResourceError
from ..primitives.components import components_within, number_sets
from ..primitives.edges import EdgeBlocks, group_graph, inner_weight, node_degrees
from ._balance import mean_load
from ._coarsened import LEAST_GAIN, Goal, degree_goal, grouped_nodes, moved_nodes, worth_of

__all__ = ["communities_of_groups", "cut_of_groups", "spectral_of_groups"]

_ROUNDS = 3  # on power-law graphs the second brings some 1% of modularity, and further ones a few thousandths
_GROUPS_PER_CLUSTER = 8  # at least


class _Found(NamedTuple):
    worth: float
    labels: np.ndarray  # (n_nodes,) int64
    inner: float  # weight of the edges within them
    groups: np.ndarray  # (n_nodes,) int64
    model: Any  # of the groups


def communities_of_groups(model: Any, edges: EdgeBlocks, weights: np.ndarray) -> Any:
    """Fit `Leiden` or `Louvain`; see `coterie.graph._coarsened`."""
    n, degrees = edges.n_nodes, node_degrees(edges)
    total, modular = float(degrees.sum()), model.objective == "modularity"
    sizes, resolution = (
        (degrees, model.resolution / total if total else 0.0) if modular else (weights, model.resolution)
    )
    goal = Goal(sizes, resolution, np.ones(n), np.inf)
    found = _best(model, edges, goal, goal, {} if modular else {"node_weights": weights})
    labels = components_within(edges, found.labels)
    inner, volumes = inner_weight(edges, labels), np.bincount(labels, degrees) / (total or 1.0)
    linked, met = (2 * inner / total if total else 0.0), float((volumes**2).sum())
    model.modularity_ = linked - met
    pairs = float((np.bincount(labels, weights) ** 2).sum() - (weights**2).sum()) / 2
    model.quality_ = linked - model.resolution * met if modular else inner - model.resolution * pairs
    model.n_clusters_ = int(labels.max()) + 1
    model.labels_, model.hierarchy_ = labels, (labels,)
    model._graph = group_graph(edges, labels, model.n_clusters_)
    return _kept(model, edges, found)


def cut_of_groups(model: Any, edges: EdgeBlocks, weights: np.ndarray | None) -> Any:
    """Fit `BalancedCut`; see `coterie.graph._coarsened`."""
    loads = np.ones(edges.n_nodes) if weights is None else weights
    k, mean = model.n_clusters, mean_load(loads, model.n_clusters)
    goal = degree_goal(edges, 1.0, loads, max(float(loads.max()), mean / _GROUPS_PER_CLUSTER))
    most = np.inf if model.imbalance >= 1 else (1 + model.imbalance) * mean * (1 + 1e-15)
    by_links = model.objective == "edge_cut"
    moves = Goal(goal.sizes, 0.0, loads, most) if by_links else None
    found = _best(model, edges, goal, moves, {"sample_weight": loads})
    model.edge_cut_ = float(goal.sizes.sum()) / 2 - found.inner
    model.objective_ = model.edge_cut_ if by_links else found.model.objective_
    model.labels_ = number_sets(found.labels)
    model._node_weights = np.bincount(model.labels_, loads, k)
    model.imbalance_ = float(model._node_weights.max()) / mean - 1
    model._graph = group_graph(edges, model.labels_, k)
    return _kept(model, edges, found)


def spectral_of_groups(model: Any, edges: EdgeBlocks) -> Any:
    """Fit `SpectralClustering` with ``affinity="precomputed"``; see `coterie.graph._coarsened`.

    Where nodes are counted, moves weigh links against what pairs of nodes have in the mean.
    """
    loads = np.ones(edges.n_nodes)
    goal = degree_goal(edges, 1.0, loads, max(1.0, edges.n_nodes / (_GROUPS_PER_CLUSTER * model.n_clusters)))
    moves = goal._replace(most_load=np.inf)
    if model.objective == "ratio_cut":
        moves = moves._replace(sizes=loads, resolution=float(goal.sizes.sum()) / edges.n_nodes**2)
    found = _best(model, edges, goal, moves, {})
    vars(model).update(vars(found.model))
    model.labels_, model.embedding_ = number_sets(found.labels), found.model.embedding_[found.groups]
    model._node_first = np.arange(edges.n_nodes)
    return _kept(model, edges, found)


def _best(model: Any, edges: EdgeBlocks, goal: Goal, moves: Goal | None, weights: dict) -> _Found:
    """Cluster groups of nodes as often as that gets better; ``moves`` says which moves of single nodes are for the better, if any."""
    best: _Found | None = None
    for _ in range(_ROUNDS):
        try:
            within = None if best is None else best.labels
            groups = grouped_nodes(edges, goal, lambda n_links, n: not model._beyond(edges, n_links, n), within)
        except ResourceError:
            if best is None:
                raise
            break
        n_groups = int(groups.max()) + 1
        options = {name: np.bincount(groups, values, n_groups) for name, values in weights.items()}
        fitted = clone(model).fit(group_graph(edges, groups, n_groups), **options)
        labels = fitted.labels_[groups]
        if moves is None:
            return _Found(0.0, labels, inner_weight(edges, labels), groups, fitted)
        labels, inner = moved_nodes(edges, labels, moves, keep_all=hasattr(model, "n_clusters"))
        found = _Found(worth_of(inner, labels, moves), labels, inner, groups, fitted)
        gain = np.inf if best is None else found.worth - best.worth
        best = found if gain > 0 else best
        if gain <= LEAST_GAIN * edges.total:
            break
    assert best is not None
    return best


def _kept(model: Any, edges: EdgeBlocks, found: _Found) -> Any:
    model.n_features_in_ = edges.n_nodes
    model.coarsened_ = int(found.groups.max()) + 1
    return model
