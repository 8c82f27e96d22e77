"""How many groups an embedding holds: communities of the graph of nearest neighbours, joined where nothing parts them.

Communities of greatest modularity divide also what is one piece, as long as it is large (Fortunato & Barthelemy 2007). Two of
them are one group if at least as many links run between them as through the thinnest middle of either: then there is no more
of a gap between the two than inside each (*relative interconnectivity* at least 1, after Karypis, Han & Kumar 1999).

Fortunato, S., & Barthelemy, M. (2007). Resolution limit in community detection. PNAS, 104(1), 36-41.
https://doi.org/10.1073/pnas.0605965104

Karypis, G., Han, E.-H., & Kumar, V. (1999). Chameleon: Hierarchical clustering using dynamic modeling. Computer, 32(8), 68-75.
https://doi.org/10.1109/2.781637
"""

import numpy as np
from scipy.sparse import csr_array

from ..graph.balanced_cut import BalancedCut
from ..graph.leiden import Leiden
from ..primitives.neighbors import k_nearest

__all__ = ["count_groups", "joined", "neighbor_links"]

_N_NEIGHBORS = 10
_MOST_ROWS = 10_000
_UNEVEN = 0.3  # how far the halves of a community may be from equal: its thinnest place is seldom in the very middle
_FEW = 4  # rows that have no middle to speak of


def count_groups(z: np.ndarray, seed: int) -> int:
    """Return how many groups there are among the rows of an embedding, or among 10,000 of them.

    Parameters
    ----------
    z : (n, p) array
        Finite.
    seed : int

    Returns
    -------
    int
        At least 1.
    """
    n = len(z)
    picked = np.unique(np.linspace(0, n - 1, min(n, _MOST_ROWS)).round().astype(np.int64))
    links = neighbor_links(np.ascontiguousarray(z[picked]))
    labels = Leiden(random_state=seed % 2**32).fit(links).labels_
    return len(np.unique(joined(links, labels, seed)))


def neighbor_links(z: np.ndarray) -> csr_array:
    """Return the graph that joins each row to its 10 nearest ones, (n, n), of ones on both sides."""
    n = len(z)
    near = k_nearest(z, min(_N_NEIGHBORS + 1, n))[1][:, 1:]  # the first is the row itself
    k = near.shape[1]
    links = csr_array((np.ones(n * k), near.ravel(), np.arange(n + 1) * k), shape=(n, n))
    return links.maximum(links.T).tocsr()


def joined(links: csr_array, labels: np.ndarray, seed: int) -> np.ndarray:
    """Join communities, those with the smallest gap first, until a gap lies between any two.

    Parameters
    ----------
    links : (n, n) csr_array
        Symmetric.
    labels : (n,) int64 array
        Communities 0, 1, ...
    seed : int

    Returns
    -------
    (n,) int64 array
        Some of the labels.
    """
    labels = labels.copy()
    left = np.unique(labels)
    middle = {c: _middle(links, labels == c, seed) for c in left}
    while len(left) > 1:
        across = _between(links, labels, left)
        within = np.array([middle[c] for c in left])
        thinnest = np.maximum(np.maximum(within[:, None], within), 1.0)
        gap = np.triu(across / thinnest, 1)
        if gap.max() < 1:
            break
        one, other = left[list(np.unravel_index(gap.argmax(), gap.shape))]
        labels[labels == other] = one
        left = left[left != other]
        middle[one] = _middle(links, labels == one, seed)
    return labels


def _between(links: csr_array, labels: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Return how many links there are between each two communities."""
    n = len(labels)
    belongs = csr_array((np.ones(n), np.searchsorted(left, labels), np.arange(n + 1)), shape=(n, len(left)))
    return (belongs.T @ (links @ belongs)).toarray()


def _middle(links: csr_array, members: np.ndarray, seed: int) -> float:
    """Return how many links run between the halves of a community where it is thinnest."""
    inside = np.flatnonzero(members)
    if len(inside) < _FEW:
        return 0.0
    part = links[inside][:, inside].tocsr()
    halves = BalancedCut(2, imbalance=_UNEVEN, random_state=seed % 2**32).fit(part)
    return float(_between(part, halves.labels_, np.arange(2))[0, 1])
