"""The arithmetic heart of the CPU engine: two small SIMD tiles, written as LLVM vectors.

Numba's own loops reach a tenth of the processor's rate here, because running sums are not kept in vector registers across
the loop over features. These intrinsics say so explicitly. LLVM splits the vectors where the processor is narrower, so the
same source runs everywhere; what each lane computes, and in which order, does not depend on the width, the position of
a row in its block, or the number of threads.

- `squared_distances`: one row against a panel of rows, by differences: exact to rounding at any offset, and the same bits as
  the plain loop ``for f: t = x[f] - y[f]; s += t * t`` (no fused multiply-add, so a radius agrees with other libraries).
- `nearest_of_eight`: eight rows against all centers by ``|c|^2 - 2 x.c``, keeping the best in registers.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .jit import kernel

__all__ = [
    "GROUP",
    "ROWS",
    "aligned",
    "lanes_of",
    "nearest_of_eight",
    "pack_centers",
    "pack_panel",
    "squared_distances",
    "squared_distances_narrow",
    "two_nearest_of_eight",
    "value_of_center",
]

GROUP = 32  # a panel's width is a multiple of this
ROWS = 8  # rows that share each load of a center
_INT32 = ir.IntType(32)
_INT64 = ir.IntType(64)


def lanes_of(dtype: np.dtype) -> int:
    """Return how many values of ``dtype`` fill a vector: 16 float32 or 8 float64."""
    return 64 // np.dtype(dtype).itemsize


# --- one row against a panel -----------------------------------------------------------------------------------------


def _make_squared_distances(whole_groups):
    """Make the intrinsic for panels whose width is a multiple of GROUP, or only of one vector."""

    @intrinsic
    def squared_distances(
        typingctx,
        X,  # (n, d) C  in
        row,  # int  in: which row of X
        panels,  # (p, d, w) C  in: w rows side by side, feature by feature
        panel,  # int  in: which panel
        out,  # (>= w,) C  out
    ):
        lanes = 512 // X.dtype.bitwidth
        vectors = GROUP // lanes if whole_groups else 1
        signature = types.void(X, types.int64, panels, types.int64, out)

        def codegen(context, builder, signature, arguments):
            x, width, n_features, vector = _rows(context, builder, signature, arguments, lanes)
            mine_at = builder.gep(x.data, [builder.mul(arguments[1], n_features)])
            block = context.make_array(signature.args[2])(context, builder, arguments[2])
            theirs_at = builder.gep(block.data, [builder.mul(arguments[3], builder.mul(n_features, width))])
            target = context.make_array(signature.args[4])(context, builder, arguments[4]).data
            sums = [cgutils.alloca_once(builder, vector) for _ in range(vectors)]
            group_width = _int64(lanes * vectors)
            with cgutils.for_range(builder, builder.udiv(width, group_width)) as group:
                offset = builder.mul(group.index, group_width)
                for total in sums:
                    builder.store(ir.Constant(vector, [0.0] * lanes), total)
                with cgutils.for_range(builder, n_features) as feature:
                    mine = _broadcast(builder, builder.load(builder.gep(mine_at, [feature.index])), lanes)
                    line = builder.add(builder.mul(feature.index, width), offset)
                    for v, total in enumerate(sums):
                        theirs = _load(builder, theirs_at, builder.add(line, _int64(v * lanes)), vector)
                        gap = builder.fsub(mine, theirs)
                        builder.store(builder.fadd(builder.load(total), builder.fmul(gap, gap)), total)
                for v, total in enumerate(sums):
                    _store(builder, builder.load(total), target, builder.add(offset, _int64(v * lanes)))
            return context.get_dummy_value()

        return signature, codegen

    return squared_distances


squared_distances = _make_squared_distances(whole_groups=True)
"""``squared_distances(X, row, panels, panel, out)``: from ``X[row]`` to each row of ``panels[panel]``, w a multiple of GROUP."""

squared_distances_narrow = _make_squared_distances(whole_groups=False)
"""The same for panels whose width is a multiple of `lanes_of` only."""


@kernel
def pack_panel(
    X,  # (n, d)  in
    start,  # int  in
    end,  # int  in: rows start..end-1 go to the panel, at most w of them
    panel,  # (d, w)  out: the rest is infinite, so that it is never near anything
):
    """Lay rows side by side, feature by feature, as `squared_distances` reads them."""
    for f in range(X.shape[1]):
        for j in range(end - start):
            panel[f, j] = X[start + j, f]
        for j in range(end - start, panel.shape[1]):
            panel[f, j] = np.inf


# --- eight rows against all centers ----------------------------------------------------------------------------------


def _make_nearest(gathers):
    """Make the intrinsic for eight successive rows, or for eight listed ones with the second best as well."""

    def generate(context, builder, signature, arguments, lanes):
        x = context.make_array(signature.args[0])(context, builder, arguments[0])
        n_rows, n_features = cgutils.unpack_tuple(builder, x.shape)
        element = context.get_value_type(signature.args[0].dtype)
        vector, integers = ir.VectorType(element, lanes), ir.VectorType(_INT32, lanes)
        array = [context.make_array(kind)(context, builder, value).data if isinstance(kind, types.Array) else value
                 for kind, value in zip(signature.args, arguments, strict=True)]  # fmt: skip
        if gathers:
            _, rows, offset, centers, starts, first_pack, end_pack, values, seconds, indices = array
            at = [builder.load(builder.gep(rows, [builder.add(offset, _int64(r))])) for r in range(ROWS)]
        else:
            _, row, centers, starts, values, indices = array
            packs = context.make_array(signature.args[2])(context, builder, arguments[2])
            first_pack, end_pack = _int64(0), cgutils.unpack_tuple(builder, packs.shape)[0]
            last = builder.sub(n_rows, _int64(1))
            at = [builder.add(row, _int64(r)) for r in range(ROWS)]
            at = [builder.select(builder.icmp_signed("<", place, last), place, last) for place in at]
        lines = [builder.gep(x.data, [builder.mul(place, n_features)]) for place in at]
        infinite, counting = ir.Constant(vector, [float("inf")] * lanes), ir.Constant(integers, list(range(lanes)))
        best = [cgutils.alloca_once_value(builder, infinite) for _ in range(ROWS)]
        other = [cgutils.alloca_once_value(builder, infinite) for _ in range(ROWS)] if gathers else None
        where = [cgutils.alloca_once_value(builder, counting) for _ in range(ROWS)]
        for part, value in ((best, infinite), (where, counting), (other, infinite)):
            for slot in part or ():
                builder.store(value, slot)  # again where the code runs: a caller's loop comes here many times

        def look_at(first, together):
            """Compare the rows with ``together`` packs: two at once share each load of a row's value."""
            sums = _products(builder, lines, n_features, centers, starts, first, together, lanes, vector)
            for p in range(together):
                number = builder.mul(builder.trunc(builder.add(first, _int64(p)), _INT32), ir.Constant(_INT32, lanes))
                numbers = builder.add(_broadcast(builder, number, lanes), counting)
                for r in range(ROWS):
                    _keep_nearer(builder, builder.load(sums[p][r]), numbers, best[r], where[r], other and other[r])

        n_pairs = builder.lshr(builder.sub(end_pack, first_pack), _int64(1))
        with cgutils.for_range(builder, n_pairs) as pair:
            look_at(builder.add(first_pack, builder.shl(pair.index, _int64(1))), 2)
        after = builder.add(first_pack, builder.shl(n_pairs, _int64(1)))
        with builder.if_then(builder.icmp_signed("<", after, end_pack)):
            look_at(after, 1)
        _write_lowest(builder, vector, values, indices, seconds if gathers else None, best, where, other)
        return context.get_dummy_value()

    return generate


_generate_nearest = _make_nearest(gathers=False)
_generate_two_nearest = _make_nearest(gathers=True)


@intrinsic
def nearest_of_eight(
    typingctx,
    X,  # (n, d) C  in
    row,  # int  in: the first of eight rows, or fewer at the end of X
    packed,  # (g, d, lanes) C  in: -2 times the centers, see pack_centers
    norms,  # (g, lanes) C  in: |c|^2, infinite where there is no center
    values,  # (8,) C  out: the smallest |c|^2 - 2 x.c of each row
    indices,  # (8,) int32 C  out: the lowest index of a center that has it
):
    """Find the nearest center of eight rows at once."""
    lanes = 512 // X.dtype.bitwidth
    signature = types.void(X, types.int64, packed, norms, values, indices)
    return signature, lambda *how: _generate_nearest(*how, lanes)


@intrinsic
def two_nearest_of_eight(
    typingctx,
    X,  # (n, d) C  in
    rows,  # (m,) int64 C  in: row numbers
    offset,  # int  in: the eight rows are rows[offset:offset + 8]
    packed,  # (g, d, lanes) C  in: -2 times the centers
    norms,  # (g, lanes) C  in: |c|^2, infinite where there is no center
    first_pack,  # int  in
    end_pack,  # int  in: only packed[first_pack:end_pack] are looked at
    values,  # (8,) C  out: the smallest |c|^2 - 2 x.c of each row
    seconds,  # (8,) C  out: the second smallest, infinite where there is none
    indices,  # (8,) int32 C  out: the lowest place of a center that has the smallest
):
    """Find the two nearest centers of eight listed rows among some packs."""
    lanes = 512 // X.dtype.bitwidth
    signature = types.void(
        X, rows, types.int64, packed, norms, types.int64, types.int64, values, seconds, indices
    )  # fmt: skip
    return signature, lambda *how: _generate_two_nearest(*how, lanes)


@intrinsic
def _fused(typingctx, a, b, c):
    """Return ``a * b + c`` rounded once, as each lane of the tiles does."""

    def codegen(context, builder, signature, arguments):
        return builder.fma(*arguments)

    return a(a, b, c), codegen


@kernel
def value_of_center(
    X,  # (n, d)  in
    row,  # int  in
    packed,  # (g, d, lanes)  in
    norms,  # (g, lanes)  in
    pack,  # int  in
    lane,  # int  in
):
    """Return ``|c|^2 - 2 x.c`` of one row and one center, the same bits as in the tiles."""
    value = norms[pack, lane]
    for f in range(X.shape[1]):
        value = _fused(X[row, f], packed[pack, f, lane], value)
    return value


def pack_centers(centers, dtype):
    """Lay out centers as `nearest_of_eight` reads them.

    Parameters
    ----------
    centers : (k, d) float array
    dtype : float32 or float64
        Of the rows they will be compared with.

    Returns
    -------
    packed : (g, d, lanes) array
        -2 times the centers, ``lanes`` of them side by side; zero where there is none.
    norms : (g, lanes) array
        Squared lengths, computed in float64; infinite where there is no center.
    """
    lanes = lanes_of(dtype)
    n_centers, n_features = centers.shape
    n_groups = -(-n_centers // lanes)
    padded = np.zeros((n_groups * lanes, n_features), dtype)
    padded[:n_centers] = centers
    norms = np.full(n_groups * lanes, np.inf, dtype)
    norms[:n_centers] = np.einsum("kf,kf->k", padded[:n_centers], padded[:n_centers], dtype=np.float64)
    packed = aligned((n_groups, n_features, lanes), dtype)
    packed[:] = -2 * padded.reshape(n_groups, lanes, n_features).transpose(0, 2, 1)
    return packed, norms.reshape(n_groups, lanes)


def aligned(shape, dtype):
    """Return an array, not set, that begins where a line of memory does: a vector across two lines takes twice as long."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.empty(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(dtype).reshape(shape)


# --- LLVM helpers ----------------------------------------------------------------------------------------------------


def _int64(value):
    return ir.Constant(_INT64, value)


def _rows(context, builder, signature, arguments, lanes):
    """Return the array X, the width of the panels, the number of features, and the vector type."""
    x = context.make_array(signature.args[0])(context, builder, arguments[0])
    block = context.make_array(signature.args[2])(context, builder, arguments[2])
    side = cgutils.unpack_tuple(builder, block.shape)[2]
    n_features = cgutils.unpack_tuple(builder, x.shape)[1]
    return x, side, n_features, ir.VectorType(context.get_value_type(signature.args[0].dtype), lanes)


def _load(builder, pointer, index, vector):
    place = builder.bitcast(builder.gep(pointer, [index]), vector.as_pointer())
    value = builder.load(place)
    value.align = _bytes_of(vector)
    return value


def _store(builder, value, pointer, index):
    place = builder.bitcast(builder.gep(pointer, [index]), value.type.as_pointer())
    builder.store(value, place).align = _bytes_of(value.type)


def _bytes_of(vector):
    return 4 if isinstance(vector.element, ir.FloatType) or vector.element == _INT32 else 8


def _broadcast(builder, value, lanes):
    vector = ir.VectorType(value.type, lanes)
    single = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(_INT32, 0))
    mask = ir.Constant(ir.VectorType(_INT32, lanes), [0] * lanes)
    return builder.shuffle_vector(single, ir.Constant(vector, ir.Undefined), mask)


def _vector_function(builder, name, vector, n_arguments):
    element = vector.element
    kind = {ir.FloatType(): "f32", ir.DoubleType(): "f64"}.get(element) or f"i{element.width}"
    function_type = ir.FunctionType(vector, [vector] * n_arguments)
    return cgutils.get_or_insert_function(builder.module, function_type, f"{name}.v{vector.count}{kind}")


def _keep_nearer(builder, total, numbers, best, where, other):
    """Keep the lesser value of each lane and its number, and the second least where that is asked for."""
    lowest = builder.load(best)
    better = builder.fcmp_ordered("<", total, lowest)
    if other is not None:
        loser, second = builder.select(better, lowest, total), builder.load(other)
        closer = builder.fcmp_ordered("<", loser, second)
        builder.store(builder.select(closer, loser, second), other)
    builder.store(builder.select(better, total, lowest), best)
    builder.store(builder.select(better, numbers, builder.load(where)), where)


def _products(builder, lines, n_features, centers, starts, first, together, lanes, vector):
    """Return ``|c|^2 - 2 x.c`` of eight rows and some successive packs, added feature by feature; in registers."""
    fma = _vector_function(builder, "llvm.fma", vector, 3)
    sums = [[cgutils.alloca_once(builder, vector) for _ in range(ROWS)] for _ in range(together)]
    places = []
    for p, totals in enumerate(sums):
        pack = builder.add(first, _int64(p))
        begin = _load(builder, starts, builder.mul(pack, _int64(lanes)), vector)
        for total in totals:
            builder.store(begin, total)
        places.append(builder.mul(pack, builder.mul(n_features, _int64(lanes))))
    with cgutils.for_range(builder, n_features) as feature:
        step = builder.mul(feature.index, _int64(lanes))
        theirs = [_load(builder, centers, builder.add(place, step), vector) for place in places]
        for r in range(ROWS):
            mine = _broadcast(builder, builder.load(builder.gep(lines[r], [feature.index])), lanes)
            for totals, center in zip(sums, theirs, strict=True):
                builder.store(builder.call(fma, [mine, center, builder.load(totals[r])]), totals[r])
    return sums


def _write_lowest(builder, vector, values, indices, seconds, best, where, other):
    """Reduce the lanes of eight rows together: the smallest value, its lowest index, and the runner-up.

    Two vectors are folded into one that holds half as many lanes of each row, until each row has one lane.
    """
    lanes = vector.count
    rows = [
        [builder.load(part[r]) for part in (best, where, other) if part is not None] for r in range(ROWS)
    ]  # fmt: skip
    held = lanes
    while len(rows) > 1:
        held //= 2
        rows = [_fold(builder, a, b, _halves(lanes, held)) for a, b in zip(rows[::2], rows[1::2], strict=True)]
    if held == 2:
        rows = [_fold(builder, rows[0], rows[0], (range(0, lanes, 2), range(1, lanes, 2)))]
    for part, pointer in zip(rows[0], (values, indices, seconds), strict=False):
        _store(builder, part, pointer, _int64(0))


def _halves(lanes, held):
    """Return the lanes of two joined vectors that make the first and the second half of every row's lanes."""
    first = [start + i for start in range(0, 2 * lanes, 2 * held) for i in range(held)]
    return first, [lane + held for lane in first]


def _fold(builder, a, b, halves):
    """Combine (values, indices, seconds?) lane by lane: the lesser value, ties to the lower index, and the second least."""
    left, right = ([_shuffle(builder, x, y, half) for x, y in zip(a, b, strict=True)] for half in halves)
    less = builder.fcmp_ordered("<", right[0], left[0])
    equal = builder.and_(builder.fcmp_ordered("==", right[0], left[0]), builder.icmp_signed("<", right[1], left[1]))
    take = builder.or_(less, equal)
    folded = [builder.select(take, right[0], left[0]), builder.select(take, right[1], left[1])]
    if len(a) == 3:
        loser = builder.select(take, left[0], right[0])
        own = builder.select(take, right[2], left[2])
        folded.append(builder.select(builder.fcmp_ordered("<", loser, own), loser, own))
    return folded


def _shuffle(builder, x, y, lanes):
    mask = ir.Constant(ir.VectorType(_INT32, len(lanes)), [int(lane) for lane in lanes])
    return builder.shuffle_vector(x, y, mask)
