"""Labels of rows in blocks, which lie in blocks of their own: how many rows each has, and where."""

from typing import Any, NamedTuple

import numpy as np

from .engine import engine_of

__all__ = [
    "LabelCounts",
    "class_counts",
    "in_range",
    "label_counts",
    "labelled",
    "labelled_rows_at",
    "rows_by_number",
]


class LabelCounts(NamedTuple):
    """What labels occur among rows in blocks."""

    names: np.ndarray  # (k,) the labels, ascending
    sizes: np.ndarray  # (k,) int64: rows of each
    firsts: np.ndarray  # (k,) int64: number of the first row of each
    noise: np.ndarray  # (blocks,) int64: rows of each block that are labelled -1, which is none of the names


def labelled(rows: Any, labels: Any) -> Any:
    """Return rows in blocks with a label of each beside them.

    Parameters
    ----------
    rows : BlockRows
    labels : Dask array or series (n,) in the same blocks, or (n,) array-like
        Rows that nobody looked at (`coterie.primitives.blocks.rows_as_they_are`) take an array where they are in files.

    Returns
    -------
    BlockRows

    Raises
    ------
    InputError
        If there is not one label for each row, as far as that can be seen without computing anything.
    """
    return engine_of(rows, "block_labels").labelled(rows, labels)


def label_counts(rows: Any) -> LabelCounts:
    """Count the labels of rows from `labelled`, in one pass that does not read the rows.

    Parameters
    ----------
    rows : BlockRows

    Returns
    -------
    LabelCounts

    Raises
    ------
    InputError
        If a block has not one label for each row.
    """
    return LabelCounts(*engine_of(rows, "block_labels").label_counts(rows))


def class_counts(classes: Any, n_groups: int) -> dict[str, np.ndarray]:
    """Count the rows of known classes in each group, in one pass.

    Parameters
    ----------
    classes : BlockRows
        With labels from `labelled`; what they are made from (`coterie.tables.known_classes.ClassFiles`) loads names and numbers of
        names, -1 where no class is known.
    n_groups : int
        Labels are below it; -1, no cluster, counts as the last group.

    Returns
    -------
    dict of str to (n_groups,) int64 array
        The same for any order of the blocks.
    """
    return engine_of(classes, "block_labels").class_counts(classes, n_groups)


def labelled_rows_at(rows: Any, names: np.ndarray, at: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return some of the rows that are in a cluster, in one pass.

    Parameters
    ----------
    rows : BlockRows
        From `labelled`.
    names : (k,) array
        Labels of the clusters, ascending.
    at : (m,) int64 array
        Ascending numbers among the rows that are in one, in the order in which the blocks were given.
    noise : (blocks,) int64 array
        Rows of each block that are in none.

    Returns
    -------
    values : (m, d) float array
        On the host.
    codes : (m,) int64 array
        Which of the names each has.
    """
    return engine_of(rows, "block_labels").labelled_rows_at(rows, names, at, noise)


def rows_by_number(rows: Any, numbers: np.ndarray) -> np.ndarray:
    """Return some rows in blocks, numbered in the order in which the blocks were given.

    Parameters
    ----------
    rows : BlockRows
    numbers : (m,) int64 array

    Returns
    -------
    (m, d) float array
        On the host, in one pass that reads no block without any of them.
    """
    return engine_of(rows, "block_labels").rows_by_number(rows, numbers)


def in_range(rows: Any) -> Any:
    """Return rows in blocks divided by a power of two where their squares would overflow or vanish; else the same.

    Parameters
    ----------
    rows : BlockRows

    Returns
    -------
    BlockRows
    """
    return engine_of(rows, "block_labels").in_range(rows)
