"""DBSCAN of rows in blocks: space is cut into bins, each is clustered with the rows around it, and clusters that share rows are one.

First each bin finds out which of its rows are core, for which it needs the rows within ``eps`` of it, and joins them. Then each looks at
the core rows within ``eps`` of it, as their own bins know them: a pair of them that is near makes two clusters one, and a border row goes
to the nearest core row of all. Every bin counts, joins and compares as `coterie.density.dbscan.dbscan` does.
"""

import logging
import uuid
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..arrays import to_numpy
from ..errors import ClusterError, InputError, ResourceError, UnsupportedError
from ..primitives.blocks import each_block
from ..primitives.exchange import Drop, collect, forget, lost
from ..primitives.memory import free_bytes
from ..primitives.radius import radius_index
from ..primitives.space_bins import SpaceBins, owner_bins, space_bins
from ._dbscan_bins import Local, cluster_bin, labels_of_block
from ._dbscan_deal import BinTask, deal_block, reach_of
from ._dbscan_join import Joined, join_bin, same_sets
from ._dbscan_metric import STRAIGHT
from ._drawn import drawn_rows

__all__ = ["BlockClusters", "dbscan_of_blocks", "rows_of_blocks"]

_log = logging.getLogger("coterie.density")
_ATTEMPTS = 5
_SAMPLE_ROWS = 100_000
_SAMPLE_OF_BIN = 256
# Where memory would hold more: 25M rows took 89 s in bins of four million and 49 s in bins of one, which caches hold better.
_BIN_ROWS = 1_000_000
_LEAST_BIN_ROWS = 50_000
_BINS_PER_TASK = 3
_FEWEST_BIN_ROWS = 20_000  # however little memory there is
_SHARE = 0.45  # of what a worker has left: pieces of rows, and what allocators keep, take as much again
_TOLERANCE = 1.5  # how many times the rows of a bin may exceed what was aimed at
_AROUND = 0.25  # of the rows that a task holds: so many of other bins at a time
_SAMPLE_ROWS_OF_RIM = 20_000
_EQUAL_ROW_BYTES = 40  # of a row that is another's equal
_COMPONENT_BYTES = 64  # on the client


class BlockClusters(NamedTuple):
    """What was found; labels lie in files beside the workers, a block each."""

    token: str  # of these files
    labels: list[
        Drop
    ]  # int32 codes, or int64 for very many clusters: twice the label, plus one for core rows; -1 for noise
    n_core: np.ndarray  # (blocks,) int64
    n_clusters: int
    n_noise: int


def dbscan_of_blocks(X: Any, eps: float, min_samples: int, *, bin_rows: int | None = None) -> BlockClusters:
    """Find the clusters of rows in blocks that lie densely together.

    Parameters
    ----------
    X : rows in blocks
        From `coterie.primitives.blocks.block_rows`, with their weights.
    eps : float
        Radius of a neighbourhood; the ball is closed.
    min_samples : int
        Least number, or weight, of rows within ``eps`` of a core row, itself included.
    bin_rows : int, optional
        Most rows of a bin; by default what the workers' memory allows.

    Returns
    -------
    BlockClusters
        The labels of `coterie.density.dbscan.dbscan`.

    Raises
    ------
    ResourceError
        If rows lie in a bin that cannot be made smaller, and no worker holds them.
    ClusterError
        If workers are lost again and again.
    """
    _check_radius(X, eps)
    bins = _bins(X, eps, bin_rows)
    for attempt in range(_ATTEMPTS):
        token = f"coterie-{uuid.uuid4().hex}"
        try:
            return _clusters(X, bins, eps, min_samples, token, strict=attempt > 0)
        except lost() as gone:
            _log.info("files of a lost worker are missing (%s); the rows are dealt out again", gone)
            forget(X, f"{token}-labels")
        except BaseException:
            forget(X, f"{token}-labels")
            raise
        finally:
            for part in (token, f"{token}-own", f"{token}-around"):
                forget(X, part)
    raise ClusterError(f"workers were lost {_ATTEMPTS} times while rows were being worked on; nothing was fitted")


def rows_of_blocks(X: Any, metric: Any) -> Any:
    """Return rows in blocks as the metric wants them, of straight lines between them.

    Raises
    ------
    UnsupportedError
        If distances are no straight lines.
    InputError
        If all weights are zero.
    """
    if metric.name not in STRAIGHT:
        raise UnsupportedError(
            f"metric={metric.name!r} needs all rows at once; rows in blocks take {', '.join(STRAIGHT)}"
        )
    if not sum(seen.weight for seen in X.surveys) > 0:
        raise InputError("sample_weight is zero for every row; give some row a weight, or leave sample_weight out")
    if metric.name != "cosine":
        return X
    prepared = X.prepared(partial(_as_measured, metric))
    prepared.shape = (len(X), X.shape[1] + 1)
    return prepared


def _as_measured(metric: Any, rows: Any) -> Any:
    return metric.rows(rows) if len(rows) else np.empty((0, rows.shape[1] + 1), rows.dtype)


# --- the plan --------------------------------------------------------------------------------------------------------


def _bins(X: Any, eps: float, bin_rows: int | None) -> SpaceBins:
    """Cut space so that a task holds the rows of a bin."""
    n, places = len(X), X.crew.places()
    most = _rows_in_memory(X, places)
    aim = min(most, _BIN_ROWS) if bin_rows is None else bin_rows
    wanted = max(1, min(_BINS_PER_TASK * len(places), n // _LEAST_BIN_ROWS)) if len(places) > 1 else 1
    sample_rows = max(_SAMPLE_ROWS, _SAMPLE_OF_BIN * int(n / aim)) if aim < n or wanted > 1 else 1
    drawn = drawn_rows(X, min(1.0, sample_rows / n)).astype(np.float64)
    bins = space_bins(drawn, n / max(1, len(drawn)), reach_of(eps, X.dtype), aim if aim < n else np.inf, wanted)
    _log.info(
        "%d bins; as many rows as %.2f of all lie around them", bins.n_bins, (bins.reached - bins.expected).sum() / n
    )
    crowds = [_crowd(i, bins, drawn) for i in np.flatnonzero(bins.expected > _TOLERANCE * most).tolist()]
    _refuse_crowds(int(max(crowds, default=0)), _TOLERANCE * most, eps, "about ")
    return bins


def _check_radius(X: Any, eps: float) -> None:
    """Refuse what no index over all rows would take: each bin would judge by its own rows."""
    low, high = (
        to_numpy(choose([getattr(seen, name) for seen in X.surveys], axis=0))
        for name, choose in (("low", np.min), ("high", np.max))
    )
    largest = max(-float(low.min()), float(high.max())) if X.shape[1] == len(low) else 1.0
    radius_index(np.array([[largest]], X.dtype), eps)


def _rows_in_memory(X: Any, places: list) -> float:
    """Return how many rows a task can work on."""
    of_task = _SHARE * X.crew.memory() / len(places)
    return max(_FEWEST_BIN_ROWS, of_task / _row_bytes(X.shape[1], X.dtype))


def _row_bytes(d: int, dtype: np.dtype) -> int:
    """Return what a row takes in a bin: as it came, in the index and its panels, and twelve whole numbers."""
    return 5 * d * dtype.itemsize + 96


def _crowd(i: int, bins: SpaceBins, drawn: np.ndarray) -> float:
    """Return how many distinct rows lie in a bin, by the sample."""
    inside = drawn[owner_bins(bins, drawn) == i]
    return float(bins.expected[i]) * len(np.unique(inside, axis=0)) / max(1, len(inside))


def _refuse_crowds(n_rows: int, most: float, eps: float, about: str = "") -> None:
    if n_rows > most:
        raise ResourceError(
            f"{about}{n_rows:,} rows lie in a bin that cannot be made smaller, because eps={eps:g} reaches across so many, and {most:,.0f} are as "
            "many as a task has memory for; lower eps, or give workers more memory or fewer threads"
        )


# --- dealing rows out, working on bins, joining ----------------------------------------------------------------------


def _clusters(X: Any, bins: SpaceBins, eps: float, min_samples: float, token: str, strict: bool) -> BlockClusters:
    tokens = f"{token}-own", f"{token}-around"
    dealt = each_block(X, deal_block, tokens, bins, reach_of(eps, X.dtype))
    chunks = [chunk for of_block in dealt for chunk in of_block]
    block_of = np.repeat(np.arange(len(dealt)), [len(of_block) for of_block in dealt])
    own, others = np.array([chunk.n_own for chunk in chunks]), np.array([chunk.n_others for chunk in chunks])
    most = _TOLERANCE * _rows_in_memory(X, X.crew.places())
    # Equal rows are put together in a task, but it knows of each which they are.
    together = most * _row_bytes(X.shape[1], X.dtype) / _EQUAL_ROW_BYTES
    _refuse_crowds(int(own.sum(axis=0).max()), max(most, together), eps)
    held = np.flatnonzero(own.any(axis=0))
    task = BinTask(
        token, bins, held, float(eps), float(min_samples), X.dtype, X.shape[1], X.weights is not None, X.device, most,
        max(1, int(_AROUND * most)), _SAMPLE_ROWS_OF_RIM, block_of, X.starts[block_of],
    )  # fmt: skip
    around = [chunk.others for chunk in chunks]
    found = collect(
        X, [chunk.own for chunk in chunks] + around, held.tolist(), cluster_bin, task, own=lambda i: (own[:, i],), strict=strict
    )  # fmt: skip
    forget(X, tokens[0])
    starts = np.zeros(bins.n_bins + 1, np.int64)
    starts[held + 1] = [len(local.first) for local in found]
    starts = np.cumsum(starts)
    _refuse_components(int(starts[-1]))
    drops = around + [local.links for local in found]
    joined = collect(
        X, drops, held.tolist(), join_bin, starts, task, own=lambda i: (int(others[:, i].sum()),), strict=strict
    )
    forget(X, tokens[1])
    names, n_clusters = _names(found, joined)
    of_sender = [names[starts[i] : starts[i + 1]] for i in held] + [names[local.names] for local in joined]
    drops = [local.rows for local in found] + [local.rows for local in joined]

    def of_block(block: int) -> tuple[int, dict[int, np.ndarray]]:
        return int(X.lengths[block]), {i: of_sender[i] for i, drop in enumerate(drops) if drop.sizes[block]}

    labels = collect(X, drops, range(len(dealt)), labels_of_block, f"{token}-labels", own=of_block, strict=strict)
    n_core = np.bincount(block_of, np.sum([local.n_core for local in found], axis=0), len(dealt)).astype(np.int64)
    n_noise = sum(local.n_noise for local in (*found, *joined))
    return BlockClusters(f"{token}-labels", labels, n_core, n_clusters, n_noise)


def _names(found: list[Local], joined: list[Joined]) -> tuple[np.ndarray, int]:
    """Return the label of every component of every bin, and how many clusters there are, numbered by their first rows."""
    first = np.concatenate([local.first for local in found])
    for more in joined:
        np.minimum.at(first, more.known, more.first)
    cluster = same_sets(np.concatenate([more.links for more in joined]), len(first))
    n_clusters = int(cluster.max(initial=-1)) + 1
    least = np.full(n_clusters, np.iinfo(np.int64).max)
    np.minimum.at(least, cluster, first)
    rank = np.empty(n_clusters, np.int64)
    rank[np.argsort(least)] = np.arange(n_clusters)
    return rank[cluster], n_clusters


def _refuse_components(n: int) -> None:
    if n * _COMPONENT_BYTES > free_bytes():
        raise ResourceError(
            f"{n:,} clusters of bins need {n * _COMPONENT_BYTES / 2**30:.1f} GiB here, and {free_bytes() / 2**30:.1f} GiB are free; raise eps or "
            "min_samples, so that fewer rows are clusters of their own"
        )
