"""Nearest centers of rows in blocks: a block's sums are whole numbers, so they add up to the same bits on any workers."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...arrays import to_numpy
from ..blocks import says
from .exact import ExactSum, Units, exact, units_of
from .lazy import joined
from .passes import Block, each, each_held, fold
from .rows import BlockRows

if TYPE_CHECKING:
    from ..assign import LloydStep

__all__ = ["center_labels", "center_totals", "farthest_rows", "lloyd_start", "lloyd_step"]


_MOST_ROWS = 2**31  # of a block; more of them add up as integers


class _State(NamedTuple):
    X: BlockRows
    grid: "_Grid"
    skip: bool


class _Grid(NamedTuple):
    bound: Any  # of rows and weights in all blocks: see `_numba.lloyd_sums.Bound`
    rows: Units
    weights: Units


class _Sums(NamedTuple):
    rows: ExactSum  # (k, d)
    weights: ExactSum  # (k,)
    counts: np.ndarray  # (k,) int64

    def merge(self, other: "_Sums") -> "_Sums":
        return _Sums(self.rows + other.rows, self.weights + other.weights, self.counts + other.counts)


def lloyd_start(X: BlockRows, sample_weight: Any, skip: bool = True) -> _State:
    """See `coterie.primitives.assign.lloyd_start`; weights came with the rows, and no value of these exceeds 2."""
    from .._numba.lloyd_sums import ORDINARY, Bound, grid_of

    bound = Bound(ORDINARY, max(seen.heaviest for seen in X.surveys), min(len(X), _MOST_ROWS))
    grid = grid_of(bound)
    return _State(X, _Grid(bound, units_of(*grid[:2]), units_of(*grid[2:])), skip)


def lloyd_step(state: _State, centers: np.ndarray) -> "LloydStep":
    """See `coterie.primitives.assign.lloyd_step`; how many rows changed is not known."""
    from ..assign import LloydStep

    found = fold(state.X, block_sums, _Sums.merge, centers, state.grid, state.skip)
    return LloydStep(
        found.rows.value(state.grid.rows), found.weights.value(state.grid.weights), found.counts, len(state.X)
    )


def center_totals(X: BlockRows, centers: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """See `coterie.primitives.assign.center_totals`."""
    return _added(X, each(X, block_totals, centers))


def center_labels(X: BlockRows, centers: np.ndarray) -> tuple[float, np.ndarray, np.ndarray, Any]:
    """See `coterie.primitives.assign.center_labels`."""
    found, labels = each_held(X, _block_labels, centers)
    return *_added(X, found), joined(labels, X.lengths.tolist(), np.int64)


def _added(X: BlockRows, found: list) -> tuple[float, np.ndarray, np.ndarray]:
    costs, weights, counts = zip(*found, strict=True)
    order = X.by_rank()
    return float(np.array(costs)[order].sum()), np.array(weights)[order].sum(axis=0), np.sum(counts, axis=0)


def farthest_rows(X: BlockRows, centers: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """See `coterie.primitives.assign.farthest_rows`."""
    found = [part for part in each(X, _block_farthest, centers, n) if len(part[0])]
    distances2, labels, weights, rows = (np.concatenate(parts) for parts in zip(*found, strict=True))
    # Equal distances: by the values of the rows, which no order of blocks changes.
    order = np.lexsort((*rows.T[::-1], -distances2))[:n]
    return distances2[order], labels[order], weights[order], rows[order]


@says("step {}")
def block_sums(block: Block, centers: np.ndarray, grid: _Grid, skip: bool) -> _Sums:
    rows = block.rows
    return (
        _sums_on_host(block, rows, centers, grid, skip)
        if isinstance(rows, np.ndarray)
        else _sums(block, rows, centers, grid)
    )


def _sums_on_host(block: Block, rows: np.ndarray, centers: np.ndarray, grid: _Grid, skip: bool) -> _Sums:
    """Take a step from where the block's last one ended, or from nowhere: the sums are the same bits."""
    from .._numba import lloyd

    known = block.memo.get("lloyd")
    state = known[1] if known is not None and known[0] == (block.view, len(centers), skip) else None
    if state is None:
        state = lloyd.lloyd_start(rows, block.weight, skip, grid.bound)
        block.memo["lloyd"] = (block.view, len(centers), skip), state
    lloyd.lloyd_step(state, centers)
    coarse, fine, coarse_weights, fine_weights, counts = lloyd.step_parts(state)
    return _Sums(
        ExactSum(*((part / unit).astype(np.int64) for part, unit in zip((coarse, fine), grid.rows, strict=True))),
        ExactSum(*((part / unit).astype(np.int64) for part, unit in zip((coarse_weights, fine_weights), grid.weights, strict=True))),
        counts,
    )  # fmt: skip


def _sums(block: Block, rows: Any, centers: np.ndarray, grid: _Grid) -> _Sums:
    from ..assign import center_sums, nearest_center

    weight, k = block.weight, len(centers)
    labels, _ = nearest_center(rows, centers)
    sums, weights = center_sums(rows, labels, k, weight)
    held = to_numpy(labels) if weight is None else to_numpy(labels)[weight > 0]
    return _Sums(exact(sums, grid.rows), exact(weights, grid.weights), np.bincount(held, minlength=k))


@says("distances to the centers")
def block_totals(block: Block, centers: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    return _block_labels(block, centers)[0]


@says("labels")
def _block_labels(block: Block, centers: np.ndarray) -> tuple[tuple[float, np.ndarray, np.ndarray], np.ndarray]:
    rows, weight, k = block.rows, block.weight, len(centers)
    if len(rows) == 0:
        return (0.0, np.zeros(k), np.zeros(k, np.int64)), np.empty(0, np.int64)
    if isinstance(rows, np.ndarray):
        from .._numba.assign import nearest_totals

        labels, *totals = nearest_totals(rows, centers, weight)
        return tuple(totals), labels
    from ..assign import nearest_center

    labels, distances2 = (to_numpy(part) for part in nearest_center(rows, centers))
    cost = float(distances2.sum() if weight is None else weight @ distances2)
    counts = np.bincount(labels, minlength=k)
    weights = counts.astype(np.float64) if weight is None else np.bincount(labels, weight, minlength=k)
    return (cost, weights, counts), labels.astype(np.int64)


@says("rows far from all centers")
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
