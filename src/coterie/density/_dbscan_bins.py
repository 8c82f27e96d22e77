"""What a worker does for DBSCAN of rows in blocks: cluster the rows of a bin, and put labels back in blocks.

A bin is indexed alone. Where its own rows do not make a row core, the rows around the bin may: those that may be near such rows are
counted, some at a time, and the others not looked at. So every bin knows exactly which of its rows are core. A bin of more rows than a
task has memory for is clustered by its distinct rows, each with the weight of all that equal it.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..arrays import like_input, to_device, to_numpy
from ..primitives.blocks import says
from ..primitives.exchange import Drop, leave
from ..primitives.radius import nearest_within, radius_components, radius_counts, radius_index
from ..primitives.space_bins import reaching_rows
from ._dbscan_deal import Around, BinRows, BinTask, around, rows_of_bin
from ._dbscan_near import NearCells, may_be_near, near_cells

__all__ = ["Local", "cluster_bin", "labels_of_block", "unpacked"]

_UNSEEN = np.iinfo(np.int64).max


class Local(NamedTuple):
    rows: Drop  # for each block: numbers of its rows in this bin, and codes
    links: Drop  # for each bin: components of the rows that reach it; for this one, the rows that others see
    first: np.ndarray  # (components,) int64: number of the first row that is known to be of each
    n_core: np.ndarray  # (chunks,) int64
    n_noise: int  # of the rows that no other bin sees


@says("core rows, bin by bin")
def cluster_bin(i: int, pieces: Any, n_own: np.ndarray, task: BinTask) -> Local:
    """Find the core rows of a bin and the components of these, and leave what its blocks and the other bins must know."""
    found = rows_of_bin(pieces, n_own, task)
    seen_by = _seen_by(i, found.rows, task)
    seen = np.zeros(len(found.rows), bool)
    for chosen in seen_by.values():
        seen[chosen] = True
    rim = np.flatnonzero(seen)
    beyond = pieces.between(len(n_own)) if len(rim) else ()
    is_core, component, nearest = _clustered(found, rim, around(beyond, task), task)
    codes = np.where(is_core, 2 * component + 1, -1)
    inside = nearest >= 0
    codes[inside] = 2 * component[nearest[inside]]
    codes = codes.astype(np.int32)  # a bin with 2^30 components would hold no rows
    open_rows = seen & ~is_core  # others may have a core row that is nearer
    links = leave(task.token, _links(i, found, n_own, seen_by, component, (rim, open_rows, nearest), task))
    codes, is_open = (codes, open_rows) if found.places is None else (codes[found.places], open_rows[found.places])
    n_components = int(component.max(initial=-1)) + 1
    first, n_core = _first_rows(np.where(is_open, -1, codes), found.numbers, n_own, task, n_components)
    ends = np.concatenate([[0], np.cumsum(np.bincount(task.block_of, n_own).astype(np.int64))])
    parts = ([found.numbers[a:b], codes[a:b]] for a, b in itertools.pairwise(ends))
    return Local(leave(task.token, parts), links, first, n_core, int(((codes < 0) & ~is_open).sum()))


def _seen_by(i: int, rows: np.ndarray, task: BinTask) -> dict[int, np.ndarray]:
    """Return for each other bin which rows of this one reach it."""
    low, high = task.bins.low[i] + task.reach, task.bins.high[i] - task.reach
    edge = np.zeros(len(rows), bool)
    for f in range(rows.shape[1]):
        edge |= (rows[:, f] <= low[f]) | (rows[:, f] >= high[f])
    outer = np.flatnonzero(edge)
    reaching = reaching_rows(task.bins, rows[outer], task.reach)
    held = set(task.held.tolist())
    return {j: outer[others] for j, _, others in reaching if j != i and j in held}


def _clustered(
    found: BinRows, rim: np.ndarray, others: Iterable[Around], task: BinTask
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which rows of a bin are core, the component of each, and of the rest the nearest core row of the bin."""
    X = to_device(found.rows, task.device)
    index = radius_index(X, task.eps)
    weight = to_numpy(radius_counts(index, sample_weight=found.weight, enough=task.min_samples))
    few = rim[weight[rim] < task.min_samples]
    is_core = weight >= task.min_samples
    if len(few):
        is_core[few] = weight[few] + _weight_around(found.rows[few], others, task) >= task.min_samples
    core = like_input(is_core, X)
    component = to_numpy(radius_components(index, core))
    nearest = np.full(len(is_core), -1)
    border = np.flatnonzero(~is_core)
    if 0 < len(border) < len(is_core):
        nearest[border] = to_numpy(nearest_within(index, X[border], core)[0])
    return is_core, component, nearest


def _weight_around(rows: np.ndarray, others: Iterable[Around], task: BinTask) -> np.ndarray:
    """Return the weight of the rows of other bins within ``eps`` of some rows: of as many as decide."""
    total, uncounted = np.zeros(len(rows)), np.zeros(len(rows))
    for near, weights in _batches(others, near_cells(rows, task.reach), task):
        index = radius_index(to_device(np.concatenate([rows, near]), task.device), task.eps)
        weight = np.concatenate([uncounted, weights])
        total += to_numpy(radius_counts(index, sample_weight=weight, enough=task.min_samples))[: len(rows)]
    return total


def _batches(
    others: Iterable[Around], cells: NearCells | None, task: BinTask
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Go through the rows that may be near, as many at a time as there is memory for, and their weights."""
    waiting: list[tuple[np.ndarray, np.ndarray]] = []
    n = 0
    for part in others:
        chosen = np.flatnonzero(may_be_near(cells, part.rows))
        if len(chosen):
            waiting.append((part.rows[chosen], np.ones(len(chosen)) if part.weights is None else part.weights[chosen]))
            n += len(chosen)
        if n >= task.most_around:
            yield tuple(np.concatenate(values) for values in zip(*waiting, strict=True))  # type: ignore[misc]
            waiting, n = [], 0
    if waiting:
        yield tuple(np.concatenate(values) for values in zip(*waiting, strict=True))  # type: ignore[misc]


def _first_rows(
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


def _links(
    i: int,
    found: BinRows,
    n_own: np.ndarray,
    seen_by: dict[int, np.ndarray],
    component: np.ndarray,
    rim: tuple[np.ndarray, np.ndarray, np.ndarray],
    task: BinTask,
) -> Iterator[Sequence[np.ndarray]]:
    """Give each bin the components of the rows that reach it, in the order in which they were dealt; for this one, keep the rim.

    That is its core rows and their components; its other rows, which are open, for each the nearest core row of this bin and its component; and
    of all dealt rows that are open which of them they are, their numbers and their chunks.
    """
    seen, open_rows, nearest = rim
    for j in range(task.bins.n_bins):
        if j == i:
            core, rest = seen[~open_rows[seen]], seen[open_rows[seen]]
            by = nearest[rest]
            here = np.arange(len(open_rows)) if found.places is None else found.places
            dealt = np.flatnonzero(open_rows[here])
            chunk = np.repeat(np.arange(len(n_own)), n_own)[dealt]
            yield _packed(
                found.rows[core], component[core].astype(np.int32), found.rows[rest], found.rows[by],
                np.where(by >= 0, component[by], -1).astype(np.int32), np.searchsorted(rest, here[dealt]).astype(np.int32),
                found.numbers[dealt], chunk.astype(np.int32),
            )  # fmt: skip
        else:
            yield [_listed(component, seen_by[j], found.places)] if j in seen_by else []


def _packed(*arrays: np.ndarray) -> list[np.ndarray]:
    return [np.array([array.size for array in arrays]), *arrays]


def unpacked(data: bytes, *dtypes: Any) -> list[np.ndarray]:
    """Read flat arrays that were left one after another, their sizes first."""
    sizes = np.frombuffer(data, np.int64, len(dtypes)).tolist()
    found, at = [], 8 * len(dtypes)
    for dtype, n in zip(dtypes, sizes, strict=True):
        found.append(np.frombuffer(data, dtype, n, at))
        at += found[-1].nbytes
    return found


def _listed(component: np.ndarray, chosen: np.ndarray, places: np.ndarray | None) -> np.ndarray:
    """Return the components of chosen rows as int32, of each of those that are equal."""
    if places is None:
        return component[chosen].astype(np.int32)
    of_chosen = np.full(len(component), -2)
    of_chosen[chosen] = component[chosen]
    found = of_chosen[places]
    return found[found != -2].astype(np.int32)


@says("labels")
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
