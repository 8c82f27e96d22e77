"""The same recipes on one GPU: coterie on CUDA tensors beside cuML, faiss, flash-kmeans, and coterie's own CPU engine.

What is not there, the GPU or a peer, is a line of the table with the reason. Rows lie on the GPU before the clock starts, as
each library wants them; the clock stops when the GPU has finished.
"""

from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from . import dbscan, hdbscan, kmeans
from .data import blobs
from .harness import Case

STEPS = kmeans.STEPS
NEIGHBOURS = 10
PACKAGES = {"cuml": "cuML", "faiss": "faiss with GPUs", "flash_kmeans": "flash-kmeans", "torch": "PyTorch"}


def needs(package: str) -> None:
    """End the run with one sentence if there is no GPU, or no such package."""
    for name in ("torch", package):
        if find_spec(name) is None:
            raise SystemExit(f"skipped: {PACKAGES[name]} is not installed")
    import torch

    if not torch.cuda.is_available():
        raise SystemExit(f"skipped: PyTorch {torch.__version__} sees no CUDA device")
    if package == "faiss":
        import faiss

        if not hasattr(faiss, "StandardGpuResources"):
            raise SystemExit("skipped: this build of faiss has no GPU part")


def on_gpu(X: np.ndarray) -> Any:
    """Return the rows as a tensor on the GPU."""
    import torch

    return torch.from_numpy(X).cuda()


def finished(call: Any) -> Any:
    """Return a call that waits for the GPU."""
    import torch

    def timed() -> Any:
        result = call()
        torch.cuda.synchronize()
        return result

    return timed


def host(values: Any) -> np.ndarray:
    """Bring tensors, CuPy arrays and NumPy arrays back."""
    for name in ("cpu", "get"):
        if hasattr(values, name):
            values = getattr(values, name)()
    return np.asarray(values)


def as_arrays(data: tuple, result: Any, quality: Any) -> dict:
    """Judge as the CPU's benchmark does."""
    return quality(data, host(result))


# ---- K-means


class Centers:
    """What `kmeans.quality` asks of a model."""

    def __init__(self, centers: Any):
        self.cluster_centers_ = host(centers)


def kmeans_quality(data: tuple, result: Any) -> dict:
    """Return the inertia, of models and of bare centers."""
    return kmeans.quality(data, Centers(getattr(result, "cluster_centers_", result)))


def kmeans_coterie(data: tuple) -> Any:
    """Exact, float32 products."""
    needs("torch")
    from coterie import KMeans

    X, start = on_gpu(data[0]), data[1]
    return finished(lambda: KMeans(len(start), init=start, n_init=1, max_iter=STEPS, tol=0).fit(X))


def kmeans_halves(data: tuple) -> Any:
    """Steps in half precision by flash-kmeans, sums and the last labels exact."""
    needs("flash_kmeans")
    from coterie import KMeans

    X, start = on_gpu(data[0]), data[1]
    return finished(lambda: KMeans(len(start), init=start, n_init=1, max_iter=STEPS, tol=0, algorithm="flash").fit(X))


def kmeans_cpu(data: tuple) -> Any:
    """The CPU engine, where there is a GPU to compare with."""
    needs("torch")
    return kmeans.coterie(data)


def kmeans_cuml(data: tuple) -> Any:
    """Lloyd from the same centers."""
    needs("cuml")
    from cuml.cluster import KMeans

    X, start = on_gpu(data[0]), data[1]
    return finished(lambda: KMeans(len(start), init=start, n_init=1, max_iter=STEPS, tol=1e-30).fit(X))


def kmeans_faiss(data: tuple) -> Any:
    """It takes rows of the host, so the copy counts."""
    needs("faiss")
    from faiss import Kmeans

    X, start = data

    def call() -> Any:
        model = Kmeans(
            X.shape[1],
            len(start),
            niter=STEPS,
            gpu=True,
            max_points_per_centroid=len(X),
            min_points_per_centroid=1,
        )
        model.train(X, init_centroids=start)
        return model.centroids

    return finished(call)


def kmeans_flash(data: tuple) -> Any:
    """float16 products; one batch, the same centers."""
    needs("flash_kmeans")
    from flash_kmeans import batch_kmeans_Euclid

    X, start = on_gpu(data[0]).half()[None], on_gpu(data[1]).half()[None]

    def call() -> Any:
        found = batch_kmeans_Euclid(X, n_clusters=start.shape[1], max_iters=STEPS, tol=-1.0, init_centroids=start)
        return found[1][0].float()

    return finished(call)


# ---- DBSCAN and HDBSCAN


def dbscan_coterie(data: tuple) -> Any:
    """Exact."""
    needs("torch")
    from coterie import DBSCAN

    X, (eps, min_samples) = on_gpu(data[0]), data[1:3]
    return finished(lambda: DBSCAN(eps=eps, min_samples=min_samples).fit(X).labels_)


def dbscan_cpu(data: tuple) -> Any:
    """The CPU engine, where there is a GPU to compare with."""
    needs("torch")
    return dbscan.coterie(data)


def dbscan_cuml(data: tuple) -> Any:
    """Brute force."""
    needs("cuml")
    from cuml.cluster import DBSCAN

    X, (eps, min_samples) = on_gpu(data[0]), data[1:3]
    return finished(lambda: DBSCAN(eps=eps, min_samples=min_samples).fit_predict(X))


def hdbscan_coterie(data: tuple) -> Any:
    """Exact."""
    needs("torch")
    from coterie import HDBSCAN

    X, size = on_gpu(data[0]), data[1]
    return finished(lambda: HDBSCAN(min_cluster_size=size, min_samples=hdbscan.MIN_SAMPLES).fit(X).labels_)


def hdbscan_cpu(data: tuple) -> Any:
    """The CPU engine, where there is a GPU to compare with."""
    needs("torch")
    return hdbscan.coterie(data)


def hdbscan_cuml(data: tuple) -> Any:
    """It leaves the row itself out of min_samples."""
    needs("cuml")
    from cuml.cluster import HDBSCAN

    X, size = on_gpu(data[0]), data[1]
    return finished(lambda: HDBSCAN(min_cluster_size=size, min_samples=hdbscan.MIN_SAMPLES - 1).fit_predict(X))


# ---- k nearest


def rows_and_truth(n: int, d: int, k: int, spread: float) -> tuple:
    """Return rows in float32, and the groups they were drawn from."""
    return blobs(n, d, k, spread)


def nearest_coterie(data: tuple) -> Any:
    """Exact, the row itself among its neighbours."""
    needs("torch")
    from coterie.primitives.neighbors import k_nearest

    X = on_gpu(data[0])
    return finished(lambda: k_nearest(X, NEIGHBOURS)[0])


def nearest_cpu(data: tuple) -> Any:
    """The CPU engine, where there is a GPU to compare with."""
    needs("torch")
    from coterie.primitives.neighbors import k_nearest

    return lambda: k_nearest(data[0], NEIGHBOURS)[0]


def nearest_cuml(data: tuple) -> Any:
    """Brute force."""
    needs("cuml")
    from cuml.neighbors import NearestNeighbors

    X = on_gpu(data[0])
    return finished(lambda: NearestNeighbors(n_neighbors=NEIGHBOURS, algorithm="brute").fit(X).kneighbors(X)[0])


def nearest_faiss(data: tuple) -> Any:
    """Brute force; it takes rows of the host, so the copy counts."""
    needs("faiss")
    import faiss

    resources, X = faiss.StandardGpuResources(), data[0]
    return finished(lambda: np.sqrt(np.maximum(faiss.knn_gpu(resources, X, X, NEIGHBOURS)[0], 0)))


def nearest_quality(data: tuple, distances: Any) -> dict:
    """Return the mean distance to the farthest of the neighbours."""
    return {"mean distance": f"{float(host(distances).max(axis=1).astype(np.float64).mean()):.6g}"}


KMEANS = {
    "coterie": kmeans_coterie, "cuML": kmeans_cuml, "faiss-gpu": kmeans_faiss, "flash-kmeans": kmeans_flash,
    "coterie, flash": kmeans_halves, "coterie on the CPU": kmeans_cpu,
}  # fmt: skip
DBSCAN = {"coterie": dbscan_coterie, "cuML": dbscan_cuml, "coterie on the CPU": dbscan_cpu}
HDBSCAN = {"coterie": hdbscan_coterie, "cuML": hdbscan_cuml, "coterie on the CPU": hdbscan_cpu}
NEAREST = {
    "coterie": nearest_coterie,
    "cuML": nearest_cuml,
    "faiss-gpu": nearest_faiss,
    "coterie on the CPU": nearest_cpu,
}


def _cases(kind: str, module: Any, peers: dict, quality: Any) -> list[Case]:
    """Return the cases of a question of the CPU with these peers, where the data are float32 or the task takes any."""
    wanted = [case for case in module.CASES if "bounded" not in case.name and not case.name.endswith("f64")]
    return [Case(f"gpu-{case.name}", case.make, dict(peers), quality) for case in wanted if case.name.startswith(kind)]


CASES = [
    *_cases("kmeans", kmeans, KMEANS, kmeans_quality),
    Case("gpu-kmeans-1Mx128-k1000-f32", partial(kmeans.make, 1_000_000, 128, 1000, 8.0, 1000), KMEANS, kmeans_quality),
    *_cases("dbscan", dbscan, DBSCAN, partial(as_arrays, quality=dbscan.quality)),
    *_cases("hdbscan", hdbscan, HDBSCAN, partial(as_arrays, quality=hdbscan.quality)),
    Case("gpu-nearest-200kx16", partial(rows_and_truth, 200_000, 16, 50, 4.0), NEAREST, nearest_quality),
    Case("gpu-nearest-100kx128", partial(rows_and_truth, 100_000, 128, 50, 8.0), NEAREST, nearest_quality),
]
