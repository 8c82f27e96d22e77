"""Lloyd's step on the CPU, skipping what cannot have changed where that pays.

With few centers or features a pass of the tile over everything is faster than any bookkeeping. In up to four dimensions with many
centers, boxes of rows are looked at beside the centers near them (`lloyd_boxes`). Otherwise, with much work for each row, the
first steps look at everything, since many rows change their center; once few do, each row keeps an upper bound on the
distance to its own center and, for each group of centers near each other, a lower bound on the distance to the others of the
group. A center that moves by s changes a distance by s at most, so bounds are kept relative to how far the centers have come
and are not touched until they fail: a row is looked at again only when its upper bound exceeds the lower bound of some group,
and then only such groups are.

Bounds allow for the rounding of ``|c|^2 - 2 x.c``, so that the labels are those of the plain step. Sums are kept from step to
step and changed by the rows that change their center. They are exact (`lloyd_sums`): the same bits whichever way a step goes, and
for the parts of one data set, however it is divided, merged by adding what `step_parts` returns.

Ding, Y., Zhao, Y., Shen, X., Musuvathi, M., & Mytkowicz, T. (2015). Yinyang K-means: A drop-in replacement of the classic
K-means with consistent speedup. ICML, 579-587.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

from . import sparse_assign
from .blocks import block_count, free_blocks, run_blocks
from .jit import kernel
from .lloyd_bounds import reassign_listed
from .lloyd_boxes import Boxes, nearest_in_boxes, reassign_in_boxes
from .lloyd_sums import ORDINARY, Bound, fits, greatest_of_rows, grid_of, merge, move_row
from .tile import ROWS, aligned, lanes_of, nearest_of_eight, pack_centers

__all__ = ["Bound", "lloyd_start", "lloyd_step", "nearest_by_state", "step_parts", "sums_of"]

_MOST_GROUPS = 16
_GROUP_WORK = 2048  # multiplications for which a group is worth its own bound
_MOST_SUM_BYTES = 1 << 25
_FEW_CHANGED = 0.15  # share of rows below which bounds begin to pay
_MANY_LISTED = 0.7  # share of rows looked at above which they do not
_PLAIN_STEPS = 3  # before bounds are tried again
_BOX_FEATURES, _BOX_CENTERS = 4, 64  # few enough of the one and enough of the other for boxes of rows
_WORTH_BOUNDS = 16_384  # multiplications a row below which the tile looks at all centers faster than bounds are read
_MEASURED_ROWS = 8 * ROWS  # whose greatest value is sought just before they are looked at, while a cache holds them


@dataclass
class _State:
    X: np.ndarray  # (n, d)
    weight: np.ndarray  # (n,) or (1,) float64
    skip: bool
    labels: np.ndarray  # (n,) int32: place of the center in the packs; -1 before the first step
    held: Bound  # of these rows
    bound: Bound | None  # of all parts of the data, where this is one of them
    length2: np.ndarray | None = None  # (n,) |x|^2, as X
    grid: tuple | None = None  # see `grid_of`
    totals: tuple | None = None  # by place: parts of sums (places, width), of weights (places, 2), counts (places,)
    slots: tuple | None = None  # the same for each block, and which of them are in use
    tally: np.ndarray | None = None  # (blocks, 2) rows changed, rows looked at
    layout: "_Layout | None" = None  # None while every row is looked at, and places are centers
    bounds: "_Bounds | None" = None
    boxes: Boxes | None = None  # in few dimensions; X is then in their order
    plain_steps: int = 0
    n_centers: int = 0


@dataclass
class _Layout:
    place: np.ndarray  # (k,) int32: where each center lies in the packs
    center: np.ndarray  # (places,) int32: which center lies there, k where none does
    starts: np.ndarray  # (groups + 1,) int64: first pack of each group
    group: np.ndarray  # (places,) int32: group of each place


@dataclass
class _Bounds:
    centers: np.ndarray  # (k, d) float64: those of the last step
    upper: np.ndarray  # (n,) float32: bound of the distance to the own center, less what it has come
    lower: np.ndarray  # (n, groups) float32: bounds of the others, plus what their group has come
    come: np.ndarray  # (places,) float64: how far each center has come
    group_come: np.ndarray  # (groups,) float64: and the fastest of each group


def lloyd_start(X: Any, sample_weight: Any, skip: bool = True, bound: Bound | None = None) -> Any:
    """See `coterie.primitives.assign.lloyd_start`; parts of one data set are given the same bound, that of all of it."""
    if scipy.sparse.issparse(X):
        return sparse_assign.SparseState(X, sample_weight)
    weight = np.ones(1) if sample_weight is None else sample_weight
    heaviest = float(max(weight.max(initial=0.0), -weight.min(initial=0.0)))
    held = Bound(ORDINARY, heaviest, len(X))  # as a rule: rows are measured in the first step
    return _State(X, weight, skip, np.full(len(X), -1, np.int32), held, bound)


def lloyd_step(state: Any, centers: Any) -> Any:
    """See `coterie.primitives.assign.lloyd_step`."""
    from ..assign import LloydStep

    if isinstance(state, sparse_assign.SparseState):
        return LloydStep(*sparse_assign.lloyd_step(state, centers))
    centers = np.ascontiguousarray(centers, np.float64)
    if state.totals is None:
        _make_room(state, len(centers))
        if state.skip and len(state.X) and centers.shape[1] <= _BOX_FEATURES and len(centers) >= _BOX_CENTERS:
            _put_in_boxes(state)
    if state.boxes is not None:
        reassign_in_boxes(state.boxes, state.weight, centers, state.grid, state.labels, state.slots, state.tally)
        _add_up(state)
    elif state.bounds is None:
        _look_at_all(state, centers)
    else:
        _follow(state.bounds, state.layout, centers)
        _look_where_bounds_fail(state, centers)
    n_changed, n_listed = (int(total) for total in state.tally.sum(0))
    coarse, fine, coarse_weights, fine_weights, counts = step_parts(state)
    step = LloydStep(sums_of(coarse, fine), sums_of(coarse_weights, fine_weights), counts, n_changed)
    n = max(1, len(state.X))
    _choose_way(state, centers, n_changed / n, n_listed / n)
    return step


def step_parts(state: Any) -> tuple[np.ndarray, ...]:
    """Return the sums of the last step as whole numbers of units, which add up to the same bits over any parts of the rows.

    Parameters
    ----------
    state : object
        Of dense rows, after a step.

    Returns
    -------
    coarse, fine : (k, d) float64 arrays
        Of the sums: each to be added over parts by itself, then both by `sums_of`.
    coarse_weights, fine_weights : (k,) float64 arrays
        Of the weights, in the same way.
    counts : (k,) int64 array
    """
    place = slice(state.n_centers) if state.layout is None else state.layout.place
    sums, weights, counts = (total[place].copy() for total in state.totals)
    d, half = state.X.shape[1], sums.shape[1] // 2
    return sums[:, :d], sums[:, half : half + d], weights[:, 0], weights[:, 1], counts


def sums_of(coarse: np.ndarray, fine: np.ndarray) -> np.ndarray:
    """Return sums from their parts, rounded once."""
    return coarse + fine


def nearest_by_state(state: Any, centers: Any) -> Any:
    """Return labels and squared distances as `nearest_center`, or None where the state is of no help; it then is at its end."""
    if isinstance(state, sparse_assign.SparseState) or state.boxes is None:
        return None
    reassign_in_boxes(state.boxes, state.weight, centers, state.grid, state.labels, state.slots, state.tally)
    return nearest_in_boxes(state.boxes, centers, state.labels)


def _make_room(state, k):
    d = state.X.shape[1]
    width = 2 * (d if d < 8 else -(-d // 8) * 8)  # so that each vector of eight lies in one line of memory
    lanes = lanes_of(state.X.dtype)
    places = -(-k // lanes) * lanes * (2 if k > lanes else 1)  # halving may fill packs by half
    n_blocks = free_blocks(len(state.X), most=max(1, min(64, _MOST_SUM_BYTES // (8 * places * width))))
    state.totals = np.zeros((places, width)), np.zeros((places, 2)), np.zeros(places, np.int64)
    state.slots = tuple(aligned((n_blocks, *total.shape), total.dtype) for total in state.totals)
    state.slots += (np.zeros((n_blocks, places), np.bool_),)
    state.tally = np.zeros((n_blocks, 2), np.int64)
    state.n_centers, state.plain_steps = k, 0


def _put_in_boxes(state):
    state.boxes = Boxes(state.X)
    state.X = state.boxes.X
    _set_grid(state, state.boxes.greatest())
    if len(state.weight) > 1:
        state.weight = state.weight[state.boxes.order]


def _set_grid(state, greatest):
    """Choose the grid, the greatest magnitude of the rows being known; return whether it is another one than before."""
    before, state.held = state.grid, state.held._replace(row=greatest)
    state.grid = grid_of(state.bound or state.held)
    assert state.bound is None or fits(state.held, state.bound), (state.held, state.bound)
    return state.grid != before


def _look_at_all(state, centers):
    is_first = state.grid is None
    if is_first:
        state.grid = grid_of(state.bound or state.held)
    greatest = _reassign(state, centers, is_first)
    if is_first and _set_grid(state, greatest):
        # Rows that were not conditioned are added up again, on a grid of their own.
        state.labels.fill(-1)
        state.slots[-1].fill(False)
        _reassign(state, centers, False)
    _add_up(state)
    state.plain_steps += 1


def _reassign(state, centers, measured):
    """Look at all rows; return their greatest magnitude where it is measured."""
    packed, norms = pack_centers(centers, state.X.dtype)
    n_blocks = len(state.tally)
    greatest = np.zeros(n_blocks)
    run_blocks(
        _reassign_all, n_blocks, n_blocks, state.X, state.weight, packed, norms, state.grid, measured, state.labels,
        *state.slots, state.tally, greatest,
    )  # fmt: skip
    return float(greatest.max())


def _choose_way(state, centers, changed, listed):
    """Begin to use bounds when few rows change, and leave them while nearly every row is looked at all the same."""
    if state.bounds is None:
        worth = state.skip and state.boxes is None and centers.size >= _WORTH_BOUNDS
        if worth and changed < _FEW_CHANGED and state.plain_steps >= _PLAIN_STEPS:
            _relabel(state, _lay_out(centers, lanes_of(state.X.dtype)))
            _make_bounds(state, centers)
    elif listed > _MANY_LISTED and state.plain_steps < 0:
        _relabel(state, None)
        state.bounds, state.plain_steps = None, 0
    else:
        state.plain_steps = -1  # the step that makes the bounds has been


def _lay_out(centers, lanes):
    """Halve the centers again and again along their widest feature, until a pack holds them; list the packs in that order."""
    k, d = centers.shape
    pieces, packs = [np.arange(k)], []
    while pieces:
        piece = pieces.pop()
        if len(piece) <= lanes:
            packs.append(np.sort(piece))
            continue
        widest = np.argmax(np.ptp(centers[piece], axis=0))
        ranked = piece[np.argsort(centers[piece, widest], kind="stable")]
        half = -(-len(piece) // (2 * lanes)) * lanes
        pieces += [ranked[half:], ranked[:half]]
    center = np.full((len(packs), lanes), k, np.int32)
    for pack, members in zip(center, packs, strict=True):
        pack[: len(members)] = members
    center = center.ravel()
    place = np.empty(k, np.int32)
    place[center[center < k]] = np.flatnonzero(center < k)
    groups = max(1, min(_MOST_GROUPS, len(packs), k * d // _GROUP_WORK))
    starts = np.arange(groups + 1) * len(packs) // groups
    return _Layout(place, center, starts, np.repeat(np.arange(groups, dtype=np.int32), np.diff(starts) * lanes))


def _relabel(state, layout):
    """Number labels and totals by the places of a layout, or by center where it is None."""
    if layout is None:
        to, old = state.layout.center, state.layout.place
        kept = [total[old].copy() for total in state.totals]
    else:
        to = layout.place
        kept = [total[: len(to)].copy() for total in state.totals]
    for total, part in zip(state.totals, kept, strict=True):
        total[:] = 0
        total[slice(len(part)) if layout is None else to] = part
    state.labels = to[state.labels]
    state.layout = layout


def _make_bounds(state, centers):
    n, groups = len(state.X), len(state.layout.starts) - 1
    if state.length2 is None:
        state.length2 = np.empty(n, state.X.dtype)
        run_blocks(_measure, len(state.tally), len(state.tally), state.X, state.length2)
    # An infinite upper bound and no lower bound: the next step looks at everything and sets them.
    state.bounds = _Bounds(
        centers, np.full(n, np.inf, np.float32), np.full((n, groups), -np.inf, np.float32),
        np.zeros(len(state.layout.center)), np.zeros(groups),
    )  # fmt: skip


def _follow(bounds, layout, centers):
    """Add to what each center has come, and each group at most."""
    gaps = centers - bounds.centers
    moved = np.zeros(len(bounds.come))
    moved[layout.place] = np.sqrt(np.einsum("kf,kf->k", gaps, gaps)) * (1 + 1e-12)
    bounds.come += moved
    lanes = len(layout.center) // layout.starts[-1]
    bounds.group_come += np.maximum.reduceat(moved, layout.starts[:-1] * lanes)
    bounds.centers = centers


def _look_where_bounds_fail(state, centers):
    d = centers.shape[1]
    layout, bounds, dtype = state.layout, state.bounds, state.X.dtype
    lying = np.zeros((len(layout.center), d))
    lying[layout.place] = centers
    packed, norms = pack_centers(lying, dtype)
    norms[(layout.center == len(centers)).reshape(norms.shape)] = np.inf
    # Twice the rounding of |c|^2 - 2 x.c added feature by feature, for the longest row and center.
    longest2 = max(float(state.length2.max(initial=0.0)), float(np.einsum("kf,kf->k", centers, centers).max()))
    margin = 4.0 * (d + 2) * np.finfo(dtype).eps * longest2
    n_blocks = len(state.tally)
    run_blocks(
        reassign_listed, n_blocks, n_blocks, state.X, state.weight, state.length2, packed, norms, layout.center,
        layout.starts, layout.group, margin, state.grid, bounds.come, bounds.group_come, state.labels, bounds.upper,
        bounds.lower, *state.slots, state.tally,
    )  # fmt: skip
    _add_up(state)


def _add_up(state):
    parts = min(len(state.totals[1]), block_count(state.slots[0].size, 65_536, 16))
    run_blocks(merge, parts, parts, *state.slots, *state.totals)


@kernel
def _measure(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in
    length2,  # (n,)  out
):
    n = len(X)
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        total = 0.0
        for f in range(X.shape[1]):
            total += np.float64(X[i, f]) * X[i, f]
        length2[i] = total


@kernel
def _reassign_all(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in
    weight,  # (n,) or (1,)  in
    packed,  # (packs, d, lanes)  in
    norms,  # (packs, lanes)  in
    grid,  # four floats  in: see `grid_of`
    measured,  # bool  in: whether the greatest magnitude is wanted
    labels,  # (n,) int32  in, out
    sums,  # (n_blocks, places, width)  out: what this block adds, where touched
    weights,  # (n_blocks, places, 2)  out
    counts,  # (n_blocks, places)  out
    touched,  # (n_blocks, places)  out: false before
    tally,  # (n_blocks, 2)  out: rows changed, rows looked at
    greatest,  # (n_blocks,)  out: greatest magnitude of a value, 0 before
):
    n = len(X)
    values, indices = np.empty(ROWS, X.dtype), np.empty(ROWS, np.int32)
    start, end = n * block // n_blocks, n * (block + 1) // n_blocks
    n_changed = 0
    for first in range(start, end, ROWS):
        if measured and (first - start) % _MEASURED_ROWS == 0:
            greatest[block] = max(greatest[block], greatest_of_rows(X, first, min(first + _MEASURED_ROWS, end)))
        nearest_of_eight(X, first, packed, norms, values, indices)
        for i in range(first, min(first + ROWS, end)):
            old, new = labels[i], indices[i - first]
            if new != old:
                move_row(block, X, i, weight, old, new, grid, sums, weights, counts, touched)
                labels[i] = new
                n_changed += 1
    tally[block, 0], tally[block, 1] = n_changed, end - start
