"""How many groups an embedding holds: communities of the graph of nearest neighbours, joined where nothing parts them.

Communities of greatest modularity divide also what is one piece, as long as it is large (Fortunato & Barthelemy 2007). Two of
them are one group if at least as many links run between them as through the thinnest middle of either (*relative
interconnectivity* at least 1, after Karypis, Han & Kumar 1999), or if about as many run there as if both were one normal
cloud: a gap that chance and the shape of a cloud explain is none.

Fortunato, S., & Barthelemy, M. (2007). Resolution limit in community detection. PNAS, 104(1), 36-41.
https://doi.org/10.1073/pnas.0605965104

Karypis, G., Han, E.-H., & Kumar, V. (1999). Chameleon: Hierarchical clustering using dynamic modeling. Computer, 32(8), 68-75.
https://doi.org/10.1109/2.781637
"""

import numpy as np
from scipy.sparse import csr_array
from scipy.special import ndtri

from ..graph.balanced_cut import BalancedCut
from ..graph.leiden import Leiden
from ..primitives.neighbors import k_nearest
from ._score import evenly_spaced

__all__ = ["count_groups", "joined", "neighbor_links"]

_N_NEIGHBORS = 10
_UNEVEN = 0.3  # how far the halves of a community may be from equal: its thinnest place is seldom in the very middle
_FEW = 4  # rows that have no middle to speak of
_CLOUDS = 2  # normal clouds that are drawn for a pair
_GAP = 0.6  # of the links that cross a normal cloud: the boundary of a community was chosen to have few


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
    rows = np.ascontiguousarray(z[evenly_spaced(len(z))])
    links = neighbor_links(rows)
    labels = Leiden(random_state=seed % 2**32).fit(links).labels_
    return len(np.unique(joined(rows, links, labels, seed)))


def neighbor_links(z: np.ndarray) -> csr_array:
    """Return the graph that joins each row to its 10 nearest ones, (n, n), of ones on both sides."""
    n = len(z)
    near = k_nearest(z, min(_N_NEIGHBORS + 1, n))[1][:, 1:]  # the first is the row itself
    k = near.shape[1]
    links = csr_array((np.ones(n * k), near.ravel(), np.arange(n + 1) * k), shape=(n, n))
    return links.maximum(links.T).tocsr()


def joined(rows: np.ndarray, links: csr_array, labels: np.ndarray, seed: int) -> np.ndarray:
    """Join communities, those with the smallest gap first, until a gap lies between any two.

    Parameters
    ----------
    rows : (n, p) array
    links : (n, n) csr_array
        From `neighbor_links`.
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
    parted: set[tuple[int, int]] = set()  # pairs with a gap between them, until one of the two has grown
    while len(left) > 1:
        across = _between(links, labels, left)
        within = np.array([middle[c] for c in left])
        ease = np.triu(across / np.maximum(np.maximum(within[:, None], within), 1.0), 1)
        pair = None
        for place in np.argsort(-ease, axis=None, kind="stable"):
            i, j = np.unravel_index(place, ease.shape)
            one, other = int(left[i]), int(left[j])
            if ease[i, j] == 0:
                break
            if ease[i, j] >= 1 or _is_one_cloud(rows, labels, one, other, float(across[i, j]), parted, seed):
                pair = one, other
                break
        if pair is None:
            break
        labels[labels == pair[1]] = pair[0]
        left = left[left != pair[1]]
        middle[pair[0]] = _middle(links, labels == pair[0], seed)
        parted = {known for known in parted if not set(known) & set(pair)}
    return labels


def _is_one_cloud(
    rows: np.ndarray, labels: np.ndarray, one: int, other: int, across: float, parted: set[tuple[int, int]], seed: int
) -> bool:
    """Return whether nearly as many links run between two communities as if both were one normal cloud."""
    if (one, other) in parted:
        return False
    inside = rows[(labels == one) | (labels == other)]
    share = float((labels == one).sum() / len(inside))
    expected = _cloud_middle(inside, seed) * np.exp(
        -(ndtri(share) ** 2) / 2
    )  # thinner where the cut is not in the middle
    if across >= _GAP * expected:
        return True
    parted.add((one, other))
    return False


def _cloud_middle(rows: np.ndarray, seed: int) -> float:
    """Return how many links run through the thinnest middle of a normal cloud of as many rows and the same covariance."""
    random = np.random.default_rng(seed)
    n = len(rows)
    _, spread, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    found = []
    for _ in range(_CLOUDS):
        cloud = random.normal(size=(n, len(spread))) * (spread / np.sqrt(n))
        found.append(_middle(neighbor_links(cloud.astype(rows.dtype)), np.ones(n, bool), seed))
    return float(np.mean(found))


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
