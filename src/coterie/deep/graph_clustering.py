"""Clusters of nodes from a graph convolution network: it learns to give modularity or a small cut, from links and attributes.

The network sees each node's attributes and those of its neighbours, and gives the probability of each cluster. The loss looks
at the links alone, by one product with the adjacency matrix; nothing of n x n is formed.
"""

from itertools import chain
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from scipy.sparse import csr_array, issparse
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..arrays import Graph, like_input, to_device, to_numpy
from ..base import Clusterer, Interval, StrOptions
from ..errors import InputError, ResourceError
from ..graphs import as_graph, to_scipy, undirected
from ..metrics.graph import modularity
from ..primitives.memory import free_bytes
from ..tables.attribute_rows import coded, fit_coder
from ._checkpoint import Checkpoint, checkpoints_of
from ._graph_network import GraphNetwork, GraphTraining, Nodes, fingerprint_of, nodes_of, spectral_features
from ._kept import drop_small, rebuilt, warn_of_empty, weights_of
from ._progress import progress
from ._training import Run, seeded, train

__all__ = ["DeepGraphClustering"]


class _Outcome(NamedTuple):
    """What one start came to."""

    network: GraphNetwork
    labels: np.ndarray
    history: list[dict[str, Any]]
    score: float


class DeepGraphClustering(Clusterer):
    """Clusters of nodes by a graph convolution network that is trained for modularity (DMoN) or for a small cut (MinCut).

    Parameters
    ----------
    n_clusters : int, default=8
        How many groups, at most the number of nodes.
    objective : {"modularity", "mincut"}, default="modularity"
        What is made small. "modularity": minus the modularity of the soft assignment, and how unequal the clusters are (DMoN).
        "mincut": minus the share of the links that stay within clusters, and how much clusters overlap (MinCutPool).
    hidden : sequence of int, default=(64,)
        Widths of the graph convolutions; one or two are usual.
    dropout : float, default=0.5
        Share of the values before the softmax that are left out while training.
    attribute_kind : {"auto", "words", "numbers"}, default="auto"
        How an array is read, as in `coterie.AttributedGraphClustering`.
    epochs : int, default=1000
        Steps of the training; each sees all nodes.
    learning_rate : float, default=1e-3
        Of Adam.
    n_init : int, default=1
        How many trainings; the one with the greatest ``score_`` is kept.
    min_cluster_size : int, float or None, default=None
        Least number of nodes of a cluster, or share of them between 0 and 1. After the training, clusters below it are given up,
        the smallest first, and their nodes go to the next most probable cluster.
    checkpoint : str, path-like or None, default=None
        File that holds the newest state. A ``fit`` that finds it goes on from there, to the same result as without a stop; it
        is removed at the end. Needs a whole number as ``random_state``.
    verbose : bool or int, default=0
        1 shows a bar on the error stream, 2 also a line for each epoch.
    random_state : int, RandomState or None, default=None
        Seed of the network's start and of the dropout.
    device : str, default="cpu"
        Where the network is trained: "cpu", "cuda", "cuda:0", "mps" or "auto".

    Attributes
    ----------
    labels_ : (n,) int64 array
        Most probable cluster of each node; a tensor where the graph was one.
    soft_labels_ : (n, k) float32 array
        Probability of each cluster for each node.
    embedding_ : (n, p) float32 array
        Output of the last convolution.
    occupancy_ : (k,) int64 array
        Number of nodes of each cluster.
    history_ : list of dict
        One record an epoch: phase, epoch, each term of the loss.
    n_iter_ : int
        Number of epochs.
    score_ : float
        Modularity of the labels.
    n_features_in_ : int
        Number of nodes.

    See Also
    --------
    AttributedGraphClustering : Weighs links against attributes; no network.
    Leiden : Greatest modularity from links alone.

    Notes
    -----
    Cost: for each epoch three products with the links (m k and m p) and one with the attributes (their nonzeros times p), forward
    and back; memory O(m + nnz + n (p + k)). Self-loops are left out, a directed graph is made undirected with a warning. Without
    attributes a node is described by its spectral coordinates: `predict` then knows the fitted graph alone.

    References
    ----------
    Tsitsulin, A., Palowitch, J., Perozzi, B., & Müller, E. (2023). Graph clustering with graph neural networks. Journal of
    Machine Learning Research, 24(127), 1-21. https://arxiv.org/abs/2006.16904

    Bianchi, F. M., Grattarola, D., & Alippi, C. (2020). Spectral clustering with graph neural networks for graph pooling. ICML,
    874-883. https://doi.org/10.48550/arXiv.1907.00481

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.deep import DeepGraphClustering
    >>> edges = np.array([[0, 1], [1, 2], [0, 2], [3, 4], [4, 5], [3, 5], [2, 3]])
    >>> ages = np.array([[31.0], [30.0], [29.0], [64.0], [66.0], [65.0]])
    >>> model = DeepGraphClustering(2, epochs=300, random_state=0).fit(edges, ages)
    >>> int((model.labels_ == model.labels_[0]).sum())
    3
    """

    _state_attributes: ClassVar = ("_weights", "_coder", "_fingerprint", "_width")
    _parameter_constraints: ClassVar = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "objective": [StrOptions({"modularity", "mincut"})],
        "hidden": ["array-like"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "attribute_kind": [StrOptions({"auto", "words", "numbers"})],
        "epochs": [Interval(Integral, 0, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "min_cluster_size": [Interval(Integral, 1, None, closed="left"), Interval(Real, 0, 1, closed="neither"), None],
        "checkpoint": "no_validation",
        "verbose": ["verbose"],
        "random_state": ["random_state"],
        "device": [str],
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        objective="modularity",
        hidden=(64,),
        dropout=0.5,
        attribute_kind="auto",
        epochs=1000,
        learning_rate=1e-3,
        n_init=1,
        min_cluster_size=None,
        checkpoint=None,
        verbose=0,
        random_state=None,
        device="cpu",
    ):
        self.n_clusters = n_clusters
        self.objective = objective
        self.hidden = hidden
        self.dropout = dropout
        self.attribute_kind = attribute_kind
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.n_init = n_init
        self.min_cluster_size = min_cluster_size
        self.checkpoint = checkpoint
        self.verbose = verbose
        self.random_state = random_state
        self.device = device

    def fit(self, graph, attributes=None, y=None, *, n_nodes=None):
        """Train the network and find the clusters.

        Parameters
        ----------
        graph : Graph, (n, n) matrix, (m, 2) or (m, 3) edges, networkx or igraph graph
            See `coterie.graphs.as_graph`.
        attributes : (n, d) array, sparse matrix or frame, optional
            A row for each node.
        y : ignored
        n_nodes : int, optional
            How many nodes an array of edges has.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If the graph or the attributes cannot be read, there are more clusters than nodes, or there is no link.
        ResourceError
            If the network's values would not fit into memory.
        """
        self._validate_params()
        given = as_graph(graph, n_nodes)
        links = self._links(given)
        n, k = links.shape[0], self.n_clusters
        if n < k:
            raise InputError(f"n_samples={n} should be >= n_clusters={k}; lower n_clusters or add nodes")
        if not links.nnz:
            raise InputError(f"the graph of {n} nodes has no link; modularity and cuts are about links: add some")
        seeds = check_random_state(self.random_state).randint(np.iinfo(np.int32).max, size=self.n_init)
        self._coder = None if attributes is None else fit_coder(attributes, n, self.attribute_kind)
        rows = (
            spectral_features(links, k, int(seeds[0])) if self._coder is None else coded(self._coder, attributes).rows
        )
        self._check_memory(n, rows)
        nodes = nodes_of(links, rows, _usable(self.device))
        self.n_features_in_, self._width = n, rows.shape[1]
        self._fingerprint = fingerprint_of(links)
        checkpoints = self._checkpoints(nodes)
        with progress(self.verbose, type(self).__name__) as show:
            outcomes = [
                self._one_start(nodes, links, Run(int(seed), n, checkpoint, [], show))
                for seed, checkpoint in zip(seeds, checkpoints, strict=True)
            ]
        self._keep(max(outcomes, key=lambda outcome: outcome.score), nodes, given)
        for checkpoint in checkpoints:
            if checkpoint is not None:
                checkpoint.done()
        return self

    def fit_predict(self, graph, attributes=None, y=None, *, n_nodes=None):
        """Train the network and return ``labels_``.

        Parameters
        ----------
        graph, attributes, y, n_nodes
            As for `fit`.

        Returns
        -------
        (n,) int64 array
        """
        return self.fit(graph, attributes, y, n_nodes=n_nodes).labels_

    def predict(self, graph, attributes=None, *, n_nodes=None):
        """Return the most probable cluster of each node of a graph, ties to the lowest.

        Parameters
        ----------
        graph, n_nodes
            As for `fit`: any graph where the fit had attributes, else the fitted one.
        attributes : (n, d) array, sparse matrix or frame, optional
            The columns of the fit.

        Returns
        -------
        (n,) int64 array
            For the fitted graph and attributes, ``labels_``.
        """
        given = as_graph(graph, n_nodes)
        soft = self._soft(given, attributes)
        return like_input(soft.argmax(1).astype(np.int64), given.indptr)

    def predict_proba(self, graph, attributes=None, *, n_nodes=None):
        """Return the probability of each cluster for each node of a graph.

        Parameters
        ----------
        graph, attributes, n_nodes
            As for `predict`.

        Returns
        -------
        (n, k) float32 array
        """
        given = as_graph(graph, n_nodes)
        return like_input(self._soft(given, attributes), given.indptr)

    def _soft(self, given: Graph, attributes: Any) -> np.ndarray:
        check_is_fitted(self)
        if (attributes is None) != (self._coder is None):
            said = "had no attributes; leave them out" if self._coder is None else "had attributes; give them"
            raise InputError(f"the fit {said} in predict")
        links = self._links(given)
        if self._coder is None:
            if fingerprint_of(links) != self._fingerprint:
                raise InputError(
                    "the fit had no attributes, so only the fitted graph has labels; fit this graph, or give attributes to both"
                )
            return to_numpy(self.soft_labels_)
        rows = coded(self._coder, attributes).rows
        if rows.shape[0] != links.shape[0]:
            raise InputError(
                f"attributes must have a row for each of the {links.shape[0]} nodes, got {rows.shape[0]} rows"
            )
        nodes = nodes_of(links, rows, _usable(self.device))
        network = self._network.to(nodes.degrees.device)
        with torch.no_grad():
            return to_numpy(network.log_soft(network.embed(nodes)).exp())

    def _links(self, given: Graph) -> csr_array:
        """Return the links in both directions, without self-loops, of weight 1 on average."""
        links = to_scipy(undirected(given, warn_as=type(self).__name__)).astype(np.float64)
        links.data[np.repeat(np.arange(links.shape[0]), np.diff(links.indptr)) == links.indices] = 0.0
        links.eliminate_zeros()
        if links.nnz:
            links.data /= links.data.max()
            links.data /= links.data.mean()
        return links

    def _one_start(self, nodes: Nodes, links: csr_array, run: Run) -> _Outcome:
        with seeded(run.seed, "build"):
            network = self._build(self.n_clusters).to(nodes.degrees.device)
        phase = GraphTraining(network, nodes, self.objective, self.epochs, self.learning_rate)
        train(phase, torch.arange(links.shape[0], device=nodes.degrees.device), run)
        with torch.no_grad():
            z = network.eval().embed(nodes)
            labels = drop_small(network, lambda: _labels(network, z), self.min_cluster_size)
        return _Outcome(network, labels, run.history, float(modularity(links, labels)))

    def _build(self, n_clusters: int) -> GraphNetwork:
        return GraphNetwork(self._width, tuple(int(width) for width in self.hidden), n_clusters, self.dropout)

    def _keep(self, best: _Outcome, nodes: Nodes, given: Graph) -> None:
        self._network = best.network.requires_grad_(False)
        with torch.no_grad():
            z = best.network.embed(nodes)
            soft = best.network.log_soft(z).exp()
        self.embedding_ = like_input(to_numpy(z), given.indptr)
        self.soft_labels_ = like_input(to_numpy(soft), given.indptr)
        self.labels_ = like_input(best.labels, given.indptr)
        self.occupancy_ = np.bincount(best.labels, minlength=soft.shape[1])
        self.history_, self.n_iter_, self.score_ = best.history, len(best.history), best.score
        warn_of_empty(self.occupancy_, "node")

    def _fitted_state(self):
        state = super()._fitted_state()
        if hasattr(self, "_network"):
            state["_weights"] = weights_of(self._network)
        return state

    def _restore(self, state):
        kept = dict(state)
        weights = kept.pop("_weights")
        super()._restore(kept)
        network = rebuilt(lambda: self._build(len(self.occupancy_)), weights)
        self._network = network.eval().requires_grad_(False)
        return self

    def _check_memory(self, n: int, rows: Any) -> None:
        values = 0 if issparse(rows) else 2 * rows.size  # in double and in single precision
        asked = 4.0 * (values + 8 * n * (sum(self.hidden) + self.n_clusters) + 3 * rows.shape[1] * self.hidden[0])
        if asked > free_bytes():
            raise ResourceError(
                f"the network on {n:,} nodes needs {asked / 1e9:.1f} GB and {free_bytes() / 1e9:.1f} GB are free; "
                "narrow hidden, lower n_clusters, or give attributes as a sparse matrix"
            )

    def _checkpoints(self, nodes: Nodes) -> list[Checkpoint | None]:
        apart = {"checkpoint", "verbose", "device"}
        told = {name: repr(value) for name, value in self.get_params(deep=False).items() if name not in apart}
        matrices = (nodes.features.rows, nodes.links.rows)
        parts = ((one.indices(), one.values()) if one.is_sparse else (one,) for one in matrices)
        return checkpoints_of(self, told, chain.from_iterable(parts))


def _labels(network: GraphNetwork, z: torch.Tensor) -> np.ndarray:
    return to_numpy(network.log_soft(z).exp()).argmax(1).astype(np.int64)


def _usable(device: str) -> torch.device:
    """Return the device of a name, or raise where it is not there."""
    found = to_device(np.zeros(1, np.float32), device)
    return torch.device("cpu") if isinstance(found, np.ndarray) else found.device
