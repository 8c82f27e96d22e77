"""What K-means will cost on rows in blocks, before it runs: seconds, bytes and passes, from steps timed on the workers at hand.

A pass costs its latency and the work of its slowest thread. The work of each kind of pass is timed on a few blocks, so that the
forecast holds for these workers, this storage and these columns; it is linear in the rows.
"""

from typing import Any, NamedTuple

import numpy as np

from ..primitives.rates import kmeans_rates

__all__ = ["Forecast", "Pass", "forecast_kmeans"]

_ROUNDS = 5  # of k-means||
_BESIDE, _SHARE = 48, 0.75  # what is kept: see `coterie.primitives.blocks.block_rows`


class Pass(NamedTuple):
    """What is done with every block, so many times."""

    name: str
    times: int
    seconds: float  # each time


class Forecast(NamedTuple):
    """What a fit will take."""

    passes: tuple[Pass, ...]
    kept: bool  # whether workers keep the rows, or read them anew in each pass
    bytes_read: float  # from where the rows lie
    bytes_sent: float  # between workers and client

    @property
    def seconds(self) -> float:
        """Return the seconds of all passes."""
        return sum(one.times * one.seconds for one in self.passes)

    def __str__(self) -> str:
        lines = [f"{one.times:4d} x {one.seconds:10.3f} s  {one.name}" for one in self.passes]
        return "\n".join(
            [*lines, f"{self.seconds:,.1f} s; reads {self.bytes_read:.3g} bytes, sends {self.bytes_sent:.3g}"]
        )


def forecast_kmeans(
    X: Any,
    n_clusters: int,
    n_rows: int,
    *,
    n_iter: int = 20,
    tol: bool = True,
    init: bool = True,
    memory: float | None = None,
    n_threads: int | None = None,
    rates: tuple[dict[str, float], int, float] | None = None,
) -> Forecast:
    """Say what `KMeans` will cost on rows in blocks.

    Parameters
    ----------
    X : Dask array, Dask frame, or RowFiles
        Rows like those of the fit, in blocks like theirs; the first are read, to time the steps.
    n_clusters : int
    n_rows : int
        Of the fit.
    n_iter : int, default=20
        Steps that it will take.
    tol : bool, default=True
        Whether ``tol`` is above 0, which takes two passes.
    init : bool, default=True
        Whether starts are drawn by k-means||, which takes seven passes.
    memory : float, optional
        Bytes that all workers together have left; unlimited by default.
    n_threads : int, optional
        Of the workers of the fit; by default of those that are there.
    rates : tuple, optional
        From an earlier `coterie.primitives.rates.kmeans_rates`, for more than one forecast.

    Returns
    -------
    Forecast
    """
    seconds, n_here, latency = kmeans_rates(X, n_clusters) if rates is None else rates
    n_threads = n_threads or n_here
    d, k = X.shape[1], n_clusters
    n_bytes = float(n_rows) * d * np.dtype(X.dtype).itemsize if hasattr(X, "dtype") else 8.0 * n_rows * d
    kept = 2 * n_bytes + _BESIDE * n_rows <= _SHARE * (memory or float("inf"))
    fresh = 0.0 if kept else seconds["read"] + seconds["move"]

    moved = seconds["move"] if kept else fresh  # what the pass after the first has to do before it can begin
    grown = 0.0 if kept else (seconds["farther"] - seconds["far"]) / (_ROUNDS - 1)  # for each round to be made up for
    work = [("look at the rows", 1, seconds["read"] + seconds["look"])]
    if tol:
        work += [("add up for the tolerance", 1, moved + seconds["one"]), ("spread", 1, fresh + seconds["one"])]
        moved = fresh
    if init:
        work += [("draw by weight", 1, moved + seconds["draw"])]
        work += [(f"draw far rows, round {i + 1}", 1, fresh + seconds["far"] + grown * i) for i in range(_ROUNDS)]
        work += [("weigh what was drawn", 1, fresh + seconds["weigh"])]
        moved = fresh
    work += [("first step", 1, moved + seconds["step"])]
    work += [("step", n_iter - 1, fresh + (seconds["again"] if kept else seconds["step"]))]
    work += [("total", 1, fresh + seconds["total"])]
    passes = [Pass(name, times, latency + each * n_rows / n_threads) for name, times, each in work]
    n_passes = sum(one.times for one in passes)
    state = 8.0 * k * (3 * d + 4)  # centers there, sums in two parts and weights back
    return Forecast(tuple(passes), kept, n_bytes * (1 if kept else n_passes), n_threads * state * n_passes)
