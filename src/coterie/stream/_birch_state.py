"""The mergeable state of BIRCH: a tree of cluster features, and the row it measures from."""

import functools
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse

from ..arrays import to_numpy
from ..primitives.cluster_features import CFTree
from ._birch_blocks import BlockGroups, trees_of_blocks
from ._nearest import blocks

__all__ = ["BirchState", "Subclusters", "absorb", "dense_rows", "finalize", "merge", "of_blocks", "partial"]

_ORDINARY = 300  # exponents of two whose squares are floats
_FARTHEST = np.finfo(np.float64).max / 4


class Subclusters(NamedTuple):
    """Groups of rows, in the units of the data."""

    weights: np.ndarray  # (m,) float64
    centers: np.ndarray  # (m, d) float64
    radii: np.ndarray  # (m,) float64: root of the mean squared deviation from the center
    firsts: np.ndarray  # (m,) int64: number of the first row of each


class BirchState:
    """A CF-tree and the row it measures from: the first one, so that it does not matter where the data lie.

    Parameters
    ----------
    origin : (d,) float64 array
    threshold : float
    branching_factor : int
    max_subclusters : int
    """

    def __init__(self, origin: np.ndarray, threshold: float, branching_factor: int, max_subclusters: int) -> None:
        self.unit = _unit(threshold)
        self.origin = self.measured(origin)
        self.tree = CFTree(len(origin), threshold / self.unit, branching_factor, max_subclusters)

    def measured(self, rows: np.ndarray) -> np.ndarray:
        """Return rows in the unit of the tree; from the corners of the float range, so far that differences are still finite."""
        with np.errstate(over="ignore"):
            return np.clip(rows / self.unit, -_FARTHEST, _FARTHEST)


def partial(X: Any, sample_weight: np.ndarray | None = None, **parameters: Any) -> BirchState:
    """Return the state after the rows of one block; ``parameters`` are those of `BirchState`."""
    return absorb(BirchState(dense_rows(X[:1])[0], **parameters), X, sample_weight)


def absorb(state: BirchState, X: Any, sample_weight: np.ndarray | None = None) -> BirchState:
    """Insert more rows, one after another: the same however they are cut into blocks.

    Parameters
    ----------
    state : BirchState
        Changed in place.
    X : (n, d) float array of any engine, or CSR array
        May be memory-mapped.
    sample_weight : (n,) float64 array, optional

    Returns
    -------
    BirchState
        The same.
    """
    for block in blocks(X):
        weight = None if sample_weight is None else sample_weight[block]
        state.tree.insert(state.measured(dense_rows(X[block])) - state.origin, weight)
    return state


def merge(a: BirchState, b: BirchState) -> BirchState:
    """Insert the groups of ``b`` into ``a`` and return it: their weights, means and spreads stay exact, the tree is another one."""
    return _insert_groups(a, BlockGroups(b.tree.features(), b.origin, b.tree.threshold, b.tree.n_rows))


def of_blocks(X: Any, **parameters: Any) -> BirchState:
    """Return the state after the rows in blocks: a tree of each, merged in the order of the blocks' contents."""
    trees = trees_of_blocks(X, functools.partial(partial, **parameters), parameters["max_subclusters"])
    return functools.reduce(_insert_groups, trees)


def _insert_groups(a: BirchState, b: BlockGroups) -> BirchState:
    n_rows = a.tree.n_rows + b.n_rows
    a.tree.threshold = max(a.tree.threshold, b.threshold)  # no group is wider than the threshold
    a.tree.insert_features(b.features._replace(means=b.features.means + (b.origin - a.origin)))
    a.tree.n_rows = n_rows
    return a


def finalize(state: BirchState) -> Subclusters:
    """Return the groups in the order of their first rows, in the units of the data; ``state`` itself can go on."""
    found = state.tree.features()
    radii = np.sqrt(found.spreads / found.weights) * state.unit
    return Subclusters(found.weights, (found.means + state.origin) * state.unit, radii, found.firsts)


def _unit(threshold: float) -> float:
    """Return the power of two that the tree measures in: 4 for ordinary thresholds, so that differences of any floats are finite."""
    exponent = int(np.frexp(threshold)[1])
    return 4.0 if abs(exponent) < _ORDINARY else 2.0 ** max(-1021, min(1023, exponent))


def dense_rows(X: Any) -> np.ndarray:
    """Return a few rows on the host in float64."""
    return np.asarray(X.toarray() if issparse(X) else to_numpy(X), np.float64)
