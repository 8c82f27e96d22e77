"""What blocks of rows are made from: chunks of Dask arrays and frames, and pieces of files; each can be had anew at any time."""

from typing import Any, NamedTuple

import numpy as np
from dask._task_spec import convert_legacy_graph, cull
from dask.base import optimize
from dask.core import flatten
from dask.local import get_sync

from ...errors import InputError

__all__ = ["Chunk", "Given", "chunks_of", "given", "loaded"]


class Given(NamedTuple):
    """A table of numbers as it was handed over."""

    table: Any  # Dask array of one column of chunks, Dask frame, or pieces of files
    n_features: int
    dtype: np.dtype  # float32 or float64: what blocks are turned into
    names: list | None  # of the columns
    n_bytes: float  # of the rows in that type; NaN where their number is not known


class Chunk:
    """A block that a graph makes, in the task that needs it; a class of its own, so that no scheduler takes the graph for its own.

    Parameters
    ----------
    graph : dict
    key : hashable
    """

    def __init__(self, graph: dict, key: Any):
        self.graph, self.key = graph, key

    def load(self) -> Any:
        """Compute it on this thread."""
        return get_sync(self.graph, self.key)


def given(X: Any) -> Given:
    """Look at a Dask array, a Dask frame or `coterie.tables.RowFiles` without computing anything.

    Raises
    ------
    InputError
        If it is no table of numbers.
    """
    if hasattr(X, "pieces"):
        dtype, names = np.dtype(X.dtype), None if X.names is None else list(X.names)
        return Given(X, X.shape[1], dtype, names, X.shape[0] * X.shape[1] * dtype.itemsize)
    if hasattr(X, "columns"):
        kinds = [np.dtype(kind) if isinstance(kind, np.dtype) else None for kind in X.dtypes]
        for name, kind, shown in zip(X.columns, kinds, X.dtypes, strict=True):
            if kind is None or kind.kind not in "fiub":
                raise InputError(f"column {name!r} holds {shown}, not numbers; choose or code columns first")
        return Given(X, len(kinds), _float_for(kinds), list(X.columns), np.nan)
    if X.ndim != 2 or X.dtype.kind not in "fiub":
        raise InputError(f"expected a Dask array of n rows and d columns of numbers, got shape {X.shape} of {X.dtype}")
    if not X.shape[1] > 0:
        raise InputError(f"expected a Dask array with columns, their number known, got shape {X.shape}")
    dtype = _float_for([X.dtype])
    return Given(X.rechunk({1: -1}), int(X.shape[1]), dtype, None, float(X.shape[0]) * X.shape[1] * dtype.itemsize)


def chunks_of(table: Any) -> list[Any]:
    """Return the blocks of a table in order, none of them computed."""
    if hasattr(table, "pieces"):
        return list(table.pieces)
    # dask.optimize of 2026.8.0 forgets the filters of a frame.
    table = table.optimize() if hasattr(table, "columns") else optimize(table)[0]
    graph = convert_legacy_graph(dict(table.__dask_graph__()))
    return [Chunk(dict(cull(graph, [key])), key) for key in flatten(table.__dask_keys__())]


def loaded(source: Any, dtype: Any, ndim: int = 2) -> np.ndarray:
    """Return a block as a C-contiguous array of the given type."""
    values = source.load() if hasattr(source, "load") else source
    values = np.asarray(values.to_numpy() if hasattr(values, "to_numpy") else values)
    if values.ndim != ndim:
        raise InputError(f"a block has {values.ndim} dimensions, expected {ndim}")
    return np.ascontiguousarray(values, dtype)


def _float_for(kinds: list) -> np.dtype:
    return np.dtype(np.float32 if all(kind == np.float32 for kind in kinds) else np.float64)
