"""Top-down splitting of rows by their distances: the splinter groups of DIANA."""

from typing import Any

import numpy as np

from ..arrays import to_numpy
from .engine import engine_of
from .linkages import Merges

__all__ = ["splinter_splits"]


def splinter_splits(distances: Any) -> Merges:
    """Split all rows into single ones: from each cluster breaks away the row furthest from the others, and who is nearer to it.

    Parameters
    ----------
    distances : (n, n) float array
        Symmetric, zero on the diagonal; not changed. Read on the host.

    Returns
    -------
    Merges
        n - 1 splits, the last one first, as if they were merges: ``heights`` are the diameters of the clusters that were split,
        ascending; of clusters of the same diameter the one with the lowest row was split first.

    Notes
    -----
    A row moves to the splinter group while it is on average nearer to it than to the rest of its cluster, by more than rounding;
    the row for which this is most so moves first, ties to the lowest row. Rows at distance 0 of each other move together.
    A split costs O(m |B|) for m rows of which B break away: O(n^2) in all where single rows break away or halves do, at most
    O(n^3). O(n) memory beside the matrix.

    References
    ----------
    Macnaughton-Smith, Williams, Dale, Mockett: Dissimilarity analysis: a new technique of hierarchical sub-division, Nature 202,
    1964, doi:10.1038/2021034a0.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.divisive import splinter_splits
    >>> splits = splinter_splits(np.array([[0.0, 1.0, 5.0], [1.0, 0.0, 4.0], [5.0, 4.0, 0.0]]))
    >>> splits.left.tolist(), splits.right.tolist(), splits.heights.tolist()
    ([0, 0], [1, 2], [1.0, 5.0])
    """
    matrix = np.ascontiguousarray(to_numpy(distances))
    left, right, heights, sizes = engine_of(matrix, "divisive").splinter_splits(matrix)
    order = np.lexsort((-sizes, left, -heights))[::-1]
    return Merges(left[order], right[order], heights[order])
