"""The cheapest way to give each row to one of few clusters when the clusters' sizes are bounded."""

import numpy as np

from ..errors import InputError, ResourceError

__all__ = ["assign_within"]

_MOST_NODES = 2**31 - 1


def assign_within(
    costs: np.ndarray, low: np.ndarray, high: np.ndarray, prices: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Assign every row to a cluster at the least total cost, with the number of rows of each cluster within bounds.

    A transportation problem, solved exactly on the small graph of clusters: the length of the arc from a to b is the least
    extra cost of moving a row of a to b, kept in a heap, and rows move along shortest paths from clusters that have too many to
    clusters that have too few. Prices of the clusters, the dual variables, keep all lengths from being negative.

    Parameters
    ----------
    costs : (n, k) float64 array
        Cost of giving row i to cluster j, finite. On the host: the method is sequential.
    low, high : (k,) int64 array
        Least and greatest number of rows; ``0 <= low <= high`` and ``low.sum() <= n <= high.sum()``.
    prices : (k,) float64 array, optional
        Where to begin, such as the prices of similar costs: the nearer to the final ones, the less is left to do.

    Returns
    -------
    labels : (n,) int64 array
        A row's cluster has the least ``cost - price``, up to rounding; where several have it, the bounds decide.
    prices : (k,) float64 array
        Above 0 only where a cluster is at its lower bound, below 0 only at its upper one.

    Raises
    ------
    InputError
        If no assignment is within the bounds.
    ResourceError
        If n k exceeds what 32 bits can number; nothing was allocated.

    Notes
    -----
    O(n k) for the start and O(k^2 + k log n) for each row that must move, times the length of its path; 25 n k bytes beside the costs.

    References
    ----------
    Ahuja, R. K., Magnanti, T. L., & Orlin, J. B. (1993). Network flows. Prentice Hall. Chapter 9.7: successive shortest paths.

    Fredman, M. L., Sedgewick, R., Sleator, D. D., & Tarjan, R. E. (1986). The pairing heap: a new form of self-adjusting heap.
    Algorithmica, 1, 111-129. https://doi.org/10.1007/BF01840439

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.transport import assign_within
    >>> costs = np.array([[0.0, 9.0], [1.0, 8.0], [2.0, 4.0]])
    >>> labels, prices = assign_within(costs, np.array([0, 0]), np.array([2, 3]))
    >>> labels.tolist()
    [0, 0, 1]
    """
    from ._numba.transport import solve

    n, k = costs.shape
    low, high = np.asarray(low, np.int64), np.minimum(np.asarray(high, np.int64), n)
    if low.sum() > n or high.sum() < n or (low > high).any() or (low < 0).any():
        raise InputError(
            f"no assignment of {n} rows has between {low.tolist()} and {high.tolist()} rows in its clusters"
        )
    if n * k > _MOST_NODES:
        raise ResourceError(
            f"bounded cluster sizes for {n:,} rows and {k} clusters need {33 * n * k / 1e9:,.0f} GB; cluster a sample of the rows"
        )
    start = np.zeros(k) if prices is None else np.asarray(prices, np.float64)
    return solve(np.ascontiguousarray(costs, np.float64), low, high, start)
