"""How rows in blocks are dealt out to bins, for DBSCAN, and read back there: equal rows once, where there are too many.

Of each part of a block, one file holds the rows that lie in each bin, and another those around each: what a step does not need it
does not read.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..arrays import to_numpy
from ..errors import ResourceError
from ..primitives.blocks import says
from ..primitives.exchange import Drop, leave
from ..primitives.space_bins import SpaceBins, reaching_rows

__all__ = ["Around", "BinRows", "BinTask", "Dealt", "around", "deal_block", "reach_of", "rows_of_bin"]

_CHUNK_ROWS = 1 << 20  # of a block, sorted at a time


class BinTask(NamedTuple):
    """What all bins are worked on with."""

    token: str
    bins: SpaceBins
    held: np.ndarray  # (senders,) int64: the bins that have rows of their own
    eps: float
    min_samples: float
    dtype: np.dtype
    n_columns: int
    weighted: bool
    device: str
    most_rows: float  # beyond, equal rows are put together
    most_around: int  # rows of other bins that are looked at at a time
    sample_rows: int  # from which it is first learned which components belong together
    block_of: np.ndarray  # (chunks,) int64
    start_of: np.ndarray  # (chunks,) int64: number of the first row of the chunk's block

    @property
    def reach(self) -> float:
        """Return how far from a bin rows may lie that concern it."""
        return reach_of(self.eps, self.dtype)


class Dealt(NamedTuple):
    own: Drop  # for each bin: numbers, weights and coordinates of its rows
    others: Drop  # for each bin: of rows around it how many are of which bin, weights and coordinates, bin by bin
    n_own: np.ndarray  # (bins,) int64
    n_others: np.ndarray  # (bins,) int64


def reach_of(eps: float, dtype: np.dtype) -> float:
    """Return a little more than ``eps``: what rounding may let pass for it."""
    return float(eps) * (1.0 + 64.0 * float(np.finfo(dtype).eps))


# --- dealing ---------------------------------------------------------------------------------------------------------


@says("dealing rows out to bins")
def deal_block(block: Any, tokens: tuple[str, str], bins: SpaceBins, reach: float) -> list[Dealt]:
    """Leave the rows of a block for the bins that they lie in, and for those that they reach."""
    rows, weight = to_numpy(block.rows), block.weight
    found = []
    for start in range(0, max(1, len(rows)), _CHUNK_ROWS):
        chunk = slice(start, start + _CHUNK_ROWS)
        found.append(_deal_chunk(rows[chunk], None if weight is None else weight[chunk], start, tokens, bins, reach))
    return found


def _deal_chunk(
    rows: np.ndarray, weight: np.ndarray | None, start: int, tokens: tuple[str, str], bins: SpaceBins, reach: float
) -> Dealt:
    nothing = np.empty(0, np.int64)
    own, others = [nothing] * bins.n_bins, [nothing] * bins.n_bins
    owner = np.empty(len(rows), np.int32)
    for i, mine, theirs in reaching_rows(bins, rows, reach):
        own[i], others[i] = mine, theirs
        owner[mine] = i

    def values(chosen: np.ndarray) -> list[np.ndarray]:
        return [rows[chosen]] if weight is None else [weight[chosen], rows[chosen]]

    def around_each() -> Iterator[list[np.ndarray]]:
        for chosen in others:
            if not len(chosen):
                yield []
                continue
            chosen = chosen[np.argsort(owner[chosen], kind="stable")]
            owners, counts = np.unique(owner[chosen], return_counts=True)
            yield [np.array([len(owners)]), owners.astype(np.int64), counts.astype(np.int64), *values(chosen)]

    of_bins = ([(mine + start).astype(np.uint32), *values(mine)] if len(mine) else [] for mine in own)
    n_own, n_others = (np.array([len(chosen) for chosen in lists], np.int64) for lists in (own, others))
    return Dealt(leave(tokens[0], of_bins), leave(tokens[1], around_each()), n_own, n_others)


class _Piece(NamedTuple):
    chunk: int
    numbers: np.ndarray
    weights: np.ndarray | None
    rows: np.ndarray


def _pieces(pieces: Any, n_own: np.ndarray, task: BinTask) -> Iterator[_Piece]:
    """Read what was left of the rows of a bin."""
    for chunk, data in pieces.between(0, len(n_own)):
        m = int(n_own[chunk])
        weights, at = (
            np.frombuffer(data, np.float64, m, 4 * m) if task.weighted else None,
            12 * m if task.weighted else 4 * m,
        )
        rows = np.frombuffer(data, task.dtype, m * task.n_columns, at).reshape(m, task.n_columns)
        yield _Piece(chunk, np.frombuffer(data, np.uint32, m), weights, rows)


class Around(NamedTuple):
    """Some of the rows around a bin."""

    owners: np.ndarray  # (k,) int64, ascending
    counts: np.ndarray  # (k,) int64: so many rows are of each, one after another
    weights: np.ndarray | None
    rows: np.ndarray


def around(pieces: Iterable, task: BinTask) -> Iterator[Around]:
    """Read what was left of the rows around a bin."""
    for _, data in pieces:
        k = int(np.frombuffer(data, np.int64, 1)[0])
        owners, counts = np.frombuffer(data, np.int64, 2 * k, 8).reshape(2, k)
        m, at = int(counts.sum()), 8 + 16 * k
        weights = np.frombuffer(data, np.float64, m, at) if task.weighted else None
        at += 8 * m if task.weighted else 0
        rows = np.frombuffer(data, task.dtype, m * task.n_columns, at).reshape(m, task.n_columns)
        yield Around(owners, counts, weights, rows)


# --- the rows of a bin, read back -------------------------------------------------------------------------------------


class BinRows(NamedTuple):
    """The rows of a bin; where some are equal and stand once, which of them each row is."""

    numbers: np.ndarray  # (rows of the bin,) uint32: in their blocks
    rows: np.ndarray  # (m, d)
    weight: np.ndarray | None  # (m,) float64
    places: np.ndarray | None  # (rows of the bin,) int32: place in ``rows``, None where each has its own


def rows_of_bin(pieces: Any, n_own: np.ndarray, task: BinTask) -> BinRows:
    """Put together what was left of the rows of a bin: in the order of all rows, equal ones once if there are very many."""
    return (_distinct if n_own.sum() > task.most_rows else _gathered)(pieces, n_own, task)


def _gathered(pieces: Any, n_own: np.ndarray, task: BinTask) -> BinRows:
    """Put the pieces of the chunks together: rows of the bin in the order of all rows."""
    m = int(n_own.sum())
    numbers, rows = np.empty(m, np.uint32), np.empty((m, task.n_columns), task.dtype)
    weight = np.empty(m) if task.weighted else None
    at = 0
    for piece in _pieces(pieces, n_own, task):
        part = slice(at, at + len(piece.numbers))
        numbers[part], rows[part] = piece.numbers, piece.rows
        if weight is not None and piece.weights is not None:
            weight[part] = piece.weights
        at = part.stop
    return BinRows(numbers, rows, weight, None)


def _distinct(pieces: Any, n_own: np.ndarray, task: BinTask) -> BinRows:
    """Put the pieces together as `_gathered` does, equal rows once, with the sum of their weights; in two passes."""
    found = _Set(task.most_rows)
    for piece in _pieces(pieces, n_own, task):
        found.add(_keys(piece.rows), np.ones(len(piece.rows)) if piece.weights is None else piece.weights)
    keys, weight = found.distinct()
    if len(keys) > 1.5 * task.most_rows:
        raise ResourceError(
            f"{len(keys):,} distinct rows lie in a bin that cannot be made smaller, and {1.5 * task.most_rows:,.0f} are as many as a task has "
            f"memory for; lower eps={task.eps:g}, or give workers more memory or fewer threads"
        )
    numbers, places = np.empty(int(n_own.sum()), np.uint32), np.empty(int(n_own.sum()), np.int32)
    at = 0
    for piece in _pieces(pieces, n_own, task):
        part = slice(at, at + len(piece.numbers))
        numbers[part], places[part] = piece.numbers, np.searchsorted(keys, _keys(piece.rows))
        at = part.stop
    return BinRows(numbers, keys.view(task.dtype).reshape(len(keys), task.n_columns), weight, places)


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
