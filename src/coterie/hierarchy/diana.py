"""DIANA: all rows begin as one cluster, which is split in two, and so on down to single rows.

The next cluster to split is the one with the largest *diameter*, the distance of its two furthest rows. The row that is on
average furthest from the others breaks away; then, one by one, those rows follow that are on average nearer to the ones that
broke away (the *splinter group*) than to the ones that stayed. The diameters are the heights of a tree. It needs the matrix of
distances, n^2 numbers, and O(n^2) time where single rows break away or halves do, at most O(n^3).
"""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np

from ..arrays import like_input
from ..base import Interval
from ..primitives.divisive import splinter_splits
from ..trees.linkage import linkage_matrix
from ._agglomerative_distances import METRICS, RowMetric, require_bytes
from ._agglomerative_tree import TreeClusterer

__all__ = ["DIANA", "diana"]


def diana(distances: Any) -> np.ndarray:
    """Split all rows down to single ones.

    Parameters
    ----------
    distances : (n, n) float array
        Symmetric, zero on the diagonal; not changed.

    Returns
    -------
    (n - 1, 4) float64 array
        The tree in SciPy's layout; heights are the diameters of the clusters that are split.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.hierarchy.diana import diana
    >>> diana(np.array([[0.0, 1.0, 5.0], [1.0, 0.0, 4.0], [5.0, 4.0, 0.0]])).tolist()
    [[0.0, 1.0, 1.0, 2.0], [2.0, 3.0, 5.0, 3.0]]
    """
    return linkage_matrix(*splinter_splits(distances))


class DIANA(TreeClusterer):
    """A tree of clusters, split from all rows downwards, and a cut through it.

    Parameters
    ----------
    n_clusters : int, default=2
        How many clusters, at most the number of rows.
    metric : str or callable, default="euclidean"
        "euclidean", "cosine", any other name that scikit-learn's ``pairwise_distances`` knows, a function of two rows, or
        "precomputed": ``X`` holds the distances, dense, and is not modified.
    device : str, default="cpu"
        "cpu", "cuda", "cuda:0", "mps" or "auto": where to compute the distances. Tensors are computed on where they are; the
        splits, which follow from each other, are always made on the host.

    Attributes
    ----------
    labels_ : (n,) int64 array
        0, 1, ... in order of first appearance in the rows.
    linkage_matrix_ : (n - 1, 4) float64 array
        The tree in SciPy's layout, for ``scipy.cluster.hierarchy.dendrogram``, the last split first: two nodes, the diameter of
        the two together, the number of rows.
    distances_ : (n - 1,) float64 array
        The diameters, ascending.
    coefficient_ : float
        The divisive coefficient, 0 (no structure) to 1.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : (d,) array of str
        Their names, where the input has names.

    See Also
    --------
    AgglomerativeClustering : merges from single rows upwards; less memory.
    BisectingKMeans : splits by k-means, for many rows.

    Notes
    -----
    Exact and deterministic, ties to the lowest row; the same partition whatever the order of the rows where no two sums tie.
    Memory is n^2 distances in the dtype of ``X`` (5,000 rows of float64: 0.2 GB); what does not fit is refused, with the figure.
    Equal rows break away together and are never parted: where there are fewer distinct rows than ``n_clusters``, there are as
    many clusters, and a warning. ``predict`` gives the label of the nearest row of the fit, ties to the lowest; on the rows of
    the fit this is ``labels_``. (Going down the tree by mean distances, which is how it was built, would not give it: a row that
    broke away early may in the end be nearer to those that stayed.)

    References
    ----------
    Macnaughton-Smith, Williams, Dale, Mockett (1964). Dissimilarity analysis: a new technique of hierarchical sub-division.
    Nature 202, 1034-1035. doi:10.1038/2021034a0
    Kaufman, Rousseeuw (1990). Finding groups in data: an introduction to cluster analysis, chapter 6. Wiley.
    doi:10.1002/9780470316801

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import DIANA
    >>> X = np.array([[1.0], [2.0], [7.0], [9.0], [30.0]])
    >>> model = DIANA(n_clusters=3).fit(X)
    >>> model.labels_, model.distances_
    (array([0, 0, 1, 1, 2]), array([ 1.,  2.,  8., 29.]))
    >>> model.predict([[4.0], [20.0]])
    array([0, 2])
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "metric": METRICS,
        "device": [str],
    }

    def __init__(self, n_clusters: int = 2, *, metric: Any = "euclidean", device: str = "cpu") -> None:
        self.n_clusters = n_clusters
        self.metric = metric
        self.device = device

    def fit(self, X: Any, y: Any = None) -> "DIANA":
        """Build the tree and cut it.

        Parameters
        ----------
        X : (n, d) array, frame or tensor, or (n, n) distances
            Not modified.
        y : ignored
            Present by convention.

        Returns
        -------
        DIANA
            This one.

        Raises
        ------
        InputError
            If there are fewer rows than clusters, or a value is not finite.
        ResourceError
            If the distances do not fit into memory.
        """
        self._validate_params()
        given = X
        X = self._gate_in(X, reset=True)
        n = len(X)
        self._require_rows(self.n_clusters, n)
        if self.metric != "precomputed":
            require_bytes(
                n * n * X.dtype.itemsize,
                f"DIANA of {n} rows keeps {n * n} distances, which",
                "use BisectingKMeans, or AgglomerativeClustering with linkage='ward'",
            )
        metric = RowMetric.fitted_to(X, self.metric)
        tree = diana(metric.rows if self.metric == "precomputed" else metric.matrix())
        self._keep_tree(tree, metric, X)
        self.labels_ = like_input(self._into(self.n_clusters), given)
        return self
