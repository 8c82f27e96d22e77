"""Genie: single linkage that keeps an eye on the sizes of the clusters.

All rows are joined by a *spanning tree*, the shortest set of edges that connects them. Edges are taken from the shortest to
the longest, each merging two clusters, as in single linkage; but whenever the sizes have become too unequal, measured by the
*Gini index* (0: all equal, 1: one has all), the next merge must involve one of the smallest clusters. Single rows far away so
no longer end as clusters of their own, and shapes may still be any. The tree costs about O(n log n) in few dimensions, up to
O(n^2 d) in many; merging O(n log n); memory O(n d).
"""

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..arrays import is_tensor, like_input, to_numpy
from ..base import Clusterer, Interval
from ..errors import InputError
from ..primitives.neighbors import k_nearest
from ..primitives.spanning_tree import SpanningTree, mutual_reachability_tree, spanning_tree
from ._genie_merge import Merging

__all__ = ["Genie", "genie"]


def genie(
    tree: SpanningTree, n_clusters: int, gini_threshold: float, *, together: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Merge the rows along a spanning tree while keeping the sizes of the clusters even.

    Parameters
    ----------
    tree : SpanningTree
        Arrays of NumPy, edges ascending.
    n_clusters : int
        How many clusters the labels tell apart.
    gini_threshold : float
        When the Gini index of the sizes is above this, one of the smallest clusters merges along its shortest edge.
    together : (n - 1,) bool array, optional
        Edges to take first, whatever the sizes. By default those of length 0: rows that cannot be told apart are one.

    Returns
    -------
    labels : (n,) int64 array
        Numbered in order of first appearance; fewer than ``n_clusters`` if ``together`` leaves fewer.
    linkage : (n - 1, 4) float64 array
        All merges in SciPy's layout. Genie's merges are not in the order of their lengths: a height is the least length of
        this merge and all later ones, so that heights ascend and the tree can be drawn.

    References
    ----------
    Gagolewski, Bartoszuk, Cena (2016). Genie: A new, fast, and outlier-resistant hierarchical clustering algorithm.
    Information Sciences, 363, 8-23. doi:10.1016/j.ins.2016.05.003

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.hierarchy.genie import genie
    >>> from coterie.primitives.spanning_tree import spanning_tree
    >>> tree = spanning_tree(np.array([[0.0], [1.0], [2.0], [5.0], [6.0], [20.0]]))
    >>> genie(tree, 2, 1.0)[0], genie(tree, 2, 0.3)[0]
    (array([0, 0, 0, 0, 0, 1]), array([0, 0, 0, 1, 1, 1]))
    """
    left, right, weights = tree
    together = weights == 0 if together is None else together
    order = np.argsort(~together, kind="stable")
    merging = Merging(left[order], right[order], weights[order], int(together.sum()))
    merging.merge_down_to(min(n_clusters, len(weights) + 1 - int(together.sum())), gini_threshold)
    labels = merging.labels()
    merging.merge_down_to(1, gini_threshold)
    linkage = merging.linkage
    linkage[:, 2] = np.minimum.accumulate(linkage[::-1, 2])[::-1]
    return labels, linkage


class Genie(Clusterer):
    """Genie: clusters of any shape, none of them tiny.

    Parameters
    ----------
    n_clusters : int, default=2
        How many clusters, at most the number of rows.
    gini_threshold : float, default=0.3
        How unequal the sizes of clusters may become before the smallest must merge: 0 evens them out at every step, 1 is single
        linkage.
    min_samples : int, default=1
        Above 1, distances are mutual reachabilities: no row is nearer to another one than its ``min_samples``-th nearest row,
        itself included. Thin places then separate better; no row becomes noise.
    device : str, default="cpu"
        "cpu", "cuda", "cuda:0", "mps" or "auto": where to find the spanning tree. Tensors are computed on where they are;
        merging is always on the host.

    Attributes
    ----------
    labels_ : (n,) int64 array
        0, 1, ... in order of first appearance in the rows.
    linkage_matrix_ : (n - 1, 4) float64 array
        All merges in SciPy's layout, for ``scipy.cluster.hierarchy.dendrogram`` or ``cut_tree``. The first n - k of them make k
        clusters. Merges are not in the order of their lengths: a height is the least length of this merge and all later ones.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : (d,) array of str
        Their names, where the input has names.

    See Also
    --------
    HDBSCAN : finds the number of clusters itself, and noise.
    KMeans : compact groups around their means.

    Notes
    -----
    Deterministic, and the same partition whatever the order of the rows where no two distances tie. Cost: the spanning tree,
    about O(n log n) in few dimensions, up to O(n^2 d) in many; merging O(n log n); O(n d) memory. Equal rows are never parted:
    where there are fewer distinct rows than ``n_clusters``, there are as many clusters, and a warning. ``predict`` gives the
    label of the nearest row of the fit, ties to the lowest, and so repeats ``labels_`` on the rows of the fit.

    References
    ----------
    Gagolewski, M., Bartoszuk, M., & Cena, A. (2016). Genie: A new, fast, and outlier-resistant hierarchical clustering
    algorithm. Information Sciences, 363, 8-23. https://doi.org/10.1016/j.ins.2016.05.003

    Gagolewski, M., Cena, A., Bartoszuk, M., & Brzozowski, L. (2024). Clustering with minimum spanning trees: How good can it
    be? Journal of Classification, 42, 90-112. https://doi.org/10.1007/s00357-024-09483-1

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import Genie
    >>> X = np.array([[0.0], [1.0], [2.0], [5.0], [6.0], [20.0]])
    >>> Genie(n_clusters=2).fit(X).labels_
    array([0, 0, 0, 1, 1, 1])
    >>> Genie(n_clusters=2).fit(X).predict([[3.0], [100.0]])
    array([0, 1])
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "gini_threshold": [Interval(Real, 0, 1, closed="both")],
        "min_samples": [Interval(Integral, 1, None, closed="left")],
        "device": [str],
    }
    _state_attributes = ("_rows",)

    def __init__(
        self, n_clusters: int = 2, *, gini_threshold: float = 0.3, min_samples: int = 1, device: str = "cpu"
    ) -> None:
        self.n_clusters = n_clusters
        self.gini_threshold = gini_threshold
        self.min_samples = min_samples
        self.device = device

    def fit(self, X: Any, y: Any = None) -> "Genie":
        """Find the clusters.

        Parameters
        ----------
        X : (n, d) array, frame or tensor
            Not modified.
        y : ignored
            Present by convention.

        Returns
        -------
        Genie
            This one.

        Raises
        ------
        InputError
            If there are fewer rows than clusters, or a value is not finite.
        """
        self._validate_params()
        given = X
        X = self._gate_in(X, reset=True)
        n = X.shape[0]
        if n < self.n_clusters:
            raise InputError(f"n_samples={n} should be >= n_clusters={self.n_clusters}; lower n_clusters or add rows")
        tree, together = _tree_and_twins(X, min(self.min_samples, n))
        labels, self.linkage_matrix_ = genie(tree, self.n_clusters, self.gini_threshold, together=together)
        self.labels_ = like_input(labels, given)
        # A copy, so that a later change of the input does not reach predict.
        self._rows = X.clone() if is_tensor(X) else X.copy()
        n_found = int(labels.max()) + 1
        if n_found < self.n_clusters:
            warnings.warn(
                f"there are {n_found} distinct rows for n_clusters={self.n_clusters}: each is a cluster; lower n_clusters",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def predict(self, X: Any) -> Any:
        """Give each row the label of the nearest row of the fit, ties to the lowest.

        Parameters
        ----------
        X : (m, d) array, frame or tensor

        Returns
        -------
        (m,) int64 array
        """
        given = X
        X = self._gate_in(X, reset=False)
        _, nearest = k_nearest(like_input(self._rows, X), 1, queries=X)
        return like_input(to_numpy(self.labels_)[to_numpy(nearest)[:, 0]], given)


def _tree_and_twins(X: Any, min_samples: int) -> tuple[SpanningTree, np.ndarray]:
    """Return the spanning tree on the host, and which of its edges join rows that cannot be told apart."""
    if min_samples == 1:
        tree = SpanningTree(*(to_numpy(part) for part in spanning_tree(X)))
        return tree, tree.weights == 0
    tree = SpanningTree(*(to_numpy(part) for part in mutual_reachability_tree(X, min_samples)[0]))
    # Equal rows have equal core distances, and ties go to the nearer: the tree joins them by edges between themselves.
    return tree, to_numpy((X[tree.left] == X[tree.right]).all(1)) | (tree.weights == 0)
