"""Labels and core rows of rows in blocks, as Dask arrays over the files in which the fit has left them."""

from itertools import accumulate
from typing import Any

import numpy as np

from ..errors import ResourceError
from ..primitives.blocks import by_block
from ..primitives.exchange import stored
from ..primitives.memory import free_bytes
from ._dbscan_blocks import BlockClusters

__all__ = ["gathered_core", "stored_results"]

_COPIES = 3  # of the core rows: as they are, as they are measured, and in the index


def stored_results(X: Any, rows: Any, found: BlockClusters) -> tuple[Any, Any, Any]:
    """Return labels, numbers of core rows and core rows, all of them Dask arrays.

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
    """
    import dask.array as da
    from dask.delayed import delayed

    lengths, n_core = rows.lengths.tolist(), found.n_core.tolist()
    codes = [
        delayed(_codes, pure=False)(data, n)
        for data, n in zip(stored(rows, found.labels, found.token), lengths, strict=True)
    ]
    labels = [da.from_delayed(delayed(_labels)(code), (n,), np.int64) for code, n in zip(codes, lengths, strict=True)]
    starts = accumulate([0, *lengths[:-1]])
    indices = [
        da.from_delayed(delayed(_core_rows)(code, start), (m,), np.int64)
        for code, start, m in zip(codes, starts, n_core, strict=True)
    ]
    components = by_block(X, _chosen, rows.dtype, int(X.shape[1]), found.n_core, codes)
    return da.concatenate(labels), da.concatenate(indices), components


def gathered_core(components: Any, indices: Any, labels: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bring core rows, their numbers and their labels to this process.

    Raises
    ------
    ResourceError
        If they do not fit.
    """
    from dask.base import compute
    from dask.delayed import delayed

    n, d = components.shape
    needed = _COPIES * n * (d * components.dtype.itemsize + 16)
    if needed > free_bytes():
        raise ResourceError(
            f"predict needs the {n:,} core rows in one process: {needed / 2**30:.1f} GiB, and {free_bytes() / 2**30:.1f} GiB are free; join "
            "labels_ with the rows they belong to instead, or fit on a sample"
        )
    blocks = labels.to_delayed().ravel(), indices.to_delayed().ravel()
    starts = accumulate([0, *labels.chunks[0][:-1]])
    picked = [delayed(_picked)(*block, start) for *block, start in zip(*blocks, starts, strict=True)]
    rows, numbers, names = compute(components, indices, picked)
    return rows, numbers, np.concatenate(names)


def _codes(data: bytes, n: int) -> np.ndarray:
    return np.frombuffer(data, np.int32 if len(data) == 4 * n else np.int64)


def _labels(codes: np.ndarray) -> np.ndarray:
    return np.where(codes < 0, -1, codes >> 1).astype(np.int64)


def _is_core(codes: np.ndarray) -> np.ndarray:
    return (codes >= 0) & (codes & 1 == 1)


def _core_rows(codes: np.ndarray, start: int) -> np.ndarray:
    return start + np.flatnonzero(_is_core(codes))


def _chosen(rows: np.ndarray, codes: np.ndarray) -> np.ndarray:
    return rows[_is_core(codes)]


def _picked(labels: np.ndarray, indices: np.ndarray, start: int) -> np.ndarray:
    return labels[indices - start]
