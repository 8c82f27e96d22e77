"""The leading singular vectors of a matrix that is never formed: products with blocks of vectors are all that is asked of it.

A random block is multiplied by the matrix and its transpose in turn and made orthonormal in between, until it spans the leading
right vectors; the decomposition of its image, which is narrow, gives the rest. Products of several matrices need not be
multiplied out, and what was found for one matrix is a good start for a similar one.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError

__all__ = ["OVERSAMPLED", "SingularVectors", "leading_singular_vectors"]

OVERSAMPLED = 10  # vectors of the block beyond those that are wanted, so that the last of these converge too


class SingularVectors(NamedTuple):
    """Of a block, a little wider than what is wanted; values descend."""

    left: np.ndarray  # (n, b) orthonormal, sums of columns not negative
    values: np.ndarray  # (b,)
    right: np.ndarray  # (d, b) orthonormal: the start for a matrix much like this one


def leading_singular_vectors(
    times: Callable[[np.ndarray], Any],
    times_transposed: Callable[[np.ndarray], Any],
    shape: tuple[int, int],
    width: int,
    start: np.random.Generator | np.ndarray,
    n_rounds: int = 6,
) -> SingularVectors:
    """Find the leading singular vectors of a matrix from its products.

    Parameters
    ----------
    times : callable
        From a (d, b) block to the (n, b) product with the matrix.
    times_transposed : callable
        From an (n, b) block to the (d, b) product with the transpose.
    shape : (int, int)
        n and d.
    width : int
        How many are wanted, at least 1.
    start : Generator, or (d, b) array
        Of random vectors; or the right vectors of a similar matrix.
    n_rounds : int
        Products with matrix and transpose; each shrinks what is wrong by the square of the ratio of the first value outside the
        block to the wanted one.

    Returns
    -------
    SingularVectors
        min(width + 10, n, d) of them, of which the first ``width`` are good.

    Raises
    ------
    InputError
        If ``width`` is less than 1, or a start has another number of rows than the matrix has columns.

    Notes
    -----
    Cost: 2 ``n_rounds`` + 1 products with blocks and O((n + d) b^2) a round; memory O((n + d) b).

    References
    ----------
    Halko, N., Martinsson, P. G., & Tropp, J. A. (2011). Finding structure with randomness: probabilistic algorithms for
    constructing approximate matrix decompositions. SIAM Review 53(2), 217-288. doi:10.1137/090771806

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.singular_vectors import leading_singular_vectors
    >>> matrix = np.diag([3.0, 2.0, 1.0])
    >>> found = leading_singular_vectors(matrix.__matmul__, matrix.T.__matmul__, (3, 3), 2, np.random.default_rng(0))
    >>> found.values[:2].round(6)
    array([3., 2.])
    """
    n, d = shape
    if width < 1:
        raise InputError(f"width must be at least 1, got {width}; ask for one vector or more")
    if isinstance(start, np.random.Generator):
        block = start.standard_normal((d, min(width + OVERSAMPLED, n, d)))
    elif len(start) != d:
        raise InputError(f"start must have a row for each of the {d} columns, got {len(start)} rows")
    else:
        block = start
    for _ in range(n_rounds):
        block = np.linalg.qr(times_transposed(times(block)))[0]
    left, values, right = np.linalg.svd(times(block), full_matrices=False)
    sign = np.where(left.sum(axis=0) < 0, -1.0, 1.0)
    return SingularVectors(left * sign, values, block @ (right.T * sign))
