"""K-means on a Dask array of five million rows: ten Lloyd steps from the same centers, beside the same steps in memory.

The rows are drawn by the workers and lie in their memory, twenty chunks of them, before the clock starts; it stops when the labels lie
there too. "processes": two workers with one thread each. "threads": Dask's scheduler of this process, two threads. Memory
and processor time in the table are those of the process that asks, without its workers.
"""

from functools import partial
from typing import Any

import numpy as np

from .harness import Case
from .kmeans import inertia

STEPS, CHUNKS, SPREAD = 10, 20, 4.0


def make(n: int, d: int, k: int) -> tuple:
    """Return the shape of a chunk and starting centers, which are rows of the first."""
    shape = (n // CHUNKS, d)
    start = chunk(0, shape, k)
    return shape, start[np.sort(np.random.default_rng(1).choice(len(start), size=k, replace=False))]


def chunk(i: int, shape: tuple[int, int], k: int) -> np.ndarray:
    """Draw chunk ``i``: rows around k centers, which are the same for all chunks."""
    centers = np.random.default_rng(0).uniform(-10, 10, (k, shape[1])).astype(np.float32)
    random = np.random.default_rng((0, i))
    X = random.standard_normal(shape, dtype=np.float32)
    X *= np.float32(SPREAD)
    X += centers[random.integers(k, size=len(X))]
    return X


def in_memory(data: tuple) -> np.ndarray:
    """Return all rows."""
    shape, start = data
    return np.concatenate([chunk(i, shape, len(start)) for i in range(CHUNKS)])


def in_dask(data: tuple, scheduler: str) -> Any:
    """Return all rows as a Dask array whose chunks lie with the workers; the workers live until this process ends."""
    import dask
    from dask import array, delayed

    if scheduler == "processes":
        from distributed import Client, LocalCluster

        Client(LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None))
    else:
        dask.config.set(scheduler="threads", num_workers=2)
    shape, start = data
    chunks = [delayed(chunk)(i, shape, len(start)) for i in range(CHUNKS)]
    return ready(array.concatenate([array.from_delayed(part, shape, np.float32) for part in chunks]))


def ready(values: Any) -> Any:
    """Wait until a Dask array is computed where its chunks lie; arrays in memory are."""
    if not hasattr(values, "persist"):
        return values
    from distributed import futures_of, wait

    values = values.persist()
    if futures := futures_of(values):  # none with threads: there persist itself waits
        wait(futures)
    return values


def fitted(model: Any, X: Any) -> Any:
    """Fit, and wait for the labels."""
    model.fit(X)
    ready(model.labels_)
    return model


def settings(start: np.ndarray, **others: Any) -> dict[str, Any]:
    """Return what all three libraries call by the same names."""
    return {"n_clusters": len(start), "init": start, "n_init": 1, "max_iter": STEPS, "tol": 0, **others}


def coterie(data: tuple) -> Any:
    """All cores."""
    from coterie import KMeans

    X = in_memory(data)
    return lambda: fitted(KMeans(**settings(data[1])), X)


def coterie_dask(data: tuple, scheduler: str) -> Any:
    """On the chunks, where they lie."""
    from coterie import KMeans

    X = in_dask(data, scheduler)
    return lambda: fitted(KMeans(**settings(data[1])), X)


def sklearn(data: tuple) -> Any:
    """All cores."""
    from sklearn.cluster import KMeans

    X = in_memory(data)
    return lambda: fitted(KMeans(**settings(data[1], algorithm="lloyd")), X)


def dask_ml(data: tuple, scheduler: str) -> Any:
    """One graph of tasks a step; its labels are left to be computed, which is a pass more."""
    from dask_ml.cluster import KMeans

    X = in_dask(data, scheduler)
    return lambda: fitted(KMeans(**settings(data[1])), X)


def quality(data: tuple, model: Any) -> dict[str, Any]:
    """Return the inertia of the final centers, computed in one way for all, and the steps."""
    shape, start = data
    centers = np.asarray(model.cluster_centers_)
    total = sum(inertia(chunk(i, shape, len(start)), centers) for i in range(CHUNKS))
    return {"inertia": f"{total:.6g}", "steps": int(model.n_iter_)}


PEERS = {
    "coterie": partial(coterie_dask, scheduler="processes"),
    "coterie, threads": partial(coterie_dask, scheduler="threads"),
    "coterie in memory": coterie,
    "scikit-learn in memory": sklearn,
    "dask-ml, processes": partial(dask_ml, scheduler="processes"),
    "dask-ml, threads": partial(dask_ml, scheduler="threads"),
}

CASES = [Case("dask-kmeans-5Mx16-k16-f32", partial(make, 5_000_000, 16, 16), PEERS, quality)]
