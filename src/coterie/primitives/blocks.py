"""Rows that lie in blocks: Dask arrays, Dask frames and files, of which no machine need hold all.

The functions of other primitives take what `block_rows` returns like any array; `by_block` is for what concerns each block alone.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any

import numpy as np

from ..errors import MissingExtraError

__all__ = [
    "block_rows", "by_block", "each_block", "fold_blocks", "in_blocks", "is_block_rows", "limited", "room_for", "rows_as_they_are",
    "says", "values_by_block", "watching",
]  # fmt: skip


def in_blocks(X: Any) -> bool:
    """Say whether ``X`` is a Dask array, a Dask frame or `coterie.tables.RowFiles`, without importing any of them."""
    return hasattr(X, "pieces") or (hasattr(X, "__dask_graph__") and "dask" in sys.modules)


def is_block_rows(rows: Any) -> bool:
    """Say whether ``rows`` is what `block_rows` returns."""
    return getattr(rows, "engine", None) == "dask"


def block_rows(X: Any, sample_weight: Any = None, *, device: str = "cpu") -> Any:
    """Look at rows in blocks once, and return what the functions of the primitives take.

    Workers are those of the client of Dask that is open in this process; where there is none, threads of this process. Where the
    workers have room for the rows three times, they keep them; else each pass reads them anew.

    Parameters
    ----------
    X : Dask array (n, d), Dask frame, or RowFiles
    sample_weight : Dask array (n,) in the same blocks, or (n,) array, optional
    device : str, default="cpu"
        As for `coterie.arrays.to_device`, on each worker.

    Returns
    -------
    BlockRows
        ``shape``, ``dtype`` and ``names`` are known; ``len`` is the number of rows.

    Raises
    ------
    InputError
        If a value is missing, infinite or no number; the message says where.
    ResourceError
        If a block is too large for a worker.
    ClusterError
        If the workers are lost.
    MissingExtraError
        If the extra ``distributed`` is not installed.
    """
    return _engine().block_rows(X, sample_weight, device)


def rows_as_they_are(X: Any) -> Any:
    """Return rows in blocks without a look at them, for a pass or two: their number is not known, and nothing is kept on workers.

    Parameters
    ----------
    X : Dask array (n, d), Dask frame, or RowFiles

    Returns
    -------
    BlockRows

    Raises
    ------
    MissingExtraError
        If the extra ``distributed`` is not installed.
    """
    return _engine().rows_as_they_are(X)


def by_block(
    X: Any,
    function: Any,
    dtype: Any,
    n_columns: int | None = None,
    lengths: np.ndarray | None = None,
    beside: Sequence | None = None,
) -> Any:
    """Apply a function to each block when the result is computed.

    Parameters
    ----------
    X : Dask array (n, d), Dask frame, or RowFiles
    function : callable
        ``function(rows)`` of an (m, d) array returns (m,) or (m, n_columns) values.
    dtype : dtype
        Of the values.
    n_columns : int, optional
        None for one value a row.
    lengths : (blocks,) int array, optional
        Values, or rows, that are returned for each block, where that is known.
    beside : sequence, optional
        One more argument of the function for each block: a value of Dask's, or any other.

    Returns
    -------
    Dask array
        In the blocks of ``X``.
    """
    return _engine("lazy").by_block(X, function, dtype, n_columns, lengths, beside)


def each_block(rows: Any, function: Any, *arguments: Any) -> list:
    """Run a function on every block, where it lies.

    Parameters
    ----------
    rows : BlockRows
        From `block_rows`.
    function : callable
        ``function(block, *arguments)``; ``block.rows`` are its rows, maybe none, ``block.start`` is the number of the first of them,
        ``block.weight`` their weights or None, and ``block.rank`` the block's place by its contents. What is not touched is not read.
    *arguments : any
        Small: every task gets them.

    Returns
    -------
    list
        The results, small ones, in the order in which the blocks were given.
    """
    return _engine("passes").each(rows, function, *arguments)


def fold_blocks(rows: Any, function: Any, merge: Any, *arguments: Any) -> Any:
    """Run a function on every block and merge the results, first on the workers.

    Parameters
    ----------
    rows : BlockRows
    function : callable
        As for `each_block`.
    merge : callable
        ``merge(a, b)`` must be exact, and give the same in any order.
    *arguments : any

    Returns
    -------
    any
        What is left when all results are merged.
    """
    return _engine("passes").fold(rows, function, merge, *arguments)


def room_for(rows: Any, n_bytes: int) -> int:
    """Return how many items of so many bytes each the result of a task may have, for workers and for this process.

    Parameters
    ----------
    rows : BlockRows
    n_bytes : int

    Returns
    -------
    int
    """
    return _engine("passes").room_for(rows, n_bytes)


def says(words: str) -> Callable[[Any], Any]:
    """Name what a pass with this function of a block does, for `watching`; ``{}`` is the how many-th such pass it is."""

    def named(function: Any) -> Any:
        function.words = words
        return function

    return named


def watching(callback: Callable[[int, str, int, int], None] | None = None) -> AbstractContextManager:
    """Look on while passes over rows in blocks run in this thread.

    Parameters
    ----------
    callback : callable, optional
        Told the number of the pass, what it does, how many of its blocks are done, and how many it has.

    Returns
    -------
    context manager
        Of a tally, which says how many ``passes`` there were, and how many ``readings`` of all rows.
    """
    return _engine("watch").watching(callback)


def limited(n_bytes: float) -> AbstractContextManager:
    """Let this process, where it works on blocks by itself, keep no more rows than fit into so many bytes."""
    return _engine("here").limited(n_bytes)


def values_by_block(values: Any) -> Iterator[np.ndarray]:
    """Compute a Dask array of one value a row, and give its blocks in order; a few at a time are computed ahead.

    Raises
    ------
    ClusterError
        If the workers are lost.
    """
    return _engine("gather").values_by_block(values)


def _engine(name: str = "rows") -> Any:
    try:
        return import_module(f"coterie.primitives._dask.{name}")
    except ImportError as error:
        if "coterie" in str(error):
            raise
        raise MissingExtraError('rows in blocks need Dask; pip install "coterie[distributed]"') from None
