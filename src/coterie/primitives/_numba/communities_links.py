"""What a node weighs to each community around it, in a hash table that stays in the first-level cache.

The table has at least twice as many slots as there can be labels; only the slots in use are cleared afterwards, so that a
table for the largest node costs the small ones nothing. Where many links meet few labels, a table with a slot for each label is
faster: the logarithm of its size is said to be 0.
"""

import numpy as np

from .jit import kernel
from .prefetch import prefetch_at

__all__ = ["best_label", "clear", "inlined", "larger_table", "prefetch_row", "slot_of", "sum_by_label", "table_bits"]

# Compiled into its caller: the arrays of a call would cost as much as a small node.
inlined = kernel(forceinline=True, no_cpython_wrapper=True, cache=False)
_ROUNDING = 1e-12


@inlined
def table_bits(
    links,  # int  in
    most,  # int  in: there are no more labels than that
):
    """Return the base-2 logarithm of the size of the table for so many links."""
    wanted = 4 * (links if links < most else most) + 2
    bits = 1
    while (1 << bits) < wanted:
        bits += 1
    return bits


@inlined
def larger_table(
    keys,  # (slots,) int32  in/out
    values,  # (slots,) float64  in/out
    ready,  # int  in: so many slots are clear
    bits,  # int  in
):
    """Clear slots up to the size that is needed; return how many are clear."""
    while ready < (1 << bits):
        keys[ready] = -1
        values[ready] = 0.0
        ready += 1
    return ready


@inlined
def slot_of(
    label,  # int32  in
    bits,  # int  in
    keys,  # (slots,) int32  in
):
    """Return the slot of a label, or the free one that it may take."""
    if bits == 0:  # a slot for each label
        return np.int64(label)
    slot = ((label * 2654435769) & 0xFFFFFFFF) >> (32 - bits)
    # One condition, not two: whether a label is new cannot be foretold, that its slot is its own can.
    while (keys[slot] != label) & (keys[slot] >= 0):
        slot = (slot + 1) & ((1 << bits) - 1)
    return slot


@inlined
def sum_by_label(
    n_links,  # int  in
    near,  # (links,) int32  in: label at the other end of each link
    heavy,  # (links,) float64  in: its weight
    bits,  # int  in
    keys,  # (slots,) int32  in/out: -1 where a slot is free
    values,  # (slots,) float64  in/out: 0 where a slot is free
    slots,  # (links + 1,) int32  out: the slots in use
    used,  # int  in: how many are already
):
    """Add up the weights of links by label; return how many slots are in use."""
    for link in range(n_links):
        label = near[link]
        slot = slot_of(label, bits, keys)
        slots[used] = slot
        used += keys[slot] < 0
        keys[slot] = label
        values[slot] += heavy[link]
    return used


@inlined
def clear(used, keys, values, slots):
    """Free the slots in use."""
    for i in range(used):
        keys[slots[i]] = -1
        values[slots[i]] = 0.0


@inlined
def prefetch_row(
    node,  # int  in
    indptr,  # (n + 1,) int64  in
    links,  # (m,)  in: what is wanted of each link
):
    """Ask for the links of a node that will be looked at soon: both ends, the processor finds what lies between."""
    prefetch_at(links, indptr[node])
    prefetch_at(links, indptr[node + 1] - 1)


@inlined
def best_label(
    node,  # int  in
    indptr,  # (n + 1,) int64  in
    indices,  # (m,) int32  in
    weights,  # (m,) or (1,) int32 or float64  in
    sizes,  # (n,) float64  in
    resolution,  # float  in
    labels,  # (n,) int32  in
    totals,  # (n,) float64  in: sizes of the communities
    near,  # (largest,) int32  scratch
    heavy,  # (largest,) float64  scratch
    bits,  # int  in
    keys,  # (slots,) int32  scratch, clear
    values,  # (slots,) float64  scratch, clear
    slots,  # (largest + 1,) int32  scratch
):
    """Return the label that suits a node best: its own if no other is better, -1 for a community of its own."""
    start, n_links = indptr[node], indptr[node + 1] - indptr[node]
    each = len(weights) > 1
    for link in range(n_links):
        near[link] = labels[indices[start + link]]
        heavy[link] = weights[start + link if each else 0]
    own = labels[node]
    home = slot_of(own, bits, keys)
    keys[home], slots[0] = own, home
    used = sum_by_label(n_links, near, heavy, bits, keys, values, slots, 1)
    for i in range(1, used):  # together: which is best cannot be foretold, and each wrong guess would wait for its size
        prefetch_at(totals, keys[slots[i]])
    per_size = resolution * sizes[node]
    rest = per_size * (totals[own] - sizes[node])
    slack = _ROUNDING * (values[home] + per_size * totals[own])
    best, score = own, values[home] - rest + slack
    keys[home], values[home] = -1, 0.0
    for i in range(1, used):
        slot = slots[i]
        label = keys[slot]
        other = values[slot] - per_size * totals[label]
        keys[slot], values[slot] = -1, 0.0
        if other > score:
            best, score = label, other
    return best if score >= 0.0 else -1
