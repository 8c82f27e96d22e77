"""Coordinates of nodes: attributes smoothed over the links, and links alone. Nothing n x n, nothing of the attributes' size, is dense."""

from collections.abc import Iterable, Iterator
from inspect import signature
from typing import Any

import numpy as np
from scipy.linalg import eigh
from scipy.sparse import csr_array, diags_array, eye_array
from scipy.sparse.linalg import LinearOperator, eigsh

from ..arrays import Graph
from ..graphs import to_scipy

__all__ = [
    "adjacency",
    "left_singular",
    "link_coordinates",
    "root_degrees",
    "smoothed_coordinates",
    "smoother",
    "unit_rows",
]

_OVERSAMPLED = 10  # columns of the block beyond those asked for (Halko, Martinsson & Tropp 2011)
_FIRST_ROUNDS, _ROUNDS = 6, 2
# Where a graph has many components, the iteration starts anew from random vectors: SciPy before 1.17 draws these from a state
# that it keeps from call to call.
_SEEDED = "rng" in signature(eigsh).parameters
_DENSE = 200  # nodes up to which all eigenvectors are computed


def smoother(links: csr_array) -> csr_array:
    """Return ``(I + D^-1/2 (A + I) D^-1/2) / 2``: each node keeps half, and takes half from itself and its neighbours.

    Parameters
    ----------
    links : (n, n) csr_array
        Symmetric; weights are 1 on average.

    Returns
    -------
    (n, n) csr_array
        A node without links keeps its own.
    """
    n = links.shape[0]
    looped = links + eye_array(n, format="csr")
    scale = diags_array(1 / root_degrees(links))
    return ((scale @ looped @ scale + eye_array(n)) / 2).tocsr()


def root_degrees(links: csr_array) -> np.ndarray:
    """Return the square root of each node's degree, itself counted as a neighbour."""
    return np.sqrt(np.asarray(links.sum(axis=1)).ravel() + 1.0)


def smoothed_coordinates(
    rows: Any,
    smooth: csr_array,
    orders: Iterable[int],
    width: int,
    rng: np.random.Generator,
    mass: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """Smooth the attributes over the links and yield their principal coordinates for each order.

    The left singular vectors of ``smooth^order @ rows``, times their singular values, come from a randomised block iteration
    that multiplies by the factors one after the other; an order starts where the one before ended.

    Parameters
    ----------
    rows : (n, d) csr_array or array
    smooth : (n, n) csr_array
        Symmetric.
    orders : iterable of int
        Ascending.
    width : int
        How many coordinates.
    rng : Generator
    mass : (n,) array, optional
        `root_degrees`: smooth by ``diag(mass)^-1 @ smooth @ diag(mass)``, so that each row becomes the mean of rows around it, as
        numbers need. Without, rows of nodes with many neighbours are longer: fit for directions.

    Yields
    ------
    (n, width) array
        Fewer columns where the attributes have fewer.
    """
    if mass is not None:
        rows = mass[:, None] * rows
    block = rng.standard_normal((rows.shape[1], min(width + _OVERSAMPLED, *rows.shape)))
    columns = rows.T.tocsr() if hasattr(rows, "tocsr") else rows.T
    rounds = _FIRST_ROUNDS
    for order in orders:
        for _ in range(rounds):
            block = np.linalg.qr(columns @ _power(smooth, rows @ block, order))[0]
        images = _power(smooth, rows @ block, order)
        left, values, right = _thin_svd(images)
        found = left[:, :width] * values[:width]
        yield found if mass is None else found / mass[:, None]
        block = block @ right
        rounds = _ROUNDS


def link_coordinates(links: csr_array, width: int, rng: np.random.Generator) -> np.ndarray:
    """Return the regularised spectral embedding of the links: eigenvectors of the normalised adjacency, with added degree.

    Each node gets the mean degree more, spread evenly over all (Amini et al. 2013; Qin & Rohe 2013), so that stray nodes and small
    components don't take the leading vectors. A vector counts by how far its eigenvalue stands above the first that is left out.

    Parameters
    ----------
    links : (n, n) csr_array
    width : int
    rng : Generator

    Returns
    -------
    (n, width) array
        Fewer columns where there are fewer nodes.
    """
    n = links.shape[0]
    degree = np.asarray(links.sum(axis=1)).ravel()
    extra = float(degree.mean())
    if not extra > 0:
        return np.zeros((n, 1))
    scale = 1 / np.sqrt(degree + extra)
    matrix = (diags_array(scale) @ links @ diags_array(scale)).tocsr()
    wanted = min(width + 1, n)
    if n <= max(_DENSE, 2 * wanted + 2):
        values, vectors = eigh(matrix.toarray() + extra / n * np.outer(scale, scale))
    else:
        operator = LinearOperator(
            (n, n), matvec=lambda v: matrix @ v + extra / n * scale * (scale @ v.ravel()), dtype=np.float64
        )
        seeded = {"rng": rng} if _SEEDED else {}
        values, vectors = eigsh(operator, wanted, which="LA", v0=rng.random(n), tol=1e-4, **seeded)
    order = np.argsort(-values, kind="stable")[:wanted]
    values, vectors = values[order], vectors[:, order]
    edge = values[-1] if wanted > width else 0.0
    found = vectors[:, :width] * np.sqrt(np.maximum(values[:width] - edge, 0.0))
    found[degree == 0] = 0.0
    return found


def left_singular(matrix: csr_array, width: int, rng: np.random.Generator) -> np.ndarray:
    """Return the leading left singular vectors of a sparse matrix, times their singular values."""
    block = rng.standard_normal((matrix.shape[1], min(width + _OVERSAMPLED, *matrix.shape)))
    columns = matrix.T.tocsr()
    for _ in range(_FIRST_ROUNDS):
        block = np.linalg.qr(columns @ (matrix @ block))[0]
    left, values, _ = _thin_svd(matrix @ block)
    return left[:, :width] * values[:width]


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """Scale rows to length 1; those of next to nothing become 0."""
    length = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    nothing = length <= 1e-12 * max(float(length.max(initial=0.0)), 1e-300)
    return np.where(nothing, 0.0, rows / np.where(nothing, 1.0, length))


def _power(smooth: csr_array, block: np.ndarray, order: int) -> np.ndarray:
    for _ in range(order):
        block = smooth @ block
    return block


def _thin_svd(images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return left vectors, values and right vectors (as columns) of a tall matrix; signs so that sums are not negative."""
    left, values, right = np.linalg.svd(images, full_matrices=False)
    sign = np.where(left.sum(axis=0) < 0, -1.0, 1.0)
    return left * sign, values, right.T * sign


def adjacency(graph: Graph) -> tuple[csr_array, float]:
    """Return the links without self-loops, of weight 1 on average, and what they were divided by."""
    matrix = to_scipy(graph)
    matrix = csr_array(
        (matrix.data.astype(np.float64), matrix.indices.copy(), matrix.indptr.copy()), shape=matrix.shape
    )
    matrix.data[np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)) == matrix.indices] = 0.0
    matrix.eliminate_zeros()
    if not matrix.nnz:
        return matrix, 1.0
    largest = float(matrix.data.max())
    unit = matrix.data / largest
    mean = float(unit.mean())
    return csr_array((unit / mean, matrix.indices, matrix.indptr), shape=matrix.shape), max(largest * mean, 1e-300)
