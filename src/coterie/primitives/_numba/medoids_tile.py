"""The SIMD tile of the medoid searches: one row against a panel of 32, and which of them it would come near enough to matter.

Two measures go through the same code: squared differences (the squared Euclidean distance) and absolute ones (Manhattan). What
is compared stays in the type of the rows and has the bits of the plain loop over the features.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .radius_tile import bit_count, low_bit
from .tile import GROUP, _broadcast, _int64, _load, _store, _vector_function

__all__ = ["add_changes", "add_gains", "bit_count", "low_bit", "near_boxes", "panel_distances", "stored_distances"]


@intrinsic
def panel_distances(
    typingctx,
    X,  # (n, d) C  in
    row,  # int  in: which row of X
    panels,  # (p, d, 32) C  in: rows side by side, feature by feature
    panel,  # int  in: which panel
    absolute,  # bool  in: absolute differences instead of squared ones
    limits,  # (32 p,) C  in: of the same type
    out,  # (32,) C  out
):
    """Write the sums of squared or absolute differences from ``X[row]`` to the rows of a panel.

    Returns
    -------
    int
        Bit j says that ``out[j]`` is below the limit of row j.
    """
    signature = types.int64(X, types.int64, panels, types.int64, types.boolean, limits, out)

    def codegen(context, builder, signature, arguments):
        lanes = 512 // signature.args[0].dtype.bitwidth
        bound, target = (context.make_array(signature.args[i])(context, builder, arguments[i]).data for i in (5, 6))
        sums = _sums(context, builder, signature, arguments, lanes)
        return _compare(builder, sums, bound, builder.mul(arguments[3], _int64(GROUP)), lanes, target)

    return signature, codegen


@intrinsic
def stored_distances(
    typingctx,
    matrix,  # (r, n) C  in
    row,  # int  in
    panel,  # int  in: which 32 columns, all of them there
    limits,  # (>= n,) C  in: of the same type
    out,  # (32,) C  out
):
    """Copy 32 distances of a row of a matrix, and return the same bits."""
    signature = types.int64(matrix, types.int64, types.int64, limits, out)

    def codegen(context, builder, signature, arguments):
        matrix, row, panel = arguments[:3]
        lanes = 512 // signature.args[0].dtype.bitwidth
        vector = ir.VectorType(context.get_value_type(signature.args[0].dtype), lanes)
        array = context.make_array(signature.args[0])(context, builder, matrix)
        stride = cgutils.unpack_tuple(builder, array.shape)[1]
        line = builder.gep(array.data, [builder.mul(row, stride)])
        bound, target = (context.make_array(signature.args[i])(context, builder, arguments[i]).data for i in (3, 4))
        start = builder.mul(panel, _int64(GROUP))
        values = []
        for v in range(GROUP // lanes):
            values.append(cgutils.alloca_once(builder, vector))
            builder.store(_load(builder, line, builder.add(start, _int64(v * lanes)), vector), values[-1])
        return _compare(builder, values, bound, start, lanes, target)

    return signature, codegen


@intrinsic
def near_boxes(
    typingctx,
    X,  # (n, d) C  in
    row,  # int  in: which row of X
    low,  # (s, d, 32) C  in: lower corners of the boxes of 32 panels, side by side
    high,  # (s, d, 32) C  in: upper corners
    group,  # int  in: which 32 boxes
    absolute,  # bool  in
    reach,  # (s, 32) C  in: largest limit of a row in the box
):
    """Return an int whose bit j says that box j is nearer to ``X[row]`` than its reach.

    Rounding is monotone, feature by feature, so a box is never farther than a row inside it.
    """
    signature = types.int64(X, types.int64, low, high, types.int64, types.boolean, reach)

    def codegen(context, builder, signature, arguments):
        x, row, _, _, group, absolute, reach = arguments
        lanes = 512 // signature.args[0].dtype.bitwidth
        vector = ir.VectorType(context.get_value_type(signature.args[0].dtype), lanes)
        zero = ir.Constant(vector, [0.0] * lanes)
        rows = context.make_array(signature.args[0])(context, builder, x)
        n_features = cgutils.unpack_tuple(builder, rows.shape)[1]
        mine = builder.gep(rows.data, [builder.mul(row, n_features)])
        start = builder.mul(group, builder.mul(n_features, _int64(GROUP)))
        lows, highs = (
            builder.gep(context.make_array(signature.args[i])(context, builder, arguments[i]).data, [start])
            for i in (2, 3)
        )
        bound = context.make_array(signature.args[6])(context, builder, reach).data
        sums = [cgutils.alloca_once_value(builder, zero) for _ in range(GROUP // lanes)]
        for total in sums:
            builder.store(zero, total)

        def larger(one, other):
            return builder.select(builder.fcmp_ordered(">", one, other), one, other)

        with cgutils.for_range(builder, n_features) as feature:
            value = _broadcast(builder, builder.load(builder.gep(mine, [feature.index])), lanes)
            line = builder.mul(feature.index, _int64(GROUP))
            for v, total in enumerate(sums):
                place = builder.add(line, _int64(v * lanes))
                bottom, top = _load(builder, lows, place, vector), _load(builder, highs, place, vector)
                gap = larger(larger(builder.fsub(bottom, value), builder.fsub(value, top)), zero)
                step = builder.select(absolute, gap, builder.fmul(gap, gap))
                builder.store(builder.fadd(builder.load(total), step), total)
        return _compare(builder, sums, bound, builder.mul(group, _int64(GROUP)), lanes)

    return signature, codegen


@intrinsic
def add_gains(
    typingctx,
    values,  # (32,) C  in: distances, or squared ones
    rooted,  # bool  in: take the square root first
    nearest,  # (>= at + 32,) float64 C  in: distance to the nearest medoid
    weight,  # (>= at + 32,) float64 C  in
    at,  # int  in: the first of the 32 rows
    whole,  # bool  in: add the distance itself instead of what it saves
    totals,  # (m, 32) float64 C  in/out
    row,  # int  in: which totals
):
    """Add to 32 running totals the weight times what a new medoid at these distances would save; never less than 0."""
    signature = types.void(values, types.boolean, nearest, weight, types.int64, types.boolean, totals, types.int64)

    def codegen(context, builder, signature, arguments):
        rooted, at, whole = arguments[1], arguments[4], arguments[5]
        lanes = 512 // signature.args[0].dtype.bitwidth
        wide = ir.VectorType(ir.DoubleType(), lanes)
        zero = ir.Constant(wide, [0.0] * lanes)
        line, near, heavy, sums = (
            context.make_array(signature.args[i])(context, builder, arguments[i]).data for i in (0, 2, 3, 6)
        )
        sums = builder.gep(sums, [builder.mul(arguments[7], _int64(GROUP))])
        vector = ir.VectorType(context.get_value_type(signature.args[0].dtype), lanes)
        for v in range(GROUP // lanes):
            shift = _int64(v * lanes)
            place = builder.add(at, shift)
            length = _length(builder, _load(builder, line, shift, vector), rooted, wide)
            saved = builder.fsub(_load(builder, near, place, wide), length)
            saved = builder.select(builder.fcmp_ordered(">", saved, zero), saved, zero)
            amount = builder.fmul(builder.select(whole, length, saved), _load(builder, heavy, place, wide))
            _store(builder, builder.fadd(_load(builder, sums, shift, wide), amount), sums, shift)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def add_changes(
    typingctx,
    values,  # (32,) C  in: distances to a candidate, or squared ones
    rooted,  # bool  in: take the square root first
    lengths,  # (2, w) float64 C  in: distances to the nearest medoid and to the second
    weight,  # (w,) float64 C  in
    at,  # int  in: the first of 32 rows whose nearest medoid is the same
    sums,  # (2,) float64 C  out
):
    """Sum up what 32 rows make of a candidate: what it saves whichever medoid goes, and what else if their own one does."""
    signature = types.void(values, types.boolean, lengths, weight, types.int64, sums)

    def codegen(context, builder, signature, arguments):
        rooted, at = arguments[1], arguments[4]
        lanes = 512 // signature.args[0].dtype.bitwidth
        wide = ir.VectorType(ir.DoubleType(), lanes)
        zero = ir.Constant(wide, [0.0] * lanes)
        line, heavy, out = (
            context.make_array(signature.args[i])(context, builder, arguments[i]).data for i in (0, 3, 5)
        )
        known = context.make_array(signature.args[2])(context, builder, arguments[2])
        stride = cgutils.unpack_tuple(builder, known.shape)[1]
        vector = ir.VectorType(context.get_value_type(signature.args[0].dtype), lanes)
        totals = [zero, zero]
        for v in range(GROUP // lanes):
            shift = _int64(v * lanes)
            place = builder.add(at, shift)
            length = _length(builder, _load(builder, line, shift, vector), rooted, wide)
            first = _load(builder, known.data, place, wide)
            second = _load(builder, known.data, builder.add(stride, place), wide)
            amount = _load(builder, heavy, place, wide)
            nearer = builder.fcmp_ordered("<", length, first)
            beyond = builder.fsub(length, second)
            beyond = builder.select(builder.fcmp_ordered("<", beyond, zero), beyond, zero)
            shared = builder.select(nearer, builder.fsub(length, first), zero)
            own = builder.select(nearer, builder.fsub(first, second), beyond)
            totals = [
                builder.fadd(total, builder.fmul(part, amount))
                for total, part in zip(totals, (shared, own), strict=True)
            ]
        for i, total in enumerate(totals):
            builder.store(_add_up(builder, total), builder.gep(out, [_int64(i)]))
        return context.get_dummy_value()

    return signature, codegen


def _length(builder, values, rooted, wide):
    """Emit the square root, where asked for, in the type of the values, and the conversion to float64."""
    root = _vector_function(builder, "llvm.sqrt", values.type, 1)
    kept = cgutils.alloca_once(builder, values.type)
    builder.store(values, kept)
    with builder.if_then(rooted):
        builder.store(builder.call(root, [builder.load(kept)]), kept)
    length = builder.load(kept)
    return length if length.type == wide else builder.fpext(length, wide)


def _add_up(builder, vector):
    """Emit the sum of the lanes: halves are added until one is left."""
    lanes = vector.type.count
    while lanes > 1:
        lanes //= 2
        halves = (ir.Constant(ir.VectorType(ir.IntType(32), lanes), list(range(i, i + lanes))) for i in (0, lanes))
        vector = builder.fadd(*(builder.shuffle_vector(vector, vector, half) for half in halves))
    return builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))


def _sums(context, builder, signature, arguments, lanes):
    """Emit the differences of one row to a panel; return where the sums are, a vector each."""
    x, row, panels, panel, absolute = arguments[:5]
    vector = ir.VectorType(context.get_value_type(signature.args[0].dtype), lanes)
    rows = context.make_array(signature.args[0])(context, builder, x)
    n_features = cgutils.unpack_tuple(builder, rows.shape)[1]
    mine = builder.gep(rows.data, [builder.mul(row, n_features)])
    block = context.make_array(signature.args[2])(context, builder, panels)
    base = builder.gep(block.data, [builder.mul(panel, builder.mul(n_features, _int64(GROUP)))])
    sums = [cgutils.alloca_once(builder, vector) for _ in range(GROUP // lanes)]
    for total in sums:
        builder.store(ir.Constant(vector, [0.0] * lanes), total)
    size = _vector_function(builder, "llvm.fabs", vector, 1)
    with builder.if_else(absolute) as (by_size, by_square):
        for branch, measure in (
            (by_size, lambda gap: builder.call(size, [gap])),
            (by_square, lambda gap: builder.fmul(gap, gap)),
        ):
            with branch, cgutils.for_range(builder, n_features) as feature:
                value = _broadcast(builder, builder.load(builder.gep(mine, [feature.index])), lanes)
                line = builder.mul(feature.index, _int64(GROUP))
                for v, total in enumerate(sums):
                    gap = builder.fsub(value, _load(builder, base, builder.add(line, _int64(v * lanes)), vector))
                    builder.store(builder.fadd(builder.load(total), measure(gap)), total)
    return sums


def _compare(builder, values, bound, start, lanes, target=None):
    """Emit the comparison of 32 values with their limits, and write the values; return the bits of those that are below."""
    bits = _int64(0)
    for v, place in enumerate(values):
        value, shift = builder.load(place), _int64(v * lanes)
        if target is not None:
            _store(builder, value, target, shift)
        limit = _load(builder, bound, builder.add(start, shift), value.type)
        near = builder.bitcast(builder.fcmp_ordered("<", value, limit), ir.IntType(lanes))
        bits = builder.or_(bits, builder.shl(builder.zext(near, ir.IntType(64)), shift))
    return bits
