"""Rows in blocks, sorted by anything: each task leaves a file with a slice for every receiver, and receivers read theirs.

Nothing but the sizes of slices passes through the client, and memory holds what one receiver gets. Files lie in the scratch folder
of the worker that wrote them. They outlive it while its machine lives; where that is lost, so are its files, and `lost` tells of it:
begin anew.
"""

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Drop", "collect", "derived", "forget", "gathered", "leave", "lost", "stored"]


class Drop(NamedTuple):
    """A file that one task has left."""

    path: str
    address: str  # of the worker
    folder: tuple  # the same for workers that see the same files
    sizes: np.ndarray  # (receivers,) int64: bytes of each slice, in this order


def leave(token: str, slices: Iterable[Sequence[np.ndarray]]) -> Drop:
    """Write a file in the scratch folder of this worker.

    Parameters
    ----------
    token : str
        Names what the file belongs to.
    slices : iterable of sequences of arrays
        What each receiver gets: arrays, one after another.

    Returns
    -------
    Drop

    Raises
    ------
    ResourceError
        If the folder is full.
    """
    return _engine("exchange").leave(token, slices)


def collect(
    X: Any,
    drops: Sequence[Drop],
    receivers: Sequence[int],
    function: Callable,
    *arguments: Any,
    own: Callable[[int], tuple] | None = None,
    strict: bool = False,
) -> list:
    """Let each receiver work on what was left for it.

    Parameters
    ----------
    X : rows in blocks
        Whose workers shall work.
    drops : sequence of Drop
    receivers : sequence of int
    function : callable
        ``function(receiver, pieces, *own(receiver), *arguments)``, run on a worker; ``pieces`` gives (number of the drop, bytes),
        ascending, without those that are empty, one at a time, as often as it is gone through; ``pieces.between(first, end)`` gives those
        of some drops.
    *arguments
        More arguments.
    own : callable, optional
        Arguments for one receiver, as a tuple.
    strict : bool, default=False
        Read files only on the workers that wrote them.

    Returns
    -------
    list
        What the function returned, in the order of ``receivers``.

    Raises
    ------
    lost()
        If a file is gone.
    """
    return _engine("exchange").collect(X.crew, drops, receivers, function, arguments, own, strict)


def lost() -> type[Exception]:
    """Return the exception that says that files went with a worker."""
    return _engine("tasks").Lost


def forget(X: Any, token: str) -> None:
    """Remove the files of a token on all workers, some time soon."""
    X.crew.tell(_engine("exchange").forget_here, token)


def stored(X: Any, drops: Sequence[Drop], token: str) -> Any:
    """Return what was left block by block as values that Dask can read; the files go when nothing refers to them.

    Parameters
    ----------
    X : rows in blocks
    drops : sequence of Drop
        One for each block, of one slice.
    token : str
        Of these files, and no others.

    Returns
    -------
    list
        Of Dask's delayed bytes.
    """
    return _engine("stored").stored(X.crew, drops, token)


def derived(values: Sequence, function: Callable, lengths: Sequence, dtype: Any, more: Sequence | None = None) -> Any:
    """Return what a function makes of the values of each block, one after another, as a Dask array.

    Parameters
    ----------
    values : list
        From `stored`, or arrays.
    function : callable
        Returns a (length,) array for a block.
    lengths : sequence of int
    dtype : dtype
    more : sequence, optional
        One more argument for each block.

    Returns
    -------
    Dask array
    """
    return _engine("stored").derived(values, function, lengths, dtype, more)


def gathered(*arrays: Any) -> tuple:
    """Return Dask arrays as NumPy arrays, computed at once."""
    return _engine("stored").gathered(*arrays)


def _engine(name: str) -> Any:
    return import_module(f"coterie.primitives._dask.{name}")
