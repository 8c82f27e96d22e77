"""Principal direction divisive partitioning: divide a group at its mean, across the direction in which it varies most.

The direction is the leading eigenvector of the group's scatter matrix. Of dense rows with few features that matrix is formed in one
pass. Else it never is: Lanczos's iteration needs only products of it with vectors, some ten of O(n d) or O(nnz) for a division,
and sparse rows are never centred. Nothing is random.
"""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import scipy.sparse

from ..base import Interval, StrOptions
from ..primitives.divide import divide_step, scatter_matrices, scatter_products
from ..primitives.row_keys import key_weights
from ._dividing import Dividing, Division, Groups

__all__ = ["PDDP", "divide_by_direction", "principal_directions"]

_MOST_MATRIX_FEATURES = 32  # beyond, products are faster
_MOST_VECTORS = 64
_MOST_RESTARTS = 3


def divide_by_direction(state: Any, groups: Groups) -> Division:
    """Divide groups by the sign of the projection on their principal directions.

    Parameters
    ----------
    state : object
        From `coterie.primitives.divide.divide_start`.
    groups : Groups

    Returns
    -------
    Division
        Rows whose projection is above 0 are on the right.
    """
    normals = principal_directions(state, groups)
    offsets = np.einsum("gf,gf->g", normals, groups.means)
    found = divide_step(state, groups.spans, normals, offsets)
    centers = found.sums / np.where(found.weights > 0, found.weights, 1.0)[..., None]
    return Division(normals, offsets, centers, found.weights, found.counts)


def principal_directions(state: Any, groups: Groups, tol: float = 1e-10) -> np.ndarray:
    """Find the leading eigenvector of the scatter matrix of each group.

    Parameters
    ----------
    state : object
    groups : Groups
    tol : float, default=1e-10
        Of sparse rows, or more than 32 features: least length of the residual, relative to the eigenvalue.

    Returns
    -------
    (g, d) float64 array
        Unit vectors whose entry of greatest magnitude is positive, the first of several; zeros where all rows are equal.

    References
    ----------
    Golub, G. H., & Van Loan, C. F. (2013). Matrix computations (4th ed.), chapter 10. Johns Hopkins University Press.
    """
    if scipy.sparse.issparse(state.X) or groups.means.shape[1] > _MOST_MATRIX_FEATURES:
        found = _by_products(state, groups, tol)
    else:
        values, vectors = np.linalg.eigh(scatter_matrices(state, groups.spans, groups.means))
        found = np.where(values[:, -1:] > 0, vectors[:, :, -1], 0.0)
    largest = np.take_along_axis(found, np.abs(found).argmax(axis=1)[:, None], axis=1)
    return np.where(largest < 0, -found, found)


class PDDP(Dividing):
    """Principal direction divisive partitioning: groups divided where they vary most; nothing is random.

    Parameters
    ----------
    n_clusters : int, default=8
        How many groups, at most the number of rows.
    bisecting_strategy : {"biggest_inertia", "largest_cluster"}, default="biggest_inertia"
        Which group to divide next: that of the greatest inertia (Boley's total scatter), or of the most rows.
    device : str, default="cpu"
        "cuda", "cuda:0", "mps" or "auto" move NumPy input to a GPU once; tensors are computed on where they lie.

    Attributes
    ----------
    cluster_centers_ : (n_clusters, d) array
        Mean of each cluster, in the units and dtype of ``X``; fewer where no group can be divided any more.
    labels_ : (n,) int64 array
        Cluster of each row, numbered from left to right in the tree; a tensor where ``X`` was one.
    tree_ : DivisionTree
        Flat arrays ``left``, ``right``, ``label``, ``size``, ``inertia``, one item for each node; ``tree_.linkage()`` gives
        SciPy's layout over the clusters.
    inertia_ : float
        Weighted sum of squared distances of the rows to their cluster's mean.
    n_features_in_ : int
        Number of features seen in ``fit``.
    feature_names_in_ : (d,) array of str
        Their names, where ``X`` had names that are strings.

    See Also
    --------
    BisectingKMeans : Divides where two groups lie, not at the mean: lower inertia, but depends on a seed.

    Notes
    -----
    Cost: O(n d^2) a level of the tree for dense rows of up to 32 features; else some ten to some tens of passes over a group
    for a division, of O(n d) or O(nnz). Memory two copies of dense ``X``, sparse rows stay as they are. `predict` follows a row down the tree: right where its projection on the direction, from the
    group's mean, is above 0, else left; so it repeats ``labels_`` on the rows of the fit. Labels, centers and tree are the
    same bits on any number of threads.

    References
    ----------
    Boley, D. (1998). Principal direction divisive partitioning. Data Mining and Knowledge Discovery, 2, 325-344.
    https://doi.org/10.1023/A:1009740529316

    Examples
    --------
    >>> import numpy as np
    >>> from coterie import PDDP
    >>> X = np.array([[1.0, 1.0], [1.0, 2.0], [9.0, 1.0], [9.0, 2.0], [40.0, 1.0]])
    >>> PDDP(n_clusters=3).fit(X).labels_.tolist()
    [0, 0, 1, 1, 2]
    """

    _parameter_constraints: ClassVar = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "bisecting_strategy": [StrOptions({"biggest_inertia", "largest_cluster"})],
        "device": [str],
    }

    def __init__(self, n_clusters=8, *, bisecting_strategy="biggest_inertia", device="cpu"):
        self.n_clusters = n_clusters
        self.bisecting_strategy = bisecting_strategy
        self.device = device

    def _divide(self, state, variance):
        return lambda groups: divide_by_direction(state, groups)


def _by_products(state, groups, tol):
    """Find the leading eigenvectors from products with the scatter matrices alone."""
    g, d = groups.means.shape
    searches = [_Lanczos(d, tol) for _ in range(g)]
    active = np.arange(g)
    while len(active):
        vectors = np.array([searches[j].vectors[-1] for j in active])
        products = scatter_products(state, groups.spans[active], groups.means[active], vectors)
        settled = np.array([searches[j].add(product) for j, product in zip(active, products, strict=True)])
        active = active[~settled]
    return np.array([search.best for search in searches])


class _Lanczos:
    """The search for the leading eigenvector of one positive matrix, of which it is handed one product at a time."""

    def __init__(self, d, tol):
        self.tol = tol
        self.restarts = 0
        self.best = np.zeros(d)
        # A direction without symmetries: hardly an eigenvector is at right angles to it.
        self._begin(key_weights(d))

    def _begin(self, vector):
        self.vectors = [vector / np.sqrt(vector @ vector)]
        self.diagonal: list[float] = []
        self.beside: list[float] = []

    def add(self, product):
        """Take the product of the matrix with the last vector; say whether the search has ended."""
        basis = np.array(self.vectors)
        self.diagonal.append(float(product @ basis[-1]))
        rest = product
        for _ in range(2):
            # Twice is enough to stay at right angles to all vectors so far.
            rest = rest - (basis @ rest) @ basis
        length = float(np.sqrt(rest @ rest))
        values, vectors = np.linalg.eigh(
            np.diag(self.diagonal) + np.diag(self.beside, 1) + np.diag(self.beside, -1)
        )  # fmt: skip
        value, combination = values[-1], vectors[:, -1]
        if not value > 0:
            return True
        self.best = combination @ basis
        m, d = basis.shape
        if length * abs(combination[-1]) <= self.tol * value or length <= 1e-14 * value or m == d:
            return True
        if m < _MOST_VECTORS:
            self.beside.append(length)
            self.vectors.append(rest / length)
            return False
        self.restarts += 1
        self._begin(self.best)
        return self.restarts > _MOST_RESTARTS
