"""Distances between all rows of two sets, in bounded tiles."""

from typing import Any

import numpy as np

from ..arrays import is_tensor
from ..errors import InputError, UnsupportedError
from .engine import engine_of

__all__ = ["check_distances", "pairwise_distances"]

_BLOCK_BYTES = 32 << 20


def pairwise_distances(X: Any, Y: Any = None, *, squared: bool = False) -> Any:
    """Return the Euclidean distance of every row of ``X`` to every row of ``Y``.

    Parameters
    ----------
    X : (n, d) float array or CSR array
    Y : (m, d) float array, default=None
        ``X`` itself where None.
    squared : bool, default=False
        Leave out the square root.

    Returns
    -------
    (n, m) array
        Of the dtype of ``X``. Sums of squared differences for dense rows: exact to rounding at any offset.

    Notes
    -----
    O(n m d) time and O(n m) memory, which is the result: call it on blocks of rows where that is much.
    """
    return engine_of(X, "distances").pairwise_distances(X, X if Y is None else Y, squared)


def check_distances(X: Any, rounding: float = 0.0) -> None:
    """Refuse a matrix that is no dissimilarity of rows among themselves.

    Parameters
    ----------
    X : (n, n) float array
    rounding : float, default=0.0
        How far a distance to the row itself may be from 0, any other below it, and two directions apart, as a share of the
        largest distance. Directions may always differ by a hundred thousandth.

    Raises
    ------
    InputError
        If it is not square or symmetric, has a negative distance, or one of a row to itself that is not 0.
    UnsupportedError
        If it is a tensor.
    """
    if is_tensor(X):
        raise UnsupportedError("precomputed distances are taken as a NumPy array; move the tensor to one")
    n = len(X)
    if X.shape != (n, n):
        raise InputError(f"metric='precomputed' needs a square matrix of distances, got shape {X.shape}")
    rounding *= X.max()
    row = int(np.abs(X.diagonal()).argmax())
    if abs(X[row, row]) > rounding:
        raise InputError(f"the distance of row {row} to itself is {X[row, row]:g}; the diagonal must be 0")
    step = max(1, _BLOCK_BYTES // (8 * n))
    for start in range(0, n, step):
        block = X[start : start + step]
        if block.min() < -rounding:
            raise InputError(
                "metric='precomputed' needs distances, but some are negative; for similarities use a metric"
            )
        if not np.allclose(block, X[:, start : start + step].T, atol=max(rounding, 1e-8)):
            raise InputError(
                "the matrix of distances is not symmetric; give (D + D.T) / 2 if the differences are small"
            )
