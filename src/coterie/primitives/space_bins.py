"""Space cut into boxes that hold about as many rows each: a row belongs to one, and is near some others.

The boxes are the leaves of a k-d tree over a sample. A row within ``reach`` of a box, feature by feature, is said to *reach* it:
all rows no further than ``reach`` from any row of a box are among those that reach the box. Memory is O(rows); no table of rows by
boxes is ever made.
"""

import heapq
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

__all__ = ["SpaceBins", "owner_bins", "reaching_rows", "space_bins"]

_WORTH = 1.5  # a cut that only makes more bins may repeat half of the rows
_MOST_COPIES = 8  # of all rows in all bins: where rows reach everywhere, cuts would go on for ever


class SpaceBins(NamedTuple):
    """A k-d tree without rows; leaf i is bin i."""

    feature: np.ndarray  # (nodes,) int64: which one is cut
    cut: np.ndarray  # (nodes,) float64: rows below go left
    children: np.ndarray  # (nodes, 2) int64: node, or -1 - bin
    low: np.ndarray  # (bins, d) float64: the boxes; infinite outside
    high: np.ndarray  # (bins, d) float64
    expected: np.ndarray  # (bins,) float64: rows in each, by the sample
    reached: np.ndarray  # (bins,) float64: rows that reach each, its own among them

    @property
    def n_bins(self) -> int:
        """Return how many boxes there are."""
        return len(self.low)


def space_bins(sample: np.ndarray, rows_each: float, reach: float, most_rows: float, n_bins: int = 1) -> SpaceBins:
    """Cut space into boxes.

    Parameters
    ----------
    sample : (m, d) float64 array
        Rows drawn from all; finite.
    rows_each : float
        How many rows one of the sample stands for.
    reach : float
        How far rows outside a box still reach it.
    most_rows : float
        Boxes are cut until no more rows lie in one, unless all rows would reach many.
    n_bins : int, default=1
        Cut further until there are so many, where few rows reach both halves.

    Returns
    -------
    SpaceBins
        Some boxes may hold more rows than asked for: see ``expected``.

    Examples
    --------
    >>> import numpy as np
    >>> from coterie.primitives.space_bins import space_bins
    >>> space_bins(np.arange(10.0)[:, None], 1.0, 0.5, 6.0).high
    array([[ 5.], [inf]])
    """
    d = sample.shape[1]
    nodes: list[list] = []
    done: list[tuple] = []
    everything = np.arange(len(sample))
    waiting = [(-len(sample), 0, everything, everything, np.full((2, d), [[-np.inf], [np.inf]]), (-1, 0))]
    made, copies = 0, len(sample)
    while waiting:
        _, _, own, near, box, parent = waiting[0]
        crowded = len(own) * rows_each > most_rows and copies < _MOST_COPIES * len(sample)
        if not crowded and len(waiting) + len(done) >= n_bins:
            break
        heapq.heappop(waiting)
        found = _best_cut(sample, own, near, reach, crowded)
        if found is None:
            done.append((own, near, box, parent))
            continue
        f, cut, below = found
        copies -= len(near)
        nodes.append([f, cut, parent])
        for side in (0, 1):
            at = sample[near, f]
            inside = near[at <= cut + reach if side == 0 else at >= cut - reach]
            half = box.copy()
            half[1 - side, f] = cut
            made, copies = made + 1, copies + len(inside)
            mine = own[below] if side == 0 else own[~below]
            entry = (-len(mine), made, mine, inside, half, (len(nodes) - 1, side))
            heapq.heappush(waiting, entry)
    done += [(own, near, box, parent) for _, _, own, near, box, parent in waiting]
    return _tree(nodes, done, d, rows_each)


def _best_cut(
    sample: np.ndarray, own: np.ndarray, near: np.ndarray, reach: float, crowded: bool
) -> tuple[int, float, np.ndarray] | None:
    """Return the feature, the place and the rows below of the median cut that the fewest rows reach on both sides."""
    best: tuple = (np.inf, None)
    for f in range(sample.shape[1]):
        values = sample[own, f]
        if len(values) < 2 or values.min() == values.max():
            continue
        cut = np.partition(values, len(values) // 2)[len(values) // 2]
        if cut == values.min():
            cut = values[values > cut].min()
        at = sample[near, f]
        left, right = np.count_nonzero(at <= cut + reach), np.count_nonzero(at >= cut - reach)
        if (crowded or left + right <= _WORTH * len(near)) and left + right < best[0]:
            best = left + right, (f, float(cut), values < cut)
    return best[1]


def _tree(nodes: list[list], leaves: list[tuple], d: int, rows_each: float) -> SpaceBins:
    """Put the nodes into arrays, the leaves in their order from left to right."""
    children = np.full((len(nodes), 2), -1, np.int64)
    for i, (_, _, (up, side)) in enumerate(nodes):
        if up >= 0:
            children[up, side] = i
    at = {parent: (own, near, box) for own, near, box, parent in leaves}
    low: list[np.ndarray] = []
    high: list[np.ndarray] = []
    expected: list[list[float]] = []
    stack: list[tuple[int, int]] = [(0, 1), (0, 0)] if nodes else [(-1, 0)]
    while stack:
        place = stack.pop()
        if place in at:
            own, near, box = at[place]
            if nodes:
                children[place] = -1 - len(low)
            low.append(box[0])
            high.append(box[1])
            expected.append([len(own) * rows_each, len(near) * rows_each])
        else:
            below = int(children[place])
            stack += [(below, 1), (below, 0)]
    feature, cut = (np.array([node[k] for node in nodes], kind) for k, kind in ((0, np.int64), (1, np.float64)))
    return SpaceBins(feature, cut, children, np.array(low), np.array(high), *np.array(expected).T)


def owner_bins(bins: SpaceBins, rows: np.ndarray) -> np.ndarray:
    """Return the bin of each row.

    Parameters
    ----------
    bins : SpaceBins
    rows : (m, d) float array

    Returns
    -------
    (m,) int64 array
    """
    owner = np.empty(len(rows), np.int64)
    for i, own, _ in reaching_rows(bins, rows, 0.0):
        owner[own] = i
    return owner


def reaching_rows(bins: SpaceBins, rows: np.ndarray, reach: float) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Go through the bins and tell the rows of each and the others that reach it.

    Parameters
    ----------
    bins : SpaceBins
    rows : (m, d) float array
    reach : float

    Yields
    ------
    bin : int
        Ascending; bins that no row reaches are left out.
    own, others : int64 arrays
        Numbers of rows, ascending.
    """
    empty = np.empty(0, np.int64)
    stack = [(0 if len(bins.feature) else -1, np.arange(len(rows)), empty)]
    reach = np.float64(reach)  # so that float32 columns are compared in float64, where nothing is rounded away
    while stack:
        node, own, others = stack.pop()
        if len(own) == len(others) == 0:
            continue
        if node < 0:
            yield -1 - node, own, np.sort(others)
            continue
        column, cut = rows[:, bins.feature[node]], bins.cut[node]
        mine, theirs = column[own], column[others]
        below = mine < cut
        for side in (1, 0):
            crossing = ~below & (mine <= cut + reach) if side == 0 else below & (mine >= cut - reach)
            near = theirs <= cut + reach if side == 0 else theirs >= cut - reach
            outside = np.concatenate([others[near], own[crossing]]) if len(others) else own[crossing]
            stack.append((int(bins.children[node, side]), own[below if side == 0 else ~below], outside))
