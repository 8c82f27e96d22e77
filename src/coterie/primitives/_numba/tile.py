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
    "lanes_of",
    "nearest_of_eight",
    "pack_centers",
    "pack_panel",
    "squared_distances",
    "squared_distances_narrow",
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

    def codegen(context, builder, signature, arguments):
        x, n_groups, n_features, vector = _rows(context, builder, signature, arguments, lanes, panels=2, axis=0)
        integers = ir.VectorType(_INT32, lanes)
        centers = context.make_array(signature.args[2])(context, builder, arguments[2]).data
        starts = context.make_array(signature.args[3])(context, builder, arguments[3]).data
        last = builder.sub(cgutils.unpack_tuple(builder, x.shape)[0], _int64(1))
        lines = []
        for r in range(ROWS):
            at = builder.add(arguments[1], _int64(r))
            at = builder.select(builder.icmp_signed("<", at, last), at, last)
            lines.append(builder.gep(x.data, [builder.mul(at, n_features)]))
        sums = [cgutils.alloca_once(builder, vector) for _ in range(ROWS)]
        best = [cgutils.alloca_once(builder, vector) for _ in range(ROWS)]
        where = [cgutils.alloca_once(builder, integers) for _ in range(ROWS)]
        for r in range(ROWS):
            builder.store(ir.Constant(vector, [float("inf")] * lanes), best[r])
            builder.store(ir.Constant(integers, list(range(lanes))), where[r])
        fma = _vector_function(builder, "llvm.fma", vector, 3)
        with cgutils.for_range(builder, n_groups) as group:
            first = _load(builder, starts, builder.mul(group.index, _int64(lanes)), vector)
            for total in sums:
                builder.store(first, total)
            start = builder.mul(group.index, builder.mul(n_features, _int64(lanes)))
            with cgutils.for_range(builder, n_features) as feature:
                at = builder.add(start, builder.mul(feature.index, _int64(lanes)))
                center = _load(builder, centers, at, vector)
                for r in range(ROWS):
                    mine = _broadcast(builder, builder.load(builder.gep(lines[r], [feature.index])), lanes)
                    builder.store(builder.call(fma, [mine, center, builder.load(sums[r])]), sums[r])
            number = builder.mul(builder.trunc(group.index, _INT32), ir.Constant(_INT32, lanes))
            numbers = builder.add(_broadcast(builder, number, lanes), ir.Constant(integers, list(range(lanes))))
            for r in range(ROWS):
                total, lowest = builder.load(sums[r]), builder.load(best[r])
                better = builder.fcmp_ordered("<", total, lowest)
                builder.store(builder.select(better, total, lowest), best[r])
                builder.store(builder.select(better, numbers, builder.load(where[r])), where[r])
        _write_lowest(context, builder, signature, arguments, lanes, best, where)
        return context.get_dummy_value()

    return signature, codegen


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
    packed = np.ascontiguousarray(-2 * padded.reshape(n_groups, lanes, n_features).transpose(0, 2, 1))
    return packed, norms.reshape(n_groups, lanes)


# --- LLVM helpers ----------------------------------------------------------------------------------------------------


def _int64(value):
    return ir.Constant(_INT64, value)


def _rows(context, builder, signature, arguments, lanes, panels=2, axis=2):
    """Return the array X, one side of the panels, the number of features, and the vector type."""
    x = context.make_array(signature.args[0])(context, builder, arguments[0])
    block = context.make_array(signature.args[panels])(context, builder, arguments[panels])
    side = cgutils.unpack_tuple(builder, block.shape)[axis]
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


def _vector_function(builder, name, vector, n_arguments, result=None):
    element = vector.element
    kind = {ir.FloatType(): "f32", ir.DoubleType(): "f64"}.get(element) or f"i{element.width}"
    function_type = ir.FunctionType(result or vector, [vector] * n_arguments)
    return cgutils.get_or_insert_function(builder.module, function_type, f"{name}.v{vector.count}{kind}")


def _write_lowest(context, builder, signature, arguments, lanes, best, where):
    """Reduce each row's lanes: the smallest value, and the lowest index among the lanes that have it."""
    values = context.make_array(signature.args[4])(context, builder, arguments[4]).data
    indices = context.make_array(signature.args[5])(context, builder, arguments[5]).data
    vector = ir.VectorType(context.get_value_type(signature.args[0].dtype), lanes)
    integers = ir.VectorType(_INT32, lanes)
    smallest = _vector_function(builder, "llvm.vector.reduce.fmin", vector, 1, vector.element)
    lowest = _vector_function(builder, "llvm.vector.reduce.smin", integers, 1, _INT32)
    none = ir.Constant(integers, [2**31 - 1] * lanes)
    for r in range(ROWS):
        mine = builder.load(best[r])
        value = builder.call(smallest, [mine])
        here = builder.fcmp_ordered("==", mine, _broadcast(builder, value, lanes))
        index = builder.call(lowest, [builder.select(here, builder.load(where[r]), none)])
        builder.store(value, builder.gep(values, [_int64(r)]))
        builder.store(index, builder.gep(indices, [_int64(r)]))
