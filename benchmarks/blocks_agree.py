"""Every algorithm on rows in blocks beside the same in memory, on any workers: bits that must not depend on who does the work.

``python -m benchmarks.blocks_agree here|N|ADDRESS``: in this process, on N processes, or on the workers of a scheduler. A line for
each algorithm: a hash of the labels and one of what was learned, which are the same for all workers; what the rows in memory say; and
what the blocks in another order say.
"""

import contextlib
import hashlib
import sys
import warnings
from typing import Any

import numpy as np

BLOCKS, ROWS = 12, 2_500
START = np.array([[0, 0, 0], [6, 0, 0], [0, 6, 0], [6, 6, 6], [3, 3, 3]], np.float64)

CASES = {
    "KMeans, given start": ("KMeans", {"n_clusters": 5, "init": START, "tol": 0}, "labels"),
    "KMeans, k-means||": ("KMeans", {"n_clusters": 5}, "inertia"),
    "MiniBatchKMeans": ("MiniBatchKMeans", {"n_clusters": 5}, "inertia"),
    "CLARA": ("CLARA", {"n_clusters": 5}, "inertia"),
    "CLARANS": ("CLARANS", {"n_clusters": 5}, "inertia"),
    "Birch": ("Birch", {"n_clusters": 5, "threshold": 0.5}, "ari"),
    "STING": ("STING", {}, "labels"),
    "WaveCluster": ("WaveCluster", {}, "labels"),
    "CLIQUE": ("CLIQUE", {}, "labels"),
    "DBSCAN": ("DBSCAN", {"eps": 0.5, "min_samples": 8}, "labels"),
    "HDBSCAN": ("HDBSCAN", {"min_cluster_size": 40}, "labels"),
}


def block(i: int) -> np.ndarray:
    """Return block ``i``: four clouds, and rows between them."""
    random = np.random.default_rng(i)
    X = random.normal(size=(ROWS, 3)) + START[random.integers(4, size=ROWS)]
    X[: ROWS // 25] = random.uniform(-3, 9, (ROWS // 25, 3))
    return X.astype(np.float32)


def in_blocks(order: Any) -> Any:
    """Return blocks in an order, as a Dask array."""
    from dask import array, delayed

    return array.concatenate([array.from_delayed(delayed(block)(int(i)), (ROWS, 3), np.float32) for i in order])


def fitted(name: str, settings: dict[str, Any], X: Any) -> Any:
    """Fit an estimator of coterie."""
    import coterie

    cls = getattr(coterie, name)
    if "random_state" in cls().get_params():
        settings = settings | {"random_state": 0}
    return cls(**settings).fit(X)


def labels_of(model: Any) -> np.ndarray:
    """Return the label of each row in this process."""
    return np.asarray(getattr(model.labels_, "compute", lambda: model.labels_)())


def digest(*values: Any) -> str:
    """Return a short hash of some arrays."""
    found = hashlib.sha256()
    for value in values:
        found.update(np.ascontiguousarray(value).tobytes())
    return found.hexdigest()[:10]


def state_of(model: Any) -> str:
    """Return a hash of what the rows have taught a model: the numbers and arrays that users see, but for the labels."""
    seen = sorted(name for name in vars(model) if name.endswith("_") and not name.startswith("_") and name != "labels_")
    held = [value for value in map(vars(model).get, seen) if isinstance(value, (int, float, np.ndarray))]
    return digest(*held)


def beside(model: Any, other: Any, asked: str, order: np.ndarray) -> str:
    """Say how a fit of blocks in an order agrees with another of all rows."""
    from sklearn.metrics import adjusted_rand_score

    mine = np.empty((BLOCKS, ROWS), np.int64)
    mine[order] = labels_of(model).reshape(BLOCKS, ROWS)
    theirs = labels_of(other)
    if np.array_equal(mine.ravel(), theirs):
        return "equal"
    ari = adjusted_rand_score(mine.ravel(), theirs)
    return f"ARI {ari:.4f}" + (f", inertia {model.inertia_ / other.inertia_:.4f}" if asked == "inertia" else "")


def main(where: str) -> None:
    """Print a line for each algorithm."""
    warnings.simplefilter("ignore")
    with contextlib.ExitStack() as stack:
        if where != "here":
            from distributed import Client, LocalCluster

            workers = where if ":" in where else stack.enter_context(
                LocalCluster(n_workers=int(where), threads_per_worker=1, processes=True, dashboard_address=None)
            )  # fmt: skip
            stack.enter_context(Client(workers))
        given, other = np.arange(BLOCKS), np.random.default_rng(7).permutation(BLOCKS)
        in_memory = np.concatenate([block(i) for i in given])
        for title, (name, settings, asked) in CASES.items():
            model = fitted(name, settings, in_blocks(given))
            permuted = fitted(name, settings, in_blocks(other))
            print(
                f"{title:20s} labels {digest(labels_of(model))} state {state_of(model)}"
                f" | in memory: {beside(model, fitted(name, settings, in_memory), asked, given)}"
                f" | permuted: {beside(permuted, model, asked, other)}",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) == 2 else "here")
