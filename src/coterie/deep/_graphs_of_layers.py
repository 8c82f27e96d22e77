"""Several layers without a common scale: graphs of their neighbours, or their partitions, and coordinates that both give.

Distances in different layers are not comparable, but who is near whom, and who falls together, is. Both ways end in
coordinates by the normalised cut, whose first vector is the same for all rows where everything hangs together and is left out.
"""

import warnings
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning

from ..arrays import Graph, to_device, to_numpy
from ..partition.kmeans import KMeans
from ..primitives.components import connected_components
from ..primitives.eigenvectors import smallest_eigenpairs
from ..primitives.laplacian import row_sums
from ..primitives.neighbors import k_nearest, neighbor_index
from ..primitives.spanning_tree import spanning_tree

__all__ = ["Consensus", "MeanGraph", "consensus", "consensus_of", "mean_graph", "mean_graph_of"]

_SAME = 1e-5  # of the length of a row: what the forward pass of another batch size may change
_BLOCK_ROWS = 4096
_FEWEST_GROUPS, _MOST_GROUPS = 2, 70
_UNSURE = 1e-3  # vectors of values about 1 say nothing of a node by its neighbours


class MeanGraph(NamedTuple):
    """What coordinates of new rows need: the rows of the fit and theirs."""

    rows: np.ndarray  # (n, d) float32, the blocks side by side
    embedding: np.ndarray  # (n, k) float64
    values: np.ndarray  # (k,) float64, eigenvalues


class Consensus(NamedTuple):
    """The partitions, those of one layer after the other, and the coordinates that belonging to each cluster gives."""

    models: list[KMeans]
    places: np.ndarray  # (sum of all k, n_components) float64


def mean_graph_of(
    rows: np.ndarray, slices: list[slice], weights: np.ndarray, n_neighbors: int, n_components: int, device: str
) -> tuple[np.ndarray, MeanGraph]:
    """Join rows to their nearest in each layer, average the graphs, and take the eigenvectors of the mean.

    Parameters
    ----------
    rows : (n, d) float array
        The blocks side by side.
    slices : list of slice
    weights : (L,) array
        Of the layers, of sum 1.
    n_neighbors : int
        The row itself is the first.
    n_components : int
    device : str
        Where neighbours are looked for.

    Returns
    -------
    embedding : (n, n_components) float64 array
    MeanGraph
    """
    n = len(rows)
    links = csr_array((n, n))
    for columns, weight in zip(slices, weights, strict=True):
        placed = to_device(np.ascontiguousarray(rows[:, columns]), device)
        near = to_numpy(k_nearest(placed, min(max(n_neighbors, 2), n))[1])[:, 1:]  # the first is the row itself
        links = links + weight * _links(near, n)
    graph = _both_ways(links)
    component = to_numpy(connected_components(graph))
    pieces = int(component.max()) + 1
    if pieces > n_components:
        tree = spanning_tree(np.ascontiguousarray(rows))
        across = component[tree.left] != component[tree.right]
        bridges = csr_array((np.full(int(across.sum()), 0.5), (tree.left[across], tree.right[across])), shape=(n, n))
        graph, pieces = _both_ways(links + bridges), 1
    skipped = 1 if pieces == 1 else 0
    found = smallest_eigenpairs(graph, min(n_components + skipped, n), tol=1e-3, together=True)
    root = np.sqrt(np.maximum(row_sums(graph.indptr, graph.weights), 1e-12))
    embedding = (to_numpy(found.vectors) / root[:, None])[:, skipped:]
    embedding = embedding / np.maximum(np.sqrt((embedding**2).mean(axis=0)), 1e-300)
    return embedding, MeanGraph(rows, embedding, found.values[skipped:])


def mean_graph(rows: np.ndarray, known: MeanGraph, slices: list[slice], weights: np.ndarray, n_neighbors: int,
               device: str) -> np.ndarray:  # fmt: skip
    """Return coordinates of new rows: Nystroem's formula on their neighbours in each layer; rows of the fit keep theirs."""
    out = np.empty((len(rows), known.embedding.shape[1]))
    left = 1 - known.values
    left = np.where(np.abs(left) > _UNSURE, left, 1.0)
    k = min(max(n_neighbors - 1, 1), len(known.rows))
    layers = [_Searched(known.rows[:, columns], device) for columns in slices]
    whole = _Searched(known.rows, device)
    for start in range(0, len(rows), _BLOCK_ROWS):
        part = rows[start : start + _BLOCK_ROWS]
        links = csr_array((len(part), len(known.rows)))
        for layer, columns, weight in zip(layers, slices, weights, strict=True):
            links = links + weight * _links(layer(k, part[:, columns])[1], len(known.rows))
        found = links @ known.embedding / links.sum(axis=1)[:, None] / left
        far, near = (values[:, 0] for values in whole(1, part))
        same = far <= _SAME * np.maximum(np.sqrt((part.astype(np.float64) ** 2).sum(axis=1)), 1e-30)
        found[same] = known.embedding[near[same]]
        out[start : start + _BLOCK_ROWS] = found
    return out


class _Searched:
    """Rows among which neighbours are looked for again and again."""

    def __init__(self, rows: np.ndarray, device: str):
        self.device = device
        self.rows = to_device(np.ascontiguousarray(rows), device)
        self.index = neighbor_index(self.rows)

    def __call__(self, k: int, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        asked = to_device(np.ascontiguousarray(queries), self.device)
        far, near = k_nearest(self.rows, k, queries=asked, index=self.index)
        return to_numpy(far), to_numpy(near)


def _links(near: np.ndarray, n: int) -> csr_array:
    """Return the matrix of links to the nearest rows, of weight 1/2 each."""
    m, k = near.shape
    return csr_array((np.full(m * k, 0.5), near.ravel(), np.arange(m + 1) * k), shape=(m, n))


def _both_ways(links: csr_array) -> Graph:
    both = (links + links.T).tocsr()
    both.sort_indices()
    return Graph(both.indptr.astype(np.int64), both.indices.astype(np.int64), both.data)


def numbers_of_clusters(n: int) -> list[int]:
    """Return the numbers of clusters of the partitions of a layer: four, from some 0.3 to 1 times the root of n."""
    most = max(_FEWEST_GROUPS, min(_MOST_GROUPS, int(np.sqrt(n))))
    return sorted({max(_FEWEST_GROUPS, round(share * most)) for share in (0.3, 0.5, 0.75, 1.0)})


def consensus_of(
    rows: np.ndarray, slices: list[slice], weights: np.ndarray, n_components: int, random: np.random.RandomState,
    device: str,
) -> tuple[np.ndarray, Consensus]:  # fmt: skip
    """Cluster each layer several times, and take the cut of the graph between rows and the clusters that they are in.

    Parameters
    ----------
    rows : (n, d) float array
        The blocks side by side.
    slices : list of slice
    weights : (L,) array
        Of the layers, of sum 1.
    n_components : int
    random : RandomState
        Of the starts.
    device : str

    Returns
    -------
    embedding : (n, n_components) float64 array
    Consensus

    Notes
    -----
    With H the (n, K) matrix of belonging and D the sizes of the clusters, the left singular vectors of H D^-1/2 are found from
    the K x K matrix D^-1/2 H' H D^-1/2. A row's coordinates are the sum of those of its clusters, so new rows have them too.
    """
    n, numbers = len(rows), numbers_of_clusters(len(rows))
    models = [
        _partition(np.ascontiguousarray(rows[:, columns]), min(k, n), random.randint(2**31 - 1), device)
        for columns in slices
        for k in numbers
    ]
    members = _belonging([to_numpy(model.labels_) for model in models], models, weights)
    size = np.asarray(members.sum(axis=0)).ravel()
    factor = np.divide(1.0, np.sqrt(size), out=np.zeros(len(size)), where=size > 0)
    scaled = members.multiply(factor[None, :]).tocsr()
    values, vectors = np.linalg.eigh((scaled.T @ scaled).toarray())
    values, vectors = values[::-1], vectors[:, ::-1]
    skipped = 1 if int((values > 1 - 1e-9).sum()) <= 1 < int((values > 1e-9).sum()) else 0
    kept = slice(skipped, min(n_components + skipped, int((values > 1e-9).sum())))
    places = vectors[:, kept] * factor[:, None]
    largest = places[np.abs(places).argmax(axis=0), np.arange(places.shape[1])]
    spread = np.sqrt(((members @ places) ** 2).mean(axis=0))
    places = places * np.sign(largest) / np.where(spread > 0, spread, 1.0)
    return members @ places, Consensus(models, places)


def consensus(rows: np.ndarray, known: Consensus, slices: list[slice], weights: np.ndarray) -> np.ndarray:
    """Return coordinates of rows by the nearest center of every partition; those of the fit keep theirs."""
    each = len(known.models) // len(slices)
    labels = [
        to_numpy(model.predict(np.ascontiguousarray(rows[:, slices[i // each]])))
        for i, model in enumerate(known.models)
    ]
    return _belonging(labels, known.models, weights) @ known.places


def _partition(block: np.ndarray, k: int, seed: int, device: str) -> KMeans:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct rows than clusters: the others stay empty
        return KMeans(k, random_state=seed, device=device).fit(block)


def _belonging(labels: list[np.ndarray], models: list[KMeans], weights: np.ndarray) -> csr_array:
    """Return the matrix of which row is in which cluster; each row's weights have the sum 1."""
    m, n = len(labels), len(labels[0])
    first = np.cumsum([0, *(model.n_clusters for model in models)])
    columns = np.column_stack(labels) + first[:-1]
    share = np.repeat(weights, m // len(weights))
    return csr_array(
        (np.tile(share / share.sum(), n), columns.ravel(), np.arange(n + 1) * m), shape=(n, int(first[-1]))
    )
