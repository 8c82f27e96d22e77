"""Lloyd's step in few dimensions: rows in small boxes, each beside the few centers near it.

A center is nearest to some row of a box only if its least distance from the box does not exceed the greatest distance of any
other center from it. Candidates are sought twice: for boxes of about 1,000 rows among all centers, then for the sixteen boxes in
each among those. In two dimensions about ten of 1,000 centers are left, whatever the step before found.

The boxes are the leaves of a k-d tree over a sample, and each row goes down it by a dozen comparisons: less than half the time of
a tree over all rows. Some boxes then hold twice as many rows as others, which costs the search nothing.

Kanungo, T., et al. (2002). An efficient k-means clustering algorithm: analysis and implementation. IEEE TPAMI, 24(7), 881-892.
https://doi.org/10.1109/TPAMI.2002.1017616
"""

import numpy as np

from .blocks import block_count, run_blocks
from .jit import kernel
from .kdtree import build_kdtree
from .lloyd_sums import move_row
from .tile import ROWS, nearest_of_eight, pack_centers

__all__ = ["Boxes", "nearest_in_boxes", "reassign_in_boxes"]

_BOX_ROWS = 64  # at most on average
_LEVELS_BETWEEN = 4
_SAMPLE_ROWS = 4  # of each box


class Boxes:
    """The rows box by box, and the boxes, small ones and those of sixteen that are searched first."""

    def __init__(self, X):
        n, d = X.shape
        depth = max(0, int(np.ceil(np.log2(n / _BOX_ROWS))))
        features, cuts = _cuts_of_sample(X, depth)
        tops, n_boxes, n_blocks = 1 << max(0, depth - _LEVELS_BETWEEN), 1 << depth, block_count(n, most=16)
        box, counts = np.empty(n, np.int32), np.zeros((n_blocks, n_boxes), np.int64)
        run_blocks(_find_box, n_blocks, n_blocks, X, depth, features, cuts, box, counts)
        self.starts = np.r_[0, np.cumsum(counts.sum(0))]
        places = self.starts[:-1] + np.cumsum(counts, axis=0) - counts
        self.X, self.order = np.empty_like(X), np.empty(n, np.int64)
        run_blocks(_put_in_box, n_blocks, n_blocks, X, box, places, self.order, self.X)
        self.low, self.high = np.empty((n_boxes, d), X.dtype), np.empty((n_boxes, d), X.dtype)
        run_blocks(_bound, n_blocks, n_blocks, self.X, self.starts, self.low, self.high)
        self.top_low = self.low.reshape(tops, -1, d).min(1)
        self.top_high = self.high.reshape(tops, -1, d).max(1)

    def greatest(self):
        """Return the greatest magnitude of a value."""
        return float(max(-self.top_low.min(), self.top_high.max()))


def _cuts_of_sample(X, depth):
    """Return at which value of which feature each node of a k-d tree over a sample divides the rows; children as in `kdtree`."""
    sample = X[np.sort(np.random.default_rng(0).integers(len(X), size=_SAMPLE_ROWS << depth))]
    tree = build_kdtree(sample, _SAMPLE_ROWS)
    inner = np.arange((1 << depth) - 1)
    features = (tree.high[inner] - tree.low[inner]).argmax(1)
    return features, tree.low[2 * inner + 2, features]


def reassign_in_boxes(boxes, weight, centers, grid, labels, slots, tally):
    """Look at every box beside the centers near it; arguments as `lloyd` keeps them, rows in the order of the boxes."""
    packed, norms = pack_centers(centers, boxes.X.dtype)
    corners = max(float(np.abs(side).max()) for side in (boxes.X, centers))
    margin = 16.0 * (centers.shape[1] + 2) * np.finfo(boxes.X.dtype).eps * centers.shape[1] * corners**2
    n_blocks = len(tally)
    run_blocks(
        _reassign_boxes, n_blocks, n_blocks, boxes.X, boxes.starts, boxes.low, boxes.high, boxes.top_low, boxes.top_high,
        weight, np.ascontiguousarray(centers.T), packed, norms, margin, grid, labels, *slots, tally,
    )  # fmt: skip


def nearest_in_boxes(boxes, centers, labels):
    """Return labels and squared distances in the order in which the rows came, from the labels box by box."""
    n = len(labels)
    found, distances2 = np.empty(n, np.int32), np.empty(n)
    n_blocks = block_count(n)
    run_blocks(_put_back, n_blocks, n_blocks, boxes.X, boxes.order, centers, labels, found, distances2)
    return found, distances2


@kernel
def _find_box(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in
    depth,  # int  in
    features,  # (inner nodes,) int64  in
    cuts,  # (inner nodes,)  in
    box,  # (n,) int32  out
    counts,  # (n_blocks, boxes)  out: zero before
):
    n = len(X)
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        node = np.uint64(0)
        for _ in range(depth):
            node = np.uint64(2) * node + np.uint64(1) + np.uint64(X[i, features[node]] >= cuts[node])
        box[i] = node - np.uint64((1 << depth) - 1)
        counts[block, box[i]] += 1


@kernel
def _put_in_box(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in
    box,  # (n,) int32  in
    places,  # (n_blocks, boxes)  in, out: the next free one of this block's rows in each box
    order,  # (n,) int64  out
    rows,  # (n, d)  out
):
    n = len(X)
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        place = places[block, box[i]]
        places[block, box[i]] = place + 1
        order[place] = i
        for f in range(X.shape[1]):
            rows[place, f] = X[i, f]


@kernel
def _bound(
    block,
    n_blocks,  # int  in
    rows,  # (n, d)  in
    starts,  # (boxes + 1,)  in
    low,  # (boxes, d)  out: infinite where there is no row
    high,  # (boxes, d)  out
):
    n_boxes = len(low)
    for box in range(n_boxes * block // n_blocks, n_boxes * (block + 1) // n_blocks):
        for f in range(rows.shape[1]):
            least, most = rows.dtype.type(np.inf), rows.dtype.type(-np.inf)
            for i in range(starts[box], starts[box + 1]):
                least, most = min(least, rows[i, f]), max(most, rows[i, f])
            low[box, f], high[box, f] = least, most


@kernel
def _put_back(
    block,
    n_blocks,  # int  in
    rows,  # (n, d)  in
    order,  # (n,) int64  in
    centers,  # (k, d) float64  in
    labels,  # (n,) int32  in
    found,  # (n,) int32  out
    distances2,  # (n,) float64  out
):
    n = len(rows)
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        label, total = labels[i], 0.0
        for f in range(rows.shape[1]):
            gap = rows[i, f] - centers[label, f]
            total += gap * gap
        found[order[i]], distances2[order[i]] = label, total


@kernel
def _reassign_boxes(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in: box by box
    starts,  # (boxes + 1,)  in
    low,  # (boxes, d)  in
    high,  # (boxes, d)  in
    top_low,  # (tops, d)  in: large boxes
    top_high,  # (tops, d)  in
    weight,  # (n,) or (1,)  in
    columns,  # (d, k) float64  in: the centers
    packed,  # (packs, d, lanes)  in
    norms,  # (packs, lanes)  in
    margin,  # float  in: rounding of a squared distance
    grid,  # four floats  in: see `lloyd_sums.grid_of`
    labels,  # (n,) int32  in, out
    sums,  # (n_blocks, places, width)  out: what this block adds, where touched
    weights,  # (n_blocks, places, 2)  out
    counts,  # (n_blocks, places)  out
    touched,  # (n_blocks, places)  out: false before
    tally,  # (n_blocks, 2)  out: rows changed, rows looked at
):
    d, k = columns.shape
    near, nearest = np.empty(k, np.int64), np.empty(k, np.int64)
    near_columns = np.empty((d, k))
    gaps, reaches = np.empty(k), np.empty(k)
    few, few_norms = np.empty_like(packed), np.empty_like(norms)
    values, indices = np.empty(ROWS, X.dtype), np.empty(ROWS, np.int32)
    n_changed, n_listed = 0, 0
    tops = len(top_low)
    span = len(low) // tops
    for top in range(tops * block // n_blocks, tops * (block + 1) // n_blocks):
        n_near = _candidates(top_low, top_high, top, columns, k, margin, gaps, reaches, near)
        for f in range(d):
            for j in range(n_near):
                near_columns[f, j] = columns[f, near[j]]
        for box in range(top * span, (top + 1) * span):
            start, end = starts[box], starts[box + 1]
            if start == end:
                continue
            m = _candidates(low, high, box, near_columns, n_near, margin, gaps, reaches, nearest)
            for j in range(m):
                nearest[j] = near[nearest[j]]
            packs = _pack_few(nearest, m, packed, norms, few, few_norms) if m > 1 else 0
            n_listed += end - start if m > 1 else 0
            for first in range(start, end, ROWS):
                if m > 1:
                    nearest_of_eight(X, first, few[:packs], few_norms[:packs], values, indices)
                for i in range(first, min(first + ROWS, end)):
                    old, new = labels[i], np.int32(nearest[indices[i - first]] if m > 1 else nearest[0])
                    if new != old:
                        move_row(block, X, i, weight, old, new, grid, sums, weights, counts, touched)
                        labels[i] = new
                        n_changed += 1
    tally[block, 0], tally[block, 1] = n_changed, n_listed


@kernel
def _candidates(low, high, box, columns, m, margin, gaps, reaches, chosen):
    """List which of the first m centers may be nearest to a row of a box, and return how many they are."""
    for j in range(m):
        gaps[j], reaches[j] = 0.0, 0.0
    for f in range(len(columns)):
        bottom, top = np.float64(low[box, f]), np.float64(high[box, f])
        for j in range(m):
            below, above = bottom - columns[f, j], columns[f, j] - top
            farther = below if below > above else above
            gap = farther if farther > 0.0 else 0.0
            reach = -above if below > above else -below  # to the corner on the other side
            gaps[j] += gap * gap
            reaches[j] += reach * reach
    limit = np.inf
    for j in range(m):
        limit = reaches[j] if reaches[j] < limit else limit
    limit += margin
    n_chosen = 0
    for j in range(m):
        chosen[n_chosen] = j
        n_chosen += gaps[j] <= limit
        if n_chosen == len(chosen):
            break
    return n_chosen


@kernel
def _pack_few(chosen, n_chosen, packed, norms, few, few_norms):
    """Lay some centers side by side, in their order, and return in how many packs."""
    lanes, d = packed.shape[2], packed.shape[1]
    shift = 4 if lanes == 16 else 3
    packs = (n_chosen + lanes - 1) >> shift
    for c in range(packs * lanes):
        to_pack, to_lane = c >> shift, c & (lanes - 1)
        if c < n_chosen:
            pack, lane = chosen[c] >> shift, chosen[c] & (lanes - 1)
            few_norms[to_pack, to_lane] = norms[pack, lane]
            for f in range(d):
                few[to_pack, f, to_lane] = packed[pack, f, lane]
        else:
            few_norms[to_pack, to_lane] = np.inf
            for f in range(d):
                few[to_pack, f, to_lane] = 0.0
    return packs
