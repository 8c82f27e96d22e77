"""The directions in which texts differ most, and which of them stand out from chance.

Of the centered rows the leading singular vectors are kept, as in latent semantic analysis: only those that hold more than the one of their
rank where words are shuffled between texts, and ten at most.

Deerwester S. et al. (1990), Indexing by latent semantic analysis, JASIS 41(6), 391-407; Horn J. L. (1965), A rationale and test for the
number of factors in factor analysis, Psychometrika 30, 179-185.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_DIRECTIONS", "SHUFFLES", "direction_names", "leading_directions", "standing_out"]

MOST_DIRECTIONS = 10
_ITERATED = 50  # a smaller side of the matrix is decomposed whole
# A direction must hold so much more than the one of its rank in each of as many shuffles: 3 of 75 sets of texts without themes kept one.
SHUFFLES = 3
_MARGIN = 1.1


def standing_out(values: NDArray[np.float64], shuffles: Iterable[Any], share: NDArray[np.float64]) -> int:
    """Return how many of the variances, from the first on, are larger than those of all shuffled rows."""
    chance = np.max([leading_directions(rows, share)[0] for rows in shuffles], axis=0)
    return int(np.argmin(np.append(values > _MARGIN * chance, False)))


def leading_directions(rows: Any, share: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return the largest variances of the centered rows, sparse or not, the directions they lie in (t, m), and the total variance."""
    from scipy.sparse import issparse
    from scipy.sparse.linalg import LinearOperator, svds
    from threadpoolctl import threadpool_limits

    root = np.sqrt(share)
    mean = share @ rows
    scaled = rows.multiply(root[:, None]).tocsr() if issparse(rows) else rows * root[:, None]
    total = float((scaled**2).sum() - mean @ mean)
    with threadpool_limits(1, user_api="blas"):  # sums in one order: the same bits on any number of threads
        if min(rows.shape) <= _ITERATED:
            _, sizes, right = np.linalg.svd(np.asarray(scaled - root[:, None] * mean), full_matrices=False)
        else:
            centered = LinearOperator(
                rows.shape,
                matvec=lambda x: scaled @ x.ravel() - root * (mean @ x.ravel()),
                rmatvec=lambda y: scaled.T @ y.ravel() - mean * (root @ y.ravel()),
                dtype=np.float64,
            )
            start = np.random.default_rng(0).standard_normal(min(rows.shape))
            _, sizes, right = svds(centered, k=MOST_DIRECTIONS, v0=start, return_singular_vectors="vh")
    order = np.argsort(-sizes, kind="stable")[:MOST_DIRECTIONS]
    right = right[order]
    signs = np.sign(right[np.arange(len(right)), np.abs(right).argmax(axis=1)])
    return sizes[order] ** 2, (right * signs[:, None]).T, max(total, np.finfo(float).tiny)


def direction_names(terms: Sequence[str], directions: NDArray[np.float64]) -> list[str]:
    """Return what tells directions apart: the two words furthest to either side of each."""
    found = []
    for direction in directions.T:
        order = np.argsort(-direction, kind="stable")
        high = [terms[i] for i in order[:2] if direction[i] > 0]
        low = [terms[i] for i in order[::-1][:2] if direction[i] < 0]
        found.append(" or ".join(high) + (" against " + " or ".join(low) if low else ""))
    return found
