"""Rows drawn for starting centers, a block at a time: the sampling rounds of k-means||.

A row is drawn by an exponential clock: the row whose ``-log(u) / (weight * squared distance)`` is least rings first. The first
that ring among all rows are the first of those of each block, so that a round is one pass and its state small, whatever the total.
The numbers u of a block come from the seed, the round and the block's rank.
"""

import numpy as np

from ...arrays import to_numpy
from ..blocks import says
from .passes import Block, each
from .rows import BlockRows

__all__ = ["draw_far_rows"]


def draw_far_rows(X: BlockRows, n: int, seed: int, drawn: tuple[np.ndarray, ...]) -> np.ndarray:
    """See `coterie.primitives.seeding.draw_far_rows`."""
    found = each(X, first_to_ring, n, seed, drawn)
    clocks = np.concatenate([clock for clock, _ in found])
    rows = np.concatenate([picked for _, picked in found])
    finite = np.flatnonzero(np.isfinite(clocks))
    return rows[finite[np.lexsort((*rows[finite].T[::-1], clocks[finite]))[:n]]]


@says("starting centers, round {}")
def first_to_ring(block: Block, n: int, seed: int, drawn: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
    rows, weight = block.rows, block.weight
    if len(rows) == 0:
        return np.empty(0), np.empty(rows.shape)
    rate = np.ones(len(rows)) if weight is None else weight.copy()
    if drawn:
        rate *= _squared_distances(block, drawn)
    clocks = np.random.default_rng([seed, len(drawn), block.rank]).standard_exponential(len(rows))
    with np.errstate(divide="ignore", over="ignore"):
        clocks = np.where(rate > 0, clocks / rate, np.inf)
    most = min(n, len(clocks))
    first = np.argpartition(clocks, most - 1)[:most]
    return clocks[first], to_numpy(rows[first]).astype(np.float64)


def _squared_distances(block: Block, drawn: tuple[np.ndarray, ...]) -> np.ndarray:
    """Return the squared distance of each row to the nearest of the rows drawn so far; the memo holds that of earlier rounds."""
    from ..assign import closer_distances

    n_known, closest = block.memo.get("far", (0, None))
    if n_known < len(drawn):
        closest = closer_distances(block.rows, np.concatenate(drawn[n_known:]), closest)
        block.memo["far"] = len(drawn), closest
    return to_numpy(closest)
