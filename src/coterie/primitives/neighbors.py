"""The nearest rows of rows: by distance, or by mutual reachability."""

from typing import Any

from ..arrays import is_tensor, like_input
from ..errors import InputError
from .engine import engine_of

__all__ = ["k_nearest", "nearest_reachable", "neighbor_index"]


def neighbor_index(X: Any) -> Any:
    """Prepare rows for several searches among them.

    Parameters
    ----------
    X : (n, d) float array
        Any engine, finite.

    Returns
    -------
    index or None
        For `k_nearest` and `nearest_reachable`, together with the same ``X``; None where the engine has no use for one.
    """
    engine = engine_of(X, "neighbors")
    return engine.build_index(X) if hasattr(engine, "build_index") else None


def k_nearest(X: Any, k: int, *, queries: Any = None, index: Any = None) -> tuple[Any, Any]:
    """Find the k nearest rows of ``X``, exactly.

    Parameters
    ----------
    X : (n, d) float array
        Any engine, finite.
    k : int
        How many, 1 ... n.
    queries : (m, d) float array, optional
        Rows to find neighbours for; without them, the rows of ``X`` themselves.
    index : index, optional
        From `neighbor_index`, for queries.

    Returns
    -------
    distances : (m, k) float array
        Euclidean, in the dtype of ``X``, ascending.
    indices : (m, k) int64 array
        Rows of ``X``. Equal distances are in order of the row number, and among rows equally far at the end the lowest are
        kept. Without ``queries`` each row is its own first neighbour, whatever its duplicates.

    Raises
    ------
    InputError
        If ``k`` is not between 1 and n.

    Notes
    -----
    A k-d tree in any dimension: about O(n log n) in few dimensions, up to O(n^2 d) in many, at the rate of the SIMD tile.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.neighbors import k_nearest
    >>> distances, indices = k_nearest(np.array([[0.0], [1.0], [3.0]]), 2)
    >>> indices.tolist()
    [[0, 1], [1, 0], [2, 1]]
    """
    if not 1 <= k <= len(X):
        raise InputError(
            f"k must be between 1 and the number of rows, got k={k} with {len(X)} rows; lower k or add rows"
        )
    given = {} if index is None else {"index": index}
    return engine_of(X, "neighbors").k_nearest(X, int(k), queries, **given)


def nearest_reachable(
    X: Any, core_distances: Any, queries: Any, min_samples: int, *, index: Any = None
) -> tuple[Any, Any]:
    """Find for each new row the row of ``X`` that is nearest by mutual reachability.

    The mutual reachability of a query q and a row x is ``max(core(q), core(x), d(q, x))``, where ``core(q)`` is the distance
    from q to its ``min_samples``-th nearest row, q counted as the first. A query that lies exactly on a row of ``X`` is that
    row: it has its core distance.

    Parameters
    ----------
    X : (n, d) float array
        Any engine, finite.
    core_distances : (n,) float64 array
        Of the rows of ``X``.
    queries : (m, d) float array
    min_samples : int
        As for the core distances, 1 ... n.
    index : index, optional
        From `neighbor_index`.

    Returns
    -------
    indices : (m,) int64 array
        The nearest row; ties by plain distance, then by the lowest row number.
    reachabilities : (m,) float64 array
        Its mutual reachability.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.neighbors import nearest_reachable
    >>> X, core = np.array([[0.0], [1.0], [3.0]]), np.array([1.0, 1.0, 2.0])
    >>> [values.tolist() for values in nearest_reachable(X, core, np.array([[2.1]]), 2)]
    [[1], [1.1]]
    """
    engine = engine_of(X, "neighbors")
    given = {} if index is None else {"index": index}
    if hasattr(engine, "nearest_reachable"):
        return engine.nearest_reachable(X, core_distances, queries, int(min_samples), **given)
    host = [values.detach().cpu().numpy() if is_tensor(values) else values for values in (X, core_distances, queries)]
    found, reach = engine_of(host[0], "neighbors").nearest_reachable(*host, int(min_samples))
    return like_input(found, X), like_input(reach, X)
