"""Links and attributes together on Cora and MUSAE Facebook: each side alone, both, and peers; agreement with the known classes.

The data lie in the folder that COTERIE_GRAPHS names, by default ../shared/data/graphs beside the checkout. ``python -m
benchmarks.attributed [SEEDS [DATA [PEER...]]]`` prints the table of agreement, means over seeds; ``python -m benchmarks
attributed`` the times.
"""

import csv
import gzip
import json
import os
import sys
import tarfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from .harness import ROOT, Case

FOLDER = Path(os.environ.get("COTERIE_GRAPHS", ROOT.parent / "shared" / "data" / "graphs"))


def cora() -> tuple:
    """Return adjacency, words, topics and how many topics there are: 2,708 papers, 1,433 words, 7 topics."""
    with tarfile.open(FOLDER / "cora.tgz") as archive:
        lines = {
            Path(name).suffix: archive.extractfile(name).read().decode().splitlines()
            for name in archive.getnames()
            if name.endswith((".content", ".cites"))
        }
    rows = [line.split("\t") for line in lines[".content"]]
    number = {row[0]: i for i, row in enumerate(rows)}
    edges = np.array([[number[end] for end in line.split()] for line in lines[".cites"]])
    topics = np.unique([row[-1] for row in rows], return_inverse=True)[1]
    return adjacency(edges, len(rows)), sp.csr_array(np.array([row[1:-1] for row in rows], dtype=float)), topics, 7


def musae() -> tuple:
    """Return the same of Facebook pages: 22,470 pages, 4,714 features of their descriptions, 4 types."""
    folder = FOLDER / "musae"
    with gzip.open(folder / "facebook_edges.csv.gz", "rt") as file:
        edges = np.loadtxt(file, delimiter=",", skiprows=1, dtype=np.int64)
    with gzip.open(folder / "facebook_target.csv.gz", "rt", encoding="utf-8") as file:
        types = {int(row["id"]): row["page_type"] for row in csv.DictReader(file)}
    with gzip.open(folder / "facebook_features.json.gz", "rt") as file:
        features = {int(node): found for node, found in json.load(file).items()}
    n = len(types)
    rows = np.repeat(list(features), [len(found) for found in features.values()])
    columns = np.concatenate([np.array(found, np.int64) for found in features.values()])
    words = sp.csr_array((np.ones(len(rows)), (rows, columns)), shape=(n, columns.max() + 1))
    return adjacency(edges, n), words, np.unique([types[i] for i in range(n)], return_inverse=True)[1], 4


def adjacency(edges: np.ndarray, n: int) -> sp.csr_array:
    """Return 1 for each pair that is linked, in both directions; no self-loops."""
    edges = edges[edges[:, 0] != edges[:, 1]]
    matrix = sp.coo_array((np.ones(len(edges)), edges.T), shape=(n, n)).tocsr()
    matrix = (matrix + matrix.T).tocsr()
    matrix.data[:] = 1.0
    return matrix


def coterie(data: tuple, seed: int = 0, **parameters: Any) -> Callable[[], np.ndarray]:
    """The defaults, or one side alone."""
    from coterie import AttributedGraphClustering

    graph, words, _, k = data
    return lambda: AttributedGraphClustering(k, random_state=seed, **parameters).fit(graph, words).labels_


def kmeans_words(data: tuple, seed: int = 0) -> Callable[[], np.ndarray]:
    """Return K-means on TF-IDF, as people do without the links."""
    from sklearn.cluster import KMeans
    from sklearn.feature_extraction.text import TfidfTransformer

    _, words, _, k = data
    rows = TfidfTransformer().fit_transform(sp.csr_matrix(words))
    return lambda: KMeans(k, n_init=10, random_state=seed).fit_predict(rows)


def sklearn_spectral(data: tuple, seed: int = 0) -> Callable[[], np.ndarray]:
    """Return scikit-learn's spectral clustering of the links."""
    import warnings

    from sklearn.cluster import SpectralClustering

    graph, _, _, k = data
    model = SpectralClustering(k, affinity="precomputed", random_state=seed)
    matrix = sp.csr_matrix(graph)
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)

    def call() -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the graph is not connected
            return model.fit_predict(matrix)

    return call


def sknetwork_louvain(data: tuple, seed: int = 0) -> Callable[[], np.ndarray]:
    """Return scikit-network's Louvain; it finds as many communities as it likes."""
    from sknetwork.clustering import Louvain

    matrix = sp.csr_matrix(data[0])
    return lambda: Louvain(random_state=seed, shuffle_nodes=True).fit_predict(matrix)


def sknetwork_spectral(data: tuple, seed: int = 0) -> Callable[[], np.ndarray]:
    """Return K-means on scikit-network's regularised spectral embedding."""
    from sklearn.cluster import KMeans
    from sknetwork.embedding import Spectral

    matrix, k = sp.csr_matrix(data[0]), data[3]
    return lambda: KMeans(k, n_init=10, random_state=seed).fit_predict(Spectral(k).fit_transform(matrix))


def leiden(data: tuple, seed: int = 0) -> Callable[[], np.ndarray]:
    """Our own Leiden; it finds as many communities as there are."""
    from coterie import Leiden

    return lambda: Leiden(random_state=seed).fit(data[0]).labels_


PEERS: dict[str, Callable[..., Any]] = {
    "coterie": coterie,
    "coterie, links alone": partial(coterie, alpha=0),
    "coterie, attributes alone": partial(coterie, alpha=1),
    "coterie Leiden": leiden,
    "scikit-learn K-means": kmeans_words,
    "scikit-learn spectral": sklearn_spectral,
    "scikit-network Louvain": sknetwork_louvain,
    "scikit-network spectral": sknetwork_spectral,
}


def quality(data: tuple, labels: np.ndarray) -> dict:
    """Return accuracy after the best renaming (NaN where there is another number of clusters), NMI and ARI."""
    from scipy.optimize import linear_sum_assignment
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
    from sklearn.metrics.cluster import contingency_matrix

    truth = data[2]
    table = contingency_matrix(truth, labels)
    accuracy = table[linear_sum_assignment(-table)].sum() / len(truth) if table.shape[0] == table.shape[1] else np.nan
    return {
        "ACC": round(float(accuracy), 4),
        "NMI": round(float(normalized_mutual_info_score(truth, labels)), 4),
        "ARI": round(float(adjusted_rand_score(truth, labels)), 4),
        "clusters": len(np.unique(labels)),
    }


CASES = [
    Case("attributed-cora-k7", cora, dict(PEERS), quality),
    Case("attributed-musae-k4", musae, dict(PEERS), quality),
]


def main() -> int:
    """Print means over seeds, and the processor time of one run."""
    n_seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print(f"| data | method | ACC | NMI | ARI | least NMI | clusters | seconds | (mean of {n_seeds} seeds) |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, make in (("Cora", cora), ("MUSAE", musae)):
        if len(sys.argv) > 2 and sys.argv[2] != name:
            continue
        data = make()
        for peer in sys.argv[3:] or PEERS:
            prepare = PEERS[peer]
            started = time.process_time()
            try:
                found = [quality(data, prepare(data, seed=seed)()) for seed in range(n_seeds)]
            except ImportError as error:
                print(f"| {name} | {peer} | {error} |")
                continue
            seconds = (time.process_time() - started) / n_seeds
            mean = {key: np.mean([one[key] for one in found]) for key in found[0]}
            least = min(one["NMI"] for one in found)
            print(
                f"| {name} | {peer} | {mean['ACC']:.3f} | {mean['NMI']:.3f} | {mean['ARI']:.3f} | {least:.3f} "
                f"| {mean['clusters']:.0f} | {seconds:.2f} |",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
