"""The SIMD tile of sums by cell: the values of one column in one cell, eight at a time, become whole numbers and add up.

A value's whole number q is cut into halves, q = 2^24 a + b, so that sums of a^2, a b and b^2 fit 64 bits without a carry; the
lanes are added when the cell ends. Whole numbers have no order of addition: no width of the processor changes a bit.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["LANES", "MOST_ROWS", "add_to_cell"]

LANES = 8
MOST_ROWS = 255
"""Rows of which a word holds the counts of eight bins, a byte each."""

_HALF = 24  # bits of b
_INT32, _INT64, _INT128 = ir.IntType(32), ir.IntType(64), ir.IntType(128)
_WORDS = ir.VectorType(_INT64, LANES)
_FLOATS = ir.VectorType(ir.DoubleType(), LANES)


@intrinsic
def add_to_cell(
    typingctx,
    columns,  # (m, >= end + LANES) float64 C  in: values cell by cell; what lies beyond may be anything
    j,  # int  in: column
    begin,  # int  in
    end,  # int  in: at most MOST_ROWS beyond begin, and at least one
    steps,  # (m, 3) float64 C  in: scale, start, bins per unit of t
    last,  # (m,) int64  in: the last bin
    unit,  # float  in: steps of q in one unit of t
    place,  # int  in: where the cell's sums of this column are
    sums,  # (p, 4) uint64 C  in/out: sum of q, sum of q^2, two words each
    extremes,  # (p, 2) float64 C  in/out
    bins,  # (p, 8) int64 C  in/out
):
    """Add ``columns[j, begin:end]`` to the sums, extremes and bins of one cell."""
    numbers = types.int64
    signature = types.void(
        columns, numbers, numbers, numbers, steps, last, types.float64, numbers, sums, extremes, bins
    )

    def codegen(context, builder, signature, arguments):
        data = [
            context.make_array(kind)(context, builder, value).data if isinstance(kind, types.Array) else value
            for kind, value in zip(signature.args, arguments, strict=True)
        ]
        columns_at, j, begin, end, steps_at, last_at, unit, place, sums_at, extremes_at, bins_at = data
        width = cgutils.unpack_tuple(
            builder, context.make_array(signature.args[0])(context, builder, arguments[0]).shape
        )[1]
        line = builder.gep(columns_at, [builder.mul(j, width)])
        how = builder.gep(steps_at, [builder.mul(j, _int64(3))])
        scale, start, per = (_spread(builder, builder.load(builder.gep(how, [_int64(i)]))) for i in range(3))
        last = _spread(builder, builder.load(builder.gep(last_at, [j])))
        found = _add_values(builder, line, begin, end, (scale, start, per, last, _spread(builder, unit)))
        _add_integers(builder, found[:5], builder.gep(sums_at, [builder.mul(place, _int64(4))]),
                      builder.gep(bins_at, [builder.mul(place, _int64(LANES))]))  # fmt: skip
        _add_extremes(builder, *found[5:], builder.gep(extremes_at, [builder.mul(place, _int64(2))]))
        return context.get_dummy_value()

    return signature, codegen


def _add_values(builder, line, begin, end, how):
    """Return vectors whose lanes add up to the sums of q, a^2, a b, b^2 and the packed bins, and those of both extremes."""
    scale, start, per, last, unit = how
    zero, infinite = _words(0), ir.Constant(_FLOATS, [float("inf")] * LANES)
    totals = [cgutils.alloca_once(builder, _WORDS) for _ in range(5)]
    least, most = (cgutils.alloca_once(builder, _FLOATS) for _ in range(2))
    for total in totals:
        builder.store(zero, total)
    builder.store(infinite, least)
    builder.store(infinite, most)  # of the negative values
    with cgutils.for_range_slice(builder, begin, end, _int64(LANES), _INT64) as (at, _):
        left = _spread(builder, builder.sub(end, at))
        inside = builder.icmp_signed("<", ir.Constant(_WORDS, list(range(LANES))), left)
        x = builder.load(builder.bitcast(builder.gep(line, [at]), _FLOATS.as_pointer()))
        x.align = 8
        t = builder.fsub(builder.fmul(x, scale), start)
        q = builder.fptosi(builder.fadd(builder.fmul(t, unit), ir.Constant(_FLOATS, [0.5] * LANES)), _WORDS)
        q = builder.select(inside, q, zero)
        a = builder.and_(builder.lshr(q, _words(_HALF)), _words(2**32 - 1))  # a product of 32 bits is one instruction
        b = builder.and_(q, _words(2**_HALF - 1))
        place = builder.fptosi(builder.fmul(t, per), _WORDS)
        place = builder.select(builder.icmp_signed(">", place, zero), place, zero)
        place = builder.select(builder.icmp_signed("<", place, last), place, last)
        one = builder.shl(_words(1), builder.shl(builder.and_(place, _words(7)), _words(3)))
        one = builder.select(inside, one, zero)
        for total, value in zip(totals, (q, builder.mul(a, a), builder.mul(a, b), builder.mul(b, b), one), strict=True):
            builder.store(builder.add(builder.load(total), value), total)
        for extreme, value in ((least, x), (most, builder.fneg(x))):
            _store_smaller(builder, builder.select(inside, value, infinite), extreme)
    return [builder.load(total) for total in (*totals, least, most)]


def _add_integers(builder, vectors, sums_at, bins_at):
    """Add the lanes up, and the results to two sums of 128 bits and to eight bins."""
    lanes = _fold(builder, [*vectors, *[_words(0)] * (LANES - len(vectors))], builder.add)
    q, aa, ab, bb, packed = (builder.extract_element(lanes, ir.Constant(_INT32, i)) for i in range(5))
    wide = [builder.zext(value, _INT128) for value in (q, aa, ab, bb)]
    square = builder.add(builder.shl(wide[1], ir.Constant(_INT128, 2 * _HALF)), wide[3])
    square = builder.add(square, builder.shl(wide[2], ir.Constant(_INT128, _HALF + 1)))
    for i, value in enumerate((wide[0], square)):
        at = builder.bitcast(builder.gep(sums_at, [_int64(2 * i)]), _INT128.as_pointer())
        _change(builder, at, lambda before, value=value: builder.add(before, value))
    counts = builder.lshr(_spread(builder, packed), ir.Constant(_WORDS, list(range(0, 64, 8))))
    counts = builder.and_(counts, _words(255))
    _change(builder, builder.bitcast(bins_at, _WORDS.as_pointer()), lambda before: builder.add(before, counts))


def _add_extremes(builder, least, negative_most, extremes_at):
    lanes = _fold(builder, [least, negative_most], lambda a, b: _smaller(builder, a, b))
    least, most = (builder.extract_element(lanes, ir.Constant(_INT32, i)) for i in range(2))
    most = builder.fneg(most)
    high = builder.gep(extremes_at, [_int64(1)])
    _change(builder, extremes_at, lambda before: _smaller(builder, before, least))
    _change(builder, high, lambda before: builder.select(builder.fcmp_ordered(">=", before, most), before, most))


def _fold(builder, vectors, join):
    """Join the lanes of each of two or more vectors, the upper half with the lower one; lane i is what vector i gives."""
    half = LANES // 2
    while half:
        if len(vectors) == 1:
            vectors = [_join_shuffled(builder, vectors[0], vectors[0], half, join)]
        else:
            vectors = [
                _join_shuffled(builder, a, b, half, join) for a, b in zip(vectors[::2], vectors[1::2], strict=True)
            ]
        half //= 2
    return vectors[0]


def _join_shuffled(builder, a, b, half, join):
    low = [start + i for start in range(0, 2 * LANES, 2 * half) for i in range(half)]
    masks = [ir.Constant(ir.VectorType(_INT32, LANES), [lane + more for lane in low]) for more in (0, half)]
    return join(*(builder.shuffle_vector(a, b, mask) for mask in masks))


def _smaller(builder, a, b):
    return builder.select(builder.fcmp_ordered("<=", a, b), a, b)


def _store_smaller(builder, value, at):
    builder.store(_smaller(builder, builder.load(at), value), at)


def _change(builder, at, function):
    before = builder.load(at)
    before.align = 8
    builder.store(function(before), at).align = 8


def _spread(builder, value):
    kind = ir.VectorType(value.type, LANES)
    single = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(_INT32, 0))
    mask = ir.Constant(ir.VectorType(_INT32, LANES), [0] * LANES)
    return builder.shuffle_vector(single, ir.Constant(kind, ir.Undefined), mask)


def _words(value):
    return ir.Constant(_WORDS, [value] * LANES)


def _int64(value):
    return ir.Constant(_INT64, value)
