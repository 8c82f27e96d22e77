"""The SIMD tile of the radius primitives: which of 32 rows lie within a radius of one row, as 32 bits."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .tile import GROUP, _broadcast, _int64, _load

__all__ = ["bit_count", "low_bit", "within", "within_span"]

_STEP = 8  # features between two looks at whether any row is still within


@intrinsic
def within(
    typingctx,
    X,  # (n, d) C  in
    row,  # int  in: which row of X
    panels,  # (p, d, 32) C  in: see tile.pack_panel
    panel,  # int  in: which panel
    limit2,  # number of X's type  in: squared radius, finite
):
    """Return an int whose bit j says that the squared distance to row j of the panel is at most ``limit2``.

    The bits of the distances are those of ``squared_distances``. Sums only grow, so that the rest of the features is left
    out once all 32 partial sums are beyond the limit.
    """
    signature = types.int64(X, types.int64, panels, types.int64, X.dtype)

    def codegen(context, builder, signature, arguments):
        block = context.make_array(signature.args[2])(context, builder, arguments[2])
        n_features = cgutils.unpack_tuple(builder, block.shape)[1]
        area = builder.mul(n_features, _int64(GROUP))
        base = builder.gep(block.data, [builder.mul(arguments[3], area)])
        return _near_bits(context, builder, signature, arguments, base, _int64(GROUP))

    return signature, codegen


@intrinsic
def within_span(
    typingctx,
    X,  # (n, d) C  in
    row,  # int  in: which row of X
    columns,  # (d, w) C  in: rows side by side, feature by feature
    start,  # int  in: the first of 32 rows, at most w - 32
    limit2,  # number of X's type  in: squared radius, finite
):
    """Return the same for the rows ``start`` ... ``start + 31`` of a long panel."""
    signature = types.int64(X, types.int64, columns, types.int64, X.dtype)

    def codegen(context, builder, signature, arguments):
        block = context.make_array(signature.args[2])(context, builder, arguments[2])
        stride = cgutils.unpack_tuple(builder, block.shape)[1]
        base = builder.gep(block.data, [arguments[3]])
        return _near_bits(context, builder, signature, arguments, base, stride)

    return signature, codegen


def _near_bits(context, builder, signature, arguments, base, stride):
    """Emit the comparison of one row with 32 rows that begin at ``base``; features lie ``stride`` apart."""
    lanes = 512 // signature.args[0].dtype.bitwidth
    vectors = GROUP // lanes
    integer = ir.IntType(lanes)
    x = context.make_array(signature.args[0])(context, builder, arguments[0])
    n_features = cgutils.unpack_tuple(builder, x.shape)[1]
    vector = ir.VectorType(context.get_value_type(signature.args[0].dtype), lanes)
    mine = builder.gep(x.data, [builder.mul(arguments[1], n_features)])
    limit = _broadcast(builder, arguments[4], lanes)
    sums = [cgutils.alloca_once(builder, vector) for _ in range(vectors)]
    for total in sums:
        builder.store(ir.Constant(vector, [0.0] * lanes), total)
    steps = builder.udiv(builder.add(n_features, _int64(_STEP - 1)), _int64(_STEP))
    with cgutils.for_range(builder, steps) as step:
        first = builder.mul(step.index, _int64(_STEP))
        rest = builder.sub(n_features, first)
        count = builder.select(builder.icmp_signed("<", rest, _int64(_STEP)), rest, _int64(_STEP))
        with cgutils.for_range(builder, count) as inner:
            feature = builder.add(first, inner.index)
            value = _broadcast(builder, builder.load(builder.gep(mine, [feature])), lanes)
            line = builder.mul(feature, stride)
            for v, total in enumerate(sums):
                gap = builder.fsub(value, _load(builder, base, builder.add(line, _int64(v * lanes)), vector))
                builder.store(builder.fadd(builder.load(total), builder.fmul(gap, gap)), total)
        near = builder.fcmp_ordered("<=", builder.load(sums[0]), limit)
        for total in sums[1:]:
            near = builder.or_(near, builder.fcmp_ordered("<=", builder.load(total), limit))
        none = builder.icmp_unsigned("==", builder.bitcast(near, integer), ir.Constant(integer, 0))
        with builder.if_then(none):
            step.do_break()
    bits = _int64(0)
    for v, total in enumerate(sums):
        near = builder.bitcast(builder.fcmp_ordered("<=", builder.load(total), limit), integer)
        bits = builder.or_(bits, builder.shl(builder.zext(near, ir.IntType(64)), _int64(v * lanes)))
    return bits


@intrinsic
def bit_count(
    typingctx,
    bits,  # int64  in
):
    """Return how many bits are set."""

    def codegen(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return types.int64(types.int64), codegen


@intrinsic
def low_bit(
    typingctx,
    bits,  # int64, not 0  in
):
    """Return the number of the lowest bit that is set; ``bits & (bits - 1)`` clears it."""

    def codegen(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), codegen
