"""What a worker does for DBSCAN of rows in blocks: deal a block out to bins, cluster the rows of a bin, put labels back in blocks.

A bin that more rows reach than a task has memory for is clustered by its distinct rows, each with the weight of all that equal it.
"""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..arrays import like_input, to_device, to_numpy
from ..errors import ResourceError
from ..primitives.exchange import Drop, leave
from ..primitives.radius import nearest_within, radius_components, radius_counts, radius_index
from ..primitives.space_bins import SpaceBins, owner_bins, reaching_rows

__all__ = ["BinTask", "Dealt", "Local", "deal_block", "labels_of_block", "reach_of", "same_components", "work_on_bin"]

_CHUNK_ROWS = 1 << 20  # of a block, sorted at a time
_UNSEEN = np.iinfo(np.int64).max


class BinTask(NamedTuple):
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
    most_rows: float  # beyond, equal rows are put together
    start_of: np.ndarray  # (chunks,) int64: number of the first row of the chunk's block


class Dealt(NamedTuple):
    drop: Drop
    own: np.ndarray  # (bins,) int64: rows of the chunk in each bin
    others: np.ndarray  # (bins,) int64: rows that only reach it


class Local(NamedTuple):
    rows: Drop  # for each block: numbers of its rows in this bin, and codes
    links: Drop  # for each bin: components of shared rows
    first: np.ndarray  # (components,) int64: number of the first row, n where none is of this bin
    n_core: np.ndarray  # (chunks,) int64
    n_noise: int


def reach_of(eps: float, dtype: np.dtype) -> float:
    """Return a little more than ``eps``: what rounding may let pass for it."""
    return float(eps) * (1.0 + 64.0 * float(np.finfo(dtype).eps))


def deal_block(block: Any, token: str, bins: SpaceBins, reach: float) -> list[Dealt]:
    """Leave the rows of a block for the bins that they reach."""
    rows, weight = to_numpy(block.rows), block.weight
    found = []
    for start in range(0, max(1, len(rows)), _CHUNK_ROWS):
        chunk = slice(start, start + _CHUNK_ROWS)
        found.append(_deal_chunk(rows[chunk], None if weight is None else weight[chunk], start, token, bins, reach))
    return found


def _deal_chunk(
    rows: np.ndarray, weight: np.ndarray | None, start: int, token: str, bins: SpaceBins, reach: float
) -> Dealt:
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

    return Dealt(leave(token, slices()), n_own, n_others)


def work_on_bin(i: int, pieces: Iterable, n_own: np.ndarray, n_others: np.ndarray, task: BinTask) -> Local:
    """Cluster the rows that reach a bin, and leave what its blocks and the other bins must know."""
    crowded = n_own.sum() + n_others.sum() > task.most_rows
    found = (_distinct if crowded else _gathered)(pieces, n_own, n_others, task)
    near = found.m + _near(found.rows[found.m :], i, task)
    codes, component = _clustered(found, near, task)
    links = leave(task.token, _links(i, found, component, near, task))
    codes = codes if found.own is None else codes[found.own]
    first, n_core = _seen(codes, found.numbers, n_own, task, int(component.max(initial=-1)) + 1)
    ends = np.concatenate([[0], np.cumsum(np.bincount(task.block_of, n_own).astype(np.int64))])
    parts = ([found.numbers[a:b], codes[a:b]] for a, b in itertools.pairwise(ends))
    return Local(leave(task.token, parts), links, first, n_core, int((codes < 0).sum()))


class _Rows(NamedTuple):
    """The rows that reach a bin; where some are equal and stand once, which of them each row is."""

    numbers: np.ndarray  # (rows of the bin,) uint32: in their blocks
    rows: np.ndarray  # (n, d): the first m are of the bin
    m: int
    weight: np.ndarray | None  # (n,) float64
    own: np.ndarray | None  # (rows of the bin,) int32: place in ``rows``, None where each has its own
    others: np.ndarray | None  # (rows around it,) int32: the same, for ``rows[m:]``


def _clustered(found: _Rows, near: np.ndarray, task: BinTask) -> tuple[np.ndarray, np.ndarray]:
    """Return the codes of the rows of a bin, and the component of every core row of it and within ``eps`` of it."""
    m, X = found.m, to_device(found.rows, task.device)
    index = radius_index(X, task.eps)
    counts = radius_counts(index, sample_weight=found.weight, enough=task.min_samples)
    is_core = to_numpy(counts >= task.min_samples)
    known = is_core.copy()
    known[m:] = False  # further out, not all neighbours are here
    known[near] = is_core[near]
    core = like_input(known, X)
    component = to_numpy(radius_components(index, core))
    codes = np.where(is_core[:m], 2 * component[:m] + 1, -1)
    border = np.flatnonzero(~is_core[:m])
    if len(border) and known.any():
        nearest = to_numpy(nearest_within(index, X[border], core)[0])
        inside = nearest >= 0
        codes[border[inside]] = 2 * component[nearest[inside]]
    return codes.astype(np.int32), component  # a bin with 2^30 components would hold no rows


def _seen(
    codes: np.ndarray, numbers: np.ndarray, n_own: np.ndarray, task: BinTask, n_components: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first row of each component, and how many core rows each chunk has in this bin."""
    first, n_core = np.full(n_components, _UNSEEN), np.zeros(len(n_own), np.int64)
    ends = np.cumsum(n_own)
    for chunk in np.flatnonzero(n_own):
        part = slice(ends[chunk] - n_own[chunk], ends[chunk])
        members = np.flatnonzero(codes[part] >= 0)[::-1]
        found = codes[part][members]
        n_core[chunk] = (found & 1).sum()
        new = first[found >> 1] == _UNSEEN
        first[found[new] >> 1] = numbers[part][members[new]] + task.start_of[chunk]  # the last written is the first row
    return first, n_core


def _gathered(pieces: Iterable, n_own: np.ndarray, n_others: np.ndarray, task: BinTask) -> _Rows:
    """Put the pieces of the chunks together: rows of the bin in the order of all rows, then those around it, in that order too."""
    m, n = int(n_own.sum()), int(n_own.sum() + n_others.sum())
    numbers, rows = np.empty(m, np.uint32), np.empty((n, task.n_columns), task.dtype)
    weight = np.empty(n) if task.weighted else None
    at, beyond = 0, m
    for piece in _pieces(pieces, n_own, n_others, task):
        a, b = slice(at, at + len(piece.numbers)), slice(beyond, beyond + len(piece.others))
        numbers[a], rows[a], rows[b] = piece.numbers, piece.own, piece.others
        if weight is not None and piece.weights is not None:
            weight[a], weight[b] = piece.weights
        at, beyond = a.stop, b.stop
    return _Rows(numbers, rows, m, weight, None, None)


class _Piece(NamedTuple):
    numbers: np.ndarray
    own: np.ndarray
    others: np.ndarray
    weights: tuple[np.ndarray, np.ndarray] | None


def _pieces(pieces: Iterable, n_own: np.ndarray, n_others: np.ndarray, task: BinTask) -> Iterator[_Piece]:
    """Read what `deal_block` wrote."""
    d = task.n_columns
    for chunk, data in pieces:
        a, b = int(n_own[chunk]), int(n_others[chunk])
        numbers, at, weights = np.frombuffer(data, np.uint32, a), 4 * a, None
        if task.weighted:
            both = np.frombuffer(data, np.float64, a + b, at)
            weights, at = (both[:a], both[a:]), at + both.nbytes
        rows = np.frombuffer(data, task.dtype, (a + b) * d, at).reshape(a + b, d)
        yield _Piece(numbers, rows[:a], rows[a:], weights)


def _distinct(pieces: Iterable, n_own: np.ndarray, n_others: np.ndarray, task: BinTask) -> _Rows:
    """Put the pieces together as `_gathered` does, equal rows once, with the sum of their weights; in two passes."""
    sets = _Set(task.most_rows), _Set(task.most_rows)
    for piece in _pieces(pieces, n_own, n_others, task):
        for k, rows in enumerate((piece.own, piece.others)):
            sets[k].add(_keys(rows), np.ones(len(rows)) if piece.weights is None else piece.weights[k])
    (own, own_weight), (others, others_weight) = (rows.distinct() for rows in sets)
    n = len(own) + len(others)
    if n > 1.5 * task.most_rows:
        raise ResourceError(
            f"{n:,} distinct rows lie within 2 * eps of a bin that cannot be made smaller, and {1.5 * task.most_rows:,.0f} are as many as a task "
            f"has memory for; lower eps={task.eps:g}, or give workers more memory or fewer threads"
        )
    numbers = np.empty(int(n_own.sum()), np.uint32)
    places = np.empty(len(numbers), np.int32), np.empty(int(n_others.sum()), np.int32)
    at = beyond = 0
    for piece in _pieces(pieces, n_own, n_others, task):
        numbers[at : at + len(piece.own)] = piece.numbers
        places[0][at : at + len(piece.own)] = np.searchsorted(own, _keys(piece.own))
        places[1][beyond : beyond + len(piece.others)] = np.searchsorted(others, _keys(piece.others))
        at, beyond = at + len(piece.own), beyond + len(piece.others)
    rows = np.concatenate([own, others]).view(task.dtype).reshape(n, task.n_columns)
    return _Rows(numbers, rows, len(own), np.concatenate([own_weight, others_weight]), *places)


def _keys(rows: np.ndarray) -> np.ndarray:
    """Return rows as values that can be sorted; rows that are equal are the same value."""
    rows = np.ascontiguousarray(rows) + rows.dtype.type(0)  # no -0.0
    return rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).ravel()


class _Set:
    """Distinct values and the weight of each, merged when as many have been added as may be held."""

    def __init__(self, most: float):
        self.most, self.n = most, 0
        self.waiting: list[tuple[np.ndarray, np.ndarray]] = []

    def add(self, keys: np.ndarray, weight: np.ndarray) -> None:
        """Add values."""
        self.waiting.append(_merged(keys, weight))
        self.n += len(self.waiting[-1][0])
        if self.n > self.most and len(self.waiting) > 1:
            self.waiting = [self.distinct()]
            self.n = len(self.waiting[0][0])

    def distinct(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the values, ascending, and their weights."""
        keys, weight = (np.concatenate(parts) for parts in zip(*self.waiting, strict=True))
        return _merged(keys, weight)


def _merged(keys: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found, places = np.unique(keys, return_inverse=True)
    return found, np.bincount(places.ravel(), weight, len(found))


def _near(around: np.ndarray, i: int, task: BinTask) -> np.ndarray:
    """Return which rows around a bin lie within ``eps`` of it: how many neighbours they have is known, unlike further out."""
    reach = np.float64(reach_of(task.eps, task.dtype))
    low, high = task.bins.low[i] - reach, task.bins.high[i] + reach
    return np.flatnonzero(((around >= low) & (around <= high)).all(axis=1))


def _links(i: int, found: _Rows, component: np.ndarray, near: np.ndarray, task: BinTask) -> Iterable[list[np.ndarray]]:
    """Give each bin the components of the core rows of one that are within ``eps`` of the other, as this bin sees them.

    Both bins list the same rows in the same order. The bin of the greater number compares: it leaves its own lists for itself.
    """
    bins, m = task.bins, found.m
    reaching = reaching_rows(bins, found.rows[:m], reach_of(task.eps, task.dtype))
    mine = {j: others for j, _, others in reaching if j != i and task.held[j]}
    owner = owner_bins(bins, found.rows[near])
    order = np.argsort(owner, kind="stable")
    ends = np.searchsorted(owner[order], np.arange(bins.n_bins + 1))
    nothing = np.empty(0, np.int64)

    def lists(j: int) -> list[np.ndarray]:
        parts = [
            _listed(component[:m], mine.get(j, nothing), found.own),
            _listed(component[m:], near[order[ends[j] : ends[j + 1]]] - m, found.others),
        ]
        return [np.array([len(part) for part in parts], np.int64), *parts]

    for j in range(bins.n_bins):
        below = range(i) if j == i else [j] if j > i else []
        yield [part for k in below if k in mine or ends[k + 1] > ends[k] for part in lists(k)]


def _listed(component: np.ndarray, chosen: np.ndarray, places: np.ndarray | None) -> np.ndarray:
    """Return the components of chosen rows as int32, of each of those that are equal."""
    if places is None:
        return component[chosen].astype(np.int32)
    of_chosen = np.full(len(component), -2)
    of_chosen[chosen] = component[chosen]
    found = of_chosen[places]
    return found[found != -2].astype(np.int32)


def same_components(j: int, pieces: Iterable, held: np.ndarray) -> np.ndarray:
    """Return which components of other bins have core rows in common with which of this bin: other bin, its component, this one's."""
    theirs: list[tuple[int, np.ndarray, np.ndarray]] = []
    mine: list[np.ndarray] = []
    for sender, data in pieces:
        lists = _unpacked(data)
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
    both = (a >= 0) & (b >= 0)
    return np.unique(a[both].astype(np.int64) << 32 | b[both])


def _unpacked(data: bytes) -> list[np.ndarray]:
    found, at = [], 0
    while at < len(data):
        lengths = np.frombuffer(data, np.int64, 2, at).tolist()
        at += 16
        for n in lengths:
            found.append(np.frombuffer(data, np.int32, n, at))
            at += 4 * n
    return found


def labels_of_block(block: int, pieces: Iterable, n_rows: int, names: dict[int, np.ndarray], token: str) -> Drop:
    """Leave the codes of the rows of a block, with the labels of all rows in place of the components of bins."""
    codes = np.empty(n_rows, np.int64)
    for sender, data in pieces:
        m = len(data) // 8
        found = np.frombuffer(data, np.int32, m, 4 * m).astype(np.int64)
        inside = found >= 0
        found[inside] = names[sender][found[inside] >> 1] << 1 | (found[inside] & 1)
        codes[np.frombuffer(data, np.uint32, m)] = found
    most = codes.max(initial=-1)
    return leave(token, [[codes.astype(np.int32 if most < 2**31 else np.int64)]])
