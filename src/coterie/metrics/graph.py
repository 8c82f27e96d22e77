"""Scores of a partition of a graph's nodes, from its links alone.

For a part i: cut_i is the weight of the links that leave it, W_i that of the links inside, counted from both ends, vol_i =
W_i + cut_i the sum of its degrees, n_i its nodes. A link of weight w counts w in the cut. 2m is the sum of all degrees.

- `edge_cut`: 1/2 Σ cut_i, each link between parts once.
- `ratio_cut`: Σ cut_i / n_i. For two parts of n nodes this is n times the quotient cut / (n_1 n_2) of Hagen and Kahng.
- `normalized_cut`: Σ cut_i / vol_i. Not halved: for two parts it is what Shi and Malik call Ncut, and at most k.
- `min_max_cut`: Σ cut_i / W_i, infinite where a part has links but none inside. W_i counts inner links twice, as Ding's does.
- `conductance`, `cheeger`: max over the parts of cut_i / min(vol_i, 2m - vol_i), and of cut_i / min(n_i, n - n_i).
- `modularity`: Σ W_i / 2m - γ (vol_i / 2m)^2.

A part without links counts 0 where it would be 0 / 0. Nodes labelled -1 are in no part: they and their links are left out, as in
the other scores of this package. A loop of an undirected graph counts twice in W_i, as it does in the degree. In a directed
graph the weights of both directions are added up, with a warning; `modularity` keeps directions. One pass over the links.
"""

import warnings
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError
from ._part_sums import PartSums, part_sums

__all__ = ["cheeger", "conductance", "edge_cut", "min_max_cut", "modularity", "normalized_cut", "ratio_cut"]


class _Cuts(NamedTuple):
    sizes: np.ndarray
    inside: np.ndarray  # W_i
    volume: np.ndarray
    cut: np.ndarray
    scale: float


def edge_cut(graph: Any, labels: Any, *, n_nodes: int | None = None) -> float:
    """Give the weight of the links between parts, each counted once.

    Parameters
    ----------
    graph : Graph or anything that `coterie.graphs.as_graph` takes
    labels : (n,) array-like
        Part of each node; -1 for none.
    n_nodes : int, optional
        Of an array of edges: how many nodes there are.

    Returns
    -------
    float

    Notes
    -----
    1/2 Σ cut_i. O(m) time, O(k) memory.

    Examples
    --------
    >>> from coterie.metrics import edge_cut
    >>> edge_cut([[0, 1], [1, 2], [2, 3]], [0, 0, 1, 1])
    1.0
    """
    cuts = _cuts(graph, labels, n_nodes, "edge_cut")
    return float(cuts.cut.sum() / 2.0 * cuts.scale)


def ratio_cut(graph: Any, labels: Any, *, n_nodes: int | None = None) -> float:
    """Give the weight of the links that leave each part, over its nodes, added up.

    Parameters
    ----------
    graph : Graph or anything that `coterie.graphs.as_graph` takes
    labels : (n,) array-like
        Part of each node; -1 for none.
    n_nodes : int, optional
        Of an array of edges: how many nodes there are.

    Returns
    -------
    float

    Notes
    -----
    Σ cut_i / n_i. O(m) time, O(k) memory.

    References
    ----------
    L. Hagen and A. B. Kahng, "New spectral methods for ratio cut partitioning and clustering", IEEE Transactions on
    Computer-Aided Design 11 (1992), doi:10.1109/43.159993

    Examples
    --------
    >>> from coterie.metrics import ratio_cut
    >>> ratio_cut([[0, 1], [1, 2], [2, 3]], [0, 0, 1, 1])
    1.0
    """
    cuts = _cuts(graph, labels, n_nodes, "ratio_cut")
    return float((cuts.cut / cuts.sizes).sum() * cuts.scale)


def normalized_cut(graph: Any, labels: Any, *, n_nodes: int | None = None) -> float:
    """Give the share of each part's links that leave it, added up.

    Parameters
    ----------
    graph : Graph or anything that `coterie.graphs.as_graph` takes
    labels : (n,) array-like
        Part of each node; -1 for none.
    n_nodes : int, optional
        Of an array of edges: how many nodes there are.

    Returns
    -------
    float
        From 0 to the number of parts.

    Notes
    -----
    Σ cut_i / vol_i. O(m) time, O(k) memory.

    References
    ----------
    J. Shi and J. Malik, "Normalized cuts and image segmentation", IEEE Transactions on Pattern Analysis and Machine
    Intelligence 22 (2000), doi:10.1109/34.868688

    Examples
    --------
    >>> from coterie.metrics import normalized_cut
    >>> round(normalized_cut([[0, 1], [1, 2], [2, 3]], [0, 0, 1, 1]), 4)
    0.6667
    """
    cuts = _cuts(graph, labels, n_nodes, "normalized_cut")
    return float(_share(cuts.cut, cuts.volume).sum())


def min_max_cut(graph: Any, labels: Any, *, n_nodes: int | None = None) -> float:
    """Give the weight of the links that leave each part, over that of the links inside, added up.

    Parameters
    ----------
    graph : Graph or anything that `coterie.graphs.as_graph` takes
    labels : (n,) array-like
        Part of each node; -1 for none.
    n_nodes : int, optional
        Of an array of edges: how many nodes there are.

    Returns
    -------
    float
        Infinite where a part has links but none inside.

    Notes
    -----
    Σ cut_i / W_i, where W_i counts each inner link from both of its ends. O(m) time, O(k) memory.

    References
    ----------
    C. H. Q. Ding and others, "A min-max cut algorithm for graph partitioning and data clustering", ICDM 2001,
    doi:10.1109/ICDM.2001.989507

    Examples
    --------
    >>> from coterie.metrics import min_max_cut
    >>> min_max_cut([[0, 1], [1, 2], [2, 3]], [0, 0, 1, 1])
    1.0
    """
    cuts = _cuts(graph, labels, n_nodes, "min_max_cut")
    return float(_share(cuts.cut, cuts.inside).sum())


def conductance(graph: Any, labels: Any, *, n_nodes: int | None = None) -> float:
    """Give the largest share of links that leave a part, of the part's or of the rest's, whichever has fewer.

    Parameters
    ----------
    graph : Graph or anything that `coterie.graphs.as_graph` takes
    labels : (n,) array-like
        Part of each node; -1 for none.
    n_nodes : int, optional
        Of an array of edges: how many nodes there are.

    Returns
    -------
    float
        From 0 to 1; 0 for a single part.

    Notes
    -----
    max cut_i / min(vol_i, 2m - vol_i). O(m) time, O(k) memory.

    Examples
    --------
    >>> from coterie.metrics import conductance
    >>> round(conductance([[0, 1], [1, 2], [2, 3]], [0, 0, 1, 1]), 4)
    0.3333
    """
    cuts = _cuts(graph, labels, n_nodes, "conductance")
    # What is left of the whole is added up, not subtracted: a small part beside a large one keeps its digits.
    return float(_share(cuts.cut, np.minimum(cuts.volume, _others(cuts.volume))).max())


def cheeger(graph: Any, labels: Any, *, n_nodes: int | None = None) -> float:
    """Give the largest weight of links that leave a part for each node of it or of the rest, whichever has fewer nodes.

    Parameters
    ----------
    graph : Graph or anything that `coterie.graphs.as_graph` takes
    labels : (n,) array-like
        Part of each node; -1 for none.
    n_nodes : int, optional
        Of an array of edges: how many nodes there are.

    Returns
    -------
    float
        0 for a single part.

    Notes
    -----
    max cut_i / min(n_i, n - n_i), also called expansion; for two parts, the quotient cut. O(m) time, O(k) memory.

    Examples
    --------
    >>> from coterie.metrics import cheeger
    >>> cheeger([[0, 1], [1, 2], [2, 3]], [0, 0, 1, 1])
    0.5
    """
    cuts = _cuts(graph, labels, n_nodes, "cheeger")
    smaller = np.minimum(cuts.sizes, cuts.sizes.sum() - cuts.sizes).astype(np.float64)
    return float(_share(cuts.cut, smaller).max() * cuts.scale)


def modularity(graph: Any, labels: Any, resolution: float = 1.0, *, n_nodes: int | None = None) -> float:
    """Give the share of links inside parts beyond what random links of the same degrees would put there.

    Parameters
    ----------
    graph : Graph or anything that `coterie.graphs.as_graph` takes
        In a directed graph, links inside are compared with leading times arriving links (Leicht and Newman).
    labels : (n,) array-like
        Part of each node; -1 for none.
    resolution : float, default=1.0
        γ: above 1 it prefers smaller parts.
    n_nodes : int, optional
        Of an array of edges: how many nodes there are.

    Returns
    -------
    float
        From -1/2 to 1 at a resolution of 1; 0 for a graph without links.

    Notes
    -----
    Σ W_i / 2m - γ (vol_i / 2m)^2; directed, Σ W_i / m - γ out_i in_i / m^2. O(m) time, O(k) memory.

    References
    ----------
    M. E. J. Newman and M. Girvan, "Finding and evaluating community structure in networks", Physical Review E 69 (2004),
    doi:10.1103/PhysRevE.69.026113. E. A. Leicht and M. E. J. Newman, "Community structure in directed networks", Physical
    Review Letters 100 (2008), doi:10.1103/PhysRevLett.100.118703

    Examples
    --------
    >>> from coterie.metrics import modularity
    >>> round(modularity([[0, 1], [1, 2], [2, 3]], [0, 0, 1, 1]), 4)
    0.1667
    """
    if not (np.isfinite(resolution) and resolution >= 0):
        raise InputError(f"resolution must be a finite number of at least 0, got {resolution}")
    sums = part_sums(graph, labels, n_nodes)
    leading, arriving = sums.inside + sums.leaving, sums.inside + sums.entering
    total = leading.sum()
    if not total > 0:
        return 0.0
    expected = (leading / total) * (arriving / total)
    return float((sums.inside / total - resolution * expected).sum())


def _cuts(graph: Any, labels: Any, n_nodes: int | None, name: str) -> _Cuts:
    sums: PartSums = part_sums(graph, labels, n_nodes)
    if not sums.directed:
        return _Cuts(sums.sizes, sums.inside, sums.inside + sums.leaving, sums.leaving, sums.scale)
    warnings.warn(
        f"the graph is directed and {name} takes it as undirected: the weights of both directions were added up; "
        "pass coterie.graphs.undirected(graph) to say so",
        UserWarning,
        stacklevel=3,
    )
    cut = sums.leaving + sums.entering
    return _Cuts(sums.sizes, 2.0 * sums.inside, 2.0 * sums.inside + cut, cut, sums.scale)


def _share(cut: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Return cut / of; 0 where nothing is cut, infinite where only ``of`` is 0."""
    shares = np.divide(cut, of, out=np.full(len(cut), np.inf), where=of > 0)
    shares[cut == 0] = 0.0
    return shares


def _others(volume: np.ndarray) -> np.ndarray:
    """Return for each part the sum over the others."""
    before = np.concatenate([[0.0], np.cumsum(volume)[:-1]])
    after = np.concatenate([np.cumsum(volume[::-1])[::-1][1:], [0.0]])
    return before + after
