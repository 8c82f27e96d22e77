"""Coordinates of nodes: attributes smoothed over the links, and links alone. Nothing n x n, nothing of the attributes' size, is dense."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
from scipy.sparse import csr_array, diags_array, eye_array

from ..arrays import Graph
from ..graphs import to_scipy
from ..primitives.regularised import regularised_eigenpairs
from ..primitives.singular_vectors import leading_singular_vectors

__all__ = [
    "adjacency",
    "left_singular",
    "link_coordinates",
    "root_degrees",
    "smoothed_coordinates",
    "smoother",
    "unit_rows",
]

_FIRST_ROUNDS, _ROUNDS = 6, 2


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
    that multiplies by the factors one after the other; an order starts where the one before ended. The way back leaves the smoothing
    out: the block comes to span the right vectors of half the order, close enough to those of the whole, for half of the products.

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
    columns = rows.T.tocsr() if hasattr(rows, "tocsr") else rows.T
    start: np.random.Generator | np.ndarray = rng
    n_rounds = _FIRST_ROUNDS
    for order in orders:
        found = leading_singular_vectors(
            partial(_smoothed, rows, smooth, order), lambda block: columns @ block, rows.shape, width, start, n_rounds
        )
        coordinates = found.left[:, :width] * found.values[:width]
        yield coordinates if mass is None else coordinates / mass[:, None]
        start, n_rounds = found.right, _ROUNDS


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
    if not degree.any():
        return np.zeros((n, 1))
    values, vectors = regularised_eigenpairs(Graph(links.indptr, links.indices, links.data), min(width + 1, n), rng)
    edge = values[-1] if len(values) > width else 0.0
    found = vectors[:, :width] * np.sqrt(np.maximum(values[:width] - edge, 0.0))
    found[degree == 0] = 0.0
    return found


def left_singular(matrix: csr_array, width: int, rng: np.random.Generator) -> np.ndarray:
    """Return the leading left singular vectors of a sparse matrix, times their singular values."""
    columns = matrix.T.tocsr()
    found = leading_singular_vectors(
        lambda block: matrix @ block, lambda block: columns @ block, matrix.shape, width, rng
    )
    return found.left[:, :width] * found.values[:width]


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """Scale rows to length 1; those of next to nothing become 0."""
    length = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    nothing = length <= 1e-12 * max(float(length.max(initial=0.0)), 1e-300)
    return np.where(nothing, 0.0, rows / np.where(nothing, 1.0, length))


def _smoothed(rows: Any, smooth: csr_array, order: int, block: np.ndarray) -> np.ndarray:
    block = rows @ block
    for _ in range(order):
        block = smooth @ block
    return block


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
