"""BIRCH of rows in blocks: a tree of each block, where it lies, and the groups of all trees in one.

Trees are merged in the order of what their blocks contain, so neither the order of the blocks nor the workers matter. They come some at
a time, so that few of them are here at once, however many blocks there are.
"""

from typing import Any, NamedTuple

import numpy as np

from ..primitives.blocks import each_block, room_for, says
from ..primitives.cluster_features import ClusterFeatures

__all__ = ["BlockGroups", "trees_of_blocks"]

_TREES_A_TASK = 16


class BlockGroups(NamedTuple):
    """What is left of the tree of one block."""

    features: ClusterFeatures
    origin: np.ndarray  # (d,) float64: what the means are measured from
    threshold: float  # in the end
    n_rows: int


def trees_of_blocks(X: Any, begin: Any, most_groups: int) -> Any:
    """Yield what is left of the trees of the blocks that hold rows, in the order of their contents.

    Parameters
    ----------
    X : rows in blocks
    begin : callable
        ``begin(rows)`` returns the tree of some rows: a state with ``tree`` and ``origin``.
    most_groups : int
        Of a tree.

    Yields
    ------
    state, or BlockGroups
        Of the first block the state itself, so that with one block it is that of rows in memory.
    """
    order = X.by_rank()
    lengths = X.lengths[order]
    held = np.flatnonzero(lengths)
    n_bytes = min(most_groups, int(lengths.max())) * (8 * X.shape[1] + 24)
    together = len(X.parts) * max(1, min(_TREES_A_TASK, room_for(X, n_bytes)))
    for at in range(0, len(held), together):
        ranks = held[at : at + together]
        found = each_block(X, _block_groups, begin, int(held[0]), int(ranks[0]), int(ranks[-1]))
        for rank in ranks:
            yield found[order[rank]]


@says("trees of the blocks")
def _block_groups(block: Any, begin: Any, first: int, low: int, high: int) -> Any:
    if not low <= block.rank <= high or len(block.rows) == 0:
        return None
    state = begin(block.rows)
    if block.rank == first:
        return state
    return BlockGroups(state.tree.features(), state.origin, state.tree.threshold, state.tree.n_rows)
