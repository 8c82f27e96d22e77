"""Compressed rows times a block of vectors, sums of products of blocks, and combinations of them, on fixed blocks of rows."""

import numpy as np

from .blocks import block_count, run_blocks
from .jit import kernel

__all__ = ["combine", "gram", "rows_times_block", "squares"]

_ROWS = 2048
_MOST_BLOCKS = 512
_NONE = np.zeros(0)


def rows_times_block(indptr, indices, values, diagonal, X, target=None):
    """Return ``diagonal * X - A X``, or ``A X`` where there is no diagonal; or what is missing from that to a target."""
    n = len(indptr) - 1
    out = np.empty((n, X.shape[1]))
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


def squares(X):
    """Return the sums of the squares of the columns."""
    return np.einsum("ij,ij->j", X, X)


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
    n, b = len(indptr) - 1, X.shape[1]
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
        for at in range(indptr[i], indptr[i + 1]):
            other, value = X[indices[at]], sign * values[at]
            for t in range(b):
                row[t] += value * other[t]


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
    n, out = len(A), parts[block]
    start, end = n * block // blocks, n * (block + 1) // blocks
    i = start
    while i + 4 <= end:
        b0, b1, b2, b3 = B[i], B[i + 1], B[i + 2], B[i + 3]
        for s in range(A.shape[1]):
            a0, a1, a2, a3 = A[i, s], A[i + 1, s], A[i + 2, s], A[i + 3, s]
            row = out[s]
            for t in range(B.shape[1]):
                row[t] += (a0 * b0[t] + a1 * b1[t]) + (a2 * b2[t] + a3 * b3[t])
        i += 4
    while i < end:
        for s in range(A.shape[1]):
            for t in range(B.shape[1]):
                out[s, t] += A[i, s] * B[i, t]
        i += 1


@kernel(fastmath={"contract"})
def _combine_block(
    block,  # int  in
    blocks,  # int  in
    A,  # (n, a) float64  in
    C,  # (a, b) float64  in
    out,  # (n, b) float64  in/out
):
    n, last = len(A), A.shape[1] // 4 * 4
    for i in range(n * block // blocks, n * (block + 1) // blocks):
        row = out[i]
        for s in range(0, last, 4):
            c0, c1, c2, c3 = C[s], C[s + 1], C[s + 2], C[s + 3]
            a0, a1, a2, a3 = A[i, s], A[i, s + 1], A[i, s + 2], A[i, s + 3]
            for t in range(C.shape[1]):
                row[t] += (a0 * c0[t] + a1 * c1[t]) + (a2 * c2[t] + a3 * c3[t])
        for s in range(last, A.shape[1]):
            value, other = A[i, s], C[s]
            for t in range(C.shape[1]):
                row[t] += value * other[t]
