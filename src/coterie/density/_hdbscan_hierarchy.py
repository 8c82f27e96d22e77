"""HDBSCAN* from the spanning tree on: merges, the condensed tree, and the clusters chosen from it."""

from typing import NamedTuple

import numpy as np

from ..primitives.spanning_tree import SpanningTree
from ..trees.condense import Condensed, condense
from ..trees.linkage import single_linkage
from ..trees.select import Flat, flat_labels, select_clusters

__all__ = ["Hierarchy", "hdbscan"]


class Hierarchy(NamedTuple):
    """All that HDBSCAN* finds, before and after the choice of clusters."""

    tree: SpanningTree
    linkage: np.ndarray  # (n - 1, 4), SciPy's layout
    condensed: Condensed
    flat: Flat


def hdbscan(
    tree: SpanningTree,
    min_cluster_size: int,
    *,
    method: str = "eom",
    epsilon: float = 0.0,
    max_cluster_size: int | None = None,
    allow_single_cluster: bool = False,
) -> Hierarchy:
    """Find the clusters in a spanning tree of mutual reachabilities.

    Parameters
    ----------
    tree : SpanningTree
        From `coterie.primitives.spanning_tree.mutual_reachability_tree`; arrays of NumPy.
    min_cluster_size : int
        Smaller groups are no clusters.
    method : {"eom", "leaf"}
        Excess of mass, or the leaves of the condensed tree.
    epsilon : float
        No cluster is split below this distance; 0 has no effect.
    max_cluster_size : int, optional
        Larger groups are no clusters.
    allow_single_cluster : bool
        Whether all rows may be one cluster.

    Returns
    -------
    Hierarchy
    """
    linkage = single_linkage(*tree)
    condensed = condense(linkage, min_cluster_size)
    chosen = select_clusters(
        condensed,
        method=method,
        epsilon=epsilon,
        max_cluster_size=max_cluster_size,
        allow_single_cluster=allow_single_cluster,
    )
    return Hierarchy(tree, linkage, condensed, flat_labels(condensed, chosen, epsilon=epsilon))
