"""One line per algorithm: the single list that the public imports, the command line, the docs and the common tests share.

Classes are named as strings, so that reading the catalog imports nothing.
"""

from typing import NamedTuple

__all__ = ["ALL", "CATALOG", "DEEP", "DETECTORS", "GRAPHS", "Entry", "entry"]


class Entry(NamedTuple):
    """What the rest of coterie needs to know about an algorithm without importing it."""

    name: str
    target: str
    family: str
    summary: str
    needs_k: bool
    has_noise: bool
    engines: tuple[str, ...]


CATALOG = (
    Entry(
        "KMeans", "coterie.partition.kmeans:KMeans", "partition",
        "k compact groups around their means", True, False, ("numba", "torch", "dask"),
    ),
    Entry(
        "KMedoids", "coterie.partition.kmedoids:KMedoids", "partition",
        "k compact groups around rows that stand for them, by any distance", True, False, ("numba", "torch"),
    ),
    Entry(
        "CLARA", "coterie.partition.clara:CLARA", "partition",
        "k-medoids from samples, for very many rows", True, False, ("numba", "torch", "dask"),
    ),
    Entry(
        "CLARANS", "coterie.partition.clarans:CLARANS", "partition",
        "k-medoids by random exchanges, in little memory", True, False, ("numba", "torch", "dask"),
    ),
    Entry(
        "MiniBatchKMeans", "coterie.stream.minibatch_kmeans:MiniBatchKMeans", "stream",
        "k compact groups around their means, from small batches of rows", True, False, ("numba", "torch", "dask"),
    ),
    Entry(
        "Birch", "coterie.stream.birch:Birch", "stream",
        "groups of very many rows, summed up in one pass and bounded memory", True, False, ("numba", "torch", "dask"),
    ),
    Entry(
        "DBSCAN", "coterie.density.dbscan:DBSCAN", "density",
        "groups of any shape at one density, the rest noise", False, True, ("numba", "torch", "dask"),
    ),
    Entry(
        "HDBSCAN", "coterie.density.hdbscan:HDBSCAN", "density",
        "groups of any shape at their own densities, the rest noise", False, True, ("numba", "torch", "dask"),
    ),
    Entry(
        "OPTICS", "coterie.density.optics:OPTICS", "density",
        "one order of the rows that shows groups of every density", False, True, ("numba", "torch"),
    ),
    Entry(
        "AgglomerativeClustering", "coterie.hierarchy.agglomerative:AgglomerativeClustering", "hierarchy",
        "a tree of clusters, merged from single rows upwards", True, False, ("numba", "torch"),
    ),
    Entry(
        "DIANA", "coterie.hierarchy.diana:DIANA", "hierarchy",
        "a tree of clusters, split from all rows downwards", True, False, ("numba", "torch"),
    ),
    Entry(
        "Genie", "coterie.hierarchy.genie:Genie", "hierarchy",
        "groups of any shape, none of them tiny", True, False, ("numba", "torch"),
    ),
    Entry(
        "CLIQUE", "coterie.grid.clique:CLIQUE", "grid",
        "dense groups in any of the subspaces, described in words", False, True, ("numba", "torch", "dask"),
    ),
    Entry(
        "STING", "coterie.grid.sting:STING", "grid",
        "groups of touching cells of enough rows, and answers about cells", False, True, ("numba", "torch", "dask"),
    ),
    Entry(
        "WaveCluster", "coterie.grid.wavecluster:WaveCluster", "grid",
        "groups of any shape where smoothed counts of cells stand out", False, True, ("numba", "torch", "dask"),
    ),
    Entry(
        "BisectingKMeans", "coterie.hierarchy.bisecting_kmeans:BisectingKMeans", "hierarchy",
        "k compact groups by dividing one group in two at a time", True, False, ("numba", "torch"),
    ),
    Entry(
        "PDDP", "coterie.hierarchy.pddp:PDDP", "hierarchy",
        "groups divided across the direction of greatest variance", True, False, ("numba", "torch"),
    ),
    Entry(
        "KPrototypes", "coterie.partition.kprototypes:KPrototypes", "partition",
        "k groups of rows that mix numbers and categories", True, False, ("numba", "torch"),
    ),
    Entry(
        "SpectralClustering", "coterie.graph.spectral:SpectralClustering", "graph",
        "k groups of any shape, of rows or of the nodes of a graph, that few links leave", True, False, ("numba", "torch"),
    ),
)  # fmt: skip

# What judges rows without grouping them: public and kept in model files, but no choice of `coterie.run`.
DETECTORS = (
    Entry(
        "LocalOutlierFactor", "coterie.density.local_outlier_factor:LocalOutlierFactor", "density",
        "rows that lie in a thinner place than their neighbours do", False, True, ("numba", "torch"),
    ),
)  # fmt: skip

# What groups the nodes of a graph; `coterie.run` groups the rows of a table.
GRAPHS: tuple[Entry, ...] = (
    Entry(
        "BalancedCut", "coterie.graph.balanced_cut:BalancedCut", "graph",
        "k parts of nearly equal size with few links between them", True, False, ("numba", "dask"),
    ),
    Entry(
        "Leiden", "coterie.graph.leiden:Leiden", "graph",
        "connected communities of densely linked nodes, as many as there are", False, False, ("numba", "torch", "dask"),
    ),
    Entry(
        "Louvain", "coterie.graph.louvain:Louvain", "graph",
        "connected communities by the plainest method", False, False, ("numba", "torch", "dask"),
    ),
    Entry(
        "AttributedGraphClustering", "coterie.graph.attributed:AttributedGraphClustering", "graph",
        "k groups of nodes by their links and their attributes together", True, False, ("numba",),
    ),
    Entry(
        "BlockModel", "coterie.graph.block_model:BlockModel", "graph",
        "classes of nodes that link alike, as many as there are, and how they relate", False, False, ("numba",),
    ),
)  # fmt: skip

# What trains a network: public in `coterie.deep`, as it needs PyTorch.
DEEP: tuple[Entry, ...] = (
    Entry(
        "AEKMeans", "coterie.deep.aekmeans:AEKMeans", "deep",
        "k groups around their means in what an autoencoder has learnt", True, False, ("torch",),
    ),
    Entry(
        "N2D", "coterie.deep.n2d:N2D", "deep",
        "k groups of any shape in what an autoencoder has learnt, laid out by who is near whom", True, False, ("torch",),
    ),
    Entry(
        "DEC", "coterie.deep.dec:DEC", "deep",
        "k groups that the encoder itself learns to set apart", True, False, ("torch",),
    ),
    Entry(
        "IDEC", "coterie.deep.dec:IDEC", "deep",
        "k groups that the encoder learns to set apart while it still describes the rows", True, False, ("torch",),
    ),
    Entry(
        "DCN", "coterie.deep.dcn:DCN", "deep",
        "k groups around running means, in an embedding that is drawn towards them", True, False, ("torch",),
    ),
    Entry(
        "DKM", "coterie.deep.dkm:DKM", "deep",
        "k groups around means that an autoencoder learns with the embedding", True, False, ("torch",),
    ),
    Entry(
        "VaDE", "coterie.deep.vade:VaDE", "deep",
        "k normal distributions in the embedding of an autoencoder, as one density of the rows", True, False, ("torch",),
    ),
    Entry(
        "DeepGraphClustering", "coterie.deep.graph_clustering:DeepGraphClustering", "deep",
        "k groups of nodes by a network that learns modularity or a small cut", True, False, ("torch",),
    ),
    Entry(
        "IMSAT", "coterie.deep.imsat:IMSAT", "deep",
        "k groups that tell most of the rows and withstand small shifts of them", True, False, ("torch",),
    ),
    Entry(
        "SCANHead", "coterie.deep.scan_head:SCANHead", "deep",
        "k groups in which rows are with their nearest neighbours, on features that stay as they are", True, False, ("torch",),
    ),
)  # fmt: skip

# Every line.
ALL = (*CATALOG, *DETECTORS, *GRAPHS, *DEEP)


def entry(name: str) -> Entry:
    """Return the line of the algorithm called ``name``.

    Raises
    ------
    KeyError
        If there is none; the message lists the names there are.
    """
    for line in ALL:
        if line.name == name:
            return line
    raise KeyError(f"no algorithm is called {name!r}; there are {', '.join(line.name for line in ALL)}")
