"""Sets of rows on the CPU: one bit a row, 64 rows a word; intersections share the part that neighbours have in common."""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..bitsets import RowSets
from .blocks import run_blocks
from .jit import kernel

__all__ = ["first_containing", "intersection_sizes", "row_sets"]

_WORDS = 1024  # of a tile: the shared part stays in the first cache
_WORK = 1 << 26  # words looked at in one block, about 0.05 s


def row_sets(codes, columns, values):
    """See `coterie.primitives.bitsets.row_sets`."""
    c, n = codes.shape
    words = -(-n // 64)
    bits = np.zeros((len(columns), words), np.uint64)
    place = np.full((c, int(values.max(initial=-1)) + 1), -1, np.int32)
    place[columns, values] = np.arange(len(columns))
    run_blocks(_gather, -(-words // _WORDS), codes, place, bits)
    return RowSets(bits, n)


def intersection_sizes(sets, members, sample_weight, sizes):
    """Add to ``sizes``; see `coterie.primitives.bitsets.intersection_sizes`."""
    per_block = max(1, min(-(-len(members) // 16), _WORK // max(1, sets.bits.shape[1])))
    blocks = -(-len(members) // per_block)
    if sample_weight is None:
        run_blocks(_count, blocks, per_block, sets.bits, members, sizes)
    else:
        weight = np.ascontiguousarray(sample_weight, np.float64)
        run_blocks(_weigh, blocks, per_block, sets.bits, members, weight, sizes)


def first_containing(sets, members):
    """See `coterie.primitives.bitsets.first_containing`."""
    words = sets.bits.shape[1]
    first = np.full(sets.n_rows, -1, np.int32)
    if len(members):
        per_block = max(1, min(_WORDS, (_WORK >> 2) // len(members)))
        run_blocks(_first, -(-words // per_block), per_block, sets.bits, members, first)
    return first


def _bit_operation(name, *more):
    @intrinsic
    def operation(typingctx, word):
        def codegen(context, builder, signature, arguments):
            return getattr(builder, name)(arguments[0], *more)

        return types.uint64(types.uint64), codegen

    return operation


_ones = _bit_operation("ctpop")
_trailing_zeros = _bit_operation("cttz", ir.Constant(ir.IntType(1), 0))


@kernel
def _gather(
    block,
    codes,  # (c, n) uint16  in
    place,  # (c, values) int32  in: set of a value, -1 none
    bits,  # (s, words) uint64  in/out: zeros before
):
    c, n = codes.shape
    for j in range(c):
        for i in range(block * _WORDS * 64, min(n, (block + 1) * _WORDS * 64)):
            value = codes[j, i]
            if value < place.shape[1] and place[j, value] >= 0:
                bits[place[j, value], i >> 6] |= np.uint64(1) << np.uint64(i & 63)


@kernel
def _shared(
    bits,  # (s, words) uint64  in
    members,  # (m, k) int32  in
    c,  # int  in: which intersection
    first,  # int  in: the tile's first word
    last,  # int  in: one behind its last
    shared,  # (_WORDS,) uint64  in/out: words in all sets but the last
    known,  # bool  in: whether it holds those of intersection c - 1
):
    k = members.shape[1]
    if known:
        same = True
        for j in range(k - 1):
            same = same and members[c, j] == members[c - 1, j]
        if same:
            return
    for word in range(last - first):
        shared[word] = ~np.uint64(0)
    for j in range(k - 1):
        row = bits[members[c, j]]
        for word in range(last - first):
            shared[word] &= row[first + word]


@kernel
def _count(
    block,
    per_block,  # int  in: intersections of a block
    bits,  # (s, words) uint64  in
    members,  # (m, k) int32  in
    sizes,  # (m,) int64  in/out
):
    words, k = bits.shape[1], members.shape[1]
    shared = np.empty(_WORDS, np.uint64)
    start, end = block * per_block, min(len(members), (block + 1) * per_block)
    for first in range(0, words, _WORDS):
        last = min(words, first + _WORDS)
        for c in range(start, end):
            _shared(bits, members, c, first, last, shared, c > start)
            row, found = bits[members[c, k - 1]], np.uint64(0)
            for word in range(last - first):
                found += _ones(shared[word] & row[first + word])
            sizes[c] += np.int64(found)


@kernel
def _weigh(
    block,
    per_block,  # int  in: intersections of a block
    bits,  # (s, words) uint64  in
    members,  # (m, k) int32  in
    weight,  # (n,)  in
    sizes,  # (m,) float64  in/out: added to row by row
):
    words, k = bits.shape[1], members.shape[1]
    shared = np.empty(_WORDS, np.uint64)
    start, end = block * per_block, min(len(members), (block + 1) * per_block)
    for first in range(0, words, _WORDS):
        last = min(words, first + _WORDS)
        for c in range(start, end):
            _shared(bits, members, c, first, last, shared, c > start)
            row, total = bits[members[c, k - 1]], sizes[c]
            for word in range(last - first):
                rest = shared[word] & row[first + word]
                while rest != 0:
                    total += weight[(first + word) * 64 + np.int64(_trailing_zeros(rest))]
                    rest &= rest - np.uint64(1)
            sizes[c] = total


@kernel
def _first(
    block,
    per_block,  # int  in: words of a block
    bits,  # (s, words) uint64  in
    members,  # (m, k) int32  in: -1 after the last
    first,  # (n,) int32  out: -1 before
):
    words, k = bits.shape[1], members.shape[1]
    for word in range(block * per_block, min(words, (block + 1) * per_block)):
        rest = ~np.uint64(0)
        for c in range(len(members)):
            found = rest
            for j in range(k):
                if members[c, j] < 0 or found == 0:
                    break
                found &= bits[members[c, j], word]
            rest &= ~found
            while found != 0:
                row = word * 64 + np.int64(_trailing_zeros(found))
                if row < len(first):  # an empty intersection holds all 64
                    first[row] = c
                found &= found - np.uint64(1)
            if rest == 0:
                break
