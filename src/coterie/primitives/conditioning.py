"""Shifting and scaling rows so that sums of squares neither overflow, nor vanish, nor cancel."""

from typing import Any, NamedTuple

import numpy as np

from .engine import engine_of

__all__ = ["Conditioned", "condition"]


class Conditioned(NamedTuple):
    """Rows moved near the origin: ``X = rows * scale + shift``."""

    rows: Any  # (n, d) float, dtype and engine of X
    shift: np.ndarray  # (d,) float64
    scale: float  # a power of two, so that scaling rounds nothing


def condition(X: Any, shift: np.ndarray | None = None, scale: float | None = None) -> Conditioned:
    """Shift rows to their mean and scale them by a power of two to magnitude about 1.

    After this ``|x|^2 + |y|^2 - 2 x.y`` can be trusted, whatever the offset or the magnitude of the data.

    Parameters
    ----------
    X : (n, d) float array
        Any engine, finite.
    shift : (d,) float64 array, optional
        Use this shift instead of the mean: rows to predict are treated like the rows of the fit.
    scale : float, optional
        Use this scale, a power of two. Give both or neither.

    Returns
    -------
    Conditioned
        ``rows`` is a copy. Differences are formed in float64, so a float32 row moves by no more than its own rounding.
    """
    return Conditioned(*engine_of(X, "conditioning").condition(X, shift, scale))
