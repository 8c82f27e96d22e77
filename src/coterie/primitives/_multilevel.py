"""A Laplacian on coarser and coarser groups of nodes: where eigenvectors start, and how slow errors are removed.

Groups of up to `GROUP` strongly linked nodes become the nodes of the next level; their masses and links are added. Vectors that
are constant on the groups (times the root of the mass) have the same products on both levels, so the coarse problem is the fine
one restricted to them.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Graph, like_input
from .engine import engine_of
from .laplacian import Operator, narrowed, operator_of, placed, product, residual, row_sums

__all__ = ["Level", "correction", "levels_of", "prolonged", "small_eigh"]

GROUP = 6
_SHRINK = 0.7  # a level that keeps more of the nodes than this is not worth its work
_FEWER = 0.45  # a next level with less than this share of the links is visited twice
_DAMPING = 2 / 3  # of Jacobi's iteration: the spectrum of D^-1 L ends at 2


class Level(NamedTuple):
    """One level, and how it hangs together with the next coarser one."""

    operator: Operator
    null: Operator  # rows: the components; values: the unit vector of each on its nodes
    component: Any  # (n,) int64
    root: Any  # (n,) float64: the entry of the node in the unit vector of its component
    smooth: Any  # (n, 1) float64: damping over the diagonal
    norm: float  # bound of the largest eigenvalue, by the sums of the rows
    parent: Any = None  # (n,) int64: group on the next level; 0 where there is none
    share: Any = None  # (n, 1) float64: root of the mass over that of the group; 0 where there is no group
    down: Any = None  # Operator, rows: the groups
    inverse: Any = None  # (n, n) float64 on the coarsest level


def levels_of(host: Graph, parts: Any, component: np.ndarray, kind: str, coarsest: int, like: Any) -> list[Level]:
    """Build the levels, finest first.

    Parameters
    ----------
    host : Graph
        NumPy arrays, weights as `coterie.primitives.laplacian.scaled_weights` gives them.
    parts : tuple of (n,) float64 arrays
        Loops, degrees, masses.
    component : (n,) int64 array
        Component of each node.
    kind : str
        See `coterie.primitives.laplacian`.
    coarsest : int
        Nodes at which to stop.
    like : array
        Its engine gets the levels.
    """
    levels: list[Level] = []
    loops, degrees, mass = parts
    graph = narrowed(host)
    while True:
        # The weights of a coarse level are needed no more once the next is made: its operator is written over them.
        operator = None if levels else operator_of(graph, graph.weights, loops, degrees, mass, kind)
        is_small = len(mass) <= coarsest
        parent, coarse, inside = (loops, graph, loops[:0]) if is_small else _contracted(graph, mass, operator)
        operator = operator or operator_of(graph, graph.weights, loops, degrees, mass, kind, graph.weights)
        level = _level(operator, component, mass)
        if not 0 < len(inside) <= _SHRINK * len(mass):
            levels.append(level._replace(inverse=_inverse(level.operator)) if is_small else level)
            break
        grouped = np.flatnonzero(parent >= 0)
        groups = parent[grouped]
        loops = inside + (np.bincount(groups, loops[grouped]) if levels else 0.0)
        levels.append(_with_groups(level, parent, mass, len(inside)))
        degrees, mass = np.bincount(groups, degrees[grouped]), np.bincount(groups, mass[grouped])
        named = np.zeros(len(inside), np.int64)
        named[groups] = component[grouped]
        graph, component = coarse, named
    return [_placed(level, like) for level in levels]


def _contracted(
    graph: Graph, mass: np.ndarray, operator: Operator | None = None
) -> tuple[np.ndarray, Graph, np.ndarray]:
    """Return the group of each node, the graph of the groups, and the weight inside each; groups without links are left out."""
    engine = engine_of(graph.indptr, "aggregates")
    if operator is None:
        parent, n_groups = engine.aggregate(*graph, 1 / np.sqrt(mass), GROUP)
    else:
        parent, n_groups = engine.aggregate(*operator[:3], np.zeros(0), GROUP)
    starts, indices, weights, inside = engine.contract(*graph, parent, n_groups)
    linked = np.diff(starts) > 0
    if linked.all():
        return parent, Graph(starts, indices, weights), inside
    number = np.where(linked, np.cumsum(linked) - 1, -1)
    parent = np.where(parent >= 0, number[parent], -1)
    starts = np.concatenate([[0], starts[1:][linked]])
    return parent, Graph(starts, number[indices].astype(indices.dtype), weights), inside[linked]


def _with_groups(level: Level, parent: np.ndarray, mass: np.ndarray, n_groups: int) -> Level:
    """Return the level with its way down: unit vectors on the groups."""
    grouped = np.flatnonzero(parent >= 0)
    groups = parent[grouped]
    share = np.zeros(len(mass))
    share[grouped] = np.sqrt(mass[grouped] / np.bincount(groups, mass[grouped], n_groups)[groups])
    order = grouped[np.argsort(groups, kind="stable")]
    starts = np.concatenate([[0], np.cumsum(np.bincount(groups, minlength=n_groups))])
    down = _rows(starts, order, share[order], len(mass))
    return level._replace(parent=np.maximum(parent, 0), share=share[:, None], down=down)


def _level(operator: Operator, component: np.ndarray, mass: np.ndarray) -> Level:
    n_components = int(component.max()) + 1
    whole = np.bincount(component, mass, n_components)
    root = np.sqrt(mass / np.where(whole > 0, whole, 1.0)[component])
    order = np.argsort(component, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(component, minlength=n_components))])
    diagonal = np.abs(operator.diagonal)[:, None]
    smooth = np.divide(_DAMPING, diagonal, out=np.zeros_like(diagonal), where=diagonal > 0)
    norm = max(float((np.abs(operator.diagonal) + row_sums(operator.indptr, operator.values)).max()), 1e-300)
    return Level(operator, _rows(starts, order, root[order], len(mass)), component, root, smooth, norm)


def _rows(starts: np.ndarray, order: np.ndarray, values: np.ndarray, n: int) -> Operator:
    return Operator(starts, order.astype(np.int32 if n < 2**31 else np.int64), values, None, None, 1.0)


def _placed(part: Any, like: Any) -> Any:
    if isinstance(part, Level):
        return Level(*(_placed(value, like) for value in part))
    if isinstance(part, Operator):
        return placed(part, like)
    return like_input(part, like) if isinstance(part, np.ndarray) else part


def _inverse(operator: Operator) -> np.ndarray:
    """Return the pseudo-inverse of a small level."""
    values, vectors = small_eigh(dense(operator))
    kept = values > 1e-12 * max(values[-1], 0.0)
    return (vectors[:, kept] / values[kept]) @ vectors[:, kept].T


def dense(operator: Operator) -> np.ndarray:
    """Return the whole matrix of a small operator of host arrays."""
    n = len(operator.indptr) - 1
    matrix = np.diag(operator.diagonal)
    rows = np.repeat(np.arange(n), np.diff(operator.indptr))
    matrix[rows, operator.indices] -= operator.values
    if operator.rank_one is not None:
        matrix += np.outer(operator.rank_one, operator.rank_one)
    return (matrix + matrix.T) / 2


def small_eigh(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return all eigenvalues, ascending, and eigenvectors of a symmetric matrix, the same bits on any number of threads."""
    with _threads_of_blas().limit(limits=1, user_api="blas"):
        return np.linalg.eigh(matrix)


@cache
def _threads_of_blas() -> Any:
    # Threads share so small a matrix at a loss: on a busy machine they wait for each other a hundred times as long.
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def without_null(level: Level, X: Any) -> Any:
    """Take the components' unit vectors out of a block, in place: new memory costs as much as the sums."""
    null = level.null
    found = engine_of(X, "laplacian").rows_times_block(null.indptr, null.indices, null.values, None, X)
    if len(found) == 1:
        return engine_of(X, "laplacian").combine(level.root[:, None], -found, X)
    part = found[level.component]
    part *= level.root[:, None]
    X -= part
    return X


def prolonged(level: Level, X: Any) -> Any:
    """Return the vectors of the next coarser level on this one."""
    return engine_of(X, "laplacian").spread(X, level.share, level.parent)


def correction(levels: list[Level], at: int, R: Any) -> Any:
    """Approximate the solutions of ``S X = R`` by one cycle over the levels from ``at`` on.

    Parameters
    ----------
    levels : list of Level
    at : int
    R : (n, b) float64 array
        Without parts in the null space.

    Returns
    -------
    (n, b) float64 array
    """
    level, engine = levels[at], engine_of(R, "laplacian")
    if level.inverse is not None:
        return engine.combine(level.inverse, R)
    X = engine.spread(R, level.smooth)
    if level.down is None:
        return X
    down = level.down
    rest = residual(level.operator, X, R)
    coarse = engine.rows_times_block(down.indptr, down.indices, down.values, None, rest)
    X = engine.spread(_two_steps(levels, at + 1, coarse), level.share, level.parent, X)
    return engine.spread(residual(level.operator, X, R), level.smooth, None, X)


def _two_steps(levels: list[Level], at: int, R: Any) -> Any:
    """Take two steps of conjugate gradients with the next cycle as preconditioner: Notay's K-cycle, column by column."""
    first = correction(levels, at, R)
    level = levels[at]
    if level.inverse is not None or level.down is None or not _is_cheap(levels, at):
        return first
    image = product(level.operator, first)
    weight, gain = (first * image).sum(0), (first * R).sum(0)
    step = _ratio(gain, weight)
    rest = image * -step
    rest += R
    second = correction(levels, at, rest)
    again = product(level.operator, second)
    mixed, own, more = (second * image).sum(0), (second * again).sum(0), (second * rest).sum(0)
    own = own - mixed * _ratio(mixed, weight)
    move = _ratio(more, own)
    first *= step - _ratio(mixed, weight) * move
    second *= move
    first += second
    return first


def _is_cheap(levels: list[Level], at: int) -> bool:
    return len(levels[at].operator.indices) <= _FEWER * len(levels[at - 1].operator.indices)


def _ratio(above: Any, below: Any) -> Any:
    """Divide, 0 where the divisor is not positive."""
    good = below > 0
    return above * good / (below + ~good)
