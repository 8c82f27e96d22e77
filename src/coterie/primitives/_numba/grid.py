"""Rows sorted by the cell of a regular grid, without a table of the cells: memory is O(n) whatever the extent.

A cell's key is its row-major number among all cells; keys are sorted by radix, 11 bits a pass, so that rows of one cell stay
in the order of their numbers. The blocks of each pass keep their own histograms: the result does not depend on the threads.
"""

from typing import NamedTuple

import numpy as np

from .blocks import run_blocks
from .jit import kernel
from .neighbors_tile import end_of

__all__ = ["SortedCells", "sort_into_cells"]

_ROWS = 32_768  # rows of a block
_BITS = 11


class SortedCells(NamedTuple):
    """Occupied cells by ascending key, and the rows by cell."""

    keys: np.ndarray  # (c,) int64 ascending
    starts: np.ndarray  # (c + 1,) int64: places of the rows of each cell
    order: np.ndarray  # (n,) int64: row at each place; ascending within a cell


def sort_into_cells(keys, largest):
    """Sort rows by their keys.

    Parameters
    ----------
    keys : (n,) int64 array
        At least 0. Used as working space: it is sorted afterwards.
    largest : int
        No key exceeds it.
    """
    n = len(keys)
    blocks = -(-n // _ROWS)
    order, other_keys, other_order = np.arange(n), np.empty_like(keys), np.empty_like(keys)
    table = np.empty((blocks, 1 << _BITS), np.int64)
    for shift in range(0, max(1, int(largest).bit_length()), _BITS):
        run_blocks(_histogram, blocks, keys, shift, table)
        # Where the first row of each digit goes, block after block.
        table[:] = (np.cumsum(table.T).reshape(table.shape[::-1]).T) - table
        run_blocks(_scatter, blocks, keys, order, shift, table, other_keys, other_order)
        keys, other_keys, order, other_order = other_keys, keys, other_order, order
    starts = np.concatenate([[0], np.flatnonzero(keys[1:] != keys[:-1]) + 1, [n]])
    return SortedCells(keys[starts[:-1]], starts, order)


@kernel
def _histogram(
    block,  # int  in
    keys,  # (n,) int64  in
    shift,  # int  in
    table,  # (blocks, 2048) int64  out
):
    mine = table[block]
    mine[:] = 0
    for i in range(block * _ROWS, end_of(block, np.int64(_ROWS), len(keys))):
        mine[(keys[i] >> shift) & ((1 << _BITS) - 1)] += 1


@kernel
def _scatter(
    block,  # int  in
    keys,  # (n,) int64  in
    order,  # (n,) int64  in
    shift,  # int  in
    table,  # (blocks, 2048) int64  in/out
    keys_out,  # (n,) int64  out
    order_out,  # (n,) int64  out
):
    mine = table[block]
    for i in range(block * _ROWS, end_of(block, np.int64(_ROWS), len(keys))):
        digit = (keys[i] >> shift) & ((1 << _BITS) - 1)
        place = mine[digit]
        mine[digit] = place + 1
        keys_out[place] = keys[i]
        order_out[place] = order[i]
