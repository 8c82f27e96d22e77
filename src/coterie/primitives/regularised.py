"""The leading eigenvectors of a graph's normalised adjacency with added degree, for graphs with hubs, stray nodes and crumbs.

Every node gets the same extra degree, spread evenly over all nodes: A + t/n 1 1^T in place of A, with degrees d + t. Without it the
leading vectors of a sparse graph stand on small components and nodes that hang by a thread (Qin & Rohe 2013). The dense part has
rank one and is never formed.
"""

from inspect import signature
from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh
from scipy.sparse import diags_array
from scipy.sparse.linalg import LinearOperator, eigsh

from ..arrays import Graph
from ..errors import InputError
from ..graphs import to_scipy
from .laplacian import row_sums

__all__ = ["LeadingEigenpairs", "regularised_eigenpairs"]

# Where a graph has many components, the iteration starts anew from random vectors: SciPy before 1.17 draws these from a state
# that it keeps from call to call.
_SEEDED = "rng" in signature(eigsh).parameters
_DENSE = 200  # nodes up to which all eigenvectors are computed


class LeadingEigenpairs(NamedTuple):
    """Eigenvalues, descending, and their orthonormal vectors."""

    values: np.ndarray  # (k,) float64, at most 1
    vectors: np.ndarray  # (n, k) float64


def regularised_eigenpairs(
    graph: Graph, k: int, rng: np.random.Generator, *, extra: float | None = None, tol: float = 1e-4
) -> LeadingEigenpairs:
    """Find the largest eigenvalues of D_t^-1/2 (A + t/n 1 1^T) D_t^-1/2, D_t the degrees plus t, and their vectors.

    Parameters
    ----------
    graph : Graph
        Host arrays, undirected: both directions are stored; weights not negative.
    k : int
        How many, 1 ... n.
    rng : Generator
        Of the vector that the iteration starts from.
    extra : float, optional
        t, greater than 0; by default the mean degree.
    tol : float
        Relative error of an eigenvalue.

    Returns
    -------
    LeadingEigenpairs
        The largest value is 1, and its vector proportional to the roots of the degrees plus t. Signs are as they come.

    Raises
    ------
    InputError
        If k is not between 1 and n, or there is nothing to add: ``extra`` is 0, or no node has a link.

    Notes
    -----
    Lanczos iterations of one product with the graph each; memory O(links + 2 k n). Up to 200 nodes the whole matrix is decomposed.

    References
    ----------
    Qin, T., & Rohe, K. (2013). Regularized spectral clustering under the degree-corrected stochastic blockmodel. NIPS 26.
    Amini, A. A., Chen, A., Bickel, P. J., & Levina, E. (2013). Pseudo-likelihood methods for community detection in large sparse
    networks. Annals of Statistics 41(4), 2097-2122. doi:10.1214/13-AOS1138

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.graphs import from_edges
    >>> from coterie.primitives.regularised import regularised_eigenpairs
    >>> regularised_eigenpairs(from_edges([[0, 1], [2, 3]]), 2, np.random.default_rng(0)).values.round(6)
    array([1. , 0.5])
    """
    n = graph.n_nodes
    if not 1 <= k <= n:
        raise InputError(f"k must be between 1 and the number of nodes, got k={k} with {n} nodes")
    degree = row_sums(graph.indptr, graph.weights.astype(np.float64, copy=False))
    added = float(degree.mean()) if extra is None else float(extra)
    if not added > 0:
        raise InputError(f"the added degree must be greater than 0, got {added:g}; give extra, or a graph with links")
    scale = 1 / np.sqrt(degree + added)
    matrix = (diags_array(scale) @ to_scipy(graph) @ diags_array(scale)).tocsr()
    if n <= max(_DENSE, 2 * k + 2):
        values, vectors = eigh(matrix.toarray() + added / n * np.outer(scale, scale))
    else:
        operator = LinearOperator(
            (n, n), matvec=lambda v: matrix @ v + added / n * scale * (scale @ v.ravel()), dtype=np.float64
        )
        seeded = {"rng": rng} if _SEEDED else {}
        values, vectors = eigsh(operator, k, which="LA", v0=rng.random(n), tol=tol, **seeded)
    order = np.argsort(-values, kind="stable")[:k]
    return LeadingEigenpairs(values[order], vectors[:, order])
