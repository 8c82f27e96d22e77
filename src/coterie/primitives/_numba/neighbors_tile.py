"""The SIMD tile of the neighbour searches: squared distances of one row to a leaf, and which of them are small enough."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .jit import part
from .radius_tile import low_bit
from .tile import GROUP, _broadcast, _int64, _load, _store

__all__ = [
    "STEP",
    "box_gap2",
    "end_of",
    "fill",
    "insert_sorted",
    "larger",
    "low_bit",
    "near_boxes",
    "near_distances",
    "near_each",
]

STEP = 8  # entries of a sorted list that are moved at once


def _write_distances(context, builder, signature, arguments, limit_of):
    """Emit the distances of a row to a panel into the last argument; return which are at most ``limit_of(their lanes)``."""
    lanes = 512 // signature.args[0].dtype.bitwidth
    vectors = GROUP // lanes
    x = context.make_array(signature.args[0])(context, builder, arguments[0])
    n_features = cgutils.unpack_tuple(builder, x.shape)[1]
    vector = ir.VectorType(context.get_value_type(signature.args[0].dtype), lanes)
    mine = builder.gep(x.data, [builder.mul(arguments[1], n_features)])
    block = context.make_array(signature.args[2])(context, builder, arguments[2])
    base = builder.gep(block.data, [builder.mul(arguments[3], builder.mul(n_features, _int64(GROUP)))])
    target = context.make_array(signature.args[5])(context, builder, arguments[5]).data
    sums = [cgutils.alloca_once(builder, vector) for _ in range(vectors)]
    for total in sums:
        builder.store(ir.Constant(vector, [0.0] * lanes), total)
    with cgutils.for_range(builder, n_features) as feature:
        value = _broadcast(builder, builder.load(builder.gep(mine, [feature.index])), lanes)
        line = builder.mul(feature.index, _int64(GROUP))
        for v, total in enumerate(sums):
            gap = builder.fsub(value, _load(builder, base, builder.add(line, _int64(v * lanes)), vector))
            builder.store(builder.fadd(builder.load(total), builder.fmul(gap, gap)), total)
    bits = _int64(0)
    for v, total in enumerate(sums):
        distances = builder.load(total)
        _store(builder, distances, target, _int64(v * lanes))
        near = builder.bitcast(builder.fcmp_ordered("<=", distances, limit_of(v * lanes, vector)), ir.IntType(lanes))
        bits = builder.or_(bits, builder.shl(builder.zext(near, ir.IntType(64)), _int64(v * lanes)))
    return bits


@intrinsic
def near_distances(
    typingctx,
    X,  # (n, d) C  in
    row,  # int  in: which row of X
    panels,  # (p, d, 32) C  in: see tile.pack_panel
    panel,  # int  in: which panel
    limit2,  # number of X's type  in: may be infinite; rows that are missing in the panel then count as near
    out,  # (32,) C  out
):
    """Write the squared distances from ``X[row]`` to the rows of a panel; return an int whose bit j says ``out[j] <= limit2``.

    The bits of the distances are those of ``squared_distances``.
    """
    signature = types.int64(X, types.int64, panels, types.int64, X.dtype, out)

    def codegen(context, builder, signature, arguments):
        limit = _broadcast(builder, arguments[4], 512 // X.dtype.bitwidth)
        return _write_distances(context, builder, signature, arguments, lambda lane, vector: limit)

    return signature, codegen


@intrinsic
def near_each(
    typingctx,
    X,  # (n, d) C  in
    row,  # int  in: which row of X
    panels,  # (p, d, 32) C  in: see tile.pack_panel
    panel,  # int  in: which panel
    limits,  # (p, 32) C  in: of each row of the panels
    out,  # (32,) C  out
):
    """Write the squared distances from ``X[row]`` to the rows of a panel; bit j says ``out[j] <= limits[panel, j]``."""
    signature = types.int64(X, types.int64, panels, types.int64, limits, out)

    def codegen(context, builder, signature, arguments):
        bounds = context.make_array(signature.args[4])(context, builder, arguments[4]).data
        bounds = builder.gep(bounds, [builder.mul(arguments[3], _int64(GROUP))])

        def limit_of(lane, vector):
            return _load(builder, bounds, _int64(lane), vector)

        return _write_distances(context, builder, signature, arguments, limit_of)

    return signature, codegen


@intrinsic
def near_boxes(
    typingctx,
    panels,  # (p, d, 32) C  in
    panel,  # int  in: whose rows
    low,  # (nodes, d) C  in
    high,  # (nodes, d) C  in
    node,  # int  in
    limits,  # (32,) C  in: of each row of the panel
):
    """Return an int whose bit j says that row j of a panel is no further than ``limits[j]`` from the box of a node.

    The distances are those of ``box_gap2``.
    """
    lanes = 512 // panels.dtype.bitwidth
    vectors = GROUP // lanes
    signature = types.int64(panels, types.int64, low, high, types.int64, limits)

    def codegen(context, builder, signature, arguments):
        block = context.make_array(signature.args[0])(context, builder, arguments[0])
        n_features = cgutils.unpack_tuple(builder, block.shape)[1]
        vector = ir.VectorType(context.get_value_type(signature.args[0].dtype), lanes)
        zero = ir.Constant(vector, [0.0] * lanes)
        base = builder.gep(block.data, [builder.mul(arguments[1], builder.mul(n_features, _int64(GROUP)))])
        corner = builder.mul(arguments[4], n_features)
        lows, highs = (context.make_array(signature.args[i])(context, builder, arguments[i]).data for i in (2, 3))
        bound = context.make_array(signature.args[5])(context, builder, arguments[5]).data
        sums = [cgutils.alloca_once(builder, vector) for _ in range(vectors)]
        for total in sums:
            builder.store(zero, total)

        def larger(one, other):
            return builder.select(builder.fcmp_ordered(">", one, other), one, other)

        with cgutils.for_range(builder, n_features) as feature:
            at = builder.add(corner, feature.index)
            bottom = _broadcast(builder, builder.load(builder.gep(lows, [at])), lanes)
            top = _broadcast(builder, builder.load(builder.gep(highs, [at])), lanes)
            line = builder.mul(feature.index, _int64(GROUP))
            for v, total in enumerate(sums):
                rows = _load(builder, base, builder.add(line, _int64(v * lanes)), vector)
                gap = larger(larger(builder.fsub(bottom, rows), builder.fsub(rows, top)), zero)
                builder.store(builder.fadd(builder.load(total), builder.fmul(gap, gap)), total)
        bits = _int64(0)
        for v, total in enumerate(sums):
            limit = _load(builder, bound, _int64(v * lanes), vector)
            near = builder.bitcast(builder.fcmp_ordered("<=", builder.load(total), limit), ir.IntType(lanes))
            bits = builder.or_(bits, builder.shl(builder.zext(near, ir.IntType(64)), _int64(v * lanes)))
        return bits

    return signature, codegen


@intrinsic
def insert_sorted(
    typingctx,
    lists,  # (m, 1 + w) C  in/out: entry 0 is minus infinity, then w ascending distances; w a multiple of STEP
    places,  # (m, 1 + w) int64 C  in/out: what they are the distances of
    i,  # int  in: whose list
    value,  # number of the lists' type  in
    place,  # int  in
):
    """Insert into a sorted list, in front of equal distances, without a branch; the last entry is lost.

    Returns
    -------
    bool
        Whether the list had an equal distance.

    Each new entry is the middle one of its old value, the old value before it, and the new value.
    """
    signature = types.boolean(lists, places, types.int64, lists.dtype, types.int64)

    def codegen(context, builder, signature, arguments):
        one = context.make_array(signature.args[0])(context, builder, arguments[0])
        other = context.make_array(signature.args[1])(context, builder, arguments[1])
        width = cgutils.unpack_tuple(builder, one.shape)[1]
        start = builder.mul(arguments[2], width)
        distances, names = builder.gep(one.data, [start]), builder.gep(other.data, [start])
        vector = ir.VectorType(context.get_value_type(signature.args[0].dtype), STEP)
        integers = ir.VectorType(ir.IntType(64), STEP)
        new, name = _broadcast(builder, arguments[3], STEP), _broadcast(builder, arguments[4], STEP)
        tied = cgutils.alloca_once(builder, ir.IntType(STEP))
        builder.store(ir.Constant(ir.IntType(STEP), 0), tied)
        steps = builder.udiv(builder.sub(width, _int64(1)), _int64(STEP))
        with cgutils.for_range(builder, steps) as step:
            # From the end, so that what is read has not been written.
            left = builder.mul(builder.sub(builder.sub(steps, _int64(1)), step.index), _int64(STEP))
            here = builder.add(left, _int64(1))
            old, before = _load(builder, distances, here, vector), _load(builder, distances, left, vector)
            named, named_before = _load(builder, names, here, integers), _load(builder, names, left, integers)
            moves, shifted = (builder.fcmp_ordered("<=", new, values) for values in (old, before))
            _store(builder, builder.select(shifted, before, builder.select(moves, new, old)), distances, here)
            chosen = builder.select(shifted, named_before, builder.select(moves, name, named))
            builder.store(chosen, builder.bitcast(builder.gep(names, [here]), integers.as_pointer())).align = 8
            equal = builder.bitcast(builder.fcmp_ordered("==", new, old), ir.IntType(STEP))
            builder.store(builder.or_(builder.load(tied), equal), tied)
        return builder.icmp_unsigned("!=", builder.load(tied), ir.Constant(ir.IntType(STEP), 0))

    return signature, codegen


@part
def box_gap2(
    X,  # (n, d)  in
    row,  # int  in
    low,  # (nodes, d)  in
    high,  # (nodes, d)  in
    node,  # int  in
):
    """Return what ``box_distance2`` does, without a branch on each feature."""
    total = low.dtype.type(0)
    for f in range(low.shape[1]):
        below, above = low[node, f] - X[row, f], X[row, f] - high[node, f]
        gap = below if below > above else above
        gap = gap if gap > 0 else low.dtype.type(0)
        total += gap * gap
    return total


# Three small words of Python's that Numba compiles anew, at some length, wherever the types differ a little.


@part
def end_of(
    block,  # int  in
    per_block,  # int  in
    n,  # int  in
):
    """Return where a block of rows ends."""
    end = (block + 1) * per_block
    return end if end < n else n


@part
def larger(one, other):
    """Return the larger one of two numbers of the same type."""
    return one if one > other else other


@part
def fill(values, value):
    """Set all entries of an array."""
    for i in range(len(values)):
        values[i] = value
