"""One layer or several? The features of each layer, of the last, and of several together, clustered in the same ways.

The pixels stand beside them: what they give as well is no merit of the network.

``python -m benchmarks.layers [SET...] [--seeds 10] [--rows N] [--seconds S]`` trains a convolutional autoencoder without labels for each
seed, clusters what its layers say, keeps each seed in ``build/layers/`` and prints the table; a second run goes on where the
first ended. What is compared was fixed beforehand: of several layers, blocks of at most 50 white axes and equal variance.
Everything is paired by seed; p is Wilcoxon's signed-rank test against the last layer, clustered in the same way.

The question registered beforehand: blocks of all layers with spectral clustering against the last layer with it, p < 0.05 and
a mean gain of NMI of at least 0.015.
"""

import argparse
import gzip
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "digits"
KEPT = ROOT / "build" / "layers"
SETS = ("digits", "mnist", "fashion")
EPOCHS = {"digits": 60, "mnist": 15, "fashion": 15}
LAST = "last layer"
COMBINED = {
    "all layers, blocks": {},
    "all layers, raw": {"norm": None, "reduce": None},
    "all layers, weighted blocks": {"combine": "weighted"},
    "all layers, mean graph": {"combine": "mean_graph"},
    "all layers, consensus": {"combine": "consensus"},
}
SCORES = ("ACC", "NMI", "ARI")


def load(name: str, rows: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Return images of mean 0 and standard deviation 1 with one channel, and their labels."""
    if name == "digits":
        from sklearn.datasets import load_digits

        X, y = load_digits(return_X_y=True)
        X = X.reshape(-1, 1, 8, 8)
    elif name == "mnist":
        X = _idx(DATA / "mnist-t10k-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)
        y = _idx(DATA / "mnist-t10k-labels-idx1-ubyte.gz", 8)
    else:
        kept = np.load(DATA / "fashion_train10k.npz", allow_pickle=False)
        X, y = kept["X"].reshape(-1, 1, 28, 28), kept["y"]
    X = X[:rows].astype(np.float32)
    return (X - X.mean()) / X.std(), np.asarray(y[:rows], np.int64)


def _idx(path: Path, header: int) -> np.ndarray:
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


# ---- ways to cluster


def kmeans(Z: np.ndarray, k: int, seed: int) -> np.ndarray:
    """K-means, the best of ten starts."""
    from coterie import KMeans

    return KMeans(k, n_init=10, random_state=seed).fit_predict(Z)


def spectral(Z: np.ndarray, k: int, seed: int) -> np.ndarray:
    """Spectral clustering of the graph of nearest neighbours."""
    from coterie import SpectralClustering

    return SpectralClustering(k, n_neighbors=10, random_state=seed).fit_predict(Z)


def n2d(Z: np.ndarray, k: int, seed: int) -> np.ndarray:
    """N2D: coordinates of the manifold, then a mixture of Gaussians; UMAP where it is there, else those of the graph."""
    from sklearn.mixture import GaussianMixture

    try:
        from umap import UMAP

        Y = UMAP(n_components=k, n_neighbors=20, min_dist=0.0, random_state=seed).fit_transform(Z)
    except ImportError:
        from coterie import SpectralClustering

        Y = SpectralClustering(k, n_neighbors=20, assign_labels="cluster_qr", random_state=seed).fit(Z).embedding_
        Y = Y / np.maximum(Y.std(axis=0), 1e-12)
    return GaussianMixture(k, n_init=3, reg_covar=1e-4, random_state=seed).fit_predict(Y)


CLUSTERERS: dict[str, Callable[[np.ndarray, int, int], np.ndarray]] = {
    "k-means": kmeans,
    "spectral": spectral,
    "n2d": n2d,
}


# ---- one seed


def one_seed(name: str, seed: int, rows: int | None) -> dict[str, Any]:
    """Train, read, cluster; return scores by features and clusterer, and seconds."""
    import torch

    from coterie.deep import AEKMeans, LayerFeatures

    X, y = load(name, rows)
    k = len(np.unique(y))
    began = time.perf_counter()
    encoder = AEKMeans(k, pretrain_epochs=EPOCHS[name], random_state=seed).fit(X).encoder_
    seconds = {"training": time.perf_counter() - began}
    layers = LayerFeatures(encoder, "all", pool="grid", random_state=seed)
    whole = layers.fit_transform(X)
    parts = {f"layer {i + 1}": whole[:, part] for i, part in enumerate(layers.layer_slices_.values())}
    *earlier, last = parts
    pixels = LayerFeatures(torch.nn.Flatten(), random_state=seed).fit_transform(X)
    parts = {"pixels": pixels} | {title: parts[title] for title in earlier} | {LAST: parts[last]}
    for title, settings in COMBINED.items():
        began = time.perf_counter()
        parts[title] = LayerFeatures(
            encoder, "all", pool="grid", n_components=k, random_state=seed, **settings
        ).fit_transform(X)
        seconds[title] = time.perf_counter() - began
    scores = {}
    for title, Z in parts.items():
        # coordinates of a graph or of partitions are there to be grouped, not to be made a graph of again
        for method in ("k-means",) if "graph" in title or "consensus" in title else CLUSTERERS:
            began = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                labels = CLUSTERERS[method](np.ascontiguousarray(Z), k, seed)
            scores[f"{title} | {method}"] = score(y, labels)
            seconds[f"{title} | {method}"] = time.perf_counter() - began
    return {"scores": scores, "seconds": seconds, "rows": len(X)}


def score(y: np.ndarray, labels: np.ndarray) -> list[float]:
    """Return accuracy under the best matching, normalised mutual information, adjusted Rand index."""
    from sklearn.metrics import normalized_mutual_info_score

    from coterie.metrics import adjusted_rand_score, clustering_accuracy

    nmi = float(normalized_mutual_info_score(y, labels))
    return [float(clustering_accuracy(y, labels)), nmi, float(adjusted_rand_score(y, labels))]


# ---- the table


def table(name: str, seeds: list[dict[str, Any]]) -> str:
    """Return mean and standard deviation over the seeds, and the paired difference from the last layer."""
    from scipy.stats import wilcoxon

    lines = [
        f"### {name}: {seeds[0]['rows']:,} images, {len(seeds)} seeds", "",
        "| features | clusterer | ACC | NMI | ARI | NMI less that of the last layer | p |", "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    common = [key for key in seeds[0]["scores"] if all(key in seed["scores"] for seed in seeds)]
    values = {key: np.array([seed["scores"][key] for seed in seeds]) for key in common}
    for key, found in values.items():
        title, method = key.split(" | ")
        cells = [f"{m:.3f} ± {s:.3f}" for m, s in zip(found.mean(axis=0), found.std(axis=0), strict=True)]
        gain = found[:, 1] - values[f"{LAST} | {method}"][:, 1]
        p = "" if title == LAST or len(seeds) < 6 or not gain.any() else f"{wilcoxon(gain).pvalue:.3f}"
        lines.append(f"| {title} | {method} | {' | '.join(cells)} | {gain.mean():+.3f} | {p} |")
    return "\n".join(lines)


def main() -> None:
    """Run what is not kept yet, print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layers", description=__doc__)
    parser.add_argument("sets", nargs="*", default=SETS, metavar="SET", help=", ".join(SETS))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rows", type=int, help="only the first rows of each set")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no seed that would pass this")
    given = parser.parse_args()
    KEPT.mkdir(parents=True, exist_ok=True)
    began, longest = time.perf_counter(), 0.0
    for name in given.sets:
        done = []
        for seed in range(given.seeds):
            file = KEPT / f"{name}-{given.rows or 'all'}-{seed}.json"
            started = time.perf_counter()
            if not file.exists() and started - began + longest < given.seconds:
                file.write_text(json.dumps(one_seed(name, seed, given.rows), indent=0))
                longest = time.perf_counter() - started
                print(f"{name}, seed {seed}: {longest:.0f} s", flush=True)
            if file.exists():
                done.append(json.loads(file.read_text()))
        if done:
            print(table(name, done), "", sep="\n", flush=True)


if __name__ == "__main__":
    main()
