"""What a worker does for DBSCAN of rows in blocks when all bins know their core rows: see which clusters go on in other bins.

A bin looks at its rim, the rows that other bins see, and at the rows around it; what lies further inside is not read again. Where rows
lie densely, a sample soon tells which components of the two are one. Then only rows near others that the sample has not joined to them
can still have something to say.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..arrays import like_input, to_device, to_numpy
from ..primitives.blocks import says
from ..primitives.exchange import Drop, leave
from ..primitives.radius import nearest_within, radius_components, radius_index
from ._dbscan_bins import unpacked
from ._dbscan_deal import BinTask, around
from ._dbscan_near import apart_from, may_be_near, near_cells

__all__ = ["Joined", "join_bin", "same_sets"]


class Joined(NamedTuple):
    rows: Drop  # for each block: numbers of rows whose nearest core row is another bin's, and codes of names
    names: np.ndarray  # (k,) int64: the components that those codes mean
    links: np.ndarray  # (m, 2) int64: components that are one cluster
    known: np.ndarray  # (c,) int64: components of rows of the rim that are not core
    first: np.ndarray  # (c,) int64: number of the first such row
    n_noise: int


class _Rows(NamedTuple):
    """Core rows and the number of each one's component among those of all bins."""

    rows: np.ndarray  # (m, d)
    name: np.ndarray  # (m,) int64


class _Open(NamedTuple):
    """Rows of the rim that are not core."""

    rows: np.ndarray  # (m, d)
    near: np.ndarray  # (m, d): the nearest core row so far
    name: np.ndarray  # (m,) int64: its component, -1 where there is none
    places: np.ndarray  # (dealt rows,) int32: which of them each is
    numbers: np.ndarray  # (dealt rows,) uint32
    chunks: np.ndarray  # (dealt rows,) int32, ascending


@says("clusters that go on in other bins")
def join_bin(i: int, pieces: Any, n_others: int, starts: np.ndarray, task: BinTask) -> Joined:
    """Return which components of a bin and of others are one, and give its border rows to the nearest core row of all.

    Parameters
    ----------
    i : int
        The bin.
    pieces : pieces
        First the rows around it, of each chunk, then what each bin has left, in the order of ``task.held``.
    n_others : int
        How many rows are around it.
    starts : (bins + 1,) int64 array
        Number of the first component of each bin among those of all.
    task : BinTask
    """
    n_chunks = len(task.block_of)
    seen: dict[int, np.ndarray] = {}
    mine = b""
    for number, data in pieces.between(n_chunks):
        sender = int(task.held[number - n_chunks])
        if sender == i:
            mine = data
        else:
            seen[sender] = np.frombuffer(data, np.int32)
    own, open_rows = _rim(mine, starts[i], task)
    before = open_rows.name.copy()

    def others() -> Iterator[tuple[_Rows, np.ndarray]]:
        return _named(i, around(pieces.between(0, n_chunks), task), seen, starts)

    links: list[np.ndarray] = []
    sets = None
    if len(own.rows):
        every = -(-(len(own.rows) + n_others) // min(task.sample_rows, task.most_around))
        links.append(_links(_sample(own, others(), every), task))
        sets = None if every == 1 else _sets(_names(i, own, seen, starts), links[0])
    for batch, later in _batches(others(), own, open_rows, sets, task):
        links += _compare(batch, later, own, open_rows, sets, task)
    return _result(open_rows, before, links, task)


def _rim(data: bytes, start: int, task: BinTask) -> tuple[_Rows, _Open]:
    """Read what the bin has kept for itself."""
    real, whole, d = task.dtype, np.int32, task.n_columns
    if not data:
        nothing = np.empty((0, d), real)
        empty = np.empty(0, np.int64)
        return _Rows(nothing, empty), _Open(nothing, nothing.copy(), empty, empty, empty.astype(np.uint32), empty)
    core, component, rows, near, of_near, places, numbers, chunks = unpacked(
        data, real, whole, real, real, whole, whole, np.uint32, whole
    )
    name = np.where(of_near >= 0, start + of_near.astype(np.int64), -1)
    own = _Rows(core.reshape(-1, d), start + component.astype(np.int64))
    return own, _Open(rows.reshape(-1, d), near.reshape(-1, d).copy(), name, places, numbers, chunks)


def _named(
    i: int, parts: Iterator, seen: dict[int, np.ndarray], starts: np.ndarray
) -> Iterator[tuple[_Rows, np.ndarray]]:
    """Go through the core rows around a bin; tell with them which are of later bins: each pair of bins is compared by one of them."""
    at = dict.fromkeys(seen, 0)
    for part in parts:
        names = []
        for j, n in zip(part.owners.tolist(), part.counts.tolist(), strict=True):
            component = seen[j][at[j] : at[j] + n].astype(np.int64)
            at[j] += n
            names.append(np.where(component >= 0, starts[j] + component, -1))
        name = np.concatenate(names)
        core = np.flatnonzero(name >= 0)
        yield _Rows(part.rows[core], name[core]), np.repeat(part.owners > i, part.counts)[core]


def _sample(own: _Rows, others: Iterator, every: int) -> _Rows:
    """Return one in so many of the rows of the rim and of those of later bins around it: enough to join what holds many rows."""
    chosen = [_Rows(own.rows[::every], own.name[::every])]
    skip = 0
    for rows, later in others:
        theirs = np.flatnonzero(later)
        chosen.append(_Rows(*(values[theirs[skip::every]] for values in rows)))
        skip = (skip - len(theirs)) % every
    return _together(chosen)


def _names(i: int, own: _Rows, seen: dict[int, np.ndarray], starts: np.ndarray) -> np.ndarray:
    """Return the components of the rim and of the rows of later bins around it, ascending."""
    found = [np.unique(own.name)]
    for j in sorted(j for j in seen if j > i):
        there = np.zeros(starts[j + 1] - starts[j], bool)
        there[seen[j][seen[j] >= 0]] = True
        found.append(starts[j] + np.flatnonzero(there))
    return np.concatenate(found)


def _together(parts: Sequence[_Rows]) -> _Rows:
    return _Rows(*(np.concatenate(values) for values in zip(*parts, strict=True)))


def _links(core: _Rows, task: BinTask) -> np.ndarray:
    """Return pairs of components, enough to tell which are one by these rows."""
    index = radius_index(to_device(core.rows, task.device), task.eps)
    found = to_numpy(radius_components(index, like_input(np.ones(len(core.rows), bool), index.X)))
    return _pairs(found, core.name)


def _pairs(found: np.ndarray, name: np.ndarray) -> np.ndarray:
    order = np.argsort(found, kind="stable")
    a, b = found[order], name[order]
    same = (a[1:] == a[:-1]) & (b[1:] != b[:-1])
    return np.unique(np.stack([b[:-1][same], b[1:][same]], axis=1), axis=0)


def same_sets(links: np.ndarray, n: int) -> np.ndarray:
    """Return for each of n components which cluster it is part of: (n,) int."""
    a, b = links.T
    return connected_components(coo_array((np.ones(len(a), bool), (a, b)), shape=(n, n)), directed=False)[1]


def _sets(names: np.ndarray, links: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function of components that tells the set of each."""
    sets = same_sets(np.searchsorted(names, links), len(names))
    return lambda name: sets[np.searchsorted(names, name)]


def _batches(
    others: Iterator, own: _Rows, open_rows: _Open, sets: Callable | None, task: BinTask
) -> Iterator[tuple[_Rows, np.ndarray]]:
    """Go through the core rows around a bin that may matter, some at a time; tell with them which are of later bins."""
    cells = near_cells(open_rows.rows, task.reach)
    if cells is None and sets is None:
        return
    of_sets = None if sets is None else near_cells(own.rows, task.reach, sets(own.name))
    waiting: list[tuple[np.ndarray, ...]] = []
    n = 0
    for rows, later in others:
        wanted = may_be_near(cells, rows.rows)
        if sets is not None:
            wanted[later] |= apart_from(of_sets, rows.rows[later], sets(rows.name[later]))
        chosen = np.flatnonzero(wanted)
        if len(chosen):
            waiting.append((rows.rows[chosen], rows.name[chosen], later[chosen]))
            n += len(chosen)
        if n >= task.most_around:
            yield _batch(waiting)
            waiting, n = [], 0
    if waiting:
        yield _batch(waiting)


def _batch(parts: list[tuple[np.ndarray, ...]]) -> tuple[_Rows, np.ndarray]:
    rows, name, later = (np.concatenate(values) for values in zip(*parts, strict=True))
    return _Rows(rows, name), later


def _compare(
    batch: _Rows, later: np.ndarray, own: _Rows, open_rows: _Open, sets: Callable | None, task: BinTask
) -> list[np.ndarray]:
    """Give open rows to core rows around the bin that are nearer; return links between these and the bin's own."""
    asking = np.flatnonzero(may_be_near(near_cells(batch.rows, task.reach), open_rows.rows))
    having = asking[open_rows.name[asking] >= 0]
    parts = [batch, _Rows(open_rows.near[having], open_rows.name[having])]
    apart = np.zeros(len(own.rows), bool)
    if sets is not None:
        cells = near_cells(batch.rows[later], task.reach, sets(batch.name[later]))
        apart = apart_from(cells, own.rows, sets(own.name))
        parts.append(_Rows(own.rows[apart], own.name[apart]))
    core = _together(parts)
    X = to_device(core.rows, task.device)
    index, everything = radius_index(X, task.eps), like_input(np.ones(len(core.rows), bool), X)
    if len(asking):
        nearest = to_numpy(nearest_within(index, to_device(open_rows.rows[asking], task.device), everything)[0])
        found = nearest >= 0
        open_rows.near[asking[found]] = core.rows[nearest[found]]
        open_rows.name[asking[found]] = core.name[nearest[found]]
    return [_pairs(to_numpy(radius_components(index, everything)), core.name)] if apart.any() else []


def _result(open_rows: _Open, before: np.ndarray, links: list[np.ndarray], task: BinTask) -> Joined:
    name = open_rows.name[open_rows.places]
    changed = np.flatnonzero(name != before[open_rows.places])
    names, codes = np.unique(name[changed], return_inverse=True)
    blocks = task.block_of[open_rows.chunks[changed]]
    n_blocks = int(task.block_of.max()) + 1
    ends = np.searchsorted(blocks, np.arange(n_blocks + 1))
    numbers, codes = open_rows.numbers[changed], (2 * codes).astype(np.int32)
    parts = ([numbers[a:b], codes[a:b]] for a, b in itertools.pairwise(ends))
    inside = np.flatnonzero(name >= 0)
    known, place = np.unique(name[inside], return_inverse=True)
    first = np.full(len(known), np.iinfo(np.int64).max)
    rows = open_rows.numbers[inside] + task.start_of[open_rows.chunks[inside]]
    np.minimum.at(first, place, rows)
    found = np.unique(np.concatenate(links), axis=0) if links else np.empty((0, 2), np.int64)
    return Joined(leave(task.token, parts), names, found, known, first, int((name < 0).sum()))
