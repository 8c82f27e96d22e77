"""Rows in blocks for HDBSCAN*: which way they are fitted, by how many there are and what memory there is.

What one task could hold is brought to this process. More rows stay on the workers, and only their spanning tree comes here, as long
as it fits. Beyond, a sample is brought here and the others are labelled by it.
"""

import warnings
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..arrays import normalize_rows, to_numpy
from ..errors import ClusterWarning, ResourceError, UnsupportedError
from ..primitives.blocks import by_block, each_block, says
from ..primitives.exchange import derived, gathered
from ..primitives.memory import free_bytes
from ._drawn import drawn_rows
from ._hdbscan_metric import STRAIGHT
from ._hdbscan_tree import MOST_BINS, bins_needed

__all__ = [
    "Sample", "gathered_rows", "in_blocks_of", "in_straight_lines", "refuse_distances", "rows_in_memory", "rows_later", "sampled",
    "stay_on_workers", "tree_fits", "warn_of_sample",
]  # fmt: skip

_ROW_BYTES = 160  # of a row in trees and results, at their peak
_TREE_BYTES = 230  # the same where the tree comes here from bins
_COPIES = 4  # of the rows: as they came, put together, kept for predict, and in the tree
_MOST_SAMPLED = 1_000_000  # they go to every worker
_FEWEST_SAMPLED = 1000
_LEAST_GROUP = 5  # rows of a sample: fewer lie together by chance


class Sample(NamedTuple):
    """Rows that stand for all, and what the parameters that count rows are among them."""

    rows: np.ndarray  # (m, d)
    share: float
    min_cluster_size: int
    min_samples: int
    max_cluster_size: int | None


def refuse_distances(metric: Any) -> None:
    """Refuse rows in blocks that are distances.

    Raises
    ------
    UnsupportedError
    """
    if metric == "precomputed":
        raise UnsupportedError(
            "metric='precomputed' needs all distances at once; pass X.compute() if they fit into memory"
        )


def stay_on_workers(X: Any, metric: Any) -> bool:
    """Say whether there are too many rows to bring them here: more than a task on a worker would hold, or than memory does."""
    needed = len(X) * _bytes_of_row(X)
    of_task = X.crew.memory() / len(X.crew.places())
    return needed > free_bytes() or (needed > of_task and _in_bins(X, metric))


def tree_fits(X: Any, metric: Any, k: int) -> bool:
    """Say whether rows can be worked on in bins, and their spanning tree fits here."""
    return _in_bins(X, metric) and len(X) * _TREE_BYTES <= free_bytes() and bins_needed(X, k) <= MOST_BINS


def _in_bins(X: Any, metric: Any) -> bool:
    return isinstance(metric, str) and metric in STRAIGHT and X.device == "cpu"


def _bytes_of_row(X: Any) -> int:
    return _ROW_BYTES + _COPIES * X.shape[1] * X.dtype.itemsize


def rows_in_memory(X: Any) -> np.ndarray:
    """Return all rows."""
    return np.concatenate(each_block(X, _values))


def in_straight_lines(X: Any, metric: Any) -> Any:
    """Return rows in blocks between which straight lines are measured in place of the metric."""
    if metric != "cosine":
        return X
    largest = max(max(-float(seen.low.min()), float(seen.high.max())) for seen in X.surveys)
    return X.prepared(partial(_normalized, largest))


def _normalized(largest: float, rows: Any) -> Any:
    """Scale rows to length 1, to the bits that they have among rows of which that is the greatest value."""
    top = np.zeros((1, rows.shape[1]), rows.dtype)
    top[0, 0] = largest
    return normalize_rows(np.concatenate([rows, top]))[:-1]


def in_blocks_of(X: Any, values: np.ndarray) -> Any:
    """Return one value for each row as a Dask array in the blocks of the rows."""
    parts = np.split(values, np.cumsum(X.lengths)[:-1])
    return derived(parts, _same, X.lengths, values.dtype)


def rows_later(X: Any, rows: Any) -> Any:
    """Return the rows as a Dask array, for `gathered_rows`.

    Parameters
    ----------
    X : Dask array, Dask frame, or RowFiles
        As it was given.
    rows : rows in blocks
        Made from it.
    """
    return by_block(X, _same, rows.dtype, rows.shape[1], rows.lengths)


def gathered_rows(rows: Any) -> np.ndarray:
    """Bring the rows of a fit to this process.

    Raises
    ------
    ResourceError
        If they do not fit.
    """
    n, d = rows.shape
    needed = _COPIES * n * d * rows.dtype.itemsize
    if needed > free_bytes():
        raise ResourceError(
            f"predict needs the {n:,} rows of the fit in one process: {needed / 2**30:.1f} GiB, and {free_bytes() / 2**30:.1f} GiB are free; fit "
            "on a sample of the rows to predict others"
        )
    return gathered(rows)[0]


@says("bringing the rows here")
def _values(block: Any) -> np.ndarray:
    return to_numpy(block.rows)


def _same(values: np.ndarray) -> np.ndarray:
    return values


# --- a sample --------------------------------------------------------------------------------------------------------


def sampled(X: Any, min_cluster_size: int, min_samples: int, max_cluster_size: int | None) -> Sample:
    """Draw as many rows as this process, and each task, can hold; a row's chance does not depend on the order of blocks.

    Raises
    ------
    ResourceError
        If they would be too few to stand for all.
    """
    n = len(X)
    memory = min(free_bytes(), X.crew.memory() / len(X.crew.places()))
    m = int(min(_MOST_SAMPLED, n, memory / _bytes_of_row(X)))
    if m < min(n, _FEWEST_SAMPLED):
        raise ResourceError(
            f"HDBSCAN of {n:,} rows needs {n * _bytes_of_row(X) / 2**30:.1f} GiB in this process, and {free_bytes() / 2**30:.1f} GiB are free, "
            "too few even for a sample of the rows; free some memory, or take DBSCAN, which holds a part at a time"
        )
    rows = drawn_rows(X, m / n)
    share = len(rows) / n

    def among_sampled(count: int) -> int:
        return max(min(count, _LEAST_GROUP), round(share * count))

    most = None if max_cluster_size is None else max(1, round(share * max_cluster_size))
    return Sample(rows, share, among_sampled(min_cluster_size), among_sampled(min_samples), most)


def warn_of_sample(X: Any, sample: Sample) -> None:
    """Say that what was found is approximate, and what may be missing."""
    needed = len(X) * _TREE_BYTES
    why = f"its tree takes {needed / 2**30:,.1f} GiB here of {free_bytes() / 2**30:,.1f} GiB free"
    if needed <= free_bytes():
        why = "the workers have too little memory for two bins of the rows at a time, or the metric needs all rows at once"
    warnings.warn(
        f"HDBSCAN of {len(X):,} rows is approximate: it is exact for a sample of {len(sample.rows):,} ({sample.share:.2%}), which labels the "
        f"others, and groups below some {sample.min_cluster_size / sample.share:,.0f} rows may be noise or missed ({why})",
        ClusterWarning, stacklevel=5,
    )  # fmt: skip
