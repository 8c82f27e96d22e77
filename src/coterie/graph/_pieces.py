"""What to do with a graph that is not connected: who gets how many clusters, and where crumbs go."""

import numpy as np

__all__ = ["crumbs_and_pieces", "packed", "shares_of"]


def crumbs_and_pieces(component: np.ndarray, n_clusters: int) -> tuple[list[int], list[int], int]:
    """Divide the components into pieces that are clustered, and crumbs that are only put somewhere.

    As many components as clusters are the clusters. Else single nodes are crumbs, and where there are still more than
    clusters, so are those with less than half the nodes of a mean cluster: together they get as many clusters as their share of
    the linked nodes is worth.

    Parameters
    ----------
    component : (n,) int64 array
    n_clusters : int

    Returns
    -------
    pieces : list of int
        Components; empty where there are still too many of them: then all are crumbs.
    crumbs : list of int
    n_for_crumbs : int
        Clusters made of crumbs alone.
    """
    size = np.bincount(component)
    every = list(range(len(size)))
    if len(size) == n_clusters:
        return every, [], 0
    linked = size > 1
    n = int(size[linked].sum())
    large, for_crumbs = linked, max(n_clusters - n, 0)
    if int(linked.sum()) > n_clusters:
        large = linked & (2 * n_clusters * size >= n)
        for_crumbs = round(n_clusters * float(size[linked & ~large].sum()) / n)
    pieces, crumbs = np.flatnonzero(large).tolist(), np.flatnonzero(~large).tolist()
    left = n_clusters - for_crumbs
    if not pieces or len(pieces) > left or size[large].sum() < left or len(crumbs) < for_crumbs:
        return [], every, n_clusters
    return pieces, crumbs, for_crumbs


def shares_of(values: list[np.ndarray], n_clusters: int) -> list[int]:
    """Return how many clusters each piece gets: one, and one more for each of its values among the smallest of all.

    Parameters
    ----------
    values : list of float64 arrays
        Eigenvalues of each piece without its 0, ascending.
    n_clusters : int
    """
    every = [(value, piece) for piece, found in enumerate(values) for value in found.tolist()]
    chosen = sorted(every)[: n_clusters - len(values)]
    counts = np.bincount([piece for _, piece in chosen], minlength=len(values))
    return (counts + 1).tolist()


def packed(sizes: np.ndarray, loads: np.ndarray) -> np.ndarray:
    """Put each thing, the largest first, where there is least so far; ties go to the lowest.

    Parameters
    ----------
    sizes : (c,) int64 array
    loads : (k,) int64 array
        What is there already; not changed.

    Returns
    -------
    (c,) int64 array
        Numbers of 0 ... k - 1.
    """
    loads = loads.copy()
    place = np.empty(len(sizes), np.int64)
    for thing in np.argsort(-sizes, kind="stable"):
        place[thing] = int(loads.argmin())
        loads[place[thing]] += sizes[thing]
    return place
