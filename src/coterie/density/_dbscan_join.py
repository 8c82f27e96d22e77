"""What a worker does for DBSCAN of rows in blocks when all bins know their core rows: see which clusters go on in other bins.

A bin looks at its rim, the rows that other bins see, and at the rows around it; what lies further inside is not read again. Where rows
lie densely, nearly all of that is one cluster, as a sample soon tells. Then only what the sample does not join to it can still have
something to say, and the rows near that.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..arrays import like_input, to_device, to_numpy
from ..primitives.exchange import Drop, leave
from ..primitives.radius import nearest_within, radius_components, radius_index
from ._dbscan_bins import BinTask, around, unpacked
from ._dbscan_near import may_be_near, near_cells

__all__ = ["Joined", "join_bin", "same_sets"]

_SAMPLE_SHARE = 8  # one in so many rows tells which components are nearly everything


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
    main = None
    if len(own.rows):
        n = len(own.rows) + n_others
        every = -(-n // min(max(task.sample_rows, n // _SAMPLE_SHARE), task.most_around))
        sample, names, counts = _sample(own, others(), every)
        if len(names) > 1:
            links.append(_links(sample, task))
            main = None if every == 1 else _in_main_set(names, counts, links[0])
    apart = np.zeros(len(own.rows), bool) if main is None else ~main(own.name)
    rest = _Rows(own.rows[apart], own.name[apart])
    for batch, alone in _batches(others(), rest, open_rows, main, task):
        links += _compare(batch, alone, own, rest, open_rows, main, task)
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


def _sample(own: _Rows, others: Iterator, every: int) -> tuple[_Rows, np.ndarray, np.ndarray]:
    """Return one in so many of the rows of the rim and of those of later bins around it, all components, and how many rows each has."""
    chosen = [_Rows(own.rows[::every], own.name[::every])]
    names = [np.unique(own.name, return_counts=True)]
    skip = 0
    for rows, later in others:
        if not later.any():
            continue
        theirs = _Rows(rows.rows[later], rows.name[later])
        chosen.append(_Rows(theirs.rows[skip::every], theirs.name[skip::every]))
        skip = (skip - len(theirs.rows)) % every
        names.append(np.unique(theirs.name, return_counts=True))
    every_name, place = np.unique(np.concatenate([found for found, _ in names]), return_inverse=True)
    counts = np.bincount(place, np.concatenate([n for _, n in names]), len(every_name))
    return _together(chosen), every_name, counts


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


def _in_main_set(names: np.ndarray, counts: np.ndarray, links: np.ndarray) -> Any:
    """Return a function of names: whether a component is part of what most rows belong to."""
    sets = same_sets(np.searchsorted(names, links), len(names))
    inside = sets == np.bincount(sets, counts).argmax()
    return lambda name: inside[np.searchsorted(names, name)]


def _batches(
    others: Iterator, rest: _Rows, open_rows: _Open, main: Any, task: BinTask
) -> Iterator[tuple[_Rows, np.ndarray]]:
    """Go through the core rows around a bin that may matter, some at a time; tell with them which of them are in no main set."""
    wanted = np.concatenate([rest.rows, open_rows.rows])
    cells = near_cells(wanted, task.reach) if len(wanted) else None
    waiting: list[_Rows] = []
    apart: list[np.ndarray] = []
    n = 0
    if cells is None and main is None:
        return
    for rows, later in others:
        alone = np.zeros(len(rows.rows), bool)
        if main is not None:
            alone[later] = ~main(rows.name[later])
        chosen = np.flatnonzero(may_be_near(cells, rows.rows) | alone)
        if len(chosen):
            waiting.append(_Rows(rows.rows[chosen], rows.name[chosen]))
            apart.append(alone[chosen])
            n += len(chosen)
        if n >= task.most_around:
            yield _together(waiting), np.concatenate(apart)
            waiting, apart, n = [], [], 0
    if waiting:
        yield _together(waiting), np.concatenate(apart)


def _compare(
    batch: _Rows, apart: np.ndarray, own: _Rows, rest: _Rows, open_rows: _Open, main: Any, task: BinTask
) -> list[np.ndarray]:
    """Give open rows to core rows around the bin that are nearer; return links to these."""
    asking = np.flatnonzero(may_be_near(near_cells(batch.rows, task.reach), open_rows.rows))
    having = asking[open_rows.name[asking] >= 0]
    parts = [batch, _Rows(open_rows.near[having], open_rows.name[having])]
    if main is not None:
        parts.append(rest)
        if apart.any():
            near = main(own.name) & may_be_near(near_cells(batch.rows[apart], task.reach), own.rows)
            parts.append(_Rows(own.rows[near], own.name[near]))
    core = _together(parts)
    X = to_device(core.rows, task.device)
    index, everything = radius_index(X, task.eps), like_input(np.ones(len(core.rows), bool), X)
    if len(asking):
        nearest = to_numpy(nearest_within(index, to_device(open_rows.rows[asking], task.device), everything)[0])
        found = nearest >= 0
        open_rows.near[asking[found]] = core.rows[nearest[found]]
        open_rows.name[asking[found]] = core.name[nearest[found]]
    return (
        []
        if main is None or not (apart.any() or len(rest.rows))
        else [_pairs(to_numpy(radius_components(index, everything)), core.name)]
    )


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
