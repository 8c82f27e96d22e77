"""Batches of rows in blocks: what travels is the centers, or the rows of a batch where these are little.

A round to the workers takes some 14 ms, in which ten megabytes could be sent. So the rows of many small batches are asked for at once, and
the steps made here. Of a large batch each block adds up its share, for centers that are sent to it; sums are whole numbers. Rows are numbered block after block in the order of the blocks' ranks, so that a batch is the same rows however the blocks come. Where
workers do not keep rows, those of the next batches are fetched from all blocks in one pass, and these few stay with the workers.
"""

from typing import Any, NamedTuple

import numpy as np

from ...arrays import to_numpy
from ..blocks import says
from .exact import ExactSum, Units, exact, units_of
from .passes import Block, each, fold
from .rows import BlockRows

__all__ = ["batch_step", "batch_steps", "fetch", "rows_at", "weights_at"]

_SMALL_BATCH = 1 << 20  # bytes
_MOST_ROWS = 2**31


class _Batch(NamedTuple):
    rows: np.ndarray  # (b,) int64 ascending: numbers by rank
    weight: np.ndarray | None  # (b,)
    edges: np.ndarray  # (blocks + 1,) int64: number of the first row of each block by rank


class _Aim(NamedTuple):
    centers: np.ndarray
    shift: np.ndarray
    scale: float
    units: Units
    weight_units: Units


class _Step(NamedTuple):
    sums: ExactSum  # (k, d)
    weights: ExactSum  # (k,)
    inertia: tuple[tuple[int, float], ...]  # of (rank, number): they are added up by rank

    def merge(self, other: "_Step") -> "_Step":
        return _Step(self.sums + other.sums, self.weights + other.weights, self.inertia + other.inertia)


def batch_step(
    X: BlockRows,
    rows: np.ndarray,
    centers: np.ndarray,
    shift: np.ndarray,
    scale: float,
    sample_weight: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray, float]:
    """See `coterie.primitives.batch_step.batch_step`; rows are numbered by rank."""
    from .._numba.lloyd_sums import Bound, grid_of

    ends = np.array([seen.low for seen in X.surveys] + [seen.high for seen in X.surveys])
    greatest = float(np.abs(ends[np.isfinite(ends).all(axis=1)] / scale - shift / scale).max())
    heaviest = (1.0 if sample_weight is None else float(sample_weight.max())) or 1.0
    grid = grid_of(Bound(greatest, heaviest, min(len(rows), _MOST_ROWS)))
    units, weight_units = units_of(*grid[:2]), units_of(*grid[2:])
    aim = _Aim(centers, shift, scale, units, weight_units)
    found = fold(X, _block_step, _Step.merge, _batch(X, rows, sample_weight), aim)
    return found.sums.value(units), found.weights.value(weight_units), sum(part for _, part in sorted(found.inertia))


def batch_steps(
    X: BlockRows,
    rows: np.ndarray,
    starts: np.ndarray,
    centers: np.ndarray,
    mass: np.ndarray,
    shift: np.ndarray,
    scale: float,
    sample_weight: np.ndarray | None,
    least_share: float,
    measured: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """See `coterie.primitives.batch_step.batch_steps`."""
    from ..batch_step import batch_steps as steps_of_rows
    from ..batch_step import steps_one_by_one

    if int(np.diff(starts).max()) * X.shape[1] * X.dtype.itemsize <= _SMALL_BATCH:
        values = rows_at(X, rows[starts[0] :])
        if sample_weight is not None:
            sample_weight = sample_weight[starts[0] :]
        return steps_of_rows(
            values, np.arange(len(values)), starts - starts[0], centers, mass, shift, scale, sample_weight, least_share, measured
        )  # fmt: skip
    return steps_one_by_one(batch_step, X, rows, starts, centers, mass, shift, scale, sample_weight, least_share)


def fetch(X: BlockRows, rows: np.ndarray) -> None:
    """See `coterie.primitives.batch_step.fetch`: one pass over the blocks, or none where workers keep them."""
    if not X.keep:
        each(X, _block_fetch, _batch(X, rows, None))


def rows_at(X: BlockRows, rows: np.ndarray) -> np.ndarray:
    """See `coterie.primitives.batch_step.rows_at`."""
    return _gathered(X, rows, _block_rows)


def weights_at(X: BlockRows, rows: np.ndarray) -> np.ndarray | None:
    """See `coterie.primitives.batch_step.weights_at`."""
    return None if X.weights is None else _gathered(X, rows, _block_weights)


def _batch(X: BlockRows, rows: np.ndarray, sample_weight: np.ndarray | None) -> _Batch:
    edges = np.concatenate([[0], np.cumsum(X.lengths[X.by_rank()])])
    order = np.argsort(rows, kind="stable")
    return _Batch(rows[order], None if sample_weight is None else sample_weight[order], edges)


def _gathered(X: BlockRows, rows: np.ndarray, function: Any) -> np.ndarray:
    parts = each(X, function, _batch(X, rows, None))
    ascending = np.concatenate([parts[number] for number in X.by_rank() if parts[number] is not None])
    found = np.empty_like(ascending)
    found[np.argsort(rows, kind="stable")] = ascending
    return found


def _share(block: Block, batch: _Batch) -> slice:
    """Return which of the rows of the batch are the block's."""
    return slice(*np.searchsorted(batch.rows, batch.edges[block.rank : block.rank + 2]).tolist())


def _values(block: Block, local: np.ndarray) -> tuple[Any, np.ndarray]:
    """Return rows that hold those with the given ascending numbers, and which they are there."""
    for known, values in block.notes.get("rows", ()):
        at = np.minimum(np.searchsorted(known, local), len(known) - 1)
        if (known[at] == local).all():
            return values, at
    return block.rows, local


@says("batch {}")
def _block_step(block: Block, batch: _Batch, aim: _Aim) -> _Step:
    from ..batch_step import batch_step as step_of_rows

    mine = _share(block, batch)
    if mine.start == mine.stop:
        nothing = np.zeros_like(aim.centers)
        return _Step(exact(nothing, aim.units), exact(nothing[:, 0], aim.weight_units), ())
    rows, local = _values(block, batch.rows[mine] - batch.edges[block.rank])
    weight = None if batch.weight is None else batch.weight[mine]
    sums, weights, cost = step_of_rows(rows, local, aim.centers, aim.shift, aim.scale, weight)
    return _Step(exact(sums, aim.units), exact(weights, aim.weight_units), ((block.rank, float(cost)),))


def _block_fetch(block: Block, batch: _Batch) -> None:
    mine = _share(block, batch)
    if mine.start < mine.stop:
        local = np.unique(batch.rows[mine] - batch.edges[block.rank])
        # Some batches of the last time may not have been gone through yet.
        block.notes["rows"] = (*block.notes.get("rows", ())[-1:], (local, block.rows[local]))


def _block_rows(block: Block, batch: _Batch) -> np.ndarray | None:
    mine = _share(block, batch)
    if mine.start == mine.stop:
        return None
    rows, local = _values(block, batch.rows[mine] - batch.edges[block.rank])
    return to_numpy(rows[local])


def _block_weights(block: Block, batch: _Batch) -> np.ndarray | None:
    mine, weight = _share(block, batch), block.weight
    return None if weight is None or mine.start == mine.stop else weight[batch.rows[mine] - batch.edges[block.rank]]
