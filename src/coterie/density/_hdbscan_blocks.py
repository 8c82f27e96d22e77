"""Rows in blocks for HDBSCAN*: brought to one process, where the spanning tree and what follows hold something of each row anyway."""

from typing import Any

import numpy as np

from ..arrays import to_numpy
from ..errors import ResourceError, UnsupportedError
from ..primitives.blocks import each_block
from ..primitives.exchange import derived
from ..primitives.memory import free_bytes

__all__ = ["in_blocks_of", "refuse_distances", "rows_in_memory"]

_ROW_BYTES = 160  # of a row in trees and results, at their peak
_COPIES = 4  # of the rows: as they came, put together, kept for predict, and in the tree


def refuse_distances(metric: Any) -> None:
    """Refuse rows in blocks that are distances.

    Raises
    ------
    UnsupportedError
    """
    if metric == "precomputed":
        raise UnsupportedError(
            "metric='precomputed' needs all distances at once; pass X.compute() if they fit into memory"
        )


def rows_in_memory(X: Any) -> np.ndarray:
    """Return all rows.

    Parameters
    ----------
    X : rows in blocks

    Returns
    -------
    (n, d) float array

    Raises
    ------
    ResourceError
        If they, and the trees over them, do not fit into the memory that is free.
    """
    needed = len(X) * (_ROW_BYTES + _COPIES * X.shape[1] * X.dtype.itemsize)
    if needed > free_bytes():
        raise ResourceError(
            f"HDBSCAN of {len(X):,} rows needs {needed / 2**30:.1f} GiB in this process, and {free_bytes() / 2**30:.1f} GiB are free; fit on a "
            "sample of the rows and predict the others, or take DBSCAN, which holds a part at a time"
        )
    return np.concatenate(each_block(X, _values))


def in_blocks_of(X: Any, values: np.ndarray) -> Any:
    """Return one value for each row as a Dask array in the blocks of the rows."""
    parts = np.split(values, np.cumsum(X.lengths)[:-1])
    return derived(parts, _same, X.lengths, values.dtype)


def _values(block: Any) -> np.ndarray:
    return to_numpy(block.rows)


def _same(values: np.ndarray) -> np.ndarray:
    return values
