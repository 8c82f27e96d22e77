"""What is asked of node numbers and weights, each in one sentence that says where."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import InputError, ResourceError

__all__ = ["check_ends", "check_size", "check_weights", "node_numbers", "real_weights", "unmasked"]

MOST_NODES = 1 << 31
"""Two node numbers fit in one sorted key up to here; the array of row starts alone would need 16 GiB."""

_NUMBER_FIRST = (
    "number the nodes 0, 1, ... first (numpy.unique(edges, return_inverse=True) does), "
    "or read a file with names by coterie.tables.read_graph"
)


def unmasked(values: Any, what: str) -> np.ndarray:
    """Return an array; refuse masked entries, whose values mean nothing."""
    if isinstance(values, np.ma.MaskedArray):
        if np.ma.is_masked(values):
            raise InputError(f"{what} hold masked values; fill them or leave those links out")
        return values.data
    return np.asarray(values)


def real_weights(values: Any) -> np.ndarray:
    """Return weights as float32 where they came so, else as float64."""
    values = unmasked(values, "the weights")
    if np.iscomplexobj(values):
        raise InputError("complex data not supported: weights must be real numbers")
    if values.dtype.kind in "USmM":
        raise InputError(f"weights must be numbers, got {values.dtype}; convert them first")
    try:
        return values if values.dtype == np.float32 and values.dtype.isnative else values.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"weights must be numbers ({error})") from None


def check_weights(values: np.ndarray, place: Callable[[int], str] | None = None) -> None:
    """Refuse weights that are NaN, infinite or negative; ``place(i)`` says where the i-th stands."""
    if not len(values):
        return
    low, high = values.min(), values.max()  # either is NaN where any weight is
    if low >= 0 and high < np.inf:
        return
    i = int(np.flatnonzero(~(np.isfinite(values) & (values >= 0)))[0])
    where = f" ({place(i)})" if place is not None else ""
    if not np.isfinite(values[i]):
        raise InputError(
            f"the graph has a weight that is NaN or infinity{where}; weights must be finite: fill them or leave those links out"
        )
    raise InputError(
        f"Negative values in data: the graph has a weight of {values[i]:g}{where}; weights must be at least 0, "
        "so shift them, drop those links, or take them for distances"
    )


def node_numbers(ends: np.ndarray) -> np.ndarray:
    """Return node numbers as int64, of whatever kind of number they are."""
    kind = ends.dtype.kind
    if kind == "u" and ends.dtype.itemsize == 8 and ends.size and ends.max() > np.iinfo(np.int64).max:
        raise InputError(f"an edge names node {ends.max()}, beyond any number of nodes; {_NUMBER_FIRST}")
    if kind in "iu":
        return ends.astype(np.int64, copy=False)
    if kind == "O":
        return _from_objects(ends)
    if kind == "f":
        if not np.isfinite(ends).all():
            raise InputError("the edges contain NaN or infinity; the ends of edges must be whole node numbers from 0")
        wrong = ends[(ends != np.floor(ends)) | (np.abs(ends) >= 2.0**62)]
        if not len(wrong):
            return ends.astype(np.int64)
        raise InputError(
            f"an edge names node {wrong[0]:g}: the ends must be whole node numbers from 0; {_NUMBER_FIRST}"
        )
    raise InputError(f"the ends of edges must be whole node numbers from 0, got {ends.dtype}; {_NUMBER_FIRST}")


def _from_objects(ends: np.ndarray) -> np.ndarray:
    for name in ends.ravel():
        if isinstance(name, bool | np.bool_ | str | bytes) or (not hasattr(name, "__index__") and not _whole(name)):
            raise InputError(
                f"the ends of edges must be whole node numbers from 0, got {name!r} of type {type(name).__name__}; "
                f"{_NUMBER_FIRST}"
            )
    try:
        return ends.astype(np.int64)
    except OverflowError:
        raise InputError(f"an edge names a node beyond any number of nodes; {_NUMBER_FIRST}") from None


def _whole(name: Any) -> bool:
    return isinstance(name, float | np.floating) and float(name).is_integer()


def check_ends(ends: np.ndarray, n: int, place: Callable[[int], str] | None = None) -> None:
    """Refuse node numbers that are not 0 ... n - 1."""
    if not ends.size:
        return
    low, high = int(ends.min()), int(ends.max())
    if low < 0 or high >= n:
        wrong = low if low < 0 else high
        i = int(np.flatnonzero(ends.ravel() == wrong)[0])
        who = "an edge" if place is None else place(i)
        raise InputError(f"{who} names node {wrong}, but the nodes are 0 ... {n - 1}")


def check_size(n: int, n_ends: int | None = None) -> None:
    """Refuse a number of nodes that cannot be, before anything is allocated.

    Parameters
    ----------
    n : int
    n_ends : int, optional
        How many ends of edges there are, where ``n`` was taken from the largest number among them.
    """
    if n < 1:
        raise InputError("the graph has no nodes; at least 1 is needed")
    sparse = n_ends is not None and n > 10_000_000 + 1000 * n_ends
    if n > MOST_NODES or sparse:
        raise ResourceError(
            f"the graph would have {n:,} nodes" + (f" for {n_ends // 2:,} edges" if n_ends is not None else "") + ", "
            f"which need {8 * n / 1e9:,.0f} GB before anything is computed; if these are identifiers, {_NUMBER_FIRST}"
        )
