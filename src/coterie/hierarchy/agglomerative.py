"""Agglomerative clustering: every row begins as a cluster, and the two nearest clusters merge until one is left.

The *linkage* says how near two clusters are: by their nearest rows (single), their furthest (complete), the mean over all pairs
(average; weighted: over the two parts of a merged cluster), their centers (centroid; median: the middle of two merged centers),
or by how much the sum of squares grows (Ward). A graph may limit which clusters merge at all. The merges make a tree, which
is cut into k clusters or at a height. Ward, centroid and median need O(n d) memory and about O(n d log n) time in few dimensions;
single the same; complete, average and weighted a matrix of n (n - 1) / 2 distances and O(n^2) time.
"""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np

from ..arrays import Graph, is_tensor, like_input
from ..base import Interval, StrOptions
from ..errors import InputError, UnsupportedError
from ..primitives.linkages import CENTER_LINKAGES, Merges, center_linkage, forest, graph_linkage, matrix_linkage
from ..trees.cuts import cut_at_height
from ..trees.linkage import linkage_matrix
from ._agglomerative_distances import METRICS, RowMetric, require_bytes
from ._agglomerative_graph import merge_graph
from ._agglomerative_tree import TreeClusterer

__all__ = ["AgglomerativeClustering", "agglomerate", "agglomerate_along"]

_LINKAGES = {"ward", "single", "complete", "average", "weighted", "centroid", "median"}


def agglomerate(metric: RowMetric, linkage: str, sample_weight: np.ndarray | None = None) -> np.ndarray:
    """Merge the nearest two clusters until one is left.

    Parameters
    ----------
    metric : RowMetric
        With the rows.
    linkage : {"ward", "single", "complete", "average", "weighted", "centroid", "median"}
    sample_weight : (n,) float64 array, optional
        For Ward and centroid linkage, above 0: how many rows each one stands for.

    Returns
    -------
    (n - 1, 4) float64 array
        SciPy's layout.
    """
    n = len(metric.rows)
    if linkage == "single":
        return linkage_matrix(*metric.tree())
    if linkage not in CENTER_LINKAGES:
        _require_matrix(metric, n, linkage)
        return linkage_matrix(*matrix_linkage(metric.packed(), linkage))
    return linkage_matrix(*center_linkage(metric.rows, linkage, sample_weight))


def agglomerate_along(
    metric: RowMetric, linkage: str, graph: Graph, sample_weight: np.ndarray | None = None
) -> tuple[np.ndarray, int]:
    """Merge the nearest two clusters that an edge joins, then the components that are left.

    Parameters
    ----------
    metric : RowMetric
        With the rows.
    linkage : {"ward", "single", "complete", "average", "centroid", "median"}
        Single, complete and average linkage are the least, the largest and the mean distance along the edges between two
        clusters.
    graph : Graph
        Every edge at both its ends.
    sample_weight : (n,) float64 array, optional
        For Ward and centroid linkage, above 0.

    Returns
    -------
    linkage : (n - 1, 4) float64 array
        SciPy's layout. Components merge last: by the same linkage as if all were joined for Ward, centroid and median, else
        by their nearest rows; no lower than anything before.
    n_components : int
        Of the graph.
    """
    if linkage in CENTER_LINKAGES:
        merges, n_components = graph_linkage(graph, linkage, X=metric.rows, sample_weight=sample_weight)
        return linkage_matrix(*merges), n_components
    n = graph.n_nodes
    left, right = np.repeat(np.arange(n), np.diff(graph.indptr)), graph.indices
    lengths = metric.along(left, right)
    if linkage == "single":
        once = left < right
        order = np.lexsort((right[once], left[once], lengths[once]))
        left, right, lengths = (values[once][order] for values in (left, right, lengths))
        chosen = forest(n, left, right)
        merges = Merges(left[chosen], right[chosen], lengths[chosen])
    else:
        merges, _ = graph_linkage(graph, linkage, distances=lengths)
    n_components = n - len(merges.left)
    if n_components > 1:
        merges = _join_components(metric, merges, n)
    return linkage_matrix(*merges), n_components


def _join_components(metric: RowMetric, merges: Merges, n: int) -> Merges:
    """Add the edges of the rows' spanning tree that join what is apart, no lower than what there is."""
    tree = metric.tree()
    left, right = np.concatenate([merges.left, tree.left]), np.concatenate([merges.right, tree.right])
    above = np.maximum(tree.weights, merges.heights.max(initial=0.0))
    chosen = forest(n, left, right)
    return Merges(left[chosen], right[chosen], np.concatenate([merges.heights, above])[chosen])


def _require_matrix(metric: RowMetric, n: int, linkage: str) -> None:
    pairs = n * (n - 1) // 2
    bytes_each = metric.rows.dtype.itemsize * (4 if is_tensor(metric.rows) else 1)
    if not is_tensor(metric.rows) or metric.rows.device.type == "cpu":
        require_bytes(
            pairs * bytes_each,
            f"linkage={linkage!r} of {n} rows keeps {pairs} distances, which",
            "use linkage='ward' or 'single', which need O(n) memory, or connectivity=10",
        )


class AgglomerativeClustering(TreeClusterer):
    """A tree of clusters, merged from single rows upwards, and a cut through it.

    Parameters
    ----------
    n_clusters : int or None, default=2
        How many clusters, at most the number of rows; None with ``distance_threshold``.
    distance_threshold : float, optional
        Clusters do not merge at this height or above; ``n_clusters`` must be None then.
    linkage : str, default="ward"
        "ward", "single", "complete", "average", "weighted", "centroid" or "median": how near two clusters are.
    metric : str or callable, default="euclidean"
        "euclidean"; and, for single, complete, average and weighted linkage, "cosine", any other name that scikit-learn's
        ``pairwise_distances`` knows, a function of two rows, or "precomputed": ``X`` holds the distances, dense, and is not
        modified.
    connectivity : int, (n, n) array or sparse matrix, or Graph, optional
        Clusters merge only along the edges of this graph; an integer: of the graph of so many nearest neighbours. What a sparse
        matrix stores is an edge, and one direction is enough. Default: all may merge.
    device : str, default="cpu"
        "cpu", "cuda", "cuda:0", "mps" or "auto": where to compute distances. Tensors are computed on where they are; what is
        sequential (centroid, median, connectivity, the tree) is always on the host.

    Attributes
    ----------
    labels_ : (n,) int64 array
        0, 1, ... in order of first appearance in the rows.
    n_clusters_ : int
        How many there are.
    linkage_matrix_ : (n - 1, 4) float64 array
        The tree in SciPy's layout, for ``scipy.cluster.hierarchy.dendrogram``: two nodes, the height, the number of rows.
    children_ : (n - 1, 2) int64 array
        The two nodes of each merge: rows below n, and n + i for the merge in line i.
    distances_ : (n - 1,) float64 array
        The height of each merge: the distance of the two clusters under the linkage.
    coefficient_ : float
        The agglomerative coefficient, 0 (no structure) to 1.
    n_leaves_ : int
        Number of rows.
    n_connected_components_ : int
        Of the graph; 1 without one.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : (d,) array of str
        Their names, where the input has names.

    See Also
    --------
    DIANA : splits from all rows downwards.
    Genie : single linkage that keeps sizes even.

    Notes
    -----
    Exact and deterministic: of equally near pairs of clusters the one with the lowest rows merges first (single linkage: the pair
    of rows). Ward, centroid, median
    and single need O(n d) memory (Ward in float64: 8 n d bytes); complete, average and weighted keep n (n - 1) / 2 distances in
    the dtype of ``X`` and are refused, with the figure, where these do not fit. Heights ascend, but for centroid and median
    linkage and for Ward along a graph, where a merge may be lower than one before it; a cut by height counts the greatest
    height inside a cluster.

    Components of a graph that is not connected merge last, no lower than anything before: with Ward, centroid and median by that
    linkage as if all were joined, else by their nearest rows. So the first n - ``n_connected_components_`` merges are along
    edges, and a cut into as many clusters as components, or more, never joins two of them.

    Equal rows are not parted: where there are fewer distinct rows than ``n_clusters``, there are as many clusters, and a warning.
    ``predict`` gives the label of the nearest row of the fit, ties to the lowest; on the rows of the fit this is ``labels_``.
    The one exception is a ``connectivity`` matrix that keeps equal rows apart: new rows have no place in the graph, and get the
    label of the lowest of the equal rows.

    References
    ----------
    Ward (1963). Hierarchical grouping to optimize an objective function. Journal of the American Statistical Association 58,
    236-244. doi:10.1080/01621459.1963.10500845
    Murtagh, Contreras (2012). Algorithms for hierarchical clustering: an overview. WIREs Data Mining and Knowledge Discovery 2,
    86-97. doi:10.1002/widm.53
    Muellner (2013). fastcluster: fast hierarchical, agglomerative clustering routines. Journal of Statistical Software 53(9).
    doi:10.18637/jss.v053.i09

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import AgglomerativeClustering
    >>> X = np.array([[1.0], [2.0], [7.0], [9.0], [30.0]])
    >>> model = AgglomerativeClustering(n_clusters=2, linkage="average").fit(X)
    >>> model.labels_, model.distances_
    (array([0, 0, 0, 0, 1]), array([ 1.  ,  2.  ,  6.5 , 25.25]))
    >>> model.cut(height=2.0)
    array([0, 0, 1, 1, 2])
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_clusters": [Interval(Integral, 1, None, closed="left"), None],
        "distance_threshold": [Interval(Real, 0, None, closed="left"), None],
        "linkage": [StrOptions(_LINKAGES)],
        "metric": METRICS,
        "connectivity": "no_validation",
        "device": [str],
    }

    def __init__(
        self,
        n_clusters: int | None = 2,
        *,
        distance_threshold: float | None = None,
        linkage: str = "ward",
        metric: Any = "euclidean",
        connectivity: Any = None,
        device: str = "cpu",
    ) -> None:
        self.n_clusters = n_clusters
        self.distance_threshold = distance_threshold
        self.linkage = linkage
        self.metric = metric
        self.connectivity = connectivity
        self.device = device

    def fit(self, X: Any, y: Any = None) -> "AgglomerativeClustering":
        """Build the tree and cut it.

        Parameters
        ----------
        X : (n, d) array, frame or tensor, or (n, n) distances
            Not modified.
        y : ignored
            Present by convention.

        Returns
        -------
        AgglomerativeClustering
            This one.

        Raises
        ------
        InputError
            If there are fewer rows than clusters, or parameters contradict each other.
        ResourceError
            If the distances that the linkage needs do not fit into memory.
        UnsupportedError
            For weighted linkage along a graph.
        """
        self._validate_params()
        given = X
        X = self._gate_in(X, reset=True)
        self._check_parameters(len(X))
        metric = RowMetric.fitted_to(X, self.metric)
        if self.connectivity is None:
            tree, components = agglomerate(metric, self.linkage), 1
        else:
            graph = merge_graph(self.connectivity, metric)
            tree, components = agglomerate_along(metric, self.linkage, graph)
        self._keep_tree(tree, metric, X)
        self.children_ = tree[:, :2].astype(np.int64)
        self.n_leaves_, self.n_connected_components_ = len(X), components
        if self.n_clusters is not None:
            labels = self._into(self.n_clusters)
        elif self.distance_threshold is not None:
            labels = cut_at_height(tree, self.distance_threshold, strictly=True)
        self.n_clusters_ = int(labels.max()) + 1
        self.labels_ = like_input(labels, given)
        return self

    def _check_parameters(self, n: int) -> None:
        if (self.n_clusters is None) == (self.distance_threshold is None):
            raise InputError("exactly one of n_clusters and distance_threshold must be given, and the other be None")
        if self.n_clusters is not None:
            self._require_rows(self.n_clusters, n)
        if self.linkage in CENTER_LINKAGES and self.metric != "euclidean":
            raise InputError(
                f"linkage={self.linkage!r} is defined by centers and needs metric='euclidean', got {self.metric!r}; use"
                " linkage='average' or 'complete'"
            )
        if self.linkage == "weighted" and self.connectivity is not None:
            raise UnsupportedError("linkage='weighted' has no meaning along a graph; use 'average'")
