"""Dividing groups of rows on the CPU: chunks of rows of many groups in one pass, sums kept for each chunk and added in order."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse

from . import sparse_divide
from .blocks import block_count, run_blocks
from .jit import kernel
from .row_vectors import EIGHT, add_four_sums, add_row, copy_row, distances2_of_eight, project
from .sides import TILE, add_sides

__all__ = [
    "descend", "divide_apply", "divide_labels", "divide_start", "divide_step", "sample_rows", "scatter_matrices",
    "scatter_products",
]  # fmt: skip

_CHUNK_ROWS = 8192  # a group's chunks depend on the group alone, so its sums do
_BLOCK_ROWS = 16_384
_MOST_SUM_BYTES = 1 << 26


@dataclass
class _State:
    X: np.ndarray  # (n, d) buffer 0
    other: np.ndarray  # (n, d) buffer 1
    order: np.ndarray  # (2, n) int64: row of the input
    weight: np.ndarray  # (2, n) float64, or (1, 1) for all
    side: np.ndarray  # (n,) uint8: 1 on the right


def divide_start(X, order, sample_weight):
    """See `coterie.primitives.divide.divide_start`."""
    if scipy.sparse.issparse(X):
        return sparse_divide.divide_start(X, order, sample_weight)
    n = len(X)
    first = np.empty_like(X)
    n_blocks = block_count(n)
    run_blocks(_gather, n_blocks, n_blocks, X, order, first)
    weight = np.ones((1, 1)) if sample_weight is None else np.stack([sample_weight[order]] * 2)
    orders = np.empty((2, n), np.int64)  # the second is written before it is read
    orders[0] = order
    return _State(first, X, orders, weight, np.zeros(n, np.uint8))


def divide_step(state, spans, normals, offsets):
    """See `coterie.primitives.divide.divide_step`; returns its fields."""
    if isinstance(state, sparse_divide.SparseState):
        return sparse_divide.divide_step(state, spans, normals, offsets)
    g, d = normals.shape
    sums, weights = np.zeros((g, 2, d)), np.zeros((g, 2))
    counts, changed = np.zeros((g, 2), np.int64), np.zeros(g, np.int64)
    for chunks, blocks in _in_chunks(spans, d):
        slots, tallies = np.zeros((2 * len(chunks), d)), np.zeros((len(chunks), 2))
        numbers = np.zeros((len(chunks), 3), np.int64)
        run_blocks(
            _sum_sides, len(blocks) - 1, blocks, chunks, state.X, state.other, state.weight, normals, offsets,
            state.side, slots, tallies, numbers,
        )  # fmt: skip
        groups, firsts = np.unique(chunks[:, 0], return_index=True)
        sums[groups] = np.add.reduceat(slots.reshape(-1, 2, d), firsts)
        weights[groups] = np.add.reduceat(tallies, firsts)
        counts[groups] = np.add.reduceat(numbers[:, :2], firsts)
        changed[groups] = np.add.reduceat(numbers[:, 2], firsts)
    return sums, weights, counts, changed


def divide_apply(state, spans, centers, move):
    """See `coterie.primitives.divide.divide_apply`; returns its fields."""
    if isinstance(state, sparse_divide.SparseState):
        return sparse_divide.divide_apply(state, spans, centers, move)
    g, _, d = centers.shape
    inertia, farthest = np.zeros((g, 2)), np.empty((g, 2, d))
    centers = np.ascontiguousarray(centers.reshape(-1, d))
    for chunks, blocks in _in_chunks(spans, 1):
        rights = np.array([np.count_nonzero(state.side[start:end]) for _, start, end, _ in chunks.tolist()])
        groups, firsts = np.unique(chunks[:, 0], return_index=True)
        to = _destinations(chunks, rights, firsts)
        squares, extremes = np.zeros((len(chunks), 2)), np.full((len(chunks), 2), -1.0)
        places = np.zeros((len(chunks), 2), np.int64)
        run_blocks(
            _part_rows, len(blocks) - 1, blocks, chunks, to, move, state.X, state.other, state.order, state.weight,
            state.side, centers, squares, extremes, places,
        )  # fmt: skip
        inertia[groups] = np.add.reduceat(squares, firsts)
        for group, first, end in zip(groups, firsts, np.append(firsts[1:], len(chunks)), strict=True):
            best = first + extremes[first:end].argmax(axis=0)
            buffers = [state.X, state.other]
            held = buffers[spans[group, 2] ^ int(move)]
            farthest[group] = held[places[best, [0, 1]]]
    return inertia, farthest


def divide_labels(state, spans, names):
    """See `coterie.primitives.divide.divide_labels`."""
    if isinstance(state, sparse_divide.SparseState):
        return sparse_divide.divide_labels(state, spans, names)
    labels = np.empty(len(state.side), np.int64)
    run_blocks(_name_rows, len(spans), spans, names, state.order, labels)
    return labels


def sample_rows(state, spans, most):
    """See `coterie.primitives.divide.sample_rows`."""
    if isinstance(state, sparse_divide.SparseState):
        return sparse_divide.sample_rows(state, spans, most)
    bounds = np.append(0, np.cumsum(np.minimum(spans[:, 1] - spans[:, 0], most)))
    rows, weights = np.empty((bounds[-1], state.X.shape[1])), np.ones(bounds[-1])
    run_blocks(_sample, len(spans), spans, bounds, state.X, state.other, state.weight, rows, weights)
    return rows, weights, bounds


def scatter_matrices(state, spans, means):
    """See `coterie.primitives.divide.scatter_matrices`."""
    g, d = means.shape
    width = -(-d // 4) * 4
    matrices = np.zeros((g, d, d))
    for chunks, blocks in _in_chunks(spans, width * width):
        slots = np.zeros((len(chunks) * width, width))
        run_blocks(
            _scatter_matrix, len(blocks) - 1, blocks, chunks, state.X, state.other, state.weight, means, slots
        )  # fmt: skip
        groups, firsts = np.unique(chunks[:, 0], return_index=True)
        matrices[groups] = np.add.reduceat(slots.reshape(-1, width, width), firsts)[:, :d, :d]
    return matrices


def scatter_products(state, spans, means, directions):
    """See `coterie.primitives.divide.scatter_products`."""
    if isinstance(state, sparse_divide.SparseState):
        return sparse_divide.scatter_products(state, spans, means, directions)
    g, d = means.shape
    products = np.zeros((g, d))
    offsets = np.einsum("gf,gf->g", means, directions)
    for chunks, blocks in _in_chunks(spans, d):
        slots, tallies = np.zeros((len(chunks), d)), np.zeros(len(chunks))
        run_blocks(
            _scatter, len(blocks) - 1, blocks, chunks, state.X, state.other, state.weight, directions, offsets, slots,
            tallies,
        )  # fmt: skip
        groups, firsts = np.unique(chunks[:, 0], return_index=True)
        products[groups] = np.add.reduceat(slots, firsts) - np.add.reduceat(tallies, firsts)[:, None] * means[groups]
    return products


def descend(X, left, right, normals, offsets):
    """See `coterie.primitives.divide.descend`."""
    if scipy.sparse.issparse(X):
        return sparse_divide.descend(X, left, right, normals, offsets)
    leaves = np.empty(len(X), np.int64)
    n_blocks = block_count(len(X))
    run_blocks(_descend, n_blocks, n_blocks, X, left, right, normals, offsets, leaves)
    return leaves


def _in_chunks(spans, d):
    """Cut groups into chunks (group, start, end, buffer) and chunks into blocks; yield what fits in bounded sums at once."""
    lengths = spans[:, 1] - spans[:, 0]
    n_chunks = -(-lengths // _CHUNK_ROWS)
    most = max(1, _MOST_SUM_BYTES // (16 * d))
    batch = np.cumsum(n_chunks) // most
    for some in np.split(np.arange(len(spans)), np.flatnonzero(np.diff(batch)) + 1):
        group = np.repeat(some, n_chunks[some])
        number = np.arange(len(group)) - np.repeat(np.cumsum(n_chunks[some]) - n_chunks[some], n_chunks[some])
        start = spans[group, 0] + number * _CHUNK_ROWS
        end = np.minimum(start + _CHUNK_ROWS, spans[group, 1])
        chunks = np.column_stack([group, start, end, spans[group, 2]])
        before = np.cumsum(end - start) - (end - start)
        blocks = np.unique(before // _BLOCK_ROWS, return_index=True)[1]
        yield chunks, np.append(blocks, len(chunks))


def _destinations(chunks, rights, firsts):
    """Return where the left and the right rows of each chunk go: (c, 2)."""
    lefts = chunks[:, 2] - chunks[:, 1] - rights
    sizes = np.diff(np.append(firsts, len(chunks)))
    left_before, right_before = np.cumsum(lefts) - lefts, np.cumsum(rights) - rights
    n_left = np.add.reduceat(lefts, firsts)
    start = np.repeat(chunks[firsts, 1], sizes)
    left = start + left_before - np.repeat(left_before[firsts], sizes)
    return np.column_stack(
        [left, start + np.repeat(n_left, sizes) + right_before - np.repeat(right_before[firsts], sizes)]
    )


@kernel
def _gather(block, n_blocks, X, order, out):
    n = len(X)
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        copy_row(X, order[i], out, i)


@kernel
def _name_rows(
    group,  # int  in
    spans,  # (g, 3) int64  in
    names,  # (g,) int64  in
    order,  # (2, n) int64  in
    labels,  # (n,) int64  out
):
    for place in range(spans[group, 0], spans[group, 1]):
        labels[order[spans[group, 2], place]] = names[group]


@kernel
def _sample(
    block,  # one group
    spans,  # (g, 3) int64  in
    bounds,  # (g + 1,) int64  in: the group's rows of the sample
    X,  # (n, d)  in
    other,  # (n, d)  in
    weight,  # (2, n) or (1, 1)  in
    rows,  # (m, d) float64  out
    weights,  # (m,) float64  out: 1 before
):
    start, length, buffer = spans[block, 0], spans[block, 1] - spans[block, 0], spans[block, 2]
    count = bounds[block + 1] - bounds[block]
    held = X if buffer == 0 else other
    for i in range(count):
        place = start + i * length // count
        copy_row(held, place, rows, bounds[block] + i)
        if weight.size > 1:
            weights[bounds[block] + i] = weight[buffer, place]


@kernel
def _sum_sides(
    block,
    blocks,  # (b + 1,) int64  in: first chunk of each block
    chunks,  # (c, 4) int64  in: group, start, end, buffer
    X,  # (n, d)  in
    other,  # (n, d)  in
    weight,  # (2, n) or (1, 1)  in
    normals,  # (g, d) float64  in
    offsets,  # (g,) float64  in
    side,  # (n,) uint8  in, out
    sums,  # (2 c, d) float64  out: zero before; left and right of each chunk
    weights,  # (c, 2) float64  out: zero before
    numbers,  # (c, 3) int64  out: zero before; rows left, right, and on another side than before
):
    shares, values = np.empty((TILE, 2)), np.empty(TILE)
    for c in range(blocks[block], blocks[block + 1]):
        group, buffer = chunks[c, 0], chunks[c, 3]
        add_sides(
            X if buffer == 0 else other, chunks[c, 1], chunks[c, 2], weight, buffer, normals, group, offsets[group],
            side, np.int64(0), shares, values, sums, weights, numbers, c,
        )  # fmt: skip


@kernel
def _part_rows(
    block,
    blocks,  # (b + 1,) int64  in: first chunk of each block
    chunks,  # (c, 4) int64  in: group, start, end, buffer
    to,  # (c, 2) int64  in: where the first left and right row of each chunk goes
    move,  # bool  in: else nothing goes anywhere
    X,  # (n, d)  in, out
    other,  # (n, d)  in, out
    order,  # (2, n) int64  in, out
    weight,  # (2, n) or (1, 1)  in, out
    side,  # (n,) uint8  in
    centers,  # (2 g, d) float64  in
    inertia,  # (c, 2) float64  out: zero before
    extremes,  # (c, 2) float64  out: -1 before; the greatest squared distance
    places,  # (c, 2) int64  out: and where that row went
):
    which, gaps2, greatest = np.empty(EIGHT, np.int64), np.empty(EIGHT), np.empty(2)
    for c in range(blocks[block], blocks[block + 1]):
        group, buffer, end = chunks[c, 0], chunks[c, 3], chunks[c, 2]
        rows, target = (X, other) if buffer == 0 else (other, X)
        next_left, next_right = to[c, 0], to[c, 1]
        left_total, right_total = 0.0, 0.0
        greatest[0], greatest[1] = -1.0, -1.0
        for first in range(chunks[c, 1], end, EIGHT):
            for r in range(EIGHT):
                which[r] = 2 * group + side[min(first + r, end - 1)]
            distances2_of_eight(rows, first, end - 1, centers, which, gaps2)
            for i in range(first, min(first + EIGHT, end)):
                # Sides are hard to guess for the processor: no branch depends on them.
                right, place = np.int64(side[i]), i
                w = weight[buffer, i] if weight.size > 1 else 1.0
                if move:
                    place = next_left + right * (next_right - next_left)
                    next_right += right
                    next_left += 1 - right
                    copy_row(rows, i, target, place)
                    order[1 - buffer, place] = order[buffer, i]
                    if weight.size > 1:
                        weight[1 - buffer, place] = w
                gap2 = gaps2[i - first]
                left_total += (1 - right) * w * gap2
                right_total += right * w * gap2
                if gap2 > greatest[right] and w > 0:
                    greatest[right], places[c, right] = gap2, place
        inertia[c, 0], inertia[c, 1] = left_total, right_total
        extremes[c, 0], extremes[c, 1] = greatest[0], greatest[1]


@kernel
def _scatter(
    block,
    blocks,  # (b + 1,) int64  in: first chunk of each block
    chunks,  # (c, 4) int64  in: group, start, end, buffer
    X,  # (n, d)  in
    other,  # (n, d)  in
    weight,  # (2, n) or (1, 1)  in
    directions,  # (g, d) float64  in
    offsets,  # (g,) float64  in: mean . direction
    products,  # (c, d) float64  out: zero before; sum of the rows times their projections
    totals,  # (c,) float64  out: zero before; sum of the projections
):
    for c in range(blocks[block], blocks[block + 1]):
        group, buffer = chunks[c, 0], chunks[c, 3]
        rows = X if buffer == 0 else other
        for i in range(chunks[c, 1], chunks[c, 2]):
            w = weight[buffer, i] if weight.size > 1 else weight[0, 0]
            projection = w * (project(rows, i, directions, group) - offsets[group])
            totals[c] += projection
            add_row(rows, i, projection, products, c)


@kernel
def _scatter_matrix(
    block,
    blocks,  # (b + 1,) int64  in: first chunk of each block
    chunks,  # (c, 4) int64  in: group, start, end, buffer
    X,  # (n, d)  in
    other,  # (n, d)  in
    weight,  # (2, n) or (1, 1)  in
    means,  # (g, d) float64  in
    matrices,  # (c w, w) float64  out: zero before; w is d, rounded up to a multiple of 4
):
    d, width = X.shape[1], matrices.shape[1]
    centred, shares = np.zeros((TILE, width)), np.zeros((TILE, width))
    for c in range(blocks[block], blocks[block + 1]):
        group, buffer, end = chunks[c, 0], chunks[c, 3], chunks[c, 2]
        rows = X if buffer == 0 else other
        for first in range(chunks[c, 1], end, TILE):
            count = min(TILE, end - first)
            for i in range(count):
                w = weight[buffer, first + i] if weight.size > 1 else 1.0
                for f in range(d):
                    gap = rows[first + i, f] - means[group, f]
                    centred[i, f], shares[i, f] = gap, w * gap
            for f in range(0, width, 4):
                add_four_sums(centred, 0, count, shares, f, matrices, c * width + f)


@kernel
def _descend(
    block,
    n_blocks,  # int  in
    X,  # (n, d)  in
    left,  # (m,) int64  in
    right,  # (m,) int64  in
    normals,  # (m, d) float64  in
    offsets,  # (m,) float64  in
    leaves,  # (n,) int64  out
):
    n = len(X)
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        node = 0
        while left[node] >= 0:
            node = right[node] if project(X, i, normals, node) > offsets[node] else left[node]
        leaves[i] = node
