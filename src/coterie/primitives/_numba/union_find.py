"""Disjoint sets that several threads may join at once, with the same result whatever they do first.

``parent[i] <= i`` always, and a set's root is its lowest member. A root is linked below a lower root by one atomic
compare-and-swap, which succeeds only while it still is a root; otherwise the two roots are looked up again. So no union is
ever lost. Shortening a path writes to members that are no roots, and only ever an ancestor: two threads that race there
both leave the path valid. When all unions are done, the sets and their roots depend on the unions alone, not on their order.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .jit import kernel, part

__all__ = ["find", "number_by_first", "union"]


@intrinsic
def _swap(
    typingctx,
    parent,  # (n,) int64  in/out
    member,  # int  in
    expected,  # int  in
    value,  # int  in
):
    """Set ``parent[member]`` to ``value`` if it is ``expected``, in one step; return whether it was."""
    signature = types.boolean(parent, types.int64, types.int64, types.int64)

    def codegen(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.gep(array.data, [arguments[1]])
        answer = builder.cmpxchg(place, arguments[2], arguments[3], "seq_cst", "seq_cst")
        return builder.zext(builder.extract_value(answer, 1), ir.IntType(1))

    return signature, codegen


@part
def find(
    parent,  # (n,) int64  in/out: paths are shortened
    member,  # int  in
):
    """Return the root of a member: the lowest member of its set so far."""
    up = parent[member]
    while up != member:
        above = parent[up]
        if above != up:
            parent[member] = above
        member, up = up, above
    return member


@part
def union(
    parent,  # (n,) int64  in/out
    a,  # int  in
    b,  # int  in
):
    """Join the sets of two members."""
    a, b = find(parent, a), find(parent, b)
    while a != b:
        if a < b:
            a, b = b, a
        if _swap(parent, a, a, b):
            return
        a, b = find(parent, a), find(parent, b)


@kernel
def number_by_first(
    start,  # int  in: the rows start..end-1 are numbered in this call
    end,  # int  in
    roots,  # (n,) int64  in: any number that the rows of one set share, negative for rows in none
    names,  # (at least the largest root + 1,) int64  in/out: -1 before the first call
    used,  # (1,) int64  in/out: how many sets were met
    labels,  # (n,) int64  out: 0, 1, ... by first appearance, -1 for rows in none
):
    """Number sets by their first appearance in the rows."""
    for row in range(start, end):
        root = roots[row]
        if root < 0:
            labels[row] = -1
            continue
        if names[root] < 0:
            names[root] = used[0]
            used[0] += 1
        labels[row] = names[root]
