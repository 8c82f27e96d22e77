"""Communities: the whole job from an array of edges to labels, building each library's own graph included."""

import gzip
import random
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .harness import Case

GRAPHS = Path(__file__).resolve().parents[2] / "shared" / "data" / "graphs"


def planted(n: int, m: int, k: int, inside: float, tail: float | None = None, seed: int = 0) -> tuple:
    """Return about m edges among n nodes in k groups, a given share of them inside, and the group of each node.

    With a ``tail`` the degrees have a power law of that exponent; else they are about equal.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(k, size=n)
    order = np.argsort(truth, kind="stable")
    starts = np.searchsorted(truth[order], np.arange(k + 1))
    likes = np.ones(n) if tail is None else np.minimum(rng.pareto(tail, n) + 1, 200)
    along = np.concatenate([[0], np.cumsum(likes[order])])
    one = order[np.searchsorted(along, rng.random(m) * along[-1], side="right") - 1]
    within = rng.random(m) < inside
    low = np.where(within, along[starts[truth[one]]], 0)
    high = np.where(within, along[starts[truth[one] + 1]], along[-1])
    at = np.searchsorted(along, low + rng.random(m) * (high - low), side="right") - 1
    other = order[np.minimum(at, n - 1)]
    edges = np.sort(np.stack([one, other], axis=1)[one != other], axis=1)
    return np.unique(edges, axis=0), truth


def rmat(scale: int, m: int, seed: int = 0) -> tuple:
    """Return about m edges of the Graph 500 kind among 2^scale nodes; nobody knows their groups."""
    rng = np.random.default_rng(seed)
    edges = np.zeros((m, 2), np.int64)
    for _ in range(scale):
        chance = rng.random(m)
        edges *= 2
        edges[:, 0] += chance >= 0.76
        edges[:, 1] += ((chance >= 0.57) & (chance < 0.76)) | (chance >= 0.95)
    edges = np.sort(rng.permutation(1 << scale)[edges[edges[:, 0] != edges[:, 1]]], axis=1)
    return np.unique(edges, axis=0), None


def facebook() -> tuple:
    """Return the ego networks of SNAP."""
    with gzip.open(GRAPHS / "snap-facebook" / "facebook_combined.txt.gz") as lines:
        return np.loadtxt(lines, dtype=np.int64), None


def musae() -> tuple:
    """Return the links of MUSAE's pages, and their kinds."""
    edges = np.loadtxt(GRAPHS / "musae" / "facebook_edges.csv.gz", dtype=np.int64, delimiter=",", skiprows=1)
    return edges[edges[:, 0] != edges[:, 1]], None


def _nodes(edges: np.ndarray) -> int:
    return int(edges.max()) + 1


def leiden(data: tuple) -> Any:
    """All cores."""
    from coterie import Leiden

    return lambda: Leiden(random_state=0).fit(data[0]).labels_


def louvain(data: tuple) -> Any:
    """All cores."""
    from coterie import Louvain

    return lambda: Louvain(random_state=0).fit(data[0]).labels_


def _networkit(algorithm: str, edges: np.ndarray, **settings: Any) -> Any:
    import networkit

    def call() -> np.ndarray:
        ends = edges.astype(np.uint64)
        graph = networkit.graph.GraphFromCoo((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), n=_nodes(edges))
        found = getattr(networkit.community, algorithm)(graph, **settings)
        found.run()
        return np.array(found.getPartition().getVector())

    return call


def networkit_leiden(data: tuple) -> Any:
    """All cores."""
    return _networkit("ParallelLeiden", data[0])


def networkit_plm(data: tuple) -> Any:
    """All cores."""
    return _networkit("PLM", data[0], refine=False)


def _sknetwork(name: str, edges: np.ndarray) -> Any:
    import sknetwork.clustering
    from scipy.sparse import coo_matrix

    def call() -> np.ndarray:
        n, ones = _nodes(edges), np.ones(len(edges))
        half = coo_matrix((ones, (edges[:, 0], edges[:, 1])), shape=(n, n)).tocsr()
        return getattr(sknetwork.clustering, name)(random_state=0).fit_predict(half + half.T)

    return call


def sknetwork_leiden(data: tuple) -> Any:
    """One core."""
    return _sknetwork("Leiden", data[0])


def sknetwork_louvain(data: tuple) -> Any:
    """One core."""
    return _sknetwork("Louvain", data[0])


def igraph_leiden(data: tuple) -> Any:
    """One core, two iterations."""
    import igraph

    def call() -> np.ndarray:
        random.seed(0)
        graph = igraph.Graph(n=_nodes(data[0]), edges=data[0])
        return np.array(graph.community_leiden("modularity", n_iterations=2).membership)

    return call


def leidenalg(data: tuple) -> Any:
    """One core, two iterations."""
    import igraph
    import leidenalg

    def call() -> np.ndarray:
        graph = igraph.Graph(n=_nodes(data[0]), edges=data[0])
        found = leidenalg.find_partition(graph, leidenalg.ModularityVertexPartition, n_iterations=2, seed=0)
        return np.array(found.membership)

    return call


def quality(data: tuple, labels: np.ndarray) -> dict:
    """Return the modularity, how many communities there are and how many fall apart, and the agreement with the groups."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from sklearn.metrics import adjusted_rand_score

    edges, truth = data
    n, labels = _nodes(edges), np.unique(labels[: _nodes(edges)], return_inverse=True)[1]
    degrees = np.bincount(edges.ravel(), minlength=n)
    inside = labels[edges[:, 0]] == labels[edges[:, 1]]
    shares = np.bincount(labels, degrees) / degrees.sum()
    kept = edges[inside]
    pieces, _ = connected_components(coo_matrix((np.ones(len(kept)), (kept[:, 0], kept[:, 1])), shape=(n, n)), False)
    found = {
        "modularity": round(float(inside.mean() - (shares**2).sum()), 5),
        "communities": int(labels.max()) + 1,
        "apart": int(pieces - labels.max() - 1),
    }
    return found if truth is None else found | {"ARI": round(float(adjusted_rand_score(truth[:n], labels)), 4)}


PEERS = {
    "coterie": leiden,
    "coterie, Louvain": louvain,
    "networkit-leiden": networkit_leiden,
    "networkit-plm": networkit_plm,
    "sknetwork-leiden": sknetwork_leiden,
    "sknetwork-louvain": sknetwork_louvain,
    "igraph-leiden": igraph_leiden,
    "leidenalg": leidenalg,
}
FAST = {name: peer for name, peer in PEERS.items() if name != "leidenalg"}
PARALLEL = {name: PEERS[name] for name in ("coterie", "coterie, Louvain", "networkit-leiden", "networkit-plm")}
GOALS = {"networkit-leiden": 3.0}

CASES = [
    Case("community-100k-1M", partial(planted, 100_000, 1_000_000, 150, 0.578), dict(FAST), quality, GOALS),
    Case("community-100k-1M-uneven", partial(planted, 100_000, 1_000_000, 150, 0.578, 2.5), dict(FAST), quality, GOALS),
    Case("community-1M-10M", partial(planted, 1_000_000, 10_000_000, 500, 0.6), dict(PARALLEL), quality),
    Case("community-rmat-10M", partial(rmat, 20, 10_000_000), dict(PARALLEL), quality),
    Case("community-ego-facebook", facebook, dict(PEERS), quality),
    Case("community-musae", musae, dict(PEERS), quality),
]
