"""One row against one vector of float64, eight lanes at a time: dot product, sum, difference, squared distance.

Numba's own loops over features add in order, one number at a time. Here lane j adds features j, j + 8, ... and the lanes are added at the end;
what is left beyond a multiple of eight is added one by one. The order depends on the number of features alone, so a row gives the same
bits wherever it stands.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["add_gap", "add_row", "distance2", "project"]

_LANES = 8
_DOUBLE = ir.DoubleType()
_VECTOR = ir.VectorType(_DOUBLE, _LANES)
_ZERO = ir.Constant(_VECTOR, [0.0] * _LANES)


@intrinsic
def project(typingctx, X, row, vectors, which):
    """Return the dot product of ``X[row]`` and ``vectors[which]``."""

    def codegen(context, builder, signature, arguments):
        fma = _function(builder, "llvm.fma.v8f64", _VECTOR, 3)
        x, y, d = _pair(context, builder, signature, arguments)
        return _reduce(
            builder, x, y, d,
            lambda mine, theirs, total: builder.call(fma, [mine, theirs, total]),
            lambda mine, theirs, total: builder.fadd(total, builder.fmul(mine, theirs)),
        )  # fmt: skip

    return types.float64(X, types.int64, vectors, types.int64), codegen


@intrinsic
def distance2(typingctx, X, row, vectors, which):
    """Return the squared distance of ``X[row]`` and ``vectors[which]``, from differences."""

    def codegen(context, builder, signature, arguments):
        def add(mine, theirs, total):
            gap = builder.fsub(mine, theirs)
            return builder.fadd(total, builder.fmul(gap, gap))

        return _reduce(builder, *_pair(context, builder, signature, arguments), add, add)

    return types.float64(X, types.int64, vectors, types.int64), codegen


@intrinsic
def add_row(typingctx, X, row, factor, vectors, which):
    """Add ``factor * X[row]`` to ``vectors[which]``."""

    def codegen(context, builder, signature, arguments):
        fma = _function(builder, "llvm.fma.v8f64", _VECTOR, 3)
        X, row, factor, vectors, which = arguments
        x, y, d = _pair(context, builder, _picked(signature, 0, 1, 3, 4), [X, row, vectors, which])
        factors = _broadcast(builder, factor)
        whole = builder.and_(d, _int64(-_LANES))
        with cgutils.for_range_slice(builder, _int64(0), whole, _int64(_LANES), _INT64) as (f, _):
            total = builder.call(fma, [factors, _load(builder, x, f), _load(builder, y, f)])
            builder.store(total, _at(builder, y, f)).align = 8
        with cgutils.for_range_slice(builder, whole, d, _int64(1), _INT64) as (f, _):
            place = builder.gep(y, [f])
            builder.store(builder.fadd(builder.load(place), builder.fmul(factor, _single(builder, x, f))), place)
        return context.get_dummy_value()

    return types.void(X, types.int64, types.float64, vectors, types.int64), codegen


@intrinsic
def add_gap(typingctx, X, row, origins, origin, vectors, which):
    """Add ``X[row] - origins[origin]`` to ``vectors[which]``."""

    def codegen(context, builder, signature, arguments):
        x, y, d = _pair(context, builder, _picked(signature, 0, 1, 4, 5), [arguments[i] for i in (0, 1, 4, 5)])
        _, o, _ = _pair(context, builder, _picked(signature, 0, 1, 2, 3), arguments[:4])
        whole = builder.and_(d, _int64(-_LANES))
        with cgutils.for_range_slice(builder, _int64(0), whole, _int64(_LANES), _INT64) as (f, _):
            total = builder.fadd(_load(builder, y, f), builder.fsub(_load(builder, x, f), _load(builder, o, f)))
            builder.store(total, _at(builder, y, f)).align = 8
        with cgutils.for_range_slice(builder, whole, d, _int64(1), _INT64) as (f, _):
            place, gap = builder.gep(y, [f]), builder.fsub(_single(builder, x, f), _single(builder, o, f))
            builder.store(builder.fadd(builder.load(place), gap), place)
        return context.get_dummy_value()

    return types.void(X, types.int64, origins, types.int64, vectors, types.int64), codegen


# ---- LLVM

_INT32, _INT64 = ir.IntType(32), ir.IntType(64)


def _int64(value):
    return ir.Constant(_INT64, value)


def _picked(signature, *places):
    return types.void(*(signature.args[place] for place in places))


def _pair(context, builder, signature, arguments):
    """Return pointers to the row and to the vector, and the number of features."""
    x = context.make_array(signature.args[0])(context, builder, arguments[0])
    y = context.make_array(signature.args[2])(context, builder, arguments[2])
    d = cgutils.unpack_tuple(builder, x.shape)[1]
    first = builder.gep(x.data, [builder.mul(arguments[1], d)])
    return first, builder.gep(y.data, [builder.mul(arguments[3], d)]), d


def _reduce(builder, x, y, d, add_vectors, add_singles):
    """Run over the features and add up."""
    # Two sums in turns: the processor need not wait for one addition to begin the next.
    totals = [cgutils.alloca_once(builder, _VECTOR) for _ in range(2)]
    for total in totals:
        builder.store(_ZERO, total)
    pairs = builder.and_(d, _int64(-2 * _LANES))
    whole = builder.and_(d, _int64(-_LANES))
    with cgutils.for_range_slice(builder, _int64(0), pairs, _int64(2 * _LANES), _INT64) as (f, _):
        for part, total in enumerate(totals):
            place = builder.add(f, _int64(part * _LANES))
            added = add_vectors(_load(builder, x, place), _load(builder, y, place), builder.load(total))
            builder.store(added, total)
    with cgutils.for_range_slice(builder, pairs, whole, _int64(_LANES), _INT64) as (f, _):
        added = add_vectors(_load(builder, x, f), _load(builder, y, f), builder.load(totals[0]))
        builder.store(added, totals[0])
    lanes = builder.fadd(builder.load(totals[0]), builder.load(totals[1]))
    for half in (4, 2, 1):
        mask = ir.Constant(ir.VectorType(_INT32, half), list(range(half)))
        upper = ir.Constant(ir.VectorType(_INT32, half), list(range(half, 2 * half)))
        undefined = ir.Constant(lanes.type, ir.Undefined)
        lanes = builder.fadd(
            builder.shuffle_vector(lanes, undefined, mask), builder.shuffle_vector(lanes, undefined, upper)
        )
    result = cgutils.alloca_once(builder, _DOUBLE)
    builder.store(builder.extract_element(lanes, ir.Constant(_INT32, 0)), result)
    with cgutils.for_range_slice(builder, whole, d, _int64(1), _INT64) as (f, _):
        added = add_singles(_single(builder, x, f), _single(builder, y, f), builder.load(result))
        builder.store(added, result)
    return builder.load(result)


def _at(builder, pointer, index):
    element = pointer.type.pointee
    return builder.bitcast(builder.gep(pointer, [index]), ir.VectorType(element, _LANES).as_pointer())


def _load(builder, pointer, index):
    value = builder.load(_at(builder, pointer, index))
    narrow = isinstance(pointer.type.pointee, ir.FloatType)
    value.align = 4 if narrow else 8
    return builder.fpext(value, _VECTOR) if narrow else value


def _single(builder, pointer, index):
    value = builder.load(builder.gep(pointer, [index]))
    return builder.fpext(value, _DOUBLE) if isinstance(pointer.type.pointee, ir.FloatType) else value


def _broadcast(builder, value):
    single = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(_INT32, 0))
    mask = ir.Constant(ir.VectorType(_INT32, _LANES), [0] * _LANES)
    return builder.shuffle_vector(single, ir.Constant(_VECTOR, ir.Undefined), mask)


def _function(builder, name, vector, n_arguments):
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector] * n_arguments), name)
