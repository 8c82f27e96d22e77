"""Labels and core rows of rows in blocks, as Dask arrays over the files in which the fit has left them."""

from itertools import accumulate
from typing import Any

import numpy as np

from ..errors import ResourceError
from ..primitives.blocks import by_block
from ..primitives.exchange import derived, gathered, stored
from ..primitives.memory import free_bytes
from ._dbscan_blocks import BlockClusters

__all__ = ["gathered_core", "stored_results"]

_COPIES = 3  # of the core rows: as they are, as they are measured, and in the index


def stored_results(X: Any, rows: Any, found: BlockClusters) -> tuple[Any, Any, Any, Any]:
    """Return labels, numbers of core rows, core rows and their labels, all of them Dask arrays.

    Parameters
    ----------
    X : Dask array, Dask frame, or RowFiles
        As it was given.
    rows : rows in blocks
        Made from it.
    found : BlockClusters

    Returns
    -------
    labels : (n,) int64
    indices : (n_core,) int64
    components : (n_core, d)
    core_labels : (n_core,) int64
    """
    lengths, n_core = rows.lengths.tolist(), found.n_core.tolist()
    codes = [[data, n] for data, n in zip(stored(rows, found.labels, found.token), lengths, strict=True)]
    starts = list(accumulate([0, *lengths[:-1]]))
    return (
        derived(codes, _labels, lengths, np.int64),
        derived(codes, _core_numbers, n_core, np.int64, starts),
        by_block(X, _core_rows, rows.dtype, int(X.shape[1]), found.n_core, codes),
        derived(codes, _core_labels, n_core, np.int64),
    )


def gathered_core(components: Any, indices: Any, labels: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bring core rows, their numbers and their labels to this process.

    Raises
    ------
    ResourceError
        If they do not fit.
    """
    n, d = components.shape
    needed = _COPIES * n * (d * components.dtype.itemsize + 16)
    if needed > free_bytes():
        raise ResourceError(
            f"predict needs the {n:,} core rows in one process: {needed / 2**30:.1f} GiB, and {free_bytes() / 2**30:.1f} GiB are free; join "
            "labels_ with the rows they belong to instead, or fit on a sample"
        )
    return gathered(components, indices, labels)


def _codes(block: tuple[bytes, int]) -> np.ndarray:
    data, n = block
    return np.frombuffer(data, np.int32 if len(data) == 4 * n else np.int64)


def _labels(block: tuple[bytes, int]) -> np.ndarray:
    codes = _codes(block)
    return np.where(codes < 0, -1, codes >> 1).astype(np.int64)


def _is_core(block: tuple[bytes, int]) -> np.ndarray:
    codes = _codes(block)
    return (codes >= 0) & (codes & 1 == 1)


def _core_numbers(block: tuple[bytes, int], start: int) -> np.ndarray:
    return start + np.flatnonzero(_is_core(block))


def _core_labels(block: tuple[bytes, int]) -> np.ndarray:
    return _labels(block)[_is_core(block)]


def _core_rows(rows: np.ndarray, block: tuple[bytes, int]) -> np.ndarray:
    return rows[_is_core(block)]
