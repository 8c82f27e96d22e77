"""Statistics by cell of rows in blocks: whole numbers of 128 bits, which add up in any order."""

import numpy as np

from ...errors import ResourceError
from ..blocks import says
from ..grid_cells import Grid
from ..grid_sums import BINS, CellSums
from ..grid_sums import cell_sums as sums_of_rows
from .passes import Block, fold, room_for
from .rows import BlockRows

__all__ = ["cell_sums"]


def cell_sums(X: BlockRows, grid: Grid, coords: np.ndarray, attributes: np.ndarray, keys: None = None) -> CellSums:
    """See `coterie.primitives.grid_sums.cell_sums`."""
    n_bytes = 8 * (6 + BINS) * len(attributes)
    most = room_for(X, max(1, n_bytes))
    if len(coords) > most:
        raise ResourceError(
            f"statistics of {len(attributes)} attributes in {len(coords):,} cells take {len(coords) * n_bytes / 2**30:.2f} GB in each of "
            f"{len(X.parts)} tasks, and {most * n_bytes / 2**30:.2f} GB are there; lower n_cells, name fewer attributes, or give workers "
            "more memory"
        )
    return fold(X, _block_sums, _added, grid, coords, attributes)


@says("sums of the cells")
def _block_sums(block: Block, grid: Grid, coords: np.ndarray, attributes: np.ndarray) -> CellSums:
    rows = block.rows
    if len(rows) == 0:
        shape = len(coords), len(attributes)
        extremes = np.empty((*shape, 2))
        extremes[:] = np.inf, -np.inf
        return CellSums(np.zeros((*shape, 4), np.uint64), extremes, np.zeros((*shape, BINS), np.int64))
    return sums_of_rows(rows, grid, coords, attributes)


def _added(a: CellSums, b: CellSums) -> CellSums:
    """Add the sums of the same cells: two words each, with the carry from the lower to the higher."""
    sums, extremes = a.sums + b.sums, np.empty_like(a.extremes)
    sums[:, :, 1::2] += sums[:, :, ::2] < a.sums[:, :, ::2]
    extremes[:, :, 0] = np.minimum(a.extremes[:, :, 0], b.extremes[:, :, 0])
    extremes[:, :, 1] = np.maximum(a.extremes[:, :, 1], b.extremes[:, :, 1])
    return CellSums(sums, extremes, a.bins + b.bins)
