"""The labels of all rows in files: brought here block by block, into a file that has no name."""

import os
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

from ..clustering import relabel
from ..primitives.blocks import values_by_block

__all__ = ["Progress", "by_block", "labels_here", "renumber"]

Progress = Callable[[int, int, str], None] | None

_ROWS = 4_194_304


def by_block(on_progress: Progress, what: str, done: int, total: int) -> None:
    """Tell, where somebody listens, how many blocks are done."""
    if on_progress is not None:
        on_progress(done, total, f"{what}, {done:,} of {total:,} blocks")


def labels_here(own: Any, n: int, on_progress: Progress) -> tuple[np.ndarray, np.ndarray, int]:
    """Bring the labels of n rows here.

    Parameters
    ----------
    own : Dask array (n,)
        Labels of an estimator, noise -1.
    n : int
    on_progress : callable, optional

    Returns
    -------
    labels : (n,) int32 array
        In a temporary file that vanishes with the array.
    sizes : (k,) int64 array
        Rows of each label.
    noise : int
    """
    labels = _file_of_labels(n)
    counts, at = np.zeros(1, np.int64), 0  # of noise, then of label 0
    total = len(own.chunks[0])
    for i, part in enumerate(values_by_block(own), 1):
        labels[at : at + len(part)] = part
        at += len(part)
        found = np.bincount(part + 1)
        counts, found = (np.pad(some, (0, max(len(counts), len(found)) - len(some))) for some in (counts, found))
        counts = counts + found
        by_block(on_progress, "labels", i, total)
    return labels, counts[1:], int(counts[0])


def renumber(labels: np.ndarray, label_map: np.ndarray) -> None:
    """Apply a label map in place, some million rows at a time."""
    for start in range(0, len(labels), _ROWS):
        labels[start : start + _ROWS] = relabel(labels[start : start + _ROWS], label_map)


def _file_of_labels(n: int) -> np.ndarray:
    """Return n numbers in a temporary file that has no name, so that nothing of it can be left over."""
    with tempfile.TemporaryFile(prefix="coterie-") as file:
        if hasattr(os, "posix_fallocate"):  # a full disk is an error here, and a crash once the file is mapped
            os.posix_fallocate(file.fileno(), 0, 4 * n)
        return np.memmap(file, np.int32, "r+" if hasattr(os, "posix_fallocate") else "w+", shape=(n,))
