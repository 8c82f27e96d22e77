"""Sets of rows as bits: how many rows lie in several sets at once, and which combination of sets is the first to hold a row.

A set holds the rows with one value of one feature. Intersections are AND and a count of bits, 64 rows an operation.
"""

from typing import Any, NamedTuple

import numpy as np

from .engine import engine_of

__all__ = ["RowSets", "first_containing", "intersection_sizes", "row_sets"]


class RowSets(NamedTuple):
    """Sets of the rows 0 ... n_rows - 1; the layout of ``bits`` belongs to the engine."""

    bits: Any
    n_rows: int


def row_sets(codes: Any, columns: Any, values: Any) -> RowSets:
    """Gather the rows that have a given value in a given feature.

    Parameters
    ----------
    codes : (c, n) array of uint16, or int32 tensor
        Values by feature.
    columns, values : (s,) int array
        Feature and value of each set, no pair twice.

    Returns
    -------
    RowSets
        s sets; memory s n / 8 bytes on the CPU, s n bytes on tensors.
    """
    columns, values = np.asarray(columns, np.int64), np.asarray(values, np.int64)
    return engine_of(codes, "bitsets").row_sets(codes, columns, values)


def intersection_sizes(sets: RowSets, members: np.ndarray, sample_weight: Any = None, start: Any = None) -> np.ndarray:
    """Count the rows in intersections of sets, or add up their weights.

    Parameters
    ----------
    sets : RowSets
    members : (m, k) int32 array
        Sets of each intersection; it is cheapest where neighbours share all but the last.
    sample_weight : (n,) float64 array, optional
    start : (m,) array, optional
        Added to: sums over blocks of rows, one after the other, are the same bits for blocks of any size on the CPU.

    Returns
    -------
    (m,) int64 array, float64 with weights

    Notes
    -----
    About m n / 64 operations without weights, and one for each row counted with weights.
    """
    dtype = np.int64 if sample_weight is None else np.float64
    sizes = np.zeros(len(members), dtype) if start is None else np.array(start, dtype)
    if len(members) and sets.n_rows:
        members = np.ascontiguousarray(members, np.int32)
        engine_of(sets.bits, "bitsets").intersection_sizes(sets, members, sample_weight, sizes)
    return sizes


def first_containing(sets: RowSets, members: np.ndarray) -> Any:
    """Find the first intersection of sets that each row lies in.

    Parameters
    ----------
    sets : RowSets
    members : (m, k) int32 array
        Sets of each intersection, -1 after the last of those with fewer than k.

    Returns
    -------
    (n,) int32 array or tensor
        -1 for rows in none.
    """
    return engine_of(sets.bits, "bitsets").first_containing(sets, np.ascontiguousarray(members, np.int32))
