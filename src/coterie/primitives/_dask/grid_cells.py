"""Counts by cell of rows in blocks: whole numbers, which add up in any order; row numbers are those among all rows."""

from functools import partial

import numpy as np

from ...errors import ResourceError
from ..blocks import says
from ..grid_cells import CellCounts, Grid, merge_counts
from ..grid_cells import cell_counts as counts_of_rows
from .passes import Block, fold, room_for
from .rows import BlockRows

__all__ = ["cell_counts", "column_range", "new_keys"]


def column_range(X: BlockRows) -> tuple[np.ndarray, np.ndarray]:
    """See `coterie.primitives.grid_cells.column_range`: the first look has found it."""
    return np.min([seen.low for seen in X.surveys], axis=0), np.max([seen.high for seen in X.surveys], axis=0)


def new_keys(X: BlockRows, grid: Grid) -> None:
    """Return None: nothing of the size of the rows is kept."""


def cell_counts(X: BlockRows, grid: Grid, keys: None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """See `coterie.primitives.grid_cells.cell_counts`."""
    most = room_for(X, 4 * len(grid.axes) + 16)
    found = fold(X, _block_counts, partial(_merged, most), grid)
    return found.coords, found.counts, found.first, found.n_outside


@says("counting cells")
def _block_counts(block: Block, grid: Grid) -> CellCounts:
    rows = block.rows
    if len(rows) == 0:
        nothing = np.empty(0, np.int64)
        return CellCounts(np.empty((0, len(grid.axes)), np.int32), nothing, nothing, 0, 0)
    found = counts_of_rows(rows, grid)
    return found._replace(first=found.first + block.start, n_rows=0)  # no rows: so merging moves no row number


def _merged(most: int, a: CellCounts, b: CellCounts) -> CellCounts:
    found = merge_counts(a, b)
    if len(found.counts) > most:
        raise ResourceError(
            f"{len(found.counts):,} cells are occupied already and a worker has room for {most:,}; lower n_cells, place rows by fewer "
            "columns, or give workers more memory"
        )
    return found
