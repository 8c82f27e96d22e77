"""Exact sums of each center's rows, kept from step to step: what a row that moves takes and brings, one slot for each block.

Every value ``w x`` is divided into a multiple of a coarse unit and one of a fine unit, whole numbers so small that float64 adds those
of all rows without rounding. The sums are therefore the same bits in whatever order rows come and go, however they are divided into
blocks or parts, and whatever the steps before: two states agree if they hold the same rows on the same grid (`Bound`).

The units leave room for the number of rows: up to 2^23 rows both together hold 61 bits of the greatest value, more than float64
does; at 2^31 rows, 45. A value is rounded to a multiple of a unit by adding and subtracting a number so great that no finer bits fit.
"""

from math import frexp, ldexp
from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .jit import kernel

__all__ = ["ORDINARY", "Bound", "fits", "greatest_of_rows", "grid_of", "merge", "move_row"]

ORDINARY = 2.0  # greatest magnitude of rows as `condition` leaves them, and more than that of unit vectors
_LEAST_ORDINARY = 2.0**-7  # below it, rows get units of their own
_EXACT_BITS, _MOST_BITS = 53, 40
_LANES = 8
_LEAST_EXPONENT, _MOST_EXPONENT = -1074, 970  # of a unit: no bits are finer, and 2^52 of the coarsest are finite


class Bound(NamedTuple):
    """What is known of all rows whose sums are to lie on one grid; a greater one does no harm but to the last bits."""

    row: float  # greatest |x|; all from 2^-7 to 2 give the same grid
    weight: float  # greatest weight, 1 where rows have none
    n_rows: int  # how many there are, at most 2^31


def fits(held, bound):
    """Return whether rows of one bound may lie on the grid of another."""
    return held.row <= _roomy(bound.row) and held.weight <= bound.weight and held.n_rows <= bound.n_rows


def _roomy(row):
    return ORDINARY if row == 0 or _LEAST_ORDINARY <= row <= ORDINARY else row


def grid_of(bound):
    """Return what to add and subtract for the coarse and the fine part of a value, and of a weight."""
    bits = min(_MOST_BITS, _EXACT_BITS - max(0, bound.n_rows - 1).bit_length())
    heaviest = _exponent(bound.weight)
    grid = ()
    for exponent in (_exponent(_roomy(bound.row)) + heaviest, heaviest):
        coarse = min(max(exponent - bits, _LEAST_EXPONENT), _MOST_EXPONENT)
        fine = max(coarse - bits - 1, _LEAST_EXPONENT)  # what is left is half a coarse unit at most
        grid += ldexp(1.5, coarse + 52), ldexp(1.5, fine + 52)
    return grid


def _exponent(value):
    """Return that of the least power of two not below a value."""
    fraction, exponent = frexp(value)
    return exponent - (fraction == 0.5)


@kernel
def move_row(block, X, i, weight, old, new, grid, sums, weights, counts, touched):
    """Take row i from the sums of its old center, where it had one, and add it to those of the new one."""
    heavy = weight[i] if len(weight) > 1 else weight[0]
    for label, w in ((old, -heavy), (new, heavy)):
        if label < 0:
            continue
        if not touched[block, label]:
            touched[block, label] = True
            sums[block, label], weights[block, label], counts[block, label] = 0.0, 0.0, 0
        counts[block, label] += int(np.sign(w)) if heavy > 0 else 0
        coarse = (w + grid[2]) - grid[2]
        weights[block, label, 0] += coarse
        weights[block, label, 1] += ((w - coarse) + grid[3]) - grid[3]
        _add_divided(X, i, w, grid[0], grid[1], sums, block, label)


@kernel
def merge(
    part,
    n_parts,  # int  in: each merges its share of the places
    sums,  # (n_blocks, places, width)  in: the coarse parts in the first half, the fine ones in the second
    weights,  # (n_blocks, places, 2)  in
    counts,  # (n_blocks, places)  in
    touched,  # (n_blocks, places)  in; false after
    total,  # (places, width)  in, out
    total_weights,  # (places, 2)  in, out
    total_counts,  # (places,)  in, out
):
    places, width = total.shape
    for block in range(len(sums)):
        for c in range(places * part // n_parts, places * (part + 1) // n_parts):
            if touched[block, c]:
                touched[block, c] = False
                total_weights[c, 0] += weights[block, c, 0]
                total_weights[c, 1] += weights[block, c, 1]
                total_counts[c] += counts[block, c]
                for f in range(width):
                    total[c, f] += sums[block, c, f]


# --- LLVM: Numba's own loops over features are vectorised for many features only, and not where they may overlap ------------


@intrinsic
def _add_divided(
    typingctx,
    X,  # (n, d) C  in
    row,  # int  in
    factor,  # float  in
    coarse,  # float  in: see `grid_of`
    fine,  # float  in
    sums,  # (n_blocks, places, width) C float64  in, out: half of the width for each part
    block,  # int  in
    place,  # int  in
):
    """Add the two parts of ``factor * X[row]`` to ``sums[block, place]``."""

    def codegen(context, builder, signature, arguments):
        x = context.make_array(signature.args[0])(context, builder, arguments[0])
        total = context.make_array(signature.args[5])(context, builder, arguments[5])
        d = cgutils.unpack_tuple(builder, x.shape)[1]
        _, places, width = cgutils.unpack_tuple(builder, total.shape)
        values = builder.gep(x.data, [builder.mul(arguments[1], d)])
        line = builder.add(builder.mul(arguments[6], places), arguments[7])
        first = builder.gep(total.data, [builder.mul(line, width)])
        targets = first, builder.gep(first, [builder.lshr(width, _int64(1))])
        whole = builder.and_(d, _int64(-_LANES))
        with cgutils.for_range_slice(builder, _int64(0), whole, _int64(_LANES), _INT64) as (f, _):
            _add_some(builder, values, f, _LANES, arguments[2:5], targets)
        for lanes in (4, 2, 1):  # what is left beyond a multiple of eight
            with builder.if_then(builder.icmp_signed("!=", builder.and_(d, _int64(lanes)), _int64(0))):
                _add_some(builder, values, builder.and_(d, _int64(-2 * lanes)), lanes, arguments[2:5], targets)
        return context.get_dummy_value()

    kinds = X, types.int64, types.float64, types.float64, types.float64, sums, types.int64, types.int64
    return types.void(*kinds), codegen


def _add_some(builder, values, f, lanes, numbers, targets):
    """Divide some successive values and add their parts."""
    double = ir.VectorType(ir.DoubleType(), lanes)
    factor, coarse, fine = (_broadcast(builder, number, double) for number in numbers)
    value = _load(builder, values, f, lanes)
    if value.type != double:
        value = builder.fpext(value, double)
    value = builder.fmul(factor, value)
    high = builder.fsub(builder.fadd(value, coarse), coarse)
    low = builder.fsub(builder.fadd(builder.fsub(value, high), fine), fine)
    for target, part in zip(targets, (high, low), strict=True):
        place = builder.bitcast(builder.gep(target, [f]), double.as_pointer())
        builder.store(builder.fadd(_load(builder, target, f, lanes), part), place).align = 8


@intrinsic
def greatest_of_rows(typingctx, X, start, end):
    """Return the greatest magnitude in ``X[start:end]``, as float64."""
    lanes = 512 // X.dtype.bitwidth

    def codegen(context, builder, signature, arguments):
        x = context.make_array(signature.args[0])(context, builder, arguments[0])
        d = cgutils.unpack_tuple(builder, x.shape)[1]
        values = builder.gep(x.data, [builder.mul(arguments[1], d)])
        size = builder.mul(builder.sub(arguments[2], arguments[1]), d)
        element = x.data.type.pointee
        whole = builder.and_(size, _int64(-lanes))
        best, one = (cgutils.alloca_once(builder, ir.VectorType(element, width)) for width in (lanes, 1))
        for slot, step, first, last in ((best, lanes, _int64(0), whole), (one, 1, whole, size)):
            builder.store(ir.Constant(slot.type.pointee, [0.0] * step), slot)
            with cgutils.for_range_slice(builder, first, last, _int64(step), _INT64) as (place, _):
                vector = slot.type.pointee
                fabs = cgutils.get_or_insert_function(
                    builder.module, ir.FunctionType(vector, [vector]), f"llvm.fabs.v{step}f{X.dtype.bitwidth}"
                )
                magnitude = builder.call(fabs, [_load(builder, values, place, step)])
                builder.store(_greater(builder, magnitude, builder.load(slot)), slot)
        greatest = builder.extract_element(builder.load(one), ir.Constant(_INT32, 0))
        for lane in range(lanes):
            greatest = _greater(
                builder, builder.extract_element(builder.load(best), ir.Constant(_INT32, lane)), greatest
            )
        return greatest if element == ir.DoubleType() else builder.fpext(greatest, ir.DoubleType())

    return types.float64(X, types.int64, types.int64), codegen


_INT32, _INT64 = ir.IntType(32), ir.IntType(64)


def _int64(value):
    return ir.Constant(_INT64, value)


def _greater(builder, a, b):
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


def _load(builder, pointer, index, lanes):
    element = pointer.type.pointee
    value = builder.load(builder.bitcast(builder.gep(pointer, [index]), ir.VectorType(element, lanes).as_pointer()))
    value.align = 4 if element == ir.FloatType() else 8
    return value


def _broadcast(builder, value, vector):
    single = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(_INT32, 0))
    mask = ir.Constant(ir.VectorType(_INT32, vector.count), [0] * vector.count)
    return builder.shuffle_vector(single, ir.Constant(vector, ir.Undefined), mask)
