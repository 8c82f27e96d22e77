"""Spectral clustering: cut a graph where few links cross, by the smooth vectors of its Laplacian.

The least *normalised cut* (sum over the clusters of links that leave, over all links) or *ratio cut* (over the number of nodes)
is hard to find. Vectors in place of memberships make it an eigenproblem: nodes that are linked well lie close together in the
first k eigenvectors, and K-means finds the clusters there. Rows of numbers are first joined to their nearest neighbours.
Cost: the neighbours, some tens of products of the graph with k vectors, and K-means on n x k numbers.
"""

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..arrays import Graph, is_tensor, like_input, to_numpy
from ..base import Interval, StrOptions
from ..errors import InputError
from ..primitives.assign import nearest_center
from ..primitives.laplacian import narrowed
from ..primitives.neighbors import k_nearest
from ._affinity import (
    DistinctRows,
    distinct_rows,
    kernel_graph,
    kernel_weights,
    kernel_width,
    neighbor_graph,
    node_of,
    select,
)
from ._base import GraphClusterer
from ._spectral_embedding import OBJECTIVES, Spectral, extended, spectral

__all__ = ["SpectralClustering"]

_ROWS_PER_BLOCK = 4096
_TESTED_ROWS = 1000
_BYTES_PER_NODE_AND_CLUSTER = 100  # measured: eigenvectors, and those before them


class SpectralClustering(GraphClusterer):
    """Groups of nodes, or of rows, that few links leave: by eigenvectors of the graph.

    Parameters
    ----------
    n_clusters : int, default=8
        How many groups, at most the number of rows.
    affinity : {"nearest_neighbors", "rbf", "precomputed"}, default="nearest_neighbors"
        What joins rows: being among the nearest of each other, or ``exp(-gamma distance^2)`` between all pairs, n^2 of them.
        "precomputed": the input is a graph, of any kind that `coterie.graphs.as_graph` takes.
    n_neighbors : int, default=10
        Nearest rows that a row is joined to, itself counted as the first, as in scikit-learn.
    gamma : float or None, default=None
        Of "rbf"; None is ``1 / (2 s^2)`` with s the median distance to the ``n_neighbors``-th nearest row.
    objective : {"normalized_cut", "ratio_cut", "modularity"}, default="normalized_cut"
        What the eigenvectors relax. The ratio cut counts nodes, and cuts single light nodes off; the normalised cut counts links.
    landmarks : int or None, default=None
        For very many rows: cluster so many of them, drawn at random, and place the others by their nearest landmarks.
        ``landmark_error_`` says how good that is.
    assign_labels : {"kmeans", "cluster_qr"}, default="kmeans"
        How clusters are read off the eigenvectors. "cluster_qr" draws nothing at random.
    n_init : int, default=1
        Starts of K-means. The first is what "cluster_qr" finds; the others are drawn. On fourteen embeddings of groups, moons,
        digits and noise the best of ten had the inertia of the first, but for one of noise, where it was 1% less.
    eigen_tol : float, default=1e-2
        Eigenvectors are good when their residuals are at most this share of the largest of the eigenvalues.
    random_state : int, RandomState or None, default=None
        Seed of the other starts, and of the landmarks.
    device : str, default="cpu"
        "cuda", "cuda:0", "mps" or "auto" move NumPy input to a GPU once; tensors are computed on where they lie.

    Attributes
    ----------
    labels_ : (n,) int64 array
        Numbered by first appearance; a tensor where the input was one.
    embedding_ : (n, n_clusters) float64 array
        Coordinates that the clusters were found in: eigenvectors, for the normalised cut divided by the root of the degrees
        and scaled to unit length again, for the modularity times the root of the eigenvalue.
    eigenvalues_ : (n_clusters,) float64 array
        Of the Laplacian, ascending; of the modularity matrix, descending.
    affinity_graph_ : Graph
        What was cut. Equal rows are one node, numbered by first appearance; with landmarks, the graph of these alone.
    landmark_indices_ : (landmarks,) int64 array or None
        Rows that were drawn.
    landmark_error_ : float or None
        How far the coordinates of up to 1,000 rows are from what their nearest among all rows say, as a share of their length:
        0 where landmarks lose nothing.
    coarsened_ : int or None
        Number of groups of nodes that were clustered where edges in blocks were too many for one machine, else None.
    n_features_in_ : int
        Number of features seen in ``fit``.
    feature_names_in_ : (d,) array of str
        Their names, where the input had names that are strings.

    See Also
    --------
    HDBSCAN : Groups of any shape without the number of them, and noise.

    Notes
    -----
    Neighbours are symmetrised: weight 1 where each of two rows is among the nearest of the other, 1/2 where only one is. Where
    that graph has more pieces than clusters are wanted, the shortest links between pieces are added.

    A graph in pieces: as many pieces as clusters are the clusters. Else single nodes are put aside and added to the smallest
    clusters last. With fewer pieces left than clusters, none is joined with another, and the smallest eigenvalues say which
    are divided further. With more, those of less than half a mean cluster are put aside too; where no piece is larger, pieces
    are packed into clusters of even size.

    `predict` gives a row of the fit its label; any other gets coordinates by Nystroem's formula from its nearest rows (its
    links, for a graph), and the label of the nearest cluster mean. Nothing depends on the number of threads.

    References
    ----------
    Shi, J., & Malik, J. (2000). Normalized cuts and image segmentation. IEEE TPAMI, 22(8), 888-905. doi:10.1109/34.868688

    Hagen, L., & Kahng, A. (1992). New spectral methods for ratio cut partitioning and clustering. IEEE TCAD, 11(9), 1074-1085.
    doi:10.1109/43.159993

    Newman, M. (2006). Modularity and community structure in networks. PNAS, 103(23). doi:10.1073/pnas.0601602103

    von Luxburg, U. (2007). A tutorial on spectral clustering. Statistics and Computing, 17, 395-416.
    doi:10.1007/s11222-007-9033-z

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import SpectralClustering
    >>> angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    >>> ring = np.c_[np.cos(angle), np.sin(angle)]
    >>> model = SpectralClustering(n_clusters=2, random_state=0).fit(np.r_[ring, 3 * ring])
    >>> model.labels_[:3].tolist(), model.labels_[-3:].tolist()
    ([0, 0, 0], [1, 1, 1])
    >>> model.predict([[0.0, 3.1]])
    array([1])
    """

    _state_attributes: ClassVar = (
        "_graph", "_node_rows", "_node_first", "_node_keys", "_node_order", "_cluster_means", "_axis_means", "_width",
    )  # fmt: skip
    _node_rows: Any
    _parameter_constraints: ClassVar = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "affinity": [StrOptions({"nearest_neighbors", "rbf", "precomputed"})],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "gamma": [Interval(Real, 0, None, closed="neither"), None],
        "objective": [StrOptions(set(OBJECTIVES))],
        "landmarks": [Interval(Integral, 1, None, closed="left"), None],
        "assign_labels": [StrOptions({"kmeans", "cluster_qr"})],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "eigen_tol": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
        "device": [str],
    }

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        affinity: str = "nearest_neighbors",
        n_neighbors: int = 10,
        gamma: float | None = None,
        objective: str = "normalized_cut",
        landmarks: int | None = None,
        assign_labels: str = "kmeans",
        n_init: int = 1,
        eigen_tol: float = 1e-2,
        random_state: Any = None,
        device: str = "cpu",
    ) -> None:
        self.n_clusters = n_clusters
        self.affinity = affinity
        self.n_neighbors = n_neighbors
        self.gamma = gamma
        self.objective = objective
        self.landmarks = landmarks
        self.assign_labels = assign_labels
        self.n_init = n_init
        self.eigen_tol = eigen_tol
        self.random_state = random_state
        self.device = device

    def fit(self, X: Any, y: Any = None, *, n_nodes: int | None = None) -> "SpectralClustering":
        """Cluster rows, or the nodes of a graph.

        Parameters
        ----------
        X : (n, d) array, frame or tensor; with affinity="precomputed" a graph
            Not modified. A graph may also be undirected edges in blocks: a Dask array or frame, or `coterie.tables.RowFiles`, of
            two or three columns.
        y : ignored
        n_nodes : int, optional
            Number of nodes, where the graph is an array of edges, or edges in blocks.

        Returns
        -------
        self
        """
        self._validate_params()
        random = check_random_state(self.random_state)
        self.landmark_indices_: Any = None
        self.landmark_error_: float | None = None
        self.coarsened_: int | None = None
        if self.affinity == "precomputed":
            if self.landmarks is not None:
                raise InputError("landmarks stand for rows; with affinity='precomputed' leave landmarks out")
            X = self._looked_at(X, n_nodes)
            if self._too_large(X):
                from ._coarsened_fits import spectral_of_groups

                self._check_size(X.n_nodes)
                return spectral_of_groups(self, X)
            graph = self._graph_in(X, n_nodes)
            host = narrowed(Graph(*(to_numpy(part) for part in graph)))
            if graph.indices is self._graph.indices and not is_tensor(graph.indices):
                graph = self._graph = host
            self._check_size(host.n_nodes)
            found = self._cluster(host, random, graph.indptr)
            self._node_first = np.arange(host.n_nodes)
            return self._keep(host, found, found.labels, found.embedding, X.indptr if isinstance(X, Graph) else X)
        rows = self._gate_in(X, reset=True)
        self._check_size(rows.shape[0])
        return self._fit_rows(rows, random, X)

    def _node_bytes(self) -> int:
        return super()._node_bytes() + _BYTES_PER_NODE_AND_CLUSTER * self.n_clusters

    def _check_size(self, n: int) -> None:
        if n < self.n_clusters:
            raise InputError(f"n_samples={n} should be >= n_clusters={self.n_clusters}; lower n_clusters or add rows")

    def _fit_rows(self, rows: Any, random: Any, given: Any) -> "SpectralClustering":
        distinct = distinct_rows(rows)
        every = rows if len(distinct.first) == rows.shape[0] else select(rows, distinct.first)
        if self.landmarks is not None and self.landmarks < every.shape[0]:
            return self._fit_landmarks(self.landmarks, every, distinct, random, given)
        graph = self._graph_of(every)
        found = self._cluster(graph, random, rows)
        self._remember(every, distinct.first, (distinct.keys, distinct.order))
        return self._keep(graph, found, found.labels[distinct.node], found.embedding[distinct.node], given)

    def _fit_landmarks(
        self, n_landmarks: int, every: Any, distinct: DistinctRows, random: Any, given: Any
    ) -> "SpectralClustering":
        if n_landmarks < self.n_clusters:
            raise InputError(f"landmarks={n_landmarks} should be >= n_clusters={self.n_clusters}; raise landmarks")
        chosen = np.sort(random.permutation(every.shape[0])[:n_landmarks])
        self.landmark_indices_ = distinct.first[chosen]
        some = select(every, chosen)
        own = distinct_rows(some)
        graph = self._graph_of(some)
        found = self._cluster(graph, random, every)
        self._remember(some, distinct.first[chosen], (own.keys, own.order))
        self._cluster_means, self._axis_means, self.eigenvalues_ = found.centers, found.mean, found.eigenvalues
        coordinates = np.empty((every.shape[0], self.n_clusters))
        labels = np.empty(every.shape[0], np.int64)
        landmarks = found.embedding, found.labels
        for start in range(0, every.shape[0], _ROWS_PER_BLOCK):
            part = slice(start, start + _ROWS_PER_BLOCK)
            coordinates[part] = self._extend(self._links(every[part]), landmarks[0])
        labels[:] = to_numpy(nearest_center(coordinates, found.centers)[0])
        coordinates[chosen], labels[chosen] = landmarks
        self.landmark_error_ = self._error(every, coordinates, random)
        return self._keep(graph, found, labels[distinct.node], coordinates[distinct.node], given)

    def _error(self, every: Any, coordinates: np.ndarray, random: Any) -> float:
        """Compare the coordinates of a sample of rows with what their nearest among all rows say."""
        n = every.shape[0]
        sample = np.sort(random.permutation(n)[:_TESTED_ROWS])
        near = to_numpy(k_nearest(every, min(max(self.n_neighbors, 2), n), queries=select(every, sample))[1])
        near = np.where(near == sample[:, None], -1, near)
        m, k = near.shape
        kept = near.ravel() >= 0
        links = csr_array(
            (np.ones(int(kept.sum())), (np.repeat(np.arange(m), k)[kept], near.ravel()[kept])), shape=(m, n)
        )
        rest = self._extend(links, coordinates) - coordinates[sample]
        length = float((coordinates[sample] ** 2).sum())
        return float(np.sqrt((rest**2).sum() / length)) if length > 0 else 0.0

    def _graph_of(self, rows: Any) -> Graph:
        """Join distinct rows."""
        if self.affinity == "nearest_neighbors":
            return neighbor_graph(rows, self.n_neighbors, self.n_clusters)
        self._width = kernel_width(rows, self.n_neighbors) if self.gamma is None else float(np.sqrt(0.5 / self.gamma))
        return kernel_graph(rows, self._width)

    def _cluster(self, graph: Graph, random: Any, like: Any) -> Spectral:
        n, k = graph.n_nodes, min(self.n_clusters, graph.n_nodes)
        if k < self.n_clusters:
            warnings.warn(
                f"{n} of n_clusters={self.n_clusters} clusters hold rows: there are no more distinct rows; lower n_clusters",
                ConvergenceWarning,
                stacklevel=4,
            )
        found = spectral(graph, k, self.objective, self.assign_labels, self.n_init, random, self.eigen_tol, like)
        if not found.converged:
            warnings.warn(
                "the eigenvectors did not converge; raise eigen_tol or n_neighbors",
                ConvergenceWarning,
                stacklevel=4,
            )
        return found

    def _remember(self, rows: Any, first: np.ndarray, keys: tuple[np.ndarray, np.ndarray]) -> None:
        self._node_rows, self._node_first = to_numpy(rows).copy(), first
        self._node_keys, self._node_order = keys

    def _keep(
        self, graph: Graph, found: Spectral, labels: np.ndarray, embedding: np.ndarray, given: Any
    ) -> "SpectralClustering":
        self._cluster_means, self._axis_means = found.centers, found.mean
        self.affinity_graph_ = graph
        self.eigenvalues_ = found.eigenvalues
        self.embedding_ = like_input(embedding, given)
        self.labels_ = like_input(labels, given)
        return self

    def predict(self, X: Any) -> Any:
        """Return the cluster of each row, or of each node by its links to the nodes of the fit.

        Parameters
        ----------
        X : (m, d) array, frame or tensor; with affinity="precomputed" (m, n) array or sparse matrix of links
            Rows of the fit get their labels; others the label of the nearest cluster mean, see the notes.

        Returns
        -------
        (m,) int64 array
        """
        check_is_fitted(self)
        if self.affinity == "precomputed":
            return super().predict(X)
        given = X
        queries = self._gate_in(X, reset=False)
        labels = to_numpy(self.labels_)[self._node_first]
        node = node_of(self._node_rows, (self._node_keys, self._node_order), to_numpy(queries))
        found = labels[node]
        embedding = to_numpy(self.embedding_)[self._node_first]
        new = np.flatnonzero(node < 0)
        for start in range(0, len(new), _ROWS_PER_BLOCK):
            part = new[start : start + _ROWS_PER_BLOCK]
            found[part] = self._nearest(self._extend(self._links(select(queries, part)), embedding))
        return like_input(found, given)

    def _predict_new(self, rows: csr_array, labels: np.ndarray) -> np.ndarray:
        """Return the cluster of nodes by their links; those without a link go to the largest."""
        found = self._nearest(self._extend(rows, to_numpy(self.embedding_)))
        found[np.diff(rows.indptr) == 0] = int(np.bincount(labels).argmax())
        return found

    def _links(self, queries: Any) -> csr_array:
        """Join new rows to those of the fit, or to the landmarks."""
        rows = like_input(self._node_rows, queries)
        n, m = len(rows), len(queries)
        if self.affinity == "rbf":
            return csr_array(kernel_weights(queries, rows, self._width))
        k = min(max(self.n_neighbors - 1, 1), n)
        near = to_numpy(k_nearest(rows, k, queries=queries)[1])
        return csr_array((np.ones(m * k), near.ravel(), np.arange(m + 1) * k), shape=(m, n))

    def _extend(self, links: csr_array, embedding: np.ndarray) -> np.ndarray:
        return extended(links, embedding, self.eigenvalues_, self._axis_means, self.objective)

    def _nearest(self, coordinates: np.ndarray) -> np.ndarray:
        return to_numpy(nearest_center(np.ascontiguousarray(coordinates), self._cluster_means)[0]).astype(np.int64)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        rows = self.affinity != "precomputed"
        tags.input_tags.pairwise = not rows
        tags.input_tags.positive_only = not rows
        tags.input_tags.sparse = not rows
        return tags
