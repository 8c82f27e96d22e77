"""What a worker does for HDBSCAN* of rows in blocks: deal a block out to bins, find core distances, the tree of a bin, that of two.

Values are squared and scaled, as `coterie.primitives.spanning_parts` takes them. Rows of a bin are in the order of their numbers.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ..arrays import to_numpy
from ..primitives.blocks import says
from ..primitives.exchange import Drop, leave
from ..primitives.space_bins import SpaceBins, owner_bins
from ..primitives.spanning_parts import (
    PartEdges,
    nearest_of_part,
    nearest_of_queries,
    part_index,
    squared_gaps,
    tree_of_part,
    tree_of_two,
)

__all__ = [
    "Asked", "BinTree", "Dealt", "TreeTask", "answer_others", "ask_others", "box_gap", "deal_to_bins", "edges_between", "scaled",
    "tree_of_bin",
]  # fmt: skip

_CHUNK_ROWS = 1 << 20  # of a block, sorted at a time
_KEPT = 8  # neighbours that are remembered for the first round of the tree


class Dealt(NamedTuple):
    drop: Drop
    own: np.ndarray  # (bins,) int64: rows of the chunk in each bin
    low: np.ndarray  # (bins, d): their least values; infinite where there are none
    high: np.ndarray  # (bins, d)


class TreeTask(NamedTuple):
    """What all bins are worked on with."""

    token: str
    k: int
    low: np.ndarray  # (bins, d), in the dtype of the rows, scaled: the range of the rows of each
    high: np.ndarray  # (bins, d)
    scale: float
    n_chunks: int


class Asked(NamedTuple):
    asks: Drop  # for each bin: rows of this one, and how near others must be to matter
    kept: Drop  # for this bin
    n_asked: np.ndarray  # (bins,) int64


class BinTree(NamedTuple):
    drop: Drop  # for pairs: rows, core distances and tree of the bin
    numbers: np.ndarray  # (n,) int64: of its rows
    core2: np.ndarray  # (n,)
    edges: PartEdges  # by these numbers


# --- dealing ---------------------------------------------------------------------------------------------------------


@says("dealing rows out to bins")
def deal_to_bins(block: Any, token: str, bins: SpaceBins) -> list[Dealt]:
    """Leave the rows of a block, and their numbers, for their bins."""
    rows = to_numpy(block.rows)
    starts = range(0, max(1, len(rows)), _CHUNK_ROWS)
    return [_deal_chunk(rows[at : at + _CHUNK_ROWS], block.start + at, token, bins) for at in starts]


def _deal_chunk(rows: np.ndarray, first: int, token: str, bins: SpaceBins) -> Dealt:
    owner = owner_bins(bins, rows)
    order = np.argsort(owner, kind="stable")
    own = np.bincount(owner, minlength=bins.n_bins)
    parts = np.split(order, np.cumsum(own)[:-1])
    drop = leave(token, ([first + part, rows[part]] for part in parts))
    low = np.full((bins.n_bins, rows.shape[1]), np.inf, rows.dtype)
    high = -low
    for i in np.flatnonzero(own):
        low[i], high[i] = rows[parts[i]].min(axis=0), rows[parts[i]].max(axis=0)
    return Dealt(drop, own, low, high)


def _dealt_rows(pieces: Iterable, n_own: np.ndarray, task: TreeTask) -> tuple[np.ndarray, np.ndarray, dict[int, bytes]]:
    """Return numbers and rows of a bin, scaled, and what else was left for it."""
    n, d, dtype = int(n_own.sum()), task.low.shape[1], task.low.dtype
    numbers, rows, others, at = np.empty(n, np.int64), np.empty((n, d), dtype), {}, 0
    for piece, data in pieces:
        if piece >= task.n_chunks:
            others[piece - task.n_chunks] = data
            continue
        m = int(n_own[piece])
        numbers[at : at + m] = np.frombuffer(data, np.int64, m)
        rows[at : at + m] = np.frombuffer(data, dtype, m * d, 8 * m).reshape(m, d)
        at += m
    return numbers, scaled(rows, task.scale), others


def scaled(rows: np.ndarray, scale: float) -> np.ndarray:
    """Return rows divided by the scale, in their dtype."""
    return rows if scale == 1.0 else rows / rows.dtype.type(scale)


# --- core distances --------------------------------------------------------------------------------------------------


@says("nearest rows in a bin")
def ask_others(i: int, pieces: Iterable, n_own: np.ndarray, task: TreeTask) -> Asked:
    """Find the nearest rows within a bin, and leave for each other bin the rows that may have nearer ones there."""
    _, rows, _ = _dealt_rows(pieces, n_own, task)
    nearest2, near = nearest_of_part(part_index(rows), task.k, min(task.k, len(rows), _KEPT))
    core2 = nearest2[:, -1]
    asking = {j: found for j in range(len(task.low)) if j != i and len(found := _asking(i, j, rows, core2, task))}
    n_asked = np.zeros(len(task.low), np.int64)
    n_asked[list(asking)] = [len(found) for found in asking.values()]
    nothing = np.empty(0, np.int64)
    chosen = (asking.get(j, nothing) for j in range(len(task.low)))
    asks = leave(task.token, ([rows[found], core2[found]] for found in chosen))
    union = np.unique(np.concatenate([nothing, *asking.values()]))
    sizes = np.array([len(rows), near.shape[1], len(union)], np.int64)
    places = [np.searchsorted(union, found).astype(np.int32) for found in asking.values()]
    mine = [sizes, core2, nearest2[union], near.astype(np.int32), union.astype(np.int32), *places]
    kept = leave(task.token, (mine if j == i else [] for j in range(len(task.low))))
    return Asked(asks, kept, n_asked)


def box_gap(i: int, j: int, low: np.ndarray, high: np.ndarray) -> Any:
    """Return the squared distance of two boxes: no more than the computed one of any rows in them."""
    apart = np.maximum(np.maximum(low[i] - high[j], low[j] - high[i]), 0)
    nothing = np.zeros_like(apart)
    return squared_gaps(apart[None], nothing, nothing)[0]


def _asking(i: int, j: int, rows: np.ndarray, core2: np.ndarray, task: TreeTask) -> np.ndarray:
    """Return the rows of bin i that are nearer to the box of bin j than to their k-th neighbour so far."""
    if box_gap(i, j, task.low, task.high) >= core2.max():
        return np.empty(0, np.int64)
    return np.flatnonzero(squared_gaps(rows, task.low[j], task.high[j]) < core2)


@says("nearest rows in other bins")
def answer_others(j: int, pieces: Iterable, n_own: np.ndarray, n_asked: np.ndarray, held: list, task: TreeTask) -> Drop:
    """Leave for each bin that has asked the squared distances of the rows of this one that matter to its rows."""
    _, rows, asks = _dealt_rows(pieces, n_own, task)
    index, (d, dtype) = part_index(rows), (rows.shape[1], rows.dtype)
    answers = {}
    for sender in sorted(asks):
        m = int(n_asked[sender])
        ask = _Reader(asks[sender])
        queries, core2 = ask.take(dtype, m * d).reshape(m, d), ask.take(dtype, m)
        found = nearest_of_queries(index, queries, task.k)
        nearer = found < core2[:, None]
        answers[held[sender]] = [found[nearer], nearer.sum(axis=1, dtype=np.int32)]
    return leave(task.token, (answers.get(i, []) for i in range(len(task.low))))


# --- trees -----------------------------------------------------------------------------------------------------------


@says("spanning trees of bins")
def tree_of_bin(
    i: int, pieces: Iterable, n_own: np.ndarray, n_asked: np.ndarray, held: list, asked: list, task: TreeTask
) -> BinTree:
    """Put together what other bins have answered, and leave the tree of a bin for its pairs."""
    numbers, rows, others = _dealt_rows(pieces, n_own, task)
    kept = _Reader(others.pop(held.index(i)))
    n, keep, m = kept.take(np.int64, 3).tolist()
    core2, nearest2 = kept.take(rows.dtype, n), kept.take(rows.dtype, m * task.k).reshape(m, task.k)
    near, union = kept.take(np.int32, n * keep).reshape(n, keep), kept.take(np.int32, m)
    for j in np.flatnonzero(n_asked):
        at = kept.take(np.int32, int(n_asked[j]))
        _insert(nearest2, at, others.pop(len(held) + asked.index(j)))
    core2[union] = nearest2.max(axis=1, initial=0)
    tree = tree_of_part(part_index(rows), core2, near)
    left, right = tree.left.astype(np.int32), tree.right.astype(np.int32)
    drop = leave(task.token, [[np.array([n]), numbers, rows, core2, tree.weight2, tree.gap2, left, right]])
    return BinTree(drop, numbers, core2, tree._replace(left=numbers[tree.left], right=numbers[tree.right]))


def _insert(nearest2: np.ndarray, at: np.ndarray, answer: bytes) -> None:
    """Keep the k least of what is known and of what another bin has answered."""
    k = nearest2.shape[1]
    counts = np.frombuffer(answer, np.int32, len(at), len(answer) - 4 * len(at))
    more = np.full((len(at), int(counts.max(initial=0))), np.inf, nearest2.dtype)
    more[np.arange(more.shape[1]) < counts[:, None]] = np.frombuffer(answer, nearest2.dtype, int(counts.sum()))
    nearest2[at] = np.partition(np.concatenate([nearest2[at], more], axis=1), k - 1, axis=1)[:, :k]


@says("pairs of bins, round {}")
def edges_between(pair: tuple[int, int], one: bytes, other: bytes, bins: np.ndarray, task: TreeTask) -> PartEdges:
    """Return the edges between two bins that their common tree has."""
    parts = [_left_tree(data, task) for data in (one, other)]
    i, j = (int(bins[number]) for number in pair)
    away2 = [
        np.maximum(part.core2, squared_gaps(part.rows, task.low[b], task.high[b]))
        for part, b in zip(parts, (j, i), strict=True)
    ]
    n = len(parts[0].numbers)
    numbers = np.concatenate([part.numbers for part in parts])
    order = np.argsort(numbers, kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    ends = [[place[e + start] for e in (part.left, part.right)] for part, start in zip(parts, (0, n), strict=True)]
    left, right = (np.concatenate(side) for side in zip(*ends, strict=True))
    rows, core2, weight2, gap2 = (np.concatenate(values) for values in zip(*(part[1:5] for part in parts), strict=True))
    trees = PartEdges(left, right, weight2, gap2)
    found = tree_of_two(rows[order], core2[order], np.concatenate(away2)[order], trees)
    first, numbers = order < n, numbers[order]
    across = first[found.left] != first[found.right]
    found = PartEdges(*(values[across] for values in found))
    return found._replace(left=numbers[found.left], right=numbers[found.right])


class _LeftTree(NamedTuple):
    numbers: np.ndarray
    rows: np.ndarray
    core2: np.ndarray
    weight2: np.ndarray
    gap2: np.ndarray
    left: np.ndarray
    right: np.ndarray


def _left_tree(data: bytes, task: TreeTask) -> _LeftTree:
    """Read what `tree_of_bin` left."""
    d, dtype, found = task.low.shape[1], task.low.dtype, _Reader(data)
    n = int(found.take(np.int64, 1)[0])
    numbers, rows = found.take(np.int64, n), found.take(dtype, n * d).reshape(n, d)
    core2, weight2, gap2 = (found.take(dtype, m) for m in (n, n - 1, n - 1))
    return _LeftTree(numbers, rows, core2, weight2, gap2, found.take(np.int32, n - 1), found.take(np.int32, n - 1))


class _Reader:
    """Arrays that lie one after another."""

    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def take(self, dtype: Any, n: int) -> np.ndarray:
        """Return the next n values."""
        found = np.frombuffer(self.data, dtype, n, self.at)
        self.at += found.nbytes
        return found.copy()  # what kernels get can be written to
