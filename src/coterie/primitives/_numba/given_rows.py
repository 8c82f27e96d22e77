"""Rows as they are given, which may lie all over memory: asking for one before it is needed, and shifting one into place."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["fetch_row", "shift_row"]

_LINE = 64  # bytes that memory is read by
_LANES = 8
_INT32, _INT64, _BYTES = ir.IntType(32), ir.IntType(64), ir.IntType(8).as_pointer()
_DOUBLE = ir.DoubleType()


@intrinsic
def fetch_row(
    typingctx,
    X,  # (n, d) C  in
    row,  # int  in
):
    """Ask for the memory of a row, every line of it: rows need not begin where a line does."""

    def codegen(context, builder, signature, arguments):
        x = context.make_array(signature.args[0])(context, builder, arguments[0])
        n_features = cgutils.unpack_tuple(builder, x.shape)[1]
        first = builder.bitcast(builder.gep(x.data, [builder.mul(arguments[1], n_features)]), _BYTES)
        last = builder.sub(builder.mul(n_features, _number(X.dtype.bitwidth // 8)), _number(1))
        kind = ir.FunctionType(ir.VoidType(), [_BYTES, _INT32, _INT32, _INT32])
        prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        how = [ir.Constant(_INT32, number) for number in (0, 3, 1)]  # to read, to keep, data
        with cgutils.for_range(builder, builder.udiv(last, _number(_LINE))) as line:
            at = builder.mul(line.index, _number(_LINE))
            builder.call(prefetch, [builder.gep(first, [at]), *how])
        builder.call(prefetch, [builder.gep(first, [last]), *how])
        return context.get_dummy_value()

    return types.void(X, types.int64), codegen


@intrinsic
def shift_row(
    typingctx,
    X,  # (n, d) C  in
    row,  # int  in
    factor,  # float  in
    shift,  # (d,) float64 C  in
    out,  # (m, d) C, as X  out
    place,  # int  in
):
    """Set ``out[place]`` to ``X[row] * factor - shift``: each rounded in float64, then to the type of the rows."""

    def codegen(context, builder, signature, arguments):
        x, shifts, target = (context.make_array(signature.args[i])(context, builder, arguments[i]) for i in (0, 3, 4))
        d = cgutils.unpack_tuple(builder, x.shape)[1]
        mine = builder.gep(x.data, [builder.mul(arguments[1], d)])
        theirs = builder.gep(target.data, [builder.mul(arguments[5], d)])
        whole = builder.and_(d, _number(-_LANES))
        for start, end, lanes in ((_number(0), whole, _LANES), (whole, d, 1)):
            wide, narrow = ir.VectorType(_DOUBLE, lanes), ir.VectorType(mine.type.pointee, lanes)
            factors = ir.Constant(wide, ir.Undefined)
            for lane in range(lanes):
                factors = builder.insert_element(factors, arguments[2], ir.Constant(_INT32, lane))
            with cgutils.for_range_slice(builder, start, end, _number(lanes), _INT64) as (f, _):
                value = builder.load(_at(builder, mine, f, narrow), align=X.dtype.bitwidth // 8)
                value = builder.fpext(value, wide) if narrow.element != _DOUBLE else value
                moved = builder.load(_at(builder, shifts.data, f, wide), align=8)
                value = builder.fsub(builder.fmul(value, factors), moved)
                value = builder.fptrunc(value, narrow) if narrow.element != _DOUBLE else value
                builder.store(value, _at(builder, theirs, f, narrow), align=X.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(X, types.int64, types.float64, shift, out, types.int64), codegen


def _at(builder, pointer, index, vector):
    return builder.bitcast(builder.gep(pointer, [index]), vector.as_pointer())


def _number(value):
    return ir.Constant(_INT64, value)
