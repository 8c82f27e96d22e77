"""Which engine owns an array, and how many threads the CPU engine may use.

The engine is found from the array's type and its framework is never imported to ask: an array of PyTorch can only come
from a process that has imported PyTorch already.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from ..errors import InputError, UnsupportedError

__all__ = ["engine_name", "engine_of", "get_num_threads", "set_num_threads", "task_threads", "threads"]

_ENVIRONMENT = ("COTERIE_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS")
_chosen_threads: int | None = None
_of_this_thread = threading.local()


def engine_name(array: Any) -> str:
    """Name the engine that owns ``array``.

    Parameters
    ----------
    array : array
        A NumPy array, a SciPy sparse array, a PyTorch tensor, or rows in blocks, which name their engine.

    Returns
    -------
    {"numba", "torch", "dask"}

    Raises
    ------
    UnsupportedError
        For any other type.
    """
    if isinstance(array, np.ndarray):
        return "numba"
    if isinstance(named := getattr(array, "engine", None), str):
        return named
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(array, torch.Tensor):
        return "torch"
    scipy_sparse = sys.modules.get("scipy.sparse")
    if scipy_sparse is not None and scipy_sparse.issparse(array):
        return "numba"
    raise UnsupportedError(f"no engine computes on {type(array).__name__}; pass a NumPy array or a PyTorch tensor")


def engine_of(array: Any, module: str) -> ModuleType:
    """Return the engine's module of the given name, e.g. ``engine_of(X, "assign").nearest_center``.

    Parameters
    ----------
    array : array
        Decides the engine, see `engine_name`.
    module : str
        File name of a primitive, the same in every engine.
    """
    return import_module(f"coterie.primitives._{engine_name(array)}.{module}")


def get_num_threads() -> int:
    """Return how many threads the CPU engine uses: as set, else from the environment, else one for each usable core.

    ``COTERIE_NUM_THREADS``, ``NUMBA_NUM_THREADS`` and ``OMP_NUM_THREADS`` are asked in that order. Results do not depend
    on the number.
    """
    chosen = getattr(_of_this_thread, "n", None) or _chosen_threads
    if chosen is not None:
        return chosen
    for name in _ENVIRONMENT:
        value = os.environ.get(name, "").split(",")[0].strip()
        if value.isdigit() and int(value) > 0:
            return int(value)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def set_num_threads(n: int | None) -> None:
    """Set how many threads the CPU engine uses in this process; None goes back to the default.

    Raises
    ------
    InputError
        If ``n`` is not a positive integer.
    """
    global _chosen_threads
    if n is not None and (not isinstance(n, int) or isinstance(n, bool) or n < 1):
        raise InputError(f"the number of threads must be a positive integer or None, got {n!r}")
    _chosen_threads = n


@contextlib.contextmanager
def threads(n: int) -> Iterator[None]:
    """Use ``n`` threads inside a ``with`` block.

    Examples
    --------
    >>> from coterie.primitives.engine import get_num_threads, threads
    >>> with threads(3):
    ...     get_num_threads()
    3
    """
    before = _chosen_threads
    set_num_threads(n)
    try:
        yield
    finally:
        set_num_threads(before)


@contextlib.contextmanager
def task_threads(n: int) -> Iterator[None]:
    """Use ``n`` threads inside a ``with`` block for what this thread asks for: tasks side by side share a worker's cores."""
    before = getattr(_of_this_thread, "n", None)
    _of_this_thread.n = n
    try:
        yield
    finally:
        _of_this_thread.n = before
