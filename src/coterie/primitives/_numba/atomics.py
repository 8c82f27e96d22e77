"""Whole numbers that several threads of one kernel read and write: nothing is torn, and what was written before is seen after."""

from numba import types
from numba.core.cgutils import get_item_pointer
from numba.extending import intrinsic

__all__ = ["add_one", "read", "write"]

_BYTES = 8


def _pointer(context, builder, signature, arguments):
    kind = signature.args[0]
    array = context.make_array(kind)(context, builder, arguments[0])
    return get_item_pointer(context, builder, kind, array, [arguments[1]], wraparound=False)


@intrinsic
def add_one(typingctx, array, i):
    """Add 1 to an entry of an int64 array; return what it was."""

    def codegen(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature, arguments)
        return builder.atomic_rmw("add", pointer, context.get_constant(types.int64, 1), "seq_cst")

    return types.int64(array, types.intp), codegen


@intrinsic
def read(typingctx, array, i):
    """Return an entry of an int64 array, and see all that was written before it was."""

    def codegen(context, builder, signature, arguments):
        return builder.load_atomic(_pointer(context, builder, signature, arguments), "seq_cst", _BYTES)

    return types.int64(array, types.intp), codegen


@intrinsic
def write(typingctx, array, i, value):
    """Write an entry of an int64 array, after all that was written before."""

    def codegen(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature, arguments)
        builder.store_atomic(arguments[2], pointer, "seq_cst", _BYTES)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.int64), codegen
