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
_GAP = 0.1  # so do those that are followed by a gap of this share of the norm: a cycle costs as much as six products
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
) -> tuple[Converged, bool]:
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
    bool
        Whether there was a cycle over the coarser levels.
    """
    level = levels[at]
    engine = engine_of(X, "laplacian")
    clear = (lambda block: without_null(level, block)) if deflate else (lambda block: block)
    norm = level.norm
    X = clear(X)
    X, SX, theta = _rotated(engine, level, X)
    moves: list[Any] = []
    checked, cycles, good, lengths = True, False, np.zeros(len(theta), bool), np.zeros(len(theta))
    for n_iter in range(max_iter + 1):
        lengths = np.sqrt(to_numpy(engine.rest(X, SX, like_input(theta, X))))
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
        W = engine.rest(X, SX, like_input(theta, X), like_input(active, X))
        if deflate and level.down is not None and _is_slow(theta, wanted, norm):
            W, cycles = correction(levels, at, W), True
        elif deflate:
            W *= level.smooth
        W = _beside(engine, X, clear(W))
        X, SX, theta, moves = _best(engine, (X, SX), (W, product(level.operator, W)), moves)
        del W  # before the next takes as much memory
        checked = False
    kept = wanted if at == 0 else len(theta)
    found = Converged(
        np.maximum(theta[:kept], 0.0) if deflate else theta[:kept], _columns(X, np.arange(kept)), lengths[:kept], n_iter,
        bool(good[:kept].all()),
    )  # fmt: skip
    return found, cycles


def _is_slow(theta: np.ndarray, wanted: int, norm: float) -> bool:
    """Say whether the iteration needs a preconditioner: the wanted values are small, and others follow closely."""
    return bool(
        theta[wanted - 1] < _EASY * norm and theta[min(wanted, len(theta) - 1)] - theta[wanted - 1] < _GAP * norm
    )


def _rotated(engine: Any, level: Level, X: Any) -> tuple[Any, Any, np.ndarray]:
    """Return an orthonormal basis of the same space that diagonalises the matrix in it, its image, and the diagonal."""
    X /= _lengths(engine, X)
    for _ in range(2):
        values, vectors = small_eigh(to_numpy(engine.gram(X, X)))
        X = engine.turned(X, _small(vectors / np.sqrt(np.maximum(values, 1e-14 * values[-1])), X))
    SX = product(level.operator, X)
    theta, vectors = small_eigh(_symmetric(to_numpy(engine.gram(X, SX))))
    turn = _small(vectors, X)
    return engine.turned(X, turn), engine.turned(SX, turn), theta


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
    # Moves get unit length, which follows from the products of what they are made of.
    length2 = np.einsum("ij,ij->j", C[b:], G[b:, b:] @ C[b:])
    scale = _small(1 / np.sqrt(np.where(length2 > 0, length2, 1.0)), now[0])
    C = _small(C, now[0])
    (X, moves), (SX, images_of_moves) = engine.moved(blocks, C, scale), engine.moved(images, C, scale)
    return X, SX, theta[:b], [moves, images_of_moves]


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
