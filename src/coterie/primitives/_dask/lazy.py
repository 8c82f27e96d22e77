"""What concerns each block alone, as a Dask array that is computed when it is asked for."""

from collections.abc import Callable
from typing import Any

import dask
import dask.array as da
import numpy as np

from .sources import chunks_of, given, loaded

__all__ = ["by_block"]


def by_block(X: Any, function: Callable, dtype: Any, n_columns: int | None, lengths: np.ndarray | None) -> Any:
    """See `coterie.primitives.blocks.by_block`."""
    table = given(X)
    shared = dask.delayed(function)  # travels once, not with every block
    tail = () if n_columns is None else (n_columns,)
    if lengths is None:
        lengths = _known_lengths(table.table)
    parts = [
        da.from_delayed(
            dask.delayed(_applied, pure=False)(shared, source, table.dtype, table.names, dtype),
            (np.nan if lengths is None else int(lengths[i]), *tail),
            dtype,
        )
        for i, source in enumerate(_sources(table.table))
    ]
    return da.concatenate(parts) if len(parts) > 1 else parts[0]


def _sources(table: Any) -> list[Any]:
    return (
        list(table.to_delayed().ravel())
        if hasattr(table, "to_delayed") and hasattr(table, "ndim") and not hasattr(table, "columns")
        else (table.to_delayed() if hasattr(table, "columns") else chunks_of(table))
    )


def _known_lengths(table: Any) -> list | None:
    if hasattr(table, "pieces"):
        return [piece.n_rows for piece in table.pieces]
    chunks = getattr(table, "chunks", None)
    return None if chunks is None or any(np.isnan(m) for m in chunks[0]) else list(chunks[0])


def _applied(function: Callable, source: Any, of: Any, names: list | None, dtype: Any) -> np.ndarray:
    rows = loaded(source, of)
    return np.asarray(function(rows), dtype)
