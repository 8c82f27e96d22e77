"""LOBPCG: eigenvectors as the best of a space of three blocks, the vectors, corrections to them, and their last moves.

All products of blocks with blocks are gathered in small matrices, whose decomposition on the host says how to combine them.
Vectors that have converged stay in the space but get no more corrections.
"""

from typing import Any, NamedTuple

import numpy as np

from ..arrays import is_tensor, like_input, to_numpy
from ._multilevel import Level, correction, small_eigh, without_null
from .engine import engine_of
from .laplacian import product

__all__ = ["Converged", "lobpcg"]

RESOLVED = 4e-14  # of the norm of the matrix: what float64 can tell from zero
_EASY = 0.25  # eigenvalues above this share of the norm converge without a preconditioner
_DRIFT = 1e-9  # of the norm: more than what combining images can have lost
_INDEPENDENT = 1e-10  # least eigenvalue of the products of unit vectors that are kept


class Converged(NamedTuple):
    """What the iteration found."""

    values: np.ndarray
    vectors: Any
    residuals: np.ndarray
    n_iter: int
    converged: bool


def lobpcg(
    levels: list[Level], at: int, X: Any, wanted: int, tol: float, max_iter: int, *, deflate: bool, together: bool
) -> Converged:
    """Improve a block of vectors until the first ``wanted`` are eigenvectors.

    Parameters
    ----------
    levels : list of Level
        Those after ``at`` serve as preconditioner.
    at : int
        Which level's eigenvectors.
    X : (n, b) float64 array
        Start; any independent vectors.
    wanted : int
    tol : float
        Allowed length of a residual, as a share of the eigenvalue.
    max_iter : int
    deflate : bool
        Whether to keep clear of the components' vectors.
    together : bool
        Whether the tolerance is a share of the largest wanted eigenvalue instead.

    Returns
    -------
    Converged
        The first ``wanted`` of them on the finest level, all on others.
    """
    level = levels[at]
    engine = engine_of(X, "laplacian")
    clear = (lambda block: without_null(level, block)) if deflate else (lambda block: block)
    norm = _norm(level)
    X = clear(X)
    X, SX, theta = _rotated(engine, level, X)
    moves: list[Any] = []
    checked, good, lengths = True, np.zeros(len(theta), bool), np.zeros(len(theta))
    for n_iter in range(max_iter + 1):
        R = X * like_input(-theta, X)
        R += SX
        lengths = np.sqrt(to_numpy(engine.squares(R)))
        size = np.abs(theta[wanted - 1]) if together else np.abs(theta)
        allowed = np.maximum(tol * size, np.full(len(theta), RESOLVED * norm))
        good = lengths <= allowed
        if good[:wanted].all() or n_iter == max_iter:
            if checked or allowed[:wanted].min() > _DRIFT * norm:
                break
            # Images were combined, not computed, since the start: a strict answer is judged by fresh ones.
            X, SX, theta = _rotated(engine, level, X)
            moves, checked = [], True
            continue
        active = np.flatnonzero(~good[: wanted + 1])
        W = _columns(R, active)
        if deflate and theta[wanted - 1] < _EASY * norm and level.down is not None:
            W = correction(levels, at, W)
        elif deflate:
            W *= level.smooth
        W = _beside(engine, X, clear(W))
        X, SX, theta, moves = _best(engine, (X, SX), (W, product(level.operator, W)), moves)
        checked = False
    kept = wanted if at == 0 else len(theta)
    return Converged(
        np.maximum(theta[:kept], 0.0) if deflate else theta[:kept], _columns(X, np.arange(kept)), lengths[:kept], n_iter,
        bool(good[:kept].all()),
    )  # fmt: skip


def _norm(level: Level) -> float:
    """Return a bound of the largest eigenvalue, by the sums of the rows."""
    operator = level.operator
    ones = operator.diagonal[:, None] * 0 + 1.0
    sums = engine_of(ones, "laplacian").rows_times_block(operator.indptr, operator.indices, operator.values, None, ones)
    return max(float((abs(operator.diagonal) + sums[:, 0]).max()), 1e-300)


def _rotated(engine: Any, level: Level, X: Any) -> tuple[Any, Any, np.ndarray]:
    """Return an orthonormal basis of the same space that diagonalises the matrix in it, its image, and the diagonal."""
    X = X / _lengths(engine, X)
    for _ in range(2):
        values, vectors = small_eigh(to_numpy(engine.gram(X, X)))
        X = engine.combine(X, _small(vectors / np.sqrt(np.maximum(values, 1e-14 * values[-1])), X))
    SX = product(level.operator, X)
    theta, vectors = small_eigh(_symmetric(to_numpy(engine.gram(X, SX))))
    turn = _small(vectors, X)
    return engine.combine(X, turn), engine.combine(SX, turn), theta


def _beside(engine: Any, X: Any, W: Any) -> Any:
    """Return unit vectors at right angles to X: those of W without their parts in X."""
    W /= _lengths(engine, W)
    W = engine.combine(X, -engine.gram(X, W), W)
    W /= _lengths(engine, W)
    return W


def _best(engine: Any, now: tuple, new: tuple, moves: list) -> tuple[Any, Any, np.ndarray, list]:
    """Return the vectors of the smallest values in the space of all blocks, their images, values, and the moves to them."""
    blocks, images = [now[0], new[0], *moves[:1]], [now[1], new[1], *moves[1:]]
    # All are computed: what is known of the first would let rounding grow from iteration to iteration.
    G, H = (_mirrored(part) for part in to_numpy(engine.products(blocks, images)))
    weights, vectors = small_eigh(G)
    kept = weights > _INDEPENDENT
    basis = vectors[:, kept] / np.sqrt(weights[kept])
    theta, turn = small_eigh(_symmetric(basis.T @ H @ basis))
    b = now[0].shape[1]
    C = (basis @ turn)[:, :b]
    C = _small(C, now[0])
    (X, moved), (SX, images_moved) = engine.moved(blocks, C), engine.moved(images, C)
    length = _lengths(engine, moved)
    moved /= length
    images_moved /= length
    return X, SX, theta[:b], [moved, images_moved]


def _mirrored(matrix: np.ndarray) -> np.ndarray:
    """Return the symmetric matrix of which what is on and above the diagonal is given."""
    return np.triu(matrix) + np.triu(matrix, 1).T


def _symmetric(matrix: np.ndarray) -> np.ndarray:
    return (matrix + matrix.T) / 2


def _lengths(engine: Any, X: Any) -> Any:
    lengths = engine.squares(X) ** 0.5
    return lengths + (lengths == 0) * 1.0


def _small(matrix: np.ndarray, X: Any) -> Any:
    return like_input(np.ascontiguousarray(matrix), X)


def _columns(X: Any, which: np.ndarray) -> Any:
    return X[:, like_input(which, X)].contiguous() if is_tensor(X) else np.take(X, which, axis=1)
