"""DBSCAN of rows in blocks: space is cut into bins, each is clustered with the rows around it, and clusters that share rows are one.

A bin gets the rows in its box and those within ``2 * eps`` of it, so that it knows which rows within ``eps`` of its own are core:
their neighbours are all there. Whatever it joins is then right, and whatever must be joined is joined in some bin. Two bins that see
the same core row give their clusters of it one name. Every bin counts, joins and compares as `coterie.density.dbscan.dbscan` does.
"""

import itertools
import logging
import uuid
from collections.abc import Iterable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..arrays import like_input, to_device, to_numpy
from ..errors import ClusterError, InputError, ResourceError, UnsupportedError
from ..primitives.exchange import Drop, collect, each_block, forget, leave, lost
from ..primitives.memory import free_bytes
from ..primitives.radius import nearest_within, radius_components, radius_counts, radius_index
from ..primitives.space_bins import SpaceBins, owner_bins, reaching_rows, space_bins
from ._dbscan_metric import STRAIGHT

__all__ = ["BlockClusters", "dbscan_of_blocks", "rows_of_blocks"]

_log = logging.getLogger("coterie.density")
_ATTEMPTS = 5
_CHUNK_ROWS = 1 << 20  # of a block, sorted at a time
_SAMPLE_ROWS = 100_000
_SAMPLE_OF_BIN = 256
_BIN_ROWS = 4_000_000  # where memory would hold more: more bins than workers share the work evenly
_LEAST_BIN_ROWS = 50_000
_BINS_PER_TASK = 3
_IMPORTS_BYTES = 256 * 2**20  # what a worker takes before it does anything
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


class _Task(NamedTuple):
    """What all bins are worked on with."""

    token: str
    bins: SpaceBins
    held: np.ndarray  # (bins,) bool: which have rows of their own
    eps: float
    min_samples: float
    dtype: np.dtype
    n_columns: int
    weighted: bool
    device: str
    block_of: np.ndarray  # (chunks,) int64
    start_of: np.ndarray  # (chunks,) int64: number of the first row of the chunk's block


class _Dealt(NamedTuple):
    drop: Drop
    own: np.ndarray  # (bins,) int64: rows of the chunk in each bin
    others: np.ndarray  # (bins,) int64: rows that only reach it


class _Local(NamedTuple):
    rows: Drop  # for each block: numbers of its rows in this bin, and codes
    links: Drop  # for each bin: components of shared rows
    first: np.ndarray  # (components,) int64: number of the first row, n where none is of this bin
    n_core: np.ndarray  # (chunks,) int64
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
        Most rows of a bin and around it; by default what the workers' memory allows.

    Returns
    -------
    BlockClusters
        The labels of `coterie.density.dbscan.dbscan`.

    Raises
    ------
    ResourceError
        If so many rows lie within reach of one another that no worker holds them.
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
            forget(X, token)
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
    """Cut space so that a task holds the rows that reach a bin."""
    n, places = len(X), X.crew.places()
    most = _rows_in_memory(X, places)
    aim = min(0.75 * most, _BIN_ROWS) if bin_rows is None else bin_rows
    wanted = max(1, min(_BINS_PER_TASK * len(places), n // _LEAST_BIN_ROWS)) if len(places) > 1 else 1
    sample_rows = max(_SAMPLE_ROWS, _SAMPLE_OF_BIN * int(n / aim)) if aim < n or wanted > 1 else 1
    drawn = np.concatenate(each_block(X, _sample, min(1.0, sample_rows / n)))
    reach = 2 * _reach(eps, X.dtype)
    bins = space_bins(drawn, n / max(1, len(drawn)), reach, aim if aim < n else np.inf, wanted)
    _log.info("%d bins are reached by %.2f times the rows", bins.n_bins, bins.expected.sum() / n)
    _refuse_crowds(int(bins.expected.max(initial=0)), 1.5 * most, eps, "about ")
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
    n_workers = len({place.address for place in places})
    of_worker = X.crew.memory() / n_workers
    free = 0.5 * free_bytes() if n_workers == 1 and places[0].address == "here" else 0.6 * of_worker - _IMPORTS_BYTES
    of_task = max(free, 0.15 * of_worker) * n_workers / len(places)
    return of_task / _row_bytes(X.shape[1], X.dtype)


def _row_bytes(d: int, dtype: np.dtype) -> int:
    """Return what a row takes in a bin: as it came, in the index and its panels, and twelve whole numbers."""
    return 5 * d * dtype.itemsize + 96


def _reach(eps: float, dtype: np.dtype) -> float:
    """Return a little more than ``eps``: what rounding may let pass for it."""
    return float(eps) * (1.0 + 64.0 * float(np.finfo(dtype).eps))


def _refuse_crowds(n_rows: int, most: float, eps: float, about: str = "") -> None:
    if n_rows > most:
        raise ResourceError(
            f"{about}{n_rows:,} rows lie within 2 * eps of a bin that cannot be made smaller, and {most:,.0f} are as many as a task has memory "
            f"for; lower eps={eps:g}, or give workers more memory or fewer threads"
        )


def _sample(block: Any, share: float) -> np.ndarray:
    rows = to_numpy(block.rows)
    m = int(np.ceil(share * len(rows)))
    chosen = np.random.default_rng(block.rank).choice(len(rows), m, replace=False) if m < len(rows) else slice(None)
    return rows[chosen].astype(np.float64)


# --- dealing rows out, working on bins, joining ----------------------------------------------------------------------


def _clusters(X: Any, bins: SpaceBins, eps: float, min_samples: float, token: str, strict: bool) -> BlockClusters:
    dealt = each_block(X, _deal, token, bins, 2 * _reach(eps, X.dtype))
    chunks = [chunk for of_block in dealt for chunk in of_block]
    block_of = np.repeat(np.arange(len(dealt)), [len(of_block) for of_block in dealt])
    own, others = np.array([chunk.own for chunk in chunks]), np.array([chunk.others for chunk in chunks])
    _refuse_crowds(int((own + others).sum(axis=0).max()), 1.5 * _rows_in_memory(X, X.crew.places()), eps)
    some = np.asarray(own.any(axis=0))
    held: list[int] = np.flatnonzero(some).tolist()
    task = _Task(
        token, bins, some, float(eps), float(min_samples), X.dtype, X.shape[1], X.weights is not None, X.device, block_of,
        X.starts[block_of],
    )  # fmt: skip
    drops = [chunk.drop for chunk in chunks]
    found = collect(X, drops, held, _work_on_bin, task, own=lambda i: (own[:, i], others[:, i]), strict=strict)
    starts = np.concatenate([[0], np.cumsum([len(local.first) for local in found])])
    _refuse_components(int(starts[-1]))
    links = collect(X, [local.links for local in found], held, _same, np.array(held), strict=strict)
    names, n_clusters = _names(starts, held, links, np.concatenate([local.first for local in found]))

    def of_block(block: int) -> tuple[int, dict[int, np.ndarray]]:
        senders = [i for i, local in enumerate(found) if local.rows.sizes[block]]
        return int(X.lengths[block]), {i: names[starts[i] : starts[i + 1]] for i in senders}

    drops = [local.rows for local in found]
    labels = collect(X, drops, range(len(dealt)), _labels_of_block, f"{token}-labels", own=of_block, strict=strict)
    n_core = np.bincount(block_of, np.sum([local.n_core for local in found], axis=0), len(dealt)).astype(np.int64)
    return BlockClusters(f"{token}-labels", labels, n_core, n_clusters, sum(local.n_noise for local in found))


def _deal(block: Any, token: str, bins: SpaceBins, reach: float) -> list[_Dealt]:
    """Leave the rows of a block for the bins that they reach."""
    rows, weight = to_numpy(block.rows), block.weight
    found = []
    for start in range(0, max(1, len(rows)), _CHUNK_ROWS):
        chunk = slice(start, start + _CHUNK_ROWS)
        found.append(_deal_chunk(rows[chunk], None if weight is None else weight[chunk], start, token, bins, reach))
    return found


def _deal_chunk(
    rows: np.ndarray, weight: np.ndarray | None, start: int, token: str, bins: SpaceBins, reach: float
) -> _Dealt:
    n_own, n_others = np.zeros((2, bins.n_bins), np.int64)

    def slices() -> Iterable[list[np.ndarray]]:
        at = 0
        for i, own, others in reaching_rows(bins, rows, reach):
            while at < i:
                at += 1
                yield []
            at += 1
            n_own[i], n_others[i] = len(own), len(others)
            weights = [] if weight is None else [weight[own], weight[others]]
            yield [(own + start).astype(np.uint32), *weights, rows[own], rows[others]]
        while at < bins.n_bins:
            at += 1
            yield []

    return _Dealt(leave(token, slices()), n_own, n_others)


def _work_on_bin(i: int, pieces: Iterable, n_own: np.ndarray, n_others: np.ndarray, task: _Task) -> _Local:
    """Cluster the rows that reach a bin, and leave what its blocks and the other bins must know."""
    numbers, weight, rows = _gather(pieces, n_own, n_others, task)
    m = int(n_own.sum())
    X = to_device(rows, task.device)
    index = radius_index(X, task.eps)
    core = radius_counts(index, sample_weight=weight, enough=task.min_samples) >= task.min_samples
    core_here = to_numpy(core)
    near = m + _near(rows[m:], i, task)
    known = core_here.copy()
    known[m:] = False
    known[near] = core_here[near]
    core = like_input(known, core)
    component = to_numpy(radius_components(index, core))
    codes = np.where(core_here[:m], 2 * component[:m] + 1, -1)
    border = np.flatnonzero(~core_here[:m])
    if len(border) and core_here.any():
        nearest = to_numpy(nearest_within(index, X[border], core)[0])
        inside = nearest >= 0
        codes[border[inside]] = 2 * component[nearest[inside]]
    del index, X
    sources = np.repeat(np.arange(len(n_own)), n_own)
    first = np.full(int(component.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    members = np.flatnonzero(codes >= 0)[::-1]
    first[codes[members] >> 1] = (task.start_of[sources] + numbers)[members]  # the last to be written is the first row
    n_core = np.bincount(sources[core_here[:m]], minlength=len(n_own))
    links = leave(task.token, _links(i, rows, component, m, near, task))
    codes = codes.astype(np.int32 if len(first) < 2**30 else np.int64)
    ends = np.searchsorted(task.block_of[sources], np.arange(int(task.block_of.max()) + 2))
    parts = ([numbers[a:b], codes[a:b]] for a, b in itertools.pairwise(ends))
    return _Local(leave(task.token, parts), links, first, n_core, int((codes < 0).sum()))


def _gather(
    pieces: Iterable, n_own: np.ndarray, n_others: np.ndarray, task: _Task
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Put the pieces of the chunks together: rows of the bin in the order of all rows, then those around it, in that order too."""
    m, n = int(n_own.sum()), int(n_own.sum() + n_others.sum())
    numbers, rows = np.empty(m, np.uint32), np.empty((n, task.n_columns), task.dtype)
    weight = np.empty(n) if task.weighted else None
    at, beyond = 0, m
    for chunk, data in pieces:
        a, b = int(n_own[chunk]), int(n_others[chunk])
        numbers[at : at + a] = np.frombuffer(data, np.uint32, a)
        offset = 4 * a
        for values in (rows,) if weight is None else (weight, rows):
            width = values[0].size
            for begin, count in ((at, a), (beyond, b)):
                part = np.frombuffer(data, values.dtype, count * width, offset)
                values[begin : begin + count] = part.reshape(values[begin : begin + count].shape)
                offset += part.nbytes
        at, beyond = at + a, beyond + b
    return numbers, weight, rows


def _near(around: np.ndarray, i: int, task: _Task) -> np.ndarray:
    """Return which rows around a bin lie within ``eps`` of it: how many neighbours they have is known, unlike further out."""
    reach = np.float64(_reach(task.eps, task.dtype))
    low, high = task.bins.low[i] - reach, task.bins.high[i] + reach
    return np.flatnonzero(((around >= low) & (around <= high)).all(axis=1))


def _links(
    i: int, rows: np.ndarray, component: np.ndarray, m: int, near: np.ndarray, task: _Task
) -> Iterable[list[np.ndarray]]:
    """Give each bin the components of the core rows of one that are within ``eps`` of the other, as this bin sees them.

    Both bins list the same rows in the same order. The bin of the greater number compares: it leaves its own lists for itself.
    """
    bins, reach = task.bins, _reach(task.eps, task.dtype)
    mine = {
        j: component[:m][others] for j, _, others in reaching_rows(bins, rows[:m], reach) if j != i and task.held[j]
    }
    owner = owner_bins(bins, rows[near])
    order = np.argsort(owner, kind="stable")
    ends = np.searchsorted(owner[order], np.arange(bins.n_bins + 1))
    seen = component[near]
    nothing = np.empty(0, component.dtype)

    def lists(j: int) -> list[np.ndarray]:
        parts = [mine.get(j, nothing), seen[order[ends[j] : ends[j + 1]]]]
        if not any((part >= 0).any() for part in parts):
            return [np.zeros(2, np.int32)]
        return [np.array([len(part) for part in parts], np.int32), *(part.astype(np.int32) for part in parts)]

    for j in range(bins.n_bins):
        if j < i:
            yield []
        elif j > i:
            yield lists(j) if j in mine or ends[j + 1] > ends[j] else []
        else:
            yield [
                part for other in range(i) if other in mine or ends[other + 1] > ends[other] for part in lists(other)
            ]


def _same(j: int, pieces: Iterable, held: np.ndarray) -> np.ndarray:
    """Return which components of other bins have core rows in common with which of this bin: other bin, its component, this one's."""
    theirs: list[tuple[int, np.ndarray, np.ndarray]] = []
    mine: list[np.ndarray] = []
    for sender, data in pieces:
        lists = _unpacked(np.frombuffer(data, np.int32))
        if held[sender] == j:
            mine = lists
        else:
            theirs.append((int(held[sender]), lists[0], lists[1]))
    found = []
    for (i, sent, seen), (sent_here, seen_here) in zip(theirs, zip(mine[::2], mine[1::2], strict=True), strict=True):
        keys = np.unique(np.concatenate([_pairs(sent, seen_here), _pairs(seen, sent_here)]))
        found.append(np.stack([np.full(len(keys), i), keys >> 32, keys & 0xFFFFFFFF], axis=1))
    return np.concatenate(found) if found else np.empty((0, 3), np.int64)


def _pairs(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if len(a) != len(b):  # one side holds no core row: sums of weights were rounded otherwise there
        return np.empty(0, np.int64)
    both = (a >= 0) & (b >= 0)
    return np.unique(a[both].astype(np.int64) << 32 | b[both])


def _unpacked(values: np.ndarray) -> list[np.ndarray]:
    found = []
    while len(values):
        a, b = int(values[0]), int(values[1])
        found += [values[2 : 2 + a], values[2 + a : 2 + a + b]]
        values = values[2 + a + b :]
    return found


def _names(starts: np.ndarray, held: list[int], links: list[np.ndarray], first: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the label of every component of every bin, and how many clusters there are, numbered by their first rows."""
    n, place = len(first), np.zeros(max(held) + 1, np.int64)
    place[held] = np.arange(len(held))
    a = np.concatenate([starts[place[found[:, 0]]] + found[:, 1] for found in links])
    b = np.concatenate([starts[i] + found[:, 2] for i, found in enumerate(links)])
    _, joined = connected_components(coo_array((np.ones(len(a), bool), (a, b)), shape=(n, n)), directed=False)
    least = np.full(int(joined.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(least, joined, first)
    rank = np.empty(len(least), np.int64)
    rank[np.argsort(least)] = np.arange(len(least))
    return rank[joined], int((least < np.iinfo(np.int64).max).sum())


def _refuse_components(n: int) -> None:
    if n * _COMPONENT_BYTES > free_bytes():
        raise ResourceError(
            f"{n:,} clusters of bins need {n * _COMPONENT_BYTES / 2**30:.1f} GiB here, and {free_bytes() / 2**30:.1f} GiB are free; raise eps or "
            "min_samples, so that fewer rows are clusters of their own"
        )


def _labels_of_block(block: int, pieces: Iterable, n_rows: int, names: dict[int, np.ndarray], token: str) -> Drop:
    """Leave the codes of the rows of a block, with the labels of all rows in place of the components of bins."""
    codes = np.empty(n_rows, np.int64)
    for sender, data in pieces:
        size = 4 if names[sender].size < 2**30 else 8
        m = len(data) // (4 + size)
        found = np.frombuffer(data, np.int32 if size == 4 else np.int64, m, 4 * m).astype(np.int64)
        inside = found >= 0
        found[inside] = names[sender][found[inside] >> 1] << 1 | (found[inside] & 1)
        codes[np.frombuffer(data, np.uint32, m)] = found
    most = codes.max(initial=-1)
    return leave(token, [[codes.astype(np.int32 if most < 2**31 else np.int64)]])
