"""Distances between all rows of two sets, in bounded tiles."""

from typing import Any

from .engine import engine_of

__all__ = ["pairwise_distances"]


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
