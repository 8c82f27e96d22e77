"""Components of cells on the CPU: along each step, two fingers go through the sorted keys, and disjoint sets are joined."""

import numpy as np

from .blocks import run_blocks, run_kernel
from .jit import kernel
from .union_find import find, union

__all__ = ["join_offsets", "join_pairs"]

_PAIRED_ROWS = 256


def join_offsets(coords, offsets):
    """Return the lowest cell of each one's component; see ``primitives.grid_components.cell_components``."""
    parent = np.arange(len(coords))
    coords = np.ascontiguousarray(coords, np.int64)
    run_blocks(_join, len(offsets.deltas), *offsets, coords, parent)
    run_kernel(_to_roots, parent)
    return parent


def join_pairs(coords):
    """Return the lowest cell of each one's component, cells sharing corners, by looking at all pairs."""
    parent = np.arange(len(coords))
    run_blocks(_join_all, -(-len(coords) // _PAIRED_ROWS), np.ascontiguousarray(coords, np.int64), parent)
    run_kernel(_to_roots, parent)
    return parent


@kernel
def _join(
    step,  # int  in
    keys,  # (c,) int64  in: ascending
    order,  # (c,) int64  in
    vectors,  # (s, a) int64  in
    deltas,  # (s,) int64  in
    coords,  # (c, a) int64  in
    parent,  # (c,) int64  in/out
):
    delta, above = deltas[step], 0
    for i in range(len(keys)):
        while above < len(keys) and keys[above] < keys[i] + delta:
            above += 1
        if above == len(keys):
            return
        if keys[above] == keys[i] + delta:
            here, there = order[i], order[above]
            a = 0
            while a < coords.shape[1] and coords[there, a] - coords[here, a] == vectors[step, a]:
                a += 1
            if a == coords.shape[1]:
                union(parent, here, there)


@kernel
def _join_all(
    block,  # int  in
    coords,  # (c, a) int64  in
    parent,  # (c,) int64  in/out
):
    for i in range(block * _PAIRED_ROWS, min(len(coords), (block + 1) * _PAIRED_ROWS)):
        for j in range(i):
            a = 0
            while a < coords.shape[1] and abs(coords[i, a] - coords[j, a]) <= 1:
                a += 1
            if a == coords.shape[1]:
                union(parent, i, j)


@kernel
def _to_roots(parent):
    for cell in range(len(parent)):
        parent[cell] = find(parent, cell)
