"""Compressed rows times a block of vectors, sums of products of blocks, and combinations of them, on fixed blocks of rows."""

import numpy as np

from .blocks import block_count, run_blocks
from .jit import kernel
from .prefetch import prefetch

__all__ = [
    "combine",
    "gram",
    "moved",
    "products",
    "rest",
    "rows_times_block",
    "spread",
    "squares",
    "turned",
]

_ROWS = 2048
_MOST_BLOCKS = 512
_CHUNK = 256
_NONE = np.zeros(0)
_LINE = 64  # bytes of a line of the cache
_AHEAD = 16  # links: of a random graph of ten million, products take half the time


def rows_times_block(indptr, indices, values, diagonal, X, target=None):
    """Return ``diagonal * X - A X``, or ``A X`` where there is no diagonal; or what is missing from that to a target."""
    n = len(indptr) - 1
    out = _rows(n, X.shape[1])
    blocks = block_count(max(n, len(indices) // 16), _ROWS, _MOST_BLOCKS)
    run_blocks(
        _rows_block, blocks, blocks, indptr, indices, values, _NONE if diagonal is None else diagonal, X,
        out[:0] if target is None else target, out,
    )  # fmt: skip
    return out


def gram(A, B):
    """Return ``A^T B``: the sums over blocks of rows are added in block order."""
    blocks = block_count(len(A), _ROWS, 64)
    parts = np.zeros((blocks, A.shape[1], B.shape[1]))
    run_blocks(_gram_block, blocks, blocks, A, B, parts)
    return parts.sum(axis=0)


def combine(A, C, out=None):
    """Return ``A C``, added to ``out`` where there is one."""
    if out is None:
        out = np.zeros((len(A), C.shape[1]))
    blocks = block_count(len(A), _ROWS, _MOST_BLOCKS)
    run_blocks(_combine_block, blocks, blocks, A, np.ascontiguousarray(C), out)
    return out


def products(blocks, images):
    """Return the products of the columns of up to three blocks with each other, and with those of their images."""
    nothing = np.empty((len(blocks[0]), 0))
    X, W, P = [*blocks, nothing, nothing][:3]
    width = X.shape[1] + W.shape[1] + P.shape[1]
    n_blocks = block_count(len(X), _ROWS, 64)
    parts = np.zeros((n_blocks, 2, width, width))
    run_blocks(_products_block, n_blocks, n_blocks, X, W, P, *[*images, nothing, nothing][:3], parts)
    return parts.sum(axis=0)


def moved(blocks, C, scale):
    """Return the sums of up to three blocks times their parts of C, and the same without the first block, times a scale.

    Written over the first and the third block: new memory costs more than the sums.
    """
    nothing = np.empty((len(blocks[0]), 0))
    X, W, P = [*blocks, nothing, nothing][:3]
    shape = len(X), C.shape[1]
    whole, without = (part if part.shape == shape else _rows(*shape) for part in (X, P))
    n_blocks = block_count(len(X), _ROWS, _MOST_BLOCKS)
    run_blocks(_move_block, n_blocks, n_blocks, X, W, P, np.ascontiguousarray(C), scale, whole, without)
    return whole, without


def turned(X, C):
    """Return ``X C`` for a square C, written over X."""
    blocks = block_count(len(X), _ROWS, _MOST_BLOCKS)
    run_blocks(_turn_block, blocks, blocks, X, np.ascontiguousarray(C))
    return X


def rest(X, image, theta, which=None):
    """Return the sums of the squares of the columns of ``image - X theta``, or some of those columns."""
    blocks = block_count(len(X), _ROWS, 64)
    parts = np.zeros((blocks, len(theta)))
    if which is None:
        run_blocks(_rest_block, blocks, blocks, X, image, theta, np.empty(0, np.int64), np.empty((0, 0)), parts)
        return parts.sum(axis=0)
    out = _rows(len(X), len(which))
    run_blocks(_rest_block, blocks, blocks, X, image, theta, which, out, parts)
    return out


def spread(source, scale, parent=None, onto=None):
    """Return row ``parent[i]`` of the source, or row i, times ``scale[i]`` for each i; added to ``onto`` where there is one."""
    out = _rows(len(scale), source.shape[1]) if onto is None else onto
    parent = np.empty(0, np.int64) if parent is None else parent
    blocks = block_count(len(scale), _ROWS, _MOST_BLOCKS)
    run_blocks(_spread_block, blocks, blocks, source, scale, parent, onto is not None, out)
    return out


def squares(X):
    """Return the sums of the squares of the columns."""
    return np.einsum("ij,ij->j", X, X)


def _rows(n, b):
    """Return memory for n rows of b numbers that begins with a line of the cache: rows of 8 are then one line each."""
    raw = np.empty(8 * n * b + _LINE, np.uint8)
    start = -raw.ctypes.data % _LINE
    return raw[start : start + 8 * n * b].view(np.float64).reshape(n, b)


@kernel(fastmath={"contract"})
def _rows_block(
    block,  # int  in
    blocks,  # int  in: how many; each has as many stored links as any other
    indptr,  # (n + 1,) int64  in
    indices,  # (n_stored,) int  in
    values,  # (n_stored,) float64  in
    diagonal,  # (n,) or (0,) float64  in
    X,  # (m, b) float64  in
    target,  # (n, b) or (0, b) float64  in
    out,  # (n, b) float64  out
):
    n, b, last = len(indptr) - 1, X.shape[1], len(indices) - 1
    start, end = np.int64(0), np.int64(n)
    # Links and rows count alike: one row of many links is no more work than many of few.
    if block:
        start = _split(indptr, (len(indices) + n) * block // blocks)
    if block + 1 < blocks:
        end = _split(indptr, (len(indices) + n) * (block + 1) // blocks)
    sign = -1.0 if len(diagonal) and not len(target) else 1.0
    for i in range(start, end):
        row = out[i]
        if len(target):
            own = -diagonal[i]
            for t in range(b):
                row[t] = target[i, t] + own * X[i, t]
        elif len(diagonal):
            own = diagonal[i]
            for t in range(b):
                row[t] = own * X[i, t]
        else:
            for t in range(b):
                row[t] = 0.0
        at, stop = indptr[i], indptr[i + 1]
        while at + 4 <= stop:
            for later in range(at + _AHEAD, at + _AHEAD + 4):
                j = indices[min(later, last)]
                prefetch(X, j, 0)
                prefetch(X, j, b - 1)
            # Four at a time: the sum waits for its last value once in four links.
            x0, x1, x2, x3 = X[indices[at]], X[indices[at + 1]], X[indices[at + 2]], X[indices[at + 3]]
            v0, v1, v2, v3 = sign * values[at], sign * values[at + 1], sign * values[at + 2], sign * values[at + 3]
            for t in range(b):
                row[t] += (v0 * x0[t] + v1 * x1[t]) + (v2 * x2[t] + v3 * x3[t])
            at += 4
        while at < stop:
            other, value = X[indices[at]], sign * values[at]
            for t in range(b):
                row[t] += value * other[t]
            at += 1


@kernel(no_cpython_wrapper=True, cache=False)
def _split(indptr, target):
    """Return the first row where rows and links before it number at least ``target``."""
    low, high = np.int64(0), np.int64(len(indptr) - 1)
    while low < high:
        middle = (low + high) // 2
        if indptr[middle] + middle < target:
            low = middle + 1
        else:
            high = middle
    return low


@kernel(fastmath={"contract"})
def _gram_block(
    block,  # int  in
    blocks,  # int  in
    A,  # (n, a) float64  in
    B,  # (n, b) float64  in
    parts,  # (blocks, a, b) float64  out, zeros
):
    n = len(A)
    _add_products(A, B, n * block // blocks, n * (block + 1) // blocks, 0, 0, parts[block])


@kernel(fastmath={"contract"})
def _products_block(
    block,  # int  in
    blocks,  # int  in
    X,  # (n, b) float64  in
    W,  # (n, w) float64  in
    P,  # (n, p) float64  in
    SX,  # (n, b) float64  in
    SW,  # (n, w) float64  in
    SP,  # (n, p) float64  in
    parts,  # (blocks, 2, b + w + p, b + w + p) float64  out, zeros: on and above the diagonal
):
    n, w = len(X), X.shape[1]
    p = w + W.shape[1]
    start, end = n * block // blocks, n * (block + 1) // blocks
    G, H = parts[block, 0], parts[block, 1]
    for low in range(start, end, _CHUNK):
        # So few rows of all blocks stay in the cache until each has met each.
        high = min(end, low + _CHUNK)
        _add_products(X, X, low, high, 0, 0, G)
        _add_products(X, SX, low, high, 0, 0, H)
        _add_products(X, W, low, high, 0, w, G)
        _add_products(X, SW, low, high, 0, w, H)
        _add_products(W, W, low, high, w, w, G)
        _add_products(W, SW, low, high, w, w, H)
        _add_products(X, P, low, high, 0, p, G)
        _add_products(X, SP, low, high, 0, p, H)
        _add_products(W, P, low, high, w, p, G)
        _add_products(W, SP, low, high, w, p, H)
        _add_products(P, P, low, high, p, p, G)
        _add_products(P, SP, low, high, p, p, H)


@kernel(no_cpython_wrapper=True, cache=False, fastmath={"contract"})
def _add_products(A, B, start, end, first, second, out):
    """Add ``A^T B`` of some rows to ``out`` from (first, second) on."""
    i, b = start, B.shape[1]
    while i + 4 <= end:
        b0, b1, b2, b3 = B[i], B[i + 1], B[i + 2], B[i + 3]
        for s in range(A.shape[1]):
            a0, a1, a2, a3 = A[i, s], A[i + 1, s], A[i + 2, s], A[i + 3, s]
            row = out[first + s, second : second + b]
            for t in range(b):
                row[t] += (a0 * b0[t] + a1 * b1[t]) + (a2 * b2[t] + a3 * b3[t])
        i += 4
    while i < end:
        for s in range(A.shape[1]):
            for t in range(b):
                out[first + s, second + t] += A[i, s] * B[i, t]
        i += 1


@kernel(fastmath={"contract"})
def _move_block(
    block,  # int  in
    blocks,  # int  in
    X,  # (n, b) float64  in
    W,  # (n, w) float64  in
    P,  # (n, p) float64  in
    C,  # (b + w + p, c) float64  in
    scale,  # (c,) float64  in
    whole,  # (n, c) float64  out; may be X
    without,  # (n, c) float64  out: without the part of X, times the scale; may be P
):
    n, w = len(X), X.shape[1]
    p = w + W.shape[1]
    part, row = np.empty(C.shape[1]), np.empty(C.shape[1])
    for i in range(n * block // blocks, n * (block + 1) // blocks):
        part[:] = 0.0
        _add_row(W, i, C, w, part)
        _add_row(P, i, C, p, part)
        row[:] = part
        _add_row(X, i, C, 0, row)
        for t in range(C.shape[1]):
            whole[i, t] = row[t]
            without[i, t] = scale[t] * part[t]


@kernel(fastmath={"contract"})
def _turn_block(
    block,  # int  in
    blocks,  # int  in
    X,  # (n, b) float64  in/out
    C,  # (b, b) float64  in
):
    n, row = len(X), np.empty(C.shape[1])
    for i in range(n * block // blocks, n * (block + 1) // blocks):
        row[:] = 0.0
        _add_row(X, i, C, 0, row)
        X[i] = row


@kernel(fastmath={"contract"})
def _spread_block(
    block,  # int  in
    blocks,  # int  in
    source,  # (m, b) float64  in
    scale,  # (n, 1) float64  in
    parent,  # (n,) or (0,) int64  in
    add,  # bool  in
    out,  # (n, b) float64  in/out
):
    n = len(scale)
    for i in range(n * block // blocks, n * (block + 1) // blocks):
        row, factor = source[parent[i] if len(parent) else i], scale[i, 0]
        for t in range(source.shape[1]):
            out[i, t] = factor * row[t] + (out[i, t] if add else 0.0)


@kernel(fastmath={"contract"})
def _rest_block(
    block,  # int  in
    blocks,  # int  in
    X,  # (n, b) float64  in
    image,  # (n, b) float64  in
    theta,  # (b,) float64  in
    which,  # (c,) int64  in: columns to return
    out,  # (n, c) or (0, 0) float64  out
    parts,  # (blocks, b) float64  out, zeros: sums of squares, where no columns are returned
):
    n, sums = len(X), parts[block]
    for i in range(n * block // blocks, n * (block + 1) // blocks):
        if len(out):
            for t in range(len(which)):
                j = which[t]
                out[i, t] = image[i, j] - theta[j] * X[i, j]
        else:
            for j in range(len(theta)):
                left = image[i, j] - theta[j] * X[i, j]
                sums[j] += left * left


@kernel(no_cpython_wrapper=True, cache=False, fastmath={"contract"})
def _add_row(A, i, C, first, row):
    """Add row i of A times the rows of C from ``first`` on."""
    last = A.shape[1] // 4 * 4
    for s in range(0, last, 4):
        c0, c1, c2, c3 = C[first + s], C[first + s + 1], C[first + s + 2], C[first + s + 3]
        a0, a1, a2, a3 = A[i, s], A[i, s + 1], A[i, s + 2], A[i, s + 3]
        for t in range(C.shape[1]):
            row[t] += (a0 * c0[t] + a1 * c1[t]) + (a2 * c2[t] + a3 * c3[t])
    for s in range(last, A.shape[1]):
        for t in range(C.shape[1]):
            row[t] += A[i, s] * C[first + s, t]


@kernel(fastmath={"contract"})
def _combine_block(
    block,  # int  in
    blocks,  # int  in
    A,  # (n, a) float64  in
    C,  # (a, b) float64  in
    out,  # (n, b) float64  in/out
):
    n = len(A)
    for i in range(n * block // blocks, n * (block + 1) // blocks):
        _add_row(A, i, C, 0, out[i])
