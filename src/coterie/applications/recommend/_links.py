"""Links between items: which items stand for which in what users like (EASE), in closed form.

B = argmin |X - X B|^2 + strength |B|^2 with a zero diagonal, X the likes. With P = (X'X + strength I)^-1, B = I - P / diag(P), and
where there are fewer users than items, P = (I - X' K X) / strength with K = (X X' + strength I)^-1: the smaller of the two squares
is inverted.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack
from scipy.sparse import csr_array

from ...errors import ResourceError
from ...primitives.memory import free_bytes
from ...study.plan import readable_bytes

__all__ = ["Links", "check_memory", "fit_links", "link_scores"]

MOST = 10_000  # rows of the square that is inverted; of more, those that most users like
STRENGTH = 200.0
_LEAST = 10  # likes of an item to be among the most liked: a link of fewer would be shrunk to a twentieth
_MIRRORED = 256  # rows at a time


class Links(NamedTuple):
    """Fitted links."""

    items: np.ndarray  # (l,) items that are linked
    liked: csr_array  # (n, l)
    inverse: np.ndarray  # (l, l) P, or (n, n) K
    diagonal: np.ndarray  # (l,) of P
    by_users: bool


def check_memory(shape: tuple[int, int], limit: int | None) -> None:
    """Raise where fitting would take more than ``limit`` bytes, or than are free.

    Raises
    ------
    ResourceError
        With the figure.
    """
    size = min(*shape, MOST)
    needed, free = 3 * 8 * size**2, free_bytes() if limit is None else limit
    if needed > free:
        raise ResourceError(
            f"{shape[0]:,} users and {shape[1]:,} items need {readable_bytes(needed)} for links between {size:,} of them, and there are "
            f"{readable_bytes(free)}; leave out items that few chose, or raise --memory-limit"
        )


def fit_links(liked: csr_array) -> Links:
    """Fit links to (n, m) likes."""
    items = np.arange(liked.shape[1])
    if min(liked.shape) > MOST:
        popularity = np.bincount(liked.indices, minlength=len(items))
        most = min(MOST, max(1, int((popularity >= _LEAST).sum())))
        items = np.sort(np.argsort(-popularity, kind="stable")[:most])
        liked = liked[:, items]
    by_users = liked.shape[0] < liked.shape[1]
    square = (liked @ liked.T if by_users else liked.T @ liked).toarray()
    square[np.diag_indices_from(square)] += STRENGTH
    inverse = _inverse(square)
    if not by_users:
        return Links(items, liked, inverse, np.diag(inverse).copy(), by_users)
    diagonal = np.empty(len(items))
    columns = liked.tocsc()
    step = max(1, (1 << 22) // len(inverse))
    for start in range(0, len(items), step):
        block = columns[:, start : start + step]
        spanned = block.T @ inverse
        diagonal[start : start + step] = 1.0 - block.T.multiply(spanned).sum(axis=1)
    return Links(items, liked, inverse, diagonal / STRENGTH, by_users)


def link_scores(links: Links, rows: csr_array) -> np.ndarray:
    """Return the scores of all items for (r, m) rows of likes, as an (r, m) array; 0 for an item that is not linked."""
    some = rows[:, links.items]
    if links.by_users:
        spanned = (some @ links.liked.T) @ links.inverse
        product = (some.toarray() - _dense_times(spanned, links.liked)) / STRENGTH
    else:
        product = some @ links.inverse
    scores = np.zeros(rows.shape)
    scores[:, links.items] = some.toarray() - product / links.diagonal
    return scores


def _dense_times(dense: np.ndarray, sparse: csr_array) -> np.ndarray:
    return (sparse.T @ dense.T).T


def _inverse(square: np.ndarray) -> np.ndarray:
    """Return the inverse of a positive definite matrix, which is overwritten.

    LAPACK keeps columns together and fills one triangle. A symmetric matrix is its own transpose, so that nothing need be copied for it, and
    rows lie together again in what is returned.
    """
    factor, _ = lapack.dpotrf(square.T, lower=1, overwrite_a=1, clean=0)
    inverse, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
    inverse = inverse.T  # now the upper triangle is filled
    n = len(inverse)
    for start in range(0, n, _MIRRORED):
        stop = min(start + _MIRRORED, n)
        inverse[stop:, start:stop] = inverse[start:stop, stop:].T
        block = inverse[start:stop, start:stop]
        block[:] = np.triu(block) + np.triu(block, 1).T
    return inverse
