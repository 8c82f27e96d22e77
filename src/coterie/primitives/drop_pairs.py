"""Two files at a time: what each task has left, worked on together with what each other one has left."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from .exchange import Drop

__all__ = ["collect_pairs"]


def collect_pairs(
    X: Any,
    drops: Sequence[Drop],
    pairs: Sequence[tuple[int, int]],
    function: Callable,
    *arguments: Any,
    strict: bool = False,
) -> list:
    """Let workers work on pairs of files that were left by `coterie.primitives.exchange.leave`.

    Parameters
    ----------
    X : rows in blocks
        Whose workers shall work.
    drops : sequence of Drop
    pairs : sequence of (int, int)
        Numbers of drops.
    function : callable
        ``function(pair, bytes, bytes, *arguments)``, run on a worker with all that the two files hold.
    *arguments
        More arguments.
    strict : bool, default=False
        Read files only on the workers that wrote them.

    Returns
    -------
    list
        What the function returned for each pair.

    Raises
    ------
    lost()
        Of `coterie.primitives.exchange`: if a file is gone.
    """
    engine = import_module("coterie.primitives._dask.drop_pairs")
    return engine.collect_pairs(X.crew, drops, pairs, function, arguments, strict)
