"""Choosing a flat clustering from a condensed tree, and what it says about each row.

Excess of mass (Campello, Moulavi, Sander 2013): from the leaves up, a cluster is chosen instead of its descendants unless these
are more stable together; the cluster wins a tie. Leaf: the clusters without children. On top of either, no cluster is chosen
that was born at a height below ``epsilon``: it is replaced by its first ancestor born at that height or above (Malzer and
Baum 2020).
"""

from typing import NamedTuple

import numpy as np

# Compiled without an engine of its own; `_numba` does the compiling.
from ..primitives.compiled import kernel, run_kernel
from .condense import Condensed

__all__ = ["Flat", "flat_labels", "membership_strengths", "outlier_scores", "select_clusters"]


_FEW_CLUSTERS = 300  # Python walks them in a millisecond; compiling takes a quarter of a second
_ROUNDING = 1e-12  # stabilities closer than this are equal: both are sums of rounded reciprocals


class Flat(NamedTuple):
    """A flat clustering taken from a condensed tree."""

    labels: np.ndarray  # (n,) int64: numbered by first appearance in the rows, noise -1
    clusters: np.ndarray  # (k,) int64: the cluster of the condensed tree behind each label


def select_clusters(
    condensed: Condensed,
    *,
    method: str = "eom",
    epsilon: float = 0.0,
    max_cluster_size: int | None = None,
    allow_single_cluster: bool = False,
) -> np.ndarray:
    """Choose disjoint clusters.

    Parameters
    ----------
    condensed : Condensed
    method : {"eom", "leaf"}
    epsilon : float
        A height; 0 has no effect.
    max_cluster_size : int, optional
        Larger clusters are never chosen, by either method.
    allow_single_cluster : bool
        Whether the root may be chosen.

    Returns
    -------
    (c,) bool array
        Which clusters of the tree are chosen.

    References
    ----------
    Malzer, Baum: A hybrid approach to hierarchical density-based cluster selection, MFI 2020,
    doi:10.1109/MFI49285.2020.9235263.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.trees.condense import condense
    >>> from coterie.trees.linkage import single_linkage
    >>> from coterie.trees.select import select_clusters
    >>> linkage = single_linkage(np.array([0, 2, 1]), np.array([1, 3, 2]), np.array([1.0, 2.0, 6.0]))
    >>> select_clusters(condense(linkage, 2)).tolist()
    [False, True, True]
    """
    most = len(condensed.row_cluster) if max_cluster_size is None else max_cluster_size
    parent, birth, size = condensed.parent, condensed.birth, condensed.size
    # Chosen, and what the chosen clusters below each cluster come to: finite stability, infinite rows, how many children.
    chosen, below = np.zeros(len(parent), bool), np.zeros((len(parent), 3))
    given = (
        method == "leaf", int(most), bool(allow_single_cluster), parent, size, condensed.stability, condensed.infinite,
        below, chosen,
    )  # fmt: skip
    if len(parent) > _FEW_CLUSTERS:
        run_kernel(_choose, *given)
    else:
        _choose.py_func(*given)
    chosen &= ~_below_any(parent, chosen)
    if epsilon > 0:
        lifted = np.zeros(len(parent), bool)
        above = parent.clip(0)
        climbs = (birth < epsilon) & (size[above] <= most) & ((above > 0) | allow_single_cluster)
        lifted[_first_above(parent, ~climbs)[chosen]] = True
        return lifted & ~_below_any(parent, lifted)
    return chosen


def flat_labels(condensed: Condensed, chosen: np.ndarray, *, epsilon: float = 0.0) -> Flat:
    """Label the rows of the chosen clusters.

    Parameters
    ----------
    condensed : Condensed
    chosen : (c,) bool array
        Disjoint clusters, as `select_clusters` gives them.
    epsilon : float
        If the root is chosen: rows that leave it above this height are noise; 0 keeps all.

    Returns
    -------
    Flat

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.trees.condense import condense
    >>> from coterie.trees.linkage import single_linkage
    >>> from coterie.trees.select import flat_labels, select_clusters
    >>> tree = condense(single_linkage(np.array([0, 2, 1]), np.array([1, 3, 2]), np.array([1.0, 2.0, 6.0])), 2)
    >>> flat_labels(tree, select_clusters(tree)).labels.tolist()
    [0, 0, 1, 1]
    """
    owner = _first_above(condensed.parent, chosen)
    owner[~chosen[owner]] = -1
    labels = owner[condensed.row_cluster]
    if epsilon > 0:
        labels[(labels == 0) & (condensed.row_height > epsilon)] = -1
    # The first row of each cluster: of several places in an assignment the last one stays, so the rows come from the end.
    rows = np.flatnonzero(labels >= 0)[::-1]
    first, name = np.full(len(chosen), len(labels)), np.full(len(chosen) + 1, -1)
    first[labels[rows]] = rows
    clusters = np.argsort(first)[: np.count_nonzero(first < len(labels))]
    name[clusters] = np.arange(len(clusters))
    return Flat(name[labels], clusters)


def membership_strengths(condensed: Condensed, flat: Flat) -> np.ndarray:
    """Say how deep in its cluster each row lies.

    Parameters
    ----------
    condensed : Condensed
    flat : Flat

    Returns
    -------
    (n,) float64 array
        ``min(lambda_x, lambda_max) / lambda_max``, where lambda_max is the largest finite density at which rows leave the
        cluster; 1 for rows of infinite density; 0 for noise.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.trees.condense import condense
    >>> from coterie.trees.linkage import single_linkage
    >>> from coterie.trees.select import flat_labels, membership_strengths, select_clusters
    >>> tree = condense(single_linkage(np.array([0, 2, 1]), np.array([1, 3, 2]), np.array([1.0, 2.0, 6.0])), 2)
    >>> membership_strengths(tree, flat_labels(tree, select_clusters(tree))).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    if not len(flat.clusters):
        return np.zeros(len(flat.labels))
    # lambda_x / lambda_max is the death's height over the row's: no reciprocal, no infinity.
    strengths = _share(condensed.death[flat.clusters][flat.labels], condensed.row_height, condensed.unit)
    strengths[flat.labels < 0] = 0.0
    return strengths


def outlier_scores(condensed: Condensed) -> np.ndarray:
    """Score how far each row lies from the densest rows around it (GLOSH).

    Parameters
    ----------
    condensed : Condensed

    Returns
    -------
    (n,) float64 array
        ``1 - lambda_x / lambda_max``, where lambda_max is the largest finite density within the cluster that the row leaves
        and its descendants: 0 deep inside, towards 1 far outside.

    References
    ----------
    Campello, Moulavi, Zimek, Sander: Hierarchical density estimates for data clustering, visualization, and outlier
    detection, ACM TKDD 10(1), 2015, doi:10.1145/2733381.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.trees.condense import condense
    >>> from coterie.trees.linkage import single_linkage
    >>> from coterie.trees.select import outlier_scores
    >>> linkage = single_linkage(np.array([0, 1]), np.array([1, 2]), np.array([1.0, 4.0]))
    >>> outlier_scores(condense(linkage, 2)).tolist()
    [0.0, 0.0, 0.75]
    """
    # The least height above 0 of each cluster and its descendants.
    deepest, up = condensed.death.copy(), condensed.parent.clip(0)
    while up.any():
        np.minimum.at(deepest, up, deepest.copy())
        up = up[up]
    np.minimum.at(deepest, up, deepest.copy())
    return 1.0 - _share(deepest[condensed.row_cluster], condensed.row_height, condensed.unit)


def _below_any(parent: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """Say which clusters have an ancestor that is marked."""
    up = parent.clip(0)
    found = marked[up]
    found[0] = False
    while up.any():
        found |= found[up]
        up = up[up]
    return found


def _first_above(parent: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """Return for each cluster the nearest one that is marked among itself and its ancestors, or the root."""
    up = np.where(marked, np.arange(len(parent)), parent.clip(0))
    while True:
        further = up[up]
        if (further == up).all():
            return up
        up = further


def _share(least: np.ndarray, heights: np.ndarray, unit: float) -> np.ndarray:
    shares = np.ones(len(heights))
    # A single row never leaves: it has no height, and no other row to be compared with.
    usable = (heights > least) & np.isfinite(heights)
    np.divide(least, heights, out=shares, where=usable)
    return shares


@kernel
def _choose(
    leaf,  # bool  in
    most,  # int  in
    allow_root,  # bool  in
    parent,  # (c,) int64  in
    size,  # (c,) int64  in
    stability,  # (c,)  in
    infinite,  # (c,) int64  in
    below,  # (c, 3)  in/out: zeros before
    chosen,  # (c,) bool  out
):
    for c in range(len(parent) - 1, -1, -1):
        # The order of the children depends on that of the rows, and a sum on the order: by less than _ROUNDING.
        wins = infinite[c] > below[c, 1] or (
            infinite[c] == below[c, 1] and stability[c] >= below[c, 0] * (1 - _ROUNDING)
        )
        chosen[c] = size[c] <= most and (c > 0 or allow_root) and (below[c, 2] == 0 or (wins and not leaf))
        if c > 0:
            below[parent[c], 0] += stability[c] if chosen[c] else below[c, 0]
            below[parent[c], 1] += infinite[c] if chosen[c] else below[c, 1]
            below[parent[c], 2] += 1
