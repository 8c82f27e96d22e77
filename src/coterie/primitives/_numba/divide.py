"""Dividing groups of rows on the CPU: chunks of rows of many groups in one pass, sums kept for each chunk and added in order."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse

from . import sparse_divide
from .blocks import block_count, run_blocks
from .jit import kernel
from .row_vectors import add_row, distance2, project

__all__ = [
    "descend", "divide_apply", "divide_labels", "divide_start", "divide_step", "sample_rows", "scatter_products",
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
    return _State(first, X, np.stack([order, order]), weight, np.zeros(n, np.uint8))


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
    for (start, end, side), name in zip(spans.tolist(), names, strict=True):
        labels[state.order[side, start:end]] = name
    return labels


def sample_rows(state, spans, most):
    """See `coterie.primitives.divide.sample_rows`."""
    if isinstance(state, sparse_divide.SparseState):
        return sparse_divide.sample_rows(state, spans, most)
    places, bounds = sample_places(spans, most)
    side = np.repeat(spans[:, 2], np.diff(bounds))
    rows = np.empty((len(places), state.X.shape[1]))
    n_blocks = block_count(len(places))
    run_blocks(_gather_sides, n_blocks, n_blocks, state.X, state.other, places, side, rows)
    weight = state.weight[side, places] if state.weight.size > 1 else np.ones(len(places))
    return rows, weight, bounds


def sample_places(spans, most):
    """Return evenly spaced places of each span, and the bounds between spans."""
    starts, lengths = spans[:, 0], spans[:, 1] - spans[:, 0]
    taken = np.minimum(lengths, most)
    bounds = np.append(0, np.cumsum(taken))
    number = np.arange(bounds[-1]) - np.repeat(bounds[:-1], taken)
    return np.repeat(starts, taken) + number * np.repeat(lengths, taken) // np.repeat(taken, taken), bounds


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
    n, d = X.shape
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        for f in range(d):
            out[i, f] = X[order[i], f]


@kernel
def _gather_sides(block, n_blocks, X, other, places, side, out):
    n, d = out.shape
    for i in range(n * block // n_blocks, n * (block + 1) // n_blocks):
        rows = X if side[i] == 0 else other
        for f in range(d):
            out[i, f] = rows[places[i], f]


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
    for c in range(blocks[block], blocks[block + 1]):
        group, buffer = chunks[c, 0], chunks[c, 3]
        rows = X if buffer == 0 else other
        changed = 0
        for i in range(chunks[c, 1], chunks[c, 2]):
            right = np.int64(project(rows, i, normals, group) > offsets[group])
            changed += right != side[i]
            side[i] = right
            w = weight[buffer, i] if weight.size > 1 else weight[0, 0]
            weights[c, right] += w
            numbers[c, right] += 1
            add_row(rows, i, w, sums, 2 * c + right)
        numbers[c, 2] = changed


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
    d = X.shape[1]
    for c in range(blocks[block], blocks[block + 1]):
        group, buffer = chunks[c, 0], chunks[c, 3]
        rows, target = (X, other) if buffer == 0 else (other, X)
        next_left, next_right = to[c, 0], to[c, 1]
        for i in range(chunks[c, 1], chunks[c, 2]):
            right = np.int64(side[i])
            place = i
            if move:
                place = next_right if right else next_left
                next_right += right
                next_left += 1 - right
                for f in range(d):
                    target[place, f] = rows[i, f]
                order[1 - buffer, place] = order[buffer, i]
                if weight.size > 1:
                    weight[1 - buffer, place] = weight[buffer, i]
            w = weight[buffer, i] if weight.size > 1 else weight[0, 0]
            gap2 = distance2(rows, i, centers, 2 * group + right)
            inertia[c, right] += w * gap2
            if gap2 > extremes[c, right] and w > 0:
                extremes[c, right], places[c, right] = gap2, place


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
