"""Rows drawn from blocks, by what a block contains: the same whatever the order of the blocks."""

from typing import Any

import numpy as np

from ..arrays import to_numpy
from ..primitives.blocks import each_block, says

__all__ = ["drawn_rows"]


def drawn_rows(X: Any, share: float) -> np.ndarray:
    """Draw a share of the rows of every block, rounded up.

    Parameters
    ----------
    X : rows in blocks
    share : float
        At most 1.

    Returns
    -------
    (m, d) float array
        In the order of what the blocks contain, and in a block in that of its rows.
    """
    drawn = each_block(X, _of_block, share)
    return np.concatenate([drawn[i] for i in X.by_rank()])


@says("drawing a sample of the rows")
def _of_block(block: Any, share: float) -> np.ndarray:
    rows = to_numpy(block.rows)
    m = int(np.ceil(share * len(rows)))
    return rows[np.sort(np.random.default_rng(block.rank).choice(len(rows), m, replace=False))]
