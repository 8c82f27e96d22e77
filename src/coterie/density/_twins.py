"""Rows that coincide: a rule that looks at nothing but a row's place must give them one label."""

import numpy as np

from ..primitives.row_keys import key_weights

__all__ = ["one_label_each", "row_at_zero", "twins_of_rows"]


def twins_of_rows(rows: np.ndarray) -> np.ndarray | None:
    """Return for each row the first one that is equal to it; None where all differ.

    Parameters
    ----------
    rows : (n, d) float array

    Returns
    -------
    (n,) int64 array or None
    """
    keys = np.zeros(len(rows))
    with np.errstate(over="ignore", invalid="ignore"):
        for column, weight in zip(rows.T, key_weights(rows.shape[1]), strict=True):
            keys += column * weight
    # Rows of different keys differ; NaN, where sums overflowed, may be anything.
    keys[~np.isfinite(keys)] = np.inf
    _, group, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    suspects = np.flatnonzero(sizes[group] > 1)
    if len(suspects) == 0:
        return None
    suspects = suspects[np.lexsort(rows[suspects].T)]
    some = rows[suspects]
    begins = np.append(True, (some[1:] != some[:-1]).any(axis=1))
    if begins.all():
        return None
    twins = np.arange(len(rows))
    twins[suspects] = suspects[np.maximum.accumulate(np.where(begins, np.arange(len(some)), 0))]
    return twins


def row_at_zero(distances: np.ndarray, row: int) -> int:
    """Return the first row at distance 0, or ``row`` itself where there is none."""
    first = int(np.argmin(distances))
    return first if distances[first] == 0 else row


def one_label_each(labels: np.ndarray, twins: np.ndarray | None, ordering: np.ndarray) -> np.ndarray:
    """Give rows that coincide the first label among them, in the given order, that is not noise.

    Parameters
    ----------
    labels : (n,) int64 array
        Noise -1.
    twins : (n,) int64 array or None
        For each row one that coincides with it, no later than the row itself.
    ordering : (n,) int64 array

    Returns
    -------
    (n,) int64 array
    """
    if twins is None:
        return labels
    while not np.array_equal(twins, twins[twins]):
        twins = twins[twins]
    labelled = ordering[labels[ordering] >= 0][::-1]
    label_of = np.full(len(labels), -1)
    label_of[twins[labelled]] = labels[labelled]  # of several, the last one written counts: the first in the order
    return label_of[twins]
