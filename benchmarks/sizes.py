"""Sizes that people have: each must finish within 8 GB and minutes. No peers: most refuse, or would take hours.

The column "peak MB" is that of the whole process.
"""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .data import blobs_in_noise
from .harness import Case


def make(n: int, d: int, k: int, spread: float, noise: float = 0.05) -> tuple:
    """Return float32 rows in groups with noise, and the groups."""
    return blobs_in_noise(n, d, k, spread, noise, np.float32)


def make_file(n: int, d: int, k: int) -> tuple:
    """Return rows that lie in a file, written in parts, and no groups."""
    path = Path(tempfile.mkdtemp()) / "rows.npy"
    rows = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n, d))
    random = np.random.default_rng(0)
    centers = random.uniform(-50, 50, (k, d))
    for first in range(0, n, 1_000_000):
        part = rows[first : first + 1_000_000]
        part[:] = centers[random.integers(0, k, len(part))] + random.standard_normal(part.shape)
    rows.flush()
    return np.load(path, mmap_mode="r"), None


def fit(name: str, parameters: dict[str, Any], data: tuple) -> Any:
    """Fit with our estimator of this name."""
    import coterie

    return lambda: getattr(coterie, name)(**parameters).fit(data[0])


def quality(data: tuple, model: Any) -> dict:
    """Return the number of clusters, and how well they agree with the groups."""
    from sklearn.metrics import adjusted_rand_score

    labels = np.asarray(model.labels_)
    found = {"clusters": int(labels.max()) + 1, "noise": int((labels == -1).sum())}
    if data[1] is not None:
        found["ARI"] = round(float(adjusted_rand_score(data[1], labels)), 4)
    if hasattr(model, "inertia_"):
        found["inertia"] = f"{model.inertia_:.6g}"
    return found


def case(name: str, size: str, data: Any, **parameters: Any) -> Case:
    """Return a case with one peer: ours. Its warm call takes a few rows."""
    return Case(f"{name.lower()}-{size}", data, {"coterie": partial(fit, name, parameters)}, quality, slow=("coterie",))


CASES = [
    case("CLARANS", "100kx2", partial(make, 100_000, 2, 10, 1.0), n_clusters=10, random_state=0),
    case("OPTICS", "200kx2", partial(make, 200_000, 2, 100, 0.3), min_samples=10),
    case("AgglomerativeClustering", "100kx8", partial(make, 100_000, 8, 20, 1.0), n_clusters=20),
    case("DBSCAN", "5Mx2", partial(make, 5_000_000, 2, 500, 0.1), eps=0.02, min_samples=20),
    case("STING", "20Mx2", partial(make, 20_000_000, 2, 50, 0.5), n_cells=512),
    case("WaveCluster", "20Mx2", partial(make, 20_000_000, 2, 50, 0.5), n_cells=512),
    case("CLIQUE", "20Mx2", partial(make, 20_000_000, 2, 50, 0.5), n_intervals=100, density_threshold=0.001),
    case("Birch", "10Mx8-file", partial(make_file, 10_000_000, 8, 100), threshold=5.0, n_clusters=100),
]
