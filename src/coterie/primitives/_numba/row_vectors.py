"""Rows against vectors of float64, eight lanes at a time: dot products, sums, differences, squared distances.

Numba's own loops over features add in order, one number at a time. Here lane j adds features j, j + 8, ... and the lanes are added at the end;
what is left beyond a multiple of eight is added one by one. The order depends on the number of features alone, so a row gives the same
bits wherever it stands, and alone or as one of eight: eight rows only share the folding of their lanes.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = [
    "EIGHT",
    "add_four_sums",
    "add_gap",
    "add_row",
    "add_two_sums",
    "copy_row",
    "distance2",
    "distances2_of_eight",
    "project",
    "project_eight",
]

EIGHT = 8
_LANES = 8
_DOUBLE = ir.DoubleType()
_VECTOR = ir.VectorType(_DOUBLE, _LANES)
_ZERO = ir.Constant(_VECTOR, [0.0] * _LANES)


@intrinsic
def project(typingctx, X, row, vectors, which):
    """Return the dot product of ``X[row]`` and ``vectors[which]``."""

    def codegen(context, builder, signature, arguments):
        x, y, d = _pair(context, builder, signature, arguments)
        return _reduce(builder, [x], [y], d, *_products(builder))[0]

    return types.float64(X, types.int64, vectors, types.int64), codegen


@intrinsic
def project_eight(
    typingctx,
    X,  # (n, d) C  in
    row,  # int  in: the first of eight rows
    last,  # int  in: a row after it is not read, this one stands in
    vectors,  # (g, d) C float64  in
    which,  # int  in
    out,  # (>= at + 8,) float64  out: dot products with vectors[which]
    at,  # int  in: where they go in out
):
    """Project eight successive rows, each to the same bits as `project`."""

    def codegen(context, builder, signature, arguments):
        X, row, last, vectors, which, out, at = arguments
        xs, d = _eight_rows(context, builder, signature, X, row, last)
        y = builder.gep(_data(context, builder, signature.args[3], vectors), [builder.mul(which, d)])
        target = builder.gep(_data(context, builder, signature.args[5], out), [at])
        _write(builder, target, _reduce(builder, xs, [y] * EIGHT, d, *_products(builder)))
        return context.get_dummy_value()

    return types.void(X, types.int64, types.int64, vectors, types.int64, out, types.int64), codegen


@intrinsic
def distance2(typingctx, X, row, vectors, which):
    """Return the squared distance of ``X[row]`` and ``vectors[which]``, from differences."""

    def codegen(context, builder, signature, arguments):
        x, y, d = _pair(context, builder, signature, arguments)
        return _reduce(builder, [x], [y], d, *_squares(builder))[0]

    return types.float64(X, types.int64, vectors, types.int64), codegen


@intrinsic
def distances2_of_eight(
    typingctx,
    X,  # (n, d) C  in
    row,  # int  in: the first of eight rows
    last,  # int  in: a row after it is not read, this one stands in
    vectors,  # (g, d) C float64  in
    which,  # (8,) int64  in: the vector of each row
    out,  # (8,) float64  out
):
    """Find the squared distance of each of eight successive rows to a vector of its own, as `distance2`."""

    def codegen(context, builder, signature, arguments):
        X, row, last, vectors, which, out = arguments
        xs, d = _eight_rows(context, builder, signature, X, row, last)
        y = _data(context, builder, signature.args[3], vectors)
        numbers = _data(context, builder, signature.args[4], which)
        places = [builder.load(builder.gep(numbers, [_int64(r)])) for r in range(EIGHT)]
        ys = [builder.gep(y, [builder.mul(place, d)]) for place in places]
        target = _data(context, builder, signature.args[5], out)
        _write(builder, target, _reduce(builder, xs, ys, d, *_squares(builder)))
        return context.get_dummy_value()

    return types.void(X, types.int64, types.int64, vectors, which, out), codegen


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


def _make_add_sums(n_sums):
    """Make the intrinsic that adds rows up with several weights at once."""

    @intrinsic
    def add_sums(
        typingctx,
        X,  # (n, d) C  in
        row,  # int  in: the first row
        count,  # int  in: how many rows
        shares,  # (>= count, w) C float64  in: shares[i, first_share + c] is the weight of row i of them in sum c
        first_share,  # int  in
        vectors,  # (>= which + n_sums, d) C float64  in, out: the sums
        which,  # int  in
    ):
        def codegen(context, builder, signature, arguments):
            X, row, count, shares, first_share, vectors, which = arguments
            array = context.make_array(signature.args[0])(context, builder, X)
            d = cgutils.unpack_tuple(builder, array.shape)[1]
            x = builder.gep(array.data, [builder.mul(row, d)])
            y = _data(context, builder, signature.args[5], vectors)
            ys = [builder.gep(y, [builder.mul(builder.add(which, _int64(c)), d)]) for c in range(n_sums)]
            table = context.make_array(signature.args[3])(context, builder, shares)
            width = cgutils.unpack_tuple(builder, table.shape)[1]
            weights = [builder.gep(table.data, [builder.add(first_share, _int64(c))]) for c in range(n_sums)]
            pairs, whole = builder.and_(d, _int64(-2 * _LANES)), builder.and_(d, _int64(-_LANES))
            # Two vectors of each sum in turns keep the processor busy.
            _add_columns(builder, x, d, count, weights, width, ys, _int64(0), pairs, 2)
            _add_columns(builder, x, d, count, weights, width, ys, pairs, whole, 1)
            _add_columns(builder, x, d, count, weights, width, ys, whole, d, 0)
            return context.get_dummy_value()

        return types.void(X, types.int64, types.int64, shares, types.int64, vectors, types.int64), codegen

    return add_sums


add_two_sums = _make_add_sums(2)
"""Add rows to two vectors at once: ``vectors[which + c] += sum_i shares[i, first_share + c] X[row + i]``."""

add_four_sums = _make_add_sums(4)
"""The same for four vectors."""


@intrinsic
def copy_row(typingctx, X, row, out, place):
    """Copy ``X[row]`` to ``out[place]``, of the same dtype or float64."""

    def codegen(context, builder, signature, arguments):
        x, y, d = _pair(context, builder, signature, arguments)
        same = signature.args[0].dtype == signature.args[2].dtype
        whole = builder.and_(d, _int64(-_LANES))
        with cgutils.for_range_slice(builder, _int64(0), whole, _int64(_LANES), _INT64) as (f, _):
            value = _load_as_it_is(builder, x, f) if same else _load(builder, x, f)
            builder.store(value, _at(builder, y, f)).align = _bytes_of(y)
        with cgutils.for_range_slice(builder, whole, d, _int64(1), _INT64) as (f, _):
            value = builder.load(builder.gep(x, [f])) if same else _single(builder, x, f)
            builder.store(value, builder.gep(y, [f]))
        return context.get_dummy_value()

    return types.void(X, types.int64, out, types.int64), codegen


# ---- LLVM

_INT32, _INT64 = ir.IntType(32), ir.IntType(64)
_BYTES = ir.IntType(8).as_pointer()
_AHEAD_BYTES = 2048


def _int64(value):
    return ir.Constant(_INT64, value)


def _picked(signature, *places):
    return types.void(*(signature.args[place] for place in places))


def _data(context, builder, kind, value):
    return context.make_array(kind)(context, builder, value).data


def _pair(context, builder, signature, arguments):
    """Return pointers to the row and to the vector, and the number of features."""
    x = context.make_array(signature.args[0])(context, builder, arguments[0])
    y = context.make_array(signature.args[2])(context, builder, arguments[2])
    d = cgutils.unpack_tuple(builder, x.shape)[1]
    first = builder.gep(x.data, [builder.mul(arguments[1], d)])
    return first, builder.gep(y.data, [builder.mul(arguments[3], d)]), d


def _eight_rows(context, builder, signature, X, row, last):
    """Return pointers to eight rows, none of them after the last, and the number of features."""
    x = context.make_array(signature.args[0])(context, builder, X)
    d = cgutils.unpack_tuple(builder, x.shape)[1]
    places = [builder.add(row, _int64(r)) for r in range(EIGHT)]
    places = [builder.select(builder.icmp_signed("<", place, last), place, last) for place in places]
    rows = [builder.gep(x.data, [builder.mul(place, d)]) for place in places]
    for row in rows:
        # The processor fetches ahead by itself, but not from one page of memory to the next.
        ahead = builder.gep(builder.bitcast(row, _BYTES), [_int64(_AHEAD_BYTES)])
        builder.call(_prefetch(builder), [ahead, *(ir.Constant(_INT32, how) for how in (0, 3, 1))])
    return rows, d


def _write(builder, target, results):
    for r, value in enumerate(results):
        builder.store(value, builder.gep(target, [_int64(r)]))


def _products(builder):
    """Return how to add products: of vectors, and of single numbers."""
    fma = _function(builder, "llvm.fma.v8f64", _VECTOR, 3)
    return (
        lambda mine, theirs, total: builder.call(fma, [mine, theirs, total]),
        lambda mine, theirs, total: builder.fadd(total, builder.fmul(mine, theirs)),
    )


def _squares(builder):
    """Return how to add squared differences."""

    def add(mine, theirs, total):
        gap = builder.fsub(mine, theirs)
        return builder.fadd(total, builder.fmul(gap, gap))

    return add, add


def _reduce(builder, xs, ys, d, add_vectors, add_singles):
    """Run over the features of some rows, one or eight, and add up; return a number for each."""
    totals = [cgutils.alloca_once(builder, _VECTOR) for _ in xs]
    for total in totals:
        builder.store(_ZERO, total)
    whole = builder.and_(d, _int64(-_LANES))
    with cgutils.for_range_slice(builder, _int64(0), whole, _int64(_LANES), _INT64) as (f, _):
        for x, y, total in zip(xs, ys, totals, strict=True):
            added = add_vectors(_load(builder, x, f), _load(builder, y, f), builder.load(total))
            builder.store(added, total)
    lanes = _fold_lanes(builder, [builder.load(total) for total in totals])
    results = [cgutils.alloca_once(builder, _DOUBLE) for _ in xs]
    for r, result in enumerate(results):
        builder.store(builder.extract_element(lanes, ir.Constant(_INT32, r)), result)
    with cgutils.for_range_slice(builder, whole, d, _int64(1), _INT64) as (f, _):
        for x, y, result in zip(xs, ys, results, strict=True):
            added = add_singles(_single(builder, x, f), _single(builder, y, f), builder.load(result))
            builder.store(added, result)
    return [builder.load(result) for result in results]


def _fold_lanes(builder, vectors):
    """Add the lanes of each vector: the upper half to the lower until one is left; return one vector with a lane for each."""
    half = _LANES // 2
    while half:
        if len(vectors) == 1:
            halves = list(range(half)), list(range(half, 2 * half))
            vectors = [_add_shuffled(builder, vectors[0], vectors[0], halves)]
        else:
            low = [start + i for start in range(0, 2 * _LANES, 2 * half) for i in range(half)]
            halves = low, [lane + half for lane in low]
            vectors = [_add_shuffled(builder, a, b, halves) for a, b in zip(vectors[::2], vectors[1::2], strict=True)]
        half //= 2
    return vectors[0]


def _add_shuffled(builder, a, b, halves):
    masks = [ir.Constant(ir.VectorType(_INT32, len(lanes)), lanes) for lanes in halves]
    return builder.fadd(*(builder.shuffle_vector(a, b, mask) for mask in masks))


def _add_columns(builder, x, d, count, weights, width, ys, start, end, vectors):
    """Add weighted rows up, so many vectors of features at a time, or single features where ``vectors`` is 0."""
    kind, lanes = (_VECTOR, _LANES) if vectors else (_DOUBLE, 1)
    load = _load if vectors else _single
    columns = max(1, vectors)
    fma = _function(builder, "llvm.fma.v8f64" if vectors else "llvm.fma.f64", kind, 3)
    totals = [[cgutils.alloca_once(builder, kind) for _ in range(columns)] for _ in ys]
    with cgutils.for_range_slice(builder, start, end, _int64(lanes * columns), _INT64) as (f, _):
        places = [builder.add(f, _int64(lanes * column)) for column in range(columns)]
        for y, total in zip(ys, totals, strict=True):
            for place, sum_ in zip(places, total, strict=True):
                builder.store(load(builder, y, place), sum_)
        with cgutils.for_range(builder, count) as row:
            line = builder.gep(x, [builder.mul(row.index, d)])
            mine = [load(builder, line, place) for place in places]
            for weight, total in zip(weights, totals, strict=True):
                factor = builder.load(builder.gep(weight, [builder.mul(row.index, width)]))
                factor = _broadcast(builder, factor) if vectors else factor
                for value, sum_ in zip(mine, total, strict=True):
                    builder.store(builder.call(fma, [factor, value, builder.load(sum_)]), sum_)
        for y, total in zip(ys, totals, strict=True):
            for place, sum_ in zip(places, total, strict=True):
                target = _at(builder, y, place) if vectors else builder.gep(y, [place])
                builder.store(builder.load(sum_), target).align = 8


def _at(builder, pointer, index):
    element = pointer.type.pointee
    return builder.bitcast(builder.gep(pointer, [index]), ir.VectorType(element, _LANES).as_pointer())


def _bytes_of(pointer):
    return 4 if isinstance(pointer.type.pointee, ir.FloatType) else 8


def _load_as_it_is(builder, pointer, index):
    value = builder.load(_at(builder, pointer, index))
    value.align = _bytes_of(pointer)
    return value


def _load(builder, pointer, index):
    value = _load_as_it_is(builder, pointer, index)
    return builder.fpext(value, _VECTOR) if isinstance(pointer.type.pointee, ir.FloatType) else value


def _single(builder, pointer, index):
    value = builder.load(builder.gep(pointer, [index]))
    return builder.fpext(value, _DOUBLE) if isinstance(pointer.type.pointee, ir.FloatType) else value


def _broadcast(builder, value):
    single = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(_INT32, 0))
    mask = ir.Constant(ir.VectorType(_INT32, _LANES), [0] * _LANES)
    return builder.shuffle_vector(single, ir.Constant(_VECTOR, ir.Undefined), mask)


def _function(builder, name, vector, n_arguments):
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector] * n_arguments), name)


def _prefetch(builder):
    kind = ir.FunctionType(ir.VoidType(), [_BYTES, _INT32, _INT32, _INT32])
    return cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
