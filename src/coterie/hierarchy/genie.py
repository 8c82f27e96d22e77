"""Genie: single linkage that keeps an eye on the sizes of the clusters.

All rows are joined by a *spanning tree*, the shortest set of edges that connects them. Edges are taken from the shortest to
the longest, each merging two clusters, as in single linkage; but whenever the sizes have become too unequal, measured by the
*Gini index* (0: all equal, 1: one has all), the next merge must involve one of the smallest clusters. Single rows far away so
no longer end as clusters of their own, and shapes may still be any. How unequal is too unequal is tried out: of several
thresholds the one whose clusters are the farthest apart and the most even is kept. The tree costs about O(n log n) in few
dimensions, up to O(n^2 d) in many; merging O(n log n); memory O(n d).
"""

import warnings
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..arrays import is_tensor, like_input, to_numpy
from ..base import Clusterer, Interval, StrOptions
from ..errors import InputError
from ..primitives.neighbors import k_nearest
from ..primitives.spanning_tree import SpanningTree, mutual_reachability_tree, spanning_tree
from ..trees.cuts import cut_at_height, cut_into
from ._genie_merge import Merging

__all__ = ["THRESHOLDS", "Genie", "Merged", "best_separated", "genie", "separation"]


THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
"""The Gini thresholds that "auto" tries; above them hardly anything keeps single rows from being clusters."""


_EDGES_A_BLOCK = 65_536


class Merged(NamedTuple):
    """What merging along a spanning tree has given."""

    labels: np.ndarray  # (n,) int64, numbered in order of first appearance
    linkage: np.ndarray  # (n - 1, 4) float64: all merges in SciPy's layout
    gini_threshold: float


def genie(tree: SpanningTree, n_clusters: int, gini_threshold: float, *, together: np.ndarray | None = None) -> Merged:
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
    Merged
        Fewer than ``n_clusters`` if ``together`` leaves fewer. Heights are lengths of edges, in the order of the merges, which
        is not ascending.

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
    >>> genie(tree, 2, 1.0).labels, genie(tree, 2, 0.3).labels
    (array([0, 0, 0, 0, 0, 1]), array([0, 0, 0, 1, 1, 1]))
    """
    left, right, weights = tree
    together = weights == 0 if together is None else together
    order = np.argsort(~together, kind="stable")
    merging = Merging(left[order], right[order], weights[order], int(together.sum()))
    merging.merge_down_to(min(n_clusters, len(weights) + 1 - int(together.sum())), gini_threshold)
    labels = merging.labels()
    merging.merge_down_to(1, gini_threshold)
    return Merged(labels, merging.linkage, float(gini_threshold))


def separation(merged: Merged) -> float:
    """Say how far apart and how even clusters are: the geometric mean of the cut edges times (1 - Gini index of the sizes).

    Parameters
    ----------
    merged : Merged

    Returns
    -------
    float
        The logarithm of it; comparable between partitions of the same tree into as many clusters. Cutting off single far rows
        makes the first factor large and the second one small; cutting through a dense part the reverse.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.hierarchy.genie import genie, separation
    >>> from coterie.primitives.spanning_tree import spanning_tree
    >>> tree = spanning_tree(np.array([[0.0], [1.0], [2.0], [5.0], [6.0], [20.0]]))
    >>> np.exp([separation(genie(tree, 2, threshold)) for threshold in (0.3, 1.0)]).round(2).tolist()
    [3.0, 4.67]
    """
    sizes = np.sort(np.bincount(merged.labels))
    m, n = len(sizes), len(merged.labels)
    if m == 1:
        return 0.0
    # What is left to merge are the edges between the clusters.
    cut = np.maximum(merged.linkage[n - m :, 2], np.finfo(np.float64).tiny)
    gini = ((2 * np.arange(1, m + 1) - m - 1) * sizes).sum() / ((m - 1) * n)
    return float(np.log(cut).mean() + np.log(1.0 - gini))


class Genie(Clusterer):
    """Genie: clusters of any shape, none of them tiny.

    Parameters
    ----------
    n_clusters : int, default=2
        How many clusters, at most the number of rows.
    gini_threshold : float or "auto", default="auto"
        How unequal the sizes of clusters may become before the smallest must merge: 0 evens them out at every step, 1 is single
        linkage; 0.3 is the paper's. "auto" tries 0.1, 0.2, ... 0.7 and keeps the clusters that are the farthest apart and the
        most even, see `coterie.hierarchy.genie.separation`; clusters of fewer than ``min_samples`` rows are avoided first.
    min_samples : int, default=5
        Distances are mutual reachabilities: no row is nearer to another one than its ``min_samples``-th nearest row, itself
        included. Thin places then separate better; no row becomes noise. 1 takes plain distances, as the paper does.
    device : str, default="cpu"
        "cpu", "cuda", "cuda:0", "mps" or "auto": where to find the spanning tree. Tensors are computed on where they are;
        merging is always on the host.

    Attributes
    ----------
    labels_ : (n,) int64 array
        0, 1, ... in order of first appearance in the rows.
    linkage_matrix_ : (n - 1, 4) float64 array
        All merges in SciPy's layout, for ``scipy.cluster.hierarchy.dendrogram`` or ``cut_tree``. The first n - k of them make k
        clusters. Merges are not in the order of their lengths: a height is the least length of this merge and all later ones,
        raised by a last bit where two would be equal, so that the tree can be drawn, and cut by height as well as by k.
    gini_threshold_ : float
        The threshold that was used.
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
    >>> model = Genie(n_clusters=2, gini_threshold=0.3, min_samples=1).fit(X)
    >>> model.labels_
    array([0, 0, 0, 1, 1, 1])
    >>> model.predict([[3.0], [100.0]])
    array([0, 1])
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "gini_threshold": [Interval(Real, 0, 1, closed="both"), StrOptions({"auto"})],
        "min_samples": [Interval(Integral, 1, None, closed="left")],
        "device": [str],
    }
    _state_attributes = ("_rows", "_n_distinct")

    def __init__(
        self, n_clusters: int = 2, *, gini_threshold: float | str = "auto", min_samples: int = 5, device: str = "cpu"
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
        _require_rows(self.n_clusters, n)
        tree, together = _tree_and_twins(X, min(self.min_samples, n))
        thresholds = THRESHOLDS if self.gini_threshold == "auto" else (float(self.gini_threshold),)
        tried = [genie(tree, self.n_clusters, threshold, together=together) for threshold in thresholds]
        merged = best_separated(tried, self.min_samples)
        self.gini_threshold_ = merged.gini_threshold
        self.linkage_matrix_ = merged.linkage
        self.linkage_matrix_[:, 2] = _ascending(merged.linkage[:, 2])
        self.labels_ = like_input(merged.labels, given)
        # A copy, so that a later change of the input does not reach predict.
        self._rows = X.clone() if is_tensor(X) else X.copy()
        self._n_distinct = n - int(together.sum())
        if self.n_clusters > self._n_distinct:
            self._warn(self.n_clusters)
        return self

    def cut(self, n_clusters: int | None = None, *, height: float | None = None) -> np.ndarray:
        """Cut the tree that is there in another place.

        Parameters
        ----------
        n_clusters : int, optional
            Into so many clusters: those of ``Genie(n_clusters, gini_threshold=gini_threshold_)``.
        height : float, optional
            Into the clusters before the first merge that is higher.

        Returns
        -------
        (n,) int64 array
            Labels in order of first appearance in the rows.

        Raises
        ------
        InputError
            If not exactly one of the two is given, or there are fewer rows than clusters.
        """
        if n_clusters is None and height is not None:
            return cut_at_height(self.linkage_matrix_, height)
        if n_clusters is None or height is not None:
            raise InputError("cut needs either n_clusters or height")
        _require_rows(n_clusters, len(self.linkage_matrix_) + 1)
        if n_clusters > self._n_distinct:
            self._warn(n_clusters)
        return cut_into(self.linkage_matrix_, min(n_clusters, self._n_distinct))

    def _warn(self, n_clusters: int) -> None:
        warnings.warn(
            f"there are {self._n_distinct} distinct rows for n_clusters={n_clusters}: each is a cluster; lower n_clusters",
            ConvergenceWarning,
            stacklevel=3,
        )

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


def _require_rows(n_clusters: int, n: int) -> None:
    if n < n_clusters:
        raise InputError(f"n_samples={n} should be >= n_clusters={n_clusters}; lower n_clusters or add rows")


def best_separated(tried: Sequence[Merged], min_size: int) -> Merged:
    """Choose the partition with the fewest clusters below a size, and of these the one of greatest `separation`.

    Parameters
    ----------
    tried : sequence of Merged
        Partitions of the same tree into as many clusters.
    min_size : int
        Fewer rows are hardly a cluster, however far away they are.

    Returns
    -------
    Merged
        The first of equals.
    """
    return max(tried, key=lambda merged: (-int((np.bincount(merged.labels) < min_size).sum()), separation(merged)))


def _ascending(lengths: np.ndarray) -> np.ndarray:
    """Return for each merge the least length from it on, raised by a last bit where two would be equal.

    Strictly ascending, so that whoever cuts by height cuts in the order of the merges.
    """
    least = np.minimum.accumulate(lengths[::-1])[::-1]
    # The bits of floats above zero, read as whole numbers, are in the order of the floats.
    bits, step = least.view(np.int64), np.arange(len(least))
    return (np.maximum.accumulate(bits - step) + step).view(np.float64)


def _tree_and_twins(X: Any, min_samples: int) -> tuple[SpanningTree, np.ndarray]:
    """Return the spanning tree on the host, and which of its edges join rows that cannot be told apart."""
    if min_samples == 1:
        tree = SpanningTree(*(to_numpy(part) for part in spanning_tree(X)))
        return tree, tree.weights == 0
    left, right, weights = (to_numpy(part) for part in mutual_reachability_tree(X, min_samples)[0])
    # Many edges share a core distance as their weight: among these the shorter comes first, not the one of the lower row.
    lengths2, equal = np.empty(len(left)), np.empty(len(left), bool)
    scale = 2.0 ** min(1023, int(np.frexp(float(abs(X).max()))[1]))  # rounds nothing: equal lengths stay equal
    for start in range(0, len(left), _EDGES_A_BLOCK):
        block = slice(start, start + _EDGES_A_BLOCK)
        ends = to_numpy(X[left[block]]), to_numpy(X[right[block]])
        equal[block] = (ends[0] == ends[1]).all(1)
        lengths2[block] = ((ends[0] / scale - ends[1] / scale) ** 2).sum(1)
    order = np.lexsort((right, left, lengths2, weights))
    tree = SpanningTree(left[order], right[order], weights[order])
    # Equal rows have equal core distances, and ties go to the nearer: the tree joins them by edges between themselves.
    return tree, equal[order] | (tree.weights == 0)
