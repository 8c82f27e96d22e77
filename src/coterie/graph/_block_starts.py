"""Where the search for classes begins: eigenvectors of either sign, degrees, and chance."""

import numpy as np
from scipy.sparse.linalg import ArpackError, ArpackNoConvergence, LinearOperator, eigsh

from ..graphs import to_scipy
from ._block_links import Links

__all__ = ["by_degree", "by_vectors", "directions", "leading_vectors", "with_degrees"]

_DENSE = 64  # nodes up to which the whole matrix is decomposed
_MOST_LOOKS = 8
_LLOYD = 25


def leading_vectors(links: Links, k: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the k values of largest magnitude of the normalised adjacency matrix, and a row of coordinates for each node.

    Large positive values belong to classes that link inside, large negative ones to classes that link to each other. Before
    it is normalised, a little weight is put on every pair of nodes, so that small parts of the graph do not take the lead.
    Of a directed graph the singular vectors of both sides are taken.

    Returns
    -------
    values : (k,) float64 array
        Largest magnitude first.
    coordinates : (n, k) float64 array, or (n, 2k) where directed
    """
    adjacency = to_scipy(links.graph)
    n = adjacency.shape[0]
    out, into = adjacency.sum(axis=1), adjacency.sum(axis=0)
    more = out.mean()
    a, b = 1 / np.sqrt(out + more), 1 / np.sqrt(into + more)
    turned = adjacency.T.tocsr() if links.directed else adjacency

    def forward(x: np.ndarray) -> np.ndarray:
        x = b * x
        return a * (adjacency @ x + more / n * x.sum())

    def backward(x: np.ndarray) -> np.ndarray:
        x = a * x
        return b * (turned @ x + more / n * x.sum())

    def both(x: np.ndarray) -> np.ndarray:
        x = x.ravel()
        return np.concatenate([forward(x[n:]), backward(x[:n])]) if links.directed else forward(x)

    size = 2 * n if links.directed else n
    wanted = min(2 * k if links.directed else k, size - 1)
    values, vectors = _eigenpairs(both, size, wanted, rng)
    order = np.argsort(-np.abs(values), kind="stable")
    if links.directed:  # each singular value stands twice, once with either sign
        order = order[values[order] > 0][:k]
        return values[order], np.hstack([vectors[:n, order], vectors[n:, order]])
    return values[order], vectors[:, order]


def by_vectors(coordinates: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """Return k groups of nodes whose rows are near each other (k-means)."""
    X = coordinates
    centers = _spread_out(X, k, rng)
    labels = np.zeros(len(X), np.int64)
    for turn in range(_LLOYD):
        new = _nearest(X, centers)
        if turn and np.array_equal(new, labels):
            break
        labels = new
        counts = np.bincount(labels, minlength=k)
        sums = np.stack([np.bincount(labels, column, minlength=k) for column in X.T], axis=1)
        centers = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centers)
    return labels


def with_degrees(links: Links, coordinates: np.ndarray) -> np.ndarray:
    """Return coordinates that also tell apart nodes of unlike degrees."""
    return np.hstack([directions(coordinates), *(_standard(score)[:, None] for score in _scores(links))])


def by_degree(links: Links, k: int) -> np.ndarray:
    """Return k groups of nodes of like degrees on a scale of ratios; where directed, by out over in."""
    score = _scores(links)[0]
    ordered = np.sort(score)
    centers = ordered[((np.arange(k) + 0.5) / k * len(score)).astype(int)]
    labels = np.zeros(len(score), np.int64)
    for _ in range(_LLOYD):
        labels = np.searchsorted((centers[1:] + centers[:-1]) / 2, score)
        counts = np.bincount(labels, minlength=k)
        centers = np.where(counts > 0, np.bincount(labels, score, minlength=k) / np.maximum(counts, 1), centers)
    return labels


def _scores(links: Links) -> list[np.ndarray]:
    adjacency = to_scipy(links.graph)
    out, into = np.log1p(adjacency.sum(axis=1)), np.log1p(adjacency.sum(axis=0))
    return [out - into, out + into] if links.directed else [out]


def _standard(score: np.ndarray) -> np.ndarray:
    return (score - score.mean()) / max(float(score.std()), 1e-12)


def directions(coordinates: np.ndarray) -> np.ndarray:
    """Return rows of length 1: busy nodes lie far out, in the direction of their class."""
    length = np.sqrt(np.einsum("nd,nd->n", coordinates, coordinates))
    return coordinates / np.maximum(length, 1e-300)[:, None]


def _eigenpairs(product, size: int, k: int, rng: np.random.Generator):  # type: ignore[no-untyped-def]
    if size <= _DENSE:
        matrix = np.column_stack([product(unit) for unit in np.eye(size)])
        values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
        order = np.argsort(-np.abs(values), kind="stable")[:k]
        return values[order], vectors[:, order]
    operator = LinearOperator((size, size), matvec=product, dtype=np.float64)
    start = rng.standard_normal(size)
    try:
        return eigsh(operator, k, which="LM", v0=start, tol=1e-3, maxiter=300)
    except ArpackNoConvergence as stopped:
        if len(stopped.eigenvalues):
            return stopped.eigenvalues, stopped.eigenvectors
    except ArpackError:
        pass
    return np.ones(1), np.ones((size, 1))


def _spread_out(X: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """Return rows far from each other: each drawn in proportion to its squared distance from those before (k-means++)."""
    chosen = [int(rng.integers(len(X)))]
    gap = _squared(X, X[chosen[0]])
    while len(chosen) < k:
        total = np.cumsum(gap)
        if total[-1] <= 0:
            chosen.append(int(rng.integers(len(X))))
            continue
        picks = np.searchsorted(total, rng.random(3) * total[-1]).clip(max=len(X) - 1)
        gaps = [np.minimum(gap, _squared(X, X[pick])) for pick in picks]
        best = int(np.argmin([part.sum() for part in gaps]))
        chosen.append(int(picks[best]))
        gap = gaps[best]
    return X[chosen]


def _squared(X: np.ndarray, row: np.ndarray) -> np.ndarray:
    apart = X - row
    return np.einsum("nd,nd->n", apart, apart)


def _nearest(X: np.ndarray, centers: np.ndarray) -> np.ndarray:
    # By einsum: the bits of a matrix product may depend on the number of threads.
    half = 0.5 * np.einsum("kd,kd->k", centers, centers)
    labels = np.empty(len(X), np.int64)
    for start in range(0, len(X), 65_536):
        part = slice(start, start + 65_536)
        labels[part] = (np.einsum("nd,kd->nk", X[part], centers) - half).argmax(axis=1)
    return labels
