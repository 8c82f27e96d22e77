"""How long the steps of a pass over blocks of rows take on the workers at hand: what a forecast of a whole fit is made from."""

from importlib import import_module
from typing import Any

__all__ = ["kmeans_rates"]


def kmeans_rates(X: Any, n_clusters: int) -> tuple[dict[str, float], int, float]:
    """Time what K-means does with a block, on one block for each thread of the workers, all at once.

    Parameters
    ----------
    X : Dask array (n, d), Dask frame, or RowFiles
        Its first blocks are read.
    n_clusters : int

    Returns
    -------
    seconds : dict of str to float
        A row, on one thread: "read", "look" (range and sums), "move" (shift and scale), "draw", "far" and "farther" (draw the
        first time, after one round and after all), "weigh" (nearest of all candidates), "total" (nearest center), "step" (sums by
        center) and "again" (the same where a worker has kept the last step).
    n_threads : int
        Tasks of a pass side by side.
    latency : float
        Seconds of a pass that does nothing.
    """
    found: tuple[dict[str, float], int, float] = import_module("coterie.primitives._dask.rates").kmeans_rates(
        X, n_clusters
    )
    return found
