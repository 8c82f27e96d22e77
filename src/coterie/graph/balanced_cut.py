"""BalancedCut: parts of nearly equal size with few links between them, by multilevel partitioning.

The *edge cut* is the weight of all links between parts; the *imbalance* by how much the heaviest part exceeds the mean, rounded up.
Nodes that belong together are united until few are left, the small graph is cut, and the parts are refined while the nodes come
apart again. Cost: O(m) for each level, which together are about twice the graph; memory about 60 bytes for a stored link.
"""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..arrays import Graph, is_tensor, like_input, to_numpy
from ..base import Interval, StrOptions
from ..errors import InputError, ResourceError
from ..graphs import undirected
from ..primitives.components import number_sets
from ..primitives.memory import free_bytes
from ._balance import mean_load
from ._base import GraphClusterer
from ._multilevel import multilevel_partition, part_limit, whole_level

__all__ = ["BalancedCut", "balanced_cut"]

_BYTES_PER_LINK, _BYTES_PER_NODE = 60, 150  # at the peak, all levels together


def balanced_cut(
    graph: Graph, n_clusters: int, imbalance: float = 0.03, *, node_weights: np.ndarray | None = None, seed: int = 0
) -> Any:
    """Find parts with few links between them, none heavier than 1 + imbalance times the mean.

    Parameters
    ----------
    graph : Graph
        Undirected; one of tensors is cut where they lie.
    n_clusters : int
    imbalance : float
        1 is no bound.
    node_weights : (n,) float64 array, optional
        At least 0.
    seed : int

    Returns
    -------
    (n,) int64 array
        Numbered by first appearance.

    Raises
    ------
    ResourceError
        If the levels would not fit into memory; nothing is allocated then.
    """
    if n_clusters == 1:
        return np.zeros(graph.n_nodes, np.int64)
    if n_clusters == graph.n_nodes:
        return np.arange(graph.n_nodes)
    if is_tensor(graph.indices):
        from ._device_cut import device_cut

        return number_sets(device_cut(graph, n_clusters, imbalance, node_weights=node_weights, seed=seed))
    _check_memory(graph, n_clusters)
    level = whole_level(graph, node_weights)
    limit = part_limit(level.node_weights, n_clusters, imbalance)
    return number_sets(multilevel_partition(level, n_clusters, limit, seed).astype(np.int64))


class BalancedCut(GraphClusterer):
    """Parts of nearly equal size with few links between them.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of parts.
    imbalance : float, default=0.03
        By how much of the mean, rounded up, a part may exceed it; 1 means no bound.
    objective : {"edge_cut", "ratio_cut", "normalized_cut", "min_max_cut"}, default="edge_cut"
        What is made small: the weight of all links between parts, or each part's links to the others divided by its number of
        nodes, by the sum of its degrees, or by twice its inner links, added up.
    method : {"multilevel", "spectral"}, default="multilevel"
        "spectral" rounds and refines the relaxation by eigenvectors.
    random_state : int, RandomState or None, default=None
        For the order in which nodes are united and searched.
    device : str, default="cpu"
        "cpu", "cuda", "cuda:0", "mps" or "auto": where to compute. Tensors are computed on where they are.

    Attributes
    ----------
    labels_ : (n,) int64 array
        0, 1, ... in order of first appearance.
    edge_cut_ : float
        Weight of the links between parts, each counted once.
    objective_ : float
        What was made small.
    imbalance_ : float
        Weight of the heaviest part, divided by the mean rounded up, less 1 (not rounded where weights aren't whole).
    tree_ : CutTree
        The parts as leaves of a tree of cuts in two, the best first: flat arrays ``left``, ``right``, ``label``, ``size``,
        ``cut``, ``height``, one item for each node; ``tree_.linkage()`` gives SciPy's layout over the parts. Made each time that
        it is asked for.
    coarsened_ : int or None
        Number of groups of nodes that were clustered where edges in blocks were too many for one machine, else None.
    n_features_in_ : int
        Number of nodes.

    See Also
    --------
    Leiden : communities of any size, as many as there are.

    Notes
    -----
    Large graphs of tensors are coarsened and refined where they lie, by another algorithm (Jet), so with other parts than arrays give;
    smaller ones, and all of them for other objectives and methods, are cut on the host. Labels are on the device again.

    Whole weights are computed with exactly. Others are rounded to about 50 bits of their sum. ``predict`` gives a new node the
    part that its links weigh most to.

    References
    ----------
    Karypis, Kumar (1998). A fast and high quality multilevel scheme for partitioning irregular graphs. SIAM J. Sci. Comput. 20(1),
    359-392. doi:10.1137/S1064827595287997
    Gilbert, Madduri, Boman, Rajamanickam (2024). Jet: multilevel graph partitioning on graphics processing units. SIAM J. Sci.
    Comput. 46(5), B700-B724. doi:10.1137/23M1559129
    Sanders, Schulz (2011). Engineering multilevel graph partitioning algorithms. ESA, 469-480. doi:10.1007/978-3-642-23719-5_40

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import BalancedCut
    >>> links = np.array([[0, 1], [1, 2], [2, 0], [3, 4], [4, 5], [5, 3], [2, 3]])
    >>> model = BalancedCut(n_clusters=2, random_state=0).fit(links)
    >>> model.labels_
    array([0, 0, 0, 1, 1, 1])
    >>> model.edge_cut_
    1.0
    """

    _state_attributes = ("_graph", "_node_weights")
    _parameter_constraints: ClassVar[dict] = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "imbalance": [Interval(Real, 0.0, None, closed="left")],
        "objective": [StrOptions({"edge_cut", "ratio_cut", "normalized_cut", "min_max_cut"})],
        "method": [StrOptions({"multilevel", "spectral"})],
        "random_state": ["random_state"],
        "device": [str],
    }

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        imbalance: float = 0.03,
        objective: str = "edge_cut",
        method: str = "multilevel",
        random_state: Any = None,
        device: str = "cpu",
    ) -> None:
        self.n_clusters = n_clusters
        self.imbalance = imbalance
        self.objective = objective
        self.method = method
        self.random_state = random_state
        self.device = device

    def fit(self, graph: Any, y: Any = None, sample_weight: Any = None, *, n_nodes: int | None = None) -> "BalancedCut":
        """Find the parts.

        Parameters
        ----------
        graph : graph
            Whatever `coterie.graphs.as_graph` takes; a directed one is made undirected with a warning. Or undirected edges in blocks:
            a Dask array or frame, or `coterie.tables.RowFiles`, of two or three columns.
        y : ignored
            Present by convention.
        sample_weight : (n,) array, optional
            What each node weighs in the balance, at least 0. Default: 1.
        n_nodes : int, optional
            How many nodes an array of edges has, or edges in blocks.

        Returns
        -------
        BalancedCut
            This one.
        """
        self._validate_params()
        graph = self._looked_at(graph, n_nodes)
        large = self._too_large(graph)
        graph = graph if large else self._graph_in(graph, n_nodes)
        n = graph.n_nodes
        if self.n_clusters > n:
            raise InputError(
                f"n_clusters must be at most the number of nodes, got n_clusters={self.n_clusters} with {n} nodes; lower n_clusters"
            )
        weights = self._check_weights(sample_weight, n)
        if weights is not None and weights.min() < 0:
            raise InputError(f"sample_weight must be at least 0, got {weights.min():g}")
        if weights is not None and not weights.any():
            raise InputError(
                "sample_weight is zero for every node; give some node a weight, or leave sample_weight out"
            )
        if large:
            from ._coarsened_fits import cut_of_groups

            return cut_of_groups(self, graph, weights)
        host = Graph(*(to_numpy(part) for part in graph))
        seed = int(check_random_state(self.random_state).randint(2**31))
        by_rounds = is_tensor(graph.indices) and (self.objective, self.method) == ("edge_cut", "multilevel")
        labels = to_numpy(self._labels(graph if by_rounds else host, weights, seed))
        self.edge_cut_ = _edge_cut(host, labels)
        self.objective_ = self._value(host, labels, weights)
        self._node_weights = np.ones(n) if weights is None else weights
        self.imbalance_ = _imbalance(labels, weights, self.n_clusters)
        self.labels_ = like_input(labels, self._graph.indices)
        self.coarsened_: int | None = None
        return self

    def _labels(self, graph: Graph, weights: np.ndarray | None, seed: int) -> np.ndarray:
        if self.n_clusters in (1, graph.n_nodes) or (self.objective, self.method) == ("edge_cut", "multilevel"):
            return balanced_cut(graph, self.n_clusters, self.imbalance, node_weights=weights, seed=seed)
        if self.method == "spectral":
            from ._spectral_cut import spectral_cut

            return spectral_cut(graph, self.n_clusters, self.objective, self.imbalance, node_weights=weights, seed=seed)
        from ._objectives import objective_cut

        return objective_cut(graph, self.n_clusters, self.objective, self.imbalance, node_weights=weights, seed=seed)

    def _value(self, graph: Graph, labels: np.ndarray, weights: np.ndarray | None) -> float:
        if self.objective == "edge_cut":
            return self.edge_cut_
        from ._objectives import objective_value

        return objective_value(graph, labels, self.objective, weights)

    @property
    def tree_(self) -> Any:
        """The parts as leaves of a tree of cuts, made when it is asked for."""
        check_is_fitted(self)
        from ._cut_tree import cut_tree

        graph = undirected(Graph(*(to_numpy(part) for part in self._graph)))
        labels = to_numpy(self.labels_)
        if graph.n_nodes < len(labels):  # groups of nodes were cut: the graph is that of the parts
            labels = np.arange(graph.n_nodes)
        return cut_tree(graph, labels, self.objective, self._node_weights)


def _check_memory(graph: Graph, k: int) -> None:
    needed = _BYTES_PER_LINK * len(graph.indices) + (_BYTES_PER_NODE + 8 * min(k, 64)) * graph.n_nodes
    if needed > free_bytes():
        raise ResourceError(
            f"cutting {len(graph.indices) // 2:,} links needs about {needed / 2**30:.1f} GiB, but {free_bytes() / 2**30:.1f} GiB are "
            "free; drop light links, or divide the graph into components first"
        )


def _edge_cut(graph: Graph, labels: np.ndarray) -> float:
    crossing = np.repeat(labels, np.diff(graph.indptr)) != labels[graph.indices]
    return float(graph.weights[crossing].sum(dtype=np.float64)) / 2


def _imbalance(labels: np.ndarray, weights: np.ndarray | None, k: int) -> float:
    loads = np.bincount(labels, weights)
    return float(loads.max()) / mean_load(np.ones(len(labels)) if weights is None else weights, k) - 1
