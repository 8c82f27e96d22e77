"""Lloyd's step on the CPU, skipping what cannot have changed.

After the first step the rows are laid out by their center, in groups of 64, each inside a ball. For a group, any center
farther from the middle of the ball than the nearest one by more than the ball's diameter is nearest to none of its rows:
most groups keep one candidate and are settled without looking at their rows, the rest look at a few packed candidates.
Nothing is carried over but the labels, so the result is that of the plain step, to the bit (margins cover the rounding).

Sums are kept from step to step and changed by the rows that change their center: one slot per block of rows, merged in
block order.
"""

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse

from . import sparse_assign
from .blocks import block_count, run_blocks, run_kernel
from .distances import pack_rows
from .jit import kernel
from .tile import GROUP, ROWS, nearest_of_eight, pack_centers, squared_distances

__all__ = ["lloyd_start", "lloyd_step"]

_GROUP_ROWS = 64
_MOST_SUM_BYTES = 1 << 24


@dataclass
class _State:
    X: np.ndarray  # (n, d): by center from the second step on
    weight: np.ndarray  # (n,) or (1,) float64
    labels: np.ndarray  # (n,) int32, in the order of X; -1 before the first step
    settled: np.ndarray  # (groups,) int32: the center of all rows of a group, or -1
    middle: np.ndarray | None = None  # (groups, d) float64
    radius: np.ndarray | None = None  # (groups,) float64
    sums: np.ndarray | None = None  # (k, d) float64
    weights: np.ndarray | None = None  # (k,) float64
    counts: np.ndarray | None = None  # (k,) int64: rows of positive weight
    may_skip: bool = True
    prunes: bool = False  # whether the next step looks for what it can skip
    scratch: dict = field(default_factory=dict)


def lloyd_start(X, sample_weight, skip=True):
    """See `coterie.primitives.assign.lloyd_start`."""
    if scipy.sparse.issparse(X):
        return sparse_assign.SparseState(X, sample_weight)
    n = len(X)
    weight = np.ones(1) if sample_weight is None else sample_weight
    return _State(X, weight, np.full(n, -1, np.int32), np.full(-(-n // _GROUP_ROWS), -1, np.int32), may_skip=skip)


def lloyd_step(state, centers):
    """See `coterie.primitives.assign.lloyd_step`."""
    from ..assign import LloydStep

    if isinstance(state, sparse_assign.SparseState):
        return LloydStep(*sparse_assign.lloyd_step(state, centers))
    centers = np.ascontiguousarray(centers, np.float64)
    first_time = state.sums is None
    if first_time:
        _make_room(state, *centers.shape)
    n_changed = _reassign(state, centers)
    if first_time and state.may_skip and len(centers) > 1 and len(state.X) > _GROUP_ROWS:
        _sort_by_center(state, len(centers))
    return LloydStep(state.sums.copy(), state.weights.copy(), state.counts.copy(), n_changed)


def _make_room(state, k, d):
    groups = len(state.settled)
    n_blocks = block_count(groups, 16, max(1, min(64, _MOST_SUM_BYTES // (8 * k * d))))
    state.sums, state.weights, state.counts = np.zeros((k, d)), np.zeros(k), np.zeros(k, np.int64)
    state.scratch = {
        "sums": np.empty((n_blocks, k, d)),
        "weights": np.empty((n_blocks, k)),
        "counts": np.empty((n_blocks, k), np.int64),
        "touched": np.zeros((n_blocks, k), np.bool_),
        "tally": np.zeros((n_blocks, 2), np.int64),
    }


def _reassign(state, centers):
    packed, norms = pack_centers(centers, state.X.dtype)
    panels = pack_rows(centers)
    room = state.scratch
    n_blocks = len(room["sums"])
    middle = state.middle if state.prunes else np.empty((0, centers.shape[1]))
    radius = state.radius if state.prunes else np.empty(0)
    # Rounding of |c|^2 - 2 x.c, which may prefer a center that is farther by this much.
    margin = 16 * np.finfo(state.X.dtype).eps * (np.abs(centers).max() + 1.0) ** 2 * (centers.shape[1] + 4)
    run_blocks(
        _reassign_groups, n_blocks, n_blocks, state.X, state.weight, middle, radius, panels, len(centers), margin,
        packed, norms, state.labels, state.settled, room["sums"], room["weights"], room["counts"], room["touched"], room["tally"],
    )  # fmt: skip
    run_blocks(
        _merge, min(16, len(centers)), min(16, len(centers)), room["sums"], room["weights"], room["counts"], room["touched"],
        state.sums, state.weights, state.counts,
    )  # fmt: skip
    n_changed, n_skipped = room["tally"].sum(0)
    # Where nine groups in ten must look at every center, looking for candidates costs more than it saves.
    state.prunes = state.prunes and n_skipped * 10 >= len(state.settled)
    return int(n_changed)


def _sort_by_center(state, k):
    d = state.X.shape[1]
    order = run_kernel(_order_by_label, state.labels, k)
    X, labels = np.empty_like(state.X), np.empty_like(state.labels)
    weight = state.weight if len(state.weight) == 1 else np.empty_like(state.weight)
    n_groups = len(state.settled)
    state.middle, state.radius = np.empty((n_groups, d)), np.empty(n_groups)
    n_blocks = block_count(n_groups, 64)
    run_blocks(
        _lay_out, n_blocks, n_blocks, order, state.X, state.labels, state.weight, X, labels, weight,
        state.middle, state.radius, state.settled,
    )  # fmt: skip
    state.X, state.labels, state.weight, state.prunes = X, labels, weight, True


@kernel
def _order_by_label(
    labels,  # (n,) int32  in
    k,  # int  in
):
    starts = np.zeros(k + 1, np.int64)
    for label in labels:
        starts[label + 1] += 1
    for j in range(k):
        starts[j + 1] += starts[j]
    order = np.empty(len(labels), np.int64)
    for i in range(len(labels)):
        order[starts[labels[i]]] = i
        starts[labels[i]] += 1
    return order


@kernel
def _lay_out(
    block,
    n_blocks,  # int  in
    order,  # (n,) int64  in
    old_X,  # (n, d)  in
    old_labels,  # (n,) int32  in
    old_weight,  # (n,) or (1,)  in
    X,  # (n, d)  out
    labels,  # (n,) int32  out
    weight,  # (n,) or (1,)  out
    middle,  # (groups, d)  out
    radius,  # (groups,)  out: not less than the distance of any row from the middle
    settled,  # (groups,) int32  out
):
    n, d = X.shape
    groups = len(radius)
    for g in range(groups * block // n_blocks, groups * (block + 1) // n_blocks):
        start, end = g * _GROUP_ROWS, min(n, (g + 1) * _GROUP_ROWS)
        middle[g] = 0.0
        settled[g] = old_labels[order[start]]
        for i in range(start, end):
            row = order[i]
            labels[i] = old_labels[row]
            if len(weight) > 1:
                weight[i] = old_weight[row]
            if labels[i] != settled[g]:
                settled[g] = -1
            for f in range(d):
                X[i, f] = old_X[row, f]
                middle[g, f] += X[i, f]
        for f in range(d):
            middle[g, f] /= end - start
        most = 0.0
        for i in range(start, end):
            total = 0.0
            for f in range(d):
                gap = X[i, f] - middle[g, f]
                total += gap * gap
            most = max(most, total)
        radius[g] = np.sqrt(most) * (1 + 1e-9)


@kernel
def _reassign_groups(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in
    weight,  # (n,) or (1,)  in
    middle,  # (groups, d), or (0, d) where nothing is skipped  in
    radius,  # (groups,)  in
    panels,  # (p, d, GROUP) float64  in: the centers
    k,  # int  in
    margin,  # float  in: of squared distance
    packed,  # (c, d, lanes)  in
    norms,  # (c, lanes)  in
    labels,  # (n,) int32  in, out
    settled,  # (groups,) int32  in, out
    sums,  # (n_blocks, k, d)  out: what this block adds, where touched
    weights,  # (n_blocks, k)  out
    counts,  # (n_blocks, k)  out
    touched,  # (n_blocks, k)  out: false before
    tally,  # (n_blocks, 2)  out: rows changed, groups that looked at half of the centers or less
):
    n, d = X.shape
    lanes = packed.shape[2]
    most_groups = max(1, len(packed) // 2)
    few, few_norms = np.empty((most_groups, d, lanes), X.dtype), np.empty((most_groups, lanes), X.dtype)
    candidates = np.empty(max(k, 1), np.int32)
    distances = np.empty(len(panels) * GROUP)
    line = np.empty(GROUP)
    values, indices = np.empty(ROWS, X.dtype), np.empty(ROWS, np.int32)
    groups = len(settled)
    n_changed, n_skipped = 0, 0
    for g in range(groups * block // n_blocks, groups * (block + 1) // n_blocks):
        start, end = g * _GROUP_ROWS, min(n, (g + 1) * _GROUP_ROWS)
        n_candidates = k
        if len(middle) > 0:
            n_candidates = _find_candidates(middle, g, radius[g], panels, k, margin, distances, line, candidates)
        if n_candidates == 1 and k > 1:
            n_skipped += 1
            label = candidates[0]
            if settled[g] == label:
                continue
            for i in range(start, end):
                if labels[i] != label:
                    _move_row(block, X, i, weight, labels[i], label, sums, weights, counts, touched)
                    labels[i] = label
                    n_changed += 1
            settled[g] = label
            continue
        packs = (n_candidates + lanes - 1) // lanes
        is_few = n_candidates < k and packs <= len(packed) // 2
        if is_few:
            n_skipped += 1
            _pack_few(candidates, n_candidates, packs, packed, norms, few, few_norms)
        common = np.int32(-2)
        for first in range(start, end, ROWS):
            if is_few:
                nearest_of_eight(X, first, few[:packs], few_norms[:packs], values, indices)
            else:
                nearest_of_eight(X, first, packed, norms, values, indices)
            for i in range(first, min(first + ROWS, end)):
                label = candidates[indices[i - first]] if is_few else indices[i - first]
                if labels[i] != label:
                    _move_row(block, X, i, weight, labels[i], label, sums, weights, counts, touched)
                    labels[i] = label
                    n_changed += 1
                common = label if common == -2 or common == label else np.int32(-1)
        settled[g] = common
    tally[block, 0], tally[block, 1] = n_changed, n_skipped


@kernel
def _find_candidates(middle, g, radius, panels, k, margin, distances, line, candidates):
    """List the centers that may be nearest to a row of the group, lowest index first, and return how many they are."""
    for p in range(len(panels)):
        squared_distances(middle, g, panels, p, line)
        distances[p * GROUP : (p + 1) * GROUP] = line
    least = np.inf
    for j in range(k):
        least = min(least, distances[j])
    reach = np.sqrt((np.sqrt(least) + radius) ** 2 + margin) + radius
    limit = reach * reach * (1 + 1e-9)
    n_candidates = 0
    for j in range(k):
        candidates[n_candidates] = j
        n_candidates += distances[j] <= limit
        if n_candidates == k:
            break
    return n_candidates


@kernel
def _pack_few(candidates, n_candidates, packs, packed, norms, few, few_norms):
    lanes, d = packed.shape[2], packed.shape[1]
    for c in range(packs * lanes):
        to_pack, to_lane = c // lanes, c % lanes
        if c < n_candidates:
            pack, lane = candidates[c] // lanes, candidates[c] % lanes
            few_norms[to_pack, to_lane] = norms[pack, lane]
            for f in range(d):
                few[to_pack, f, to_lane] = packed[pack, f, lane]
        else:
            few_norms[to_pack, to_lane] = np.inf
            for f in range(d):
                few[to_pack, f, to_lane] = 0.0


@kernel
def _move_row(block, X, i, weight, old, new, sums, weights, counts, touched):
    """Take row i from the sums of its old center and add it to those of the new one."""
    w = weight[i % len(weight)]
    for label, sign in ((old, -1.0), (new, 1.0)):
        if label < 0:
            continue
        if not touched[block, label]:
            touched[block, label] = True
            sums[block, label], weights[block, label], counts[block, label] = 0.0, 0.0, 0
        signed = sign * w
        weights[block, label] += signed
        counts[block, label] += int(sign) if w > 0 else 0
        for f in range(X.shape[1]):
            sums[block, label, f] += signed * X[i, f]


@kernel
def _merge(
    part,
    n_parts,  # int  in: each merges its share of the centers
    sums,  # (n_blocks, k, d)  in
    weights,  # (n_blocks, k)  in
    counts,  # (n_blocks, k)  in
    touched,  # (n_blocks, k)  in; false after
    total,  # (k, d)  in, out
    total_weights,  # (k,)  in, out
    total_counts,  # (k,)  in, out
):
    k, d = total.shape
    for block in range(len(sums)):
        for c in range(k * part // n_parts, k * (part + 1) // n_parts):
            if touched[block, c]:
                touched[block, c] = False
                total_weights[c] += weights[block, c]
                total_counts[c] += counts[block, c]
                for f in range(d):
                    total[c, f] += sums[block, c, f]
    for c in range(k * part // n_parts, k * (part + 1) // n_parts):
        if total_counts[c] == 0:
            # What rounding has left of rows that came and went.
            total[c], total_weights[c] = 0.0, 0.0
