"""The order in which OPTICS visits rows, and from where and how far each was reached."""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import is_tensor, to_numpy
from .engine import engine_of
from .spanning_tree import mutual_reachability_tree

__all__ = ["Reachability", "decimals_of", "reachability_of_distances", "reachability_order"]

_DIGITS = 15  # decimals that distances are rounded to, so that rounding errors do not tell equal ones apart


class Reachability(NamedTuple):
    """The result of a walk: arrays on the host."""

    ordering: np.ndarray  # (n,) int64: rows in the order of the visit
    reachability: np.ndarray  # (n,) float64: by row, infinite where a walk began
    core_distances: np.ndarray  # (n,) float64: by row, infinite where beyond the largest radius
    predecessor: np.ndarray  # (n,) int64: by row, -1 where a walk began


def reachability_order(X: Any, min_samples: int, max_eps: float = np.inf) -> Reachability:
    """Visit all rows, always the one next that is reached most easily from those before.

    Row p reaches row q at ``max(core(p), d(p, q))``, if that is at most ``max_eps``. Of equal ones the lowest row comes first;
    where none is reached, the lowest row that is left.

    Parameters
    ----------
    X : (n, d) float array
        Any engine, finite.
    min_samples : int
        A row's core distance reaches its ``min_samples``-th nearest row, itself included; 1 ... n.
    max_eps : float
        Largest distance that counts; the ball is closed.

    Returns
    -------
    Reachability
        Distances are rounded to 15 decimals, as scikit-learn does (for data smaller than a millionth, to 15 digits of the
        largest core distance).

    Notes
    -----
    The spanning tree by mutual reachability says how far a row may look: if all edges on the tree's path from p to q are
    shorter than ``max(core(p), d(p, q))``, the walk has passed along that path before it would go straight from p to q. So
    of each row only the neighbours are met that are no further than the longest edge on the path to them: exact, ties
    included, whatever ``max_eps``. About O(n log n) in few dimensions; O(n d + n log n) memory. The walk is on the host.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.reachability import reachability_order
    >>> walk = reachability_order(np.array([[0.0], [9.0], [1.0], [3.0]]), 2)
    >>> walk.ordering.tolist(), walk.reachability.tolist()
    ([0, 2, 3, 1], [inf, 6.0, 1.0, 2.0])
    """
    X = X.double() if is_tensor(X) else X.astype(np.float64, copy=False)
    tree, core = mutual_reachability_tree(X, min_samples)
    rows, core = np.ascontiguousarray(to_numpy(X)), to_numpy(core)
    core, decimals = _usable(core, max_eps)
    edges = [to_numpy(part) for part in tree]
    ordering, reach, predecessor = engine_of(rows, "reachability").walk(rows, core, edges, max_eps, decimals)
    return Reachability(ordering, reach, core, predecessor)


def decimals_of(largest: float) -> int | None:
    """Return to how many decimals distances up to ``largest`` are rounded; None for none."""
    if not 0 < largest < 1e200:
        return None
    exponent = int(np.floor(np.log10(largest)))
    return _DIGITS if exponent >= -6 else min(_DIGITS - exponent, 300)


def _usable(core: np.ndarray, max_eps: float) -> tuple[np.ndarray, int | None]:
    core = np.array(core, dtype=np.float64)
    core[core > max_eps] = np.inf
    decimals = decimals_of(float(core[np.isfinite(core)].max(initial=0.0)))
    return _rounded(core, decimals), decimals


def _rounded(values: np.ndarray, decimals: int | None) -> np.ndarray:
    # As np.round does it up to 22 decimals; beyond, that cannot.
    return values if decimals is None else np.rint(values * 10.0**decimals) / 10.0**decimals


def reachability_of_distances(distances_from: Any, core_distances: np.ndarray, max_eps: float = np.inf) -> Reachability:
    """Do the same for a dissimilarity that is asked for one row at a time.

    Parameters
    ----------
    distances_from : callable
        Given a row, returns its (n,) dissimilarities to all rows; asked once for each row.
    core_distances : (n,) float64 array
    max_eps : float

    Returns
    -------
    Reachability

    Notes
    -----
    O(n^2) time, O(n) memory.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.reachability import reachability_of_distances
    >>> distances = np.array([[0.0, 4.0, 1.0], [4.0, 0.0, 2.0], [1.0, 2.0, 0.0]])
    >>> reachability_of_distances(distances.__getitem__, np.array([1.0, 2.0, 1.0])).ordering.tolist()
    [0, 2, 1]
    """
    core, decimals = _usable(core_distances, max_eps)
    n = len(core)
    ordering, predecessor, reach = np.empty(n, np.int64), np.full(n, -1), np.full(n, np.inf)
    left = np.ones(n, bool)
    for step in range(n):
        rows = np.flatnonzero(left)
        row = ordering[step] = rows[np.argmin(reach[rows])]
        left[row] = False
        if not np.isfinite(core[row]):
            continue
        distances = np.asarray(distances_from(row), dtype=np.float64)
        offered = _rounded(np.maximum(distances, core[row]), decimals)
        better = np.flatnonzero(left & (offered < reach) & (distances <= max_eps))
        reach[better], predecessor[better] = offered[better], row
    return Reachability(ordering, reach, core, predecessor)
