"""A number for each row that depends on its values alone: an order of rows that no shuffling or scaling changes."""

from typing import Any

import numpy as np

from .engine import engine_of

__all__ = ["key_weights", "row_keys"]


def row_keys(X: Any) -> Any:
    """Project each row on one fixed direction without symmetries.

    Parameters
    ----------
    X : (n, d) float array or CSR array

    Returns
    -------
    (n,) float64 array
        Equal rows have equal keys, whether dense or sparse, on any engine. Ordering rows by it is the same for shuffled,
        repeated, shifted and positively scaled rows, but for rows whose keys differ by rounding only.

    Notes
    -----
    O(n d) time; products are added feature by feature in float64.
    """
    return engine_of(X, "row_keys").row_keys(X, key_weights(X.shape[1]))


def key_weights(n_features: int) -> np.ndarray:
    """Return the direction: multiples of the golden ratio modulo 1, between 1/2 and 3/2, so that no two features cancel."""
    return 0.5 + np.modf(np.arange(1, n_features + 1) * 0.6180339887498949)[0]
