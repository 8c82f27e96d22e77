"""Ask for memory before it is needed: rows that links lead to lie anywhere, and each would be waited for."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["prefetch", "prefetch_at"]

_BYTE_POINTER, _FLAG = ir.IntType(8).as_pointer(), ir.IntType(32)
_CALL = ir.FunctionType(ir.VoidType(), [_BYTE_POINTER, _FLAG, _FLAG, _FLAG])


def _ask(context: Any, builder: Any, kind: Any, array: Any, place: list, write: int = 0) -> None:
    parts = context.make_array(kind)(context, builder, array)
    at = cgutils.get_item_pointer(context, builder, kind, parts, place, wraparound=False, boundscheck=False)
    ask = builder.module.declare_intrinsic("llvm.prefetch", [_BYTE_POINTER], _CALL)
    # To read or to write; likely to be wanted again; data.
    builder.call(ask, [builder.bitcast(at, _BYTE_POINTER), _FLAG(write), _FLAG(3), _FLAG(1)])


@intrinsic
def prefetch(typing, X, i, j):
    """Bring the cache line of ``X[i, j]`` near; nothing is read, and nothing waits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        _ask(context, builder, signature.args[0], arguments[0], list(arguments[1:]))

    return types.void(X, types.intp, types.intp), generate


@intrinsic
def prefetch_at(typing, array, i):
    """Bring the cache line of ``array[i]`` near; nothing is read, and nothing waits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        _ask(context, builder, signature.args[0], arguments[0], [arguments[1]])

    return types.void(array, types.intp), generate


@intrinsic
def prefetch_to_write(typing, array, i):
    """Bring the cache line of ``array[i]`` near, taken from all other processors."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        _ask(context, builder, signature.args[0], arguments[0], [arguments[1]], 1)

    return types.void(array, types.intp), generate
