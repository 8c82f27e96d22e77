"""A number for each row that depends on its values alone: an order of rows that no shuffling or scaling changes."""

from typing import Any

import numpy as np

from ..arrays import to_numpy
from .engine import engine_of

__all__ = ["key_order", "key_weights", "row_keys", "row_order"]


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


def row_order(X: Any) -> np.ndarray:
    """Return an order of the rows that no shuffling changes: that of their `row_keys`, equal ones as they come.

    Parameters
    ----------
    X : (n, d) float array or CSR array

    Returns
    -------
    (n,) int64 array
        On the host.
    """
    return key_order(to_numpy(row_keys(X)))


def key_order(keys: np.ndarray) -> np.ndarray:
    """Return the stable order of numbers, in less time than a stable sort takes.

    Parameters
    ----------
    keys : (n,) float64 array
        Without NaN.

    Returns
    -------
    (n,) int64 array
        As ``np.argsort(keys, kind="stable")``.

    Notes
    -----
    The leading bits of a key and its place make one integer, and integers sort several times as fast as an order is found.
    Keys with equal leading bits, few as a rule, are put in order afterwards.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.row_keys import key_order
    >>> key_order(np.array([0.5, -2.0, 0.5, 0.0]))
    array([1, 3, 0, 2])
    """
    n_bits = max(1, int(len(keys) - 1).bit_length())
    bits = (keys + 0.0).view(np.int64)  # adding 0 leaves one zero, not two
    packed = bits ^ ((bits >> 63) & np.int64(2**63 - 1))  # integers in the order of the numbers
    packed &= np.int64(-1 << n_bits)
    packed |= np.arange(len(keys))
    packed.sort()
    leading = packed >> n_bits
    alike = leading[1:] == leading[:-1]
    order = packed & np.int64((1 << n_bits) - 1)
    if alike.any():
        concerned = np.append(alike, False)
        concerned[1:] |= alike
        places = np.flatnonzero(concerned)
        rows = order[places]
        order[places] = rows[np.lexsort((rows, keys[rows], leading[places]))]
    return order


def key_weights(n_features: int) -> np.ndarray:
    """Return the direction: multiples of the golden ratio modulo 1, between 1/2 and 3/2, so that no two features cancel."""
    return 0.5 + np.modf(np.arange(1, n_features + 1) * 0.6180339887498949)[0]
