"""Rows laid out by who is near whom (UMAP): neighbours pull each other together, rows drawn at random push each other apart.

Each row is joined to its nearest rows by memberships between 0 and 1 that fall with the distance beyond the nearest one, at a
width of the row's own. Both directions are united as fuzzy sets. The layout minimises the cross entropy between these links and
the ones that the places themselves would have, a curve of their distance. Unlike the usual implementation, an epoch moves all
rows at once, from the places of the epoch before, and its draws are numbered: the same bits on any number of threads.
"""

from functools import cache
from typing import Any

import numpy as np
import scipy.sparse

from ..arrays import Graph, like_input, to_numpy
from ..errors import InputError, ResourceError
from .eigenvectors import smallest_eigenpairs
from .engine import engine_of
from .memory import free_bytes
from .neighbors import k_nearest

__all__ = ["closeness_curve", "fuzzy_neighbors", "layout", "memberships", "neighbor_embedding", "placed_among"]

_FEW_ROWS = 10_000  # up to here more epochs: they are cheap
_FIRST_WIDTH = 10.0  # of the first places, as in the paper's implementation
_JITTER = 1e-4  # rows that begin in one place could not be set apart
_LEAST_SHARE, _TOLERANCE = 1e-3, 1e-5


def neighbor_embedding(
    X: Any,
    n_components: int = 2,
    *,
    n_neighbors: int = 15,
    min_dist: float = 0.1,
    n_epochs: int | None = None,
    n_negatives: int = 5,
    start: str = "spectral",
    seed: int = 0,
) -> Any:
    """Lay rows out in few dimensions, so that each stays near its nearest rows.

    Parameters
    ----------
    X : (n, d) float array
        Any engine, finite.
    n_components : int
        Dimensions of the layout, at least 1.
    n_neighbors : int
        Nearest rows that a row is joined to, itself included; at least 2. With fewer rows, all of them.
    min_dist : float
        Distance, at a spread of 1, up to which places count as close: 0 packs clusters tightly.
    n_epochs : int or None
        None takes 500 up to 10,000 rows, else 200.
    n_negatives : int
        Rows drawn for each link to push a row away.
    start : {"spectral", "pca"}
        The first places: eigenvectors of the graph's normalised Laplacian, or principal components.
    seed : int
        Of the draws.

    Returns
    -------
    (n, n_components) float array
        In the dtype of ``X``.

    Raises
    ------
    InputError
        If a parameter is outside its range.
    ResourceError
        If the graph would not fit into memory.

    Notes
    -----
    Time: that of `k_nearest`, then O(n n_neighbors n_negatives n_components) an epoch at most. Memory: some 100 bytes for
    each row and neighbour.

    References
    ----------
    McInnes, L., Healy, J., & Melville, J. (2018). UMAP: Uniform manifold approximation and projection for dimension
    reduction. https://doi.org/10.48550/arXiv.1802.03426

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.neighbor_embedding import neighbor_embedding
    >>> X = np.random.default_rng(0).normal(size=(60, 5))
    >>> X[30:] += 20
    >>> places = neighbor_embedding(X, 2, n_neighbors=10)
    >>> bool(np.ptp(places[:30], axis=0).max() < np.linalg.norm(places[:30].mean(0) - places[30:].mean(0)))
    True
    """
    if n_components < 1 or n_neighbors < 2:
        raise InputError(
            f"n_components must be at least 1 and n_neighbors at least 2, got {n_components} and {n_neighbors}"
        )
    if start not in ("spectral", "pca"):
        raise InputError(f"start must be 'spectral' or 'pca', got {start!r}")
    n = len(X)
    if n < 2:
        return like_input(np.zeros((n, n_components), to_numpy(X[:0]).dtype), X)
    graph = fuzzy_neighbors(X, min(n_neighbors, n))
    epochs = n_epochs if n_epochs is not None else 500 if n <= _FEW_ROWS else 200
    first = _first_places(X, graph, n_components, start, seed)
    return layout(graph, first, epochs, min_dist=min_dist, n_negatives=n_negatives, seed=seed)


def fuzzy_neighbors(X: Any, n_neighbors: int) -> Graph:
    """Return the links between rows and their nearest rows, united as fuzzy sets.

    Parameters
    ----------
    X : (n, d) float array
        Any engine, finite.
    n_neighbors : int
        Nearest rows of each, itself included, 2 ... n.

    Returns
    -------
    Graph
        Undirected, without loops; weights ``u + v - u v`` of the memberships u, v of both directions, float64.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.neighbor_embedding import fuzzy_neighbors
    >>> fuzzy_neighbors(np.array([[0.0], [1.0], [3.0]]), 2).weights.tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    n = len(X)
    needed, free = 100.0 * n * n_neighbors, free_bytes()
    if needed > free:
        raise ResourceError(
            f"the links of {n} rows to {n_neighbors} neighbours need {needed / 2**30:.1f} GiB, but {free / 2**30:.1f} GiB"
            " are free; lower n_neighbors or take a sample of the rows"
        )
    distances, indices = k_nearest(X, n_neighbors)
    weights = to_numpy(memberships(distances)).astype(np.float64)
    ends = np.arange(0, n * n_neighbors + 1, n_neighbors)
    one_way = scipy.sparse.csr_array((weights.ravel(), to_numpy(indices).ravel(), ends), shape=(n, n))
    other_way = one_way.T.tocsr()
    both = (one_way + other_way - one_way * other_way).tocsr()
    both.eliminate_zeros()
    both.sort_indices()
    graph = Graph(both.indptr.astype(np.int64), both.indices.astype(np.int64), both.data)
    return Graph(*(like_input(part, X) for part in graph))


def memberships(distances: Any) -> Any:
    """Return how much each neighbour belongs to a row: ``exp(-(distance - nearest) / width)``, their sum log2(k).

    Parameters
    ----------
    distances : (n, k) float array
        Ascending, the row itself first, as `k_nearest` gives them.

    Returns
    -------
    (n, k) float array
        0 for the row itself, 1 for its nearest other row. The width is found by halving; it does not fall below a thousandth
        of the mean distance.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.neighbor_embedding import memberships
    >>> memberships(np.array([[0.0, 1.0, 2.0, 3.0]])).round(3).tolist()
    [[0.0, 1.0, 0.618, 0.382]]
    """
    return engine_of(distances, "neighbor_embedding").memberships(distances, _LEAST_SHARE, _TOLERANCE)


def layout(
    graph: Graph, start: Any, n_epochs: int, *, min_dist: float = 0.1, n_negatives: int = 5, seed: int = 0
) -> Any:
    """Move the nodes of a graph until linked ones are close and others are not.

    Parameters
    ----------
    graph : Graph
        Undirected: both directions are stored. Weights at least 0.
    start : (n, q) float array
        First places, of the engine of the graph.
    n_epochs : int
        The step falls from 1 to 0 over them.
    min_dist : float
        See `neighbor_embedding`.
    n_negatives : int
        Draws for each link that counts in an epoch. A link of half the greatest weight counts in every second one.
    seed : int

    Returns
    -------
    (n, q) float array
        In the dtype of ``start``.

    Notes
    -----
    In each epoch, row i moves by the step times the sum, over its links that count, of twice the pull of the other end (once as
    the head and once as the tail of the link) and the pushes of the rows that were drawn. Each coordinate of each force is
    held between -4 and 4.
    """
    weights = to_numpy(graph.weights)
    shares = weights / max(float(weights.max(initial=0.0)), np.finfo(np.float64).tiny)
    phases = _phases(to_numpy(graph.indptr), to_numpy(graph.indices), seed)
    keys = _mixed(np.arange(n_epochs, dtype=np.uint64) + _mixed(np.array([seed % 2**32 + 1], np.uint64)))
    prepared = Graph(graph.indptr, graph.indices, like_input(shares, graph.indptr))
    engine = engine_of(start, "neighbor_embedding")
    return engine.layout(
        prepared, like_input(phases, graph.indptr), start, keys, closeness_curve(float(min_dist)), int(n_negatives)
    )


def placed_among(distances: Any, indices: Any, places: Any) -> Any:
    """Return places for new rows: the means of those of their neighbours, by the inverse squares of the distances.

    Parameters
    ----------
    distances, indices : (m, k) float array, (m, k) int64 array
        The nearest rows of the fit, ascending, as `k_nearest` gives them.
    places : (n, q) float array
        Of the rows of the fit.

    Returns
    -------
    (m, q) float array
        A row that equals one of the fit has its place exactly, of several the lowest's; one that nearly does lies next to it.

    References
    ----------
    Shepard, D. (1968). A two-dimensional interpolation function for irregularly-spaced data. ACM National Conference, 517-524.
    https://doi.org/10.1145/800186.810616

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.neighbor_embedding import placed_among
    >>> places = np.array([[0.0], [10.0]])
    >>> placed_among(np.array([[0.0, 1.0], [1.0, 2.0]]), np.array([[0, 1], [0, 1]]), places).tolist()
    [[0.0], [2.0]]
    """
    nearest = distances[:, :1]
    same = nearest[:, 0] == 0
    scaled = nearest / (distances + (distances == 0))  # at most 1: no square leaves the range of the dtype
    weights = scaled * scaled
    weights = weights / (weights.sum(1)[:, None] + same[:, None])
    found = (weights[:, :, None] * places[indices]).sum(1)
    found[same] = places[indices[same, 0]]
    return found


@cache
def closeness_curve(min_dist: float) -> tuple[float, float]:
    """Return a and b of the curve ``1 / (1 + a d^2b)`` nearest to 1 up to ``min_dist`` and ``exp(min_dist - d)`` beyond.

    Parameters
    ----------
    min_dist : float

    Returns
    -------
    a, b : float

    Examples
    --------
    >>> from coterie.primitives.neighbor_embedding import closeness_curve
    >>> [round(value, 2) for value in closeness_curve(0.1)]
    [1.58, 0.9]
    """
    from scipy.optimize import curve_fit

    d = np.linspace(0, 3, 300)
    wanted = np.where(d < min_dist, 1.0, np.exp(min_dist - d))
    (a, b), _ = curve_fit(lambda d, a, b: 1 / (1 + a * d ** (2 * b)), d, wanted)
    return float(a), float(b)


def _first_places(X: Any, graph: Graph, q: int, start: str, seed: int) -> Any:
    """Return the first places, with a little noise, of the engine and dtype of ``X``."""
    if start == "pca":
        first = _principal(to_numpy(X), q)
    else:
        first = _spectral(graph, q)
    width = float(np.abs(first).max(initial=0.0))
    first *= _FIRST_WIDTH / width if width > np.finfo(np.float32).tiny else 0.0  # equal rows have no axes
    first += np.random.default_rng(seed).normal(scale=_JITTER, size=first.shape)
    return like_input(first.astype(to_numpy(X[:0]).dtype), X)


def _principal(X: np.ndarray, q: int) -> np.ndarray:
    """Return the first q principal components; those that there are not are 0."""
    first = np.zeros((len(X), q))
    centered = X - X.mean(axis=0, dtype=np.float64)
    centered /= max(float(np.abs(centered).max(initial=0.0)), np.finfo(np.float64).tiny)
    axes = np.linalg.eigh(centered.T @ centered)[1][:, ::-1][:, :q]
    axes *= np.sign(np.take_along_axis(axes, np.abs(axes).argmax(0)[None], 0))
    first[:, : axes.shape[1]] = centered @ axes
    return first


def _spectral(graph: Graph, q: int) -> np.ndarray:
    """Return the eigenvectors after the first; those that there are not are 0."""
    first = np.zeros((graph.n_nodes, q))
    wanted = min(q + 1, graph.n_nodes)
    vectors = to_numpy(smallest_eigenpairs(graph, wanted, tol=1e-2, together=True).vectors)[:, 1:]
    first[:, : vectors.shape[1]] = vectors
    return first


def _phases(indptr: np.ndarray, indices: np.ndarray, seed: int) -> np.ndarray:
    """Return a number between 0 and 1 for each link, the same for both directions: when in a cycle it counts."""
    rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    low, high = np.minimum(rows, indices).astype(np.uint64), np.maximum(rows, indices).astype(np.uint64)
    mixed = _mixed(_mixed(low + _mixed(np.array([seed % 2**32], np.uint64))) + high)
    return (mixed >> np.uint64(11)) * 2.0**-53


def _mixed(x: np.ndarray) -> np.ndarray:
    """Return 64 well mixed bits for each number (SplitMix64)."""
    x = x * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
