"""Fitting on rows that do not fit in memory: an estimator, a source that is read chunk by chunk, and nothing else.

An estimator that reads its rows once takes chunk after chunk by ``partial_fit``; a grid method begins as many passes as it
needs. Memory is that of a chunk and of the estimator's state.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone

from ..arrays import to_numpy
from ..catalog import CATALOG
from ..errors import UnsupportedError
from ..tables.blocks import ROWS, RowBlocks, row_blocks, write_npy

__all__ = ["fit_chunks", "predict_chunks"]

Progress = Callable[[int, int | None, str], None]


def fit_chunks(
    estimator: Any,
    source: Any,
    *,
    chunk_rows: int = ROWS,
    columns: Sequence | None = None,
    labels: str | os.PathLike | None = None,
    progress: Progress | None = None,
) -> Any:
    """Fit an estimator on rows that are read chunk by chunk.

    Parameters
    ----------
    estimator : estimator
        `MiniBatchKMeans`, `Birch`, `STING`, `WaveCluster`, `CLIQUE`, or any other with ``partial_fit``. It is cloned, not changed.
    source : path, array, list of arrays, or callable
        A ``.npy`` file, a ``.parquet`` file or a folder of them; an array or memmap of shape (n, d); or a function that begins a pass
        and returns an iterator over arrays or frames, of any number of rows.
    chunk_rows : int, default=131072
        Rows of a chunk. The result does not depend on it where the estimator's page says so: that is all five named above.
    columns : sequence of int or str, optional
        Which ones to use. By default all that hold numbers.
    labels : str or path-like, optional
        Write the label of every row to this ``.npy`` file, in one more pass.
    progress : callable, optional
        Called as ``progress(done, total, what)`` after each chunk: rows of this pass so far, rows in all or None where that is
        not known, and "fit" or "labels".

    Returns
    -------
    estimator
        The fitted clone.

    Raises
    ------
    UnsupportedError
        If the estimator needs all rows at once.
    InputError
        If the source cannot be read, or a value is missing or infinite; the message names row and column.

    See Also
    --------
    predict_chunks : Labels of other rows, the same way.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import CLIQUE
    >>> from coterie.stream import fit_chunks
    >>> X = np.random.default_rng(0).normal(size=(1000, 2)) + np.repeat([[0.0], [9.0]], 500, axis=0)
    >>> model = fit_chunks(CLIQUE(full_space=True), X, chunk_rows=64)
    >>> [cluster.rows > 400 for cluster in model.clusters_[:2]]
    [True, True]
    """
    blocks = row_blocks(source, rows=chunk_rows, columns=columns)
    fitted = clone(estimator)
    counted = _counting(blocks, "fit", progress)
    if _takes_passes(fitted):
        fitted.fit(counted)
    elif hasattr(fitted, "partial_fit"):
        for block in counted():
            fitted.partial_fit(block)
    else:
        raise UnsupportedError(
            f"{type(estimator).__name__} needs all rows at once; MiniBatchKMeans, Birch, STING, WaveCluster and CLIQUE do not"
        )
    if labels is not None:
        _write(fitted, blocks, labels, progress)
    return fitted


def predict_chunks(
    estimator: Any,
    source: Any,
    path: str | os.PathLike,
    *,
    chunk_rows: int = ROWS,
    columns: Sequence | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write the label of every row of a source to a ``.npy`` file, chunk by chunk.

    Parameters
    ----------
    estimator : estimator
        Fitted, with ``predict``.
    source, columns
        As for `fit_chunks`.
    path : str or path-like
        Replaced when all labels are there; ``numpy.load(path, mmap_mode="r")`` reads it.
    chunk_rows : int, default=131072
    progress : callable, optional
        As for `fit_chunks`.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the source cannot be read.
    OutputError
        If the file cannot be written.
    """
    return _write(estimator, row_blocks(source, rows=chunk_rows, columns=columns), path, progress)


def _takes_passes(estimator: Any) -> bool:
    """Say whether ``fit`` takes a function that begins a pass: the grid methods do."""
    target = f"{type(estimator).__module__}:{type(estimator).__name__}"
    return any(line.family == "grid" and line.target == target for line in CATALOG)


def _counting(blocks: RowBlocks, what: str, progress: Progress | None) -> Callable[[], Iterator[np.ndarray]]:
    def counted() -> Iterator[np.ndarray]:
        done = 0
        for block in blocks():
            yield block
            done += len(block)
            if progress is not None:
                progress(done, blocks.n_rows, what)
        blocks.n_rows = done

    return counted


def _write(estimator: Any, blocks: RowBlocks, path: str | os.PathLike, progress: Progress | None) -> Path:
    if blocks.n_rows is None:
        blocks.n_rows = sum(len(block) for block in blocks())
    labels = (to_numpy(estimator.predict(block)) for block in _counting(blocks, "labels", progress)())
    return write_npy(path, labels, blocks.n_rows)
