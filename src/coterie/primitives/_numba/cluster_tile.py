"""The SIMD tile of the validity scores: eight rows against runs of panels, only sums of distances kept.

Distances are formed by differences and fused multiply-adds: right to rounding at any offset. Nothing is stored for a pair of
rows, and each distance serves twice: for the eight rows and for the rows of the panel.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .tile import ROWS, _broadcast, _int64, _load, _store, _vector_function

__all__ = ["add_distances"]

_MAGIC, _ROOT_STEPS = 0x5FE6EB50C7B537A9, 3  # off by 3.5%, then 2e-3, 5e-6, 4e-11, and the last step by rounding alone


@intrinsic
def add_distances(
    typingctx,
    mine,  # (p, d, w) C  in: w rows side by side, w = lanes_of(dtype)
    my_weight,  # (p, w) C  in: 1, or 0 for a place without a row
    place,  # int  in: the eight rows are ROWS * place, ... counted through all panels
    theirs,  # (q, d, w) C  in
    their_weight,  # (q, w) C  in
    first,  # int  in
    end,  # int  in: panels first ... end - 1; a few dozen at most, since lanes add up in the dtype of the rows
    rows,  # (8 * w,) float64 C  in/out: sums of each of the eight rows, lane by lane
    columns,  # (>= start + (end - first) * w,) float64 C  in/out: sums of each row of the panels
    start,  # int  in: where in columns the first panel's begin
):
    """Add the distances between eight rows and those of some panels to the sums of both."""
    lanes = 512 // mine.dtype.bitwidth
    signature = types.void(
        mine, my_weight, types.int64, theirs, their_weight, types.int64, types.int64, rows, columns, types.int64
    )

    def codegen(context, builder, signature, arguments):
        pointers = [
            context.make_array(kind)(context, builder, value).data if isinstance(kind, types.Array) else value
            for kind, value in zip(signature.args, arguments, strict=True)
        ]
        mine_at, my_weights, place, theirs_at, their_weights, first, end, rows_at, columns_at, start = pointers
        panels = context.make_array(signature.args[0])(context, builder, arguments[0])
        n_features = cgutils.unpack_tuple(builder, panels.shape)[1]
        vector = ir.VectorType(context.get_value_type(signature.args[0].dtype), lanes)
        zero = ir.Constant(vector, [0.0] * lanes)
        panel_size = builder.mul(n_features, _int64(lanes))
        in_panel = _int64(lanes // ROWS)
        offset = builder.mul(builder.urem(place, in_panel), _int64(ROWS))
        mine_at = builder.gep(mine_at, [builder.add(builder.mul(builder.udiv(place, in_panel), panel_size), offset)])
        my_weights = builder.gep(my_weights, [builder.mul(place, _int64(ROWS))])
        sums = [cgutils.alloca_once(builder, vector) for _ in range(ROWS)]
        totals = [cgutils.alloca_once(builder, vector) for _ in range(ROWS)]
        for total in totals:
            builder.store(zero, total)
        fma = _vector_function(builder, "llvm.fma", vector, 3)
        with cgutils.for_range(builder, end, start=first) as panel:
            for square in sums:
                builder.store(zero, square)
            base = builder.mul(panel.index, panel_size)
            with cgutils.for_range(builder, n_features) as feature:
                line = builder.mul(feature.index, _int64(lanes))
                other = _load(builder, theirs_at, builder.add(base, line), vector)
                for r, square in enumerate(sums):
                    value = builder.load(builder.gep(mine_at, [builder.add(line, _int64(r))]))
                    gap = builder.fsub(other, _broadcast(builder, value, lanes))
                    builder.store(builder.call(fma, [gap, gap, builder.load(square)]), square)
            weight = _load(builder, their_weights, builder.mul(panel.index, _int64(lanes)), vector)
            column = zero
            for r, (square, total) in enumerate(zip(sums, totals, strict=True)):
                distance = _root(builder, fma, builder.load(square))
                builder.store(builder.call(fma, [distance, weight, builder.load(total)]), total)
                own = _broadcast(builder, builder.load(builder.gep(my_weights, [_int64(r)])), lanes)
                column = builder.call(fma, [distance, own, column])
            at = builder.add(start, builder.mul(builder.sub(panel.index, first), _int64(lanes)))
            _add_to(builder, columns_at, at, column)
        for r, total in enumerate(totals):
            _add_to(builder, rows_at, _int64(r * lanes), builder.load(total))
        return context.get_dummy_value()

    return signature, codegen


def _root(builder, fma, square):
    """Return square roots, float64 to a unit in the last place where the square has not lost digits, and 0 of 0.

    The processor's root of eight float64 takes longer than the sixteen features before it, and next to nothing runs beside it; multiplications
    take half of that. The first guess at 1 / sqrt(x) halves the exponent (Blinn 1997, doi:10.1109/38.595279), steps after
    Goldschmidt square its error, and the last one adds what is left of x. Nothing depends on the processor.
    """
    vector = square.type
    if not isinstance(vector.element, ir.DoubleType):
        # Of float32 the processor is fast enough, and its least normal square is too near to those of real rows.
        return builder.call(_vector_function(builder, "llvm.sqrt", vector, 1), [square])
    integers = ir.VectorType(ir.IntType(64), vector.count)
    half = ir.Constant(vector, [0.5] * vector.count)
    bits = builder.lshr(builder.bitcast(square, integers), ir.Constant(integers, [1] * vector.count))
    guess = builder.bitcast(builder.sub(ir.Constant(integers, [_MAGIC] * vector.count), bits), vector)
    root, slope = builder.fmul(square, guess), builder.fmul(guess, half)  # sqrt(x), 1 / (2 sqrt(x))
    for _ in range(_ROOT_STEPS):
        short = builder.call(fma, [builder.fneg(root), slope, half])
        root = builder.call(fma, [root, short, root])
        slope = builder.call(fma, [slope, short, slope])
    rest = builder.call(fma, [builder.fneg(root), root, square])
    return builder.call(fma, [rest, slope, root])


def _add_to(builder, pointer, index, values):
    """Add a vector to float64 numbers in memory."""
    wide = ir.VectorType(ir.DoubleType(), values.type.count)
    if values.type != wide:
        values = builder.fpext(values, wide)
    _store(builder, builder.fadd(_load(builder, pointer, index, wide), values), pointer, index)
