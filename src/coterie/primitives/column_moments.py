"""Mean and deviation of each column of rows in files, and some of the rows, in one pass."""

from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from ..errors import MissingExtraError

__all__ = ["Moments", "column_moments"]


class Moments(NamedTuple):
    """What one pass over the rows has found."""

    n: int
    mean: np.ndarray  # (d,) float64
    deviation: np.ndarray  # (d,) float64: root of the mean squared difference from the mean
    low: np.ndarray  # (d,)
    high: np.ndarray  # (d,)
    sample: np.ndarray  # (m, d) float64: the rows that were asked for


def column_moments(X: Any, drawn: np.ndarray) -> Moments:
    """Return mean, deviation and range of each column, and the rows of the given numbers.

    Parameters
    ----------
    X : RowFiles
    drawn : (m,) int64 array
        Numbers of rows, ascending.

    Returns
    -------
    Moments
        The same bits on any workers, and all but the sample for any order of the blocks.

    Raises
    ------
    InputError
        If a value is missing or infinite; the message says where.
    ClusterError
        If the workers are lost.
    MissingExtraError
        If the extra ``distributed`` is not installed.
    """
    try:
        engine = import_module("coterie.primitives._dask.column_moments")
    except ImportError as error:
        if "coterie" in str(error):
            raise
        raise MissingExtraError('rows in blocks need Dask; pip install "coterie[distributed]"') from None
    return engine.column_moments(X, drawn)
