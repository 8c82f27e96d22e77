"""Wide tables turned so that as few columns as there are rows hold all distances.

Rows span no more directions than there are rows. Written in those directions (the triangle of a QR decomposition, O(m n^2) once), they
have the same distances and the same means of groups, and each later pass over them costs n columns instead of m.
"""

import numpy as np
from threadpoolctl import threadpool_limits

__all__ = ["turned"]

# Turning pays from this many columns a row.
WIDE = 1.5


def turned(X: np.ndarray) -> np.ndarray:
    """Return rows with the same distances in at most as many columns as there are rows; narrow tables as they are.

    Parameters
    ----------
    X : (n, m) float64 array

    Returns
    -------
    (n, m) or (n, n) float64 array
    """
    n, m = X.shape
    if m <= WIDE * n:
        return X
    with threadpool_limits(1, user_api="blas"):  # sums in one order: the same bits on any number of threads
        triangle = np.asarray(np.linalg.qr((X - X.mean(axis=0)).T, mode="r"))
    return np.ascontiguousarray(triangle.T)
