"""Which group of one clustering is which of another: the one-to-one matching that shares most rows (Kuhn 1955).

A pair counts only where the two have enough rows in common to be called the same group, by their Jaccard similarity: rows in
both over rows in either. Without that a group that vanished would lend its name to any newcomer that holds a single row of it.
The cost is that of an assignment, cubic in the number of groups.
"""

from typing import Any

import numpy as np

from ..arrays import NOISE
from ..metrics.external import contingency_table

__all__ = ["SAME_GROUP", "matched_groups"]

# A group that is split evenly in three leaves a third to each part, one that is merged with another of its size keeps half.
SAME_GROUP = 0.25


def matched_groups(labels: Any, others: Any, *, least: float = SAME_GROUP) -> dict[int, int]:
    """Pair the groups of two labellings of the same rows so that the pairs share as many rows as possible.

    Parameters
    ----------
    labels, others : (n,) array-like of int
        Two labellings of the same rows; noise (-1) is nobody's partner, but its rows count in the similarity.
    least : float, default=0.25
        Jaccard similarity from which two groups may be a pair; 0 takes every pair that shares a row.

    Returns
    -------
    dict of int to int
        Group of ``labels`` to its partner in ``others``, ascending; a group without one is left out. Among equals the lowest
        go together.

    Raises
    ------
    InputError
        If the labellings differ in length or are not 1-D.

    References
    ----------
    Kuhn H. W. (1955), The Hungarian method for the assignment problem, Naval Research Logistics Quarterly 2,
    doi:10.1002/nav.3800020109.

    Examples
    --------
    >>> matched_groups([0, 0, 0, 1, 1, -1], [1, 1, 1, 0, 0, 0])
    {0: 1, 1: 0}
    """
    table, groups, partners = contingency_table(labels, others)
    either = table.sum(axis=1, keepdims=True) + table.sum(axis=0) - table
    eligible = (table > 0) & (table >= least * either) & (groups != NOISE)[:, None] & (partners != NOISE)
    return {int(groups[i]): int(partners[j]) for i, j in _heaviest(np.where(eligible, table, 0))}


def _heaviest(table: np.ndarray) -> list[tuple[int, int]]:
    """Return the places of counts above 0, no two in a row or a column, whose total is the largest there is."""
    from scipy.optimize import linear_sum_assignment

    if table.size == 0:
        return []
    # All the bonuses of a matching add up to less than one row, so that they only decide between equals.
    i, j = (np.arange(length)[::-1] for length in table.shape)
    bonus = np.outer(i, j) / (table.size * min(table.shape))
    rows, columns = linear_sum_assignment(np.where(table > 0, table + bonus, 0.0), maximize=True)
    return [(row, column) for row, column in zip(rows, columns, strict=True) if table[row, column]]
