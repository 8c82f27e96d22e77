"""Rows by interval: each feature cut into intervals of equal width, each value replaced by the number of its interval."""

from typing import Any

import numpy as np

from .engine import engine_of

__all__ = ["OUTSIDE", "cell_numbers", "cell_weights", "interval_codes", "interval_edges"]

OUTSIDE = 65535
"""Code of a value below the first edge or above the last."""


def interval_edges(low: np.ndarray, high: np.ndarray, n_intervals: int) -> np.ndarray:
    """Return the edges of equal intervals.

    Parameters
    ----------
    low, high : (d,) float array
        Ends of each feature, exactly the first and last edge; any magnitude.
    n_intervals : int

    Returns
    -------
    (d, n_intervals + 1) float64 array
    """
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    # A power of two brings both ends near 1, so that their difference neither overflows nor vanishes.
    exponent = np.frexp(np.maximum(np.abs(low), np.abs(high)))[1]
    ends = np.ldexp(low, -exponent), np.ldexp(high, -exponent)
    edges = np.ldexp(np.linspace(*ends, n_intervals + 1, axis=1), exponent[:, None])
    edges[:, 0], edges[:, -1] = low, high
    return edges


def interval_codes(X: Any, columns: Any, edges: Any) -> Any:
    """Find the interval of each value.

    Parameters
    ----------
    X : (n, d) float array or tensor
        Finite.
    columns : (c,) int64 array
        Which features to code.
    edges : (c, m + 1) float64 array
        Of these features, ascending; interval i holds the values from ``edges[i]`` up to, not including, ``edges[i + 1]``, the
        last one both. m is below `OUTSIDE`.

    Returns
    -------
    (c, n) array of uint16, or int32 tensor
        0 ... m - 1, or `OUTSIDE`.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.intervals import interval_codes
    >>> interval_codes(np.array([[0.0], [0.5], [1.0], [7.0]]), np.array([0]), np.array([[0.0, 0.5, 1.0]]))
    array([[    0,     1,     1, 65535]], dtype=uint16)
    """
    return engine_of(X, "intervals").interval_codes(X, np.asarray(columns, np.int64), np.asarray(edges, np.float64))


def cell_numbers(codes: Any, n_intervals: int) -> Any:
    """Number the cell of each row in the grid of all features, row-major.

    Parameters
    ----------
    codes : (c, n) array or tensor
        From `interval_codes`.
    n_intervals : int
        ``n_intervals ** c`` is below 2^31.

    Returns
    -------
    (n,) int32 array
        Rows that are outside in any feature get ``n_intervals ** c``.
    """
    return engine_of(codes, "intervals").cell_numbers(codes, n_intervals)


def cell_weights(numbers: Any, n_cells: int, sample_weight: Any = None) -> np.ndarray:
    """Count the rows of each cell, or add up their weights.

    Parameters
    ----------
    numbers : (n,) int32 array or tensor
        From `cell_numbers`.
    n_cells : int
        Those from here on are left out.
    sample_weight : (n,) float64 array, optional

    Returns
    -------
    (n_cells,) int64 array, float64 with weights
    """
    return engine_of(numbers, "intervals").cell_weights(numbers, n_cells, sample_weight)
