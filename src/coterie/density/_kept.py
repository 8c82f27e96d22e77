"""Indexes that `predict` builds once for each estimator: neither in its state, nor in model files or pickles."""

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

__all__ = ["kept"]

_INDEXES: WeakKeyDictionary = WeakKeyDictionary()


def kept(owner: Any, rows: Any, key: Any, build: Callable[[], Any]) -> Any:
    """Return what ``build`` gave for these rows and this key, if it is still there, else build it.

    Parameters
    ----------
    owner : estimator
        The index lives as long as it does, and one at most is kept for each.
    rows : array
        What the index was built from: the very object, which a new fit replaces.
    key : hashable
        What else the index depends on.
    build : callable

    Returns
    -------
    index
    """
    found = _INDEXES.get(owner)
    if found is None or found[0] is not rows or found[1] != key:
        found = _INDEXES[owner] = (rows, key, build())
    return found[2]
