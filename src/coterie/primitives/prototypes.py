"""Which prototype is nearest to a row of numbers and categories."""

from typing import Any

import numpy as np

from .engine import engine_of

__all__ = ["nearest_prototype"]


def nearest_prototype(X: Any, codes: Any, means: np.ndarray, modes: np.ndarray, gamma: float) -> tuple[Any, Any]:
    """Find the prototype of least cost of each row: squared distance plus ``gamma`` for each category that differs.

    Parameters
    ----------
    X : (n, p) float array
        At least one column; one of zeros where there are no numbers.
    codes : (n, c) int32 array
        Of the engine of ``X``; negative codes equal none.
    means : (k, p) float64 array
    modes : (k, c) int32 array
    gamma : float
        Finite, in squared units of ``X``.

    Returns
    -------
    labels : (n,) int64 array
        Ties go to the lowest index.
    costs : (n,) float64 array

    Notes
    -----
    O(n k (p + c)) time, O(n) memory. Squared distances are sums of differences in the dtype of ``X``.
    """
    return engine_of(X, "prototypes").nearest_prototype(X, codes, means, modes, float(gamma))
