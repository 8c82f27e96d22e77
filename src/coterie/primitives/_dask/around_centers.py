"""How the rows of each cluster lie around centers, of rows in blocks: a block's sums depend on it alone, and add up rounded once."""

import numpy as np

from ...arrays import to_numpy
from .._numba import around_centers as kernels
from ..blocks import says
from .block_labels import codes_of
from .exact import added
from .passes import Block, each
from .rows import BlockRows

__all__ = ["around_centers"]


def around_centers(X: BlockRows, names: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """See `coterie.primitives.around_centers.around_centers`."""
    return added(each(X, _block_around, names, centers))


@says("how the rows lie around the centers")
def _block_around(block: Block, names: np.ndarray, centers: np.ndarray) -> np.ndarray:
    rows = to_numpy(block.rows)
    if len(rows) == 0:
        return np.zeros((3, len(names)))
    found: np.ndarray = kernels.around_centers(rows, codes_of(block, names), centers)
    return found
