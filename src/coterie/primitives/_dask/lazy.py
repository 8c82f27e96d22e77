"""What concerns each block alone, as a Dask array that is computed when it is asked for."""

from collections.abc import Callable, Sequence
from typing import Any

import dask.array as da
import numpy as np
from dask.delayed import delayed

from .sources import given, loaded

__all__ = ["by_block", "joined"]


def by_block(
    X: Any,
    function: Callable,
    dtype: Any,
    n_columns: int | None,
    lengths: Sequence | None,
    beside: Sequence | None = None,
) -> Any:
    """See `coterie.primitives.blocks.by_block`."""
    table = given(X)
    shared = delayed(function)  # travels once, not with every block
    tail = () if n_columns is None else (n_columns,)
    sources, known = _sources(table.table)
    rows = known if lengths is None else [int(n) for n in lengths]
    more = [()] * len(sources) if beside is None else [(value,) for value in beside]
    parts = [
        da.from_delayed(delayed(_applied)(shared, source, table.dtype, dtype, tail, *values), (n, *tail), dtype)
        for source, n, values in zip(sources, rows, more, strict=True)
    ]
    return da.concatenate(parts) if len(parts) > 1 else parts[0]


def joined(parts: Sequence, lengths: Sequence, dtype: Any) -> Any:
    """Return values of the rows of each block as one Dask array: arrays, or futures whose keys are those of its chunks."""
    if isinstance(parts[0], np.ndarray):
        return da.concatenate([da.from_array(part, chunks=-1) for part in parts])
    chunks = tuple(int(n) for n in lengths)
    return da.Array({part.key: part for part in parts}, parts[0].key[0], (chunks,), dtype)


def _sources(table: Any) -> tuple[list, list]:
    """Return the blocks, none of them computed, and how many rows each has as far as that is known."""
    if hasattr(table, "pieces"):
        return list(table.pieces), [piece.n_rows for piece in table.pieces]
    blocks = np.ravel(np.array(table.to_delayed(), dtype=object)).tolist()
    return blocks, [np.nan] * len(blocks) if hasattr(table, "columns") else list(table.chunks[0])


def _applied(function: Callable, source: Any, of: Any, dtype: Any, tail: tuple, *beside: Any) -> np.ndarray:
    rows = loaded(source, of)
    return np.asarray(function(rows, *beside), dtype) if len(rows) else np.empty((0, *tail), dtype)
