"""Nearest centers of rows in blocks: a block's sums are whole numbers, so they add up to the same bits on any workers."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...arrays import to_numpy
from .exact import ExactSum, exact, scalar_sum
from .passes import Block, each, fold
from .rows import BlockRows

if TYPE_CHECKING:
    from ..assign import LloydStep

__all__ = ["center_totals", "farthest_rows", "lloyd_start", "lloyd_step"]


class _State(NamedTuple):
    X: BlockRows
    bound: float  # of weight times value
    heaviest: float
    skip: bool


class _Sums(NamedTuple):
    rows: ExactSum  # (k, d)
    weights: ExactSum  # (k,)
    counts: np.ndarray  # (k,) int64

    def merge(self, other: "_Sums") -> "_Sums":
        return _Sums(self.rows + other.rows, self.weights + other.weights, self.counts + other.counts)


def lloyd_start(X: BlockRows, sample_weight: Any, skip: bool = True) -> _State:
    """See `coterie.primitives.assign.lloyd_start`; weights came with the rows, and no value of them exceeds 1."""
    from .._numba.conditioning import power_of_two

    heaviest = power_of_two(max(seen.heaviest for seen in X.surveys))
    return _State(X, 2 * heaviest, heaviest, skip)


def lloyd_step(state: _State, centers: np.ndarray) -> "LloydStep":
    """See `coterie.primitives.assign.lloyd_step`; how many rows changed is not known."""
    from ..assign import LloydStep

    found = fold(state.X, _block_sums, _Sums.merge, centers, state.bound, state.heaviest, state.skip)
    return LloydStep(found.rows.value(state.bound), found.weights.value(state.heaviest), found.counts, len(state.X))


def center_totals(X: BlockRows, centers: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """See `coterie.primitives.assign.center_totals`."""
    found = each(X, _block_totals, centers)
    costs, weights, counts = zip(*found, strict=True)
    order = X.by_rank()
    return scalar_sum(costs, order), np.array(weights)[order].sum(axis=0), np.sum(counts, axis=0)


def farthest_rows(X: BlockRows, centers: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """See `coterie.primitives.assign.farthest_rows`."""
    found = [part for part in each(X, _block_farthest, centers, n) if len(part[0])]
    distances2, labels, weights, rows = (np.concatenate(parts) for parts in zip(*found, strict=True))
    # Equal distances: by the values of the rows, which no order of blocks changes.
    order = np.lexsort((*rows.T[::-1], -distances2))[:n]
    return distances2[order], labels[order], weights[order], rows[order]


def _block_sums(block: Block, centers: np.ndarray, bound: float, heaviest: float, skip: bool) -> _Sums:
    from ..assign import center_sums, nearest_center

    rows, weight, k = block.rows, block.weight, len(centers)
    if len(rows) == 0:
        nothing = np.zeros((k, centers.shape[1]))
        return _Sums(exact(nothing, bound), exact(nothing[:, 0], heaviest), np.zeros(k, np.int64))
    labels, _ = nearest_center(rows, centers)
    sums, weights = center_sums(rows, labels, k, weight)
    held = to_numpy(labels) if weight is None else to_numpy(labels)[weight > 0]
    return _Sums(exact(sums, bound), exact(weights, heaviest), np.bincount(held, minlength=k))


def _block_totals(block: Block, centers: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    from ..assign import nearest_center

    k = len(centers)
    if len(block.rows) == 0:
        return 0.0, np.zeros(k), np.zeros(k, np.int64)
    labels, distances2 = (to_numpy(part) for part in nearest_center(block.rows, centers))
    weight = block.weight
    cost = float(distances2.sum() if weight is None else weight @ distances2)
    return cost, np.bincount(labels, weight, minlength=k).astype(np.float64), np.bincount(labels, minlength=k)


def _block_farthest(block: Block, centers: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    from ..assign import nearest_center

    rows = block.rows
    if len(rows) == 0:
        return np.empty(0), np.empty(0, np.int64), np.empty(0), np.empty(rows.shape)
    labels, distances2 = (to_numpy(part) for part in nearest_center(rows, centers))
    weight = np.ones(len(labels)) if block.weight is None else block.weight
    distances2 = np.where(weight > 0, distances2, -1.0)
    values = to_numpy(rows)
    most = min(n, len(labels))
    least = np.partition(distances2, len(labels) - most)[len(labels) - most]
    near = np.flatnonzero(distances2 >= least)
    chosen = near[np.lexsort((*values[near].T[::-1], -distances2[near]))[:most]]
    return distances2[chosen], labels[chosen], weight[chosen], values[chosen].astype(np.float64)
